//! A penalty on what passes.

use crate::error::{Error, LayerName};
use crate::layers::description::LayerDescription;
use crate::regularizers::{L1L2, Regularizer};
use serde::{Deserialize, Serialize};

/// The identity, which adds `(l1·Σ|x| + l2·Σx²) / samples` over the batch to the loss. Keras's
/// `ActivityRegularization`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ActivityRegularization {
    /// The factor of absolute values; 0 or more. Default: 0.
    pub l1: f64,
    /// The factor of squares; 0 or more. Default: 0.
    pub l2: f64,
    /// What it is called. Default: its kind, and a number from the second of a kind on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl ActivityRegularization {
    pub(crate) fn regularizer(&self) -> Regularizer {
        L1L2 { l1: self.l1, l2: self.l2 }.into()
    }
}

impl LayerDescription for ActivityRegularization {
    fn kind(&self) -> &str {
        "ActivityRegularization"
    }

    fn check(&self, _: usize, layer: &dyn Fn() -> LayerName) -> Result<(), Error> {
        self.regularizer().check_settings().map_err(|fault| fault.of_layer(layer()))
    }
}
