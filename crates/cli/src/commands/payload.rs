//! The values of an IDX file as they are stored, without the header.

use idx_dataset::Idx;
use std::io::{self, Write};

/// Hands over the values' big-endian bytes, piece by piece.
pub(super) fn payload(idx: &Idx, take: impl FnMut(&[u8])) -> Result<(), idx_dataset::Error> {
    idx_dataset::write_to(Payload { header_left: 4 + 4 * idx.shape.len(), take }, idx)
}

/// Takes a file, and passes on what follows its header.
struct Payload<F> {
    header_left: usize,
    take: F,
}

impl<F: FnMut(&[u8])> Write for Payload<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let skipped = self.header_left.min(bytes.len());
        self.header_left -= skipped;
        (self.take)(&bytes[skipped..]);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
