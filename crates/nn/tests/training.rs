//! What a user sees of training: it learns, counts every sample, can be watched and stopped, and says what is wrong.

use densely::*;

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

fn model(optimizer: impl Into<Optimizer>) -> Model<f32> {
    Sequential::new(2)
        .add(Dense::new(32).activation(Activation::Relu).kernel_initializer(Initializer::HeNormal))
        .add(Dense::new(2).activation(Activation::Softmax))
        .compile(Compile { optimizer: optimizer.into(), seed: 5, ..Compile::default() })
        .expect("the network is valid")
}

#[test]
fn every_optimizer_learns_what_no_line_can_part() {
    let momentum = Sgd { momentum: 0.9, ..Sgd::new(0.1) };
    let optimizers: [Optimizer; 4] = [
        Adam::new(0.02).into(),
        Sgd::new(0.5).into(),
        momentum.clone().into(),
        Sgd { nesterov: true, ..momentum }.into(),
    ];
    for optimizer in optimizers {
        let mut model = model(optimizer.clone());
        let (train, test) = rings(400).split_stratified(100, 1).expect("400 samples");
        let fit = Fit { epochs: 30, validation: Some(&test), ..Fit::default() };
        let history = model.fit(&train, fit).expect("training works");
        let last = history.epochs.last().expect("30 epochs");
        assert_eq!(history.epochs.len(), 30);
        assert!(last.accuracy > Some(0.98) && last.val_accuracy > Some(0.98), "{optimizer:?}: {last:?}");
        assert_eq!(last.val_accuracy, model.evaluate(&test).expect("the data fit").accuracy);
    }
}

#[test]
fn batches_larger_than_the_data_are_the_data() {
    let fingerprint = |batch_size| {
        let mut model = model(Adam::default());
        model.fit(&rings(10), Fit { batch_size, ..Fit::default() }).expect("training works");
        model.fingerprint()
    };
    assert_eq!(fingerprint(10), fingerprint(usize::MAX));
}

#[test]
fn predictions_are_the_same_one_by_one_and_together() {
    let model = model(Adam::default());
    let data = rings(300);
    let together = model.predict(&data).expect("the data fit");
    assert_eq!(together.shape(), (2, 300));
    for sample in [0, 1, 255, 256, 299] {
        let mut features = [0.0f32; 2];
        data.gather(&[sample as u32], &mut features).expect("the data are in memory");
        assert_eq!(model.predict_one(&features).expect("two features"), together.column(sample).as_slice());
    }
}

/// Threads share out the samples of many and the units of few.
#[test]
fn predictions_are_the_same_on_any_number_of_threads_and_in_any_batches() {
    struct Counted(usize);
    impl Callback for Counted {
        fn on_predict_batch_end(&mut self, _batch: usize) -> Result<(), Error> {
            self.0 += 1;
            Ok(())
        }
    }
    let network = || {
        Sequential::new(2)
            .add(Dense::new(100).activation(Activation::Relu))
            .add(Dense::new(70).activation(Activation::Relu))
            .add(Dense::new(2).activation(Activation::Softmax))
    };
    let data = rings(700);
    let compiled = |threads| {
        let pool = Pool::new(threads).expect("threads are to be had");
        network().compile::<f32>(Compile { pool, ..Compile::default() }).expect("the network is valid")
    };
    let expected = compiled(1).predict(&data).expect("the data fit");
    for threads in [1, 2, 3, 8] {
        let model = compiled(threads);
        assert_eq!(model.predict(&data).expect("the data fit"), expected, "{threads} threads");
        for (batch_size, batches) in [(1, 700), (129, 6), (300, 3), (usize::MAX, 1)] {
            let mut counted = Counted(0);
            let options = Predict { batch_size, callbacks: vec![&mut counted] };
            let predictions = model.predict_with(&data, options).expect("the data fit");
            assert_eq!(predictions, expected, "{threads} threads, batches of {batch_size}");
            assert_eq!(counted.0, batches);
        }
    }
}

#[test]
fn predictions_after_saving_and_loading_are_the_same() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("rings.safetensors");
    let mut model = model(Adam::default());
    model.fit(&rings(100), Fit::default()).expect("training works");
    model.save(&path).expect("the folder is writable");
    let loaded = Model::<f32>::load(&path, Pool::default()).expect("what was saved can be read");
    assert_eq!(loaded.fingerprint(), model.fingerprint());
    assert_eq!(loaded.predict(&rings(50)).unwrap(), model.predict(&rings(50)).unwrap());
    let bytes = model.to_bytes().expect("the parameters are finite");
    assert_eq!(bytes, std::fs::read(&path).unwrap());
    let embedded = Model::<f32>::from_bytes(&bytes, Pool::new(1).unwrap()).expect("the bytes are a file's");
    assert_eq!(embedded.predict(&rings(50)).unwrap(), model.predict(&rings(50)).unwrap());
    let double = Model::<f64>::load(&path, Pool::default()).expect("single precision widens");
    let difference =
        double.predict_one(&[0.5, 0.5]).unwrap()[0] - f64::from(model.predict_one(&[0.5, 0.5]).unwrap()[0]);
    assert!(difference.abs() < 1e-6);
}

#[test]
fn a_loss_that_is_no_number_stops_training_and_names_the_step() {
    let mut model = model(Sgd::new(1e30));
    let error = model.fit(&rings(100), Fit { epochs: 10, batch_size: 10, ..Fit::default() }).unwrap_err();
    let message = error.to_string();
    assert!(message.starts_with("the loss is ") && message.contains("of epoch 1"), "{message}");
}

#[test]
fn a_last_step_that_ruins_the_parameters_is_no_success() {
    let far_away = Dataset::from_floats(2, vec![1e3, -2e3, 2e3, 1e3], vec![0, 1], 2).expect("valid data");
    let mut model = model(Sgd::new(1e38));
    let error = model.fit(&far_away, Fit::default()).unwrap_err().to_string();
    assert!(error.contains("is not finite at the end of epoch 1"), "{error}");
    assert_eq!(
        model.fingerprint(),
        self::model(Sgd::new(1e38)).fingerprint(),
        "the epoch's beginning is back"
    );
}

#[test]
fn an_evaluation_beyond_all_numbers_is_an_error() {
    let mut model = model(Adam::default());
    model.parameters_mut().tensor_mut(0).fill(f32::MAX);
    let error = model.evaluate(&rings(10)).unwrap_err().to_string();
    assert!(error.starts_with("the loss on the data is "), "{error}");
}

#[test]
fn classes_are_as_many_as_a_confusion_matrix_can_have() {
    let many = Dataset::from_bytes(1, vec![0], vec![0], usize::MAX).unwrap_err();
    assert_eq!(many.to_string(), format!("the dataset has {} classes, expected at most 16384", usize::MAX));
}

#[test]
fn wrong_input_is_named() {
    let mut model = model(Adam::default());
    let wide = Dataset::from_floats(3, vec![0.0; 6], vec![0, 1], 2).unwrap();
    let many = Dataset::from_floats(2, vec![0.0; 4], vec![0, 2], 3).unwrap();
    let rings = rings(10);
    for (result, expected) in [
        (model.fit(&wide, Fit::default()).map(drop), "the samples have 3 features, the network has 2 inputs"),
        (model.fit(&many, Fit::default()).map(drop), "the dataset has 3 classes, the network has 2 outputs"),
        (
            model.fit(&rings, Fit { epochs: 0, ..Fit::default() }).map(drop),
            "epochs is 0, expected at least 1",
        ),
        (
            model.fit(&rings, Fit { batch_size: 0, ..Fit::default() }).map(drop),
            "batch_size is 0, expected at least 1",
        ),
        (model.evaluate(&wide).map(drop), "the samples have 3 features, the network has 2 inputs"),
        (model.predict(&wide).map(drop), "the samples have 3 features, the network has 2 inputs"),
        (model.predict_one(&[1.0]).map(drop), "the samples have 1 features, the network has 2 inputs"),
        (
            model.predict_one(&[1.0, f32::NAN]).map(drop),
            "feature 1 of sample 0 is NaN, expected a finite number of single precision's range",
        ),
    ] {
        assert_eq!(result.unwrap_err().to_string(), expected);
    }
}

#[test]
fn the_size_of_batches_changes_no_figure_of_an_evaluation() {
    let hidden =
        Dense::new(7).activation(Activation::Tanh).activity_regularizer(regularizers::L1 { l1: 0.37 });
    let network = Sequential::new(2)
        .add(hidden)
        .add(Dense::new(5).activity_regularizer(regularizers::L2 { l2: 0.11 }))
        .add(Dense::new(2).activation(Activation::Softmax));
    let model = network.compile::<f64>(Compile::default()).expect("the network is valid");
    let data = rings(97);
    let evaluate = |batch_size| {
        let evaluation = model.evaluate_with(&data, Evaluate { batch_size, ..Evaluate::default() });
        evaluation.expect("the data fit").loss.to_bits()
    };
    for batch_size in [1, 3, 10, 64] {
        assert_eq!(evaluate(batch_size), evaluate(97), "{batch_size}");
    }
}

#[test]
fn a_difference_of_losses_is_divided_by_the_real_distance() {
    // The loss is the kernel itself, so large that a step of 1e-6 is rounded.
    let data = Dataset::from_values(1, vec![1.0], 1, vec![0.0]).expect("the data are valid");
    let compile = Compile { loss: Loss::MeanAbsoluteError, ..Compile::default() };
    let mut model = Sequential::new(1)
        .add(Dense::new(1).use_bias(false))
        .compile::<f64>(compile)
        .expect("a valid network");
    model.parameters_mut().tensor_mut(0).fill(1.2345e6);
    let check = GradientCheck { values_per_tensor: 1, ..GradientCheck::default() };
    let report = model.check_gradient(&data, check).expect("the data fit");
    assert_eq!((report.worst.gradient, report.worst.difference), (1.0, 1.0));
    let error =
        model.check_gradient(&data, GradientCheck { relative: -1.0, ..check }).unwrap_err().to_string();
    assert_eq!(error, "relative is -1, expected a finite number of at least 0");
}
