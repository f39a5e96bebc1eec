//! The loops around the micro-kernel, numbered from the inside as in the BLIS papers (Van Zee and van de Geijn, 2015).
//!
//! ```text
//! loop 4: columns of C in blocks of NC     B's block stays in the second-level cache
//! loop 3: inner index in blocks of KC      never divided among threads: its parts continue the same chains
//! loop 2: rows of C in panels of MR        A's panel is packed into a small buffer that stays in the first-level cache
//! loop 1: columns of the block by NR       one register tile each
//! ```

use super::microkernel::{Tile, multiply_tile};
use super::pack::pack_panel;
use super::{Epilogue, Product};
use crate::arch::Vector;
use crate::scalar::Scalar;
use std::mem::MaybeUninit;

/// Bytes of A's packed panel, MR × KC elements: with a strip of B it fits a first-level cache of 32 KiB or more.
const PANEL_BYTES: usize = 24 * 1024;
/// Bytes of B's block, KC × NC elements: half of a second-level cache of 512 KiB.
const BLOCK_BYTES: usize = 256 * 1024;

/// A's packed panel: on the stack, so that a product allocates nothing, and aligned to the widest vector.
#[repr(align(64))]
struct Panel([MaybeUninit<u8>; PANEL_BYTES]);

/// Computes the whole product on vectors `V` with a register tile of `MV` vectors by `NR` columns.
#[inline(always)]
pub(super) fn multiply<V: Vector, const MV: usize, const NR: usize>(product: Product<'_, V::Element>) {
    let Product { c, alpha, a, b, beta, epilogue } = product;
    let (m, n, k) = (c.n_rows(), c.n_columns(), a.n_columns());
    let mr = MV * V::LANES;
    let kc_max = PANEL_BYTES / (mr * V::Element::SIZE);
    let nc_max = (BLOCK_BYTES / (kc_max * V::Element::SIZE)).next_multiple_of(NR);
    let mut panel = Panel([MaybeUninit::uninit(); PANEL_BYTES]);
    let panel: *mut V::Element = panel.0.as_mut_ptr().cast();

    for j_block in (0..n).step_by(nc_max) {
        let nc = nc_max.min(n - j_block);
        let mut p_block = 0;
        // At least one round, so that an empty inner index still gives epilogue(β·C).
        loop {
            let kc = kc_max.min(k - p_block);
            let first = p_block == 0;
            let last = p_block + kc == k;
            for i in (0..m).step_by(mr) {
                let rows = mr.min(m - i);
                // SAFETY: rows i.. and inner indices p_block.. of A are inside it, and the panel holds mr · kc_max
                // elements.
                unsafe {
                    let source = a.pointer.wrapping_add(i * a.row_stride + p_block * a.column_stride);
                    pack_panel::<V, MV>(panel, source, a.row_stride, a.column_stride, rows, kc, alpha);
                }
                for j in (j_block..j_block + nc).step_by(NR) {
                    let columns = NR.min(n - j);
                    // SAFETY: the tile's rows i.. and columns j.., and B's rows p_block.. of those columns, are inside.
                    unsafe {
                        let tile = Tile {
                            k: kc,
                            a: panel,
                            b: b.pointer.wrapping_add(p_block * b.row_stride + j * b.column_stride),
                            b_row_stride: b.row_stride,
                            b_column_stride: b.column_stride,
                            c: c.pointer.add(i * c.row_stride + j * c.column_stride),
                            c_row_stride: c.row_stride,
                            c_column_stride: c.column_stride,
                            rows,
                            beta: if first { beta } else { V::Element::ONE },
                            epilogue: if last { epilogue.rows(i..i + rows) } else { Epilogue::None },
                            last,
                        };
                        multiply_tile::<V, MV, NR>(&tile, columns);
                    }
                }
            }
            p_block += kc;
            if last {
                break;
            }
        }
    }
}
