//! Ranges of the settings that layers, activations, initializers, regularizers, constraints, losses,
//! optimizers, schedules and metrics have.
//!
//! The limits are those of single precision for `f64` networks too, so that a description is valid or not by itself.

use crate::error::{DescriptionError, Error, LayerName};
use crate::metrics::MetricError;

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
    pub(crate) fn of(self, layer: LayerName, field: String) -> Error {
        let Self { kind, setting, found, expected } = self;
        DescriptionError::LayerSetting { layer, field, kind, setting, found, expected }.into()
    }

    /// The error for a layer whose own setting it is.
    pub(crate) fn of_layer(self, layer: LayerName) -> Error {
        let Self { setting, found, expected, .. } = self;
        DescriptionError::OwnSetting { layer, setting, found, expected }.into()
    }

    /// The error for a loss.
    pub(crate) fn of_loss(self) -> Error {
        let Self { kind, setting, found, expected } = self;
        DescriptionError::LossSetting { loss: kind, setting, found, expected }.into()
    }

    /// The error for the optimizer that has the setting.
    pub(crate) fn of_optimizer(self) -> Error {
        let Self { kind: optimizer, setting, found, expected } = self;
        DescriptionError::OptimizerSetting { optimizer, setting, found, expected }.into()
    }

    /// The error for the optimizer whose schedule has the setting.
    pub(crate) fn of_schedule(self, optimizer: &'static str) -> Error {
        let Self { kind: schedule, setting, found, expected } = self;
        DescriptionError::ScheduleSetting { optimizer, schedule, setting, found, expected }.into()
    }

    /// The error for a metric that has the setting.
    pub(crate) fn of_metric(self) -> Error {
        let Self { kind, setting, found, expected } = self;
        MetricError::Setting { metric: kind, setting, found, expected }.into()
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

    pub(crate) fn finite_not_zero(self, setting: &'static str, found: f64) -> Result<(), OutOfRange> {
        let size = f64::from(f32::MIN_POSITIVE)..=f64::from(f32::MAX);
        let expected = "a number other than 0 that fits single precision";
        self.check(setting, found, size.contains(&found.abs()), expected)
    }

    /// A share that stays below 1 in single precision.
    pub(crate) fn share(self, setting: &'static str, found: f64) -> Result<(), OutOfRange> {
        let expected = "at least 0 and, in single precision, below 1";
        self.check(setting, found, found >= 0.0 && (found as f32) < 1.0, expected)
    }

    /// A share of units.
    pub(crate) fn rate(self, setting: &'static str, found: f64) -> Result<(), OutOfRange> {
        self.check(setting, found, (0.0..1.0).contains(&found), "at least 0 and below 1")
    }
}

/// Refuses a layer that has 0 of something.
pub(crate) fn at_least_one(
    setting: &'static str,
    found: usize,
    layer: &dyn Fn() -> LayerName,
) -> Result<(), Error> {
    if found == 0 {
        return Err(DescriptionError::OwnSetting {
            layer: layer(),
            setting,
            found: 0.0,
            expected: "at least 1",
        }
        .into());
    }
    Ok(())
}
