//! One batch at a time, for training loops of one's own.

use super::Model;
use super::evaluate::Evaluation;
use super::fit::sample_weights;
use crate::data::Dataset;
use crate::engine::buffers::{Buffers, Position, TrainingBuffers};
use crate::engine::forward::gather;
use crate::engine::meters::Meters;
use crate::engine::non_finite::first_non_finite;
use crate::error::Error;
use crate::metrics::MetricValue;
use densely_tensor::Scalar;
use nalgebra::DMatrix;

/// What [`Model::train_on_batch`] finds, before the step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BatchResult {
    /// Mean loss of the samples, with the penalties of regularizers and with dropout.
    pub loss: f64,
    /// Share of the samples whose class was predicted rightly, between 0 and 1; `None` if the targets are values.
    pub accuracy: Option<f64>,
    /// How many samples there were.
    pub samples: usize,
    /// What the model's metrics come to on this batch alone, in the order in which it was compiled with them.
    pub metrics: Vec<(String, MetricValue)>,
}

/// How a batch is trained on.
#[derive(Clone, Copy, Debug, Default)]
pub struct TrainOnBatch<'a> {
    /// The weight of each sample in the loss; 0 or more. Metrics do not use them. Default: none, all count alike.
    pub sample_weights: Option<&'a [f64]>,
    /// Classes with the weight of their samples in the loss, as in [`Fit`](crate::Fit::class_weights). Default: none.
    pub class_weights: &'a [(u32, f64)],
}

impl BatchResult {
    /// A figure by the name that it has in [`Epoch::value`](crate::Epoch::value): `loss`, `accuracy`, or a metric that is a
    /// number.
    pub fn value(&self, name: &str) -> Option<f64> {
        match name {
            "loss" => Some(self.loss),
            "accuracy" => self.accuracy,
            _ => self.metrics.iter().find(|(metric, _)| metric == name)?.1.number(),
        }
    }
}

/// The buffers of batches that are trained on one by one.
pub(crate) struct BatchBuffers<T: Scalar> {
    /// The values of a target, as in [`Dataset::outputs`].
    outputs: Option<usize>,
    order: Vec<u32>,
    buffers: Buffers<T>,
    training: TrainingBuffers<T>,
    meters: Meters<T>,
}

impl<T: Scalar> Model<T> {
    /// One step on all of `data` as one batch. Calls for batches of at most the size of one before allocate nothing, but for
    /// weights and the results of metrics.
    ///
    /// Dropout draws new masks for each call; in the count of the model's passes over data, from which masks and
    /// shuffles follow, a call is one.
    ///
    /// ```
    /// use densely::{Activation, Adam, Compile, Dataset, Dense, Sequential};
    ///
    /// let batch = Dataset::from_floats(2, vec![0., 0., 0., 1., 1., 0., 1., 1.], vec![0, 1, 1, 0], 2)?;
    /// let mut model = Sequential::new(2)
    ///     .add(Dense::new(8).activation(Activation::Tanh))
    ///     .add(Dense::new(2).activation(Activation::Softmax))
    ///     .compile::<f32>(Compile { optimizer: Adam::new(0.1).into(), ..Compile::default() })?;
    /// while model.train_on_batch(&batch)?.loss > 0.1 {}
    /// assert_eq!(model.test_on_batch(&batch)?.accuracy, Some(1.0));
    /// # Ok::<(), densely::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the data do not fit the network or cannot be read from their file, there is not enough memory, or the loss is not finite; the step is not taken
    /// then. It is taken where a metric cannot measure the batch's outputs. [`Error::NonFinite`] counts the model's passes as epochs.
    pub fn train_on_batch(&mut self, data: &Dataset) -> Result<BatchResult, Error> {
        self.train_on_batch_with(data, TrainOnBatch::default())
    }

    /// As [`train_on_batch`](Self::train_on_batch), with options.
    ///
    /// # Errors
    ///
    /// As [`train_on_batch`](Self::train_on_batch); and if the weights are not such as [`Fit`](crate::Fit) takes.
    pub fn train_on_batch_with(
        &mut self,
        data: &Dataset,
        options: TrainOnBatch<'_>,
    ) -> Result<BatchResult, Error> {
        self.check_data(data)?;
        self.make_room_for_steps()?;
        let weights = sample_weights(data, options.sample_weights, options.class_weights)?;
        let mut batch = self.batch_buffers(data)?;
        let BatchBuffers { order, buffers, training, meters, .. } = &mut batch;
        let samples = data.len();
        if let Err(error) = gather(self.pool(), &self.plan, data, &order[..samples], buffers) {
            self.batch = Some(batch);
            return Err(error);
        }
        self.epochs += 1;
        buffers.targets.weigh(&order[..samples], &weights);
        training.remembered.position =
            Position { seed: self.compile.seed, epoch: self.epochs, first_sample: 0 };
        let loss = self.step(buffers, training, samples);
        let result = if loss.is_finite() {
            let (head, targets) = (&self.plan.head, buffers.targets.of(samples));
            let correct = head.correct(targets, &buffers.outcomes[..samples]);
            let counted = head.counted(targets, samples).max(1) as f64;
            let accuracy = correct.map(|correct| correct as f64 / counted);
            meters.reset();
            self.measure(buffers, meters, samples).map(|()| BatchResult {
                loss,
                accuracy,
                samples,
                metrics: meters.results(),
            })
        } else {
            let place = first_non_finite(&self.network, &self.plan, &self.parameters, buffers, samples);
            Err(Error::NonFinite { epoch: self.epochs as usize, step: 1, loss, place })
        };
        self.batch = Some(batch);
        result
    }

    /// Evaluates all of `data` as one batch: [`evaluate_with`](Self::evaluate_with) its size as the batch size, and without
    /// weights, which are given there.
    ///
    /// # Errors
    ///
    /// As [`evaluate`](Self::evaluate).
    pub fn test_on_batch(&self, data: &Dataset) -> Result<Evaluation, Error> {
        self.check_data(data)?;
        self.evaluate_in_batches(data, &[], data.len(), &mut [])
    }

    /// Predicts all of `data` as one batch, outputs × samples: [`predict_with`](Self::predict_with) its size as the batch
    /// size.
    ///
    /// # Errors
    ///
    /// As [`predict`](Self::predict).
    pub fn predict_on_batch(&self, data: &Dataset) -> Result<DMatrix<T>, Error> {
        self.predict_with(data, crate::Predict { batch_size: data.len(), ..Default::default() })
    }

    /// Buffers for such data: those of the call before if they are large enough.
    fn batch_buffers(&mut self, data: &Dataset) -> Result<BatchBuffers<T>, Error> {
        let (samples, outputs) = (data.len(), data.outputs());
        match self.batch.take() {
            Some(batch) if batch.order.len() >= samples && batch.outputs == outputs => Ok(batch),
            _ => Ok(BatchBuffers {
                outputs,
                order: (0..samples as u32).collect(),
                buffers: Buffers::new(&self.plan, samples, outputs)?,
                training: TrainingBuffers::new(&self.plan, samples, self.pool().threads())?,
                meters: Meters::new(&self.compile, self.plan.outputs, data, samples)?,
            }),
        }
    }
}
