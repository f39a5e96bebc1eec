//! `cargo xtask TASK`: parses and dispatches; the tasks are in the library.

#![forbid(unsafe_code)]

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use xtask::{Usage, bench, ci, cross, download, fuzz, loom, roofline, sample, sanitize, slow, tidy, train};

/// What a contributor runs.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    Train(train::Arguments),
    Download(download::Arguments),
    Bench(bench::Arguments),
    Roofline(roofline::Arguments),
    Ci(ci::Arguments),
    Loom(loom::Arguments),
    Tidy(tidy::Arguments),
    Cross(cross::Arguments),
    Sanitize(sanitize::Arguments),
    Fuzz(fuzz::Arguments),
    Slow(slow::Arguments),
    Sample(sample::Arguments),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse_from(train::own_flags_first(std::env::args_os()));
    let result = match arguments.task {
        Task::Train(arguments) => train::run(arguments),
        Task::Download(arguments) => download::run(arguments).map(|()| ExitCode::SUCCESS),
        Task::Bench(arguments) => bench::run(arguments).map(|()| ExitCode::SUCCESS),
        Task::Roofline(arguments) => roofline::run(arguments).map(|()| ExitCode::SUCCESS),
        Task::Ci(arguments) => ci::run(arguments).map(|()| ExitCode::SUCCESS),
        Task::Loom(arguments) => loom::run(arguments).map(|()| ExitCode::SUCCESS),
        Task::Tidy(arguments) => tidy::run(arguments).map(|()| ExitCode::SUCCESS),
        Task::Cross(arguments) => cross::run(arguments).map(|()| ExitCode::SUCCESS),
        Task::Sanitize(arguments) => sanitize::run(arguments).map(|()| ExitCode::SUCCESS),
        Task::Fuzz(arguments) => fuzz::run(arguments).map(|()| ExitCode::SUCCESS),
        Task::Slow(arguments) => slow::run(arguments).map(|()| ExitCode::SUCCESS),
        Task::Sample(arguments) => sample::run(arguments).map(|()| ExitCode::SUCCESS),
    };
    result.unwrap_or_else(|error| {
        // Where nobody reads, the status says it.
        let _ = writeln!(io::stderr(), "error: {error:#}");
        ExitCode::from(if error.is::<Usage>() { 2 } else { 1 })
    })
}
