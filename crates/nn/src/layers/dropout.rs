//! Dropout.

use crate::error::{Error, LayerName};
use crate::layers::description::LayerDescription;
use crate::settings::SettingsOf;
use serde::{Deserialize, Serialize};

/// Sets each value to 0 with probability `rate` while training, and divides the others by `1 − rate`, so that the
/// expected sum stays; in evaluation and prediction it changes nothing.
///
/// Inverted dropout as in Keras, after Srivastava et al., "Dropout: a simple way to prevent neural networks from
/// overfitting", JMLR 15 (2014), section 10.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dropout {
    /// The probability that a value is dropped: at least 0 and below 1. Training takes the nearest multiple of
    /// 1/65,536 below 1.
    pub rate: f64,
    /// What it is called. Default: its kind, and a number from the second of a kind on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl Dropout {
    /// Dropout with this `rate`.
    pub fn new(rate: f64) -> Self {
        Self { rate, name: None }
    }
}

impl LayerDescription for Dropout {
    fn kind(&self) -> &str {
        "Dropout"
    }

    fn check(&self, _: usize, layer: &dyn Fn() -> LayerName) -> Result<(), Error> {
        SettingsOf("Dropout").rate("rate", self.rate).map_err(|fault| fault.of_layer(layer()))
    }
}
