//! What a metric has seen so far.

use super::batch::MetricBatch;
use crate::error::Error;
use std::fmt::Debug;

/// A metric at work: it is told of batches and says what all of them together come to. [`Metric::state`] makes those of
/// Keras and scikit-learn; any other is an implementation of this:
///
/// ```
/// use densely::metrics::{BatchTargets, MetricBatch, MetricState, MetricValue};
///
/// /// The largest error of all.
/// #[derive(Debug, Default)]
/// struct WorstError(f64);
///
/// impl MetricState for WorstError {
///     fn name(&self) -> &str {
///         "worst_error"
///     }
///
///     fn larger_is_better(&self) -> Option<bool> {
///         Some(false)
///     }
///
///     fn update(&mut self, batch: &MetricBatch<'_>) -> Result<(), densely::Error> {
///         for sample in 0..batch.samples() {
///             for (target, output) in batch.values(sample).iter().zip(batch.outputs(sample)) {
///                 self.0 = self.0.max((target - output).abs());
///             }
///         }
///         Ok(())
///     }
///
///     fn result(&self) -> MetricValue {
///         MetricValue::Number(self.0)
///     }
///
///     fn reset(&mut self) {
///         self.0 = 0.0;
///     }
/// }
///
/// let mut metric: Box<dyn MetricState> = Box::new(WorstError::default());
/// metric.update(&MetricBatch::new(BatchTargets::Values(&[1.0, 2.0]), &[1.5, 1.75], 1, None)?)?;
/// metric.update(&MetricBatch::new(BatchTargets::Values(&[4.0]), &[3.75], 1, None)?)?;
/// assert_eq!(metric.result().number(), Some(0.5));
/// # Ok::<(), densely::Error>(())
/// ```
///
/// [`Metric::state`]: crate::Metric::state
pub trait MetricState: Debug + Send {
    /// What it is called in a history; Keras's name for those that Keras has.
    fn name(&self) -> &str;

    /// Whether a larger result is a better one; `None` if results have no order.
    fn larger_is_better(&self) -> Option<bool>;

    /// Takes more samples into account.
    ///
    /// # Errors
    ///
    /// If the targets are not such as the metric needs, or the batch is not as wide as it was made for.
    fn update(&mut self, batch: &MetricBatch<'_>) -> Result<(), Error>;

    /// What all samples since the last [`reset`](Self::reset) come to. Which batches they came in makes no difference.
    fn result(&self) -> MetricValue;

    /// The number that [`result`](Self::result) would be, if it costs little more than a batch, however many samples there
    /// were: for [who watches](crate::Training::metric) an epoch that runs. Default: `result`, if that is a number.
    fn running(&self) -> Option<f64> {
        self.result().number()
    }

    /// Forgets all samples.
    fn reset(&mut self);

    /// All that it knows of the samples it has seen, as numbers that [`restore`](Self::restore) takes: with them a
    /// [backup](crate::callbacks::BackupAndRestore) can be made within an epoch. Default: `None`, it cannot.
    fn numbers(&self) -> Option<Vec<f64>> {
        None
    }

    /// Goes on as if it had seen the samples whose [`numbers`](Self::numbers) these are, and says whether they can be such.
    fn restore(&mut self, numbers: &[f64]) -> bool {
        let _ = numbers;
        false
    }
}

/// What a metric comes to.
#[derive(Clone, Debug, PartialEq)]
pub enum MetricValue {
    /// One number; not a number where nothing was there to be measured.
    Number(f64),
    /// A row for each right class, and in it the weight of the samples for each predicted class.
    Table(Vec<Vec<f64>>),
}

impl MetricValue {
    /// The number, if it is one.
    pub fn number(&self) -> Option<f64> {
        match *self {
            Self::Number(number) => Some(number),
            Self::Table(_) => None,
        }
    }
}
