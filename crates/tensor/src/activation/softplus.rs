//! Smooth rectifiers that are positive everywhere (and the logarithm of the sigmoid, which is one upside down).

use super::{Activation, DerivativeFrom};
use crate::scalar::Scalar;

/// `ln(1 + e⁻|x|)`, what softplus adds to max(x, 0).
#[inline(always)]
fn excess<T: Scalar>(x: T) -> T {
    (-x.abs()).exp().log_1p_of_unit()
}

#[derive(Clone, Copy)]
pub(crate) struct Softplus;

impl<T: Scalar> Activation<T> for Softplus {
    const DERIVATIVE_FROM: DerivativeFrom = DerivativeFrom::Output;

    #[inline(always)]
    fn value(self, x: T) -> T {
        (if x < T::ZERO { T::ZERO } else { x }) + excess(x)
    }
    /// f′ = σ(x) = 1 − e⁻ᶠ
    #[inline(always)]
    fn gradient(self, y: T, gradient: T) -> T {
        gradient * -(-y).exp_m1_below_zero()
    }
}

#[derive(Clone, Copy)]
pub(crate) struct LogSigmoid;

impl<T: Scalar> Activation<T> for LogSigmoid {
    const DERIVATIVE_FROM: DerivativeFrom = DerivativeFrom::Output;

    #[inline(always)]
    fn value(self, x: T) -> T {
        (if x > T::ZERO { T::ZERO } else { x }) - excess(x)
    }
    /// f′ = σ(−x) = 1 − eᶠ
    #[inline(always)]
    fn gradient(self, y: T, gradient: T) -> T {
        gradient * -y.exp_m1_below_zero()
    }
}

#[derive(Clone, Copy)]
pub(crate) struct Squareplus<T> {
    pub(super) b: T,
}

impl<T: Scalar> Activation<T> for Squareplus<T> {
    const DERIVATIVE_FROM: DerivativeFrom = DerivativeFrom::Output;

    #[inline(always)]
    fn value(self, x: T) -> T {
        // Where x² would overflow, b is too small to matter.
        let magnitude = x.abs();
        let root = x.mul_add(x, self.b).sqrt();
        let root = if root < T::INFINITY { root } else { magnitude };
        // On the left the sum would cancel: (√ − |x|)·(√ + |x|) = b.
        let half = T::from_f64(0.5);
        let sum = half * root + half * magnitude;
        if x < T::ZERO { T::from_f64(0.25) * self.b / sum } else { sum }
    }
    /// With √(x² + b) = f + b/(4·f): f′ = f/√(x² + b) = f²/(f² + b/4) = 1/(1 + b/(4·f²))
    #[inline(always)]
    fn gradient(self, y: T, gradient: T) -> T {
        let quarter = T::from_f64(0.25) * self.b;
        gradient / (T::ONE + quarter / y / y)
    }
}

#[derive(Clone, Copy)]
pub(crate) struct SparsePlus;

impl<T: Scalar> Activation<T> for SparsePlus {
    const DERIVATIVE_FROM: DerivativeFrom = DerivativeFrom::Output;

    #[inline(always)]
    fn value(self, x: T) -> T {
        let half = T::from_f64(0.5);
        let root = x.mul_add(half, half);
        let bent = if root <= T::ZERO { T::ZERO } else { root * root };
        if x >= T::ONE { x } else { bent }
    }
    /// f′ = (x + 1)/2 = √f where it is bent
    #[inline(always)]
    fn gradient(self, y: T, gradient: T) -> T {
        let bent = if y <= T::ZERO { T::ZERO } else { gradient * y.sqrt() };
        if y >= T::ONE { gradient } else { bent }
    }
}

#[derive(Clone, Copy)]
pub(crate) struct Exponential;

impl<T: Scalar> Activation<T> for Exponential {
    const DERIVATIVE_FROM: DerivativeFrom = DerivativeFrom::Output;

    #[inline(always)]
    fn value(self, x: T) -> T {
        x.exp()
    }
    #[inline(always)]
    fn gradient(self, y: T, gradient: T) -> T {
        gradient * y
    }
}
