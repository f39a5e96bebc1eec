//! What a callback is given: the run, and the model behind a face that both precisions have.

use super::Callback;
use super::state::CallbackState;
use crate::data::HeldOut;
use crate::engine::parameters::EngineParameters;
use crate::error::{BackupError, Error};
use crate::history::Restored;
use crate::model::Model;
use crate::sequential::Sequential;
use crate::text::nearest;
use densely_tensor::Scalar;
use std::any::Any;
use std::path::Path;
use std::sync::Arc;

/// A training run as its callbacks see it.
pub struct Training<'a> {
    model: &'a mut dyn AnyModel,
    run: &'a Run,
    stop: &'a mut Option<String>,
    back_up: &'a mut bool,
    metrics: Option<&'a dyn RunningMetrics>,
}

impl std::fmt::Debug for Training<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Training").field("run", &self.run).field("stop", &self.stop).finish_non_exhaustive()
    }
}

impl Training<'_> {
    /// The model as it is now.
    pub fn model(&self) -> &dyn AnyModel {
        self.model
    }

    /// The model as it is now, to be changed.
    pub fn model_mut(&mut self) -> &mut dyn AnyModel {
        self.model
    }

    /// What was asked for.
    pub fn run(&self) -> &Run {
        self.run
    }

    /// What a metric of the model comes to on the samples of this epoch so far, by its name: after a
    /// [batch](Callback::on_train_batch_end), if it is one that [costs little](crate::metrics::MetricState::running), which
    /// the areas under curves and the figures of all pairs of classes do not. `None` for those, at other events, and for names that
    /// are no metric's: loss and accuracy are in [`Progress`](super::Progress), and what begins with `val_` in the epoch's figures.
    /// It is computed by this call, so who asks now and then costs the other batches nothing.
    ///
    /// ```
    /// # use densely::{Activation, Compile, Dataset, Dense, Fit, Metric, Sequential, callbacks::LambdaCallback};
    /// # let data = Dataset::from_floats(1, vec![-1.0, 1.0, -2.0, 2.0], vec![0, 1, 0, 1], 2)?;
    /// let mut so_far = None;
    /// let mut watch = LambdaCallback::new().on_train_batch_end(|training, _| so_far = training.metric("categorical_accuracy"));
    /// let compile = Compile { metrics: vec![Metric::CategoricalAccuracy {}], ..Compile::default() };
    /// let network = Sequential::new(1).add(Dense::new(2).activation(Activation::Softmax));
    /// network.compile::<f32>(compile)?.fit(&data, Fit { callbacks: vec![&mut watch], ..Fit::default() })?;
    /// drop(watch);
    /// assert!(so_far.is_some());
    /// # Ok::<(), densely::Error>(())
    /// ```
    pub fn metric(&self, name: &str) -> Option<f64> {
        self.metrics?.running(name)
    }

    /// Ends training after this event, which every other callback still hears of. The first reason given is kept in
    /// [`History::stop`](crate::History::stop). At the end of training it has no effect.
    pub fn stop(&mut self, reason: impl Into<String>) {
        self.stop.get_or_insert_with(|| reason.into());
    }

    /// Asks for a [backup](super::BackupAndRestore) when every callback has heard of this event, or, at the beginning of a
    /// batch, of its end; at the beginning of training there is one anyway. With a [`stop`](Self::stop) beside it this makes an
    /// interruption: a run that goes on from the backup does not know of the stop. Has no effect without
    /// [`Fit::backup`](crate::Fit::backup), and after the end of training, which removes a backup unless
    /// [`delete_checkpoint`](super::BackupAndRestore::delete_checkpoint) is `false`. Within an epoch a metric that cannot be
    /// [backed up](crate::metrics::MetricState::numbers) makes it the error of the run.
    pub fn back_up(&mut self) {
        *self.back_up = true;
    }

    /// Why a callback has stopped training, if one has.
    pub fn stop_reason(&self) -> Option<&str> {
        self.stop.as_deref()
    }
}

/// What a run will be, known before it begins; Keras's `params`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Run {
    /// Epochs that count as done already, those before a [backup](super::BackupAndRestore) included.
    pub initial_epoch: usize,
    /// The last epoch, counted from 1.
    pub epochs: usize,
    /// Steps of an epoch.
    pub steps: usize,
    /// Samples of a step; the last one of a pass over the data may have fewer.
    pub batch_size: usize,
    /// Samples that are trained on.
    pub samples: usize,
    /// Samples of the validation, if there is one.
    pub validation_samples: Option<usize>,
    /// What was held out for validation, if that was left to [`Fit::validation_split`](crate::Fit::validation_split).
    pub held_out: Option<HeldOut>,
    /// Where the run is taken up, if it goes on from a [backup](super::BackupAndRestore).
    pub restored: Option<Restored>,
    /// The names under which [`Epoch::value`](crate::Epoch::value) will find something, at least in some epochs.
    pub values: Vec<String>,
    /// The model's metrics among them, without `val_`, and of each whether a larger value is a better one.
    pub metrics: Vec<(String, Option<bool>)>,
}

impl Run {
    /// Checks that the run will have a value of this name.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownValue`] with the nearest name; `callback` says who asks.
    pub fn validate_value(&self, callback: &'static str, name: &str) -> Result<(), Error> {
        if self.values.iter().any(|value| value == name) {
            return Ok(());
        }
        let names: Vec<&str> = self.values.iter().map(String::as_str).collect();
        Err(Error::UnknownValue {
            callback,
            found: name.to_owned(),
            nearest: nearest(name, &names).map(str::to_owned),
            expected: names.join(", "),
        })
    }
}

/// What can be done with a [`Model`] whose precision is not known, so that one callback serves both. Only `Model`
/// implements it.
pub trait AnyModel: sealed::Sealed {
    /// The description that the model was compiled from.
    fn description(&self) -> &Sequential;

    /// The learning rate of the next step.
    fn learning_rate(&self) -> f64;

    /// Sets the learning rate of the next step.
    ///
    /// # Errors
    ///
    /// [`DescriptionError::OptimizerSetting`](crate::DescriptionError::OptimizerSetting) if it is not a number above 0.
    fn set_learning_rate(&mut self, learning_rate: f64) -> Result<(), Error>;

    /// See [`Model::save`].
    ///
    /// # Errors
    ///
    /// As [`Model::save`].
    fn save(&self, path: &Path) -> Result<(), Error>;

    /// See [`Model::fingerprint`].
    fn fingerprint(&self) -> String;

    /// A copy of all parameters.
    ///
    /// # Errors
    ///
    /// [`Error::Memory`] if there is not enough.
    fn weights(&self) -> Result<Weights, Error>;

    /// Puts back parameters that were copied from this model. The optimizer's memory stays as it is, as in Keras, but a
    /// schedule-free one takes its average anew from here.
    ///
    /// # Errors
    ///
    /// [`Error::OtherWeights`] if they are those of a model of another shape or precision.
    fn set_weights(&mut self, weights: &Weights) -> Result<(), Error>;
}

/// All parameters of a model, copied by [`AnyModel::weights`]. Clones share the numbers.
#[derive(Clone)]
pub struct Weights(Arc<dyn Any + Send + Sync>);

impl Weights {
    pub(crate) fn new<T: Scalar>(parameters: EngineParameters<T>) -> Self {
        Self(Arc::new(parameters))
    }

    /// The numbers, if they are in this precision.
    pub(crate) fn parameters<T: Scalar>(&self) -> Option<&EngineParameters<T>> {
        self.0.downcast_ref()
    }
}

impl std::fmt::Debug for Weights {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Weights").finish_non_exhaustive()
    }
}

mod sealed {
    pub trait Sealed {}
    impl<T: super::Scalar> Sealed for super::Model<T> {}
}

impl<T: Scalar> AnyModel for Model<T> {
    fn description(&self) -> &Sequential {
        Model::description(self)
    }

    fn learning_rate(&self) -> f64 {
        Model::learning_rate(self)
    }

    fn set_learning_rate(&mut self, learning_rate: f64) -> Result<(), Error> {
        Model::set_learning_rate(self, learning_rate)
    }

    fn save(&self, path: &Path) -> Result<(), Error> {
        Model::save(self, path)
    }

    fn fingerprint(&self) -> String {
        Model::fingerprint(self)
    }

    fn weights(&self) -> Result<Weights, Error> {
        let mut copy = EngineParameters::<T>::zeros(&self.network)?;
        copy.values_mut().copy_from_slice(self.parameters.values());
        Ok(Weights::new(copy))
    }

    fn set_weights(&mut self, weights: &Weights) -> Result<(), Error> {
        match weights.parameters::<T>() {
            Some(copy) if copy.tensors() == self.parameters.tensors() => {
                self.optimizer_state.starts_anew = true;
                self.parameters.values_mut().copy_from_slice(copy.values());
                Ok(())
            }
            _ => Err(Error::OtherWeights),
        }
    }
}

/// The metrics of an epoch that runs.
pub(crate) trait RunningMetrics {
    /// What the metric of that name comes to so far, if that costs little.
    fn running(&self, name: &str) -> Option<f64>;
}

/// The callbacks of a run, and what they have asked for.
pub(crate) struct Listeners<'a> {
    callbacks: Vec<&'a mut dyn Callback>,
    run: Run,
    stop: Option<String>,
    back_up: bool,
}

impl<'a> Listeners<'a> {
    /// Callbacks whose settings are checked.
    pub(crate) fn new(callbacks: Vec<&'a mut dyn Callback>, run: Run) -> Result<Self, Error> {
        callbacks.iter().try_for_each(|callback| callback.validate(&run))?;
        Ok(Self { callbacks, run, stop: None, back_up: false })
    }

    /// Tells every callback, also after one has asked to stop or failed; returns the first error.
    pub(crate) fn tell(
        &mut self,
        model: &mut dyn AnyModel,
        event: impl FnMut(&mut dyn Callback, &mut Training<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.tell_measured(model, None, event)
    }

    /// Tells every callback while metrics are being measured.
    pub(crate) fn tell_measured(
        &mut self,
        model: &mut dyn AnyModel,
        metrics: Option<&dyn RunningMetrics>,
        mut event: impl FnMut(&mut dyn Callback, &mut Training<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let Self { callbacks, run, stop, back_up } = self;
        let mut training = Training { model, run, stop, back_up, metrics };
        first_error(callbacks, |callback| event(callback, &mut training))
    }

    /// Tells every callback of numbers that ran out, and says whether one makes a stop of that. A stop that was asked for
    /// before does not count, and neither does one if a callback fails: the problem would be lost.
    pub(crate) fn is_stopped_by(&mut self, model: &mut dyn AnyModel, problem: &Error) -> bool {
        let before = self.stop.take();
        let told = self.tell(model, |callback, training| callback.on_non_finite(training, problem));
        let stopped = told.is_ok() && self.stop.is_some();
        self.stop = before.or(self.stop.take());
        stopped
    }

    pub(crate) fn run(&self) -> &Run {
        &self.run
    }

    /// The callbacks, for events that do not concern training.
    pub(crate) fn callbacks(&mut self) -> &mut [&'a mut dyn Callback] {
        &mut self.callbacks
    }

    /// What those callbacks remember that remember something, for a backup.
    pub(crate) fn states(&mut self) -> Result<Vec<CallbackState>, Error> {
        self.callbacks.iter_mut().filter_map(|callback| callback.state().transpose()).collect()
    }

    /// Refuses a backup of a run in which another number of callbacks remembered something.
    pub(crate) fn check_states(&mut self, expected: usize) -> Result<(), Error> {
        let found = self.states()?.len();
        if found == expected {
            return Ok(());
        }
        let what = "callbacks that remember something";
        let (found, expected) = (found.to_string(), expected.to_string());
        Err(BackupError::Differs { what, found, expected }.into())
    }

    /// Gives back to the callbacks what those of the run that was backed up remembered, as many as there are.
    pub(crate) fn restore(&mut self, states: Vec<CallbackState>) -> Result<(), Error> {
        let mut states = states.into_iter();
        for (index, callback) in self.callbacks.iter_mut().enumerate() {
            if callback.state()?.is_some()
                && let Some(state) = states.next()
            {
                let in_callback =
                    |problem| BackupError::Callback { position: index + 1, problem: Box::new(problem) };
                callback.restore(state).map_err(in_callback)?;
            }
        }
        Ok(())
    }

    /// Whether somebody has asked for a backup since the last call.
    pub(crate) fn take_request_of_backup(&mut self) -> bool {
        std::mem::take(&mut self.back_up)
    }

    /// Why training is to stop, if somebody wants it to.
    pub(crate) fn stop(&self) -> Option<&str> {
        self.stop.as_deref()
    }
}

/// Tells every callback of an event, and returns the first error.
pub(crate) fn first_error(
    callbacks: &mut [&mut dyn Callback],
    mut event: impl FnMut(&mut dyn Callback) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut answer = Ok(());
    for callback in callbacks {
        let told = event(&mut **callback);
        answer = answer.and(told);
    }
    answer
}
