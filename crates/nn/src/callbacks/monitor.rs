//! A value that is watched: which way is better, and by how much it has to move.

use super::training::Run;
use crate::error::Error;
use serde::{Deserialize, Serialize};

/// Which way a watched value gets better.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Mode {
    /// As the model's metric of this name says; of other values from the name: losses and errors get better downwards,
    /// accuracies and their like upwards. A metric without an order, or a name that tells nothing, such as `learning_rate`, is an error.
    #[default]
    Auto,
    /// Less is better.
    Min,
    /// More is better.
    Max,
}

/// How the names of values end that get better downwards, and of those that get better upwards; `val_` does not count.
const DOWNWARDS: [&str; 8] =
    ["loss", "error", "crossentropy", "divergence", "poisson", "hinge", "logcosh", "log_cosh"];
const UPWARDS: [&str; 14] = [
    "accuracy",
    "precision",
    "recall",
    "auc",
    "f1_score",
    "fbeta_score",
    "score",
    "similarity",
    "kappa",
    "correlation",
    "iou",
    "specificity",
    "sensitivity",
    "positives",
];

/// The best of a watched value so far.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Best {
    mode: Mode,
    min_delta: f64,
    /// The best value; none before the first.
    pub(super) value: Option<f64>,
}

impl Best {
    /// Nothing so far, or `start`. The name is one of the run's, its mode was [checked](validate).
    pub(super) fn new(run: &Run, monitor: &str, mode: Mode, min_delta: f64, start: Option<f64>) -> Self {
        let mode = resolve(run, monitor, mode).unwrap_or(Mode::Min);
        Self { mode, min_delta: min_delta.abs(), value: start }
    }

    /// Whether `value` is better than `than` by more than `min_delta`; anything but NaN is better than nothing.
    pub(super) fn improves(&self, value: f64, than: Option<f64>) -> bool {
        match than {
            None => !value.is_nan(),
            Some(than) if self.mode == Mode::Max => value - self.min_delta > than,
            Some(than) => value + self.min_delta < than,
        }
    }

    /// Takes `value` if it is better than the best so far, and says whether it was.
    pub(super) fn take(&mut self, value: f64) -> bool {
        let better = self.improves(value, self.value);
        if better {
            self.value = Some(value);
        }
        better
    }
}

/// Checks that the run has the value, and that it is known which way it gets better.
pub(super) fn validate(callback: &'static str, run: &Run, monitor: &str, mode: Mode) -> Result<(), Error> {
    run.validate_value(callback, monitor)?;
    match resolve(run, monitor, mode) {
        Some(_) => Ok(()),
        None => Err(Error::MonitorMode { callback, monitor: monitor.to_owned() }),
    }
}

/// Checks that a setting is a finite number.
pub(super) fn finite(callback: &'static str, setting: &'static str, found: f64) -> Result<(), Error> {
    in_range(callback, setting, found, found.is_finite(), "a finite number")
}

/// Checks that a setting is in its range.
pub(super) fn in_range(
    callback: &'static str,
    setting: &'static str,
    found: f64,
    in_range: bool,
    expected: &'static str,
) -> Result<(), Error> {
    if in_range { Ok(()) } else { Err(Error::CallbackSetting { callback, setting, found, expected }) }
}

/// The mode that is meant, `Min` or `Max`.
fn resolve(run: &Run, monitor: &str, mode: Mode) -> Option<Mode> {
    if mode != Mode::Auto {
        return Some(mode);
    }
    let measured = monitor.strip_prefix("val_").unwrap_or(monitor);
    if let Some((_, larger_is_better)) = run.metrics.iter().find(|(name, _)| name == measured) {
        return larger_is_better.map(|larger| if larger { Mode::Max } else { Mode::Min });
    }
    let ends = |names: &[&str]| names.iter().any(|name| monitor.ends_with(name));
    match (ends(&DOWNWARDS), ends(&UPWARDS)) {
        (true, _) => Some(Mode::Min),
        (_, true) => Some(Mode::Max),
        (false, false) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_which_way_is_better() {
        let metrics = [("strange_score", Some(false)), ("logcosh_1", Some(false)), ("any_score", None)];
        let metrics = metrics.map(|(name, better)| (name.to_owned(), better)).to_vec();
        let run = Run { metrics, ..Run::default() };
        for (name, expected) in [
            ("loss", Some(Mode::Min)),
            ("val_loss", Some(Mode::Min)),
            ("val_mean_squared_error", Some(Mode::Min)),
            ("binary_crossentropy", Some(Mode::Min)),
            ("accuracy", Some(Mode::Max)),
            ("val_accuracy", Some(Mode::Max)),
            ("val_top_k_categorical_accuracy", Some(Mode::Max)),
            ("r2_score", Some(Mode::Max)),
            ("learning_rate", None),
            ("strange_score", Some(Mode::Min)),
            ("val_strange_score", Some(Mode::Min)),
            ("val_logcosh_1", Some(Mode::Min)),
            ("any_score", None),
            ("seconds", None),
        ] {
            assert_eq!(resolve(&run, name, Mode::Auto), expected, "{name}");
        }
        assert_eq!(resolve(&run, "learning_rate", Mode::Max), Some(Mode::Max));
        assert_eq!(resolve(&run, "accuracy", Mode::Min), Some(Mode::Min));
    }

    #[test]
    fn an_improvement_is_more_than_min_delta() {
        for (mode, min_delta, value, than, better) in [
            (Mode::Min, 0.0, 1.0, Some(1.0), false),
            (Mode::Min, 0.0, 0.9, Some(1.0), true),
            (Mode::Min, 0.25, 0.75, Some(1.0), false),
            (Mode::Min, -0.25, 0.5, Some(1.0), true),
            (Mode::Max, 0.0, 1.0, Some(1.0), false),
            (Mode::Max, 0.25, 1.25, Some(1.0), false),
            (Mode::Max, 0.25, 1.5, Some(1.0), true),
            (Mode::Max, 0.0, f64::NAN, Some(1.0), false),
            (Mode::Min, 0.0, f64::NAN, None, false),
            (Mode::Min, 0.0, f64::INFINITY, None, true),
        ] {
            let best = Best::new(&Run::default(), "value", mode, min_delta, None);
            assert_eq!(best.improves(value, than), better, "{mode:?} {min_delta} {value} {than:?}");
        }
    }
}
