//! Reading: the header is checked against the length of the data, then the values go straight into their vector.

use std::cmp::Ordering;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use crate::element::Element;
#[cfg(feature = "gzip")]
use crate::gzip;
use crate::header::Header;
use crate::input::{Encoding, Input};
use crate::{ElementType, Error, Idx, Origin, Values};

/// The most that a compressed file may declare as its payload, in bytes: 4 GiB.
///
/// A compressed file's length does not bear out what its header declares, so this is where belief ends. Memory grows
/// with the data that arrive, up to what the header declares. Plain files have no such limit.
pub const MAX_COMPRESSED_PAYLOAD: u64 = 4 << 30;

/// What is read at a time where values have to be converted, and the least by which a vector grows where the length
/// of the data is not known. A block and its values stay in the second-level cache.
const BLOCK_LEN: usize = 64 << 10;

/// Reads an IDX file, plain or gzip-compressed.
///
/// Compression is recognised by content, not by name; a file may have several gzip members, and every checksum is
/// verified. Symbolic links are followed. Bytes of type u8 take one vector and no copy.
///
/// # Errors
///
/// If the path does not lead to a regular file that can be read, or its content is not exactly one IDX header and its
/// payload: see [`Error`], each variant of which names the file.
pub fn read(path: impl AsRef<Path>) -> Result<Idx, Error> {
    let path = path.as_ref();
    let origin = Origin::File(path.to_owned());
    let (file, length) = open(path)?;
    #[cfg(feature = "gzip")]
    match gzip::is_gzip(&file) {
        Ok(true) => return read_from(Input::new(gzip::decoder(file), origin, Encoding::Gzip { length })),
        Ok(false) => {}
        Err(source) => {
            return Err(Error::Read { origin, offset: 0, source });
        }
    }
    read_from(Input::new(file, origin, Encoding::Plain { length }))
}

/// Reads IDX data from memory, plain only.
///
/// ```
/// use idx_dataset::{Values, parse};
///
/// let labels = parse(&[0, 0, 8, 1, 0, 0, 0, 3, 5, 0, 4])?;
/// assert_eq!(labels.shape, [3]);
/// assert_eq!(labels.values, Values::U8(vec![5, 0, 4]));
/// # Ok::<(), idx_dataset::Error>(())
/// ```
///
/// # Errors
///
/// If `bytes` are not exactly one IDX header and its payload.
pub fn parse(bytes: &[u8]) -> Result<Idx, Error> {
    read_from(Input::new(bytes, Origin::Bytes, Encoding::Plain { length: bytes.len() as u64 }))
}

/// Opens a regular file. Anything else is refused before it is opened: opening a pipe would wait for its writer.
fn open(path: &Path) -> Result<(File, u64), Error> {
    let refuse = |source| Error::Open { path: path.to_owned(), source };
    let regular = |metadata: fs::Metadata| match metadata.is_file() {
        true => Ok(metadata.len()),
        false => Err(Error::NotAFile { path: path.to_owned(), found: metadata.file_type() }),
    };
    regular(fs::metadata(path).map_err(refuse)?)?;
    let file = File::open(path).map_err(refuse)?;
    let length = regular(file.metadata().map_err(refuse)?)?; // of the file that was opened, should it be another now
    Ok((file, length))
}

fn read_from<R: Read>(mut input: Input<R>) -> Result<Idx, Error> {
    let header = Header::read(&mut input)?;
    check_length(&input, &header)?;
    let values = match header.element_type {
        ElementType::U8 => Values::U8(read_bytes(&mut input, &header)?),
        ElementType::I8 => Values::I8(read_values(&mut input, &header)?),
        ElementType::I16 => Values::I16(read_values(&mut input, &header)?),
        ElementType::I32 => Values::I32(read_values(&mut input, &header)?),
        ElementType::F32 => Values::F32(read_values(&mut input, &header)?),
        ElementType::F64 => Values::F64(read_values(&mut input, &header)?),
    };
    // Reaching the end is also what makes the gzip decoder verify the last checksum.
    match input.fill(&mut [0])? {
        0 => Ok(Idx { shape: header.shape, values }),
        _ => Err(trailing(&input, &header)),
    }
}

/// Compares what the header declares with what is known about the length of the data, before any memory is taken.
fn check_length<R>(input: &Input<R>, header: &Header) -> Result<(), Error> {
    match input.encoding {
        Encoding::Plain { length } => match length.cmp(&header.end()) {
            Ordering::Less => Err(truncated(input, header, length)),
            Ordering::Equal => Ok(()),
            Ordering::Greater => Err(trailing(input, header)),
        },
        #[cfg(feature = "gzip")]
        Encoding::Gzip { .. } => match header.payload_len as u64 {
            0..=MAX_COMPRESSED_PAYLOAD => Ok(()),
            found => {
                let (origin, shape) = (input.origin.clone(), header.shape.clone());
                Err(Error::AboveLimit { origin, shape, limit: MAX_COMPRESSED_PAYLOAD, found })
            }
        },
    }
}

/// Bytes need no conversion: they are read into spare capacity, which nobody has to clear first.
fn read_bytes<R: Read>(input: &mut Input<R>, header: &Header) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    while bytes.len() < header.payload_len {
        reserve(&mut bytes, input, header)?;
        let n = bytes.capacity().min(header.payload_len) - bytes.len();
        if input.append(&mut bytes, n)? < n {
            return Err(truncated(input, header, input.position));
        }
    }
    Ok(bytes)
}

/// Other values pass through a block of bytes, so that there is never a second copy of all of them.
fn read_values<T: Element, R: Read>(input: &mut Input<R>, header: &Header) -> Result<Vec<T>, Error> {
    let mut values = Vec::new();
    let mut block = [0; BLOCK_LEN];
    while values.len() < header.n_values() {
        if values.len() == values.capacity() {
            reserve(&mut values, input, header)?;
        }
        let room = values.capacity().min(header.n_values()) - values.len();
        let n = room.min(BLOCK_LEN / size_of::<T>());
        let bytes = &mut block[..n * size_of::<T>()];
        if input.fill(bytes)? < bytes.len() {
            return Err(truncated(input, header, input.position));
        }
        let start = values.len();
        values.resize(start + n, T::default());
        T::decode(bytes, &mut values[start..]);
    }
    Ok(values)
}

/// Makes room for more values: for all of them where the length of the data has borne out the header, else for as many
/// as have come so far, and never for more than the header promises.
fn reserve<T, R>(values: &mut Vec<T>, input: &Input<R>, header: &Header) -> Result<(), Error> {
    let missing = header.n_values() - values.len();
    let additional = match input.encoding {
        Encoding::Plain { .. } => missing,
        #[cfg(feature = "gzip")]
        Encoding::Gzip { .. } => missing.min(values.len().max(BLOCK_LEN)),
    };
    values.try_reserve_exact(additional).map_err(|source| {
        let (origin, shape) = (input.origin.clone(), header.shape.clone());
        Error::OutOfMemory { origin, shape, bytes: header.payload_len, source }
    })
}

fn truncated<R>(input: &Input<R>, header: &Header, found: u64) -> Error {
    let (origin, shape) = (input.origin.clone(), header.shape.clone());
    Error::Truncated { origin, shape, expected: header.end(), found }
}

fn trailing<R>(input: &Input<R>, header: &Header) -> Error {
    let (origin, shape) = (input.origin.clone(), header.shape.clone());
    Error::TrailingBytes { origin, shape, expected: header.end() }
}
