//! `cargo xtask bench`: training speed beside PyTorch's, in turns, on the same data and threads.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::download::{Downloader, Limits, Report};
use crate::manifest::Manifest;
use crate::train;
use crate::workspace::{self, DATA_VARIABLE};

/// Measure training beside PyTorch: whole processes in turns, medians and ranges, as a Markdown table on standard output.
///
/// The Python given needs torch and numpy; without them densely is measured alone. Close other programs first.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    cargo xtask bench\n  \
    cargo xtask bench --python ~/venv/bin/python --threads 1 --rounds 5")]
pub struct Arguments {
    /// The Python interpreter that has PyTorch
    #[arg(long, value_name = "FILE", default_value = "python3")]
    python: PathBuf,
    /// Threads for each
    #[arg(long, value_name = "N", default_value_t = available_threads())]
    threads: usize,
    /// How often each is run
    #[arg(long, value_name = "N", default_value_t = 5)]
    rounds: usize,
    /// Epochs that count in each run, after one that does not
    #[arg(long, value_name = "N", default_value_t = 3)]
    epochs: usize,
}

fn available_threads() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// What one process has shown.
struct Run {
    images_per_second: f64,
    test_accuracy: f64,
    /// Bytes.
    peak_memory: u64,
}

/// Carries out `cargo xtask bench`.
///
/// # Errors
///
/// If the data cannot be had, the binary cannot be built, or a run fails.
pub fn run(arguments: Arguments) -> Result<()> {
    ensure!(arguments.rounds > 0 && arguments.epochs > 0 && arguments.threads > 0, "all numbers start at 1");
    let manifest = Manifest::read(&workspace::committed_data().join("datasets.ron"))?;
    let mnist = manifest.find("mnist").context("the manifest has no dataset mnist")?;
    let data = workspace::data()?;
    let (sources, limits, report) = (Vec::new(), Limits::default(), Report::to_stderr());
    Downloader { data: data.clone(), sources, offline: false, limits, report }.download(mnist)?;
    let binary = train::build()?;

    let pytorch = pytorch_version(&arguments.python);
    if pytorch.is_none() {
        eprintln!("{} has no torch and numpy: densely is measured alone", arguments.python.display());
    }
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 1..=arguments.rounds {
        eprintln!("round {round} of {}", arguments.rounds);
        ours.push(run_densely(&binary, &data, &arguments).context("densely")?);
        if pytorch.is_some() {
            theirs.push(run_pytorch(&data.join("mnist"), &arguments).context("PyTorch")?);
        }
    }

    println!("Threads: {}. Rounds: {}.\n", arguments.threads, arguments.rounds);
    println!("| | images/s, median (range) | peak memory | test accuracy |");
    println!("| --- | --- | --- | --- |");
    print_row("densely", &ours);
    if let Some(version) = pytorch {
        print_row(&format!("PyTorch {version}, eager"), &theirs);
        let pairs = ours.iter().zip(&theirs);
        let ratios = pairs.map(|(ours, theirs)| ours.images_per_second / theirs.images_per_second).collect();
        let (median, least, most) = median_and_range(ratios);
        println!("\ndensely ÷ PyTorch, pair by pair: median {median:.2} ({least:.2}–{most:.2})");
    }
    Ok(())
}

fn print_row(name: &str, runs: &[Run]) {
    let (median, least, most) = median_and_range(runs.iter().map(|run| run.images_per_second).collect());
    let memory = runs.iter().map(|run| run.peak_memory).max().unwrap_or(0) / 1_000_000;
    let accuracy = median_and_range(runs.iter().map(|run| run.test_accuracy).collect()).0;
    println!("| {name} | {median:.0} ({least:.0}–{most:.0}) | {memory} MB | {:.2} % |", 100.0 * accuracy);
}

/// Median (of an even number the upper one), least and largest.
fn median_and_range(mut values: Vec<f64>) -> (f64, f64, f64) {
    values.sort_by(f64::total_cmp);
    (values[values.len() / 2], values[0], values[values.len() - 1])
}

fn pytorch_version(python: &Path) -> Option<String> {
    let output = Command::new(python).args(["-c", "import numpy, torch; print(torch.__version__)"]).output();
    let output = output.ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn run_densely(binary: &Path, data: &Path, arguments: &Arguments) -> Result<Run> {
    #[derive(Deserialize)]
    struct Metrics {
        images_per_second: f64,
        test_accuracy: f64,
    }
    let folder = tempfile::tempdir()?;
    let out = folder.path().join("run");
    let mut densely = Command::new(binary);
    densely.args(["train", "--dataset", "mnist", "--validation", "none"]);
    densely.args(["--threads", &arguments.threads.to_string()]);
    densely
        .args(["--epochs", &(arguments.epochs + 1).to_string(), "--out"])
        .arg(&out)
        .env(DATA_VARIABLE, data);
    let mut child = densely.stdin(Stdio::null()).stdout(Stdio::null()).spawn()?;
    let peak_memory = peak_memory(&mut child)?;
    let status = child.wait()?;
    ensure!(status.success(), "ended with {status}");
    let Metrics { images_per_second, test_accuracy } =
        serde_json::from_slice(&fs::read(out.join("metrics.json"))?)?;
    Ok(Run { images_per_second, test_accuracy, peak_memory })
}

fn run_pytorch(folder: &Path, arguments: &Arguments) -> Result<Run> {
    #[derive(Deserialize)]
    struct Metrics {
        images_per_second: Vec<f64>,
        test_accuracy: f64,
        peak_memory: u64,
    }
    let script = workspace::root().join("xtask/peers/torch_mlp.py");
    let mut python = Command::new(&arguments.python);
    python.arg(script).arg(folder).arg(arguments.threads.to_string()).arg(arguments.epochs.to_string());
    let output = python.stdin(Stdio::null()).stderr(Stdio::inherit()).output()?;
    ensure!(output.status.success(), "ended with {}", output.status);
    let Metrics { images_per_second, test_accuracy, peak_memory } = serde_json::from_slice(&output.stdout)?;
    Ok(Run { images_per_second: median_and_range(images_per_second).0, test_accuracy, peak_memory })
}

/// Waits for a process to end and returns the most memory it has had, in bytes, as Linux tells it every 10 ms; 0 elsewhere.
fn peak_memory(child: &mut Child) -> Result<u64> {
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    while child.try_wait()?.is_none() {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let kilobytes = text.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
        peak = kilobytes.and_then(|number| number.trim().parse::<u64>().ok()).map_or(peak, |kb| kb * 1024);
        thread::sleep(Duration::from_millis(10));
    }
    Ok(peak)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_are_of_sorted_values() {
        assert_eq!(median_and_range(vec![3.0, 1.0, 2.0]), (2.0, 1.0, 3.0));
        assert_eq!(median_and_range(vec![5.0]), (5.0, 5.0, 5.0));
    }
}
