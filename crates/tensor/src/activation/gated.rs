//! `x` times a factor that goes from 0 to 1. They fall and rise again left of zero, so the output does not determine the
//! derivative.

use super::{Activation, DerivativeFrom, clamp, not_too_far};
use crate::scalar::Scalar;

/// `x·σ(v)` for x and v of the same sign. In the left tail the exponential is scaled last, or its subnormal values would
/// lose digits that x brings back.
#[inline(always)]
fn sigmoid_gated<T: Scalar>(x: T, v: T) -> T {
    let exponent = -v.abs();
    let left = exponent.exp_times(if x < -T::FAR { -T::FAR } else { x });
    (if x < T::ZERO { left } else { x }) / (T::ONE + exponent.exp())
}

/// `σ(v) + slope·σ(v)·(1 − σ(v))`, the derivative of x·σ(v) with `slope = x·v′`.
#[inline(always)]
fn sigmoid_gated_derivative<T: Scalar>(v: T, slope: T) -> T {
    let e = (-v.abs()).exp();
    let sum = T::ONE + e;
    let numerator = if v < T::ZERO { e } else { T::ONE };
    (numerator + slope * e / sum) / sum
}

#[derive(Clone, Copy)]
pub(crate) struct Silu;

impl<T: Scalar> Activation<T> for Silu {
    const DERIVATIVE_FROM: DerivativeFrom = DerivativeFrom::Input;

    #[inline(always)]
    fn value(self, x: T) -> T {
        sigmoid_gated(x, x)
    }
    #[inline(always)]
    fn gradient(self, x: T, gradient: T) -> T {
        let x = not_too_far(x);
        gradient * sigmoid_gated_derivative(x, x)
    }
}

#[derive(Clone, Copy)]
pub(crate) struct HardSilu;

impl<T: Scalar> Activation<T> for HardSilu {
    const DERIVATIVE_FROM: DerivativeFrom = DerivativeFrom::Input;

    #[inline(always)]
    fn value(self, x: T) -> T {
        let three = T::from_f64(3.0);
        let gate = clamp((x + three) / T::from_f64(6.0), T::ZERO, T::ONE);
        if x <= -three { T::ZERO } else { x * gate }
    }
    /// f′ = x/3 + ½ between −3 and 3
    #[inline(always)]
    fn gradient(self, x: T, gradient: T) -> T {
        let three = T::from_f64(3.0);
        let inside = gradient * (x / three + T::from_f64(0.5));
        let above = if x >= three { gradient } else { inside };
        if x <= -three { T::ZERO } else { above }
    }
}

/// With n = eˣ·(eˣ + 2): tanh(ln(1 + eˣ)) = n/(n + 2), so no logarithm is needed. Right of zero both are divided by e²ˣ,
/// so that nothing overflows.
#[derive(Clone, Copy)]
pub(crate) struct Mish;

/// n + 2 for e⁻|x|, divided by e²ˣ right of zero.
#[inline(always)]
fn mish_denominator<T: Scalar>(x: T, e: T) -> T {
    let two = T::from_f64(2.0);
    if x < T::ZERO { e.mul_add(e + two, two) } else { (two * e).mul_add(e + T::ONE, T::ONE) }
}

impl<T: Scalar> Activation<T> for Mish {
    const DERIVATIVE_FROM: DerivativeFrom = DerivativeFrom::Input;

    #[inline(always)]
    fn value(self, x: T) -> T {
        let two = T::from_f64(2.0);
        let e = (-x.abs()).exp();
        let left = (-x.abs()).exp_times(if x < -T::FAR { -T::FAR } else { x }) * (e + two);
        let right = x * e.mul_add(two, T::ONE);
        (if x < T::ZERO { left } else { right }) / mish_denominator(x, e)
    }
    /// f′ = n/(n + 2) + 4·x·eˣ·(1 + eˣ)/(n + 2)²
    #[inline(always)]
    fn gradient(self, x: T, gradient: T) -> T {
        let (two, four) = (T::from_f64(2.0), T::from_f64(4.0));
        let x = not_too_far(x);
        let e = (-x.abs()).exp();
        let denominator = mish_denominator(x, e);
        let gate = if x < T::ZERO { e * (e + two) } else { e.mul_add(two, T::ONE) };
        let slope = if x < T::ZERO { e } else { e * e } * (T::ONE + e);
        gradient * ((gate + four * x * slope / denominator) / denominator)
    }
}

/// `x·Φ(x) = max(x, 0) − |x|·Q(|x|)` with Q = 1 − Φ, small where it matters: no digits are lost in either tail.
#[derive(Clone, Copy)]
pub(crate) struct Gelu;

/// 1/√2π
const DENSITY_AT_ZERO: f64 = 0.398_942_280_401_432_7;

/// The square's half, and what rounding took from it: the exponential makes an absolute error of it a relative one.
#[inline(always)]
fn half_square<T: Scalar>(x: T) -> (T, T) {
    let half = T::from_f64(0.5);
    let square = x * x;
    (half * square, half * x.mul_add(x, -square))
}

impl<T: Scalar> Activation<T> for Gelu {
    const DERIVATIVE_FROM: DerivativeFrom = DerivativeFrom::Input;

    #[inline(always)]
    fn value(self, x: T) -> T {
        let magnitude = not_too_far(x).abs();
        let (exponent, lost) = half_square(magnitude);
        let ratio = magnitude * magnitude.normal_tail_ratio();
        let tail = (-exponent).exp_times((-lost).mul_add(ratio, ratio));
        (if x < T::ZERO { T::ZERO } else { x }) - tail
    }
    /// f′ = Φ(x) + x·φ(x) with φ = e^(−x²/2)/√2π
    #[inline(always)]
    fn gradient(self, x: T, gradient: T) -> T {
        let x = not_too_far(x);
        let (exponent, lost) = half_square(x);
        let e = (-exponent).exp();
        let e = (-lost).mul_add(e, e);
        let tail = e * x.abs().normal_tail_ratio();
        let distribution = if x < T::ZERO { tail } else { T::ONE - tail };
        gradient * (x * T::from_f64(DENSITY_AT_ZERO)).mul_add(e, distribution)
    }
}

/// ½·(1 + tanh u) = σ(2u), which does not cancel in the left tail.
#[derive(Clone, Copy)]
pub(crate) struct GeluTanh;

/// 2·√(2/π), and 0.044715 times that.
const LINEAR: f64 = 1.595_769_121_605_730_8;
const CUBIC: f64 = 0.071_354_816_272_600_25;

impl<T: Scalar> Activation<T> for GeluTanh {
    const DERIVATIVE_FROM: DerivativeFrom = DerivativeFrom::Input;

    #[inline(always)]
    fn value(self, x: T) -> T {
        sigmoid_gated(x, x * (x * x).mul_add(T::from_f64(CUBIC), T::from_f64(LINEAR)))
    }
    #[inline(always)]
    fn gradient(self, x: T, gradient: T) -> T {
        let x = not_too_far(x);
        let (square, linear) = (x * x, T::from_f64(LINEAR));
        let v = x * square.mul_add(T::from_f64(CUBIC), linear);
        let slope = x * square.mul_add(T::from_f64(3.0 * CUBIC), linear);
        gradient * sigmoid_gated_derivative(v, slope)
    }
}
