//! Files that appear whole or not at all: written beside their place, synced, renamed, the folder synced.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use crate::Error;

/// Replaces the file at `path` by what `fill` writes. On an error what was there before still is, and nothing is left
/// beside it; only where the very last step fails, the sync of the folder, the new file is in its place already.
///
/// The permissions are those that `File::create` would give: the old file's, or for a new one what the process may
/// give. A symbolic link is followed, so that it survives.
pub(crate) fn replace(path: &Path, fill: impl FnOnce(&mut File) -> io::Result<()>) -> Result<(), Error> {
    let old = fs::metadata(path).ok();
    if let Some(old) = &old
        && !old.is_file()
    {
        return Err(Error::NotAFile { path: path.to_owned(), found: old.file_type() });
    }
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    write_and_rename(&target, old.map(|old| old.permissions()), fill)
        .map_err(|source| Error::Write { path: path.to_owned(), source })
}

fn write_and_rename(
    path: &Path,
    permissions: Option<fs::Permissions>,
    fill: impl FnOnce(&mut File) -> io::Result<()>,
) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".idx-").suffix(".partial");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666)); // less the process's umask
    let mut file = builder.tempfile_in(folder)?;
    if let Some(permissions) = permissions {
        file.as_file().set_permissions(permissions)?;
    }
    fill(file.as_file_mut())?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    sync_folder(folder)
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
