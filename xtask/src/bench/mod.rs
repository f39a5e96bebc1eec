//! `cargo xtask bench`: densely beside its peers, in one command, into `docs/benchmarks.md`.
//!
//! A contender is a program that is given a task (`task`, `contender`; `densely`, `python` and `rust` find them) and runs in a process of
//! its own (`process`). The parts ask all of them in turns (`session`) and make tables: `training`, `accuracy`, `inference`,
//! `sweeps` with its `picture`; `rates` has the figures in them. `document` puts them where they belong.

mod accuracy;
mod contender;
mod densely;
mod document;
mod inference;
mod picture;
mod process;
mod python;
mod rates;
mod rust;
mod session;
mod sweeps;
mod task;
mod training;

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;

use crate::download::{Downloader, Limits, Report};
use crate::manifest::Manifest;
use crate::{roofline, workspace};
use contender::Missing;
use session::Session;

/// Measure densely beside its peers, whole processes in turns, and write tables and pictures into docs/benchmarks.md.
///
/// Peers in Python are those whose modules the given interpreter has (numpy, torch, jax, keras with one of its backends); burn
/// and candle are measured if they are built. Close other programs first. Sections are replaced between their markers, what stands
/// around them is kept.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    cargo xtask bench --python ~/venv/bin/python\n  \
    cargo xtask bench --only training --threads 1 --rounds 5\n  \
    cargo xtask bench --build-peers --peers burn,candle --only inference --out /tmp/bench.md\n  \
    cargo xtask bench --only sweeps --peers none")]
pub struct Arguments {
    /// What to measure
    #[arg(long, value_enum, value_name = "PARTS", value_delimiter = ',', default_values_t = Part::ALL)]
    only: Vec<Part>,
    /// Whom to measure beside ours, if they are there
    #[arg(long, value_enum, value_name = "PEERS", value_delimiter = ',', default_values_t = Peer::ALL)]
    peers: Vec<Peer>,
    /// The Python interpreter that has the peers
    #[arg(long, value_name = "FILE", default_value = "python3")]
    python: PathBuf,
    /// Build burn and candle first, which takes minutes
    #[arg(long)]
    build_peers: bool,
    /// Threads in training; the other parts take the most of them [default: 1 and as many as there are]
    #[arg(long, value_name = "N", value_delimiter = ',')]
    threads: Vec<usize>,
    /// How often each is run in training and inference
    #[arg(long, value_name = "N", default_value_t = 3)]
    rounds: usize,
    /// Epochs that count in each run of training, after one that does not
    #[arg(long, value_name = "N", default_value_t = 1)]
    epochs: usize,
    /// Seeds, 1 to this, of the runs up to an accuracy
    #[arg(long, value_name = "N", default_value_t = 3)]
    seeds: u64,
    /// The document; pictures go into the folder `pictures` beside it [default: docs/benchmarks.md]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// What can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Images a second, memory, threads, and the dense roofline
    Training,
    /// Seconds to 98.0 % of the test images, and to 98.5 % with a larger network
    Accuracy,
    /// Images a second, and microseconds for one image
    Inference,
    /// Ours over batch sizes, widths and depths, with a picture
    Sweeps,
}

impl Part {
    const ALL: [Self; 4] = [Self::Training, Self::Accuracy, Self::Inference, Self::Sweeps];

    fn name(self) -> &'static str {
        match self {
            Self::Training => "training",
            Self::Accuracy => "accuracy",
            Self::Inference => "inference",
            Self::Sweeps => "sweeps",
        }
    }
}

/// Who can be measured beside ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Peer {
    /// Nobody
    None,
    /// PyTorch, eager
    Pytorch,
    /// PyTorch with torch.compile
    Compiled,
    /// JAX, an epoch in one compiled scan
    Jax,
    /// Keras, on JAX, TensorFlow or PyTorch, the first of them that is there
    Keras,
    /// burn on its CPU backend, flex
    Burn,
    /// candle on the CPU
    Candle,
}

impl Peer {
    const ALL: [Self; 6] = [Self::Pytorch, Self::Compiled, Self::Jax, Self::Keras, Self::Burn, Self::Candle];

    fn name(self) -> &'static str {
        match self {
            Self::None => "nobody",
            Self::Pytorch => "PyTorch, eager",
            Self::Compiled => "PyTorch, compiled",
            Self::Jax => "JAX",
            Self::Keras => "Keras",
            Self::Burn => "burn",
            Self::Candle => "candle",
        }
    }
}

/// Carries out `cargo xtask bench`.
///
/// # Errors
///
/// If the data cannot be had, a program of ours cannot be built or fails, or the document cannot be written. Each part is written as
/// soon as it is measured.
pub fn run(mut arguments: Arguments) -> Result<()> {
    let Arguments { rounds, epochs, seeds, .. } = arguments;
    ensure!(
        rounds > 0 && epochs > 0 && seeds > 0 && !arguments.threads.contains(&0),
        "all numbers start at 1"
    );
    let available = thread::available_parallelism().map_or(1, usize::from);
    if arguments.threads.is_empty() {
        arguments.threads = vec![1, available];
    }
    arguments.threads.sort_unstable();
    arguments.threads.dedup();
    if arguments.peers.contains(&Peer::None) {
        arguments.peers.clear();
    }
    let document = arguments.out.clone().unwrap_or_else(|| workspace::root().join("docs/benchmarks.md"));
    let pictures = document.parent().unwrap_or(Path::new("")).join("pictures");
    let session = prepare(&arguments)?;
    for part in Part::ALL.into_iter().filter(|part| arguments.only.contains(part)) {
        let start = Instant::now();
        let section = match part {
            Part::Training => training::section(&session),
            Part::Accuracy => accuracy::section(&session),
            Part::Inference => inference::section(&session),
            Part::Sweeps => {
                fs::create_dir_all(&pictures)
                    .with_context(|| format!("cannot make {}", pictures.display()))?;
                sweeps::section(&session, &pictures.join("sweeps.svg"), "pictures/sweeps.svg")
            }
        }?;
        let minutes = start.elapsed().as_secs_f64() / 60.0;
        let heading = heading(&session, &arguments, available, minutes)?;
        let text = format!("{heading}\n{}", section.trim_start());
        write(&document, part.name(), &text)?;
        session.say(&format!("{} took {minutes:.1} minutes", part.name()));
    }
    println!("written into {}", document.display());
    Ok(())
}

/// Gets the data, builds ours, and finds the peers.
fn prepare(arguments: &Arguments) -> Result<Session> {
    let manifest = Manifest::read(&workspace::committed_data().join("datasets.ron"))?;
    let mnist = manifest.find("mnist").context("the manifest has no dataset mnist")?;
    let data = workspace::data()?;
    let (sources, limits, report) = (Vec::new(), Limits::default(), Report::to_stderr());
    Downloader { data: data.clone(), sources, offline: false, limits, report }.download(mnist)?;
    let roofline = roofline::build()?;
    let mut contenders = vec![densely::contender()?];
    let mut missing = Vec::new();
    for (found, not_found) in [
        python::find(&arguments.python, &arguments.peers),
        rust::find(&arguments.peers, arguments.build_peers),
    ] {
        contenders.extend(found);
        missing.extend(not_found);
    }
    for Missing { name, why } in &missing {
        eprintln!("missing: {name}: {why}");
    }
    if process::taskset().is_none() {
        eprintln!("warning: there is no taskset here, so peers may use more processors than threads");
    }
    let Arguments { threads, rounds, epochs, seeds, .. } = arguments;
    let (threads, rounds, epochs, seeds) = (threads.clone(), *rounds, *epochs, *seeds);
    let data = data.join("mnist");
    let start = Instant::now();
    Ok(Session { contenders, missing, data, threads, rounds, epochs, seeds, roofline, start })
}

/// When, where and how a section was measured, and who was missing.
fn heading(session: &Session, arguments: &Arguments, available: usize, minutes: f64) -> Result<String> {
    let date = workspace::output(Command::new("date").arg("+%F")).unwrap_or_default();
    let information = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = information.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    let model = model.map_or("unknown processor", |(_, model)| model.trim());
    let (_, isa) = roofline::peak(&session.roofline, 1)?;
    let Arguments { rounds, epochs, seeds, .. } = arguments;
    let mut text = format!(
        "Measured on {}: {model}, {available} processors, {isa}; rounds: {rounds}, epochs: {epochs}, seeds: {seeds}; \
         in {minutes:.1} minutes.\n",
        date.trim()
    );
    if !session.missing.is_empty() {
        let names: Vec<&str> = session.missing.iter().map(|missing| missing.name).collect();
        text += &format!("Not there: {}.\n", names.join("; "));
    }
    Ok(text)
}

/// Puts a section into the document, a new one if there is none.
fn write(document: &Path, name: &str, text: &str) -> Result<()> {
    let old = match fs::read_to_string(document) {
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        read => read.with_context(|| format!("cannot read {}", document.display()))?,
    };
    let new = document::with_section(&old, name, text)?;
    fs::write(document, new).with_context(|| format!("cannot write {}", document.display()))
}
