//! Adagrad.

use super::describe::optimizer;
use crate::settings::{OutOfRange, SettingsOf};

optimizer! {
    /// Adagrad (J. Duchi, E. Hazan and Y. Singer, *Adaptive subgradient methods for online learning and stochastic
    /// optimization*, JMLR 12, 2011), as in Keras: `a ← a + g²`, `w ← w − learning_rate·g/√(a + ε)`.
    pub struct Adagrad {
        learning_rate: 0.001, weight_decay: 0.0;
        /// What `a` begins with; at least 0. Default: 0.1.
        initial_accumulator_value: f64 = 0.1,
        /// Added to a, under the root; above 0. Default: 1e-7.
        epsilon: f64 = 1e-7,
    }
}

impl Adagrad {
    fn check(&self, settings: SettingsOf) -> Result<(), OutOfRange> {
        settings.not_negative("initial_accumulator_value", self.initial_accumulator_value)?;
        settings.positive("epsilon", self.epsilon)
    }
}
