//! Where packed operands go: a buffer for each thread, made at its first product and kept.

use crate::aligned::AlignedBuffer;
use crate::isa::Isa;
use crate::scalar::Scalar;
use crate::tiled::TILE_ROWS;
use std::cell::RefCell;
use std::ops::Range;

/// The largest panel of A in bytes.
const PANEL_BYTES: usize = 256 * 1024;
/// Bytes of a block of B, KC × NC elements. It passes once for each panel of A, two bytes a cycle: slow enough for a
/// third-level cache.
const BLOCK_BYTES: usize = 2 * 1024 * 1024;

/// The most inner indices of a block; a multiple of 64.
///
/// A panel of A, 64 × KC elements, takes a quarter of the second-level cache, where the next one is fetched while it is
/// multiplied, and strips of B and C pass. It is as long as that because C is read and written once for each block of the inner
/// index, and C comes from afar. Squares of 1,024 lost a tenth with half of 512 KiB, and a tenth with a sixteenth of 1 MiB.
pub(super) fn kc<T: Scalar>(isa: Isa) -> usize {
    (isa.second_level_cache() / 4).min(PANEL_BYTES) / T::SIZE / TILE_ROWS
}

/// The same for a product of so few columns that A is read once, where it lies: the longer, the better.
pub(super) fn kc_of_few_columns<T: Scalar>() -> usize {
    PANEL_BYTES / T::SIZE / TILE_ROWS
}

/// Columns of a block of B; a multiple of 64.
pub(super) fn nc<T: Scalar>(kc: usize) -> usize {
    BLOCK_BYTES / T::SIZE / kc
}

/// The block of the inner index that starts at `start`: as few blocks of at most `kc` as do, of about the same length.
pub(super) fn inner_block(kc: usize, start: usize, k: usize) -> Range<usize> {
    if k <= kc {
        return start..k;
    }
    start..k.min(start + k.div_ceil(k.div_ceil(kc)).next_multiple_of(TILE_ROWS))
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
