//! `ln x = n·ln 2 + ln(1 + f)` with `x = 2ⁿ·(1 + f)` and 1 + f between √½ and √2.

use super::polynomial;
use std::f32::consts::FRAC_1_SQRT_2 as SQRT_HALF_F32;
use std::f64::consts::FRAC_1_SQRT_2 as SQRT_HALF_F64;

/// `ln x`: −∞ for ±0, NaN below.
#[inline(always)]
pub(super) fn log_f32(x: f32) -> f32 {
    /// Makes each subnormal number normal.
    const SCALE: f32 = 16_777_216.0; // 2²⁴
    let subnormal = x < f32::MIN_POSITIVE;
    let scaled = if subnormal { x * SCALE } else { x };
    // Subtracting √½ makes the exponent field count from √½ to √2, and leaves the significand's distance from √½.
    let bits = scaled.to_bits().wrapping_sub(SQRT_HALF_F32.to_bits());
    let n = ((bits as i32) >> 23) as f32 - if subnormal { 24.0 } else { 0.0 };
    let f = f32::from_bits((bits & 0x007f_ffff).wrapping_add(SQRT_HALF_F32.to_bits())) - 1.0;
    let finite = log_of_reduced_f32(f, n);
    let right = if x < f32::INFINITY { finite } else { x }; // ∞ and NaN
    if x > 0.0 {
        right
    } else if x == 0.0 {
        f32::NEG_INFINITY
    } else {
        f32::NAN
    }
}

/// `ln(1 + x)` for x in 0..=1.
#[inline(always)]
pub(super) fn log_1p_of_unit_f32(x: f32) -> f32 {
    // 1 + x = 2·(1 + (x − 1)/2), and the difference is exact.
    let small = x <= std::f32::consts::SQRT_2 - 1.0;
    let f = if small { x } else { (x - 1.0) * 0.5 };
    log_of_reduced_f32(f, if small { 0.0 } else { 1.0 })
}

/// `n·ln 2 + ln(1 + f)`, with the polynomial of Cephes's `logf` (S. L. Moshier, 1989).
#[inline(always)]
fn log_of_reduced_f32(f: f32, n: f32) -> f32 {
    /// ln 2 in two parts; the first has so few bits that n times it is exact.
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    let p = polynomial(
        f,
        [
            3.333_333e-1,
            -2.499_999_4e-1,
            2.000_071_5e-1,
            -1.666_805_8e-1,
            1.424_932_3e-1,
            -1.242_014_1e-1,
            1.167_699_9e-1,
            -1.151_461e-1,
            7.037_683_6e-2,
        ],
    );
    let square = f * f;
    let tail = (p * f).mul_add(square, LN_2_LOW * n);
    let tail = square.mul_add(-0.5, tail);
    n.mul_add(LN_2_HIGH, f + tail)
}

/// As [`log_f32`].
#[inline(always)]
pub(super) fn log_f64(x: f64) -> f64 {
    const SCALE: f64 = 18_014_398_509_481_984.0; // 2⁵⁴
    /// Its low bits are those of an integer that is added to its bits.
    const INTEGER: f64 = 4_503_599_627_370_496.0; // 2⁵²
    let subnormal = x < f64::MIN_POSITIVE;
    let scaled = if subnormal { x * SCALE } else { x };
    // One more exponent keeps the field from going below zero, so that a logical shift will do: AVX2 has no other.
    let bits = scaled.to_bits().wrapping_sub(SQRT_HALF_F64.to_bits()).wrapping_add(1023 << 52);
    let n = f64::from_bits((bits >> 52) | INTEGER.to_bits()) - INTEGER;
    let n = n - if subnormal { 1023.0 + 54.0 } else { 1023.0 };
    let f = f64::from_bits((bits & 0x000f_ffff_ffff_ffff).wrapping_add(SQRT_HALF_F64.to_bits())) - 1.0;
    let finite = log_of_reduced_f64(f, n);
    let right = if x < f64::INFINITY { finite } else { x };
    if x > 0.0 {
        right
    } else if x == 0.0 {
        f64::NEG_INFINITY
    } else {
        f64::NAN
    }
}

/// As [`log_1p_of_unit_f32`].
#[inline(always)]
pub(super) fn log_1p_of_unit_f64(x: f64) -> f64 {
    let small = x <= std::f64::consts::SQRT_2 - 1.0;
    let f = if small { x } else { (x - 1.0) * 0.5 };
    log_of_reduced_f64(f, if small { 0.0 } else { 1.0 })
}

/// `n·ln 2 + ln(1 + f)`, as FreeBSD's `e_log.c` (Sun Microsystems, 1993): with `s = f/(2 + f)`,
/// `ln(1 + f) = 2·artanh s = f − (f²/2 − s·(f²/2 + R(s²)))`.
#[inline(always)]
fn log_of_reduced_f64(f: f64, n: f64) -> f64 {
    const LN_2_HIGH: f64 = 6.931_471_803_691_238e-1;
    const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    let s = f / (2.0 + f);
    let square = s * s;
    let r = square
        * polynomial(
            square,
            [
                6.666_666_666_666_735e-1,
                3.999_999_999_940_942e-1,
                2.857_142_874_366_239e-1,
                2.222_219_843_214_978_4e-1,
                1.818_357_216_161_805e-1,
                1.531_383_769_920_937_3e-1,
                1.479_819_860_511_658_6e-1,
            ],
        );
    let half_square = 0.5 * f * f;
    let tail = s.mul_add(half_square + r, n * LN_2_LOW);
    n.mul_add(LN_2_HIGH, f - (half_square - tail))
}
