//! Bytes on their way in, with the position that errors name.

use std::io::{self, Read};

use crate::{Error, Origin};

/// A reader that knows where its bytes come from and how many have passed.
pub(crate) struct Input<R> {
    reader: R,
    pub(crate) origin: Origin,
    pub(crate) encoding: Encoding,
    /// Bytes that have passed, after decompression.
    pub(crate) position: u64,
}

/// How the data are stored, and how many bytes that takes.
#[derive(Clone, Copy)]
pub(crate) enum Encoding {
    /// As they are: `length` is where the data end.
    Plain { length: u64 },
    /// Compressed into `length` bytes: only reading shows where the data end.
    #[cfg(feature = "gzip")]
    Gzip { length: u64 },
}

impl<R: Read> Input<R> {
    pub(crate) fn new(reader: R, origin: Origin, encoding: Encoding) -> Self {
        Self { reader, origin, encoding, position: 0 }
    }

    /// Fills `buffer` as far as the data reach. Returns the number of bytes, less than the buffer's only at the end.
    pub(crate) fn fill(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.reader.read(&mut buffer[filled..]) {
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

    /// Appends up to `n` bytes to `bytes`, straight from the reader into spare capacity. Returns their number, less
    /// than `n` only at the end.
    pub(crate) fn append(&mut self, bytes: &mut Vec<u8>, n: usize) -> Result<usize, Error> {
        let before = bytes.len();
        let outcome = self.reader.by_ref().take(n as u64).read_to_end(bytes);
        self.position += (bytes.len() - before) as u64;
        outcome.map_err(|error| self.failure(error))
    }

    fn failure(&self, source: io::Error) -> Error {
        let (origin, offset) = (self.origin.clone(), self.position);
        match self.encoding {
            // The decoder's own errors carry no code of the system's, and it reports a missing rest as such.
            #[cfg(feature = "gzip")]
            Encoding::Gzip { length } if source.raw_os_error().is_none() => match source.kind() {
                io::ErrorKind::UnexpectedEof => Error::GzipTruncated { origin, found: length },
                _ => Error::GzipDamaged { origin, offset, source },
            },
            _ => Error::Read { origin, offset, source },
        }
    }
}
