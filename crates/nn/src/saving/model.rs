//! A trained model in one file.
//!
//! The file is a [safetensors](https://github.com/huggingface/safetensors) file, which Python reads with one line. Each
//! parameter tensor stands under its name; a kernel has the shape inputs × units, row-major as in Keras, which is our
//! units × inputs, column-major. The metadata hold the format, a checksum over the whole file, and the
//! [`SavedDescription`], as RON.

use super::atomic::write_atomically;
use super::envelope::{
    MODEL, Numbers, Writing, no_checksum, open, read_file, read_values, refuse_non_finite,
    refuse_other_shape, refuse_other_type, seal,
};
use crate::data::TrainedOn;
use crate::data::read::unreadable;
use crate::error::Error;
use crate::layers::Custom;
use crate::losses::{Loss, Reduction};
use crate::metrics::Metric;
use crate::optimizers::Optimizer;
use crate::parameters::{Parameters, Tensor};
use crate::sequential::Sequential;
use crate::text::to_ron_with_short_lists;
use densely_tensor::Scalar;
use safetensors::tensor::SafeTensors;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The format that is written; older ones are read, newer ones are refused by their number.
pub const FORMAT: u32 = MODEL.format;

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
    seal(to_text(description.clone())?, parameter_tensors(parameters)?)
}

/// Not generic, so that the code for reading and writing descriptions, a great deal, is compiled here and not by every user.
fn to_text(description: SavedDescription) -> Result<String, Error> {
    to_ron_with_short_lists(&Envelope { format: FORMAT, checksum: no_checksum(), description })
}

/// See [`to_text`].
fn open_model(bytes: &[u8]) -> Result<(SavedDescription, SafeTensors<'_>), Error> {
    let (Envelope { description, .. }, file) = open(bytes, MODEL)?;
    Ok((description, file))
}

/// The parameters as they stand in a file.
///
/// # Errors
///
/// [`Error::Parameter`] if one is not finite.
pub(super) fn parameter_tensors<T: Scalar>(
    parameters: &Parameters<T>,
) -> Result<Vec<(String, Writing<'_, T>)>, Error> {
    let mut tensors = Vec::new();
    for (tensor, values) in parameters.iter() {
        refuse_non_finite(tensor, values)?;
        let writing = Writing { shape: tensor.shape_in_file(), numbers: Numbers::OfModel(values) };
        tensors.push((tensor.name.clone(), writing));
    }
    Ok(tensors)
}

/// The model in the bytes of a file. No bytes make it panic, and it allocates no more than a small multiple of them.
///
/// A file in `f32` can be read as `f64`, which is exact; the other way would round and is refused.
///
/// # Errors
///
/// [`Error::NotSafetensors`], [`Error::HeaderTooLong`], [`Error::NotAModel`], [`Error::OtherKind`], [`Error::NewerFormat`],
/// [`Error::Checksum`]
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
    let (mut description, file) = open_model(bytes)?;
    description.model.fill_in_custom(custom)?;
    description.model.validate()?;
    description.loss.validate(&description.model)?;
    description.optimizer.validate()?;
    description.metrics.iter().try_for_each(Metric::validate)?;
    let expected = Tensor::all(&description.model).len();
    let parameters = read_parameters(&description.model, &file)?;
    if file.len() != expected {
        return Err(Error::TensorCount { expected, found: file.len() });
    }
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
        .map_err(|error| Error::InFile { path: path.to_owned(), problem: Box::new(error) })
}

/// The parameters of a network, among other tensors perhaps.
pub(super) fn read_parameters<T: Scalar>(
    model: &Sequential,
    file: &SafeTensors<'_>,
) -> Result<Parameters<T>, Error> {
    // Everything is compared before room is made, so that a description cannot ask for more than the file holds.
    let tensors = Tensor::all(model);
    for tensor in &tensors {
        let view =
            file.tensor(&tensor.name).map_err(|_| Error::TensorMissing { tensor: tensor.name.clone() })?;
        refuse_other_shape(tensor, &view)?;
        refuse_other_type::<T>(tensor, &view)?;
    }
    let mut parameters = Parameters::zeros(model)?;
    for (index, tensor) in tensors.iter().enumerate() {
        let view = file.tensor(&tensor.name).map_err(|problem| Error::NotSafetensors { problem })?;
        read_values(&view, parameters.tensor_mut(index));
        refuse_non_finite(tensor, parameters.tensor(index))?;
    }
    Ok(parameters)
}
