//! The error function, and what is left of the normal distribution beyond a point.

use super::polynomial;
use crate::scalar::Scalar;

/// Coefficients, lowest power first, made by `tests/reference/polynomials.py`.
struct Coefficients<T, const NEAR: usize, const TAIL: usize> {
    /// Of `erf(x)/x − 1` in powers of x², |x| ≤ 1.
    near: [T; NEAR],
    /// Where u = 0.
    center: T,
    /// Of `(x + center)·½·erfc(x/√2)·e^(x²/2)` in powers of `u = (x − center)/(x + center)`.
    tail: [T; TAIL],
}

const F32: Coefficients<f32, 7, 10> = Coefficients {
    near: [
        1.283_791_7e-1,
        -3.761_262_6e-1,
        1.128_358_54e-1,
        -2.685_381_1e-2,
        5.188_327_3e-3,
        -8.010_189e-4,
        7.853_844e-5,
    ],
    center: 4.0,
    tail: [
        7.552_851_4e-1,
        -6.078_965_7e-1,
        3.871_369e-1,
        -1.865_236_6e-1,
        6.040_349e-2,
        -7.524_003_3e-3,
        -3.510_211e-3,
        1.568_406_5e-3,
        1.746_588_1e-4,
        -1.341_958_3e-4,
    ],
};

const F64: Coefficients<f64, 14, 22> = Coefficients {
    near: [
        1.283_791_670_955_126e-1,
        -3.761_263_890_318_375_4e-1,
        1.128_379_167_095_511_9e-1,
        -2.686_617_064_512_973_3e-2,
        5.223_977_625_422_082e-3,
        -8.548_327_021_852_964e-4,
        1.205_533_289_934_864_9e-4,
        -1.492_564_746_486_835_3e-5,
        1.646_204_340_314_225e-6,
        -1.636_461_436_131_557_4e-7,
        1.479_214_522_347_417_2e-8,
        -1.216_303_889_791_509_5e-9,
        8.703_779_769_727_111e-11,
        -4.222_881_272_547_284_5e-12,
    ],
    center: 5.0,
    tail: [
        7.691_930_497_500_63e-1,
        -6.653_825_028_900_566e-1,
        4.953_056_159_699_772_4e-1,
        -3.135_331_566_713_182_6e-1,
        1.650_203_661_703_492_6e-1,
        -6.911_863_870_587_7e-2,
        2.079_506_680_049_012e-2,
        -2.993_376_776_681_563e-3,
        -7.978_694_040_957_212e-4,
        5.448_991_127_051_806e-4,
        -5.937_569_498_596_404e-5,
        -4.976_303_710_790_652e-5,
        1.668_108_174_624_262e-5,
        3.981_550_952_103_451e-6,
        -2.768_901_881_002_242_8e-6,
        -3.378_092_977_818_073_6e-7,
        4.324_592_558_939_329_4e-7,
        4.362_438_933_130_157_4e-8,
        -6.513_257_939_663_584e-8,
        -1.016_849_746_090_839_2e-8,
        7.116_238_515_572_188_5e-9,
        1.985_368_042_017_062e-9,
    ],
};

/// `erf x = x + x·P(x²)` near zero, `1 − erfc x` elsewhere: ±1 far out, the sign of zero and NaN kept.
#[inline(always)]
fn erf<T: Scalar, const N: usize, const M: usize>(x: T, coefficients: Coefficients<T, N, M>) -> T {
    // Beyond 8 the result is ±1 anyway; within it nothing overflows. NaN is kept.
    let bounded = T::from_f64(8.0);
    let magnitude = if x.abs() > bounded { bounded } else { x.abs() };
    let square = magnitude * magnitude;
    let near = x.mul_add(polynomial(square, coefficients.near), x);
    // Up to 1, erfc is so much of 1 that its error would show; beyond, at most 16 %.
    let tail =
        (-square).exp() * normal_tail_ratio(magnitude * T::from_f64(std::f64::consts::SQRT_2), coefficients);
    let far = (T::ONE - (tail + tail)).copysign(x);
    if magnitude < T::ONE { near } else { far }
}

/// The change of variable is that of M. M. Shepherd and J. G. Laframboise, *Chebyshev approximation of (1 + 2x)·exp(x²)·erfc x*,
/// Mathematics of Computation 36, 1981.
#[inline(always)]
fn normal_tail_ratio<T: Scalar, const N: usize, const M: usize>(
    x: T,
    coefficients: Coefficients<T, N, M>,
) -> T {
    let reciprocal = T::ONE / (x + coefficients.center);
    let u = (x - coefficients.center) * reciprocal;
    polynomial(u, coefficients.tail) * reciprocal
}

#[inline(always)]
pub(super) fn erf_f32(x: f32) -> f32 {
    erf(x, F32)
}

#[inline(always)]
pub(super) fn erf_f64(x: f64) -> f64 {
    erf(x, F64)
}

#[inline(always)]
pub(super) fn normal_tail_ratio_f32(x: f32) -> f32 {
    normal_tail_ratio(x, F32)
}

#[inline(always)]
pub(super) fn normal_tail_ratio_f64(x: f64) -> f64 {
    normal_tail_ratio(x, F64)
}
