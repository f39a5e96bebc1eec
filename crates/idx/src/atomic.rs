//! Files that appear whole or not at all: written beside their place, synced, renamed, the folder synced.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::Error;

/// The new content of a file, on its way. If it is dropped before [`commit`](Self::commit), or if that fails, what was
/// there before still is, and nothing is left beside it.
#[derive(Debug)]
pub(crate) struct Replacement {
    file: File,
    /// Where it is written, in the folder of `target`.
    temporary: PathBuf,
    /// Where it shall be: `path`, behind symbolic links.
    target: PathBuf,
    /// As it was given.
    path: PathBuf,
}

impl Replacement {
    /// Begins to replace the file at `path`, or to make it. The permissions are those that `File::create` would give: the
    /// old file's, or for a new one what the process may give. A symbolic link is followed, so that it survives.
    pub(crate) fn create(path: &Path) -> Result<Self, Error> {
        let old = fs::metadata(path).ok();
        if let Some(old) = &old
            && !old.is_file()
        {
            return Err(Error::NotAFile { path: path.to_owned(), found: old.file_type() });
        }
        let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let failed = |source| Error::Write { path: path.to_owned(), source };
        let (file, temporary) = create_beside(&target).map_err(failed)?;
        let replacement = Self { file, temporary, target, path: path.to_owned() };
        if let Some(old) = old {
            replacement.file.set_permissions(old.permissions()).map_err(failed)?;
        }
        Ok(replacement)
    }

    /// What to write to.
    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// Puts the new content into its place. Only where the very last step fails, the sync of the folder, it is there already.
    pub(crate) fn commit(self) -> Result<(), Error> {
        let outcome = self.file.sync_all().and_then(|()| fs::rename(&self.temporary, &self.target));
        outcome.and_then(|()| sync_folder(folder(&self.target))).map_err(|source| self.failed(source))
    }

    /// The path as it was given.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The error of a failure to write.
    pub(crate) fn failed(&self, source: io::Error) -> Error {
        Error::Write { path: self.path.clone(), source }
    }
}

impl Drop for Replacement {
    fn drop(&mut self) {
        // After the rename there is nothing by this name; where removing fails there is nobody to tell.
        let _ = fs::remove_file(&self.temporary);
    }
}

/// Makes a file that was not there before, in the folder of `path`.
fn create_beside(path: &Path) -> io::Result<(File, PathBuf)> {
    static FILES: AtomicUsize = AtomicUsize::new(0);
    loop {
        let number = FILES.fetch_add(1, Ordering::Relaxed);
        let temporary = folder(path).join(format!(".idx-{}-{number}.partial", process::id()));
        match File::create_new(&temporary) {
            Ok(file) => return Ok((file, temporary)),
            // Of a process that had the same number and was killed.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Makes a rename in `folder` last through a loss of power.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    use io::ErrorKind::{InvalidInput, PermissionDenied};
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        // Some network file systems cannot sync a folder, and a folder may be writable but not readable.
        Err(error) if matches!(error.kind(), InvalidInput | PermissionDenied) => Ok(()),
        outcome => outcome,
    }
}

/// Where folders cannot be opened, the system sees to it.
#[cfg(not(unix))]
fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}
