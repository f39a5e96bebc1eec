//! Copying A into panels: all rows of a panel for one inner index stand together, as the micro-kernel reads them.

use crate::arch::{MOST_LANES, Vector};
use crate::scalar::Scalar;

/// Packs `rows` × `kc` elements of α·A: element (i, p) goes to `panel[p · MR + i]`; rows beyond `rows` become zero.
///
/// # Safety
///
/// `source` must be valid for reading elements `i · row_stride + p · column_stride` with `i < rows` and `p < kc`, and
/// `panel` for writing `MV · LANES · kc` elements; `rows` must not be more than `MV · LANES`.
#[inline(always)]
pub(super) unsafe fn pack_panel<V: Vector, const MV: usize>(
    panel: *mut V::Element,
    source: *const V::Element,
    row_stride: usize,
    column_stride: usize,
    rows: usize,
    kc: usize,
    alpha: V::Element,
) {
    let mr = MV * V::LANES;
    let factor = V::splat(alpha);
    // SAFETY: each loop stays within rows < MR and p < kc, which the caller vouches for.
    unsafe {
        let mut p = 0;
        if rows == mr && row_stride == 1 {
            while p < kc {
                for i in 0..MV {
                    let x = V::load(source.add(p * column_stride + i * V::LANES));
                    x.mul(factor).store(panel.add(p * mr + i * V::LANES));
                }
                p += 1;
            }
        } else if rows == mr && column_stride == 1 {
            while p + V::LANES <= kc {
                for i in 0..MV {
                    let block = source.add(i * V::LANES * row_stride + p);
                    transpose_block::<V>(panel.add(p * mr + i * V::LANES), mr, block, row_stride, factor);
                }
                p += V::LANES;
            }
        }
        // What is left: the edges, and operands without a unit stride.
        while p < kc {
            for i in 0..mr {
                let x = if i < rows {
                    *source.add(i * row_stride + p * column_stride) * alpha
                } else {
                    V::Element::ZERO
                };
                panel.add(p * mr + i).write(x);
            }
            p += 1;
        }
    }
}

/// Transposes a square of `LANES` × `LANES` elements times `factor`: row i of the source becomes column i of the target.
///
/// Zipping row i with row i + L/2 for all i, log₂ L times over, is the transpose: each round moves one bit of a row's
/// number into the lane's number.
///
/// # Safety
///
/// Both must be valid for `LANES` runs of `LANES` elements, `source_stride` and `target_stride` apart.
#[inline(always)]
unsafe fn transpose_block<V: Vector>(
    target: *mut V::Element,
    target_stride: usize,
    source: *const V::Element,
    source_stride: usize,
    factor: V,
) {
    let half = V::LANES / 2;
    let mut block = [factor; MOST_LANES];
    for (i, row) in block.iter_mut().enumerate().take(V::LANES) {
        // SAFETY: i < LANES, which the caller vouches for.
        *row = unsafe { V::load(source.add(i * source_stride)) }.mul(factor);
    }
    for _ in 0..V::LANES.trailing_zeros() {
        let mut zipped = block;
        for i in 0..half {
            (zipped[2 * i], zipped[2 * i + 1]) = block[i].zip(block[i + half]);
        }
        block = zipped;
    }
    for (i, column) in block.iter().enumerate().take(V::LANES) {
        // SAFETY: i < LANES, which the caller vouches for.
        unsafe { column.store(target.add(i * target_stride)) };
    }
}
