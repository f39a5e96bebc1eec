//! Cosine decay (I. Loshchilov and F. Hutter, *SGDR: stochastic gradient descent with warm restarts*, ICLR 2017).

use super::{WarmUp, falling_cosine, warm_up};
use crate::settings::{OutOfRange, SettingsOf};
use serde::{Deserialize, Serialize};

/// Half a cosine from the initial rate to `alpha` times that, the paper's equation 5 without restarts:
/// `initial_learning_rate·((1 − alpha)·(1 + cos(π·step/decay_steps))/2 + alpha)`, and constant after `decay_steps`.
///
/// With a `warmup_target` the rate first goes linearly from the initial rate to the target in `warmup_steps`, and then
/// down from the target.
///
/// ```
/// use densely::schedules::{CosineDecay, LearningRate};
///
/// let warm = CosineDecay { warmup_target: Some(0.1), warmup_steps: 50, ..CosineDecay::new(0.0, 100) };
/// let rate = LearningRate::from(warm);
/// assert_eq!((rate.at(0), rate.at(25), rate.at(50), rate.at(150)), (0.0, 0.05, 0.1, 0.0));
/// assert!((rate.at(100) - 0.05).abs() < 1e-15);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CosineDecay {
    /// The rate at step 0; at least 0.
    pub initial_learning_rate: f64,
    /// How many steps the rate falls; at least 1.
    pub decay_steps: u64,
    /// The share of the highest rate that is left; between 0 and 1. Default: 0.
    #[serde(default)]
    pub alpha: f64,
    /// The rate after a warm-up; at least 0. Default: no warm-up.
    #[serde(default)]
    pub warmup_target: Option<f64>,
    /// How many steps the warm-up takes, before `decay_steps`. Default: 0.
    #[serde(default)]
    pub warmup_steps: u64,
}

impl CosineDecay {
    /// A decay to 0 without warm-up.
    pub fn new(initial_learning_rate: f64, decay_steps: u64) -> Self {
        Self { initial_learning_rate, decay_steps, alpha: 0.0, warmup_target: None, warmup_steps: 0 }
    }

    pub(super) fn at(&self, step: f64) -> f64 {
        match warm_up(self.initial_learning_rate, self.warmup_target, self.warmup_steps, step) {
            WarmUp::Rising(rate) => rate,
            WarmUp::Over { top, step } => {
                let decay_steps = self.decay_steps as f64;
                let share = step.min(decay_steps) / decay_steps;
                top * ((1.0 - self.alpha) * falling_cosine(share) + self.alpha)
            }
        }
    }

    pub(super) fn check(&self, settings: SettingsOf) -> Result<(), OutOfRange> {
        settings.not_negative("initial_learning_rate", self.initial_learning_rate)?;
        settings.at_least_one("decay_steps", self.decay_steps)?;
        settings.unit_interval("alpha", self.alpha)?;
        self.warmup_target.map_or(Ok(()), |target| settings.not_negative("warmup_target", target))
    }
}
