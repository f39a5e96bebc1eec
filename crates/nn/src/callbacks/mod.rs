//! Callbacks: how a program watches a training run, steers it and stops it.
//!
//! [`Model::fit`](crate::Model::fit) tells each callback of every event, in this order:
//!
//! ```text
//! validate                          every callback's settings, before anything happens
//! on_train_begin
//!   on_epoch_begin                  per epoch, counted from 1
//!     on_train_batch_begin          per batch, counted from 1
//!     on_train_batch_end
//!     on_test_begin                 the validation, if there is one in this epoch
//!       on_test_batch_begin
//!       on_test_batch_end
//!     on_test_end
//!   on_epoch_end
//! on_train_end                      also after an error and after a stop
//! ```
//!
//! [`Model::evaluate_with`](crate::Model::evaluate_with) tells of the `on_test_…` events alone, and
//! [`Model::predict_with`](crate::Model::predict_with) of `on_predict_begin`, `on_predict_batch_begin`,
//! `on_predict_batch_end` and `on_predict_end`. Order and names are Keras's; Keras counts epochs and batches from 0 in
//! its events, and from 1 in its file names and output.
//!
//! What there is:
//!
//! | callback | what it does |
//! | --- | --- |
//! | [`EarlyStopping`] | stops when a value stops improving, and brings the best weights back |
//! | [`ModelCheckpoint`] | saves the model after each epoch, or each that was better |
//! | [`CsvLogger`] | writes a line per epoch |
//! | [`LambdaCallback`] | calls closures |
//! | [`LearningRateScheduler`] | sets the learning rate of each epoch |
//! | [`ProgressBar`] | says how training goes |
//! | [`ReduceLrOnPlateau`] | makes the learning rate smaller when a value stops improving |
//! | [`TerminateOnNan`] | makes a loss that is no number a stop, not an error |
//!
//! [`BackupAndRestore`], from which a run that was killed goes on, is no callback here but a setting,
//! [`Fit::backup`](crate::Fit::backup): it keeps what no callback can see, the state of all callbacks and of the optimizer and
//! the place within the epoch.
//!
//! None of them writes to standard output but [`ProgressBar`], so there is no `verbose` as in Keras. What they did is told by
//! the run: [`History::stop`](crate::History::stop) says where and why training ended, each [`Epoch`] its learning
//! rate, [`EarlyStopping::best`] the best epoch, [`ModelCheckpoint::last_saved`] the file; a callback of one's own can print it
//! as it happens.
//!
//! # A callback of one's own
//!
//! A callback implements the events that it needs. It serves models of both precisions: the model stands behind
//! [`Training::model`].
//!
//! ```
//! use densely::{Activation, Adam, Callback, Compile, Dataset, Dense, Epoch, Error, Fit, Sequential, Training};
//!
//! /// Stops as soon as the accuracy is good enough.
//! struct GoodEnough(f64);
//!
//! impl Callback for GoodEnough {
//!     fn on_epoch_end(&mut self, training: &mut Training<'_>, epoch: &Epoch) -> Result<(), Error> {
//!         if epoch.value("accuracy") >= Some(self.0) {
//!             training.stop("the accuracy is good enough");
//!         }
//!         Ok(())
//!     }
//! }
//!
//! let data = Dataset::from_floats(2, vec![0., 0., 0., 1., 1., 0., 1., 1.], vec![0, 1, 1, 0], 2)?;
//! let mut model = Sequential::new(2)
//!     .add(Dense::new(8).activation(Activation::Tanh))
//!     .add(Dense::new(2).activation(Activation::Softmax))
//!     .compile::<f32>(Compile { optimizer: Adam::new(0.1).into(), ..Compile::default() })?;
//! let mut good_enough = GoodEnough(1.0);
//! let history = model.fit(&data, Fit { epochs: 1000, callbacks: vec![&mut good_enough], ..Fit::default() })?;
//! assert!(history.epochs.len() < 1000);
//! assert_eq!(history.stop.unwrap().reason, "the accuracy is good enough");
//! # Ok::<(), densely::Error>(())
//! ```

mod backup_and_restore;
mod csv_logger;
mod early_stopping;
mod lambda_callback;
mod learning_rate_scheduler;
mod model_checkpoint;
mod monitor;
mod path_template;
mod progress_bar;
mod reduce_lr_on_plateau;
mod state;
mod terminate_on_nan;
mod training;

pub use backup_and_restore::BackupAndRestore;
pub use csv_logger::CsvLogger;
pub use early_stopping::EarlyStopping;
pub use lambda_callback::LambdaCallback;
pub use learning_rate_scheduler::LearningRateScheduler;
pub use model_checkpoint::{ModelCheckpoint, SaveFreq};
pub use monitor::Mode;
pub use progress_bar::{ProgressBar, Verbosity};
pub use reduce_lr_on_plateau::ReduceLrOnPlateau;
pub use state::CallbackState;
pub use terminate_on_nan::TerminateOnNan;
pub use training::{AnyModel, Run, Training, Weights};

pub(crate) use training::{Listeners, RunningMetrics, first_error};

use crate::error::{BackupError, Error};
use crate::history::Epoch;
use crate::model::evaluate::Evaluation;

/// What [`Model::fit`] tells about a run, and where a program can steer it. Every method has an empty body to start from;
/// the [module](self) has their order and an example.
///
/// Several callbacks are called in the order in which they were given; each of them hears of an event even if one before
/// it asked to stop or failed. The first error of an event ends training with that error.
///
/// [`Model::fit`]: crate::Model::fit
pub trait Callback {
    /// Checks the settings against what the run will be, before any callback is told of anything.
    ///
    /// # Errors
    ///
    /// If a setting is outside its range, or is the name of a value that the run does not have.
    fn validate(&self, run: &Run) -> Result<(), Error> {
        let _ = run;
        Ok(())
    }

    /// Before the first epoch. Also when a run goes on from a [backup](BackupAndRestore): [`Run::restored`] says where, and the
    /// state follows by [`restore`](Self::restore).
    ///
    /// # Errors
    ///
    /// What the callback meets. It ends training, as with every event.
    fn on_train_begin(&mut self, training: &mut Training<'_>) -> Result<(), Error> {
        let _ = training;
        Ok(())
    }

    /// After the last epoch, after a stop, and after an error, whether of training or of a callback.
    ///
    /// # Errors
    ///
    /// What the callback meets; an error from before is the one that is returned.
    fn on_train_end(&mut self, training: &mut Training<'_>) -> Result<(), Error> {
        let _ = training;
        Ok(())
    }

    /// Before the first batch of `epoch`, counted from 1.
    ///
    /// # Errors
    ///
    /// What the callback meets.
    fn on_epoch_begin(&mut self, training: &mut Training<'_>, epoch: usize) -> Result<(), Error> {
        let _ = (training, epoch);
        Ok(())
    }

    /// After the last batch of an epoch and its validation. A [stop](Training::stop) ends training here.
    ///
    /// # Errors
    ///
    /// What the callback meets.
    fn on_epoch_end(&mut self, training: &mut Training<'_>, epoch: &Epoch) -> Result<(), Error> {
        let _ = (training, epoch);
        Ok(())
    }

    /// Before each batch, counted from 1 in its epoch.
    ///
    /// # Errors
    ///
    /// What the callback meets.
    fn on_train_batch_begin(&mut self, training: &mut Training<'_>, batch: usize) -> Result<(), Error> {
        let _ = (training, batch);
        Ok(())
    }

    /// After each batch. A [stop](Training::stop) ends training here; what the model has learnt so far stays.
    ///
    /// # Errors
    ///
    /// What the callback meets.
    fn on_train_batch_end(&mut self, training: &mut Training<'_>, progress: &Progress) -> Result<(), Error> {
        let _ = (training, progress);
        Ok(())
    }

    /// When the loss of a step or of the validation, or a parameter at the end of an epoch, is not finite: `problem` says
    /// where. Training ends with that error unless a callback [stops](Training::stop) it here; that one asked for a stop
    /// before does not matter, and that is not yet among what [`Training::stop_reason`] tells.
    ///
    /// # Errors
    ///
    /// What the callback meets. Training then ends with `problem`, whoever stops it.
    fn on_non_finite(&mut self, training: &mut Training<'_>, problem: &Error) -> Result<(), Error> {
        let _ = (training, problem);
        Ok(())
    }

    /// What the callback remembers of the run so far, for a [backup](BackupAndRestore): all on which depends what it does
    /// next. Default: `None`, it remembers nothing. Any other returns something at all times.
    ///
    /// # Errors
    ///
    /// What the callback meets.
    fn state(&mut self) -> Result<Option<CallbackState>, Error> {
        Ok(None)
    }

    /// Goes on as if it had heard of the events before the backup with this [`state`](Self::state).
    /// [`on_train_begin`](Self::on_train_begin) comes before, and behind it the first event that comes behind the backup; in
    /// an epoch that has begun that is a batch.
    ///
    /// # Errors
    ///
    /// If the state is not such a one, or cannot be taken up.
    fn restore(&mut self, state: CallbackState) -> Result<(), Error> {
        let _ = state;
        Err(BackupError::State.into())
    }

    /// Before an evaluation of so many samples.
    ///
    /// # Errors
    ///
    /// What the callback meets.
    fn on_test_begin(&mut self, samples: usize) -> Result<(), Error> {
        let _ = samples;
        Ok(())
    }

    /// Before each batch of an evaluation, counted from 1.
    ///
    /// # Errors
    ///
    /// What the callback meets.
    fn on_test_batch_begin(&mut self, batch: usize) -> Result<(), Error> {
        let _ = batch;
        Ok(())
    }

    /// After each batch of an evaluation, counted from 1.
    ///
    /// # Errors
    ///
    /// What the callback meets.
    fn on_test_batch_end(&mut self, batch: usize) -> Result<(), Error> {
        let _ = batch;
        Ok(())
    }

    /// After an evaluation.
    ///
    /// # Errors
    ///
    /// What the callback meets.
    fn on_test_end(&mut self, evaluation: &Evaluation) -> Result<(), Error> {
        let _ = evaluation;
        Ok(())
    }

    /// Before a prediction of so many samples.
    ///
    /// # Errors
    ///
    /// What the callback meets.
    fn on_predict_begin(&mut self, samples: usize) -> Result<(), Error> {
        let _ = samples;
        Ok(())
    }

    /// Before each batch of a prediction, counted from 1.
    ///
    /// # Errors
    ///
    /// What the callback meets.
    fn on_predict_batch_begin(&mut self, batch: usize) -> Result<(), Error> {
        let _ = batch;
        Ok(())
    }

    /// After each batch of a prediction, counted from 1.
    ///
    /// # Errors
    ///
    /// What the callback meets.
    fn on_predict_batch_end(&mut self, batch: usize) -> Result<(), Error> {
        let _ = batch;
        Ok(())
    }

    /// After a prediction.
    ///
    /// # Errors
    ///
    /// What the callback meets.
    fn on_predict_end(&mut self) -> Result<(), Error> {
        Ok(())
    }
}

/// How far an epoch has come, and its running means: each sample that was seen in this epoch counts once. Metrics are not
/// among them, because some, such as the area under a curve, take a pass over all samples: [`Training::metric`] computes
/// the others when it is asked, and [`Epoch`] has them all.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Progress {
    /// The epoch, counted from 1.
    pub epoch: usize,
    /// How many batches of this epoch have been trained on.
    pub batch: usize,
    /// How many batches an epoch has.
    pub batches: usize,
    /// How many samples of this epoch have been trained on.
    pub samples_seen: usize,
    /// How many samples this epoch has.
    pub samples: usize,
    /// Mean loss of the samples seen, each taken before its own batch's update.
    pub loss: f64,
    /// Share of the samples seen whose class was predicted rightly, between 0 and 1.
    pub accuracy: Option<f64>,
}

impl Progress {
    /// A running mean by the name that it has in [`Epoch::value`].
    pub fn value(&self, name: &str) -> Option<f64> {
        match name {
            "loss" => Some(self.loss),
            "accuracy" => self.accuracy,
            _ => None,
        }
    }
}
