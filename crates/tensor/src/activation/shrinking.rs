//! Functions that take small elements towards zero.

use super::{Activation, DerivativeFrom};
use crate::scalar::Scalar;

#[derive(Clone, Copy)]
pub(crate) struct TanhShrink;

impl<T: Scalar> Activation<T> for TanhShrink {
    const DERIVATIVE_FROM: DerivativeFrom = DerivativeFrom::Input;

    #[inline(always)]
    fn value(self, x: T) -> T {
        x - x.tanh()
    }
    /// f′ = tanh² x
    #[inline(always)]
    fn gradient(self, x: T, gradient: T) -> T {
        let tanh = x.tanh();
        gradient * (tanh * tanh)
    }
}

#[derive(Clone, Copy)]
pub(crate) struct SoftShrink<T> {
    pub(super) threshold: T,
}

impl<T: Scalar> Activation<T> for SoftShrink<T> {
    const DERIVATIVE_FROM: DerivativeFrom = DerivativeFrom::Output;

    #[inline(always)]
    fn value(self, x: T) -> T {
        let magnitude = x.abs();
        if magnitude <= self.threshold { T::ZERO } else { (magnitude - self.threshold).copysign(x) }
    }
    #[inline(always)]
    fn gradient(self, y: T, gradient: T) -> T {
        if y == T::ZERO { T::ZERO } else { gradient }
    }
}

#[derive(Clone, Copy)]
pub(crate) struct HardShrink<T> {
    pub(super) threshold: T,
}

impl<T: Scalar> Activation<T> for HardShrink<T> {
    const DERIVATIVE_FROM: DerivativeFrom = DerivativeFrom::Output;

    #[inline(always)]
    fn value(self, x: T) -> T {
        if x.abs() <= self.threshold { T::ZERO } else { x }
    }
    #[inline(always)]
    fn gradient(self, y: T, gradient: T) -> T {
        if y == T::ZERO { T::ZERO } else { gradient }
    }
}
