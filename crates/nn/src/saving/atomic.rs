//! Files that are whole or absent.

use crate::error::Error;
use std::fs::Permissions;
use std::io::{self, Write};
use std::path::Path;

/// How the name of a temporary file ends.
pub(super) const PARTIAL: &str = ".partial";

/// Writes a file so that `path` holds either what it held before or all of `bytes`, even if the process is killed or the
/// power fails on the way: the bytes go to a temporary file beside it (`.densely-….partial`), which is synced and
/// renamed, and then the folder is synced as far as the file system can. The file gets the permissions of any new file; a
/// symbolic link is replaced.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("metrics.json");
/// densely::write_atomically(&path, b"{}")?;
/// assert_eq!(std::fs::read(&path)?, b"{}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`Error::Write`]; then `path` is as it was, and the temporary file is gone.
pub fn write_atomically(path: impl AsRef<Path>, bytes: &[u8]) -> Result<(), Error> {
    write_through(path.as_ref(), ".densely-", bytes)
}

/// The same through a temporary file whose name begins with `prefix`, so that one that a killed process left can be told.
pub(super) fn write_through(path: &Path, prefix: &str, bytes: &[u8]) -> Result<(), Error> {
    write(path, prefix, bytes).map_err(|source| Error::Write { path: path.to_owned(), source })
}

fn write(path: &Path, prefix: &str, bytes: &[u8]) -> io::Result<()> {
    if path.file_name().is_none() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not the name of a file"));
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    if path.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    let mut temporary = tempfile::Builder::new();
    temporary.prefix(prefix).suffix(PARTIAL);
    if let Some(permissions) = ordinary_permissions() {
        temporary.permissions(permissions);
    }
    let mut file = temporary.tempfile_in(folder).map_err(in_plain_words)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    sync_folder(folder);
    Ok(())
}

/// The commonest reasons without the temporary file's name, which means nothing to the user.
fn in_plain_words(error: io::Error) -> io::Error {
    match error.kind() {
        kind @ io::ErrorKind::NotFound => io::Error::new(kind, "its folder does not exist"),
        kind @ io::ErrorKind::PermissionDenied => kind.into(),
        _ => error,
    }
}

/// Those of any new file, from which the system takes what the user's mask forbids; a temporary file by itself could be
/// read by nobody else.
#[cfg(unix)]
fn ordinary_permissions() -> Option<Permissions> {
    use std::os::unix::fs::PermissionsExt;
    Some(Permissions::from_mode(0o666))
}

#[cfg(not(unix))]
fn ordinary_permissions() -> Option<Permissions> {
    None
}

/// Makes the new name outlast a power failure. Some systems cannot sync a folder, and one may be writable but not
/// readable; the file is in its place by then, so that is no failure.
fn sync_folder(folder: &Path) {
    let _ = std::fs::File::open(folder).and_then(|folder| folder.sync_all());
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn names(folder: &Path) -> Vec<String> {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn replaces_what_was_there_and_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.csv");
        write_atomically(&path, b"first, and longer").unwrap();
        write_atomically(&path, b"second").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
        assert_eq!(names(folder.path()), ["history.csv"]);
    }

    #[test]
    fn a_failed_write_changes_nothing_and_names_the_path() {
        let folder = tempfile::tempdir().unwrap();
        let inside = folder.path().join("model");
        fs::create_dir(&inside).unwrap();
        let missing = folder.path().join("absent").join("model");
        for (path, cause) in [(inside, "is a directory"), (missing, "its folder does not exist")] {
            let error = write_atomically(&path, b"bytes").unwrap_err();
            assert_eq!(error.to_string(), format!("cannot write {}", path.display()));
            assert!(matches!(error, Error::Write { source, .. } if source.to_string() == cause));
        }
        assert!(write_atomically("..", b"bytes").is_err());
        assert_eq!(names(folder.path()), ["model"]);
    }

    #[cfg(unix)]
    #[test]
    fn permissions_are_those_of_any_new_file() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let (ours, ordinary) = (folder.path().join("ours"), folder.path().join("ordinary"));
        write_atomically(&ours, b"").unwrap();
        fs::write(&ordinary, b"").unwrap();
        let mode = |path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(ours), mode(ordinary));
    }
}
