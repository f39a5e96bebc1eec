//! Samples as columns of numbers.

use crate::layers::description::LayerDescription;
use serde::{Deserialize, Serialize};

/// The identity: the samples of a [`Dataset`](crate::Dataset) are columns of numbers already. It is here so that a
/// network from a Keras tutorial can be written down line by line, and costs nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Flatten {
    /// What it is called. Default: its kind, and a number from the second of a kind on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl LayerDescription for Flatten {
    fn kind(&self) -> &str {
        "Flatten"
    }
}
