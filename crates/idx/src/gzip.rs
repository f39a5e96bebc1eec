//! Gzip around IDX data: recognised by its first two bytes, several members read as one, checksums verified.

use std::io::{self, BufRead, BufReader, Chain, Cursor, Read, Write};

use flate2::bufread::MultiGzDecoder;
use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder};

/// What gzip data start with.
pub(crate) const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Compressed bytes that are given to the decoder at a time. It copies its window of 32 KiB at each end of them, and goes
/// slowly over their last few: with 8 KiB, MNIST took 4 to 8 % longer; with more than 64, no less.
const BLOCK_LEN: usize = 64 << 10;

/// Uncompresses what follows [`MAGIC`] in a reader.
pub(crate) type Decoder<R> = MultiGzDecoder<Counted<BufReader<Chain<Cursor<[u8; 2]>, BufReader<R>>>>>;

/// The decoder of a reader from which [`MAGIC`] was taken.
pub(crate) fn decoder<R: Read>(reader: BufReader<R>) -> Decoder<R> {
    // The inner buffer is passed by where it is empty, for what is asked of it then is more than it holds.
    let reader = BufReader::with_capacity(BLOCK_LEN, Cursor::new(MAGIC).chain(reader));
    MultiGzDecoder::new(Counted { reader, count: 0, failed: false })
}

/// The reader whose data were uncompressed.
pub(crate) fn into_inner<R: Read>(decoder: Decoder<R>) -> R {
    let (_, reader) = decoder.into_inner().reader.into_inner().into_inner();
    reader.into_inner()
}

/// Compressed bytes on their way to the decoder: how many there were, and whether the reader itself failed, which the
/// decoder's errors do not tell.
pub(crate) struct Counted<R> {
    reader: R,
    pub(crate) count: u64,
    pub(crate) failed: bool,
}

impl<R: BufRead> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let buffer = self.reader.fill_buf();
        self.failed = buffer.as_ref().is_err_and(|error| error.kind() != io::ErrorKind::Interrupted);
        buffer
    }

    fn consume(&mut self, n: usize) {
        self.count += n as u64;
        self.reader.consume(n);
    }
}

impl<R: BufRead> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.fill_buf()?.read(buffer)?;
        self.consume(n);
        Ok(n)
    }
}

/// Compresses with a header that holds neither time, name nor system: equal data give equal bytes.
///
/// The level is gzip's default: the best one took four times as long for MNIST, and made its files 0.3 % smaller.
pub(crate) fn encoder<W: Write>(writer: W) -> GzEncoder<W> {
    member(writer, Compression::default())
}

/// A member whose length depends on that of `bytes` alone, so that it can be written anew in the same place.
pub(crate) fn stored(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = member(Vec::new(), Compression::none());
    encoder.write_all(bytes)?;
    encoder.finish()
}

fn member<W: Write>(writer: W, level: Compression) -> GzEncoder<W> {
    const UNKNOWN_SYSTEM: u8 = 255;
    GzBuilder::new().mtime(0).operating_system(UNKNOWN_SYSTEM).write(writer, level)
}
