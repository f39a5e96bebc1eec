//! Cosine decay with restarts (I. Loshchilov and F. Hutter, *SGDR: stochastic gradient descent with warm restarts*, ICLR
//! 2017).

use super::{WarmUp, falling_cosine, one, warm_up};
use crate::settings::{OutOfRange, SettingsOf};
use serde::{Deserialize, Serialize};

/// [`CosineDecay`](super::CosineDecay) again and again, the paper's equation 5: each period is `t_mul` times as long as the
/// one before, and begins `m_mul` times as high. In period i (from 0), at the share s of it, the rate is
/// `initial_learning_rate·((1 − alpha)·m_mul^i·(1 + cos(π·s))/2 + alpha)`.
///
/// A warm-up, which Keras has in [`CosineDecay`](super::CosineDecay) only, is the same here: linear from the initial rate to
/// `warmup_target` in `warmup_steps`, and the first period begins there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CosineDecayRestarts {
    /// The rate at step 0; at least 0.
    pub initial_learning_rate: f64,
    /// The length of the first period; at least 1.
    pub first_decay_steps: u64,
    /// How many times as long each period is as the one before; at least 1. Default: 2.
    #[serde(default = "two")]
    pub t_mul: f64,
    /// How many times as high each period begins as the one before; at least 0. Default: 1.
    #[serde(default = "one")]
    pub m_mul: f64,
    /// The share of the highest rate that is left at a period's end; between 0 and 1. Default: 0.
    #[serde(default)]
    pub alpha: f64,
    /// The rate after a warm-up; at least 0. Default: no warm-up.
    #[serde(default)]
    pub warmup_target: Option<f64>,
    /// How many steps the warm-up takes, before the first period. Default: 0.
    #[serde(default)]
    pub warmup_steps: u64,
}

/// So many periods are subtracted one by one, which is exact where they begin at whole steps.
const COUNTED_PERIODS: f64 = 256.0;

fn two() -> f64 {
    2.0
}

impl CosineDecayRestarts {
    /// Periods each twice as long as the one before, down to 0, without warm-up.
    pub fn new(initial_learning_rate: f64, first_decay_steps: u64) -> Self {
        Self {
            initial_learning_rate,
            first_decay_steps,
            t_mul: two(),
            m_mul: one(),
            alpha: 0.0,
            warmup_target: None,
            warmup_steps: 0,
        }
    }

    pub(super) fn at(&self, step: f64) -> f64 {
        match warm_up(self.initial_learning_rate, self.warmup_target, self.warmup_steps, step) {
            WarmUp::Rising(rate) => rate,
            WarmUp::Over { top, step } => {
                let (restarts, share) = self.period(step);
                let height = libm::pow(self.m_mul, restarts);
                top * ((1.0 - self.alpha) * height * falling_cosine(share) + self.alpha)
            }
        }
    }

    /// The number of the period that a step lies in, and the share of it that has passed.
    fn period(&self, step: f64) -> (f64, f64) {
        let mut period = self.first_decay_steps as f64;
        if self.t_mul == 1.0 {
            return ((step / period).floor(), step % period / period);
        }
        let (mut step, mut restarts) = (step, 0.0);
        while step >= period && restarts < COUNTED_PERIODS {
            step -= period;
            period *= self.t_mul;
            restarts += 1.0;
        }
        if step < period {
            return (restarts, step / period);
        }
        // Where periods hardly grow there can be more than anyone could count.
        let growth = self.t_mul - 1.0;
        let log = libm::log1p(growth);
        let begin = |n: f64| period * libm::expm1(n * log) / growth;
        let n = (libm::log1p(step / period * growth) / log).floor();
        let n = if begin(n) > step {
            n - 1.0
        } else if begin(n + 1.0) <= step {
            n + 1.0
        } else {
            n
        };
        let share = (step - begin(n)) / (period * libm::exp(n * log));
        (restarts + n, share.clamp(0.0, 1.0))
    }

    pub(super) fn check(&self, settings: SettingsOf) -> Result<(), OutOfRange> {
        settings.not_negative("initial_learning_rate", self.initial_learning_rate)?;
        settings.at_least_one("first_decay_steps", self.first_decay_steps)?;
        let grows = self.t_mul >= 1.0 && self.t_mul.is_finite();
        settings.check("t_mul", self.t_mul, grows, "at least 1")?;
        settings.not_negative("m_mul", self.m_mul)?;
        settings.unit_interval("alpha", self.alpha)?;
        self.warmup_target.map_or(Ok(()), |target| settings.not_negative("warmup_target", target))
    }
}
