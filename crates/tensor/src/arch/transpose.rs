//! Squares of vectors, for kernels whose operand lies across their lanes.

use super::{MOST_LANES, Vector};
use crate::scalar::Scalar;

/// `rows` × `columns` elements, at most `LANES` × `LANES`, one row in each vector; zeros beyond.
///
/// # Safety
///
/// `source` must be valid for `rows` runs of `columns` elements, `row_stride` apart.
#[inline(always)]
pub(crate) unsafe fn load_block<V: Vector>(
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
pub(crate) fn transpose<V: Vector>(mut block: [V; MOST_LANES]) -> [V; MOST_LANES] {
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
