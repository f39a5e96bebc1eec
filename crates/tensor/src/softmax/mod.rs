//! Softmax, and the cross-entropy of its logits, for one sample or for a batch: stable for any finite input.
//!
//! The largest logit is taken away first, so that no exponential overflows and the largest is exactly 1:
//! `softmax(z)ᵢ = e^(zᵢ − max z) / Σⱼ e^(zⱼ − max z)` (Goodfellow, Bengio and Courville, *Deep Learning*, 2016, section 4.1).
//! The sum has the lanes and the tree of all our sums, so a sample gives the same bits alone and in a batch.

mod block;
mod columns;
mod cross_entropy;

pub use columns::ColumnsMut;
pub use cross_entropy::{softmax_cross_entropy, softmax_cross_entropy_columns};

use crate::arch::Vector;
use crate::isa::{Isa, Kernel};
use crate::reduce::{LANES, maximum, sum_of};
use crate::scalar::Scalar;
use block::{Row, SAMPLES};
use columns::Change;
use std::ops::Range;

/// `z ← softmax(z)`: not negative, with sum 1. NaN anywhere gives NaN everywhere.
///
/// ```
/// use densely_tensor::{Isa, softmax};
///
/// let mut z = [1000.0, 1000.0, -1000.0];
/// softmax(Isa::detect(), &mut z);
/// assert_eq!(z, [0.5, 0.5, 0.0]);
/// ```
pub fn softmax<T: Scalar>(isa: Isa, z: &mut [T]) {
    isa.run(Softmax(ColumnsMut::one(z)));
}

/// [`softmax`] of each column, with the same bits: a batch of samples in one call.
///
/// With up to 64 rows, many samples are computed side by side, which is several times faster than one by one; best are
/// multiples of 64 samples.
///
/// ```
/// use densely_tensor::{ColumnsMut, Isa, softmax_columns};
///
/// let mut z = [0.0, 0.0, 3.0, 3.0]; // two samples of two classes
/// softmax_columns(Isa::detect(), ColumnsMut::new(&mut z, 2, 2));
/// assert_eq!(z, [0.5; 4]);
/// ```
pub fn softmax_columns<T: Scalar>(isa: Isa, z: ColumnsMut<'_, T>) {
    isa.run(Softmax(z));
}

struct Softmax<'a, T>(ColumnsMut<'a, T>);

impl<T: Scalar> Kernel<T> for Softmax<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<Element = T>>(self) {
        self.0.change_each::<V>(ToSoftmax);
    }
}

struct ToSoftmax;

impl<T: Scalar> Change<T> for ToSoftmax {
    #[inline(always)]
    fn change(&mut self, _: usize, z: &mut [T]) {
        let Exponentials { sum, .. } = exponentials(z);
        for z in z {
            *z = *z / sum;
        }
    }

    #[inline(always)]
    fn change_block(&mut self, _: Range<usize>, z: &mut [Row<T>]) {
        let block::Exponentials { sum, .. } = block::exponentials(z);
        for row in z {
            for (z, &sum) in row.iter_mut().zip(&sum) {
                *z = *z / sum;
            }
        }
    }
}

/// What [`exponentials`] leaves besides them.
struct Exponentials<T> {
    largest: T,
    sum: T,
}

/// `z ← e^(z − max z)`
#[inline(always)]
fn exponentials<T: Scalar>(z: &mut [T]) -> Exponentials<T> {
    let largest = maximum(z);
    for z in z.iter_mut() {
        *z = (*z - largest).exp();
    }
    let z = &*z;
    Exponentials { largest, sum: sum_of(z.len(), |i| z[i]) }
}

/// `z ← ln softmax(z) = z − max z − ln Σⱼ e^(zⱼ − max z)`, exact also where softmax itself is rounded to 0.
///
/// ```
/// use densely_tensor::{Isa, log_softmax};
///
/// let mut z = [1000.0, 1000.0, -1000.0];
/// log_softmax(Isa::detect(), &mut z);
/// let ln_2 = std::f64::consts::LN_2;
/// assert_eq!(z, [-ln_2, -ln_2, -2000.0 - ln_2]);
/// ```
pub fn log_softmax<T: Scalar>(isa: Isa, z: &mut [T]) {
    isa.run(LogSoftmax(ColumnsMut::one(z)));
}

/// [`log_softmax`] of each column; fast as [`softmax_columns`] is.
pub fn log_softmax_columns<T: Scalar>(isa: Isa, z: ColumnsMut<'_, T>) {
    isa.run(LogSoftmax(z));
}

struct LogSoftmax<'a, T>(ColumnsMut<'a, T>);

impl<T: Scalar> Kernel<T> for LogSoftmax<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<Element = T>>(self) {
        self.0.change_each::<V>(ToLogSoftmax);
    }
}

struct ToLogSoftmax;

impl<T: Scalar> Change<T> for ToLogSoftmax {
    #[inline(always)]
    fn change(&mut self, _: usize, z: &mut [T]) {
        let largest = maximum(z);
        let logarithm = {
            let z = &*z;
            sum_of(z.len(), |i| (z[i] - largest).exp()).log()
        };
        for z in z {
            *z = (*z - largest) - logarithm;
        }
    }

    #[inline(always)]
    fn change_block(&mut self, _: Range<usize>, z: &mut [Row<T>]) {
        let largest = block::maxima(z);
        let mut lanes = [[T::ZERO; SAMPLES]; LANES];
        for rows in z.chunks_mut(LANES) {
            for (lane, row) in lanes.iter_mut().zip(rows) {
                for ((sum, z), &largest) in lane.iter_mut().zip(row).zip(&largest) {
                    *z = *z - largest;
                    *sum += z.exp();
                }
            }
        }
        let mut logarithms = block::fold_rows(lanes);
        for logarithm in &mut logarithms {
            *logarithm = logarithm.log();
        }
        for row in z {
            for (z, &logarithm) in row.iter_mut().zip(&logarithms) {
                *z = *z - logarithm;
            }
        }
    }
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

/// Turns the gradient with respect to [`log_softmax`]'s output `y` into that with respect to its input:
/// `gᵢ ← gᵢ − e^yᵢ·Σⱼ gⱼ`.
///
/// # Panics
///
/// If the slices differ in length.
#[track_caller]
pub fn log_softmax_gradient<T: Scalar>(isa: Isa, output: &[T], gradient: &mut [T]) {
    assert_eq!(output.len(), gradient.len(), "two slices of different lengths");
    isa.run(LogSoftmaxGradient { output, gradient });
}

struct LogSoftmaxGradient<'a, T> {
    output: &'a [T],
    gradient: &'a mut [T],
}

impl<T: Scalar> Kernel<T> for LogSoftmaxGradient<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<Element = T>>(self) {
        let Self { output, gradient } = self;
        let sum = {
            let gradient = &*gradient;
            sum_of(gradient.len(), |i| gradient[i])
        };
        for (g, &y) in gradient.iter_mut().zip(output) {
            *g = (-y.exp()).mul_add(sum, *g);
        }
    }
}
