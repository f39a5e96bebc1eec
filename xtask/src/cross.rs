//! `cargo xtask cross`: the libraries on other processors, and the promise that they compute the same bits there.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::workspace;

/// 64-bit ARM, whose tests are run.
const ARM: &str = "aarch64-unknown-linux-gnu";

/// Browsers and other hosts of WebAssembly: one thread, and plain Rust for an instruction set.
const WASM: &str = "wasm32-unknown-unknown";

const LIBRARIES: [&str; 3] = ["densely-tensor", "idx-dataset", "densely"];

/// The tests that run on emulated ARM: the kernels, on NEON and on the portable vectors, and the pinned fingerprints of
/// trained weights, the same as on x86-64. Documentation tests say nothing about bits.
const TESTS: [&[&str]; 2] = [&["--package", "densely-tensor", "--lib", "--tests"], FINGERPRINTS];

/// Those that do not take minutes under emulation, but run every kind of kernel; together, so that what they share is
/// compiled once.
const QUICK_TESTS: [&[&str]; 1] = [&[
    "--package",
    "densely-tensor",
    "--package",
    "densely",
    "--lib",
    "--test",
    "elementwise",
    "--test",
    "epilogue",
    "--test",
    "sparse",
    "--test",
    "bits",
]];

const FINGERPRINTS: &[&str] = &["--package", "densely", "--test", "bits"];

/// Links for ARM; Debian's package for it has the same name but for a `gcc-` in front.
const LINKER: &str = "aarch64-linux-gnu-gcc";

/// Runs programs for ARM.
const EMULATORS: [&str; 2] = ["qemu-aarch64-static", "qemu-aarch64"];

/// Where Debian puts ARM's C library.
const C_LIBRARY: &str = "/usr/aarch64-linux-gnu";

/// Build the libraries for 64-bit ARM (Linux) and WebAssembly, and run the tests of bits on emulated ARM.
///
/// Needs the targets' standard libraries (rustup's, or their sources: then they are built), a cross linker and QEMU; says
/// how to install what is missing.
#[derive(Default, clap::Args)]
#[command(
    after_help = "Without rustup, on Debian: the packages rustc-web, cargo-web and rust-web-src bring the sources."
)]
pub struct Arguments {
    /// Install what is missing, with rustup and apt-get (as root or through sudo)
    #[arg(long)]
    pub(crate) install: bool,
    /// Leave out the tests that take minutes under emulation
    #[arg(long)]
    pub(crate) quick: bool,
}

/// Carries out `cargo xtask cross`.
///
/// # Errors
///
/// If something is missing or cannot be installed, does not build, or gives other bits.
pub fn run(arguments: Arguments) -> Result<()> {
    if arguments.install {
        install()?;
    }
    let missing = missing()?;
    if !missing.is_empty() {
        let list: String = missing.iter().map(|missing| format!("\n  {missing}")).collect();
        bail!("not all is there:{list}\n`cargo xtask cross --install` installs all of it");
    }
    cargo("build", WASM, LIBRARIES.iter().flat_map(|library| ["--package", library]))?;
    // What a program that only predicts takes: no reader of gzip with it.
    cargo("build", WASM, ["--package", "densely", "--no-default-features"])?;
    // The tests of `densely` build all three libraries.
    let tests: &[&[&str]] = if arguments.quick { &QUICK_TESTS } else { &TESTS };
    for tests in tests {
        cargo("test", ARM, tests.iter().copied())?;
    }
    Ok(())
}

/// Something that this task needs and the machine lacks.
#[derive(Debug, Clone, Copy, thiserror::Error)]
pub enum Missing {
    /// The standard library of a target, built or as sources.
    #[error("the standard library for {0}: rustup target add {0}")]
    Target(&'static str),
    /// A program or library, and the Debian package that has it.
    #[error("{what}: apt-get install {package}")]
    Package {
        /// What is missing.
        what: &'static str,
        /// The package's name.
        package: &'static str,
    },
}

/// All that is missing for [`run`].
///
/// # Errors
///
/// If the compiler does not say where its libraries are.
pub fn missing() -> Result<Vec<Missing>> {
    let mut missing = Vec::new();
    for target in [ARM, WASM] {
        if standard_library(target)?.is_none() {
            missing.push(Missing::Target(target));
        }
    }
    let packages = [
        (on_path(LINKER), "a linker for ARM", "gcc-aarch64-linux-gnu"),
        (Path::new(C_LIBRARY).join("lib/crt1.o").exists(), "ARM's C library", "libc6-dev-arm64-cross"),
        (emulator().is_some(), "an emulator for ARM", "qemu-user-static"),
    ];
    for (there, what, package) in packages {
        if !there {
            missing.push(Missing::Package { what, package });
        }
    }
    Ok(missing)
}

/// Installs what is missing: targets with rustup, packages with apt-get, as root or through sudo.
///
/// # Errors
///
/// If one of these programs is not there or fails.
pub fn install() -> Result<()> {
    let (mut targets, mut packages) = (Vec::new(), Vec::new());
    for missing in missing()? {
        match missing {
            Missing::Target(target) => targets.push(target),
            Missing::Package { package, .. } => packages.push(package),
        }
    }
    if !targets.is_empty() {
        workspace::run(Command::new("rustup").args(["target", "add"]).args(targets))?;
    }
    if !packages.is_empty() {
        workspace::run(as_root("apt-get")?.arg("update"))?;
        let mut install = as_root("apt-get")?;
        install.args(["install", "--yes", "--no-install-recommends"]).args(packages);
        workspace::run(install.env("DEBIAN_FRONTEND", "noninteractive"))?;
    }
    Ok(())
}

fn as_root(program: &str) -> Result<Command> {
    if workspace::output(Command::new("id").arg("-u"))?.trim() == "0" {
        return Ok(Command::new(program));
    }
    let mut sudo = Command::new("sudo");
    sudo.args(["--preserve-env=DEBIAN_FRONTEND", program]);
    Ok(sudo)
}

/// How a target's standard library is to be had.
enum StandardLibrary {
    Built,
    /// Built on the way, by an unstable feature of cargo that a variable opens in stable releases too.
    FromSources,
}

fn standard_library(target: &str) -> Result<Option<StandardLibrary>> {
    let print = |arguments: &[&str]| -> Result<PathBuf> {
        let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let path = workspace::output(Command::new(rustc).arg("--print").args(arguments))?;
        Ok(PathBuf::from(path.trim()))
    };
    if print(&["target-libdir", "--target", target])?.is_dir() {
        return Ok(Some(StandardLibrary::Built));
    }
    let sources = print(&["sysroot"])?.join("lib/rustlib/src/rust/library/std/Cargo.toml");
    Ok(sources.exists().then_some(StandardLibrary::FromSources))
}

/// Runs a task of cargo for a target, whose programs the emulator runs.
fn cargo<'a>(task: &str, target: &str, arguments: impl IntoIterator<Item = &'a str>) -> Result<()> {
    println!("-- cargo {task} for {target}");
    let mut cargo = workspace::cargo();
    cargo.args([task, "--locked", "--target", target]).args(arguments).current_dir(workspace::root());
    if target == ARM {
        let emulator = emulator().context("an emulator for ARM")?;
        cargo.env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUSTFLAGS", "--cfg emulated");
        cargo.env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER", LINKER);
        cargo.env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER", format!("{emulator} -L {C_LIBRARY}"));
    }
    if let Some(StandardLibrary::FromSources) = standard_library(target)? {
        cargo.arg("-Zbuild-std").env("RUSTC_BOOTSTRAP", "1");
    }
    workspace::run(&mut cargo)
}

fn emulator() -> Option<&'static str> {
    EMULATORS.into_iter().find(|emulator| on_path(emulator))
}

fn on_path(program: &str) -> bool {
    env::var_os("PATH")
        .is_some_and(|path| env::split_paths(&path).any(|folder| folder.join(program).is_file()))
}
