//! Metrics that are a mean over samples.

use super::batch::{BatchTargets, MetricBatch};
use super::memory::Memory;
use super::sum::Sum;
use crate::losses::{ln_cosh, logarithmic_error, percent_of};
use densely_tensor::sum_of;
use std::slice::Iter;

/// `Σw·x / Σw`, where x is something of each sample.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct WeightedMean {
    sum: Sum,
    weight: Sum,
}

impl WeightedMean {
    /// Adds x of each sample.
    pub(super) fn update(&mut self, batch: &MetricBatch<'_>, of_sample: impl Fn(usize) -> f64) {
        for sample in 0..batch.samples() {
            let weight = batch.weight(sample);
            self.sum.add(weight * of_sample(sample));
            self.weight.add(weight);
        }
    }

    /// Not a number if there was no weight.
    pub(super) fn mean(self) -> f64 {
        self.sum.total() / self.weight.total()
    }
}

impl Memory for WeightedMean {
    fn write(&self, numbers: &mut Vec<f64>) {
        [self.sum, self.weight].write(numbers);
    }

    fn read(&mut self, numbers: &mut Iter<'_, f64>) -> Option<()> {
        self.sum.read(numbers)?;
        self.weight.read(numbers)
    }
}

/// The share of a sample's decisions that are right: with values one for each output, else one.
pub(super) fn binary_accuracy(batch: &MetricBatch<'_>, sample: usize, threshold: f64) -> f64 {
    let outputs = batch.outputs(sample);
    match batch.targets() {
        BatchTargets::Classes(labels) => {
            let positive = outputs[outputs.len() - 1] > threshold;
            f64::from(u8::from(positive == (labels[sample] == 1)))
        }
        BatchTargets::Values(_) => {
            mean_of(batch, sample, |t, y| f64::from(u8::from((y > threshold) == (t > 0.5))))
        }
    }
}

/// 1 if the right class is predicted, else 0.
pub(super) fn categorical_accuracy(batch: &MetricBatch<'_>, sample: usize) -> f64 {
    f64::from(u8::from(batch.predicted(sample) == batch.class(sample)))
}

/// 1 if fewer than k outputs are above that of the right class, else 0.
pub(super) fn top_k(batch: &MetricBatch<'_>, sample: usize, k: usize) -> f64 {
    let outputs = batch.outputs(sample);
    let of_right = outputs[batch.class(sample)];
    let above = outputs.iter().filter(|&&output| output > of_right).count();
    f64::from(u8::from(above < k))
}

/// The mean over the outputs of `f(target, output)`.
pub(super) fn mean_of(batch: &MetricBatch<'_>, sample: usize, f: impl Fn(f64, f64) -> f64) -> f64 {
    let (targets, outputs) = (batch.values(sample), batch.outputs(sample));
    sum_of(outputs.len(), |i| f(targets[i], outputs[i])) / outputs.len() as f64
}

pub(super) fn squared(target: f64, output: f64) -> f64 {
    (output - target) * (output - target)
}

pub(super) fn absolute_percentage(target: f64, output: f64) -> f64 {
    (output - target).abs() * percent_of(target)
}

pub(super) fn squared_logarithmic(target: f64, output: f64) -> f64 {
    let error = logarithmic_error(target, output);
    error * error
}

pub(super) fn log_cosh(target: f64, output: f64) -> f64 {
    ln_cosh(output - target)
}

/// `Σt·y / (|t|·|y|)`, and 0 if one of them is 0.
pub(super) fn cosine(batch: &MetricBatch<'_>, sample: usize) -> f64 {
    let scaled = |values: &[f64]| values.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()));
    let (targets, outputs) = (batch.values(sample), batch.outputs(sample));
    let (target_scale, output_scale) = (scaled(targets), scaled(outputs));
    if target_scale == 0.0 || output_scale == 0.0 {
        return 0.0;
    }
    // Divided by the largest, no square overflows and none that matters vanishes.
    let target = |i: usize| targets[i] / target_scale;
    let output = |i: usize| outputs[i] / output_scale;
    let len = outputs.len();
    let norms = sum_of(len, |i| target(i) * target(i)).sqrt() * sum_of(len, |i| output(i) * output(i)).sqrt();
    sum_of(len, |i| target(i) * output(i)) / norms
}
