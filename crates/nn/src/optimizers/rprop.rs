//! Resilient backpropagation.

use super::describe::optimizer;
use crate::settings::{OutOfRange, SettingsOf};

optimizer! {
    /// iRPROP− (C. Igel and M. Hüsken, *Improving the Rprop learning algorithm*, 2000), as PyTorch's `Rprop`: each
    /// parameter has a step size Δ of its own, which only the gradient's sign steers.
    ///
    /// ```text
    /// g·before > 0:  Δ ← η⁺·Δ
    /// g·before < 0:  Δ ← η⁻·Δ,  g ← 0
    /// Δ ← max(min(Δ, largest_step), smallest_step)
    /// w ← w − Δ·sgn(g),  before ← g
    /// ```
    ///
    /// Signs of noisy gradients say little, so it is for small sets of data: give `fit` a `batch_size` of all samples. Keras
    /// has nothing alike. Δ begins as the learning rate, and a learning rate that changes later scales it;
    /// below the smallest normal number there is no step.
    pub struct Rprop {
        learning_rate: 0.01, weight_decay: 0.0;
        /// η⁻, by which a step shrinks; above 0 and below 1. Default: 0.5.
        eta_minus: f64 = 0.5,
        /// η⁺, by which a step grows; above 1. Default: 1.2.
        eta_plus: f64 = 1.2,
        /// The least that a step may be; above 0. Default: 1e-6.
        smallest_step: f64 = 1e-6,
        /// The most that a step may be; above 0. Default: 50.
        largest_step: f64 = 50.0,
    }
}

impl Rprop {
    fn check(&self, settings: SettingsOf) -> Result<(), OutOfRange> {
        settings.positive("eta_minus", self.eta_minus)?;
        settings.share("eta_minus", self.eta_minus)?;
        settings.positive("eta_plus", self.eta_plus)?;
        settings.check("eta_plus", self.eta_plus, self.eta_plus > 1.0, "above 1")?;
        settings.positive("smallest_step", self.smallest_step)?;
        settings.positive("largest_step", self.largest_step)?;
        let ordered = self.smallest_step <= self.largest_step;
        settings.check("smallest_step", self.smallest_step, ordered, "at most largest_step")
    }
}
