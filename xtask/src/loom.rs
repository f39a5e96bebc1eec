//! `cargo xtask loom`: the thread pool's hand-over in the orders in which threads can meet, most models with at most two or three
//! preemptions.

use anyhow::{Context, Result, ensure};

use crate::workspace;

/// Run the models of the thread pool under loom, which tries the orders of its threads' steps, most models with at most two or
/// three preemptions.
#[derive(clap::Args)]
pub struct Arguments {
    /// Only models with this in their name.
    #[arg(default_value = "")]
    name: String,
}

/// Carries out `cargo xtask loom`.
///
/// # Errors
///
/// If a model fails, or cannot be built.
pub fn run(Arguments { name }: Arguments) -> Result<()> {
    let mut cargo = workspace::cargo();
    // Optimised, for loom runs a model some ten thousand times; in a folder of its own, for the flag rebuilds
    // everything.
    cargo.args(["test", "--locked", "--release", "--package", "densely-tensor", "--lib"]);
    cargo.arg("--target-dir").arg(workspace::root().join("target/loom"));
    cargo.args(["--", &format!("pool::model::{name}")]);
    let status = cargo.current_dir(workspace::root()).env("RUSTFLAGS", "--cfg loom").status();
    let status = status.context("cannot run cargo")?;
    ensure!(status.success(), "cargo ended with {status}");
    Ok(())
}
