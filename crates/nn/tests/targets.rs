//! Targets of either kind, and how much each sample counts.

use densely::losses::{BinaryCrossentropy, LossFunction, SparseCategoricalCrossentropy};
use densely::{
    Activation, Adam, Compile, Dataset, Dense, Error, Fit, History, Loss, Model, Pool, Reduction, Sequential,
    Sgd,
};

/// 40 points on a line, y = 2·x − 1.
fn line() -> Dataset {
    let features: Vec<f64> = (0..40).map(|i| f64::from(i) / 40.0).collect();
    let targets = features.iter().map(|x| 2.0 * x - 1.0).collect();
    Dataset::from_values(1, features, 1, targets).expect("valid data")
}

/// 60 points, of class 1 above 0.5.
fn halves() -> Dataset {
    let features: Vec<f64> = (0..60).map(|i| (f64::from(i) * 0.37).fract()).collect();
    let labels = features.iter().map(|&x| u32::from(x > 0.5)).collect();
    Dataset::from_floats(1, features, labels, 2).expect("valid data")
}

fn compile(network: &Sequential, loss: impl Into<Loss>) -> Model<f64> {
    let optimizer = Adam::new(0.1).into();
    let compile =
        Compile { loss: loss.into(), optimizer, pool: Pool::new(1).expect("a thread"), ..Compile::default() };
    network.compile(compile).expect("a valid network")
}

fn one(end: Activation) -> Sequential {
    Sequential::new(1).add(Dense::new(1).activation(end))
}

#[test]
fn a_line_is_learnt_and_has_no_accuracy() {
    let mut model = compile(&one(Activation::Linear), Loss::MeanSquaredError);
    let data = line();
    let fit = Fit { epochs: 300, validation: Some(&data), ..Fit::default() };
    let history = model.fit(&data, fit).expect("the data fit");
    let last = history.epochs.last().expect("epochs");
    assert!(last.loss < 1e-4 && last.val_loss < Some(1e-4), "{last:?}");
    assert_eq!((last.accuracy, last.val_accuracy), (None, None));
    assert!(history.to_csv().lines().all(|line| line.split(',').count() == 8));
    let evaluation = model.evaluate(&data).expect("the data fit");
    assert_eq!((evaluation.accuracy, evaluation.correct, evaluation.samples), (None, None, 40));
    assert!(evaluation.confusion.is_none());
    assert!((model.predict_one(&[0.5]).expect("one feature")[0]).abs() < 0.05);
}

#[test]
fn one_output_tells_two_classes_apart() {
    let logits = BinaryCrossentropy { from_logits: true, ..BinaryCrossentropy::default() };
    for (end, loss) in [
        (Activation::Sigmoid, BinaryCrossentropy::default().into()),
        (Activation::Linear, logits.into()),
        (Activation::Tanh, Loss::Hinge),
        (Activation::Sigmoid, Loss::MeanSquaredError),
    ] {
        let mut model = compile(&one(end), loss.clone());
        let data = halves();
        model.fit(&data, Fit { epochs: 200, ..Fit::default() }).expect("the data fit");
        let evaluation = model.evaluate(&data).expect("the data fit");
        assert!(evaluation.accuracy > Some(0.9), "{loss}: {evaluation:?}");
        let confusion = evaluation.confusion.expect("classes");
        assert_eq!((confusion.classes(), confusion.total()), (2, 60));
        let [low, high] = [0.1, 0.9].map(|x| model.predict_one(&[x]).expect("one feature")[0]);
        assert!(low < high);
        assert!(end != Activation::Sigmoid || (low > 0.0 && low < 0.5 && high > 0.5 && high < 1.0));
    }
}

#[test]
fn labels_and_their_one_hot_values_are_the_same_targets() {
    let labels = halves();
    let features: Vec<f64> = (0..60).map(|i| (f64::from(i) * 0.37).fract()).collect();
    let one_hot = |x: &f64| if *x > 0.5 { [0.0, 1.0] } else { [1.0, 0.0] };
    let values = features.iter().flat_map(one_hot).collect();
    let values = Dataset::from_values(1, features, 2, values).expect("valid data");
    let network = Sequential::new(1).add(Dense::new(2).activation(Activation::Softmax));
    let model = compile(&network, Loss::default());
    let [(a, of_labels), (b, of_values)] =
        [&labels, &values].map(|data| model.loss_and_gradient(data, 1).expect("the data fit"));
    assert!((a - b).abs() < 1e-14);
    for (x, y) in of_labels.values().iter().zip(of_values.values()) {
        assert!((x - y).abs() < 1e-14);
    }
}

/// One step of plain descent on all samples.
fn step(data: &Dataset, loss: Loss, reduction: Reduction, fit: Fit<'_>) -> (History, Vec<f64>) {
    let network = Sequential::new(data.features()).add(Dense::new(data.outputs().unwrap_or(data.classes())));
    let compile = Compile { loss, reduction, optimizer: Sgd::new(0.1).into(), ..Compile::default() };
    let mut model = network.compile::<f64>(compile).expect("a valid network");
    let history = model.fit(data, Fit { batch_size: data.len(), ..fit }).expect("the data fit");
    (history, model.parameters().values().to_vec())
}

#[track_caller]
fn close(a: &(History, Vec<f64>), b: &(History, Vec<f64>)) {
    assert!((a.0.epochs[0].loss - b.0.epochs[0].loss).abs() < 1e-12, "{:?} {:?}", a.0, b.0);
    for (x, y) in a.1.iter().zip(&b.1) {
        assert!((x - y).abs() < 1e-12, "{x} {y}");
    }
}

fn logits() -> Loss {
    SparseCategoricalCrossentropy { from_logits: true, ignore_class: None }.into()
}

#[test]
fn a_weight_of_two_is_a_sample_that_is_there_twice() {
    let once = Dataset::from_floats(1, vec![0.1, 0.7, 0.4], vec![0, 1, 0], 2).expect("valid data");
    let twice = Dataset::from_floats(1, vec![0.1, 0.7, 0.7, 0.4], vec![0, 1, 1, 0], 2).expect("valid data");
    let twice = step(&twice, logits(), Reduction::Sum, Fit::default());
    let weights = Some(&[1.0, 2.0, 1.0][..]);
    close(&step(&once, logits(), Reduction::Sum, Fit { sample_weights: weights, ..Fit::default() }), &twice);
    let by_class = Fit { class_weights: &[(1, 2.0)], ..Fit::default() };
    close(&step(&once, logits(), Reduction::Sum, by_class), &twice);
    let both = Fit { sample_weights: Some(&[1.0, 4.0, 1.0]), class_weights: &[(1, 0.5)], ..Fit::default() };
    close(&step(&once, logits(), Reduction::Sum, both), &twice);
}

#[test]
fn an_ignored_class_is_as_if_it_were_not_there() {
    let with = Dataset::from_floats(1, vec![0.1, 0.7, 0.4], vec![0, 2, 1], 3).expect("valid data");
    let without = Dataset::from_floats(1, vec![0.1, 0.4], vec![0, 1], 3).expect("valid data");
    let ignoring = |data| {
        let loss = SparseCategoricalCrossentropy { from_logits: true, ignore_class: Some(2) };
        step(data, loss.into(), Reduction::SumOverBatchSize, Fit::default())
    };
    close(&ignoring(&with), &ignoring(&without));
    let network = Sequential::new(1).add(Dense::new(3).activation(Activation::Softmax));
    let loss = SparseCategoricalCrossentropy { from_logits: false, ignore_class: Some(2) };
    let model = compile(&network, loss);
    let evaluation = |data| model.evaluate(data).expect("the data fit");
    assert_eq!(evaluation(&with), evaluation(&without));
    let nothing = Dataset::from_floats(1, vec![0.1], vec![2], 3).expect("valid data");
    assert_eq!(ignoring(&nothing).0.epochs[0].loss, 0.0);
}

#[test]
fn weights_that_do_not_fit_the_data_are_refused() {
    let network = Sequential::new(1).add(Dense::new(2).activation(Activation::Softmax));
    let mut model = compile(&network, Loss::default());
    let data = Dataset::from_floats(1, vec![0.1, 0.7], vec![0, 1], 2).expect("valid data");
    let mut check = |sample_weights: Option<&[f64]>, class_weights: &[(u32, f64)], message: &str| {
        let fit = Fit { sample_weights, class_weights, ..Fit::default() };
        assert_eq!(model.fit(&data, fit).expect_err("refused").to_string(), message);
    };
    check(Some(&[1.0]), &[], "1 sample weights were given for 2 samples, expected one each");
    let range = "expected 0 or a number above 0 that fits single precision";
    for (weight, text) in [(-1.0, "-1"), (f64::NAN, "NaN"), (f64::INFINITY, "inf")] {
        check(Some(&[1.0, weight]), &[], &format!("the weight of sample 1 is {text}, {range}"));
        check(None, &[(1, weight)], &format!("the weight of class 1 is {text}, {range}"));
    }
    check(None, &[(2, 1.0)], "a weight is given for class 2, but the dataset has 2 classes, counted from 0");
    check(None, &[(0, 1.0), (0, 2.0)], "class 0 is given two weights, expected at most one");

    let mut model = compile(&one(Activation::Linear), Loss::MeanSquaredError);
    let error =
        model.fit(&line(), Fit { class_weights: &[(0, 1.0)], ..Fit::default() }).expect_err("no classes");
    assert_eq!(error.to_string(), "class_weights needs class labels, but the dataset's targets are values");
}

#[test]
fn targets_that_do_not_fit_are_refused() {
    #[track_caller]
    fn check(data: Result<Dataset, Error>, message: &str) {
        assert_eq!(data.expect_err("refused").to_string(), message);
    }
    check(
        Dataset::from_values(2, vec![0.0; 4], 3, vec![0.0; 5]),
        "5 target values were given for 2 samples of 3 each, expected 3 × 2",
    );
    check(
        Dataset::from_values(2, vec![0.0; 5], 1, vec![0.0; 2]),
        "5 values were given for 2 samples of 2 features each, expected 2 × 2",
    );
    check(
        Dataset::from_values(1, vec![0.0; 2], 0, vec![]),
        "the targets have 0 values, expected at least 1 for each sample",
    );
    check(Dataset::from_values(1, vec![], 1, vec![]), "the dataset has no samples, expected at least 1");
    check(
        Dataset::from_bytes_with_values(1, vec![0; 2], 2, vec![0.0, 1.0, f64::NAN, 1.0]),
        "target 0 of sample 1 is NaN, expected a finite number of single precision's range",
    );

    let model = compile(&one(Activation::Sigmoid), BinaryCrossentropy::default());
    let refused = |data: &Dataset| model.evaluate(data).expect_err("refused").to_string();
    assert_eq!(
        refused(&line()),
        "target 0 of sample 0 is -1, but BinaryCrossentropy needs targets that are between 0 and 1"
    );
    let wide = Dataset::from_values(1, vec![0.0], 2, vec![0.0, 1.0]).expect("valid data");
    assert_eq!(refused(&wide), "the targets have 2 values a sample, the network has 1 outputs");
    let network = Sequential::new(1).add(Dense::new(2).activation(Activation::Softmax));
    let model = compile(&network, SparseCategoricalCrossentropy::default());
    assert_eq!(
        model.evaluate(&wide).expect_err("refused").to_string(),
        "SparseCategoricalCrossentropy needs class labels, but the dataset's targets are values"
    );
    assert_eq!(
        wide.split_stratified(1, 0).map(drop).expect_err("one sample").to_string(),
        "a stratified split needs class labels, but the dataset's targets are values"
    );
}

/// Three times the squared error.
struct Tripled;

impl LossFunction for Tripled {
    fn name(&self) -> &str {
        "tripled"
    }

    fn loss_and_gradient(&self, targets: &[f64], outputs: &[f64], gradient: &mut [f64]) -> f64 {
        let loss = Loss::MeanSquaredError.of_sample(targets, outputs, gradient).expect("one width");
        gradient.iter_mut().for_each(|slope| *slope *= 3.0);
        3.0 * loss
    }
}

#[test]
fn a_custom_loss_trains_and_has_to_be_given_again_after_loading() {
    let data = line();
    let step_with = |loss| step(&data, loss, Reduction::Sum, Fit::default());
    let weights = [3.0; 40];
    let weighted = Fit { sample_weights: Some(&weights), ..Fit::default() };
    close(&step_with(Loss::custom(Tripled)), &step(&data, Loss::MeanSquaredError, Reduction::Sum, weighted));

    let mut model = compile(&one(Activation::Linear), Loss::custom(Tripled));
    model.fit(&data, Fit { epochs: 5, ..Fit::default() }).expect("the data fit");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("model.safetensors");
    model.save(&path).expect("a file");
    let mut loaded = Model::<f64>::load(&path, Pool::new(1).expect("a thread")).expect("as written");
    assert_eq!(loaded.predict_one(&[0.3]).expect("one"), model.predict_one(&[0.3]).expect("one"));
    let message = "the loss is tripled, which is not one of densely's own, and a file holds no code: give it to \
                   Sequential::compile or Model::set_loss as Loss::custom";
    assert_eq!(loaded.evaluate(&data).expect_err("no code").to_string(), message);
    assert_eq!(loaded.fit(&data, Fit::default()).expect_err("no code").to_string(), message);
    loaded.set_loss(Loss::custom(Tripled)).expect("it goes with the end");
    assert_eq!(loaded.evaluate(&data).expect("the data fit"), model.evaluate(&data).expect("the data fit"));
    let from_text = densely::text::from_ron::<Loss>("Custom(name: \"tripled\")").expect("a name");
    let compile = Compile { loss: from_text, ..Compile::default() };
    assert_eq!(one(Activation::Linear).compile::<f32>(compile).expect_err("no code").to_string(), message);
}
