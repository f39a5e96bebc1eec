//! Writing whole values: plain or compressed, whole or not at all.

use std::io::{self, Write};
use std::path::Path;

use crate::atomic::Replacement;
use crate::element::Element;
#[cfg(feature = "gzip")]
use crate::gzip;
use crate::header::Header;
use crate::{Error, Idx, Origin, Values};

/// Bytes that converted values are gathered into before they are written.
const BLOCK_LEN: usize = 64 << 10;

/// Writes an IDX file, replacing what is at `path` in one step.
///
/// The data go to a temporary file in the same folder, which is synced and renamed: at any moment, `path` holds the
/// old content or the new one.
///
/// # Errors
///
/// If shape and values do not fit each other or the format, if `path` leads to something else than a regular file, or
/// if the system cannot write. What was at `path` stays.
pub fn write(path: impl AsRef<Path>, idx: &Idx) -> Result<(), Error> {
    let path = path.as_ref();
    let header = header(idx, Origin::File(path.to_owned()))?;
    replace(path, |file| {
        file.write_all(&header.to_bytes())?;
        write_values(file, &idx.values)
    })
}

/// Writes values of this shape as an IDX file, as [`write()`] does.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("weights");
/// idx_dataset::write_slice(&path, &[2, 3], &[0.5_f32, 1.0, 1.5, -0.5, -1.0, -1.5])?;
/// assert_eq!(idx_dataset::read(&path)?.item::<f32>(1), Some(&[-0.5, -1.0, -1.5][..]));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// As [`write()`].
pub fn write_slice<T: Element>(path: impl AsRef<Path>, shape: &[usize], values: &[T]) -> Result<(), Error> {
    let path = path.as_ref();
    let header = Header::to_write(T::TYPE, shape, values.len(), &Origin::File(path.to_owned()))?;
    replace(path, |file| {
        file.write_all(&header.to_bytes())?;
        encode(file, values)
    })
}

/// Writes a gzip-compressed IDX file, replacing what is at `path` in one step as [`write()`] does.
///
/// There is no time or name in the file: the same data give the same bytes, as long as flate2 and its backend stay the
/// same.
///
/// # Errors
///
/// As [`write()`].
#[cfg(feature = "gzip")]
pub fn write_gzip(path: impl AsRef<Path>, idx: &Idx) -> Result<(), Error> {
    let path = path.as_ref();
    let header = header(idx, Origin::File(path.to_owned()))?;
    replace(path, |file| {
        let mut encoder = gzip::encoder(file);
        encoder.write_all(&header.to_bytes())?;
        write_values(&mut encoder, &idx.values)?;
        encoder.finish().map(drop)
    })
}

/// Writes values of this shape as a gzip-compressed IDX file, as [`write_gzip`] does.
///
/// # Errors
///
/// As [`write()`].
#[cfg(feature = "gzip")]
pub fn write_slice_gzip<T: Element>(
    path: impl AsRef<Path>,
    shape: &[usize],
    values: &[T],
) -> Result<(), Error> {
    let path = path.as_ref();
    let header = Header::to_write(T::TYPE, shape, values.len(), &Origin::File(path.to_owned()))?;
    replace(path, |file| {
        let mut encoder = gzip::encoder(file);
        encoder.write_all(&header.to_bytes())?;
        encode(&mut encoder, values)?;
        encoder.finish().map(drop)
    })
}

/// Writes plain IDX data to any [`Write`], and flushes it: an archive, a socket, a vector.
///
/// ```
/// use idx_dataset::{Idx, Values};
///
/// let mut bytes = Vec::new();
/// idx_dataset::write_to(&mut bytes, &Idx { shape: vec![2], values: Values::I16(vec![1, -2]) })?;
/// assert_eq!(bytes, [0, 0, 0x0b, 1, 0, 0, 0, 2, 0, 1, 0xff, 0xfe]);
/// # Ok::<(), idx_dataset::Error>(())
/// ```
///
/// # Errors
///
/// If shape and values do not fit each other or the format, before anything is written; if `writer` fails.
pub fn write_to(mut writer: impl Write, idx: &Idx) -> Result<(), Error> {
    let header = header(idx, Origin::Stream)?;
    let mut write = || {
        writer.write_all(&header.to_bytes())?;
        write_values(&mut writer, &idx.values)?;
        writer.flush()
    };
    write().map_err(|source| Error::WriteStream { source })
}

/// Writes gzip-compressed IDX data to any [`Write`], and flushes it.
///
/// # Errors
///
/// As [`write_to`].
#[cfg(feature = "gzip")]
pub fn write_gzip_to(writer: impl Write, idx: &Idx) -> Result<(), Error> {
    let header = header(idx, Origin::Stream)?;
    let write = || {
        let mut encoder = gzip::encoder(writer);
        encoder.write_all(&header.to_bytes())?;
        write_values(&mut encoder, &idx.values)?;
        encoder.finish()?.flush()
    };
    write().map_err(|source| Error::WriteStream { source })
}

fn header(idx: &Idx, origin: Origin) -> Result<Header, Error> {
    Header::to_write(idx.element_type(), &idx.shape, idx.values.len(), &origin)
}

fn replace(path: &Path, fill: impl FnOnce(&mut &std::fs::File) -> io::Result<()>) -> Result<(), Error> {
    let replacement = Replacement::create(path)?;
    fill(&mut replacement.file()).map_err(|source| replacement.failed(source))?;
    replacement.commit()
}

fn write_values(writer: &mut impl Write, values: &Values) -> io::Result<()> {
    match values {
        Values::U8(values) => encode(writer, values),
        Values::I8(values) => encode(writer, values),
        Values::I16(values) => encode(writer, values),
        Values::I32(values) => encode(writer, values),
        Values::F32(values) => encode(writer, values),
        Values::F64(values) => encode(writer, values),
    }
}

/// Writes values as their big-endian bytes, in blocks where they have to be converted.
pub(crate) fn encode<T: Element>(writer: &mut impl Write, values: &[T]) -> io::Result<()> {
    if let Some(bytes) = T::as_bytes(values) {
        return writer.write_all(bytes);
    }
    let mut block = vec![0; BLOCK_LEN.min(size_of_val(values))];
    for values in values.chunks(BLOCK_LEN / T::TYPE.size()) {
        let bytes = &mut block[..size_of_val(values)];
        T::encode(values, bytes);
        writer.write_all(bytes)?;
    }
    Ok(())
}
