//! A run that was interrupted and begun again is compared with one that was not.

use super::*;
use densely::callbacks::{
    AnyModel, CsvLogger, EarlyStopping, LearningRateScheduler, ModelCheckpoint, ProgressBar,
    ReduceLrOnPlateau, Verbosity, Weights,
};
use densely::optimizers::*;
use densely::schedules::{CosineDecay, PiecewiseConstantDecay};
use densely::{Epoch, ValidationSplit};
use std::cell::RefCell;
use std::fs;

/// What one run of `fit` leaves, all its times aside.
#[derive(Debug, PartialEq)]
struct Outcome {
    fingerprint: String,
    figures: String,
    log: String,
    best: Option<(usize, f64)>,
    best_model: Vec<u8>,
    learning_rate: f64,
    /// The same of a further `fit`, which shows what the optimizer remembers.
    further: (String, String),
}

/// Runs until there is no interruption left, each time as a new program would.
fn run<T: Scalar>(optimizer: &Optimizer, save_freq: SaveFreq, interruptions: &[At]) -> Outcome {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (log, best_model) = (folder.path().join("log.csv"), folder.path().join("best.safetensors"));
    let data = data(47);
    let is_scheduled = matches!(optimizer.learning_rate(), densely::LearningRate::Schedule(_));
    let mut at = interruptions.iter();
    loop {
        let next = at.next();
        let mut model = model::<T>(optimizer.clone());
        let mut stopping = EarlyStopping::new("val_loss").patience(9).restore_best_weights(true);
        let mut reduce = ReduceLrOnPlateau::new("auc").patience(1).cooldown(1).factor(0.5);
        let mut checkpoint = ModelCheckpoint::new(&best_model).save_best_only(true).monitor("loss");
        let mut logger = CsvLogger::new(&log);
        let mut crash = next.map(|&at| Crash::new(at));
        let mut callbacks: Vec<&mut dyn Callback> = vec![&mut stopping, &mut checkpoint, &mut logger];
        if !is_scheduled {
            callbacks.push(&mut reduce);
        }
        // Where there is one, it is no callback more: it remembers nothing.
        callbacks.extend(crash.iter_mut().map(|crash| crash as &mut dyn Callback));
        let backup = BackupAndRestore::new(folder.path().join("backup")).save_freq(save_freq);
        let options = |callbacks| Fit {
            epochs: 5,
            batch_size: 8,
            steps_per_epoch: Some(4), // an epoch ends in the middle of a pass of five batches
            validation_split: Some(ValidationSplit::Random(0.2)),
            validation_freq: 2,
            class_weights: &[(1, 0.5)],
            callbacks,
            ..Fit::default()
        };
        let fitted = model.fit(&data, Fit { backup: Some(backup), ..options(callbacks) });
        match (fitted, next) {
            (Err(error), Some(_)) => assert!(matches!(error, Error::NoSamples), "{optimizer:?}: {error}"),
            (Ok(history), None) => {
                assert!(!folder.path().join("backup").exists(), "it is removed after a good end");
                assert_eq!(history.restored.is_some(), !interruptions.is_empty());
                let (fingerprint, figures) = (model.fingerprint(), figures(&history));
                let learning_rate = model.learning_rate();
                let further = model.fit(&data, options(Vec::new())).expect("it fits further");
                return Outcome {
                    fingerprint,
                    figures,
                    log: fs::read_to_string(log).expect("it was written"),
                    best: stopping.best(),
                    best_model: fs::read(best_model).expect("it was written"),
                    learning_rate,
                    further: (model.fingerprint(), super::figures(&further)),
                };
            }
            (fitted, at) => panic!("{optimizer:?} at {at:?}: {fitted:?}"),
        }
    }
}

#[track_caller]
fn check<T: Scalar>(optimizer: impl Into<Optimizer>) {
    let optimizer = optimizer.into();
    let undisturbed = run::<T>(&optimizer, SaveFreq::Epoch, &[]);
    for (save_freq, interruptions) in [
        (SaveFreq::Epoch, &[At::BatchEnd(3, 2), At::EpochEnd(4)][..]),
        (SaveFreq::Batches(1), &[At::BatchBegin(1, 4), At::BatchEnd(2, 4), At::EpochBegin(4), At::TrainEnd]),
        (SaveFreq::Batches(3), &[At::BatchEnd(1, 2), At::BatchBegin(3, 3), At::BatchEnd(5, 1)]),
    ] {
        let resumed = run::<T>(&optimizer, save_freq, interruptions);
        assert_eq!(resumed, undisturbed, "{optimizer:?} {save_freq:?} {interruptions:?}");
    }
}

macro_rules! runs_that_go_on {
    ($($name:ident: $optimizer:expr;)+) => {
        $(
            mod $name {
                use super::*;

                #[test]
                fn single() {
                    check::<f32>($optimizer);
                }

                #[test]
                fn double() {
                    check::<f64>($optimizer);
                }
            }
        )+
    };
}

runs_that_go_on! {
    momentum: Sgd { momentum: 0.9, nesterov: true, ..Sgd::new(0.05) };
    adam: Adam::new(0.02);
    amsgrad: Adam { amsgrad: true, use_ema: false, ..Adam::new(0.02) };
    moving_average: AdamW { use_ema: true, ema_overwrite_frequency: Some(3), ..AdamW::new(0.02) };
    accumulated: Adam { gradient_accumulation_steps: Some(3), global_clipnorm: Some(1.0), ..Adam::new(0.02) };
    rmsprop: Rmsprop { momentum: 0.5, centered: true, ..Rmsprop::new(0.01) };
    schedule_free: ScheduleFreeAdamW { warmup_steps: 6, ..ScheduleFreeAdamW::new(0.05) };
    rprop: Rprop::new(0.01);
    muon: Muon::new(0.02);
    lamb: Lamb::new(0.02);
    adafactor: Adafactor::new(0.02);
    ftrl: Ftrl::new(0.02);
    warm_up: Adam::new(CosineDecay { warmup_target: Some(0.05), warmup_steps: 5, ..CosineDecay::new(0.001, 30) });
    steps: Nadam::new(PiecewiseConstantDecay { boundaries: vec![3, 9], values: vec![0.05, 0.02, 0.01] });
}

/// Writes down what it hears.
struct Listener<'a>(&'a RefCell<Vec<String>>);

impl Callback for Listener<'_> {
    fn on_epoch_begin(&mut self, _: &mut Training<'_>, epoch: usize) -> Result<(), Error> {
        self.0.borrow_mut().push(format!("epoch_begin {epoch}"));
        Ok(())
    }
    fn on_train_batch_begin(&mut self, _: &mut Training<'_>, batch: usize) -> Result<(), Error> {
        self.0.borrow_mut().push(format!("batch_begin {batch}"));
        Ok(())
    }
    fn on_train_batch_end(&mut self, training: &mut Training<'_>, progress: &Progress) -> Result<(), Error> {
        let weights = training.model().fingerprint();
        self.0.borrow_mut().push(format!("batch_end {progress:?} {weights}"));
        Ok(())
    }
    fn on_test_begin(&mut self, samples: usize) -> Result<(), Error> {
        self.0.borrow_mut().push(format!("test_begin {samples}"));
        Ok(())
    }
    fn on_epoch_end(&mut self, _: &mut Training<'_>, epoch: &Epoch) -> Result<(), Error> {
        self.0.borrow_mut().push(format!("epoch_end {} {} {:?}", epoch.epoch, epoch.loss, epoch.metrics));
        Ok(())
    }
}

/// With a backup after every batch nothing is heard twice but what was not over.
#[test]
fn callbacks_hear_of_every_event_as_in_an_undisturbed_run() {
    let data = data(40);
    let events = |at: Option<At>| {
        let folder = tempfile::tempdir().unwrap();
        let log = RefCell::new(Vec::new());
        let mut listener = Listener(&log);
        let mut length = 0;
        if let Some(at) = at {
            let mut crash = Crash::new(at);
            let callbacks: Vec<&mut dyn Callback> = vec![&mut crash, &mut listener];
            let fit = Fit { validation: Some(&data), callbacks, ..fit(folder.path()) };
            model::<f32>(Adam::default()).fit(&data, fit).expect_err("it was interrupted");
            length = log.borrow().len();
        }
        let fit = Fit { validation: Some(&data), callbacks: vec![&mut listener], ..fit(folder.path()) };
        let history = model::<f32>(Adam::default()).fit(&data, fit).expect("it ends");
        let events = log.borrow().clone();
        (events, length, history.restored)
    };
    let (undisturbed, ..) = events(None);
    for (at, epoch, batch) in [
        (At::EpochBegin(1), 0, 0),
        (At::BatchBegin(1, 1), 0, 0),
        (At::BatchBegin(1, 3), 0, 2),
        (At::BatchEnd(2, 2), 1, 1),
        (At::EpochEnd(2), 1, 4),
        (At::EpochBegin(3), 1, 4),
    ] {
        let (events, length, restored) = events(Some(at));
        let restored = restored.expect("it went on");
        assert_eq!((restored.epoch, restored.batch), (epoch, batch), "{at:?}");
        // What the second run hears first was the last of the first run that the backup had not in it.
        let overlap = events[length..].len() + length - undisturbed.len();
        assert_eq!(events[..length - overlap], undisturbed[..length - overlap], "{at:?}");
        assert_eq!(events[length..], undisturbed[length - overlap..], "{at:?}");
    }
}

#[test]
fn more_epochs_can_be_asked_for() {
    let (folder, data) = (tempfile::tempdir().unwrap(), data(40));
    let fit = |epochs| Fit { epochs, ..fit(folder.path()) };
    let mut first = model::<f32>(Adam::default());
    first.fit(&data, fit(2)).unwrap();
    // There is nothing left to do.
    let mut again = model::<f32>(Adam::default());
    let history = again.fit(&data, fit(2)).unwrap();
    assert_eq!((history.epochs.len(), again.fingerprint()), (2, first.fingerprint()));
    let history = model::<f32>(Adam::default()).fit(&data, fit(4)).unwrap();
    let mut undisturbed = model::<f32>(Adam::default());
    let expected = undisturbed.fit(&data, Fit { epochs: 4, batch_size: 10, ..Fit::default() }).unwrap();
    assert_eq!(figures(&history), figures(&expected));
    assert_eq!(history.restored.unwrap().epoch, 1); // after its last batch
    let error = model::<f32>(Adam::default()).fit(&data, fit(3)).unwrap_err().to_string();
    let expected =
        "epochs is 3, but the run that was backed up has reached epoch 4, expected at least as many";
    assert_eq!(error, format!("{}: {expected}", folder.path().join(NEWEST).display()));
}

#[test]
fn a_run_that_stopped_by_itself_does_so_again() {
    let data = data(40);
    let run = |folder: &Path, at: Option<At>| {
        let mut stopping = EarlyStopping::new("val_loss").patience(1).restore_best_weights(true);
        let mut crash = at.map(Crash::new);
        let mut callbacks: Vec<&mut dyn Callback> = vec![&mut stopping];
        callbacks.extend(crash.iter_mut().map(|crash| crash as &mut dyn Callback));
        let fit = Fit { epochs: 500, validation: Some(&data), callbacks, ..fit(folder) };
        let mut model = model::<f32>(Adam::new(0.05));
        let history = model.fit(&data, fit)?;
        Ok::<_, Error>((model.fingerprint(), figures(&history)))
    };
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let undisturbed = run(one.path(), None).unwrap();
    assert!(undisturbed.1.contains("EarlyStopping: val_loss was best"), "{undisturbed:?}");
    assert!(run(other.path(), Some(At::TrainEnd)).is_err());
    assert_eq!(run(other.path(), None).unwrap(), undisturbed);
    assert_eq!(run(other.path(), None).unwrap(), undisturbed);
}

#[test]
fn the_progress_bar_says_where_a_run_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    interrupted(folder.path(), At::BatchEnd(2, 3));
    let mut text = Vec::new();
    let mut lines = ProgressBar::to(&mut text, Verbosity::Lines);
    let fit = Fit { callbacks: vec![&mut lines], ..fit(folder.path()) };
    model::<f32>(Optimizer::default()).fit(&data(40), fit).unwrap();
    let text = String::from_utf8(text).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let path = folder.path().join(NEWEST);
    assert_eq!(lines[0], format!("restored from {}: after batch 2 of epoch 2", path.display()));
    assert_eq!((lines[1], lines[3], lines.len()), ("Epoch 2/3", "Epoch 3/3", 5), "{text}");
    assert!(lines[2].starts_with("4/4 - 0s - "), "{text}");
}

/// Ruins the parameters after the second batch of the second epoch.
struct Ruin(Weights);

impl Callback for Ruin {
    fn on_train_batch_end(&mut self, training: &mut Training<'_>, progress: &Progress) -> Result<(), Error> {
        let is_before = (progress.epoch, progress.batch) == (2, 2);
        if is_before { training.model_mut().set_weights(&self.0) } else { Ok(()) }
    }
}

#[test]
fn where_numbers_run_out_the_parameters_are_those_of_the_epochs_beginning() {
    let (folder, data) = (tempfile::tempdir().unwrap(), data(40));
    let dense = || {
        Sequential::new(3)
            .add(Dense::new(8).activation(Activation::Relu))
            .add(Dense::new(2).activation(Activation::Softmax))
            .compile::<f32>(Compile { optimizer: Sgd::new(0.1).into(), ..Compile::default() })
            .unwrap()
    };
    let mut expected = dense();
    expected.fit(&data, Fit { epochs: 1, batch_size: 10, ..Fit::default() }).unwrap();
    let mut crash = Crash::new(At::BatchBegin(2, 2));
    dense().fit(&data, Fit { callbacks: vec![&mut crash], ..fit(folder.path()) }).unwrap_err();
    let mut model = dense();
    let mut ruined = dense();
    ruined.parameters_mut().tensor_mut(0)[0] = f32::INFINITY;
    let mut ruin = Ruin(ruined.weights().unwrap());
    let error = model.fit(&data, Fit { callbacks: vec![&mut ruin], ..fit(folder.path()) }).unwrap_err();
    assert!(matches!(error, Error::NonFinite { epoch: 2, .. }), "{error}");
    assert_eq!(model.fingerprint(), expected.fingerprint());
    // The backup is that from before.
    let history = dense().fit(&data, fit(folder.path())).unwrap();
    let restored = history.restored.unwrap();
    assert_eq!((restored.epoch, restored.batch), (1, 1));
}

/// Stops for a reason that the run knows nothing of.
struct Interrupt(At);

impl Interrupt {
    fn hear(&self, training: &mut Training<'_>, event: At) -> Result<(), Error> {
        if self.0 == event {
            training.back_up();
            training.stop("somebody pressed a key");
        }
        Ok(())
    }
}

impl Callback for Interrupt {
    fn on_epoch_begin(&mut self, training: &mut Training<'_>, epoch: usize) -> Result<(), Error> {
        self.hear(training, At::EpochBegin(epoch))
    }
    fn on_train_batch_end(&mut self, training: &mut Training<'_>, progress: &Progress) -> Result<(), Error> {
        self.hear(training, At::BatchEnd(progress.epoch, progress.batch))
    }
    fn on_epoch_end(&mut self, training: &mut Training<'_>, epoch: &Epoch) -> Result<(), Error> {
        self.hear(training, At::EpochEnd(epoch.epoch))
    }
}

#[test]
fn an_interruption_goes_on_where_it_was() {
    let (folder, data) = (tempfile::tempdir().unwrap(), data(40));
    let fit = |callbacks| {
        let backup = BackupAndRestore::new(folder.path()).delete_checkpoint(false);
        Fit { epochs: 3, batch_size: 10, callbacks, backup: Some(backup), ..Fit::default() }
    };
    let mut interrupt = Interrupt(At::BatchEnd(2, 3));
    let history = model::<f32>(Adam::default()).fit(&data, fit(vec![&mut interrupt])).unwrap();
    assert_eq!(history.stop.unwrap().reason, "somebody pressed a key");
    let mut resumed = model::<f32>(Adam::default());
    let history = resumed.fit(&data, fit(Vec::new())).unwrap();
    let mut undisturbed = model::<f32>(Adam::default());
    let expected = undisturbed.fit(&data, Fit { epochs: 3, batch_size: 10, ..Fit::default() }).unwrap();
    assert_eq!(resumed.fingerprint(), undisturbed.fingerprint());
    assert_eq!(figures(&history), figures(&expected));
    let restored = history.restored.unwrap();
    assert_eq!((restored.epoch, restored.batch), (1, 3));
    let path = folder.path().join(NEWEST);
    assert_eq!(restored.to_string(), format!("restored from {}: after batch 3 of epoch 2", path.display()));
}

/// What a callback does at the beginning of an epoch is done once, and the next event it hears of is the first batch.
#[test]
fn an_interruption_at_either_end_of_an_epoch_goes_on_there() {
    let data = data(40);
    let run = |folder: &Path, at: Option<At>| {
        let log = RefCell::new(Vec::new());
        let mut listener = Listener(&log);
        let mut halve = LearningRateScheduler::new(|_, rate| rate / 2.0);
        let mut text = Vec::new();
        let mut lines = ProgressBar::to(&mut text, Verbosity::Lines);
        let mut interrupt = at.map(Interrupt);
        let mut callbacks: Vec<&mut dyn Callback> = vec![&mut listener, &mut halve, &mut lines];
        callbacks.extend(interrupt.iter_mut().map(|interrupt| interrupt as &mut dyn Callback));
        let backup = BackupAndRestore::new(folder).delete_checkpoint(false);
        let fit = Fit { epochs: 3, batch_size: 10, callbacks, backup: Some(backup), ..Fit::default() };
        let mut model = model::<f32>(Adam::new(0.1));
        let history = model.fit(&data, fit).expect("a stop is no error");
        (model.fingerprint(), history, log.into_inner(), String::from_utf8(text).expect("it is text"))
    };
    let undisturbed = run(tempfile::tempdir().unwrap().path(), None);
    for (at, stopped, restored) in [
        (At::EpochBegin(1), (1, Some(0)), (0, true, "before batch 1 of epoch 1")),
        (At::EpochBegin(2), (2, Some(0)), (1, true, "before batch 1 of epoch 2")),
        (At::EpochEnd(2), (2, None), (2, false, "after epoch 2")),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let (_, history, mut events, _) = run(folder.path(), Some(at));
        let stop = history.stop.expect("it was interrupted");
        assert_eq!((stop.epoch, stop.batch), stopped, "{at:?}");
        let (fingerprint, history, further, text) = run(folder.path(), None);
        let (epoch, begun, place) = restored;
        let found = history.restored.clone().expect("it went on");
        assert_eq!((found.epoch, found.begun, found.batch), (epoch, begun, 0), "{at:?}");
        let path = folder.path().join(NEWEST);
        assert!(
            text.starts_with(&format!("restored from {}: {place}\nEpoch {}/3\n", path.display(), epoch + 1)),
            "{text}"
        );
        assert_eq!(fingerprint, undisturbed.0, "{at:?}");
        assert_eq!(figures(&history), figures(&undisturbed.1), "{at:?}");
        events.extend(further);
        assert_eq!(events, undisturbed.2, "{at:?}");
    }
}
