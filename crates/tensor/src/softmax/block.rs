//! Sixty-four samples side by side, row after row, so that a vector does to many samples what is done to one.
//!
//! A short sample leaves most of a vector idle and waits for its own maximum, sum and quotient; many together do not. Each
//! keeps the order of its sum (lane i mod 16, the fixed tree), and so its bits.

use crate::arch::transpose::{load_block, transpose};
use crate::arch::{MOST_LANES, Vector};
use crate::reduce::LANES;
use crate::scalar::Scalar;
use std::mem::MaybeUninit;

/// Samples of a block; any number has the same bits. Loops over 16 are unrolled whole before the compiler looks for
/// vectors, and then gather from several rows, at a third of the speed.
pub(super) const SAMPLES: usize = 64;

/// Rows that a block has room for, a multiple of every vector's lanes. With more, a sample's own lanes are busy enough.
pub(super) const MOST_ROWS: usize = 64;

/// One element of each sample.
pub(super) type Row<T> = [T; SAMPLES];

/// Room for the samples of a block.
#[repr(align(64))] // a line of cache, so that no vector crosses one
pub(super) struct Block<T>([MaybeUninit<Row<T>>; MOST_ROWS]);

impl<T: Scalar> Block<T> {
    pub(super) fn new() -> Self {
        Self([const { MaybeUninit::uninit() }; MOST_ROWS])
    }

    /// Columns of `rows` elements, `stride` apart, as rows. Samples beyond the columns are zeros, and so is what there is
    /// of rows beyond `rows`: [`store`] reads those too.
    ///
    /// # Panics
    ///
    /// If there are more than [`MOST_ROWS`] rows, or more than `stride`.
    #[inline(always)]
    pub(super) fn load<V: Vector<Element = T>>(
        &mut self,
        elements: &[T],
        rows: usize,
        stride: usize,
    ) -> &mut [Row<T>] {
        assert!(rows <= MOST_ROWS && rows <= stride, "{rows} rows, {stride} apart");
        let columns = elements.len() / stride;
        for row in (0..rows).step_by(V::LANES) {
            for column in (0..SAMPLES).step_by(V::LANES) {
                let source = elements.as_ptr().wrapping_add(column * stride + row);
                let columns = columns.saturating_sub(column).min(V::LANES);
                // SAFETY: these columns lie in the slice, whose length has room for `columns` whole strides, and these rows
                // in each of them.
                let square = unsafe { load_block::<V>(source, stride, columns, V::LANES.min(rows - row)) };
                for (offset, samples) in transpose(square).iter().enumerate().take(V::LANES) {
                    let target = self.0[row + offset].as_mut_ptr().cast::<T>();
                    // SAFETY: SAMPLES is a multiple of LANES, so the vector lies in the row.
                    unsafe { samples.store(target.add(column)) };
                }
            }
        }
        let loaded = &mut self.0[..rows.next_multiple_of(V::LANES)];
        // SAFETY: the loops have written every sample of these rows.
        unsafe { &mut *(std::ptr::from_mut(loaded) as *mut [Row<T>]) }
    }
}

/// The rows that [`Block::load`] gave, back into the columns that it read.
///
/// # Panics
///
/// If `z` has less than `rows` rows, rounded up to whole vectors, or `rows` is more than `stride`.
#[inline(always)]
pub(super) fn store<V: Vector>(
    z: &[Row<V::Element>],
    elements: &mut [V::Element],
    rows: usize,
    stride: usize,
) {
    assert!(rows <= stride, "{rows} rows, {stride} apart");
    let columns = elements.len() / stride;
    for row in (0..rows).step_by(V::LANES) {
        let (z, count) = (&z[row..row + V::LANES], V::LANES.min(rows - row));
        for column in (0..columns.min(SAMPLES)).step_by(V::LANES) {
            let mut square = [V::splat(V::Element::ZERO); MOST_LANES];
            for (samples, z) in square.iter_mut().zip(z) {
                // SAFETY: SAMPLES is a multiple of LANES, so the vector lies in the row.
                *samples = unsafe { V::load(z.as_ptr().add(column)) };
            }
            let target = elements.as_mut_ptr().wrapping_add(column * stride + row);
            for (offset, column) in transpose(square).iter().enumerate().take(V::LANES.min(columns - column))
            {
                // SAFETY: this column lies in the slice, whose length has room for `columns` whole strides, and these
                // rows in it.
                unsafe { column.store_first(target.wrapping_add(offset * stride), count) };
            }
        }
    }
}

/// The largest element of each sample that is not NaN; −∞ if there is none.
///
/// Unlike [`maximum`](crate::reduce::maximum) it may leave NaN out, because the sum of the exponentials has it; and which
/// of −0 and +0 it finds is free, because what is left of a zero is a zero, whose exponential is 1.
#[inline(always)]
pub(super) fn maxima<T: Scalar>(z: &[Row<T>]) -> Row<T> {
    let mut largest = [T::NEG_INFINITY; SAMPLES];
    for row in z {
        for (largest, &z) in largest.iter_mut().zip(row) {
            *largest = if z > *largest { z } else { *largest };
        }
    }
    largest
}

/// Each sample's lanes, folded as by [`fold`](crate::reduce::fold).
#[inline(always)]
pub(super) fn fold_rows<T: Scalar>(mut lanes: [Row<T>; LANES]) -> Row<T> {
    let mut half = LANES / 2;
    while half > 0 {
        let (kept, added) = lanes.split_at_mut(half);
        for (kept, added) in kept.iter_mut().zip(added) {
            for (sum, &other) in kept.iter_mut().zip(&*added) {
                *sum += other;
            }
        }
        half /= 2;
    }
    lanes[0]
}

/// What [`exponentials`] leaves besides them, of each sample.
pub(super) struct Exponentials<T> {
    pub(super) largest: Row<T>,
    pub(super) sum: Row<T>,
}

/// `z ← e^(z − max z)` in each sample, summed in the order of [`sum_of`](crate::reduce::sum_of).
#[inline(always)]
pub(super) fn exponentials<T: Scalar>(z: &mut [Row<T>]) -> Exponentials<T> {
    let largest = maxima(z);
    let mut lanes = [[T::ZERO; SAMPLES]; LANES];
    for rows in z.chunks_mut(LANES) {
        for (lane, row) in lanes.iter_mut().zip(rows) {
            for ((sum, z), &largest) in lane.iter_mut().zip(row).zip(&largest) {
                *z = (*z - largest).exp();
                *sum += *z;
            }
        }
    }
    Exponentials { largest, sum: fold_rows(lanes) }
}
