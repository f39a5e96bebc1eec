//! NPY: read by the network library, which says what is wrong with a file; written with IDX's own big-endian bytes.

use super::ConvertError;
use crate::commands::payload::payload;
use crate::error::Error;
use densely::data::{Array, Features, NpyType, read_npy};
use idx_dataset::{ElementType, Idx, Values};
use std::path::Path;

/// The most dimensions that the network library and NumPy before 2.0 read.
const MAX_RANK: usize = 32;

/// Reads an array: floats as the floats they are, whole numbers as u8, i8, i16, or i32, whichever the file's type fits into.
pub(super) fn read(path: &Path) -> Result<Idx, Error> {
    let Array { shape, element_type, values } = read_npy(path)?;
    let values = match values {
        Features::Bytes(bytes) => Values::U8(bytes),
        Features::Floats(numbers) => match element_type {
            NpyType::Bool | NpyType::Unsigned(1) => {
                Values::U8(numbers.iter().map(|&number| number as u8).collect())
            }
            NpyType::Signed(1) => Values::I8(numbers.iter().map(|&number| number as i8).collect()),
            NpyType::Signed(2) => Values::I16(numbers.iter().map(|&number| number as i16).collect()),
            NpyType::Float(4) => Values::F32(numbers.iter().map(|&number| number as f32).collect()),
            NpyType::Float(_) => Values::F64(numbers),
            NpyType::Signed(_) | NpyType::Unsigned(_) => {
                let fits = |&number: &f64| f64::from(number as i32) == number;
                if let Some(index) = numbers.iter().position(|number| !fits(number)) {
                    let found = numbers[index];
                    return Err(ConvertError::Element { path: path.to_owned(), index, found }.into());
                }
                Values::I32(numbers.iter().map(|&number| number as i32).collect())
            }
        },
    };
    Ok(Idx { shape, values })
}

/// Writes version 1.0.
pub(super) fn write(path: &Path, idx: &Idx) -> Result<(), Error> {
    let rank = idx.shape.len();
    if rank > MAX_RANK {
        return Err(ConvertError::Rank { path: path.to_owned(), expected: MAX_RANK, found: rank }.into());
    }
    let mut bytes = header(idx);
    bytes.reserve_exact(idx.values.len() * idx.element_type().size());
    payload(idx, |values| bytes.extend_from_slice(values))?;
    Ok(densely::write_atomically(path, &bytes)?)
}

/// All that stands before the elements.
fn header(idx: &Idx) -> Vec<u8> {
    const START: &[u8] = b"\x93NUMPY\x01\x00";
    let descr = match idx.element_type() {
        ElementType::U8 => "|u1",
        ElementType::I8 => "|i1",
        ElementType::I16 => ">i2",
        ElementType::I32 => ">i4",
        ElementType::F32 => ">f4",
        ElementType::F64 => ">f8",
    };
    let shape: String = idx.shape.iter().map(|size| format!("{size},")).collect();
    let mut text = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({shape}), }}");
    // The elements begin at a multiple of 64 bytes, after an end of line.
    let len = (START.len() + 2 + text.len() + 1).next_multiple_of(64);
    text += &" ".repeat(len - START.len() - 2 - text.len() - 1);
    text.push('\n');
    let text_len = u16::try_from(text.len()).expect("sizes of 20 digits at most, 32 of them");
    [START, &text_len.to_le_bytes(), text.as_bytes()].concat()
}
