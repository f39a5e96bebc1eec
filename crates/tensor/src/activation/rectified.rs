//! Rectifiers: the identity above zero (or another threshold), something smaller below.

use super::{Activation, DerivativeFrom};
use crate::scalar::Scalar;

/// λ and α of the paper's appendix, where the fixed point of mean 0 and variance 1 is derived.
pub(super) const SELU_SCALE: f64 = 1.050_700_987_355_480_5;
pub(super) const SELU_ALPHA: f64 = 1.673_263_242_354_377_2;

#[derive(Clone, Copy)]
pub(crate) struct Linear;

impl<T: Scalar> Activation<T> for Linear {
    const DERIVATIVE_FROM: DerivativeFrom = DerivativeFrom::Output;

    #[inline(always)]
    fn value(self, x: T) -> T {
        x
    }
    #[inline(always)]
    fn gradient(self, _: T, gradient: T) -> T {
        gradient
    }
}

#[derive(Clone, Copy)]
pub(crate) struct Relu;

impl<T: Scalar> Activation<T> for Relu {
    const DERIVATIVE_FROM: DerivativeFrom = DerivativeFrom::Output;

    #[inline(always)]
    fn value(self, x: T) -> T {
        if x <= T::ZERO { T::ZERO } else { x }
    }
    #[inline(always)]
    fn gradient(self, y: T, gradient: T) -> T {
        if y <= T::ZERO { T::ZERO } else { gradient }
    }
}

#[derive(Clone, Copy)]
pub(crate) struct LeakyRelu<T> {
    pub(super) negative_slope: T,
}

impl<T: Scalar> Activation<T> for LeakyRelu<T> {
    const DERIVATIVE_FROM: DerivativeFrom = DerivativeFrom::Output;

    #[inline(always)]
    fn value(self, x: T) -> T {
        if x <= T::ZERO { self.negative_slope * x } else { x }
    }
    #[inline(always)]
    fn gradient(self, y: T, gradient: T) -> T {
        if y <= T::ZERO { self.negative_slope * gradient } else { gradient }
    }
}

#[derive(Clone, Copy)]
pub(crate) struct Relu6;

impl<T: Scalar> Activation<T> for Relu6 {
    const DERIVATIVE_FROM: DerivativeFrom = DerivativeFrom::Output;

    #[inline(always)]
    fn value(self, x: T) -> T {
        let six = T::from_f64(6.0);
        let below = if x > six { six } else { x };
        if x <= T::ZERO { T::ZERO } else { below }
    }
    #[inline(always)]
    fn gradient(self, y: T, gradient: T) -> T {
        if y <= T::ZERO || y >= T::from_f64(6.0) { T::ZERO } else { gradient }
    }
}

#[derive(Clone, Copy)]
pub(crate) struct BoundedRelu<T> {
    pub(super) negative_slope: T,
    pub(super) max_value: T,
    pub(super) threshold: T,
}

impl<T: Scalar> Activation<T> for BoundedRelu<T> {
    const DERIVATIVE_FROM: DerivativeFrom = DerivativeFrom::Input;

    #[inline(always)]
    fn value(self, x: T) -> T {
        let above = if x >= self.max_value { self.max_value } else { x };
        if x < self.threshold { self.negative_slope * (x - self.threshold) } else { above }
    }
    #[inline(always)]
    fn gradient(self, x: T, gradient: T) -> T {
        let above = if x >= self.max_value { T::ZERO } else { gradient };
        if x < self.threshold { self.negative_slope * gradient } else { above }
    }
}

/// ELU, and with another scale SELU: `scale·x` above 0, `alpha·(eˣ − 1)` below.
#[derive(Clone, Copy)]
pub(crate) struct Elu<T> {
    pub(super) scale: T,
    pub(super) alpha: T,
}

impl<T: Scalar> Activation<T> for Elu<T> {
    const DERIVATIVE_FROM: DerivativeFrom = DerivativeFrom::Output;

    #[inline(always)]
    fn value(self, x: T) -> T {
        let below = self.alpha * (if x > T::ZERO { T::ZERO } else { x }).exp_m1_below_zero();
        if x > T::ZERO { self.scale * x } else { below }
    }
    #[inline(always)]
    fn gradient(self, y: T, gradient: T) -> T {
        gradient * if y > T::ZERO { self.scale } else { y + self.alpha }
    }
}

#[derive(Clone, Copy)]
pub(crate) struct Celu<T> {
    pub(super) alpha: T,
}

impl<T: Scalar> Activation<T> for Celu<T> {
    const DERIVATIVE_FROM: DerivativeFrom = DerivativeFrom::Output;

    #[inline(always)]
    fn value(self, x: T) -> T {
        let below = (if x > T::ZERO { T::ZERO } else { x / self.alpha }).exp_m1_below_zero();
        if x > T::ZERO { x } else { self.alpha * below }
    }
    #[inline(always)]
    fn gradient(self, y: T, gradient: T) -> T {
        gradient * if y > T::ZERO { T::ONE } else { y / self.alpha + T::ONE }
    }
}

#[derive(Clone, Copy)]
pub(crate) struct Threshold<T> {
    pub(super) threshold: T,
    pub(super) value: T,
}

impl<T: Scalar> Activation<T> for Threshold<T> {
    const DERIVATIVE_FROM: DerivativeFrom = DerivativeFrom::Input;

    #[inline(always)]
    fn value(self, x: T) -> T {
        if x <= self.threshold { self.value } else { x }
    }
    #[inline(always)]
    fn gradient(self, x: T, gradient: T) -> T {
        if x <= self.threshold { T::ZERO } else { gradient }
    }
}
