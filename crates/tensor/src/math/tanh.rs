//! `tanh x`.

use super::Elementary;
use super::exp::exp_and_exp_m1_below_zero_f64;

/// `tanh x`: ±1 far out, the sign of zero and NaN kept.
///
/// A polynomial near zero, `1 − 2/(e²ˣ + 1)` elsewhere: Cephes's `tanhf` (S. L. Moshier, 1989).
#[inline(always)]
pub(super) fn tanh_f32(x: f32) -> f32 {
    /// Below this the polynomial is the more exact.
    const SMALL: f32 = 0.625;
    let magnitude = x.abs();
    let square = x * x;
    let p = (-5.704_988_7e-3_f32).mul_add(square, 2.063_909e-2);
    let p = p.mul_add(square, -5.373_971_6e-2);
    let p = p.mul_add(square, 1.333_144_2e-1);
    let p = p.mul_add(square, -3.333_328e-1);
    let near = (p * square).mul_add(x, x);
    let far = 1.0 - 2.0 / (Elementary::exp(2.0 * magnitude) + 1.0);
    (if magnitude < SMALL { near } else { far }).copysign(x)
}

/// `tanh x`: ±1 far out, the sign of zero and NaN kept.
///
/// With `e = e^−2|x|`: `(1 − e)/(1 + e)` near zero, the numerator computed as one; elsewhere `1 − 2e/(1 + e)`, because
/// 1 − e is rounded too coarsely there.
#[inline(always)]
pub(super) fn tanh_f64(x: f64) -> f64 {
    /// tanh x is about ½ here, and so is what is subtracted from 1.
    const SMALL: f64 = 0.55;
    let magnitude = x.abs();
    let (e, m) = exp_and_exp_m1_below_zero_f64(-2.0 * magnitude);
    let near = magnitude < SMALL;
    let quotient = (if near { -m } else { e + e }) / (m + 2.0);
    (if near { quotient } else { 1.0 - quotient }).copysign(x)
}
