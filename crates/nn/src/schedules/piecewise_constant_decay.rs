//! Piecewise constant rates.

use crate::settings::{OutOfRange, SettingsOf};
use serde::{Deserialize, Serialize};

/// `values[i]`, where i of the boundaries lie before the step: a boundary is the last step of the value before it. Keras's
/// `PiecewiseConstantDecay`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PiecewiseConstantDecay {
    /// The last step of each value but the last; each above the one before.
    pub boundaries: Vec<u64>,
    /// The rates, one more than there are boundaries; at least 0.
    pub values: Vec<f64>,
}

impl PiecewiseConstantDecay {
    /// These values with these boundaries.
    pub fn new(boundaries: Vec<u64>, values: Vec<f64>) -> Self {
        Self { boundaries, values }
    }

    pub(super) fn at(&self, step: f64) -> f64 {
        let passed = self.boundaries.iter().filter(|&&boundary| step > boundary as f64).count();
        self.values.get(passed).copied().unwrap_or_default()
    }

    pub(super) fn check(&self, settings: SettingsOf) -> Result<(), OutOfRange> {
        let counts = self.values.len() == self.boundaries.len() + 1;
        settings.check("length", self.values.len() as f64, counts, "one value more than boundaries")?;
        for pair in self.boundaries.windows(2) {
            let rising = pair[0] < pair[1];
            settings.check("boundary", pair[1] as f64, rising, "more than the boundary before it")?;
        }
        self.values.iter().try_for_each(|&value| settings.not_negative("value", value))
    }
}
