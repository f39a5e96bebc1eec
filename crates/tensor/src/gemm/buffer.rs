//! Where packed operands go: a buffer for each thread, made at its first product and kept.

use crate::aligned::AlignedBuffer;
use crate::scalar::Scalar;
use crate::tiled::TILE_ROWS;
use std::cell::RefCell;
use std::ops::Range;

/// Bytes of a panel of A, 64 × KC elements: half of a second-level cache of 512 KiB. It is long because C is read and
/// written once for each block of the inner index, and C comes from afar: blocks a quarter as long cost a large product
/// a tenth of its speed.
const PANEL_BYTES: usize = 256 * 1024;
/// Bytes of a block of B, KC × NC elements. It passes once for each panel of A, two bytes a cycle: slow enough for a
/// third-level cache.
const BLOCK_BYTES: usize = 2 * 1024 * 1024;

/// The most inner indices of a block; a multiple of 64.
const fn kc<T: Scalar>() -> usize {
    PANEL_BYTES / T::SIZE / TILE_ROWS
}

/// Columns of a block of B; a multiple of 64.
pub(super) const fn nc<T: Scalar>() -> usize {
    BLOCK_BYTES / T::SIZE / kc::<T>()
}

/// The block of the inner index that starts at `start`: as few blocks as do, of about the same length.
pub(super) fn inner_block<T: Scalar>(start: usize, k: usize) -> Range<usize> {
    let blocks = k.div_ceil(kc::<T>()).max(1);
    start..k.min(start + k.div_ceil(blocks).next_multiple_of(TILE_ROWS))
}

/// Runs `work` with this thread's room for a panel of A and a block of B.
pub(super) fn with_buffers<T: Scalar, R>(work: impl FnOnce(*mut T, *mut T) -> R) -> R {
    // `f64` only for its size: the bytes serve both scalar types.
    thread_local!(static BUFFER: RefCell<AlignedBuffer<f64>> = RefCell::new(AlignedBuffer::zeros(0)));
    BUFFER.with(|buffer| {
        let mut buffer = buffer.borrow_mut();
        if buffer.is_empty() {
            *buffer = AlignedBuffer::zeros((PANEL_BYTES + BLOCK_BYTES) / f64::SIZE);
        }
        let panel: *mut T = buffer.as_mut_ptr().cast();
        work(panel, panel.wrapping_add(PANEL_BYTES / T::SIZE))
    })
}
