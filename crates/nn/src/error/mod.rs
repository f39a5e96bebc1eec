//! The one error type of the crate; what can be wrong with a description, a metric, a backup or a file of data has a type of
//! its own in it.

mod backup;
mod description;

pub use backup::BackupError;
pub use description::DescriptionError;

use crate::data::DataError;
use crate::metrics::MetricError;
use crate::text::nearest;
use densely_tensor::PoolError;
use std::fmt;
use std::io;
use std::path::PathBuf;

/// What can go wrong with a description, data, training or a file. Each message says where, what was found and what was
/// expected.
///
/// The causes that the system reports are in [`source`](std::error::Error::source), not in the message; of anything else
/// that lies behind an error the message has the text, and it is no source. So the message followed by the chain of its
/// sources says everything, and nothing twice:
///
/// ```
/// use std::error::Error;
///
/// let error = densely::Model::<f32>::load("absent.safetensors", densely::Pool::new(1)?).unwrap_err();
/// assert_eq!(error.to_string(), "cannot read absent.safetensors");
/// let cause = error.source().ok_or("no cause")?.downcast_ref::<std::io::Error>().ok_or("no cause of the system")?;
/// assert_eq!(cause.kind(), std::io::ErrorKind::NotFound);
/// # Ok::<(), Box<dyn Error>>(())
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The description: a network, a loss, an optimizer or a text that says one.
    #[error(transparent)]
    Description(#[from] DescriptionError),
    /// A metric, or what it was to measure.
    #[error(transparent)]
    Metric(#[from] MetricError),
    /// A backup of training, or what was to go on from it.
    #[error(transparent)]
    Backup(#[from] BackupError),

    // Data.
    /// A dataset without samples.
    #[error("the dataset has no samples, expected at least 1")]
    NoSamples,
    /// A dataset whose samples have no features.
    #[error("the samples have 0 features, expected at least 1")]
    NoFeatures,
    /// A dataset with more samples than a 32-bit index can name.
    #[error("the dataset has {found} samples, expected at most {limit}")]
    TooManySamples {
        /// How many there are.
        found: usize,
        /// How many there may be.
        limit: usize,
    },
    /// Features and samples that do not belong together.
    #[error(
        "{values} values were given for {samples} samples of {features} features each, expected {features} × {samples}"
    )]
    ValueCount {
        /// How many values there are.
        values: usize,
        /// How many samples there are: as many as labels, where there are such.
        samples: usize,
        /// How many values a sample has.
        features: usize,
    },
    /// Targets that have no values.
    #[error("the targets have 0 values, expected at least 1 for each sample")]
    NoTargets,
    /// Features and target values that do not belong together.
    #[error(
        "{values} target values were given for {samples} samples of {outputs} each, expected {outputs} × {samples}"
    )]
    TargetCount {
        /// How many values there are.
        values: usize,
        /// How many samples there are.
        samples: usize,
        /// How many values a sample has.
        outputs: usize,
    },
    /// A target that is infinite, not a number, or beyond what single precision holds.
    #[error(
        "target {output} of sample {sample} is {value}, expected a finite number of single precision's range"
    )]
    Target {
        /// The sample, from 0.
        sample: usize,
        /// The target's position, from 0.
        output: usize,
        /// Its value.
        value: f64,
    },
    /// A target that a loss cannot be computed of.
    #[error("target {output} of sample {sample} is {value}, but {loss} needs targets that are {expected}")]
    TargetOfLoss {
        /// The sample, from 0.
        sample: usize,
        /// The target's position, from 0.
        output: usize,
        /// Its value.
        value: f64,
        /// The loss.
        loss: String,
        /// What a target may be.
        expected: &'static str,
    },
    /// Targets of another width than the network's output.
    #[error("the targets have {found} values a sample, the network has {expected} outputs")]
    TargetWidth {
        /// The network's outputs.
        expected: usize,
        /// The values of a sample's target.
        found: usize,
    },
    /// Values where only classes make sense.
    #[error("{what} needs class labels, but the dataset's targets are values")]
    ClassesNeeded {
        /// What needs them.
        what: String,
    },
    /// More classes than a dataset may have.
    #[error("the dataset has {found} classes, expected at most {limit}")]
    TooManyClasses {
        /// How many there are.
        found: usize,
        /// How many there may be.
        limit: usize,
    },
    /// A label that is no class.
    #[error("sample {sample} has label {label}, expected a label below {classes}")]
    Label {
        /// The sample, from 0.
        sample: usize,
        /// Its label.
        label: u32,
        /// How many classes there are.
        classes: usize,
    },
    /// A feature that is infinite, not a number, or beyond what single precision holds.
    #[error(
        "feature {feature} of sample {sample} is {value}, expected a finite number of single precision's range"
    )]
    Feature {
        /// The sample, from 0.
        sample: usize,
        /// The feature, from 0.
        feature: usize,
        /// Its value.
        value: f64,
    },
    /// A split that leaves one side empty.
    #[error("cannot hold out {held_out} of {samples} samples, expected 1 to {}", samples.saturating_sub(1))]
    HeldOut {
        /// How many samples were to be held out.
        held_out: usize,
        /// How many there are.
        samples: usize,
    },
    /// Data of another width than the network's input.
    #[error("the samples have {found} features, the network has {expected} inputs")]
    Features {
        /// The network's inputs.
        expected: usize,
        /// The features of a sample.
        found: usize,
    },
    /// Data with another number of classes than the network has outputs.
    #[error("the dataset has {found} classes, the network has {expected} outputs")]
    Classes {
        /// The network's outputs.
        expected: usize,
        /// The dataset's classes.
        found: usize,
    },

    /// A setting of a [`DataSource`](crate::data::DataSource) outside its range.
    #[error("data: {setting} is {found}, expected {expected}")]
    DataSetting {
        /// The setting.
        setting: &'static str,
        /// Its value.
        found: String,
        /// What it may be.
        expected: &'static str,
    },

    /// A path to data that the description of a model cannot hold.
    #[error("data: the path {} is not UTF-8, expected one that is, for a model keeps it as text", path.display())]
    PathNotText {
        /// The path, which is shown with � where it is no text.
        path: PathBuf,
    },

    // Training.
    /// Weights and samples that do not belong together.
    #[error("{found} sample weights were given for {expected} samples, expected one each")]
    SampleWeightCount {
        /// How many samples there are.
        expected: usize,
        /// How many weights there are.
        found: usize,
    },
    /// A weight of a sample that is negative, not finite, or beyond what single precision holds.
    #[error(
        "the weight of sample {sample} is {weight}, expected 0 or a number above 0 that fits single precision"
    )]
    SampleWeight {
        /// The sample, from 0.
        sample: usize,
        /// Its weight.
        weight: f64,
    },
    /// A weight of a class that is negative, not finite, or beyond what single precision holds.
    #[error(
        "the weight of class {class} is {weight}, expected 0 or a number above 0 that fits single precision"
    )]
    ClassWeight {
        /// The class.
        class: u32,
        /// Its weight.
        weight: f64,
    },
    /// A weight for a class that the data do not have.
    #[error("a weight is given for class {class}, but the dataset has {classes} classes, counted from 0")]
    ClassOfWeight {
        /// The class.
        class: u32,
        /// How many classes there are.
        classes: usize,
    },
    /// Two weights for one class.
    #[error("class {class} is given two weights, expected at most one")]
    TwoClassWeights {
        /// The class.
        class: u32,
    },
    /// A setting of [`Fit`](crate::Fit) outside its range.
    #[error("{setting} is {found}, expected {expected}")]
    FitSetting {
        /// The setting.
        setting: &'static str,
        /// Its value.
        found: usize,
        /// What it may be.
        expected: &'static str,
    },
    /// A share of the data that cannot be held out.
    #[error("validation_split is {found}, expected a share above 0 and below 1")]
    ValidationShare {
        /// The share.
        found: f64,
    },
    /// Two settings of [`Fit`](crate::Fit) that exclude each other.
    #[error("{first} and {second} are both given, expected one of them")]
    FitConflict {
        /// One of them.
        first: &'static str,
        /// The other.
        second: &'static str,
    },
    /// A setting of [`Fit`](crate::Fit) that says something of another, which is not there.
    #[error("{setting} is given without {needed}, which it belongs to")]
    FitWithout {
        /// The setting.
        setting: &'static str,
        /// What it belongs to.
        needed: &'static str,
    },
    /// A setting of [`GradientCheck`](crate::GradientCheck) outside its range.
    #[error("{setting} is {found}, expected {expected}")]
    GradientCheck {
        /// The setting.
        setting: &'static str,
        /// Its value.
        found: f64,
        /// What it may be.
        expected: &'static str,
    },
    /// A setting of a callback outside its range.
    #[error("{callback}: {setting} is {found}, expected {expected}")]
    CallbackSetting {
        /// The callback.
        callback: &'static str,
        /// The setting.
        setting: &'static str,
        /// Its value.
        found: f64,
        /// What it may be.
        expected: &'static str,
    },
    /// A callback that asks for a value which the run does not have.
    #[error(
        "{callback}: no value is named {found}, expected one of {expected}{}",
        did_you_mean(nearest.as_deref())
    )]
    UnknownValue {
        /// The callback.
        callback: &'static str,
        /// The name.
        found: String,
        /// The names that there are.
        expected: String,
        /// Of these the one most like it.
        nearest: Option<String>,
    },
    /// A watched value whose name does not say which way it gets better.
    #[error("{callback}: {monitor} does not tell which way it gets better, expected mode Min or Max")]
    MonitorMode {
        /// The callback.
        callback: &'static str,
        /// The value's name.
        monitor: String,
    },
    /// A path whose placeholders cannot be read.
    #[error("path {template}: {problem}")]
    PathTemplate {
        /// The path.
        template: String,
        /// What is wrong, and what was expected.
        problem: &'static str,
    },
    /// A separator that numbers or names contain.
    #[error("the separator is {found:?}, expected a character that no number and no name has, such as ','")]
    Separator {
        /// The separator.
        found: char,
    },
    /// Copied parameters of a model of another shape or precision.
    #[error("the weights are those of another model, expected a copy of this one's")]
    OtherWeights,
    /// Training that went beyond what numbers can hold.
    #[error(
        "the loss is {loss} at step {step} of epoch {epoch}, expected a finite number; {place}; try a smaller learning \
         rate"
    )]
    NonFinite {
        /// The epoch, from 1.
        epoch: usize,
        /// The step within the epoch, from 1.
        step: usize,
        /// The mean loss of that batch.
        loss: f64,
        /// Where the first value that is not finite appeared.
        place: NonFinitePlace,
    },
    /// An epoch at whose end some parameter is infinite or not a number. The parameters from its beginning are brought back.
    #[error("{tensor} is not finite at the end of epoch {epoch}; try a smaller learning rate")]
    NonFiniteParameters {
        /// The epoch, from 1.
        epoch: usize,
        /// The first such tensor.
        tensor: String,
    },
    /// An evaluation whose loss is beyond what numbers can hold, or not a number.
    #[error("the loss on the data is {loss}, expected a finite number")]
    NonFiniteEvaluation {
        /// The mean loss.
        loss: f64,
    },
    /// Buffers that do not fit into memory.
    #[error("{what} need more memory than there is; expected a smaller network or batch size")]
    Memory {
        /// Which buffers.
        what: &'static str,
    },
    /// A thread pool that could not be made.
    #[error(transparent)]
    Pool(#[from] PoolError),

    // Files.
    /// A file that could not be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file that could not be written; what was there before is still there.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file of data whose content is wrong.
    #[error("{}: {problem}", path.display())]
    Data {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong, and where.
        problem: Box<DataError>,
    },
    /// IDX files that cannot be read; the message names the file.
    #[cfg(feature = "idx")]
    #[error(transparent)]
    Idx(#[from] idx_dataset::Error),
    /// A file for a model of another kind of data.
    #[error("{}: the model was not trained on {kind}", path.display())]
    NotTrainedOn {
        /// The file.
        path: PathBuf,
        /// What it would have to be trained on.
        kind: &'static str,
    },
    /// A file whose content is wrong.
    #[error("{}: {problem}", path.display())]
    InFile {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: Box<Error>,
    },
    /// A log that has other columns than the lines that are to follow.
    #[error("the header is `{found}`, expected `{expected}`")]
    LogHeader {
        /// The file's first line.
        found: String,
        /// What it would have to be.
        expected: String,
    },
    /// Bytes that are not a safetensors file.
    #[error("not a safetensors file: {problem}")]
    NotSafetensors {
        /// What the format's reader says.
        problem: safetensors::SafeTensorError,
    },
    /// A safetensors file of something else.
    #[error("not a file of densely: its metadata has no entry \"densely\" with a checksum")]
    NotAModel,
    /// A file of densely's of another kind.
    #[error("the file is a {found}, expected a {expected}")]
    OtherKind {
        /// What it is.
        found: &'static str,
        /// What it should be.
        expected: &'static str,
    },
    /// A file whose header is too long to be a model's.
    #[error(
        "not a file of densely: its first 8 bytes announce a header of {found} bytes, expected at most {limit}"
    )]
    HeaderTooLong {
        /// How long it is.
        found: u64,
        /// How long it may be.
        limit: u64,
    },
    /// A file from a newer version.
    #[error(
        "the file is in format {found}, this version reads up to format {supported}; a newer densely reads it"
    )]
    NewerFormat {
        /// The file's format.
        found: u32,
        /// The newest that is known.
        supported: u32,
    },
    /// A file that is not what was written.
    #[error("the file is damaged: its checksum is {expected}, its content has {found}")]
    Checksum {
        /// The checksum in the file, as far as it can be read.
        expected: String,
        /// The checksum of its content.
        found: String,
    },
    /// A tensor that the description needs and the file lacks.
    #[error("tensor {tensor} is missing")]
    TensorMissing {
        /// The tensor.
        tensor: String,
    },
    /// More tensors than the description has.
    #[error("the file has {found} tensors, its description has {expected}")]
    TensorCount {
        /// How many the description has.
        expected: usize,
        /// How many the file has.
        found: usize,
    },
    /// A tensor whose shape is not the description's.
    #[error("tensor {tensor} has shape {found:?}, expected {expected:?}")]
    TensorShape {
        /// The tensor.
        tensor: String,
        /// The description's shape.
        expected: Vec<usize>,
        /// The file's shape.
        found: Vec<usize>,
    },
    /// A tensor whose numbers cannot be read exactly.
    #[error("tensor {tensor} has type {found}, expected {expected}")]
    TensorType {
        /// The tensor.
        tensor: String,
        /// The types that can be read here.
        expected: &'static str,
        /// The type in the file.
        found: String,
    },
    /// A parameter that is infinite or not a number.
    #[error("value {index} of tensor {tensor} is {value}, expected a finite number")]
    Parameter {
        /// The tensor.
        tensor: String,
        /// The position in it, in memory order.
        index: usize,
        /// The value.
        value: f64,
    },
}

/// Where, on a batch's way through a network, the first value appeared that is infinite or not a number.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NonFinitePlace {
    /// In a parameter, so in the step before.
    Parameter {
        /// The tensor, such as `dense_1.kernel`.
        tensor: String,
        /// The position in it, in memory order.
        index: usize,
        /// The layer.
        layer: LayerName,
    },
    /// In a layer's output, of finite parameters and a finite input.
    Output {
        /// The layer.
        layer: LayerName,
    },
    /// In the loss of finite outputs.
    Loss,
}

impl fmt::Display for NonFinitePlace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the first that is not one is ")?;
        match self {
            Self::Parameter { tensor, index, layer } => {
                write!(formatter, "value {index} of {tensor} in {layer}, after the step before")
            }
            Self::Output { layer } => write!(formatter, "in the output of {layer}"),
            Self::Loss => formatter.write_str("the loss itself, every output being finite"),
        }
    }
}

impl Error {
    /// Whether training went beyond what numbers can hold.
    pub(crate) fn is_non_finite(&self) -> bool {
        matches!(
            self,
            Self::NonFinite { .. } | Self::NonFiniteParameters { .. } | Self::NonFiniteEvaluation { .. }
        )
    }
}

/// A layer in a message: `layer 3 (dropout_1)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerName {
    /// The layer's position in the network, from 1.
    pub position: usize,
    /// Its name, as in [`Summary`](crate::Summary).
    pub name: String,
}

impl fmt::Display for LayerName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "layer {} ({})", self.position, self.name)
    }
}

/// Of some names the one most like another.
fn nearest_of<'n>(found: &str, names: &'n [String]) -> Option<&'n str> {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    nearest(found, &names)
}

fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default()
}
