//! The scalar types of kernels and networks: `f32` for work, `f64` for checking it.

use crate::arch::VectorTypes;
use crate::compiled::Compiled;
use crate::math::Elementary;
use std::fmt::{Debug, Display};
use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub};

/// A floating-point type that kernels are written for: `f32` or `f64`. Sealed.
///
/// Every operation here is correctly rounded, and therefore the same on every machine.
pub trait Scalar:
    VectorTypes
    + Elementary
    + Compiled
    + From<u8>
    + Copy
    + PartialEq
    + PartialOrd
    + Debug
    + Display
    + Default
    + Send
    + Sync
    + 'static
    + Add<Output = Self>
    + AddAssign
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
{
    /// `+0`.
    const ZERO: Self;
    /// `1`.
    const ONE: Self;
    /// `-∞`.
    const NEG_INFINITY: Self;
    /// `∞`.
    const INFINITY: Self;
    /// The smallest positive normal number; what is smaller counts as zero in optimizer moments.
    const MIN_POSITIVE: Self;
    /// Size in bytes.
    const SIZE: usize;
    /// The name in files and messages: `"f32"` or `"f64"`.
    const NAME: &'static str;

    /// The nearest value of this type.
    fn from_f64(value: f64) -> Self;
    /// The same value; exact.
    fn to_f64(self) -> f64;
    /// `self · factor + addend`, rounded once.
    fn mul_add(self, factor: Self, addend: Self) -> Self;
    /// The square root, correctly rounded.
    fn sqrt(self) -> Self;
    /// The absolute value.
    fn abs(self) -> Self;
    /// Not a number.
    fn is_nan(self) -> bool;
    /// Neither infinite nor NaN.
    fn is_finite(self) -> bool;
    /// Appends the bytes, little-endian.
    fn write_le(self, bytes: &mut Vec<u8>);
}

// The two instances differ only in the type.
macro_rules! scalar {
    ($type:ident) => {
        impl Scalar for $type {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const NEG_INFINITY: Self = $type::NEG_INFINITY;
            const INFINITY: Self = $type::INFINITY;
            const MIN_POSITIVE: Self = $type::MIN_POSITIVE;
            const SIZE: usize = size_of::<$type>();
            const NAME: &'static str = stringify!($type);

            #[inline(always)]
            fn from_f64(value: f64) -> Self {
                value as $type
            }
            #[inline(always)]
            fn to_f64(self) -> f64 {
                f64::from(self)
            }
            #[inline(always)]
            fn mul_add(self, factor: Self, addend: Self) -> Self {
                $type::mul_add(self, factor, addend)
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                $type::sqrt(self)
            }
            #[inline(always)]
            fn abs(self) -> Self {
                $type::abs(self)
            }
            #[inline(always)]
            fn is_nan(self) -> bool {
                $type::is_nan(self)
            }
            #[inline(always)]
            fn is_finite(self) -> bool {
                $type::is_finite(self)
            }
            fn write_le(self, bytes: &mut Vec<u8>) {
                bytes.extend_from_slice(&self.to_le_bytes());
            }
        }
    };
}
scalar!(f32);
scalar!(f64);
