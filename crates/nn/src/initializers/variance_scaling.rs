//! Starts whose variance follows from the shape of the kernel.

use super::normal::{fill_cut_normal, fill_normal};
use super::uniform::fill_uniform;
use crate::settings::{OutOfRange, SettingsOf};
use densely_tensor::Scalar;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// Mean 0 and variance `scale / fan`, where the fan is the kernel's inputs, its units, or their mean.
///
/// The named ones are instances of it, with the same draws:
///
/// | | `scale` | `mode` | `distribution` |
/// | --- | --- | --- | --- |
/// | `GlorotUniform`, `GlorotNormal` | 1 | `FanAvg` | `Uniform`, `TruncatedNormal` |
/// | `HeUniform`, `HeNormal` | 2 | `FanIn` | `Uniform`, `TruncatedNormal` |
/// | `LecunUniform`, `LecunNormal` | 1 | `FanIn` | `Uniform`, `TruncatedNormal` |
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VarianceScaling {
    /// What is divided by the fan; above 0. Default: 1.
    pub scale: f64,
    /// Which fan. Default: [`FanMode::FanIn`].
    pub mode: FanMode,
    /// The form of the distribution. Default: [`Distribution::TruncatedNormal`].
    pub distribution: Distribution,
}

/// By what [`VarianceScaling`] divides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum FanMode {
    /// The inputs, so that sums of inputs keep their variance.
    #[default]
    FanIn,
    /// The units, so that gradients keep theirs.
    FanOut,
    /// The mean of both.
    FanAvg,
}

/// How the values of [`VarianceScaling`] are distributed; the variance is the same for all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Distribution {
    /// Normal, cut at two standard deviations of the normal distribution before the cut, `√(scale/fan) / 0.8796`.
    #[default]
    TruncatedNormal,
    /// Normal.
    UntruncatedNormal,
    /// Uniform between `±√(3·scale/fan)`.
    Uniform,
}

/// The standard deviation of a standard normal distribution cut at ±2, by which the cut one is divided to have the
/// variance that was asked for: √(1 − 4·φ(2) / (2·Φ(2) − 1)), as in Keras.
pub(super) const CUT_NORMAL_DEVIATION: f64 = 0.879_625_661_034_239_8;

impl Default for VarianceScaling {
    fn default() -> Self {
        Self { scale: 1.0, mode: FanMode::default(), distribution: Distribution::default() }
    }
}

impl VarianceScaling {
    pub(super) fn fill<T: Scalar>(
        self,
        values: &mut [T],
        fan_in: usize,
        fan_out: usize,
        stream: &mut ChaCha8Rng,
    ) {
        let (fan_in, fan_out) = (fan_in as f64, fan_out as f64);
        let fan = match self.mode {
            FanMode::FanIn => fan_in,
            FanMode::FanOut => fan_out,
            FanMode::FanAvg => (fan_in + fan_out) / 2.0,
        };
        let fan = fan.max(1.0);
        let deviation = (self.scale / fan).sqrt();
        match self.distribution {
            Distribution::TruncatedNormal => {
                fill_cut_normal(values, 0.0, deviation / CUT_NORMAL_DEVIATION, stream);
            }
            Distribution::UntruncatedNormal => {
                fill_normal(values, stream, |draw| T::from_f64(deviation * draw));
            }
            Distribution::Uniform => {
                let limit = (3.0 * self.scale / fan).sqrt();
                fill_uniform(values, -limit, limit, stream);
            }
        }
    }

    pub(super) fn check_settings(self) -> Result<(), OutOfRange> {
        SettingsOf("VarianceScaling").positive("scale", self.scale)
    }
}
