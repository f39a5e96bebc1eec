//! The workers themselves: one job at a time, handed over through an atomic counter.

use super::PoolError;
use std::any::Any;
use std::cell::UnsafeCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::*};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

/// How often a waiting thread looks before it lets others run: some 20 to 50 microseconds.
const SPINS: usize = 1 << 10;
/// How often a waiting worker lets others run before it sleeps.
const YIELDS: usize = 1 << 6;

/// A job is called once with each thread's number.
type Job = dyn Fn(usize) + Sync;

/// Threads that wait for jobs. The thread that calls [`broadcast`](Team::broadcast) is number 0.
#[derive(Debug)]
pub(super) struct Team {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
}

struct Shared {
    /// Raised by one for each job, and once more to end.
    generation: AtomicUsize,
    /// The job of this generation. Written only while no worker runs (`remaining` is 0) by whoever holds `busy`.
    job: UnsafeCell<Option<*const Job>>,
    /// Workers that have not finished the job.
    remaining: AtomicUsize,
    /// Held by the thread whose job runs.
    busy: AtomicBool,
    /// Set before the last generation.
    ended: AtomicBool,
    /// Workers that sleep or are about to.
    sleepers: AtomicUsize,
    sleep: Mutex<()>,
    wake: Condvar,
    /// What a worker that panicked panicked with.
    panic: Mutex<Option<Box<dyn Any + Send>>>,
}

// SAFETY: `job` is the only part that is not `Sync`. It is written before `generation` is raised (Release) and read after
// that was seen (Acquire); it is written again only after every worker has lowered `remaining` (AcqRel).
unsafe impl Sync for Shared {}
// SAFETY: the pointer in `job` is to a `Sync` closure, and is followed only while `broadcast` keeps it alive.
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
        Team { shared: Arc::new(Shared::new()), workers: Vec::new() }
    }

    pub(super) fn new(threads: usize) -> Result<Team, PoolError> {
        let mut team = Team::alone();
        for thread in 1..threads {
            let shared = Arc::clone(&team.shared);
            let worker = std::thread::Builder::new()
                .name(format!("densely-{thread}"))
                .spawn(move || shared.work(thread))
                .map_err(|source| PoolError::Spawn { thread: thread + 1, threads, source })?;
            team.workers.push(worker);
        }
        Ok(team)
    }

    pub(super) fn threads(&self) -> usize {
        self.workers.len() + 1
    }

    /// Calls `job` with each number from 0 to the number of threads, at once where the team is free.
    pub(super) fn broadcast(&self, job: &(dyn Fn(usize) + Sync)) {
        let shared = &*self.shared;
        if self.workers.is_empty() || shared.busy.swap(true, Acquire) {
            (0..self.threads()).for_each(job);
            return;
        }
        // SAFETY: only the lifetime is erased. The pointer is followed by workers of this generation alone, and this
        // function does not return, nor unwind, before each of them has lowered `remaining`.
        let erased: *const Job = unsafe { std::mem::transmute::<&(dyn Fn(usize) + Sync), &'static Job>(job) };
        // SAFETY: `busy` is ours and `remaining` is 0, so no other thread reads or writes the cell.
        unsafe { *shared.job.get() = Some(erased) };
        shared.remaining.store(self.workers.len(), Relaxed);
        shared.raise_generation();

        let own = catch_unwind(AssertUnwindSafe(|| job(0)));
        let mut spins = 0;
        while shared.remaining.load(Acquire) != 0 {
            pause(&mut spins);
        }
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
        self.shared.ended.store(true, Relaxed);
        self.shared.raise_generation();
        for worker in self.workers.drain(..) {
            // A worker's panics were caught; there is nothing left to report.
            let _ = worker.join();
        }
    }
}

impl Shared {
    fn new() -> Shared {
        Shared {
            generation: AtomicUsize::new(0),
            job: UnsafeCell::new(None),
            remaining: AtomicUsize::new(0),
            busy: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            sleepers: AtomicUsize::new(0),
            sleep: Mutex::new(()),
            wake: Condvar::new(),
            panic: Mutex::new(None),
        }
    }

    /// Lets the workers see the new job. SeqCst here and in `wait_beyond`: either the worker sees the new generation
    /// before it sleeps, or this thread sees that it sleeps.
    fn raise_generation(&self) {
        self.generation.fetch_add(1, SeqCst);
        if self.sleepers.load(SeqCst) > 0 {
            drop(lock(&self.sleep)); // whoever counted itself among the sleepers now waits, or has looked again
            self.wake.notify_all();
        }
    }

    /// Waits until the generation is no longer `seen`, and returns it.
    fn wait_beyond(&self, seen: usize) -> usize {
        let mut spins = 0;
        while spins < SPINS + YIELDS {
            let generation = self.generation.load(Acquire);
            if generation != seen {
                return generation;
            }
            pause(&mut spins);
        }
        let mut guard = lock(&self.sleep);
        self.sleepers.fetch_add(1, SeqCst);
        while self.generation.load(SeqCst) == seen {
            guard = self.wake.wait(guard).unwrap_or_else(PoisonError::into_inner);
        }
        self.sleepers.fetch_sub(1, SeqCst);
        self.generation.load(Acquire)
    }

    /// A worker's life.
    fn work(&self, thread: usize) {
        let mut generation = 0;
        loop {
            generation = self.wait_beyond(generation);
            if self.ended.load(Relaxed) {
                return;
            }
            // SAFETY: the new generation was seen, so the job was written before, and it is not written again before
            // this thread lowers `remaining`.
            let job = unsafe { *self.job.get() };
            if let Some(job) = job {
                // SAFETY: `broadcast` keeps the closure alive until this thread lowers `remaining`.
                let job = unsafe { &*job };
                if let Err(payload) = catch_unwind(AssertUnwindSafe(|| job(thread))) {
                    let earlier = lock(&self.panic).replace(payload);
                    // Dropping a payload runs foreign code, which may panic again: it would end this worker.
                    std::mem::forget(earlier);
                }
            }
            self.remaining.fetch_sub(1, AcqRel);
        }
    }
}

/// One turn of a waiting loop: a pause of the CPU at first, later a turn for other threads.
fn pause(turns: &mut usize) {
    if *turns < SPINS {
        std::hint::spin_loop();
    } else {
        std::thread::yield_now();
    }
    *turns = turns.saturating_add(1);
}
