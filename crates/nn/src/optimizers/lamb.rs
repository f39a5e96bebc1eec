//! Lamb.

use super::describe::optimizer;
use crate::settings::{OutOfRange, SettingsOf};

optimizer! {
    /// Lamb (Y. You et al., *Large batch optimization for deep learning: training BERT in 76 minutes*, ICLR 2020, algorithm
    /// 2), as in Keras: at step t, for each kernel and each bias as a whole,
    ///
    /// ```text
    /// m ← β₁·m + (1 − β₁)·g
    /// v ← β₂·v + (1 − β₂)·g²
    /// u = m/(1 − β₁ᵗ) / (√(v/(1 − β₂ᵗ)) + ε)
    /// w ← w − learning_rate·‖w‖/‖u‖·u
    /// ```
    ///
    /// where a ratio with a norm of 0 is 1. Weight decay comes before, as in all optimizers here; the paper adds it to u.
    pub struct Lamb {
        learning_rate: 0.001, weight_decay: 0.0;
        /// How much of the mean of the gradients is kept; at least 0 and below 1. Default: 0.9.
        beta_1: f64 = 0.9,
        /// How much of the mean of their squares is kept; at least 0 and below 1. Default: 0.999.
        beta_2: f64 = 0.999,
        /// Added to the corrected √v; above 0. Default: 1e-7.
        epsilon: f64 = 1e-7,
    }
}

impl Lamb {
    fn check(&self, settings: SettingsOf) -> Result<(), OutOfRange> {
        settings.moments(self.beta_1, self.beta_2, self.epsilon)
    }
}
