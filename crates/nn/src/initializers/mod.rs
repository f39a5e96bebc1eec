//! How parameters start.

mod constant;
mod normal;
mod orthogonal;
mod uniform;
mod variance_scaling;

pub use constant::{Constant, Identity};
pub use normal::{RandomNormal, TruncatedNormal};
pub(crate) use orthogonal::MAX_ORTHOGONAL;
pub use orthogonal::Orthogonal;
pub use uniform::RandomUniform;
pub use variance_scaling::{Distribution, FanMode, VarianceScaling};

use crate::settings::OutOfRange;
use densely_tensor::Scalar;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// How a kernel or a bias starts. Names, formulas and defaults are Keras's.
///
/// `fan_in` is the number of inputs of a kernel and `fan_out` the number of its units; a bias has its length for both.
/// Values are drawn in `f64` and rounded once, so a network in `f32` starts from the rounded values of the same network
/// in `f64`. Keras draws other numbers from the same distributions.
///
/// In RON: `HeNormal`, `RandomNormal(stddev: 0.01)`, `VarianceScaling(mode: FanOut)`. In Rust:
///
/// ```
/// # use densely::{Dense, Initializer, text::from_ron, initializers::{FanMode, RandomNormal, VarianceScaling}};
/// let layer = Dense::new(10).kernel_initializer(RandomNormal { stddev: 0.01, ..RandomNormal::default() });
/// assert_eq!(layer.kernel_initializer, from_ron("RandomNormal(stddev: 0.01)")?);
///
/// let scaling = VarianceScaling { mode: FanMode::FanOut, ..VarianceScaling::default() };
/// assert_eq!(Initializer::from(scaling), from_ron("VarianceScaling(mode: FanOut)")?);
/// # Ok::<(), densely::Error>(())
/// ```
///
/// Sources: X. Glorot and Y. Bengio, "Understanding the difficulty of training deep feedforward neural networks",
/// AISTATS 2010, equation 16; K. He et al., "Delving deep into rectifiers", ICCV 2015, equation 10; Y. LeCun et al.,
/// "Efficient BackProp", 1998, section 4.6.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Initializer {
    /// All 0. The default of a bias.
    Zeros,
    /// All 1.
    Ones,
    /// All one value.
    Constant(Constant),
    /// The identity matrix, times a gain.
    Identity(Identity),
    /// A random matrix of orthonormal rows or columns, times a gain.
    Orthogonal(Orthogonal),
    /// Normal.
    RandomNormal(RandomNormal),
    /// Normal, cut at two standard deviations.
    TruncatedNormal(TruncatedNormal),
    /// Uniform.
    RandomUniform(RandomUniform),
    /// Of a variance that follows from the kernel's shape.
    VarianceScaling(VarianceScaling),
    /// Uniform between ±√(6 / (fan_in + fan_out)). The default of a kernel.
    #[default]
    GlorotUniform,
    /// Normal with variance 2 / (fan_in + fan_out), cut at two standard deviations.
    GlorotNormal,
    /// Uniform between ±√(6 / fan_in).
    HeUniform,
    /// Normal with variance 2 / fan_in, cut at two standard deviations.
    HeNormal,
    /// Uniform between ±√(3 / fan_in).
    LecunUniform,
    /// Normal with variance 1 / fan_in, cut at two standard deviations.
    LecunNormal,
}

impl Initializer {
    /// Fills `values`, in memory order, from `stream`. A kernel is `fan_out` × `fan_in`, column-major.
    ///
    /// # Panics
    ///
    /// If [`Identity`] or [`Orthogonal`] meets anything but a kernel.
    #[track_caller]
    pub fn fill<T: Scalar>(self, values: &mut [T], fan_in: usize, fan_out: usize, stream: &mut ChaCha8Rng) {
        if self.is_for_kernels_only() {
            let weights = values.len();
            assert!(
                fan_in.checked_mul(fan_out) == Some(weights),
                "{weights} values are no kernel of {fan_out} units on {fan_in} inputs"
            );
        }
        let scaled = |scale, mode, distribution| VarianceScaling { scale, mode, distribution };
        let scaling = match self {
            Self::Zeros => return values.fill(T::ZERO),
            Self::Ones => return values.fill(T::ONE),
            Self::Constant(constant) => return values.fill(T::from_f64(constant.value)),
            Self::Identity(identity) => return identity.fill(values, fan_out),
            Self::Orthogonal(orthogonal) => return orthogonal.fill(values, fan_in, fan_out, stream),
            Self::RandomNormal(normal) => return normal.fill(values, stream),
            Self::TruncatedNormal(normal) => return normal.fill(values, stream),
            Self::RandomUniform(uniform) => return uniform.fill(values, stream),
            Self::VarianceScaling(scaling) => scaling,
            Self::GlorotUniform => scaled(1.0, FanMode::FanAvg, Distribution::Uniform),
            Self::GlorotNormal => scaled(1.0, FanMode::FanAvg, Distribution::TruncatedNormal),
            Self::HeUniform => scaled(2.0, FanMode::FanIn, Distribution::Uniform),
            Self::HeNormal => scaled(2.0, FanMode::FanIn, Distribution::TruncatedNormal),
            Self::LecunUniform => scaled(1.0, FanMode::FanIn, Distribution::Uniform),
            Self::LecunNormal => scaled(1.0, FanMode::FanIn, Distribution::TruncatedNormal),
        };
        scaling.fill(values, fan_in, fan_out, stream);
    }

    /// The kind's name in a recipe.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Zeros => "Zeros",
            Self::Ones => "Ones",
            Self::Constant(_) => "Constant",
            Self::Identity(_) => "Identity",
            Self::Orthogonal(_) => "Orthogonal",
            Self::RandomNormal(_) => "RandomNormal",
            Self::TruncatedNormal(_) => "TruncatedNormal",
            Self::RandomUniform(_) => "RandomUniform",
            Self::VarianceScaling(_) => "VarianceScaling",
            Self::GlorotUniform => "GlorotUniform",
            Self::GlorotNormal => "GlorotNormal",
            Self::HeUniform => "HeUniform",
            Self::HeNormal => "HeNormal",
            Self::LecunUniform => "LecunUniform",
            Self::LecunNormal => "LecunNormal",
        }
    }

    /// Whether it makes a matrix, which a bias is not.
    pub(crate) fn is_for_kernels_only(self) -> bool {
        matches!(self, Self::Identity(_) | Self::Orthogonal(_))
    }

    /// Checks every setting.
    pub(crate) fn check_settings(self) -> Result<(), OutOfRange> {
        match self {
            Self::Constant(constant) => constant.check_settings(),
            Self::Identity(identity) => identity.check_settings(),
            Self::Orthogonal(orthogonal) => orthogonal.check_settings(),
            Self::RandomNormal(normal) => normal.check_settings(),
            Self::TruncatedNormal(normal) => normal.check_settings(),
            Self::RandomUniform(uniform) => uniform.check_settings(),
            Self::VarianceScaling(scaling) => scaling.check_settings(),
            _ => Ok(()),
        }
    }
}

// A kind with settings becomes an initializer.
macro_rules! from_kind {
    ($($kind:ident),*) => {
        $(impl From<$kind> for Initializer {
            fn from(kind: $kind) -> Self {
                Self::$kind(kind)
            }
        })*
    };
}
from_kind!(Constant, Identity, Orthogonal, RandomNormal, TruncatedNormal, RandomUniform, VarianceScaling);

#[cfg(test)]
mod tests {
    use super::variance_scaling::CUT_NORMAL_DEVIATION;
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
    fn a_kernel_without_weights_stays_one() {
        for (fan_in, fan_out) in [(0, 0), (0, 3), (3, 0)] {
            for initializer in [
                Initializer::GlorotUniform,
                Initializer::HeNormal,
                Identity::default().into(),
                Orthogonal::default().into(),
                VarianceScaling::default().into(),
            ] {
                let mut random = stream(7, Purpose::Weights, 0, 0);
                initializer.fill::<f32>(&mut [], fan_in, fan_out, &mut random);
            }
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
