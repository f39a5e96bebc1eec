//! What every threshold would give: the ROC curve, the precision-recall curve, and the areas below them.

use super::batch::{BatchTargets, MetricBatch};
use super::memory::Memory;
use super::sum::{Sum, share};
use crate::error::Error;
use crate::metrics::MetricError;
use std::slice::Iter;

/// How many samples [`Metric::Auc`](crate::Metric::Auc) and the curves take. An exact area needs every score: 16 to 32 bytes a
/// sample are kept, and up to 48 for a moment while they become more. A result takes 40 bytes more while it is computed, and
/// a curve's points are 24 each. With so many samples 2 to 4 GiB are kept, and 5 more are needed for a result; where they are
/// missing, an area is not a number and a curve an [`Error::Memory`].
pub const MAX_RANKED: usize = 1 << 27;

/// A point of the curve of [`roc_curve`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RocPoint {
    /// Samples with this score or more are taken as positive.
    pub threshold: f64,
    /// The share of the negative samples that are taken as positive.
    pub false_positive_rate: f64,
    /// The share of the positive samples that are: the recall.
    pub true_positive_rate: f64,
}

/// A point of the curve of [`precision_recall_curve`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PrecisionRecallPoint {
    /// Samples with this score or more are taken as positive.
    pub threshold: f64,
    /// The share of the positive samples that are taken as positive.
    pub recall: f64,
    /// The share of what is taken as positive that is.
    pub precision: f64,
}

/// The receiver operating characteristic of `scores` for samples of class 0 or 1, each of which counts 1 or its weight: a
/// point for each different score, from the highest, after the point (0, 0) at a threshold of ∞.
///
/// ```
/// # use densely::metrics::roc_curve;
/// let curve = roc_curve(&[1, 0, 1, 0], &[0.9, 0.6, 0.6, 0.1], None)?;
/// let points: Vec<_> = curve.iter().map(|p| (p.false_positive_rate, p.true_positive_rate)).collect();
/// assert_eq!(points, [(0.0, 0.0), (0.0, 0.5), (0.5, 1.0), (1.0, 1.0)]);
/// # Ok::<(), densely::Error>(())
/// ```
///
/// # Errors
///
/// As [`MetricBatch::new`]; [`MetricError::OneClass`] if one class is missing; [`MetricError::Samples`] beyond [`MAX_RANKED`];
/// [`Error::Memory`].
pub fn roc_curve(labels: &[u32], scores: &[f64], weights: Option<&[f64]>) -> Result<Vec<RocPoint>, Error> {
    let ranking = ranked(labels, scores, weights)?;
    let steps = ranking.steps()?;
    let all = steps.last().copied().unwrap_or_default();
    if all.negative == 0.0 {
        return Err(MetricError::OneClass { missing: 0 }.into());
    }
    let point = |step: &Step| RocPoint {
        threshold: step.score,
        false_positive_rate: step.negative / all.negative,
        true_positive_rate: step.positive / all.positive,
    };
    let mut curve = room_for(1 + steps.len())?;
    curve.extend(std::iter::once(&Step::default()).chain(&steps).map(point));
    Ok(curve)
}

/// Precision and recall of `scores` for samples of class 0 or 1, each of which counts 1 or its weight: a point for each
/// different score, from the highest, after the point of recall 0 and precision 1 at a threshold of ∞.
///
/// # Errors
///
/// As [`roc_curve`]; negative samples are not needed.
pub fn precision_recall_curve(
    labels: &[u32],
    scores: &[f64],
    weights: Option<&[f64]>,
) -> Result<Vec<PrecisionRecallPoint>, Error> {
    let ranking = ranked(labels, scores, weights)?;
    let steps = ranking.steps()?;
    let all = steps.last().copied().unwrap_or_default();
    let point = |step: &Step| PrecisionRecallPoint {
        threshold: step.score,
        recall: step.positive / all.positive,
        precision: step.positive / (step.positive + step.negative),
    };
    let first = PrecisionRecallPoint { threshold: f64::INFINITY, recall: 0.0, precision: 1.0 };
    let mut curve = room_for(1 + steps.len())?;
    curve.extend(std::iter::once(first).chain(steps.iter().map(point)));
    Ok(curve)
}

/// An empty list that takes so many without asking for more memory.
fn room_for<T>(len: usize) -> Result<Vec<T>, Error> {
    let mut room = Vec::new();
    room.try_reserve_exact(len).map_err(|_| Error::Memory { what: "the points of a curve" })?;
    Ok(room)
}

fn ranked(labels: &[u32], scores: &[f64], weights: Option<&[f64]>) -> Result<Ranking, Error> {
    let mut ranking = Ranking::default();
    ranking.update(&MetricBatch::new(BatchTargets::Classes(labels), scores, 1, weights)?)?;
    if ranking.positives.is_empty() { Err(MetricError::OneClass { missing: 1 }.into()) } else { Ok(ranking) }
}

/// Every score with its weight, above 0.
#[derive(Clone, Debug, Default)]
pub(super) struct Ranking {
    positives: Vec<(f64, f64)>,
    negatives: Vec<(f64, f64)>,
}

/// How much of each class has this score or more.
#[derive(Clone, Copy, Debug)]
struct Step {
    score: f64,
    positive: f64,
    negative: f64,
}

impl Default for Step {
    fn default() -> Self {
        Self { score: f64::INFINITY, positive: 0.0, negative: 0.0 }
    }
}

impl Ranking {
    pub(super) fn update(&mut self, batch: &MetricBatch<'_>) -> Result<(), Error> {
        let kept = self.positives.len() + self.negatives.len();
        let found = kept.saturating_add(batch.samples());
        if found > MAX_RANKED {
            return Err(MetricError::Samples { metric: "Auc", found, limit: MAX_RANKED }.into());
        }
        let is_positive = |sample: usize| batch.class(sample) == 1;
        let positives = (0..batch.samples()).filter(|&sample| is_positive(sample)).count();
        let negatives = batch.samples() - positives;
        for (scores, more) in [(&mut self.positives, positives), (&mut self.negatives, negatives)] {
            scores.try_reserve(more).map_err(|_| Error::Memory { what: "the scores of Auc" })?;
        }
        for sample in 0..batch.samples() {
            let (score, weight) = (batch.outputs(sample)[batch.width() - 1], batch.weight(sample));
            if weight > 0.0 {
                let scores = if is_positive(sample) { &mut self.positives } else { &mut self.negatives };
                scores.push((score, weight));
            }
        }
        Ok(())
    }

    /// From the highest score, one for each different one.
    fn steps(&self) -> Result<Vec<Step>, Error> {
        // By weight too, so that equal scores are summed in the same order, whatever order they came in.
        let from_highest = |scores: &[(f64, f64)]| {
            let mut sorted = room_for(scores.len())?;
            sorted.extend_from_slice(scores);
            sorted.sort_unstable_by(|one, other| other.0.total_cmp(&one.0).then(other.1.total_cmp(&one.1)));
            Ok::<_, Error>(sorted)
        };
        let (positives, negatives) = (from_highest(&self.positives)?, from_highest(&self.negatives)?);
        let mut steps = room_for(positives.len() + negatives.len())?;
        let (mut positives, mut negatives) = (positives.iter().peekable(), negatives.iter().peekable());
        let (mut positive, mut negative) = (Sum::default(), Sum::default());
        loop {
            let next = [positives.peek(), negatives.peek()].into_iter().flatten().map(|&&(score, _)| score);
            let Some(score) = next.reduce(f64::max) else {
                return Ok(steps);
            };
            while let Some((_, weight)) = positives.next_if(|(next, _)| *next == score) {
                positive.add(*weight);
            }
            while let Some((_, weight)) = negatives.next_if(|(next, _)| *next == score) {
                negative.add(*weight);
            }
            steps.push(Step { score, positive: positive.total(), negative: negative.total() });
        }
    }

    /// The area under the ROC curve by trapezoids: where a step has positive and negative samples, half of their pairs
    /// count (J. A. Hanley and B. J. McNeil, Radiology 143 (1982), 29–36).
    pub(super) fn roc_area(&self) -> f64 {
        let Ok(steps) = self.steps() else { return f64::NAN };
        let all = steps.last().copied().unwrap_or_default();
        let area = areas(&steps, |before, step| {
            (step.negative - before.negative) * ((step.positive + before.positive) / 2.0)
        });
        area / (all.positive * all.negative)
    }

    /// The average precision: no interpolation. A straight one would be too optimistic, as J. Davis and M. Goadrich have shown
    /// (ICML 2006); theirs, which Keras takes, is another area.
    pub(super) fn average_precision(&self) -> f64 {
        let Ok(steps) = self.steps() else { return f64::NAN };
        let all = steps.last().copied().unwrap_or_default();
        let area = areas(&steps, |before, step| {
            (step.positive - before.positive) * share(step.positive, step.positive + step.negative)
        });
        area / all.positive
    }

    pub(super) fn reset(&mut self) {
        self.positives.clear();
        self.negatives.clear();
    }
}

impl Memory for Ranking {
    fn write(&self, numbers: &mut Vec<f64>) {
        numbers.reserve(2 * (1 + self.positives.len() + self.negatives.len()));
        self.positives.write(numbers);
        self.negatives.write(numbers);
    }

    fn read(&mut self, numbers: &mut Iter<'_, f64>) -> Option<()> {
        self.positives.read(numbers)?;
        self.negatives.read(numbers)
    }
}

fn areas(steps: &[Step], between: impl Fn(&Step, &Step) -> f64) -> f64 {
    let mut before = Step::default();
    let mut area = Sum::default();
    for step in steps {
        area.add(between(&before, step));
        before = *step;
    }
    area.total()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_samples_does_not_matter_to_the_bits() {
        let mut samples: Vec<(u32, f64, f64)> = (0..500u32)
            .map(|i| (i * 7 % 3 / 2, f64::from(i * 31 % 40) / 40.0, 0.1 + f64::from(i * 13 % 11) / 7.0))
            .collect();
        let areas = |samples: &[(u32, f64, f64)]| {
            let labels: Vec<u32> = samples.iter().map(|sample| sample.0).collect();
            let scores: Vec<f64> = samples.iter().map(|sample| sample.1).collect();
            let weights: Vec<f64> = samples.iter().map(|sample| sample.2).collect();
            let ranking = ranked(&labels, &scores, Some(&weights)).unwrap();
            (ranking.roc_area(), ranking.average_precision())
        };
        let forwards = areas(&samples);
        samples.reverse();
        samples.rotate_left(123);
        assert_eq!(areas(&samples), forwards);
    }

    #[test]
    fn the_sign_of_zero_breaks_no_tie() {
        let ranking = ranked(&[1, 0], &[-0.0, 0.0], None).unwrap();
        assert_eq!(ranking.roc_area(), 0.5);
    }
}
