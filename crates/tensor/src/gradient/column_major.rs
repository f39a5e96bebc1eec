//! The gradients of a dense layer's parameters, and their use on the spot.
//!
//! For `Z = W·X + b` and the gradient Δ with respect to Z, backpropagation gives `∇W = Δ·Xᵀ`, `∇b = Σ Δ` over the
//! samples, and `∇X = Wᵀ·Δ` (Goodfellow, Bengio and Courville, *Deep Learning*, 2016, algorithm 6.4). The first is as large
//! as W; [`update_with_weight_gradient`] computes a few of its columns at a time and applies the optimizer while they are
//! still in the cache, so that the whole never goes to memory.

use super::weight::check_moments;
use crate::arch::Vector;
use crate::gemm::{Epilogue, gemm_on_one_thread};
use crate::isa::Kernel;
use crate::pool::{PerThread, Pool};
use crate::scalar::Scalar;
use crate::update::{MOST_MOMENTS, Update};
use crate::view::{MatMut, MatRef};

/// Bytes of gradient that a thread computes before it applies them: they stay in a second-level cache.
const CHUNK_BYTES: usize = 256 * 1024;

/// How many elements of scratch space each thread needs for [`update_with_weight_gradient`] of a layer with `units` units.
pub fn update_chunk<T: Scalar>(units: usize) -> usize {
    let columns = (CHUNK_BYTES / T::SIZE / units.max(1)).max(8);
    units * columns
}

/// `W ← update(W, Δ·Xᵀ)` without the gradient ever being whole in memory; the bits are those of the product followed by
/// [`Update::apply`].
///
/// `delta` is units × samples, `input` inputs × samples, `kernel` and each moment that the rule needs units × inputs,
/// column-major. `scratch` has [`update_chunk`] elements for each of the pool's threads.
///
/// # Panics
///
/// If a shape does not fit; the message names the operand.
#[track_caller]
pub fn update_with_weight_gradient<T: Scalar>(
    pool: &Pool,
    update: &Update<T>,
    delta: MatRef<'_, T>,
    input: MatRef<'_, T>,
    kernel: &mut [T],
    moments: [&mut [T]; MOST_MOMENTS],
    scratch: &mut [T],
) {
    let (units, inputs) = (delta.n_rows(), input.n_rows());
    assert_eq!(delta.n_columns(), input.n_columns(), "samples of delta and of the input");
    assert!(
        scratch.len() >= update_chunk::<T>(units) * pool.threads(),
        "scratch of {} elements",
        scratch.len()
    );
    assert_eq!(kernel.len(), units * inputs, "elements of a kernel of {units} units × {inputs} inputs");
    check_moments(update, kernel.len(), &moments);
    let kernel = MatMut::from_slice(kernel, units, inputs);
    // A moment that the rule does not need has no rows.
    let [first, second, third] = moments.map(|moment| {
        let rows = if moment.is_empty() { 0 } else { units };
        MatMut::from_slice(moment, rows, inputs)
    });
    pool.for_each_part(
        8,
        (kernel, first, second, third, PerThread(scratch)),
        |range, (kernel, first, second, third, scratch)| {
            let columns = scratch.len() / units.max(1);
            let mut kernel = kernel.into_slice().chunks_mut((units * columns).max(1));
            let mut first = first.into_slice().chunks_mut((units * columns).max(1));
            let mut second = second.into_slice().chunks_mut((units * columns).max(1));
            let mut third = third.into_slice().chunks_mut((units * columns).max(1));
            let mut start = range.start;
            for kernel in &mut kernel {
                let end = range.end.min(start + columns);
                let gradient = &mut scratch[..units * (end - start)];
                let target = MatMut::from_slice(gradient, units, end - start);
                let input = input.rows(start..end).t();
                gemm_on_one_thread(pool.isa(), target, T::ONE, delta, input, T::ZERO, Epilogue::None);
                let moments =
                    [&mut first, &mut second, &mut third].map(|moment| moment.next().unwrap_or_default());
                update.apply(pool.isa(), kernel, gradient, moments);
                start = end;
            }
        },
    );
}

/// `sums[row] ← Σ matrix[row, column]`, the columns added one after the other.
///
/// # Panics
///
/// If `sums` is not as long as the matrix has rows, or if a column is not contiguous.
#[track_caller]
pub fn row_sums<T: Scalar>(pool: &Pool, matrix: MatRef<'_, T>, sums: &mut [T]) {
    assert_eq!(matrix.n_rows(), sums.len(), "rows and sums");
    pool.for_each_part(64, sums, |rows, sums| pool.isa().run(RowSums { matrix: matrix.rows(rows), sums }));
}

struct RowSums<'a, T> {
    matrix: MatRef<'a, T>,
    sums: &'a mut [T],
}

impl<T: Scalar> Kernel<T> for RowSums<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<Element = T>>(self) {
        self.sums.fill(T::ZERO);
        for column in 0..self.matrix.n_columns() {
            for (sum, &x) in self.sums.iter_mut().zip(self.matrix.column(column)) {
                *sum += x;
            }
        }
    }
}
