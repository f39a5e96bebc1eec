//! The weight gradient's chains over the nonzeros of the input.

use crate::arch::{MOST_LANES, Vector};
use crate::isa::{Isa, Kernel};
use crate::scalar::Scalar;
use crate::sparse::Nonzeros;
use crate::tiled::{TILE_ROWS, TiledRef};
use crate::update::{Ahead, Gradient, Run};
use std::ops::Range;

/// Columns `inputs` of one tile of `Δ·Xᵀ`: for each, a chain over the samples in which the input is not zero.
pub(crate) struct SparseColumns<'a, T: Scalar> {
    /// One tile of Δ, as many columns as X has samples.
    delta: TiledRef<'a, T>,
    input: &'a Nonzeros<T>,
    /// Those that are left to be computed.
    inputs: Range<usize>,
}

impl<'a, T: Scalar> SparseColumns<'a, T> {
    pub(crate) fn new(delta: TiledRef<'a, T>, input: &'a Nonzeros<T>, inputs: Range<usize>) -> Self {
        assert_eq!(delta.n_columns(), input.n_samples(), "samples of delta and of the input");
        assert!(delta.tile_rows().is_multiple_of(MOST_LANES), "whole vectors");
        Self { delta, input, inputs }
    }

    /// Writes all columns to `gradient`.
    pub(crate) fn store(self, isa: Isa, gradient: &mut [T]) {
        isa.run(Store { columns: self, gradient });
    }

    /// Writes the next column to the front of `gradient`; returns how many elements.
    ///
    /// # Panics
    ///
    /// If none is left, or there is no room for it.
    #[inline(always)]
    fn write_next<V: Vector<Element = T>>(&mut self, gradient: &mut [T]) -> usize {
        let (delta, height) = (self.delta.tile(0).as_ptr(), self.delta.tile_rows());
        let input = self.inputs.next().expect("a column is left");
        let list = self.input.feature(input);
        let column = &mut gradient[..height];
        let mut row = 0;
        while row < height {
            let (delta, target) = (delta.wrapping_add(row), column[row..].as_mut_ptr());
            // SAFETY: X's samples are below `n_samples`, the number of delta's columns, each of which, as the gradient's
            // column, has the whole vectors that are left from `row` on (both checked by `new`).
            row += V::LANES
                * unsafe {
                    match (height - row) / V::LANES {
                        8.. => chains::<V, 8>(delta, height, list, target),
                        4.. => chains::<V, 4>(delta, height, list, target),
                        2.. => chains::<V, 2>(delta, height, list, target),
                        _ => chains::<V, 1>(delta, height, list, target),
                    }
                };
        }
        height
    }
}

/// An optimizer takes each column from the first-level cache, and while the CPU works on its roots and quotients the next
/// column's sums begin.
impl<T: Scalar> Gradient<T> for SparseColumns<'_, T> {
    fn len(&self) -> usize {
        self.inputs.len() * self.delta.tile_rows()
    }

    #[inline(always)]
    fn next_run<'a, V: Vector<Element = T>, const MOMENTS: usize>(
        &'a mut self,
        space: &'a mut Run<T>,
        ahead: Ahead<T, MOMENTS>,
    ) -> &'a [T] {
        match self.write_next::<V>(&mut space.0) {
            TILE_ROWS => ahead.fetch::<V>(TILE_ROWS), // a length that the compiler knows: no loop
            less => ahead.fetch::<V>(less),
        }
        &space.0[..self.delta.tile_rows()]
    }
}

pub(super) struct Store<'a, T: Scalar> {
    pub(super) columns: SparseColumns<'a, T>,
    pub(super) gradient: &'a mut [T],
}

impl<T: Scalar> Kernel<T> for Store<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<Element = T>>(mut self) {
        assert_eq!(self.gradient.len(), self.columns.len(), "columns of the gradient");
        let mut written = 0;
        while written < self.gradient.len() {
            written += self.columns.write_next::<V>(&mut self.gradient[written..]);
        }
    }
}

/// The chains of `MV` vectors of rows of one column; gives back `MV`.
///
/// # Safety
///
/// `delta` must be valid for reading `MV` vectors at `height` times each sample, `target` for writing them.
#[inline(always)]
unsafe fn chains<V: Vector, const MV: usize>(
    delta: *const V::Element,
    height: usize,
    (samples, values): (&[u32], &[V::Element]),
    target: *mut V::Element,
) -> usize {
    let zero = V::splat(V::Element::ZERO);
    let mut sums = [zero; MV];
    for (&sample, &value) in samples.iter().zip(values) {
        let value = V::splat(value);
        for (i, sum) in sums.iter_mut().enumerate() {
            // SAFETY: the caller vouches for each sample's rows.
            let rows = unsafe { V::load(delta.add(sample as usize * height + i * V::LANES)) };
            *sum = rows.mul_add(value, *sum);
        }
    }
    for (i, sum) in sums.iter().enumerate() {
        // SAFETY: the caller vouches for the target. A sum of −0 becomes +0.
        unsafe { sum.add(zero).store(target.add(i * V::LANES)) };
    }
    MV
}
