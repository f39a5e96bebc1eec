//! What can be wrong with a metric.

/// What can be wrong with a metric, or with what it is to measure.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MetricError {
    /// A setting of a metric outside its range.
    #[error("{metric}: {setting} is {found}, expected {expected}")]
    Setting {
        /// The metric.
        metric: &'static str,
        /// The setting.
        setting: &'static str,
        /// Its value.
        found: f64,
        /// What it may be.
        expected: &'static str,
    },
    /// A metric of other targets than the data have.
    #[error("{metric} needs {expected} as targets, the data have {found}")]
    Targets {
        /// The metric.
        metric: &'static str,
        /// The targets.
        found: &'static str,
        /// The targets that it needs.
        expected: &'static str,
    },
    /// A metric that does not go with the number of outputs.
    #[error("{metric}: the network has {found} outputs, expected {expected}")]
    Outputs {
        /// The metric.
        metric: &'static str,
        /// How many outputs there are.
        found: usize,
        /// How many there may be.
        expected: &'static str,
    },
    /// A custom metric's name that is no word, or that another figure has.
    #[error(
        "a custom metric is called `{found}`, expected letters, digits and `_`, not `val_…` nor the name of another figure"
    )]
    Name {
        /// The name.
        found: String,
    },
    /// Targets, outputs and weights that do not belong together.
    #[error("there are {found} {what}, expected {expected}")]
    Length {
        /// What there are too many or too few of.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many there should be.
        expected: usize,
    },
    /// More right predictions than predictions.
    #[error("{correct} of {samples} samples were predicted rightly, expected at most {samples}")]
    MoreCorrect {
        /// How many were right.
        correct: usize,
        /// How many there are.
        samples: usize,
    },
    /// A class beyond the last.
    #[error("{what} {found} is no class of the confusion matrix, expected one below {classes}")]
    Class {
        /// Whether it is the label or the predicted class.
        what: &'static str,
        /// The class.
        found: usize,
        /// How many classes there are.
        classes: usize,
    },
    /// An output, a target or a weight that no metric can take.
    #[error("{what} {index} of sample {sample} is {found}, expected {expected}")]
    Number {
        /// What it is.
        what: &'static str,
        /// The sample of the batch, from 0.
        sample: usize,
        /// Which of the sample's, from 0.
        index: usize,
        /// Its value.
        found: f64,
        /// What it may be.
        expected: &'static str,
    },
    /// More samples than a metric can keep.
    #[error("{metric} keeps every sample's score and has {found} samples, expected at most {limit}")]
    Samples {
        /// The metric.
        metric: &'static str,
        /// How many there are.
        found: usize,
        /// How many there may be.
        limit: usize,
    },
    /// A curve between two classes of which one is not there.
    #[error("no sample with a weight is of class {missing}, expected both classes")]
    OneClass {
        /// The class that is not there.
        missing: usize,
    },
}
