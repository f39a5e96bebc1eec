//! Layers as described: what they are, not yet the buffers that run them.

mod dense;
mod dropout;

pub use dense::Dense;
pub use dropout::Dropout;

use crate::activations::Activation;
use crate::error::{Error, LayerName};
use serde::{Deserialize, Serialize};

/// One layer of a [`Sequential`](crate::Sequential).
///
/// In RON the variant and its fields are written together: `Dense(units: 512, activation: Relu)`, `Dropout(rate: 0.2)`,
/// `Activation(Softmax)`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Layer {
    /// A fully connected layer.
    Dense(Dense),
    /// An activation function as a layer of its own.
    Activation(Activation),
    /// Dropout of single units.
    Dropout(Dropout),
}

impl Layer {
    /// The layer's kind as in [`Summary`](crate::Summary): `"Dense"`, `"Activation"` or `"Dropout"`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Dense(_) => "Dense",
            Self::Activation(_) => "Activation",
            Self::Dropout(_) => "Dropout",
        }
    }

    /// How many values per sample leave the layer when `inputs` enter it.
    pub fn outputs(&self, inputs: usize) -> usize {
        match self {
            Self::Dense(dense) => dense.activation.outputs(dense.units),
            Self::Activation(activation) => activation.outputs(inputs),
            Self::Dropout(_) => inputs,
        }
    }

    /// How many numbers the layer learns when `inputs` values per sample enter it; `usize::MAX` if that overflows.
    pub fn parameter_count(&self, inputs: usize) -> usize {
        match self {
            Self::Dense(dense) => dense.parameter_count(inputs),
            Self::Activation(_) | Self::Dropout(_) => 0,
        }
    }

    /// Checks the layer's settings, when `inputs` values per sample enter it; `layer` names it for the error.
    pub(crate) fn check_settings(&self, inputs: usize, layer: &dyn Fn() -> LayerName) -> Result<(), Error> {
        match self {
            Self::Dense(dense) => dense.check_settings(inputs, layer),
            Self::Activation(activation) => activation.check(inputs, layer),
            Self::Dropout(_) => Ok(()),
        }
    }

    /// The function that is applied last in this layer; `None` for dropout, which is the identity in prediction.
    pub fn activation(&self) -> Option<Activation> {
        match self {
            Self::Dense(dense) => Some(dense.activation),
            Self::Activation(activation) => Some(*activation),
            Self::Dropout(_) => None,
        }
    }
}

impl From<Dense> for Layer {
    fn from(dense: Dense) -> Self {
        Self::Dense(dense)
    }
}

impl From<Activation> for Layer {
    fn from(activation: Activation) -> Self {
        Self::Activation(activation)
    }
}

impl From<Dropout> for Layer {
    fn from(dropout: Dropout) -> Self {
        Self::Dropout(dropout)
    }
}
