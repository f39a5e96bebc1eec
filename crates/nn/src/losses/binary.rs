//! Cross-entropies of outputs that are each a yes or no by itself.

use super::categorical::check_smoothing;
use super::elementwise::{BLOCK, Block, mean_by_blocks};
use super::target::Target;
use crate::settings::{OutOfRange, SettingsOf};
use densely_tensor::{ActivationFunction, Isa, Scalar};
use serde::{Deserialize, Serialize};

/// `mean −t·ln y − (1 − t)·ln(1 − y)` over the outputs. Computed from the logits where the network ends in sigmoid, too, and
/// exact where a probability rounds to 0 or 1; unlike Keras's, probabilities are not moved into 1e-7 … 1 − 1e-7.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BinaryCrossentropy {
    /// Whether the network ends in logits (a linear last layer) rather than in probabilities (sigmoid). Default: `false`.
    pub from_logits: bool,
    /// How far targets are moved towards ½: `t ← (1 − label_smoothing)·t + label_smoothing/2`, at least 0 and below 1.
    /// Default: 0.
    pub label_smoothing: f64,
}

/// `mean (1 − q)^gamma·(−t·ln y − (1 − t)·ln(1 − y))` with `q = t·y + (1 − t)·(1 − y)`, so that outputs that are right already
/// count less (Lin and others, arXiv:1708.02002, equations 4 and 5).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BinaryFocalCrossentropy {
    /// Whether each output is multiplied by `t·alpha + (1 − t)·(1 − alpha)`. Default: `false`.
    pub apply_class_balancing: bool,
    /// The weight of yes, between 0 and 1. Default: 0.25.
    pub alpha: f64,
    /// How much less; 0 or more. Default: 2.
    pub gamma: f64,
    /// As in [`BinaryCrossentropy`]. Default: `false`.
    pub from_logits: bool,
    /// As in [`BinaryCrossentropy`]. Default: 0.
    pub label_smoothing: f64,
}

impl Default for BinaryFocalCrossentropy {
    fn default() -> Self {
        Self {
            apply_class_balancing: false,
            alpha: 0.25,
            gamma: 2.0,
            from_logits: false,
            label_smoothing: 0.0,
        }
    }
}

impl BinaryCrossentropy {
    pub(super) fn check(self) -> Result<(), OutOfRange> {
        check_smoothing(SettingsOf("BinaryCrossentropy"), self.label_smoothing)
    }

    pub(super) fn in_place<T: Scalar>(
        self,
        isa: Isa,
        y: &mut [T],
        target: Target<'_>,
        scale: f64,
        from_logits: bool,
    ) -> f64 {
        mean_by_blocks(y, target, scale, |Block { t, y, losses }| {
            smooth(t, self.label_smoothing);
            let chances = Chances::of(isa, y, from_logits);
            for (place, (y, loss)) in y.iter_mut().zip(losses).enumerate() {
                let entropy = chances.entropy(t[place], place, from_logits);
                (*loss, *y) = (entropy.value, entropy.derivative);
            }
        })
    }
}

impl BinaryFocalCrossentropy {
    pub(super) fn check(self) -> Result<(), OutOfRange> {
        let settings = SettingsOf("BinaryFocalCrossentropy");
        settings.check("alpha", self.alpha, (0.0..=1.0).contains(&self.alpha), "between 0 and 1")?;
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
        let Self { apply_class_balancing, alpha, gamma, label_smoothing, .. } = self;
        mean_by_blocks(y, target, scale, |Block { t, y, losses }| {
            smooth(t, label_smoothing);
            let chances = Chances::of(isa, y, from_logits);
            for (place, (y, loss)) in y.iter_mut().zip(losses).enumerate() {
                let (t, yes, no) = (t[place], chances.yes[place], chances.no[place]);
                let weight = if apply_class_balancing { t * alpha + (1.0 - t) * (1.0 - alpha) } else { 1.0 };
                let Entropy { value, derivative } = chances.entropy(t, place, from_logits);
                let wrong = t * no + (1.0 - t) * yes; // 1 − q
                let focus = weight * libm::pow(wrong, gamma);
                // (1 − q)′/(1 − q), which is needed only where there is a loss.
                let relative = if wrong == 0.0 {
                    0.0
                } else {
                    (1.0 - 2.0 * t) / wrong * if from_logits { yes * no } else { 1.0 }
                };
                *loss = focus * value;
                // Without a focus the value has no part in the slope, also where it is infinite.
                let focusing = if gamma == 0.0 { 0.0 } else { gamma * relative * value };
                *y = focus * (focusing + derivative);
            }
        })
    }
}

fn smooth(t: &mut [f64], label_smoothing: f64) {
    if label_smoothing > 0.0 {
        for t in t {
            *t = (1.0 - label_smoothing) * *t + 0.5 * label_smoothing;
        }
    }
}

/// The probabilities of yes and no, and `−ln` of both, each exact where it is near 0.
struct Chances {
    yes: [f64; BLOCK],
    no: [f64; BLOCK],
    minus_log_yes: [f64; BLOCK],
    minus_log_no: [f64; BLOCK],
}

/// A cross-entropy, and its derivative with respect to the logit or the probability.
struct Entropy {
    value: f64,
    derivative: f64,
}

impl Chances {
    fn of(isa: Isa, y: &[f64], from_logits: bool) -> Self {
        let mut yes = [0.0; BLOCK];
        yes[..y.len()].copy_from_slice(y);
        if from_logits {
            let mut no = yes.map(|logit| -logit);
            let (mut minus_log_yes, mut minus_log_no) = (no, yes);
            ActivationFunction::Softplus.apply(isa, &mut minus_log_yes[..y.len()]);
            ActivationFunction::Softplus.apply(isa, &mut minus_log_no[..y.len()]);
            ActivationFunction::Sigmoid.apply(isa, &mut yes[..y.len()]);
            ActivationFunction::Sigmoid.apply(isa, &mut no[..y.len()]);
            Self { yes, no, minus_log_yes, minus_log_no }
        } else {
            let no = yes.map(|chance| 1.0 - chance);
            let (mut minus_log_yes, mut minus_log_no) = ([0.0; BLOCK], [0.0; BLOCK]);
            for (place, &chance) in y.iter().enumerate() {
                minus_log_yes[place] = -libm::log(chance);
                minus_log_no[place] = -libm::log1p(-chance);
            }
            Self { yes, no, minus_log_yes, minus_log_no }
        }
    }

    #[inline(always)]
    fn entropy(&self, t: f64, place: usize, from_logits: bool) -> Entropy {
        // What has no weight has no part, also where it is infinite.
        let part = |weight: f64, of: f64| if weight == 0.0 { 0.0 } else { weight * of };
        let (yes, no) = (self.yes[place], self.no[place]);
        let value = part(t, self.minus_log_yes[place]) + part(1.0 - t, self.minus_log_no[place]);
        let derivative = if from_logits {
            part(1.0 - t, yes) - part(t, no)
        } else {
            part(1.0 - t, 1.0 / no) - part(t, 1.0 / yes)
        };
        Entropy { value, derivative }
    }
}
