//! The hand-over of jobs in the orders in which its threads can meet (`cargo xtask loom`); most models allow two or three
//! preemptions at most.
//!
//! Each model runs the real team on [loom](https://docs.rs/loom)'s primitives. Loom reports data races on its
//! cells, so what a job reads and writes is in them; it reports deadlocks, so a wake-up that is lost shows where
//! somebody waits for it.

use super::sync::{Arc, AtomicBool, AtomicUsize, Ordering::Relaxed, UnsafeCell, yield_now};
use super::team::Team;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// Two numbers that a job raises: loom sees a race, a test sees what was left out or done twice.
struct Blocks([UnsafeCell<usize>; 2]);

// SAFETY: a model shares it only to find out whether access is exclusive, which loom checks.
unsafe impl Sync for Blocks {}
// SAFETY: as above.
unsafe impl Send for Blocks {}

impl Blocks {
    fn new() -> Self {
        Blocks([UnsafeCell::new(0), UnsafeCell::new(0)])
    }

    /// Raises each block on `team`, whose threads share them.
    fn raise(&self, team: &Team) {
        team.run(2, |_, blocks| {
            for block in blocks {
                // SAFETY: loom panics unless access is exclusive.
                self.0[block].with_mut(|number| unsafe { *number += 1 });
            }
        });
    }

    /// Asserts that the caller sees what all threads wrote.
    fn assert(&self, expected: usize) {
        for block in &self.0 {
            // SAFETY: loom panics if somebody may write meanwhile.
            assert_eq!(block.with(|number| unsafe { *number }), expected);
        }
    }
}

fn team(threads: usize) -> Team {
    Team::new(threads).expect("loom has threads")
}

/// Tries every order with at most so many preemptions; `None`: every order.
fn model(preemptions: Option<usize>, model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = preemptions;
    builder.check(model);
}

#[test]
fn jobs_are_done_and_seen_when_the_call_returns() {
    model(Some(3), || {
        let team = team(2);
        let blocks = Blocks::new();
        for expected in [1, 2] {
            blocks.raise(&team);
            blocks.assert(expected);
        }
    });
}

#[test]
fn two_workers_share_a_job() {
    model(Some(2), || {
        let team = team(3);
        let blocks = Blocks::new();
        blocks.raise(&team);
        blocks.assert(1);
    });
}

#[test]
fn a_team_ends_whether_its_workers_sleep_or_not() {
    model(None, || drop(team(2)));
    model(Some(3), || drop(team(3)));
}

/// The caller does not work before the worker has come, so a lost wake-up stops the model.
#[test]
fn a_sleeping_worker_is_woken() {
    model(Some(3), || {
        let team = team(2);
        for _ in 0..2 {
            let came = AtomicBool::new(false);
            team.run(2, |thread, _| match thread {
                0 => {
                    while !came.load(Relaxed) {
                        yield_now();
                    }
                }
                _ => came.store(true, Relaxed),
            });
        }
    });
}

#[test]
fn a_panic_reaches_the_caller_and_the_team_stays_usable() {
    for panicking in [0, 1] {
        model(Some(2), move || {
            let team = team(2);
            let panicked = AtomicUsize::new(0);
            let result = catch_unwind(AssertUnwindSafe(|| {
                team.run(2, |thread, _| {
                    if thread == panicking {
                        panicked.fetch_add(1, Relaxed);
                        resume_unwind(Box::new(thread)); // without the message of `panic!`
                    }
                });
            }));
            let payload =
                result.err().map(|payload| *payload.downcast::<usize>().expect("the job's payload"));
            let expected = (panicked.load(Relaxed) > 0).then_some(panicking);
            assert_eq!(payload, expected);
            let blocks = Blocks::new();
            blocks.raise(&team);
            blocks.assert(1);
        });
    }
}

#[test]
fn two_callers_share_a_team() {
    model(Some(2), || {
        let team = Arc::new(team(2));
        let other = loom::thread::spawn({
            let team = Arc::clone(&team);
            move || {
                let blocks = Blocks::new();
                blocks.raise(&team);
                blocks.assert(1);
            }
        });
        let blocks = Blocks::new();
        blocks.raise(&team);
        blocks.assert(1);
        other.join().expect("the other caller does not panic");
    });
}
