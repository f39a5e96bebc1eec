//! Outputs for samples, in batches or one at a time.

use super::Model;
use super::evaluate::refuse_batch_size_0;
use super::predictor::check_features;
use crate::callbacks::{Callback, first_error};
use crate::data::{Dataset, FirstError};
use crate::engine::buffers::{Buffers, last_of};
use crate::engine::forward::{forward, gather, gather_one};
use crate::engine::loss::predict_in_place;
use crate::engine::parameters::EngineParameters;
use crate::engine::plan::Plan;
use crate::error::Error;
use densely_tensor::{MatMut, Pool, Scalar, arg_max};
use nalgebra::DMatrix;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Samples of a batch in evaluation and prediction.
pub(crate) const EVALUATION_BATCH: usize = 256;
/// Samples that pass the network at once on a thread.
const PASS_SAMPLES: usize = 128;
/// Threads share samples out in multiples of this.
const GRANULARITY: usize = PASS_SAMPLES / 2;

/// How a model predicts.
pub struct Predict<'a> {
    /// Samples from one `on_predict_batch_begin` to the next; at least 1. Without callbacks it means nothing: whatever it is, each
    /// thread takes at most 128 samples through the network at once. No bit of the predictions of finite parameters depends on it.
    /// Default: 256.
    pub batch_size: usize,
    /// Who is told of the `on_predict_…` events. Default: nobody.
    pub callbacks: Vec<&'a mut dyn Callback>,
}

impl Default for Predict<'_> {
    fn default() -> Self {
        Self { batch_size: EVALUATION_BATCH, callbacks: Vec::new() }
    }
}

/// Where samples pass the network: what no thread is using just now.
type Rooms<T> = Mutex<Vec<Buffers<T>>>;

/// A panic elsewhere leaves rooms that are good to use.
fn lock<T: Scalar>(rooms: &Rooms<T>) -> MutexGuard<'_, Vec<Buffers<T>>> {
    rooms.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<T: Scalar> Model<T> {
    /// The network's output for each sample, outputs × samples: probabilities if it ends in softmax. Dropout is off. Where
    /// large parameters make a sum overflow, outputs are infinite or NaN.
    ///
    /// # Errors
    ///
    /// If the samples have another width than the network's input or cannot be read from their file, or there is not enough
    /// memory.
    pub fn predict(&self, data: &Dataset) -> Result<DMatrix<T>, Error> {
        self.predict_with(data, Predict::default())
    }

    /// As [`predict`](Self::predict), with options.
    ///
    /// # Errors
    ///
    /// As [`predict`](Self::predict); and [`Error::FitSetting`] if the batch size is 0, or what a callback meets.
    pub fn predict_with(&self, data: &Dataset, options: Predict<'_>) -> Result<DMatrix<T>, Error> {
        let Predict { batch_size, mut callbacks } = options;
        refuse_batch_size_0(batch_size)?;
        if data.features() != self.plan.inputs {
            return Err(Error::Features { expected: self.plan.inputs, found: data.features() });
        }
        let memory = || Error::Memory { what: "the predictions" };
        let count = self.plan.outputs.checked_mul(data.len()).ok_or_else(memory)?;
        let mut predictions = Vec::new();
        predictions.try_reserve_exact(count).map_err(|_| memory())?;
        predictions.resize(count, T::ZERO);
        // Nobody is told of batches that nobody waits for.
        let batch_size = if callbacks.is_empty() { data.len() } else { batch_size.min(data.len()) };
        let columns = predictions.chunks_mut(self.plan.outputs * batch_size);
        let rooms = self.rooms(batch_size, data.outputs())?;
        let order: Vec<u32> = (0..data.len() as u32).collect();
        first_error(&mut callbacks, |callback| callback.on_predict_begin(data.len()))?;
        for (batch, (order, columns)) in order.chunks(batch_size).zip(columns).enumerate() {
            first_error(&mut callbacks, |callback| callback.on_predict_batch_begin(batch + 1))?;
            self.predict_samples(data, order, columns, &rooms)?;
            first_error(&mut callbacks, |callback| callback.on_predict_batch_end(batch + 1))?;
        }
        first_error(&mut callbacks, |callback| callback.on_predict_end())?;
        Ok(DMatrix::from_vec(self.plan.outputs, data.len(), predictions))
    }

    /// Room for each thread that takes part when so many samples are predicted.
    fn rooms(&self, samples: usize, outputs: Option<usize>) -> Result<Rooms<T>, Error> {
        let threads = if samples > PASS_SAMPLES { self.pool().threads() } else { 1 };
        let room = |_| Buffers::new(&self.plan, samples.min(PASS_SAMPLES), outputs);
        (0..threads).map(room).collect::<Result<_, _>>().map(Mutex::new)
    }

    /// Predicts the samples of `order`, to columns of as many outputs as the network has. Many samples are shared out between the
    /// threads, which take them through the whole network without waiting for each other; for few, threads share each stage.
    fn predict_samples(
        &self,
        data: &Dataset,
        order: &[u32],
        columns: &mut [T],
        rooms: &Rooms<T>,
    ) -> Result<(), Error> {
        let (pool, plan, parameters) = (self.pool(), &self.plan, &self.parameters);
        let pass = |order: &[u32], columns: &mut [T]| {
            let mut room = lock(rooms).pop().expect("there is a room for each thread");
            let gathered = gather(pool, plan, data, order, &mut room);
            if gathered.is_ok() {
                columns.copy_from_slice(outputs(pool, plan, parameters, &mut room, order.len()));
            }
            lock(rooms).push(room);
            gathered
        };
        if order.len() <= PASS_SAMPLES {
            return pass(order, columns);
        }
        let columns = MatMut::from_slice(columns, plan.outputs, order.len());
        let result = FirstError::default();
        pool.for_each_part(GRANULARITY, (order, columns), |_, (order, columns)| {
            let columns = columns.into_slice().chunks_mut(PASS_SAMPLES * plan.outputs);
            let mut passes = order.chunks(PASS_SAMPLES).zip(columns);
            result.note(passes.try_for_each(|(order, columns)| pass(order, columns)));
        });
        result.into_result()
    }

    /// The class that a sample's [prediction](Self::predict) means: that of the largest output, or, of a single one, 1 where
    /// it is beyond the middle (0.5, or 0 of a logit or under a hinge loss). `prediction` has an element for each output; what has
    /// not gives a class that means nothing.
    pub fn class_of(&self, prediction: &[T]) -> usize {
        let loss = &self.compile.loss;
        match prediction {
            [single] => usize::from(single.to_f64() > loss.threshold(loss.takes_logits())),
            several => arg_max(several),
        }
    }

    /// The network's output for one sample, whose features are taken as they are (bytes are not scaled here). For many, one
    /// after the other, a [`predictor`](Self::predictor) is faster.
    ///
    /// # Errors
    ///
    /// If there are more or fewer features than the network has inputs, or one of them is not finite.
    pub fn predict_one(&self, features: &[T]) -> Result<Vec<T>, Error> {
        check_features(features, self.plan.inputs)?;
        let mut buffers = Buffers::new(&self.plan, 1, None)?;
        gather_one(self.pool(), &self.plan, features, &mut buffers);
        Ok(outputs(self.pool(), &self.plan, &self.parameters, &mut buffers, 1).to_vec())
    }
}

/// Predictions for the samples that stand in the buffers' input.
pub(super) fn outputs<'b, T: Scalar>(
    pool: &Pool,
    plan: &Plan<T>,
    parameters: &EngineParameters<T>,
    buffers: &'b mut Buffers<T>,
    samples: usize,
) -> &'b [T] {
    forward(pool, plan, parameters, buffers, samples, None);
    let outputs = last_of(&mut buffers.outputs, samples, plan.outputs);
    predict_in_place(pool, &plan.head, MatMut::from_slice(&mut *outputs, plan.outputs, samples));
    outputs
}
