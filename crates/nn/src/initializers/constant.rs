//! Starts that need no random number.

use crate::settings::{OutOfRange, SettingsOf};
use densely_tensor::Scalar;
use serde::{Deserialize, Serialize};

/// All the same `value`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Constant {
    /// The value. Default: 0.
    pub value: f64,
}

impl Constant {
    pub(super) fn check_settings(self) -> Result<(), OutOfRange> {
        SettingsOf("Constant").finite("value", self.value)
    }
}

/// `gain` where unit and input have the same number, 0 elsewhere: the identity matrix if there are as many units as inputs.
/// Only for kernels.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Identity {
    /// What the identity is multiplied by. Default: 1.
    pub gain: f64,
}

impl Default for Identity {
    fn default() -> Self {
        Self { gain: 1.0 }
    }
}

impl Identity {
    pub(super) fn fill<T: Scalar>(self, kernel: &mut [T], units: usize) {
        kernel.fill(T::ZERO);
        // Without units there are no weights either, but pieces of no length are not to be had.
        for (input, weights) in kernel.chunks_exact_mut(units.max(1)).enumerate().take(units) {
            weights[input] = T::from_f64(self.gain);
        }
    }

    pub(super) fn check_settings(self) -> Result<(), OutOfRange> {
        SettingsOf("Identity").finite("gain", self.gain)
    }
}
