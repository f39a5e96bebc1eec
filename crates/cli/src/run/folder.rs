//! The folder of a run: found or made before anything is read, so that a run that cannot be kept does not start; taken
//! away again if nothing came of it.

use crate::error::Error;
use crate::model::MODEL_FILE;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// The folder that runs are kept in unless another place is named.
const RUNS: &str = "runs";

/// A file that is there, and locked, while the run goes on. If the process is killed the lock goes with it.
const LOCK_FILE: &str = ".run.lock";

/// What a run writes.
pub(crate) const FILES: [&str; 6] =
    [MODEL_FILE, "history.csv", "metrics.json", "digits.png", "pixels.svg", "history.svg"];

/// Where a run is to be kept.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    /// In exactly this folder.
    Folder(PathBuf),
    /// In `runs/`, under this name.
    Named(String),
    /// In `runs/`, under this name and the first number that is free.
    Numbered(String),
}

/// A folder that this run alone writes to, until it is [released](Self::release) or dropped. If nothing was written to
/// it by then and it was made for this run, it is gone again.
#[derive(Debug)]
pub(crate) struct RunFolder {
    path: PathBuf,
    /// What has to be taken back; `None` as soon as that is done.
    claim: Mutex<Option<Claim>>,
}

#[derive(Debug)]
struct Claim {
    /// Held for its lock.
    lock: File,
    /// The folders that were made for this run, outermost first.
    made: Vec<PathBuf>,
}

impl RunFolder {
    /// Finds or makes the folder, makes sure that it can be written to, and claims it.
    pub(crate) fn claim(place: &Place) -> Result<Self, Error> {
        let mut made = Vec::new();
        let claimed = make(place, &mut made).and_then(|path| Ok((lock(&path)?, path)));
        match claimed {
            Ok((lock, path)) => Ok(Self { path, claim: Mutex::new(Some(Claim { lock, made })) }),
            Err(error) => {
                remove_empty(&made);
                Err(error)
            }
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The path of one of the run's files.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Ends the claim: what has been written stays. Folders are taken away only if they are empty and were made for this
    /// run; so are files that were being written, which have no names yet. A second call does nothing.
    pub(crate) fn release(&self) {
        let claim = self.claim.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(Claim { lock, made }) = claim else { return };
        // What cannot be removed is left behind: there is nothing better to do about it here.
        for entry in fs::read_dir(&self.path).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.starts_with(".densely-") && name.ends_with(".partial") {
                let _ = fs::remove_file(entry.path());
            }
        }
        let _ = fs::remove_file(self.file(LOCK_FILE));
        drop(lock);
        remove_empty(&made);
    }
}

impl Drop for RunFolder {
    fn drop(&mut self) {
        self.release();
    }
}

/// Makes the folder where it is missing. Every folder made is added to `made`, also if this fails on the way.
fn make(place: &Place, made: &mut Vec<PathBuf>) -> Result<PathBuf, Error> {
    let path = match place {
        Place::Folder(path) => path.clone(),
        Place::Named(name) => Path::new(RUNS).join(name),
        Place::Numbered(name) => {
            make_all(Path::new(RUNS), made)?;
            for number in 1_u32.. {
                let path = Path::new(RUNS).join(format!("{name}-{number}"));
                match fs::create_dir(&path) {
                    Ok(()) => {
                        made.push(path.clone());
                        return Ok(path);
                    }
                    Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                    Err(source) => return Err(Error::RunFolder { path, source }),
                }
            }
            unreachable!("there are not so many folders")
        }
    };
    make_all(&path, made)?;
    Ok(path)
}

fn make_all(path: &Path, made: &mut Vec<PathBuf>) -> Result<(), Error> {
    let missing: Vec<&Path> =
        path.ancestors().take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists()).collect();
    for folder in missing.into_iter().rev() {
        match fs::create_dir(folder) {
            Ok(()) => made.push(folder.to_owned()),
            // Another run that starts now made it.
            Err(error) if error.kind() == ErrorKind::AlreadyExists && folder.is_dir() => {}
            Err(source) => return Err(Error::RunFolder { path: path.to_owned(), source }),
        }
    }
    if path.is_dir() {
        Ok(())
    } else {
        Err(Error::RunFolder { path: path.to_owned(), source: ErrorKind::NotADirectory.into() })
    }
}

/// Claims a folder that holds no run, by a file that is written and locked in it.
fn lock(path: &Path) -> Result<File, Error> {
    refuse_other_run(path)?;
    let name = path.join(LOCK_FILE);
    let unwritable = |source| Error::RunFolderUnwritable { path: path.to_owned(), source };
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&name)
        .map_err(unwritable)?;
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => {
            let mut process = String::new();
            // Only for the message, which does without.
            let _ = file.read_to_string(&mut process);
            return Err(Error::RunInUse { path: path.to_owned(), process: process.trim().parse().ok() });
        }
        // Some network file systems have no locks; the refusal of an existing run still holds there.
        Ok(()) | Err(TryLockError::Error(_)) => {}
    }
    // The second look is for a run that ended after the first.
    let claimed = refuse_other_run(path).and_then(|()| {
        file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id())).map_err(unwritable)
    });
    if let Err(error) = claimed {
        let _ = fs::remove_file(&name);
        return Err(error);
    }
    Ok(file)
}

fn refuse_other_run(path: &Path) -> Result<(), Error> {
    match FILES.into_iter().find(|file| path.join(file).symlink_metadata().is_ok()) {
        Some(file) => Err(Error::RunExists { path: path.to_owned(), file }),
        None => Ok(()),
    }
}

/// Takes folders away again, innermost first, as far as nothing is in them.
fn remove_empty(made: &[PathBuf]) {
    for folder in made.iter().rev() {
        if fs::remove_dir(folder).is_err() {
            break;
        }
    }
}
