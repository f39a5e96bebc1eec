//! Stochastic gradient descent.

use super::describe::optimizer;
use crate::settings::{OutOfRange, SettingsOf};

optimizer! {
    /// Stochastic gradient descent with momentum (B. Polyak, 1964; I. Sutskever et al., *On the importance of initialization
    /// and momentum in deep learning*, ICML 2013), as in Keras: `v ← momentum·v − learning_rate·g`, then `w ← w + v`, or with
    /// Nesterov's momentum `w ← w + momentum·v − learning_rate·g`. Without momentum both are `w ← w − learning_rate·g`.
    pub struct Sgd {
        learning_rate: 0.01, weight_decay: 0.0;
        /// The share of the last step that is taken again; at least 0 and below 1. Default: 0.
        momentum: f64 = 0.0,
        /// Whether momentum is Nesterov's. Default: `false`.
        nesterov: bool = false,
    }
}

impl Sgd {
    fn check(&self, settings: SettingsOf) -> Result<(), OutOfRange> {
        settings.share("momentum", self.momentum)
    }
}
