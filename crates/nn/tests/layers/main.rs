//! Layers in networks: gradients, what noise does and does not do, blocks with a skip, frozen layers, layers of other
//! crates. Their values are compared with the references in `src/layers/reference.rs`.

mod custom;
mod names;
mod noise;

use densely::layers::{
    Backward, BatchNormalization, Custom, Forward, Kept, LayerDescription, LayerPass, Maxout, Normalization,
    Residual, Weight,
};
use densely::text::from_ron;
use densely::{
    Activation, Adam, Compile, Dataset, Dense, DescriptionError, Error, Fit, GradientCheck, Initializer,
    Layer, Loss, Model, Pool, Scalar, Sequential, Sgd,
};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde_json::Value;

/// Some samples with values in −1..1; not random, but without any pattern that a layer could hide behind.
fn data(features: usize, classes: usize, samples: usize) -> Dataset {
    let values = (0..features * samples).map(|i| (1.7 * i as f64 + 0.3).sin()).collect();
    let labels = (0..samples).map(|sample| (sample * sample + 1) as u32 % classes as u32).collect();
    Dataset::from_floats(features, values, labels, classes).expect("the data are valid")
}

/// Biases that are not 0, so that units differ from the start.
fn dense(units: usize) -> Dense {
    Dense::new(units).bias_initializer(Initializer::GlorotUniform)
}

fn compiled<T: Scalar>(network: &Sequential, threads: usize) -> Model<T> {
    compiled_for(network, Loss::MeanSquaredError, threads)
}

fn compiled_for<T: Scalar>(network: &Sequential, loss: Loss, threads: usize) -> Model<T> {
    let pool = Pool::new(threads).expect("some threads");
    network.compile(Compile { loss, seed: 3, pool, ..Compile::default() }).expect("valid")
}

#[track_caller]
fn check_gradient(network: &Sequential, samples: usize) {
    check_gradient_of(network, Loss::MeanSquaredError, samples);
}

#[track_caller]
fn check_gradient_of(network: &Sequential, loss: Loss, samples: usize) {
    let data = data(network.inputs, network.outputs(), samples);
    let model = compiled_for::<f64>(network, loss, 2);
    let report = model.check_gradient(&data, GradientCheck::default()).expect("the data fit");
    assert!(report.passed() && report.largest > 1e-6, "{}: {report}", network.to_ron().unwrap());
}

/// Every layer that changes what passes, with other settings than the defaults where there are any.
const LAYERS: [&str; 22] = [
    "Dense(units: 3, activation: Tanh)",
    "Dropout(rate: 0.4)",
    "AlphaDropout(rate: 0.4)",
    "GaussianDropout(rate: 0.3)",
    "GaussianNoise(stddev: 0.2)",
    "BatchNormalization()",
    "BatchNormalization(epsilon: 0.1, center: false, gamma_initializer: GlorotUniform)",
    "BatchNormalization(scale: false)",
    "LayerNormalization()",
    "LayerNormalization(center: false, gamma_initializer: GlorotUniform)",
    "LayerNormalization(scale: false)",
    "RmsNormalization()",
    "UnitNormalization()",
    "Normalization()",
    "Rescaling(scale: -1.5, offset: 0.25)",
    "Flatten()",
    "ActivityRegularization(l1: 0.1, l2: 0.2)",
    "PRelu(alpha_initializer: GlorotUniform)",
    "Maxout(units: 3, pieces: 2)",
    "DropConnect(rate: 0.3, dense: (units: 4, activation: Tanh, bias_initializer: GlorotUniform))",
    "DropConnect(rate: 0.3, dense: (units: 4, activation: Gelu, use_bias: false))",
    "Residual(layers: [Dense(units: 3, activation: Tanh, bias_initializer: GlorotUniform), Residual(layers: [PRelu()]), Dense(units: 5)])",
];

fn layer(text: &str) -> Layer {
    from_ron(text).expect(text)
}

#[test]
fn gradients_go_through_every_layer_and_to_its_weights() {
    for text in LAYERS {
        let network = Sequential::new(4).add(dense(5)).add(layer(text)).add(dense(2));
        check_gradient(&network, 7);
        // At the end, and as the first layer, where no gradient with respect to the input is asked for.
        check_gradient(&Sequential::new(4).add(dense(5)).add(layer(text)), 6);
        check_gradient(&Sequential::new(5).add(layer(text)).add(dense(2)), 6);
    }
}

/// Losses that class labels go with, each with an end: computed together with it, or after it.
const ENDS: [(&str, &str); 7] = [
    ("MeanSquaredError", "Linear"),
    ("CategoricalCrossentropy()", "Softmax"),
    ("CategoricalCrossentropy(from_logits: true)", "Linear"),
    ("BinaryCrossentropy()", "Sigmoid"),
    ("KlDivergence", "Softmax"),
    ("LogCosh", "Tanh"),
    ("Poisson", "Softplus"),
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default() })]

    #[test]
    fn gradients_of_layers_one_after_another(
        layers in prop::collection::vec((0..LAYERS.len(), 1..8_usize), 1..4),
        (inputs, first, last) in (1..6_usize, 2..9_usize, 2..5_usize),
        samples in 2..9_usize,
        end in 0..ENDS.len(),
    ) {
        let mut network = Sequential::new(inputs).add(dense(first));
        for (index, units) in layers {
            let next = with_widths(LAYERS[index], units, network.outputs());
            network = network.add(layer(&next));
        }
        let (loss, end) = ENDS[end];
        let end: Activation = from_ron(end).expect(end);
        check_gradient_of(&network.add(dense(last).activation(end)), from_ron(loss).expect(loss), samples);
    }
}

/// A layer of `LAYERS` with so many units, and a block that adds to `inputs` values.
fn with_widths(text: &str, units: usize, inputs: usize) -> String {
    let text = text.replace("units: 3", &format!("units: {units}"));
    text.replace("units: 4", &format!("units: {units}")).replace("units: 5", &format!("units: {inputs}"))
}

/// Losses and weights of a training with every kind of layer.
fn train<T: Scalar>(threads: usize, batch_size: usize) -> (Vec<f64>, String) {
    let mut network = Sequential::new(40).add(Dense::new(37));
    for text in LAYERS {
        network = network.add(layer(text)).add(Dense::new(5));
    }
    let mut model = compiled::<T>(&network.add(Dense::new(3)), threads);
    let fit = Fit { epochs: 2, batch_size, ..Fit::default() };
    let history = model.fit(&data(40, 3, 70), fit).expect("the data fit");
    (history.values("loss"), model.fingerprint())
}

#[test]
fn threads_change_no_bit_of_any_layer() {
    let (single, double) = (train::<f32>(1, 32), train::<f64>(1, 32));
    for threads in [2, 3] {
        assert_eq!(train::<f32>(threads, 32), single);
        assert_eq!(train::<f64>(threads, 32), double);
    }
}

/// The mean training loss of an epoch in which nothing is learned.
fn loss_without_learning(text: &str, batch_size: usize) -> f64 {
    let network = Sequential::new(4).add(dense(6)).add(layer(text)).add(dense(3));
    let optimizer = Sgd::new(1e-30).into();
    let compile = Compile { loss: Loss::MeanSquaredError, optimizer, ..Compile::default() };
    let mut model = network.compile::<f64>(compile).expect("valid");
    let fit = Fit { batch_size, shuffle: false, ..Fit::default() };
    model.fit(&data(4, 3, 60), fit).expect("the data fit").epochs[0].loss
}

#[test]
fn a_samples_noise_does_not_depend_on_its_batch() {
    for text in [
        "Dropout(rate: 0.4)",
        "AlphaDropout(rate: 0.4)",
        "GaussianDropout(rate: 0.3)",
        "GaussianNoise(stddev: 0.2)",
    ] {
        let [whole, parts] = [60, 7].map(|batch_size| loss_without_learning(text, batch_size));
        assert!((whole - parts).abs() < 1e-12, "{text}: {whole}, {parts}");
        assert!((whole - loss_without_learning("Flatten()", 60)).abs() > 1e-4, "{text} does something");
    }
}

#[test]
fn noise_is_not_there_in_prediction() {
    let plain = compiled::<f64>(&Sequential::new(4).add(dense(5)).add(dense(2)), 1);
    for text in LAYERS.iter().filter(|text| text.contains("Drop") || text.contains("Noise")) {
        if text.contains("DropConnect") {
            continue;
        }
        let noisy = compiled::<f64>(&Sequential::new(4).add(dense(5)).add(layer(text)).add(dense(2)), 1);
        let data = data(4, 2, 5);
        assert_eq!(noisy.predict(&data).unwrap(), plain.predict(&data).unwrap(), "{text}");
    }
    let dropped = layer("DropConnect(rate: 0.5, dense: (units: 5, bias_initializer: GlorotUniform))");
    let network = Sequential::new(4).add(dropped).add(dense(2));
    let data = data(4, 2, 5);
    assert_eq!(compiled::<f64>(&network, 1).predict(&data).unwrap(), plain.predict(&data).unwrap());
}

#[test]
fn a_block_adds_its_input_to_what_its_layers_put_out() {
    let inside = || dense(4).activation(Activation::Tanh);
    let block = compiled::<f64>(&Sequential::new(4).add(Residual::new().add(inside())), 1);
    let chain = compiled::<f64>(&Sequential::new(4).add(inside()), 1);
    let parameters = block.parameters();
    let names: Vec<&str> = parameters.tensors().iter().map(|tensor| tensor.name.as_str()).collect();
    assert_eq!(names, ["residual.dense.kernel", "residual.dense.bias"]);
    let input = [0.5, -1.0, 2.0, 0.25];
    let expected: Vec<f64> =
        chain.predict_one(&input).unwrap().iter().zip(input).map(|(f, x)| f + x).collect();
    assert_eq!(block.predict_one(&input).unwrap(), expected);
}

#[test]
fn a_maxout_of_one_piece_is_a_dense_layer() {
    let maxout = Maxout { bias_initializer: Initializer::GlorotUniform, ..Maxout::new(3, 1) };
    let [maxout, plain] = [Sequential::new(4).add(maxout), Sequential::new(4).add(dense(3))]
        .map(|network| compiled::<f64>(&network, 1));
    assert_eq!(
        maxout.predict_one(&[1.0, -0.5, 0.25, 2.0]).unwrap(),
        plain.predict_one(&[1.0, -0.5, 0.25, 2.0]).unwrap()
    );
}

#[test]
fn a_frozen_layer_stays_and_costs_no_gradient() {
    let network = Sequential::new(4)
        .add(dense(5).activation(Activation::Tanh).trainable(false))
        .add(BatchNormalization { trainable: false, ..BatchNormalization::default() })
        .add(dense(3));
    let summary = network.summary();
    assert_eq!((summary.trainable, summary.non_trainable), (3 * 5 + 3, 4 * 5 + 5 + 4 * 5));
    let data = data(4, 3, 20);
    let mut model = compiled::<f64>(&network, 1);
    let before = model.parameters();
    model.fit(&data, Fit { epochs: 2, ..Fit::default() }).unwrap();
    let changed = |model: &Model<f64>| -> Vec<bool> {
        let after = model.parameters();
        let pairs = after.iter().zip(before.iter());
        pairs.map(|((_, after), (_, before))| after != before).collect()
    };
    assert_eq!(changed(&model), [false, false, false, false, false, false, true, true]);
    let (_, gradient) = model.loss_and_gradient(&data, 1).unwrap();
    assert!(gradient.tensor(0).iter().all(|&value| value == 0.0));

    model.set_trainable("dense", true).unwrap();
    model.fit(&data, Fit { epochs: 2, ..Fit::default() }).unwrap();
    assert_eq!(changed(&model)[..2], [true, true]);
    let error = model.set_trainable("dens", true).unwrap_err().to_string();
    assert_eq!(
        error,
        "no layer is named dens, expected one of dense, batch_normalization, dense_1; did you mean `dense`?"
    );
}

/// With everything learned from the start, freezing the first layer trains the second as if it stood alone.
#[test]
fn what_stands_behind_a_frozen_layer_learns_as_ever() {
    let frozen = Sequential::new(4).add(dense(5).trainable(false)).add(dense(3));
    let data = data(4, 3, 20);
    let model = compiled::<f64>(&frozen, 1);
    let (_, expected) = compiled::<f64>(&Sequential::new(4).add(dense(5)).add(dense(3)), 1)
        .loss_and_gradient(&data, 1)
        .unwrap();
    let (_, found) = model.loss_and_gradient(&data, 1).unwrap();
    assert_eq!((found.tensor(2), found.tensor(3)), (expected.tensor(2), expected.tensor(3)));
    // Decay and averages leave it alone too.
    let optimizer = Adam { weight_decay: 0.1, use_ema: true, global_clipnorm: Some(0.1), ..Adam::new(0.1) };
    let compile =
        Compile { loss: Loss::MeanSquaredError, optimizer: optimizer.into(), seed: 3, ..Compile::default() };
    let mut decayed = frozen.compile::<f64>(compile).unwrap();
    let before = decayed.parameters();
    decayed.fit(&data, Fit::default()).unwrap();
    assert_eq!(decayed.parameters().tensor(0), before.tensor(0));
    assert_ne!(decayed.parameters().tensor(2), before.tensor(2));
}

/// A moving average of the weights is not one of the moving statistics.
#[test]
fn averaged_weights_leave_moving_statistics_as_they_are() {
    let network = Sequential::new(4).add(BatchNormalization::default()).add(dense(3));
    let [plain, averaged] = [false, true].map(|use_ema| {
        let optimizer = Adam { use_ema, ..Adam::new(0.1) }.into();
        let compile = Compile { loss: Loss::MeanSquaredError, optimizer, seed: 3, ..Compile::default() };
        let mut model = network.compile::<f64>(compile).unwrap();
        model.fit(&data(4, 3, 64), Fit { batch_size: 16, ..Fit::default() }).unwrap();
        model
    });
    for moving in [2, 3] {
        assert_eq!(plain.parameters().tensor(moving), averaged.parameters().tensor(moving));
    }
    assert_ne!(plain.parameters().tensor(0), averaged.parameters().tensor(0));
}

/// The reference adapts to all three batches and gives the outputs of the first.
fn check_adapted<T: Scalar>(tolerance: f64) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reference/layers.json");
    let file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let numbers = |list: &Value| -> Vec<f64> {
        let rows = list.as_array().unwrap().iter();
        rows.flat_map(|row| row.as_array().unwrap()).map(|value| value.as_f64().unwrap()).collect()
    };
    let batches: Vec<Vec<f64>> = file["batches"].as_array().unwrap().iter().map(numbers).collect();
    let cases = file["cases"].as_array().unwrap();
    let case = cases.iter().find(|case| case["description"] == "Normalization()").unwrap();
    let expected = numbers(&case["outputs"]);

    let labelled = |values: Vec<f64>| {
        let samples = values.len() / 3;
        Dataset::from_floats(3, values, vec![0; samples], 3).unwrap()
    };
    let identity = Dense::new(3).kernel_initializer(densely::initializers::Identity::default());
    // Also behind another layer, whose output it is adapted to.
    let first = Sequential::new(3).add(Normalization::default()).add(identity.clone());
    let behind = Sequential::new(3).add(identity).add(Normalization::default());
    for network in [first, behind] {
        let mut model = compiled::<T>(&network, 2);
        let input = labelled(batches[0].clone());
        let untouched = model.predict(&input).unwrap();
        assert!(untouched.as_slice().iter().zip(&batches[0]).all(|(&y, &x)| y == T::from_f64(x)));
        model.adapt(&labelled(batches.concat())).unwrap();
        for (found, expected) in model.predict(&input).unwrap().as_slice().iter().zip(&expected) {
            let found = found.to_f64();
            let allowed = tolerance * expected.abs().max(1.0);
            assert!((found - expected).abs() <= allowed, "{found}, not {expected}, in {}", T::NAME);
        }
    }
}

#[test]
fn an_adapted_normalization_agrees_with_the_reference() {
    check_adapted::<f64>(1e-12);
    check_adapted::<f32>(1e-5);
}

#[test]
fn statistics_beyond_the_precision_are_refused() {
    let network = Sequential::new(3).add(Normalization::default()).add(Dense::new(2));
    let data = Dataset::from_floats(3, vec![0.0, 1e30, 0.0, 1.0, -1e30, 2.0], vec![0; 2], 2).unwrap();
    let mut model = compiled::<f32>(&network, 1);
    let before = model.fingerprint();
    let error = model.adapt(&data).unwrap_err().to_string();
    assert_eq!(error, "value 1 of tensor normalization.variance is inf, expected a finite number");
    assert_eq!(model.fingerprint(), before);
    compiled::<f64>(&network, 1).adapt(&data).unwrap();

    // A variance that is 0 in single precision is taken for that of a constant.
    let data = Dataset::from_floats(3, vec![0.0, 1e-30, 0.0, 1.0, -1e-30, 2.0], vec![0; 2], 2).unwrap();
    model.adapt(&data).unwrap();
    assert!(model.predict(&data).unwrap().iter().all(|output| output.is_finite()));
}

#[test]
fn a_feature_that_never_varies_keeps_its_scale_also_where_its_mean_is_rounded() {
    let network = Sequential::new(1).add(Normalization::default());
    let mut model = compiled::<f64>(&network, 1);
    model.adapt(&Dataset::from_floats(1, vec![0.1; 3], vec![0; 3], 1).unwrap()).unwrap();
    assert_eq!((model.parameters().tensor(0), model.parameters().tensor(1)), (&[0.1][..], &[1.0][..]));
}

#[test]
fn statistics_are_saved_with_the_model_and_prediction_uses_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let network =
        Sequential::new(4).add(Normalization::default()).add(BatchNormalization::default()).add(dense(3));
    let (mut model, data) = (compiled::<f32>(&network, 1), data(4, 3, 40));
    model.adapt(&data).unwrap();
    model.fit(&data, Fit { epochs: 2, ..Fit::default() }).unwrap();
    model.save(&path).unwrap();
    let read = Model::<f32>::load(&path, Pool::new(1).unwrap()).unwrap();
    assert_eq!(read.fingerprint(), model.fingerprint());
    assert_eq!(read.predict(&data).unwrap(), model.predict(&data).unwrap());
}

#[test]
fn settings_that_cannot_be_are_refused_by_layer() {
    for (text, message) in [
        ("Dropout(rate: 1.0)", "rate is 1, expected at least 0 and below 1"),
        ("AlphaDropout(rate: -0.1)", "rate is -0.1, expected at least 0 and below 1"),
        ("GaussianDropout(rate: 1.5)", "rate is 1.5, expected at least 0 and below 1"),
        (
            "GaussianNoise(stddev: -1.0)",
            "stddev is -1, expected 0 or a number above 0 that fits single precision",
        ),
        (
            "BatchNormalization(momentum: 1.0)",
            "momentum is 1, expected at least 0 and, in single precision, below 1",
        ),
        (
            "BatchNormalization(epsilon: 0.0)",
            "epsilon is 0, expected a number above 0 that fits single precision",
        ),
        (
            "BatchNormalization(gamma_initializer: Identity())",
            "gamma_initializer is Identity, which is for kernels only",
        ),
        (
            "LayerNormalization(epsilon: -1.0)",
            "epsilon is -1, expected a number above 0 that fits single precision",
        ),
        (
            "RmsNormalization(epsilon: inf)",
            "epsilon is inf, expected a number above 0 that fits single precision",
        ),
        ("Rescaling(scale: 0.0)", "scale is 0, expected a number other than 0 that fits single precision"),
        (
            "ActivityRegularization(l1: -1.0)",
            "l1 is -1, expected 0 or a number above 0 that fits single precision",
        ),
        ("Maxout(units: 3, pieces: 0)", "pieces is 0, expected at least 1"),
        ("Maxout(units: 0, pieces: 1)", "units is 0, expected at least 1"),
        ("DropConnect(rate: 1.0, dense: (units: 1))", "rate is 1, expected at least 0 and below 1"),
        ("DropConnect(rate: 0.5, dense: (units: 0))", "units is 0, expected at least 1"),
        (
            "PRelu(alpha_regularizer: L1(l1: NaN))",
            "l1 of alpha_regularizer L1 is NaN, expected 0 or a number above 0 that fits single precision",
        ),
        (
            "Residual(layers: [Dense(units: 7)])",
            "5 values enter the block and 7 leave its layers, expected as many, to be added",
        ),
    ] {
        let network = Sequential::new(4).add(dense(5)).add(layer(text)).add(dense(2));
        let error = network.validate().unwrap_err().to_string();
        let (place, found) = error.split_once(": ").unwrap();
        assert!(place.starts_with("layer 2 ("), "{error}");
        assert_eq!(found, message, "{text}");
    }
    // A layer inside a block is named with the block.
    let inside = Residual::new().add(dense(5)).add(Residual::new().add(Dense::new(0)));
    let error = Sequential::new(5).add(inside).validate().unwrap_err().to_string();
    assert_eq!(error, "layer 1 (residual.residual.dense): units is 0, expected at least 1");
}

#[test]
fn blocks_stand_in_blocks_to_a_limit() {
    let nested =
        |depth| (0..depth).fold(Residual::new().add(dense(3)), |block, _| Residual::new().add(block));
    let network = |depth| Sequential::new(3).add(nested(depth));
    assert_eq!(Sequential::from_ron(&network(7).to_ron().unwrap()).unwrap(), network(7));
    check_gradient(&network(7), 3);
    let error = network(8).validate().unwrap_err().to_string();
    assert!(error.ends_with("stands in 8 blocks already, the most there may be"), "{error}");
    assert!(network(1000).validate().is_err());
}

#[test]
fn layers_that_are_too_large_are_refused_before_anything_is_allocated() {
    for text in [
        "Maxout(units: 18446744073709551615, pieces: 18446744073709551615)",
        "DropConnect(rate: 0.0, dense: (units: 18446744073709551615))",
    ] {
        let error = Sequential::new(4).add(layer(text)).validate().unwrap_err();
        assert!(matches!(error, Error::Description(DescriptionError::TooManyParameters { .. })), "{error}");
    }
}

#[test]
fn every_layer_can_be_written_and_read() {
    let mut network = Sequential::new(4).add(dense(5));
    for text in LAYERS {
        network = network.add(layer(text)).add(dense(5));
    }
    assert_eq!(Sequential::from_ron(&network.to_ron().unwrap()).unwrap(), network);
    let names = network.layer_names();
    for name in ["batch_normalization_2", "p_relu", "rms_normalization", "drop_connect_1", "residual"] {
        assert!(names.iter().any(|found| found == name), "{names:?}");
    }
}

#[test]
fn a_frozen_layer_inside_a_block_lets_the_gradient_through() {
    let block = Residual::new().add(dense(4).activation(Activation::Tanh).trainable(false)).add(dense(4));
    check_gradient(&Sequential::new(3).add(dense(4)).add(block.clone()).add(dense(2)), 5);
    check_gradient(&Sequential::new(4).add(block).add(dense(2)), 5);
}

/// Softmax and loss are computed together, and what is computed nowhere has no penalty.
#[test]
fn a_penalty_on_probabilities_that_are_never_computed_is_refused() {
    let text = "DropConnect(rate: 0.5, dense: (units: 3, activation: Softmax, activity_regularizer: L2()))";
    let error = Sequential::new(4).add(layer(text)).compile::<f32>(Compile::default()).unwrap_err();
    assert!(matches!(error, Error::Description(DescriptionError::RegularizedEnd { .. })), "{error}");
    let text = "DropConnect(rate: 0.5, dense: (units: 3, activation: Softmax))";
    assert!(Sequential::new(4).add(layer(text)).compile::<f32>(Compile::default()).is_ok());
}

#[test]
fn large_numbers_do_not_overflow_in_squares() {
    for text in ["UnitNormalization()", "RmsNormalization()", "LayerNormalization()"] {
        let network = Sequential::new(2).add(layer(text)).add(dense(2));
        let small = compiled::<f32>(&network, 1).predict_one(&[3e9, 4e9]).unwrap();
        let large = compiled::<f32>(&network, 1).predict_one(&[3e19, 4e19]).unwrap();
        for (small, large) in small.iter().zip(&large) {
            assert!((small - large).abs() < 1e-5, "{text}: {small}, {large}");
        }
    }
}

#[test]
fn a_network_that_is_wholly_frozen_has_no_gradient_to_check() {
    let model = compiled::<f32>(&Sequential::new(4).add(dense(2).trainable(false)), 1);
    let error = model.check_gradient(&data(4, 2, 5), GradientCheck::default()).unwrap_err().to_string();
    assert_eq!(error, "every layer with parameters is frozen, expected at least one that is trainable");
}
