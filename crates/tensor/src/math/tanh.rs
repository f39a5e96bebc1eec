//! `tanh x`: a polynomial near zero, `1 − 2/(e²ˣ + 1)` elsewhere; both are computed and one is chosen, without a branch.

use super::{exp_f32, exp_f64};

/// Below this the polynomial is the more exact.
const SMALL: f64 = 0.625;

/// `tanh x`: within 2 units in the last place; ±1 far out, the sign of zero and NaN kept.
#[inline(always)]
pub(crate) fn tanh_f32(x: f32) -> f32 {
    let magnitude = x.abs();
    let square = x * x;
    let p = (-5.704_988_7e-3_f32).mul_add(square, 2.063_909e-2);
    let p = p.mul_add(square, -5.373_971_6e-2);
    let p = p.mul_add(square, 1.333_144_2e-1);
    let p = p.mul_add(square, -3.333_328e-1);
    let near = (p * square).mul_add(x, x);
    let far = 1.0 - 2.0 / (exp_f32(2.0 * magnitude) + 1.0);
    (if magnitude < SMALL as f32 { near } else { far }).copysign(x)
}

/// `tanh x`: within 3 units in the last place; ±1 far out, the sign of zero and NaN kept.
#[inline(always)]
pub(crate) fn tanh_f64(x: f64) -> f64 {
    let magnitude = x.abs();
    let square = x * x;
    let p = (-9.643_991_794_250_523e-1_f64).mul_add(square, -9.928_772_310_019_185e1);
    let p = p.mul_add(square, -1.614_687_684_417_084_5e3);
    let q = square + 1.128_116_784_916_329_3e2;
    let q = q.mul_add(square, 2.235_488_390_601_004_5e3);
    let q = q.mul_add(square, 4.844_063_053_251_255e3);
    let near = (p / q * square).mul_add(x, x);
    let far = 1.0 - 2.0 / (exp_f64(2.0 * magnitude) + 1.0);
    (if magnitude < SMALL { near } else { far }).copysign(x)
}
