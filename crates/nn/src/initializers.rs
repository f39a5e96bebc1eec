//! How parameters start.

use densely_tensor::Scalar;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Uniform};
use serde::{Deserialize, Serialize};

/// How a kernel or a bias starts. Names, formulas and defaults are Keras's.
///
/// `fan_in` is the number of inputs of a kernel and `fan_out` the number of its units; a bias has its length for both.
/// Values are drawn in `f64` and rounded once, so a network in `f32` starts from the rounded values of the same network
/// in `f64`.
///
/// Sources: X. Glorot and Y. Bengio, "Understanding the difficulty of training deep feedforward neural networks",
/// AISTATS 2010, equation 16; K. He et al., "Delving deep into rectifiers", ICCV 2015, equation 10.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Initializer {
    /// All 0. The default of a bias.
    Zeros,
    /// All 1.
    Ones,
    /// Uniform between ±√(6 / (fan_in + fan_out)). The default of a kernel.
    #[default]
    GlorotUniform,
    /// Normal with variance 2 / (fan_in + fan_out), cut at two standard deviations.
    GlorotNormal,
    /// Uniform between ±√(6 / fan_in).
    HeUniform,
    /// Normal with variance 2 / fan_in, cut at two standard deviations.
    HeNormal,
}

/// The standard deviation of a standard normal distribution cut at ±2, by which the cut one is divided to have the
/// variance that was asked for: √(1 − 4·φ(2) / (2·Φ(2) − 1)), as in Keras.
const CUT_NORMAL_DEVIATION: f64 = 0.879_625_661_034_239_8;

impl Initializer {
    /// Fills `values`, in memory order, from `stream`.
    pub fn fill<T: Scalar>(self, values: &mut [T], fan_in: usize, fan_out: usize, stream: &mut ChaCha8Rng) {
        let (fan_in, fan_out) = (fan_in as f64, fan_out as f64);
        match self {
            Self::Zeros => values.fill(T::ZERO),
            Self::Ones => values.fill(T::ONE),
            Self::GlorotUniform => fill_uniform(values, (6.0 / (fan_in + fan_out)).sqrt(), stream),
            Self::GlorotNormal => fill_cut_normal(values, (2.0 / (fan_in + fan_out)).sqrt(), stream),
            Self::HeUniform => fill_uniform(values, (6.0 / fan_in).sqrt(), stream),
            Self::HeNormal => fill_cut_normal(values, (2.0 / fan_in).sqrt(), stream),
        }
    }
}

fn fill_uniform<T: Scalar>(values: &mut [T], limit: f64, stream: &mut ChaCha8Rng) {
    let uniform =
        Uniform::new(-limit, limit).expect("a limit is positive and finite, because fans are at least 1");
    for value in values {
        *value = T::from_f64(uniform.sample(stream));
    }
}

/// Draws evenly between ±2 and keeps a draw z with probability exp(−z²/2), which the cut normal density is proportional
/// to (J. von Neumann, "Various techniques used in connection with random digits", 1951). The exponential is the pure-Rust
/// `libm`'s: a ziggurat would ask the system's, and machines whose systems differ in a last bit could keep other draws.
fn fill_cut_normal<T: Scalar>(values: &mut [T], deviation: f64, stream: &mut ChaCha8Rng) {
    let scale = deviation / CUT_NORMAL_DEVIATION;
    let between_cuts = Uniform::new(-2.0, 2.0).expect("the range is not empty");
    let share = Uniform::new(0.0, 1.0).expect("the range is not empty");
    for value in values {
        let draw = loop {
            let draw: f64 = between_cuts.sample(stream);
            if share.sample(stream) < libm::exp(-0.5 * draw * draw) {
                break draw;
            }
        };
        *value = T::from_f64(scale * draw);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, stream};

    const FAN_IN: usize = 200;
    const FAN_OUT: usize = 500;

    fn draw<T: Scalar>(initializer: Initializer) -> Vec<T> {
        let mut values = vec![T::ZERO; FAN_IN * FAN_OUT];
        initializer.fill(&mut values, FAN_IN, FAN_OUT, &mut stream(7, Purpose::Weights, 0, 0));
        values
    }

    /// Bounds, and mean and variance within five standard errors of 10⁵ draws. `excess` is E[x⁴]/variance² − 1, which
    /// gives the standard error of a variance: 0.8 for a uniform one; for a normal one cut at ±2 it is 1.3643, from its
    /// moments E[x²] = 1 − 4φ(2)/(2Φ(2) − 1) and E[x⁴] = 3 − 28φ(2)/(2Φ(2) − 1).
    #[track_caller]
    fn check(initializer: Initializer, variance: f64, bound: f64, excess: f64) {
        let values: Vec<f64> = draw(initializer);
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let found = values.iter().map(|value| value * value).sum::<f64>() / n;
        assert!(values.iter().all(|value| value.abs() <= bound), "{initializer:?} leaves ±{bound}");
        assert!(mean.abs() < 5.0 * (variance / n).sqrt(), "{initializer:?} has mean {mean}");
        assert!(
            (found / variance - 1.0).abs() < 5.0 * (excess / n).sqrt(),
            "{initializer:?} has variance {found}, expected {variance}"
        );
    }

    #[test]
    fn uniform_values_have_the_limit_and_variance_of_their_formula() {
        let glorot = 6.0 / (FAN_IN + FAN_OUT) as f64;
        let he = 6.0 / FAN_IN as f64;
        check(Initializer::GlorotUniform, glorot / 3.0, glorot.sqrt(), 0.8);
        check(Initializer::HeUniform, he / 3.0, he.sqrt(), 0.8);
    }

    #[test]
    fn normal_values_have_the_cut_and_variance_of_their_formula() {
        let glorot: f64 = 2.0 / (FAN_IN + FAN_OUT) as f64;
        let he: f64 = 2.0 / FAN_IN as f64;
        check(Initializer::GlorotNormal, glorot, 2.0 * glorot.sqrt() / CUT_NORMAL_DEVIATION, 1.3643);
        check(Initializer::HeNormal, he, 2.0 * he.sqrt() / CUT_NORMAL_DEVIATION, 1.3643);
    }

    #[test]
    fn single_precision_starts_from_the_rounded_values_of_double_precision() {
        for initializer in [Initializer::GlorotUniform, Initializer::HeNormal] {
            let rounded: Vec<f32> = draw::<f64>(initializer).into_iter().map(|value| value as f32).collect();
            assert_eq!(draw::<f32>(initializer), rounded);
        }
    }

    #[test]
    fn constants_fill_everything() {
        assert!(draw::<f32>(Initializer::Zeros).iter().all(|value| value.to_bits() == 0));
        assert!(draw::<f32>(Initializer::Ones).iter().all(|value| *value == 1.0));
    }

    /// Another generator or another order of draws would change every trained model. The uniform values are printed by
    /// tests/reference/streams.py, the normal ones are those of the first version.
    #[test]
    fn first_values_never_change() {
        assert_eq!(
            draw::<f64>(Initializer::GlorotUniform)[..3],
            [0.06848432821206561, -0.08259411322407648, -0.09225017080434071]
        );
        assert_eq!(
            draw::<f64>(Initializer::HeNormal)[..3],
            [0.168_188_655_965_771_12, -0.026_262_288_912_553_614, -0.036_777_086_884_505_43]
        );
    }
}
