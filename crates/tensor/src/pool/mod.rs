//! Threads that stay: a pool whose workers wait, spinning for a moment, between the short phases of a training step.
//!
//! A step has about ten phases of 50 to 300 microseconds. Waking a sleeping thread costs some tens of microseconds,
//! so a worker that has finished looks for the next phase for some hundred microseconds before it sleeps. Idle
//! workers sleep and cost nothing.
//!
//! Work is divided over *outputs* by [`Pool::for_each_part`], never over the terms of a sum; that, and that each
//! output is computed alike whoever computes it and whatever else is in its part, is why the number of threads
//! changes no bit.
//!
//! [`team`] has the hand-over of jobs to workers, and why it is right; [`shares`] who takes which blocks; [`parts`]
//! what can be divided; [`sync`] the primitives, for the loom model too.
//!
//! # Where threads come from, and where they go
//!
//! * **Exit.** The shared default pool is never dropped: its workers sleep until the process ends.
//! * **Fork.** The child has no workers. A pool made before works on there, on the calling thread alone, and can be
//!   dropped, if the fork happened while the pool was idle (workers asleep, some hundred microseconds after the
//!   last call). For more threads, make a new one.
//! * **Quotas.** [`std::thread::available_parallelism`] counts the processors of the affinity mask and, on Linux,
//!   rounds the CPU quotas of the process's cgroups *down*, to 1 at least. With a quota of 1.5, one thread is
//!   never stopped; two do more work, but all are stopped for a quarter of each period. Who wants that asks for two.

mod columns;
#[cfg(all(loom, test))]
mod model;
mod parts;
mod shares;
mod sync;
mod team;

pub use columns::TiledColumns;
pub(crate) use parts::PerThread;
pub use parts::{Parts, Runs};

use crate::isa::{Isa, UnknownIsa};
use std::ops::Range;
use std::sync::OnceLock;
use sync::Arc;
use team::Team;

/// The most threads that a pool may have.
pub const MAX_THREADS: usize = 1024;

/// What kernels run on: a number of threads and an instruction set. Clones share the threads, which end with the
/// last.
///
/// ```
/// use densely_tensor::Pool;
///
/// let pool = Pool::new(2)?;
/// let mut squares = [0; 100];
/// pool.for_each_part(1, &mut squares[..], |range, part| {
///     for (index, square) in range.zip(part) {
///         *square = index * index;
///     }
/// });
/// assert_eq!(squares[99], 9801);
/// # Ok::<(), densely_tensor::PoolError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Pool {
    isa: Isa,
    team: Arc<Team>,
}

/// Why there is no pool.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PoolError {
    /// A number of threads outside 1 to [`MAX_THREADS`].
    #[error("{found} threads asked for, expected 1 to {MAX_THREADS}")]
    Threads {
        /// What was asked for.
        found: usize,
    },
    /// `DENSELY_THREADS` is not a number.
    #[error("DENSELY_THREADS is {found:?}, expected a number from 1 to {MAX_THREADS}")]
    ThreadsVariable {
        /// The variable's value.
        found: String,
    },
    /// `DENSELY_ISA` names nothing that this machine has.
    #[error("DENSELY_ISA: {0}")]
    IsaVariable(UnknownIsa),
    /// The operating system gave no thread.
    #[error("cannot start thread {thread} of {threads}")]
    Spawn {
        /// Which thread, counted from 1.
        thread: usize,
        /// How many were asked for.
        threads: usize,
        /// What the operating system said.
        source: std::io::Error,
    },
}

impl Pool {
    /// `threads` threads, the caller's own among them, on the best instruction set of this machine.
    ///
    /// # Errors
    ///
    /// If `threads` is 0 or more than [`MAX_THREADS`], or a thread cannot be started.
    pub fn new(threads: usize) -> Result<Pool, PoolError> {
        Pool::with_isa(threads, Isa::detect())
    }

    /// As [`Pool::new`], on a given instruction set.
    ///
    /// # Errors
    ///
    /// As [`Pool::new`].
    pub fn with_isa(threads: usize, isa: Isa) -> Result<Pool, PoolError> {
        if !(1..=MAX_THREADS).contains(&threads) {
            return Err(PoolError::Threads { found: threads });
        }
        Ok(Pool { isa, team: Arc::new(Team::new(threads)?) })
    }

    /// What the environment asks for: `DENSELY_THREADS` threads (default: as many as this process may use, which
    /// respects affinity and cgroup quotas) and the instruction set `DENSELY_ISA` (default: the best).
    ///
    /// # Errors
    ///
    /// If a variable has a value that cannot be used; the message names it.
    pub fn from_environment() -> Result<Pool, PoolError> {
        let threads = match variable("DENSELY_THREADS") {
            Some(text) => match text.parse() {
                Ok(threads) if (1..=MAX_THREADS).contains(&threads) => threads,
                _ => return Err(PoolError::ThreadsVariable { found: text }),
            },
            None => available_threads(),
        };
        Pool::with_isa(threads, isa_from_environment()?)
    }

    /// How many threads share the work.
    pub fn threads(&self) -> usize {
        self.team.threads()
    }

    /// The instruction set that kernels use.
    pub fn isa(&self) -> Isa {
        self.isa
    }

    /// Cuts `parts` into consecutive parts, at multiples of `granularity` items, and works on as many at once as
    /// there are threads.
    ///
    /// `work` gets the range of items and the part that holds them. Every item is in one part; how large parts are,
    /// and which thread works on which, depends on what else the machine does. A thread takes at most half of its
    /// share at a time, so `work` is called some four times a thread: what it does once a call should be little, or
    /// `granularity` large. A call from inside `work`, or while another thread uses the pool, works on all items as
    /// one part on the calling thread.
    ///
    /// # Panics
    ///
    /// If `granularity` is 0, if members of a tuple differ in items or none has any number of them, and with what
    /// `work` panicked with; other parts may then have been worked on or not, and the pool stays usable.
    #[track_caller]
    pub fn for_each_part<P: Parts>(
        &self,
        granularity: usize,
        parts: P,
        work: impl Fn(Range<usize>, P::Part) + Sync,
    ) {
        let items = parts.items().expect("parts to divide: scratch space alone has no number of items");
        let threads = self.threads();
        let shared = parts.into_shared();
        self.team.run(items.div_ceil(granularity), |thread, blocks| {
            let range = blocks.start * granularity..blocks.end.saturating_mul(granularity).min(items);
            // SAFETY: no two pieces share a block, a thread works on one piece at a time, and all parts are given
            // back before this function returns.
            let part = unsafe { P::part(&shared, range.clone(), thread, threads) };
            work(range, part);
        });
    }
}

impl Default for Pool {
    /// As many threads as this process may use, on the best instruction set. All default pools of a process share
    /// their threads.
    fn default() -> Self {
        static SHARED: OnceLock<Pool> = OnceLock::new();
        let start = || {
            // No thread to be had? The calling thread alone needs none.
            let alone = |_| Pool { isa: Isa::detect(), team: Arc::new(Team::alone()) };
            Pool::new(available_threads()).unwrap_or_else(alone)
        };
        SHARED.get_or_init(start).clone()
    }
}

fn available_threads() -> usize {
    std::thread::available_parallelism().map_or(1, |threads| threads.get().min(MAX_THREADS))
}

fn isa_from_environment() -> Result<Isa, PoolError> {
    match variable("DENSELY_ISA") {
        Some(name) => name.parse().map_err(PoolError::IsaVariable),
        None => Ok(Isa::detect()),
    }
}

/// A variable's value without spaces around it. What is not Unicode is shown as well as it can be, and then refused.
fn variable(name: &str) -> Option<String> {
    std::env::var_os(name).map(|value| value.to_string_lossy().trim().to_owned())
}
