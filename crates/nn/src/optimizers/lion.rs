//! Lion.

use super::describe::optimizer;
use crate::settings::{OutOfRange, SettingsOf};

optimizer! {
    /// Lion (X. Chen et al., *Symbolic discovery of optimization algorithms*, NeurIPS 2023, program 1), as in Keras:
    /// `c = β₁·m + (1 − β₁)·g`, `w ← w − learning_rate·sgn(c)`, `m ← β₂·m + (1 − β₂)·g`.
    pub struct Lion {
        learning_rate: 0.001, weight_decay: 0.0;
        /// The mean's weight in the sign; at least 0 and below 1. Default: 0.9.
        beta_1: f64 = 0.9,
        /// How much of the mean is kept; at least 0 and below 1. Default: 0.99.
        beta_2: f64 = 0.99,
    }
}

impl Lion {
    fn check(&self, settings: SettingsOf) -> Result<(), OutOfRange> {
        settings.share("beta_1", self.beta_1)?;
        settings.share("beta_2", self.beta_2)
    }
}
