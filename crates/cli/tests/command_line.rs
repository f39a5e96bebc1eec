//! What holds for every subcommand: help, version, statuses, and an output that cannot be written.

mod common;

use common::{Lab, Outcome, assert_plain};
use std::process::Stdio;

#[test]
fn help_and_version_go_to_the_standard_output() {
    let lab = Lab::new();
    for command in ["train", "evaluate", "predict", "summary", "inspect"] {
        let help = lab.densely([command, "--help"]);
        assert_eq!((help.status, help.err.as_str()), (Some(0), ""));
        assert!(
            help.out.contains("Examples:\n  densely ") && help.out.contains("Usage: densely "),
            "{}",
            help.out
        );
    }
    assert!(lab.densely(["--help"]).out.contains("Exit status: 0 fine"));
    assert_eq!(lab.densely(["--version"]).fine(), format!("densely {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn wrong_command_lines_have_status_2_and_name_the_flag() {
    let lab = Lab::new();
    for (args, named) in [
        (&["train", "--epochs", "0"][..], "--epochs"),
        (&["train", "--epochs", "-3"], "-3"),
        (&["train", "--batch-size", "many"], "--batch-size"),
        (&["train", "--learning-rate", "nan"], "--learning-rate"),
        (&["train", "--learning-rate", "0"], "expected a number above 0"),
        (&["train", "--threads", "0"], "--threads"),
        (&["train", "--threads", "1025"], "1024"),
        (&["train", "--seed", "1.5"], "--seed"),
        (&["train", "--validation", "0"], "expected a number of at least 1, test or none"),
        (&["train", "--validation", "some"], "--validation"),
        (&["train", "--name", "../other"], "for a path there is --out"),
        (&["train", "--name", "a", "--out", "b"], "cannot be used with"),
        (&["train", "--epoch", "3"], "--epochs"),
        (&["predict", "model"], "<FILE>"),
        (&["evaluate"], "<MODEL>"),
        (&["inspect", "file", "--item", "-1"], "-1"),
        (&["learn"], "learn"),
        (&["train", "--\u{1b}[2J"], "unexpected argument"),
    ] {
        let outcome = lab.densely(args);
        assert_eq!((outcome.status, outcome.out.as_str()), (Some(2), ""), "{args:?}: {outcome:?}");
        assert!(
            outcome.err.starts_with("densely: error: ") && outcome.err.contains(named),
            "{args:?}: {}",
            outcome.err
        );
        assert_plain(&outcome.err);
    }
    assert_eq!(lab.densely::<&str>([]).status, Some(2));
    assert!(!lab.path("runs").exists());
}

#[test]
fn wrong_variables_are_named() {
    let lab = Lab::new();
    for (variable, value) in [("DENSELY_THREADS", "lots"), ("DENSELY_ISA", "mmx")] {
        let output = lab.command(["train", "--recipe", "toy.ron"]).env(variable, value).output().unwrap();
        let outcome = Outcome::from(output);
        assert_eq!(outcome.status, Some(1));
        assert!(outcome.err.starts_with(&format!("densely: error: {variable}")), "{}", outcome.err);
        assert_eq!(outcome.err.matches(value).count(), 1, "{}", outcome.err);
    }
}

#[test]
fn a_reader_who_goes_away_is_no_error_and_training_goes_on() {
    let lab = Lab::new();
    for args in [
        &["train", "--recipe", "toy.ron", "--name", "unheard"][..],
        &["inspect", "toy/t10k-labels-idx1-ubyte"],
    ] {
        let mut command = lab.command(args);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let outcome = Outcome::from(child.wait_with_output().unwrap());
        assert_eq!((outcome.status, outcome.err.as_str()), (Some(0), ""));
    }
    assert!(lab.path("runs/unheard/model.safetensors").exists());
}

#[cfg(target_os = "linux")]
#[test]
fn an_output_that_is_full_is_an_error() {
    let lab = Lab::new();
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let output = lab.command(["summary", "toy.ron"]).stdout(full).stderr(Stdio::piped()).output().unwrap();
    let outcome = Outcome::from(output);
    assert_eq!(outcome.status, Some(1));
    assert_eq!(
        outcome.err,
        "densely: error: cannot write to the standard output: No space left on device (os error 28)\n"
    );
}
