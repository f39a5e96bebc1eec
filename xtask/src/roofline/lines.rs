//! What the benchmark prints: samples, a line of JSON for each thing measured.

use serde::{Deserialize, Serialize};

/// One line.
#[derive(Deserialize)]
#[serde(tag = "line", rename_all = "lowercase")]
pub(super) enum Line {
    Machine(Machine),
    Level(Level),
    Kernel(Kernel),
}

#[derive(Deserialize)]
pub(super) struct Machine {
    pub(super) isa: String,
    pub(super) threads: usize,
    /// GFLOP/s.
    pub(super) peak: Vec<f64>,
}

/// A level of memory.
#[derive(Deserialize)]
pub(super) struct Level {
    pub(super) name: String,
    /// The most bytes that are still counted to it; none for memory.
    pub(super) holds: Option<u64>,
    /// GB/s.
    pub(super) read: Vec<f64>,
    /// GB/s, read and written.
    pub(super) copy: Vec<f64>,
}

#[derive(Deserialize)]
pub(super) struct Kernel {
    pub(super) group: String,
    pub(super) name: String,
    pub(super) unit: Unit,
    /// Operations or elements of a call.
    pub(super) work: f64,
    /// Bytes that a call reads or writes at least.
    pub(super) traffic: f64,
    /// Bytes that calls rotate over.
    pub(super) resident: u64,
    /// GFLOP/s.
    pub(super) peak: Vec<f64>,
    pub(super) contenders: Vec<Contender>,
}

/// What work is counted in.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Unit {
    Flops,
    Elements,
}

#[derive(Deserialize)]
pub(super) struct Contender {
    pub(super) name: String,
    /// Whether an operand was packed ahead.
    pub(super) packed: bool,
    /// Seconds of a call.
    pub(super) seconds: Vec<f64>,
}
