//! Metrics of the user's own in a description.

use super::state::MetricState;
use std::fmt::Debug;
use std::sync::Arc;

/// A [`MetricState`] that a program defines, for [`Compile::custom_metrics`](crate::Compile::custom_metrics). It is a
/// pattern: each run measures with [reset](MetricState::reset) copies of it.
///
/// ```
/// use densely::metrics::{CustomMetric, MetricBatch, MetricState, MetricValue};
/// use densely::{Compile, Dataset, Dense, Error, Loss, Sequential};
///
/// #[derive(Clone, Debug, Default)]
/// struct WorstError(f64);
///
/// impl MetricState for WorstError {
///     fn name(&self) -> &str {
///         "worst_error"
///     }
///     fn larger_is_better(&self) -> Option<bool> {
///         Some(false)
///     }
///     fn update(&mut self, batch: &MetricBatch<'_>) -> Result<(), Error> {
///         for sample in 0..batch.samples() {
///             for (target, output) in batch.values(sample).iter().zip(batch.outputs(sample)) {
///                 self.0 = self.0.max((target - output).abs());
///             }
///         }
///         Ok(())
///     }
///     fn result(&self) -> MetricValue {
///         MetricValue::Number(self.0)
///     }
///     fn reset(&mut self) {
///         self.0 = 0.0;
///     }
/// }
///
/// let data = Dataset::from_values(1, vec![0.0, 0.0], 1, vec![1.0, -3.0])?;
/// let model = Sequential::new(1).add(Dense::new(1)).compile::<f32>(Compile {
///     loss: Loss::MeanSquaredError,
///     custom_metrics: vec![CustomMetric::new(WorstError::default())],
///     ..Compile::default()
/// })?;
/// assert_eq!(model.evaluate(&data)?.value("worst_error"), Some(3.0));
/// # Ok::<(), densely::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct CustomMetric(Arc<dyn Pattern>);

impl CustomMetric {
    /// What this metric and its copies measure.
    pub fn new(metric: impl MetricState + Clone + Sync + 'static) -> Self {
        Self(Arc::new(metric))
    }

    /// A copy that has seen nothing.
    pub(crate) fn state(&self) -> Box<dyn MetricState> {
        self.0.fresh()
    }
}

/// What can be copied.
trait Pattern: Debug + Send + Sync {
    fn fresh(&self) -> Box<dyn MetricState>;
}

impl<M: MetricState + Clone + Sync + 'static> Pattern for M {
    fn fresh(&self) -> Box<dyn MetricState> {
        let mut state = self.clone();
        state.reset();
        Box::new(state)
    }
}
