//! Adamax.

use super::describe::optimizer;
use crate::settings::{OutOfRange, SettingsOf};

optimizer! {
    /// Adamax (D. Kingma and J. Ba, ICLR 2015, algorithm 2), Adam with an infinity norm, as in Keras: at step t,
    /// `m ← β₁·m + (1 − β₁)·g`, `u ← max(β₂·u, |g|)`, `w ← w − learning_rate/(1 − β₁ᵗ) · m/(u + ε)`. The paper has no ε.
    pub struct Adamax {
        learning_rate: 0.001, weight_decay: 0.0;
        /// How much of the mean of the gradients is kept; at least 0 and below 1. Default: 0.9.
        beta_1: f64 = 0.9,
        /// How much of the norm is kept; at least 0 and below 1. Default: 0.999.
        beta_2: f64 = 0.999,
        /// Added to u; above 0. Default: 1e-7.
        epsilon: f64 = 1e-7,
    }
}

impl Adamax {
    fn check(&self, settings: SettingsOf) -> Result<(), OutOfRange> {
        settings.moments(self.beta_1, self.beta_2, self.epsilon)
    }
}
