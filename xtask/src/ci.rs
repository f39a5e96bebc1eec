//! `cargo xtask ci`: everything a change has to pass, on one machine, in one command.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::workspace::{self, DATA_VARIABLE};
use crate::{cross, tidy, train};

/// How long the training on the sample is.
const EPOCHS: &str = "5";

/// What it must reach on the sample's test set. Seed 1 gives 0.939 on every machine, for the same seed gives the same bits.
const LEAST_ACCURACY: f64 = 0.92;

/// One step: an error says what is wrong, after the output of the step itself.
type Step = fn() -> Result<()>;

/// Run every check: format, invariants, lints, docs, tests, the examples, a short training on the sample, and the bits on
/// emulated ARM; stop at the first failure.
#[derive(clap::Args)]
pub struct Arguments {
    /// Install what the last check needs (see `cargo xtask cross`); it is left out where this is not there
    #[arg(long)]
    install: bool,
}

/// Carries out `cargo xtask ci`.
///
/// # Errors
///
/// If a step fails; the later ones are not run.
pub fn run(Arguments { install }: Arguments) -> Result<()> {
    let mut steps: Vec<(&str, Step)> = vec![
        ("format", || cargo(&["fmt", "--all", "--check"])),
        ("tidy", || tidy::run(tidy::Arguments {})),
        ("clippy", || {
            cargo(&["clippy", "--locked", "--workspace", "--all-targets", "--", "--deny", "warnings"])
        }),
        // The workspace does not turn on maps, views and parallel iterators.
        ("clippy, all of idx-dataset", || {
            let package =
                ["clippy", "--locked", "--package", "idx-dataset", "--all-features", "--all-targets"];
            cargo(&[&package[..], &["--", "--deny", "warnings"]].concat())
        }),
        ("docs", || cargo(&["doc", "--locked", "--workspace", "--no-deps"])),
        ("docs, all of idx-dataset", || {
            cargo(&["doc", "--locked", "--package", "idx-dataset", "--all-features", "--no-deps"])
        }),
        // The binary turns on the feature `images` of `densely`, so the tests of all crates together have it.
        ("tests", || cargo(&["test", "--locked", "--workspace"])),
        // The workspace turns some of them on, and cannot turn `std` off.
        ("features of idx-dataset", || {
            cargo(&["test", "--locked", "--package", "idx-dataset", "--all-features"])?;
            cargo(&["test", "--locked", "--package", "idx-dataset", "--no-default-features"])
        }),
        ("examples", run_examples),
        ("training on the sample", train_on_sample),
    ];
    if install && let Err(error) = cross::install() {
        eprintln!("warning: cannot install what `cargo xtask cross` needs: {error:#}");
    }
    let missing = cross::missing()?;
    if missing.is_empty() {
        steps.push(("bits on emulated ARM", || {
            cross::run(cross::Arguments { quick: true, ..Default::default() })
        }));
    }
    let mut table = String::new();
    let mut total = Duration::ZERO;
    for (name, step) in steps {
        println!("== {name}");
        let started = Instant::now();
        let result = step();
        let time = started.elapsed();
        total += time;
        let outcome = if result.is_ok() { "passed" } else { "FAILED" };
        table += &format!("{name:<26}{outcome}{:>9.1} s\n", time.as_secs_f64());
        if result.is_err() {
            print!("\n{table}");
        }
        result.with_context(|| format!("step \"{name}\" failed"))?;
    }
    for missing in missing {
        table += &format!("bits on emulated ARM      skipped: {missing}\n");
    }
    print!("\n{table}{:<26}passed{:>9.1} s\n", "all", total.as_secs_f64());
    Ok(())
}

fn cargo(arguments: &[&str]) -> Result<()> {
    let mut cargo = workspace::cargo();
    workspace::run(
        cargo.args(arguments).current_dir(workspace::root()).env("RUSTDOCFLAGS", "--deny warnings"),
    )
}

/// Runs the course of `densely`, each example of which asserts what it has learned. The tests have built them.
fn run_examples() -> Result<()> {
    let folder = workspace::root().join("crates/nn/examples");
    let files = fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut paths = files.map(|file| Ok(file?.path())).collect::<Result<Vec<_>>>()?;
    paths.sort();
    for path in paths.iter().filter(|path| path.extension().is_some_and(|extension| extension == "rs")) {
        let name = path.file_stem().context("a file has a name")?.to_string_lossy();
        println!("-- example {name}");
        let example = workspace::build(&["build", "--locked", "--workspace", "--example", &name])?;
        workspace::run(&mut Command::new(example))?;
    }
    Ok(())
}

/// Trains the built-in recipe on the sample with the binary that the tests have built, and looks at what it says it reached.
fn train_on_sample() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let out = folder.path().join("run");
    let binary = workspace::build(&["build", "--locked", "--workspace", "--bin", "densely"])?;
    let mut densely = Command::new(binary);
    densely.args([
        "train",
        "--dataset",
        train::SAMPLE,
        "--epochs",
        EPOCHS,
        "--seed",
        "1",
        "--validation",
        "none",
        "--out",
    ]);
    workspace::run(densely.arg(&out).env(DATA_VARIABLE, workspace::committed_data()))?;
    check_metrics(&out.join("metrics.json"))
}

fn check_metrics(path: &Path) -> Result<()> {
    /// What this step looks at.
    #[derive(Deserialize)]
    struct Metrics {
        dataset: String,
        test_accuracy: f64,
    }
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let metrics: Metrics = serde_json::from_str(&text).with_context(|| path.display().to_string())?;
    ensure!(metrics.dataset == train::SAMPLE, "the run says that its dataset is {:?}", metrics.dataset);
    let accuracy = metrics.test_accuracy;
    ensure!(
        (LEAST_ACCURACY..=1.0).contains(&accuracy),
        "test accuracy {accuracy}, expected at least {LEAST_ACCURACY}"
    );
    println!("test accuracy {accuracy} after {EPOCHS} epochs (at least {LEAST_ACCURACY} is required)");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_learned_too_little_or_something_else_fails() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.json");
        for (metrics, passes) in [
            (r#"{"dataset": "mnist-sample", "test_accuracy": 0.93, "epochs": 5}"#, true),
            (r#"{"dataset": "mnist-sample", "test_accuracy": 0.91}"#, false),
            (r#"{"dataset": "mnist-sample", "test_accuracy": 93.0}"#, false),
            (r#"{"dataset": "mnist", "test_accuracy": 0.98}"#, false),
            (r#"{"dataset": "mnist-sample"}"#, false),
            ("", false),
        ] {
            fs::write(&path, metrics).unwrap();
            assert_eq!(check_metrics(&path).is_ok(), passes, "{metrics}");
        }
    }
}
