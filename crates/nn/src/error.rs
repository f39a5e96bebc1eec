//! The one error type of the crate.

use crate::activations::Activation;
use crate::losses::Loss;
use densely_tensor::PoolError;
use std::fmt;
use std::io;
use std::path::PathBuf;

/// What can go wrong with a description, data, training or a file. Each message is complete by itself: it says where,
/// what was found and what was expected, so there is no need to print the chain of sources.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    // The description.
    /// A RON text that does not say what it should.
    #[error("line {line}, column {column}{}: {message}{}", at_field(field), did_you_mean(nearest))]
    Ron {
        /// The line, from 1.
        line: usize,
        /// The column in characters, from 1.
        column: usize,
        /// The path of the field, such as `layers[0].units`; empty if the text is not that far yet.
        field: String,
        /// What was expected and found.
        message: String,
        /// Of the names that are possible here, the one most like the one that was written.
        nearest: Option<&'static str>,
    },
    /// A network without inputs.
    #[error("inputs is 0, expected at least 1")]
    NoInputs,
    /// A network that has nothing to learn.
    #[error("the network has no layer with parameters, expected at least one Dense")]
    NoParameters,
    /// A layer without units.
    #[error("{layer}: units is 0, expected at least 1")]
    NoUnits {
        /// The layer.
        layer: LayerName,
    },
    /// A dropout rate that is not a share of the units.
    #[error("{layer}: rate is {rate}, expected at least 0 and below 1")]
    DropoutRate {
        /// The layer.
        layer: LayerName,
        /// The rate.
        rate: f64,
    },
    /// A network larger than [`MAX_PARAMETERS`](crate::sequential::MAX_PARAMETERS).
    #[error(
        "{layer}: {units} units on {inputs} inputs take the network beyond {limit} parameters, the most it may have"
    )]
    TooManyParameters {
        /// The layer that is too much.
        layer: LayerName,
        /// Its inputs.
        inputs: usize,
        /// Its units.
        units: usize,
        /// The most that a network may have.
        limit: usize,
    },
    /// Softmax, log-softmax or sparsemax over a single unit.
    #[error("{layer}: {activation} over 1 unit is always {always}, expected at least 2 units")]
    SoftmaxOfOne {
        /// The layer.
        layer: LayerName,
        /// The function, by its name in Keras.
        activation: &'static str,
        /// What it always is.
        always: u8,
    },
    /// A gated linear unit over an odd number of units.
    #[error(
        "{layer}: glu takes one half of the units as gates of the other, but there are {units}, expected an even number"
    )]
    OddGlu {
        /// The layer.
        layer: LayerName,
        /// How many units there are.
        units: usize,
    },
    /// A setting of a layer's activation, initializer, regularizer or constraint outside its range.
    #[error("{layer}: {setting} of {field} {kind} is {found}, expected {expected}")]
    LayerSetting {
        /// The layer.
        layer: LayerName,
        /// The layer's field, such as `kernel_initializer`.
        field: &'static str,
        /// What the field is, such as `RandomNormal`.
        kind: &'static str,
        /// The setting.
        setting: &'static str,
        /// Its value.
        found: f64,
        /// What it may be.
        expected: &'static str,
    },
    /// Something for kernels in another place.
    #[error("{layer}: {field} is {kind}, which is for kernels only")]
    ForKernelsOnly {
        /// The layer.
        layer: LayerName,
        /// The layer's field, such as `bias_initializer`.
        field: &'static str,
        /// What the field is.
        kind: &'static str,
    },
    /// A kernel that is too large to be made or kept orthogonal.
    #[error("{layer}: {field} is Orthogonal for {found} {what}, expected at most {limit}")]
    TooManyOrthogonal {
        /// The layer.
        layer: LayerName,
        /// The layer's field: `kernel_initializer` or `kernel_regularizer`.
        field: &'static str,
        /// What there is too much of: weights, or vectors to compare.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many there may be.
        limit: usize,
    },
    /// A setting of an optimizer outside its range.
    #[error("{optimizer}: {setting} is {found}, expected {expected}")]
    OptimizerSetting {
        /// The optimizer.
        optimizer: &'static str,
        /// The setting.
        setting: &'static str,
        /// Its value.
        found: f64,
        /// What it may be.
        expected: &'static str,
    },
    /// A setting of a loss outside its range.
    #[error("{setting} of {loss} is {found}, expected {expected}")]
    LossSetting {
        /// The loss.
        loss: &'static str,
        /// The setting.
        setting: &'static str,
        /// Its value.
        found: f64,
        /// What it may be.
        expected: &'static str,
    },
    /// A custom loss of which there is only the name.
    #[error(
        "the loss is {name}, which is not one of densely's own, and a file holds no code: give it to Sequential::compile or \
         Model::set_loss as Loss::custom"
    )]
    CustomLoss {
        /// The name.
        name: String,
    },
    /// A loss and an end of the network that do not go together.
    #[error("{layer}: ends the network with {}, but {loss} needs {}", ending(*found), loss.needed_end(*found))]
    LossActivation {
        /// The last layer.
        layer: LayerName,
        /// The loss.
        loss: Loss,
        /// The last activation; `None` after dropout.
        found: Option<Activation>,
    },
    /// A penalty on probabilities that are never computed.
    #[error(
        "{layer}: activity_regularizer is on the {activation} that ends the network, but {loss} is computed from the logits \
         before it, expected none there"
    )]
    RegularizedEnd {
        /// The last layer.
        layer: LayerName,
        /// Its activation.
        activation: Activation,
        /// The loss.
        loss: Loss,
    },
    /// A loss that compares outputs, over one.
    #[error(
        "{layer}: ends the network with 1 unit, but {loss} needs at least 2, one for each class; for two classes on one \
         unit take BinaryCrossentropy"
    )]
    LossOutputs {
        /// The last layer.
        layer: LayerName,
        /// The loss.
        loss: Loss,
    },

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
    /// Features and labels that do not belong together.
    #[error(
        "{values} values were given for {samples} labels of {features} features each, expected {features} × {samples}"
    )]
    ValueCount {
        /// How many values there are.
        values: usize,
        /// How many labels there are.
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
    /// Training that went beyond what numbers can hold.
    #[error(
        "the loss is {loss} at step {step} of epoch {epoch}, expected a finite number; try a smaller learning rate"
    )]
    NonFinite {
        /// The epoch, from 1.
        epoch: usize,
        /// The step within the epoch, from 1.
        step: usize,
        /// The mean loss of that batch.
        loss: f64,
    },
    /// An epoch at whose end some parameter is infinite or not a number. They are left as they are.
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
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file that could not be written; what was there before is still there.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file whose content is wrong.
    #[error("{}: {source}", path.display())]
    InFile {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: Box<Error>,
    },
    /// Bytes that are not a safetensors file.
    #[error("not a safetensors file: {source}")]
    NotSafetensors {
        /// What the format's reader says.
        source: safetensors::SafeTensorError,
    },
    /// A safetensors file of something else.
    #[error("not a model of densely: the file's metadata has no entry \"densely\" with a checksum")]
    NotAModel,
    /// A file whose header is too long to be a model's.
    #[error(
        "not a model of densely: its first 8 bytes announce a header of {found} bytes, expected at most {limit}"
    )]
    HeaderTooLong {
        /// How long it is.
        found: u64,
        /// How long it may be.
        limit: u64,
    },
    /// A file from a newer version.
    #[error(
        "the model is in format {found}, this version reads up to format {supported}; a newer densely reads it"
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

fn at_field(field: &str) -> String {
    if field.is_empty() { String::new() } else { format!(", at {field}") }
}

fn did_you_mean(nearest: &Option<&'static str>) -> String {
    nearest.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default()
}

fn ending(found: Option<Activation>) -> String {
    found.map_or_else(|| String::from("dropout"), |activation| activation.to_string())
}
