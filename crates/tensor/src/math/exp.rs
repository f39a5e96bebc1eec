//! `eˣ = 2ⁿ·eʳ` with `n = round(x / ln 2)` and `r = x − n·ln 2`, `|r| ≤ ln 2 / 2`.

/// `eˣ`: within 2 units in the last place; `+0` far below, `+∞` far above, NaN for NaN.
#[inline(always)]
pub(crate) fn exp_f32(x: f32) -> f32 {
    /// 1.5·2²³: adding and taking it away again rounds to an integer, ties to even.
    const ROUND: f32 = 12_582_912.0;
    /// ln 2 in two parts; the first has so few bits that n times it is exact.
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    // Beyond these the result is 0 or ∞ anyway; within them 2ⁿ is the product of two normal numbers. NaN is kept.
    let bounded = if x > 89.0 { 89.0 } else { x };
    let bounded = if bounded < -104.0 { -104.0 } else { bounded };

    let rounded = bounded.mul_add(std::f32::consts::LOG2_E, ROUND);
    let n = rounded - ROUND;
    let r = (-n).mul_add(LN_2_HIGH, bounded);
    let r = (-n).mul_add(LN_2_LOW, r);

    let p = 1.987_569_1e-4_f32.mul_add(r, 1.398_199_9e-3);
    let p = p.mul_add(r, 8.333_452e-3);
    let p = p.mul_add(r, 4.166_579_6e-2);
    let p = p.mul_add(r, 1.666_666_5e-1);
    let p = p.mul_add(r, 0.5);
    let p = p.mul_add(r * r, r) + 1.0;

    // The integer n stands in the low bits of the rounded sum. 2ⁿ comes in two factors, because it alone may be below
    // the smallest normal number or above the largest. (NaN makes n meaningless, hence wrapping, and p NaN.)
    let n = rounded.to_bits().wrapping_sub(ROUND.to_bits()) as i32;
    let half = n >> 1;
    let power = |exponent: i32| f32::from_bits((exponent.wrapping_add(127) as u32) << 23);
    p * power(half) * power(n.wrapping_sub(half))
}

/// `eˣ`: within 2 units in the last place; `+0` far below, `+∞` far above, NaN for NaN.
#[inline(always)]
pub(crate) fn exp_f64(x: f64) -> f64 {
    /// 1.5·2⁵²: adding and taking it away again rounds to an integer, ties to even.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    /// ln 2 in two parts; the first has so few bits that n times it is exact.
    const LN_2_HIGH: f64 = 6.931_457_519_531_25e-1;
    const LN_2_LOW: f64 = 1.428_606_820_309_417_2e-6;
    let bounded = if x > 710.0 { 710.0 } else { x };
    let bounded = if bounded < -746.0 { -746.0 } else { bounded };

    let rounded = bounded.mul_add(std::f64::consts::LOG2_E, ROUND);
    let n = rounded - ROUND;
    let r = (-n).mul_add(LN_2_HIGH, bounded);
    let r = (-n).mul_add(LN_2_LOW, r);

    // e^r = 1 + 2·r·P(r²) / (Q(r²) − r·P(r²))
    let square = r * r;
    let p = 1.261_771_930_748_105_9e-4_f64.mul_add(square, 3.029_944_077_074_419_6e-2);
    let p = p.mul_add(square, 1.0) * r;
    let q = 3.001_985_051_386_644_6e-6_f64.mul_add(square, 2.524_483_403_496_841e-3);
    let q = q.mul_add(square, 2.272_655_482_081_550_3e-1);
    let q = q.mul_add(square, 2.0);
    let e = (p / (q - p)).mul_add(2.0, 1.0);

    // As above.
    let n = (rounded.to_bits() as i64).wrapping_sub(ROUND.to_bits() as i64);
    let half = n >> 1;
    let power = |exponent: i64| f64::from_bits((exponent.wrapping_add(1023) as u64) << 52);
    e * power(half) * power(n.wrapping_sub(half))
}
