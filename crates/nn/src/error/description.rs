//! What can be wrong with a description.

use super::{LayerName, did_you_mean, nearest_of};
use crate::activations::Activation;
use crate::losses::Loss;

/// What can be wrong with a network, its loss, its optimizer, or the text that describes them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DescriptionError {
    /// A RON text that does not say what it should.
    #[error("line {line}, column {column}{}: {message}{}", at_field(field), did_you_mean(*nearest))]
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
    /// A description that cannot be written as RON.
    #[error("cannot be written as RON: {message}")]
    Unwritable {
        /// Why.
        message: String,
    },
    /// A network without inputs.
    #[error("inputs is 0, expected at least 1")]
    NoInputs,
    /// A network that has nothing to learn.
    #[error("the network has no layer with parameters, expected at least one, such as Dense")]
    NoParameters,
    /// A network in which training may change nothing.
    #[error("every layer with parameters is frozen, expected at least one that is trainable")]
    AllFrozen,
    /// A setting of a layer outside its range.
    #[error("{layer}: {setting} is {found}, expected {expected}")]
    OwnSetting {
        /// The layer.
        layer: LayerName,
        /// The setting, such as `rate`.
        setting: &'static str,
        /// Its value.
        found: f64,
        /// What it may be.
        expected: &'static str,
    },
    /// A block with a skip that puts out another number of values than enter it.
    #[error(
        "{layer}: {inputs} values enter the block and {outputs} leave its layers, expected as many, to be added"
    )]
    ResidualWidth {
        /// The block.
        layer: LayerName,
        /// Values per sample that enter.
        inputs: usize,
        /// Values per sample that leave its last layer.
        outputs: usize,
    },
    /// Blocks in blocks in blocks.
    #[error("{layer}: stands in {limit} blocks already, the most there may be")]
    TooDeep {
        /// The first layer that is too deep.
        layer: LayerName,
        /// How deep layers may stand.
        limit: usize,
    },
    /// A name that no layer has.
    #[error("no layer is named {name}, expected one of {}{}", names.join(", "), did_you_mean(nearest_of(name, names)))]
    NoSuchLayer {
        /// The name.
        name: String,
        /// The names of the layers.
        names: Vec<String>,
    },
    /// A layer of another crate in a text or file, whose code was not given.
    #[error(
        "{layer}: is the custom layer {kind}, whose code was not given; expected it among the custom layers"
    )]
    UnknownCustomLayer {
        /// The layer.
        layer: LayerName,
        /// Its kind.
        kind: String,
    },
    /// Two layers of other crates of one kind, of which a description cannot tell one from the other.
    #[error("two custom layers of the kind {kind} were given, expected one of each kind")]
    TwoCustomLayers {
        /// The kind.
        kind: String,
    },
    /// A kind that names cannot be made from.
    #[error("{layer}: its kind is {kind:?}, expected a letter, then letters, digits and underscores")]
    CustomKind {
        /// The layer.
        layer: LayerName,
        /// Its kind.
        kind: String,
    },
    /// A name of a layer that is no word.
    #[error("{layer}: its name is {name:?}, expected a letter, then letters, digits and underscores")]
    NameOfLayer {
        /// The layer.
        layer: LayerName,
        /// The name.
        name: String,
    },
    /// Two layers of one name.
    #[error("{layer}: layer {first} has this name already, expected another one")]
    TwoLayers {
        /// The second of them.
        layer: LayerName,
        /// The position of the first in the network, from 1; of a layer in a block, the block's.
        first: usize,
    },
    /// A tensor without numbers.
    #[error("{layer}: its weight {weight} has no values, expected at least 1")]
    EmptyWeight {
        /// The layer.
        layer: LayerName,
        /// The tensor's name in it.
        weight: &'static str,
    },
    /// Two tensors of one name.
    #[error("{layer}: two of its weights are named {weight}, expected different names")]
    TwoWeights {
        /// The layer.
        layer: LayerName,
        /// The name.
        weight: &'static str,
    },
    /// What a layer of another crate says of its own settings.
    #[error("{layer}: {problem}")]
    CustomLayer {
        /// The layer.
        layer: LayerName,
        /// What is wrong.
        problem: Box<dyn std::error::Error + Send + Sync>,
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
        field: String,
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
        field: String,
        /// What the field is.
        kind: &'static str,
    },
    /// A kernel that is too large to be made or kept orthogonal.
    #[error("{layer}: {field} is Orthogonal for {found} {what}, expected at most {limit}")]
    TooManyOrthogonal {
        /// The layer.
        layer: LayerName,
        /// The layer's field: `kernel_initializer` or `kernel_regularizer`.
        field: String,
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
    /// A setting of an optimizer's learning-rate schedule outside its range.
    #[error("{optimizer}: {setting} of learning_rate {schedule} is {found}, expected {expected}")]
    ScheduleSetting {
        /// The optimizer.
        optimizer: &'static str,
        /// Its schedule.
        schedule: &'static str,
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
    /// Two settings of an optimizer that exclude each other.
    #[error("{optimizer}: {setting} is set together with {other}, expected one of them at most")]
    OptimizerConflict {
        /// The optimizer.
        optimizer: &'static str,
        /// The one setting.
        setting: &'static str,
        /// The other.
        other: &'static str,
    },
    /// A name among those that an optimizer is to leave out, which no layer has.
    #[error(
        "{optimizer}: exclude_layers names {found}, which no tensor has in its name, expected one of {layers}{}",
        did_you_mean(nearest.as_deref())
    )]
    ExcludedLayer {
        /// The optimizer.
        optimizer: &'static str,
        /// The name.
        found: String,
        /// The names of the layers that have tensors.
        layers: String,
        /// Of these and of the tensors' names the one most like it.
        nearest: Option<String>,
    },
    /// A constraint in a network that is to be trained along lines.
    #[error(
        "{tensor} has a constraint, which L-BFGS cannot keep; expected none, or training with an optimizer"
    )]
    ConstrainedLbfgs {
        /// The first such tensor.
        tensor: String,
    },
    /// A layer with moving statistics in a network that is to be trained along lines.
    #[error(
        "{layer} is a trainable BatchNormalization, whose moving statistics L-BFGS would not move; expected none, a frozen one, \
         or training with an optimizer"
    )]
    BatchNormalizationLbfgs {
        /// The first such layer.
        layer: String,
    },
    /// A learning rate to be set where a schedule gives it.
    #[error(
        "the learning rate of {optimizer} follows a schedule and cannot be set, expected a number in its place"
    )]
    ScheduledLearningRate {
        /// The optimizer.
        optimizer: &'static str,
    },
    /// A loss and an end of the network that do not go together.
    #[error("{layer}: ends the network with {}, but {loss} needs {}", ending(*found, kind), loss.needed_end(*found))]
    LossActivation {
        /// The last layer.
        layer: LayerName,
        /// Its kind.
        kind: Box<str>,
        /// The loss.
        loss: Loss,
        /// The last activation; `None` of a layer that is the identity in prediction.
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
}

fn at_field(field: &str) -> String {
    if field.is_empty() { String::new() } else { format!(", at {field}") }
}

fn ending(found: Option<Activation>, kind: &str) -> String {
    found.map_or_else(|| kind.to_owned(), |activation| activation.to_string())
}
