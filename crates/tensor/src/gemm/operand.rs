//! The operands of a product: plain matrices with any strides, or tiled ones, which are read and written where they lie.

use crate::scalar::Scalar;
use crate::tiled::{TILE_ROWS, Tiled, TiledMut, TiledRef};
use crate::view::{MatMut, MatRef};
use nalgebra::storage::{Storage, StorageMut};
use nalgebra::{Dim, Matrix};
use std::marker::PhantomData;

/// Where the elements of a matrix lie: in blocks of 64 × 64, with strides inside a block and from block to block.
///
/// Element (i, j) is `i / 64 · row_block + i % 64 · row_stride + j / 64 · column_block + j % 64 · column_stride` elements
/// from the first. For a plain matrix a block stride is 64 times the stride inside; in a [`Tiled`] one the rows of
/// the next tile follow after all columns of this one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) row_stride: usize,
    pub(super) column_stride: usize,
    pub(super) row_block: usize,
    pub(super) column_block: usize,
}

impl Layout {
    pub(super) fn plain(rows: usize, columns: usize, row_stride: usize, column_stride: usize) -> Self {
        // Without a second block the block stride is not used, and may be larger than an address.
        let block = |stride: usize| stride.wrapping_mul(TILE_ROWS);
        let (row_block, column_block) = (block(row_stride), block(column_stride));
        Self { rows, columns, row_stride, column_stride, row_block, column_block }
    }

    pub(super) fn tiled(rows: usize, columns: usize, tile_rows: usize) -> Self {
        Self { row_block: tile_rows * columns, ..Self::plain(rows, columns, 1, tile_rows) }
    }

    pub(super) fn t(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            row_block: self.column_block,
            column_block: self.row_block,
        }
    }

    /// The size of all elements.
    pub(super) fn bytes<T: Scalar>(&self) -> usize {
        self.rows.saturating_mul(self.columns).saturating_mul(T::SIZE)
    }

    /// Whether columns are one stride apart throughout.
    pub(super) fn is_even(&self) -> bool {
        self.columns <= TILE_ROWS || self.column_block == self.column_stride.wrapping_mul(TILE_ROWS)
    }

    /// How far element (i, j) is from the first.
    #[inline(always)]
    pub(super) fn offset(&self, i: usize, j: usize) -> usize {
        i / TILE_ROWS * self.row_block
            + i % TILE_ROWS * self.row_stride
            + j / TILE_ROWS * self.column_block
            + j % TILE_ROWS * self.column_stride
    }
}

/// A matrix that a product reads: made from a [`MatRef`], a nalgebra matrix, or a [`Tiled`] one, which needs no packing.
#[derive(Clone, Copy, Debug)]
pub struct Operand<'a, T> {
    pub(super) pointer: *const T,
    pub(super) layout: Layout,
    lifetime: PhantomData<&'a [T]>,
}

/// A matrix that a product writes: made from a [`MatMut`], a nalgebra matrix, or a [`Tiled`] one.
///
/// A tiled matrix keeps its rows of padding as they are.
#[derive(Debug)]
pub struct Target<'a, T> {
    pub(super) pointer: *mut T,
    pub(super) layout: Layout,
    lifetime: PhantomData<&'a mut [T]>,
}

// SAFETY: an `Operand` stands for a `&[T]`, which is `Send` and `Sync` where `T` is `Sync`.
unsafe impl<T: Sync> Send for Operand<'_, T> {}
// SAFETY: as above.
unsafe impl<T: Sync> Sync for Operand<'_, T> {}
// SAFETY: a `Target` stands for a `&mut [T]`, which is `Send` where `T` is.
unsafe impl<T: Send> Send for Target<'_, T> {}
// SAFETY: through a shared `Target` only its shape can be read; the product's threads write disjoint elements.
unsafe impl<T: Send + Sync> Sync for Target<'_, T> {}

impl<T: Scalar> Operand<'_, T> {
    /// Number of rows.
    pub fn n_rows(&self) -> usize {
        self.layout.rows
    }

    /// Number of columns.
    pub fn n_columns(&self) -> usize {
        self.layout.columns
    }

    /// The transpose: the same elements, rows and columns exchanged.
    pub fn t(self) -> Self {
        Self { layout: self.layout.t(), ..self }
    }

    /// Whether the elements of a row lie side by side, and those of a column do not.
    pub(super) fn has_contiguous_rows(&self) -> bool {
        self.layout.column_stride == 1 && self.layout.row_stride != 1
    }
}

impl<T: Scalar> Target<'_, T> {
    /// Number of rows.
    pub fn n_rows(&self) -> usize {
        self.layout.rows
    }

    /// Number of columns.
    pub fn n_columns(&self) -> usize {
        self.layout.columns
    }

    /// The transpose: the same elements, rows and columns exchanged.
    pub(super) fn t(self) -> Self {
        Self { layout: self.layout.t(), ..self }
    }
}

impl<'a, T: Scalar> From<MatRef<'a, T>> for Operand<'a, T> {
    fn from(matrix: MatRef<'a, T>) -> Self {
        let layout = Layout::plain(matrix.rows, matrix.columns, matrix.row_stride, matrix.column_stride);
        Self { pointer: matrix.pointer, layout, lifetime: PhantomData }
    }
}

impl<'a, T: Scalar> From<TiledRef<'a, T>> for Operand<'a, T> {
    fn from(matrix: TiledRef<'a, T>) -> Self {
        let layout = Layout::tiled(matrix.n_rows(), matrix.n_columns(), matrix.tile_rows());
        Self { pointer: matrix.elements().as_ptr(), layout, lifetime: PhantomData }
    }
}

impl<'a, T: Scalar> From<&'a Tiled<T>> for Operand<'a, T> {
    fn from(matrix: &'a Tiled<T>) -> Self {
        matrix.as_ref().into()
    }
}

impl<'a, T: Scalar, R: Dim, C: Dim, S: Storage<T, R, C>> From<&'a Matrix<T, R, C, S>> for Operand<'a, T> {
    fn from(matrix: &'a Matrix<T, R, C, S>) -> Self {
        MatRef::from(matrix).into()
    }
}

impl<'a, T: Scalar> From<MatMut<'a, T>> for Target<'a, T> {
    fn from(matrix: MatMut<'a, T>) -> Self {
        let layout = Layout::plain(matrix.rows, matrix.columns, matrix.row_stride, matrix.column_stride);
        Self { pointer: matrix.pointer, layout, lifetime: PhantomData }
    }
}

impl<'a, T: Scalar> From<TiledMut<'a, T>> for Target<'a, T> {
    fn from(matrix: TiledMut<'a, T>) -> Self {
        let layout = Layout::tiled(matrix.n_rows(), matrix.n_columns(), matrix.tile_rows());
        Self { pointer: matrix.into_slice().as_mut_ptr(), layout, lifetime: PhantomData }
    }
}

impl<'a, T: Scalar> From<&'a mut Tiled<T>> for Target<'a, T> {
    fn from(matrix: &'a mut Tiled<T>) -> Self {
        matrix.as_mut().into()
    }
}

impl<'a, T: Scalar, R: Dim, C: Dim, S: StorageMut<T, R, C>> From<&'a mut Matrix<T, R, C, S>>
    for Target<'a, T>
{
    #[track_caller]
    fn from(matrix: &'a mut Matrix<T, R, C, S>) -> Self {
        MatMut::from(matrix).into()
    }
}
