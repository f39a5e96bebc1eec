//! Bytes on their way in, with the position that errors name.

use std::io::{self, BufReader, Read, Seek, SeekFrom};

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
    /// Where plain data end at the least, as far as jumps have found out.
    end: u64,
}

impl<R: Read> Input<R> {
    /// Looks at the first bytes to find out whether the data are compressed. Where they are not, the bytes are returned.
    /// `length` is the length of the data as they are stored.
    pub(crate) fn new(reader: R, origin: Origin, length: Option<u64>) -> Result<(Self, Vec<u8>), Error> {
        match Source::new(reader) {
            Ok((source, start)) => {
                let length = length.filter(|_| source.is_plain());
                Ok((Self { source, origin, length, position: start.len() as u64, end: 0 }, start))
            }
            Err((offset, source)) => Err(Error::Read { origin, offset, source }),
        }
    }

    pub(crate) fn is_plain(&self) -> bool {
        self.source.is_plain()
    }

    pub(crate) fn into_inner(self) -> R {
        self.source.into_inner()
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

    /// Appends up to `n` bytes to `bytes`. Returns their number, less than `n` only at the end.
    pub(crate) fn append(&mut self, bytes: &mut Vec<u8>, n: usize) -> Result<usize, Error> {
        let before = bytes.len();
        let outcome = self.source.append(bytes, n);
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

impl<R: Seek> Input<R> {
    /// Goes on at another byte of plain data. Returns where they end, if that is before.
    pub(crate) fn seek(&mut self, position: u64) -> Result<Option<u64>, Error> {
        let outcome = match &mut self.source {
            Source::Plain(reader) => {
                self.end = self.end.max(self.position);
                jump(reader, self.position, position, &mut self.end)
            }
            #[cfg(feature = "gzip")]
            Source::Gzip(_) => return Err(Error::CompressedSeek { origin: self.origin.clone() }),
        };
        match outcome {
            Ok(()) if position > self.end => Ok(Some(self.end)),
            Ok(()) => {
                self.position = position;
                Ok(None)
            }
            Err(source) => Err(Error::Read { origin: self.origin.clone(), offset: self.position, source }),
        }
    }
}

/// Goes from one byte to another unless that is behind the end, which is looked for where it is not known to be further on:
/// seeking beyond it is no error, and reading there would not tell where it is.
fn jump<R: Seek>(reader: &mut BufReader<R>, from: u64, to: u64, end: &mut u64) -> io::Result<()> {
    if to > *end {
        let here = reader.stream_position()?;
        let behind = reader.seek(SeekFrom::End(0))?.saturating_sub(here);
        reader.seek(SeekFrom::Start(here))?;
        *end = from.saturating_add(behind);
    }
    if to > *end {
        return Ok(());
    }
    reader.seek_relative(to as i64 - from as i64) // both are less than 2⁶³, for header and payload can be addressed
}
