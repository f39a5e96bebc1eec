//! Copying a part of an operand into tiles, so that a micro-kernel finds all rows of a panel for one inner index together.

use crate::arch::Vector;
use crate::arch::transpose::{load_block, transpose};
use crate::isa::{Isa, Kernel};
use crate::scalar::Scalar;
use crate::tiled::TILE_ROWS;

/// A part of a matrix and the tiles that it goes to, times `factor`.
///
/// Element (i, j) comes from `source[i / 64 · row_block + i % 64 · row_stride + j · column_stride]` and goes to
/// `tiles[i / 64 · tile + j · height + i % 64]`. Beyond the last row there are zeros up to the next whole vector.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pack<T> {
    pub(super) source: *const T,
    pub(super) row_stride: usize,
    pub(super) row_block: usize,
    pub(super) column_stride: usize,
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) factor: T,
    pub(super) tiles: *mut T,
    /// Rows of a tile: whole vectors, and 64 if there is more than one tile.
    pub(super) height: usize,
    /// From one tile to the next.
    pub(super) tile: usize,
}

/// Copies.
///
/// # Safety
///
/// `pack.source` must be valid for reading every element, and `pack.tiles` for writing it and the zeros after it.
pub(super) unsafe fn pack_tiles<T: Scalar>(isa: Isa, pack: Pack<T>) {
    isa.run(PackTiles(pack));
}

/// Made by [`pack_tiles`] alone, whose caller vouches for the pointers.
struct PackTiles<T>(Pack<T>);

impl<T: Scalar> Kernel<T> for PackTiles<T> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<Element = T>>(self) {
        let Self(pack) = self;
        let whole = pack.rows / TILE_ROWS;
        // SAFETY: tiles, columns and rows stay within those of `pack`.
        unsafe {
            if pack.row_stride == 1 {
                // Down whole columns, the direction in which the source is contiguous.
                for j in 0..pack.columns {
                    for tile in 0..whole {
                        copy_column::<V>(&pack, tile, j);
                    }
                    copy_last_column::<V>(&pack, whole, j);
                }
            } else {
                for tile in 0..pack.rows.div_ceil(TILE_ROWS) {
                    if pack.column_stride == 1 {
                        transpose_tile::<V>(&pack, tile);
                    } else {
                        copy_elements(&pack, tile, V::LANES);
                    }
                }
            }
        }
    }
}

impl<T: Scalar> Pack<T> {
    #[inline(always)]
    fn source(&self, tile: usize, j: usize) -> *const T {
        self.source.wrapping_add(tile * self.row_block + j * self.column_stride)
    }

    #[inline(always)]
    fn target(&self, tile: usize, j: usize) -> *mut T {
        self.tiles.wrapping_add(tile * self.tile + j * self.height)
    }

    /// Rows of a tile that are there, and those that are written in whole vectors.
    #[inline(always)]
    fn rows_of(&self, tile: usize, lanes: usize) -> (usize, usize) {
        let rows = (self.rows - tile * TILE_ROWS).min(TILE_ROWS);
        (rows, rows.next_multiple_of(lanes))
    }
}

/// One column of a whole tile.
///
/// # Safety
///
/// The pack's row stride must be 1, the column one of its own and the tile one of its whole ones.
#[inline(always)]
unsafe fn copy_column<V: Vector>(pack: &Pack<V::Element>, tile: usize, j: usize) {
    let (source, target, factor) = (pack.source(tile, j), pack.target(tile, j), V::splat(pack.factor));
    for i in (0..TILE_ROWS).step_by(V::LANES) {
        // SAFETY: a whole tile has 64 rows.
        unsafe { V::load(source.add(i)).mul(factor).store(target.add(i)) };
    }
}

/// One column of the last tile, if it is not whole.
///
/// # Safety
///
/// As [`copy_column`].
#[inline(always)]
unsafe fn copy_last_column<V: Vector>(pack: &Pack<V::Element>, tile: usize, j: usize) {
    let (rows, written) = pack.rows_of(tile, V::LANES);
    let (source, target, factor) = (pack.source(tile, j), pack.target(tile, j), V::splat(pack.factor));
    for i in (0..written).step_by(V::LANES) {
        // SAFETY: only rows that are there are read.
        unsafe {
            let x = V::load_first(source.wrapping_add(i), rows.saturating_sub(i).min(V::LANES));
            x.mul(factor).store(target.add(i));
        }
    }
}

/// One tile of a source whose rows are contiguous.
///
/// # Safety
///
/// The pack's column stride must be 1 and the tile one of its own.
#[inline(always)]
unsafe fn transpose_tile<V: Vector>(pack: &Pack<V::Element>, tile: usize) {
    let (rows, written) = pack.rows_of(tile, V::LANES);
    let factor = V::splat(pack.factor);
    for j in (0..pack.columns).step_by(V::LANES) {
        let columns = V::LANES.min(pack.columns - j);
        for i in (0..written).step_by(V::LANES) {
            // SAFETY: at most the rows and columns that are there are read, and none but those are written, with zeros below.
            unsafe {
                let source = pack.source(tile, j).wrapping_add(i * pack.row_stride);
                let rows = rows.saturating_sub(i).min(V::LANES);
                let block = load_block::<V>(source, pack.row_stride, rows, columns);
                for (lane, column) in transpose(block).iter().enumerate().take(columns) {
                    column.mul(factor).store(pack.target(tile, j + lane).add(i));
                }
            }
        }
    }
}

/// One tile of a source that is contiguous in no direction.
///
/// # Safety
///
/// The tile must be one of the pack's own.
#[inline(always)]
unsafe fn copy_elements<T: Scalar>(pack: &Pack<T>, tile: usize, lanes: usize) {
    let (rows, written) = pack.rows_of(tile, lanes);
    for j in 0..pack.columns {
        for i in 0..written {
            // SAFETY: only rows that are there are read.
            unsafe {
                let there = i < rows;
                let x = if there {
                    *pack.source(tile, j).add(i * pack.row_stride) * pack.factor
                } else {
                    T::ZERO
                };
                pack.target(tile, j).add(i).write(x);
            }
        }
    }
}
