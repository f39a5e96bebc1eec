//! Nadam.

use super::describe::optimizer;
use crate::settings::{OutOfRange, SettingsOf};

optimizer! {
    /// Nadam (T. Dozat, *Incorporating Nesterov momentum into Adam*, ICLR 2016 workshop), as in Keras: at step t, with the
    /// momentum schedule `μₜ = β₁·(1 − ½·0.96ᵗ)`,
    ///
    /// ```text
    /// m ← β₁·m + (1 − β₁)·g
    /// v ← β₂·v + (1 − β₂)·g²
    /// m̂ = μₜ₊₁·m/(1 − μ₁⋯μₜ₊₁) + (1 − μₜ)·g/(1 − μ₁⋯μₜ)
    /// w ← w − learning_rate·m̂/(√(v/(1 − β₂ᵗ)) + ε)
    /// ```
    ///
    /// Keras 3.15 rounds 0.96 to single precision in μ, but not in the product; here it is 0.96 in both, so steps differ by
    /// some 1e-8 of their size.
    pub struct Nadam {
        learning_rate: 0.001, weight_decay: 0.0;
        /// How much of the mean of the gradients is kept; at least 0 and below 1. Default: 0.9.
        beta_1: f64 = 0.9,
        /// How much of the mean of their squares is kept; at least 0 and below 1. Default: 0.999.
        beta_2: f64 = 0.999,
        /// Added to the corrected √v; above 0. Default: 1e-7.
        epsilon: f64 = 1e-7,
    }
}

impl Nadam {
    fn check(&self, settings: SettingsOf) -> Result<(), OutOfRange> {
        settings.moments(self.beta_1, self.beta_2, self.epsilon)
    }
}
