//! Activation functions that work on each element alone, with their derivatives: those of Keras's `activations` module,
//! and LeCun's scaled tanh.
//!
//! A function is a value of [`ActivationFunction`]; its arithmetic is a type of one of the modules, by family, that
//! implements [`Activation`]. [`ActivationFunction::dispatch`] is the one place that goes from the value to the type, so
//! a kernel that is written once for all types is compiled for each, with nothing left to decide inside its loop.
//!
//! Functions that look at more than one element (softmax, the gated linear unit, sparsemax) are not here.

mod gated;
mod rectified;
mod shrinking;
mod sigmoidal;
mod softplus;

use crate::elementwise::{Map, Zip, map, zip};
use crate::isa::Isa;
use crate::scalar::Scalar;

/// An activation function of one element, with its parameters.
///
/// Parameters are rounded to the scalar type of the elements. NaN stays NaN, and ±∞ gives the limit. *ulp* is a unit in
/// the last place of the result, *ε* that of 1: 2⁻²³ or 2⁻⁵²; errors hold for both scalar types, unless it says more.
/// Functions of which nothing is said round each operation of their formula once. Derivatives are within 4·ε·max(1, |f′|).
///
/// ```
/// use densely_tensor::{ActivationFunction, DerivativeFrom, Isa};
///
/// let isa = Isa::detect();
/// let mut y = [-1.0, 2.0];
/// ActivationFunction::Elu { alpha: 1.0 }.apply(isa, &mut y);
/// assert!((y[0] + 0.6321205588285577_f64).abs() < 1e-15); // e⁻¹ − 1
/// assert_eq!(y[1], 2.0);
///
/// // The derivative is eˣ below zero, which is y + 1, so the output is all that has to be kept.
/// assert_eq!(ActivationFunction::Elu { alpha: 1.0 }.derivative_from(), DerivativeFrom::Output);
/// let mut gradient = [10.0, 10.0];
/// ActivationFunction::Elu { alpha: 1.0 }.multiply_by_derivative(isa, &y, &mut gradient);
/// assert!((gradient[0] - 3.678794411714423_f64).abs() < 1e-14); // 10·e⁻¹
/// assert_eq!(gradient[1], 10.0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ActivationFunction {
    /// `x`
    Linear,
    /// `max(x, 0)`; −0 becomes +0. The derivative at 0 is 0.
    Relu,
    /// `x` above 0, else `negative_slope·x`. Keras's default is 0.2, and 0.3 in its layer.
    LeakyRelu {
        /// 0 or more: the derivative is taken from the output's sign.
        negative_slope: f64,
    },
    /// `min(max(x, 0), 6)` (Krizhevsky, *Convolutional deep belief networks on CIFAR-10*, 2010).
    Relu6,
    /// `max_value` from there on, `x` from `threshold` to there, `negative_slope·(x − threshold)` below: Keras's `relu`
    /// with all its arguments. The derivative at a corner is that to the right of it, and 0 at `max_value`.
    BoundedRelu {
        /// The slope below the threshold.
        negative_slope: f64,
        /// Not below `threshold`; may be infinite.
        max_value: f64,
        /// Where the part with slope 1 begins.
        threshold: f64,
    },
    /// `x` above 0, else `alpha·(eˣ − 1)`; within 3 ulp (Clevert, Unterthiner and Hochreiter, arXiv:1511.07289, eq. 15).
    Elu {
        /// Above 0; Keras's default is 1.
        alpha: f64,
    },
    /// `1.0507·x` above 0, else `1.0507·1.6733·(eˣ − 1)`, which keeps mean 0 and variance 1; within 3 ulp (Klambauer and
    /// others, arXiv:1706.02515, eq. 2).
    Selu,
    /// `x` above 0, else `alpha·(e^(x/alpha) − 1)`; within 4 ulp (Barron, arXiv:1704.07483).
    Celu {
        /// Above 0; Keras's default is 1.
        alpha: f64,
    },
    /// `x` above `threshold`, else `value`.
    Threshold {
        /// What x has to exceed.
        threshold: f64,
        /// What takes its place otherwise.
        value: f64,
    },
    /// `1/(1 + e⁻ˣ)`, between 0 and 1; within 3 ulp in both tails.
    Sigmoid,
    /// `(x + 3)/6`, not below 0 nor above 1 (Courbariaux, Bengio and David, arXiv:1511.00363, has another slope).
    HardSigmoid,
    /// `(x + 1)/2`, not below 0 nor above 1.
    SparseSigmoid,
    /// `tanh x`, between −1 and 1: [`tanh`](crate::tanh).
    Tanh,
    /// `amplitude·tanh(slope·x)`; within 4 ulp. [`LECUN_TANH`](Self::LECUN_TANH) is the best known.
    ScaledTanh {
        /// The limit far out; not 0.
        amplitude: f64,
        /// What the argument is multiplied by.
        slope: f64,
    },
    /// `x`, not below −1 nor above 1.
    HardTanh,
    /// `x/(1 + |x|)`, between −1 and 1.
    Softsign,
    /// `ln(1 + eˣ)`, above 0; within 3 ulp.
    Softplus,
    /// `ln(1/(1 + e⁻ˣ))`, below 0; within 3 ulp.
    LogSigmoid,
    /// `(x + √(x² + b))/2`, above 0; within 4 ulp (Barron, arXiv:2112.11687).
    Squareplus {
        /// Above 0; Keras's default is 4.
        b: f64,
    },
    /// `0` up to −1, `(x + 1)²/4` up to 1, then `x`.
    SparsePlus,
    /// `eˣ`: [`exp`](crate::exp).
    Exponential,
    /// `x/(1 + e⁻ˣ)`, also called swish; within 4 ulp (Elfwing, Uchibe and Doya, arXiv:1702.03118, eq. 5).
    Silu,
    /// `x·(x/6 + ½)` with the factor between 0 and 1, also called hard swish (Howard and others, arXiv:1905.02244, section 5.2).
    HardSilu,
    /// `x·tanh(ln(1 + eˣ))`; within 5 ulp (Misra, arXiv:1908.08681).
    Mish,
    /// `x·Φ(x) = x/2·(1 + erf(x/√2))` with Φ the normal distribution function; within 6 ulp, in the left tail too
    /// (Hendrycks and Gimpel, arXiv:1606.08415).
    Gelu,
    /// `x/2·(1 + tanh(√(2/π)·(x + 0.044715·x³)))`, which approximates [`Gelu`](Self::Gelu).
    /// With u the argument of tanh, within 4 ulp right of zero and 4 + 6·|u| left of it, where it decays like e^−2|u|.
    GeluTanh,
    /// `x − tanh x`; within 2·ε·|x|.
    TanhShrink,
    /// `x` moved towards 0 by `threshold`, and 0 within it.
    SoftShrink {
        /// 0 or more; Keras's default is 0.5.
        threshold: f64,
    },
    /// `x`, and 0 where |x| is not above `threshold`.
    HardShrink {
        /// 0 or more; Keras's default is 0.5.
        threshold: f64,
    },
}

/// What a function's derivative is computed from, and so what a network has to keep for its backward pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DerivativeFrom {
    /// The argument, before the function was applied.
    Input,
    /// The value, after.
    Output,
}

impl ActivationFunction {
    /// `1.7159·tanh(2/3·x)`, which maps ±1 to ±1 (LeCun, Bottou, Orr and Müller, *Efficient BackProp*, 1998, section 4.4).
    pub const LECUN_TANH: Self = Self::ScaledTanh { amplitude: 1.7159, slope: 2.0 / 3.0 };

    /// What [`multiply_by_derivative`](Self::multiply_by_derivative) asks for: the output wherever it determines the
    /// derivative, which is everywhere but for `BoundedRelu`, `Threshold`, `Silu`, `HardSilu`, `Mish`, `Gelu`,
    /// `GeluTanh` and `TanhShrink`.
    pub fn derivative_from(self) -> DerivativeFrom {
        struct Query;
        impl Visitor<f64> for Query {
            type Output = DerivativeFrom;
            fn visit<A: Activation<f64>>(self, _: A) -> DerivativeFrom {
                A::DERIVATIVE_FROM
            }
        }
        self.dispatch(Query)
    }

    /// `x ← f(x)`.
    pub fn apply<T: Scalar>(self, isa: Isa, x: &mut [T]) {
        T::activate(self, isa, x);
    }

    /// [`apply`](Self::apply), to be compiled once for each scalar type.
    pub(crate) fn apply_to<T: Scalar>(self, isa: Isa, x: &mut [T]) {
        struct Apply<'a, T>(Isa, &'a mut [T]);
        impl<T: Scalar> Visitor<T> for Apply<'_, T> {
            type Output = ();
            fn visit<A: Activation<T>>(self, activation: A) {
                map(self.0, self.1, Value(activation));
            }
        }
        self.dispatch(Apply(isa, x));
    }

    /// `gradient ← gradient·f′`, with f′ from the function's input or output, as
    /// [`derivative_from`](Self::derivative_from) says.
    ///
    /// # Panics
    ///
    /// If the slices differ in length.
    #[track_caller]
    pub fn multiply_by_derivative<T: Scalar>(self, isa: Isa, kept: &[T], gradient: &mut [T]) {
        assert_eq!(kept.len(), gradient.len(), "elements kept, and gradient");
        T::differentiate(self, isa, kept, gradient);
    }

    /// [`multiply_by_derivative`](Self::multiply_by_derivative), to be compiled once for each scalar type.
    pub(crate) fn multiply_gradient<T: Scalar>(self, isa: Isa, kept: &[T], gradient: &mut [T]) {
        struct Multiply<'a, T>(Isa, &'a [T], &'a mut [T]);
        impl<T: Scalar> Visitor<T> for Multiply<'_, T> {
            type Output = ();
            fn visit<A: Activation<T>>(self, activation: A) {
                zip(self.0, self.1, self.2, Gradient(activation));
            }
        }
        self.dispatch(Multiply(isa, kept, gradient));
    }

    /// Calls the visitor with the type of the function.
    pub(crate) fn dispatch<T: Scalar, V: Visitor<T>>(self, visitor: V) -> V::Output {
        let scalar = T::from_f64;
        match self {
            Self::Linear => visitor.visit(rectified::Linear),
            Self::Relu => visitor.visit(rectified::Relu),
            Self::LeakyRelu { negative_slope } => {
                visitor.visit(rectified::LeakyRelu { negative_slope: scalar(negative_slope) })
            }
            Self::Relu6 => visitor.visit(rectified::Relu6),
            Self::BoundedRelu { negative_slope, max_value, threshold } => {
                visitor.visit(rectified::BoundedRelu {
                    negative_slope: scalar(negative_slope),
                    max_value: scalar(max_value),
                    threshold: scalar(threshold),
                })
            }
            Self::Elu { alpha } => visitor.visit(rectified::Elu { scale: T::ONE, alpha: scalar(alpha) }),
            Self::Selu => visitor.visit(rectified::Elu {
                scale: scalar(rectified::SELU_SCALE),
                alpha: scalar(rectified::SELU_SCALE * rectified::SELU_ALPHA),
            }),
            Self::Celu { alpha } => visitor.visit(rectified::Celu { alpha: scalar(alpha) }),
            Self::Threshold { threshold, value } => {
                visitor.visit(rectified::Threshold { threshold: scalar(threshold), value: scalar(value) })
            }
            Self::Sigmoid => visitor.visit(sigmoidal::Sigmoid),
            Self::HardSigmoid => {
                visitor.visit(sigmoidal::Ramp { offset: scalar(3.0), slope: scalar(1.0 / 6.0) })
            }
            Self::SparseSigmoid => visitor.visit(sigmoidal::Ramp { offset: T::ONE, slope: scalar(0.5) }),
            Self::Tanh => visitor.visit(sigmoidal::Tanh),
            Self::ScaledTanh { amplitude, slope } => {
                visitor.visit(sigmoidal::ScaledTanh { amplitude: scalar(amplitude), slope: scalar(slope) })
            }
            Self::HardTanh => visitor.visit(sigmoidal::HardTanh),
            Self::Softsign => visitor.visit(sigmoidal::Softsign),
            Self::Softplus => visitor.visit(softplus::Softplus),
            Self::LogSigmoid => visitor.visit(softplus::LogSigmoid),
            Self::Squareplus { b } => visitor.visit(softplus::Squareplus { b: scalar(b) }),
            Self::SparsePlus => visitor.visit(softplus::SparsePlus),
            Self::Exponential => visitor.visit(softplus::Exponential),
            Self::Silu => visitor.visit(gated::Silu),
            Self::HardSilu => visitor.visit(gated::HardSilu),
            Self::Mish => visitor.visit(gated::Mish),
            Self::Gelu => visitor.visit(gated::Gelu),
            Self::GeluTanh => visitor.visit(gated::GeluTanh),
            Self::TanhShrink => visitor.visit(shrinking::TanhShrink),
            Self::SoftShrink { threshold } => {
                visitor.visit(shrinking::SoftShrink { threshold: scalar(threshold) })
            }
            Self::HardShrink { threshold } => {
                visitor.visit(shrinking::HardShrink { threshold: scalar(threshold) })
            }
        }
    }
}

/// The arithmetic of a function of one element. Implementations are marked `#[inline(always)]`.
pub(crate) trait Activation<T>: Copy {
    const DERIVATIVE_FROM: DerivativeFrom;

    /// `f(x)`
    fn value(self, x: T) -> T;

    /// `gradient·f′`, with f′ from x or f(x), whichever the constant says.
    fn gradient(self, kept: T, gradient: T) -> T;
}

/// What is done with a function once its type is known.
pub(crate) trait Visitor<T> {
    type Output;

    fn visit<A: Activation<T>>(self, activation: A) -> Self::Output;
}

struct Value<A>(A);

impl<T: Scalar, A: Activation<T>> Map<T> for Value<A> {
    #[inline(always)]
    fn map(&self, x: T) -> T {
        self.0.value(x)
    }
}

struct Gradient<A>(A);

impl<T: Scalar, A: Activation<T>> Zip<T> for Gradient<A> {
    #[inline(always)]
    fn zip(&self, kept: T, gradient: T) -> T {
        self.0.gradient(kept, gradient)
    }
}

/// `x`, not below `low` nor above `high`; NaN is kept.
#[inline(always)]
fn clamp<T: Scalar>(x: T, low: T, high: T) -> T {
    let x = if x < low { low } else { x };
    if x > high { high } else { x }
}

/// Where e⁻|x| and all its small multiples are 0, further out makes no difference, and ∞·0 is avoided.
#[inline(always)]
fn not_too_far<T: Scalar>(x: T) -> T {
    clamp(x, -T::FAR, T::FAR)
}
