//! Learning rates: a number, or a schedule that gives one for each step.
//!
//! In RON a [`LearningRate`] is the number or the schedule itself: `Adam(learning_rate: 0.001)`, or
//! `Adam(learning_rate: CosineDecay(initial_learning_rate: 0.001, decay_steps: 10_000))`. Steps are counted from 0 and, as in
//! Keras, over all epochs and all batches: also those that only add to an accumulated gradient.
//!
//! Names and formulas are those of Keras 3, [`OneCycle`]'s those of PyTorch. Rates are computed in double precision with
//! the pure-Rust `libm`, so they are the same on every machine.

mod cosine_decay;
mod cosine_decay_restarts;
mod exponential_decay;
mod inverse_time_decay;
mod one_cycle;
mod piecewise_constant_decay;
mod polynomial_decay;

pub use cosine_decay::CosineDecay;
pub use cosine_decay_restarts::CosineDecayRestarts;
pub use exponential_decay::ExponentialDecay;
pub use inverse_time_decay::InverseTimeDecay;
pub use one_cycle::{AnnealStrategy, OneCycle};
pub use piecewise_constant_decay::PiecewiseConstantDecay;
pub use polynomial_decay::PolynomialDecay;

use crate::error::{DescriptionError, Error};
use crate::settings::{OutOfRange, SettingsOf};
use crate::text::from_ron;
use ron::value::RawValue;
use serde::{Deserialize, Deserializer, Serialize};

/// The size of an optimizer's steps.
///
/// ```
/// use densely::schedules::{ExponentialDecay, LearningRate};
///
/// assert_eq!(LearningRate::from(0.01).at(1000), 0.01);
/// let halved: LearningRate = ExponentialDecay::new(0.1, 1000, 0.5).into();
/// assert_eq!((halved.at(0), halved.at(1000), halved.at(2000)), (0.1, 0.05, 0.025));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum LearningRate {
    /// The same for all steps; above 0.
    Constant(f64),
    /// A rate for each step.
    Schedule(Schedule),
}

/// A learning rate for each step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Schedule {
    /// Falls by the same factor in the same number of steps.
    ExponentialDecay(ExponentialDecay),
    /// Changes at given steps.
    PiecewiseConstantDecay(PiecewiseConstantDecay),
    /// Falls like a power of the steps that are left.
    PolynomialDecay(PolynomialDecay),
    /// Falls like one over the steps.
    InverseTimeDecay(InverseTimeDecay),
    /// Falls like half a cosine, after a linear warm-up if asked.
    CosineDecay(CosineDecay),
    /// Falls like half a cosine, again and again.
    CosineDecayRestarts(CosineDecayRestarts),
    /// Rises once, then falls far below where it began.
    OneCycle(OneCycle),
}

macro_rules! rate_from_schedule {
    ($($schedule:ident),+) => {$(
        impl From<$schedule> for LearningRate {
            fn from(schedule: $schedule) -> Self {
                Self::Schedule(Schedule::$schedule(schedule))
            }
        }
    )+};
}
rate_from_schedule!(
    ExponentialDecay,
    PiecewiseConstantDecay,
    PolynomialDecay,
    InverseTimeDecay,
    CosineDecay,
    CosineDecayRestarts,
    OneCycle
);

impl From<f64> for LearningRate {
    fn from(rate: f64) -> Self {
        Self::Constant(rate)
    }
}

impl From<Schedule> for LearningRate {
    fn from(schedule: Schedule) -> Self {
        Self::Schedule(schedule)
    }
}

impl LearningRate {
    /// The rate at `step`, counted from 0.
    pub fn at(&self, step: u64) -> f64 {
        match self {
            Self::Constant(rate) => *rate,
            Self::Schedule(schedule) => schedule.at(step),
        }
    }

    /// Checks the number or the schedule's settings for the optimizer of this name.
    pub(crate) fn validate(&self, optimizer: &'static str) -> Result<(), Error> {
        match self {
            Self::Constant(rate) => {
                SettingsOf(optimizer).positive("learning_rate", *rate).map_err(OutOfRange::of_optimizer)
            }
            Self::Schedule(schedule) => schedule.check().map_err(|error| error.of_schedule(optimizer)),
        }
    }
}

impl Schedule {
    /// The rate at `step`, counted from 0.
    pub fn at(&self, step: u64) -> f64 {
        let step = step as f64;
        match self {
            Self::ExponentialDecay(schedule) => schedule.at(step),
            Self::PiecewiseConstantDecay(schedule) => schedule.at(step),
            Self::PolynomialDecay(schedule) => schedule.at(step),
            Self::InverseTimeDecay(schedule) => schedule.at(step),
            Self::CosineDecay(schedule) => schedule.at(step),
            Self::CosineDecayRestarts(schedule) => schedule.at(step),
            Self::OneCycle(schedule) => schedule.at(step),
        }
    }

    fn check(&self) -> Result<(), OutOfRange> {
        match self {
            Self::ExponentialDecay(schedule) => schedule.check(SettingsOf("ExponentialDecay")),
            Self::PiecewiseConstantDecay(schedule) => schedule.check(SettingsOf("PiecewiseConstantDecay")),
            Self::PolynomialDecay(schedule) => schedule.check(SettingsOf("PolynomialDecay")),
            Self::InverseTimeDecay(schedule) => schedule.check(SettingsOf("InverseTimeDecay")),
            Self::CosineDecay(schedule) => schedule.check(SettingsOf("CosineDecay")),
            Self::CosineDecayRestarts(schedule) => schedule.check(SettingsOf("CosineDecayRestarts")),
            Self::OneCycle(schedule) => schedule.check(SettingsOf("OneCycle")),
        }
    }
}

/// A number and an enum have no form in common that serde could choose from with a good message, so the text is taken as
/// it is and read as one or the other.
impl<'de> Deserialize<'de> for LearningRate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Box::<RawValue>::deserialize(deserializer)?;
        let text = text.get_ron().trim();
        let read = if text.starts_with(|first: char| first.is_ascii_alphabetic() && !is_number(text)) {
            from_ron(text).map(Self::Schedule)
        } else {
            from_ron(text).map(Self::Constant)
        };
        read.map_err(|error| serde::de::Error::custom(without_place(error)))
    }
}

/// `inf` and `NaN` begin like names; they are refused as numbers when they are checked.
fn is_number(text: &str) -> bool {
    ["inf", "NaN"].iter().any(|name| text.starts_with(name))
}

/// The message without line and column, which would be those within the value.
fn without_place(error: Error) -> String {
    match error {
        Error::Description(DescriptionError::Ron { message, nearest: Some(name), .. }) => {
            format!("{message}; did you mean `{name}`?")
        }
        Error::Description(DescriptionError::Ron { message, .. }) => message,
        other => other.to_string(),
    }
}

/// The default of a factor, for serde.
fn one() -> f64 {
    1.0
}

/// How far a schedule has come: in whole periods if it goes down in stairs.
fn passed(step: f64, decay_steps: u64, staircase: bool) -> f64 {
    let passed = step / decay_steps as f64;
    if staircase { passed.floor() } else { passed }
}

/// From 1 at the share 0 to 0 at the share 1: `(1 + cos(π·share))/2`.
fn falling_cosine(share: f64) -> f64 {
    0.5 * (1.0 + libm::cos(std::f64::consts::PI * share))
}

/// Both schedules with a cosine begin alike: linearly from the initial rate to the target, if there is one. After that (or
/// without) the top of the cosine, and the steps since.
enum WarmUp {
    Rising(f64),
    Over { top: f64, step: f64 },
}

fn warm_up(initial: f64, target: Option<f64>, warmup_steps: u64, step: f64) -> WarmUp {
    let steps = warmup_steps as f64;
    match target {
        Some(target) if step < steps => WarmUp::Rising(initial + (target - initial) * (step / steps)),
        Some(target) => WarmUp::Over { top: target, step: step - steps },
        None => WarmUp::Over { top: initial, step },
    }
}

impl SettingsOf {
    fn at_least_one(self, setting: &'static str, found: u64) -> Result<(), OutOfRange> {
        self.check(setting, found as f64, found >= 1, "at least 1")
    }

    fn unit_interval(self, setting: &'static str, found: f64) -> Result<(), OutOfRange> {
        self.check(setting, found, (0.0..=1.0).contains(&found), "between 0 and 1")
    }
}
