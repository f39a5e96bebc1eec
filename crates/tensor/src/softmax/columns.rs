//! The samples of a batch.

use super::block::{Block, MOST_ROWS, Row, SAMPLES, store};
use crate::arch::Vector;
use crate::scalar::Scalar;
use std::ops::Range;

/// Columns of `rows` elements, each `stride` after the one before: the samples of a batch, column-major with a stride of
/// `rows`, or in one tile with its rows of padding (see [`Tiled`](crate::Tiled)). What lies between them stays as it is.
#[derive(Debug)]
pub struct ColumnsMut<'a, T> {
    elements: &'a mut [T],
    rows: usize,
    stride: usize,
}

impl<'a, T: Scalar> ColumnsMut<'a, T> {
    /// All of `elements`.
    ///
    /// # Panics
    ///
    /// If `stride` is 0 or less than `rows`, or does not divide the number of elements.
    #[track_caller]
    pub fn new(elements: &'a mut [T], rows: usize, stride: usize) -> Self {
        let len = elements.len();
        let fits = stride >= rows && stride > 0 && len.is_multiple_of(stride);
        assert!(fits, "{len} elements in columns of {rows}, {stride} apart");
        Self { elements, rows, stride }
    }

    /// The only column.
    pub(super) fn one(elements: &'a mut [T]) -> Self {
        let rows = elements.len();
        Self { elements, rows, stride: rows.max(1) }
    }

    /// Elements of a column.
    pub fn n_rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    pub fn n_columns(&self) -> usize {
        self.elements.len() / self.stride
    }

    /// Changes each column, many together where that is faster.
    #[inline(always)]
    pub(super) fn change_each<V: Vector<Element = T>>(self, mut change: impl Change<T>) {
        let (rows, stride) = (self.rows, self.stride);
        let mut block = Block::new();
        for (index, elements) in self.elements.chunks_mut(stride.saturating_mul(SAMPLES)).enumerate() {
            let (first, columns) = (index * SAMPLES, elements.len() / stride);
            if rows <= MOST_ROWS && columns * V::LANES >= FEWEST_COLUMNS_TIMES_LANES {
                let z = block.load::<V>(elements, rows, stride);
                change.change_block(first..first + columns, &mut z[..rows]);
                store::<V>(z, elements, rows, stride);
            } else {
                for (column, elements) in elements.chunks_exact_mut(stride).enumerate() {
                    change.change(first + column, &mut elements[..rows]);
                }
            }
        }
    }
}

/// With fewer columns in a block than this over a vector's lanes, they are faster one by one: a block takes the time of
/// its vectors, however many of its samples are used. (Measured with ten rows on AVX2 and AVX-512, in both precisions.)
const FEWEST_COLUMNS_TIMES_LANES: usize = 80;

/// What is done to a column. Implementations are marked `#[inline(always)]`, which closures cannot be: one that the
/// compiler leaves a function is compiled without the vectors of the instruction set.
pub(super) trait Change<T> {
    /// Changes it.
    fn change(&mut self, column: usize, z: &mut [T]);
    /// Changes these columns, at most [`SAMPLES`], to the same bits: `z[row]` holds one row of all of them. Those of `z` that are
    /// not among them hold zeros, and are changed to no matter what.
    fn change_block(&mut self, columns: Range<usize>, z: &mut [Row<T>]);
}
