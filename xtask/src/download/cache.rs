//! The folder of one dataset: what is in it, whether it is intact, and who may write to it.

use std::fs::{self, OpenOptions, TryLockError};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sha2::Digest;

use super::error::Error;
use crate::manifest::{File, Sha256};

/// What a file's content is beside what it should be.
pub(super) enum State {
    Intact,
    Missing,
    /// Says what was found and what was expected.
    Damaged(String),
}

/// The folder that holds, or will hold, a dataset's files.
pub(super) struct Cache {
    folder: PathBuf,
}

/// The right to write to a folder, until this is dropped or the process ends.
pub(super) struct Lock {
    folder: PathBuf,
    _file: fs::File,
    /// Whether the folder is there only because of this download, and nobody can be in it without the lock.
    made: bool,
}

/// The name of the lock's file in the folder.
const LOCK: &str = ".lock";

/// Unverified content has this at the end of its name, so that what a killed download left behind is known as such.
pub(super) const PARTIAL: &str = ".partial";

impl Cache {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Checks size and SHA-256 of each file; writes nothing.
    pub(super) fn inspect(&self, files: &[File]) -> Result<Vec<State>, Error> {
        files.iter().map(|file| self.inspect_file(file)).collect()
    }

    fn inspect_file(&self, file: &File) -> Result<State, Error> {
        let path = self.folder.join(&file.name);
        let metadata = match fs::metadata(&path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // A symbolic link to nowhere occupies the name.
                let dangling = fs::symlink_metadata(&path).is_ok();
                return Ok(if dangling {
                    State::Damaged("a link to nowhere".into())
                } else {
                    State::Missing
                });
            }
            Err(error) => return Err(Error::disk("read", &path)(error)),
        };
        if !metadata.is_file() {
            return Ok(State::Damaged("not a file".into()));
        }
        if metadata.len() != file.size {
            return Ok(State::Damaged(format!("{} bytes, expected {}", metadata.len(), file.size)));
        }
        let found = sha256(&path).map_err(Error::disk("read", &path))?;
        Ok(if found == file.sha256 {
            State::Intact
        } else {
            State::Damaged(format!("SHA-256 {found}, expected {}", file.sha256))
        })
    }

    /// Whether there is NAME.gz of a file that is not there as NAME.
    pub(super) fn holds_gzip(&self, files: &[File]) -> bool {
        files.iter().any(|file| self.folder.join(format!("{}.gz", file.name)).is_file())
    }

    /// Waits until no other download writes to this folder, which is made if need be. `before_waiting` is called when that takes
    /// time.
    pub(super) fn lock(&self, before_waiting: impl Fn()) -> Result<Lock, Error> {
        let path = self.folder.join(LOCK);
        let mut made = !self.folder.exists();
        loop {
            fs::create_dir_all(&self.folder).map_err(Error::disk("make the folder", &self.folder))?;
            let file = match OpenOptions::new().create(true).truncate(false).write(true).open(&path) {
                Ok(file) => file,
                Err(error) if error.kind() == io::ErrorKind::NotFound && !self.folder.exists() => {
                    made = true; // The download that had made the folder has just removed it.
                    continue;
                }
                Err(error) => return Err(Error::disk("write", &path)(error)),
            };
            let waited = match file.try_lock() {
                Ok(()) => Ok(()),
                Err(TryLockError::WouldBlock) => {
                    before_waiting();
                    file.lock()
                }
                Err(TryLockError::Error(error)) => Err(error),
            };
            match waited {
                Ok(()) if is_at(&file, &path) => {
                    return Ok(Lock { folder: self.folder.clone(), _file: file, made });
                }
                // The download that was waited for has removed the file, so that this lock keeps nobody out.
                Ok(()) => made = true,
                // Some network file systems know no locks; the renames are atomic there too.
                Err(error) if error.kind() == io::ErrorKind::Unsupported => {
                    return Ok(Lock { folder: self.folder.clone(), _file: file, made: false });
                }
                Err(error) => return Err(Error::disk("lock", &path)(error)),
            }
        }
    }

    /// Removes what killed downloads left behind. The caller holds the lock, so that none of it is in use.
    pub(super) fn remove_leftovers(&self) -> Result<(), Error> {
        let entries = fs::read_dir(&self.folder).map_err(Error::disk("read", &self.folder))?;
        for entry in entries {
            let path = entry.map_err(Error::disk("read", &self.folder))?.path();
            if path.to_string_lossy().ends_with(PARTIAL) {
                let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
                removed.map_err(Error::disk("remove", &path))?;
            }
        }
        Ok(())
    }

    /// Renames a damaged file to the first free of NAME.damaged, NAME.damaged-1, …; returns that name.
    pub(super) fn move_aside(&self, file: &File) -> Result<String, Error> {
        let path = self.folder.join(&file.name);
        let mut aside = format!("{}.damaged", file.name);
        let mut number = 0;
        while fs::symlink_metadata(self.folder.join(&aside)).is_ok() {
            number += 1;
            aside = format!("{}.damaged-{number}", file.name);
        }
        fs::rename(&path, self.folder.join(&aside)).map_err(Error::disk("move aside", &path))?;
        Ok(aside)
    }
}

impl Drop for Lock {
    /// Takes a folder back that was made for nothing. Failing at that is no failure of the download.
    fn drop(&mut self) {
        // Elsewhere a waiting download could not tell that the file it has locked is gone.
        if !cfg!(unix) || !self.made {
            return;
        }
        let Ok(mut entries) = fs::read_dir(&self.folder) else { return };
        if entries.all(|entry| entry.is_ok_and(|entry| entry.file_name() == LOCK)) {
            let _ = fs::remove_file(self.folder.join(LOCK));
            // Still locked: whoever waits finds another file at the path, or none. Whoever has come since has put one there,
            // and this fails.
            let _ = fs::remove_dir(&self.folder);
        }
    }
}

/// Whether `file` is what `path` leads to.
#[cfg(unix)]
fn is_at(file: &fs::File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let identity = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    match (file.metadata(), fs::metadata(path)) {
        (Ok(file), Ok(there)) => identity(file) == identity(there),
        _ => false,
    }
}

/// Nobody removes the lock's file here.
#[cfg(not(unix))]
fn is_at(_file: &fs::File, _path: &Path) -> bool {
    true
}

fn sha256(path: &Path) -> io::Result<Sha256> {
    let mut file = fs::File::open(path)?;
    let mut hasher = sha2::Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(Sha256(hasher.finalize().into())),
            n_bytes => hasher.update(&buffer[..n_bytes]),
        }
    }
}
