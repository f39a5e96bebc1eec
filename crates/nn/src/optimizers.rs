//! Optimizers: how a gradient changes the parameters. This is their description; the updates are in `densely_tensor`.

use crate::error::Error;
use serde::{Deserialize, Serialize};

/// How parameters follow their gradients. In RON: `Adam(learning_rate: 0.001)`, `Sgd(momentum: 0.9)`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Optimizer {
    /// Stochastic gradient descent.
    Sgd(Sgd),
    /// Adaptive moments.
    Adam(Adam),
}

impl Default for Optimizer {
    fn default() -> Self {
        Self::Adam(Adam::default())
    }
}

impl From<Sgd> for Optimizer {
    fn from(sgd: Sgd) -> Self {
        Self::Sgd(sgd)
    }
}

impl From<Adam> for Optimizer {
    fn from(adam: Adam) -> Self {
        Self::Adam(adam)
    }
}

/// Stochastic gradient descent with momentum, as in Keras: `v ← momentum·v − learning_rate·g`, then `w ← w + v`, or with
/// Nesterov's momentum `w ← w + momentum·v − learning_rate·g`. Without momentum both are `w ← w − learning_rate·g`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sgd {
    /// The size of a step; above 0. Default: 0.01.
    pub learning_rate: f64,
    /// The share of the last step that is taken again; at least 0 and below 1. Default: 0.
    pub momentum: f64,
    /// Whether momentum is Nesterov's. Default: `false`.
    pub nesterov: bool,
}

impl Sgd {
    /// Descent with this learning rate, everything else by default.
    pub fn new(learning_rate: f64) -> Self {
        Self { learning_rate, ..Self::default() }
    }
}

impl Default for Sgd {
    fn default() -> Self {
        Self { learning_rate: 0.01, momentum: 0.0, nesterov: false }
    }
}

/// Adam (D. Kingma and J. Ba, ICLR 2015), as in Keras: at step t, `m ← β₁·m + (1 − β₁)·g`, `v ← β₂·v + (1 − β₂)·g²`, and
/// `w ← w − learning_rate·√(1 − β₂ᵗ)/(1 − β₁ᵗ) · m/(√v + ε)`.
///
/// This is the form of the paper's section 2, last paragraph, whose ε is called "epsilon hat" there; PyTorch adds its ε
/// to √v after the correction instead.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Adam {
    /// The size of a step; above 0. Default: 0.001.
    pub learning_rate: f64,
    /// How much of the mean of the gradients is kept; at least 0 and below 1. Default: 0.9.
    pub beta_1: f64,
    /// How much of the mean of their squares is kept; at least 0 and below 1. Default: 0.999.
    pub beta_2: f64,
    /// Added to √v; above 0. Default: 1e-7.
    pub epsilon: f64,
}

impl Adam {
    /// Adam with this learning rate, everything else by default.
    pub fn new(learning_rate: f64) -> Self {
        Self { learning_rate, ..Self::default() }
    }
}

impl Default for Adam {
    fn default() -> Self {
        Self { learning_rate: 0.001, beta_1: 0.9, beta_2: 0.999, epsilon: 1e-7 }
    }
}

impl Optimizer {
    /// The learning rate.
    pub fn learning_rate(&self) -> f64 {
        match self {
            Self::Sgd(sgd) => sgd.learning_rate,
            Self::Adam(adam) => adam.learning_rate,
        }
    }

    /// Sets the learning rate.
    pub fn set_learning_rate(&mut self, learning_rate: f64) {
        match self {
            Self::Sgd(sgd) => sgd.learning_rate = learning_rate,
            Self::Adam(adam) => adam.learning_rate = learning_rate,
        }
    }

    /// Checks every setting.
    ///
    /// # Errors
    ///
    /// [`Error::OptimizerSetting`] names the first setting outside its range.
    pub fn validate(&self) -> Result<(), Error> {
        match self {
            Self::Sgd(sgd) => {
                positive("Sgd", "learning_rate", sgd.learning_rate)?;
                share("Sgd", "momentum", sgd.momentum)
            }
            Self::Adam(adam) => {
                positive("Adam", "learning_rate", adam.learning_rate)?;
                share("Adam", "beta_1", adam.beta_1)?;
                share("Adam", "beta_2", adam.beta_2)?;
                positive("Adam", "epsilon", adam.epsilon)
            }
        }
    }
}

// The limits are those of single precision for `f64` networks too, so that a description is valid or not by itself.
fn positive(optimizer: &'static str, setting: &'static str, found: f64) -> Result<(), Error> {
    if (f64::from(f32::MIN_POSITIVE)..=f64::from(f32::MAX)).contains(&found) {
        return Ok(());
    }
    Err(Error::OptimizerSetting {
        optimizer,
        setting,
        found,
        expected: "a number above 0 that fits single precision",
    })
}

fn share(optimizer: &'static str, setting: &'static str, found: f64) -> Result<(), Error> {
    if found >= 0.0 && (found as f32) < 1.0 {
        return Ok(());
    }
    Err(Error::OptimizerSetting {
        optimizer,
        setting,
        found,
        expected: "at least 0 and, in single precision, below 1",
    })
}
