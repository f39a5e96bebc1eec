//! One error for the whole crate. Each message says where, what was expected, and what was found.

#[cfg(feature = "std")]
use alloc::collections::TryReserveError;
use alloc::vec::Vec;
use core::fmt;
#[cfg(feature = "std")]
use std::{fs::FileType, io, path::PathBuf};

use crate::ElementType;

/// Why data could not be read or written.
///
/// Byte offsets count from the start of the IDX data: in a compressed file, of the uncompressed ones. The causes that
/// the system reports are in [`source`](std::error::Error::source), not in the message.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file is missing or may not be opened.
    #[cfg(feature = "std")]
    #[error("{}: cannot open the file", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The file may be opened, but not mapped into memory.
    #[cfg(feature = "mmap")]
    #[error("{}: cannot map the file into memory", path.display())]
    Map {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The path leads to a folder, pipe, socket or device. Only regular files are read or replaced.
    #[cfg(feature = "std")]
    #[error("{}: expected a regular file, found {}", path.display(), kind_of_file(*found))]
    NotAFile {
        /// The path.
        path: PathBuf,
        /// What is there.
        found: FileType,
    },
    /// The system failed to deliver the data.
    #[cfg(feature = "std")]
    #[error("{origin}: cannot read on at byte {offset}")]
    Read {
        /// The data.
        origin: Origin,
        /// Bytes read before.
        offset: u64,
        /// The system's reason.
        source: io::Error,
    },
    /// The file could not be written. What was there before still is.
    #[cfg(feature = "std")]
    #[error("{}: cannot write the file", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },

    /// A [`Write`](std::io::Write) failed.
    #[cfg(feature = "std")]
    #[error("stream: cannot write on")]
    WriteStream {
        /// Its reason.
        source: io::Error,
    },

    /// The data do not start as IDX data do.
    #[error("{origin}: byte 0: expected IDX data, which start with 00 00, found {:02x} {:02x}", found[0], found[1])]
    Magic {
        /// The data.
        origin: Origin,
        /// The first two bytes.
        found: [u8; 2],
    },
    /// The data are gzip-compressed where only plain ones are read: by [`parse`](crate::parse), `map` and `IdxFile`, and by
    /// everything without the feature `gzip`.
    #[error(
        "{origin}: byte 0: expected plain IDX data, found gzip (1f 8b), which `read` takes with feature `gzip` on"
    )]
    Compressed {
        /// The data.
        origin: Origin,
    },
    /// Compressed data, uncompressed, are gzip once more.
    #[cfg(feature = "std")]
    #[error("{origin}: byte 0 of the uncompressed data: expected IDX data, found gzip (1f 8b) within gzip")]
    CompressedTwice {
        /// The data.
        origin: Origin,
    },
    /// The third byte stands for no element type.
    #[error(
        "{origin}: byte 2: expected an element type (08 u8, 09 i8, 0b i16, 0c i32, 0d f32 or 0e f64), found {found:02x}"
    )]
    UnknownElementType {
        /// The data.
        origin: Origin,
        /// The third byte.
        found: u8,
    },
    /// The data end within the header.
    #[error("{origin}: header ends at byte {found}, expected {expected}")]
    TruncatedHeader {
        /// The data.
        origin: Origin,
        /// Where the header should end, as far as is known: after 4 bytes, or after all sizes.
        expected: u64,
        /// Where the data end.
        found: u64,
    },
    /// The values of this shape, with their header, would not fit into the address space. Sizes of zero are left out of the product, so
    /// that a shape's other sizes can always be multiplied.
    #[error(
        "{origin}: byte 4: expected sizes with an addressable product, found shape {shape:?} of {element_type}"
    )]
    Overflow {
        /// The data.
        origin: Origin,
        /// The type of the values.
        element_type: ElementType,
        /// The declared shape.
        shape: Vec<usize>,
    },
    /// Values take more than [`Options::limit`](crate::Options::limit), or more than its default where nothing bears them out.
    #[error("{origin}: byte 4: expected at most {limit} bytes of values, found {found} for shape {shape:?}")]
    AboveLimit {
        /// The data.
        origin: Origin,
        /// The declared shape of what is to be held: of one item where items are read, else of all that are left.
        shape: Vec<usize>,
        /// The most that is taken, in bytes.
        limit: u64,
        /// What the shape takes, in bytes.
        found: u64,
    },
    /// The values are there, but not the memory to hold them.
    #[cfg(feature = "std")]
    #[error("{origin}: no memory for the {bytes} bytes of shape {shape:?}")]
    OutOfMemory {
        /// The data.
        origin: Origin,
        /// The shape of what is to be held: of one item where items are read.
        shape: Vec<usize>,
        /// What the shape takes, in bytes.
        bytes: usize,
        /// The allocator's reason.
        source: TryReserveError,
    },
    /// The header promises more values than the data hold.
    #[error("{origin}: values end at byte {found}, expected {expected} for shape {shape:?}")]
    Truncated {
        /// The data.
        origin: Origin,
        /// The declared shape.
        shape: Vec<usize>,
        /// Where the values should end.
        expected: u64,
        /// Where the data end.
        found: u64,
    },
    /// The data go on after the last value.
    #[error(
        "{origin}: byte {expected}: expected the end after the values of shape {shape:?}, found more bytes"
    )]
    TrailingBytes {
        /// The data.
        origin: Origin,
        /// The declared shape.
        shape: Vec<usize>,
        /// Where the data should end.
        expected: u64,
    },
    /// A compressed file ends before its compressed data do.
    #[cfg(feature = "std")]
    #[error("{origin}: compressed data end at byte {found} of the file, expected the rest of a gzip member")]
    GzipTruncated {
        /// The file.
        origin: Origin,
        /// The length of the compressed file, in bytes.
        found: u64,
    },
    /// Compressed data are damaged, fail their checksum, or are followed by something else than gzip.
    #[cfg(feature = "std")]
    #[error("{origin}: byte {offset} of the uncompressed data: expected an intact gzip member, found damage")]
    GzipDamaged {
        /// The file.
        origin: Origin,
        /// Bytes uncompressed before.
        offset: u64,
        /// The decoder's reason.
        source: io::Error,
    },

    /// An IDX header has one byte for the number of dimensions.
    #[error("{origin}: expected at most 255 dimensions to write, found {found}")]
    Rank {
        /// The file to write.
        origin: Origin,
        /// The number of dimensions.
        found: usize,
    },
    /// An IDX header has four bytes for each size.
    #[error("{origin}: expected at most 4294967295 as size of dimension {dimension} to write, found {found}")]
    Size {
        /// The file to write.
        origin: Origin,
        /// The dimension, from 0.
        dimension: usize,
        /// Its size.
        found: usize,
    },
    /// Shape and values to write do not fit.
    #[error("{origin}: expected {expected} values to write for shape {shape:?}, found {found}")]
    ValueCount {
        /// The file to write.
        origin: Origin,
        /// The shape.
        shape: Vec<usize>,
        /// The product of its sizes.
        expected: usize,
        /// The number of values.
        found: usize,
    },

    /// Values are asked for as another type.
    #[error("{origin}: byte 2: expected values of type {expected}, found {found}")]
    WrongType {
        /// The data.
        origin: Origin,
        /// The type that was asked for.
        expected: ElementType,
        /// The type of the values.
        found: ElementType,
    },
    /// There are not so many items.
    #[error("{origin}: expected more than {item} items, found {items}")]
    NoItem {
        /// The data.
        origin: Origin,
        /// The item that was asked for, from 0.
        item: usize,
        /// The number of items.
        items: usize,
    },
    /// Compressed data can only be read from the start.
    #[error("{origin}: expected plain data to seek in, found gzip")]
    CompressedSeek {
        /// The data.
        origin: Origin,
    },

    /// Items are asked for as pictures that are none: bytes of two dimensions, or of three of which the last is 3, with at least
    /// one row and column.
    #[error("expected items of u8 with rows and columns, found {element_type} of shape {shape:?}")]
    NotAPicture {
        /// The type of the values.
        element_type: ElementType,
        /// The shape, the items' number first.
        shape: Vec<usize>,
    },

    /// A file that should hold labels holds something else.
    #[error(
        "{origin}: byte 2: expected labels, u8 in one dimension, found {element_type} of shape {shape:?}"
    )]
    NotLabels {
        /// The file.
        origin: Origin,
        /// The type of its values.
        element_type: ElementType,
        /// Its shape.
        shape: Vec<usize>,
    },
    /// A label is none of the classes.
    #[error("{origin}: byte {offset}: expected a label of {classes} classes from {first}, found {found}")]
    LabelRange {
        /// The labels.
        origin: Origin,
        /// Where the label is.
        offset: u64,
        /// The label of the first class.
        first: u8,
        /// The number of classes.
        classes: usize,
        /// The label.
        found: i64,
    },
    /// A well-known set has another shape than it should.
    #[error("{origin}: byte 4: expected shape {expected:?}, found {found:?}")]
    WrongShape {
        /// The file.
        origin: Origin,
        /// What the set is known by.
        expected: Vec<usize>,
        /// What the file has.
        found: Vec<usize>,
    },
    /// There are not as many labels as images.
    #[cfg(feature = "std")]
    #[error(
        "{}: byte 4: expected {expected} labels, one for each image of {}, found {found}",
        labels.display(), images.display()
    )]
    CountMismatch {
        /// The file of images.
        images: PathBuf,
        /// The file of labels.
        labels: PathBuf,
        /// The number of images.
        expected: usize,
        /// The number of labels.
        found: usize,
    },
}

/// Where data came from or go to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// A file, shown as its path.
    #[cfg(feature = "std")]
    File(PathBuf),
    /// A [`Read`](std::io::Read) or [`Write`](std::io::Write), shown as "stream".
    Stream,
    /// Bytes in memory, shown as "bytes in memory".
    Bytes,
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            #[cfg(feature = "std")]
            Self::File(path) => path.display().fmt(formatter),
            Self::Stream => formatter.write_str("stream"),
            Self::Bytes => formatter.write_str("bytes in memory"),
        }
    }
}

#[cfg(feature = "std")]
fn kind_of_file(file_type: FileType) -> &'static str {
    if file_type.is_dir() { "a folder" } else { "a pipe, socket or device" }
}
