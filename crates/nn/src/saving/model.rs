//! A trained model in one file.
//!
//! The file is a [safetensors](https://github.com/huggingface/safetensors) file, which Python reads with one line. Each
//! parameter tensor stands under its name; a kernel has the shape inputs × units, row-major as in Keras, which is our
//! units × inputs, column-major. The metadata have one entry, `densely`, whose value is RON: the format, a checksum, and
//! the [`SavedDescription`]. One entry only, because several would stand in random order, and the same model has the same
//! bytes.
//!
//! The checksum is the SHA-256 of the whole file with `0` for each of the checksum's own 64 digits. Its place is behind
//! the first `checksum: \"` of the file; nothing that a user names can stand before it.

use crate::data::TrainedOn;
use crate::data::read::{open_regular, unreadable};
use crate::error::Error;
use crate::layers::Custom;
use crate::losses::{Loss, Reduction};
use crate::metrics::Metric;
use crate::optimizers::Optimizer;
use crate::parameters::{Parameters, Tensor};
use crate::saving::atomic::write_atomically;
use crate::sequential::Sequential;
use crate::text::{from_ron, to_ron_with_short_lists};
use densely_tensor::Scalar;
use safetensors::tensor::{Dtype, SafeTensors, TensorView, View, serialize};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{self, Read};
use std::ops::Range;
use std::path::Path;

/// The format that is written; older ones are read, newer ones are refused by their number.
pub const FORMAT: u32 = 1;

/// The longest header that is read or written, 16 MiB; that of the tutorial's network has 2 KiB.
const MAX_HEADER: u64 = 16 << 20;

/// The entry of the metadata.
const ENTRY: &str = "densely";

/// What stands before the checksum, as it is written in the file: RON inside a JSON string.
const CHECKSUM_MARK: &[u8] = br#"checksum: \""#;

/// The digits of a checksum.
const CHECKSUM_LENGTH: usize = 64;

/// Everything about a model but its parameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename = "Description", deny_unknown_fields)]
pub struct SavedDescription {
    /// The network.
    pub model: Sequential,
    /// What it was trained to make small.
    pub loss: Loss,
    /// How the losses of a batch's samples were put together.
    #[serde(default)]
    pub reduction: Reduction,
    /// What was measured besides loss and accuracy.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub metrics: Vec<Metric>,
    /// How.
    pub optimizer: Optimizer,
    /// The seed of its initial parameters, shuffles and masks.
    pub seed: u64,
    /// On what.
    pub provenance: Provenance,
}

/// Where a model comes from: what its user wants to know and its arithmetic does not.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Provenance {
    /// The name of the dataset.
    pub dataset: String,
    /// The classes' names, in the order of the labels; empty if they have none.
    pub classes: Vec<String>,
    /// How many epochs it was trained.
    pub epochs: usize,
    /// Its accuracy on test data, between 0 and 1, if it was measured.
    pub test_accuracy: Option<f64>,
    /// How data for it are to be read, if it was trained on files that a description names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trained_on: Option<TrainedOn>,
}

/// The RON text in the metadata. The fields stand in the file in this order.
#[derive(Serialize, Deserialize)]
#[serde(rename = "Model", deny_unknown_fields)]
struct Envelope {
    format: u32,
    checksum: String,
    description: SavedDescription,
}

/// What every format of the envelope begins with. Fields that it does not know are passed over.
#[derive(Deserialize)]
#[serde(rename = "Model")]
struct AnyEnvelope {
    format: u32,
}

/// A model's file as bytes; the same model gives the same bytes.
///
/// # Errors
///
/// [`Error::Parameter`] if a parameter is not finite, [`Error::HeaderTooLong`] if the description's texts are too long,
/// [`DescriptionError::Unwritable`](crate::DescriptionError::Unwritable) if the [provenance](Provenance) has a path that is
/// not UTF-8.
pub fn to_bytes<T: Scalar>(
    description: &SavedDescription,
    parameters: &Parameters<T>,
) -> Result<Vec<u8>, Error> {
    let zeros = "0".repeat(CHECKSUM_LENGTH);
    let text = to_ron_with_short_lists(&Envelope {
        format: FORMAT,
        checksum: zeros,
        description: description.clone(),
    })?;
    let mut tensors = Vec::new();
    for (tensor, values) in parameters.iter() {
        refuse_non_finite(tensor, values)?;
        tensors.push((tensor.name.as_str(), Writing { shape: tensor.shape_in_file(), values }));
    }
    let metadata = HashMap::from([(ENTRY.to_owned(), text)]);
    let mut bytes = serialize(tensors, Some(metadata)).map_err(|source| Error::NotSafetensors { source })?;
    refuse_long_header(&bytes)?;
    let place = checksum_place(&bytes).expect("the envelope was written with its checksum");
    let digits = checksum(&bytes, &place);
    bytes[place].copy_from_slice(digits.as_bytes());
    Ok(bytes)
}

/// The model in the bytes of a file. No bytes make it panic, and it allocates no more than a small multiple of them.
///
/// A file in `f32` can be read as `f64`, which is exact; the other way would round and is refused.
///
/// # Errors
///
/// [`Error::NotSafetensors`], [`Error::HeaderTooLong`], [`Error::NotAModel`], [`Error::NewerFormat`], [`Error::Checksum`]
/// if any bit is not as written, and, for files that were made with a right checksum and wrong content: any error of the
/// description, [`Error::TensorCount`], [`Error::TensorMissing`], [`Error::TensorShape`], [`Error::TensorType`],
/// [`Error::Parameter`].
pub fn from_bytes<T: Scalar>(bytes: &[u8]) -> Result<(SavedDescription, Parameters<T>), Error> {
    from_bytes_with(bytes, &[])
}

/// The same for a model with layers of other crates, whose code cannot be in the file.
///
/// # Errors
///
/// As [`from_bytes`]; [`DescriptionError::UnknownCustomLayer`](crate::DescriptionError::UnknownCustomLayer) for a layer that is not in `custom`.
pub fn from_bytes_with<T: Scalar>(
    bytes: &[u8],
    custom: &[Custom],
) -> Result<(SavedDescription, Parameters<T>), Error> {
    refuse_long_header(bytes)?;
    let (_, metadata) =
        SafeTensors::read_metadata(bytes).map_err(|source| Error::NotSafetensors { source })?;
    let text = metadata.metadata().as_ref().and_then(|entries| entries.get(ENTRY)).ok_or(Error::NotAModel)?;
    // The format comes first, so that a newer file is refused for being newer and not for what is new in it.
    let AnyEnvelope { format: found } = from_ron(text)?;
    if found > FORMAT {
        return Err(Error::NewerFormat { found, supported: FORMAT });
    }
    verify_checksum(bytes)?;
    let Envelope { mut description, .. } = from_ron(text)?;
    description.model.fill_in_custom(custom)?;
    description.model.validate()?;
    description.loss.validate(&description.model)?;
    description.optimizer.validate()?;
    description.metrics.iter().try_for_each(Metric::validate)?;
    let file = SafeTensors::deserialize(bytes).map_err(|source| Error::NotSafetensors { source })?;
    let parameters = read_parameters(&description.model, &file)?;
    Ok((description, parameters))
}

/// Writes a model's file [atomically](write_atomically).
///
/// # Errors
///
/// As [`to_bytes`] and [`write_atomically`].
pub fn write_model<T: Scalar>(
    path: impl AsRef<Path>,
    description: &SavedDescription,
    parameters: &Parameters<T>,
) -> Result<(), Error> {
    write_atomically(path, &to_bytes(description, parameters)?)
}

/// Reads a model's file, with the code of its layers of other crates, if it has any.
///
/// # Errors
///
/// [`Error::Read`] if `path` cannot be read or is no regular file, otherwise as [`from_bytes`], with the path.
pub fn read_model<T: Scalar>(
    path: impl AsRef<Path>,
    custom: &[Custom],
) -> Result<(SavedDescription, Parameters<T>), Error> {
    let path = path.as_ref();
    let bytes = read_file(path).map_err(|source| unreadable(path, source))?;
    from_bytes_with(&bytes, custom)
        .map_err(|error| Error::InFile { path: path.to_owned(), source: Box::new(error) })
}

fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    let (mut file, length) = open_regular(path)?;
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn read_parameters<T: Scalar>(model: &Sequential, file: &SafeTensors<'_>) -> Result<Parameters<T>, Error> {
    // Everything is compared before room is made, so that a description cannot ask for more than the file holds.
    let tensors = Tensor::all(model);
    for tensor in &tensors {
        let view =
            file.tensor(&tensor.name).map_err(|_| Error::TensorMissing { tensor: tensor.name.clone() })?;
        refuse_other_shape(tensor, &view)?;
        refuse_other_type::<T>(tensor, &view)?;
    }
    if file.len() != tensors.len() {
        return Err(Error::TensorCount { expected: tensors.len(), found: file.len() });
    }
    let mut parameters = Parameters::zeros(model)?;
    for (index, tensor) in tensors.iter().enumerate() {
        let view = file.tensor(&tensor.name).map_err(|source| Error::NotSafetensors { source })?;
        read_values(&view, parameters.tensor_mut(index));
        refuse_non_finite(tensor, parameters.tensor(index))?;
    }
    Ok(parameters)
}

fn read_values<T: Scalar>(view: &TensorView<'_>, values: &mut [T]) {
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

fn refuse_other_shape(tensor: &Tensor, view: &TensorView<'_>) -> Result<(), Error> {
    let (expected, found) = (tensor.shape_in_file(), view.shape().to_vec());
    if expected != found {
        return Err(Error::TensorShape { tensor: tensor.name.clone(), expected, found });
    }
    Ok(())
}

fn refuse_other_type<T: Scalar>(tensor: &Tensor, view: &TensorView<'_>) -> Result<(), Error> {
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

fn refuse_non_finite<T: Scalar>(tensor: &Tensor, values: &[T]) -> Result<(), Error> {
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
struct Writing<'a, T> {
    shape: Vec<usize>,
    values: &'a [T],
}

impl<T: Scalar> View for Writing<'_, T> {
    fn dtype(&self) -> Dtype {
        if T::SIZE == 8 { Dtype::F64 } else { Dtype::F32 }
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        let mut bytes = Vec::with_capacity(self.data_len());
        self.values.iter().for_each(|value| value.write_le(&mut bytes));
        bytes.into()
    }

    fn data_len(&self) -> usize {
        self.values.len() * T::SIZE
    }
}
