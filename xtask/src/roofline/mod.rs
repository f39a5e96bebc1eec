//! `cargo xtask roofline`: how near our kernels come to what the machine can do, and to the best of other libraries.
//!
//! The benchmark `roofline` of densely-tensor measures, because only that crate may contain unsafe code, and prints lines of
//! JSON (`lines`). Here they become a `report`, a `table` and a `picture` (S. Williams, A. Waterman and D. Patterson,
//! *Roofline: an insightful visual performance model for multicore architectures*, CACM 52(4), 2009).

mod lines;
mod picture;
mod report;
mod table;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use anyhow::{Context, Result, bail, ensure};
use clap::ValueEnum;

use crate::figure::Figure;
use crate::workspace;
use lines::{Line, Machine};
use report::Report;

/// Measure this machine's roofs (fused multiply-adds, bandwidth) and our kernels below them, beside other libraries.
///
/// Everything is single precision. Contenders take turns, a few milliseconds each, and so does the FMA peak. Close other
/// programs first. OpenBLAS and oneDNN are measured if their shared libraries are installed (Debian: libopenblas0-pthread,
/// libdnnl-dev).
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    cargo xtask roofline\n  \
    cargo xtask roofline --threads 1 --isa avx2 --peers none\n  \
    cargo xtask roofline --all --svg roofline.svg --json > roofline.json")]
pub struct Arguments {
    /// Threads for each; several numbers make several reports [default: 1 and as many as there are]
    #[arg(long, value_name = "N", value_delimiter = ',')]
    threads: Vec<usize>,
    /// The instruction set of our kernels: avx512, avx2, … [default: the best]
    #[arg(long, value_name = "NAME")]
    isa: Option<String>,
    /// Whom to measure beside ours
    #[arg(long, value_enum, default_value_t = Peers::All)]
    peers: Peers,
    /// Measure a sweep of odd sizes too
    #[arg(long)]
    all: bool,
    /// How often each is measured; long ones less often
    #[arg(long, value_name = "N", default_value_t = 9)]
    rounds: usize,
    /// Print JSON instead of tables
    #[arg(long)]
    json: bool,
    /// Draw a picture into this file
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

/// Whom to measure beside ours.
#[derive(Clone, Copy, ValueEnum)]
enum Peers {
    /// Nobody
    None,
    /// The crates gemm, matrixmultiply, nalgebra and faer
    Crates,
    /// Those, and OpenBLAS and oneDNN
    All,
}

/// Carries out `cargo xtask roofline`.
///
/// # Errors
///
/// If the benchmark cannot be built or fails (an instruction set that the machine lacks, a wrong product), or the picture cannot
/// be written.
pub fn run(mut arguments: Arguments) -> Result<()> {
    ensure!(arguments.rounds > 0 && !arguments.threads.contains(&0), "all numbers start at 1");
    if arguments.threads.is_empty() {
        arguments.threads = vec![1, thread::available_parallelism().map_or(1, usize::from)];
        arguments.threads.dedup();
    }
    let binary = build()?;
    let measured = arguments.threads.iter().map(|&threads| measure(&binary, threads, &arguments));
    let reports: Vec<Report> = measured.collect::<Result<_>>()?;
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&reports)?);
    } else {
        reports.iter().for_each(|report| println!("{}", table::table(report)));
    }
    if let Some(path) = &arguments.svg {
        let text = picture::picture(&reports)?;
        fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// Builds the benchmark and says where it is.
///
/// # Errors
///
/// If cargo cannot be run or the build fails; cargo has said why.
pub(crate) fn build() -> Result<PathBuf> {
    let package = ["bench", "--package=densely-tensor", "--features=densely-tensor/system-peers"];
    workspace::build(&[&package[..], &["--bench=roofline", "--no-run"]].concat())
}

/// The rate of fused multiply-adds alone: GFLOP/s of so many threads, and the instruction set. Takes a tenth of a second.
///
/// # Errors
///
/// If the benchmark cannot be run.
pub(crate) fn peak(binary: &Path, threads: usize) -> Result<(Figure, String)> {
    let mut benchmark = Command::new(binary);
    benchmark.env("DENSELY_THREADS", threads.to_string()).args(["--rounds", "9", "--peers", "none"]);
    let mut child = benchmark.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    let mut output = BufReader::new(child.stdout.take().expect("standard output is piped"));
    let mut text = String::new();
    output.read_line(&mut text)?;
    // What it would measure next is not wanted here.
    child.kill()?;
    child.wait()?;
    match serde_json::from_str(&text).context("the benchmark's first line")? {
        Line::Machine(Machine { isa, peak, .. }) => Ok((Figure::new(peak)?, isa)),
        Line::Level(_) | Line::Kernel(_) => bail!("the benchmark's first line is not that of the machine"),
    }
}

/// Runs the benchmark once.
fn measure(binary: &Path, threads: usize, arguments: &Arguments) -> Result<Report> {
    let mut command = Command::new(binary);
    command.env("DENSELY_THREADS", threads.to_string());
    if let Some(isa) = &arguments.isa {
        command.env("DENSELY_ISA", isa);
    }
    let peers = arguments.peers.to_possible_value().expect("no variant is skipped");
    command.args(["--rounds", &arguments.rounds.to_string(), "--peers", peers.get_name()]);
    if arguments.all {
        command.arg("--sweep");
    }
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    let output = BufReader::new(child.stdout.take().expect("standard output is piped"));
    let mut lines = Vec::new();
    for text in output.lines() {
        let line: Line = serde_json::from_str(&text?).context("the benchmark's lines")?;
        if let Line::Kernel(kernel) = &line {
            eprintln!("{threads} threads: {} {}", kernel.group, kernel.name);
        }
        lines.push(line);
    }
    let status = child.wait()?;
    ensure!(status.success(), "the benchmark ended with {status}");
    Report::new(lines)
}
