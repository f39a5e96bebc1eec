//! Matrices that somebody else owns: a pointer, a shape and two strides.
//!
//! Every operand of a product is one of these views, made from a slice or from a nalgebra matrix. A transpose is a
//! property of the operand ([`MatRef::t`] swaps shape and strides), not a flag of the product.

use crate::scalar::Scalar;
use nalgebra::storage::{Storage, StorageMut};
use nalgebra::{Dim, Matrix};
use std::marker::PhantomData;
use std::ops::Range;

/// A matrix to read: element (row, column) is `row · row_stride + column · column_stride` elements from the first.
///
/// ```
/// use densely_tensor::MatRef;
///
/// let a = MatRef::from_slice(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 2, 3); // column-major: (1 3 5 / 2 4 6)
/// assert_eq!(a.get(0, 2), 5.0);
/// assert_eq!(a.t().get(2, 0), 5.0);
/// assert_eq!(a.columns(1..3).get(1, 0), 4.0);
/// ```
#[derive(Clone, Copy)]
pub struct MatRef<'a, T> {
    pub(crate) pointer: *const T,
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    pub(crate) row_stride: usize,
    pub(crate) column_stride: usize,
    lifetime: PhantomData<&'a [T]>,
}

/// A matrix to write. No two of its elements share a place in memory.
pub struct MatMut<'a, T> {
    pub(crate) pointer: *mut T,
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    pub(crate) row_stride: usize,
    pub(crate) column_stride: usize,
    lifetime: PhantomData<&'a mut [T]>,
}

// SAFETY: a `MatRef` stands for a `&[T]`, which is `Send` and `Sync` where `T` is `Sync`.
unsafe impl<T: Sync> Send for MatRef<'_, T> {}
// SAFETY: as above.
unsafe impl<T: Sync> Sync for MatRef<'_, T> {}
// SAFETY: a `MatMut` stands for a `&mut [T]`, which is `Send` where `T` is.
unsafe impl<T: Send> Send for MatMut<'_, T> {}
// SAFETY: through a shared `MatMut` elements are only read, but for the pool's parts, whose ranges are disjoint and whose
// threads then own them, for which `T: Send` is asked as well.
unsafe impl<T: Send + Sync> Sync for MatMut<'_, T> {}

/// The strides of a view. Those of a matrix without elements become 0, and one that leads nowhere, as there is only one row
/// or column, is not longer than the other dimension: no arithmetic on them overflows.
fn strides(rows: usize, columns: usize, row_stride: usize, column_stride: usize) -> (usize, usize) {
    if rows == 0 || columns == 0 {
        return (0, 0);
    }
    let row_stride = if rows == 1 { row_stride.min(columns) } else { row_stride };
    let column_stride = if columns == 1 { column_stride.min(rows) } else { column_stride };
    (row_stride, column_stride)
}

/// Elements from the first to one past the last, or `None` when that overflows.
fn extent(rows: usize, columns: usize, row_stride: usize, column_stride: usize) -> Option<usize> {
    if rows == 0 || columns == 0 {
        return Some(0);
    }
    let last_row = (rows - 1).checked_mul(row_stride)?;
    let last_column = (columns - 1).checked_mul(column_stride)?;
    last_row.checked_add(last_column)?.checked_add(1)
}

#[track_caller]
fn check_extent(len: usize, rows: usize, columns: usize, row_stride: usize, column_stride: usize) {
    let needed = extent(rows, columns, row_stride, column_stride);
    assert!(
        needed.is_some_and(|needed| needed <= len),
        "a {rows} × {columns} matrix with strides {row_stride} and {column_stride} needs more than {len} elements"
    );
}

/// Panics if strides could let two elements share a place.
#[track_caller]
fn check_distinct(rows: usize, columns: usize, row_stride: usize, column_stride: usize) {
    // The larger stride must reach beyond all that the smaller one spans.
    let distinct = |inner: usize, inner_stride: usize, outer: usize, outer_stride: usize| {
        (inner <= 1 || inner_stride > 0) && (outer <= 1 || outer_stride > (inner.max(1) - 1) * inner_stride)
    };
    assert!(
        rows == 0
            || columns == 0
            || distinct(rows, row_stride, columns, column_stride)
            || distinct(columns, column_stride, rows, row_stride),
        "strides {row_stride} and {column_stride} let elements of a {rows} × {columns} matrix overlap"
    );
}

#[track_caller]
fn check_range(what: &str, range: &Range<usize>, len: usize) {
    assert!(range.start <= range.end && range.end <= len, "{what} {range:?} of a matrix that has {len}");
}

impl<'a, T: Scalar> MatRef<'a, T> {
    /// A column-major matrix without gaps.
    ///
    /// # Panics
    ///
    /// If `slice` does not have exactly `rows · columns` elements.
    #[track_caller]
    pub fn from_slice(slice: &'a [T], rows: usize, columns: usize) -> Self {
        assert_eq!(Some(slice.len()), rows.checked_mul(columns), "a {rows} × {columns} matrix");
        Self::with_strides(slice, rows, columns, 1, rows)
    }

    /// A matrix with any strides, also zero.
    ///
    /// # Panics
    ///
    /// If the last element lies outside `slice`.
    #[track_caller]
    pub fn with_strides(
        slice: &'a [T],
        rows: usize,
        columns: usize,
        row_stride: usize,
        column_stride: usize,
    ) -> Self {
        check_extent(slice.len(), rows, columns, row_stride, column_stride);
        let (row_stride, column_stride) = strides(rows, columns, row_stride, column_stride);
        Self { pointer: slice.as_ptr(), rows, columns, row_stride, column_stride, lifetime: PhantomData }
    }

    /// Number of rows.
    pub fn n_rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    pub fn n_columns(&self) -> usize {
        self.columns
    }

    /// The transpose: the same elements, rows and columns exchanged.
    pub fn t(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }

    /// One element.
    ///
    /// # Panics
    ///
    /// If `row` or `column` is outside.
    #[track_caller]
    pub fn get(&self, row: usize, column: usize) -> T {
        assert!(row < self.rows && column < self.columns, "element ({row}, {column})");
        // SAFETY: the constructors checked that every element of the shape lies in the borrowed slice.
        unsafe { *self.pointer.add(row * self.row_stride + column * self.column_stride) }
    }

    /// One column as a slice.
    ///
    /// # Panics
    ///
    /// If `column` is outside, or if a column is not contiguous (row stride other than 1).
    #[track_caller]
    pub fn column(&self, column: usize) -> &'a [T] {
        assert!(column < self.columns, "column {column} of a matrix that has {}", self.columns);
        assert!(self.row_stride == 1 || self.rows <= 1, "a column with row stride {}", self.row_stride);
        // SAFETY: the constructors checked that the whole shape lies in the borrowed slice; stride 1 makes it one run. Without
        // rows the stride is 0 and so is the length.
        unsafe { std::slice::from_raw_parts(self.pointer.add(column * self.column_stride), self.rows) }
    }

    /// A range of columns.
    ///
    /// # Panics
    ///
    /// If the range goes beyond the last column.
    #[track_caller]
    pub fn columns(self, range: Range<usize>) -> Self {
        check_range("columns", &range, self.columns);
        let offset = if range.is_empty() { 0 } else { range.start * self.column_stride };
        // SAFETY: a range that is not empty starts at an element of the matrix, or the stride is 0 and there is none.
        Self { pointer: unsafe { self.pointer.add(offset) }, columns: range.len(), ..self }
    }

    /// A range of rows.
    ///
    /// # Panics
    ///
    /// If the range goes beyond the last row.
    #[track_caller]
    pub fn rows(self, range: Range<usize>) -> Self {
        self.t().columns(range).t()
    }
}

impl<'a, T: Scalar> MatMut<'a, T> {
    /// A column-major matrix without gaps.
    ///
    /// # Panics
    ///
    /// If `slice` does not have exactly `rows · columns` elements.
    #[track_caller]
    pub fn from_slice(slice: &'a mut [T], rows: usize, columns: usize) -> Self {
        assert_eq!(Some(slice.len()), rows.checked_mul(columns), "a {rows} × {columns} matrix");
        Self::with_strides(slice, rows, columns, 1, rows)
    }

    /// A matrix with any strides under which no two elements meet.
    ///
    /// # Panics
    ///
    /// If the last element lies outside `slice`, or if the strides could let two elements share a place: the larger
    /// stride must reach beyond all that the smaller one spans.
    #[track_caller]
    pub fn with_strides(
        slice: &'a mut [T],
        rows: usize,
        columns: usize,
        row_stride: usize,
        column_stride: usize,
    ) -> Self {
        check_extent(slice.len(), rows, columns, row_stride, column_stride);
        check_distinct(rows, columns, row_stride, column_stride);
        let (row_stride, column_stride) = strides(rows, columns, row_stride, column_stride);
        Self { pointer: slice.as_mut_ptr(), rows, columns, row_stride, column_stride, lifetime: PhantomData }
    }

    /// Number of rows.
    pub fn n_rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    pub fn n_columns(&self) -> usize {
        self.columns
    }

    /// A view for reading.
    pub fn as_ref(&self) -> MatRef<'_, T> {
        MatRef {
            pointer: self.pointer,
            rows: self.rows,
            columns: self.columns,
            row_stride: self.row_stride,
            column_stride: self.column_stride,
            lifetime: PhantomData,
        }
    }

    /// A view for writing that ends before this one does.
    pub fn as_mut(&mut self) -> MatMut<'_, T> {
        MatMut { lifetime: PhantomData, ..*self }
    }

    /// A second view of the same elements.
    ///
    /// # Safety
    ///
    /// No element may be reached through both views while either is in use.
    pub(crate) unsafe fn duplicate(&self) -> Self {
        Self { ..*self }
    }

    /// The transpose: the same elements, rows and columns exchanged.
    pub fn t(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }

    /// Changes one element.
    ///
    /// # Panics
    ///
    /// If `row` or `column` is outside.
    #[track_caller]
    pub fn set(&mut self, row: usize, column: usize, value: T) {
        assert!(row < self.rows && column < self.columns, "element ({row}, {column})");
        // SAFETY: the constructors checked that every element of the shape lies in the slice, whose borrow is exclusive.
        unsafe { *self.pointer.add(row * self.row_stride + column * self.column_stride) = value };
    }

    /// One column as a slice.
    ///
    /// # Panics
    ///
    /// If `column` is outside, or if a column is not contiguous (row stride other than 1).
    #[track_caller]
    pub fn column_mut(&mut self, column: usize) -> &mut [T] {
        assert!(column < self.columns, "column {column} of a matrix that has {}", self.columns);
        assert!(self.row_stride == 1 || self.rows <= 1, "a column with row stride {}", self.row_stride);
        // SAFETY: as in `MatRef::column`, and the borrow is exclusive.
        unsafe { std::slice::from_raw_parts_mut(self.pointer.add(column * self.column_stride), self.rows) }
    }

    /// A range of columns.
    ///
    /// # Panics
    ///
    /// If the range goes beyond the last column.
    #[track_caller]
    pub fn columns(self, range: Range<usize>) -> Self {
        check_range("columns", &range, self.columns);
        let offset = if range.is_empty() { 0 } else { range.start * self.column_stride };
        // SAFETY: a range that is not empty starts at an element of the matrix, or the stride is 0 and there is none.
        Self { pointer: unsafe { self.pointer.add(offset) }, columns: range.len(), ..self }
    }

    /// The whole matrix as one slice, column after column.
    ///
    /// # Panics
    ///
    /// If there are gaps between its columns or elements.
    #[track_caller]
    pub fn into_slice(self) -> &'a mut [T] {
        let one_run_of_rows = self.rows <= 1 || self.row_stride == 1;
        let no_gaps = self.columns <= 1 || self.column_stride == self.rows;
        let contiguous = self.rows * self.columns == 0 || one_run_of_rows && no_gaps;
        assert!(contiguous, "a matrix with gaps is not one slice");
        // SAFETY: without gaps the elements that the constructor checked are one run, borrowed for 'a.
        unsafe { std::slice::from_raw_parts_mut(self.pointer, self.rows * self.columns) }
    }
}

impl<'a, T: Scalar, R: Dim, C: Dim, S: Storage<T, R, C>> From<&'a Matrix<T, R, C, S>> for MatRef<'a, T> {
    fn from(matrix: &'a Matrix<T, R, C, S>) -> Self {
        let (rows, columns) = matrix.shape();
        let (row_stride, column_stride) = matrix.strides();
        let (row_stride, column_stride) = strides(rows, columns, row_stride, column_stride);
        // nalgebra's storage keeps the same promise as our constructors: the whole shape is borrowed memory.
        Self { pointer: matrix.as_ptr(), rows, columns, row_stride, column_stride, lifetime: PhantomData }
    }
}

impl<'a, T: Scalar, R: Dim, C: Dim, S: StorageMut<T, R, C>> From<&'a mut Matrix<T, R, C, S>>
    for MatMut<'a, T>
{
    #[track_caller]
    fn from(matrix: &'a mut Matrix<T, R, C, S>) -> Self {
        let (rows, columns) = matrix.shape();
        let (row_stride, column_stride) = matrix.strides();
        check_distinct(rows, columns, row_stride, column_stride);
        let (row_stride, column_stride) = strides(rows, columns, row_stride, column_stride);
        Self {
            pointer: matrix.data.ptr_mut(),
            rows,
            columns,
            row_stride,
            column_stride,
            lifetime: PhantomData,
        }
    }
}
