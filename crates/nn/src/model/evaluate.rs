//! How good a model is on data that it has not been trained on.

use super::Model;
use super::fit::sample_weights;
use super::inference::{EVALUATION_BATCH, Rooms};
use crate::callbacks::{Callback, first_error};
use crate::data::Dataset;
use crate::engine::buffers::{Buffers, last_of};
use crate::engine::forward::{forward, gather_features, gather_targets};
use crate::engine::loss::{BatchTargets, Head, loss_in_place};
use crate::engine::meters::Meters;
use crate::engine::parameters::MatrixRoom;
use crate::engine::penalties::{add_activity_penalties, compares_units, weight_penalties};
use crate::engine::plan::Kind;
use crate::error::Error;
use crate::losses::Reduction;
use crate::metrics::{ConfusionMatrix, MetricValue};
use densely_tensor::{MatMut, Scalar};

/// What [`Model::evaluate`] finds.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// Loss of the samples, without dropout, with the penalties of regularizers: their mean, or what the model's [`Reduction`]
    /// makes of them and of their weights, as if all samples were one batch.
    pub loss: f64,
    /// Share of the samples whose class was predicted rightly, between 0 and 1; `None` if the targets are values. A single
    /// output is class 1 above 0.5, a logit or one of a hinge loss above 0.
    pub accuracy: Option<f64>,
    /// Samples whose class was predicted rightly; `None` if the targets are values.
    pub correct: Option<usize>,
    /// All samples that count: those of an ignored class do not.
    pub samples: usize,
    /// How often each class was taken for each other one; `None` if the targets are values.
    pub confusion: Option<ConfusionMatrix>,
    /// What the model's metrics come to, in the order in which it was compiled with them. They are measured of what
    /// [`predict`](Model::predict) gives: logits stay logits, which are beyond the middle above 0 and not above 0.5.
    pub metrics: Vec<(String, MetricValue)>,
}

impl Evaluation {
    /// A metric by its name; `None` if the model has none of this name.
    pub fn metric(&self, name: &str) -> Option<&MetricValue> {
        self.metrics.iter().find(|(metric, _)| metric == name).map(|(_, value)| value)
    }

    /// A figure by its name: `loss`, `accuracy`, or a metric that is a number. `None` if there is none.
    pub fn value(&self, name: &str) -> Option<f64> {
        match name {
            "loss" => Some(self.loss),
            "accuracy" => self.accuracy,
            _ => self.metric(name)?.number(),
        }
    }
}

/// How a model is evaluated.
pub struct Evaluate<'a> {
    /// Samples of a batch; at least 1. It changes speed and memory, and no figure, unless a layer's
    /// [activity regularizer](crate::Dense::activity_regularizer) is an orthogonal one, which looks at a batch as a whole.
    /// Default: 1024.
    pub batch_size: usize,
    /// The weight of each sample in the loss, 0 or more. Accuracy, confusion matrix and metrics do not use them. Default: none,
    /// all count alike.
    pub sample_weights: Option<&'a [f64]>,
    /// Who is told of the `on_test_…` events. Default: nobody.
    pub callbacks: Vec<&'a mut dyn Callback>,
}

impl Default for Evaluate<'_> {
    fn default() -> Self {
        Self { batch_size: EVALUATION_BATCH, sample_weights: None, callbacks: Vec::new() }
    }
}

impl<T: Scalar> Model<T> {
    /// Predicts every sample, without dropout, and compares with the targets. Changes nothing.
    ///
    /// # Errors
    ///
    /// If the data do not fit the network, its loss and its metrics, or cannot be read from their file, there is not enough memory, or the loss is not a finite number,
    /// because parameters are so large that outputs overflow.
    pub fn evaluate(&self, data: &Dataset) -> Result<Evaluation, Error> {
        self.evaluate_with(data, Evaluate::default())
    }

    /// As [`evaluate`](Self::evaluate), with options.
    ///
    /// # Errors
    ///
    /// As [`evaluate`](Self::evaluate); and [`Error::FitSetting`] if the batch size is 0, [`Error::SampleWeightCount`] or
    /// [`Error::SampleWeight`], or what a callback meets.
    pub fn evaluate_with(&self, data: &Dataset, mut options: Evaluate<'_>) -> Result<Evaluation, Error> {
        refuse_batch_size_0(options.batch_size)?;
        self.check_data(data)?;
        let weights = sample_weights(data, options.sample_weights, &[])?;
        self.evaluate_in_batches(data, &weights, options.batch_size, &mut options.callbacks)
    }

    /// Evaluates data that fit the network, whose samples have these weights; none if all count alike.
    pub(crate) fn evaluate_in_batches(
        &self,
        data: &Dataset,
        weights: &[f64],
        batch_size: usize,
        callbacks: &mut [&mut dyn Callback],
    ) -> Result<Evaluation, Error> {
        let head = &self.plan.head;
        let penalizes_activity =
            self.plan.stages.iter().any(|stage| matches!(stage.kind, Kind::ActivityRegularization(_)));
        let most = batch_size.min(data.len());
        let (mut buffers, rooms) = if penalizes_activity {
            (Buffers::new(&self.plan, most, data.outputs())?, None)
        } else {
            let rooms = Rooms::new(self.pool(), &self.plan, most)?;
            (Buffers::of_the_loss(&self.plan, most, data.outputs())?, Some(rooms))
        };
        let mut matrices = MatrixRoom::new(self.parameters.tensors(), compares_units)?;
        let mut meters = Meters::new(&self.compile, self.plan.outputs, data, most)?;
        first_error(callbacks, |callback| callback.on_test_begin(data.len()))?;
        let mut confusion = match data.outputs() {
            None => Some(ConfusionMatrix::new(data.classes())?),
            Some(_) => None,
        };
        let (mut loss, mut penalties, mut counted, mut counted_weight) = (0.0, 0.0, 0, 0.0);
        let order: Vec<u32> = (0..data.len() as u32).collect();
        for (batch, order) in order.chunks(batch_size).enumerate() {
            first_error(callbacks, |callback| callback.on_test_batch_begin(batch + 1))?;
            let samples = order.len();
            gather_targets(self.pool(), data, order, &mut buffers);
            buffers.targets.weigh(order, weights);
            if let Some(rooms) = &rooms {
                let logits = last_of(&mut buffers.outputs, samples, self.plan.outputs);
                self.take_through(data, order, rooms, logits)?;
            } else {
                // Penalties are of what all stages put out for the batch as a whole.
                gather_features(self.pool(), &self.plan, data, order, &mut buffers)?;
                forward(self.pool(), &self.plan, &self.parameters, &mut buffers, samples, None);
                add_activity_penalties(&self.plan, &buffers, samples, &mut penalties);
            }
            let Buffers { outputs, targets, outcomes, room, .. } = &mut buffers;
            let outputs = last_of(outputs, samples, self.plan.outputs);
            meters.keep(outputs);
            let outputs = MatMut::from_slice(outputs, self.plan.outputs, samples);
            let (targets, weights, outcomes) =
                (targets.of(samples), &targets.weights, &mut outcomes[..samples]);
            // The gradient that this leaves in place of the outputs is not used.
            loss_in_place(self.pool(), head, outputs, targets, weights, room, outcomes, 1.0);
            // In the order of the samples, so that the size of batches changes no figure.
            loss = outcomes.iter().fold(loss, |loss, outcome| loss + outcome.loss);
            counted += head.counted(targets, samples);
            add_counted_weights(&mut counted_weight, head, targets, weights);
            if loss.is_finite() {
                meters.update(self.pool(), head, targets, samples)?;
            }
            if let (BatchTargets::Classes(labels), Some(confusion)) = (targets, &mut confusion) {
                for (outcome, &label) in outcomes.iter().zip(labels).filter(|(_, label)| head.counts(**label))
                {
                    confusion.record(label as usize, outcome.predicted as usize)?;
                }
            }
            first_error(callbacks, |callback| callback.on_test_batch_end(batch + 1))?;
        }
        let divisor = match self.compile.reduction {
            Reduction::Sum => 1.0,
            Reduction::MeanWithSampleWeight if counted_weight > 0.0 => counted_weight,
            Reduction::SumOverBatchSize | Reduction::MeanWithSampleWeight => counted.max(1) as f64,
        };
        let loss = loss / divisor
            + penalties / data.len() as f64
            + weight_penalties(&self.parameters, &mut matrices);
        if !loss.is_finite() {
            return Err(Error::NonFiniteEvaluation { loss });
        }
        let metrics = meters.results();
        let correct = confusion.as_ref().map(|confusion| confusion.correct() as usize);
        let accuracy = correct.map(|correct| correct as f64 / counted.max(1) as f64);
        let evaluation = Evaluation { loss, accuracy, correct, samples: counted, confusion, metrics };
        first_error(callbacks, |callback| callback.on_test_end(&evaluation))?;
        Ok(evaluation)
    }
}

/// Adds the weights of the samples that count to `sum`, one after the other.
fn add_counted_weights(sum: &mut f64, head: &Head, targets: BatchTargets<'_>, weights: &[f64]) {
    for (sample, weight) in weights.iter().enumerate() {
        let counts = match targets {
            BatchTargets::Classes(labels) => head.counts(labels[sample]),
            BatchTargets::Values(_) => true,
        };
        if counts {
            *sum += weight;
        }
    }
}

/// A batch has a sample.
pub(crate) fn refuse_batch_size_0(batch_size: usize) -> Result<(), Error> {
    match batch_size {
        0 => Err(Error::FitSetting { setting: "batch_size", found: 0, expected: "at least 1" }),
        _ => Ok(()),
    }
}
