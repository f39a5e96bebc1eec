//! The one way in: bytes of a source become a file only if they are that file.

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use indicatif::HumanCount;
use sha2::Digest;
use tempfile::NamedTempFile;

use super::cache::PARTIAL;
use super::error::{Error, Reason};
use super::report::{Bar, Report};
use crate::manifest::{File, Sha256, Source};

/// A gzip file starts with this byte; an IDX file starts with a zero.
const GZIP_MAGIC: u8 = 0x1f;

/// Where a source's files go, and which are wanted.
pub(super) struct Destination<'a, 'f> {
    /// The dataset's folder.
    pub(super) folder: &'a Path,
    /// The dataset's name, for messages.
    pub(super) dataset: &'a str,
    /// What no source has delivered yet; shrinks as files are stored.
    pub(super) missing: &'a mut Vec<&'f File>,
    /// For messages.
    pub(super) source: &'a Source,
    pub(super) report: &'a Report,
}

impl Destination<'_, '_> {
    /// Reads `file` from `content`, which is it or its gzip form, and gives it its name if size and SHA-256 are right.
    pub(super) fn store(&mut self, file: &File, content: impl Read) -> Result<(), Reason> {
        let bar = self.report.bytes(format!("{}: {}", self.dataset, file.name), file.size);
        store(file, content, self.folder, &bar)?;
        drop(bar);
        let Self { dataset, source, report, .. } = self;
        report.line(&format!("{dataset}: {}, {} bytes, from {source}", file.name, HumanCount(file.size)));
        self.missing.retain(|other| other.name != file.name);
        Ok(())
    }
}

fn store(file: &File, content: impl Read, folder: &Path, bar: &Bar) -> Result<(), Reason> {
    let path = folder.join(&file.name);
    let prefix = format!(".{}.", file.name);
    let mut partial = tempfile::Builder::new();
    partial.prefix(&prefix).suffix(PARTIAL);
    #[cfg(unix)]
    partial.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666)); // less the umask, as for any new file
    let mut partial = partial.tempfile_in(folder).map_err(Error::disk("write to", folder))?;

    // Deflate never grows its input by more than this, so that a longer body cannot be the file.
    let longest = file.size + file.size / 1000 + 1024;
    let mut content = BufReader::with_capacity(1 << 16, Capped { content, left: longest });
    let first = content.fill_buf().map_err(|error| broken_off(0, file, &error))?.first().copied();
    if first == Some(GZIP_MAGIC) {
        copy_verified(file, MultiGzDecoder::new(content), &mut partial, bar)?;
    } else {
        copy_verified(file, content, &mut partial, bar)?;
    }

    partial.as_file().sync_all().map_err(Error::disk("write", &path))?;
    partial.persist(&path).map_err(|error| Error::disk("write", &path)(error.error))?;
    #[cfg(unix)]
    fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(Error::disk("write to", folder))?;
    Ok(())
}

/// Copies exactly `file.size` bytes and refuses fewer, more, or others.
fn copy_verified(
    file: &File,
    mut content: impl Read,
    partial: &mut NamedTempFile,
    bar: &Bar,
) -> Result<(), Reason> {
    let mut hasher = sha2::Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    let mut n_copied = 0;
    loop {
        let n_bytes = match content.read(&mut buffer) {
            Ok(0) => break,
            Ok(n_bytes) => n_bytes,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(broken_off(n_copied, file, &error)),
        };
        n_copied += n_bytes as u64;
        if n_copied > file.size {
            return Err(Reason::Source(format!(
                "{} is longer than {} bytes",
                file.name,
                HumanCount(file.size)
            )));
        }
        hasher.update(&buffer[..n_bytes]);
        partial.write_all(&buffer[..n_bytes]).map_err(Error::disk("write", partial.path()))?;
        bar.set(n_copied);
    }
    if n_copied < file.size {
        let (found, expected) = (HumanCount(n_copied), HumanCount(file.size));
        return Err(Reason::Source(format!("{} ends after {found} of {expected} bytes", file.name)));
    }
    let found = Sha256(hasher.finalize().into());
    if found != file.sha256 {
        return Err(Reason::Source(format!("{} has SHA-256 {found}, expected {}", file.name, file.sha256)));
    }
    Ok(())
}

fn broken_off(n_copied: u64, file: &File, error: &io::Error) -> Reason {
    let (found, expected) = (HumanCount(n_copied), HumanCount(file.size));
    Reason::Source(format!("{} broke off after {found} of {expected} bytes: {error}", file.name))
}

/// A reader that fails, rather than ends, when there is more after `left` bytes.
struct Capped<R> {
    content: R,
    left: u64,
}

impl<R: Read> Read for Capped<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            return match self.content.read(&mut [0])? {
                0 => Ok(0),
                _ => Err(io::Error::other("the body is too long")),
            };
        }
        let n_bytes = (&mut self.content).take(self.left).read(buffer)?;
        self.left -= n_bytes as u64;
        Ok(n_bytes)
    }
}
