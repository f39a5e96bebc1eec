//! Features with what is to be learnt of them: class labels or values.

use crate::error::Error;
use crate::sequential::Sequential;
use densely_tensor::Pool;
use std::sync::Arc;

/// The most classes that a dataset may have: a confusion matrix of so many takes 2 GiB.
pub const MAX_CLASSES: usize = 1 << 14;

/// Samples with their targets. A sample is a column of `features` values, one after the other in memory; its target is a
/// class label, or a column of values in double precision: numbers to be predicted, or soft labels.
///
/// Features are bytes, which are scaled to 0–1 (divided by 255) only when a batch is [gathered](Self::gather), or floats,
/// which are taken as they are. Cloning and splitting share the storage; a part is a list of 4 bytes per sample. Bytes can also
/// stay in a file, where each batch finds them: see `open_idx`.
///
/// ```
/// # use densely::Dataset;
/// let data = Dataset::from_bytes(2, vec![0, 255, 51, 102, 204, 0], vec![0, 1, 1], 2)?;
/// assert_eq!((data.len(), data.features(), data.class_counts()), (3, 2, vec![1, 2]));
///
/// let mut batch = [0.0_f32; 4]; // 2 features × 2 samples
/// data.gather(&[2, 0], &mut batch)?;
/// assert_eq!(batch, [0.8, 0.0, 0.0, 1.0]);
///
/// let line = Dataset::from_values(1, vec![0.0, 0.5, 1.0], 1, vec![1.0, 2.0, 3.0])?;
/// assert_eq!((line.len(), line.outputs(), line.targets(1)), (3, Some(1), Some(&[2.0][..])));
/// # Ok::<(), densely::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Dataset {
    storage: Arc<Storage>,
    /// Which samples of the storage these are; `None` for all of them in their order.
    selection: Option<Arc<[u32]>>,
}

#[derive(Debug)]
struct Storage {
    features: usize,
    values: Values,
    targets: Targets,
}

#[derive(Debug)]
enum Targets {
    Classes { labels: Vec<u32>, classes: usize },
    Values { values: Vec<f64>, outputs: usize },
}

#[derive(Debug)]
enum Values {
    Bytes(Vec<u8>),
    Floats(Vec<f64>),
    /// So many bytes of all samples, which are read when they are needed.
    Elsewhere(Box<dyn ReadSamples>, usize),
}

/// Where bytes are that are not in memory.
pub(super) trait ReadSamples: std::fmt::Debug + Send + Sync {
    /// Reads the bytes of one sample, as many as there is room for.
    fn read(&self, sample: usize, bytes: &mut [u8]) -> Result<(), Error>;

    /// Has the system fetch a sample that will be read soon, if it can.
    fn will_read(&self, _sample: usize) {}
}

/// The features of one sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Sample<'a> {
    Bytes(&'a [u8]),
    Floats(&'a [f64]),
}

impl Dataset {
    /// Samples of `features` bytes each, one after the other, with one label per sample, below `classes`. Nothing is
    /// copied.
    ///
    /// # Errors
    ///
    /// [`Error::NoFeatures`], [`Error::TooManyClasses`] beyond [`MAX_CLASSES`], [`Error::NoSamples`], [`Error::TooManySamples`] beyond `u32::MAX`, [`Error::ValueCount`],
    /// [`Error::Label`].
    pub fn from_bytes(
        features: usize,
        bytes: Vec<u8>,
        labels: Vec<u32>,
        classes: usize,
    ) -> Result<Self, Error> {
        Self::new(features, Values::Bytes(bytes), labels, classes)
    }

    /// Samples of `features` numbers each, one after the other, with one label per sample, below `classes`. Nothing is
    /// copied.
    ///
    /// # Errors
    ///
    /// As [`from_bytes`](Self::from_bytes), and [`Error::Feature`] for a value that is not a finite number in the
    /// range of single precision.
    pub fn from_floats(
        features: usize,
        values: Vec<f64>,
        labels: Vec<u32>,
        classes: usize,
    ) -> Result<Self, Error> {
        Self::new(features, Values::floats(features, values)?, labels, classes)
    }

    /// Samples of `features` numbers each with targets of `outputs` numbers each, both one after the other. Nothing is
    /// copied.
    ///
    /// # Errors
    ///
    /// [`Error::NoFeatures`], [`Error::NoTargets`], [`Error::NoSamples`], [`Error::TooManySamples`] beyond `u32::MAX`,
    /// [`Error::TargetCount`]; [`Error::Feature`] or [`Error::Target`] for a value that is not a finite number in the range
    /// of single precision.
    pub fn from_values(
        features: usize,
        values: Vec<f64>,
        outputs: usize,
        targets: Vec<f64>,
    ) -> Result<Self, Error> {
        Self::with_values(features, Values::floats(features, values)?, outputs, targets)
    }

    /// Samples of `features` bytes each with targets of `outputs` numbers each, both one after the other. Nothing is copied.
    ///
    /// # Errors
    ///
    /// As [`from_values`](Self::from_values).
    pub fn from_bytes_with_values(
        features: usize,
        bytes: Vec<u8>,
        outputs: usize,
        targets: Vec<f64>,
    ) -> Result<Self, Error> {
        Self::with_values(features, Values::Bytes(bytes), outputs, targets)
    }

    /// Samples of `features` bytes each that are read when they are needed, as many as there are labels below `classes`.
    #[cfg_attr(not(all(feature = "idx", any(unix, windows))), allow(dead_code))]
    pub(super) fn elsewhere(
        features: usize,
        samples: Box<dyn ReadSamples>,
        bytes: usize,
        labels: Vec<u32>,
        classes: usize,
    ) -> Result<Self, Error> {
        Self::new(features, Values::Elsewhere(samples, bytes), labels, classes)
    }

    fn with_values(
        features: usize,
        values: Values,
        outputs: usize,
        targets: Vec<f64>,
    ) -> Result<Self, Error> {
        if outputs == 0 {
            return Err(Error::NoTargets);
        }
        if features == 0 {
            return Err(Error::NoFeatures);
        }
        if let Some((sample, output)) = out_of_range(&targets, outputs) {
            return Err(Error::Target { sample, output, value: targets[sample * outputs + output] });
        }
        let samples = values.len() / features;
        if outputs.checked_mul(samples) != Some(targets.len()) {
            return Err(Error::TargetCount { values: targets.len(), samples, outputs });
        }
        Self::of(features, values, samples, Targets::Values { values: targets, outputs })
    }

    fn new(features: usize, values: Values, labels: Vec<u32>, classes: usize) -> Result<Self, Error> {
        if features == 0 {
            return Err(Error::NoFeatures);
        }
        if classes > MAX_CLASSES {
            return Err(Error::TooManyClasses { found: classes, limit: MAX_CLASSES });
        }
        let samples = labels.len();
        let data = Self::of(features, values, samples, Targets::Classes { labels, classes })?;
        if let Some(sample) = (0..samples).find(|&sample| data.label(sample) as usize >= classes) {
            return Err(Error::Label { sample, label: data.label(sample), classes });
        }
        Ok(data)
    }

    fn of(features: usize, values: Values, samples: usize, targets: Targets) -> Result<Self, Error> {
        if samples == 0 {
            return Err(Error::NoSamples);
        }
        let limit = u32::MAX as usize;
        if samples > limit {
            return Err(Error::TooManySamples { found: samples, limit });
        }
        let count = values.len();
        if features.checked_mul(samples) != Some(count) {
            return Err(Error::ValueCount { values: count, samples, features });
        }
        Ok(Self { storage: Arc::new(Storage { features, values, targets }), selection: None })
    }

    /// The number of samples; at least 1.
    pub fn len(&self) -> usize {
        let stored = || self.storage.values.len() / self.storage.features;
        self.selection.as_ref().map_or_else(stored, |selection| selection.len())
    }

    /// Whether there are no samples: always `false`, because a dataset without samples is refused.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of values of a sample.
    pub fn features(&self) -> usize {
        self.storage.features
    }

    /// The number of classes; labels are below it. 0 if the targets are values.
    pub fn classes(&self) -> usize {
        match self.storage.targets {
            Targets::Classes { classes, .. } => classes,
            Targets::Values { .. } => 0,
        }
    }

    /// How many values the target of a sample has; `None` if the targets are class labels.
    pub fn outputs(&self) -> Option<usize> {
        match self.storage.targets {
            Targets::Classes { .. } => None,
            Targets::Values { outputs, .. } => Some(outputs),
        }
    }

    /// The class of a sample, counted from 0.
    ///
    /// # Panics
    ///
    /// If there are not so many samples, or the targets are values, of which there are no [`classes`](Self::classes).
    #[track_caller]
    pub fn label(&self, sample: usize) -> u32 {
        self.stored_labels()[self.stored(sample)]
    }

    /// The target values of a sample, counted from 0; `None` if the targets are class labels.
    ///
    /// # Panics
    ///
    /// If there are not so many samples.
    #[track_caller]
    pub fn targets(&self, sample: usize) -> Option<&[f64]> {
        let sample = self.stored(sample);
        match &self.storage.targets {
            Targets::Classes { .. } => None,
            Targets::Values { values, outputs } => Some(&values[sample * outputs..][..*outputs]),
        }
    }

    /// The bytes of a sample, counted from 0; `None` if the features are floats, or not in memory.
    ///
    /// # Panics
    ///
    /// If there are not so many samples.
    #[track_caller]
    pub fn bytes(&self, sample: usize) -> Option<&[u8]> {
        let range = self.range(sample);
        match &self.storage.values {
            Values::Bytes(bytes) => Some(&bytes[range]),
            Values::Floats(_) | Values::Elsewhere(..) => None,
        }
    }

    /// How many samples each class has; empty if the targets are values.
    pub fn class_counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.classes()];
        let labelled = if self.outputs().is_none() { self.len() } else { 0 };
        for sample in 0..labelled {
            counts[self.label(sample) as usize] += 1;
        }
        counts
    }

    /// Checks that the data fit a network: as many features as it has inputs; as many classes as it has outputs, or two for
    /// a single output; or as many target values as it has outputs.
    ///
    /// # Errors
    ///
    /// [`Error::Features`], [`Error::Classes`] or [`Error::TargetWidth`].
    pub fn validate_for(&self, network: &Sequential) -> Result<(), Error> {
        let (expected, found) = (network.inputs, self.features());
        if expected != found {
            return Err(Error::Features { expected, found });
        }
        let expected = network.outputs();
        match (self.outputs(), self.classes()) {
            (Some(found), _) if expected != found => Err(Error::TargetWidth { expected, found }),
            (None, 2) if expected == 1 => Ok(()),
            (None, found) if expected != found => Err(Error::Classes { expected, found }),
            _ => Ok(()),
        }
    }

    /// The features of a sample, read to `room` if they are not in memory.
    #[track_caller]
    pub(super) fn sample<'a>(&'a self, sample: usize, room: &'a mut Vec<u8>) -> Result<Sample<'a>, Error> {
        let range = self.range(sample);
        Ok(match &self.storage.values {
            Values::Bytes(bytes) => Sample::Bytes(&bytes[range]),
            Values::Floats(floats) => Sample::Floats(&floats[range]),
            Values::Elsewhere(samples, _) => {
                room.resize(self.features(), 0);
                samples.read(self.stored(sample), room)?;
                Sample::Bytes(room)
            }
        })
    }

    /// The floats of a sample.
    ///
    /// # Panics
    ///
    /// If features are bytes.
    pub(super) fn floats(&self, sample: usize) -> &[f64] {
        match &self.storage.values {
            Values::Floats(floats) => &floats[self.range(sample)],
            Values::Bytes(_) | Values::Elsewhere(..) => panic!("floats of samples of bytes"),
        }
    }

    /// Reads the bytes of a sample that is not in memory.
    ///
    /// # Panics
    ///
    /// If it is in memory.
    pub(super) fn read(&self, sample: usize, bytes: &mut [u8]) -> Result<(), Error> {
        match &self.storage.values {
            Values::Elsewhere(samples, _) => samples.read(self.stored(sample), bytes),
            Values::Bytes(_) | Values::Floats(_) => panic!("samples in memory need not be read"),
        }
    }

    /// Has the system fetch the samples of `order`, which will be read soon, where they are not in memory. Nothing waits for it.
    pub(crate) fn will_read(&self, pool: &Pool, order: &[u32]) {
        if let Values::Elsewhere(samples, _) = &self.storage.values {
            pool.for_each_part(1, order, |_, order| {
                order.iter().for_each(|&sample| samples.will_read(self.stored(sample as usize)));
            });
        }
    }

    /// Where a sample's features are among those of all.
    #[track_caller]
    fn range(&self, sample: usize) -> std::ops::Range<usize> {
        let start = self.stored(sample) * self.features();
        start..start + self.features()
    }

    /// The first samples; all of them if there are not so many.
    pub(crate) fn first(&self, samples: usize) -> Self {
        let samples: Vec<u32> = (0..self.len().min(samples) as u32).collect();
        self.select(&samples)
    }

    /// The same storage with only these of its present samples, in this order.
    pub(super) fn select(&self, samples: &[u32]) -> Self {
        let selection = samples.iter().map(|&sample| self.stored(sample as usize) as u32).collect();
        Self { storage: Arc::clone(&self.storage), selection: Some(selection) }
    }

    /// The same samples, in storage of their own, with these numbers as features.
    pub(super) fn with_floats(&self, values: Vec<f64>) -> Result<Self, Error> {
        let samples = 0..self.len();
        match self.outputs() {
            None => {
                let labels = samples.map(|sample| self.label(sample)).collect();
                Self::from_floats(self.features(), values, labels, self.classes())
            }
            Some(outputs) => {
                let targets = samples.filter_map(|sample| self.targets(sample)).flatten().copied().collect();
                Self::from_values(self.features(), values, outputs, targets)
            }
        }
    }

    /// Whether features are bytes, in memory or not.
    pub(crate) fn has_bytes(&self) -> bool {
        !matches!(self.storage.values, Values::Floats(_))
    }

    /// The features of all samples of the storage, if they are bytes in memory.
    pub(super) fn all_bytes(&self) -> Option<&[u8]> {
        match &self.storage.values {
            Values::Bytes(bytes) => Some(bytes),
            Values::Floats(_) | Values::Elsewhere(..) => None,
        }
    }

    /// The label of every sample in the storage.
    #[track_caller]
    pub(super) fn stored_labels(&self) -> &[u32] {
        match &self.storage.targets {
            Targets::Classes { labels, .. } => labels,
            Targets::Values { .. } => panic!("labels are asked for of data whose targets are values"),
        }
    }

    /// Where a sample is in the storage.
    #[track_caller]
    pub(super) fn stored(&self, sample: usize) -> usize {
        assert!(sample < self.len(), "sample {sample} of {}", self.len());
        self.selection.as_ref().map_or(sample, |selection| selection[sample] as usize)
    }
}

impl Values {
    /// Features as they are.
    fn floats(features: usize, values: Vec<f64>) -> Result<Self, Error> {
        match out_of_range(&values, features) {
            Some((sample, feature)) => {
                Err(Error::Feature { sample, feature, value: values[sample * features.max(1) + feature] })
            }
            None => Ok(Self::Floats(values)),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Floats(floats) => floats.len(),
            Self::Elsewhere(_, len) => *len,
        }
    }
}

/// Sample and place of the first value that is not finite in single precision, where it would become infinite in an `f32`
/// network.
fn out_of_range(values: &[f64], width: usize) -> Option<(usize, usize)> {
    let range = f64::from(f32::MIN)..=f64::from(f32::MAX); // NaN is in no range
    let place = values.iter().position(|value| !range.contains(value))?;
    Some((place / width.max(1), place % width.max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Activation, Compile, Dense, Fit};
    use std::sync::Mutex;

    #[track_caller]
    fn check_refused(data: Result<Dataset, Error>, message: &str) {
        assert_eq!(data.unwrap_err().to_string(), message);
    }

    #[test]
    fn what_does_not_fit_together_is_refused() {
        check_refused(
            Dataset::from_bytes(0, vec![], vec![0], 1),
            "the samples have 0 features, expected at least 1",
        );
        check_refused(
            Dataset::from_bytes(2, vec![], vec![], 1),
            "the dataset has no samples, expected at least 1",
        );
        for bytes in [3, 5] {
            check_refused(
                Dataset::from_bytes(2, vec![0; bytes], vec![0, 0], 1),
                &format!("{bytes} values were given for 2 samples of 2 features each, expected 2 × 2"),
            );
        }
        let overflow = Dataset::from_bytes(usize::MAX, vec![0; 2], vec![0, 0], 1);
        assert!(matches!(overflow, Err(Error::ValueCount { .. })));
    }

    #[test]
    fn a_label_that_is_no_class_is_refused_by_its_sample() {
        check_refused(
            Dataset::from_bytes(1, vec![0; 3], vec![9, 10, 11], 10),
            "sample 1 has label 10, expected a label below 10",
        );
        check_refused(
            Dataset::from_bytes(1, vec![0], vec![u32::MAX], 0),
            "sample 0 has label 4294967295, expected a label below 0",
        );
    }

    #[test]
    fn a_feature_that_is_not_finite_is_refused_by_sample_and_feature() {
        for (value, text) in [(f64::NAN, "NaN"), (f64::INFINITY, "inf"), (f64::NEG_INFINITY, "-inf")] {
            check_refused(
                Dataset::from_floats(3, vec![0.0, 1.0, 2.0, 3.0, value, 5.0], vec![0, 0], 1),
                &format!(
                    "feature 1 of sample 1 is {text}, expected a finite number of single precision's range"
                ),
            );
        }
        assert!(Dataset::from_floats(0, vec![f64::NAN], vec![0], 1).is_err());
    }

    #[test]
    fn data_of_another_width_than_the_network_are_refused() {
        let data = Dataset::from_bytes(2, vec![0; 4], vec![0, 1], 2).unwrap();
        let check = |inputs, outputs| data.validate_for(&Sequential::new(inputs).add(Dense::new(outputs)));
        assert!(check(2, 2).is_ok());
        let features = check(3, 2).unwrap_err().to_string();
        assert_eq!(features, "the samples have 2 features, the network has 3 inputs");
        let classes = check(2, 3).unwrap_err().to_string();
        assert_eq!(classes, "the dataset has 2 classes, the network has 3 outputs");
    }

    #[test]
    fn copies_share_their_storage() {
        let data = Dataset::from_bytes(2, vec![1, 2, 3, 4], vec![0, 1], 2).unwrap();
        assert_eq!(data.clone().bytes(1).unwrap().as_ptr(), data.bytes(1).unwrap().as_ptr());
        assert_eq!(data.select(&[1]).bytes(0).unwrap().as_ptr(), data.bytes(1).unwrap().as_ptr());
    }

    /// Samples elsewhere that note which of them were read without having been announced.
    #[derive(Debug, Default)]
    struct Announced(Mutex<(Vec<usize>, usize)>);

    impl ReadSamples for Arc<Announced> {
        fn read(&self, sample: usize, bytes: &mut [u8]) -> Result<(), Error> {
            let (announced, unannounced) = &mut *self.0.lock().unwrap();
            match announced.iter().position(|&other| other == sample) {
                Some(place) => drop(announced.swap_remove(place)),
                None => *unannounced += 1,
            }
            bytes.fill(sample as u8);
            Ok(())
        }

        fn will_read(&self, sample: usize) {
            self.0.lock().unwrap().0.push(sample);
        }
    }

    #[test]
    fn training_announces_each_batch_but_the_first_of_a_pass() {
        let samples = Arc::new(Announced::default());
        let data = Dataset::elsewhere(3, Box::new(Arc::clone(&samples)), 30, vec![0; 10], 2).unwrap();
        let (_, train) = data.split_last(10 - 1).unwrap();
        let network = Sequential::new(3).add(Dense::new(2).activation(Activation::Softmax));
        let mut model = network.compile::<f32>(Compile::default()).unwrap();
        model.fit(&train, Fit { epochs: 2, batch_size: 4, ..Fit::default() }).unwrap();
        let (announced, unannounced) = &*samples.0.lock().unwrap();
        assert!(announced.is_empty(), "announced in vain: {announced:?}");
        assert_eq!(*unannounced, 2 * 4);
    }
}
