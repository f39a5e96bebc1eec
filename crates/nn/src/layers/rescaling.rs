//! A fixed scale and offset.

use crate::error::{Error, LayerName};
use crate::layers::description::LayerDescription;
use crate::layers::features::map;
use crate::layers::pass::{Backward, Forward, LayerPass};
use crate::settings::SettingsOf;
use densely_tensor::Scalar;
use serde::{Deserialize, Serialize};

/// `y = scale·x + offset`. Keras's `Rescaling`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rescaling {
    /// What each value is multiplied by; not 0.
    pub scale: f64,
    /// What is added then. Default: 0.
    #[serde(default)]
    pub offset: f64,
    /// What it is called. Default: its kind, and a number from the second of a kind on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl Rescaling {
    /// Multiplication by `scale`.
    pub fn new(scale: f64) -> Self {
        Self { scale, offset: 0.0, name: None }
    }

    /// Sets what is added.
    pub fn offset(mut self, offset: f64) -> Self {
        self.offset = offset;
        self
    }
}

impl LayerDescription for Rescaling {
    fn kind(&self) -> &str {
        "Rescaling"
    }

    fn check(&self, _: usize, layer: &dyn Fn() -> LayerName) -> Result<(), Error> {
        let settings = SettingsOf("Rescaling");
        settings.finite("offset", self.offset).map_err(|fault| fault.of_layer(layer()))?;
        settings.finite_not_zero("scale", self.scale).map_err(|fault| fault.of_layer(layer()))
    }
}

impl<T: Scalar> LayerPass<T> for Rescaling {
    fn forward(&self, pass: Forward<'_, T>) {
        let (scale, offset) = (T::from_f64(self.scale), T::from_f64(self.offset));
        map(pass.pool, pass.input, pass.output, |_, x| x * scale + offset);
    }

    fn backward(&self, pass: Backward<'_, T>) {
        let scale = T::from_f64(self.scale);
        if let Some(input_gradient) = pass.input_gradient {
            map(pass.pool, pass.output_gradient, input_gradient, |_, g| g * scale);
        }
    }
}
