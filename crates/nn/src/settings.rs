//! Ranges of the settings that activations, initializers, regularizers, constraints and losses have.
//!
//! The limits are those of single precision for `f64` networks too, so that a description is valid or not by itself.

use crate::error::{Error, LayerName};

/// A setting outside its range, before it is known what it belongs to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct OutOfRange {
    kind: &'static str,
    setting: &'static str,
    found: f64,
    expected: &'static str,
}

impl OutOfRange {
    /// The error for a layer whose `field` has the setting.
    pub(crate) fn of(self, layer: LayerName, field: &'static str) -> Error {
        let Self { kind, setting, found, expected } = self;
        Error::LayerSetting { layer, field, kind, setting, found, expected }
    }

    /// The error for a loss.
    pub(crate) fn of_loss(self) -> Error {
        let Self { kind, setting, found, expected } = self;
        Error::LossSetting { loss: kind, setting, found, expected }
    }
}

/// Checks the settings of the kind with this name. NaN is in no range.
#[derive(Clone, Copy)]
pub(crate) struct SettingsOf(pub(crate) &'static str);

impl SettingsOf {
    pub(crate) fn check(
        self,
        setting: &'static str,
        found: f64,
        in_range: bool,
        expected: &'static str,
    ) -> Result<(), OutOfRange> {
        if in_range { Ok(()) } else { Err(OutOfRange { kind: self.0, setting, found, expected }) }
    }

    pub(crate) fn positive(self, setting: &'static str, found: f64) -> Result<(), OutOfRange> {
        let in_range = (f64::from(f32::MIN_POSITIVE)..=f64::from(f32::MAX)).contains(&found);
        self.check(setting, found, in_range, "a number above 0 that fits single precision")
    }

    pub(crate) fn not_negative(self, setting: &'static str, found: f64) -> Result<(), OutOfRange> {
        let in_range = (0.0..=f64::from(f32::MAX)).contains(&found);
        self.check(setting, found, in_range, "0 or a number above 0 that fits single precision")
    }

    pub(crate) fn finite(self, setting: &'static str, found: f64) -> Result<(), OutOfRange> {
        let in_range = found.abs() <= f64::from(f32::MAX);
        self.check(setting, found, in_range, "a number that fits single precision")
    }
}
