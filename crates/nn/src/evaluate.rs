//! How good a model is on data that it has not been trained on.

use crate::data::Dataset;
use crate::engine::buffers::{Buffers, last_of};
use crate::engine::forward::{forward, gather};
use crate::engine::loss::{BatchTargets, loss_in_place};
use crate::engine::penalties::{activity_penalties, weight_penalties};
use crate::error::Error;
use crate::losses::Reduction;
use crate::metrics::ConfusionMatrix;
use crate::model::{EVALUATION_BATCH, Model};
use densely_tensor::{MatMut, Scalar};

/// What [`Model::evaluate`] finds.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// Mean loss of the samples, without dropout, with the penalties of regularizers. The sum if the model was compiled with
    /// [`Reduction::Sum`].
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
}

impl<T: Scalar> Model<T> {
    /// Predicts every sample, without dropout, and compares with the targets. Changes nothing.
    ///
    /// # Errors
    ///
    /// If the data do not fit the network and its loss, there is not enough memory, or the loss is not a finite number,
    /// because parameters are so large that outputs overflow.
    pub fn evaluate(&self, data: &Dataset) -> Result<Evaluation, Error> {
        self.check_data(data)?;
        let head = &self.plan.head;
        let mut buffers = Buffers::new(&self.plan, EVALUATION_BATCH.min(data.len()), data.outputs())?;
        let mut confusion = data.outputs().is_none().then(|| ConfusionMatrix::new(data.classes()));
        let (mut loss, mut penalties, mut counted) = (0.0, 0.0, 0);
        let order: Vec<u32> = (0..data.len() as u32).collect();
        for order in order.chunks(EVALUATION_BATCH) {
            let samples = order.len();
            gather(self.pool(), data, order, &mut buffers);
            forward(self.pool(), &self.plan, &self.parameters, &mut buffers, samples, None);
            penalties += activity_penalties(&self.plan, &buffers, samples);
            let Buffers { outputs, targets, outcomes, room, .. } = &mut buffers;
            let outputs = last_of(outputs, samples, self.plan.outputs);
            let outputs = MatMut::from_slice(outputs, self.plan.outputs, samples);
            let (targets, outcomes) = (targets.of(samples), &mut outcomes[..samples]);
            // The gradient that this leaves in place of the outputs is not used.
            loss_in_place(self.pool(), head, outputs, targets, &[], room, outcomes, 1.0);
            loss += outcomes.iter().map(|outcome| outcome.loss).sum::<f64>();
            counted += head.counted(targets, samples);
            if let (BatchTargets::Classes(labels), Some(confusion)) = (targets, &mut confusion) {
                for (outcome, &label) in outcomes.iter().zip(labels).filter(|(_, label)| head.counts(**label))
                {
                    confusion.record(label as usize, outcome.predicted as usize);
                }
            }
        }
        let divisor = match self.compile.reduction {
            Reduction::Sum => 1.0,
            Reduction::SumOverBatchSize | Reduction::MeanWithSampleWeight => counted.max(1) as f64,
        };
        let loss = loss / divisor + penalties / data.len() as f64 + weight_penalties(&self.parameters);
        if !loss.is_finite() {
            return Err(Error::NonFiniteEvaluation { loss });
        }
        let correct = confusion.as_ref().map(|confusion| confusion.correct() as usize);
        let accuracy = correct.map(|correct| correct as f64 / counted.max(1) as f64);
        Ok(Evaluation { loss, accuracy, correct, samples: counted, confusion })
    }
}
