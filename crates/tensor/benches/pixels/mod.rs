//! Real digits: the sample of MNIST in the repository.

use flate2::read::GzDecoder;
use std::fs::File;
use std::io::Read;

/// Bytes of an image.
pub(crate) const PIXELS: usize = 784;

/// Bytes of an IDX file of images before its pixels: magic number and three sizes.
const HEADER: usize = 16;

/// The sample's training images, one after the other.
pub(crate) fn images() -> Vec<u8> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../data/sample/train-images-idx3-ubyte.gz");
    let file = File::open(path).expect("the repository has the sample");
    let mut bytes = Vec::new();
    GzDecoder::new(file).read_to_end(&mut bytes).expect("a gzip file");
    bytes.split_off(HEADER)
}
