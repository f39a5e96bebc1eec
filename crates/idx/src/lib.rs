//! IDX files, the format of MNIST: read and written exactly, whatever the element type, rank and sizes.
//!
//! ```
//! # #[cfg(not(feature = "std"))]
//! # fn main() {}
//! # #[cfg(feature = "std")]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("digits-idx3-ubyte");
//! use idx_dataset::{Idx, Values};
//!
//! let digits = Idx { shape: vec![2, 2, 3], values: Values::U8(vec![0, 51, 102, 153, 204, 255, 9, 8, 7, 6, 5, 4]) };
//! idx_dataset::write(&path, &digits)?;
//! assert_eq!(std::fs::metadata(&path)?.len(), 4 + 4 * 3 + 2 * 2 * 3);
//!
//! let images = idx_dataset::read(&path)?; // plain or, with the feature `gzip`, compressed
//! assert_eq!(images.item::<u8>(1), Some(&[9, 8, 7, 6, 5, 4][..]));
//! # Ok(())
//! # }
//! ```
//!
//! # Ways in
//!
//! | data | all of it | item by item |
//! | --- | --- | --- |
//! | a path | [`read`](fn@read) | [`Reader::open`], in order, plain or compressed; `seek` in plain files |
//! | a path to a plain file | | [`IdxFile`], in any order, by positioned reads; `map` (feature `mmap`) |
//! | any [`Read`](std::io::Read) | [`Reader::new`] and [`read_rest`](Reader::read_rest) | [`Reader::new`] |
//! | bytes in memory | [`parse`], which borrows them | [`IdxSlice::item`] |
//! | images with labels | [`read_pair`], or [`known`] sets by name | |
//!
//! [`Options`] are for files that are not quite right, and for limits. Ways out are slices ([`Values::as_slice`],
//! [`Idx::item`], [`Idx::iter_items`]) and, with features, matrices, arrays, parallel iterators and PNGs. Files are written by
//! [`write()`], [`write_slice`], `write_gzip` and, item by item, [`Writer`]; [`write_to`] writes to any [`Write`](std::io::Write).
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
//! A file of rank 0 holds one value; a size of zero means that there are none. Where the first size is not zero but another one
//! is, there are items all the same, each of no values, up to 4,294,967,295 of them in a file of a few bytes: who takes files
//! from strangers looks at [`Reader::item_len`] before walking through them.
//!
//! What cannot be addressed is refused, header and values together: more than `isize::MAX` bytes, which on 32-bit machines are
//! 2 GiB, also where items are read one by one.
//!
//! # What is refused
//!
//! A header is believed only as far as the bytes bear it out: nothing is allocated from a declared size before the
//! file's length agrees with it or, in compressed data and streams, before the data arrive. Each [`Error`] of reading names the file,
//! the byte where it is known, what was expected and what was found; those of writing name the file, or the stream:
//!
//! | what is wrong | error |
//! | --- | --- |
//! | no such file, no permission | [`Open`](Error::Open) |
//! | a folder, pipe, socket or device | [`NotAFile`](Error::NotAFile) |
//! | the system cannot map the file | `Map` (feature `mmap`) |
//! | the system or a `Read` fails | [`Read`](Error::Read) |
//! | other first bytes than `00 00` | [`Magic`](Error::Magic) |
//! | gzip where only plain data are read | [`Compressed`](Error::Compressed), [`CompressedTwice`](Error::CompressedTwice), [`CompressedSeek`](Error::CompressedSeek) |
//! | a type code that is not in the table | [`UnknownElementType`](Error::UnknownElementType) |
//! | the data end in the header, or among the values | [`TruncatedHeader`](Error::TruncatedHeader), [`Truncated`](Error::Truncated) |
//! | the data go on after the values | [`TrailingBytes`](Error::TrailingBytes); see [`Options::trailing_bytes`] |
//! | sizes whose product no memory could hold | [`Overflow`](Error::Overflow) |
//! | compressed data or a stream declare too much, or anything more than a limit that was set | [`AboveLimit`](Error::AboveLimit); see [`Options::limit`] |
//! | there is no memory for values that are there | [`OutOfMemory`](Error::OutOfMemory) |
//! | a gzip member ends early, is damaged, has a wrong checksum or garbage behind it | [`GzipTruncated`](Error::GzipTruncated), [`GzipDamaged`](Error::GzipDamaged) |
//! | another type or item than there is is asked for | [`WrongType`](Error::WrongType), [`NoItem`](Error::NoItem) |
//! | labels are not as many as images, no labels at all, or out of range | [`CountMismatch`](Error::CountMismatch), [`NotLabels`](Error::NotLabels), [`LabelRange`](Error::LabelRange) |
//! | an item is no picture | [`NotAPicture`](Error::NotAPicture) |
//! | a well-known set has another shape | [`WrongShape`](Error::WrongShape) |
//! | shape and values to write do not fit the format or each other | [`Rank`](Error::Rank), [`Size`](Error::Size), [`ValueCount`](Error::ValueCount) |
//! | the system or a `Write` fails | [`Write`](Error::Write), [`WriteStream`](Error::WriteStream) |
//!
//! # Without `std`
//!
//! With default features off, [`parse`], [`IdxSlice`] and [`Idx`] need `alloc` only.

#![cfg_attr(not(feature = "std"), no_std)]
#![deny(unsafe_code)] // but for memory maps, signed bytes borrowed as such, and advice about pages
#![cfg_attr(docsrs, feature(doc_cfg))]

extern crate alloc;

mod element;
mod error;
mod header;
mod idx;
mod options;
mod slice;

#[cfg(feature = "std")]
mod atomic;
#[cfg(feature = "std")]
mod dataset;
#[cfg(feature = "gzip")]
mod gzip;
#[cfg(all(feature = "std", any(unix, windows)))]
mod idx_file;
#[cfg(feature = "std")]
mod input;
#[cfg(feature = "std")]
pub mod known;
#[cfg(feature = "mmap")]
mod map;
#[cfg(feature = "std")]
mod pages;
#[cfg(feature = "png")]
mod png;
#[cfg(feature = "std")]
mod reader;
#[cfg(feature = "std")]
mod source;
#[cfg(any(feature = "nalgebra", feature = "ndarray", feature = "rayon"))]
mod views;
#[cfg(feature = "std")]
mod write;
#[cfg(feature = "std")]
mod writer;

#[cfg(feature = "std")]
pub use dataset::{Pair, check_counts, check_labels, find, one_hot, read_labels, read_pair};
pub use element::{Element, ElementType, UnknownName};
pub use error::{Error, Origin};
pub use idx::{Idx, Values};
#[cfg(all(feature = "std", any(unix, windows)))]
pub use idx_file::IdxFile;
#[cfg(feature = "mmap")]
pub use map::{Map, map};
pub use options::Options;
#[cfg(feature = "std")]
pub use reader::{Items, Reader, read};
pub use slice::{IdxSlice, parse};
#[cfg(feature = "std")]
pub use write::{write, write_slice, write_to};
#[cfg(feature = "gzip")]
pub use write::{write_gzip, write_gzip_to, write_slice_gzip};
#[cfg(feature = "std")]
pub use writer::Writer;

/// Compiles the README's examples.
#[cfg(all(doctest, feature = "std"))]
#[doc = include_str!("../README.md")]
struct Readme;
