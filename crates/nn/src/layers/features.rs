//! Loops over a batch's features and samples, which several layers have in common.

use crate::layers::pass::Training;
use densely_tensor::{MatMut, MatRef, Pool, Scalar};

/// Features that are summed together: a cache line in single precision.
const BLOCK: usize = 16;

/// For each feature the sum over the samples of `term(feature, sample, a, b)`, where `a` and `b` are the elements of the
/// two matrices there. Summed in the order of the samples, in double precision for either type, rounded once.
pub(super) fn sums_over_samples<T: Scalar>(
    pool: &Pool,
    sums: &mut [T],
    a: MatRef<'_, T>,
    b: MatRef<'_, T>,
    term: impl Fn(usize, usize, f64, f64) -> f64 + Sync,
) {
    pool.for_each_part(BLOCK, sums, |range, sums| {
        for (block, sums) in sums.chunks_mut(BLOCK).enumerate() {
            let first = range.start + block * BLOCK;
            let features = first..first + sums.len();
            let mut totals = [0.0; BLOCK];
            for sample in 0..a.n_columns() {
                let (a, b) = (&a.column(sample)[features.clone()], &b.column(sample)[features.clone()]);
                for (((total, feature), a), b) in totals.iter_mut().zip(features.clone()).zip(a).zip(b) {
                    *total += term(feature, sample, a.to_f64(), b.to_f64());
                }
            }
            for (sum, total) in sums.iter_mut().zip(totals) {
                *sum = T::from_f64(total);
            }
        }
    });
}

/// `output[feature, sample] ← f(feature, input[feature, sample])`
pub(super) fn map<T: Scalar>(
    pool: &Pool,
    input: MatRef<'_, T>,
    output: MatMut<'_, T>,
    f: impl Fn(usize, T) -> T + Sync,
) {
    pool.for_each_part(1, (input, output), |_, (input, mut output)| {
        for sample in 0..input.n_columns() {
            let values = output.column_mut(sample).iter_mut().zip(input.column(sample));
            for (feature, (y, &x)) in values.enumerate() {
                *y = f(feature, x);
            }
        }
    });
}

/// `output[feature, sample] ← f(feature, sample, a[feature, sample], b[feature, sample])`
pub(super) fn map_pairs<T: Scalar>(
    pool: &Pool,
    a: MatRef<'_, T>,
    b: MatRef<'_, T>,
    output: MatMut<'_, T>,
    f: impl Fn(usize, usize, T, T) -> T + Sync,
) {
    pool.for_each_part(1, (a, b, output), |samples, (a, b, mut output)| {
        for (column, sample) in samples.enumerate() {
            let values = output.column_mut(column).iter_mut().zip(a.column(column)).zip(b.column(column));
            for (feature, ((y, &a), &b)) in values.enumerate() {
                *y = f(feature, sample, a, b);
            }
        }
    });
}

/// `f(input, output)` for each sample; in training, what it gives back is kept.
pub(super) fn each_sample<T: Scalar, const KEPT: usize>(
    pool: &Pool,
    input: MatRef<'_, T>,
    output: MatMut<'_, T>,
    training: Option<Training<'_, T>>,
    f: impl Fn(&[T], &mut [T]) -> [T; KEPT] + Sync,
) {
    let Some(training) = training else {
        return pool.for_each_part(1, (input, output), |_, (input, mut output)| {
            for sample in 0..input.n_columns() {
                f(input.column(sample), output.column_mut(sample));
            }
        });
    };
    let parts = (input, output, training.kept.samples);
    pool.for_each_part(1, parts, |_, (input, mut output, mut kept)| {
        for sample in 0..input.n_columns() {
            let of_sample = f(input.column(sample), output.column_mut(sample));
            kept.column_mut(sample).copy_from_slice(&of_sample);
        }
    });
}
