//! `cargo xtask sanitize`: the tests of the crates with unsafe code where a wrong access cannot hide.

use std::process::Command;

use anyhow::{Result, bail, ensure};
use clap::ValueEnum;

use crate::workspace;

/// What looks at every access.
#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
enum Tool {
    /// AddressSanitizer: accesses outside a buffer or after its end, on every instruction set
    Address,
    /// ThreadSanitizer: accesses by two threads that nothing orders, in the pool
    Thread,
    /// Miri: undefined behaviour of any kind, on the portable path, for the tests that are quick enough; of idx-dataset the parser's
    Miri,
}

/// Run the tests of densely-tensor and idx-dataset, the crates with unsafe code, under sanitizers and Miri.
///
/// Needs a nightly toolchain by rustup; says which of its components is missing.
#[derive(clap::Args)]
pub struct Arguments {
    /// Which; without any: all
    #[arg(value_enum, value_name = "TOOL")]
    tools: Vec<Tool>,
    /// The nightly toolchain's name
    #[arg(long, value_name = "NAME", default_value = "nightly")]
    toolchain: String,
}

/// Carries out `cargo xtask sanitize`.
///
/// # Errors
///
/// If a toolchain or component is missing, or a test fails.
pub fn run(Arguments { tools, toolchain }: Arguments) -> Result<()> {
    let tools = if tools.is_empty() { Tool::value_variants() } else { &tools };
    let installed = ["component", "list", "--installed", "--toolchain", &toolchain];
    let Ok(installed) = workspace::output(Command::new("rustup").args(installed)) else {
        bail!("no toolchain {toolchain}; expected one by rustup: rustup toolchain install {toolchain}");
    };
    for component in tools.iter().flat_map(|tool| tool.components()) {
        ensure!(
            installed.lines().any(|line| line.starts_with(component)),
            "no {component}: rustup component add --toolchain {toolchain} {component}"
        );
    }
    let mut rustc = Command::new("rustup");
    let host = workspace::output(rustc.args(["run", &toolchain, "rustc", "--print", "host-tuple"]))?;
    for tool in tools {
        tool.run(&toolchain, host.trim())?;
    }
    Ok(())
}

impl Tool {
    /// What the toolchain must have beyond the compiler.
    fn components(self) -> &'static [&'static str] {
        match self {
            Tool::Address => &[],
            // The standard library has to be instrumented too, or its locks order nothing.
            Tool::Thread => &["rust-src"],
            Tool::Miri => &["miri", "rust-src"],
        }
    }

    /// Runs the tests. The host is named as a target, so that build scripts and macros do without the tool.
    fn run(self, toolchain: &str, host: &str) -> Result<()> {
        const TENSOR: [&str; 2] = ["--package", "densely-tensor"];
        const IDX: [&str; 2] = ["--package", "idx-dataset"];
        let (task, flags): (&[&str], _) = match self {
            Tool::Address => (&["test"], "-Zsanitizer=address"),
            Tool::Thread => (&["test", "-Zbuild-std"], "-Zsanitizer=thread"),
            Tool::Miri => (&["miri", "test"], ""),
        };
        let all = ["--lib", "--tests"];
        let runs: &[[&[&str]; 2]] = match self {
            Tool::Address => &[[&TENSOR, &all], [&IDX, &["--lib", "--tests", "--all-features"]]],
            Tool::Thread => &[[&TENSOR, &["--test", "pool"]]],
            Tool::Miri => &[[&TENSOR, &all], [&IDX, &["--test", "without_std"]]],
        };
        for [package, tests] in runs {
            let arguments = [task, &["--locked"], package, tests].concat();
            println!("-- {self:?}: cargo {}", arguments.join(" "));
            let mut rustup = Command::new("rustup");
            rustup.args(["run", toolchain, "cargo"]).args(arguments);
            rustup.args(["--target", host, "--target-dir"]).arg(workspace::root().join("target/sanitize"));
            workspace::run(rustup.env("RUSTFLAGS", flags).current_dir(workspace::root()))?;
        }
        Ok(())
    }
}
