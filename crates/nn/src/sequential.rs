//! The description of a network: layers one after the other.

use crate::error::{DescriptionError, Error, LayerName};
use crate::layers::{Custom, Layer, MAX_NESTING, is_word};
use crate::summary::Summary;
use crate::text;
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};

/// The most parameters that a network may have, 2³¹: 8 GiB in single precision. A larger description is refused before
/// anything is allocated.
pub const MAX_PARAMETERS: usize = 1 << 31;

/// A network as a list of layers, each fed by the one before: plain data, without buffers.
///
/// In Rust it is built layer by layer; in RON the same network reads
///
/// ```
/// # use densely::{Activation, Dense, Dropout, Sequential};
/// let text = "Sequential(
///     inputs: 784,
///     layers: [
///         Dense(units: 512, activation: Relu),
///         Dropout(rate: 0.2),
///         Dense(units: 10, activation: Softmax),
///     ],
/// )";
/// let built = Sequential::new(784)
///     .add(Dense::new(512).activation(Activation::Relu))
///     .add(Dropout::new(0.2))
///     .add(Dense::new(10).activation(Activation::Softmax));
/// assert_eq!(Sequential::from_ron(text)?, built);
/// # Ok::<(), densely::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sequential {
    /// How many values a sample has; at least 1.
    pub inputs: usize,
    /// The layers from input to output; at least one with parameters, such as a [`Dense`](crate::Dense).
    pub layers: Vec<Layer>,
}

impl Sequential {
    /// A network without layers for samples of `inputs` values.
    pub fn new(inputs: usize) -> Self {
        Self { inputs, layers: Vec::new() }
    }

    /// Puts a layer at the end.
    #[expect(
        clippy::should_implement_trait,
        reason = "Keras's name for it; a layer is not added like a number"
    )]
    pub fn add(mut self, layer: impl Into<Layer>) -> Self {
        self.layers.push(layer.into());
        self
    }

    /// Checks the network as a whole. The message names the layer by its position and its name, what was found there and
    /// what is needed.
    ///
    /// ```
    /// # use densely::{Dense, Sequential};
    /// let error = Sequential::new(784).add(Dense::new(0)).validate().unwrap_err();
    /// assert_eq!(error.to_string(), "layer 1 (dense): units is 0, expected at least 1");
    /// ```
    ///
    /// # Errors
    ///
    /// [`DescriptionError::NoInputs`], [`DescriptionError::TwoLayers`] of the same name, [`DescriptionError::NameOfLayer`],
    /// [`DescriptionError::TooDeep`], [`DescriptionError::OwnSetting`] of a layer outside its range,
    /// [`DescriptionError::LayerSetting`] of what belongs to it, [`DescriptionError::ForKernelsOnly`], [`DescriptionError::TooManyOrthogonal`],
    /// [`DescriptionError::SoftmaxOfOne`], [`DescriptionError::OddGlu`], [`DescriptionError::EmptyWeight`], [`DescriptionError::TwoWeights`], [`DescriptionError::CustomKind`], [`DescriptionError::ResidualWidth`], [`DescriptionError::UnknownCustomLayer`],
    /// [`DescriptionError::CustomLayer`], [`DescriptionError::TooManyParameters`] beyond [`MAX_PARAMETERS`], and [`DescriptionError::NoParameters`] if no layer has any.
    pub fn validate(&self) -> Result<(), Error> {
        if self.inputs == 0 {
            return Err(DescriptionError::NoInputs.into());
        }
        let (mut parameters, mut positions) = (0_usize, HashMap::new());
        for placed in self.walk() {
            let name = || placed.layer_name();
            if let Some(first) = positions.insert(placed.name.clone(), placed.position) {
                return Err(DescriptionError::TwoLayers { layer: name(), first }.into());
            }
            if let Some(given) = placed.layer.name().filter(|given| !is_word(given)) {
                return Err(DescriptionError::NameOfLayer { layer: name(), name: given.to_owned() }.into());
            }
            if placed.depth > MAX_NESTING {
                return Err(DescriptionError::TooDeep { layer: name(), limit: MAX_NESTING }.into());
            }
            let (inputs, layer) = (placed.inputs, placed.layer.description());
            layer.check(inputs, &name)?;
            if layer.outputs(inputs) == 0 {
                let (setting, expected) = ("the number of outputs", "at least 1");
                return Err(
                    DescriptionError::OwnSetting { layer: name(), setting, found: 0.0, expected }.into()
                );
            }
            let weights = layer.weights(inputs);
            for (index, weight) in weights.iter().enumerate() {
                if weight.shape.count() == 0 {
                    return Err(DescriptionError::EmptyWeight { layer: name(), weight: weight.name }.into());
                }
                if weights[..index].iter().any(|other| other.name == weight.name) {
                    return Err(DescriptionError::TwoWeights { layer: name(), weight: weight.name }.into());
                }
                parameters = parameters.saturating_add(weight.shape.count());
            }
            if parameters > MAX_PARAMETERS {
                let units = layer.outputs(inputs);
                return Err(DescriptionError::TooManyParameters {
                    layer: name(),
                    inputs,
                    units,
                    limit: MAX_PARAMETERS,
                }
                .into());
            }
            for weight in &weights {
                weight.check(&name)?;
            }
        }
        // A layer's own fault is named before the width that follows from it.
        for placed in self.walk() {
            if let Layer::Residual(block) = placed.layer {
                let (inputs, outputs) = (placed.inputs, outputs(&block.layers, placed.inputs));
                if outputs != inputs {
                    return Err(DescriptionError::ResidualWidth {
                        layer: placed.layer_name(),
                        inputs,
                        outputs,
                    }
                    .into());
                }
            }
        }
        if parameters == 0 {
            return Err(DescriptionError::NoParameters.into());
        }
        Ok(())
    }

    /// The network as a table, as Keras prints it.
    pub fn summary(&self) -> Summary {
        Summary::of(self)
    }

    /// How many values per sample the network puts out.
    pub fn outputs(&self) -> usize {
        outputs(&self.layers, self.inputs)
    }

    /// How many numbers belong to the network's layers, learned or not; `usize::MAX` if that overflows.
    pub fn parameter_count(&self) -> usize {
        let layers = self.walk();
        let weights = layers.iter().flat_map(|placed| placed.layer.description().weights(placed.inputs));
        weights.fold(0, |count: usize, weight| count.saturating_add(weight.shape.count()))
    }

    /// Each layer with the number of values per sample that enter it; a block counts as one layer.
    pub fn layers_with_inputs(&self) -> impl Iterator<Item = (usize, &Layer)> {
        self.layers.iter().scan(self.inputs, |width, layer| {
            let inputs = *width;
            *width = layer.outputs(inputs);
            Some((inputs, layer))
        })
    }

    /// The layers' names: those that they were given, and of others the kind with a number from the second of a kind on, as Keras
    /// has it: `dense`, `dropout`, `dense_1`, `batch_normalization`, …
    ///
    /// ```
    /// # use densely::{Dense, Dropout, Sequential};
    /// let network = Sequential::new(4).add(Dense::new(3).name("hidden")).add(Dropout::new(0.2)).add(Dense::new(2));
    /// assert_eq!(network.layer_names(), ["hidden", "dropout", "dense"]);
    /// ```
    pub fn layer_names(&self) -> Vec<String> {
        names(&self.layers)
    }

    /// Every layer with its place, from input to output; a block comes before the layers in it.
    pub(crate) fn walk(&self) -> Vec<Placed<'_>> {
        let mut placed = Vec::new();
        for (index, ((inputs, layer), name)) in self.layers_with_inputs().zip(self.layer_names()).enumerate()
        {
            walk_into(&mut placed, Placed { position: index + 1, name, depth: 0, inputs, layer });
        }
        placed
    }

    /// Lets training change the layer of this name, or freezes it; of a block, all layers in it.
    ///
    /// ```
    /// # use densely::{Dense, Sequential};
    /// let mut network = Sequential::new(4).add(Dense::new(3)).add(Dense::new(2));
    /// network.set_trainable("dense", false)?;
    /// assert_eq!(network.summary().non_trainable, 4 * 3 + 3);
    /// # Ok::<(), densely::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`DescriptionError::NoSuchLayer`] if no layer has the name.
    pub fn set_trainable(&mut self, name: &str, trainable: bool) -> Result<(), Error> {
        let names = self.layer_names();
        let Some(index) = names.iter().position(|one| one == name) else {
            return Err(DescriptionError::NoSuchLayer { name: name.to_owned(), names }.into());
        };
        self.layers[index].set_trainable(trainable);
        Ok(())
    }

    /// Gives layers of other crates that were read from a text their code.
    ///
    /// # Errors
    ///
    /// [`DescriptionError::TwoCustomLayers`] if two of them are of one kind.
    pub(crate) fn fill_in_custom(&mut self, custom: &[Custom]) -> Result<(), Error> {
        for (index, one) in custom.iter().enumerate() {
            if custom[..index].iter().any(|other| other.kind_name() == one.kind_name()) {
                return Err(DescriptionError::TwoCustomLayers { kind: one.kind_name().to_owned() }.into());
            }
        }
        for layer in &mut self.layers {
            layer.fill_in_custom(custom);
        }
        Ok(())
    }

    /// Reads a network from RON and [checks](Self::validate) it. Only what differs from the defaults has to be written.
    ///
    /// # Errors
    ///
    /// [`DescriptionError::Ron`] with line, column and field, or what is wrong with the network.
    pub fn from_ron(text: &str) -> Result<Self, Error> {
        Self::from_ron_with(text, &[])
    }

    /// The same for a network with layers of other crates, whose code cannot be in the text.
    ///
    /// # Errors
    ///
    /// As [`from_ron`](Self::from_ron); [`DescriptionError::UnknownCustomLayer`] for a layer that is not in `custom`.
    pub fn from_ron_with(text: &str, custom: &[Custom]) -> Result<Self, Error> {
        let mut network: Self = text::from_ron(text)?;
        network.fill_in_custom(custom)?;
        network.validate()?;
        Ok(network)
    }

    /// Writes the network as RON, with every field, so that it means the same whatever the defaults become.
    ///
    /// # Errors
    ///
    /// [`DescriptionError::Unwritable`] if blocks stand in blocks so deep that no reader would follow, some 20 levels; a
    /// [valid](Self::validate) network's do not.
    pub fn to_ron(&self) -> Result<String, Error> {
        text::to_ron(self)
    }

    /// The layer at `index`, counted from 0, for a message.
    pub(crate) fn layer_name(&self, index: usize) -> LayerName {
        let name = self.layer_names().into_iter().nth(index).unwrap_or_default();
        LayerName { position: index + 1, name }
    }
}

/// A layer and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Placed<'a> {
    /// The position in the network, from 1; the layers in a block have the block's.
    position: usize,
    /// The name, behind those of the blocks that the layer stands in: `residual.dense`.
    pub(crate) name: String,
    /// In how many blocks the layer stands.
    pub(crate) depth: usize,
    /// How many values per sample enter it.
    pub(crate) inputs: usize,
    pub(crate) layer: &'a Layer,
}

impl Placed<'_> {
    /// For a message.
    pub(crate) fn layer_name(&self) -> LayerName {
        LayerName { position: self.position, name: self.name.clone() }
    }
}

/// Puts a layer, and then the layers in it, behind those that were placed. Stops one level below the deepest that is
/// allowed, for [`Sequential::validate`] to see.
fn walk_into<'a>(placed: &mut Vec<Placed<'a>>, outer: Placed<'a>) {
    let (position, depth, mut inputs) = (outer.position, outer.depth + 1, outer.inputs);
    let layers = if depth <= MAX_NESTING + 1 { outer.layer.inner() } else { &[] };
    let prefix = outer.name.clone();
    placed.push(outer);
    for (layer, name) in layers.iter().zip(names(layers)) {
        walk_into(placed, Placed { position, name: format!("{prefix}.{name}"), depth, inputs, layer });
        inputs = layer.outputs(inputs);
    }
}

/// How many values per sample leave a chain of layers.
fn outputs(layers: &[Layer], inputs: usize) -> usize {
    layers.iter().fold(inputs, |inputs, layer| layer.outputs(inputs))
}

/// The names of the layers of a chain: those that were given, else the kind in snake case, and from the second on a number.
fn names(layers: &[Layer]) -> Vec<String> {
    let given = layers.iter().filter_map(Layer::name).map(str::to_owned);
    let (mut names, mut taken, mut seen) =
        (Vec::with_capacity(layers.len()), given.collect::<HashSet<_>>(), HashMap::new());
    for layer in layers {
        if let Some(name) = layer.name() {
            names.push(name.to_owned());
            continue;
        }
        let kind = snake_case(layer.description().kind());
        let number = seen.entry(kind.clone()).or_insert(0);
        let mut name = if *number == 0 { kind.clone() } else { format!("{kind}_{number}") };
        // A layer of another crate may be of the kind `Dense_1`, and another layer may have been given this name.
        while !taken.insert(name.clone()) {
            *number += 1;
            name = format!("{kind}_{number}");
        }
        *number += 1;
        names.push(name);
    }
    names
}

/// `BatchNormalization` becomes `batch_normalization`.
fn snake_case(kind: &str) -> String {
    let mut name = String::new();
    for (index, character) in kind.chars().enumerate() {
        if character.is_uppercase() && index > 0 {
            name.push('_');
        }
        name.extend(character.to_lowercase());
    }
    name
}
