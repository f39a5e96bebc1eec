//! Uniform starts.

use crate::settings::{OutOfRange, SettingsOf};
use densely_tensor::Scalar;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Uniform};
use serde::{Deserialize, Serialize};

/// Uniform from `minval` to below `maxval`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RandomUniform {
    /// The lower end. Default: −0.05.
    pub minval: f64,
    /// The upper end, not below the lower one; if they are the same, so are all values. Default: 0.05.
    pub maxval: f64,
}

impl Default for RandomUniform {
    fn default() -> Self {
        Self { minval: -0.05, maxval: 0.05 }
    }
}

impl RandomUniform {
    pub(super) fn fill<T: Scalar>(self, values: &mut [T], stream: &mut ChaCha8Rng) {
        fill_uniform(values, self.minval, self.maxval, stream);
    }

    pub(super) fn check_settings(self) -> Result<(), OutOfRange> {
        let Self { minval, maxval } = self;
        let settings = SettingsOf("RandomUniform");
        settings.finite("minval", minval)?;
        settings.finite("maxval", maxval)?;
        settings.check("maxval", maxval, maxval >= minval, "a number that is not below minval")
    }
}

pub(super) fn fill_uniform<T: Scalar>(values: &mut [T], low: f64, high: f64, stream: &mut ChaCha8Rng) {
    match Uniform::new(low, high) {
        Ok(uniform) => values.fill_with(|| T::from_f64(uniform.sample(stream))),
        // An empty range has one value, its end.
        Err(_) => values.fill(T::from_f64(low)),
    }
}
