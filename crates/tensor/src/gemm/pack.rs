//! Copying a part of an operand into tiles, so that a micro-kernel finds all rows of a panel for one inner index together.

use crate::arch::{MOST_LANES, Vector};
use crate::isa::Kernel;
use crate::scalar::Scalar;

/// At most 64 rows of a matrix, times `factor`, into one tile: element (i, j) goes to `tile[j · height + i]`; rows beyond
/// `rows` become zero.
pub(super) struct PackTile<T> {
    tile: *mut T,
    height: usize,
    source: *const T,
    row_stride: usize,
    column_stride: usize,
    rows: usize,
    columns: usize,
    factor: T,
}

impl<T: Scalar> PackTile<T> {
    /// # Safety
    ///
    /// When it is run, `source` must be valid for reading elements `i · row_stride + j · column_stride` with `i < rows` and
    /// `j < columns`, and `tile` for writing `height · columns` elements; `height` must be a multiple of 16 and not less than
    /// `rows`.
    #[expect(clippy::too_many_arguments, reason = "a copy has two sides")]
    pub(super) unsafe fn new(
        tile: *mut T,
        height: usize,
        source: *const T,
        row_stride: usize,
        column_stride: usize,
        rows: usize,
        columns: usize,
        factor: T,
    ) -> Self {
        Self { tile, height, source, row_stride, column_stride, rows, columns, factor }
    }
}

impl<T: Scalar> Kernel<T> for PackTile<T> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<Element = T>>(self) {
        let Self { tile, height, source, row_stride, column_stride, rows, columns, factor } = self;
        let factors = V::splat(factor);
        // SAFETY: each access stays within i < rows (or, in the tile, height) and j < columns, which `new`'s caller vouches
        // for.
        unsafe {
            if row_stride == 1 {
                for j in 0..columns {
                    let (source, tile) = (source.add(j * column_stride), tile.add(j * height));
                    for i in (0..height).step_by(V::LANES) {
                        let x = if i + V::LANES <= rows {
                            V::load(source.add(i))
                        } else {
                            V::load_first(source.wrapping_add(i), rows.saturating_sub(i))
                        };
                        x.mul(factors).store(tile.add(i));
                    }
                }
            } else if column_stride == 1 {
                for j in (0..columns).step_by(V::LANES) {
                    let columns = V::LANES.min(columns - j);
                    for i in (0..height).step_by(V::LANES) {
                        let source = source.wrapping_add(i * row_stride + j);
                        let rows = rows.saturating_sub(i).min(V::LANES);
                        let block = load_block::<V>(source, row_stride, rows, columns);
                        for (lane, column) in transpose(block).iter().enumerate().take(columns) {
                            column.mul(factors).store(tile.add((j + lane) * height + i));
                        }
                    }
                }
            } else {
                for j in 0..columns {
                    for i in 0..height {
                        let x = if i < rows {
                            *source.add(i * row_stride + j * column_stride) * factor
                        } else {
                            T::ZERO
                        };
                        tile.add(j * height + i).write(x);
                    }
                }
            }
        }
    }
}

/// `rows` × `columns` elements, at most `LANES` × `LANES`, one row in each vector; zeros beyond.
///
/// # Safety
///
/// `source` must be valid for `rows` runs of `columns` elements, `row_stride` apart.
#[inline(always)]
unsafe fn load_block<V: Vector>(
    source: *const V::Element,
    row_stride: usize,
    rows: usize,
    columns: usize,
) -> [V; MOST_LANES] {
    let mut block = [V::splat(V::Element::ZERO); MOST_LANES];
    // SAFETY: i < rows and the run's length are vouched for by the caller.
    unsafe {
        if rows == V::LANES && columns == V::LANES {
            for (i, row) in block.iter_mut().enumerate().take(V::LANES) {
                *row = V::load(source.add(i * row_stride));
            }
        } else {
            for (i, row) in block.iter_mut().enumerate().take(V::LANES) {
                let columns = if i < rows { columns } else { 0 };
                *row = V::load_first(source.wrapping_add(i * row_stride), columns);
            }
        }
    }
    block
}

/// The first `LANES` vectors as a square, transposed: lane j of vector i becomes lane i of vector j.
///
/// Zipping row i with row i + L/2 for all i, log₂ L times over, is the transpose: each round moves one bit of a row's
/// number into the lane's number.
#[inline(always)]
fn transpose<V: Vector>(mut block: [V; MOST_LANES]) -> [V; MOST_LANES] {
    let half = V::LANES / 2;
    for _ in 0..V::LANES.trailing_zeros() {
        let mut zipped = block;
        for i in 0..half {
            (zipped[2 * i], zipped[2 * i + 1]) = block[i].zip(block[i + half]);
        }
        block = zipped;
    }
    block
}
