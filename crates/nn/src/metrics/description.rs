//! The description of a metric.

use super::batch::TargetKind;
use super::built_in::BuiltIn;
use super::state::MetricState;
use crate::error::Error;
use crate::metrics::MetricError;
use crate::settings::{OutOfRange, SettingsOf};
use crate::text;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What is measured, with its settings. The [module](crate::metrics) has the formulas.
///
/// In RON every metric has parentheses, and in them what differs from the defaults:
///
/// ```
/// # use densely::{Metric, metrics::{Average, Curve}, text::from_ron};
/// assert_eq!(from_ron::<Metric>("Auc()")?, Metric::Auc { curve: Curve::Roc });
/// assert_eq!(
///     from_ron::<Metric>("Precision(average: Macro)")?,
///     Metric::Precision { threshold: 0.5, average: Average::Macro }
/// );
/// # Ok::<(), densely::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Metric {
    // Shares of decisions.
    /// The share of right yes-or-no decisions.
    BinaryAccuracy {
        /// What an output has to exceed to mean yes. Default: 0.5.
        #[serde(default = "default::threshold")]
        threshold: f64,
    },
    /// The share of samples whose largest output is that of their class.
    CategoricalAccuracy {},
    /// The same, for class labels only.
    SparseCategoricalAccuracy {},
    /// The share of samples whose class is among the k largest outputs.
    TopKCategoricalAccuracy {
        /// 1 or more. Default: 5.
        #[serde(default = "default::k")]
        k: usize,
    },
    /// The share of what was found that is right.
    Precision {
        /// What an output has to exceed where it decides alone. Default: 0.5.
        #[serde(default = "default::threshold")]
        threshold: f64,
        /// Default: [`Average::Binary`].
        #[serde(default)]
        average: Average,
    },
    /// The share of what is there that was found.
    Recall {
        /// What an output has to exceed where it decides alone. Default: 0.5.
        #[serde(default = "default::threshold")]
        threshold: f64,
        /// Default: [`Average::Binary`].
        #[serde(default)]
        average: Average,
    },
    /// The harmonic mean of precision and recall.
    F1Score {
        /// What an output has to exceed where it decides alone. Default: 0.5.
        #[serde(default = "default::threshold")]
        threshold: f64,
        /// Default: [`Average::Binary`].
        #[serde(default)]
        average: Average,
    },
    /// The harmonic mean of precision and recall, the latter `beta` times as important.
    FBetaScore {
        /// Above 0. Default: 1.
        #[serde(default = "default::beta")]
        beta: f64,
        /// What an output has to exceed where it decides alone. Default: 0.5.
        #[serde(default = "default::threshold")]
        threshold: f64,
        /// Default: [`Average::Binary`].
        #[serde(default)]
        average: Average,
    },
    /// The area under a curve over all thresholds, exactly. It keeps [every score](crate::metrics::MAX_RANKED).
    Auc {
        /// Default: [`Curve::Roc`].
        #[serde(default)]
        curve: Curve,
    },

    // Agreement of classes.
    /// The weight of the samples for each right and predicted class: the one metric that is a table. As all others of this
    /// group but the last, of at most 4096 classes.
    ConfusionMatrix {},
    /// Agreement beyond chance.
    CohenKappa {},
    /// The correlation of right and predicted classes.
    MatthewsCorrelation {},
    /// The mean over the classes of intersection over union.
    MeanIoU {},
    /// How far probabilities are from the share that is right.
    ExpectedCalibrationError {
        /// 1 to 65,536. Default: 15.
        #[serde(default = "default::bins")]
        bins: usize,
    },

    // Errors of values.
    /// The share of the variance that is explained.
    R2Score {},
    /// Mean of the squared errors.
    MeanSquaredError {},
    /// Its square root.
    RootMeanSquaredError {},
    /// Mean of the absolute errors.
    MeanAbsoluteError {},
    /// Mean of the absolute errors in percent of the targets.
    MeanAbsolutePercentageError {},
    /// Mean of the squared differences of logarithms.
    MeanSquaredLogarithmicError {},
    /// Mean of the logarithms of the errors' hyperbolic cosines; Keras's `LogCoshError`.
    LogCosh {},
    /// Mean cosine of the angle between targets and outputs.
    CosineSimilarity {},
}

/// How the scores of several classes become one; scikit-learn's `average`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Average {
    /// There are two classes, and the score is that of class 1.
    #[default]
    Binary,
    /// All classes' hits, samples and predictions are added first. For classes that exclude each other this is the accuracy.
    Micro,
    /// The mean over the classes that are there or were predicted, as in scikit-learn. With value targets the mean over all
    /// columns, as in scikit-learn and Keras: one that is never there and was never predicted scores 0.
    Macro,
    /// The same, each class counted by its samples.
    Weighted,
}

/// The curve whose area [`Metric::Auc`] is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Curve {
    /// The share of positive samples found over that of negative samples mistaken:
    /// [`roc_curve`](crate::metrics::roc_curve).
    #[default]
    Roc,
    /// Precision over recall: [`precision_recall_curve`](crate::metrics::precision_recall_curve). The area is the average
    /// precision, which is that of steps: between two scores the precision is that at the lower.
    Pr,
}

mod default {
    pub(super) fn threshold() -> f64 {
        0.5
    }

    pub(super) fn k() -> usize {
        5
    }

    pub(super) fn beta() -> f64 {
        1.0
    }

    pub(super) fn bins() -> usize {
        15
    }
}

/// The most bins of a calibration error.
const MAX_BINS: usize = 1 << 16;

/// The most classes of a table. So many take 256 MiB while it is measured, and half as much again for the result.
const MAX_TABLE_CLASSES: usize = 1 << 12;

impl Metric {
    /// Keras's name for it, as in a history: `f1_score`.
    pub fn name(&self) -> &'static str {
        self.names().1
    }

    /// Whether a larger result is a better one; `None` for the confusion matrix.
    pub fn larger_is_better(&self) -> Option<bool> {
        match self {
            Self::ConfusionMatrix {} => None,
            Self::ExpectedCalibrationError { .. }
            | Self::MeanSquaredError {}
            | Self::RootMeanSquaredError {}
            | Self::MeanAbsoluteError {}
            | Self::MeanAbsolutePercentageError {}
            | Self::MeanSquaredLogarithmicError {}
            | Self::LogCosh {} => Some(false),
            _ => Some(true),
        }
    }

    /// Checks every setting.
    ///
    /// # Errors
    ///
    /// [`MetricError::Setting`] names the first setting outside its range.
    pub fn validate(&self) -> Result<(), Error> {
        self.check_settings().map_err(OutOfRange::of_metric)
    }

    /// Checks that it can be measured with these targets and so many outputs.
    ///
    /// ```
    /// # use densely::{Metric, metrics::TargetKind};
    /// assert_eq!(
    ///     Metric::R2Score {}.validate_for(10, TargetKind::Classes).unwrap_err().to_string(),
    ///     "R2Score needs values as targets, the data have class labels"
    /// );
    /// ```
    ///
    /// # Errors
    ///
    /// [`MetricError::Targets`] or [`MetricError::Outputs`].
    pub fn validate_for(&self, outputs: usize, targets: TargetKind) -> Result<(), Error> {
        let metric = self.kind();
        let outputs_are = |in_range: bool, expected: &'static str| {
            if in_range {
                Ok(())
            } else {
                Err(MetricError::Outputs { metric, found: outputs, expected }.into())
            }
        };
        let targets_are = |expected: TargetKind| {
            if targets == expected {
                return Ok(());
            }
            Err(MetricError::Targets { metric, found: targets.in_words(), expected: expected.in_words() }
                .into())
        };
        outputs_are(outputs > 0, "at least 1")?;
        match *self {
            Self::BinaryAccuracy { .. } => match targets {
                TargetKind::Classes => outputs_are(outputs <= 2, "1 or 2 with class labels"),
                TargetKind::Values => Ok(()),
            },
            Self::Precision { average, .. }
            | Self::Recall { average, .. }
            | Self::F1Score { average, .. }
            | Self::FBetaScore { average, .. } => match (average, targets) {
                (Average::Binary, TargetKind::Classes) => {
                    outputs_are(outputs <= 2, "1 or 2, or an average of Micro, Macro or Weighted")
                }
                (Average::Binary, TargetKind::Values) => {
                    outputs_are(outputs == 1, "1 with values, or an average of Micro, Macro or Weighted")
                }
                _ => Ok(()),
            },
            Self::Auc { .. } => match targets {
                TargetKind::Classes => outputs_are(outputs <= 2, "1 or 2"),
                TargetKind::Values => outputs_are(outputs == 1, "1 with values"),
            },
            Self::CategoricalAccuracy {} | Self::TopKCategoricalAccuracy { .. } => {
                outputs_are(outputs >= 2, "at least 2")
            }
            Self::SparseCategoricalAccuracy {} => {
                targets_are(TargetKind::Classes)?;
                outputs_are(outputs >= 2, "at least 2")
            }
            Self::ConfusionMatrix {}
            | Self::CohenKappa {}
            | Self::MatthewsCorrelation {}
            | Self::MeanIoU {} => outputs_are(outputs <= MAX_TABLE_CLASSES, "at most 4096"),
            Self::ExpectedCalibrationError { .. } => Ok(()),
            Self::R2Score {}
            | Self::MeanSquaredError {}
            | Self::RootMeanSquaredError {}
            | Self::MeanAbsoluteError {}
            | Self::MeanAbsolutePercentageError {}
            | Self::MeanSquaredLogarithmicError {}
            | Self::LogCosh {}
            | Self::CosineSimilarity {} => targets_are(TargetKind::Values),
        }
    }

    /// Checks every setting, and that there are targets with which it can be measured of so many outputs.
    ///
    /// # Errors
    ///
    /// As [`validate`](Self::validate); [`MetricError::Outputs`].
    pub fn validate_outputs(&self, outputs: usize) -> Result<(), Error> {
        self.validate()?;
        let of_classes = self.validate_for(outputs, TargetKind::Classes);
        self.validate_for(outputs, TargetKind::Values).or(of_classes)
    }

    /// Begins to measure, for a network with so many outputs and such targets.
    ///
    /// # Errors
    ///
    /// As [`validate`](Self::validate) and [`validate_for`](Self::validate_for); [`Error::Memory`] if there is not enough for what
    /// it counts.
    pub fn state(&self, outputs: usize, targets: TargetKind) -> Result<Box<dyn MetricState>, Error> {
        self.validate()?;
        self.validate_for(outputs, targets)?;
        Ok(Box::new(BuiltIn::new(*self, outputs, targets)?))
    }

    /// What it is called in a description.
    pub(super) fn kind(&self) -> &'static str {
        self.names().0
    }

    /// In a description, and in a history.
    fn names(&self) -> (&'static str, &'static str) {
        match self {
            Self::BinaryAccuracy { .. } => ("BinaryAccuracy", "binary_accuracy"),
            Self::CategoricalAccuracy {} => ("CategoricalAccuracy", "categorical_accuracy"),
            Self::SparseCategoricalAccuracy {} => {
                ("SparseCategoricalAccuracy", "sparse_categorical_accuracy")
            }
            Self::TopKCategoricalAccuracy { .. } => ("TopKCategoricalAccuracy", "top_k_categorical_accuracy"),
            Self::Precision { .. } => ("Precision", "precision"),
            Self::Recall { .. } => ("Recall", "recall"),
            Self::F1Score { .. } => ("F1Score", "f1_score"),
            Self::FBetaScore { .. } => ("FBetaScore", "fbeta_score"),
            Self::Auc { .. } => ("Auc", "auc"),
            Self::ConfusionMatrix {} => ("ConfusionMatrix", "confusion_matrix"),
            Self::CohenKappa {} => ("CohenKappa", "cohen_kappa"),
            Self::MatthewsCorrelation {} => ("MatthewsCorrelation", "matthews_correlation"),
            Self::MeanIoU {} => ("MeanIoU", "mean_io_u"),
            Self::ExpectedCalibrationError { .. } => {
                ("ExpectedCalibrationError", "expected_calibration_error")
            }
            Self::R2Score {} => ("R2Score", "r2_score"),
            Self::MeanSquaredError {} => ("MeanSquaredError", "mean_squared_error"),
            Self::RootMeanSquaredError {} => ("RootMeanSquaredError", "root_mean_squared_error"),
            Self::MeanAbsoluteError {} => ("MeanAbsoluteError", "mean_absolute_error"),
            Self::MeanAbsolutePercentageError {} => {
                ("MeanAbsolutePercentageError", "mean_absolute_percentage_error")
            }
            Self::MeanSquaredLogarithmicError {} => {
                ("MeanSquaredLogarithmicError", "mean_squared_logarithmic_error")
            }
            Self::LogCosh {} => ("LogCosh", "logcosh"),
            Self::CosineSimilarity {} => ("CosineSimilarity", "cosine_similarity"),
        }
    }

    fn check_settings(&self) -> Result<(), OutOfRange> {
        let settings = SettingsOf(self.kind());
        match *self {
            Self::BinaryAccuracy { threshold }
            | Self::Precision { threshold, .. }
            | Self::Recall { threshold, .. }
            | Self::F1Score { threshold, .. } => settings.finite("threshold", threshold),
            Self::FBetaScore { beta, threshold, .. } => {
                settings.positive("beta", beta)?;
                settings.finite("threshold", threshold)
            }
            Self::TopKCategoricalAccuracy { k } => settings.check("k", k as f64, k > 0, "at least 1"),
            Self::ExpectedCalibrationError { bins } => {
                settings.check("bins", bins as f64, (1..=MAX_BINS).contains(&bins), "1 to 65536")
            }
            _ => Ok(()),
        }
    }
}

/// The metric as it is written in a recipe.
impl fmt::Display for Metric {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&text::to_ron_line(self))
    }
}
