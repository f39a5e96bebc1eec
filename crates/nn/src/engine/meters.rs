//! The metrics of a model at work: fed batch by batch with what the user would see as predictions.

use super::buffers::zeros;
use super::loss::{BatchTargets, Head, predict_in_place};
use crate::callbacks::RunningMetrics;
use crate::data::Dataset;
use crate::error::{BackupError, Error};
use crate::metrics::MetricError;
use crate::metrics::{self, MetricBatch, MetricState, MetricValue, TargetKind};
use crate::model::compile::Compile;
use densely_tensor::{AlignedBuffer, MatMut, Pool, Scalar};

/// Names that figures of other kinds have.
const RESERVED: [&str; 6] = ["epoch", "loss", "accuracy", "learning_rate", "seconds", "images_per_second"];

/// The metrics that a model was compiled with, each with its name and what it has seen. Without metrics nothing is
/// allocated, and batches cost nothing.
pub(crate) struct Meters<T: Scalar> {
    meters: Vec<(String, Box<dyn MetricState>)>,
    units: usize,
    /// Outputs × samples: what the user would see, as the network computes it.
    predictions: AlignedBuffer<T>,
    /// The same of the samples that count, as metrics take it.
    outputs: AlignedBuffer<f64>,
    /// Their targets: of classes, or of values.
    labels: Vec<u32>,
    values: AlignedBuffer<f64>,
}

impl<T: Scalar> Meters<T> {
    /// For batches of up to `samples` of such data, of a network with `units` outputs.
    ///
    /// # Errors
    ///
    /// If a metric cannot be measured with these targets, or there is not enough memory.
    pub(crate) fn new(
        compile: &Compile,
        units: usize,
        data: &Dataset,
        samples: usize,
    ) -> Result<Self, Error> {
        let kind = if data.outputs().is_none() { TargetKind::Classes } else { TargetKind::Values };
        let mut states = Vec::new();
        for metric in &compile.metrics {
            states.push(metric.state(units, kind)?);
        }
        states.extend(compile.custom_metrics.iter().map(|metric| metric.state()));
        let names = unique_names(states.iter().map(|state| state.name()));
        let samples = if states.is_empty() { 0 } else { samples };
        let samples_of = |wanted| if kind == wanted { samples } else { 0 };
        Ok(Self {
            meters: names.into_iter().zip(states).collect(),
            units,
            predictions: zeros(units, samples)?,
            outputs: zeros(units, samples)?,
            labels: Vec::with_capacity(samples_of(TargetKind::Classes)),
            values: zeros(units, samples_of(TargetKind::Values))?,
        })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.meters.is_empty()
    }

    /// Forgets all samples.
    pub(crate) fn reset(&mut self) {
        self.meters.iter_mut().for_each(|(_, state)| state.reset());
    }

    /// Keeps the last stage's outputs of some samples, which may be overwritten from here on.
    pub(crate) fn keep(&mut self, outputs: &[T]) {
        if !self.is_empty() {
            self.predictions[..outputs.len()].copy_from_slice(outputs);
        }
    }

    /// Takes into account the samples whose outputs were [kept](Self::keep), with their targets; those of an ignored class
    /// do not count.
    ///
    /// # Errors
    ///
    /// What a metric says: the built-in ones only that an output is not finite or there are too many samples.
    pub(crate) fn update(
        &mut self,
        pool: &Pool,
        head: &Head,
        targets: BatchTargets<'_>,
        samples: usize,
    ) -> Result<(), Error> {
        if self.is_empty() {
            return Ok(());
        }
        let units = self.units;
        let predictions = &mut self.predictions[..units * samples];
        predict_in_place(pool, head, MatMut::from_slice(&mut *predictions, units, samples));
        let counts = |sample: usize| match targets {
            BatchTargets::Classes(labels) => head.counts(labels[sample]),
            BatchTargets::Values(_) => true,
        };
        self.labels.clear();
        let mut counted = 0;
        for (sample, prediction) in
            predictions.chunks_exact(units).enumerate().filter(|&(sample, _)| counts(sample))
        {
            let place = units * counted..units * (counted + 1);
            for (output, prediction) in self.outputs[place.clone()].iter_mut().zip(prediction) {
                *output = prediction.to_f64();
            }
            match targets {
                BatchTargets::Classes(labels) => self.labels.push(labels[sample]),
                BatchTargets::Values(values) => self.values[place].copy_from_slice(values.column(sample)),
            }
            counted += 1;
        }
        let targets = match targets {
            BatchTargets::Classes(_) => metrics::BatchTargets::Classes(&self.labels),
            BatchTargets::Values(_) => metrics::BatchTargets::Values(&self.values[..units * counted]),
        };
        let batch = MetricBatch::new(targets, &self.outputs[..units * counted], units, None)?;
        self.meters.iter_mut().try_for_each(|(_, state)| state.update(&batch))
    }

    /// What each metric has seen, to be [restored](Self::restore).
    ///
    /// # Errors
    ///
    /// [`BackupError::Metric`] of one that cannot say.
    pub(crate) fn numbers(&self) -> Result<Vec<Vec<f64>>, Error> {
        let numbers = |(name, state): &(String, Box<dyn MetricState>)| {
            state.numbers().ok_or_else(|| BackupError::Metric { metric: name.clone() }.into())
        };
        self.meters.iter().map(numbers).collect()
    }

    /// Goes on behind what each metric had seen.
    ///
    /// # Errors
    ///
    /// [`BackupError::MetricNumbers`] if a metric cannot have seen that.
    pub(crate) fn restore(&mut self, numbers: &[Vec<f64>]) -> Result<(), Error> {
        for ((name, state), numbers) in self.meters.iter_mut().zip(numbers) {
            if !state.restore(numbers) {
                return Err(BackupError::MetricNumbers { metric: name.clone() }.into());
            }
        }
        Ok(())
    }

    /// How many metrics there are.
    pub(crate) fn len(&self) -> usize {
        self.meters.len()
    }

    /// What each metric comes to.
    pub(crate) fn results(&self) -> Vec<(String, MetricValue)> {
        self.meters.iter().map(|(name, state)| (name.clone(), state.result())).collect()
    }

    /// Of each metric that is a number the name, and whether a larger one is better.
    pub(crate) fn better(&self) -> Vec<(String, Option<bool>)> {
        let numbers = self.meters.iter().filter(|(_, state)| state.result().number().is_some());
        numbers.map(|(name, state)| (name.clone(), state.larger_is_better())).collect()
    }
}

impl<T: Scalar> RunningMetrics for Meters<T> {
    fn running(&self, name: &str) -> Option<f64> {
        self.meters.iter().find(|(metric, _)| metric == name)?.1.running()
    }
}

/// Checks the metrics that a network with `units` outputs is compiled with.
///
/// # Errors
///
/// [`MetricError::Setting`], or [`MetricError::Outputs`] if no data can be measured; [`MetricError::Name`] of a custom metric.
pub(crate) fn validate(compile: &Compile, units: usize) -> Result<(), Error> {
    compile.metrics.iter().try_for_each(|metric| metric.validate_outputs(units))?;
    compile.custom_metrics.iter().try_for_each(|metric| validate_name(metric.state().name()))
}

/// Names become columns of files and are asked for by name, so they are words and no one else's.
fn validate_name(name: &str) -> Result<(), Error> {
    let word =
        !name.is_empty() && name.chars().all(|character| character.is_alphanumeric() || character == '_');
    if word && !name.starts_with("val_") && !RESERVED.contains(&name) {
        return Ok(());
    }
    Err(MetricError::Name { found: name.to_owned() }.into())
}

/// The second `auc` is `auc_1`, as in Keras.
fn unique_names<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut unique: Vec<String> = Vec::new();
    for name in names {
        let taken = |candidate: &String| unique.contains(candidate);
        let mut candidates =
            std::iter::once(name.to_owned()).chain((1..).map(|number| format!("{name}_{number}")));
        let free = candidates.find(|candidate| !taken(candidate));
        unique.push(free.expect("there are more numbers than names"));
    }
    unique
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_there_once() {
        let names = ["auc", "precision", "auc", "auc_1", "auc"];
        assert_eq!(unique_names(names.into_iter()), ["auc", "precision", "auc_1", "auc_1_1", "auc_2"]);
    }

    #[test]
    fn names_that_others_have_are_refused() {
        for name in ["", "loss", "accuracy", "val_mine", "two words", "a,b", "learning_rate"] {
            let message = validate_name(name).unwrap_err().to_string();
            assert!(message.contains(&format!("`{name}`")), "{message}");
        }
        assert!(validate_name("worst_error").is_ok());
    }
}
