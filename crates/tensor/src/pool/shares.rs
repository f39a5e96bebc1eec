//! Who works on which blocks of a job: a share for each thread, taken bit by bit, and what others leave over.
//!
//! Each thread begins with its own share, always the same one for the same shape, so that what it wrote in the
//! phase before is still in its core's caches (affinity scheduling: Markatos and LeBlanc, "Using processor affinity
//! in loop scheduling on shared-memory multiprocessors", 1994). It takes half of what is left at a time (guided
//! self-scheduling: Polychronopoulos and Kuck, 1987), and goes on to the shares of others when its own is used up.
//! So a thread whose core is taken away, or slower, or whose blocks are more work, is waited for only as long as
//! its last piece takes; a thread that does not come at all is not waited for.

use super::sync::{AtomicUsize, Ordering::Relaxed};
use std::ops::Range;

/// A piece is at least this fraction of a share, so that a kernel's cost of a call is paid four times a share at
/// most.
const SMALLEST_PIECE: usize = 8;

/// The next block of a share, on cache lines of its own: 128 bytes, as CPUs fetch lines in pairs.
#[derive(Debug)]
#[repr(align(128))]
struct Next(AtomicUsize);

/// The blocks of one job at a time.
///
/// `Relaxed` suffices throughout: [`divide`](Self::divide) comes before the job is handed over, which orders it
/// before every [`claim`](Self::claim) of the job; claims only have to differ, which being atomic gives.
#[derive(Debug)]
pub(super) struct Shares {
    next: Box<[Next]>,
}

impl Shares {
    pub(super) fn new(threads: usize) -> Shares {
        Shares { next: (0..threads).map(|_| Next(AtomicUsize::new(0))).collect() }
    }

    /// Begins a job of `blocks` blocks.
    pub(super) fn divide(&self, blocks: usize) {
        for (share, next) in self.next.iter().enumerate() {
            next.0.store(self.boundary(share, blocks), Relaxed);
        }
    }

    /// Calls `work` with ranges of blocks that no other call gets, until none of the `blocks` is left.
    pub(super) fn work_off(&self, blocks: usize, thread: usize, work: impl Fn(Range<usize>)) {
        for share in (thread..self.next.len()).chain(0..thread) {
            while let Some(piece) = self.claim(blocks, share) {
                work(piece);
            }
        }
    }

    /// The next piece of a share.
    fn claim(&self, blocks: usize, share: usize) -> Option<Range<usize>> {
        let (start, end) = (self.boundary(share, blocks), self.boundary(share + 1, blocks));
        let smallest = (end - start).div_ceil(SMALLEST_PIECE);
        let piece = |next: usize| (end - next).div_ceil(2).max(smallest).min(end - next);
        let next = &self.next[share].0;
        let claimed = next.fetch_update(Relaxed, Relaxed, |next| (next < end).then(|| next + piece(next)));
        claimed.ok().map(|next| next..next + piece(next))
    }

    /// Where share number `share` begins, and the one before ends.
    fn boundary(&self, share: usize, blocks: usize) -> usize {
        (blocks as u128 * share as u128 / self.next.len() as u128) as usize
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::cell::RefCell;

    fn pieces(shares: &Shares, blocks: usize, thread: usize) -> Vec<Range<usize>> {
        let pieces = RefCell::new(Vec::new());
        shares.work_off(blocks, thread, |piece| pieces.borrow_mut().push(piece));
        pieces.into_inner()
    }

    #[test]
    fn own_share_first_in_halves_then_those_of_others() {
        let shares = Shares::new(2);
        shares.divide(32);
        assert_eq!(pieces(&shares, 32, 1), [16..24, 24..28, 28..30, 30..32, 0..8, 8..12, 12..14, 14..16]);
        assert_eq!(pieces(&shares, 32, 0), []);
    }

    #[test]
    fn every_block_is_claimed_once_whoever_comes() {
        for threads in [1, 2, 3, 8] {
            let shares = Shares::new(threads);
            for blocks in [0, 1, 2, 7, 64, 1000] {
                for thread in 0..threads {
                    shares.divide(blocks);
                    let mut claimed: Vec<usize> =
                        pieces(&shares, blocks, thread).into_iter().flatten().collect();
                    claimed.sort_unstable();
                    assert!(claimed.into_iter().eq(0..blocks), "{threads} threads, {blocks} blocks");
                }
            }
        }
    }

    #[test]
    fn as_many_blocks_as_there_are_numbers() {
        let shares = Shares::new(3);
        shares.divide(usize::MAX);
        let pieces = pieces(&shares, usize::MAX, 2);
        assert_eq!(pieces.iter().map(|piece| piece.len() as u128).sum::<u128>(), usize::MAX as u128);
    }
}
