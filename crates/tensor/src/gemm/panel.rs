//! Loops 1 and 0: a panel of A, up to 64 rows, by columns of B; cut into register tiles.

use super::microkernel::{Ahead, Panel, multiply_tile};
use crate::arch::Vector;
use crate::isa::Kernel;
use crate::scalar::Scalar;

/// A panel's product, with the layout of B's columns as a constant.
pub(super) struct PanelProduct<'a, T, const COLUMNS: u8>(Panel<'a, T>, Ahead<T>);

impl<'a, T, const COLUMNS: u8> PanelProduct<'a, T, COLUMNS> {
    /// # Safety
    ///
    /// The panel's pointers must be valid for its shape and strides when it is run.
    pub(super) unsafe fn new(panel: Panel<'a, T>, ahead: Ahead<T>) -> Self {
        Self(panel, ahead)
    }
}

impl<T: Scalar, const COLUMNS: u8> Kernel<T> for PanelProduct<'_, T, COLUMNS> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<Element = T>>(self) {
        let Self(panel, mut ahead) = self;
        let tall = 4 * V::LANES;
        let few_columns = const { widest::<V>(4) };
        let mut row = 0;
        while row < panel.rows {
            let readable = panel.a_rows - row;
            // SAFETY: `new`'s caller vouches for the pointers; as many rows of A are readable as the tile reads.
            unsafe {
                // One column leaves registers for long runs of A, which prefetchers follow: 512 × 784 in column-major order
                // by a vector ran at 36 GFLOP/s with tiles of 64 rows, at 53 with 256.
                if const { V::REGISTERS >= 32 } && panel.columns == 1 && panel.rows - row >= 16 * V::LANES {
                    multiply_tile::<V, 16, 1, COLUMNS, false, false>(&panel, &mut ahead, row, 0);
                    row += 16 * V::LANES;
                } else if panel.columns == 1 && panel.rows - row >= 8 * V::LANES {
                    multiply_tile::<V, 8, 1, COLUMNS, false, false>(&panel, &mut ahead, row, 0);
                    row += 8 * V::LANES;
                // Few columns make few chains: a taller tile has more of them.
                } else if panel.columns <= few_columns && readable >= tall {
                    multiply_strips::<V, 4, COLUMNS, false>(&panel, &mut ahead, row);
                    row += tall;
                } else if readable >= 2 * V::LANES && panel.rows - row > V::LANES {
                    multiply_strips::<V, 2, COLUMNS, false>(&panel, &mut ahead, row);
                    row += 2 * V::LANES;
                } else {
                    if readable >= V::LANES {
                        multiply_strips::<V, 1, COLUMNS, false>(&panel, &mut ahead, row);
                    } else {
                        multiply_strips::<V, 1, COLUMNS, true>(&panel, &mut ahead, row);
                    }
                    row += V::LANES;
                }
            }
        }
    }
}

/// The most columns that a tile of `mv` vectors can have: its sums, `mv` vectors of A and an element of B take registers.
const fn widest<V: Vector>(mv: usize) -> usize {
    (V::REGISTERS - mv - 1) / mv
}

/// All columns of `MV` vectors of rows, a strip of NR at a time. If there is a copy to be left, the first strip leaves it
/// and the others read it.
///
/// # Safety
///
/// As [`multiply_tile`].
#[inline(always)]
unsafe fn multiply_strips<V: Vector, const MV: usize, const COLUMNS: u8, const CUT: bool>(
    panel: &Panel<'_, V::Element>,
    ahead: &mut Ahead<V::Element>,
    row: usize,
) {
    let copied;
    let (panel, mut column) = match panel.copy {
        Some(packed) if const { MV <= 2 } => {
            // SAFETY: a panel with a copy has more columns than the first strip.
            let column = unsafe {
                if const { widest::<V>(MV) >= 12 } {
                    multiply_tile::<V, MV, 12, COLUMNS, CUT, true>(panel, ahead, row, 0);
                    12
                } else {
                    multiply_tile::<V, MV, 6, COLUMNS, CUT, true>(panel, ahead, row, 0);
                    6
                }
            };
            let (a, height) = (packed.pointer.cast_const(), packed.height);
            copied = Panel { a, a_column_stride: height, a_rows: height, copy: None, ..*panel };
            (&copied, column)
        }
        _ => (panel, 0),
    };
    while column < panel.columns {
        let left = panel.columns - column;
        // The widest strip that does not leave one or two columns for a strip of their own. Constants keep the compiler
        // from strips that this tile cannot have.
        let fits = |nr: usize| left == nr || left >= nr + 3;
        // SAFETY: the strip's columns are among the panel's; the rest is handed on.
        unsafe {
            column += if const { MV <= 2 && widest::<V>(MV) >= 12 } && fits(12) {
                multiply_tile::<V, MV, 12, COLUMNS, CUT, false>(panel, ahead, row, column);
                12
            } else if const { MV <= 2 && widest::<V>(MV) >= 8 } && fits(8) {
                multiply_tile::<V, MV, 8, COLUMNS, CUT, false>(panel, ahead, row, column);
                8
            } else if const { widest::<V>(MV) >= 6 } && fits(6) {
                multiply_tile::<V, MV, 6, COLUMNS, CUT, false>(panel, ahead, row, column);
                6
            } else if const { widest::<V>(MV) >= 4 } && fits(4) {
                multiply_tile::<V, MV, 4, COLUMNS, CUT, false>(panel, ahead, row, column);
                4
            } else if const { widest::<V>(MV) >= 3 } && fits(3) {
                multiply_tile::<V, MV, 3, COLUMNS, CUT, false>(panel, ahead, row, column);
                3
            } else if left >= 2 {
                multiply_tile::<V, MV, 2, COLUMNS, CUT, false>(panel, ahead, row, column);
                2
            } else {
                multiply_tile::<V, MV, 1, COLUMNS, CUT, false>(panel, ahead, row, column);
                1
            };
        }
    }
}
