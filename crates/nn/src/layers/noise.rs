//! Noise that is there in training only: added, multiplied, and the dropout that goes with the SELU.

use crate::error::{Error, LayerName};
use crate::layers::description::{Kept, LayerDescription};
use crate::layers::features::map_pairs;
use crate::layers::pass::{Backward, Forward, LayerPass, Training};
use crate::settings::SettingsOf;
use densely_tensor::{MatMut, MatRef, Pool, Scalar};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

/// Adds normal noise of mean 0 while training; the identity otherwise (C. M. Bishop, "Training with noise is
/// equivalent to Tikhonov regularization", Neural Computation 7, 1995). Keras's `GaussianNoise`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GaussianNoise {
    /// The noise's standard deviation; 0 or more.
    pub stddev: f64,
    /// What it is called. Default: its kind, and a number from the second of a kind on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// Multiplies by normal noise of mean 1 and variance `rate/(1 − rate)` while training; the identity otherwise (N.
/// Srivastava et al., "Dropout", JMLR 15 (2014), section 10). Keras's `GaussianDropout`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GaussianDropout {
    /// The rate of the dropout with the same variance: at least 0 and below 1.
    pub rate: f64,
    /// What it is called. Default: its kind, and a number from the second of a kind on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// Dropout that keeps mean and variance of what the [SELU](crate::Activation::Selu) puts out: a dropped value becomes
/// `α′ = −λα ≈ −1.7581`, then all are scaled and shifted, `y = a·x + b` with
/// `a = ((1 − rate)·(1 + rate·α′²))^(−1/2)` and `b = −a·α′·rate` (G. Klambauer et al., "Self-normalizing neural networks",
/// arXiv:1706.02515, section 2). The identity outside training. Keras's `AlphaDropout`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlphaDropout {
    /// The probability that a value is dropped: at least 0 and below 1.
    pub rate: f64,
    /// What it is called. Default: its kind, and a number from the second of a kind on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// λ and α of the SELU: equation 14 of its paper.
const LAMBDA: f64 = 1.050_700_987_355_480_5;
const ALPHA: f64 = 1.673_263_242_354_377_2;

impl GaussianNoise {
    /// Noise with this standard deviation.
    pub fn new(stddev: f64) -> Self {
        Self { stddev, name: None }
    }
}

impl GaussianDropout {
    /// Noise that goes with this `rate`.
    pub fn new(rate: f64) -> Self {
        Self { rate, name: None }
    }
}

impl AlphaDropout {
    /// Dropout with this `rate`.
    pub fn new(rate: f64) -> Self {
        Self { rate, name: None }
    }

    /// What a kept value is multiplied by, what is added to it, and what a dropped one becomes.
    fn factors(&self) -> (f64, f64, f64) {
        let dropped = -LAMBDA * ALPHA;
        let a = 1.0 / ((1.0 - self.rate) * (1.0 + self.rate * dropped * dropped)).sqrt();
        let b = -a * dropped * self.rate;
        (a, b, a * dropped + b)
    }
}

impl LayerDescription for GaussianNoise {
    fn kind(&self) -> &str {
        "GaussianNoise"
    }

    fn check(&self, _: usize, layer: &dyn Fn() -> LayerName) -> Result<(), Error> {
        let settings = SettingsOf("GaussianNoise");
        settings.not_negative("stddev", self.stddev).map_err(|fault| fault.of_layer(layer()))
    }
}

impl LayerDescription for GaussianDropout {
    fn kind(&self) -> &str {
        "GaussianDropout"
    }

    /// The factor of each value.
    fn kept(&self, inputs: usize) -> Kept {
        Kept { per_sample: inputs, per_batch: 0 }
    }

    fn check(&self, _: usize, layer: &dyn Fn() -> LayerName) -> Result<(), Error> {
        SettingsOf("GaussianDropout").rate("rate", self.rate).map_err(|fault| fault.of_layer(layer()))
    }
}

impl LayerDescription for AlphaDropout {
    fn kind(&self) -> &str {
        "AlphaDropout"
    }

    /// The factor of each value, 0 for a dropped one.
    fn kept(&self, inputs: usize) -> Kept {
        Kept { per_sample: inputs, per_batch: 0 }
    }

    fn check(&self, _: usize, layer: &dyn Fn() -> LayerName) -> Result<(), Error> {
        SettingsOf("AlphaDropout").rate("rate", self.rate).map_err(|fault| fault.of_layer(layer()))
    }
}

/// `output ← f(x, next random number, kept)` for each value while training; the identity otherwise.
fn noisy<T: Scalar>(pass: Forward<'_, T>, f: impl Fn(T, &mut ChaCha8Rng) -> (T, T) + Sync) {
    let Forward { pool, input, output, training, .. } = pass;
    let Some(Training { kept, random }) = training else {
        return copy(pool, input, output);
    };
    pool.for_each_part(1, (input, output, kept.samples), |samples, (input, mut output, mut kept)| {
        for (column, sample) in samples.enumerate() {
            let mut random = random.sample(sample);
            let mut kept = kept.column_mut(column).iter_mut();
            for (y, &x) in output.column_mut(column).iter_mut().zip(input.column(column)) {
                let (value, factor) = f(x, &mut random);
                *y = value;
                if let Some(kept) = kept.next() {
                    *kept = factor;
                }
            }
        }
    });
}

fn copy<T: Scalar>(pool: &Pool, input: MatRef<'_, T>, output: MatMut<'_, T>) {
    crate::layers::features::map(pool, input, output, |_, x| x);
}

/// The output's gradient times what was kept.
fn times_kept<T: Scalar>(pass: Backward<'_, T>) {
    if let Some(input_gradient) = pass.input_gradient {
        let kept = pass.kept.samples.as_ref();
        map_pairs(pass.pool, pass.output_gradient, kept, input_gradient, |_, _, g, factor| g * factor);
    }
}

fn normal(random: &mut ChaCha8Rng) -> f64 {
    StandardNormal.sample(random)
}

impl<T: Scalar> LayerPass<T> for GaussianNoise {
    fn forward(&self, pass: Forward<'_, T>) {
        noisy(pass, |x, random| (x + T::from_f64(self.stddev * normal(random)), T::ONE));
    }

    fn backward(&self, pass: Backward<'_, T>) {
        if let Some(input_gradient) = pass.input_gradient {
            copy(pass.pool, pass.output_gradient, input_gradient);
        }
    }
}

impl<T: Scalar> LayerPass<T> for GaussianDropout {
    fn forward(&self, pass: Forward<'_, T>) {
        let stddev = (self.rate / (1.0 - self.rate)).sqrt();
        noisy(pass, |x, random| {
            let factor = T::from_f64(1.0 + stddev * normal(random));
            (x * factor, factor)
        });
    }

    fn backward(&self, pass: Backward<'_, T>) {
        times_kept(pass);
    }
}

impl<T: Scalar> LayerPass<T> for AlphaDropout {
    fn forward(&self, pass: Forward<'_, T>) {
        let (a, b, dropped) = self.factors();
        let (a, b, dropped) = (T::from_f64(a), T::from_f64(b), T::from_f64(dropped));
        let threshold = (self.rate * 2.0_f64.powi(32)) as u32;
        noisy(
            pass,
            |x, random| {
                if random.next_u32() < threshold { (dropped, T::ZERO) } else { (x * a + b, a) }
            },
        );
    }

    fn backward(&self, pass: Backward<'_, T>) {
        times_kept(pass);
    }
}
