//! Loops 1 and 0: a panel of A, mostly of 64 rows, by columns of B; cut into register tiles.

use super::microkernel::{Ahead, Panel, RowsOfA, Tiles};
use crate::arch::Vector;
use crate::isa::Kernel;
use crate::scalar::Scalar;
use std::ops::Range;

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
        // Few columns make few chains: a taller tile has more of them. One column leaves registers for long runs of A, which
        // prefetchers follow: 512 × 784 in column-major order by a vector ran at 36 GFLOP/s with 64 rows, at 53 with 256.
        while let RowsOfA::Together(_) = panel.a_rows {
            let vectors = (panel.rows - row) / V::LANES;
            // SAFETY: `new`'s caller vouches for the pointers; there are as many vectors of rows as a tile has.
            row += V::LANES
                * unsafe {
                    match panel.columns {
                        1 if const { V::REGISTERS >= 32 } && vectors >= 16 => {
                            Tiles::<_, 16, 1, false, false>::multiply::<V>(&panel, &mut ahead, row, 0..1);
                            16
                        }
                        1 if vectors >= 8 => {
                            Tiles::<_, 8, 1, false, false>::multiply::<V>(&panel, &mut ahead, row, 0..1);
                            8
                        }
                        columns if columns <= widest::<V>(4).min(6) && vectors >= 4 => {
                            multiply_columns::<V, 4, false>(&panel, &mut ahead, row, 0..columns);
                            4
                        }
                        _ => break,
                    }
                };
        }
        // SAFETY: as above.
        unsafe { multiply_rows::<V>(&panel, &mut ahead, row) };
    }
}

/// The most columns of a tile of `mv` vectors: its sums, `mv` vectors of A and an element of B take registers.
const fn widest<V: Vector>(mv: usize) -> usize {
    let fitting = V::REGISTERS.saturating_sub(mv + 1) / mv;
    if fitting < 12 { fitting } else { 12 }
}

/// Bytes of two vectors of rows of A that stay in the first-level cache beside strips of B and C.
const ROWS_BYTES: usize = 16 * 1024;

/// The rows from `row` on. Where two vectors of them stay in the first-level cache, all columns pass there, and all rows one
/// after the other. Else all rows pass each strip of columns: then a strip of B stays there while A's panel comes from the
/// second-level cache.
///
/// # Safety
///
/// The panel's pointers must be valid for its shape and strides; the copy must have room for whole vectors.
#[inline(always)]
unsafe fn multiply_rows<V: Vector>(
    panel: &Panel<'_, V::Element>,
    ahead: &mut Ahead<V::Element>,
    first_row: usize,
) {
    let most = const { widest::<V>(2) };
    let stay = 2 * V::LANES * panel.k * V::Element::SIZE <= ROWS_BYTES || panel.columns < 3 * most;
    let mut column = 0;
    while column < panel.columns {
        let left = panel.columns - column;
        let width = match panel.copy {
            _ if stay => left,
            Some(_) if column == 0 => const { copying_strip::<V>() },
            _ => next_strip(left, most),
        };
        let columns = column..column + width;
        let mut row = first_row;
        while row < panel.rows {
            let left = panel.rows - row;
            // SAFETY: there are as many vectors of rows as a tile has, the last one's rows perhaps not all.
            row += V::LANES
                * unsafe {
                    if left >= 2 * V::LANES {
                        multiply_columns::<V, 2, false>(panel, ahead, row, columns.clone());
                        2
                    } else if left > V::LANES {
                        multiply_columns::<V, 2, true>(panel, ahead, row, columns.clone());
                        2
                    } else {
                        multiply_columns::<V, 1, true>(panel, ahead, row, columns.clone());
                        1
                    }
                };
        }
        column = columns.end;
    }
}

/// Columns of the strip that leaves a copy; less than the panel has then.
const fn copying_strip<V: Vector>() -> usize {
    if widest::<V>(2) == 12 { 12 } else { 6 }
}

/// How wide the next strip is when so many columns are left: no narrow one at the end, but two of about the same width.
#[inline(always)]
fn next_strip(left: usize, most: usize) -> usize {
    match left {
        _ if left >= most + 3 => most,
        _ if left > most => left.div_ceil(2),
        _ => left,
    }
}

/// Some columns of `MV` vectors of rows, a strip of NR at a time. If there is a copy to be left, the panel's first strip leaves
/// it and the others read it.
///
/// # Safety
///
/// As [`Tiles::multiply`].
#[inline(always)]
unsafe fn multiply_columns<V: Vector, const MV: usize, const CUT: bool>(
    panel: &Panel<'_, V::Element>,
    ahead: &mut Ahead<V::Element>,
    row: usize,
    columns: Range<usize>,
) {
    let copied;
    let (mut panel, mut column) = (panel, columns.start);
    if const { MV <= 2 }
        && let Some(packed) = panel.copy
    {
        if column == 0 {
            // SAFETY: a panel with a copy has more columns than the first strip.
            unsafe {
                if const { copying_strip::<V>() == 12 } {
                    Tiles::<_, MV, 12, CUT, true>::multiply::<V>(panel, ahead, row, 0..12);
                } else {
                    Tiles::<_, MV, 6, CUT, true>::multiply::<V>(panel, ahead, row, 0..6);
                }
            }
            column = const { copying_strip::<V>() };
        }
        copied = Panel { a: packed.pointer, a_rows: packed.rows, copy: None, ..*panel };
        panel = &copied;
    }
    while column < columns.end {
        let most = const { widest::<V>(MV) };
        let left = columns.end - column;
        let strip = next_strip(left, most);
        // All of the widest strips at once.
        let width = if strip == most { most.max((left - left.min(3)) / most * most) } else { strip };
        // SAFETY: the strips' columns are among the panel's; the rest is handed on.
        unsafe {
            let columns = column..column + width;
            match strip {
                1 => multiply_strip::<V, MV, 1, CUT>(panel, ahead, row, columns),
                2 => multiply_strip::<V, MV, 2, CUT>(panel, ahead, row, columns),
                3 => multiply_strip::<V, MV, 3, CUT>(panel, ahead, row, columns),
                4 => multiply_strip::<V, MV, 4, CUT>(panel, ahead, row, columns),
                5 => multiply_strip::<V, MV, 5, CUT>(panel, ahead, row, columns),
                6 => multiply_strip::<V, MV, 6, CUT>(panel, ahead, row, columns),
                7 => multiply_strip::<V, MV, 7, CUT>(panel, ahead, row, columns),
                8 => multiply_strip::<V, MV, 8, CUT>(panel, ahead, row, columns),
                9 => multiply_strip::<V, MV, 9, CUT>(panel, ahead, row, columns),
                10 => multiply_strip::<V, MV, 10, CUT>(panel, ahead, row, columns),
                11 => multiply_strip::<V, MV, 11, CUT>(panel, ahead, row, columns),
                _ => multiply_strip::<V, MV, 12, CUT>(panel, ahead, row, columns),
            }
        }
        column += width;
    }
}

/// A strip that a tile of `MV` vectors can have; the compiler need not make the others.
///
/// # Safety
///
/// As [`Tiles::multiply`].
#[inline(always)]
unsafe fn multiply_strip<V: Vector, const MV: usize, const NR: usize, const CUT: bool>(
    panel: &Panel<'_, V::Element>,
    ahead: &mut Ahead<V::Element>,
    row: usize,
    columns: Range<usize>,
) {
    if const { NR <= widest::<V>(MV) } {
        // SAFETY: as for this function.
        unsafe { Tiles::<_, MV, NR, CUT, false>::multiply::<V>(panel, ahead, row, columns) };
    }
}
