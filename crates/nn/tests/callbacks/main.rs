//! Callbacks by what Keras's do (keras/src/callbacks, version 3): sequences of values and what becomes of them, and files.

mod events;
mod files;

use densely::callbacks::{
    AnyModel, CsvLogger, EarlyStopping, LearningRateScheduler, Mode, ModelCheckpoint, ReduceLrOnPlateau, Run,
    SaveFreq, TerminateOnNan,
};
use densely::*;
use std::path::Path;

/// Points on two rings; no straight line parts them.
fn rings(samples: usize) -> Dataset {
    let mut values = Vec::new();
    for i in 0..samples {
        let (angle, radius) = (2.4 * i as f64, if i % 2 == 0 { 0.4 } else { 1.0 });
        values.extend([radius * angle.cos(), radius * angle.sin()]);
    }
    let labels = (0..samples).map(|i| (i % 2) as u32).collect();
    Dataset::from_floats(2, values, labels, 2).expect("the data are valid")
}

fn model<T: Scalar>(optimizer: impl Into<Optimizer>) -> Model<T> {
    Sequential::new(2)
        .add(Dense::new(8).activation(Activation::Tanh))
        .add(Dense::new(2).activation(Activation::Softmax))
        .compile(Compile { optimizer: optimizer.into(), seed: 5, ..Compile::default() })
        .expect("the network is valid")
}

/// A network whose outputs a large step takes beyond all numbers.
fn unbounded() -> Model<f32> {
    Sequential::new(2)
        .add(Dense::new(8).activation(Activation::Relu))
        .add(Dense::new(2).activation(Activation::Softmax))
        .compile(Compile { optimizer: Sgd::new(0.1).into(), seed: 5, ..Compile::default() })
        .expect("the network is valid")
}

/// Gives a callback the epochs that it would hear of in a run with these values, in place of those that were measured.
struct Fed<'a, C> {
    callback: &'a mut C,
    name: &'static str,
    values: &'a [f64],
}

impl<C: Callback> Fed<'_, C> {
    fn epoch(&self, epoch: &Epoch) -> Epoch {
        let value = self.values[epoch.epoch - 1];
        // A value that is not a number stands for one that was not measured.
        let measured = (!value.is_nan()).then_some(value);
        match self.name {
            "val_loss" => Epoch { val_loss: measured, ..epoch.clone() },
            "val_accuracy" => Epoch { val_accuracy: measured, ..epoch.clone() },
            other => panic!("{other} is not fed here"),
        }
    }
}

impl<C: Callback> Callback for Fed<'_, C> {
    fn validate(&self, run: &Run) -> Result<(), Error> {
        self.callback.validate(run)
    }
    fn on_train_begin(&mut self, training: &mut Training<'_>) -> Result<(), Error> {
        self.callback.on_train_begin(training)
    }
    fn on_train_end(&mut self, training: &mut Training<'_>) -> Result<(), Error> {
        self.callback.on_train_end(training)
    }
    fn on_epoch_begin(&mut self, training: &mut Training<'_>, epoch: usize) -> Result<(), Error> {
        self.callback.on_epoch_begin(training, epoch)
    }
    fn on_epoch_end(&mut self, training: &mut Training<'_>, epoch: &Epoch) -> Result<(), Error> {
        let epoch = self.epoch(epoch);
        self.callback.on_epoch_end(training, &epoch)
    }
}

/// Runs as many epochs as there are values, unless the callback stops.
fn feed<C: Callback>(callback: &mut C, name: &'static str, values: &[f64]) -> (Model<f64>, History) {
    let (data, mut model) = (rings(6), model::<f64>(Sgd::new(0.1)));
    let mut fed = Fed { callback, name, values };
    let fit =
        Fit { epochs: values.len(), validation: Some(&data), callbacks: vec![&mut fed], ..Fit::default() };
    let history = model.fit(&data, fit).expect("the callback has valid settings");
    (model, history)
}

const NOT_MEASURED: f64 = f64::NAN;

#[test]
fn early_stopping_stops_where_keras_does() {
    let loss = || EarlyStopping::new("val_loss");
    let accuracy = || EarlyStopping::new("val_accuracy");
    /// Name, callback, values, the epoch after which it stops (if it does), the best epoch.
    type Case = (&'static str, EarlyStopping, &'static [f64], Option<usize>, usize);
    let cases: [Case; 20] = [
        ("patience 0: at the first epoch without improvement", loss(), &[5., 4., 4., 3.], Some(3), 2),
        ("patience 1 is the same", loss().patience(1), &[5., 4., 4., 3.], Some(3), 2),
        ("patience 2", loss().patience(2), &[5., 4., 4., 4., 3.], Some(4), 2),
        ("an improvement starts the patience anew", loss().patience(2), &[5., 6., 4., 6., 3.], None, 5),
        ("always better", loss(), &[5., 4., 3., 2.], None, 4),
        ("never better", loss(), &[5., 5., 5.], Some(2), 1),
        ("accuracy grows", accuracy(), &[0.5, 0.6, 0.6, 0.7], Some(3), 2),
        ("mode against the name", loss().mode(Mode::Max), &[1., 2., 1.], Some(3), 2),
        ("min_delta is not reached", loss().min_delta(0.5), &[5., 4.5, 4.], Some(2), 1),
        ("min_delta is passed", loss().min_delta(0.5), &[5., 4.25, 3.5], None, 3),
        (
            "small steps add up against the best",
            loss().min_delta(0.5).patience(2),
            &[5., 4.75, 4.25, 4., 3.9],
            Some(5),
            3,
        ),
        ("the sign of min_delta does not count", loss().min_delta(-0.5), &[5., 4.5, 4.], Some(2), 1),
        ("min_delta upwards", accuracy().min_delta(0.25), &[0.25, 0.5, 0.625], Some(2), 1),
        (
            "a baseline that is not reached",
            loss().baseline(1.).patience(3),
            &[5., 4., 3., 3.5, 2.],
            Some(4),
            3,
        ),
        (
            "better values are no stop, even below the baseline",
            loss().baseline(1.),
            &[5., 4., 3., 2.],
            None,
            4,
        ),
        ("a baseline that is reached", loss().baseline(4.5).patience(2), &[5., 4., 4., 4., 4.], Some(4), 2),
        (
            "a baseline with min_delta",
            loss().baseline(4.).min_delta(0.5).patience(2),
            &[5., 3.75, 3.75, 3.],
            Some(3),
            2,
        ),
        ("the first epochs are not looked at", loss().start_from_epoch(2), &[1., 2., 3., 2., 3.], Some(5), 4),
        (
            "start_from_epoch: the best of them is not the best",
            loss().start_from_epoch(1),
            &[1., 3., 2., 2.],
            Some(4),
            3,
        ),
        (
            "what is not measured does not count",
            loss().patience(2),
            &[5., NOT_MEASURED, 6., NOT_MEASURED, 6., 6.],
            Some(5),
            1,
        ),
    ];
    for (name, mut stopping, values, stop, best) in cases {
        let monitor = if values[0] < 1.0 { "val_accuracy" } else { "val_loss" };
        let (_, history) = feed(&mut stopping, monitor, values);
        assert_eq!(history.stop.as_ref().map(|stop| stop.epoch), stop, "{name}: {:?}", history.stop);
        assert_eq!(history.epochs.len(), stop.unwrap_or(values.len()), "{name}");
        assert_eq!(stopping.best(), Some((best, values[best - 1])), "{name}");
        if let Some(stop) = history.stop {
            assert_eq!(stop.batch, None, "{name}");
            assert!(stop.reason.starts_with("EarlyStopping: val_"), "{name}: {}", stop.reason);
        }
    }
}

#[test]
fn the_best_weights_come_back_however_training_ends() {
    let fingerprint_after = |epochs| {
        let mut model = model::<f64>(Sgd::new(0.1));
        model.fit(&rings(6), Fit { epochs, ..Fit::default() }).expect("training works");
        model.fingerprint()
    };
    let restoring = || EarlyStopping::new("val_loss").patience(2).restore_best_weights(true);
    for (mut stopping, values, kept) in [
        (restoring(), &[5., 4., 3., 6., 6., 1.][..], 3), // after a stop
        (restoring(), &[5., 4., 6.], 2),                 // after the last epoch
        (restoring(), &[5., 4., 3.], 3),
        (EarlyStopping::new("val_loss").patience(2), &[5., 4., 3., 6., 6., 1.], 5),
    ] {
        let (model, _) = feed(&mut stopping, "val_loss", values);
        assert_eq!(model.fingerprint(), fingerprint_after(kept), "{values:?}");
    }
    // The same callback again begins anew.
    let mut stopping = restoring();
    feed(&mut stopping, "val_loss", &[1., 2., 3., 4.]);
    let (_, history) = feed(&mut stopping, "val_loss", &[5., 4., 3.]);
    assert!(history.stop.is_none());
    assert_eq!(stopping.best(), Some((3, 3.0)));
}

#[test]
fn the_learning_rate_falls_where_keras_lets_it() {
    let loss = || ReduceLrOnPlateau::new("val_loss").factor(0.5);
    // callback, values, the learning rate in each epoch
    let cases: [(&str, ReduceLrOnPlateau, &[f64], &[f64]); 10] = [
        ("patience 1", loss().patience(1), &[5.; 4], &[1., 1., 0.5, 0.25]),
        ("patience 0 is the same", loss().patience(0), &[5.; 4], &[1., 1., 0.5, 0.25]),
        ("patience 2", loss().patience(2), &[5.; 6], &[1., 1., 1., 0.5, 0.5, 0.25]),
        (
            "an improvement",
            loss().patience(2),
            &[5., 4., 4., 4., 3., 3., 3.],
            &[1., 1., 1., 1., 0.5, 0.5, 0.5],
        ),
        ("cooldown", loss().patience(1).cooldown(2), &[5.; 8], &[1., 1., 0.5, 0.5, 0.25, 0.25, 0.125, 0.125]),
        (
            "cooldown and patience",
            loss().patience(2).cooldown(1),
            &[5., 5., 6., 4., 4., 4., 4., 4.],
            &[1., 1., 1., 0.5, 0.5, 0.5, 0.25, 0.25],
        ),
        ("min_lr", loss().patience(1).min_lr(0.3), &[5.; 6], &[1., 1., 0.5, 0.3, 0.3, 0.3]),
        ("upwards", loss().patience(1).mode(Mode::Max), &[0.5, 0.5, 0.75, 0.75], &[1., 1., 0.5, 0.5]),
        (
            "min_delta",
            loss().patience(1).min_delta(0.5),
            &[5., 4.75, 4.5, 4.25, 4.],
            &[1., 1., 0.5, 0.25, 0.25],
        ),
        (
            "not measured",
            loss().patience(2),
            &[5., NOT_MEASURED, 5., NOT_MEASURED, 5., 5.],
            &[1., 1., 1., 1., 1., 0.5],
        ),
    ];
    for (name, mut reduce, values, rates) in cases {
        let (data, mut model) = (rings(6), model::<f64>(Sgd::new(1.0)));
        let mut fed = Fed { callback: &mut reduce, name: "val_loss", values };
        let fit = Fit {
            epochs: values.len(),
            validation: Some(&data),
            callbacks: vec![&mut fed],
            ..Fit::default()
        };
        let history = model.fit(&data, fit).expect("the settings are valid");
        assert_eq!(history.values("learning_rate"), rates, "{name}");
    }
}

#[test]
fn another_learning_rate_is_that_of_the_next_step() {
    let data = rings(20);
    let rates = [0.5, 0.25, 0.125];
    let mut scheduled = model::<f64>(Sgd::new(1.0));
    let mut seen = Vec::new();
    let mut scheduler = LearningRateScheduler::new(|epoch, rate| {
        seen.push((epoch, rate));
        rates[epoch - 1]
    });
    scheduled.fit(&data, Fit { epochs: 3, callbacks: vec![&mut scheduler], ..Fit::default() }).unwrap();
    assert_eq!(seen, [(1, 1.0), (2, 0.5), (3, 0.25)]);

    let mut by_hand = model::<f64>(Sgd::new(1.0));
    for rate in rates {
        AnyModel::set_learning_rate(&mut by_hand, rate).unwrap();
        by_hand.fit(&data, Fit::default()).unwrap();
    }
    assert_eq!(scheduled.fingerprint(), by_hand.fingerprint());

    for wrong in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let mut scheduler = LearningRateScheduler::new(|_, _| wrong);
        let fit = Fit { callbacks: vec![&mut scheduler], ..Fit::default() };
        let error = model::<f32>(Sgd::new(1.0)).fit(&data, fit).unwrap_err().to_string();
        assert!(error.contains("learning_rate is "), "{error}");
    }
}

/// Ruins the parameters at the beginning of an epoch.
struct Ruin(usize);

impl Callback for Ruin {
    fn on_epoch_begin(&mut self, training: &mut Training<'_>, epoch: usize) -> Result<(), Error> {
        if epoch == self.0 { training.model_mut().set_learning_rate(1e38) } else { Ok(()) }
    }
}

#[test]
fn the_best_weights_come_back_after_a_loss_that_is_no_number() {
    let data = rings(40);
    let mut expected = unbounded();
    expected.fit(&data, Fit { epochs: 3, ..Fit::default() }).expect("training works");
    for terminate in [false, true] {
        let mut model = unbounded();
        let mut stopping = EarlyStopping::new("loss").patience(9).restore_best_weights(true);
        let (mut ruin, mut quiet) = (Ruin(4), TerminateOnNan);
        let mut callbacks: Vec<&mut dyn Callback> = vec![&mut stopping, &mut ruin];
        if terminate {
            callbacks.push(&mut quiet);
        }
        let result = model.fit(&data, Fit { epochs: 9, callbacks, ..Fit::default() });
        assert_eq!(model.fingerprint(), expected.fingerprint());
        assert!(model.evaluate(&data).expect("the weights are finite").loss.is_finite());
        match result {
            Err(error) => assert!(!terminate && error.to_string().contains("epoch 4"), "{error}"),
            Ok(history) => {
                assert!(terminate && history.epochs.len() == 3);
                let stop = history.stop.expect("it was stopped");
                assert!(stop.epoch == 4 && stop.reason.starts_with("TerminateOnNan: "), "{stop}");
            }
        }
    }
}

/// Stops training before a batch, and fails when it hears of numbers that ran out.
#[derive(Default)]
struct StopsAndFails {
    stops_in_epoch: Option<usize>,
    fails: bool,
    epoch: usize,
}

impl Callback for StopsAndFails {
    fn on_epoch_begin(&mut self, _: &mut Training<'_>, epoch: usize) -> Result<(), Error> {
        self.epoch = epoch;
        Ok(())
    }

    fn on_train_batch_begin(&mut self, training: &mut Training<'_>, batch: usize) -> Result<(), Error> {
        if self.stops_in_epoch == Some(self.epoch) && batch == 2 {
            training.stop("enough");
        }
        Ok(())
    }

    fn on_non_finite(&mut self, _: &mut Training<'_>, _: &Error) -> Result<(), Error> {
        if self.fails { Err(DescriptionError::NoParameters.into()) } else { Ok(()) }
    }
}

#[test]
fn numbers_that_ran_out_stay_the_error_unless_a_callback_makes_them_an_end() {
    // stops before, fails, with TerminateOnNan, whether there is an error
    for (stops, fails, terminates, is_error) in [
        (false, false, false, true),
        (true, false, false, true),
        (false, true, false, true),
        (false, true, true, true),
        (false, false, true, false),
        (true, false, true, false),
    ] {
        let data = rings(40);
        let mut model = unbounded();
        let mut ruin = Ruin(4);
        let mut other = StopsAndFails { stops_in_epoch: stops.then_some(4), fails, epoch: 0 };
        let mut terminate = TerminateOnNan;
        let mut callbacks: Vec<&mut dyn Callback> = vec![&mut ruin, &mut other];
        if terminates {
            callbacks.push(&mut terminate);
        }
        let fitted = model.fit(&data, Fit { epochs: 9, callbacks, ..Fit::default() });
        match fitted {
            Err(error) => assert!(is_error && error.to_string().contains("step 2 of epoch 4"), "{error}"),
            Ok(history) => {
                let reason = history.stop.expect("an end").reason;
                assert!(
                    !is_error && reason.starts_with(if stops { "enough" } else { "TerminateOnNan" }),
                    "{reason}"
                );
            }
        }
    }
}

#[test]
fn a_falling_rate_stays_a_rate() {
    let mut reduce = ReduceLrOnPlateau::new("loss").patience(1).min_delta(1e9);
    let mut model = model::<f32>(Sgd::new(1e-36));
    let fit = Fit { epochs: 8, callbacks: vec![&mut reduce], ..Fit::default() };
    model.fit(&rings(10), fit).expect("no rate is refused");
    assert_eq!(model.learning_rate(), f64::from(f32::MIN_POSITIVE));

    let mut scheduled = self::model::<f32>(Sgd::new(schedules::CosineDecay::new(0.1, 9)));
    let before = scheduled.fingerprint();
    let error =
        scheduled.fit(&rings(10), Fit { callbacks: vec![&mut reduce], ..Fit::default() }).unwrap_err();
    assert!(matches!(error, Error::Description(DescriptionError::ScheduledLearningRate { .. })), "{error}");
    assert_eq!(scheduled.fingerprint(), before);
}

#[test]
fn without_early_stopping_the_weights_after_a_loss_that_is_no_number_are_finite() {
    let data = rings(40);
    let mut model = unbounded();
    let mut ruin = Ruin(4);
    let fit = Fit { epochs: 9, callbacks: vec![&mut ruin], ..Fit::default() };
    let error = model.fit(&data, fit).unwrap_err().to_string();
    assert!(error.contains("step 2 of epoch 4"), "{error}");
    assert!(model.parameters().values().iter().all(|value| value.is_finite()));
}

#[test]
fn the_message_names_the_layer_where_numbers_ran_out() {
    let data = Dataset::from_floats(1, vec![1.0, 2.0], vec![0, 1], 2).expect("valid data");
    let network = |activation| {
        Sequential::new(1)
            .add(Dense::new(2).use_bias(false))
            .add(Dense::new(2).activation(activation))
            .add(Dense::new(2).activation(Activation::Softmax))
    };
    for (tensor, value, expected) in [
        (
            0,
            f32::NAN,
            "the first that is not one is value 1 of dense.kernel in layer 1 (dense), after the step before",
        ),
        (0, f32::MAX, "the first that is not one is in the output of layer 1 (dense)"),
        (
            1,
            f32::INFINITY,
            "the first that is not one is value 1 of dense_1.kernel in layer 2 (dense_1), after the step before",
        ),
        (2, 1e4, "the first that is not one is in the output of layer 2 (dense_1)"),
        (
            4,
            f32::NEG_INFINITY,
            "the first that is not one is value 1 of dense_2.bias in layer 3 (dense_2), after the step before",
        ),
    ] {
        let activation = if tensor == 2 { Activation::Exponential } else { Activation::Linear };
        let mut model = network(activation).compile::<f32>(Compile::default()).expect("a valid network");
        model.parameters_mut().tensor_mut(tensor)[1] = value;
        let error = model.fit(&data, Fit::default()).unwrap_err().to_string();
        assert!(error.starts_with("the loss is ") && error.contains("at step 1 of epoch 1"), "{error}");
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn a_wrong_name_is_named_with_the_near_one_before_anything_happens() {
    let data = rings(9);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("log.csv");
    std::fs::write(&path, "what was there").expect("the folder is writable");
    let check = |callback: &mut dyn Callback, validated: bool, expected: &str| {
        let mut logger = CsvLogger::new(&path);
        let callbacks: Vec<&mut dyn Callback> = vec![&mut logger, callback];
        let fit = Fit { validation: validated.then_some(&data), callbacks, ..Fit::default() };
        let mut model = model::<f32>(Adam::default());
        let before = model.fingerprint();
        assert_eq!(model.fit(&data, fit).unwrap_err().to_string(), expected);
        assert_eq!(model.fingerprint(), before);
        assert_eq!(std::fs::read_to_string(&path).expect("it is there"), "what was there");
    };
    check(
        &mut EarlyStopping::new("val_los"),
        true,
        "EarlyStopping: no value is named val_los, expected one of loss, accuracy, val_loss, val_accuracy, \
         learning_rate; did you mean `val_loss`?",
    );
    check(
        &mut EarlyStopping::default(),
        false,
        "EarlyStopping: no value is named val_loss, expected one of loss, accuracy, learning_rate",
    );
    check(
        &mut EarlyStopping::new("learning_rate"),
        true,
        "EarlyStopping: learning_rate does not tell which way it gets better, expected mode Min or Max",
    );
    check(
        &mut EarlyStopping::new("loss").min_delta(f64::NAN),
        true,
        "EarlyStopping: min_delta is NaN, expected a finite number",
    );
    check(
        &mut ModelCheckpoint::new("m").monitor("val_acuracy").save_best_only(true),
        true,
        "ModelCheckpoint: no value is named val_acuracy, expected one of loss, accuracy, val_loss, val_accuracy, \
         learning_rate; did you mean `val_accuracy`?",
    );
    check(
        &mut ModelCheckpoint::new("m-{val_loss:.2}").save_freq(SaveFreq::Batches(2)),
        true,
        "ModelCheckpoint: no value is named val_loss, expected one of loss, accuracy",
    );
    check(
        &mut ModelCheckpoint::new("m").save_freq(SaveFreq::Batches(0)),
        true,
        "ModelCheckpoint: save_freq is 0, expected at least 1",
    );
    check(
        &mut CsvLogger::new("log.csv").separator('.'),
        true,
        "the separator is '.', expected a character that no number and no name has, such as ','",
    );
}

#[test]
fn weights_go_back_into_their_own_kind_of_model_only() {
    let (mut single, mut double) = (model::<f32>(Adam::default()), model::<f64>(Adam::default()));
    let mut wider: Model<f32> = Sequential::new(2)
        .add(Dense::new(3))
        .add(Dense::new(2).activation(Activation::Softmax))
        .compile(Compile::default())
        .unwrap();
    let (weights, before) = (single.weights().unwrap(), single.fingerprint());
    single.fit(&rings(9), Fit::default()).unwrap();
    assert_ne!(single.fingerprint(), before);
    single.set_weights(&weights).unwrap();
    assert_eq!(single.fingerprint(), before);
    for other in [&mut double as &mut dyn AnyModel, &mut wider] {
        let before = other.fingerprint();
        assert!(matches!(other.set_weights(&weights), Err(Error::OtherWeights)));
        assert_eq!(other.fingerprint(), before);
    }
}
