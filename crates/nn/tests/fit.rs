//! The options of `fit`, and batches one by one.

use densely::callbacks::{LambdaCallback, ProgressBar, Verbosity};
use densely::*;

fn data(samples: usize) -> Dataset {
    let values = (0..2 * samples).map(|i| (1.7 * i as f64 + 0.3).sin()).collect();
    let labels = (0..samples).map(|sample| (sample * sample + 1) as u32 % 3).collect();
    Dataset::from_floats(2, values, labels, 3).expect("the data are valid")
}

fn model() -> Model<f32> {
    Sequential::new(2)
        .add(Dense::new(8).activation(Activation::Relu))
        .add(Dropout::new(0.2))
        .add(Dense::new(3).activation(Activation::Softmax))
        .compile(Compile { seed: 3, ..Compile::default() })
        .expect("the network is valid")
}

/// The parameters after a run, and its history.
#[track_caller]
fn run(data: &Dataset, fit: Fit<'_>) -> (String, History) {
    let mut model = model();
    let history = model.fit(data, fit).expect("the settings are valid");
    (model.fingerprint(), history)
}

#[test]
fn steps_that_are_cut_into_other_epochs_are_the_same_steps() {
    let data = data(50);
    // A pass has 4 steps, the last one smaller.
    let whole = run(&data, Fit { epochs: 3, batch_size: 15, ..Fit::default() }).0;
    for (epochs, steps) in [(3, 4), (12, 1), (6, 2), (4, 3), (2, 6), (1, 12)] {
        let fit = Fit { epochs, batch_size: 15, steps_per_epoch: Some(steps), ..Fit::default() };
        let (fingerprint, history) = run(&data, fit);
        assert_eq!(fingerprint, whole, "{epochs} epochs of {steps} steps");
        assert_eq!(history.epochs.len(), epochs);
    }
}

#[test]
fn an_epoch_of_some_steps_knows_its_samples() {
    let data = data(50);
    let mut seen = Vec::new();
    let mut notes = LambdaCallback::new().on_train_batch_end(|training, progress| {
        assert_eq!((training.run().steps, training.run().samples), (3, 50));
        seen.push((
            progress.epoch,
            progress.batch,
            progress.batches,
            progress.samples_seen,
            progress.samples,
        ));
    });
    let callbacks: Vec<&mut dyn Callback> = vec![&mut notes];
    run(&data, Fit { epochs: 2, batch_size: 15, steps_per_epoch: Some(3), callbacks, ..Fit::default() });
    drop(notes);
    let expected = [
        (1, 1, 3, 15, 45),
        (1, 2, 3, 30, 45),
        (1, 3, 3, 45, 45),
        (2, 1, 3, 5, 35),
        (2, 2, 3, 20, 35),
        (2, 3, 3, 35, 35),
    ];
    assert_eq!(seen, expected);
}

#[test]
fn a_run_from_a_later_epoch_has_the_order_and_the_masks_of_that_epoch() {
    let data = data(50);
    for steps_per_epoch in [None, Some(3), Some(5)] {
        let fit = |initial_epoch, epochs| Fit {
            initial_epoch,
            epochs,
            batch_size: 15,
            steps_per_epoch,
            ..Fit::default()
        };
        // Without moments in the optimizer, what a saved model lacks is the place in the data alone.
        let compile = || Compile { optimizer: Sgd::new(0.1).into(), seed: 3, ..Compile::default() };
        let model = || model().description().compile::<f32>(compile()).unwrap();
        let mut whole = model();
        whole.fit(&data, fit(0, 5)).unwrap();
        let mut first = model();
        first.fit(&data, fit(0, 2)).unwrap();
        let mut second = model();
        second.parameters_mut().values_mut().copy_from_slice(first.parameters().values());
        let history = second.fit(&data, fit(2, 5)).unwrap();
        assert_eq!(second.fingerprint(), whole.fingerprint(), "{steps_per_epoch:?}");
        assert_eq!(history.epochs.iter().map(|epoch| epoch.epoch).collect::<Vec<_>>(), [3, 4, 5]);
    }
}

#[test]
fn a_validation_split_is_what_splitting_by_hand_is() {
    let data = data(50);
    for (split, by_hand, text) in [
        (ValidationSplit::Last(0.3), data.split_last(15), "the last 15 of 50 samples"),
        (
            ValidationSplit::Random(0.3),
            data.split_random(15, 3),
            "15 of 50 samples, chosen at random with seed 3",
        ),
        (
            ValidationSplit::Stratified(0.3),
            data.split_stratified(15, 3),
            "15 of 50 samples, of each class its share, with seed 3",
        ),
    ] {
        let (rest, part) = by_hand.unwrap();
        let (expected, history) = run(&rest, Fit { epochs: 2, validation: Some(&part), ..Fit::default() });
        assert_eq!(history.held_out, None);
        let val_loss = history.values("val_loss");
        let fit = Fit { epochs: 2, validation_split: Some(split), ..Fit::default() };
        let (fingerprint, history) = run(&data, fit);
        assert_eq!((fingerprint, history.values("val_loss")), (expected, val_loss), "{split:?}");
        assert_eq!(history.held_out.unwrap().to_string(), text);
    }
}

#[test]
fn what_validation_steps_leave_of_a_split_is_said() {
    let data = data(50);
    let part = data.split_random(15, 3).expect("50 samples").1;
    let first = part.split_last(5).expect("15 samples").0;
    for (validation_steps, evaluated, text) in [
        (2, 10, "15 of 50 samples, chosen at random with seed 3; the first 10 of these 15 are evaluated"),
        (3, 15, "15 of 50 samples, chosen at random with seed 3"),
    ] {
        let mut printed = Vec::new();
        let mut lines = ProgressBar::to(&mut printed, Verbosity::Lines);
        let fit = Fit {
            validation_split: Some(ValidationSplit::Random(0.3)),
            validation_batch_size: Some(5),
            validation_steps: Some(validation_steps),
            callbacks: vec![&mut lines],
            ..Fit::default()
        };
        let mut model = model();
        let history = model.fit(&data, fit).expect("the settings are valid");
        let held_out = history.held_out.expect("a part was held out");
        assert_eq!(
            (held_out.held_out, held_out.evaluated, held_out.to_string()),
            (15, evaluated, text.into())
        );
        let printed = String::from_utf8(printed).expect("it is text");
        assert!(printed.starts_with(&format!("validation on {text}\n")), "{printed}");
        let evaluated = if evaluated == 10 { &first } else { &part };
        assert_eq!(history.epochs[0].val_loss, Some(model.evaluate(evaluated).expect("they fit").loss));
    }
}

#[test]
fn the_size_of_validation_batches_changes_no_figure() {
    let data = data(50);
    let validated = |validation_batch_size| {
        let fit = Fit { epochs: 2, validation: Some(&data), validation_batch_size, ..Fit::default() };
        run(&data, fit).1.values("val_loss")
    };
    assert_eq!(validated(None), validated(Some(7)));
    assert_eq!(validated(None), validated(Some(usize::MAX)));
}

#[test]
fn settings_that_cannot_be_are_named() {
    let data = data(50);
    let one = data.split_last(49).unwrap().0;
    for (data, fit, expected) in [
        (
            &data,
            Fit { steps_per_epoch: Some(0), ..Fit::default() },
            "steps_per_epoch is 0, expected at least 1",
        ),
        (&data, Fit { validation_freq: 0, ..Fit::default() }, "validation_freq is 0, expected at least 1"),
        (
            &data,
            Fit { validation_sample_weights: Some(&[1.0]), ..Fit::default() },
            "validation_sample_weights is given without validation, which it belongs to",
        ),
        (
            &data,
            Fit { validation_steps: Some(2), ..Fit::default() },
            "validation_steps is given without validation or validation_split, which it belongs to",
        ),
        (
            &data,
            Fit { validation_steps: Some(0), ..Fit::default() },
            "validation_steps is 0, expected at least 1",
        ),
        (
            &data,
            Fit {
                epochs: usize::MAX,
                initial_epoch: usize::MAX - 1,
                steps_per_epoch: Some(usize::MAX),
                ..Fit::default()
            },
            "initial_epoch is 18446744073709551614, expected fewer steps before it",
        ),
        (
            &data,
            Fit { validation_batch_size: Some(0), ..Fit::default() },
            "validation_batch_size is 0, expected at least 1",
        ),
        (
            &data,
            Fit { epochs: 2, initial_epoch: 2, ..Fit::default() },
            "initial_epoch is 2, expected less than epochs",
        ),
        (
            &data,
            Fit {
                validation: Some(&data),
                validation_split: Some(ValidationSplit::Last(0.5)),
                ..Fit::default()
            },
            "validation and validation_split are both given, expected one of them",
        ),
        (
            &data,
            Fit { validation_split: Some(ValidationSplit::Last(1.0)), ..Fit::default() },
            "validation_split is 1, expected a share above 0 and below 1",
        ),
        (
            &one,
            Fit { validation_split: Some(ValidationSplit::Random(0.5)), ..Fit::default() },
            "cannot hold out 1 of 1 samples, expected 1 to 0",
        ),
    ] {
        assert_eq!(model().fit(data, fit).unwrap_err().to_string(), expected);
    }
}

#[test]
fn training_on_a_batch_is_a_step_of_fit() {
    let data = data(20);
    let (mut by_batch, mut fitted) = (model(), model());
    for _ in 0..3 {
        let result = by_batch.train_on_batch(&data).unwrap();
        let history = fitted.fit(&data, Fit { batch_size: 20, shuffle: false, ..Fit::default() }).unwrap();
        assert_eq!((result.value("loss"), result.value("accuracy")), (Some(result.loss), result.accuracy));
        assert_eq!((result.loss, result.accuracy), (history.epochs[0].loss, history.epochs[0].accuracy));
        assert_eq!(by_batch.fingerprint(), fitted.fingerprint());
    }
    // Smaller and larger batches than the first.
    for samples in [5, 20, 30] {
        let batch = self::data(samples);
        by_batch.train_on_batch(&batch).unwrap();
        fitted.fit(&batch, Fit { batch_size: samples, shuffle: false, ..Fit::default() }).unwrap();
        assert_eq!(by_batch.fingerprint(), fitted.fingerprint());
    }
    assert_eq!(by_batch.test_on_batch(&data).unwrap().confusion, by_batch.evaluate(&data).unwrap().confusion);
    assert_eq!(by_batch.predict_on_batch(&data).unwrap(), by_batch.predict(&data).unwrap());
    let wrong = Dataset::from_floats(1, vec![0.0], vec![0], 3).unwrap();
    assert!(by_batch.train_on_batch(&wrong).is_err() && by_batch.test_on_batch(&wrong).is_err());
    by_batch.parameters_mut().tensor_mut(0)[0] = f32::INFINITY;
    let error = by_batch.train_on_batch(&data).unwrap_err().to_string();
    assert!(error.contains("value 0 of dense.kernel in layer 1 (dense)"), "{error}");
}

#[test]
fn a_validation_of_some_steps_is_of_the_first_samples() {
    let (data, held_out) = (data(50), data(30));
    let first: Vec<f64> = (0..40).map(|i| (1.7 * f64::from(i) + 0.3).sin()).collect();
    let labels = (0..20).map(|sample| (sample * sample + 1) % 3).collect();
    let first = Dataset::from_floats(2, first, labels, 3).expect("the data are valid");
    let val_loss = |validation, validation_steps| {
        let mut seen = None;
        let mut notes = LambdaCallback::new().on_train_begin(|training| {
            seen = training.run().validation_samples;
        });
        let callbacks: Vec<&mut dyn Callback> = vec![&mut notes];
        let (validation, validation_batch_size) = (Some(validation), Some(10));
        let fit = Fit { validation, validation_batch_size, validation_steps, callbacks, ..Fit::default() };
        let loss = run(&data, fit).1.epochs[0].val_loss;
        drop(notes);
        (seen, loss)
    };
    assert_eq!(val_loss(&held_out, Some(2)), val_loss(&first, None));
    assert_ne!(val_loss(&held_out, Some(2)), val_loss(&held_out, None));
    for steps in [3, usize::MAX] {
        assert_eq!(val_loss(&held_out, Some(steps)), val_loss(&held_out, None));
    }
}

/// Losses of the samples one by one, weighted by hand.
#[test]
fn an_evaluation_weighs_its_samples_as_a_training_does() {
    let data = data(30);
    let weights: Vec<f64> = (0..30).map(|sample| f64::from(sample % 4)).collect();
    for reduction in [Reduction::SumOverBatchSize, Reduction::Sum, Reduction::MeanWithSampleWeight] {
        let model = Sequential::new(2)
            .add(Dense::new(3).activation(Activation::Softmax))
            .compile::<f64>(Compile { seed: 3, reduction, ..Compile::default() })
            .expect("the network is valid");
        let mut sum = 0.0;
        for (sample, weight) in weights.iter().enumerate() {
            let features: Vec<f64> =
                (2 * sample..2 * sample + 2).map(|i| (1.7 * i as f64 + 0.3).sin()).collect();
            let one = Dataset::from_floats(2, features, vec![data.label(sample)], 3).expect("a sample");
            sum += weight * model.evaluate(&one).expect("the data fit").loss;
        }
        let divisor = match reduction {
            Reduction::Sum => 1.0,
            Reduction::SumOverBatchSize => 30.0,
            Reduction::MeanWithSampleWeight => weights.iter().sum(),
        };
        let evaluate = |batch_size| {
            let options = Evaluate { batch_size, sample_weights: Some(&weights), ..Evaluate::default() };
            model.evaluate_with(&data, options).expect("the data fit")
        };
        assert!((evaluate(30).loss - sum / divisor).abs() < 1e-12, "{reduction:?}");
        // The size of batches changes no bit, and weights change neither accuracy nor confusion.
        assert_eq!(evaluate(7), evaluate(30));
        assert_eq!(evaluate(30).confusion, model.evaluate(&data).expect("the data fit").confusion);
        let without = model
            .evaluate_with(&data, Evaluate { sample_weights: Some(&weights[1..]), ..Evaluate::default() });
        let message = without.unwrap_err().to_string();
        assert_eq!(message, "29 sample weights were given for 30 samples, expected one each");

        // A validation is such an evaluation, of its first samples where it is cut.
        let (mut model, validation_sample_weights) = (model, Some(&weights[..]));
        let (validation, validation_batch_size) = (Some(&data), Some(10));
        for (validation_steps, samples) in [(None, 30), (Some(2), 20)] {
            let fit = Fit {
                validation,
                validation_sample_weights,
                validation_batch_size,
                validation_steps,
                ..Fit::default()
            };
            let found = model.fit(&data, fit).expect("the data fit").epochs[0].val_loss;
            let (first, options) = if samples == 30 {
                (data.clone(), Evaluate { sample_weights: Some(&weights), ..Evaluate::default() })
            } else {
                (
                    data.split_last(10).expect("30 samples").0,
                    Evaluate { sample_weights: Some(&weights[..20]), ..Evaluate::default() },
                )
            };
            assert_eq!(found, Some(model.evaluate_with(&first, options).expect("the data fit").loss));
        }
    }
}

#[test]
fn a_batch_takes_weights_and_tells_its_metrics() {
    let data = data(20);
    let weights: Vec<f64> = (0..20).map(|sample| f64::from(sample % 3)).collect();
    let class_weights = [(1, 0.5), (2, 3.0)];
    let compiled = || {
        let mut model = model();
        model
            .set_metrics(vec![Metric::CategoricalAccuracy {}, Metric::ConfusionMatrix {}], Vec::new())
            .expect("they fit");
        model
    };
    let (mut by_batch, mut fitted) = (compiled(), compiled());
    for _ in 0..3 {
        let options = TrainOnBatch { sample_weights: Some(&weights), class_weights: &class_weights };
        let result = by_batch.train_on_batch_with(&data, options).expect("the data fit");
        let fit = Fit {
            batch_size: 20,
            shuffle: false,
            sample_weights: Some(&weights),
            class_weights: &class_weights,
            ..Fit::default()
        };
        let history = fitted.fit(&data, fit).expect("the data fit");
        assert_eq!(by_batch.fingerprint(), fitted.fingerprint());
        assert_eq!(result.loss, history.epochs[0].loss);
        assert_eq!(result.value("categorical_accuracy"), history.epochs[0].value("categorical_accuracy"));
        assert_eq!(result.value("categorical_accuracy"), result.accuracy);
        assert_eq!((result.metrics.len(), result.value("confusion_matrix")), (2, None));
    }
    // Weights are those of one call, and metrics those of one batch.
    fitted.fit(&data, Fit { batch_size: 20, shuffle: false, ..Fit::default() }).expect("the data fit");
    by_batch.train_on_batch(&data).expect("the data fit");
    assert_eq!(by_batch.fingerprint(), fitted.fingerprint());
    let small = self::data(6);
    let result = by_batch.train_on_batch(&small).expect("the data fit");
    assert_eq!(result.value("categorical_accuracy"), result.accuracy);
    by_batch.set_metrics(Vec::new(), Vec::new()).expect("there are none");
    assert!(by_batch.train_on_batch(&small).expect("the data fit").metrics.is_empty());
}
