//! How a kernel is measured.
//!
//! Contenders take turns: each round measures every one once, and one sample of the FMA peak, starting with another of them
//! each time. A sample is at least two milliseconds of calls after a warm-up, so that clock ticks, cold caches and a neighbour's
//! leftovers do not count. Shares and ratios are to be taken within a round: a slow moment of the machine then hits both
//! sides.

use crate::loops;
use densely_tensor::Pool;
use serde::Serialize;
use std::time::{Duration, Instant};

/// Least time of one sample.
const SAMPLE: Duration = Duration::from_millis(2);
/// Calls before a sample that do not count: enough to touch every set of operands, as packed ones are this contender's alone
/// and left the caches while the others ran.
const WARM_UP: Duration = Duration::from_millis(3);
/// The same on several threads: those of the contender before spin for up to 3 ms before they sleep, and the system takes
/// a while to give each of ours a core of its own again.
const WARM_UP_OF_THREADS: Duration = Duration::from_millis(6);
/// A kernel whose rounds take longer in all gets fewer of them, but no fewer than [`FEWEST_ROUNDS`].
const KERNEL: Duration = Duration::from_secs(3);
const FEWEST_ROUNDS: usize = 5;
/// The threads, and how often everything is measured.
pub(crate) struct Measure<'a> {
    pub(crate) pool: &'a Pool,
    pub(crate) rounds: usize,
}

/// What rates are counted in.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Unit {
    /// Floating-point operations of the dense form, skipped or not.
    Flops,
    /// Elements, for kernels whose operations have no agreed count.
    Elements,
}

/// A kernel to be measured.
pub(crate) struct Kernel<'a> {
    /// What it is, as a table's section.
    pub(crate) group: &'static str,
    /// Which one of its group.
    pub(crate) name: String,
    pub(crate) unit: Unit,
    /// Operations or elements of one call.
    pub(crate) work: f64,
    /// Bytes that one call reads or writes at least, each operand once.
    pub(crate) traffic: usize,
    /// Bytes of all operand sets that calls rotate over: they decide which cache level the traffic comes from.
    pub(crate) resident: usize,
    /// Ours first.
    pub(crate) contenders: Vec<Timed<'a>>,
}

/// A contender as something to call.
pub(crate) struct Timed<'a> {
    pub(crate) name: &'static str,
    pub(crate) packed: bool,
    /// Does the work once; the argument counts calls, for rotating over operand sets.
    pub(crate) call: Box<dyn FnMut(usize) + 'a>,
}

impl<'a> Timed<'a> {
    /// Ours, where there is no other.
    pub(crate) fn ours(call: impl FnMut(usize) + 'a) -> Vec<Self> {
        vec![Timed { name: "densely", packed: false, call: Box::new(call) }]
    }
}

#[derive(Serialize)]
#[serde(tag = "line", rename = "kernel")]
struct KernelLine<'a> {
    group: &'a str,
    name: &'a str,
    unit: Unit,
    work: f64,
    traffic: usize,
    resident: usize,
    /// GFLOP/s of nothing but fused multiply-adds, one sample a round.
    peak: Vec<f64>,
    contenders: Vec<ContenderLine<'a>>,
}

#[derive(Serialize)]
struct ContenderLine<'a> {
    name: &'a str,
    packed: bool,
    /// Seconds of one call, one sample a round.
    seconds: Vec<f64>,
}

impl Measure<'_> {
    /// Measures a kernel and prints its line.
    pub(crate) fn kernel(&self, kernel: Kernel<'_>) {
        let Kernel { group, ref name, unit, work, traffic, resident, mut contenders } = kernel;
        let started = Instant::now();
        let calls: Vec<usize> = contenders.iter_mut().map(calls_of_a_sample).collect();
        // Counting calls has taken about as long as a round.
        let affordable = (KERNEL.as_secs_f64() / started.elapsed().as_secs_f64()) as usize;
        let rounds = affordable.max(FEWEST_ROUNDS).min(self.rounds);
        let line = |contender: &Timed<'_>| ContenderLine {
            name: contender.name,
            packed: contender.packed,
            seconds: Vec::new(),
        };
        let mut lines: Vec<_> = contenders.iter().map(line).collect();
        let mut peak = Vec::new();
        for round in 0..rounds {
            for turn in 0..=contenders.len() {
                let index = (round + turn) % (contenders.len() + 1);
                match contenders.get_mut(index) {
                    Some(contender) => lines[index].seconds.push(self.sample(contender, calls[index])),
                    None => peak.push(self.peak()),
                }
            }
        }
        print_line(&KernelLine { group, name, unit, work, traffic, resident, peak, contenders: lines });
    }

    /// One sample of the rate of fused multiply-adds on all threads, GFLOP/s.
    pub(crate) fn peak(&self) -> f64 {
        let mut flops = 0.0;
        let mut fma = |_| flops = loops::fma_on_each_thread(self.pool);
        repeat(&mut fma, self.warm_up());
        let (calls, time) = repeat(&mut fma, SAMPLE);
        flops * calls as f64 / time.as_secs_f64() / 1e9
    }

    /// Seconds of one call, from so many in a row.
    fn sample(&self, contender: &mut Timed<'_>, calls: usize) -> f64 {
        repeat(&mut contender.call, self.warm_up());
        let started = Instant::now();
        for call in 0..calls {
            (contender.call)(call);
        }
        started.elapsed().as_secs_f64() / calls as f64
    }

    fn warm_up(&self) -> Duration {
        if self.pool.threads() > 1 { WARM_UP_OF_THREADS } else { WARM_UP }
    }
}

/// As many calls as make up a sample.
fn calls_of_a_sample(contender: &mut Timed<'_>) -> usize {
    (contender.call)(0); // may start threads or load code
    let (calls, time) = repeat(&mut contender.call, SAMPLE);
    (calls as f64 * SAMPLE.as_secs_f64() / time.as_secs_f64()).ceil() as usize
}

/// Calls until `time` has passed, at least one; how many calls, and how long they took.
fn repeat(call: &mut dyn FnMut(usize), time: Duration) -> (usize, Duration) {
    let started = Instant::now();
    for calls in 1.. {
        call(calls);
        let elapsed = started.elapsed();
        if elapsed >= time {
            return (calls, elapsed);
        }
    }
    unreachable!("time passes")
}

/// Prints one line of JSON.
pub(crate) fn print_line(line: &impl Serialize) {
    println!("{}", serde_json::to_string(line).expect("numbers and names become JSON"));
}
