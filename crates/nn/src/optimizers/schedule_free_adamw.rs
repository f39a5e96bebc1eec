//! Schedule-free AdamW.

use super::describe::optimizer;
use crate::settings::{OutOfRange, SettingsOf};

optimizer! {
    /// Schedule-free AdamW (A. Defazio et al., *The road less scheduled*, NeurIPS 2024, arXiv:2405.15682, algorithm 1), as
    /// its authors' program has it: gradients are taken at y, steps are made by z, and x, the average of all z, is the
    /// network that is evaluated, asked for predictions and saved. At step t, with the rate
    /// `γ = learning_rate·min(1, t/warmup_steps)`:
    ///
    /// ```text
    /// v ← β₂·v + (1 − β₂)·g²
    /// z ← z − γ·(g/(√(v/(1 − β₂ᵗ)) + ε) + weight_decay·y)
    /// x ← (1 − c)·x + c·z,   c = (largest γ)² / sum of these over all steps
    /// y = (1 − β₁)·z + β₁·x
    /// ```
    ///
    /// Keras averages with equal weights also while warming up, and lets weight decay move y alone.
    pub struct ScheduleFreeAdamW {
        learning_rate: 0.0025, weight_decay: 0.0;
        /// x's weight in y; at least 0 and below 1. Default: 0.9.
        beta_1: f64 = 0.9,
        /// How much of the mean of the squares is kept; at least 0 and below 1. Default: 0.999.
        beta_2: f64 = 0.999,
        /// Added to the corrected √v; above 0. Default: 1e-8.
        epsilon: f64 = 1e-8,
        /// In how many steps the rate rises to its full size. Default: 0.
        warmup_steps: u64 = 0,
    }
}

impl ScheduleFreeAdamW {
    fn check(&self, settings: SettingsOf) -> Result<(), OutOfRange> {
        settings.moments(self.beta_1, self.beta_2, self.epsilon)
    }
}
