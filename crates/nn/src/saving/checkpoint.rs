//! A training run in one file, from which it goes on: what [`BackupAndRestore`](crate::callbacks::BackupAndRestore) writes.
//!
//! The file is like a [model's](crate::saving): the same description and parameters, and besides them the [`SavedRun`], and
//! further tensors, each a plain list of numbers, whose names have a `/` that no layer's name has.

use super::atomic::{PARTIAL, write_through};
use super::envelope::{CHECKPOINT, Numbers, Writing, no_checksum, open, read_file, read_values, seal};
use super::model::{SavedDescription, parameter_tensors, read_parameters};
use crate::data::read::unreadable;
use crate::error::Error;
use crate::parameters::Parameters;
use crate::sequential::Sequential;
use crate::text::to_ron_with_short_lists;
use densely_tensor::Scalar;
use safetensors::tensor::{Dtype, SafeTensors};
use serde::{Deserialize, Serialize};
use std::cell::Cell;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Everything about a run but its numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename = "Run", deny_unknown_fields)]
pub(crate) struct SavedRun {
    pub(crate) settings: Settings,
    pub(crate) place: Place,
    pub(crate) optimizer: OptimizerCounters,
    /// What callbacks remember, in their own words.
    pub(crate) callbacks: Vec<String>,
}

/// What has to be the same when the run goes on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// The version of this crate.
    pub(crate) densely: String,
    pub(crate) precision: String,
    /// A fingerprint of the model when `fit` was called.
    pub(crate) start: String,
    /// Fingerprints of the data, and of the weights of their samples.
    pub(crate) data: String,
    pub(crate) sample_weights: Option<String>,
    pub(crate) validation: Option<String>,
    pub(crate) validation_sample_weights: Option<String>,
    pub(crate) initial_epoch: usize,
    pub(crate) batch_size: usize,
    pub(crate) steps_per_epoch: usize,
    pub(crate) shuffle: bool,
    pub(crate) validation_freq: usize,
    pub(crate) validation_batch_size: usize,
    /// The names of an epoch's figures.
    pub(crate) values: Vec<String>,
}

/// Where the run is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Place {
    /// Epochs that have ended.
    pub(crate) epoch: usize,
    /// Batches of the next epoch that were trained on.
    pub(crate) batch: usize,
    /// Whether callbacks have heard of the next epoch's beginning, as they have before its first batch, also where this is left
    /// out.
    #[serde(default)]
    pub(crate) begun: bool,
    /// Passes over the data that were begun, and the samples of the last that were trained on.
    pub(crate) passes: u64,
    pub(crate) samples_of_pass: usize,
    /// Seconds of the next epoch that went by.
    pub(crate) seconds: f64,
    pub(crate) sums: SavedSums,
}

impl Place {
    /// Whether it is within an epoch.
    pub(crate) fn is_in_epoch(&self) -> bool {
        self.begun || self.batch > 0
    }
}

/// Sums over the samples of the next epoch.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename = "Sums", deny_unknown_fields)]
pub(crate) struct SavedSums {
    pub(crate) samples: usize,
    pub(crate) loss: f64,
    pub(crate) counted: usize,
    pub(crate) correct: Option<usize>,
}

/// What an optimizer remembers besides numbers of each parameter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OptimizerCounters {
    /// The learning rate of the next step, if it follows no schedule.
    pub(crate) learning_rate: Option<f64>,
    pub(crate) batches: u64,
    pub(crate) updates: u64,
    pub(crate) waiting: u64,
    pub(crate) largest_rate: f64,
    pub(crate) weight_sum: f64,
    pub(crate) starts_anew: bool,
}

/// The RON text in the metadata. The fields stand in the file in this order.
#[derive(Serialize, Deserialize)]
#[serde(rename = "Checkpoint", deny_unknown_fields)]
struct Envelope {
    format: u32,
    checksum: String,
    description: SavedDescription,
    run: SavedRun,
}

/// Not generic: see the function of this name for models.
fn to_text(description: SavedDescription, run: SavedRun) -> Result<String, Error> {
    let (format, checksum) = (CHECKPOINT.format, no_checksum());
    to_ron_with_short_lists(&Envelope { format, checksum, description, run })
}

/// A checkpoint's file as bytes; the same state gives the same bytes.
///
/// # Errors
///
/// [`Error::Parameter`] if a parameter is not finite, [`Error::HeaderTooLong`] if the texts are too long.
pub(crate) fn checkpoint_to_bytes<T: Scalar>(
    description: SavedDescription,
    run: SavedRun,
    parameters: &Parameters<T>,
    lists: Vec<(String, Numbers<'_, T>)>,
) -> Result<Vec<u8>, Error> {
    let text = to_text(description, run)?;
    let mut tensors = parameter_tensors(parameters)?;
    for (name, numbers) in lists {
        let len = match &numbers {
            Numbers::OfModel(values) => values.len(),
            Numbers::Double(values) => values.len(),
        };
        tensors.push((name, Writing { shape: vec![len], numbers }));
    }
    seal(text, tensors)
}

/// A checkpoint that was read, of which every bit is as it was written.
#[derive(Debug)]
pub(crate) struct Checkpoint {
    pub(crate) path: PathBuf,
    pub(crate) description: SavedDescription,
    pub(crate) run: SavedRun,
    bytes: Vec<u8>,
}

impl Checkpoint {
    /// `None` if there is no such file.
    fn read(path: &Path) -> Result<Option<Self>, Error> {
        let bytes = match read_file(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unreadable(path, error)),
        };
        let path = path.to_owned();
        match open(&bytes, CHECKPOINT) {
            Ok((Envelope { description, run, .. }, _)) => Ok(Some(Self { path, description, run, bytes })),
            Err(error) => Err(Error::InFile { path, problem: Box::new(error) }),
        }
    }

    /// What is wrong, with the file it is in.
    pub(crate) fn in_file(&self, error: impl Into<Error>) -> Error {
        Error::InFile { path: self.path.clone(), problem: Box::new(error.into()) }
    }

    /// Its tensors.
    pub(crate) fn tensors(&self) -> Result<Tensors<'_>, Error> {
        let file =
            SafeTensors::deserialize(&self.bytes).map_err(|problem| Error::NotSafetensors { problem })?;
        Ok(Tensors { file, taken: Cell::new(0) })
    }
}

/// The tensors of a checkpoint, each of which is to be taken once.
pub(crate) struct Tensors<'a> {
    file: SafeTensors<'a>,
    taken: Cell<usize>,
}

impl Tensors<'_> {
    /// The parameters of the network that the checkpoint describes.
    ///
    /// # Errors
    ///
    /// As for a model's file.
    pub(crate) fn parameters<T: Scalar>(&self, network: &Sequential) -> Result<Parameters<T>, Error> {
        let parameters = read_parameters(network, &self.file)?;
        self.taken.set(self.taken.get() + parameters.tensors().len());
        Ok(parameters)
    }

    /// Whether there is a tensor of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.file.tensor(name).is_ok()
    }

    /// Fills numbers from the list of this name.
    ///
    /// # Errors
    ///
    /// [`Error::TensorMissing`], [`Error::TensorShape`] if there are not as many, [`Error::TensorType`].
    pub(crate) fn fill<T: Scalar>(&self, name: &str, numbers: &mut [T]) -> Result<(), Error> {
        let view = self.file.tensor(name).map_err(|_| Error::TensorMissing { tensor: name.to_owned() })?;
        let (expected, found) = (vec![numbers.len()], view.shape().to_vec());
        if expected != found {
            return Err(Error::TensorShape { tensor: name.to_owned(), expected, found });
        }
        let (dtype, in_words) = if T::SIZE == 4 { (Dtype::F32, "F32") } else { (Dtype::F64, "F64") };
        if view.dtype() != dtype {
            let (tensor, found) = (name.to_owned(), view.dtype().to_string());
            return Err(Error::TensorType { tensor, expected: in_words, found });
        }
        read_values(&view, numbers);
        self.taken.set(self.taken.get() + 1);
        Ok(())
    }

    /// The list of this name in double precision, however long it is; empty if there is none.
    ///
    /// # Errors
    ///
    /// As [`fill`](Self::fill).
    pub(crate) fn list(&self, name: &str) -> Result<Vec<f64>, Error> {
        let Ok(view) = self.file.tensor(name) else { return Ok(Vec::new()) };
        // No larger than the file, since the format's reader has compared the two.
        let mut numbers = vec![0.0; view.data().len() / f64::SIZE];
        self.fill(name, &mut numbers)?;
        Ok(numbers)
    }

    /// Refuses tensors that nobody took.
    ///
    /// # Errors
    ///
    /// [`Error::TensorCount`].
    pub(crate) fn end(&self) -> Result<(), Error> {
        let (expected, found) = (self.taken.get(), self.file.len());
        if expected == found { Ok(()) } else { Err(Error::TensorCount { expected, found }) }
    }
}

/// How the names of temporary files begin. Those of a run that was killed are removed by the next.
const PREFIX: &str = ".densely-checkpoint-";

/// A folder with the checkpoints of one run.
#[derive(Debug)]
pub(crate) struct CheckpointFolder {
    folder: PathBuf,
    /// Whether the newest is not whole, so that it must not take the place of the one before.
    is_damaged: bool,
}

impl CheckpointFolder {
    /// Makes the folder if it is not there, and removes what a killed run left half-written.
    ///
    /// # Errors
    ///
    /// [`Error::Write`] or [`Error::Read`].
    pub(crate) fn new(folder: &Path) -> Result<Self, Error> {
        let folder = folder.to_owned();
        if folder.as_os_str().is_empty() {
            let source = io::Error::new(io::ErrorKind::InvalidInput, "not the name of a folder");
            return Err(Error::Write { path: folder, source });
        }
        fs::create_dir_all(&folder).map_err(|source| Error::Write { path: folder.clone(), source })?;
        for entry in fs::read_dir(&folder).map_err(|source| unreadable(&folder, source))? {
            let entry = entry.map_err(|source| unreadable(&folder, source))?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.starts_with(PREFIX) && name.ends_with(PARTIAL) {
                remove(&entry.path())?;
            }
        }
        Ok(Self { folder, is_damaged: false })
    }

    fn newest(&self) -> PathBuf {
        self.folder.join("checkpoint.safetensors")
    }

    fn previous(&self) -> PathBuf {
        self.folder.join("checkpoint-previous.safetensors")
    }

    /// The newest checkpoint that is whole; if that is the one before the newest because that is damaged, also what is wrong
    /// with it.
    ///
    /// # Errors
    ///
    /// [`Error::Read`] if a file cannot be read; [`Error::InFile`] if none that is there is whole, or the newest is of a
    /// newer format.
    pub(crate) fn read(&mut self) -> Result<Option<(Checkpoint, Option<Error>)>, Error> {
        let problem = match Checkpoint::read(&self.newest()) {
            Ok(Some(checkpoint)) => return Ok(Some((checkpoint, None))),
            // A run can be killed when the newest has become the previous one, and the next is not there yet.
            Ok(None) => None,
            Err(problem) if is_damage(&problem) => Some(problem),
            Err(problem) => return Err(problem),
        };
        match (Checkpoint::read(&self.previous()), problem) {
            (Ok(Some(checkpoint)), problem) => {
                self.is_damaged = problem.is_some();
                Ok(Some((checkpoint, problem)))
            }
            (Ok(None) | Err(_), Some(problem)) | (Err(problem), None) => Err(problem),
            (Ok(None), None) => Ok(None),
        }
    }

    /// Writes the newest checkpoint; the one before is kept if `double`.
    ///
    /// # Errors
    ///
    /// [`Error::Write`]; then the one before is still there.
    pub(crate) fn write(&mut self, bytes: &[u8], double: bool) -> Result<(), Error> {
        let (newest, previous) = (self.newest(), self.previous());
        if double && !self.is_damaged {
            match fs::rename(&newest, &previous) {
                Err(source) if source.kind() != io::ErrorKind::NotFound => {
                    return Err(Error::Write { path: previous, source });
                }
                _ => {}
            }
        }
        write_through(&newest, PREFIX, bytes)?;
        self.is_damaged = false;
        if double { Ok(()) } else { remove(&previous) }
    }

    /// Removes the checkpoints, and the folder if nothing else is in it.
    ///
    /// # Errors
    ///
    /// [`Error::Write`].
    pub(crate) fn delete(&self) -> Result<(), Error> {
        // The newest last: a run that is killed in between goes on from it and not from the one before.
        remove(&self.previous())?;
        remove(&self.newest())?;
        // It may hold files of somebody else, or be a place where no folder can be removed.
        let _ = fs::remove_dir(&self.folder);
        Ok(())
    }
}

/// Removes a file, if it is there.
fn remove(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(Error::Write { path: path.to_owned(), source })
        }
        _ => Ok(()),
    }
}

/// Whether the content of a file is wrong, and it is not just that a newer version wrote it.
fn is_damage(error: &Error) -> bool {
    matches!(error, Error::InFile { problem, .. } if !matches!(**problem, Error::NewerFormat { .. }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::from_ron;

    #[test]
    fn a_place_that_does_not_say_so_is_in_an_epoch_by_its_batches() {
        for (begun, batch, is_in_epoch) in
            [("", 0, false), ("", 2, true), ("begun: true, ", 0, true), ("begun: false, ", 0, false)]
        {
            let text = format!(
                "Place(epoch: 3, batch: {batch}, {begun}passes: 4, samples_of_pass: 8, seconds: 0.5, \
                 sums: Sums(samples: 0, loss: 0, counted: 0, correct: None))"
            );
            assert_eq!(from_ron::<Place>(&text).expect("a place").is_in_epoch(), is_in_epoch, "{text}");
        }
    }
}
