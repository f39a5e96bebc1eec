//! Functions that go from one bound to another.

use super::{Activation, DerivativeFrom, clamp};
use crate::scalar::Scalar;

#[derive(Clone, Copy)]
pub(crate) struct Sigmoid;

impl<T: Scalar> Activation<T> for Sigmoid {
    const DERIVATIVE_FROM: DerivativeFrom = DerivativeFrom::Output;

    #[inline(always)]
    fn value(self, x: T) -> T {
        // e⁻|x| never overflows: the form 1/(1 + e) serves the right half, e/(1 + e) the left.
        let e = (-x.abs()).exp();
        let numerator = if x < T::ZERO { e } else { T::ONE };
        numerator / (T::ONE + e)
    }
    /// f′ = f·(1 − f)
    #[inline(always)]
    fn gradient(self, y: T, gradient: T) -> T {
        gradient * (y * (T::ONE - y))
    }
}

/// `(x + offset)·slope` between 0 and 1.
#[derive(Clone, Copy)]
pub(crate) struct Ramp<T> {
    pub(super) offset: T,
    pub(super) slope: T,
}

impl<T: Scalar> Activation<T> for Ramp<T> {
    const DERIVATIVE_FROM: DerivativeFrom = DerivativeFrom::Output;

    #[inline(always)]
    fn value(self, x: T) -> T {
        clamp((x + self.offset) * self.slope, T::ZERO, T::ONE)
    }
    #[inline(always)]
    fn gradient(self, y: T, gradient: T) -> T {
        if y <= T::ZERO || y >= T::ONE { T::ZERO } else { self.slope * gradient }
    }
}

#[derive(Clone, Copy)]
pub(crate) struct Tanh;

impl<T: Scalar> Activation<T> for Tanh {
    const DERIVATIVE_FROM: DerivativeFrom = DerivativeFrom::Output;

    #[inline(always)]
    fn value(self, x: T) -> T {
        x.tanh()
    }
    /// f′ = 1 − f²
    #[inline(always)]
    fn gradient(self, y: T, gradient: T) -> T {
        gradient * (-y).mul_add(y, T::ONE)
    }
}

#[derive(Clone, Copy)]
pub(crate) struct ScaledTanh<T> {
    pub(super) amplitude: T,
    pub(super) slope: T,
}

impl<T: Scalar> Activation<T> for ScaledTanh<T> {
    const DERIVATIVE_FROM: DerivativeFrom = DerivativeFrom::Output;

    #[inline(always)]
    fn value(self, x: T) -> T {
        self.amplitude * (self.slope * x).tanh()
    }
    /// f′ = amplitude·slope·(1 − (f/amplitude)²)
    #[inline(always)]
    fn gradient(self, y: T, gradient: T) -> T {
        let slope = self.slope / self.amplitude;
        gradient * (slope * (-y).mul_add(y, self.amplitude * self.amplitude))
    }
}

#[derive(Clone, Copy)]
pub(crate) struct HardTanh;

impl<T: Scalar> Activation<T> for HardTanh {
    const DERIVATIVE_FROM: DerivativeFrom = DerivativeFrom::Output;

    #[inline(always)]
    fn value(self, x: T) -> T {
        clamp(x, -T::ONE, T::ONE)
    }
    #[inline(always)]
    fn gradient(self, y: T, gradient: T) -> T {
        if y.abs() >= T::ONE { T::ZERO } else { gradient }
    }
}

#[derive(Clone, Copy)]
pub(crate) struct Softsign;

impl<T: Scalar> Activation<T> for Softsign {
    const DERIVATIVE_FROM: DerivativeFrom = DerivativeFrom::Output;

    #[inline(always)]
    fn value(self, x: T) -> T {
        // From far less than this the result is ±1; ∞/∞ is avoided.
        let far = T::from_f64(1e30);
        let x = clamp(x, -far, far);
        x / (T::ONE + x.abs())
    }
    /// f′ = 1/(1 + |x|)² = (1 − |f|)²
    #[inline(always)]
    fn gradient(self, y: T, gradient: T) -> T {
        let root = T::ONE - y.abs();
        gradient * (root * root)
    }
}
