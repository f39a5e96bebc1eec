//! Ctrl-C while a model is trained.
#![cfg(unix)]

mod common;

use common::{Lab, Outcome, RECIPE};
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::{Duration, Instant};

#[test]
fn the_first_stops_after_the_batch_and_keeps_the_model_so_far() {
    let lab = Lab::new();
    let mut run = lab.start(["train", "--recipe", "toy.ron", "--epochs", "1000000", "--name", "stopped"]);
    let shown = read_until(&mut run, "2/1000000");
    signal(&run, "INT");
    let outcome = end(run, shown);
    assert_eq!((outcome.status, outcome.err.as_str()), (Some(130), ""));
    assert!(outcome.out.contains("Stopped in epoch "), "{}", outcome.out);
    common::assert_plain(&outcome.out);

    let metrics: serde_json::Value = serde_json::from_str(&lab.read("runs/stopped/metrics.json")).unwrap();
    assert_eq!(metrics["interrupted"], true);
    let epochs = metrics["epochs"].as_u64().unwrap();
    assert_eq!(lab.read("runs/stopped/history.csv").lines().count() as u64, epochs + 1);
    assert_eq!(lab.files("runs/stopped").len(), 6);
    assert!(lab.densely(["evaluate", "runs/stopped"]).fine().contains("test accuracy"));
}

#[test]
fn the_second_ends_the_process_at_once_and_leaves_no_folder() {
    let lab = Lab::new();
    // One batch of this takes many seconds.
    let large = RECIPE
        .replace("units: 8, activation: Relu),", "units: 3000), Dense(units: 3000),")
        .replace("batch_size: 8", "batch_size: 120");
    lab.write("large.ron", large);
    let started = Instant::now();
    let mut run = lab.command([
        "train",
        "--recipe",
        "large.ron",
        "--epochs",
        "100",
        "--threads",
        "1",
        "--out",
        "new/run",
    ]);
    let mut run = run
        .env("DENSELY_ISA", "portable")
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let shown = read_until(&mut run, "epoch ");
    signal(&run, "INT");
    sleep(Duration::from_millis(50));
    signal(&run, "INT");
    let outcome = end(run, shown);
    assert_eq!(outcome.status, Some(130), "{outcome:?} after {:?}", started.elapsed());
    assert!(!outcome.out.contains("test accuracy"), "{}", outcome.out);
    assert!(!lab.path("new").exists());
}

/// Reads whole lines until one contains a text.
fn read_until(run: &mut Child, text: &str) -> String {
    let mut shown = String::new();
    let mut reader = BufReader::with_capacity(1, run.stdout.as_mut().unwrap());
    while !shown.lines().next_back().unwrap_or_default().contains(text) {
        assert_ne!(reader.read_line(&mut shown).unwrap(), 0, "{shown}");
    }
    shown
}

fn signal(run: &Child, name: &str) {
    let status = Command::new("kill").arg(format!("-{name}")).arg(run.id().to_string()).status().unwrap();
    assert!(status.success());
}

fn end(mut run: Child, mut shown: String) -> Outcome {
    run.stdout.take().unwrap().read_to_string(&mut shown).unwrap();
    let mut outcome = Outcome::from(run.wait_with_output().unwrap());
    outcome.out = shown;
    outcome
}
