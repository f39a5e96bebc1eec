//! A block with a skip.

use crate::layers::Layer;
use crate::layers::description::LayerDescription;
use serde::{Deserialize, Serialize};

/// `y = x + f(x)`, where f is a chain of layers that puts out as many values as enter it (K. He et al., "Deep residual
/// learning for image recognition", CVPR 2016, equation 1).
///
/// In Keras this is `keras.layers.Add` over a functional model; here it is one layer, whose own layers are named behind
/// it: `residual.dense`.
///
/// ```
/// # use densely::{Activation, Dense, Sequential, layers::Residual};
/// let block = Residual::new().add(Dense::new(64).activation(Activation::Relu)).add(Dense::new(32));
/// let network = Sequential::new(32).add(block).add(Dense::new(10));
/// assert_eq!(network.parameter_count(), (32 * 64 + 64) + (64 * 32 + 32) + (32 * 10 + 10));
/// # Ok::<(), densely::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Residual {
    /// The layers of f, from input to output.
    pub layers: Vec<Layer>,
    /// What it is called. Default: its kind, and a number from the second of a kind on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// How deep blocks may stand in each other.
pub const MAX_NESTING: usize = 8;

impl Residual {
    /// A block without layers.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts a layer at the end of f.
    #[expect(
        clippy::should_implement_trait,
        reason = "the name that Sequential has for it; a layer is not added like a number"
    )]
    pub fn add(mut self, layer: impl Into<Layer>) -> Self {
        self.layers.push(layer.into());
        self
    }
}

impl LayerDescription for Residual {
    fn kind(&self) -> &str {
        "Residual"
    }
}
