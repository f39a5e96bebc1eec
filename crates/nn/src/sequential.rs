//! The description of a network: layers one after the other.

use crate::activations::Activation;
use crate::error::{Error, LayerName};
use crate::layers::Layer;
use crate::summary::Summary;
use crate::text;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

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
    /// The layers from input to output; at least one [`Dense`](crate::Dense).
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
    /// [`Error::NoInputs`], [`Error::NoUnits`], [`Error::DropoutRate`] outside 0 ≤ rate < 1, [`Error::LayerSetting`],
    /// [`Error::ForKernelsOnly`], [`Error::TooManyOrthogonal`], [`Error::SoftmaxOfOne`], [`Error::OddGlu`],
    /// [`Error::TooManyParameters`] beyond [`MAX_PARAMETERS`], and [`Error::NoParameters`] if there is nothing to learn.
    pub fn validate(&self) -> Result<(), Error> {
        if self.inputs == 0 {
            return Err(Error::NoInputs);
        }
        let mut parameters: usize = 0;
        for (index, (inputs, layer)) in self.layers_with_inputs().enumerate() {
            let name = || self.layer_name(index);
            match layer {
                Layer::Dense(dense) if dense.units == 0 => return Err(Error::NoUnits { layer: name() }),
                // Not `rate < 0 || rate >= 1`, which NaN would pass.
                Layer::Dropout(dropout) if !(0.0..1.0).contains(&dropout.rate) => {
                    return Err(Error::DropoutRate { layer: name(), rate: dropout.rate });
                }
                _ => {}
            }
            let units = layer.outputs(inputs);
            parameters = parameters.saturating_add(layer.parameter_count(inputs));
            if parameters > MAX_PARAMETERS {
                return Err(Error::TooManyParameters { layer: name(), inputs, units, limit: MAX_PARAMETERS });
            }
            layer.check_settings(inputs, &name)?;
            if units == 1
                && let Some((activation, always)) = layer.activation().and_then(Activation::over_one_unit)
            {
                return Err(Error::SoftmaxOfOne { layer: name(), activation, always });
            }
        }
        if parameters == 0 {
            return Err(Error::NoParameters);
        }
        Ok(())
    }

    /// The network as a table, as Keras prints it.
    pub fn summary(&self) -> Summary {
        Summary::of(self)
    }

    /// How many values per sample the network puts out.
    pub fn outputs(&self) -> usize {
        self.layers.iter().fold(self.inputs, |inputs, layer| layer.outputs(inputs))
    }

    /// How many numbers the network learns; `usize::MAX` if that overflows.
    pub fn parameter_count(&self) -> usize {
        self.layers_with_inputs()
            .fold(0, |count: usize, (inputs, layer)| count.saturating_add(layer.parameter_count(inputs)))
    }

    /// Each layer with the number of values per sample that enter it.
    pub fn layers_with_inputs(&self) -> impl Iterator<Item = (usize, &Layer)> {
        self.layers.iter().scan(self.inputs, |width, layer| {
            let inputs = *width;
            *width = layer.outputs(inputs);
            Some((inputs, layer))
        })
    }

    /// The layers' names, given as Keras gives them: `dense`, `dropout`, `dense_1`, `dropout_1`, …
    pub fn layer_names(&self) -> Vec<String> {
        let mut seen = HashMap::new();
        let name = |layer: &Layer| {
            let kind = layer.kind().to_lowercase();
            let number = seen.entry(layer.kind()).or_insert(0);
            let name = if *number == 0 { kind } else { format!("{kind}_{number}") };
            *number += 1;
            name
        };
        self.layers.iter().map(name).collect()
    }

    /// Reads a network from RON and [checks](Self::validate) it. Only what differs from the defaults has to be written.
    ///
    /// # Errors
    ///
    /// [`Error::Ron`] with line, column and field, or what is wrong with the network.
    pub fn from_ron(text: &str) -> Result<Self, Error> {
        let network: Self = text::from_ron(text)?;
        network.validate()?;
        Ok(network)
    }

    /// Writes the network as RON, with every field, so that it means the same whatever the defaults become.
    pub fn to_ron(&self) -> String {
        text::to_ron(self)
    }

    /// The layer at `index`, counted from 0, for a message.
    pub(crate) fn layer_name(&self, index: usize) -> LayerName {
        let name = self.layer_names().into_iter().nth(index).unwrap_or_default();
        LayerName { position: index + 1, name }
    }
}
