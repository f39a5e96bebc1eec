//! The coefficient of determination.

use super::batch::MetricBatch;
use super::memory::Memory;
use super::room::filled;
use super::sum::Sum;
use crate::error::Error;
use std::slice::Iter;

/// For each output what is left of the squares, and the squares around the mean, which is not known before the end: West's
/// update (Communications of the ACM 22 (1979), 532–535) corrects them as the mean moves, without cancellation.
#[derive(Clone, Debug)]
pub(super) struct R2 {
    weight: f64,
    outputs: Vec<Squares>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Squares {
    left: Sum,
    mean: f64,
    around_mean: Sum,
}

impl R2 {
    pub(super) fn new(width: usize) -> Result<Self, Error> {
        Ok(Self { weight: 0.0, outputs: filled(Squares::default(), width, "the squares of R2Score")? })
    }

    pub(super) fn update(&mut self, batch: &MetricBatch<'_>) {
        for sample in 0..batch.samples() {
            let weight = batch.weight(sample);
            if weight == 0.0 {
                continue;
            }
            self.weight += weight;
            let numbers = batch.values(sample).iter().zip(batch.outputs(sample));
            for (squares, (&target, &output)) in self.outputs.iter_mut().zip(numbers) {
                squares.left.add(weight * (target - output) * (target - output));
                let from_old_mean = target - squares.mean;
                squares.mean += weight / self.weight * from_old_mean;
                squares.around_mean.add(weight * from_old_mean * (target - squares.mean));
            }
        }
    }

    /// The mean over the outputs. Of targets that are all the same it is 1 if every output was right, else 0, as in
    /// scikit-learn.
    pub(super) fn result(&self) -> f64 {
        if self.weight == 0.0 {
            return f64::NAN;
        }
        let of_output = |squares: &Squares| match (squares.left.total(), squares.around_mean.total()) {
            (0.0, 0.0) => 1.0,
            (_, 0.0) => 0.0,
            (left, around_mean) => 1.0 - left / around_mean,
        };
        self.outputs.iter().map(of_output).collect::<Sum>().total() / self.outputs.len() as f64
    }

    pub(super) fn reset(&mut self) {
        self.weight = 0.0;
        self.outputs.fill(Squares::default());
    }
}

impl Memory for Squares {
    fn write(&self, numbers: &mut Vec<f64>) {
        [self.left, self.around_mean].write(numbers);
        self.mean.write(numbers);
    }

    fn read(&mut self, numbers: &mut Iter<'_, f64>) -> Option<()> {
        self.left.read(numbers)?;
        self.around_mean.read(numbers)?;
        self.mean.read(numbers)
    }
}

impl Memory for R2 {
    fn write(&self, numbers: &mut Vec<f64>) {
        self.weight.write(numbers);
        self.outputs.write(numbers);
    }

    fn read(&mut self, numbers: &mut Iter<'_, f64>) -> Option<()> {
        self.weight.read(numbers)?;
        self.outputs.read(numbers)
    }
}
