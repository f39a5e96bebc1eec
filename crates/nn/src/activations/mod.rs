//! Activation functions: what a layer does to each of its sums. This is their description; the arithmetic is in
//! `densely_tensor`, but for that of sparsemax and of the gated linear unit, which is here.

mod glu;
mod sparsemax;

pub(crate) use glu::{glu, glu_gradient};
pub(crate) use sparsemax::{sparsemax, sparsemax_gradient};

use crate::error::{DescriptionError, Error, LayerName};
use crate::layers::LayerDescription;
use crate::settings::{OutOfRange, SettingsOf};
use crate::text;
use densely_tensor::{ActivationFunction, DerivativeFrom};
use serde::{Deserialize, Serialize};
use std::fmt;

/// An activation function, of a [`Dense`](crate::Dense) layer or as a layer of its own: all of Keras's
/// `activations` module, and LeCun's scaled tanh.
///
/// ```
/// # use densely::{Activation, Sequential, Dense};
/// let inside = Sequential::new(4).add(Dense::new(3).activation(Activation::Relu));
/// let outside = Sequential::new(4).add(Dense::new(3)).add(Activation::Relu);
/// assert_eq!(inside.parameter_count(), outside.parameter_count()); // the two compute the same
/// ```
///
/// Those with settings are written with parentheses in RON, and only what differs from the defaults has to be in them:
///
/// ```
/// # use densely::{Activation, text::from_ron};
/// assert_eq!(from_ron::<Activation>("Relu")?, Activation::Relu);
/// assert_eq!(from_ron::<Activation>("LeakyRelu()")?, Activation::LeakyRelu { negative_slope: 0.2 });
/// assert_eq!(from_ron::<Activation>("Elu(alpha: 0.5)")?, Activation::Elu { alpha: 0.5 });
/// # Ok::<(), densely::Error>(())
/// ```
///
/// Where a derivative jumps, its value there is said below. NaN stays NaN. [`densely_tensor::ActivationFunction`] has the
/// errors of each in units of the last place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Activation {
    /// `f(z) = z`, `f′(z) = 1`. The default, as in Keras.
    #[default]
    Linear,

    // Rectifiers.
    /// `f(z) = max(z, 0)`; `f′(z) = 1` where `z > 0`, else 0 (also at 0). NaN stays NaN.
    Relu,
    /// `z` above 0, else `negative_slope·z`; `f′(0) = negative_slope` (Maas, Hannun and Ng, "Rectifier nonlinearities
    /// improve neural network acoustic models", 2013).
    LeakyRelu {
        /// 0 or more. Default: 0.2, that of Keras's function; its layer `LeakyReLU` has 0.3.
        #[serde(default = "default::negative_slope")]
        negative_slope: f64,
    },
    /// `min(max(z, 0), 6)`; `f′` is 0 at 0 and at 6 (Krizhevsky, "Convolutional deep belief networks on CIFAR-10", 2010).
    Relu6,
    /// `max_value` from there on, `z` from `threshold` to there, `negative_slope·(z − threshold)` below: Keras's `relu`
    /// with its three arguments. `f′` at `threshold` is 1, at `max_value` 0.
    BoundedRelu {
        /// 0 or more. Default: 0.
        #[serde(default)]
        negative_slope: f64,
        /// Not below `threshold`; `inf` for no bound, which Keras writes `None`. Default: `inf`.
        #[serde(default = "default::max_value")]
        max_value: f64,
        /// Where the part with slope 1 begins. Default: 0.
        #[serde(default)]
        threshold: f64,
    },
    /// `z` above 0, else `alpha·(eᶻ − 1)`; `f′(0) = alpha` (Clevert, Unterthiner and Hochreiter, arXiv:1511.07289,
    /// equation 15).
    Elu {
        /// Above 0. Default: 1.
        #[serde(default = "default::one")]
        alpha: f64,
    },
    /// `1.0507·z` above 0, else `1.0507·1.6733·(eᶻ − 1)`: with [`LecunNormal`](crate::Initializer::LecunNormal) kernels it
    /// keeps mean 0 and variance 1 (Klambauer and others, arXiv:1706.02515, equation 2).
    Selu,
    /// `z` above 0, else `alpha·(e^(z/alpha) − 1)` (Barron, arXiv:1704.07483).
    Celu {
        /// Above 0. Default: 1.
        #[serde(default = "default::one")]
        alpha: f64,
    },
    /// `z` above `threshold`, else `value`; `f′` is 1 above, else 0. As in Keras, whose argument for `value` is
    /// `default_value`, neither has a default.
    Threshold {
        /// What z has to exceed.
        threshold: f64,
        /// What takes its place otherwise.
        value: f64,
    },

    // Between two limits.
    /// `f(z) = 1 / (1 + e⁻ᶻ)`, between 0 and 1; `f′ = f·(1 − f)`.
    Sigmoid,
    /// `(z + 3)/6`, not below 0 nor above 1, the gate of [`HardSilu`](Self::HardSilu) (Howard and others, arXiv:1905.02244,
    /// section 5.2): Keras 3's; Keras 2 had `z/5 + ½`.
    HardSigmoid,
    /// `(z + 1)/2`, not below 0 nor above 1.
    SparseSigmoid,
    /// `f(z) = tanh z`, between −1 and 1; `f′ = 1 − f²`.
    Tanh,
    /// `amplitude·tanh(slope·z)`. The defaults are LeCun's, which map ±1 to ±1 (LeCun, Bottou, Orr and Müller, "Efficient
    /// BackProp", 1998, section 4.4). Not in Keras.
    ScaledTanh {
        /// The limit for large z; not 0. Default: 1.7159.
        #[serde(default = "default::amplitude")]
        amplitude: f64,
        /// What z is multiplied by. Default: 2/3.
        #[serde(default = "default::slope")]
        slope: f64,
    },
    /// `z`, not below −1 nor above 1 (Collobert and others, "Natural language processing (almost) from scratch",
    /// arXiv:1103.0398).
    HardTanh,
    /// `z/(1 + |z|)`, between −1 and 1 (Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural
    /// networks", 2010).
    Softsign,

    // Exponentials and smooth rectifiers.
    /// `ln(1 + eᶻ)`, above 0; `f′ = 1 / (1 + e⁻ᶻ)`.
    Softplus,
    /// `ln(1/(1 + e⁻ᶻ))`, below 0: the logarithm of [`Sigmoid`](Self::Sigmoid), as PyTorch's `LogSigmoid`.
    LogSigmoid,
    /// `(z + √(z² + b))/2`, above 0 (Barron, arXiv:2112.11687).
    Squareplus {
        /// Above 0. Default: 4.
        #[serde(default = "default::b")]
        b: f64,
    },
    /// `0` up to −1, `(z + 1)²/4` up to 1, then `z`: Keras's `sparse_plus`.
    SparsePlus,
    /// `eᶻ`, and so is its derivative.
    Exponential,

    // z times a gate.
    /// `z/(1 + e⁻ᶻ)`, also called swish (Elfwing, Uchibe and Doya, arXiv:1702.03118, equation 5).
    #[serde(alias = "Swish")]
    Silu,
    /// `z·(z/6 + ½)` with the factor between 0 and 1, also called hard swish (Howard and others, arXiv:1905.02244, section
    /// 5.2).
    #[serde(alias = "HardSwish")]
    HardSilu,
    /// `z·tanh(ln(1 + eᶻ))` (Misra, arXiv:1908.08681).
    Mish,
    /// `z·Φ(z) = z/2·(1 + erf(z/√2))` with Φ the normal distribution function: Keras's `gelu` as it is by default
    /// (Hendrycks and Gimpel, arXiv:1606.08415).
    Gelu,
    /// `z/2·(1 + tanh(√(2/π)·(z + 0.044715·z³)))`: Keras's `gelu` with `approximate=True`.
    GeluTanh,

    // What is left of z.
    /// `z − tanh z`: PyTorch's `Tanhshrink`.
    TanhShrink,
    /// `z` moved towards 0 by `threshold`, and 0 within it: soft thresholding (Donoho and Johnstone, "Ideal spatial adaptation
    /// by wavelet shrinkage", Biometrika 81, 1994).
    SoftShrink {
        /// 0 or more. Default: 0.5.
        #[serde(default = "default::half")]
        threshold: f64,
    },
    /// `z`, and 0 where |z| is not above `threshold`; `f′` is 0 there and 1 elsewhere: hard thresholding (Donoho and Johnstone,
    /// as for [`SoftShrink`](Self::SoftShrink)).
    HardShrink {
        /// 0 or more. Default: 0.5.
        #[serde(default = "default::half")]
        threshold: f64,
    },

    // Of all units of a sample together.
    /// `f(z)ᵢ = eᶻⁱ / Σⱼ eᶻʲ` over the units of one sample: probabilities that sum to 1. Only over two
    /// units or more, because over one it is always 1.
    Softmax,
    /// `f(z)ᵢ = ln(eᶻⁱ / Σⱼ eᶻʲ)` over the units of one sample, exact also where the probability rounds to 0. Only over two
    /// units or more, because over one it is always 0.
    LogSoftmax,
    /// The nearest point to z among all probability vectors, most of whose elements are exactly 0:
    /// `f(z)ᵢ = max(zᵢ − τ, 0)` with τ such that they sum to 1. `f′` takes from the gradient its mean over the units above
    /// 0, and is 0 for the others (Martins and Astudillo, arXiv:1602.02068, algorithm 1 and equation 14). Only over two
    /// units or more, because over one it is always 1.
    ///
    /// Keras 3's `sparsemax` (as of 3.15) takes another τ wherever more than one unit is above 0, and its result does not
    /// sum to 1 there; this is the paper's function.
    Sparsemax,
    /// The gated linear unit: `f(z)ᵢ = zᵢ / (1 + e^−zₙ₊ᵢ)` for 2n units, of which n are left: the first half times the
    /// sigmoid of the second (Dauphin and others, arXiv:1612.08083, equation 1). A [`Dense`](crate::Dense) of 2n units with
    /// it puts out n values. Only over an even number of units.
    Glu,
}

/// Defaults of settings, as serde asks for them.
mod default {
    pub(super) fn negative_slope() -> f64 {
        0.2
    }
    pub(super) fn max_value() -> f64 {
        f64::INFINITY
    }
    pub(super) fn one() -> f64 {
        1.0
    }
    pub(super) fn half() -> f64 {
        0.5
    }
    pub(super) fn b() -> f64 {
        4.0
    }
    pub(super) fn amplitude() -> f64 {
        1.7159
    }
    pub(super) fn slope() -> f64 {
        2.0 / 3.0
    }
}

/// The function as it is written in a recipe.
impl fmt::Display for Activation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&text::to_ron_line(self))
    }
}

impl Activation {
    /// The function of one element that does this; `None` for those of all units of a sample together.
    pub(crate) fn function(self) -> Option<ActivationFunction> {
        use ActivationFunction as Function;
        Some(match self {
            Self::Linear => Function::Linear,
            Self::Relu => Function::Relu,
            Self::LeakyRelu { negative_slope } => Function::LeakyRelu { negative_slope },
            Self::Relu6 => Function::Relu6,
            Self::BoundedRelu { negative_slope, max_value, threshold } => {
                Function::BoundedRelu { negative_slope, max_value, threshold }
            }
            Self::Elu { alpha } => Function::Elu { alpha },
            Self::Selu => Function::Selu,
            Self::Celu { alpha } => Function::Celu { alpha },
            Self::Threshold { threshold, value } => Function::Threshold { threshold, value },
            Self::Sigmoid => Function::Sigmoid,
            Self::HardSigmoid => Function::HardSigmoid,
            Self::SparseSigmoid => Function::SparseSigmoid,
            Self::Tanh => Function::Tanh,
            Self::ScaledTanh { amplitude, slope } => Function::ScaledTanh { amplitude, slope },
            Self::HardTanh => Function::HardTanh,
            Self::Softsign => Function::Softsign,
            Self::Softplus => Function::Softplus,
            Self::LogSigmoid => Function::LogSigmoid,
            Self::Squareplus { b } => Function::Squareplus { b },
            Self::SparsePlus => Function::SparsePlus,
            Self::Exponential => Function::Exponential,
            Self::Silu => Function::Silu,
            Self::HardSilu => Function::HardSilu,
            Self::Mish => Function::Mish,
            Self::Gelu => Function::Gelu,
            Self::GeluTanh => Function::GeluTanh,
            Self::TanhShrink => Function::TanhShrink,
            Self::SoftShrink { threshold } => Function::SoftShrink { threshold },
            Self::HardShrink { threshold } => Function::HardShrink { threshold },
            Self::Softmax | Self::LogSoftmax | Self::Sparsemax | Self::Glu => return None,
        })
    }

    /// Whether the function has to keep its input beside its output: because the derivative is taken from it, or, as with
    /// sparsemax, because the output is where it sorts, or, as with the gated linear unit, because they differ in length.
    pub(crate) fn keeps_input(self) -> bool {
        match self.function() {
            Some(function) => function.derivative_from() == DerivativeFrom::Input,
            None => matches!(self, Self::Sparsemax | Self::Glu),
        }
    }

    /// What the function's every value would be over a single unit, with its name in Keras; `None` if it depends on the
    /// unit.
    fn over_one_unit(self) -> Option<(&'static str, u8)> {
        match self {
            Self::Softmax => Some(("softmax", 1)),
            Self::LogSoftmax => Some(("log_softmax", 0)),
            Self::Sparsemax => Some(("sparsemax", 1)),
            _ => None,
        }
    }

    fn check_settings(self) -> Result<(), OutOfRange> {
        match self {
            Self::LeakyRelu { negative_slope } => {
                SettingsOf("LeakyRelu").not_negative("negative_slope", negative_slope)
            }
            Self::BoundedRelu { negative_slope, max_value, threshold } => {
                let settings = SettingsOf("BoundedRelu");
                settings.not_negative("negative_slope", negative_slope)?;
                settings.finite("threshold", threshold)?;
                let expected = "a number that is not below threshold, or inf";
                settings.check("max_value", max_value, max_value >= threshold, expected)
            }
            Self::Elu { alpha } => SettingsOf("Elu").positive("alpha", alpha),
            Self::Celu { alpha } => SettingsOf("Celu").positive("alpha", alpha),
            Self::Threshold { threshold, value } => {
                SettingsOf("Threshold").finite("threshold", threshold)?;
                SettingsOf("Threshold").finite("value", value)
            }
            Self::ScaledTanh { amplitude, slope } => {
                let settings = SettingsOf("ScaledTanh");
                settings.finite_not_zero("amplitude", amplitude)?;
                settings.finite("slope", slope)
            }
            Self::Squareplus { b } => SettingsOf("Squareplus").positive("b", b),
            Self::SoftShrink { threshold } => SettingsOf("SoftShrink").not_negative("threshold", threshold),
            Self::HardShrink { threshold } => SettingsOf("HardShrink").not_negative("threshold", threshold),
            _ => Ok(()),
        }
    }
}

/// An activation as a layer of its own.
impl LayerDescription for Activation {
    fn kind(&self) -> &str {
        "Activation"
    }

    fn outputs(&self, inputs: usize) -> usize {
        if *self == Self::Glu { inputs / 2 } else { inputs }
    }

    fn check(&self, inputs: usize, layer: &dyn Fn() -> LayerName) -> Result<(), Error> {
        self.check_settings().map_err(|fault| fault.of(layer(), String::from("activation")))?;
        if *self == Self::Glu && inputs % 2 == 1 {
            return Err(DescriptionError::OddGlu { layer: layer(), units: inputs }.into());
        }
        match self.over_one_unit() {
            Some((activation, always)) if inputs == 1 => {
                Err(DescriptionError::SoftmaxOfOne { layer: layer(), activation, always }.into())
            }
            _ => Ok(()),
        }
    }
}
