//! What to accept: trailing bytes, and how much of what nothing bears out.

#[cfg(feature = "std")]
use std::{fs::File, io::Read, path::Path};

use crate::{Error, IdxSlice, Origin};
#[cfg(feature = "std")]
use crate::{Idx, Reader};

/// How strict to be. The functions [`parse`](crate::parse), [`read`](fn@crate::read), [`Reader::new`](crate::Reader::new)
/// and so on use the defaults.
///
/// ```
/// use idx_dataset::{Options, parse};
///
/// let padded = [0, 0, 8, 1, 0, 0, 0, 2, 5, 4, 0, 0, 0, 0];
/// assert!(parse(&padded).is_err());
/// let labels = Options::new().trailing_bytes(true).parse(&padded)?;
/// assert_eq!(labels.payload(), [5, 4]);
/// # Ok::<(), idx_dataset::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    pub(crate) trailing_bytes: bool,
    pub(crate) limit: Option<u64>,
}

impl Options {
    /// The default of [`limit`](Self::limit) for data whose length nothing bears out: 4 GiB.
    pub const DEFAULT_LIMIT: u64 = 4 << 30;

    /// The defaults: strict, and at most [`DEFAULT_LIMIT`](Self::DEFAULT_LIMIT) from compressed data and streams.
    pub const fn new() -> Self {
        Self { trailing_bytes: false, limit: None }
    }

    /// Whether data may go on after the last value. Default: `false`, it is an error. What follows in plain data is not looked
    /// at, nor waited for.
    ///
    /// In compressed data these are uncompressed bytes. Reading all of the data, or past the last item, uncompresses them
    /// to their end and drops them, because the checksum stands behind them: damage always is an error, and so is
    /// something other than gzip after the last member.
    pub const fn trailing_bytes(mut self, allowed: bool) -> Self {
        self.trailing_bytes = allowed;
        self
    }

    /// The most bytes of values to read into one vector, be it all that a file holds or one item. Default: 4 GiB for data whose
    /// length does not bear out what their header declares, compressed ones and those of a [`Read`](std::io::Read); none for
    /// plain files. Bytes in memory and maps are borrowed and know no limit.
    ///
    /// Whatever the limit, memory for data of unknown length grows as they arrive: to at most twice what has come, and beside
    /// it, while the vector is moved, what it held before, unless the system moves large vectors by their pages, as Linux does.
    pub const fn limit(mut self, bytes: u64) -> Self {
        self.limit = Some(bytes);
        self
    }

    /// As [`parse`](crate::parse), with these options.
    ///
    /// # Errors
    ///
    /// As [`parse`](crate::parse).
    pub fn parse<'a>(&self, bytes: &'a [u8]) -> Result<IdxSlice<'a>, Error> {
        IdxSlice::new(bytes, self.trailing_bytes, &Origin::Bytes)
    }

    /// As [`read`](fn@crate::read), with these options.
    ///
    /// # Errors
    ///
    /// As [`read`](fn@crate::read).
    #[cfg(feature = "std")]
    pub fn read(&self, path: impl AsRef<Path>) -> Result<Idx, Error> {
        self.open(path)?.read_rest()
    }

    /// As [`Reader::open`], with these options.
    ///
    /// # Errors
    ///
    /// As [`Reader::open`].
    #[cfg(feature = "std")]
    pub fn open(&self, path: impl AsRef<Path>) -> Result<Reader<File>, Error> {
        Reader::open_with(*self, path.as_ref())
    }

    /// As [`IdxFile::open`](crate::IdxFile::open), with these options. Bytes behind the values are allowed; the limit is that of
    /// one item.
    ///
    /// # Errors
    ///
    /// As [`IdxFile::open`](crate::IdxFile::open).
    #[cfg(all(feature = "std", any(unix, windows)))]
    pub fn open_items(&self, path: impl AsRef<Path>) -> Result<crate::IdxFile, Error> {
        crate::IdxFile::open_with(*self, path.as_ref())
    }

    /// As [`map`](fn@crate::map), with these options.
    ///
    /// # Safety
    ///
    /// As of [`map`](fn@crate::map): nobody may change or shorten the file as long as the map lives.
    ///
    /// # Errors
    ///
    /// As [`map`](fn@crate::map).
    #[cfg(feature = "mmap")]
    #[allow(unsafe_code)]
    pub unsafe fn map(&self, path: impl AsRef<Path>) -> Result<crate::Map, Error> {
        // SAFETY: the caller keeps the same contract.
        unsafe { crate::map::map_with(*self, path.as_ref()) }
    }

    /// As [`Reader::new`], with these options.
    ///
    /// # Errors
    ///
    /// As [`Reader::new`].
    #[cfg(feature = "std")]
    pub fn reader<R: Read>(&self, reader: R) -> Result<Reader<R>, Error> {
        Reader::with(*self, reader, Origin::Stream, None)
    }
}

/// [`Options::new`].
impl Default for Options {
    fn default() -> Self {
        Self::new()
    }
}
