//! `eˣ = 2ⁿ·eʳ` with `n = round(x / ln 2)` and `r = x − n·ln 2`, `|r| ≤ ln 2 / 2`.
//!
//! Single precision uses the polynomial and the parts of ln 2 of the Cephes library (S. L. Moshier, *Methods and Programs
//! for Mathematical Functions*, 1989: `expf`). In double precision Cephes divides two polynomials; a longer single one,
//! made by `tests/reference/polynomials.py`, is faster and more exact.

use super::{Elementary, polynomial};

/// An argument that is reduced: `eˣ = 2ⁿ·(1 + m)`.
struct Reduced<T, I> {
    n: I,
    m: T,
}

/// `x` must not be so far out that n has no room in the exponents of two factors.
#[inline(always)]
fn reduce_f32(x: f32) -> Reduced<f32, i32> {
    /// 1.5·2²³: adding and taking it away again rounds to an integer, ties to even.
    const ROUND: f32 = 12_582_912.0;
    /// ln 2 in two parts; the first has so few bits that n times it is exact.
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;

    let rounded = x.mul_add(std::f32::consts::LOG2_E, ROUND);
    let n = rounded - ROUND;
    let r = (-n).mul_add(LN_2_HIGH, x);
    let r = (-n).mul_add(LN_2_LOW, r);
    let tail =
        polynomial(r, [0.5, 1.666_666_5e-1, 4.166_579_6e-2, 8.333_452e-3, 1.398_199_9e-3, 1.987_569_1e-4]);
    // The integer n stands in the low bits of the rounded sum. (NaN makes n meaningless, hence wrapping, and m NaN.)
    let n = rounded.to_bits().wrapping_sub(ROUND.to_bits()) as i32;
    Reduced { n, m: tail.mul_add(r * r, r) }
}

/// 2ⁿ for the exponents of normal numbers.
#[inline(always)]
fn power_of_two_f32(n: i32) -> f32 {
    f32::from_bits((n.wrapping_add(127) as u32) << 23)
}

/// `factor·eˣ`: NaN for NaN; with factor 1, `+0` far below, `+∞` far above.
#[inline(always)]
pub(super) fn exp_times_f32(x: f32, factor: f32) -> f32 {
    // Beyond these the result is 0 or ∞ anyway; within them 2ⁿ is the product of two normal numbers. NaN is kept.
    let bounded = if x > 89.0 { 89.0 } else { x };
    let bounded = if bounded < -f32::FAR { -f32::FAR } else { bounded };
    let Reduced { n, m } = reduce_f32(bounded);
    // 2ⁿ comes in two factors, because it alone may be below the smallest normal number or above the largest.
    let half = n >> 1;
    factor * (m + 1.0) * power_of_two_f32(half) * power_of_two_f32(n.wrapping_sub(half))
}

/// `eˣ − 1` for x ≤ 0: −1 far below, the sign of zero and NaN kept.
#[inline(always)]
pub(super) fn exp_m1_below_zero_f32(x: f32) -> f32 {
    let bounded = if x < -20.0 { -20.0 } else { x };
    let Reduced { n, m } = reduce_f32(bounded);
    let power = power_of_two_f32(n);
    m.mul_add(power, power - 1.0)
}

/// As [`reduce_f32`].
#[inline(always)]
fn reduce_f64(x: f64) -> Reduced<f64, i64> {
    /// 1.5·2⁵²: adding and taking it away again rounds to an integer, ties to even.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    /// ln 2 in two parts; the first has so few bits that n times it is exact.
    const LN_2_HIGH: f64 = 6.931_457_519_531_25e-1;
    const LN_2_LOW: f64 = 1.428_606_820_309_417_2e-6;

    let rounded = x.mul_add(std::f64::consts::LOG2_E, ROUND);
    let n = rounded - ROUND;
    let r = (-n).mul_add(LN_2_HIGH, x);
    let r = (-n).mul_add(LN_2_LOW, r);
    let tail = polynomial(
        r,
        [
            5.0e-1,
            1.666_666_666_666_667_7e-1,
            4.166_666_666_666_651e-2,
            8.333_333_333_321_693e-3,
            1.388_888_888_896_233_8e-3,
            1.984_126_988_596_067_4e-4,
            2.480_158_717_257_174_6e-5,
            2.755_724_438_016_242_3e-6,
            2.755_740_263_150_302_6e-7,
            2.510_897_658_049_480_2e-8,
            2.087_532_956_956_929_6e-9,
        ],
    );
    let n = (rounded.to_bits() as i64).wrapping_sub(ROUND.to_bits() as i64);
    Reduced { n, m: tail.mul_add(r * r, r) }
}

/// As [`power_of_two_f32`].
#[inline(always)]
fn power_of_two_f64(n: i64) -> f64 {
    f64::from_bits((n.wrapping_add(1023) as u64) << 52)
}

/// As [`exp_times_f32`].
#[inline(always)]
pub(super) fn exp_times_f64(x: f64, factor: f64) -> f64 {
    let bounded = if x > 710.0 { 710.0 } else { x };
    let bounded = if bounded < -f64::FAR { -f64::FAR } else { bounded };
    let Reduced { n, m } = reduce_f64(bounded);
    let half = n >> 1;
    factor * (m + 1.0) * power_of_two_f64(half) * power_of_two_f64(n.wrapping_sub(half))
}

/// `(eˣ, eˣ − 1)` for x ≤ 0; far below, about 4·10⁻¹⁸ and −1. The sign of zero and NaN are kept.
#[inline(always)]
pub(super) fn exp_and_exp_m1_below_zero_f64(x: f64) -> (f64, f64) {
    let bounded = if x < -40.0 { -40.0 } else { x };
    let Reduced { n, m } = reduce_f64(bounded);
    let power = power_of_two_f64(n);
    (m.mul_add(power, power), m.mul_add(power, power - 1.0))
}

/// As [`exp_m1_below_zero_f32`].
#[inline(always)]
pub(super) fn exp_m1_below_zero_f64(x: f64) -> f64 {
    exp_and_exp_m1_below_zero_f64(x).1
}
