//! The loops around the micro-kernel, numbered from the inside as in the BLIS papers (Van Zee and van de Geijn, 2015).
//!
//! ```text
//! loop 4: columns of C in blocks of NC     B's block is packed once for all rows
//! loop 3: inner index in blocks of KC      never divided among threads: its parts continue the same chains
//! loop 2: rows of C in panels of 64        A's panel is packed once for all columns of the block
//! loop 1: the panel, by register tiles     (panel.rs)
//! ```
//!
//! An operand that lies well is not packed: tiles (unless α multiplies them, A is transposed, or many columns are to read tiles of A
//! that do not stay in the first-level cache), a small A, a B that stays in the second-level cache, and either when the other
//! is so narrow that a copy would hardly be used. Where A's columns are contiguous, its copy is made by the first register tiles
//! that read it.

use super::Product;
use super::buffer::{inner_block, kc, kc_of_few_columns, nc, with_buffers};
use super::microkernel::{Ahead, PackedA, Panel, RowsOfA};
use super::operand::Layout;
use super::pack::{Pack, pack_tiles};
use super::panel::PanelProduct;
use crate::arch::MOST_LANES;
use crate::isa::Isa;
use crate::scalar::Scalar;
use crate::tiled::TILE_ROWS;
use std::mem::MaybeUninit;
use std::ops::Range;

/// Up to so many columns of C, A is read where it lies: a copy would hardly be used. Beyond, a strip of twelve columns that
/// leaves a copy does not leave one or two columns for a strip of their own.
const COLUMNS_WITHOUT_PACKING: usize = 14;
/// Up to so many rows of C, B is used once and read where it lies.
const ROWS_WITHOUT_PACKING: usize = TILE_ROWS;
/// An A of at most so many bytes is near enough to be read where it lies: 100 × 100 × 100 gains a fifth by it.
const SMALL_A: usize = 64 * 1024;
/// Up to so many inner indices two vectors of rows stay in a first-level cache although the columns of their tile are four
/// times as high (see [`RowsOfA::Pairs`]).
const INNER_INDICES_IN_PLACE: usize = 64;
/// From so many columns on, the first strip copies tiles of A that do not stay there.
const COLUMNS_FOR_TILES_TO_BE_COPIED: usize = 256;
/// A B of at most so many bytes stays in a second-level cache while every panel passes it, and is not packed,
const SMALL_B: usize = 1024 * 1024;
/// unless its columns are a multiple of so many bytes apart and compete for the same places of a first-level cache.
const ALIASING_BYTES: usize = 4096;

/// Columns of a block of B that is used once: whole strips of every register tile.
const NARROW_BLOCK: usize = 48;

/// Columns that are computed beside C when its rows are not contiguous; they divide 64.
const SCATTERED_COLUMNS: usize = 16;

/// A block of B as the micro-kernel reads it.
struct Block<T> {
    pointer: *const T,
    layout: Layout,
    /// The first row and column of B that it holds.
    start: (usize, usize),
}

/// What the panels of one thread's part have in common.
struct Work<'a, T> {
    isa: Isa,
    product: &'a Product<'a, T>,
    /// Room for a packed panel of A.
    buffer: *mut T,
    /// The first row and inner index of the panel that is packed there, and whether for few columns.
    packed: Option<(usize, usize, bool)>,
}

/// Computes the rows and columns of C in the ranges, on this thread.
///
/// # Safety
///
/// The operands' pointers must be valid for their layouts, and nothing else may use C's elements in the ranges.
pub(super) unsafe fn multiply<T: Scalar>(
    isa: Isa,
    product: &Product<'_, T>,
    rows: Range<usize>,
    columns: Range<usize>,
) {
    let k = product.a.layout.columns;
    let kc = if columns.len() <= COLUMNS_WITHOUT_PACKING { kc_of_few_columns::<T>() } else { kc::<T>(isa) };
    // For one panel a block of B is used once: a small one is still in the first-level cache then.
    let width =
        if rows.len() <= TILE_ROWS && product.has_free_columns() { NARROW_BLOCK } else { nc::<T>(kc) };
    // Beside a single column A is read once, where it lies, and its columns may as well be whole.
    let contiguous = |layout: &Layout| layout.row_stride == 1 && layout.row_block == TILE_ROWS;
    let vector = columns.len() == 1 && contiguous(&product.a.layout) && contiguous(&product.c.layout);
    let height = if vector && product.a_factor == T::ONE { usize::MAX } else { TILE_ROWS };
    with_buffers(|panel_buffer: *mut T, block_buffer: *mut T| {
        let mut work = Work { isa, product, buffer: panel_buffer, packed: None };
        for j in columns.clone().step_by(width) {
            let block_columns = j..columns.end.min(j + width);
            let mut p = 0;
            // At least one round, so that an empty inner index still gives epilogue(β·C).
            loop {
                let inner = inner_block(kc, p, k);
                // SAFETY: ranges lie within B, and the buffer holds a block.
                let block =
                    unsafe { block_of_b(isa, product, block_buffer, &inner, &block_columns, rows.len()) };
                let mut i = rows.start;
                while i < rows.end {
                    // Panels end where tiles do.
                    let panel_rows = i..rows.end.min((i / height + 1).saturating_mul(height));
                    let next = match panel_rows.end < rows.end {
                        true => (panel_rows.end, inner.clone()),
                        false if inner.end < k => (rows.start, inner_block(kc, inner.end, k)),
                        false => (rows.start, k..k),
                    };
                    // SAFETY: ranges lie within the operands, and the buffer holds a panel.
                    unsafe {
                        multiply_panel(&mut work, &block, panel_rows.clone(), &inner, &block_columns, next);
                    }
                    i = panel_rows.end;
                }
                p = inner.end;
                if p == k {
                    break;
                }
            }
        }
    });
}

impl<T: Scalar> Product<'_, T> {
    /// Whether parts of few rows cost no more than others: columns of B are read where they lie, and of A there is nothing to pack, or
    /// a single block of the inner index.
    pub(super) fn has_cheap_rows(&self) -> bool {
        let (a, b) = (&self.a.layout, &self.b.layout);
        let in_tiles = a.row_stride == 1 && a.column_stride <= TILE_ROWS && self.a_factor == T::ONE;
        self.has_tiled_b() && b.columns > 1 && (in_tiles || a.columns <= TILE_ROWS)
    }

    /// Whether B is a tile, or the transpose of one, and need not be packed.
    fn has_tiled_b(&self) -> bool {
        let layout = &self.b.layout;
        let (near, far) = (layout.row_stride, layout.column_stride);
        self.b_factor == T::ONE && near.min(far) == 1 && near.max(far) <= TILE_ROWS
    }
}

/// B's block where it lies, or a packed copy.
///
/// # Safety
///
/// The ranges must lie within B, and `buffer` hold a block.
unsafe fn block_of_b<T: Scalar>(
    isa: Isa,
    product: &Product<'_, T>,
    buffer: *mut T,
    inner: &Range<usize>,
    columns: &Range<usize>,
    rows: usize,
) -> Block<T> {
    let b = product.b;
    let small = b.layout.bytes::<T>() <= SMALL_B;
    let aliased = (b.layout.column_stride * T::SIZE).is_multiple_of(ALIASING_BYTES);
    let plain = product.b_factor == T::ONE && (rows <= ROWS_WITHOUT_PACKING || small && !aliased);
    if plain || product.has_tiled_b() {
        return Block { pointer: b.pointer, layout: b.layout, start: (0, 0) };
    }
    let start = (inner.start, columns.start);
    // Adjacent columns become tiles of the transpose; everything else becomes tiles.
    let adjacent = b.layout.column_stride == 1 && b.layout.row_stride != 1;
    let (source, rows, columns) =
        if adjacent { (b.layout.t(), columns, inner) } else { (b.layout, inner, columns) };
    let tile = TILE_ROWS * columns.len();
    // A source's columns may be evenly spaced only within blocks of 64.
    let mut column = columns.start;
    while column < columns.end {
        let end = columns.end.min((column / TILE_ROWS + 1) * TILE_ROWS);
        let pack = Pack {
            source: b.pointer.wrapping_add(source.offset(rows.start, column)),
            row_stride: source.row_stride,
            row_block: source.row_block,
            column_stride: source.column_stride,
            rows: rows.len(),
            columns: end - column,
            factor: product.b_factor,
            tiles: buffer.wrapping_add((column - columns.start) * TILE_ROWS),
            height: TILE_ROWS,
            tile,
        };
        // SAFETY: rows and columns lie within B; tiles of 64 rows fill at most a block, whose sides are multiples of 64.
        unsafe { pack_tiles(isa, pack) };
        column = end;
    }
    let layout = Layout::tiled(rows.len(), columns.len(), TILE_ROWS);
    match adjacent {
        true => Block { pointer: buffer, layout: layout.t(), start },
        false => Block { pointer: buffer, layout, start },
    }
}

/// A panel of A as the micro-kernel reads it.
struct PanelOfA<T> {
    pointer: *const T,
    rows: RowsOfA,
    /// The copy that is to be left on the way.
    copy: Option<PackedA<T>>,
}

/// A's panel where it lies, or a packed copy. `whole` says that one call of the micro-kernel computes all columns, so that
/// its first strip can make the copy.
///
/// # Safety
///
/// The ranges must lie within A, `rows` within one block of 64 if they are packed, and the buffer of `work` hold a panel.
unsafe fn panel_of_a<T: Scalar>(
    work: &mut Work<'_, T>,
    rows: &Range<usize>,
    inner: &Range<usize>,
    columns: &Range<usize>,
    whole: bool,
) -> PanelOfA<T> {
    let (a, factor) = (&work.product.a, work.product.a_factor);
    let contiguous = a.layout.row_stride == 1 && a.layout.is_even();
    let few_columns = columns.len() <= COLUMNS_WITHOUT_PACKING;
    // What a register tile reads of a column, and whether all of that stays in a first-level cache where it lies.
    let pair = 2 * work.isa.lanes::<T>();
    // A tile, or what is as close together and as well aligned.
    let tiled = a.layout.column_stride <= TILE_ROWS && a.layout.column_stride.is_multiple_of(MOST_LANES);
    let stays = a.layout.column_stride < 4 * pair || inner.len() <= INNER_INDICES_IN_PLACE;
    let near = match tiled {
        true => stays || !whole || columns.len() < COLUMNS_FOR_TILES_TO_BE_COPIED,
        false => a.layout.bytes::<T>() <= SMALL_A,
    };
    let in_place = PanelOfA {
        pointer: a.pointer.wrapping_add(a.layout.offset(rows.start, inner.start)),
        rows: RowsOfA::Together(a.layout.column_stride),
        copy: None,
    };
    if contiguous && factor == T::ONE && (near || few_columns) {
        return in_place;
    }
    // Beside few columns tiles are taller than two vectors.
    let (height, packed_rows) = match few_columns {
        true => {
            let height = rows.len().next_multiple_of(MOST_LANES);
            (height, RowsOfA::Together(height))
        }
        false => (pair, RowsOfA::Pairs),
    };
    let packed = PanelOfA { pointer: work.buffer.cast_const(), rows: packed_rows, copy: None };
    // A product of one panel finds it packed from the block before.
    let panel = (rows.start, inner.start, few_columns);
    if work.packed.replace(panel) == Some(panel) {
        return packed;
    }
    if contiguous && whole && !few_columns {
        return PanelOfA {
            copy: Some(PackedA { pointer: work.buffer, rows: packed_rows, factor }),
            ..in_place
        };
    }
    for row in (0..rows.len()).step_by(height) {
        for p in (0..inner.len()).step_by(TILE_ROWS) {
            let pack = Pack {
                source: a.pointer.wrapping_add(a.layout.offset(rows.start + row, inner.start + p)),
                row_stride: a.layout.row_stride,
                row_block: 0, // one tile
                column_stride: a.layout.column_stride,
                rows: height.min(rows.len() - row),
                columns: TILE_ROWS.min(inner.len() - p),
                factor,
                tiles: work.buffer.wrapping_add(row * inner.len() + p * height),
                height,
                tile: 0,
            };
            // SAFETY: rows and inner indices lie within A, inner.start being a multiple of 64; the buffer holds a panel.
            unsafe { pack_tiles(work.isa, pack) };
        }
    }
    packed
}

/// One panel of rows by one block of B, for one block of the inner index.
///
/// # Safety
///
/// The ranges must lie within the operands, `rows` within one block of 64 unless A and C have contiguous columns and are not
/// packed, and the buffer of `work` hold a panel.
unsafe fn multiply_panel<T: Scalar>(
    work: &mut Work<'_, T>,
    block: &Block<T>,
    rows: Range<usize>,
    inner: &Range<usize>,
    columns: &Range<usize>,
    next: (usize, Range<usize>),
) {
    let Work { isa, product, .. } = *work;
    let c = &product.c;
    // Where columns of B or C are not evenly spaced, their blocks of 64 are products of their own; where C's rows are not
    // contiguous, a few columns at a time are computed beside it.
    let contiguous = c.layout.row_stride == 1 || rows.len() == 1;
    let width = match (contiguous, block.layout.is_even() && c.layout.is_even()) {
        (false, _) => SCATTERED_COLUMNS,
        (true, false) => TILE_ROWS,
        (true, true) => usize::MAX,
    };
    // SAFETY: as for this function.
    let a = unsafe { panel_of_a(work, &rows, inner, columns, width == usize::MAX) };
    let beta = if inner.start == 0 { product.beta } else { T::ONE };
    let mut beside = MaybeUninit::<[T; TILE_ROWS * SCATTERED_COLUMNS]>::uninit();
    let mut column = columns.start;
    while column < columns.end {
        let end = columns.end.min((column / width + 1).saturating_mul(width));
        let b_offset = block.layout.offset(inner.start - block.start.0, column - block.start.1);
        let target = c.pointer.wrapping_add(c.layout.offset(rows.start, column));
        let (pointer, stride) = match contiguous {
            true => (target, c.layout.column_stride),
            false => (beside.as_mut_ptr().cast(), TILE_ROWS),
        };
        let panel = Panel {
            k: inner.len(),
            a: a.pointer,
            a_rows: a.rows,
            copy: a.copy,
            b: block.pointer.wrapping_add(b_offset),
            b_row_stride: block.layout.row_stride,
            b_row_block: block.layout.row_block,
            b_column_stride: block.layout.column_stride,
            c: pointer,
            c_column_stride: stride,
            rows: rows.len(),
            columns: end - column,
            beta,
            bias: product.bias.part(rows.clone(), column..end),
            relu: product.relu,
            last: inner.end == product.a.layout.columns,
        };
        let ahead = ahead_of(product, &next, &panel);
        let element = |i: usize, j: usize| {
            (
                target.wrapping_add(i * c.layout.row_stride + j * c.layout.column_stride),
                pointer.wrapping_add(j * stride + i),
            )
        };
        // SAFETY: the panel's parts lie within the operands, or in the array beside, which holds 64 × 16 elements and is
        // filled before it is read.
        unsafe {
            if !contiguous && beta != T::ZERO {
                for j in 0..end - column {
                    for i in 0..rows.len() {
                        let (there, here) = element(i, j);
                        here.write(*there);
                    }
                }
            }
            isa.run(PanelProduct::new(panel, ahead));
            if panel.last && product.rest.has_rest() {
                for j in 0..end - column {
                    for start in rows.clone().step_by(TILE_ROWS) {
                        let block = start..rows.end.min(start + TILE_ROWS);
                        let first = pointer.wrapping_add(j * stride + start - rows.start);
                        let c = std::slice::from_raw_parts_mut(first, block.len());
                        product.rest.finish(isa, block, column + j, c);
                    }
                }
            }
            if !contiguous {
                for j in 0..end - column {
                    for i in 0..rows.len() {
                        let (there, here) = element(i, j);
                        there.write(*here);
                    }
                }
            }
        }
        column = end;
    }
}

/// The panel of A that is multiplied after this one: it starts at a row and has a range of inner indices, which is empty if
/// there is none.
fn ahead_of<T: Scalar>(
    product: &Product<'_, T>,
    (row, inner): &(usize, Range<usize>),
    panel: &Panel<'_, T>,
) -> Ahead<T> {
    let layout = &product.a.layout;
    // Rows that are not contiguous along one of their sides would be fetched a line for each element.
    let whole = row + TILE_ROWS <= layout.rows && (layout.row_stride == 1 || layout.column_stride == 1);
    // A panel is some two dozen register tiles, each a few blocks: spread over them all, requests do not queue.
    let tiles = panel.rows.div_ceil(32) * panel.columns.div_ceil(12);
    Ahead {
        pointer: product.a.pointer.wrapping_add(layout.offset(*row, inner.start)),
        run_stride: if layout.row_stride == 1 { layout.column_stride } else { layout.row_stride },
        block_stride: layout.column_block,
        runs_per_block: TILE_ROWS.div_ceil(tiles),
        run: 0,
        runs: if whole && panel.columns > COLUMNS_WITHOUT_PACKING {
            inner.len() / TILE_ROWS * TILE_ROWS
        } else {
            0
        },
    }
}
