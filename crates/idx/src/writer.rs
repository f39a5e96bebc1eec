//! Writing: plain or compressed, whole or not at all.

use std::io::{self, Write};
use std::path::Path;

use crate::atomic::replace;
use crate::element::Element;
#[cfg(feature = "gzip")]
use crate::gzip;
use crate::header::Header;
use crate::{Error, Idx, Values};

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
    let header = Header::of(idx, path)?;
    replace(path, |file| write_to(file, &header, &idx.values))
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
    let header = Header::of(idx, path)?;
    replace(path, |file| {
        let mut encoder = gzip::encoder(file);
        write_to(&mut encoder, &header, &idx.values)?;
        encoder.finish().map(drop)
    })
}

fn write_to(writer: &mut impl Write, header: &Header, values: &Values) -> io::Result<()> {
    writer.write_all(&header.to_bytes())?;
    match values {
        Values::U8(values) => writer.write_all(values),
        Values::I8(values) => write_values(writer, values),
        Values::I16(values) => write_values(writer, values),
        Values::I32(values) => write_values(writer, values),
        Values::F32(values) => write_values(writer, values),
        Values::F64(values) => write_values(writer, values),
    }
}

fn write_values<T: Element>(writer: &mut impl Write, values: &[T]) -> io::Result<()> {
    let mut block = [0; BLOCK_LEN];
    for values in values.chunks(BLOCK_LEN / size_of::<T>()) {
        let bytes = &mut block[..size_of_val(values)];
        T::encode(values, bytes);
        writer.write_all(bytes)?;
    }
    Ok(())
}
