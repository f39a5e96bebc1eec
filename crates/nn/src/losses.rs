//! Losses: how far a prediction is from the truth. This is their description.

use crate::activations::Activation;
use crate::error::Error;
use crate::sequential::Sequential;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What training makes small: the mean of this over the samples of a batch. The targets are class labels, taken as
/// one-hot columns `t` inside; `y` is the network's output for the sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Loss {
    /// `−Σᵢ tᵢ·ln yᵢ`, so `−ln` of the probability of the right class, computed from the logits by log-sum-exp in either
    /// case.
    CategoricalCrossentropy {
        /// Whether the network ends in logits (a linear last layer) rather than in probabilities (softmax). Default:
        /// `false`.
        #[serde(default)]
        from_logits: bool,
    },
    /// `Σᵢ (yᵢ − tᵢ)² / outputs`.
    MeanSquaredError,
}

impl Default for Loss {
    fn default() -> Self {
        Self::CategoricalCrossentropy { from_logits: false }
    }
}

impl Loss {
    /// Checks that the network ends as this loss needs it. The network itself is taken as
    /// [valid](Sequential::validate).
    ///
    /// ```
    /// # use densely::{Dense, Loss, Sequential};
    /// let linear_end = Sequential::new(4).add(Dense::new(3));
    /// assert!(Loss::CategoricalCrossentropy { from_logits: true }.validate(&linear_end).is_ok());
    /// assert_eq!(
    ///     Loss::CategoricalCrossentropy { from_logits: false }.validate(&linear_end).unwrap_err().to_string(),
    ///     "layer 1 (dense): ends the network with Linear, but CategoricalCrossentropy(from_logits: false) needs Softmax \
    ///      there; add it, or set from_logits: true"
    /// );
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::LossActivation`] if cross-entropy from probabilities does not meet softmax, or cross-entropy from logits
    /// does not meet a linear end; [`Error::LossOutputs`] if cross-entropy meets a single output.
    pub fn validate(&self, network: &Sequential) -> Result<(), Error> {
        let Self::CategoricalCrossentropy { from_logits } = *self else {
            return Ok(());
        };
        let needed = if from_logits { Activation::Linear } else { Activation::Softmax };
        let last = network.layers.len().saturating_sub(1);
        let found = network.layers.last().and_then(|layer| layer.activation());
        if found != Some(needed) {
            return Err(Error::LossActivation { layer: network.layer_name(last), loss: *self, found });
        }
        if network.outputs() < 2 {
            return Err(Error::LossOutputs { layer: network.layer_name(last), loss: *self });
        }
        Ok(())
    }
}

/// The loss as it is written in a recipe.
impl fmt::Display for Loss {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CategoricalCrossentropy { from_logits } => {
                write!(formatter, "CategoricalCrossentropy(from_logits: {from_logits})")
            }
            Self::MeanSquaredError => formatter.write_str("MeanSquaredError"),
        }
    }
}
