//! Adadelta.

use super::describe::optimizer;
use crate::settings::{OutOfRange, SettingsOf};

optimizer! {
    /// Adadelta (M. Zeiler, *ADADELTA: an adaptive learning rate method*, arXiv:1212.5701, algorithm 1), as in Keras:
    /// `a ← rho·a + (1 − rho)·g²`, `s = √(d + ε)/√(a + ε)·g`, `d ← rho·d + (1 − rho)·s²`, `w ← w − learning_rate·s`.
    ///
    /// The paper's learning rate is 1; Keras's default makes it slow.
    pub struct Adadelta {
        learning_rate: 0.001, weight_decay: 0.0;
        /// How much of both means is kept; at least 0 and below 1. Default: 0.95.
        rho: f64 = 0.95,
        /// Added to both, under the roots; above 0. Default: 1e-7.
        epsilon: f64 = 1e-7,
    }
}

impl Adadelta {
    fn check(&self, settings: SettingsOf) -> Result<(), OutOfRange> {
        settings.share("rho", self.rho)?;
        settings.positive("epsilon", self.epsilon)
    }
}
