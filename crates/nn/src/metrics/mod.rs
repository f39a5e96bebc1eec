//! Metrics: how good predictions are, in numbers that people read. A loss is made to be differentiated, a metric to be
//! understood; the names, arguments and defaults here are Keras's.
//!
//! A [`Metric`] is a description. Its [state](Metric::state) takes [batches](MetricBatch) one after another and tells the
//! result at any time; it is the same, bit for bit, however the samples are cut into batches.
//!
//! ```
//! use densely::metrics::{BatchTargets, Metric, MetricBatch, TargetKind};
//!
//! let mut recall = Metric::Recall { threshold: 0.5, average: Default::default() }.state(1, TargetKind::Classes)?;
//! let batch = MetricBatch::new(BatchTargets::Classes(&[1, 0, 1, 1]), &[0.9, 0.2, 0.4, 0.7], 1, None)?;
//! recall.update(&batch)?;
//! assert_eq!(recall.result().number(), Some(2.0 / 3.0));
//! # Ok::<(), densely::Error>(())
//! ```
//!
//! # What each computes
//!
//! t is a sample's target, y the network's output, w the sample's weight, 1 unless given; a mean over samples is `Σw·x / Σw`.
//! h is the weight of the *hits* of a class (it is right and was predicted), a that of its samples, p that of its
//! predictions; n is the weight of all samples.
//!
//! | metric | formula | range, best | targets, outputs |
//! | --- | --- | --- | --- |
//! | `BinaryAccuracy` | mean of `(y > threshold) = (t > ½)` | 0 to **1** | two classes, or values |
//! | `CategoricalAccuracy` | mean of `argmax y = argmax t` | 0 to **1** | classes, or values as one-hot columns |
//! | `SparseCategoricalAccuracy` | the same | 0 to **1** | classes |
//! | `TopKCategoricalAccuracy` | mean of "fewer than k outputs are above that of the right class" | 0 to **1** | as `CategoricalAccuracy` |
//! | `Precision` | `h / p` | 0 to **1** | two classes; averaged: classes, or values as independent labels |
//! | `Recall` | `h / a` | 0 to **1** | as `Precision` |
//! | `F1Score` | `2h / (a + p)` | 0 to **1** | as `Precision` |
//! | `FBetaScore` | `(1 + β²)·h / (β²·a + p)` | 0 to **1** | as `Precision` |
//! | `Auc(curve: Roc)` | chance that a positive sample is above a negative one, ties count ½ | 0 to **1**, ½ by chance | two classes |
//! | `Auc(curve: Pr)` | `Σ (recallᵢ − recallᵢ₋₁)·precisionᵢ` over the scores from the top | 0 to **1** | two classes |
//! | `ConfusionMatrix` | weight per right and predicted class | a table | any classes |
//! | `CohenKappa` | `(Σh/n − e) / (1 − e)`, `e = Σ a·p / n²` | −1 to **1**, 0 by chance | any classes |
//! | `MatthewsCorrelation` | `(n·Σh − Σa·p) / √((n² − Σp²)(n² − Σa²))` | −1 to **1**, 0 by chance | any classes |
//! | `MeanIoU` | mean over classes of `h / (a + p − h)` | 0 to **1** | any classes |
//! | `ExpectedCalibrationError` | `Σ over bins of abs(Σw·right − Σw·confidence) / n` | **0** to 1 | any classes, probabilities |
//! | `R2Score` | `1 − Σw·(t − y)² / Σw·(t − mean t)²`, mean over outputs | below **1** | values |
//! | `MeanSquaredError` | mean of `(y − t)²` | from **0** | values |
//! | `RootMeanSquaredError` | its square root | from **0** | values |
//! | `MeanAbsoluteError` | mean of `abs(y − t)` | from **0** | values |
//! | `MeanAbsolutePercentageError` | mean of `100·abs(y − t) / max(abs(t), 10⁻⁷)` | from **0** | values |
//! | `MeanSquaredLogarithmicError` | mean of `(ln(1 + max(y, 0)) − ln(1 + max(t, 0)))²` | from **0** | values |
//! | `LogCosh` | mean of `ln cosh(y − t)` | from **0** | values |
//! | `CosineSimilarity` | mean of `Σt·y / (│t│·│y│)`, 0 if one of them is 0 | −1 to **1** | values |
//!
//! Outputs are `outputs × samples`: a sample's are side by side. The errors of several outputs are averaged within a sample
//! first. *Two classes* means class labels with one output, which is compared with the threshold, or two, of which the second
//! is; or values of one output. *Any classes* means labels with one output, above ½ for class 1, or with one output for each
//! class, of which the first largest is predicted; or values as one-hot columns, the first largest being right. A value
//! target is positive above ½.
//!
//! A share of nothing, such as the precision of a class that was never predicted, is 0, as in Keras and scikit-learn. A mean
//! over no weight and the area under a curve of one class are not a number; Keras says 0, its best error and its worst area.
//!
//! # Where this is not Keras
//!
//! - `Auc` is exact. Keras sorts scores into 200 thresholds and loses what is between them. For this it [keeps every
//!   score](MAX_RANKED).
//! - `Auc(curve: Pr)` is the average precision, as in scikit-learn. Keras interpolates between its thresholds as J. Davis and
//!   M. Goadrich (ICML 2006) have shown to be right; the two areas differ, more so the fewer positive samples there are.
//! - `average: Macro` of class labels leaves out classes that are not there and were not predicted, as scikit-learn does; Keras
//!   counts them as 0. With value targets all three average all columns.
//! - `Precision`, `Recall`, `F1Score` and `FBetaScore` take scikit-learn's `average`; Keras has it for the last two only. There it
//!   is `None` by default, which gives a score for each class, where a number is wanted here: the default is `Binary`, and of more
//!   classes than two an average has to be named. Their `threshold` is `None` there by default, which takes the largest output, as
//!   is done here for class labels on several outputs; elsewhere it is 0.5 here.
//! - Keras has no confusion matrix, kappa, Matthews correlation and calibration error.
//! - `TopKCategoricalAccuracy` takes class labels too; Keras has `SparseTopKCategoricalAccuracy` for them.
//! - Of a `BinaryAccuracy` with value targets, Keras requires equality with 0 or 1.
//!
//! # Sums
//!
//! Everything is summed in double precision, sample by sample in their order, with Neumaier's compensation (ZAMM 54 (1974),
//! 39–51), so a million samples cost no digits.
//!
//! # A metric of one's own
//!
//! is a [`MetricState`]; there is an example. [`CustomMetric`] makes it one of a model's.

mod batch;
mod built_in;
mod calibration;
mod classes;
mod confusion;
mod curves;
mod custom;
mod description;
mod error;
mod means;
mod memory;
mod r2;
mod report;
mod room;
mod scores;
mod state;
mod sum;

pub use batch::{BatchTargets, MetricBatch, TargetKind};
pub use confusion::ConfusionMatrix;
pub use curves::{MAX_RANKED, PrecisionRecallPoint, RocPoint, precision_recall_curve, roc_curve};
pub use custom::CustomMetric;
pub use description::{Average, Curve, Metric};
pub use error::MetricError;
pub use report::{ClassScores, ClassificationReport};
pub use state::{MetricState, MetricValue};
pub(crate) use sum::Sum;
