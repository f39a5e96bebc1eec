//! Datasets from IDX files, the format of MNIST.

use super::dataset::Dataset;
#[cfg(any(unix, windows))]
use super::dataset::ReadSamples;
#[cfg(any(unix, windows))]
use super::error::DataError;
use super::npy::classes;
use super::read::in_file;
use super::samples::{Features, Known, Samples, Targets};
use crate::error::Error;
#[cfg(any(unix, windows))]
use idx_dataset::IdxFile;
use idx_dataset::{Pair, Values};
use std::path::Path;

impl Dataset {
    /// Images and labels as [`idx_dataset::read_pair`] gives them; an item is a sample, whatever its shape. Bytes stay
    /// bytes (and are taken, not copied), to be scaled to 0–1 when a batch is gathered; other types become floats with
    /// their values as they are.
    ///
    /// # Errors
    ///
    /// As [`from_bytes`](Self::from_bytes) and [`from_floats`](Self::from_floats).
    pub fn from_idx(pair: Pair, classes: usize) -> Result<Self, Error> {
        let features = pair.images.item_len();
        let labels = pair.labels.into_iter().map(u32::from).collect();
        match pair.images.values.into() {
            Features::Bytes(bytes) => Self::from_bytes(features, bytes, labels, classes),
            Features::Floats(floats) => Self::from_floats(features, floats, labels, classes),
        }
    }

    /// Images that stay in their file, and their labels (on Unix and Windows): a sample is read when a batch needs it, so that the data may be larger than
    /// memory, of which labels take 4 bytes a sample. The images' file is plain, of bytes; that of the labels may be compressed, as
    /// far as idx-dataset's features go.
    ///
    /// What a batch gets is what is in the file then: nobody should change it meanwhile. If it shrinks or cannot be read,
    /// training, evaluation and prediction end with an error that names it.
    ///
    /// ```
    /// # use densely::Dataset;
    /// # let folder = tempfile::tempdir()?;
    /// # let (images, labels) = (folder.path().join("images"), folder.path().join("labels"));
    /// # idx_dataset::write_slice(&images, &[2, 1, 2], &[0_u8, 255, 51, 0])?;
    /// # idx_dataset::write_slice(&labels, &[2], &[1_u8, 0])?;
    /// let data = Dataset::open_idx(&images, &labels, 2)?;
    /// let mut batch = [0.0_f32; 4];
    /// data.gather(&[1, 0], &mut batch)?;
    /// assert_eq!(batch, [0.2, 0.0, 0.0, 1.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Idx`] if a file cannot be read, is no IDX file or of other elements than bytes; and as
    /// [`from_bytes`](Self::from_bytes).
    #[cfg(any(unix, windows))]
    pub fn open_idx(
        images: impl AsRef<Path>,
        labels: impl AsRef<Path>,
        classes: usize,
    ) -> Result<Self, Error> {
        let labels = idx_dataset::read_labels(labels)?.into_iter().map(u32::from).collect();
        Self::of_file(open_images(images.as_ref())?, labels, classes)
    }

    #[cfg(any(unix, windows))]
    fn of_file(images: IdxFile, labels: Vec<u32>, classes: usize) -> Result<Self, Error> {
        let features = images.item_len();
        let bytes = images.n_items().saturating_mul(features);
        Self::elsewhere(features, Box::new(images), bytes, labels, classes)
    }
}

/// A file of items of bytes.
#[cfg(any(unix, windows))]
fn open_images(path: &Path) -> Result<IdxFile, Error> {
    let file = IdxFile::open(path)?;
    if file.n_items() > 0 {
        file.item::<u8>(0)?; // an error if the elements are others
    }
    Ok(file)
}

#[cfg(any(unix, windows))]
impl ReadSamples for IdxFile {
    fn read(&self, sample: usize, bytes: &mut [u8]) -> Result<(), Error> {
        Ok(self.read_item(sample, bytes)?)
    }

    #[cfg(target_os = "linux")]
    fn will_read(&self, sample: usize) {
        let place = self.item_range(sample);
        let length = std::num::NonZero::new(place.end - place.start);
        // Advice that the system does not take changes no result.
        let _ = rustix::fs::fadvise(self.as_file(), place.start, length, rustix::fs::Advice::WillNeed);
    }
}

impl From<Values> for Features {
    /// Bytes stay bytes, other types become numbers.
    fn from(values: Values) -> Self {
        Self::Floats(match values {
            Values::U8(bytes) => return Self::Bytes(bytes),
            Values::I8(values) => values.into_iter().map(f64::from).collect(),
            Values::I16(values) => values.into_iter().map(f64::from).collect(),
            Values::I32(values) => values.into_iter().map(f64::from).collect(),
            Values::F32(values) => values.into_iter().map(f64::from).collect(),
            Values::F64(values) => values,
        })
    }
}

/// Reads images and labels whose classes are the different labels, or, if there are any, those that are `known`.
pub(super) fn read_files(images: &Path, labels: &Path, known: Known<'_>) -> Result<Samples, Error> {
    let pair = idx_dataset::read_pair(images, labels)?;
    let samples = pair.labels.len();
    let (names, numbers) = classes_of(pair.labels, labels, known)?;
    Ok(Samples {
        shape: shape_of_item(&pair.images.shape),
        features: pair.images.values.into(),
        columns: Vec::new(),
        target_columns: Vec::new(),
        targets: Targets::Classes { names, labels: numbers },
        samples,
    })
}

/// The same with images that stay in their file: the data, the shape of a sample and the names of the classes.
#[cfg(any(unix, windows))]
pub(super) fn open_files(
    images: &Path,
    labels: &Path,
    known: Known<'_>,
) -> Result<(Dataset, Vec<usize>, Vec<String>), Error> {
    let file = match open_images(images) {
        Err(Error::Idx(idx_dataset::Error::Compressed { .. })) => {
            return Err(in_file(images, DataError::CompressedOnDisk));
        }
        file => file?,
    };
    let bytes = idx_dataset::read_labels(labels)?;
    idx_dataset::check_counts(images, file.n_items(), labels, bytes.len())?;
    let (names, numbers) = classes_of(bytes, labels, known)?;
    let shape = shape_of_item(file.shape());
    Ok((Dataset::of_file(file, numbers, names.len())?, shape, names))
}

fn classes_of(labels: Vec<u8>, path: &Path, known: Known<'_>) -> Result<(Vec<String>, Vec<u32>), Error> {
    classes(labels.into_iter().map(f64::from), known).map_err(|error| in_file(path, error))
}

/// The shape of an item of a file; a number is one feature.
fn shape_of_item(file: &[usize]) -> Vec<usize> {
    match file.get(1..) {
        Some(shape) if !shape.is_empty() => shape.to_vec(),
        _ => vec![1],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use idx_dataset::Idx;

    fn pair(shape: &[usize], values: Values, labels: &[u8]) -> Pair {
        Pair { images: Idx { shape: shape.to_vec(), values }, labels: labels.to_vec() }
    }

    #[test]
    fn an_item_is_a_sample_and_bytes_are_not_copied() {
        let bytes: Vec<u8> = (0..12).collect();
        let place = bytes.as_ptr();
        let data = Dataset::from_idx(pair(&[2, 2, 3], Values::U8(bytes), &[1, 0]), 2).unwrap();
        assert_eq!((data.len(), data.features(), data.label(0)), (2, 6, 1));
        assert_eq!(data.bytes(0).unwrap().as_ptr(), place);
    }

    #[test]
    fn other_types_keep_their_values() {
        let data = Dataset::from_idx(pair(&[2, 1], Values::I16(vec![-300, 7]), &[0, 0]), 1).unwrap();
        let mut batch = [0.0_f32; 2];
        data.gather(&[0, 1], &mut batch).unwrap();
        assert_eq!(batch, [-300.0, 7.0]);
    }

    #[test]
    fn counts_that_differ_are_refused() {
        let error = Dataset::from_idx(pair(&[2, 1, 1], Values::U8(vec![1, 2]), &[0]), 1).unwrap_err();
        assert_eq!(error.to_string(), "2 values were given for 1 samples of 1 features each, expected 1 × 1");
    }
}
