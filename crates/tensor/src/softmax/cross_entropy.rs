//! The cross-entropy of a softmax, from its logits, with the gradient in their place.
//!
//! The logarithm is that of the pure-Rust `libm`, in double precision, so that the loss too is the same everywhere.

use super::block::{self, Row, SAMPLES};
use super::columns::Change;
use super::{ColumnsMut, Exponentials, exponentials};
use crate::arch::Vector;
use crate::isa::{Isa, Kernel};
use crate::scalar::Scalar;
use std::ops::Range;

/// The cross-entropy `−ln softmax(z)[label]` of one sample's logits, which become its gradient times `scale`:
/// `zᵢ ← scale·(softmax(z)ᵢ − [i = label])`.
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
    let mut loss = [0.0];
    let (z, labels) = (ColumnsMut::one(z), Labels::One(label));
    isa.run(CrossEntropy { z, labels, scale, losses: &mut loss });
    loss[0]
}

/// [`softmax_cross_entropy`] of each column: its label in `labels`, its loss into `losses`. Fast as
/// [`softmax_columns`](crate::softmax_columns) is.
///
/// # Panics
///
/// If there are not as many labels and losses as columns, or a label is not below the number of rows.
///
/// ```
/// use densely_tensor::{ColumnsMut, Isa, softmax_cross_entropy_columns};
///
/// let mut z = [0.0, 0.0, 5.0, 5.0]; // two samples of two classes
/// let mut losses = [0.0; 2];
/// let columns = ColumnsMut::new(&mut z, 2, 2);
/// softmax_cross_entropy_columns(Isa::detect(), columns, &[1, 0], 0.5, &mut losses);
/// assert_eq!(losses, [std::f64::consts::LN_2; 2]);
/// assert_eq!(z, [0.25, -0.25, -0.25, 0.25]);
/// ```
#[track_caller]
pub fn softmax_cross_entropy_columns<T: Scalar>(
    isa: Isa,
    z: ColumnsMut<'_, T>,
    labels: &[u32],
    scale: T,
    losses: &mut [f64],
) {
    let (columns, classes) = (z.n_columns(), z.n_rows());
    assert!(
        labels.len() == columns && losses.len() == columns,
        "{columns} columns, {} labels, {} losses",
        labels.len(),
        losses.len()
    );
    if let Some(label) = labels.iter().find(|&&label| label as usize >= classes) {
        panic!("label {label} of {classes} classes");
    }
    isa.run(CrossEntropy { z, labels: Labels::Each(labels), scale, losses });
}

/// The label of each column.
enum Labels<'a> {
    One(usize),
    Each(&'a [u32]),
}

struct CrossEntropy<'a, T> {
    z: ColumnsMut<'a, T>,
    labels: Labels<'a>,
    scale: T,
    losses: &'a mut [f64],
}

impl<T: Scalar> Kernel<T> for CrossEntropy<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<Element = T>>(self) {
        let Self { z, labels, scale, losses } = self;
        z.change_each::<V>(ToGradient { labels, scale, losses });
    }
}

struct ToGradient<'a, T> {
    labels: Labels<'a>,
    scale: T,
    losses: &'a mut [f64],
}

impl Labels<'_> {
    #[inline(always)]
    fn of(&self, column: usize) -> usize {
        match self {
            Labels::One(label) => *label,
            Labels::Each(labels) => labels[column] as usize,
        }
    }
}

/// `ln Σⱼ e^zⱼ − z[label]`, from the sum of e^(zⱼ − largest).
#[inline(always)]
fn loss<T: Scalar>(sum: T, largest: T, logit: T) -> f64 {
    libm::log(sum.to_f64()) + (largest.to_f64() - logit.to_f64())
}

impl<T: Scalar> Change<T> for ToGradient<'_, T> {
    #[inline(always)]
    fn change(&mut self, column: usize, z: &mut [T]) {
        let (label, scale) = (self.labels.of(column), self.scale);
        let logit = z[label];
        let Exponentials { largest, sum } = exponentials(z);
        for (class, z) in z.iter_mut().enumerate() {
            *z = *z / sum * scale - if class == label { scale } else { T::ZERO };
        }
        self.losses[column] = loss(sum, largest, logit);
    }

    #[inline(always)]
    fn change_block(&mut self, columns: Range<usize>, z: &mut [Row<T>]) {
        let scale = self.scale;
        let (mut labels, mut logits) = ([0; SAMPLES], [T::ZERO; SAMPLES]);
        for (sample, column) in columns.clone().enumerate() {
            let label = self.labels.of(column);
            labels[sample] = label as u32;
            logits[sample] = z[label][sample];
        }
        let block::Exponentials { largest, sum } = block::exponentials(z);
        for (class, row) in z.iter_mut().enumerate() {
            for ((z, &sum), &label) in row.iter_mut().zip(&sum).zip(&labels) {
                *z = *z / sum * scale - if class as u32 == label { scale } else { T::ZERO };
            }
        }
        for (sample, target) in self.losses[columns].iter_mut().enumerate() {
            *target = loss(sum[sample], largest[sample], logits[sample]);
        }
    }
}
