//! Cross-entropies of classes that exclude each other.

use super::target::Target;
use crate::settings::{OutOfRange, SettingsOf};
use densely_tensor::{Isa, Scalar, exp, log_softmax, softmax_cross_entropy, sum_of};
use serde::{Deserialize, Serialize};

/// `−Σᵢ tᵢ·ln yᵢ`, so `−ln` of the probability of the right class where t is one-hot. Computed from the logits by
/// log-sum-exp where the network ends in softmax, too; probabilities that are given as such are divided by their sum. Unlike
/// Keras's, they are not moved into 1e-7 … 1 − 1e-7.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CategoricalCrossentropy {
    /// Whether the network ends in logits (a linear last layer) rather than in probabilities (softmax). Default: `false`.
    pub from_logits: bool,
    /// How far targets are moved towards the even distribution: `t ← (1 − label_smoothing)·t + label_smoothing/outputs`,
    /// at least 0 and below 1 (Szegedy and others, arXiv:1512.00567, section 7). Default: 0.
    pub label_smoothing: f64,
}

/// [`CategoricalCrossentropy`] of class labels only. In Keras this one takes labels and the other one-hot columns; here
/// either takes labels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SparseCategoricalCrossentropy {
    /// Whether the network ends in logits (a linear last layer) rather than in probabilities (softmax). Default: `false`.
    pub from_logits: bool,
    /// A class whose samples count nowhere, neither in the loss nor in the number of samples nor in the accuracy. Default:
    /// none.
    pub ignore_class: Option<u32>,
}

/// `−alpha·Σᵢ tᵢ·(1 − yᵢ)^gamma·ln yᵢ`: cross-entropy in which samples that are right already count less (Lin and others,
/// arXiv:1708.02002, equation 5). From logits or probabilities as [`CategoricalCrossentropy`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CategoricalFocalCrossentropy {
    /// The factor of all classes; 0 or more. Default: 0.25.
    pub alpha: f64,
    /// How much less; 0 or more. Default: 2.
    pub gamma: f64,
    /// Whether the network ends in logits (a linear last layer) rather than in probabilities (softmax). Default: `false`.
    pub from_logits: bool,
    /// As in [`CategoricalCrossentropy`]. Default: 0.
    pub label_smoothing: f64,
}

impl Default for CategoricalFocalCrossentropy {
    fn default() -> Self {
        Self { alpha: 0.25, gamma: 2.0, from_logits: false, label_smoothing: 0.0 }
    }
}

/// Checks a label smoothing.
pub(super) fn check_smoothing(settings: SettingsOf, label_smoothing: f64) -> Result<(), OutOfRange> {
    let in_range = (0.0..1.0).contains(&label_smoothing);
    settings.check("label_smoothing", label_smoothing, in_range, "at least 0 and below 1")
}

impl CategoricalCrossentropy {
    pub(super) fn check(self) -> Result<(), OutOfRange> {
        check_smoothing(SettingsOf("CategoricalCrossentropy"), self.label_smoothing)
    }

    pub(super) fn in_place<T: Scalar>(
        self,
        isa: Isa,
        y: &mut [T],
        target: Target<'_>,
        scale: f64,
        from_logits: bool,
    ) -> f64 {
        let of = smoothed(target, y.len(), self.label_smoothing);
        match target {
            Target::Class(class) if from_logits && self.label_smoothing == 0.0 => {
                softmax_cross_entropy(isa, y, class, T::from_f64(scale))
            }
            _ if from_logits => cross_entropy_of_logits(isa, y, of, scale),
            _ => cross_entropy_of_probabilities(y, of, scale),
        }
    }
}

impl SparseCategoricalCrossentropy {
    pub(super) fn check(self, outputs: usize) -> Result<(), OutOfRange> {
        let Some(class) = self.ignore_class else {
            return Ok(());
        };
        let in_range = (class as usize) < outputs;
        let settings = SettingsOf("SparseCategoricalCrossentropy");
        settings.check("ignore_class", class.into(), in_range, "a class for which the network has an output")
    }
}

/// The target of each output.
fn smoothed(target: Target<'_>, outputs: usize, label_smoothing: f64) -> impl Fn(usize) -> f64 {
    let even = label_smoothing / outputs as f64;
    move |output| (1.0 - label_smoothing) * target.at(output, outputs) + even
}

/// `−Σᵢ tᵢ·ln softmax(z)ᵢ`; `zᵢ ← scale·(softmax(z)ᵢ·Σⱼ tⱼ − tᵢ)`.
pub(super) fn cross_entropy_of_logits<T: Scalar>(
    isa: Isa,
    z: &mut [T],
    of: impl Fn(usize) -> f64,
    scale: f64,
) -> f64 {
    let outputs = z.len();
    log_softmax(isa, z);
    // 0·(−∞) is 0 here, as a class with target 0 has no part in the loss.
    let loss = sum_of(outputs, |i| if of(i) == 0.0 { 0.0 } else { -of(i) * z[i].to_f64() });
    exp(isa, z);
    let total = sum_of(outputs, &of);
    for (output, z) in z.iter_mut().enumerate() {
        *z = T::from_f64(scale * (z.to_f64() * total - of(output)));
    }
    loss
}

/// `−Σᵢ tᵢ·ln(yᵢ/Σⱼ yⱼ)`; `yᵢ ← scale·(Σⱼ tⱼ/Σⱼ yⱼ − tᵢ/yᵢ)`.
fn cross_entropy_of_probabilities<T: Scalar>(y: &mut [T], of: impl Fn(usize) -> f64, scale: f64) -> f64 {
    let outputs = y.len();
    let sum = sum_of(outputs, |i| y[i].to_f64());
    let total = sum_of(outputs, &of);
    let mut loss = 0.0;
    for (output, y) in y.iter_mut().enumerate() {
        let (t, probability) = (of(output), y.to_f64());
        let mut slope = total / sum;
        if t != 0.0 {
            loss -= t * libm::log(probability / sum);
            slope -= t / probability;
        }
        *y = T::from_f64(scale * slope);
    }
    loss
}

impl CategoricalFocalCrossentropy {
    pub(super) fn check(self) -> Result<(), OutOfRange> {
        let settings = SettingsOf("CategoricalFocalCrossentropy");
        settings.not_negative("alpha", self.alpha)?;
        settings.not_negative("gamma", self.gamma)?;
        check_smoothing(settings, self.label_smoothing)
    }

    pub(super) fn in_place<T: Scalar>(
        self,
        isa: Isa,
        y: &mut [T],
        target: Target<'_>,
        scale: f64,
        from_logits: bool,
    ) -> f64 {
        let outputs = y.len();
        let of = smoothed(target, outputs, self.label_smoothing);
        let sum = if from_logits {
            log_softmax(isa, y);
            1.0
        } else {
            sum_of(outputs, |i| y[i].to_f64())
        };
        let term = |i: usize, y: T| {
            let log_probability = if from_logits { y.to_f64() } else { libm::log(y.to_f64() / sum) };
            self.term(of(i), log_probability)
        };
        let loss = sum_of(outputs, |i| term(i, y[i]).loss);
        // Of `p·∂loss/∂p`, which the logits take their share of.
        let total = sum_of(outputs, |i| term(i, y[i]).slope);
        for (output, y) in y.iter_mut().enumerate() {
            let Term { probability, slope, .. } = term(output, *y);
            // Σ cancels in part where one class is nearly sure; what is left is small then, and so is its error.
            *y = T::from_f64(if from_logits {
                scale * (slope - probability * total)
            } else if slope == 0.0 {
                scale * (-total / sum) // also where the probability is 0
            } else {
                scale * (slope - probability * total) / y.to_f64()
            });
        }
        loss
    }

    /// The part that one class has.
    fn term(self, t: f64, log_probability: f64) -> Term {
        let Self { alpha, gamma, .. } = self;
        let probability = libm::exp(log_probability);
        if t == 0.0 {
            return Term { probability, loss: 0.0, slope: 0.0 };
        }
        let rest = -libm::expm1(log_probability); // 1 − p, exact also where p is nearly 1
        let focus = libm::pow(rest, gamma);
        let loss = -alpha * t * focus * log_probability;
        // p·ln p/(1 − p) is 0 at p = 0 and −1 at p = 1.
        let ratio = if probability == 0.0 {
            0.0
        } else if rest == 0.0 {
            -1.0
        } else {
            probability * log_probability / rest
        };
        Term { probability, loss, slope: alpha * t * focus * (gamma * ratio - 1.0) }
    }
}

/// What a class gives to the focal loss, and `p·∂loss/∂p`.
struct Term {
    probability: f64,
    loss: f64,
    slope: f64,
}
