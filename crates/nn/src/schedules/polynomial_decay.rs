//! Polynomial decay.

use super::one;
use crate::settings::{OutOfRange, SettingsOf};
use serde::{Deserialize, Serialize};

/// `(initial_learning_rate − end_learning_rate)·(1 − step/decay_steps)^power + end_learning_rate`, and the end rate after
/// `decay_steps`: Keras's `PolynomialDecay`.
///
/// With `cycle` the rate rises again there: `decay_steps` is then, at each step, the first multiple of itself that is not
/// below the step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolynomialDecay {
    /// The rate at step 0; at least 0.
    pub initial_learning_rate: f64,
    /// When the end is reached; at least 1.
    pub decay_steps: u64,
    /// The rate there; at least 0. Default: 0.0001.
    #[serde(default = "end")]
    pub end_learning_rate: f64,
    /// Above 0; a straight line if 1. Default: 1.
    #[serde(default = "one")]
    pub power: f64,
    /// Whether the rate rises again. Default: `false`.
    #[serde(default)]
    pub cycle: bool,
}

fn end() -> f64 {
    0.0001
}

impl PolynomialDecay {
    /// A line from this rate to 0.0001.
    pub fn new(initial_learning_rate: f64, decay_steps: u64) -> Self {
        Self { initial_learning_rate, decay_steps, end_learning_rate: end(), power: one(), cycle: false }
    }

    pub(super) fn at(&self, step: f64) -> f64 {
        let mut decay_steps = self.decay_steps as f64;
        if self.cycle {
            decay_steps *= (step / decay_steps).ceil().max(1.0);
        }
        let left = 1.0 - step.min(decay_steps) / decay_steps;
        (self.initial_learning_rate - self.end_learning_rate) * libm::pow(left, self.power)
            + self.end_learning_rate
    }

    pub(super) fn check(&self, settings: SettingsOf) -> Result<(), OutOfRange> {
        settings.not_negative("initial_learning_rate", self.initial_learning_rate)?;
        settings.at_least_one("decay_steps", self.decay_steps)?;
        settings.not_negative("end_learning_rate", self.end_learning_rate)?;
        settings.positive("power", self.power)
    }
}
