//! Where this workspace and its data are, and how its `cargo` is called.

use std::env;
use std::ffi::OsString;
use std::io::{self, BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

/// The variable that moves the data folder.
pub const DATA_VARIABLE: &str = "DENSELY_DATA";

/// The workspace's root folder.
pub fn root() -> PathBuf {
    parent_of_package(env::var("CARGO_PKG_NAME").ok().as_deref(), env::var_os("CARGO_MANIFEST_DIR"))
}

/// The folder above the package that cargo says it runs, or, if it is not this one, above where this one was built. Of a
/// workspace that was copied or moved with its build, that is another place, and cargo does not build anew for it.
fn parent_of_package(name: Option<&str>, folder: Option<OsString>) -> PathBuf {
    let folder = folder.filter(|_| name == Some(env!("CARGO_PKG_NAME")));
    let xtask = folder.map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    xtask.parent().expect("xtask is a folder of the workspace").to_path_buf()
}

/// The folder that comes with the workspace: the manifest, the sample, the recipes, and downloads unless they are moved.
pub fn committed_data() -> PathBuf {
    root().join("data")
}

/// The folder for downloads: `DENSELY_DATA`, taken from the current folder if it is relative, or the workspace's `data`.
///
/// # Errors
///
/// If the variable is a relative path and there is no current folder.
pub fn data() -> io::Result<PathBuf> {
    match env::var_os(DATA_VARIABLE) {
        Some(folder) if !folder.is_empty() => std::path::absolute(folder),
        _ => Ok(committed_data()),
    }
}

/// The `cargo` that started this task, or the one on the path.
pub fn cargo() -> Command {
    Command::new(env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")))
}

/// Runs a program to its end, with this task's output and no input.
///
/// # Errors
///
/// If it cannot be started or does not succeed.
pub fn run(command: &mut Command) -> Result<()> {
    let program = command.get_program().display().to_string();
    let status = command.stdin(Stdio::null()).status().with_context(|| format!("cannot run {program}"))?;
    ensure!(status.success(), "{program} ended with {status}");
    Ok(())
}

/// What a program prints.
///
/// # Errors
///
/// As [`run`], or if it is no text; the message has what it printed as an error.
pub fn output(command: &mut Command) -> Result<String> {
    let program = command.get_program().display().to_string();
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("cannot run {program}"))?;
    if !output.status.success() {
        bail!("{program}: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    String::from_utf8(output.stdout).with_context(|| format!("{program} prints what is not UTF-8"))
}

/// Runs `cargo` with `arguments`, which build one executable, and returns where that is.
///
/// # Errors
///
/// If cargo cannot be run or the build fails; cargo has said why.
pub fn build(arguments: &[&str]) -> Result<PathBuf> {
    /// A message of cargo, as far as it matters here.
    #[derive(Deserialize)]
    struct Message {
        executable: Option<PathBuf>,
    }
    let mut cargo = cargo();
    cargo.args(arguments).args(["--message-format=json-render-diagnostics", "--manifest-path"]);
    cargo.arg(root().join("Cargo.toml"));
    let mut child = cargo.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().context("cannot run cargo")?;
    let messages = BufReader::new(child.stdout.take().expect("standard output is piped"));
    let mut executable = None;
    for line in messages.lines() {
        let message: Message = serde_json::from_str(&line?).context("cargo's messages are not JSON")?;
        executable = message.executable.or(executable);
    }
    ensure!(child.wait()?.success(), "cargo {} failed", arguments.join(" "));
    executable.context("cargo has built no executable")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn a_workspace_that_was_moved_is_where_it_is_now() {
        let built = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        for (name, folder, expected) in [
            (Some("xtask"), Some("/moved/xtask"), Path::new("/moved")),
            (Some("densely-cli"), Some("/moved/crates/cli"), built),
            (None, Some("/moved/xtask"), built),
            (Some("xtask"), None, built),
        ] {
            assert_eq!(parent_of_package(name, folder.map(OsString::from)), expected, "{name:?} {folder:?}");
        }
    }
}
