//! What the pool promises: every item once, panics handed on, nested and shared use safe, no wake-up lost, no CPU for
//! nothing.

use densely_tensor::{Pool, Runs};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

fn pool(threads: usize) -> Pool {
    Pool::new(threads).expect("threads are to be had")
}

#[test]
fn every_item_is_worked_on_once() {
    for threads in [1, 2, 3, 7] {
        let pool = pool(threads);
        for items in [0, 1, 2, 7, 64, 1000] {
            for granularity in [1, 3, 64] {
                let mut counts = vec![0u32; items];
                pool.for_each_part(granularity, &mut counts[..], |range, part| {
                    assert_eq!(range.len(), part.len());
                    assert!(range.start.is_multiple_of(granularity));
                    part.iter_mut().for_each(|count| *count += 1);
                });
                assert!(counts.iter().all(|&count| count == 1), "{threads} threads, {items} items");
            }
        }
    }
}

#[test]
fn parts_of_a_tuple_belong_together() {
    let pool = pool(3);
    let source: Vec<usize> = (0..100).collect();
    let mut runs = vec![0; 300];
    let counted = AtomicUsize::new(0);
    pool.for_each_part(1, (&source[..], Runs::new(&mut runs, 3)), |range, (source, runs)| {
        for (source, run) in source.iter().zip(runs.chunks_exact_mut(3)) {
            run.fill(*source);
        }
        counted.fetch_add(range.len(), Relaxed);
    });
    assert!(runs.iter().enumerate().all(|(place, &value)| value == place / 3));
    assert_eq!(counted.into_inner(), 100);
}

#[test]
#[should_panic(expected = "parts of Some(2) and 3 items")]
fn a_tuple_with_different_numbers_of_items_is_refused() {
    pool(2).for_each_part(1, (&[1, 2][..], &[1, 2, 3][..]), |_, _| {});
}

#[test]
fn a_panic_reaches_the_caller_and_the_pool_stays_usable() {
    let pool = pool(4);
    for panicking in 0..4 {
        let mut items = [0; 4];
        let result = catch_unwind(AssertUnwindSafe(|| {
            pool.for_each_part(1, &mut items[..], |range, _| {
                assert!(range.start != panicking, "item {panicking}");
            });
        }));
        let message = result.unwrap_err().downcast::<String>().unwrap();
        assert_eq!(*message, format!("item {panicking}"));
        let done = AtomicUsize::new(0);
        pool.for_each_part(1, &mut items[..], |range, _| {
            done.fetch_add(range.len(), Relaxed);
        });
        assert_eq!(done.into_inner(), 4);
    }
}

#[test]
fn nested_use_works() {
    let pool = pool(3);
    let total = AtomicUsize::new(0);
    pool.for_each_part(1, &mut [(); 9][..], |_, outer| {
        for _ in outer {
            pool.for_each_part(1, &mut [(); 5][..], |range, _| {
                total.fetch_add(range.len(), Relaxed);
            });
        }
    });
    assert_eq!(total.into_inner(), 45);
}

#[test]
#[cfg_attr(miri, ignore = "too long for an interpreter")]
fn many_threads_may_use_one_pool() {
    let pool = pool(2);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for round in 0..500 {
                    let mut items = [0; 10];
                    pool.for_each_part(1, &mut items[..], |_, part| part.fill(round));
                    assert_eq!(items, [round; 10]);
                }
            });
        }
    });
}

/// Both parts wait for each other, so they are worked on at the same time, or for ever.
#[test]
fn a_worker_comes_whether_it_slept_or_not() {
    for threads in [2, 3, 7] {
        let pool = pool(threads);
        for pause in [0, 0, 1, 20, 50] {
            std::thread::sleep(Duration::from_millis(pause));
            let both = Barrier::new(2);
            pool.for_each_part(1, &mut [0; 2][..], |_, _| {
                both.wait();
            });
        }
    }
}

#[test]
fn a_caller_waits_for_workers_however_long_they_take() {
    let pool = pool(2);
    let caller = std::thread::current().id();
    for milliseconds in [0, 1, 50] {
        let (both, mut items) = (Barrier::new(2), [0; 2]);
        pool.for_each_part(1, &mut items[..], |_, part| {
            both.wait();
            if std::thread::current().id() != caller {
                std::thread::sleep(Duration::from_millis(milliseconds));
            }
            part.fill(1);
        });
        assert_eq!(items, [1, 1]);
    }
}

#[test]
fn pools_may_be_made_used_and_dropped_inside_work() {
    let outer = pool(3);
    let total = AtomicUsize::new(0);
    outer.for_each_part(1, &mut [(); 6][..], |_, part| {
        let (same, inner) = (outer.clone(), pool(2));
        inner.for_each_part(1, &mut vec![(); part.len()][..], |range, _| {
            same.for_each_part(1, &mut vec![(); range.len()][..], |range, _| {
                total.fetch_add(range.len(), Relaxed);
            });
        });
    });
    assert_eq!(total.into_inner(), 6);
}

/// The CPU time, in clock ticks, of this process's workers number 7 and 70 to 79.
#[cfg(target_os = "linux")]
fn worker_ticks() -> u64 {
    let mut ticks = 0;
    for task in std::fs::read_dir("/proc/self/task").expect("Linux has /proc") {
        // A thread of another test may end while we look.
        let Ok(stat) = std::fs::read_to_string(task.expect("an entry").path().join("stat")) else { continue };
        let (name, fields) = stat.rsplit_once(')').expect("the name stands in parentheses");
        if name.contains("(densely-7") {
            ticks += fields
                .split_whitespace()
                .skip(11)
                .take(2)
                .map(|t| t.parse::<u64>().expect("a number"))
                .sum::<u64>();
        }
    }
    ticks
}

/// Only this test has a pool with a worker number 7 or more, so other tests do not show.
#[cfg(target_os = "linux")]
#[test]
#[cfg_attr(miri, ignore = "an interpreter shows no CPU time")]
fn idle_workers_cost_no_cpu() {
    let pool = pool(8);
    pool.for_each_part(1, &mut [0; 8][..], |_, _| {});
    std::thread::sleep(Duration::from_millis(100)); // they look for work for a moment before they sleep
    let before = worker_ticks();
    std::thread::sleep(Duration::from_millis(500));
    assert!(
        worker_ticks() - before <= 2,
        "an idle worker used {} ticks in half a second",
        worker_ticks() - before
    );
}

#[test]
fn numbers_of_threads_are_checked() {
    assert_eq!(Pool::new(0).unwrap_err().to_string(), "0 threads asked for, expected 1 to 1024");
    assert!(Pool::new(1025).is_err());
}
