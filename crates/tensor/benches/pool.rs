//! The pool beside rayon on the rhythm of a training step: short phases of work that all threads share, one after the
//! other, with serial work between them.
//!
//! ```text
//! cargo bench -p densely-tensor --bench pool
//! cargo bench -p densely-tensor --bench pool -- --threads 1,2,4,8 --rounds 101 even
//! ```
//!
//! Each line is one pattern on so many threads. A figure is the wall time of a phase in microseconds, its serial
//! gap included: the median over the rounds, and in brackets the 5th and the 95th percentile. In a round every
//! contender runs the pattern once, in turn, so that a change of the machine meets all of them. `ideal` is the work
//! divided by the threads or processors, whichever are fewer, plus the gap. Words without dashes choose the
//! patterns whose name has one of them.

#![allow(clippy::print_stdout)]

use densely_tensor::Pool;
use rayon::prelude::*;
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Phases in a round.
const PHASES: usize = 40;
/// Pieces that the work of a phase can be cut into.
const PIECES: usize = 64;

/// How the work lies over the pieces.
#[derive(Clone, Copy, PartialEq)]
enum Shape {
    /// All pieces alike.
    Even,
    /// Piece i takes i + 1 units of work, as the nonzeros of a picture are not everywhere.
    Uneven,
    /// Reads and writes one array of 1 MiB, phase after phase: it stays in the caches of the cores that had it
    /// before.
    Memory,
}

struct Pattern {
    name: &'static str,
    shape: Shape,
    /// Microseconds of work a phase, on one thread.
    work: f64,
    /// Microseconds of serial work before each phase.
    gap: f64,
}

const fn pattern(name: &'static str, shape: Shape, work: f64, gap: f64) -> Pattern {
    Pattern { name, shape, work, gap }
}

const PATTERNS: &[Pattern] = &[
    pattern("empty", Shape::Even, 0.0, 0.0),
    pattern("empty", Shape::Even, 0.0, 5.0),
    pattern("empty after sleep", Shape::Even, 0.0, 1000.0),
    pattern("even", Shape::Even, 20.0, 0.0),
    pattern("even", Shape::Even, 20.0, 5.0),
    pattern("even", Shape::Even, 50.0, 0.0),
    pattern("even", Shape::Even, 50.0, 5.0),
    pattern("even", Shape::Even, 200.0, 0.0),
    pattern("even", Shape::Even, 200.0, 5.0),
    pattern("even", Shape::Even, 200.0, 40.0),
    pattern("even", Shape::Even, 200.0, 150.0),
    pattern("even", Shape::Even, 300.0, 0.0),
    pattern("even", Shape::Even, 300.0, 5.0),
    pattern("uneven", Shape::Uneven, 200.0, 5.0),
    pattern("memory", Shape::Memory, 0.0, 0.0),
];

/// Work that no compiler shortens: a chain of dependent multiplications.
fn spin(units: u64) {
    let mut x = 1.000_001_f64;
    for _ in 0..units {
        x = black_box(x * 1.000_000_1);
    }
    black_box(x);
}

/// How many units of work take one microsecond.
fn units_per_microsecond() -> f64 {
    let rate = || {
        let started = Instant::now();
        spin(100_000);
        100_000.0 / (started.elapsed().as_secs_f64() * 1e6)
    };
    let mut rates: Vec<f64> = (0..51).map(|_| rate()).collect();
    rates.sort_by(f64::total_cmp);
    rates[25]
}

/// One piece of a phase: how many units of work, and what it reads and writes.
struct Piece {
    units: u64,
    memory: Vec<f32>,
    visits: u64,
}

impl Piece {
    fn work(&mut self) {
        self.visits += 1;
        spin(self.units);
        for x in &mut self.memory {
            *x = *x * 0.5 + 1.0;
        }
    }
}

/// Who runs the phases.
enum Contender<'a> {
    Ours(&'a Pool),
    /// `scope`, one task for each thread but the caller's, which works too.
    Scope(usize),
    /// `join` of the halves, for two threads.
    Join,
    /// `par_chunks_mut`, one chunk for each thread.
    Chunks(usize),
    /// `broadcast`; each thread takes the pieces of its number.
    Broadcast(usize),
}

impl Contender<'_> {
    fn phase(&self, pieces: &mut [Piece]) {
        let work = |part: &mut [Piece]| part.iter_mut().for_each(Piece::work);
        match *self {
            Contender::Ours(pool) => pool.for_each_part(1, pieces, |_, part| work(part)),
            Contender::Scope(threads) => rayon::scope(|scope| {
                let mut parts = pieces.chunks_mut(PIECES.div_ceil(threads));
                let own = parts.next();
                for part in parts {
                    scope.spawn(move |_| work(part));
                }
                own.map(work);
            }),
            Contender::Join => {
                let (first, second) = pieces.split_at_mut(PIECES / 2);
                rayon::join(|| work(first), || work(second));
            }
            Contender::Chunks(threads) => {
                pieces.par_chunks_mut(PIECES.div_ceil(threads)).with_max_len(1).for_each(work);
            }
            Contender::Broadcast(threads) => {
                let parts: Vec<_> =
                    pieces.chunks_mut(PIECES.div_ceil(threads)).map(std::sync::Mutex::new).collect();
                rayon::broadcast(|context| {
                    if let Some(part) = parts.get(context.index()) {
                        work(&mut part.lock().expect("no part panics"));
                    }
                });
            }
        }
    }
}

/// Microseconds of one phase, on average over a round.
fn round(contender: &Contender<'_>, pieces: &mut [Piece], gap: Gap) -> f64 {
    let started = Instant::now();
    for _ in 0..PHASES {
        match gap {
            Gap::Work(units) => spin(units),
            Gap::Sleep(time) => std::thread::sleep(time),
        }
        contender.phase(pieces);
    }
    started.elapsed().as_secs_f64() * 1e6 / PHASES as f64
}

/// What the calling thread does between two phases.
#[derive(Clone, Copy)]
enum Gap {
    Work(u64),
    Sleep(Duration),
}

fn pieces(pattern: &Pattern, rate: f64) -> Vec<Piece> {
    let total = pattern.work * rate;
    let share = |piece: usize| match pattern.shape {
        Shape::Even | Shape::Memory => 1.0 / PIECES as f64,
        Shape::Uneven => (piece + 1) as f64 / (PIECES * (PIECES + 1) / 2) as f64,
    };
    let elements = if pattern.shape == Shape::Memory { (1 << 20) / 4 / PIECES } else { 0 };
    (0..PIECES)
        .map(|piece| Piece { units: (total * share(piece)) as u64, memory: vec![0.0; elements], visits: 0 })
        .collect()
}

fn median_and_range(mut times: Vec<f64>) -> String {
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times[((times.len() - 1) as f64 * share).round() as usize];
    format!("{:.1} [{:.1} {:.1}]", at(0.5), at(0.05), at(0.95))
}

fn measure(pattern: &Pattern, threads: usize, rounds: usize, rate: f64) {
    let pool = Pool::new(threads).expect("threads are to be had");
    let rayon = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads are to be had");
    let gap = match pattern.gap {
        gap if gap >= 1000.0 => Gap::Sleep(Duration::from_secs_f64(gap * 1e-6)),
        gap => Gap::Work((gap * rate) as u64),
    };
    let mut contenders = vec![
        Contender::Ours(&pool),
        Contender::Scope(threads),
        Contender::Chunks(threads),
        Contender::Broadcast(threads),
    ];
    if threads == 2 {
        contenders.push(Contender::Join);
    }
    let mut pieces = pieces(pattern, rate);
    let mut times = vec![Vec::with_capacity(rounds); contenders.len()];
    // The first round is not counted: it warms caches, and wakes threads.
    for number in 0..=rounds {
        for (contender, times) in contenders.iter().zip(&mut times) {
            let time = match contender {
                Contender::Ours(_) => round(contender, &mut pieces, gap),
                // Rayon is at its best where the step runs inside it and is not handed over phase by phase.
                _ => rayon.install(|| round(contender, &mut pieces, gap)),
            };
            if number > 0 {
                times.push(time);
            }
        }
    }
    let visits = (PHASES * (rounds + 1) * contenders.len()) as u64;
    assert!(pieces.iter().all(|piece| piece.visits == visits), "a piece was left out, or worked on twice");

    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let ideal = pattern.work / threads.min(processors) as f64 + pattern.gap;
    print!("{:<18} {:>5.0} {:>5.0} {threads:>3} {ideal:>7.1}", pattern.name, pattern.work, pattern.gap);
    for times in times {
        print!("  {:<22}", median_and_range(times));
    }
    println!();
}

fn main() {
    let mut threads = vec![1, 2];
    let mut rounds = 51;
    let mut words = Vec::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut number = || arguments.next().expect("the flag has a value");
        match &*argument {
            "--bench" | "--test" => {}
            "--threads" => {
                threads = number().split(',').map(|n| n.parse().expect("a number of threads")).collect()
            }
            "--rounds" => rounds = number().parse().expect("a number of rounds"),
            _ => words.push(argument),
        }
    }
    let rate = units_per_microsecond();
    println!(
        "{:<18} {:>5} {:>5} {:>3} {:>7}  {:<22}  {:<22}  {:<22}  {:<22}  {:<22}",
        "pattern",
        "work",
        "gap",
        "thr",
        "ideal",
        "ours",
        "rayon scope",
        "rayon par_chunks",
        "rayon broadcast",
        "rayon join"
    );
    for &threads in &threads {
        for pattern in PATTERNS {
            if words.is_empty() || words.iter().any(|word| pattern.name.contains(&**word)) {
                measure(pattern, threads, rounds, rate);
            }
        }
    }
}
