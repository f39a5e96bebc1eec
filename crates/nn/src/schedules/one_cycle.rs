//! The one-cycle policy (L. Smith and N. Topin, *Super-convergence: very fast training of neural networks using large
//! learning rates*, arXiv:1708.07120, 2017).

use super::falling_cosine;
use crate::settings::{OutOfRange, SettingsOf};
use serde::{Deserialize, Serialize};

/// PyTorch's `OneCycleLR`: from `max_learning_rate/div_factor` up to the maximum at step `pct_start·total_steps − 1`, then
/// down to `max_learning_rate/div_factor/final_div_factor` at step `total_steps − 1`. With three phases the way down takes
/// as long as the way up and ends where that began, and a last phase goes on from there to the final rate.
///
/// The ends of the phases need not be whole steps. After the last step the rate stays as it was there; PyTorch refuses to go on. Its
/// momentum does not cycle here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OneCycle {
    /// The highest rate; at least 0.
    pub max_learning_rate: f64,
    /// The steps of the cycle: batches of an epoch times epochs; at least 2.
    pub total_steps: u64,
    /// The share of the steps in which the rate rises; between 0 and 1. Default: 0.3.
    #[serde(default = "pct_start")]
    pub pct_start: f64,
    /// How the rate goes from one end of a phase to the other. Default: like half a cosine.
    #[serde(default)]
    pub anneal_strategy: AnnealStrategy,
    /// How many times the first rate fits into the highest; above 0. Default: 25.
    #[serde(default = "div_factor")]
    pub div_factor: f64,
    /// How many times the last rate fits into the first; above 0. Default: 10,000.
    #[serde(default = "final_div_factor")]
    pub final_div_factor: f64,
    /// Whether there are three phases. Default: `false`.
    #[serde(default)]
    pub three_phase: bool,
}

/// How a rate goes from one value to another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum AnnealStrategy {
    /// Like half a cosine.
    #[default]
    Cos,
    /// In a straight line.
    Linear,
}

fn pct_start() -> f64 {
    0.3
}

fn div_factor() -> f64 {
    25.0
}

fn final_div_factor() -> f64 {
    1e4
}

impl OneCycle {
    /// Two phases of half a cosine each.
    pub fn new(max_learning_rate: f64, total_steps: u64) -> Self {
        Self {
            max_learning_rate,
            total_steps,
            pct_start: pct_start(),
            anneal_strategy: AnnealStrategy::default(),
            div_factor: div_factor(),
            final_div_factor: final_div_factor(),
            three_phase: false,
        }
    }

    pub(super) fn at(&self, step: f64) -> f64 {
        let total = self.total_steps as f64;
        let step = step.min(total - 1.0);
        let first = self.max_learning_rate / self.div_factor;
        let last = first / self.final_div_factor;
        let peak = self.pct_start * total - 1.0;
        let (begin, from, end, to) = if step <= peak {
            (0.0, first, peak, self.max_learning_rate)
        } else if !self.three_phase {
            (peak, self.max_learning_rate, total - 1.0, last)
        } else if step <= 2.0 * peak {
            (peak, self.max_learning_rate, 2.0 * peak, first)
        } else {
            (2.0 * peak, first, total - 1.0, last)
        };
        let share = if end > begin { ((step - begin) / (end - begin)).min(1.0) } else { 1.0 };
        let left = match self.anneal_strategy {
            AnnealStrategy::Cos => falling_cosine(share),
            AnnealStrategy::Linear => 1.0 - share,
        };
        to + (from - to) * left
    }

    pub(super) fn check(&self, settings: SettingsOf) -> Result<(), OutOfRange> {
        settings.not_negative("max_learning_rate", self.max_learning_rate)?;
        settings.check("total_steps", self.total_steps as f64, self.total_steps >= 2, "at least 2")?;
        settings.unit_interval("pct_start", self.pct_start)?;
        settings.positive("div_factor", self.div_factor)?;
        settings.positive("final_div_factor", self.final_div_factor)
    }
}
