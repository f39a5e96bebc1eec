//! Loops 1 and 0: a panel of A, mostly of 64 rows, by columns of B; cut into register tiles.

use super::microkernel::{Ahead, Panel, Tile};
use crate::arch::Vector;
use crate::isa::Kernel;
use crate::scalar::Scalar;

/// A panel's product.
pub(super) struct PanelProduct<'a, T>(Panel<'a, T>, Ahead<T>);

impl<'a, T> PanelProduct<'a, T> {
    /// # Safety
    ///
    /// The panel's pointers must be valid for its shape and strides when it is run.
    pub(super) unsafe fn new(panel: Panel<'a, T>, ahead: Ahead<T>) -> Self {
        Self(panel, ahead)
    }
}

impl<T: Scalar> Kernel<T> for PanelProduct<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<Element = T>>(self) {
        let Self(panel, mut ahead) = self;
        let mut row = 0;
        while row < panel.rows {
            let vectors = (panel.rows - row) / V::LANES;
            // SAFETY: `new`'s caller vouches for the pointers; there are as many vectors of rows as a tile has, the
            // last one's rows perhaps not all.
            row += V::LANES
                * unsafe {
                    // Few columns make few chains: a taller tile has more of them. One column leaves registers for long
                    // runs of A, which prefetchers follow: 512 × 784 in column-major order by a vector ran at 36 GFLOP/s
                    // with 64 rows, at 53 with 256.
                    match panel.columns {
                        1 if const { V::REGISTERS >= 32 } && vectors >= 16 => {
                            Tile::<_, 16, 1, false, false>::multiply::<V>(&panel, &mut ahead, row, 0);
                            16
                        }
                        1 if vectors >= 8 => {
                            Tile::<_, 8, 1, false, false>::multiply::<V>(&panel, &mut ahead, row, 0);
                            8
                        }
                        ..=6 if const { widest::<V>(4) >= 6 } && vectors >= 4 => {
                            multiply_strips::<V, 4, false>(&panel, &mut ahead, row);
                            4
                        }
                        ..=2 if const { widest::<V>(4) >= 2 } && vectors >= 4 => {
                            multiply_strips::<V, 4, false>(&panel, &mut ahead, row);
                            4
                        }
                        _ if vectors >= 2 => {
                            multiply_strips::<V, 2, false>(&panel, &mut ahead, row);
                            2
                        }
                        _ if vectors == 1 && row + V::LANES < panel.rows => {
                            multiply_strips::<V, 2, true>(&panel, &mut ahead, row);
                            2
                        }
                        _ => {
                            multiply_strips::<V, 1, true>(&panel, &mut ahead, row);
                            1
                        }
                    }
                };
        }
    }
}

/// The most columns of a tile of `mv` vectors: its sums, `mv` vectors of A and an element of B take registers.
const fn widest<V: Vector>(mv: usize) -> usize {
    let fitting = V::REGISTERS.saturating_sub(mv + 1) / mv;
    if fitting < 12 { fitting } else { 12 }
}

/// All columns of `MV` vectors of rows, a strip of NR at a time. If there is a copy to be left, the first strip leaves it
/// and the others read it.
///
/// # Safety
///
/// As [`Tile::multiply`].
#[inline(always)]
unsafe fn multiply_strips<V: Vector, const MV: usize, const CUT: bool>(
    panel: &Panel<'_, V::Element>,
    ahead: &mut Ahead<V::Element>,
    row: usize,
) {
    let copied;
    let (panel, mut column) = match panel.copy {
        Some(packed) if const { MV <= 2 } => {
            // SAFETY: a panel with a copy has more columns than the first strip.
            let column = unsafe {
                if const { widest::<V>(MV) == 12 } {
                    Tile::<_, MV, 12, CUT, true>::multiply::<V>(panel, ahead, row, 0);
                    12
                } else {
                    Tile::<_, MV, 6, CUT, true>::multiply::<V>(panel, ahead, row, 0);
                    6
                }
            };
            copied = Panel { a: packed.pointer, a_column_stride: packed.height, copy: None, ..*panel };
            (&copied, column)
        }
        _ => (panel, 0),
    };
    while column < panel.columns {
        let left = panel.columns - column;
        // No narrow strip at the end: two of about the same width instead.
        let most = const { widest::<V>(MV) };
        let width = match left {
            _ if left >= most + 3 => most,
            _ if left > most => left.div_ceil(2),
            _ => left,
        };
        // SAFETY: the strip's columns are among the panel's; the rest is handed on.
        unsafe {
            match width {
                1 => multiply_strip::<V, MV, 1, CUT>(panel, ahead, row, column),
                2 => multiply_strip::<V, MV, 2, CUT>(panel, ahead, row, column),
                3 => multiply_strip::<V, MV, 3, CUT>(panel, ahead, row, column),
                4 => multiply_strip::<V, MV, 4, CUT>(panel, ahead, row, column),
                5 => multiply_strip::<V, MV, 5, CUT>(panel, ahead, row, column),
                6 => multiply_strip::<V, MV, 6, CUT>(panel, ahead, row, column),
                7 => multiply_strip::<V, MV, 7, CUT>(panel, ahead, row, column),
                8 => multiply_strip::<V, MV, 8, CUT>(panel, ahead, row, column),
                9 => multiply_strip::<V, MV, 9, CUT>(panel, ahead, row, column),
                10 => multiply_strip::<V, MV, 10, CUT>(panel, ahead, row, column),
                11 => multiply_strip::<V, MV, 11, CUT>(panel, ahead, row, column),
                _ => multiply_strip::<V, MV, 12, CUT>(panel, ahead, row, column),
            }
        }
        column += width;
    }
}

/// A strip that a tile of `MV` vectors can have; the compiler need not make the others.
///
/// # Safety
///
/// As [`Tile::multiply`].
#[inline(always)]
unsafe fn multiply_strip<V: Vector, const MV: usize, const NR: usize, const CUT: bool>(
    panel: &Panel<'_, V::Element>,
    ahead: &mut Ahead<V::Element>,
    row: usize,
    column: usize,
) {
    if const { NR <= widest::<V>(MV) } {
        // SAFETY: as for this function.
        unsafe { Tile::<_, MV, NR, CUT, false>::multiply::<V>(panel, ahead, row, column) };
    }
}
