//! Copying a part of an operand into tiles, so that a micro-kernel finds all rows of a panel for one inner index together.

use crate::arch::Vector;
use crate::arch::transpose::{load_block, transpose};
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
