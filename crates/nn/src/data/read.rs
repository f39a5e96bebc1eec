//! Opening files.

use super::error::DataError;
use crate::error::Error;
use std::fs::File;
use std::io;
use std::path::Path;

/// Opens a file of data, and says how long it is.
pub(super) fn open(path: &Path) -> Result<(File, u64), Error> {
    open_regular(path).map_err(|source| unreadable(path, source))
}

/// Opens a regular file, and says how long it is. A device or a pipe is refused before it is opened: it could go on for
/// ever, or never begin.
pub(crate) fn open_regular(path: &Path) -> io::Result<(File, u64)> {
    let kind = std::fs::metadata(path)?;
    if kind.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if !kind.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
    }
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    Ok((file, length))
}

pub(crate) fn unreadable(path: &Path, source: io::Error) -> Error {
    Error::Read { path: path.to_owned(), source }
}

/// What is wrong, with the file it is in.
pub(super) fn in_file(path: &Path, problem: DataError) -> Error {
    Error::Data { path: path.to_owned(), problem: Box::new(problem) }
}

/// Whether a network in single precision can take the number.
pub(super) fn is_in_range(value: f64) -> bool {
    // NaN is in no range.
    (f64::from(f32::MIN)..=f64::from(f32::MAX)).contains(&value)
}
