//! Matrices in tiles of 64 rows: the layout that products read without packing, densely or skipping zeros.
//!
//! ```text
//! rows 0–63:    column 0 | column 1 | … | column n−1      one tile: 64 elements a column, column after column
//! rows 64–127:  column 0 | column 1 | … | column n−1
//! …
//! ```
//!
//! A dense layer's kernel (units × inputs) in tiles gives all a tile of units needs for one input in one run of memory:
//! 256 bytes in single precision, four cache lines, whatever the layer's size. The same layout for a batch (units ×
//! samples) keeps a tile of all samples together: 32 KiB for 128 samples, a first-level cache. In column-major order both
//! would be strided by the whole column, and cache sets would collide.
//!
//! A matrix with fewer than 64 rows is one tile, as high as its rows rounded up to 16. Rows beyond the last are there
//! (the tile is whole) and hold zeros.

use crate::aligned::AlignedBuffer;
use crate::scalar::Scalar;
use crate::view::{MatMut, MatRef};
use std::ops::Range;

/// Rows of a tile, and units of a block in the lane order of input gradients.
pub const TILE_ROWS: usize = 64;

/// Rows of a tile of less than [`TILE_ROWS`] rows are a multiple of this: one vector register, or the lanes of a sum.
const ROW_GRANULARITY: usize = 16;

/// Rows of each tile of a matrix with so many rows: 64, or less if there is only one tile; 0 without rows.
pub fn tile_rows(rows: usize) -> usize {
    if rows >= TILE_ROWS { TILE_ROWS } else { rows.next_multiple_of(ROW_GRANULARITY) }
}

/// Elements of a tiled matrix with its rows of padding, or `None` when that overflows.
pub fn tiled_len(rows: usize, columns: usize) -> Option<usize> {
    rows.checked_next_multiple_of(tile_rows(rows).max(1))?.checked_mul(columns)
}

/// A matrix in tiles that owns its elements, aligned to cache lines.
///
/// ```
/// use densely_tensor::{MatRef, Tiled};
///
/// let kernel = MatRef::from_slice(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 2, 3); // column-major: (1 3 5 / 2 4 6)
/// let tiled = Tiled::from(kernel);
/// assert_eq!(tiled.as_ref().get(1, 2), 6.0);
/// assert_eq!(tiled.as_ref().tile(0).len(), 16 * 3); // two rows, and fourteen of padding
/// ```
#[derive(Clone, Debug)]
pub struct Tiled<T: Scalar> {
    elements: AlignedBuffer<T>,
    rows: usize,
    columns: usize,
}

/// A matrix in tiles, to read.
#[derive(Clone, Copy, Debug)]
pub struct TiledRef<'a, T> {
    elements: &'a [T],
    rows: usize,
    columns: usize,
    tile_rows: usize,
}

/// A matrix in tiles, to write.
#[derive(Debug)]
pub struct TiledMut<'a, T> {
    elements: &'a mut [T],
    rows: usize,
    columns: usize,
    tile_rows: usize,
}

impl<T: Scalar> Tiled<T> {
    /// All zeros.
    ///
    /// # Panics
    ///
    /// If the size overflows. Aborts, as `Vec` does, when the memory is not to be had.
    #[track_caller]
    pub fn zeros(rows: usize, columns: usize) -> Self {
        let len = tiled_len(rows, columns).expect("a tiled matrix larger than memory can be");
        Self { elements: AlignedBuffer::zeros(len), rows, columns }
    }

    /// A view for reading.
    pub fn as_ref(&self) -> TiledRef<'_, T> {
        TiledRef::from_slice(&self.elements, self.rows, self.columns)
    }

    /// A view for writing.
    pub fn as_mut(&mut self) -> TiledMut<'_, T> {
        TiledMut::from_slice(&mut self.elements, self.rows, self.columns)
    }
}

impl<T: Scalar> From<MatRef<'_, T>> for Tiled<T> {
    /// A copy in tiles.
    fn from(matrix: MatRef<'_, T>) -> Self {
        let mut tiled = Self::zeros(matrix.n_rows(), matrix.n_columns());
        tiled.as_mut().copy_from(matrix);
        tiled
    }
}

/// How many rows the tiles of `range` have of the `rows` in the matrix.
pub(crate) fn rows_of_tiles(range: &Range<usize>, tile_rows: usize, rows: usize) -> usize {
    rows.min(range.end * tile_rows) - rows.min(range.start * tile_rows)
}

#[track_caller]
fn check_len(len: usize, rows: usize, columns: usize) {
    assert_eq!(Some(len), tiled_len(rows, columns), "elements of a {rows} × {columns} matrix in tiles");
}

impl<'a, T: Scalar> TiledRef<'a, T> {
    /// A view of elements that are in tiles already.
    ///
    /// # Panics
    ///
    /// If `elements` does not have exactly [`tiled_len`] elements.
    #[track_caller]
    pub fn from_slice(elements: &'a [T], rows: usize, columns: usize) -> Self {
        check_len(elements.len(), rows, columns);
        Self { elements, rows, columns, tile_rows: tile_rows(rows) }
    }

    /// Number of rows, without padding.
    pub fn n_rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    pub fn n_columns(&self) -> usize {
        self.columns
    }

    /// Rows of each tile, padding included.
    pub fn tile_rows(&self) -> usize {
        self.tile_rows
    }

    /// Number of tiles.
    pub fn n_tiles(&self) -> usize {
        self.rows.div_ceil(self.tile_rows.max(1))
    }

    /// All elements, tile after tile, padding included.
    pub fn elements(&self) -> &'a [T] {
        self.elements
    }

    /// One tile: [`tile_rows`](Self::tile_rows) elements a column, column after column.
    ///
    /// # Panics
    ///
    /// If there are not so many tiles.
    #[track_caller]
    pub fn tile(&self, tile: usize) -> &'a [T] {
        let len = self.tile_rows * self.columns;
        &self.elements[tile * len..(tile + 1) * len]
    }

    /// A range of tiles: a matrix of fewer rows in tiles of the same height.
    ///
    /// # Panics
    ///
    /// If the range goes beyond the last tile.
    #[track_caller]
    pub fn tiles(&self, range: Range<usize>) -> Self {
        assert!(
            range.start <= range.end && range.end <= self.n_tiles(),
            "tiles {range:?} of {}",
            self.n_tiles()
        );
        let len = self.tile_rows * self.columns;
        let rows = rows_of_tiles(&range, self.tile_rows, self.rows);
        Self { elements: &self.elements[range.start * len..range.end * len], rows, ..*self }
    }

    /// One element.
    ///
    /// # Panics
    ///
    /// If `row` or `column` is outside.
    #[track_caller]
    pub fn get(&self, row: usize, column: usize) -> T {
        assert!(row < self.rows && column < self.columns, "element ({row}, {column})");
        self.tile(row / self.tile_rows)[column * self.tile_rows + row % self.tile_rows]
    }

    /// Copies into a matrix of the same shape.
    ///
    /// # Panics
    ///
    /// If the shapes differ.
    #[track_caller]
    pub fn copy_to(&self, mut matrix: MatMut<'_, T>) {
        assert_eq!((matrix.n_rows(), matrix.n_columns()), (self.rows, self.columns), "rows and columns");
        for column in 0..self.columns {
            for row in 0..self.rows {
                matrix.set(row, column, self.get(row, column));
            }
        }
    }
}

impl<'a, T: Scalar> TiledMut<'a, T> {
    /// A view of elements that are in tiles already; those of padding rows have to be 0.
    ///
    /// # Panics
    ///
    /// If `elements` does not have exactly [`tiled_len`] elements.
    #[track_caller]
    pub fn from_slice(elements: &'a mut [T], rows: usize, columns: usize) -> Self {
        check_len(elements.len(), rows, columns);
        Self { elements, rows, columns, tile_rows: tile_rows(rows) }
    }

    /// Number of rows, without padding.
    pub fn n_rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    pub fn n_columns(&self) -> usize {
        self.columns
    }

    /// Rows of each tile, padding included.
    pub fn tile_rows(&self) -> usize {
        self.tile_rows
    }

    /// Number of tiles.
    pub fn n_tiles(&self) -> usize {
        self.rows.div_ceil(self.tile_rows.max(1))
    }

    /// A view for reading.
    pub fn as_ref(&self) -> TiledRef<'_, T> {
        TiledRef {
            elements: self.elements,
            rows: self.rows,
            columns: self.columns,
            tile_rows: self.tile_rows,
        }
    }

    /// A view for writing that ends before this one does.
    pub fn as_mut(&mut self) -> TiledMut<'_, T> {
        TiledMut {
            elements: self.elements,
            rows: self.rows,
            columns: self.columns,
            tile_rows: self.tile_rows,
        }
    }

    /// One tile: [`tile_rows`](Self::tile_rows) elements a column, column after column.
    ///
    /// # Panics
    ///
    /// If there are not so many tiles.
    #[track_caller]
    pub fn tile_mut(&mut self, tile: usize) -> &mut [T] {
        let len = self.tile_rows * self.columns;
        &mut self.elements[tile * len..(tile + 1) * len]
    }

    /// A part of a larger matrix whose tiles have `tile_rows` rows.
    pub(crate) fn of_tiles(elements: &'a mut [T], rows: usize, columns: usize, tile_rows: usize) -> Self {
        Self { elements, rows, columns, tile_rows }
    }

    /// All elements, tile after tile, padding included.
    pub fn into_slice(self) -> &'a mut [T] {
        self.elements
    }

    /// Copies a matrix of the same shape into the tiles; rows of padding become 0.
    ///
    /// # Panics
    ///
    /// If the shapes differ.
    #[track_caller]
    pub fn copy_from(&mut self, matrix: MatRef<'_, T>) {
        assert_eq!((matrix.n_rows(), matrix.n_columns()), (self.rows, self.columns), "rows and columns");
        let (height, rows, columns) = (self.tile_rows, self.rows, self.columns);
        for tile in 0..self.n_tiles() {
            let elements = self.tile_mut(tile);
            for column in 0..columns {
                for (i, element) in elements[column * height..(column + 1) * height].iter_mut().enumerate() {
                    let row = tile * height + i;
                    *element = if row < rows { matrix.get(row, column) } else { T::ZERO };
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matrix_goes_into_tiles_and_back() {
        for (rows, columns) in [(0, 3), (1, 1), (10, 7), (16, 2), (63, 5), (64, 5), (65, 3), (200, 4), (5, 0)]
        {
            let elements: Vec<f64> = (0..rows * columns).map(|i| i as f64 + 1.0).collect();
            let tiled = Tiled::from(MatRef::from_slice(&elements, rows, columns));
            let mut back = vec![0.0; rows * columns];
            tiled.as_ref().copy_to(MatMut::from_slice(&mut back, rows, columns));
            assert_eq!(back, elements, "{rows} × {columns}");
            let sum: f64 = (0..tiled.as_ref().n_tiles()).flat_map(|tile| tiled.as_ref().tile(tile)).sum();
            assert_eq!(sum, elements.iter().sum::<f64>(), "padding of {rows} × {columns} is zero");
        }
    }
}
