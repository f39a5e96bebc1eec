//! The machine: sizes of its caches, its rate of fused multiply-adds, and the bandwidth of each level.

use crate::loops;
use crate::measure::{Measure, print_line};
use densely_tensor::{AlignedBuffer, Pool, Runs};
use serde::Serialize;
use std::hint::black_box;
use std::time::Instant;

/// Bytes of the caches: the first two levels a core, the third for all.
pub(crate) struct Caches {
    first: usize,
    second: usize,
    third: usize,
}

impl Caches {
    /// As Linux tells them; elsewhere, or where it does not, what most machines have at least.
    pub(crate) fn of_this_machine() -> Self {
        let size = |index: usize| {
            let path = format!("/sys/devices/system/cpu/cpu0/cache/index{index}/size");
            let text = std::fs::read_to_string(path).ok()?;
            Some(text.trim().strip_suffix('K')?.parse::<usize>().ok()? * 1024)
        };
        // Index 1 is the first level's cache of instructions.
        Self {
            first: size(0).unwrap_or(32 << 10),
            second: size(2).unwrap_or(512 << 10),
            third: size(3).unwrap_or(8 << 20),
        }
    }
}

#[derive(Serialize)]
#[serde(tag = "line", rename = "machine")]
struct MachineLine {
    isa: String,
    threads: usize,
    /// GFLOP/s of nothing but fused multiply-adds.
    peak: Vec<f64>,
}

#[derive(Serialize)]
#[serde(tag = "line", rename = "level")]
struct LevelLine {
    name: &'static str,
    /// The most bytes that are still counted to this level, of all threads together; `None` for memory.
    holds: Option<usize>,
    /// GB/s of loads.
    read: Vec<f64>,
    /// GB/s of bytes read and bytes written by `memcpy`.
    copy: Vec<f64>,
}

/// A level of memory: what it holds, and how many bytes a thread walks over to measure it.
struct Level {
    name: &'static str,
    holds: Option<usize>,
    walked: usize,
}

/// Measures and prints the FMA peak and each level's bandwidth, the levels in turns.
pub(crate) fn measure_roofs(pool: &Pool, caches: &Caches, rounds: usize) {
    let measure = Measure { pool, rounds };
    let peak = (0..rounds).map(|_| measure.peak()).collect();
    print_line(&MachineLine { isa: pool.isa().to_string(), threads: pool.threads(), peak });

    let threads = pool.threads();
    let Caches { first, second, third } = *caches;
    let levels = [
        Level { name: "L1", holds: Some(first * threads), walked: first / 2 },
        Level { name: "L2", holds: Some(second * threads), walked: second / 2 },
        // A quarter: on a shared host the rest may be others'.
        Level { name: "L3", holds: Some(third), walked: (third / 4).max(2 * second * threads) / threads },
        Level { name: "memory", holds: None, walked: (4 * third).max(128 << 20) / threads },
    ];
    let mut lines = levels.each_ref().map(|&Level { name, holds, .. }| LevelLine {
        name,
        holds,
        read: vec![],
        copy: vec![],
    });
    let mut buffers = levels.each_ref().map(|level| {
        let elements = level.walked / size_of::<f32>();
        let mut buffer = AlignedBuffer::<f32>::zeros(elements * threads);
        buffer.fill(1.0); // or every page would be the same page of zeros
        (elements, buffer)
    });
    for _ in 0..rounds {
        for (line, (elements, buffer)) in lines.iter_mut().zip(&mut buffers) {
            line.read.push(bandwidth(pool, buffer, *elements, read_pass));
            line.copy.push(bandwidth(pool, buffer, *elements, copy_pass));
        }
    }
    lines.iter().for_each(print_line);
}

/// Passes over a buffer in one measurement walk at least so many bytes.
const LEAST_BYTES: usize = 64 << 20;

/// GB/s of `pass` on every thread's own part of `buffer`; a pass touches every byte of its part once.
fn bandwidth(
    pool: &Pool,
    buffer: &mut [f32],
    elements_per_thread: usize,
    pass: fn(&Pool, &mut [f32]),
) -> f64 {
    let bytes = size_of_val(buffer);
    let passes = (LEAST_BYTES * pool.threads()).div_ceil(bytes);
    let mut run = |passes: usize| {
        pool.for_each_part(1, Runs::new(buffer, elements_per_thread), |_, part| {
            for _ in 0..passes {
                pass(pool, black_box(&mut *part));
            }
        });
    };
    run(1);
    let started = Instant::now();
    run(passes);
    (bytes * passes) as f64 / started.elapsed().as_secs_f64() / 1e9
}

fn read_pass(pool: &Pool, part: &mut [f32]) {
    black_box(loops::read(pool.isa())(part));
}

/// The first half becomes a copy of the second.
fn copy_pass(_: &Pool, part: &mut [f32]) {
    let (target, source) = part.split_at_mut(part.len() / 2);
    target.copy_from_slice(&source[..target.len()]);
}
