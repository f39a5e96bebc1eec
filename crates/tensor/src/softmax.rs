//! Softmax, and the cross-entropy of its logits: each for one sample, stable for any finite input.
//!
//! The largest logit is taken away first, so that no exponential overflows and the largest is exactly 1:
//! `softmax(z)ᵢ = e^(zᵢ − max z) / Σⱼ e^(zⱼ − max z)` (Goodfellow, Bengio and Courville, *Deep Learning*, 2016, section 4.1).

use crate::arch::Vector;
use crate::isa::{Isa, Kernel};
use crate::reduce::{maximum, sum_of};
use crate::scalar::Scalar;

/// `z ← softmax(z)`: positive, with sum 1. NaN anywhere gives NaN everywhere.
///
/// ```
/// use densely_tensor::{Isa, softmax};
///
/// let mut z = [1000.0, 1000.0, -1000.0];
/// softmax(Isa::detect(), &mut z);
/// assert_eq!(z, [0.5, 0.5, 0.0]);
/// ```
pub fn softmax<T: Scalar>(isa: Isa, z: &mut [T]) {
    isa.run(Softmax(z));
}

struct Softmax<'a, T>(&'a mut [T]);

impl<T: Scalar> Kernel<T> for Softmax<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<Element = T>>(self) {
        let z = self.0;
        let sum = exponentials(z);
        for z in z {
            *z = *z / sum;
        }
    }
}

/// `z ← e^(z − max z)`; returns their sum.
#[inline(always)]
fn exponentials<T: Scalar>(z: &mut [T]) -> T {
    let largest = maximum(z);
    for z in z.iter_mut() {
        *z = (*z - largest).exp();
    }
    let z = &*z;
    sum_of(z.len(), |i| z[i])
}

/// Turns the gradient with respect to [`softmax`]'s output `y` into that with respect to its input:
/// `gᵢ ← yᵢ·(gᵢ − Σⱼ gⱼ·yⱼ)`.
///
/// # Panics
///
/// If the slices differ in length.
#[track_caller]
pub fn softmax_gradient<T: Scalar>(isa: Isa, output: &[T], gradient: &mut [T]) {
    assert_eq!(output.len(), gradient.len(), "two slices of different lengths");
    isa.run(SoftmaxGradient { output, gradient });
}

struct SoftmaxGradient<'a, T> {
    output: &'a [T],
    gradient: &'a mut [T],
}

impl<T: Scalar> Kernel<T> for SoftmaxGradient<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<Element = T>>(self) {
        let Self { output, gradient } = self;
        let mean = {
            let gradient = &*gradient;
            sum_of(output.len(), |i| gradient[i] * output[i])
        };
        for (g, &y) in gradient.iter_mut().zip(output) {
            *g = y * (*g - mean);
        }
    }
}

/// The cross-entropy `−ln softmax(z)[label]` of one sample's logits, which become its gradient times `scale`:
/// `zᵢ ← scale·(softmax(z)ᵢ − [i = label])`.
///
/// The logarithm is that of the pure-Rust `libm`, so that the loss too is the same everywhere.
///
/// # Panics
///
/// If `label` is not below the number of logits.
///
/// ```
/// use densely_tensor::{Isa, softmax_cross_entropy};
///
/// let mut z = [0.0, 0.0];
/// let loss = softmax_cross_entropy(Isa::detect(), &mut z, 1, 1.0);
/// assert_eq!(loss, std::f64::consts::LN_2);
/// assert_eq!(z, [0.5, -0.5]);
/// ```
#[track_caller]
pub fn softmax_cross_entropy<T: Scalar>(isa: Isa, z: &mut [T], label: usize, scale: T) -> f64 {
    assert!(label < z.len(), "label {label} of {} classes", z.len());
    isa.run(CrossEntropy { z, label, scale })
}

struct CrossEntropy<'a, T> {
    z: &'a mut [T],
    label: usize,
    scale: T,
}

impl<T: Scalar> Kernel<T> for CrossEntropy<'_, T> {
    type Output = f64;

    #[inline(always)]
    fn run<V: Vector<Element = T>>(self) -> f64 {
        let Self { z, label, scale } = self;
        let below_largest = maximum(z).to_f64() - z[label].to_f64();
        let sum = exponentials(z);
        for z in z.iter_mut() {
            *z = *z / sum * scale;
        }
        z[label] = z[label] - scale;
        libm::log(sum.to_f64()) + below_largest
    }
}
