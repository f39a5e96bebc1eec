//! The fully connected layer.

use crate::activations::Activation;
use crate::initializers::Initializer;
use serde::{Deserialize, Serialize};

/// A fully connected layer: `Y = f(W·X + b)`.
///
/// `X` is inputs × batch (a sample is a column), the kernel `W` is units × inputs, the bias `b` has one value per unit,
/// `f` is the [activation](Activation), and `Y` is units × batch. In memory (column-major) the kernel has the bytes of
/// Keras's row-major inputs × units kernel. Names and defaults are those of Keras's `Dense`.
///
/// ```
/// # use densely::{Activation, Dense, Initializer};
/// let layer = Dense::new(512).activation(Activation::Relu).kernel_initializer(Initializer::HeNormal);
/// assert_eq!(layer.parameter_count(784), 784 * 512 + 512);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dense {
    /// How many values per sample the layer puts out; at least 1.
    pub units: usize,
    /// The function of each sum. Default: [`Activation::Linear`].
    #[serde(default)]
    pub activation: Activation,
    /// Whether `b` is there. Default: `true`.
    #[serde(default = "with_bias")]
    pub use_bias: bool,
    /// How `W` starts. Default: [`Initializer::GlorotUniform`].
    #[serde(default)]
    pub kernel_initializer: Initializer,
    /// How `b` starts. Default: [`Initializer::Zeros`].
    #[serde(default = "zeros")]
    pub bias_initializer: Initializer,
}

impl Dense {
    /// A layer of `units` units, everything else by default.
    pub fn new(units: usize) -> Self {
        Self {
            units,
            activation: Activation::default(),
            use_bias: with_bias(),
            kernel_initializer: Initializer::default(),
            bias_initializer: zeros(),
        }
    }

    /// Sets the activation function.
    pub fn activation(mut self, activation: Activation) -> Self {
        self.activation = activation;
        self
    }

    /// Sets whether there is a bias.
    pub fn use_bias(mut self, use_bias: bool) -> Self {
        self.use_bias = use_bias;
        self
    }

    /// Sets how the kernel starts.
    pub fn kernel_initializer(mut self, initializer: Initializer) -> Self {
        self.kernel_initializer = initializer;
        self
    }

    /// Sets how the bias starts.
    pub fn bias_initializer(mut self, initializer: Initializer) -> Self {
        self.bias_initializer = initializer;
        self
    }

    /// `units · inputs`, and `units` more with a bias; `usize::MAX` if that overflows.
    pub fn parameter_count(&self, inputs: usize) -> usize {
        self.units.saturating_mul(inputs.saturating_add(usize::from(self.use_bias)))
    }
}

fn with_bias() -> bool {
    true
}

fn zeros() -> Initializer {
    Initializer::Zeros
}
