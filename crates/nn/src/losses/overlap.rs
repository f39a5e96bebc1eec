//! Losses of how much two sets overlap, for outputs that say of each element how much it belongs.

use super::target::Target;
use crate::settings::{OutOfRange, SettingsOf};
use densely_tensor::{Scalar, sum_of};
use serde::{Deserialize, Serialize};

/// Keeps divisors above 0: Keras's.
const EPSILON: f64 = 1e-7;

/// `1 − TP / (TP + alpha·FP + beta·FN + 1e-7)` with `TP = Σ t·y`, `FP = Σ (1 − t)·y` and `FN = Σ t·(1 − y)` over the
/// outputs of a sample (Salehi, Erdogmus and Gholipour, arXiv:1706.05721, equation 3): a larger `beta` makes what is missed
/// cost more.
///
/// Keras's `Tversky` has `alpha` at the misses and `beta` at the false alarms, against its own documentation; ours is the
/// paper's. Its sums go over the whole batch unless `axis=1` is given; ours are each sample's, as all other losses' are.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tversky {
    /// The weight of false positives; 0 or more. Default: 0.5.
    pub alpha: f64,
    /// The weight of false negatives; 0 or more. Default: 0.5.
    pub beta: f64,
}

impl Default for Tversky {
    fn default() -> Self {
        Self { alpha: 0.5, beta: 0.5 }
    }
}

impl Tversky {
    pub(super) fn check(self) -> Result<(), OutOfRange> {
        SettingsOf("Tversky").not_negative("alpha", self.alpha)?;
        SettingsOf("Tversky").not_negative("beta", self.beta)
    }

    pub(super) fn in_place<T: Scalar>(self, y: &mut [T], target: Target<'_>, scale: f64) -> f64 {
        let Self { alpha, beta } = self;
        let outputs = y.len();
        let of = |output: usize| (target.at(output, outputs), y[output].to_f64());
        let hits = sum_of(outputs, |i| of(i).0 * of(i).1);
        let false_alarms = sum_of(outputs, |i| (1.0 - of(i).0) * of(i).1);
        let misses = sum_of(outputs, |i| of(i).0 * (1.0 - of(i).1));
        let divisor = hits + alpha * false_alarms + beta * misses + EPSILON;
        one_less_ratio(y, target, scale, hits, divisor, |t| t + alpha * (1.0 - t) - beta * t)
    }
}

/// `1 − 2·Σ t·y / (Σ t + Σ y + 1e-7)`
pub(super) fn dice<T: Scalar>(y: &mut [T], target: Target<'_>, scale: f64) -> f64 {
    let outputs = y.len();
    let of = |output: usize| (target.at(output, outputs), y[output].to_f64());
    let hits = sum_of(outputs, |i| of(i).0 * of(i).1);
    let total = sum_of(outputs, |i| of(i).0) + sum_of(outputs, |i| of(i).1);
    one_less_ratio(y, target, scale, hits, 0.5 * (total + EPSILON), |_| 0.5)
}

/// `1 − hits/divisor`, and its gradient; `slope` is that of the divisor, from the target.
fn one_less_ratio<T: Scalar>(
    y: &mut [T],
    target: Target<'_>,
    scale: f64,
    hits: f64,
    divisor: f64,
    slope: impl Fn(f64) -> f64,
) -> f64 {
    let (outputs, ratio) = (y.len(), hits / divisor);
    for (output, y) in y.iter_mut().enumerate() {
        let t = target.at(output, outputs);
        *y = T::from_f64(scale * (ratio * slope(t) - t) / divisor);
    }
    1.0 - ratio
}
