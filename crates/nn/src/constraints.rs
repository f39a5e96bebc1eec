//! Constraints: what weights are moved back to after each step.

use crate::settings::{OutOfRange, SettingsOf};
use densely_tensor::Scalar;
use serde::{Deserialize, Serialize};

/// What weights must keep to; a step that leads out of it is followed by the way back. Names and defaults are Keras's.
///
/// Norms are Euclidean and of one unit's incoming weights, which is Keras's `axis=0`; a bias is taken as a whole, as in
/// Keras.
///
/// In RON `kernel_constraint: MaxNorm(max_value: 3)`; in Rust:
///
/// ```
/// # use densely::{Constraint, Dense, constraints::MaxNorm, text::from_ron};
/// let layer = Dense::new(10).kernel_constraint(MaxNorm { max_value: 3.0 });
/// assert_eq!(layer, from_ron("(units: 10, kernel_constraint: MaxNorm(max_value: 3))")?);
///
/// let mut kernel = [3.0, 0.3, 4.0, 0.4]; // 2 units × 2 inputs, of norms 5 and 0.5
/// Constraint::from(MaxNorm { max_value: 1.0 }).apply(&mut kernel, 2, 2);
/// assert!((kernel[0] - 0.6_f64).abs() < 1e-15 && (kernel[2] - 0.8).abs() < 1e-15);
/// assert_eq!((kernel[1], kernel[3]), (0.3, 0.4));
/// # Ok::<(), densely::Error>(())
/// ```
///
/// Keras divides by the norm plus 1e-7, so that weights shrink by some 1e-7 of themselves in every step, also where they
/// need not change; here they are divided by the norm, and weights that keep to a constraint stay as they are.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Constraint {
    /// A norm of at most a value.
    MaxNorm(MaxNorm),
    /// A norm between two values.
    MinMaxNorm(MinMaxNorm),
    /// No weight below 0: negative ones become 0.
    NonNeg,
    /// A norm of 1.
    UnitNorm,
}

/// Weights of a larger norm are scaled down to it (N. Srivastava et al., "Dropout: a simple way to prevent neural networks
/// from overfitting", JMLR 15, 2014, section 5.1).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MaxNorm {
    /// The largest norm; above 0. Default: 2.
    pub max_value: f64,
}

impl Default for MaxNorm {
    fn default() -> Self {
        Self { max_value: 2.0 }
    }
}

/// Weights are scaled to the norm `rate·clip(norm, min_value, max_value) + (1 − rate)·norm`: Keras's `MinMaxNorm`. Weights that
/// are all 0 stay.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MinMaxNorm {
    /// The smallest norm; 0 or more. Default: 0.
    pub min_value: f64,
    /// The largest norm; not below the smallest. Default: 1.
    pub max_value: f64,
    /// The share of the way back that a step goes; between 0 and 1. Default: 1.
    pub rate: f64,
}

impl Default for MinMaxNorm {
    fn default() -> Self {
        Self { min_value: 0.0, max_value: 1.0, rate: 1.0 }
    }
}

impl Constraint {
    /// Moves a kernel of `rows` units × `columns` inputs, column-major, to where it keeps to the constraint; a bias is
    /// 1 × units. Units whose norm is 0 or not finite stay as they are.
    ///
    /// # Panics
    ///
    /// If there are not so many weights.
    #[track_caller]
    pub fn apply<T: Scalar>(self, weights: &mut [T], rows: usize, columns: usize) {
        let expected = rows.checked_mul(columns);
        assert!(expected == Some(weights.len()), "{} weights are not {rows} × {columns}", weights.len());
        match self {
            Self::MaxNorm(MaxNorm { max_value }) => {
                scale_units(weights, rows, |norm| norm.min(max_value));
            }
            Self::MinMaxNorm(MinMaxNorm { min_value, max_value, rate }) => {
                scale_units(weights, rows, |norm| {
                    let within = norm.max(min_value).min(max_value);
                    if within == norm { norm } else { rate * within + (1.0 - rate) * norm }
                })
            }
            Self::NonNeg => {
                for weight in weights {
                    if *weight <= T::ZERO {
                        *weight = T::ZERO;
                    }
                }
            }
            Self::UnitNorm => scale_units(weights, rows, |_| 1.0),
        }
    }

    /// Checks every setting.
    pub(crate) fn check_settings(self) -> Result<(), OutOfRange> {
        match self {
            Self::MaxNorm(MaxNorm { max_value }) => SettingsOf("MaxNorm").positive("max_value", max_value),
            Self::MinMaxNorm(MinMaxNorm { min_value, max_value, rate }) => {
                let settings = SettingsOf("MinMaxNorm");
                settings.not_negative("min_value", min_value)?;
                settings.positive("max_value", max_value)?;
                let expected = "a number that is not below min_value";
                settings.check("max_value", max_value, max_value >= min_value, expected)?;
                settings.check("rate", rate, (0.0..=1.0).contains(&rate), "a number between 0 and 1")
            }
            Self::NonNeg | Self::UnitNorm => Ok(()),
        }
    }
}

impl From<MaxNorm> for Constraint {
    fn from(max_norm: MaxNorm) -> Self {
        Self::MaxNorm(max_norm)
    }
}

impl From<MinMaxNorm> for Constraint {
    fn from(min_max_norm: MinMaxNorm) -> Self {
        Self::MinMaxNorm(min_max_norm)
    }
}

/// Units whose norms are computed side by side: neighbours in memory.
const TOGETHER: usize = 16;

/// Scales each row to the norm that is wanted for its norm. Squares are added in double precision, in the order of the
/// inputs.
fn scale_units<T: Scalar>(weights: &mut [T], rows: usize, wanted: impl Fn(f64) -> f64) {
    for first in (0..rows).step_by(TOGETHER) {
        let together = TOGETHER.min(rows - first);
        let mut factors = [0.0; TOGETHER];
        for column in weights.chunks_exact(rows) {
            for (sum, weight) in factors.iter_mut().zip(&column[first..first + together]) {
                *sum += weight.to_f64() * weight.to_f64();
            }
        }
        for factor in &mut factors {
            let norm = factor.sqrt();
            *factor = if norm > 0.0 && norm.is_finite() { wanted(norm) / norm } else { 1.0 };
        }
        for column in weights.chunks_exact_mut(rows) {
            for (factor, weight) in factors.iter().zip(&mut column[first..first + together]) {
                *weight = T::from_f64(weight.to_f64() * factor);
            }
        }
    }
}
