//! Outputs for samples, in batches or one at a time.

use super::Model;
use super::evaluate::refuse_batch_size_0;
use super::inference::{EVALUATION_BATCH, Rooms, outputs};
use super::predictor::check_features;
use crate::callbacks::{Callback, first_error};
use crate::data::Dataset;
use crate::engine::buffers::Buffers;
use crate::engine::forward::gather_one;
use crate::engine::loss::predict_in_place;
use crate::error::Error;
use densely_tensor::{MatMut, Scalar, arg_max};
use nalgebra::DMatrix;

/// How a model predicts.
pub struct Predict<'a> {
    /// Samples from one `on_predict_batch_begin` to the next; at least 1. Without callbacks it means nothing: whatever it is, each
    /// thread takes at most 128 samples through the network at once. No bit of the predictions of finite parameters depends on it.
    /// Default: 1024.
    pub batch_size: usize,
    /// Who is told of the `on_predict_…` events. Default: nobody.
    pub callbacks: Vec<&'a mut dyn Callback>,
}

impl Default for Predict<'_> {
    fn default() -> Self {
        Self { batch_size: EVALUATION_BATCH, callbacks: Vec::new() }
    }
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
        let rooms = Rooms::new(self.pool(), &self.plan, batch_size)?;
        let order: Vec<u32> = (0..data.len() as u32).collect();
        first_error(&mut callbacks, |callback| callback.on_predict_begin(data.len()))?;
        for (batch, (order, columns)) in order.chunks(batch_size).zip(columns).enumerate() {
            first_error(&mut callbacks, |callback| callback.on_predict_batch_begin(batch + 1))?;
            self.take_through(data, order, &rooms, columns)?;
            let outputs = MatMut::from_slice(columns, self.plan.outputs, order.len());
            predict_in_place(self.pool(), &self.plan.head, outputs);
            first_error(&mut callbacks, |callback| callback.on_predict_batch_end(batch + 1))?;
        }
        first_error(&mut callbacks, |callback| callback.on_predict_end())?;
        Ok(DMatrix::from_vec(self.plan.outputs, data.len(), predictions))
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
