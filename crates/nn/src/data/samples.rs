//! Samples as a reader finds them, on their way to a [`Dataset`].

use super::dataset::Dataset;
use crate::error::Error;

/// What a file of data holds, sample after sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Samples {
    /// The features, one sample after the other.
    pub features: Features,
    /// The shape of a sample: `[features]` of a table, `[rows, columns]` or `[rows, columns, 3]` of a picture.
    pub shape: Vec<usize>,
    /// The names of the features; empty if they have none.
    pub columns: Vec<String>,
    /// The names of the columns with the targets; empty if there are none or they have no names.
    pub target_columns: Vec<String>,
    /// What is to be predicted.
    pub targets: Targets,
    /// How many samples there are.
    pub samples: usize,
}

/// The features of all samples.
#[derive(Clone, Debug, PartialEq)]
pub enum Features {
    /// Bytes, which reach a network as b/255.
    Bytes(Vec<u8>),
    /// Numbers, which reach it as they are.
    Floats(Vec<f64>),
}

impl Features {
    /// How many values there are, of all samples.
    fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Floats(floats) => floats.len(),
        }
    }
}

/// What is to be predicted for each sample.
#[derive(Clone, Debug, PartialEq)]
pub enum Targets {
    /// Nothing is known: samples to predict.
    Unknown,
    /// One class for each sample.
    Classes {
        /// The classes' names. Sorted: by value if all are numbers, otherwise by their bytes.
        names: Vec<String>,
        /// The position of each sample's class among them.
        labels: Vec<u32>,
    },
    /// Numbers, as many for each sample as there are names.
    Values {
        /// The names of the targets; of columns without names their numbers.
        names: Vec<String>,
        /// The numbers, one sample after the other.
        values: Vec<f64>,
    },
}

/// What is known from the training data, and holds for all other data of the same model.
#[derive(Clone, Copy, Debug, Default)]
pub struct Known<'a> {
    /// The names of the features; empty if they have none.
    pub columns: &'a [String],
    /// The names of the columns with the targets; empty if they have none.
    pub target_columns: &'a [String],
    /// How many features a sample has; 0 if that is not known.
    pub features: usize,
    /// The classes' names, in the order of the labels; empty for targets that are numbers.
    pub classes: &'a [String],
}

/// How many values a sample of that shape has; the largest number if there are more than numbers can say.
pub(super) fn features_of(shape: &[usize]) -> usize {
    if shape.contains(&0) { 0 } else { shape.iter().fold(1, |product, &size| product.saturating_mul(size)) }
}

impl Samples {
    /// The names of the classes; empty if there are none.
    pub fn classes(&self) -> &[String] {
        match &self.targets {
            Targets::Classes { names, .. } => names,
            _ => &[],
        }
    }

    /// The names of the targets that are numbers; empty if there are none.
    pub fn target_names(&self) -> &[String] {
        match &self.targets {
            Targets::Values { names, .. } => names,
            _ => &[],
        }
    }

    /// The samples with their targets. Without targets each has class 0 of 1, which is enough for
    /// [`predict`](crate::Model::predict).
    ///
    /// # Errors
    ///
    /// As [`Dataset::from_bytes`], [`Dataset::from_floats`] and [`Dataset::from_values`].
    pub fn into_dataset(self) -> Result<Dataset, Error> {
        let features = features_of(&self.shape);
        if features == 0 {
            return Err(Error::NoFeatures);
        }
        // Before there is room for as many labels.
        let (values, samples) = (self.features.len(), self.samples);
        if features.checked_mul(samples) != Some(values) {
            return Err(Error::ValueCount { values, samples, features });
        }
        let (labels, classes) = match self.targets {
            Targets::Unknown => (vec![0; self.samples], 1),
            Targets::Classes { names, labels } => (labels, names.len()),
            Targets::Values { names, values } => {
                return match self.features {
                    Features::Bytes(bytes) => {
                        Dataset::from_bytes_with_values(features, bytes, names.len(), values)
                    }
                    Features::Floats(floats) => Dataset::from_values(features, floats, names.len(), values),
                };
            }
        };
        match self.features {
            Features::Bytes(bytes) => Dataset::from_bytes(features, bytes, labels, classes),
            Features::Floats(floats) => Dataset::from_floats(features, floats, labels, classes),
        }
    }
}
