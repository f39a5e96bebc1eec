//! Bytes on their way in, with the position that errors name.

use std::io::{self, Read};

use crate::source::Source;
use crate::{Error, Origin};

/// A source that knows where its bytes come from and how many have passed.
pub(crate) struct Input<R> {
    source: Source<R>,
    pub(crate) origin: Origin,
    /// Where the data end, where that is known before they are read.
    pub(crate) length: Option<u64>,
    /// Bytes that have passed, after decompression.
    pub(crate) position: u64,
}

impl<R: Read> Input<R> {
    /// Looks at the first bytes to find out whether the data are compressed. Where they are not, the bytes are returned.
    /// `length` is the length of the data as they are stored.
    pub(crate) fn new(reader: R, origin: Origin, length: Option<u64>) -> Result<(Self, Vec<u8>), Error> {
        match Source::new(reader) {
            Ok((source, start)) => {
                let length = length.filter(|_| source.is_plain());
                Ok((Self { source, origin, length, position: start.len() as u64 }, start))
            }
            Err(source) => Err(Error::Read { origin, offset: 0, source }),
        }
    }

    pub(crate) fn is_plain(&self) -> bool {
        self.source.is_plain()
    }

    /// The reader and where it comes from, if the data are plain.
    #[cfg(any(unix, windows))]
    pub(crate) fn into_plain(self) -> Result<(R, Origin), Origin> {
        match self.source {
            Source::Plain(reader) => Ok((reader.into_inner(), self.origin)),
            #[cfg(feature = "gzip")]
            Source::Gzip(_) => Err(self.origin),
        }
    }

    /// Fills `buffer` as far as the data reach. Returns the number of bytes, less than the buffer's only at the end.
    pub(crate) fn fill(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.source.read(&mut buffer[filled..]) {
                Ok(0) => break,
                Ok(n) => {
                    filled += n;
                    self.position += n as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.failure(error)),
            }
        }
        Ok(filled)
    }

    /// Passes over all that is left.
    pub(crate) fn drain(&mut self) -> Result<(), Error> {
        let mut passed = [0; 8 << 10];
        while self.fill(&mut passed)? > 0 {}
        Ok(())
    }

    /// Appends up to `n` bytes to `bytes`, straight from the source into spare capacity. Returns their number, less
    /// than `n` only at the end.
    pub(crate) fn append(&mut self, bytes: &mut Vec<u8>, n: usize) -> Result<usize, Error> {
        let before = bytes.len();
        let outcome = (&mut self.source).take(n as u64).read_to_end(bytes);
        self.position += (bytes.len() - before) as u64;
        outcome.map_err(|error| self.failure(error))
    }

    fn failure(&self, source: io::Error) -> Error {
        let (origin, offset) = (self.origin.clone(), self.position);
        match &self.source {
            #[cfg(feature = "gzip")]
            Source::Gzip(decoder) if !decoder.get_ref().failed => match source.kind() {
                io::ErrorKind::UnexpectedEof => {
                    Error::GzipTruncated { origin, found: decoder.get_ref().count }
                }
                _ => Error::GzipDamaged { origin, offset, source },
            },
            _ => Error::Read { origin, offset, source },
        }
    }
}

impl<R: io::Seek> Input<R> {
    /// Goes on at another byte of plain data.
    pub(crate) fn seek(&mut self, position: u64) -> Result<(), Error> {
        let outcome = match &mut self.source {
            // Both are less than 2⁶³, for header and payload can be addressed.
            Source::Plain(reader) => reader.seek_relative(position as i64 - self.position as i64),
            #[cfg(feature = "gzip")]
            Source::Gzip(_) => return Err(Error::CompressedSeek { origin: self.origin.clone() }),
        };
        match outcome {
            Ok(()) => {
                self.position = position;
                Ok(())
            }
            Err(source) => Err(Error::Read { origin: self.origin.clone(), offset: self.position, source }),
        }
    }
}
