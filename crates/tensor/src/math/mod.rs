//! The elementary functions, written so that a loop over them vectorises and every machine gives the same bits.
//!
//! Each is one expression without branches: where a function needs two forms, both are computed and one is chosen. Each
//! operation is correctly rounded and their order is fixed, so no instruction set can change a bit. Errors are in units
//! in the last place (ulp). Those of single precision are the largest over all 2³² arguments, measured by the ignored
//! tests of `tests/math.rs`; those of double precision bound what its samples and `tests/reference/functions.txt` show.

mod erf;
mod exp;
mod log;
mod tanh;

use crate::elementwise::{Map, map};
use crate::isa::Isa;
use crate::scalar::Scalar;

/// The elementary functions of a scalar type.
pub trait Elementary: Sized {
    /// e^−`FAR` is so small that even `FAR·e^−FAR` is rounded to 0.
    const FAR: Self;

    /// `eˣ`; `+0` far below, `+∞` far above.
    fn exp(self) -> Self;
    /// `factor·eˣ` for x ≤ 0: rounded once more than [`exp`](Self::exp), also where eˣ is subnormal or 0.
    fn exp_times(self, factor: Self) -> Self;
    /// `eˣ − 1` for x ≤ 0.
    fn exp_m1_below_zero(self) -> Self;
    /// The natural logarithm; −∞ of ±0, NaN below.
    fn log(self) -> Self;
    /// `log(1 + x)` for x in 0..=1.
    fn log_1p_of_unit(self) -> Self;
    /// `tanh x`.
    fn tanh(self) -> Self;
    /// The error function, `2/√π·∫₀ˣ e^−t² dt`.
    fn erf(self) -> Self;
    /// For x ≥ 0 the part of the normal distribution beyond x, without its exponential:
    /// `½·erfc(x/√2)·e^(x²/2)`, decreasing from ½ like `1/(x·√2π)`.
    fn normal_tail_ratio(self) -> Self;
    /// The magnitude of this number with the sign of the other.
    fn copysign(self, sign: Self) -> Self;
}

// The two instances differ only in the type and in the functions that they call.
macro_rules! elementary {
    ($type:ident, $far:literal, $exp_times:path, $exp_m1:path, $log:path, $log_1p:path, $tanh:path, $erf:path, $ratio:path) => {
        impl Elementary for $type {
            const FAR: Self = $far;

            #[inline(always)]
            fn exp(self) -> Self {
                $exp_times(self, 1.0)
            }
            #[inline(always)]
            fn exp_times(self, factor: Self) -> Self {
                $exp_times(self, factor)
            }
            #[inline(always)]
            fn exp_m1_below_zero(self) -> Self {
                $exp_m1(self)
            }
            #[inline(always)]
            fn log(self) -> Self {
                $log(self)
            }
            #[inline(always)]
            fn log_1p_of_unit(self) -> Self {
                $log_1p(self)
            }
            #[inline(always)]
            fn tanh(self) -> Self {
                $tanh(self)
            }
            #[inline(always)]
            fn erf(self) -> Self {
                $erf(self)
            }
            #[inline(always)]
            fn normal_tail_ratio(self) -> Self {
                $ratio(self)
            }
            #[inline(always)]
            fn copysign(self, sign: Self) -> Self {
                $type::copysign(self, sign)
            }
        }
    };
}
elementary!(
    f32,
    120.0,
    exp::exp_times_f32,
    exp::exp_m1_below_zero_f32,
    log::log_f32,
    log::log_1p_of_unit_f32,
    tanh::tanh_f32,
    erf::erf_f32,
    erf::normal_tail_ratio_f32
);
elementary!(
    f64,
    760.0,
    exp::exp_times_f64,
    exp::exp_m1_below_zero_f64,
    log::log_f64,
    log::log_1p_of_unit_f64,
    tanh::tanh_f64,
    erf::erf_f64,
    erf::normal_tail_ratio_f64
);

/// `c₀ + c₁·x + c₂·x² + …` by Horner's rule in fused multiply-adds.
#[inline(always)]
fn polynomial<T: Scalar, const N: usize>(x: T, coefficients: [T; N]) -> T {
    let mut value = coefficients[N - 1];
    for &c in coefficients[..N - 1].iter().rev() {
        value = value.mul_add(x, c);
    }
    value
}

/// `x ← eˣ`: +0 for −∞ and ∞ for ∞.
///
/// The error is at most 1.011 ulp in single and 1.5 ulp in double precision, subnormal results included.
///
/// ```
/// use densely_tensor::{Isa, exp};
///
/// let mut x = [0.0, 1.0, f64::NEG_INFINITY];
/// exp(Isa::detect(), &mut x);
/// assert!((x[1] - std::f64::consts::E).abs() < 1e-15);
/// assert_eq!([x[0], x[2]], [1.0, 0.0]);
/// ```
pub fn exp<T: Scalar>(isa: Isa, x: &mut [T]) {
    struct Exp;
    impl<T: Scalar> Map<T> for Exp {
        #[inline(always)]
        fn map(&self, x: T) -> T {
            x.exp()
        }
    }
    map(isa, x, Exp);
}

/// `x ← ln x`, the natural logarithm: −∞ for ±0, NaN below.
///
/// The error is at most 0.827 ulp in single and 1.5 ulp in double precision, for subnormal arguments too.
///
/// ```
/// use densely_tensor::{Isa, log};
///
/// let mut x = [1.0, 2.0, 0.0];
/// log(Isa::detect(), &mut x);
/// assert_eq!(x, [0.0, std::f64::consts::LN_2, f64::NEG_INFINITY]);
/// ```
pub fn log<T: Scalar>(isa: Isa, x: &mut [T]) {
    struct Log;
    impl<T: Scalar> Map<T> for Log {
        #[inline(always)]
        fn map(&self, x: T) -> T {
            x.log()
        }
    }
    map(isa, x, Log);
}

/// `x ← tanh x`: ±1 far out; the sign of zero is kept.
///
/// The error is at most 1.331 ulp in single and 2 ulp in double precision.
///
/// ```
/// use densely_tensor::{Isa, tanh};
///
/// let mut x = [0.5_f64, -40.0];
/// tanh(Isa::detect(), &mut x);
/// assert!((x[0] - 0.46211715726000973).abs() < 1e-15);
/// assert_eq!(x[1], -1.0);
/// ```
pub fn tanh<T: Scalar>(isa: Isa, x: &mut [T]) {
    struct Tanh;
    impl<T: Scalar> Map<T> for Tanh {
        #[inline(always)]
        fn map(&self, x: T) -> T {
            x.tanh()
        }
    }
    map(isa, x, Tanh);
}

/// `x ← erf x = 2/√π·∫₀ˣ e^−t² dt`: ±1 far out; the sign of zero is kept.
///
/// The error is at most 1.408 ulp in single and 1.5 ulp in double precision.
///
/// ```
/// use densely_tensor::{Isa, erf};
///
/// let mut x = [1.0_f64, -9.0];
/// erf(Isa::detect(), &mut x);
/// assert!((x[0] - 0.8427007929497149).abs() < 1e-15);
/// assert_eq!(x[1], -1.0);
/// ```
pub fn erf<T: Scalar>(isa: Isa, x: &mut [T]) {
    struct Erf;
    impl<T: Scalar> Map<T> for Erf {
        #[inline(always)]
        fn map(&self, x: T) -> T {
            x.erf()
        }
    }
    map(isa, x, Erf);
}
