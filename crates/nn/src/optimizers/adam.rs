//! Adam and AdamW.

use super::describe::optimizer;
use crate::settings::{OutOfRange, SettingsOf};

optimizer! {
    /// Adam (D. Kingma and J. Ba, ICLR 2015), as in Keras: at step t, `m ← β₁·m + (1 − β₁)·g`, `v ← β₂·v + (1 − β₂)·g²`, and
    /// `w ← w − learning_rate·√(1 − β₂ᵗ)/(1 − β₁ᵗ) · m/(√v + ε)`.
    ///
    /// This is the form of the paper's section 2, last paragraph, whose ε is called "epsilon hat" there; PyTorch adds its ε
    /// to √v after the correction instead. With `amsgrad` (S. Reddi, S. Kale and S. Kumar, *On the convergence of Adam and
    /// beyond*, ICLR 2018) the largest v so far takes v's place.
    pub struct Adam {
        learning_rate: 0.001, weight_decay: 0.0;
        /// How much of the mean of the gradients is kept; at least 0 and below 1. Default: 0.9.
        beta_1: f64 = 0.9,
        /// How much of the mean of their squares is kept; at least 0 and below 1. Default: 0.999.
        beta_2: f64 = 0.999,
        /// Added to √v; above 0. Default: 1e-7.
        epsilon: f64 = 1e-7,
        /// Whether v never falls. Default: `false`.
        amsgrad: bool = false,
    }
}

optimizer! {
    /// [`Adam`] with decoupled weight decay (I. Loshchilov and F. Hutter, *Decoupled weight decay regularization*, ICLR
    /// 2019): the same but for the default of `weight_decay`.
    pub struct AdamW {
        learning_rate: 0.001, weight_decay: 0.004;
        /// How much of the mean of the gradients is kept; at least 0 and below 1. Default: 0.9.
        beta_1: f64 = 0.9,
        /// How much of the mean of their squares is kept; at least 0 and below 1. Default: 0.999.
        beta_2: f64 = 0.999,
        /// Added to √v; above 0. Default: 1e-7.
        epsilon: f64 = 1e-7,
        /// Whether v never falls. Default: `false`.
        amsgrad: bool = false,
    }
}

impl Adam {
    fn check(&self, settings: SettingsOf) -> Result<(), OutOfRange> {
        settings.moments(self.beta_1, self.beta_2, self.epsilon)
    }
}

impl AdamW {
    fn check(&self, settings: SettingsOf) -> Result<(), OutOfRange> {
        settings.moments(self.beta_1, self.beta_2, self.epsilon)
    }
}

impl SettingsOf {
    /// What Adam and its relatives have in common.
    pub(super) fn moments(self, beta_1: f64, beta_2: f64, epsilon: f64) -> Result<(), OutOfRange> {
        self.share("beta_1", beta_1)?;
        self.share("beta_2", beta_2)?;
        self.positive("epsilon", epsilon)
    }
}
