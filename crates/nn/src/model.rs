//! A network that can run: parameters, optimizer state and the passes over them.

use crate::batch::BatchBuffers;
use crate::callbacks::{Callback, first_error};
use crate::compile::Compile;
use crate::data::Dataset;
use crate::engine::backward::{Target, backward};
use crate::engine::buffers::{Buffers, Position, TrainingBuffers, last_of};
use crate::engine::forward::{forward, gather};
use crate::engine::loss::{loss_in_place, predict_in_place};
use crate::engine::meters;
use crate::engine::penalties::{activity_penalties, weight_penalties};
use crate::engine::plan::Plan;
use crate::engine::update::state::{OptimizerState, UpdateRoom};
use crate::error::{DescriptionError, Error};
use crate::evaluate::refuse_batch_size_0;
use crate::layers::Custom;
use crate::losses::Loss;
use crate::metrics::{CustomMetric, Metric};
use crate::parameters::Parameters;
use crate::saving::{self, Provenance, SavedDescription};
use crate::schedules::LearningRate;
use crate::sequential::Sequential;
use crate::summary::Summary;
use densely_tensor::{MatMut, Pool, Scalar, arg_max};
use nalgebra::DMatrix;
use std::path::Path;

/// Samples of a batch in evaluation and prediction.
pub(crate) const EVALUATION_BATCH: usize = 256;

/// How a model predicts.
pub struct Predict<'a> {
    /// Samples of a batch; at least 1. It changes speed and memory, and no bit of the predictions. Default: 256.
    pub batch_size: usize,
    /// Who is told of the `on_predict_…` events. Default: nobody.
    pub callbacks: Vec<&'a mut dyn Callback>,
}

impl Default for Predict<'_> {
    fn default() -> Self {
        Self { batch_size: EVALUATION_BATCH, callbacks: Vec::new() }
    }
}

/// A compiled network in single (`f32`) or double (`f64`) precision.
pub struct Model<T: Scalar> {
    pub(crate) network: Sequential,
    pub(crate) compile: Compile,
    pub(crate) plan: Plan<T>,
    pub(crate) parameters: Parameters<T>,
    /// What the optimizer remembers.
    pub(crate) optimizer_state: OptimizerState<T>,
    update_room: UpdateRoom<T>,
    /// Passes over data begun so far; a second `fit` goes on behind them.
    pub(crate) epochs: u64,
    /// What `train_on_batch` keeps from call to call.
    pub(crate) batch: Option<BatchBuffers<T>>,
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
        plan: Plan<T>,
        parameters: Parameters<T>,
        provenance: Provenance,
    ) -> Result<Self, Error> {
        let optimizer_state = OptimizerState::new(&compile.optimizer, parameters.values().len())?;
        let update_room = UpdateRoom::new(&compile.optimizer, &network)?;
        let (epochs, batch) = (0, None);
        Ok(Self {
            network,
            compile,
            plan,
            parameters,
            optimizer_state,
            update_room,
            epochs,
            batch,
            provenance,
        })
    }

    /// The description that the model was compiled from.
    pub fn description(&self) -> &Sequential {
        &self.network
    }

    /// The layers as a table, with the size of the parameters in this precision.
    pub fn summary(&self) -> Summary {
        Summary { bytes_per_parameter: T::SIZE, ..self.network.summary() }
    }

    /// All tensors of the layers: kernels, biases, and what else they learn or keep.
    pub fn parameters(&self) -> &Parameters<T> {
        &self.parameters
    }

    /// All tensors of the layers, to be changed. What the optimizer remembers stays, but a schedule-free one takes its average
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
        let batch_size = batch_size.min(data.len());
        let columns = predictions.chunks_mut(self.plan.outputs * batch_size);
        let mut buffers = Buffers::new(&self.plan, batch_size, data.outputs())?;
        let order: Vec<u32> = (0..data.len() as u32).collect();
        first_error(&mut callbacks, |callback| callback.on_predict_begin(data.len()))?;
        for (batch, (order, columns)) in order.chunks(batch_size).zip(columns).enumerate() {
            first_error(&mut callbacks, |callback| callback.on_predict_batch_begin(batch + 1))?;
            gather(self.pool(), data, order, &mut buffers);
            columns.copy_from_slice(self.outputs(&mut buffers, order.len()));
            first_error(&mut callbacks, |callback| callback.on_predict_batch_end(batch + 1))?;
        }
        first_error(&mut callbacks, |callback| callback.on_predict_end())?;
        Ok(DMatrix::from_vec(self.plan.outputs, data.len(), predictions))
    }

    /// The class that a sample's [prediction](Self::predict) means: that of the largest output, or, of a single one, 1 where
    /// it is beyond the middle (0.5, or 0 of a logit or under a hinge loss).
    pub fn class_of(&self, prediction: &[T]) -> usize {
        let loss = &self.compile.loss;
        match prediction {
            [single] => usize::from(single.to_f64() > loss.threshold(loss.takes_logits())),
            several => arg_max(several),
        }
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
        let mut buffers = Buffers::new(&self.plan, 1, None)?;
        buffers.input.copy_from_slice(features);
        Ok(self.outputs(&mut buffers, 1).to_vec())
    }

    /// Predictions for the samples that stand in the buffers' input.
    fn outputs<'b>(&self, buffers: &'b mut Buffers<T>, samples: usize) -> &'b [T] {
        forward(self.pool(), &self.plan, &self.parameters, buffers, samples, None);
        let outputs = last_of(&mut buffers.outputs, samples, self.plan.outputs);
        predict_in_place(
            self.pool(),
            &self.plan.head,
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
        self.check_data(data)?;
        let samples = data.len();
        let mut buffers = Buffers::new(&self.plan, samples, data.outputs())?;
        let mut training = TrainingBuffers::new(&self.plan, samples, self.pool().threads())?;
        let order: Vec<u32> = (0..samples as u32).collect();
        training.remembered.position = Position { seed: self.compile.seed, epoch, first_sample: 0 };
        gather(self.pool(), data, &order, &mut buffers);
        let loss = self.forward_to_gradient(&mut buffers, &mut training, samples);
        let mut gradient = Parameters::zeros(&self.network)?;
        let target = Target::Store { parameters: &self.parameters, gradient: &mut gradient };
        backward(self.pool(), &self.plan, &buffers, &mut training, samples, target);
        Ok((loss, gradient))
    }

    /// Checks that the data fit the network and its loss.
    ///
    /// # Errors
    ///
    /// As [`Dataset::validate_for`]; [`Error::ClassesNeeded`] or [`Error::TargetOfLoss`] if the loss cannot be computed of such
    /// targets, [`DescriptionError::CustomLoss`] if its code is missing.
    pub(crate) fn check_data(&self, data: &Dataset) -> Result<(), Error> {
        data.validate_for(&self.network)?;
        self.plan.head.loss.check_targets(data)
    }

    /// Takes another loss from now on: to go on training with it, or to give a model from a file its
    /// [custom loss](crate::losses::LossFunction) again. Parameters and optimizer stay as they are.
    ///
    /// # Errors
    ///
    /// As in [`compile`](Sequential::compile), if the loss does not go with the network's end; the model is then as before.
    pub fn set_loss(&mut self, loss: impl Into<Loss>) -> Result<(), Error> {
        let compile = Compile { loss: loss.into(), ..self.compile.clone() };
        compile.loss.refuse_missing_code()?;
        let plan = self.network.plan(&compile)?;
        self.take_plan(plan);
        self.compile = compile;
        Ok(())
    }

    /// Goes on by another plan of the same tensors, without what belongs to the one before: the buffers of single batches,
    /// and gradients of layers that are frozen now.
    pub(crate) fn take_plan(&mut self, plan: Plan<T>) {
        self.plan = plan;
        self.batch = None;
        self.parameters.describe_again(&self.network);
        if let Some(gradient) = &mut self.update_room.gradient {
            gradient.values_mut().fill(T::ZERO);
        }
        self.optimizer_state.forget_frozen_gradients(&self.parameters);
    }

    /// Measures other metrics from now on, for example to give a model from a file its custom ones again.
    ///
    /// # Errors
    ///
    /// As in [`compile`](Sequential::compile), if a metric is not valid; the model is then as before.
    pub fn set_metrics(
        &mut self,
        metrics: Vec<Metric>,
        custom_metrics: Vec<CustomMetric>,
    ) -> Result<(), Error> {
        let compile = Compile { metrics, custom_metrics, ..self.compile.clone() };
        meters::validate(&compile, self.plan.outputs)?;
        self.compile = compile;
        Ok(())
    }

    /// A training step's first half, on the samples that stand in the buffers: every output, each sample's outcome, and
    /// the gradient of the batch's loss with respect to the last output. Returns the batch's loss, with the penalties.
    pub(crate) fn forward_to_gradient(
        &self,
        buffers: &mut Buffers<T>,
        training: &mut TrainingBuffers<T>,
        samples: usize,
    ) -> f64 {
        let remembered = &mut training.remembered;
        forward(self.pool(), &self.plan, &self.parameters, buffers, samples, Some(remembered));
        let gradient = &mut training.gradient[..self.plan.outputs * samples];
        gradient.copy_from_slice(last_of(&mut buffers.outputs, samples, self.plan.outputs));
        let targets = buffers.targets.of(samples);
        let weights = &buffers.targets.weights;
        let gradient = MatMut::from_slice(gradient, self.plan.outputs, samples);
        let (head, outcomes) = (&self.plan.head, &mut buffers.outcomes[..samples]);
        let divisor = head.divisor(self.compile.reduction, targets, weights, samples);
        let scale = 1.0 / divisor;
        loss_in_place(self.pool(), head, gradient, targets, weights, &mut buffers.room, outcomes, scale);
        let losses = outcomes.iter().map(|outcome| outcome.loss).sum::<f64>();
        let activity = activity_penalties(&self.plan, buffers, samples);
        losses / divisor + activity / samples as f64 + weight_penalties(&self.parameters)
    }

    /// A training step's second half: the gradient back through the network, and the optimizer's update.
    fn backward_and_update(
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
        for (pass, kept) in self.plan.passes.iter().zip(&mut training.remembered.kept) {
            pass.layer_pass.after_step(self.parameters.weights_mut(pass.tensors.clone()), kept.of(samples));
        }
    }

    /// One training step on the samples that stand in the buffers. Returns their mean loss; if it is not finite nothing was
    /// updated.
    pub(crate) fn step(
        &mut self,
        buffers: &mut Buffers<T>,
        training: &mut TrainingBuffers<T>,
        samples: usize,
    ) -> f64 {
        // A schedule-free optimizer trains at other points than the average that the model shows between steps.
        self.optimizer_state.exchange(&self.compile.optimizer, &mut self.parameters);
        let loss = self.forward_to_gradient(buffers, training, samples);
        if loss.is_finite() {
            self.backward_and_update(buffers, training, samples);
        }
        self.optimizer_state.exchange(&self.compile.optimizer, &mut self.parameters);
        loss
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
    /// [`DescriptionError::ScheduledLearningRate`] if it follows a schedule, as Keras has it; [`DescriptionError::OptimizerSetting`] if it is not
    /// above 0 or not within single precision. The rate then stays as it was.
    pub fn set_learning_rate(&mut self, learning_rate: f64) -> Result<(), Error> {
        let optimizer = &mut self.compile.optimizer;
        if let LearningRate::Schedule(_) = optimizer.learning_rate() {
            return Err(DescriptionError::ScheduledLearningRate { optimizer: optimizer.name() }.into());
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
        saving::write_model(path, &self.saved_description(), &self.parameters)
    }

    /// The bytes that [`save`](Self::save) writes; the same model gives the same bytes.
    ///
    /// # Errors
    ///
    /// As [`saving::to_bytes`].
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        saving::to_bytes(&self.saved_description(), &self.parameters)
    }

    fn saved_description(&self) -> SavedDescription {
        SavedDescription {
            model: self.network.clone(),
            loss: self.compile.loss.clone(),
            reduction: self.compile.reduction,
            metrics: self.compile.metrics.clone(),
            optimizer: self.compile.optimizer.clone(),
            seed: self.compile.seed,
            provenance: self.provenance.clone(),
        }
    }

    /// Reads a model that was saved. Its optimizer and the count of its epochs start afresh: a `fit` goes through the same
    /// shuffles and dropout masks as the first one did. A [custom loss](Loss::Custom) has to be given to it again before it
    /// can be fitted or evaluated, and [custom metrics](Self::set_metrics) to be measured.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, is no model, is damaged, or is of a newer format; the message names the file.
    pub fn load(path: impl AsRef<Path>, pool: Pool) -> Result<Self, Error> {
        Self::load_with(path, pool, &[])
    }

    /// The same for a model with layers of other crates, whose code cannot be in the file.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load); [`DescriptionError::UnknownCustomLayer`] for a layer that is not in `custom`.
    pub fn load_with(path: impl AsRef<Path>, pool: Pool, custom: &[Custom]) -> Result<Self, Error> {
        let (saved, parameters) = saving::read_model(path, custom)?;
        Self::restore(saved, parameters, pool)
    }

    /// The model in the bytes of a file, as [`load`](Self::load): for a program that carries its model with it.
    ///
    /// ```
    /// # use densely::{Activation, Compile, Dense, Model, Pool, Sequential};
    /// # let network = Sequential::new(3).add(Dense::new(2).activation(Activation::Softmax));
    /// # let trained = network.compile::<f32>(Compile::default())?;
    /// // In your program: static MODEL: &[u8] = include_bytes!("model.safetensors");
    /// let bytes = trained.to_bytes()?;
    ///
    /// let model = Model::<f32>::from_bytes(&bytes, Pool::new(1)?)?;
    /// assert_eq!(model.predict_one(&[0.1, 0.2, 0.3])?, trained.predict_one(&[0.1, 0.2, 0.3])?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// With `Pool::new(1)` neither this nor [`predict`](Self::predict) or [`predict_one`](Self::predict_one) starts a
    /// thread or asks for a file or the clock, so both work in WebAssembly
    /// (`wasm32-unknown-unknown`), with the same bits. [`Fit`](crate::Fit) takes the time of epochs and needs a clock.
    ///
    /// The parameters are copied; what the optimizer remembers, for Adam twice as much, is allocated too, as for any model.
    ///
    /// # Errors
    ///
    /// As [`saving::from_bytes`].
    pub fn from_bytes(bytes: &[u8], pool: Pool) -> Result<Self, Error> {
        Self::from_bytes_with(bytes, pool, &[])
    }

    /// The same for a model with layers of other crates, whose code cannot be in the bytes.
    ///
    /// # Errors
    ///
    /// As [`from_bytes`](Self::from_bytes); [`DescriptionError::UnknownCustomLayer`] for a layer that is not in `custom`.
    pub fn from_bytes_with(bytes: &[u8], pool: Pool, custom: &[Custom]) -> Result<Self, Error> {
        let (saved, parameters) = saving::from_bytes_with(bytes, custom)?;
        Self::restore(saved, parameters, pool)
    }

    fn restore(saved: SavedDescription, parameters: Parameters<T>, pool: Pool) -> Result<Self, Error> {
        let compile = Compile {
            optimizer: saved.optimizer,
            loss: saved.loss,
            reduction: saved.reduction,
            metrics: saved.metrics,
            custom_metrics: Vec::new(),
            seed: saved.seed,
            pool,
        };
        let plan = saved.model.plan(&compile)?;
        Self::assemble(saved.model, compile, plan, parameters, saved.provenance)
    }
}
