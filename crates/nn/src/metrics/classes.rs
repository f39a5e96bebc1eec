//! Metrics of a table of right and predicted classes.

use super::batch::{MetricBatch, classes_of};
use super::memory::Memory;
use super::room::filled;
use super::sum::{Sum, share};
use crate::error::Error;
use std::slice::Iter;

/// The weight of the samples for each right and predicted class.
#[derive(Clone, Debug)]
pub(super) struct ClassTable {
    classes: usize,
    /// Row by row: a row is a right class, a column a predicted one.
    cells: Vec<Sum>,
}

impl ClassTable {
    /// Of so many outputs as [`Metric::validate_for`](crate::Metric::validate_for) lets through.
    pub(super) fn new(width: usize) -> Result<Self, Error> {
        let classes = classes_of(width);
        Ok(Self { classes, cells: filled(Sum::default(), classes * classes, "the table of classes")? })
    }

    pub(super) fn update(&mut self, batch: &MetricBatch<'_>) {
        for sample in 0..batch.samples() {
            let cell = batch.class(sample) * self.classes + batch.predicted(sample);
            self.cells[cell].add(batch.weight(sample));
        }
    }

    pub(super) fn reset(&mut self) {
        self.cells.fill(Sum::default());
    }

    pub(super) fn rows(&self) -> Vec<Vec<f64>> {
        self.cells.chunks(self.classes).map(|row| row.iter().map(|cell| cell.total()).collect()).collect()
    }

    fn marginals(&self) -> Marginals {
        let rows = self.rows();
        let classes = 0..self.classes;
        Marginals {
            hits: classes.clone().map(|class| rows[class][class]).collect(),
            actual: rows.iter().map(|row| row.iter().copied().collect::<Sum>().total()).collect(),
            predicted: classes
                .map(|class| rows.iter().map(|row| row[class]).collect::<Sum>().total())
                .collect(),
        }
    }

    /// J. Cohen, Educational and Psychological Measurement 20 (1960), 37–46. 0 if chance alone would always be right.
    pub(super) fn cohen_kappa(&self) -> f64 {
        let Marginals { hits, actual, predicted } = self.marginals();
        if is_of_one_class(&actual) && is_of_one_class(&predicted) {
            return 0.0; // both the same, where the quotient is 0/0, or each another, where it is 0
        }
        let all = total(&actual);
        let chance = products(&actual, &predicted);
        // Both sides of the quotient times all².
        (all * total(&hits) - chance) / (all * all - chance)
    }

    /// J. Gorodkin, Computational Biology and Chemistry 28 (2004), 367–374, equation 8. 0 if all samples are, or were
    /// predicted as, of one class.
    pub(super) fn matthews_correlation(&self) -> f64 {
        let Marginals { hits, actual, predicted } = self.marginals();
        if is_of_one_class(&actual) || is_of_one_class(&predicted) {
            return 0.0;
        }
        let all = total(&actual);
        let covariance = all * total(&hits) - products(&actual, &predicted);
        let spread = |of: &[f64]| (all * all - products(of, of)).sqrt();
        covariance / (spread(&actual) * spread(&predicted))
    }

    /// The mean over the classes that are there or were predicted; 0 if none is.
    pub(super) fn mean_iou(&self) -> f64 {
        let Marginals { hits, actual, predicted } = self.marginals();
        let union = |class: usize| actual[class] + predicted[class] - hits[class];
        let there: Vec<usize> = (0..self.classes).filter(|&class| union(class) > 0.0).collect();
        let sum: Sum = there.iter().map(|&class| hits[class] / union(class)).collect();
        share(sum.total(), there.len() as f64)
    }
}

impl Memory for ClassTable {
    fn write(&self, numbers: &mut Vec<f64>) {
        self.cells.write(numbers);
    }

    fn read(&mut self, numbers: &mut Iter<'_, f64>) -> Option<()> {
        self.cells.read(numbers)
    }
}

struct Marginals {
    hits: Vec<f64>,
    actual: Vec<f64>,
    predicted: Vec<f64>,
}

fn total(of: &[f64]) -> f64 {
    of.iter().copied().collect::<Sum>().total()
}

fn products(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(one, other)| one * other).collect::<Sum>().total()
}

/// Whether no two classes have a weight. Asked of the weights themselves: differences of sums would be 0 but for rounding.
fn is_of_one_class(weights: &[f64]) -> bool {
    weights.iter().filter(|&&weight| weight > 0.0).count() <= 1
}
