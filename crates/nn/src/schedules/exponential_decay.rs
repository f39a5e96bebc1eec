//! Exponential decay.

use super::passed;
use crate::settings::{OutOfRange, SettingsOf};
use serde::{Deserialize, Serialize};

/// `initial_learning_rate · decay_rate^(step/decay_steps)`, the exponent rounded down if `staircase`: Keras's
/// `ExponentialDecay`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExponentialDecay {
    /// The rate at step 0; at least 0.
    pub initial_learning_rate: f64,
    /// In how many steps the rate is multiplied by `decay_rate`; at least 1.
    pub decay_steps: u64,
    /// What it is multiplied by; at least 0.
    pub decay_rate: f64,
    /// Whether that happens at once at the end of these steps. Default: `false`.
    #[serde(default)]
    pub staircase: bool,
}

impl ExponentialDecay {
    /// A smooth decay.
    pub fn new(initial_learning_rate: f64, decay_steps: u64, decay_rate: f64) -> Self {
        Self { initial_learning_rate, decay_steps, decay_rate, staircase: false }
    }

    pub(super) fn at(&self, step: f64) -> f64 {
        let passed = passed(step, self.decay_steps, self.staircase);
        self.initial_learning_rate * libm::pow(self.decay_rate, passed)
    }

    pub(super) fn check(&self, settings: SettingsOf) -> Result<(), OutOfRange> {
        settings.not_negative("initial_learning_rate", self.initial_learning_rate)?;
        settings.at_least_one("decay_steps", self.decay_steps)?;
        settings.not_negative("decay_rate", self.decay_rate)
    }
}
