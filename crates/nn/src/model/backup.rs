//! Backups while a model is fitted, and a run that goes on from one.

use super::Model;
use super::fit::{Clock, Session, Sums};
use crate::callbacks::{BackupAndRestore, CallbackState, Listeners, Run, SaveFreq, Weights};
use crate::engine::non_finite::non_finite_parameter;
use crate::engine::parameters::EngineParameters;
use crate::error::{BackupError, Error};
use crate::history::{Epoch, History, Restored};
use crate::parameters::Parameters;
use crate::saving::{
    Checkpoint, CheckpointFolder, Numbers, OptimizerCounters, Place, SavedDescription, SavedRun, SavedSums,
    Settings, checkpoint_to_bytes,
};
use crate::schedules::LearningRate;
use crate::text::to_ron;
use densely_tensor::Scalar;
use serde::Serialize;
use sha2::{Digest, Sha256};

/// What backs a run up.
pub(super) struct Backup {
    options: BackupAndRestore,
    folder: CheckpointFolder,
    /// The model and the settings as they were when `fit` was called.
    description: SavedDescription,
    settings: Settings,
    /// Batches since the last backup.
    batches: usize,
}

impl Backup {
    /// Removes what is not needed after a good end.
    ///
    /// # Errors
    ///
    /// [`Error::Write`].
    pub(super) fn end(&self) -> Result<(), Error> {
        if self.options.delete_checkpoint { self.folder.delete() } else { Ok(()) }
    }

    /// Whether there is to be a backup after a batch, or after an epoch.
    fn is_due(&mut self, is_end_of_epoch: bool) -> bool {
        match self.options.save_freq {
            SaveFreq::Epoch => is_end_of_epoch,
            SaveFreq::Batches(_) if is_end_of_epoch => false,
            SaveFreq::Batches(batches) => {
                self.batches += 1;
                self.batches >= batches
            }
        }
    }

    /// Refuses a checkpoint of another run.
    fn compare(&self, checkpoint: &Checkpoint, epochs: usize) -> Result<(), BackupError> {
        let (this, other) = (&self.description, &checkpoint.description);
        let there = &checkpoint.run.settings;
        // Taken apart, so that a setting which is added is not forgotten here.
        let Settings {
            densely,
            precision,
            start,
            data,
            sample_weights,
            validation,
            validation_sample_weights,
            initial_epoch,
            batch_size,
            steps_per_epoch,
            shuffle,
            validation_freq,
            validation_batch_size,
            values,
        } = &self.settings;
        // What brings other differences with it comes first.
        same("version of densely", densely, &there.densely)?;
        same("precision", precision, &there.precision)?;
        same("network", &this.model, &other.model)?;
        same("loss", &this.loss, &other.loss)?;
        same("reduction", &this.reduction, &other.reduction)?;
        same("metrics", &this.metrics, &other.metrics)?;
        same("optimizer", &this.optimizer, &other.optimizer)?;
        same("seed", &this.seed, &other.seed)?;
        same("fingerprint of the data", data, &there.data)?;
        same("fingerprint of the sample weights", sample_weights, &there.sample_weights)?;
        same("fingerprint of the validation data", validation, &there.validation)?;
        let (what, there_too) = ("fingerprint of the validation weights", &there.validation_sample_weights);
        same(what, validation_sample_weights, there_too)?;
        same("initial_epoch", initial_epoch, &there.initial_epoch)?;
        same("batch_size", batch_size, &there.batch_size)?;
        same("steps_per_epoch", steps_per_epoch, &there.steps_per_epoch)?;
        same("shuffle", shuffle, &there.shuffle)?;
        same("validation_freq", validation_freq, &there.validation_freq)?;
        same("validation_batch_size", validation_batch_size, &there.validation_batch_size)?;
        same("figures of an epoch", values, &there.values)?;
        same("fingerprint of the model that fit begins with", start, &there.start)?;
        let place = &checkpoint.run.place;
        let reached = place.epoch.saturating_add(usize::from(place.is_in_epoch()));
        if reached > epochs { Err(BackupError::Reached { epochs, reached }) } else { Ok(()) }
    }
}

/// A fingerprint of weights, if there are any.
fn fingerprint_of(weights: &[f64]) -> Option<String> {
    (!weights.is_empty()).then(|| {
        let mut hash = Sha256::new();
        weights.iter().for_each(|weight| hash.update(weight.to_le_bytes()));
        digits(hash)
    })
}

/// Refuses what is not the same, with the first line of its text that differs.
fn same<V: PartialEq + Serialize>(what: &'static str, found: &V, expected: &V) -> Result<(), BackupError> {
    if found == expected {
        return Ok(());
    }
    // What could not be written as text could not be in the checkpoint either.
    let [found, expected] = [found, expected].map(|value| to_ron(value).unwrap_or_default());
    let (mut found, mut expected) = (found.lines(), expected.lines());
    loop {
        match (found.next(), expected.next()) {
            (Some(found), Some(expected)) if found == expected => {}
            (None, None) => return Ok(()), // both not a number
            (found, expected) => {
                let line =
                    |line: Option<&str>| line.unwrap_or("nothing").trim().trim_end_matches(',').to_owned();
                return Err(BackupError::Differs { what, found: line(found), expected: line(expected) });
            }
        }
    }
}

impl<T: Scalar> Model<T> {
    /// What backs this run up, and the checkpoint from which it goes on, if there is one; `run` says so then.
    ///
    /// # Errors
    ///
    /// What is wrong with the folder or the checkpoint; the model is as before.
    pub(super) fn find_backup(
        &self,
        options: BackupAndRestore,
        shuffle: bool,
        session: &Session<'_, T>,
        run: &mut Run,
    ) -> Result<(Backup, Option<Checkpoint>), Error> {
        if let SaveFreq::Batches(_) = options.save_freq {
            session.meters.numbers()?;
        }
        let settings = Settings {
            densely: env!("CARGO_PKG_VERSION").to_owned(),
            precision: T::NAME.to_owned(),
            start: self.fingerprint_with_optimizer(),
            data: session.data.fingerprint()?,
            sample_weights: fingerprint_of(&session.weights),
            validation: session.validation.map(|data| data.fingerprint()).transpose()?,
            validation_sample_weights: fingerprint_of(&session.validation_weights),
            initial_epoch: run.initial_epoch,
            batch_size: run.batch_size,
            steps_per_epoch: run.steps,
            shuffle,
            validation_freq: session.validation_freq,
            validation_batch_size: session.validation_batch_size,
            values: run.values.clone(),
        };
        let folder = CheckpointFolder::new(&options.backup_dir)?;
        let mut backup =
            Backup { options, folder, description: self.saved_description(), settings, batches: 0 };
        let Some((checkpoint, problem)) = backup.folder.read()? else { return Ok((backup, None)) };
        backup.compare(&checkpoint, run.epochs).map_err(|error| checkpoint.in_file(error))?;
        let place = &checkpoint.run.place;
        let (epoch, begun, batch) = (place.epoch, place.is_in_epoch(), place.batch);
        let (path, damaged) = (checkpoint.path.clone(), problem.map(|problem| problem.to_string()));
        run.restored = Some(Restored { path, epoch, begun, batch, damaged });
        run.initial_epoch = epoch;
        Ok((backup, Some(checkpoint)))
    }

    /// A fingerprint of all on which training depends from here on, besides descriptions.
    fn fingerprint_with_optimizer(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(self.fingerprint());
        let mut bytes = Vec::new();
        for (name, buffer) in self.optimizer_state.buffers() {
            hash.update(name);
            for part in buffer.chunks(4096) {
                bytes.clear();
                part.iter().for_each(|value| value.write_le(&mut bytes));
                hash.update(&bytes);
            }
        }
        let state = &self.optimizer_state;
        let counts = [self.epochs, state.batches, state.updates, state.waiting, u64::from(state.starts_anew)];
        counts.into_iter().for_each(|count| hash.update(count.to_le_bytes()));
        [state.largest_rate, state.weight_sum]
            .into_iter()
            .for_each(|number| hash.update(number.to_le_bytes()));
        digits(hash)
    }

    /// A backup at the end of a batch or an epoch, if there is to be one. None if training is stopped: the run that goes on
    /// will stop by itself, or, if it was stopped from outside, is not to.
    pub(super) fn back_up_if_due(
        &mut self,
        session: &mut Session<'_, T>,
        listeners: &mut Listeners<'_>,
        history: &History,
    ) -> Result<(), Error> {
        let is_end_of_epoch = session.batch.is_none();
        let is_due = session.backup.as_mut().is_some_and(|backup| backup.is_due(is_end_of_epoch));
        let is_asked_for = listeners.take_request_of_backup();
        if is_asked_for || (is_due && listeners.stop().is_none()) {
            self.back_up(session, listeners, history)?;
        }
        Ok(())
    }

    /// A backup, if the run has any.
    ///
    /// # Errors
    ///
    /// [`Error::Write`], [`Error::Memory`], what a callback meets, [`BackupError::Metric`], and for texts
    /// [`Error::HeaderTooLong`] and [`DescriptionError::Unwritable`](crate::DescriptionError::Unwritable).
    pub(super) fn back_up(
        &mut self,
        session: &mut Session<'_, T>,
        listeners: &mut Listeners<'_>,
        history: &History,
    ) -> Result<(), Error> {
        let Some(backup) = &mut session.backup else { return Ok(()) };
        // The loss of the next step, or the end of the epoch, will end training: the backup before is the last good one.
        if non_finite_parameter(&self.parameters, |_| true).is_some() {
            return Ok(());
        }
        let state = &self.optimizer_state;
        let learning_rate = match self.compile.optimizer.learning_rate() {
            LearningRate::Constant(rate) => Some(*rate),
            LearningRate::Schedule(_) => None,
        };
        let optimizer = OptimizerCounters {
            learning_rate,
            batches: state.batches,
            updates: state.updates,
            waiting: state.waiting,
            largest_rate: state.largest_rate,
            weight_sum: state.weight_sum,
            starts_anew: state.starts_anew,
        };
        let is_in_epoch = session.batch.is_some();
        let place = Place {
            epoch: session.epoch - usize::from(is_in_epoch),
            batch: session.batch.unwrap_or(0),
            begun: is_in_epoch,
            passes: self.epochs,
            samples_of_pass: session.passes.samples_of_pass(),
            seconds: if is_in_epoch { session.clock.seconds() } else { 0.0 },
            sums: if is_in_epoch { saved_sums(&session.sums) } else { SavedSums::default() },
        };
        let buffers = state.buffers().map(|(name, buffer)| (of_optimizer(name), Numbers::OfModel(buffer)));
        let mut lists: Vec<_> = buffers.collect();
        if !history.epochs.is_empty() {
            lists.push((
                HISTORY.to_owned(),
                Numbers::Double(to_numbers(&history.epochs, &listeners.run().values)),
            ));
        }
        if is_in_epoch {
            lists.push((KEPT.to_owned(), Numbers::OfModel(session.kept.values())));
            let metrics = session.meters.numbers()?.into_iter().enumerate();
            lists.extend(metrics.map(|(index, numbers)| (of_metric(index), Numbers::Double(numbers))));
        }
        let states = listeners.states()?;
        for (index, state) in states.iter().enumerate() {
            if let Some(weights) = &state.weights {
                let weights: &EngineParameters<T> = weights
                    .parameters()
                    .filter(|weights| weights.tensors() == self.parameters.tensors())
                    .ok_or(Error::OtherWeights)?;
                lists.push((of_callback(index), Numbers::OfModel(weights.values())));
            }
        }
        let callbacks = states.iter().map(|state| state.text.clone()).collect();
        let run = SavedRun { settings: backup.settings.clone(), place, optimizer, callbacks };
        let bytes = checkpoint_to_bytes(backup.description.clone(), run, &self.described()?, lists)?;
        backup.folder.write(&bytes, backup.options.double_checkpoint)?;
        backup.batches = 0;
        Ok(())
    }

    /// Goes to where a run was backed up, the callbacks too.
    ///
    /// # Errors
    ///
    /// What is wrong with the checkpoint; the model is then as before. Or what a callback meets.
    pub(super) fn restore_backup(
        &mut self,
        checkpoint: &Checkpoint,
        session: &mut Session<'_, T>,
        listeners: &mut Listeners<'_>,
        history: &mut History,
    ) -> Result<(), Error> {
        let in_file = |error: Error| checkpoint.in_file(error);
        listeners.check_states(checkpoint.run.callbacks.len()).map_err(in_file)?;
        let states = self.take_checkpoint(checkpoint, session, history, listeners.run()).map_err(in_file)?;
        listeners.restore(states).map_err(in_file)
    }

    fn take_checkpoint(
        &mut self,
        checkpoint: &Checkpoint,
        session: &mut Session<'_, T>,
        history: &mut History,
        run: &Run,
    ) -> Result<Vec<CallbackState>, Error> {
        let SavedRun { place, optimizer, callbacks, .. } = &checkpoint.run;
        refuse_wrong_place(place, optimizer, run)?;
        let tensors = checkpoint.tensors()?;
        let parameters: Parameters<T> = tensors.parameters(&self.network)?;
        let mut state = self.optimizer_state.clone();
        for (name, buffer) in state.buffers_mut() {
            tensors.fill(&of_optimizer(name), buffer)?;
        }
        history.epochs = from_numbers(&tensors.list(HISTORY)?, &run.values);
        let (found, ended) =
            (history.epochs.len(), place.epoch.checked_sub(checkpoint.run.settings.initial_epoch));
        if ended != Some(found) {
            let (found, limit) = (place.epoch as u64, found as u64);
            return Err(BackupError::Place { what: "epoch", found, limit }.into());
        }
        let is_in_epoch = place.is_in_epoch();
        if is_in_epoch {
            tensors.fill(KEPT, session.kept.values_mut())?;
            let numbers: Result<Vec<_>, _> =
                (0..session.meters.len()).map(|index| tensors.list(&of_metric(index))).collect();
            session.meters.restore(&numbers?)?;
        }
        let mut states = Vec::new();
        for (index, text) in callbacks.iter().cloned().enumerate() {
            let mut state = CallbackState { text, weights: None };
            if tensors.has(&of_callback(index)) {
                let mut weights = EngineParameters::<T>::zeros(&self.network)?;
                tensors.fill(&of_callback(index), weights.values_mut())?;
                state.weights = Some(Weights::new(weights));
            }
            states.push(state);
        }
        tensors.end()?;
        if !session.passes.resume(place.samples_of_pass, place.passes) {
            let (found, limit) = (place.samples_of_pass as u64, run.samples as u64);
            return Err(BackupError::Place { what: "samples_of_pass", found, limit }.into());
        }
        if let Some(rate) = optimizer.learning_rate {
            self.set_learning_rate(rate)?;
        }
        // Nothing can fail from here on.
        (state.batches, state.updates, state.waiting) =
            (optimizer.batches, optimizer.updates, optimizer.waiting);
        (state.largest_rate, state.weight_sum) = (optimizer.largest_rate, optimizer.weight_sum);
        state.starts_anew = optimizer.starts_anew;
        self.optimizer_state = state;
        self.parameters.take_described(&parameters);
        self.epochs = place.passes;
        (session.epoch, session.batch) = (place.epoch, None);
        if is_in_epoch {
            (session.epoch, session.batch) = (place.epoch + 1, Some(place.batch));
            let SavedSums { samples, loss, counted, correct } = place.sums;
            session.sums = Sums { samples, loss, counted, correct };
            session.clock = Clock::start(place.seconds);
        }
        Ok(states)
    }
}

/// The names of lists in the file; those of parameters have no `/`.
const HISTORY: &str = "history/values";
const KEPT: &str = "epoch/parameters";

fn of_optimizer(name: &str) -> String {
    format!("optimizer/{name}")
}

fn of_metric(index: usize) -> String {
    format!("metric/{index}")
}

fn of_callback(index: usize) -> String {
    format!("callback/{index}")
}

fn digits(hash: Sha256) -> String {
    hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

fn saved_sums(sums: &Sums) -> SavedSums {
    let &Sums { samples, loss, counted, correct } = sums;
    SavedSums { samples, loss, counted, correct }
}

/// Refuses counts that no run has; what is added to them later must not overflow.
fn refuse_wrong_place(place: &Place, optimizer: &OptimizerCounters, run: &Run) -> Result<(), BackupError> {
    let SavedSums { samples, counted, correct, .. } = place.sums;
    let count = u64::MAX >> 1;
    for (what, found, limit) in [
        ("batch", place.batch as u64, run.steps as u64),
        ("passes", place.passes, count),
        ("batches", optimizer.batches, count),
        ("updates", optimizer.updates, count),
        ("waiting", optimizer.waiting, count),
        ("samples", samples as u64, usize::MAX as u64 >> 1),
        ("counted", counted as u64, samples as u64),
        ("correct", correct.unwrap_or(0) as u64, counted as u64),
    ] {
        if found > limit {
            return Err(BackupError::Place { what, found, limit });
        }
    }
    Ok(())
}

/// The epochs as a list: for each its number, its seconds, its rate of images, and its figures in the order of `values`, those
/// that were not measured being not a number.
fn to_numbers(epochs: &[Epoch], values: &[String]) -> Vec<f64> {
    let of_epoch = |epoch: &Epoch| {
        let first = [epoch.epoch as f64, epoch.seconds, epoch.images_per_second];
        let figures: Vec<f64> = values.iter().map(|name| epoch.value(name).unwrap_or(f64::NAN)).collect();
        first.into_iter().chain(figures)
    };
    epochs.iter().flat_map(of_epoch).collect()
}

/// The epochs in such a list. Only metrics may be not a number where they were measured, and those of the validation were if its
/// loss was.
fn from_numbers(numbers: &[f64], values: &[String]) -> Vec<Epoch> {
    let of_epoch = |numbers: &[f64]| {
        let mut epoch = Epoch {
            epoch: numbers[0] as usize,
            seconds: numbers[1],
            images_per_second: numbers[2],
            ..Epoch::default()
        };
        let measured = |value: f64| (!value.is_nan()).then_some(value);
        let figures = || values.iter().zip(&numbers[3..]);
        epoch.val_loss =
            figures().find(|(name, _)| *name == "val_loss").and_then(|(_, &loss)| measured(loss));
        for (name, &value) in figures() {
            match name.as_str() {
                "loss" => epoch.loss = value,
                "accuracy" => epoch.accuracy = measured(value),
                "val_loss" => {}
                "val_accuracy" => epoch.val_accuracy = measured(value),
                "learning_rate" => epoch.learning_rate = value,
                name if name.starts_with("val_") && epoch.val_loss.is_none() => {}
                name => epoch.metrics.push((name.to_owned(), value)),
            }
        }
        epoch
    };
    numbers.chunks_exact(3 + values.len()).map(of_epoch).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{from_ron, to_ron_line};

    #[test]
    fn epochs_come_back_with_what_was_not_measured() {
        let values = ["loss", "accuracy", "auc", "val_loss", "val_accuracy", "val_auc", "learning_rate"];
        let values = values.map(str::to_owned);
        let epoch = |epoch, auc| Epoch {
            epoch,
            loss: 0.1 + 0.2,
            accuracy: Some(0.5),
            seconds: 0.25,
            images_per_second: 3.0,
            learning_rate: 1e-3,
            metrics: vec![("auc".to_owned(), auc)],
            ..Epoch::default()
        };
        let mut validated =
            Epoch { val_loss: Some(0.0), val_accuracy: Some(1.0), ..epoch(3, f64::NEG_INFINITY) };
        validated.metrics.push(("val_auc".to_owned(), -0.0));
        let epochs = [epoch(1, 0.75), epoch(2, f64::NAN), validated];
        let read = from_numbers(&to_numbers(&epochs, &values), &values);
        assert_eq!(format!("{read:?}"), format!("{epochs:?}"));
    }

    /// On which callbacks count.
    #[test]
    fn numbers_are_read_from_ron_exactly() {
        for number in [0.1 + 0.2, f64::MIN_POSITIVE, 5e-324, f64::MAX, -0.0, f64::INFINITY, f64::NEG_INFINITY]
        {
            let text = to_ron_line(&Some(number));
            let read: Option<f64> = from_ron(&text).unwrap();
            assert_eq!(read.map(f64::to_bits), Some(number.to_bits()), "{text}");
        }
        assert_eq!(from_ron::<Option<f64>>(&to_ron_line(&None::<f64>)).unwrap(), None);
    }

    #[test]
    fn the_first_line_that_differs_is_named() {
        let check = |found: &[u8], expected: &[u8], message: &str| {
            let error = same("list", &found, &expected).unwrap_err().to_string();
            let end = "fit as before to go on with it, or empty the folder to begin anew";
            assert_eq!(error, format!("list: the run that was backed up has {message}; {end}"));
        };
        check(&[1, 2], &[1, 3], "3, this one 2");
        check(&[], &[1], "[, this one []");
        assert!(same("list", &[1, 2], &[1, 2]).is_ok());
    }

    #[test]
    fn counts_that_no_run_has_are_refused() {
        let (run, sums) = (Run { steps: 4, samples: 9, ..Run::default() }, SavedSums::default());
        let place =
            Place { epoch: 0, batch: 4, begun: true, passes: 1, samples_of_pass: 3, seconds: 0.0, sums };
        let optimizer = OptimizerCounters {
            learning_rate: None,
            batches: 1,
            updates: 1,
            waiting: 0,
            largest_rate: 0.0,
            weight_sum: 0.0,
            starts_anew: true,
        };
        let check = |change: fn(&mut Place, &mut OptimizerCounters), message: Option<&str>| {
            let (mut place, mut optimizer) = (place.clone(), optimizer.clone());
            change(&mut place, &mut optimizer);
            let error = refuse_wrong_place(&place, &optimizer, &run).err().map(|error| error.to_string());
            assert_eq!(error.as_deref(), message);
        };
        check(|_, _| (), None);
        check(|place, _| place.batch = 5, Some("batch is 5, expected at most 4"));
        check(|place, _| place.sums.correct = Some(1), Some("correct is 1, expected at most 0"));
        let most = "expected at most 9223372036854775807";
        check(|place, _| place.passes = u64::MAX, Some(&format!("passes is 18446744073709551615, {most}")));
        check(
            |_, optimizer| optimizer.waiting = 1 << 63,
            Some(&format!("waiting is 9223372036854775808, {most}")),
        );
    }
}
