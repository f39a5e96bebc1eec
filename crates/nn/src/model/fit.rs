//! Training: epochs of batches, each a step down the gradient of its mean loss.

use super::Model;
use super::backup::Backup;
use super::evaluate::Evaluation;
use super::inference::EVALUATION_BATCH;
use super::passes::Passes;
use crate::callbacks::{BackupAndRestore, Callback, Listeners, Progress, ProgressBar, Run, Verbosity};
use crate::data::{Dataset, HeldOut, ValidationSplit};
use crate::engine::buffers::{Buffers, Position, TrainingBuffers, last_of};
use crate::engine::forward::gather;
use crate::engine::meters::Meters;
use crate::engine::non_finite::{first_non_finite, non_finite_parameter};
use crate::engine::parameters::EngineParameters;
use crate::error::Error;
use crate::history::{Epoch, History, Stop};
use crate::metrics::MetricValue;
use densely_tensor::Scalar;
use std::time::Instant;

/// How a model is fitted; names and defaults are Keras's.
///
/// ```
/// # use densely::Fit;
/// let fit = Fit { epochs: 20, batch_size: 128, ..Fit::default() };
/// assert!(fit.shuffle);
/// ```
pub struct Fit<'a> {
    /// The last epoch; at least 1. Without [`initial_epoch`](Self::initial_epoch) that is how many there are. Default: 1.
    pub epochs: usize,
    /// How many epochs count as done already; less than `epochs`. The first that runs is the one behind them, with the
    /// number, the shuffle and the dropout masks that it would have had in a run from the beginning. Default: 0, and then
    /// a second `fit` of a model goes on with shuffles and masks that it has not used.
    pub initial_epoch: usize,
    /// Samples of a step; at least 1. The last batch of a pass over the data is smaller where the samples run out, and is
    /// trained on and counted by its size; more than there are samples is all of them. Default: 32.
    pub batch_size: usize,
    /// Steps of an epoch; at least 1. An epoch goes on in the data where the one before ended, and begins a new pass where
    /// they run out, so the parameters do not depend on how steps are cut into epochs. Default: one pass over the data.
    pub steps_per_epoch: Option<usize>,
    /// Whether each pass goes through the samples in a new random order. Default: `true`.
    pub shuffle: bool,
    /// What is evaluated after each epoch. Default: nothing.
    pub validation: Option<&'a Dataset>,
    /// The weight of each sample of `validation` in its loss; 0 or more. Metrics do not use them. Default: none, all count
    /// alike.
    pub validation_sample_weights: Option<&'a [f64]>,
    /// The weight of each sample of the data in the loss; 0 or more. Validation and metrics do not use them. Default: none,
    /// all count alike.
    pub sample_weights: Option<&'a [f64]>,
    /// Classes with the weight of their samples in the loss; 0 or more. Classes that are not named have 1. Where both kinds
    /// of weights are given (which Keras refuses), a sample has their product. Validation does not use them. Default: none.
    pub class_weights: &'a [(u32, f64)],
    /// The part of the data that is not trained on but evaluated after each epoch, in place of `validation`. Default:
    /// nothing.
    pub validation_split: Option<ValidationSplit>,
    /// Every how many epochs there is a validation; at least 1. Default: 1.
    pub validation_freq: usize,
    /// Samples of a batch in validation; at least 1. Default: 1024 (Keras's is `batch_size`).
    pub validation_batch_size: Option<usize>,
    /// Batches of a validation; at least 1, and only with `validation` or `validation_split`. Each validation takes the same first
    /// samples of the data, and all of them where there are not more. Default: all.
    pub validation_steps: Option<usize>,
    /// What is said on standard output; see [`ProgressBar`]. Default: nothing (Keras's is a bar).
    pub verbose: Verbosity,
    /// Who watches, and may steer and stop the run. Default: nobody.
    pub callbacks: Vec<&'a mut dyn Callback>,
    /// Where training is backed up while it runs, and from where it goes on if it was killed. Default: nowhere.
    pub backup: Option<BackupAndRestore>,
}

impl Default for Fit<'_> {
    fn default() -> Self {
        Self {
            epochs: 1,
            initial_epoch: 0,
            batch_size: 32,
            steps_per_epoch: None,
            shuffle: true,
            validation: None,
            validation_sample_weights: None,
            validation_split: None,
            validation_freq: 1,
            validation_batch_size: None,
            validation_steps: None,
            verbose: Verbosity::Silent,
            sample_weights: None,
            class_weights: &[],
            callbacks: Vec::new(),
            backup: None,
        }
    }
}

impl Fit<'_> {
    fn validate(&self) -> Result<(), Error> {
        let at_least_1 = [
            ("epochs", Some(self.epochs)),
            ("batch_size", Some(self.batch_size)),
            ("steps_per_epoch", self.steps_per_epoch),
            ("validation_freq", Some(self.validation_freq)),
            ("validation_batch_size", self.validation_batch_size),
            ("validation_steps", self.validation_steps),
        ];
        for (setting, found) in at_least_1 {
            if let Some(found @ 0) = found {
                return Err(Error::FitSetting { setting, found, expected: "at least 1" });
            }
        }
        if self.initial_epoch >= self.epochs {
            let (setting, found) = ("initial_epoch", self.initial_epoch);
            return Err(Error::FitSetting { setting, found, expected: "less than epochs" });
        }
        if self.validation.is_some() && self.validation_split.is_some() {
            return Err(Error::FitConflict { first: "validation", second: "validation_split" });
        }
        if self.validation.is_none() && self.validation_sample_weights.is_some() {
            return Err(Error::FitWithout { setting: "validation_sample_weights", needed: "validation" });
        }
        if self.validation.is_none() && self.validation_split.is_none() && self.validation_steps.is_some() {
            let (setting, needed) = ("validation_steps", "validation or validation_split");
            return Err(Error::FitWithout { setting, needed });
        }
        self.backup.as_ref().map_or(Ok(()), BackupAndRestore::validate)
    }
}

/// What a run has besides the model.
pub(super) struct Session<'a, T: Scalar> {
    pub(super) data: &'a Dataset,
    pub(super) validation: Option<&'a Dataset>,
    pub(super) validation_freq: usize,
    pub(super) validation_batch_size: usize,
    /// Of each validation sample; empty if all count alike.
    pub(super) validation_weights: Vec<f64>,
    pub(super) passes: Passes,
    /// Of each sample of the data; empty if all count alike.
    pub(super) weights: Vec<f64>,
    buffers: Buffers<T>,
    training: TrainingBuffers<T>,
    pub(super) meters: Meters<T>,
    /// The parameters at the beginning of the epoch.
    pub(super) kept: EngineParameters<T>,
    /// Where the run is; the batch is 0 before the first of an epoch, and none after the last.
    pub(super) epoch: usize,
    pub(super) batch: Option<usize>,
    /// Of this epoch so far.
    pub(super) sums: Sums,
    pub(super) clock: Clock,
    pub(super) backup: Option<Backup>,
}

/// The seconds of an epoch.
pub(super) struct Clock {
    start: Instant,
    /// Those before the run was taken up again.
    before: f64,
}

impl Clock {
    pub(super) fn start(before: f64) -> Self {
        Self { start: Instant::now(), before }
    }

    pub(super) fn seconds(&self) -> f64 {
        self.before + self.start.elapsed().as_secs_f64()
    }
}

/// Sums over the samples of an epoch so far.
#[derive(Clone, Default)]
pub(super) struct Sums {
    pub(super) samples: usize,
    pub(super) loss: f64,
    /// Samples that count for the accuracy, and those of them whose class was predicted rightly.
    pub(super) counted: usize,
    pub(super) correct: Option<usize>,
}

impl Sums {
    fn mean_loss(&self) -> f64 {
        self.loss / self.samples as f64
    }

    fn accuracy(&self) -> Option<f64> {
        self.correct.map(|correct| correct as f64 / self.counted.max(1) as f64)
    }
}

impl<T: Scalar> Model<T> {
    /// Trains the model. A second call goes on where the first ended.
    ///
    /// ```
    /// use densely::{Activation, Adam, Compile, Dataset, Dense, Fit, Sequential};
    ///
    /// // Exclusive or, which no network without a hidden layer can learn.
    /// let data = Dataset::from_floats(2, vec![0., 0., 0., 1., 1., 0., 1., 1.], vec![0, 1, 1, 0], 2)?;
    /// let mut model = Sequential::new(2)
    ///     .add(Dense::new(8).activation(Activation::Tanh))
    ///     .add(Dense::new(2).activation(Activation::Softmax))
    ///     .compile::<f32>(Compile { optimizer: Adam::new(0.1).into(), ..Compile::default() })?;
    /// model.fit(&data, Fit { epochs: 100, batch_size: 4, ..Fit::default() })?;
    /// assert_eq!(model.evaluate(&data)?.accuracy, Some(1.0));
    /// # Ok::<(), densely::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the data do not fit the network, a setting or a callback's setting is not valid, there is not enough memory, or a
    /// callback fails.
    ///
    /// If a [backup](crate::callbacks::BackupAndRestore) cannot be written, cannot be read, or is not one of this run:
    /// [`Error::Write`], [`Error::Read`], or [`Error::InFile`] with what is wrong, such as a
    /// [`BackupError`](crate::BackupError).
    ///
    /// If the loss of a step or of the validation stops being a finite number, or a parameter does by the end of an epoch.
    /// The message names step and layer. A step without a finite loss is not taken: the parameters are those from before
    /// it, or, where the steps before have already ruined them, those from the beginning of the epoch, and the optimizer
    /// starts afresh, as by [`reset_optimizer`](Self::reset_optimizer). With
    /// [`EarlyStopping`](crate::callbacks::EarlyStopping)'s `restore_best_weights` they are the best that were measured,
    /// and with [`TerminateOnNan`](crate::callbacks::TerminateOnNan) this is no error but the end of training. It stays the
    /// error of the call if a callback fails when it hears of it.
    pub fn fit(&mut self, data: &Dataset, mut fit: Fit<'_>) -> Result<History, Error> {
        fit.validate()?;
        self.check_data(data)?;
        let weights = sample_weights(data, fit.sample_weights, fit.class_weights)?;
        let split = fit.validation_split.map(|split| split.apply(data, self.compile.seed)).transpose()?;
        let (whole, (data, validation)) = match &split {
            Some((rest, part, _)) => (data, (rest, Some(part))),
            None => (data, (data, fit.validation)),
        };
        let weights = match split {
            Some(_) if !weights.is_empty() => {
                data.positions_in(whole).into_iter().map(|sample| weights[sample]).collect()
            }
            _ => weights,
        };
        let validation_batch_size = fit.validation_batch_size.unwrap_or(EVALUATION_BATCH);
        let validation_weights = match fit.validation {
            Some(validation) => sample_weights(validation, fit.validation_sample_weights, &[])?,
            None => Vec::new(),
        };
        let first = validation.zip(fit.validation_steps);
        let first = first.map(|(data, steps)| data.first(steps.saturating_mul(validation_batch_size)));
        let validation = first.as_ref().or(validation);
        if let Some(validation) = validation {
            self.check_data(validation)?;
            Meters::<T>::new(&self.compile, self.plan.outputs, validation, 0)?;
        }
        let passes = Passes::new(data.len(), fit.batch_size, fit.shuffle, self.compile.seed);
        let meters = Meters::new(&self.compile, self.plan.outputs, data, passes.batch_size())?;
        let metrics = meters.better();
        let held_out = split.as_ref().map(|split| split.2).zip(validation);
        let mut run = Run {
            initial_epoch: fit.initial_epoch,
            epochs: fit.epochs,
            steps: fit.steps_per_epoch.unwrap_or(passes.steps()),
            batch_size: passes.batch_size(),
            samples: data.len(),
            validation_samples: validation.map(Dataset::len),
            held_out: held_out.map(|(held_out, part)| HeldOut { evaluated: part.len(), ..held_out }),
            restored: None,
            values: Epoch::names(validation.is_some(), data.outputs().is_none(), &metrics),
            metrics,
        };
        self.make_room_for_steps()?;
        let mut session = Session {
            data,
            validation,
            validation_freq: fit.validation_freq,
            validation_batch_size,
            validation_weights,
            weights,
            buffers: Buffers::new(&self.plan, passes.batch_size(), data.outputs())?,
            meters,
            training: TrainingBuffers::new(&self.plan, passes.batch_size(), self.pool().threads())?,
            kept: EngineParameters::zeros(&self.network)?,
            passes,
            epoch: fit.initial_epoch,
            batch: None,
            sums: Sums::default(),
            clock: Clock::start(0.0),
            backup: None,
        };
        session.kept.values_mut().copy_from_slice(self.parameters.values());
        let checkpoint = match fit.backup.take() {
            Some(options) => {
                let (backup, checkpoint) = self.find_backup(options, fit.shuffle, &session, &mut run)?;
                session.backup = Some(backup);
                checkpoint
            }
            None => None,
        };
        let mut bar = ProgressBar::new(fit.verbose);
        let mut callbacks: Vec<&mut dyn Callback> = Vec::with_capacity(fit.callbacks.len() + 1);
        callbacks.extend(fit.callbacks.iter_mut().map(|callback| &mut **callback as &mut dyn Callback));
        callbacks.push(&mut bar);
        let mut listeners = Listeners::new(callbacks, run)?;
        let (held_out, restored) = (listeners.run().held_out, listeners.run().restored.clone());
        let mut history = History { held_out, restored, ..History::default() };
        let steps_before = fit.initial_epoch as u128 * listeners.run().steps as u128;
        if checkpoint.is_none() && steps_before > 0 {
            session.passes.skip(steps_before, &mut self.epochs).ok_or(Error::FitSetting {
                setting: "initial_epoch",
                found: fit.initial_epoch,
                expected: "fewer steps before it",
            })?;
        }
        let begun = listeners.tell(self, |callback, training| callback.on_train_begin(training));
        // What callbacks do to the model at the beginning, they did before the backup.
        let begun = begun.and_then(|()| match &checkpoint {
            Some(checkpoint) => self.restore_backup(checkpoint, &mut session, &mut listeners, &mut history),
            None => self.back_up(&mut session, &mut listeners, &history),
        });
        // The one that has just been written or read is what could be asked for there.
        listeners.take_request_of_backup();
        let trained = begun.and_then(|()| self.epochs(&mut session, &mut listeners, &mut history));
        let trained = trained.or_else(|problem| self.non_finite(problem, &session, &mut listeners));
        if let Some(reason) = listeners.stop() {
            history.stop =
                Some(Stop { epoch: session.epoch, batch: session.batch, reason: reason.to_owned() });
        }
        if trained.is_ok() {
            self.finalize_parameters();
        }
        let ended = listeners.tell(self, |callback, training| callback.on_train_end(training));
        trained.and(ended)?;
        session.backup.as_ref().map_or(Ok(()), Backup::end)?;
        Ok(history)
    }

    /// All epochs of a run.
    fn epochs(
        &mut self,
        session: &mut Session<'_, T>,
        listeners: &mut Listeners<'_>,
        history: &mut History,
    ) -> Result<(), Error> {
        let (initial_epoch, epochs) = (listeners.run().initial_epoch, listeners.run().epochs);
        for epoch in initial_epoch + 1..=epochs {
            if listeners.stop().is_some() {
                break;
            }
            // A run that goes on within an epoch has begun it already.
            if session.batch.is_none() {
                self.begin_epoch(epoch, session, listeners, history)?;
            }
            if !self.steps(session, listeners, history)? {
                break;
            }
            let seconds = session.clock.seconds();
            session.batch = None;
            self.refuse_non_finite_parameters(epoch)?;
            let learning_rate = self.learning_rate();
            let mut metrics: Vec<_> = numbers(session.meters.results(), "").collect();
            let validation = self.validation(session, listeners)?;
            if let Some(evaluation) = &validation {
                metrics.extend(numbers(evaluation.metrics.clone(), "val_"));
            }
            let record = Epoch {
                epoch,
                loss: session.sums.mean_loss(),
                accuracy: session.sums.accuracy(),
                val_loss: validation.as_ref().map(|evaluation| evaluation.loss),
                val_accuracy: validation.as_ref().and_then(|evaluation| evaluation.accuracy),
                seconds,
                images_per_second: session.sums.samples as f64 / seconds,
                learning_rate,
                metrics,
            };
            let told = listeners.tell(self, |callback, training| callback.on_epoch_end(training, &record));
            history.epochs.push(record);
            told?;
            self.back_up_if_due(session, listeners, history)?;
        }
        Ok(())
    }

    /// Before the first step of an epoch.
    fn begin_epoch(
        &mut self,
        epoch: usize,
        session: &mut Session<'_, T>,
        listeners: &mut Listeners<'_>,
        history: &History,
    ) -> Result<(), Error> {
        (session.epoch, session.batch) = (epoch, Some(0));
        session.kept.values_mut().copy_from_slice(self.parameters.values());
        listeners.tell(self, |callback, training| callback.on_epoch_begin(training, epoch))?;
        session.sums = Sums::default();
        session.meters.reset();
        session.clock = Clock::start(0.0);
        // Where training is stopped here, no batch will end any more.
        if listeners.take_request_of_backup() { self.back_up(session, listeners, history) } else { Ok(()) }
    }

    /// The steps of an epoch that are left. `false` if a callback stopped training before the last.
    fn steps(
        &mut self,
        session: &mut Session<'_, T>,
        listeners: &mut Listeners<'_>,
        history: &History,
    ) -> Result<bool, Error> {
        let (epoch, batches) = (session.epoch, listeners.run().steps);
        let done = session.batch.unwrap_or(0);
        let samples = session.sums.samples.saturating_add(session.passes.samples_of(batches - done));
        for batch in done + 1..=batches {
            if listeners.stop().is_some() {
                return Ok(false);
            }
            session.batch = Some(batch);
            listeners.tell(self, |callback, training| callback.on_train_batch_begin(training, batch))?;
            let (order, first_sample) = session.passes.next_batch(&mut self.epochs);
            let samples_of_batch = order.len();
            gather(self.pool(), &self.plan, session.data, order, &mut session.buffers)?;
            session.buffers.targets.weigh(order, &session.weights);
            session.data.will_read(self.pool(), session.passes.following());
            let position = Position { seed: self.compile.seed, epoch: self.epochs, first_sample };
            let (buffers, training, sums) = (&mut session.buffers, &mut session.training, &mut session.sums);
            let loss = self.train_step(buffers, training, sums, samples_of_batch, position);
            if !loss.is_finite() {
                let place =
                    first_non_finite(&self.network, &self.plan, &self.parameters, buffers, samples_of_batch);
                return Err(Error::NonFinite { epoch, step: batch, loss, place });
            }
            self.measure(buffers, &mut session.meters, samples_of_batch)?;
            let progress = Progress {
                epoch,
                batch,
                batches,
                samples_seen: session.sums.samples,
                samples,
                loss: session.sums.mean_loss(),
                accuracy: session.sums.accuracy(),
            };
            listeners.tell_measured(self, Some(&session.meters), |callback, training| {
                callback.on_train_batch_end(training, &progress)
            })?;
            self.back_up_if_due(session, listeners, history)?;
        }
        // A stop after the last batch cuts the epoch short of its validation.
        Ok(listeners.stop().is_none())
    }

    /// Feeds the metrics with the outputs that a step left in the buffers: those before its update.
    pub(super) fn measure(
        &self,
        buffers: &mut Buffers<T>,
        meters: &mut Meters<T>,
        samples: usize,
    ) -> Result<(), Error> {
        meters.keep(last_of(&mut buffers.outputs, samples, self.plan.outputs));
        meters.update(self.pool(), &self.plan.head, buffers.targets.of(samples), samples)
    }

    /// The validation of an epoch that has one.
    fn validation(
        &mut self,
        session: &Session<'_, T>,
        listeners: &mut Listeners<'_>,
    ) -> Result<Option<Evaluation>, Error> {
        match session.validation {
            Some(data) if session.epoch.is_multiple_of(session.validation_freq) => {
                let (weights, callbacks) = (&session.validation_weights, listeners.callbacks());
                self.evaluate_in_batches(data, weights, session.validation_batch_size, callbacks).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// Leaves finite parameters behind and lets callbacks make a stop of an error that says that numbers ran out.
    fn non_finite(
        &mut self,
        problem: Error,
        session: &Session<'_, T>,
        listeners: &mut Listeners<'_>,
    ) -> Result<(), Error> {
        if !problem.is_non_finite() {
            return Err(problem);
        }
        if non_finite_parameter(&self.parameters, |_| true).is_some() {
            self.parameters.values_mut().copy_from_slice(session.kept.values());
            // What made them so is in the moments and averages too.
            self.reset_optimizer();
        }
        if listeners.is_stopped_by(self, &problem) { Ok(()) } else { Err(problem) }
    }

    /// The loss before a step tells nothing of that step: the last one of an epoch is looked at here.
    fn refuse_non_finite_parameters(&self, epoch: usize) -> Result<(), Error> {
        match non_finite_parameter(&self.parameters, |_| true) {
            Some((tensor, _)) => Err(Error::NonFiniteParameters { epoch, tensor }),
            None => Ok(()),
        }
    }

    /// One step on the samples that stand in the buffers. Returns their mean loss; if it is not finite nothing was
    /// updated.
    fn train_step(
        &mut self,
        buffers: &mut Buffers<T>,
        training: &mut TrainingBuffers<T>,
        sums: &mut Sums,
        samples: usize,
        position: Position,
    ) -> f64 {
        training.remembered.position = position;
        let loss = self.step(buffers, training, samples);
        let (head, targets) = (&self.plan.head, buffers.targets.of(samples));
        if let Some(correct) = head.correct(targets, &buffers.outcomes[..samples]) {
            sums.correct = Some(sums.correct.unwrap_or(0) + correct);
            sums.counted += head.counted(targets, samples);
        }
        sums.loss += loss * samples as f64;
        sums.samples += samples;
        loss
    }
}

/// The metrics that are numbers, with `prefix` before their names.
fn numbers(metrics: Vec<(String, MetricValue)>, prefix: &str) -> impl Iterator<Item = (String, f64)> {
    let number =
        move |(name, value): (String, MetricValue)| Some((format!("{prefix}{name}"), value.number()?));
    metrics.into_iter().filter_map(number)
}

/// The weight of each sample, or nothing if all count alike.
pub(super) fn sample_weights(
    data: &Dataset,
    by_sample: Option<&[f64]>,
    by_class: &[(u32, f64)],
) -> Result<Vec<f64>, Error> {
    let in_range = |weight: f64| (0.0..=f64::from(f32::MAX)).contains(&weight);
    if by_sample.is_none() && by_class.is_empty() {
        return Ok(Vec::new());
    }
    let mut weights = by_sample.map_or_else(|| vec![1.0; data.len()], <[f64]>::to_vec);
    if weights.len() != data.len() {
        return Err(Error::SampleWeightCount { expected: data.len(), found: weights.len() });
    }
    if let Some(sample) = weights.iter().position(|&weight| !in_range(weight)) {
        return Err(Error::SampleWeight { sample, weight: weights[sample] });
    }
    if by_class.is_empty() {
        return Ok(weights);
    }
    if data.outputs().is_some() {
        return Err(Error::ClassesNeeded { what: "class_weights".to_owned() });
    }
    let mut of_class = vec![None; data.classes()];
    for &(class, weight) in by_class {
        if !in_range(weight) {
            return Err(Error::ClassWeight { class, weight });
        }
        match of_class.get_mut(class as usize) {
            None => return Err(Error::ClassOfWeight { class, classes: data.classes() }),
            Some(Some(_)) => return Err(Error::TwoClassWeights { class }),
            Some(place) => *place = Some(weight),
        }
    }
    for (sample, weight) in weights.iter_mut().enumerate() {
        *weight *= of_class[data.label(sample) as usize].unwrap_or(1.0);
        if !in_range(*weight) {
            return Err(Error::SampleWeight { sample, weight: *weight });
        }
    }
    Ok(weights)
}
