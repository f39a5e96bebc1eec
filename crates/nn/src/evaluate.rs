//! How good a model is on data that it has not been trained on.

use crate::data::Dataset;
use crate::engine::buffers::{Buffers, last_of};
use crate::engine::forward::{forward, gather, loss_in_place};
use crate::engine::penalties::{activity_penalties, weight_penalties};
use crate::error::Error;
use crate::metrics::ConfusionMatrix;
use crate::model::{EVALUATION_BATCH, Model};
use densely_tensor::{MatMut, Scalar};

/// What [`Model::evaluate`] finds.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// Mean loss of the samples, without dropout, with the penalties of regularizers.
    pub loss: f64,
    /// Share of the samples whose class was predicted rightly, between 0 and 1.
    pub accuracy: f64,
    /// Samples whose class was predicted rightly.
    pub correct: usize,
    /// All samples.
    pub samples: usize,
    /// How often each class was taken for each other one.
    pub confusion: ConfusionMatrix,
}

impl<T: Scalar> Model<T> {
    /// Predicts every sample, without dropout, and compares with the labels. Changes nothing.
    ///
    /// # Errors
    ///
    /// If the data do not fit the network, there is not enough memory, or the loss is not a finite number, because
    /// parameters are so large that outputs overflow.
    pub fn evaluate(&self, data: &Dataset) -> Result<Evaluation, Error> {
        data.validate_for(&self.network)?;
        let mut buffers = Buffers::new(&self.plan, EVALUATION_BATCH.min(data.len()))?;
        let mut confusion = ConfusionMatrix::new(data.classes());
        let mut loss = 0.0;
        let order: Vec<u32> = (0..data.len() as u32).collect();
        for order in order.chunks(EVALUATION_BATCH) {
            let samples = order.len();
            gather(self.pool(), data, order, &mut buffers);
            forward(self.pool(), &self.plan, &self.parameters, &mut buffers, samples, None);
            loss += activity_penalties(&self.plan, &buffers, samples);
            let Buffers { outputs, labels, outcomes, .. } = &mut buffers;
            let outputs = last_of(outputs, samples, self.plan.outputs);
            let outputs = MatMut::from_slice(outputs, self.plan.outputs, samples);
            let labels = &labels[..samples];
            // The gradient that this leaves in place of the outputs is not used.
            loss_in_place(self.pool(), self.plan.head, outputs, labels, &mut outcomes[..samples], T::ONE);
            for (outcome, &label) in outcomes.iter().zip(labels) {
                loss += outcome.loss;
                confusion.record(label as usize, outcome.predicted as usize);
            }
        }
        let loss = loss / data.len() as f64 + weight_penalties(&self.parameters);
        if !loss.is_finite() {
            return Err(Error::NonFiniteEvaluation { loss });
        }
        let (correct, samples) = (confusion.correct() as usize, data.len());
        Ok(Evaluation { loss, accuracy: correct as f64 / samples as f64, correct, samples, confusion })
    }
}
