//! Normal starts, whole and cut.
//!
//! Both kinds of draws ask the pure-Rust `libm` for an exponential or a logarithm. The ziggurat of `rand_distr` would ask
//! the system's, and machines whose systems differ in a last bit could keep other draws.

use crate::settings::{OutOfRange, SettingsOf};
use densely_tensor::Scalar;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Uniform};
use serde::{Deserialize, Serialize};

/// Normal with this mean and standard deviation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RandomNormal {
    /// The mean. Default: 0.
    pub mean: f64,
    /// The standard deviation; 0 or more. Default: 0.05.
    pub stddev: f64,
}

impl Default for RandomNormal {
    fn default() -> Self {
        Self { mean: 0.0, stddev: 0.05 }
    }
}

impl RandomNormal {
    pub(super) fn fill<T: Scalar>(self, values: &mut [T], stream: &mut ChaCha8Rng) {
        let Self { mean, stddev } = self;
        fill_normal(values, stream, |draw| T::from_f64(mean + stddev * draw));
    }

    pub(super) fn check_settings(self) -> Result<(), OutOfRange> {
        SettingsOf("RandomNormal").finite("mean", self.mean)?;
        SettingsOf("RandomNormal").not_negative("stddev", self.stddev)
    }
}

/// Normal, with what is further from `mean` than `2·stddev` drawn again. As in Keras, `stddev` is that of the normal
/// distribution before it is cut; that of the values is 0.8796 times as much.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TruncatedNormal {
    /// The mean. Default: 0.
    pub mean: f64,
    /// The standard deviation before the cut; 0 or more. Default: 0.05.
    pub stddev: f64,
}

impl Default for TruncatedNormal {
    fn default() -> Self {
        Self { mean: 0.0, stddev: 0.05 }
    }
}

impl TruncatedNormal {
    pub(super) fn fill<T: Scalar>(self, values: &mut [T], stream: &mut ChaCha8Rng) {
        fill_cut_normal(values, self.mean, self.stddev, stream);
    }

    pub(super) fn check_settings(self) -> Result<(), OutOfRange> {
        SettingsOf("TruncatedNormal").finite("mean", self.mean)?;
        SettingsOf("TruncatedNormal").not_negative("stddev", self.stddev)
    }
}

/// Fills the values with a function of standard normal draws, by the polar method: points are drawn evenly in the square
/// between ±1 until one is inside the circle, and each point gives two draws (G. Marsaglia and T. Bray, "A convenient method
/// for generating normal variables", SIAM Review 6, 1964).
pub(super) fn fill_normal<T>(values: &mut [T], stream: &mut ChaCha8Rng, value_of: impl Fn(f64) -> T) {
    let between = Uniform::new(-1.0, 1.0).expect("the range is not empty");
    for pair in values.chunks_mut(2) {
        let draws = loop {
            let (x, y): (f64, f64) = (between.sample(stream), between.sample(stream));
            let square = x * x + y * y;
            if square > 0.0 && square < 1.0 {
                let factor = (-2.0 * libm::log(square) / square).sqrt();
                break [x * factor, y * factor];
            }
        };
        for (value, draw) in pair.iter_mut().zip(draws) {
            *value = value_of(draw);
        }
    }
}

/// Draws z evenly between ±2 and keeps it with probability exp(−z²/2), which the cut normal density is proportional to
/// (J. von Neumann, "Various techniques used in connection with random digits", 1951). Values are `mean + stddev·z`.
pub(super) fn fill_cut_normal<T: Scalar>(values: &mut [T], mean: f64, stddev: f64, stream: &mut ChaCha8Rng) {
    let between_cuts = Uniform::new(-2.0, 2.0).expect("the range is not empty");
    let share = Uniform::new(0.0, 1.0).expect("the range is not empty");
    for value in values {
        let draw = loop {
            let draw: f64 = between_cuts.sample(stream);
            if share.sample(stream) < libm::exp(-0.5 * draw * draw) {
                break draw;
            }
        };
        *value = T::from_f64(mean + stddev * draw);
    }
}
