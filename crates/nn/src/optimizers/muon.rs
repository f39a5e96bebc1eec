//! Muon.

use super::describe::optimizer;
use crate::error::{DescriptionError, Error};
use crate::parameters::Tensor;
use crate::sequential::Sequential;
use crate::settings::{OutOfRange, SettingsOf};
use crate::text::nearest;

optimizer! {
    /// Muon (K. Jordan et al., *Muon: an optimizer for hidden layers in neural networks*, 2024; scaled as in J. Liu et al.,
    /// *Muon is scalable for LLM training*, arXiv:2502.16982), as in Keras: for a kernel
    ///
    /// ```text
    /// m ← momentum·m + g,   x = g + momentum·m  (nesterov)  or  m
    /// x ← x/(‖x‖ + 1e-7),   then ns_steps times  A = x·xᵀ,  x ← a·x + (b·A + c·A²)·x
    /// w ← w − learning_rate·rms_rate·√max(inputs, units)·x
    /// ```
    ///
    /// which makes all singular values of the step about 1. Biases, and the tensors that `exclude_layers` names, follow
    /// [`AdamW`](super::AdamW) with the rate `learning_rate·adam_lr_ratio` and the decay `adam_weight_decay·learning_rate`.
    /// Its authors leave the last layer to AdamW too; Keras does that only where asked.
    pub struct Muon {
        learning_rate: 0.001, weight_decay: 0.004;
        /// How much of the sum of the gradients is kept; at least 0 and below 1. Default: 0.95.
        momentum: f64 = 0.95,
        /// Whether the step looks ahead. Default: `true`.
        nesterov: bool = true,
        /// How many Newton–Schulz iterations are made; at most 100. Default: 5.
        ns_steps: u32 = 5,
        /// a. Default: 3.4445.
        muon_a: f64 = 3.4445,
        /// b. Default: −4.775.
        muon_b: f64 = -4.775,
        /// c. Default: 2.0315.
        muon_c: f64 = 2.0315,
        /// The step's root mean square, as a multiple of the rate, for a matrix of full rank; above 0. `None` leaves the step
        /// as it is. Default: 0.2.
        rms_rate: Option<f64> = Some(0.2),
        /// Parts of the names of tensors that follow AdamW, such as `dense_2`; each of at least one tensor's. Default: none.
        exclude_layers: Vec<String> = Vec::new(),
        /// AdamW's learning rate as a multiple of this one; above 0. Default: 1.
        adam_lr_ratio: f64 = 1.0,
        /// AdamW's β₁; at least 0 and below 1. Default: 0.9.
        adam_beta_1: f64 = 0.9,
        /// AdamW's β₂; at least 0 and below 1. Default: 0.999.
        adam_beta_2: f64 = 0.999,
        /// AdamW's weight decay; at least 0. Default: 0.004.
        adam_weight_decay: f64 = 0.004,
        /// AdamW's ε; above 0. Default: 1e-7.
        epsilon: f64 = 1e-7,
    }
}

/// More iterations than anyone needs: the singular values are near 1 after five.
const MOST_NS_STEPS: u32 = 100;

impl Muon {
    fn check(&self, settings: SettingsOf) -> Result<(), OutOfRange> {
        settings.share("momentum", self.momentum)?;
        let few = self.ns_steps <= MOST_NS_STEPS;
        settings.check("ns_steps", f64::from(self.ns_steps), few, "at most 100")?;
        settings.finite("muon_a", self.muon_a)?;
        settings.finite("muon_b", self.muon_b)?;
        settings.finite("muon_c", self.muon_c)?;
        self.rms_rate.map_or(Ok(()), |rate| settings.positive("rms_rate", rate))?;
        settings.positive("adam_lr_ratio", self.adam_lr_ratio)?;
        settings.share("adam_beta_1", self.adam_beta_1)?;
        settings.share("adam_beta_2", self.adam_beta_2)?;
        settings.not_negative("adam_weight_decay", self.adam_weight_decay)?;
        settings.positive("epsilon", self.epsilon)
    }

    /// A name that no tensor has would leave to Muon what was to be left out.
    pub(super) fn refuse_unknown_layers(&self, network: &Sequential) -> Result<(), Error> {
        let tensors: Vec<String> = Tensor::all(network).into_iter().map(|tensor| tensor.name).collect();
        let is_unknown = |part: &&String| !tensors.iter().any(|name| name.contains(part.as_str()));
        let Some(found) = self.exclude_layers.iter().find(is_unknown) else { return Ok(()) };
        let mut layers: Vec<&str> =
            tensors.iter().filter_map(|name| Some(name.rsplit_once('.')?.0)).collect();
        layers.dedup();
        let names: Vec<&str> = layers.iter().copied().chain(tensors.iter().map(String::as_str)).collect();
        Err(DescriptionError::ExcludedLayer {
            optimizer: "Muon",
            found: found.clone(),
            nearest: nearest(found, &names).map(str::to_owned),
            layers: layers.join(", "),
        }
        .into())
    }
}
