//! Where a reader's bytes come from: plain as they are, or gzip, which their first two bytes tell.

use std::io::{self, BufReader, Read};

#[cfg(feature = "gzip")]
use crate::gzip;

/// The bytes by which gzip is recognised.
pub(crate) const SNIFFED_LEN: usize = 2;

/// Uncompressed bytes.
pub(crate) enum Source<R> {
    Plain(BufReader<R>),
    #[cfg(feature = "gzip")]
    Gzip(Box<gzip::Decoder<R>>),
}

impl<R: Read> Source<R> {
    /// Looks at the first bytes. Where they are not gzip's they are returned, for the source goes on behind them.
    ///
    /// # Errors
    ///
    /// The reader's, with the number of bytes before it.
    pub(crate) fn new(reader: R) -> Result<(Self, Vec<u8>), (u64, io::Error)> {
        let mut reader = BufReader::new(reader);
        let mut start = Vec::with_capacity(SNIFFED_LEN);
        let outcome = reader.by_ref().take(SNIFFED_LEN as u64).read_to_end(&mut start);
        outcome.map_err(|error| (start.len() as u64, error))?;
        #[cfg(feature = "gzip")]
        if start == gzip::MAGIC {
            return Ok((Self::Gzip(Box::new(gzip::decoder(reader))), Vec::new()));
        }
        Ok((Self::Plain(reader), start))
    }

    pub(crate) fn is_plain(&self) -> bool {
        matches!(self, Self::Plain(_))
    }

    /// Appends up to `n` bytes. Plain ones go straight into spare capacity, which need not be cleared before.
    pub(crate) fn append(&mut self, bytes: &mut Vec<u8>, n: usize) -> io::Result<usize> {
        match self {
            Self::Plain(reader) => reader.take(n as u64).read_to_end(bytes),
            #[cfg(feature = "gzip")]
            Self::Gzip(decoder) => decoder.take(n as u64).read_to_end(bytes),
        }
    }

    pub(crate) fn into_inner(self) -> R {
        match self {
            Self::Plain(reader) => reader.into_inner(),
            #[cfg(feature = "gzip")]
            Self::Gzip(decoder) => gzip::into_inner(*decoder),
        }
    }
}

impl<R: Read> Read for Source<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(reader) => reader.read(buffer),
            #[cfg(feature = "gzip")]
            Self::Gzip(decoder) => decoder.read(buffer),
        }
    }
}
