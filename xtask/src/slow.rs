//! `cargo xtask slow`: the tests that take minutes or need root, which `cargo test` leaves out.

use anyhow::Result;

use crate::workspace;

/// Test file and name of each group of ignored tests.
const TESTS: [(&str, &str); 2] = [
    ("math", "keeps_the_stated_error_over_all_floats"),
    ("pool_process", "a_quota_is_rounded_down_to_whole_processors"),
];

/// Run the ignored tests of densely-tensor: the error of exp, log, tanh and erf over all 2³² floats (a minute on two cores),
/// and the number of threads under a CPU quota (on Linux, as root: it makes a cgroup).
#[derive(clap::Args)]
pub struct Arguments {}

/// Carries out `cargo xtask slow`.
///
/// # Errors
///
/// If a test fails, or cannot be built.
pub fn run(Arguments {}: Arguments) -> Result<()> {
    for (file, name) in TESTS {
        let mut cargo = workspace::cargo();
        cargo.args(["test", "--locked", "--release", "--package", "densely-tensor", "--test", file]);
        cargo.args(["--", "--ignored", name]);
        workspace::run(cargo.current_dir(workspace::root()))?;
    }
    Ok(())
}
