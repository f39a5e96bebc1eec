//! `cargo xtask fuzz`: random bytes, bred for coverage, against the invariants in `crates/idx/tests/invariants`.

use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use clap::ValueEnum;

use crate::workspace;

/// The invariants, one fuzz target each.
const TARGETS: [&str; 4] = ["parse", "gzip", "stream", "roundtrip"];

/// Long enough for headers of rank 48 and for values of each type, and quick. What shows in longer inputs alone (higher ranks,
/// the ends of buffers of 8 and 64 KiB, vectors that grow) is left to the tests of `roundtrip`, `streaming` and `memory`.
const MAX_LEN: &str = "-max_len=200";

/// What has a folder of fuzz targets.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Crate {
    /// idx-dataset: the parser, gzip, streams against the parser, what is written against what is read
    Idx,
}

/// Fuzz a crate: each of its targets in turn, from the committed corpus on.
///
/// Needs a nightly toolchain by rustup and cargo-fuzz (`cargo install cargo-fuzz`). What fails is left in
/// crates/idx/fuzz/artifacts, and its path is printed.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    cargo xtask fuzz idx                              a minute for each target, with AddressSanitizer\n  \
    cargo xtask fuzz idx --sanitizer none --seconds 3600 --targets parse stream\n  \
    cargo xtask fuzz idx --keep                       and put what was found into the committed corpus, minimised")]
pub struct Arguments {
    /// The crate
    #[arg(value_enum)]
    package: Crate,
    /// Only these targets
    #[arg(long, value_name = "TARGET", num_args = 1.., value_parser = TARGETS)]
    targets: Vec<String>,
    /// How long for each target
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    seconds: u64,
    /// What watches memory: `address`, or `none`, which is several times as fast
    #[arg(long, value_name = "NAME", default_value = "address", value_parser = ["address", "none"])]
    sanitizer: String,
    /// Minimise what was found and put it into the committed corpus
    #[arg(long)]
    keep: bool,
    /// The nightly toolchain's name
    #[arg(long, value_name = "NAME", default_value = "nightly")]
    toolchain: String,
}

/// Carries out `cargo xtask fuzz`.
///
/// # Errors
///
/// If a tool is missing, or an input breaks an invariant.
pub fn run(arguments: Arguments) -> Result<()> {
    let Crate::Idx = arguments.package;
    let folder = workspace::root().join("crates/idx/fuzz");
    let cargo = || {
        let mut cargo = Command::new("rustup");
        cargo.args(["run", &arguments.toolchain, "cargo", "fuzz"]).current_dir(&folder);
        cargo
    };
    if workspace::output(cargo().arg("--version")).is_err() {
        bail!(
            "no cargo-fuzz with the toolchain {}: rustup toolchain install nightly; cargo install cargo-fuzz",
            arguments.toolchain
        );
    }
    let chosen = TARGETS.into_iter().filter(|target| {
        arguments.targets.is_empty() || arguments.targets.iter().any(|chosen| chosen == target)
    });
    for target in chosen {
        println!("-- {target}");
        let corpus = workspace::root().join("crates/idx/tests/corpus").join(target);
        let inputs = folder.join("corpus-work").join(target);
        unpack(&corpus, &inputs)?;
        let fuzz = |command: &mut Command, folders: &[&Path], flags: &[&str]| {
            command.args([
                "run",
                "--fuzz-dir",
                ".",
                "--release",
                "--sanitizer",
                &arguments.sanitizer,
                target,
            ]);
            workspace::run(command.args(folders).arg("--").args(flags))
        };
        let seconds = format!("-max_total_time={}", arguments.seconds);
        fuzz(&mut cargo(), &[&inputs], &[MAX_LEN, &seconds, "-print_final_stats=1"])?;
        if arguments.keep {
            let least = tempfile::tempdir()?;
            fuzz(&mut cargo(), &[least.path(), &inputs], &[MAX_LEN, "-merge=1"])?;
            pack(least.path(), &corpus)?;
        }
    }
    Ok(())
}

/// Puts the inputs of a corpus into a folder, a file each. The corpus is one file: each input with its length before it.
fn unpack(corpus: &Path, folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    let bytes = match fs::read(corpus) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(), // before the first time
        outcome => outcome.with_context(|| corpus.display().to_string())?,
    };
    let mut rest = &bytes[..];
    let mut number = 0;
    while let Some((len, behind)) = rest.split_first_chunk() {
        let input = behind.split_at_checked(u16::from_be_bytes(*len).into());
        let (input, behind) = input.with_context(|| format!("{} is cut off", corpus.display()))?;
        fs::write(folder.join(format!("corpus-{number}")), input)?;
        (rest, number) = (behind, number + 1);
    }
    Ok(())
}

/// The way back, shortest inputs first.
fn pack(folder: &Path, corpus: &Path) -> Result<()> {
    let files = fs::read_dir(folder)?.map(|entry| Ok(fs::read(entry?.path())?));
    let mut inputs = files.collect::<Result<Vec<Vec<u8>>>>()?;
    inputs.sort_by_key(|input| (input.len(), input.clone()));
    ensure!(!inputs.is_empty(), "{}: no inputs", folder.display());
    let mut bytes = Vec::new();
    for input in &inputs {
        bytes.extend(u16::try_from(input.len()).context("an input is too long")?.to_be_bytes());
        bytes.extend(input);
    }
    if let Some(parent) = corpus.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::write(corpus, &bytes)?;
    println!("{}: {} inputs, {} bytes", corpus.display(), inputs.len(), bytes.len());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_corpus_is_unpacked_as_it_was_packed() {
        let folder = tempfile::tempdir().unwrap();
        let (before, after) = (folder.path().join("before"), folder.path().join("after"));
        fs::create_dir(&before).unwrap();
        for (name, input) in [("a", &b"long"[..]), ("b", b""), ("c", b"x")] {
            fs::write(before.join(name), input).unwrap();
        }
        let corpus = folder.path().join("corpus");
        pack(&before, &corpus).unwrap();
        assert_eq!(fs::read(&corpus).unwrap(), b"\0\0\0\x01x\0\x04long");
        unpack(&corpus, &after).unwrap();
        let read = |number| fs::read(after.join(format!("corpus-{number}"))).unwrap();
        assert_eq!([read(0), read(1), read(2)], [&b""[..], b"x", b"long"]);
        fs::write(&corpus, b"\0\x05four").unwrap();
        assert!(unpack(&corpus, &after).unwrap_err().to_string().ends_with("is cut off"));
        assert!(unpack(&folder.path().join("none yet"), &after).is_ok());
        assert!(unpack(&after, &after).is_err(), "a folder is no corpus");
    }
}
