//! NPY: read by the network library, which says what is wrong with a file; written with IDX's own big-endian bytes.

use super::ConvertError;
use crate::error::Error;
use densely::data::{Features, read_npy};
use idx_dataset::{ElementType, Idx, Values};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// The most bytes of a header that are looked at for the type.
const HEADER_LEN: u64 = 1 << 16;

/// Reads an array: floats as the floats they are, whole numbers as u8, i8, i16, or i32, whichever the file's type fits into.
pub(super) fn read(path: &Path) -> Result<Idx, Error> {
    let array = read_npy(path)?;
    let values = match array.values {
        Features::Bytes(bytes) => Values::U8(bytes),
        Features::Floats(numbers) => match element_type(path)? {
            ElementType::U8 => Values::U8(numbers.iter().map(|&number| number as u8).collect()),
            ElementType::I8 => Values::I8(numbers.iter().map(|&number| number as i8).collect()),
            ElementType::I16 => Values::I16(numbers.iter().map(|&number| number as i16).collect()),
            ElementType::F32 => Values::F32(numbers.iter().map(|&number| number as f32).collect()),
            ElementType::F64 => Values::F64(numbers),
            ElementType::I32 => {
                let fits = |&number: &f64| f64::from(number as i32) == number;
                if let Some(index) = numbers.iter().position(|number| !fits(number)) {
                    let found = numbers[index];
                    return Err(ConvertError::Element { path: path.to_owned(), index, found }.into());
                }
                Values::I32(numbers.iter().map(|&number| number as i32).collect())
            }
        },
    };
    Ok(Idx { shape: array.shape, values })
}

/// The type that holds what the file's header, which is known to be right, says.
fn element_type(path: &Path) -> Result<ElementType, Error> {
    let mut start = Vec::new();
    let outcome = File::open(path).and_then(|file| file.take(HEADER_LEN).read_to_end(&mut start));
    outcome.map_err(|source| Error::Read { path: path.to_owned(), source })?;
    let holds = |name: &[u8]| {
        [b"'", b"\""].iter().any(|quote| {
            let name = [name, *quote].concat();
            start.windows(name.len()).any(|window| window == name)
        })
    };
    Ok(match () {
        () if holds(b"b1") => ElementType::U8,
        () if holds(b"i1") => ElementType::I8,
        () if holds(b"i2") => ElementType::I16,
        () if holds(b"f4") => ElementType::F32,
        () if holds(b"f8") => ElementType::F64,
        () => ElementType::I32,
    })
}

/// Writes version 1.0, or 2.0 where the shape takes more than that has room for.
pub(super) fn write(path: &Path, idx: &Idx) -> Result<(), Error> {
    let descr = match idx.element_type() {
        ElementType::U8 => "|u1",
        ElementType::I8 => "|i1",
        ElementType::I16 => ">i2",
        ElementType::I32 => ">i4",
        ElementType::F32 => ">f4",
        ElementType::F64 => ">f8",
    };
    let shape: String = idx.shape.iter().map(|size| format!("{size},")).collect();
    let mut header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({shape}), }}");
    let long = header.len() + 64 > usize::from(u16::MAX);
    let start_len = if long { 12 } else { 10 };
    // The elements begin at a multiple of 64 bytes, after an end of line.
    let padding = 64 - (start_len + header.len() + 1) % 64;
    header += &" ".repeat(padding % 64);
    header.push('\n');
    let mut bytes = b"\x93NUMPY".to_vec();
    if long {
        bytes.extend([2, 0]);
        bytes.extend((header.len() as u32).to_le_bytes());
    } else {
        bytes.extend([1, 0]);
        bytes.extend((header.len() as u16).to_le_bytes());
    }
    bytes.extend(header.into_bytes());
    let mut file = Vec::new();
    idx_dataset::write_to(&mut file, idx)?;
    bytes.extend(&file[4 + 4 * idx.shape.len()..]);
    Ok(densely::write_atomically(path, &bytes)?)
}
