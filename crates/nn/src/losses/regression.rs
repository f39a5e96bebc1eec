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
        let percent = percent_of(t);
        ((y - t).abs() * percent, sign(y - t) * percent)
    })
}

/// `mean (ln(1 + max(y, 0)) − ln(1 + max(t, 0)))²`
pub(super) fn mean_squared_logarithmic_error<T: Scalar>(y: &mut [T], target: Target<'_>, scale: f64) -> f64 {
    mean_of(y, target, scale, |t, y| {
        let error = logarithmic_error(t, y);
        let derivative = if y <= 0.0 { 0.0 } else { 2.0 * error / (1.0 + y) };
        (error * error, derivative)
    })
}

/// `mean ln cosh(y − t)`: half a square near the target, the distance less ln 2 far from it. Near 0 and far out it keeps
/// its digits, which Keras's loses.
pub(super) fn log_cosh<T: Scalar>(y: &mut [T], target: Target<'_>, scale: f64) -> f64 {
    mean_of(y, target, scale, |t, y| (ln_cosh(y - t), libm::tanh(y - t)))
}

/// What a difference from `target` is multiplied by to be one in percent.
#[inline(always)]
pub(crate) fn percent_of(target: f64) -> f64 {
    100.0 / target.abs().max(LEAST_DIVISOR)
}

/// `ln(1 + max(output, 0)) − ln(1 + max(target, 0))`
#[inline(always)]
pub(crate) fn logarithmic_error(target: f64, output: f64) -> f64 {
    libm::log1p(not_below_zero(output)) - libm::log1p(not_below_zero(target))
}

/// `ln cosh x`: near 0 from `cosh x = 1 + 2·sinh²(x/2)`, which keeps the digits of x², beyond from `x + ln(1 + e⁻²ˣ) − ln 2`,
/// which does not overflow.
#[inline(always)]
pub(crate) fn ln_cosh(x: f64) -> f64 {
    let x = x.abs();
    if x < 1.0 {
        let half = libm::sinh(0.5 * x);
        libm::log1p(2.0 * half * half)
    } else {
        x + libm::log1p(libm::exp(-2.0 * x)) - LN_2
    }
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
