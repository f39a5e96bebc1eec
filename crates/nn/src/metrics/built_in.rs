//! The metrics of [`Metric`] at work.

use super::batch::{MetricBatch, TargetKind};
use super::calibration::Calibration;
use super::classes::ClassTable;
use super::curves::Ranking;
use super::description::{Curve, Metric};
use super::means::{self, WeightedMean, mean_of};
use super::memory::Memory;
use super::r2::R2;
use super::scores::{ClassCounts, Scores};
use super::state::{MetricState, MetricValue};
use crate::error::Error;
use crate::metrics::MetricError;

/// A metric and what it has seen.
#[derive(Clone, Debug)]
pub(super) struct BuiltIn {
    metric: Metric,
    width: usize,
    targets: TargetKind,
    seen: Seen,
}

#[derive(Clone, Debug)]
enum Seen {
    Mean(WeightedMean),
    Scores(Scores),
    Ranking(Ranking),
    Classes(ClassTable),
    Calibration(Calibration),
    R2(R2),
}

impl BuiltIn {
    /// Of a valid metric that can be measured with such targets and so many outputs.
    ///
    /// # Errors
    ///
    /// [`Error::Memory`] if there is not enough for what it counts.
    pub(super) fn new(metric: Metric, width: usize, targets: TargetKind) -> Result<Self, Error> {
        let seen = match metric {
            Metric::Precision { threshold, average }
            | Metric::Recall { threshold, average }
            | Metric::F1Score { threshold, average }
            | Metric::FBetaScore { threshold, average, .. } => {
                Seen::Scores(Scores::new(threshold, average, width, targets)?)
            }
            Metric::Auc { .. } => Seen::Ranking(Ranking::default()),
            Metric::ConfusionMatrix {}
            | Metric::CohenKappa {}
            | Metric::MatthewsCorrelation {}
            | Metric::MeanIoU {} => Seen::Classes(ClassTable::new(width)?),
            Metric::ExpectedCalibrationError { bins } => Seen::Calibration(Calibration::new(bins)),
            Metric::R2Score {} => Seen::R2(R2::new(width)?),
            _ => Seen::Mean(WeightedMean::default()),
        };
        Ok(Self { metric, width, targets, seen })
    }
}

impl Seen {
    fn memory(&self) -> &dyn Memory {
        match self {
            Self::Mean(mean) => mean,
            Self::Scores(scores) => scores,
            Self::Ranking(ranking) => ranking,
            Self::Classes(table) => table,
            Self::Calibration(calibration) => calibration,
            Self::R2(r2) => r2,
        }
    }

    fn memory_mut(&mut self) -> &mut dyn Memory {
        match self {
            Self::Mean(mean) => mean,
            Self::Scores(scores) => scores,
            Self::Ranking(ranking) => ranking,
            Self::Classes(table) => table,
            Self::Calibration(calibration) => calibration,
            Self::R2(r2) => r2,
        }
    }
}

impl MetricState for BuiltIn {
    fn name(&self) -> &str {
        self.metric.name()
    }

    fn larger_is_better(&self) -> Option<bool> {
        self.metric.larger_is_better()
    }

    fn update(&mut self, batch: &MetricBatch<'_>) -> Result<(), Error> {
        let metric = self.metric.kind();
        if batch.target_kind() != self.targets {
            let (found, expected) = (batch.target_kind().in_words(), self.targets.in_words());
            return Err(MetricError::Targets { metric, found, expected }.into());
        }
        if batch.width() != self.width {
            let expected = "as many as it was made for";
            return Err(MetricError::Outputs { metric, found: batch.width(), expected }.into());
        }
        match &mut self.seen {
            Seen::Mean(mean) => add_to_mean(self.metric, mean, batch),
            Seen::Scores(scores) => scores.update(batch),
            Seen::Ranking(ranking) => ranking.update(batch)?,
            Seen::Classes(table) => table.update(batch),
            Seen::Calibration(calibration) => calibration.update(batch)?,
            Seen::R2(r2) => r2.update(batch),
        }
        Ok(())
    }

    fn result(&self) -> MetricValue {
        MetricValue::Number(match (&self.seen, self.metric) {
            (Seen::Classes(table), Metric::CohenKappa {}) => table.cohen_kappa(),
            (Seen::Classes(table), Metric::MatthewsCorrelation {}) => table.matthews_correlation(),
            (Seen::Classes(table), Metric::MeanIoU {}) => table.mean_iou(),
            (Seen::Classes(table), _) => return MetricValue::Table(table.rows()),
            (Seen::Scores(scores), Metric::Precision { .. }) => scores.result(ClassCounts::precision),
            (Seen::Scores(scores), Metric::Recall { .. }) => scores.result(ClassCounts::recall),
            (Seen::Scores(scores), Metric::FBetaScore { beta, .. }) => {
                scores.result(|class| class.f_score(beta))
            }
            (Seen::Scores(scores), _) => scores.result(|class| class.f_score(1.0)),
            (Seen::Ranking(ranking), Metric::Auc { curve: Curve::Pr }) => ranking.average_precision(),
            (Seen::Ranking(ranking), _) => ranking.roc_area(),
            (Seen::Mean(mean), Metric::RootMeanSquaredError {}) => mean.mean().sqrt(),
            (Seen::Mean(mean), _) => mean.mean(),
            (Seen::Calibration(calibration), _) => calibration.result(),
            (Seen::R2(r2), _) => r2.result(),
        })
    }

    /// Sums only: a ranking is sorted for its area, and a table has a cell for each pair of classes.
    fn running(&self) -> Option<f64> {
        match &self.seen {
            Seen::Ranking(_) | Seen::Classes(_) => None,
            Seen::Mean(_) | Seen::Scores(_) | Seen::Calibration(_) | Seen::R2(_) => self.result().number(),
        }
    }

    fn reset(&mut self) {
        match &mut self.seen {
            Seen::Mean(mean) => *mean = WeightedMean::default(),
            Seen::Scores(scores) => scores.reset(),
            Seen::Ranking(ranking) => ranking.reset(),
            Seen::Classes(table) => table.reset(),
            Seen::Calibration(calibration) => calibration.reset(),
            Seen::R2(r2) => r2.reset(),
        }
    }

    fn numbers(&self) -> Option<Vec<f64>> {
        let mut numbers = Vec::new();
        self.seen.memory().write(&mut numbers);
        Some(numbers)
    }

    fn restore(&mut self, numbers: &[f64]) -> bool {
        let mut rest = numbers.iter();
        self.seen.memory_mut().read(&mut rest).is_some() && rest.as_slice().is_empty()
    }
}

fn add_to_mean(metric: Metric, mean: &mut WeightedMean, batch: &MetricBatch<'_>) {
    match metric {
        Metric::BinaryAccuracy { threshold } => {
            mean.update(batch, |sample| means::binary_accuracy(batch, sample, threshold));
        }
        Metric::TopKCategoricalAccuracy { k } => mean.update(batch, |sample| means::top_k(batch, sample, k)),
        Metric::CategoricalAccuracy {} | Metric::SparseCategoricalAccuracy {} => {
            mean.update(batch, |sample| means::categorical_accuracy(batch, sample));
        }
        Metric::MeanSquaredError {} | Metric::RootMeanSquaredError {} => {
            mean.update(batch, |sample| mean_of(batch, sample, means::squared));
        }
        Metric::MeanAbsoluteError {} => {
            mean.update(batch, |sample| mean_of(batch, sample, |t, y| (y - t).abs()));
        }
        Metric::MeanAbsolutePercentageError {} => {
            mean.update(batch, |sample| mean_of(batch, sample, means::absolute_percentage));
        }
        Metric::MeanSquaredLogarithmicError {} => {
            mean.update(batch, |sample| mean_of(batch, sample, means::squared_logarithmic));
        }
        Metric::LogCosh {} => mean.update(batch, |sample| mean_of(batch, sample, means::log_cosh)),
        Metric::CosineSimilarity {} => mean.update(batch, |sample| means::cosine(batch, sample)),
        _ => unreachable!("{} is no mean over samples", metric.kind()),
    }
}
