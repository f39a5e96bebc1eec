//! Losses of numbers: how far each output is from its target.

use super::elementwise::{mean_of, not_below_zero, sign};
use super::target::Target;
use crate::settings::{OutOfRange, SettingsOf};
use densely_tensor::Scalar;
use serde::{Deserialize, Serialize};
use std::f64::consts::LN_2;

/// What a target is not taken below in the divisor of a percentage: Keras's.
const LEAST_DIVISOR: f64 = 1e-7;

/// `mean (y − t)²`
pub(super) fn mean_squared_error<T: Scalar>(y: &mut [T], target: Target<'_>, scale: f64) -> f64 {
    mean_of(y, target, scale, |t, y| {
        let error = y - t;
        (error * error, 2.0 * error)
    })
}

/// `mean |y − t|`
pub(super) fn mean_absolute_error<T: Scalar>(y: &mut [T], target: Target<'_>, scale: f64) -> f64 {
    mean_of(y, target, scale, |t, y| ((y - t).abs(), sign(y - t)))
}

/// `100·mean |y − t| / max(|t|, 1e-7)`
pub(super) fn mean_absolute_percentage_error<T: Scalar>(y: &mut [T], target: Target<'_>, scale: f64) -> f64 {
    mean_of(y, target, scale, |t, y| {
        let percent = 100.0 / t.abs().max(LEAST_DIVISOR);
        ((y - t).abs() * percent, sign(y - t) * percent)
    })
}

/// `mean (ln(1 + max(y, 0)) − ln(1 + max(t, 0)))²`
pub(super) fn mean_squared_logarithmic_error<T: Scalar>(y: &mut [T], target: Target<'_>, scale: f64) -> f64 {
    mean_of(y, target, scale, |t, y| {
        let error = libm::log1p(not_below_zero(y)) - libm::log1p(not_below_zero(t));
        let derivative = if y <= 0.0 { 0.0 } else { 2.0 * error / (1.0 + y) };
        (error * error, derivative)
    })
}

/// `mean ln cosh(y − t)`: half a square near the target, the distance less ln 2 far from it. Near 0 and far out it keeps
/// its digits, which Keras's loses.
pub(super) fn log_cosh<T: Scalar>(y: &mut [T], target: Target<'_>, scale: f64) -> f64 {
    mean_of(y, target, scale, |t, y| {
        let distance = (y - t).abs();
        let loss = if distance < 1.0 {
            // cosh x = 1 + 2·sinh²(x/2)
            let half = libm::sinh(0.5 * distance);
            libm::log1p(2.0 * half * half)
        } else {
            distance + libm::log1p(libm::exp(-2.0 * distance)) - LN_2
        };
        (loss, libm::tanh(y - t))
    })
}

/// Huber's loss: the mean over the outputs of `e²/2` where `e = |y − t|` is at most `delta`, else `delta·e − delta²/2`: a
/// square near the target, a straight line far from it, so that outliers pull less (Huber, "Robust estimation of a
/// location parameter", 1964).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Huber {
    /// Where the line begins; above 0. Default: 1.
    pub delta: f64,
}

impl Default for Huber {
    fn default() -> Self {
        Self { delta: 1.0 }
    }
}

impl Huber {
    pub(super) fn check(self) -> Result<(), OutOfRange> {
        SettingsOf("Huber").positive("delta", self.delta)
    }

    pub(super) fn in_place<T: Scalar>(self, y: &mut [T], target: Target<'_>, scale: f64) -> f64 {
        let Self { delta } = self;
        mean_of(y, target, scale, |t, y| {
            let error = y - t;
            if error.abs() <= delta {
                (0.5 * error * error, error)
            } else {
                (delta * error.abs() - 0.5 * delta * delta, delta * sign(error))
            }
        })
    }
}
