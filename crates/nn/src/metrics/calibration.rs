//! Whether a network is as often right as it says.

use super::batch::MetricBatch;
use super::memory::Memory;
use super::sum::Sum;
use crate::error::Error;
use crate::metrics::MetricError;
use std::slice::Iter;

/// Guo, Pleiss, Sun and Weinberger, "On calibration of modern neural networks", arXiv:1706.04599, equation 3: samples are
/// put into the bins `((b − 1)/bins, b/bins]` by the probability of the class that was predicted, and the share that was
/// right is compared with the mean probability in each.
#[derive(Clone, Debug)]
pub(super) struct Calibration {
    bins: Vec<Bin>,
    weight: Sum,
}

#[derive(Clone, Copy, Debug, Default)]
struct Bin {
    right: Sum,
    confidence: Sum,
}

/// How far from 0 to 1 a probability may be from rounding in single precision.
const ROUNDING: f64 = 1e-5;

impl Calibration {
    pub(super) fn new(bins: usize) -> Self {
        Self { bins: vec![Bin::default(); bins], weight: Sum::default() }
    }

    pub(super) fn update(&mut self, batch: &MetricBatch<'_>) -> Result<(), Error> {
        let width = batch.width();
        for sample in 0..batch.samples() {
            let no_probability = |output: &f64| !(-ROUNDING..=1.0 + ROUNDING).contains(output);
            if let Some(index) = batch.outputs(sample).iter().position(no_probability) {
                let found = batch.outputs(sample)[index];
                let expected = "a probability, between 0 and 1, for ExpectedCalibrationError";
                return Err(MetricError::Number { what: "output", sample, index, found, expected }.into());
            }
        }
        for sample in 0..batch.samples() {
            let (predicted, weight) = (batch.predicted(sample), batch.weight(sample));
            let outputs = batch.outputs(sample);
            let confidence = match (width, predicted) {
                (1, 0) => 1.0 - outputs[0],
                (1, _) => outputs[0],
                _ => outputs[predicted],
            };
            let bin = self.bin_of(confidence);
            let bin = &mut self.bins[bin];
            bin.confidence.add(weight * confidence);
            if predicted == batch.class(sample) {
                bin.right.add(weight);
            }
            self.weight.add(weight);
        }
        Ok(())
    }

    /// The first bin whose upper end is not below the confidence. The ends are the doubles b/bins.
    fn bin_of(&self, confidence: f64) -> usize {
        let count = self.bins.len();
        let end = |bin: usize| (bin + 1) as f64 / count as f64;
        let mut bin = ((confidence * count as f64).max(0.0) as usize).min(count - 1);
        while bin > 0 && confidence <= end(bin - 1) {
            bin -= 1;
        }
        while bin < count - 1 && confidence > end(bin) {
            bin += 1;
        }
        bin
    }

    pub(super) fn result(&self) -> f64 {
        let gap = |bin: &Bin| (bin.right.total() - bin.confidence.total()).abs();
        self.bins.iter().map(gap).collect::<Sum>().total() / self.weight.total()
    }

    pub(super) fn reset(&mut self) {
        *self = Self::new(self.bins.len());
    }
}

impl Memory for Bin {
    fn write(&self, numbers: &mut Vec<f64>) {
        [self.right, self.confidence].write(numbers);
    }

    fn read(&mut self, numbers: &mut Iter<'_, f64>) -> Option<()> {
        self.right.read(numbers)?;
        self.confidence.read(numbers)
    }
}

impl Memory for Calibration {
    fn write(&self, numbers: &mut Vec<f64>) {
        self.bins.write(numbers);
        self.weight.write(numbers);
    }

    fn read(&mut self, numbers: &mut Iter<'_, f64>) -> Option<()> {
        self.bins.read(numbers)?;
        self.weight.read(numbers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bin_has_its_upper_end_and_not_its_lower() {
        for bins in [1, 3, 4, 10, 15, 49] {
            let calibration = Calibration::new(bins);
            for bin in 0..bins {
                let end = (bin + 1) as f64 / bins as f64;
                assert_eq!(calibration.bin_of(end), bin, "{end} of {bins} bins");
                assert_eq!(calibration.bin_of(end.next_down()), bin, "below {end} of {bins} bins");
                assert_eq!(
                    calibration.bin_of(end.next_up()),
                    (bin + 1).min(bins - 1),
                    "above {end} of {bins} bins"
                );
            }
            assert_eq!(calibration.bin_of(0.0), 0);
        }
    }
}
