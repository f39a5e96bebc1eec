//! `kill -9` at random moments.

use super::*;
use densely::callbacks::{CsvLogger, EarlyStopping};
use densely::random::{Purpose, stream};
use rand_chacha::rand_core::Rng;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;
use std::{env, fs, thread};

/// Where a child keeps its files.
const FOLDER: &str = "DENSELY_TEST_BACKUP";

/// A program that trains a model, run by the other test in a process of its own.
#[test]
#[ignore = "part of the other test, which starts it"]
fn child() {
    let Some(folder) = env::var_os(FOLDER).map(PathBuf::from) else { return };
    let (train, held_out) = (data(200), data(31));
    let mut model = model::<f32>(densely::AdamW { use_ema: true, ..densely::AdamW::new(0.01) });
    let mut stopping = EarlyStopping::new("val_loss").patience(20).restore_best_weights(true);
    let mut logger = CsvLogger::new(folder.join("log.csv"));
    let backup = BackupAndRestore::new(folder.join("backup")).save_freq(SaveFreq::Batches(3));
    let fit = Fit {
        epochs: 12,
        batch_size: 16,
        validation: Some(&held_out),
        callbacks: vec![&mut stopping, &mut logger],
        backup: Some(backup.double_checkpoint(true)),
        ..Fit::default()
    };
    let history = model.fit(&train, fit).expect("nothing but a kill ends it");
    let result = format!("{} {}", model.fingerprint(), figures(&history));
    densely::write_atomically(folder.join("result"), result.as_bytes()).expect("the folder is there");
}

/// Starts the program again and again until it is let run to its end, and returns its result and its log.
fn run(folder: &Path, kills: usize, mut milliseconds: impl FnMut() -> u64) -> (String, String, usize) {
    let mut killed = 0;
    loop {
        let mut child = Command::new(env::current_exe().expect("a test has a path"))
            .args(["kill::child", "--exact", "--ignored"])
            .env(FOLDER, folder)
            .stdout(Stdio::null())
            .spawn()
            .expect("a test can be started");
        if killed < kills {
            thread::sleep(Duration::from_millis(milliseconds()));
            child.kill().expect("a child can be killed");
        }
        let status = child.wait().expect("a child ends");
        if let Ok(result) = fs::read_to_string(folder.join("result")) {
            assert!(!folder.join("backup").exists(), "the backup goes with the end");
            let log = fs::read_to_string(folder.join("log.csv")).expect("it was written");
            return (result, log, killed);
        }
        assert!(!status.success() && killed < kills, "{status}");
        killed += 1;
    }
}

#[test]
fn a_program_that_is_killed_goes_on_as_if_it_had_not_been() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (result, log, _) = run(folder.path(), 0, || 0);
    // The kills are spread over a run, however fast the machine is.
    let start = std::time::Instant::now();
    let folder = tempfile::tempdir().expect("a temporary folder");
    run(folder.path(), 0, || 0);
    let length = (start.elapsed().as_millis() as u64).max(10);
    let mut random = stream(1, Purpose::Shuffle, 0, 0);
    let (mut kills, mut runs) = (0, 0);
    // A machine that has become faster since then ends many of its runs before they are killed.
    while runs < 5 || kills < 5 {
        assert!(runs < 200, "{kills} kills in {runs} runs");
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (again, lines, killed) = run(folder.path(), 6, || random.next_u64() % length);
        assert_eq!((again, lines), (result.clone(), log.clone()));
        (kills, runs) = (kills + killed, runs + 1);
    }
}
