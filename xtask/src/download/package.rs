//! Packages of public registries as sources, fetched by the registries' own clients.
//!
//! A client works in a temporary folder beside the files and gets a cache of its own there: the folder's growth is the sign
//! that it receives something, and nothing of the user's is touched. Of a package only the wanted files are read, and they are
//! verified as those of any other source.

use std::fs;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use tempfile::TempDir;

use super::cache::PARTIAL;
use super::client::Client;
use super::error::{Error, Reason};
use super::folder;
use super::limits::ClientLimits;
use super::store::Destination;

/// Stores everything that is missing from `folder` in an npm package, `NAME@VERSION`.
pub(super) fn npm(
    package: &str,
    folder: &str,
    limits: &ClientLimits,
    destination: &mut Destination<'_, '_>,
) -> Result<(), Reason> {
    let program = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let work = work_folder(destination)?;
    let options = [
        "pack",
        package,
        "--cache=cache",
        "--logs-max=0",
        "--loglevel=error",
        "--fetch-retries=0",
        "--ignore-scripts",
    ];
    run(program, &options.map(String::from), &work, limits, destination)?;

    let archive = find(work.path(), ".tgz")?;
    let content = fs::File::open(&archive).map_err(Error::disk("read", &archive))?;
    let broken = |error| Reason::Source(format!("the package cannot be read: {error}"));
    for entry in tar::Archive::new(GzDecoder::new(content)).entries().map_err(broken)? {
        let entry = entry.map_err(broken)?;
        let path = entry.path().map_err(broken)?;
        let wanted = destination.missing.iter().copied().find(|file| {
            let folder = Path::new(folder);
            *path == *folder.join(&file.name) || *path == *folder.join(format!("{}.gz", file.name))
        });
        if let Some(file) = wanted {
            drop(path);
            destination.store(file, entry)?;
        }
    }
    match destination.missing.first() {
        None => Ok(()),
        Some(file) => Err(Reason::Source(format!("the package holds no {folder}/{}", file.name))),
    }
}

/// Stores everything that is missing from `folder` in a Debian package.
pub(super) fn apt(
    package: &str,
    folder: &str,
    limits: &ClientLimits,
    destination: &mut Destination<'_, '_>,
) -> Result<(), Reason> {
    let work = work_folder(destination)?;
    let download = |options: &[String]| [options, &["download".into(), package.into()]].concat();
    let mut options = ["-o", "Acquire::Retries=0"].map(String::from).to_vec();
    match run("apt-get", &download(&options), &work, limits, destination) {
        // A fresh machine has no package lists yet. A list of our own needs no rights and leaves the machine as it is.
        Err(Reason::Source(reason)) if reason.contains("Unable to locate package") => {
            for folder in ["lists/partial", "cache/archives/partial"] {
                let path = work.path().join(folder);
                fs::create_dir_all(&path).map_err(Error::disk("make the folder", &path))?;
            }
            for (option, folder) in [("Dir::State::lists", "lists"), ("Dir::Cache", "cache")] {
                options.extend(["-o".into(), format!("{option}={}", work.path().join(folder).display())]);
            }
            run("apt-get", &[&options[..], &["update".into()]].concat(), &work, limits, destination)?;
            run("apt-get", &download(&options), &work, limits, destination)?;
        }
        result => result?,
    }

    let archive = find(work.path(), ".deb")?.display().to_string();
    run("dpkg-deb", &["-x".into(), archive, "tree".into()], &work, limits, destination)?;
    folder::fetch(&work.path().join("tree").join(folder), destination)
}

/// A folder for a client to work in; removed when it is dropped, or by the next download if this one is killed.
fn work_folder(destination: &Destination<'_, '_>) -> Result<TempDir, Reason> {
    let mut folder = tempfile::Builder::new();
    folder.prefix(".package.").suffix(PARTIAL);
    Ok(folder.tempdir_in(destination.folder).map_err(Error::disk("write to", destination.folder))?)
}

fn run(
    program: &str,
    arguments: &[String],
    work: &TempDir,
    limits: &ClientLimits,
    destination: &Destination<'_, '_>,
) -> Result<(), Reason> {
    let bar = destination.report.growing(format!("{}: {}", destination.dataset, destination.source));
    Client { folder: work.path(), limits, bar: &bar }.run(program, arguments).map_err(Reason::Source)
}

/// The one file in `folder` that the client has left under a name of its own.
fn find(folder: &Path, extension: &str) -> Result<PathBuf, Reason> {
    let entries = fs::read_dir(folder).map_err(Error::disk("read", folder))?;
    let mut paths = entries.flatten().map(|entry| entry.path());
    let found = paths.find(|path| path.to_string_lossy().ends_with(extension));
    found.ok_or_else(|| Reason::Source(format!("the client left no {extension} file")))
}
