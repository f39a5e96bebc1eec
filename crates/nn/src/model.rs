//! A network that can run: parameters, optimizer state and the passes over them.

use crate::compile::Compile;
use crate::data::Dataset;
use crate::engine::backward::{Target, backward};
use crate::engine::buffers::{Buffers, TrainingBuffers, last_of};
use crate::engine::forward::{Position, forward, gather, loss_in_place, predict_in_place};
use crate::engine::penalties::{activity_penalties, weight_penalties};
use crate::engine::plan::Plan;
use crate::engine::update::state::{OptimizerState, UpdateRoom};
use crate::error::Error;
use crate::parameters::Parameters;
use crate::saving::{self, Provenance, SavedDescription};
use crate::schedules::LearningRate;
use crate::sequential::Sequential;
use crate::summary::Summary;
use densely_tensor::{MatMut, Pool, Scalar};
use nalgebra::DMatrix;
use std::path::Path;

/// Samples of a batch in evaluation and prediction.
pub(crate) const EVALUATION_BATCH: usize = 256;

/// A compiled network in single (`f32`) or double (`f64`) precision.
pub struct Model<T: Scalar> {
    pub(crate) network: Sequential,
    pub(crate) compile: Compile,
    pub(crate) plan: Plan,
    pub(crate) parameters: Parameters<T>,
    /// What the optimizer remembers.
    pub(crate) optimizer_state: OptimizerState<T>,
    update_room: UpdateRoom<T>,
    /// Epochs begun so far; a second `fit` goes on behind them.
    pub(crate) epochs: u64,
    provenance: Provenance,
}

impl<T: Scalar> std::fmt::Debug for Model<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Model")
            .field("network", &self.network)
            .field("scalar", &T::NAME)
            .field("compile", &self.compile)
            .field("updates", &self.optimizer_state.updates)
            .finish_non_exhaustive()
    }
}

impl<T: Scalar> Model<T> {
    /// Puts a model together from a checked description and parameters that belong to it.
    ///
    /// # Errors
    ///
    /// [`Error::Memory`] if there is not enough for what the optimizer remembers and needs.
    pub(crate) fn assemble(
        network: Sequential,
        compile: Compile,
        plan: Plan,
        parameters: Parameters<T>,
        provenance: Provenance,
    ) -> Result<Self, Error> {
        let optimizer_state = OptimizerState::new(&compile.optimizer, parameters.values().len())?;
        let update_room = UpdateRoom::new(&compile.optimizer, &network)?;
        Ok(Self { network, compile, plan, parameters, optimizer_state, update_room, epochs: 0, provenance })
    }

    /// The description that the model was compiled from.
    pub fn description(&self) -> &Sequential {
        &self.network
    }

    /// The layers as a table, with the size of the parameters in this precision.
    pub fn summary(&self) -> Summary {
        Summary { bytes_per_parameter: T::SIZE, ..self.network.summary() }
    }

    /// Kernels and biases.
    pub fn parameters(&self) -> &Parameters<T> {
        &self.parameters
    }

    /// Kernels and biases, to be changed. What the optimizer remembers stays, but a schedule-free one takes its average
    /// anew from here.
    pub fn parameters_mut(&mut self) -> &mut Parameters<T> {
        self.optimizer_state.starts_anew = true;
        &mut self.parameters
    }

    /// 16 hex digits that tell these parameters from any others; see [`Parameters::fingerprint`].
    pub fn fingerprint(&self) -> String {
        self.parameters.fingerprint()
    }

    /// What the model runs on.
    pub fn pool(&self) -> &Pool {
        &self.compile.pool
    }

    /// What is noted about the model's training.
    pub fn provenance(&self) -> &Provenance {
        &self.provenance
    }

    /// Notes where the model comes from; it is saved with the model.
    pub fn set_provenance(&mut self, provenance: Provenance) {
        self.provenance = provenance;
    }

    /// The network's output for each sample, outputs × samples: probabilities if it ends in softmax. Dropout is off. Where
    /// large parameters make a sum overflow, outputs are infinite or NaN.
    ///
    /// # Errors
    ///
    /// If the samples have another width than the network's input, or there is not enough memory.
    pub fn predict(&self, data: &Dataset) -> Result<DMatrix<T>, Error> {
        if data.features() != self.plan.inputs {
            return Err(Error::Features { expected: self.plan.inputs, found: data.features() });
        }
        let mut predictions = vec![T::ZERO; self.plan.outputs * data.len()];
        let columns = predictions.chunks_mut(self.plan.outputs * EVALUATION_BATCH);
        let mut buffers = Buffers::new(&self.plan, EVALUATION_BATCH.min(data.len()))?;
        let order: Vec<u32> = (0..data.len() as u32).collect();
        for (order, columns) in order.chunks(EVALUATION_BATCH).zip(columns) {
            gather(self.pool(), data, order, &mut buffers);
            columns.copy_from_slice(self.outputs(&mut buffers, order.len()));
        }
        Ok(DMatrix::from_vec(self.plan.outputs, data.len(), predictions))
    }

    /// The network's output for one sample, whose features are taken as they are (bytes are not scaled here).
    ///
    /// # Errors
    ///
    /// If there are more or fewer features than the network has inputs, or one of them is not finite.
    pub fn predict_one(&self, features: &[T]) -> Result<Vec<T>, Error> {
        if features.len() != self.plan.inputs {
            return Err(Error::Features { expected: self.plan.inputs, found: features.len() });
        }
        if let Some(feature) = features.iter().position(|value| !value.is_finite()) {
            return Err(Error::Feature { sample: 0, feature, value: features[feature].to_f64() });
        }
        let mut buffers = Buffers::new(&self.plan, 1)?;
        buffers.input.copy_from_slice(features);
        Ok(self.outputs(&mut buffers, 1).to_vec())
    }

    /// Predictions for the samples that stand in the buffers' input.
    fn outputs<'b>(&self, buffers: &'b mut Buffers<T>, samples: usize) -> &'b [T] {
        forward(self.pool(), &self.plan, &self.parameters, buffers, samples, None);
        let outputs = last_of(&mut buffers.outputs, samples, self.plan.outputs);
        predict_in_place(
            self.pool(),
            self.plan.head,
            MatMut::from_slice(&mut *outputs, self.plan.outputs, samples),
        );
        outputs
    }

    /// Mean loss over all of `data` as one batch, with the penalties of regularizers, and its gradient with respect to
    /// every parameter; nothing is updated. Dropout draws the masks of the first samples of `epoch`, so that the same call
    /// gives the same loss: with small changes of a parameter in between, this is what a gradient check needs.
    ///
    /// # Errors
    ///
    /// If the data do not fit the network.
    pub fn loss_and_gradient(&self, data: &Dataset, epoch: u64) -> Result<(f64, Parameters<T>), Error> {
        data.validate_for(&self.network)?;
        let samples = data.len();
        let mut buffers = Buffers::new(&self.plan, samples)?;
        let mut training = TrainingBuffers::new(&self.plan, samples, self.pool().threads())?;
        let order: Vec<u32> = (0..samples as u32).collect();
        let position = Position { seed: self.compile.seed, epoch, first_sample: 0 };
        gather(self.pool(), data, &order, &mut buffers);
        let loss = self.forward_to_gradient(&mut buffers, &mut training, samples, position);
        let mut gradient = Parameters::zeros(&self.network)?;
        let target = Target::Store { parameters: &self.parameters, gradient: &mut gradient };
        backward(self.pool(), &self.plan, &buffers, &mut training, samples, target);
        Ok((loss, gradient))
    }

    /// A training step's first half, on the samples that stand in the buffers: every output, each sample's outcome, and
    /// the gradient of the mean loss with respect to the last output. Returns the mean loss, with the penalties.
    pub(crate) fn forward_to_gradient(
        &self,
        buffers: &mut Buffers<T>,
        training: &mut TrainingBuffers<T>,
        samples: usize,
        position: Position,
    ) -> f64 {
        forward(
            self.pool(),
            &self.plan,
            &self.parameters,
            buffers,
            samples,
            Some((&mut training.random, position)),
        );
        let gradient = &mut training.gradient[..self.plan.outputs * samples];
        gradient.copy_from_slice(last_of(&mut buffers.outputs, samples, self.plan.outputs));
        loss_in_place(
            self.pool(),
            self.plan.head,
            MatMut::from_slice(gradient, self.plan.outputs, samples),
            &buffers.labels[..samples],
            &mut buffers.outcomes[..samples],
            T::from_f64(1.0 / samples as f64),
        );
        let losses = buffers.outcomes[..samples].iter().map(|outcome| outcome.loss).sum::<f64>();
        let activity = activity_penalties(&self.plan, buffers, samples);
        (losses + activity) / samples as f64 + weight_penalties(&self.parameters)
    }

    /// A training step's second half: the gradient back through the network, and the optimizer's update.
    pub(crate) fn backward_and_update(
        &mut self,
        buffers: &Buffers<T>,
        training: &mut TrainingBuffers<T>,
        samples: usize,
    ) {
        let Self { compile: Compile { optimizer, pool, .. }, plan, parameters, .. } = self;
        let state = &mut self.optimizer_state;
        if let Some(gradient) = &mut self.update_room.gradient {
            let target = Target::Store { parameters, gradient };
            backward(pool, plan, buffers, training, samples, target);
            state.take_gradient(pool, optimizer, parameters, &mut self.update_room);
        } else {
            let update = state.element_wise(optimizer);
            let target = Target::Update { parameters, moments: &mut state.moments, update };
            backward(pool, plan, buffers, training, samples, target);
            state.count_update(pool, optimizer, parameters);
        }
    }

    /// Before the forward pass of a training step, and again behind its update: a schedule-free optimizer trains at other
    /// points than the average that the model shows in between. For any other this does nothing.
    pub(crate) fn exchange_for_step(&mut self) {
        self.optimizer_state.exchange(&self.compile.optimizer, &mut self.parameters);
    }

    /// At the end of training: the moving average of the parameters takes their place, if the optimizer keeps one. This is
    /// Keras's `finalize_variable_values`.
    pub(crate) fn finalize_parameters(&mut self) {
        self.optimizer_state.finalize(&self.compile.optimizer, &mut self.parameters);
    }

    /// The learning rate of the next step.
    pub fn learning_rate(&self) -> f64 {
        self.compile.optimizer.learning_rate_at(self.optimizer_state.batches)
    }

    /// Sets the learning rate of the steps to come.
    ///
    /// # Errors
    ///
    /// [`Error::ScheduledLearningRate`] if it follows a schedule, as Keras has it; [`Error::OptimizerSetting`] if it is not
    /// above 0 or not within single precision. The rate then stays as it was.
    pub fn set_learning_rate(&mut self, learning_rate: f64) -> Result<(), Error> {
        let optimizer = &mut self.compile.optimizer;
        if let LearningRate::Schedule(_) = optimizer.learning_rate() {
            return Err(Error::ScheduledLearningRate { optimizer: optimizer.name() });
        }
        let learning_rate = LearningRate::Constant(learning_rate);
        learning_rate.validate(optimizer.name())?;
        optimizer.set_learning_rate(learning_rate);
        Ok(())
    }

    /// Makes the optimizer forget all steps: moments, averages, accumulated gradients, and where its schedule is.
    /// Parameters stay.
    pub fn reset_optimizer(&mut self) {
        self.optimizer_state.reset(&self.compile.optimizer);
    }

    /// Writes the model to one file, whole or not at all; see [`saving`].
    ///
    /// # Errors
    ///
    /// [`Error::Write`] if the file cannot be written; what was there before is then still there.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let description = SavedDescription {
            model: self.network.clone(),
            loss: self.compile.loss,
            optimizer: self.compile.optimizer.clone(),
            seed: self.compile.seed,
            provenance: self.provenance.clone(),
        };
        saving::write_model(path, &description, &self.parameters)
    }

    /// Reads a model that was saved. Its optimizer and the count of its epochs start afresh: a `fit` goes through the same
    /// shuffles and dropout masks as the first one did.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, is no model, is damaged, or is of a newer format; the message names the file.
    pub fn load(path: impl AsRef<Path>, pool: Pool) -> Result<Self, Error> {
        let (saved, parameters) = saving::read_model(path)?;
        let compile = Compile { optimizer: saved.optimizer, loss: saved.loss, seed: saved.seed, pool };
        let plan = saved.model.plan(&compile)?;
        Self::assemble(saved.model, compile, plan, parameters, saved.provenance)
    }
}
