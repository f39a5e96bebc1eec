//! IDX files, the format of MNIST: read and written exactly, whatever the element type, rank and sizes.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("digits-idx3-ubyte");
//! use idx_dataset::{Idx, Values};
//!
//! let digits = Idx { shape: vec![2, 2, 3], values: Values::U8(vec![0, 51, 102, 153, 204, 255, 9, 8, 7, 6, 5, 4]) };
//! idx_dataset::write(&path, &digits)?;
//! assert_eq!(std::fs::metadata(&path)?.len(), 4 + 4 * 3 + 2 * 2 * 3);
//!
//! let images = idx_dataset::read(&path)?; // plain, or gzip recognised by content
//! let pixels = images.as_u8().ok_or("not bytes")?;
//! assert_eq!(pixels.chunks_exact(images.item_len()).nth(1), Some(&[9, 8, 7, 6, 5, 4][..]));
//! # Ok(())
//! # }
//! ```
//!
//! # The format
//!
//! All numbers are big-endian. There is no padding, no checksum and nothing after the payload.
//!
//! | byte | length | content |
//! | --- | --- | --- |
//! | 0 | 2 | zero |
//! | 2 | 1 | element type: `08` u8, `09` i8, `0b` i16, `0c` i32, `0d` f32, `0e` f64 |
//! | 3 | 1 | rank `r`, the number of dimensions, 0–255 |
//! | 4 | 4·r | the size of each dimension, u32; the first varies slowest and counts the items |
//! | 4 + 4·r | product of sizes × element size | the values, row-major |
//!
//! A file of rank 0 holds one value; a size of zero means that there are none.
//!
//! # What is refused
//!
//! A header is believed only as far as the bytes bear it out: nothing is allocated from a declared size before the
//! file's length agrees with it or, in a compressed file, before the data arrive. Files that end early or late, sizes
//! whose product overflows, and compressed files that declare more than [`MAX_COMPRESSED_PAYLOAD`] are errors, and so
//! is anything that is not a regular file. Each [`Error`] names the file, the byte, what was expected and what was found.

#![forbid(unsafe_code)]

mod atomic;
mod dataset;
mod element;
mod error;
#[cfg(feature = "gzip")]
mod gzip;
mod header;
mod idx;
mod input;
pub mod known;
mod reader;
mod writer;

pub use dataset::{Pair, find, read_pair};
pub use element::ElementType;
pub use error::{Error, Origin};
pub use idx::{Idx, Values};
pub use reader::{MAX_COMPRESSED_PAYLOAD, parse, read};
pub use writer::write;
#[cfg(feature = "gzip")]
pub use writer::write_gzip;

/// Compiles the README's examples.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
