//! What can go wrong with a download, and what to do then.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use indicatif::HumanCount;

use crate::manifest::File;

/// Why a download failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Some files could be had from no source.
    #[error("{}", Advice { dataset, folder, offline: *offline, failures, missing })]
    Unavailable {
        /// The dataset's name.
        dataset: String,
        /// Where its files belong.
        folder: PathBuf,
        /// Whether no source but this machine's folders was allowed to be asked.
        offline: bool,
        /// Every source that was asked.
        failures: Vec<Failure>,
        /// What no source had.
        missing: Vec<File>,
    },
    /// This machine's files could not be read or written.
    #[error("cannot {action} {}", path.display())]
    Disk {
        /// What was tried: "read", "write", ….
        action: &'static str,
        /// With which file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// A source, and why it did not deliver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The source as it is shown.
    pub source: String,
    /// What it lacked or did.
    pub reason: String,
}

/// Why one source was given up.
#[derive(Debug)]
pub(super) enum Reason {
    /// Its own fault: the next one may do better.
    Source(String),
    /// This machine's fault: no other source would help.
    Disk(Error),
}

impl Error {
    /// For `map_err`: the action and the path that `source` belongs to.
    pub(super) fn disk(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Disk { action, path, source }
    }
}

impl From<Error> for Reason {
    fn from(error: Error) -> Self {
        Self::Disk(error)
    }
}

/// The message of [`Error::Unavailable`]: each source with its reason, then what a person can do.
struct Advice<'a> {
    dataset: &'a str,
    folder: &'a Path,
    offline: bool,
    failures: &'a [Failure],
    missing: &'a [File],
}

impl fmt::Display for Advice<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { dataset, folder, offline, failures, missing } = self;
        let files =
            if missing.len() == 1 { "1 file is".to_string() } else { format!("{} files are", missing.len()) };
        let why = if *offline { "with --offline nothing is downloaded" } else { "no source delivered" };
        writeln!(f, "{dataset}: {files} missing, and {why}")?;
        for Failure { source, reason } in *failures {
            writeln!(f, "  {source}: {reason}")?;
        }
        let otherwise = if *offline {
            "leave out --offline, or name a folder with --source DIR"
        } else {
            "name another source with --source URL_OR_DIR"
        };
        write!(
            f,
            "Put what is missing, as it is or as .gz, into {} and run this again, or {otherwise}:",
            folder.display()
        )?;
        for File { name, size, sha256 } in *missing {
            write!(f, "\n  {name}  {} bytes  SHA-256 {sha256}", HumanCount(*size))?;
        }
        Ok(())
    }
}
