//! The samples of a batch.

use crate::scalar::Scalar;

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

    /// Changes each column.
    #[inline(always)]
    pub(super) fn change_each(self, mut change: impl Change<T>) {
        for (column, elements) in self.elements.chunks_exact_mut(self.stride).enumerate() {
            change.change(column, &mut elements[..self.rows]);
        }
    }
}

/// What is done to a column. Implementations are marked `#[inline(always)]`, which closures cannot be: one that the
/// compiler leaves a function is compiled without the vectors of the instruction set.
pub(super) trait Change<T> {
    /// Changes it.
    fn change(&mut self, column: usize, z: &mut [T]);
}
