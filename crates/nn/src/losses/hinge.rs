//! Losses of margins: an output is good when it is on its target's side by 1 or more.

use super::elementwise::{mean_of, not_below_zero};
use super::target::Target;
use densely_tensor::Scalar;

/// Whether the targets are 0 and 1, to be taken as −1 and 1.
fn are_flags(target: Target<'_>) -> bool {
    match target {
        Target::Class(_) => true,
        Target::Values(values) => values.iter().all(|&value| value == 0.0 || value == 1.0),
    }
}

/// A target as a sign.
fn signed(flags: bool, t: f64) -> f64 {
    if flags { 2.0 * t - 1.0 } else { t }
}

/// `mean max(1 − t·y, 0)`
pub(super) fn hinge<T: Scalar>(y: &mut [T], target: Target<'_>, scale: f64) -> f64 {
    let flags = are_flags(target);
    mean_of(y, target, scale, |t, y| {
        let t = signed(flags, t);
        let short = not_below_zero(1.0 - t * y);
        (short, if short > 0.0 { -t } else { 0.0 })
    })
}

/// `mean max(1 − t·y, 0)²`
pub(super) fn squared_hinge<T: Scalar>(y: &mut [T], target: Target<'_>, scale: f64) -> f64 {
    let flags = are_flags(target);
    mean_of(y, target, scale, |t, y| {
        let t = signed(flags, t);
        let short = not_below_zero(1.0 - t * y);
        (short * short, -2.0 * t * short)
    })
}

/// `max(1 + maxᵢ (1 − tᵢ)·yᵢ − Σᵢ tᵢ·yᵢ, 0)`
pub(super) fn categorical_hinge<T: Scalar>(y: &mut [T], target: Target<'_>, scale: f64) -> f64 {
    let outputs = y.len();
    let (mut right, mut wrong, mut at) = (0.0, f64::NEG_INFINITY, 0);
    for (output, y) in y.iter().enumerate() {
        let t = target.at(output, outputs);
        right += t * y.to_f64();
        let other = (1.0 - t) * y.to_f64();
        if other > wrong {
            (wrong, at) = (other, output);
        }
    }
    let short = not_below_zero(1.0 + wrong - right);
    for (output, y) in y.iter_mut().enumerate() {
        let t = target.at(output, outputs);
        let slope = if output == at { 1.0 - t } else { 0.0 } - t;
        *y = T::from_f64(if short > 0.0 { scale * slope } else { 0.0 });
    }
    short
}
