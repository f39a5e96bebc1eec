//! A network that can run: parameters, optimizer state and, a file for each, what can be done with it.

mod backup;
pub(crate) mod batch;
pub(crate) mod compile;
pub(crate) mod evaluate;
mod files;
pub(crate) mod fit;
mod folding;
pub(crate) mod gradient_check;
mod inference;
pub(crate) mod lbfgs;
mod passes;
mod predict;
mod predictor;
mod step;
mod transfer;

pub use predict::Predict;
pub use predictor::{Predictor, PredictorRoom};

use crate::data::Dataset;
use crate::engine::meters;
use crate::engine::parameters::EngineParameters;
use crate::engine::phases::{Phases, phases};
use crate::engine::plan::Plan;
use crate::engine::update::state::{OptimizerState, UpdateRoom};
use crate::error::{DescriptionError, Error};
use crate::losses::Loss;
use crate::metrics::{CustomMetric, Metric};
use crate::parameters::{Parameters, Tensor};
use crate::saving::Provenance;
use crate::schedules::LearningRate;
use crate::sequential::Sequential;
use crate::summary::Summary;
use batch::BatchBuffers;
use compile::Compile;
use densely_tensor::{Pool, Scalar};
use std::ops::Deref;

/// A compiled network in single (`f32`) or double (`f64`) precision.
pub struct Model<T: Scalar> {
    pub(crate) network: Sequential,
    pub(crate) compile: Compile,
    pub(crate) plan: Plan<T>,
    pub(crate) parameters: EngineParameters<T>,
    /// What the optimizer remembers.
    pub(crate) optimizer_state: OptimizerState<T>,
    update_room: UpdateRoom<T>,
    /// Passes over data begun so far; a second `fit` goes on behind them.
    pub(crate) epochs: u64,
    /// What `train_on_batch` keeps from call to call.
    pub(crate) batch: Option<BatchBuffers<T>>,
    provenance: Provenance,
}

/// [`Parameters`] of a model that takes their values over when this goes; see [`Model::parameters_mut`].
#[derive(Debug)]
pub struct ParametersMut<'a, T: Scalar> {
    copy: Parameters<T>,
    model: &'a mut Model<T>,
}

impl<T: Scalar> Deref for ParametersMut<'_, T> {
    type Target = Parameters<T>;

    fn deref(&self) -> &Parameters<T> {
        &self.copy
    }
}

impl<T: Scalar> ParametersMut<'_, T> {
    /// As [`Parameters::tensor_mut`].
    ///
    /// # Panics
    ///
    /// If there are not so many tensors.
    #[track_caller]
    pub fn tensor_mut(&mut self, index: usize) -> &mut [T] {
        self.copy.tensor_mut(index)
    }

    /// As [`Parameters::values_mut`].
    pub fn values_mut(&mut self) -> &mut [T] {
        self.copy.values_mut()
    }
}

impl<T: Scalar> Drop for ParametersMut<'_, T> {
    fn drop(&mut self) {
        self.model.optimizer_state.starts_anew = true;
        self.model.parameters.take_described(&self.copy);
    }
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
    pub(crate) fn assemble(
        network: Sequential,
        compile: Compile,
        plan: Plan<T>,
        parameters: EngineParameters<T>,
        provenance: Provenance,
    ) -> Self {
        let (optimizer_state, update_room) = (OptimizerState::new(), UpdateRoom::none());
        let (epochs, batch) = (0, None);
        Self { network, compile, plan, parameters, optimizer_state, update_room, epochs, batch, provenance }
    }

    /// Makes room for what the optimizer remembers and needs, unless it is there: before the first step.
    ///
    /// # Errors
    ///
    /// [`Error::Memory`] if there is not enough.
    pub(crate) fn make_room_for_steps(&mut self) -> Result<(), Error> {
        let Self { compile: Compile { optimizer, .. }, network, parameters, .. } = self;
        self.optimizer_state.make_room(optimizer, parameters.values().len())?;
        if self.update_room.gradient.is_none() {
            self.update_room = UpdateRoom::new(optimizer, network)?;
        }
        Ok(())
    }

    /// The description that the model was compiled from.
    pub fn description(&self) -> &Sequential {
        &self.network
    }

    /// The layers as a table, with the size of the parameters in this precision.
    pub fn summary(&self) -> Summary {
        Summary { bytes_per_parameter: T::SIZE, ..self.network.summary() }
    }

    /// What a training step on so many samples does, phase by phase, and what it costs; to be printed as a table.
    ///
    /// ```
    /// # use densely::{Activation, Compile, Dense, Sequential};
    /// let network = Sequential::new(784)
    ///     .add(Dense::new(512).activation(Activation::Relu))
    ///     .add(Dense::new(10).activation(Activation::Softmax));
    /// let phases = network.compile::<f32>(Compile::default())?.phases(128);
    /// assert_eq!(phases.phases.iter().map(|phase| phase.flops).sum::<f64>(), 2.0 * 128.0 * (2.0 * 784.0 * 512.0 + 3.0 * 5120.0));
    /// # Ok::<(), densely::Error>(())
    /// ```
    pub fn phases(&self, samples: usize) -> Phases {
        let optimizer = &self.compile.optimizer;
        phases(&self.plan, &self.network, samples, optimizer.moments(), optimizer.is_fused())
    }

    /// A copy of all tensors of the layers: kernels, biases, and what else they learn or keep. The model itself has them in
    /// an order that its products like.
    ///
    /// # Panics
    ///
    /// If there is not enough memory for the copy.
    pub fn parameters(&self) -> Parameters<T> {
        self.described().expect("memory for a copy of the parameters")
    }

    /// The same.
    ///
    /// # Errors
    ///
    /// [`Error::Memory`] if there is not enough for the copy.
    pub(crate) fn described(&self) -> Result<Parameters<T>, Error> {
        let mut copy = Parameters::zeros(&self.network)?;
        self.parameters.copy_to_described(&mut copy);
        Ok(copy)
    }

    /// All tensors of the layers, to be changed: a copy that the model takes over when it goes. What the optimizer remembers
    /// stays, but a schedule-free one takes its average anew from here.
    ///
    /// ```
    /// use densely::{Compile, Dense, Loss, Sequential};
    ///
    /// let compile = Compile { loss: Loss::MeanSquaredError, ..Compile::default() };
    /// let mut model = Sequential::new(2).add(Dense::new(1)).compile::<f64>(compile)?;
    /// model.parameters_mut().tensor_mut(0).copy_from_slice(&[2.0, 3.0]); // dense.kernel
    /// assert_eq!(model.predict_one(&[1.0, 10.0])?, [32.0]);
    /// # Ok::<(), densely::Error>(())
    /// ```
    ///
    /// # Panics
    ///
    /// If there is not enough memory for the copy.
    pub fn parameters_mut(&mut self) -> ParametersMut<'_, T> {
        ParametersMut { copy: self.parameters(), model: self }
    }

    /// Takes over the values of parameters of the same network, or of another whose tensors have the same names and shapes.
    ///
    /// # Errors
    ///
    /// [`Error::OtherWeights`] if they are those of any other.
    pub fn set_parameters(&mut self, parameters: &Parameters<T>) -> Result<(), Error> {
        let (own, other) = (self.parameters.tensors(), parameters.tensors());
        let alike = |(own, other): (&Tensor, &Tensor)| own.name == other.name && own.shape == other.shape;
        if own.len() != other.len() || !own.iter().zip(other).all(alike) {
            return Err(Error::OtherWeights);
        }
        self.optimizer_state.starts_anew = true;
        self.parameters.take_described(parameters);
        Ok(())
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
        self.batch = None;
        Ok(())
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
}
