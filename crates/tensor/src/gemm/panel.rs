//! Loops 1 and 0: a panel of A, up to 64 rows, by columns of B; cut into register tiles.

use super::microkernel::{Panel, multiply_tile};
use crate::arch::Vector;
use crate::isa::Kernel;
use crate::scalar::Scalar;

/// A panel's product, with B's layout as a constant (see [`b_layout`](super::microkernel::b_layout)).
pub(super) struct PanelProduct<'a, T, const B: usize>(Panel<'a, T>);

impl<'a, T, const B: usize> PanelProduct<'a, T, B> {
    /// # Safety
    ///
    /// The panel's pointers must be valid for its shape and strides when it is run.
    pub(super) unsafe fn new(panel: Panel<'a, T>) -> Self {
        Self(panel)
    }
}

impl<T: Scalar, const B: usize> Kernel<T> for PanelProduct<'_, T, B> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<Element = T>>(self) {
        let panel = self.0;
        let tall = 4 * V::LANES;
        let few_columns = widest::<V>(4);
        let mut row = 0;
        while row < panel.rows {
            let readable = panel.a_rows - row;
            // SAFETY: `new`'s caller vouches for the pointers; as many rows of A are readable as the tile reads.
            unsafe {
                // Few columns make few chains: a taller tile has more of them.
                if panel.columns <= few_columns && readable >= tall {
                    multiply_strips::<V, 4, B>(&panel, row);
                    row += tall;
                } else if readable >= 2 * V::LANES && panel.rows - row > V::LANES {
                    multiply_strips::<V, 2, B>(&panel, row);
                    row += 2 * V::LANES;
                } else {
                    multiply_strips::<V, 1, B>(&panel, row);
                    row += V::LANES;
                }
            }
        }
    }
}

/// The most columns that a tile of `mv` vectors can have: its sums, `mv` vectors of A and an element of B take registers.
#[inline(always)]
fn widest<V: Vector>(mv: usize) -> usize {
    (V::REGISTERS - mv - 1) / mv
}

/// All columns of `MV` vectors of rows, a strip of NR columns at a time.
///
/// # Safety
///
/// As [`multiply_tile`].
#[inline(always)]
unsafe fn multiply_strips<V: Vector, const MV: usize, const B: usize>(
    panel: &Panel<'_, V::Element>,
    row: usize,
) {
    let widest = widest::<V>(MV);
    let mut column = 0;
    while column < panel.columns {
        let left = panel.columns - column;
        // The widest strip that does not leave one or two columns for a strip of their own.
        let fits = |nr: usize| nr <= widest && (left == nr || left >= nr + 3);
        // SAFETY: the strip's columns are among the panel's; the rest is handed on.
        unsafe {
            column += if MV <= 2 && fits(12) {
                multiply_tile::<V, MV, 12, B>(panel, row, column);
                12
            } else if MV <= 2 && fits(8) {
                multiply_tile::<V, MV, 8, B>(panel, row, column);
                8
            } else if fits(6) {
                multiply_tile::<V, MV, 6, B>(panel, row, column);
                6
            } else if fits(4) {
                multiply_tile::<V, MV, 4, B>(panel, row, column);
                4
            } else if fits(3) {
                multiply_tile::<V, MV, 3, B>(panel, row, column);
                3
            } else if left >= 2 {
                multiply_tile::<V, MV, 2, B>(panel, row, column);
                2
            } else {
                multiply_tile::<V, MV, 1, B>(panel, row, column);
                1
            };
        }
    }
}
