//! RMSprop.

use super::describe::optimizer;
use crate::settings::{OutOfRange, SettingsOf};

optimizer! {
    /// RMSprop (T. Tieleman and G. Hinton, *Neural networks for machine learning*, lecture 6.5, 2012), as in Keras:
    /// `v ← rho·v + (1 − rho)·g²`, `s = g/√(v + ε)`, and `w ← w − learning_rate·s`, or with momentum
    /// `u ← momentum·u + learning_rate·s`, `w ← w − u`.
    ///
    /// Centered (A. Graves, arXiv:1308.0850, equations 38 to 45) it divides by the root of the variance,
    /// `s = g/√(max(v − a², 0) + ε)` with `a ← rho·a + (1 − rho)·g`. The maximum with 0 is ours: by rounding `v − a²` can be
    /// negative, and Keras then takes the root of a negative number.
    pub struct Rmsprop {
        learning_rate: 0.001, weight_decay: 0.0;
        /// How much of the mean square is kept; at least 0 and below 1. Default: 0.9.
        rho: f64 = 0.9,
        /// The share of the last step that is taken again; at least 0 and below 1. Default: 0.
        momentum: f64 = 0.0,
        /// Added to v, under the root; above 0. Default: 1e-7.
        epsilon: f64 = 1e-7,
        /// Whether the mean square is taken about the mean. Default: `false`.
        centered: bool = false,
    }
}

impl Rmsprop {
    fn check(&self, settings: SettingsOf) -> Result<(), OutOfRange> {
        settings.share("rho", self.rho)?;
        settings.share("momentum", self.momentum)?;
        settings.positive("epsilon", self.epsilon)
    }
}
