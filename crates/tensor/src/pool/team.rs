//! The workers themselves: one job at a time, which they may enter while its door is open.
//!
//! A job is a closure that takes work until none is left, so it is complete when one thread has come back from it
//! and every other thread that entered has left. The caller opens the door, works itself, closes the door, and
//! waits for those inside. Nobody waits for a worker that never came: one that sleeps, or whose core does something
//! else, or that does not exist (in the child of a fork).
//!
//! # The state
//!
//! All of it is in one atomic word, so whatever two threads do at once, one of them did first and the other sees it:
//!
//! | bits | meaning | set by | cleared by |
//! | --- | --- | --- | --- |
//! | 0 to 11 | workers inside | entering | leaving |
//! | 12 | the door is open | the caller | the caller |
//! | 13 | the team ends | drop | |
//! | 14 | a worker may sleep | the worker | opening |
//! | 15 | the caller may sleep | the caller | opening |
//! | 16 to 31 | the job's number, modulo 2¹⁶ | opening | |
//!
//! A worker enters by a compare-and-swap from a word with an open door, so it never enters a closed one, and it
//! leaves by subtraction. The number tells it which job it was in before. Numbers come back after 65,536 jobs: a
//! worker that slept through all of those may take a new job for the old one and miss it, which is allowed.
//!
//! # Orderings
//!
//! * *Opening* is a swap with Release, *entering* a compare-and-swap with Acquire that reads the swap's word or one
//!   made from it by others' read-modify-writes, which belong to its release sequence. So the job's pointer,
//!   written before opening, and all that the caller did before, is visible to whoever entered.
//! * *Leaving* is a subtraction with Release; the caller reads with Acquire a word in which nobody is inside. All
//!   earlier departures are in the release sequences that this word ends. So what workers wrote is visible to the
//!   caller, and nobody reads the pointer when the caller writes the next one.
//! * *Sleeping*: who wants to sleep takes the mutex, sets its bit by compare-and-swap in a word that gives it
//!   nothing to do, and waits on a condition variable. Who changes the word to one that gives it something to do
//!   sees the bit in the word that was replaced, takes the mutex, and notifies. Either the sleeper saw the change,
//!   or the other saw the bit, and then got the mutex when the sleeper waited. The bits carry no data: Relaxed is
//!   enough.
//! * *`busy`* hands the team from one caller to the next: Acquire and Release, as a lock does.
//!
//! `model.rs` has loom try all this in every order.
//!
//! # Why nothing can deadlock
//!
//! Only three things wait: workers for a job (or the end), a caller for workers inside its job, and drop for
//! workers to end. A caller that finds the team busy does not wait but works alone. So a thread inside a job waits,
//! if at all, for threads inside a job that it called itself, of this team or another: jobs in progress form a
//! tree, which has no cycle. Drop needs the team by value, and a caller borrows it until its job is done, so no
//! thread can drop a team in a job of that team.

use super::PoolError;
use super::shares::Shares;
use super::sync::Ordering::{Acquire, Relaxed, Release};
use super::sync::{
    Arc, AtomicBool, AtomicU32, Builder, Condvar, JoinHandle, Mutex, MutexGuard, UnsafeCell, spin_loop,
    yield_now,
};
use std::any::Any;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::PoisonError;

const INSIDE: u32 = (1 << 12) - 1;
const OPEN: u32 = 1 << 12;
const ENDED: u32 = 1 << 13;
const WORKER_SLEEPS: u32 = 1 << 14;
const CALLER_SLEEPS: u32 = 1 << 15;
const NUMBER: u32 = !(ONE_JOB - 1);
const ONE_JOB: u32 = 1 << 16;

const _: () = assert!(super::MAX_THREADS <= INSIDE as usize);

/// How often a waiting thread looks before it lets others run: some 10 to 40 microseconds, about what waking a
/// sleeping thread costs.
const SPINS: u32 = if cfg!(loom) { 0 } else { 1 << 10 };
/// How often a waiting thread lets others run before it sleeps: some 200 microseconds where no other wants to,
/// which is longer than most serial parts of a training step.
const YIELDS: u32 = if cfg!(loom) { 1 } else { 1 << 9 };

/// A job is called with the number of each thread that enters it, at most once with each, and with 0 by the caller.
type Job = dyn Fn(usize) + Sync;

/// Threads that wait for jobs. The thread that calls [`run`](Team::run) is number 0 of its job.
#[derive(Debug)]
pub(super) struct Team {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
    /// The blocks of the job of whoever holds `busy`.
    shares: Shares,
    /// The process that the workers live in, if there are any.
    process: Option<u32>,
}

struct Shared {
    /// See the table above.
    state: AtomicU32,
    /// The job whose door is open or that somebody is inside. Written by whoever holds `busy`, with a closed door
    /// and nobody inside.
    job: UnsafeCell<Option<*const Job>>,
    /// Held by the thread whose job runs.
    busy: AtomicBool,
    /// Held from setting a bit of sleep until waiting.
    sleep: Mutex<()>,
    /// Workers sleep here.
    opened: Condvar,
    /// The caller sleeps here.
    left: Condvar,
    /// What a worker that panicked panicked with.
    panic: Mutex<Option<Box<dyn Any + Send>>>,
}

// SAFETY: `job` is the only part that is not `Sync`. It is written with a closed door and nobody inside, and read
// only by threads inside; the orderings above put each write before the reads that follow it and after those
// before.
unsafe impl Sync for Shared {}
// SAFETY: the pointer in `job` is to a `Sync` closure, and is followed only while `run_job` keeps it alive.
unsafe impl Send for Shared {}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

/// A mutex here guards plain values that are whole at any time, so a panic elsewhere does not spoil them.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Team {
    /// The calling thread and nobody else.
    pub(super) fn alone() -> Team {
        Team::without_workers(1)
    }

    fn without_workers(threads: usize) -> Team {
        let (shared, shares) = (Arc::new(Shared::new()), Shares::new(threads));
        Team { shared, workers: Vec::new(), shares, process: None }
    }

    pub(super) fn new(threads: usize) -> Result<Team, PoolError> {
        let mut team = Team::without_workers(threads);
        for thread in 1..threads {
            let shared = Arc::clone(&team.shared);
            let worker = Builder::new()
                .name(format!("densely-{thread}"))
                .spawn(move || shared.work(thread))
                .map_err(|source| PoolError::Spawn { thread: thread + 1, threads, source })?;
            team.workers.push(worker);
            team.process = Some(std::process::id());
        }
        Ok(team)
    }

    pub(super) fn threads(&self) -> usize {
        self.workers.len() + 1
    }

    /// Has `work` called with ranges that together are the blocks from 0 to `blocks`, and with the number of the
    /// thread it is called on: on this thread and on every worker that comes while blocks are left. With the team
    /// busy, or nothing to share, this thread works alone.
    pub(super) fn run(&self, blocks: usize, work: impl Fn(usize, Range<usize>) + Sync) {
        match blocks {
            0 => {}
            2.. if !self.workers.is_empty() && !self.shared.busy.swap(true, Acquire) => {
                self.shares.divide(blocks);
                self.run_job(&|thread| self.shares.work_off(blocks, thread, |piece| work(thread, piece)));
            }
            _ => work(0, 0..blocks),
        }
    }

    /// Calls `job` on this thread, and on every worker that comes before this thread's call ends. This thread has
    /// set `busy`.
    fn run_job(&self, job: &(dyn Fn(usize) + Sync)) {
        let shared = &*self.shared;
        // SAFETY: only the lifetime is erased. The pointer is followed by threads inside alone, and this function
        // does not return, nor unwind, before the door is closed and each of them has left.
        let erased: *const Job = unsafe { std::mem::transmute::<&(dyn Fn(usize) + Sync), &'static Job>(job) };
        // SAFETY: `busy` is ours, the door is closed and nobody is inside, so no other thread reads or writes the
        // cell.
        shared.job.with_mut(|cell| unsafe { *cell = Some(erased) });
        shared.open();
        let own = catch_unwind(AssertUnwindSafe(|| job(0)));
        shared.close();
        let panic = lock(&shared.panic).take();
        shared.busy.store(false, Release);
        match (own.err(), panic) {
            (Some(payload), other) => {
                std::mem::forget(other); // as in `work`
                resume_unwind(payload)
            }
            (None, Some(payload)) => resume_unwind(payload),
            (None, None) => {}
        }
    }
}

impl Drop for Team {
    fn drop(&mut self) {
        if self.process.is_some_and(|process| process != std::process::id()) {
            // In the child of a fork there are no workers, and joining one would wait for ever.
            self.workers.drain(..).for_each(std::mem::forget);
            return;
        }
        self.shared.end();
        for worker in self.workers.drain(..) {
            // A worker's panics were caught; there is nothing left to report.
            let _ = worker.join();
        }
    }
}

impl Shared {
    fn new() -> Shared {
        Shared {
            state: AtomicU32::new(0),
            job: UnsafeCell::new(None),
            busy: AtomicBool::new(false),
            sleep: Mutex::new(()),
            opened: Condvar::new(),
            left: Condvar::new(),
            panic: Mutex::new(None),
        }
    }

    /// Opens the door for the next job.
    fn open(&self) {
        // With nobody inside, workers change nothing but their bit of sleep, which the swap returns.
        let number = (self.state.load(Relaxed) & NUMBER).wrapping_add(ONE_JOB);
        let before = self.state.swap(number | OPEN, Release);
        self.wake_workers(before);
    }

    /// Closes the door, and waits until nobody is inside.
    fn close(&self) {
        let mut state = self.state.fetch_and(!OPEN, Acquire);
        let mut turns = 0;
        while state & INSIDE != 0 {
            if !pause(&mut turns) {
                self.sleep_while(&self.left, CALLER_SLEEPS, |state| state & INSIDE != 0);
            }
            state = self.state.load(Acquire);
        }
    }

    /// Lets the workers end.
    fn end(&self) {
        let before = self.state.fetch_or(ENDED, Relaxed);
        self.wake_workers(before);
    }

    fn wake_workers(&self, before: u32) {
        if before & WORKER_SLEEPS != 0 {
            drop(lock(&self.sleep)); // whoever set the bit now waits
            self.opened.notify_all();
        }
    }

    /// Waits for a job that does not have the number `last`, enters it, and returns its number; `None` at the end.
    fn enter(&self, last: u32) -> Option<u32> {
        let mut turns = 0;
        loop {
            let state = self.state.load(Relaxed);
            if state & ENDED != 0 {
                return None;
            }
            let number = state & NUMBER;
            if state & OPEN != 0 && number != last {
                if self.state.compare_exchange(state, state + 1, Acquire, Relaxed).is_ok() {
                    return Some(number);
                }
            } else if !pause(&mut turns) {
                // A job that was missed is news, too: others may follow it.
                self.sleep_while(&self.opened, WORKER_SLEEPS, |state| {
                    state & NUMBER == number && state & ENDED == 0
                });
                turns = 0;
            }
        }
    }

    fn leave(&self) {
        let before = self.state.fetch_sub(1, Release);
        if before & INSIDE == 1 && before & CALLER_SLEEPS != 0 {
            drop(lock(&self.sleep)); // the caller now waits, or has looked again
            self.left.notify_one();
        }
    }

    /// Sleeps on `condition` while there is nothing to do, with `bit` set.
    fn sleep_while(&self, condition: &Condvar, bit: u32, nothing_to_do: impl Fn(u32) -> bool) {
        let mut guard = lock(&self.sleep);
        loop {
            let state = self.state.load(Relaxed);
            if !nothing_to_do(state) {
                return;
            }
            if self.state.compare_exchange(state, state | bit, Relaxed, Relaxed).is_ok() {
                guard = condition.wait(guard).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    /// A worker's life.
    fn work(&self, thread: usize) {
        let mut number = 0;
        while let Some(entered) = self.enter(number) {
            number = entered;
            // SAFETY: this thread is inside, so the job was written before and is not written again before it leaves.
            let job = self.job.with(|cell| unsafe { *cell }).expect("a door opens after its job is written");
            // SAFETY: `run_job` keeps the closure alive until this thread leaves.
            let job = unsafe { &*job };
            if let Err(payload) = catch_unwind(AssertUnwindSafe(|| job(thread))) {
                let earlier = lock(&self.panic).replace(payload);
                // Dropping a payload runs foreign code, which may panic again: it would end this worker.
                std::mem::forget(earlier);
            }
            self.leave();
        }
    }
}

/// One turn of a waiting loop: a pause of the CPU at first, later a turn for other threads. `false`: time to sleep.
fn pause(turns: &mut u32) -> bool {
    if *turns < SPINS {
        spin_loop();
    } else if *turns < SPINS + YIELDS {
        yield_now();
    } else {
        return false;
    }
    *turns += 1;
    true
}
