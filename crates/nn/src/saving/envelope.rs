//! What densely's files share: a [safetensors](https://github.com/huggingface/safetensors) file whose metadata have one
//! entry, `densely`: RON with the format, a checksum, and what the kind of file is about. One entry only, because several
//! would stand in random order, and the same content has the same bytes.
//!
//! The checksum is the SHA-256 of the whole file with `0` for each of the checksum's own 64 digits. Its place is behind
//! the first `checksum: \"` of the file; nothing that a user names can stand before it.

use crate::data::read::open_regular;
use crate::error::Error;
use crate::parameters::Tensor;
use crate::text::from_ron;
use densely_tensor::Scalar;
use safetensors::tensor::{Dtype, SafeTensors, TensorView, View, serialize};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{self, Read};
use std::ops::Range;
use std::path::Path;

/// The longest header that is read or written, 16 MiB; that of the tutorial's network has 2 KiB.
const MAX_HEADER: u64 = 16 << 20;

/// The entry of the metadata.
const ENTRY: &str = "densely";

/// What stands before the checksum, as it is written in the file: RON inside a JSON string.
const CHECKSUM_MARK: &[u8] = br#"checksum: \""#;

/// The digits of a checksum.
const CHECKSUM_LENGTH: usize = 64;

/// A kind of file: the name of its RON and the format that is written. Older formats are read, newer ones are refused by
/// their number.
#[derive(Clone, Copy)]
pub(super) struct Kind {
    /// The name of the RON structure.
    pub(super) name: &'static str,
    /// The same in a message.
    pub(super) in_words: &'static str,
    pub(super) format: u32,
}

pub(super) const MODEL: Kind = Kind { name: "Model", in_words: "model", format: 1 };
pub(super) const CHECKPOINT: Kind = Kind { name: "Checkpoint", in_words: "checkpoint", format: 1 };

/// What every format of the envelope begins with. Fields that it does not know are passed over.
#[derive(Deserialize)]
struct AnyEnvelope {
    format: u32,
}

/// The digits that a text is written with before its checksum is known.
pub(super) fn no_checksum() -> String {
    "0".repeat(CHECKSUM_LENGTH)
}

/// A file as bytes. The text has [`no_checksum`] yet, and nothing that a user names before it.
///
/// # Errors
///
/// [`Error::HeaderTooLong`] if names and text are too long.
pub(super) fn seal<T: Scalar>(
    text: String,
    tensors: Vec<(String, Writing<'_, T>)>,
) -> Result<Vec<u8>, Error> {
    let metadata = HashMap::from([(ENTRY.to_owned(), text)]);
    let mut bytes =
        serialize(tensors, Some(metadata)).map_err(|problem| Error::NotSafetensors { problem })?;
    refuse_long_header(&bytes)?;
    let place = checksum_place(&bytes).expect("the envelope was written with its checksum");
    let digits = checksum(&bytes, &place);
    bytes[place].copy_from_slice(digits.as_bytes());
    Ok(bytes)
}

/// The text and the tensors in the bytes of a file, of which every bit is as it was written.
///
/// # Errors
///
/// [`Error::NotSafetensors`], [`Error::HeaderTooLong`], [`Error::NotAModel`], [`Error::OtherKind`], [`Error::NewerFormat`],
/// [`Error::Checksum`]; and [`DescriptionError::Ron`](crate::DescriptionError::Ron) if the text is not such a one.
pub(super) fn open<E: DeserializeOwned>(bytes: &[u8], kind: Kind) -> Result<(E, SafeTensors<'_>), Error> {
    refuse_long_header(bytes)?;
    let not_safetensors = |problem| Error::NotSafetensors { problem };
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(not_safetensors)?;
    let text = metadata.metadata().as_ref().and_then(|entries| entries.get(ENTRY)).ok_or(Error::NotAModel)?;
    for other in [MODEL, CHECKPOINT].into_iter().filter(|other| other.name != kind.name) {
        if begins_with(text, other.name).is_some() {
            return Err(Error::OtherKind { found: other.in_words, expected: kind.in_words });
        }
    }
    // The format comes first, so that a newer file is refused for being newer and not for what is new in it.
    let AnyEnvelope { format: found } = from_ron(begins_with(text, kind.name).unwrap_or(text))?;
    if found > kind.format {
        return Err(Error::NewerFormat { found, supported: kind.format });
    }
    verify_checksum(bytes)?;
    Ok((from_ron(text)?, SafeTensors::deserialize(bytes).map_err(not_safetensors)?))
}

/// What stands behind the name of a RON structure, if that is its name.
fn begins_with<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    text.strip_prefix(name).filter(|rest| rest.starts_with('('))
}

/// The bytes of a regular file.
pub(super) fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    let (mut file, length) = open_regular(path)?;
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Fills numbers from a tensor of as many, in [`Dtype::F32`] or [`Dtype::F64`].
pub(super) fn read_values<T: Scalar>(view: &TensorView<'_>, values: &mut [T]) {
    match view.dtype() {
        Dtype::F32 => {
            let (numbers, _) = view.data().as_chunks();
            for (value, &bytes) in values.iter_mut().zip(numbers) {
                *value = T::from_f64(f64::from(f32::from_le_bytes(bytes)));
            }
        }
        _ => {
            let (numbers, _) = view.data().as_chunks();
            for (value, &bytes) in values.iter_mut().zip(numbers) {
                *value = T::from_f64(f64::from_le_bytes(bytes));
            }
        }
    }
}

pub(super) fn refuse_other_shape(tensor: &Tensor, view: &TensorView<'_>) -> Result<(), Error> {
    let (expected, found) = (tensor.shape_in_file(), view.shape().to_vec());
    if expected != found {
        return Err(Error::TensorShape { tensor: tensor.name.clone(), expected, found });
    }
    Ok(())
}

pub(super) fn refuse_other_type<T: Scalar>(tensor: &Tensor, view: &TensorView<'_>) -> Result<(), Error> {
    match view.dtype() {
        Dtype::F32 => Ok(()),
        Dtype::F64 if T::SIZE == 8 => Ok(()),
        found => {
            let expected =
                if T::SIZE == 8 { "F32 or F64" } else { "F32, because F64 would be rounded; read it as f64" };
            Err(Error::TensorType { tensor: tensor.name.clone(), expected, found: found.to_string() })
        }
    }
}

pub(super) fn refuse_non_finite<T: Scalar>(tensor: &Tensor, values: &[T]) -> Result<(), Error> {
    match values.iter().position(|value| !value.is_finite()) {
        None => Ok(()),
        Some(index) => {
            Err(Error::Parameter { tensor: tensor.name.clone(), index, value: values[index].to_f64() })
        }
    }
}

/// The header's length is the file's first number.
fn refuse_long_header(bytes: &[u8]) -> Result<(), Error> {
    match bytes.first_chunk() {
        Some(length) if u64::from_le_bytes(*length) > MAX_HEADER => {
            Err(Error::HeaderTooLong { found: u64::from_le_bytes(*length), limit: MAX_HEADER })
        }
        _ => Ok(()), // a file without a length is refused by the format's reader
    }
}

fn verify_checksum(bytes: &[u8]) -> Result<(), Error> {
    let place = checksum_place(bytes).ok_or(Error::NotAModel)?;
    let found = checksum(bytes, &place);
    if bytes[place.clone()] != *found.as_bytes() {
        return Err(Error::Checksum { expected: String::from_utf8_lossy(&bytes[place]).into_owned(), found });
    }
    Ok(())
}

/// Where the checksum's digits stand.
fn checksum_place(bytes: &[u8]) -> Option<Range<usize>> {
    let header = &bytes[..bytes.len().min(MAX_HEADER as usize)];
    let mark = header.windows(CHECKSUM_MARK.len()).position(|window| window == CHECKSUM_MARK)?;
    let start = mark + CHECKSUM_MARK.len();
    (start + CHECKSUM_LENGTH <= header.len()).then_some(start..start + CHECKSUM_LENGTH)
}

/// The SHA-256 of the file with zeros in the checksum's place, as 64 digits.
fn checksum(bytes: &[u8], place: &Range<usize>) -> String {
    let mut hash = Sha256::new();
    hash.update(&bytes[..place.start]);
    hash.update([b'0'; CHECKSUM_LENGTH]);
    hash.update(&bytes[place.end..]);
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A tensor on its way into a file: turned into bytes only when its turn comes.
pub(super) struct Writing<'a, T> {
    pub(super) shape: Vec<usize>,
    pub(super) numbers: Numbers<'a, T>,
}

/// What a tensor consists of.
pub(crate) enum Numbers<'a, T> {
    /// Numbers in the model's precision.
    OfModel(&'a [T]),
    /// Numbers in double precision whatever the model's is.
    Double(Vec<f64>),
}

impl<T: Scalar> View for Writing<'_, T> {
    fn dtype(&self) -> Dtype {
        match self.numbers {
            Numbers::OfModel(_) if T::SIZE == 4 => Dtype::F32,
            _ => Dtype::F64,
        }
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        let mut bytes = Vec::with_capacity(self.data_len());
        match &self.numbers {
            Numbers::OfModel(values) => values.iter().for_each(|value| value.write_le(&mut bytes)),
            Numbers::Double(values) => values.iter().for_each(|value| value.write_le(&mut bytes)),
        }
        bytes.into()
    }

    fn data_len(&self) -> usize {
        match &self.numbers {
            Numbers::OfModel(values) => values.len() * T::SIZE,
            Numbers::Double(values) => values.len() * f64::SIZE,
        }
    }
}
