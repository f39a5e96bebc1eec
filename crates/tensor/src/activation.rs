//! Activation functions that work on each element alone, and their derivatives.
//!
//! The derivatives are written in terms of the function's *output*, which a network keeps anyway.

use crate::elementwise::{Map, Zip, map, zip};
use crate::isa::Isa;
use crate::scalar::Scalar;

/// `x ← max(x, 0)`; −0 becomes +0 and NaN stays NaN.
///
/// ```
/// use densely_tensor::{Isa, relu};
///
/// let mut x = [-1.0, 0.5];
/// relu(Isa::detect(), &mut x);
/// assert_eq!(x, [0.0, 0.5]);
/// ```
pub fn relu<T: Scalar>(isa: Isa, x: &mut [T]) {
    struct Relu;
    impl<T: Scalar> Map<T> for Relu {
        #[inline(always)]
        fn map(&self, x: T) -> T {
            if x <= T::ZERO { T::ZERO } else { x }
        }
    }
    map(isa, x, Relu);
}

/// `gradient ← gradient` where the output of [`relu`] is above 0 (or NaN), and +0 elsewhere.
///
/// # Panics
///
/// If the slices differ in length.
#[track_caller]
pub fn relu_gradient<T: Scalar>(isa: Isa, output: &[T], gradient: &mut [T]) {
    struct Gradient;
    impl<T: Scalar> Zip<T> for Gradient {
        #[inline(always)]
        fn zip(&self, output: T, gradient: T) -> T {
            if output <= T::ZERO { T::ZERO } else { gradient }
        }
    }
    zip(isa, output, gradient, Gradient);
}

/// `x ← 1 / (1 + e⁻ˣ)`, exact to some units in the last place in both tails.
///
/// ```
/// use densely_tensor::{Isa, sigmoid};
///
/// let mut x = [0.0, -800.0];
/// sigmoid(Isa::detect(), &mut x);
/// assert_eq!(x, [0.5, 0.0]);
/// ```
pub fn sigmoid<T: Scalar>(isa: Isa, x: &mut [T]) {
    struct Sigmoid;
    impl<T: Scalar> Map<T> for Sigmoid {
        #[inline(always)]
        fn map(&self, x: T) -> T {
            // e⁻|x| never overflows: the form 1 / (1 + e) serves the right half, e / (1 + e) the left.
            let e = (-x.abs()).exp();
            let numerator = if x < T::ZERO { e } else { T::ONE };
            numerator / (T::ONE + e)
        }
    }
    map(isa, x, Sigmoid);
}

/// `gradient ← gradient · y·(1 − y)` with y the output of [`sigmoid`].
///
/// # Panics
///
/// If the slices differ in length.
#[track_caller]
pub fn sigmoid_gradient<T: Scalar>(isa: Isa, output: &[T], gradient: &mut [T]) {
    struct Gradient;
    impl<T: Scalar> Zip<T> for Gradient {
        #[inline(always)]
        fn zip(&self, output: T, gradient: T) -> T {
            gradient * (output * (T::ONE - output))
        }
    }
    zip(isa, output, gradient, Gradient);
}

/// `x ← tanh x`, within 2 units in the last place (3 in double precision).
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

/// `gradient ← gradient · (1 − y²)` with y the output of [`tanh`].
///
/// # Panics
///
/// If the slices differ in length.
#[track_caller]
pub fn tanh_gradient<T: Scalar>(isa: Isa, output: &[T], gradient: &mut [T]) {
    struct Gradient;
    impl<T: Scalar> Zip<T> for Gradient {
        #[inline(always)]
        fn zip(&self, output: T, gradient: T) -> T {
            gradient * (-output).mul_add(output, T::ONE)
        }
    }
    zip(isa, output, gradient, Gradient);
}
