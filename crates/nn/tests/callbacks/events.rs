//! What callbacks hear of, when, and how they stop training; and what those do that only listen.

use super::*;
use densely::callbacks::{LambdaCallback, ProgressBar, Verbosity};
use std::cell::RefCell;
use std::rc::Rc;

type Log = Rc<RefCell<Vec<String>>>;

/// Notes every event, and stops or fails at one of them.
struct Watch {
    name: &'static str,
    log: Log,
    stop_at: &'static str,
    fail_at: &'static str,
}

impl Watch {
    fn new(log: &Log) -> Self {
        Self { name: "", log: Rc::clone(log), stop_at: "never", fail_at: "never" }
    }

    fn note(&mut self, training: Option<&mut Training<'_>>, event: String) -> Result<(), Error> {
        if event == self.stop_at
            && let Some(training) = training
        {
            training.stop("it was enough");
        }
        let fails = event == self.fail_at;
        self.log.borrow_mut().push(format!("{}{event}", self.name));
        if fails { Err(Error::NoSamples) } else { Ok(()) }
    }
}

impl Callback for Watch {
    fn on_train_begin(&mut self, training: &mut Training<'_>) -> Result<(), Error> {
        self.note(Some(training), "train_begin".into())
    }
    fn on_train_end(&mut self, training: &mut Training<'_>) -> Result<(), Error> {
        self.note(Some(training), "train_end".into())
    }
    fn on_epoch_begin(&mut self, training: &mut Training<'_>, epoch: usize) -> Result<(), Error> {
        self.note(Some(training), format!("epoch_begin {epoch}"))
    }
    fn on_epoch_end(&mut self, training: &mut Training<'_>, epoch: &Epoch) -> Result<(), Error> {
        self.note(Some(training), format!("epoch_end {}", epoch.epoch))
    }
    fn on_train_batch_begin(&mut self, training: &mut Training<'_>, batch: usize) -> Result<(), Error> {
        self.note(Some(training), format!("batch_begin {batch}"))
    }
    fn on_train_batch_end(&mut self, training: &mut Training<'_>, progress: &Progress) -> Result<(), Error> {
        let Progress { epoch, batch, batches, samples_seen, samples, .. } = progress;
        self.note(Some(training), format!("batch_end {epoch}:{batch}/{batches} {samples_seen}/{samples}"))
    }
    fn on_test_begin(&mut self, samples: usize) -> Result<(), Error> {
        self.note(None, format!("test_begin {samples}"))
    }
    fn on_test_batch_begin(&mut self, batch: usize) -> Result<(), Error> {
        self.note(None, format!("test_batch_begin {batch}"))
    }
    fn on_test_batch_end(&mut self, batch: usize) -> Result<(), Error> {
        self.note(None, format!("test_batch_end {batch}"))
    }
    fn on_test_end(&mut self, evaluation: &Evaluation) -> Result<(), Error> {
        self.note(None, format!("test_end {}", evaluation.samples))
    }
    fn on_predict_begin(&mut self, samples: usize) -> Result<(), Error> {
        self.note(None, format!("predict_begin {samples}"))
    }
    fn on_predict_batch_begin(&mut self, batch: usize) -> Result<(), Error> {
        self.note(None, format!("predict_batch_begin {batch}"))
    }
    fn on_predict_batch_end(&mut self, batch: usize) -> Result<(), Error> {
        self.note(None, format!("predict_batch_end {batch}"))
    }
    fn on_predict_end(&mut self) -> Result<(), Error> {
        self.note(None, "predict_end".into())
    }
}

#[test]
fn events_come_in_the_order_that_keras_documents() {
    let log = Log::default();
    let (mut watch, data, held_out) = (Watch::new(&log), rings(100), rings(30));
    let fit = Fit {
        epochs: 2,
        batch_size: 60,
        validation: Some(&held_out),
        validation_freq: 2,
        validation_batch_size: Some(20),
        callbacks: vec![&mut watch],
        ..Fit::default()
    };
    let history = model::<f32>(Adam::default()).fit(&data, fit).expect("training works");
    let expected = [
        "train_begin",
        "epoch_begin 1",
        "batch_begin 1",
        "batch_end 1:1/2 60/100",
        "batch_begin 2",
        "batch_end 1:2/2 100/100",
        "epoch_end 1",
        "epoch_begin 2",
        "batch_begin 1",
        "batch_end 2:1/2 60/100",
        "batch_begin 2",
        "batch_end 2:2/2 100/100",
        "test_begin 30",
        "test_batch_begin 1",
        "test_batch_end 1",
        "test_batch_begin 2",
        "test_batch_end 2",
        "test_end 30",
        "epoch_end 2",
        "train_end",
    ];
    assert_eq!(*log.borrow(), expected);
    assert_eq!((history.values("loss").len(), history.values("val_loss").len()), (2, 1));
    assert_eq!(history.epochs[0].val_accuracy, None);
}

#[test]
fn evaluation_and_prediction_have_events_of_their_own() {
    let log = Log::default();
    let (mut watch, data, model) = (Watch::new(&log), rings(30), model::<f32>(Adam::default()));
    let evaluate = Evaluate { batch_size: 20, callbacks: vec![&mut watch], ..Evaluate::default() };
    assert_eq!(model.evaluate_with(&data, evaluate).unwrap(), model.evaluate(&data).unwrap());
    let test = ["begin 30", "batch_begin 1", "batch_end 1", "batch_begin 2", "batch_end 2", "end 30"];
    assert_eq!(*log.borrow(), test.map(|event| format!("test_{event}")));
    log.borrow_mut().clear();
    let predict = Predict { batch_size: 20, callbacks: vec![&mut watch] };
    assert_eq!(model.predict_with(&data, predict).unwrap(), model.predict(&data).unwrap());
    let predict = ["begin 30", "batch_begin 1", "batch_end 1", "batch_begin 2", "batch_end 2", "end"];
    assert_eq!(*log.borrow(), predict.map(|event| format!("predict_{event}")));
    let options = || Predict { batch_size: 0, ..Predict::default() };
    assert_eq!(
        model.predict_with(&data, options()).unwrap_err().to_string(),
        "batch_size is 0, expected at least 1"
    );
}

#[test]
fn a_stop_ends_training_where_it_was_asked_for() {
    for (stop_at, epochs, last_events, place) in [
        ("train_begin", 0, &["train_begin", "train_end"][..], (0, None)),
        ("epoch_begin 2", 1, &["epoch_begin 2", "train_end"], (2, Some(0))),
        ("batch_begin 1", 0, &["batch_begin 1", "batch_end 1:1/2 60/100", "train_end"], (1, Some(1))),
        ("batch_end 2:1/2 60/100", 1, &["batch_end 2:1/2 60/100", "train_end"], (2, Some(1))),
        ("batch_end 2:2/2 100/100", 1, &["batch_end 2:2/2 100/100", "train_end"], (2, Some(2))),
        ("epoch_end 2", 2, &["epoch_end 2", "train_end"], (2, None)),
    ] {
        let log = Log::default();
        let (mut first, mut second) = (Watch::new(&log), Watch::new(&log));
        (first.stop_at, second.name) = (stop_at, "second ");
        let callbacks: Vec<&mut dyn Callback> = vec![&mut first, &mut second];
        let fit = Fit { epochs: 3, batch_size: 60, callbacks, ..Fit::default() };
        let history = model::<f32>(Adam::default()).fit(&rings(100), fit).expect("a stop is no error");
        assert_eq!(history.epochs.len(), epochs, "{stop_at}");
        let stop = history.stop.expect("it was stopped");
        assert_eq!((stop.epoch, stop.batch, &*stop.reason), (place.0, place.1, "it was enough"), "{stop_at}");
        let both = last_events.iter().flat_map(|event| [event.to_string(), format!("second {event}")]);
        let both: Vec<String> = both.collect();
        assert_eq!(log.borrow()[log.borrow().len() - both.len()..], both, "{stop_at}");
    }
}

#[test]
fn an_error_of_a_callback_ends_training_and_the_others_hear_of_it() {
    for fail_at in
        ["train_begin", "epoch_begin 1", "batch_end 1:1/1 9/9", "test_end 9", "epoch_end 1", "train_end"]
    {
        let log = Log::default();
        let (mut first, mut second) = (Watch::new(&log), Watch::new(&log));
        (first.fail_at, second.name) = (fail_at, "second ");
        let callbacks: Vec<&mut dyn Callback> = vec![&mut first, &mut second];
        let data = rings(9);
        let fit = Fit { epochs: 3, validation: Some(&data), callbacks, ..Fit::default() };
        let error = model::<f32>(Adam::default()).fit(&data, fit).unwrap_err();
        assert!(matches!(error, Error::NoSamples), "{fail_at}: {error}");
        let log = log.borrow();
        assert_eq!(log[log.len() - 2..], ["train_end", "second train_end"], "{fail_at}");
        assert!(log.contains(&format!("second {fail_at}")), "{fail_at}: {log:?}");
    }
}

#[test]
fn closures_are_called_at_their_events() {
    let log = Log::default();
    let note = |event: String| log.borrow_mut().push(event);
    let mut lambda = LambdaCallback::new()
        .on_train_begin(|_| note("train_begin".into()))
        .on_train_end(|_| note("train_end".into()))
        .on_epoch_begin(|_, epoch| note(format!("epoch_begin {epoch}")))
        .on_epoch_end(|training, epoch| {
            note(format!("epoch_end {}", epoch.epoch));
            training.stop("enough");
        })
        .on_train_batch_begin(|_, batch| note(format!("batch_begin {batch}")))
        .on_train_batch_end(|_, progress| note(format!("batch_end {}", progress.batch)));
    let fit = Fit { epochs: 3, callbacks: vec![&mut lambda], ..Fit::default() };
    let history = model::<f32>(Adam::default()).fit(&rings(9), fit).unwrap();
    assert_eq!(history.stop.unwrap().to_string(), "stopped after epoch 1: enough");
    drop(lambda);
    let expected =
        ["train_begin", "epoch_begin 1", "batch_begin 1", "batch_end 1", "epoch_end 1", "train_end"];
    assert_eq!(*log.borrow(), expected);
}

#[test]
fn progress_is_written_as_keras_writes_it() {
    let data = rings(100);
    let text = |verbosity| {
        let mut text = Vec::new();
        let mut bar = ProgressBar::to(&mut text, verbosity);
        let mut stop = LambdaCallback::new().on_epoch_end(|training, epoch| {
            if epoch.epoch == 2 {
                training.stop("enough");
            }
        });
        let fit = Fit {
            epochs: 3,
            batch_size: 40,
            validation_split: Some(ValidationSplit::Last(0.2)),
            validation_freq: 2,
            callbacks: vec![&mut bar, &mut stop],
            ..Fit::default()
        };
        model::<f32>(Adam::default()).fit(&data, fit).unwrap();
        String::from_utf8(text).unwrap()
    };
    assert_eq!(text(Verbosity::Silent), "");
    let lines = text(Verbosity::Lines);
    let lines: Vec<&str> = lines.lines().collect();
    assert_eq!(lines.len(), 6, "{lines:?}");
    assert_eq!(lines[0], "validation on the last 20 of 100 samples");
    assert_eq!((lines[1], lines[3], lines[5]), ("Epoch 1/3", "Epoch 2/3", "stopped: enough"));
    assert!(lines[2].starts_with("2/2 - 0s - ") && lines[2].contains("s/step - loss: "), "{}", lines[2]);
    assert!(!lines[2].contains("val_loss") && lines[4].contains(" - val_loss: "), "{lines:?}");

    let bar = text(Verbosity::Bar);
    let epochs: Vec<&str> = bar.lines().collect();
    assert_eq!(epochs.len(), 6, "{epochs:?}");
    let (first, last) = epochs[2].split_once('\r').expect("it was drawn over");
    assert!(first.starts_with("1/2 ━━━━━━━━━━────────── 0s "), "{first}");
    assert!(last.starts_with("2/2 ━━━━━━━━━━━━━━━━━━━━ 0s ") && last.contains("- accuracy: "), "{last}");
}
