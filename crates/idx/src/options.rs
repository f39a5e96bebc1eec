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
    pub(crate) limit: u64,
}

impl Options {
    /// The default of [`limit`](Self::limit): 4 GiB.
    pub const DEFAULT_LIMIT: u64 = 4 << 30;

    /// The defaults: strict, and [`DEFAULT_LIMIT`](Self::DEFAULT_LIMIT).
    pub const fn new() -> Self {
        Self { trailing_bytes: false, limit: Self::DEFAULT_LIMIT }
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

    /// The most bytes of values to hold from data whose length does not bear out what their header declares: compressed
    /// ones, and those of a [`Read`](std::io::Read). Default: 4 GiB.
    ///
    /// Whatever the limit, memory only grows as data arrive. Plain files and bytes in memory need none.
    pub const fn limit(mut self, bytes: u64) -> Self {
        self.limit = bytes;
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
