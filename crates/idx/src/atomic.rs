//! Files that appear whole or not at all: written beside their place, synced, renamed, the folder synced as
//! far as the file system can.

use std::fs::{self, File};
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::path::{self, Path, PathBuf};
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
    /// Whether it was renamed.
    placed: bool,
    /// Where it shall be: `path`, behind symbolic links.
    target: PathBuf,
    /// As it was given.
    path: PathBuf,
}

impl Replacement {
    /// Begins to replace the file at `path`, or to make it. The permissions are those that `File::create` would give: the
    /// old file's, or for a new one what the process may give. A symbolic link is followed, so that it survives, also if it
    /// leads to nothing yet.
    pub(crate) fn create(path: &Path) -> Result<Self, Error> {
        let failed = |source| Error::Write { path: path.to_owned(), source };
        let target = behind_links(path).map_err(failed)?;
        let permissions = match fs::metadata(&target) {
            Ok(old) if old.is_file() => Some(old.permissions()),
            Ok(old) => return Err(Error::NotAFile { path: path.to_owned(), found: old.file_type() }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(failed(error)),
        };
        let (file, temporary) = create_beside(&target).map_err(failed)?;
        let replacement = Self { file, temporary, placed: false, target, path: path.to_owned() };
        if let Some(permissions) = permissions {
            replacement.file.set_permissions(permissions).map_err(failed)?;
        }
        Ok(replacement)
    }

    /// What to write to.
    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// Puts the new content into its place.
    pub(crate) fn commit(mut self) -> Result<(), Error> {
        self.place().map_err(|source| self.failed(source))?;
        sync_folder(folder(&self.target));
        Ok(())
    }

    fn place(&mut self) -> io::Result<()> {
        self.file.sync_all()?;
        fs::rename(&self.temporary, &self.target)?;
        self.placed = true;
        Ok(())
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
        // After the rename what has this name is somebody else's.
        if !self.placed {
            let _ = fs::remove_file(&self.temporary); // where this fails there is nobody to tell
        }
    }
}

/// Where a write to `path` goes, from the root on: to what a symbolic link leads to, be it there or not.
fn behind_links(path: &Path) -> io::Result<PathBuf> {
    const MOST_LINKS: usize = 40; // as many as Linux follows
    let mut target = path::absolute(path)?;
    for _ in 0..MOST_LINKS {
        match fs::symlink_metadata(&target) {
            Ok(metadata) if metadata.is_symlink() => target = folder(&target).join(fs::read_link(&target)?),
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => return Ok(target),
        }
    }
    Err(io::Error::other("too many symbolic links, one behind another"))
}

/// Makes a file that was not there before, in the folder of `path`. Its name is random: machines that share the folder know
/// nothing of each other's processes.
fn create_beside(path: &Path) -> io::Result<(File, PathBuf)> {
    static FILES: AtomicUsize = AtomicUsize::new(0);
    loop {
        let random = RandomState::new().hash_one((process::id(), FILES.fetch_add(1, Ordering::Relaxed)));
        let temporary = folder(path).join(format!(".idx-{random:016x}.partial"));
        match File::create_new(&temporary) {
            Ok(file) => return Ok((file, temporary)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Makes a rename in `folder` last through a loss of power. Some file systems cannot sync a folder, and one may be writable
/// but not readable; the file is in its place by then, so that is no failure.
#[cfg(unix)]
fn sync_folder(folder: &Path) {
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
}

/// Where folders cannot be opened, the system sees to it.
#[cfg(not(unix))]
fn sync_folder(_folder: &Path) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_put_by_the_temporary_name_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("idx");
        let mut replacement = Replacement::create(&path).unwrap();
        replacement.place().unwrap();
        let temporary = replacement.temporary.clone();
        fs::write(&temporary, "somebody else's").unwrap();
        drop(replacement);
        assert!(temporary.exists() && path.exists());
    }
}
