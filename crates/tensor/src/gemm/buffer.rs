//! Where packed operands go: a buffer for each thread, made at its first product and kept.

use crate::aligned::AlignedBuffer;
use crate::scalar::Scalar;
use crate::tiled::TILE_ROWS;
use std::cell::RefCell;

/// Bytes of a block of B, KC × NC elements. Each panel of A passes over it once, 24 columns a microsecond or so: slow
/// enough for a third-level cache, so a second-level one of 512 KiB may spill.
const BLOCK_BYTES: usize = 512 * 1024;
/// Bytes of a panel of A, 64 × KC elements. A register tile's half of it stays in a first-level cache.
const PANEL_BYTES: usize = 64 * 1024;

/// Inner indices of a block; a multiple of 64.
pub(super) fn kc<T: Scalar>() -> usize {
    PANEL_BYTES / T::SIZE / TILE_ROWS
}

/// Columns of a block of B; a multiple of 64.
pub(super) fn nc<T: Scalar>() -> usize {
    BLOCK_BYTES / T::SIZE / kc::<T>()
}

/// Runs `work` with this thread's room for a panel of A and a block of B.
pub(super) fn with_buffers<T: Scalar, R>(work: impl FnOnce(*mut T, *mut T) -> R) -> R {
    // `f64` only for its size: the bytes serve both scalar types.
    thread_local!(static BUFFER: RefCell<AlignedBuffer<f64>> = RefCell::new(AlignedBuffer::zeros(0)));
    BUFFER.with(|buffer| {
        let mut buffer = buffer.borrow_mut();
        if buffer.is_empty() {
            *buffer = AlignedBuffer::zeros((PANEL_BYTES + BLOCK_BYTES) / size_of::<f64>());
        }
        let panel: *mut T = buffer.as_mut_ptr().cast();
        work(panel, panel.wrapping_add(PANEL_BYTES / T::SIZE))
    })
}
