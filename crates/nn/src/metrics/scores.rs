//! Precision, recall and F-score.

use super::batch::{BatchTargets, MetricBatch, TargetKind, classes_of};
use super::description::Average;
use super::memory::Memory;
use super::room::filled;
use super::sum::{Sum, share};
use crate::error::Error;
use std::slice::Iter;

/// How much of a class was there, was predicted, and was both. The same in weights or in samples.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct ClassCounts {
    pub(super) hits: f64,
    pub(super) actual: f64,
    pub(super) predicted: f64,
}

impl ClassCounts {
    pub(super) fn precision(&self) -> f64 {
        share(self.hits, self.predicted)
    }

    pub(super) fn recall(&self) -> f64 {
        share(self.hits, self.actual)
    }

    /// C. J. van Rijsbergen, "Information Retrieval", 1979, chapter 7.
    pub(super) fn f_score(&self, beta: f64) -> f64 {
        let square = beta * beta;
        share((1.0 + square) * self.hits, square * self.actual + self.predicted)
    }

    /// Whether there is something to score.
    pub(super) fn is_seen(&self) -> bool {
        self.actual > 0.0 || self.predicted > 0.0
    }
}

/// The mean over the classes that are there or were predicted, as in scikit-learn, each counted `weight`.
pub(super) fn mean_score(
    classes: &[ClassCounts],
    score: impl Fn(&ClassCounts) -> f64,
    weight: impl Fn(&ClassCounts) -> f64,
) -> f64 {
    let seen = || classes.iter().filter(|class| class.is_seen());
    let sum: Sum = seen().map(|class| weight(class) * score(class)).collect();
    let weights: Sum = seen().map(&weight).collect();
    share(sum.total(), weights.total())
}

/// Sums of [`ClassCounts`]: of the positive class alone, or of every class, or of every label.
#[derive(Clone, Debug)]
pub(super) struct Scores {
    threshold: f64,
    average: Average,
    /// Whether classes are the columns of value targets, labels that are there by themselves.
    independent: bool,
    classes: Vec<[Sum; 3]>,
}

impl Scores {
    pub(super) fn new(
        threshold: f64,
        average: Average,
        width: usize,
        targets: TargetKind,
    ) -> Result<Self, Error> {
        let classes = match average {
            Average::Binary => 1,
            _ if targets == TargetKind::Classes => classes_of(width),
            _ => width,
        };
        let independent = targets == TargetKind::Values;
        let classes = filled([Sum::default(); 3], classes, "the counts of a score")?;
        Ok(Self { threshold, average, independent, classes })
    }

    pub(super) fn update(&mut self, batch: &MetricBatch<'_>) {
        for sample in 0..batch.samples() {
            let (outputs, weight) = (batch.outputs(sample), batch.weight(sample));
            let above = |output: f64| output > self.threshold;
            match (batch.targets(), self.average) {
                (BatchTargets::Values(_), _) => {
                    let labels = batch.values(sample).iter().zip(outputs).zip(&mut self.classes);
                    for ((&target, &output), sums) in labels {
                        record(sums, target > 0.5, above(output), weight);
                    }
                }
                (BatchTargets::Classes(labels), Average::Binary) => {
                    let predicted = above(outputs[outputs.len() - 1]);
                    record(&mut self.classes[0], labels[sample] == 1, predicted, weight);
                }
                (BatchTargets::Classes(labels), _) => {
                    let predicted = match outputs {
                        [output] => usize::from(above(*output)),
                        _ => batch.predicted(sample),
                    };
                    let actual = labels[sample] as usize;
                    record(&mut self.classes[actual], true, actual == predicted, weight);
                    if actual != predicted {
                        record(&mut self.classes[predicted], false, true, weight);
                    }
                }
            }
        }
    }

    pub(super) fn result(&self, score: impl Fn(&ClassCounts) -> f64) -> f64 {
        let counts: Vec<ClassCounts> = self
            .classes
            .iter()
            .map(|sums| sums.map(Sum::total))
            .map(|[hits, actual, predicted]| ClassCounts { hits, actual, predicted })
            .collect();
        match self.average {
            Average::Macro if self.independent => {
                counts.iter().map(score).collect::<Sum>().total() / counts.len() as f64
            }
            Average::Macro => mean_score(&counts, score, |_| 1.0),
            Average::Weighted => mean_score(&counts, score, |class| class.actual),
            Average::Binary | Average::Micro => {
                let sum = |part: fn(&ClassCounts) -> f64| counts.iter().map(part).collect::<Sum>().total();
                score(&ClassCounts {
                    hits: sum(|class| class.hits),
                    actual: sum(|class| class.actual),
                    predicted: sum(|class| class.predicted),
                })
            }
        }
    }

    pub(super) fn reset(&mut self) {
        self.classes.fill([Sum::default(); 3]);
    }
}

impl Memory for Scores {
    fn write(&self, numbers: &mut Vec<f64>) {
        self.classes.as_flattened().write(numbers);
    }

    fn read(&mut self, numbers: &mut Iter<'_, f64>) -> Option<()> {
        self.classes.as_flattened_mut().read(numbers)
    }
}

fn record([hits, actual, predicted]: &mut [Sum; 3], is_there: bool, is_predicted: bool, weight: f64) {
    if is_there && is_predicted {
        hits.add(weight);
    }
    if is_there {
        actual.add(weight);
    }
    if is_predicted {
        predicted.add(weight);
    }
}
