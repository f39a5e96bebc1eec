//! Files made by hand, without the crate under test.

use std::io::Write;

use idx_dataset::{Error, Idx};

/// An IDX file: header and payload, the payload as it is given.
pub(crate) fn idx(code: u8, shape: &[u32], payload: &[u8]) -> Vec<u8> {
    let mut file = vec![0, 0, code, shape.len() as u8];
    for size in shape {
        file.extend(size.to_be_bytes());
    }
    file.extend(payload);
    file
}

/// One gzip member.
#[allow(dead_code)] // without the feature, not every test file compresses
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// What [`idx_dataset::parse`] borrows, as a copy.
#[allow(dead_code)]
pub(crate) fn parse(bytes: &[u8]) -> Result<Idx, Error> {
    idx_dataset::parse(bytes).map(|slice| slice.to_idx())
}
