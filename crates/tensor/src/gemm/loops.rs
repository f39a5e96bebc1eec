//! The loops around the micro-kernel, numbered from the inside as in the BLIS papers (Van Zee and van de Geijn, 2015).
//!
//! ```text
//! loop 4: columns of C in blocks of NC     B's block is packed once for all rows
//! loop 3: inner index in blocks of KC      never divided among threads: its parts continue the same chains
//! loop 2: rows of C in panels of 64        A's panel is packed once for all columns of the block
//! loop 1: the panel, by register tiles     (panel.rs)
//! ```
//!
//! An operand that lies well is not packed: tiles never, A's columns when few columns of B would use the copy, B when few
//! rows of A would.

use super::Product;
use super::buffer::{kc, nc, with_buffers};
use super::microkernel::{Panel, b_layout};
use super::operand::Layout;
use super::pack::PackTile;
use super::panel::PanelProduct;
use crate::arch::MOST_LANES;
use crate::isa::Isa;
use crate::scalar::Scalar;
use crate::tiled::TILE_ROWS;
use std::mem::MaybeUninit;
use std::ops::Range;

/// Up to so many columns of C, A is read where it lies: a copy would hardly be used.
const COLUMNS_WITHOUT_PACKING: usize = 12;
/// Up to so many rows of C, B is read where it lies.
const ROWS_WITHOUT_PACKING: usize = TILE_ROWS;

/// Columns that are computed beside C when its rows are not contiguous; they divide 64.
const SCATTERED_COLUMNS: usize = 16;

/// A block of B as the micro-kernel reads it.
struct Block<T> {
    pointer: *const T,
    /// One of [`b_layout`].
    kind: usize,
    layout: Layout,
    /// The first row and column of B that it holds.
    start: (usize, usize),
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
    with_buffers(|panel_buffer: *mut T, block_buffer: *mut T| {
        for j in columns.clone().step_by(nc::<T>()) {
            let block_columns = j..columns.end.min(j + nc::<T>());
            let mut p = 0;
            // At least one round, so that an empty inner index still gives epilogue(β·C).
            loop {
                let inner = p..k.min(p + kc::<T>());
                // SAFETY: ranges lie within B, and the buffer holds kc × nc elements.
                let block =
                    unsafe { block_of_b(isa, product, block_buffer, &inner, &block_columns, rows.len()) };
                let mut i = rows.start;
                while i < rows.end {
                    // Panels end where tiles do.
                    let panel_rows = i..rows.end.min((i / TILE_ROWS + 1) * TILE_ROWS);
                    // SAFETY: ranges lie within the operands, and the buffer holds 64 × kc elements.
                    unsafe {
                        multiply_panel(
                            isa,
                            product,
                            panel_buffer,
                            &block,
                            panel_rows.clone(),
                            &inner,
                            &block_columns,
                        );
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

/// B's block where it lies, or a packed copy.
///
/// # Safety
///
/// The ranges must lie within B, and `buffer` hold kc × nc elements.
unsafe fn block_of_b<T: Scalar>(
    isa: Isa,
    product: &Product<'_, T>,
    buffer: *mut T,
    inner: &Range<usize>,
    columns: &Range<usize>,
    rows: usize,
) -> Block<T> {
    let b = product.b;
    let in_place = |kind| Block { pointer: b.pointer, kind, layout: b.layout, start: (0, 0) };
    if product.b_factor == T::ONE {
        if b.layout.row_stride == 1 && b.layout.column_stride == TILE_ROWS {
            return in_place(b_layout::TILE);
        }
        if b.layout.column_stride == 1 && (b.layout.row_stride <= TILE_ROWS || rows <= ROWS_WITHOUT_PACKING) {
            return in_place(b_layout::ADJACENT);
        }
        if rows <= ROWS_WITHOUT_PACKING {
            return in_place(b_layout::STRIDED);
        }
    }
    let start = (inner.start, columns.start);
    // Adjacent columns become tiles of the transpose; everything else becomes tiles.
    let adjacent = b.layout.column_stride == 1 && b.layout.row_stride != 1;
    let (source, rows, columns) =
        if adjacent { (b.layout.t(), columns, inner) } else { (b.layout, inner, columns) };
    for tile in (0..rows.len()).step_by(TILE_ROWS) {
        let tile_rows = TILE_ROWS.min(rows.len() - tile);
        // The source's blocks of columns: a tiled one's columns are apart by one stride throughout, a transposed one's not.
        let mut column = columns.start;
        while column < columns.end {
            let end = columns.end.min((column / TILE_ROWS + 1) * TILE_ROWS);
            // SAFETY: rows and columns lie within B; tiles of 64 rows fill the buffer to at most kc · nc elements, both
            // being multiples of 64.
            unsafe {
                isa.run(PackTile::new(
                    buffer.add(tile * columns.len() + (column - columns.start) * TILE_ROWS),
                    TILE_ROWS,
                    b.pointer.wrapping_add(source.offset(rows.start + tile, column)),
                    source.row_stride,
                    source.column_stride,
                    tile_rows,
                    end - column,
                    product.b_factor,
                ));
            }
            column = end;
        }
    }
    let layout = Layout::tiled(rows.len(), columns.len(), TILE_ROWS);
    match adjacent {
        true => Block { pointer: buffer, kind: b_layout::ADJACENT, layout: layout.t(), start },
        false => Block { pointer: buffer, kind: b_layout::TILE, layout, start },
    }
}

/// One panel of rows by one block of B, for one block of the inner index.
///
/// # Safety
///
/// The ranges must lie within the operands, `rows` within one block of 64, and `buffer` hold 64 × kc elements.
unsafe fn multiply_panel<T: Scalar>(
    isa: Isa,
    product: &Product<'_, T>,
    buffer: *mut T,
    block: &Block<T>,
    rows: Range<usize>,
    inner: &Range<usize>,
    columns: &Range<usize>,
) {
    let (a, c) = (&product.a, &product.c);
    let readable = if rows.end == a.layout.rows { rows.len() + a.layout.row_padding } else { rows.len() };
    let whole = readable >= rows.len().next_multiple_of(MOST_LANES);
    let narrow = a.layout.column_stride <= TILE_ROWS || columns.len() <= COLUMNS_WITHOUT_PACKING;
    let in_place =
        product.a_factor == T::ONE && a.layout.row_stride == 1 && whole && narrow && a.layout.is_even();
    let source = a.layout.offset(rows.start, inner.start);
    let (a, a_column_stride, a_rows) = if in_place {
        (a.pointer.wrapping_add(source), a.layout.column_stride, readable)
    } else {
        let height = rows.len().next_multiple_of(MOST_LANES);
        for p in (0..inner.len()).step_by(TILE_ROWS) {
            // SAFETY: rows and inner indices lie within A, inner.start being a multiple of 64; the buffer holds kc · 64
            // elements.
            unsafe {
                isa.run(PackTile::new(
                    buffer.add(p * height),
                    height,
                    a.pointer.wrapping_add(a.layout.offset(rows.start, inner.start + p)),
                    a.layout.row_stride,
                    a.layout.column_stride,
                    rows.len(),
                    TILE_ROWS.min(inner.len() - p),
                    product.a_factor,
                ));
            }
        }
        (buffer.cast_const(), height, height)
    };
    let beta = if inner.start == 0 { product.beta } else { T::ONE };
    // Where columns of B or C are not evenly spaced, their blocks of 64 are products of their own; where C's rows are not
    // contiguous, a few columns at a time are computed beside it.
    let contiguous = c.layout.row_stride == 1 || rows.len() == 1;
    let width = match (contiguous, block.layout.is_even() && c.layout.is_even()) {
        (false, _) => SCATTERED_COLUMNS,
        (true, false) => TILE_ROWS,
        (true, true) => usize::MAX,
    };
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
            a,
            a_column_stride,
            b: block.pointer.wrapping_add(b_offset),
            b_row_stride: block.layout.row_stride,
            b_row_block: block.layout.row_block,
            b_column_stride: block.layout.column_stride,
            c: pointer,
            c_column_stride: stride,
            rows: rows.len(),
            a_rows,
            columns: end - column,
            beta,
            bias: product.bias.part(rows.clone(), column..end),
            relu: product.relu,
            last: inner.end == product.a.layout.columns,
        };
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
            match block.kind {
                b_layout::TILE => isa.run(PanelProduct::<T, { b_layout::TILE }>::new(panel)),
                b_layout::ADJACENT => isa.run(PanelProduct::<T, { b_layout::ADJACENT }>::new(panel)),
                _ => isa.run(PanelProduct::<T, { b_layout::STRIDED }>::new(panel)),
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
