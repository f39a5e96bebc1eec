//! Losses against tests/reference: each sample's, the batch's and its gradient, alone and as a network computes them.

use densely::losses::SparseCategoricalCrossentropy;
use densely::text::{from_ron, to_ron};
use densely::{Activation, Compile, Dataset, Dense, Fit, Loss, Model, Reduction, Scalar, Sequential, Sgd};
use serde_json::Value;

fn numbers(list: &Value) -> Vec<f64> {
    list.as_array().expect("a list").iter().map(|value| value.as_f64().expect("a number")).collect()
}

fn columns(lists: &Value) -> Vec<Vec<f64>> {
    lists.as_array().expect("a list").iter().map(numbers).collect()
}

/// A case of tests/reference/losses.json.
struct Case {
    description: String,
    loss: Loss,
    labels: Option<Vec<u32>>,
    /// For each sample; one-hot for labels.
    targets: Vec<Vec<f64>>,
    outputs: Vec<Vec<f64>>,
    weights: Option<Vec<f64>>,
    reduction: Reduction,
    losses: Vec<f64>,
    batch: f64,
    gradient: Vec<Vec<f64>>,
}

fn cases() -> Vec<Case> {
    let file: Value = serde_json::from_str(include_str!("reference/losses.json")).expect("JSON");
    let case = |case: &Value| {
        let description = case["description"].as_str().expect("a text").to_owned();
        let outputs = columns(&case["outputs"]);
        let labels: Option<Vec<u32>> = case["targets"][0]
            .is_u64()
            .then(|| numbers(&case["targets"]).into_iter().map(|label| label as u32).collect());
        let targets = match &labels {
            None => columns(&case["targets"]),
            Some(labels) => {
                let one_hot =
                    |&label: &u32| (0..3).map(|class| f64::from(u8::from(class == label))).collect();
                labels.iter().map(one_hot).collect()
            }
        };
        Case {
            loss: from_ron(&description).expect("a valid description"),
            description,
            labels,
            targets,
            outputs,
            weights: case.get("sample_weight").map(numbers),
            reduction: match case.get("reduction").and_then(Value::as_str) {
                None => Reduction::SumOverBatchSize,
                Some("sum") => Reduction::Sum,
                Some("mean_with_sample_weight") => Reduction::MeanWithSampleWeight,
                Some(other) => panic!("unknown reduction {other}"),
            },
            losses: numbers(&case["losses"]),
            batch: case["loss"].as_f64().expect("a number"),
            gradient: columns(&case["gradient"]),
        }
    };
    file["cases"].as_array().expect("a list of cases").iter().map(case).collect()
}

#[track_caller]
fn check(what: &str, found: f64, reference: f64, tolerance: f64) {
    let allowed = tolerance * reference.abs().max(1.0);
    assert!((found - reference).abs() <= allowed, "{what}: {found:e}, the reference is {reference:e}");
}

const DOUBLE: f64 = 1e-12;
const SINGLE: f64 = 1e-5;

/// A chance so near to 1 that what is left of it is 0 in single precision.
fn beyond_single(case: &Case) -> bool {
    case.outputs.iter().flatten().any(|&output| output != 1.0 && (1.0 - output).abs() < 1e-7)
}

impl Case {
    /// What each sample's loss is multiplied by in the batch's.
    fn factors(&self) -> Vec<f64> {
        let samples = self.outputs.len();
        let ignored = |sample: usize| match (&self.loss, &self.labels) {
            (
                Loss::SparseCategoricalCrossentropy(SparseCategoricalCrossentropy { ignore_class, .. }),
                Some(labels),
            ) => *ignore_class == Some(labels[sample]),
            _ => false,
        };
        let counted = (0..samples).filter(|&sample| !ignored(sample)).count();
        let weights = self.weights.clone().unwrap_or_else(|| vec![1.0; samples]);
        let divisor = match self.reduction {
            Reduction::SumOverBatchSize => counted as f64,
            Reduction::Sum => 1.0,
            Reduction::MeanWithSampleWeight => weights.iter().sum(),
        };
        (0..samples).map(|sample| if ignored(sample) { 0.0 } else { weights[sample] / divisor }).collect()
    }

    fn alone<T: Scalar>(&self, tolerance: f64) {
        for (sample, factor) in self.factors().into_iter().enumerate().filter(|&(_, factor)| factor != 0.0) {
            let outputs: Vec<T> = self.outputs[sample].iter().map(|&output| T::from_f64(output)).collect();
            let mut gradient = vec![T::ZERO; outputs.len()];
            let found = self.loss.of_sample(&self.targets[sample], &outputs, &mut gradient);
            let what = format!("{} of {} in {}", self.description, sample, T::NAME);
            check(&what, found.expect("the widths agree"), self.losses[sample], tolerance);
            for (output, slope) in gradient.into_iter().enumerate() {
                let what = format!("{what}, gradient {output}");
                check(&what, slope.to_f64() * factor, self.gradient[sample][output], tolerance);
            }
        }
    }

    /// A network whose outputs are the case's: the n-th sample is the n-th unit vector, whose output is a column of the
    /// kernel. One step of plain descent moves the kernel by the gradient.
    fn in_network<T: Scalar>(&self, tolerance: f64) {
        let (end, before): (_, fn(f64) -> f64) = match &self.loss {
            _ if self.description.contains("from_logits: true") => (Activation::Linear, |z| z),
            Loss::BinaryCrossentropy(_)
            | Loss::BinaryFocalCrossentropy(_)
            | Loss::Tversky(_)
            | Loss::Dice => (Activation::Sigmoid, |p| p.ln() - (-p).ln_1p()),
            Loss::CategoricalCrossentropy(_)
            | Loss::SparseCategoricalCrossentropy(_)
            | Loss::CategoricalFocalCrossentropy(_)
            | Loss::KlDivergence => (Activation::Softmax, f64::ln),
            Loss::Poisson => (Activation::Exponential, f64::ln),
            _ => (Activation::Linear, |z| z),
        };
        let (samples, outputs) = (self.outputs.len(), self.outputs[0].len());
        let network = Sequential::new(samples).add(Dense::new(outputs).use_bias(false).activation(end));
        let mut model: Model<T> = network
            .compile(Compile {
                loss: self.loss.clone(),
                reduction: self.reduction,
                optimizer: Sgd::new(1.0).into(),
                ..Compile::default()
            })
            .expect("the loss goes with the end");
        let kernel: Vec<f64> = self.outputs.iter().flatten().map(|&output| before(output)).collect();
        for (weight, &value) in model.parameters_mut().tensor_mut(0).iter_mut().zip(&kernel) {
            *weight = T::from_f64(value);
        }
        let unit = |sample: usize| (0..samples).map(move |feature| f64::from(u8::from(feature == sample)));
        let features = (0..samples).flat_map(unit).collect();
        let data = match &self.labels {
            Some(labels) => Dataset::from_floats(samples, features, labels.clone(), outputs),
            None => Dataset::from_values(samples, features, outputs, self.targets.concat()),
        };
        let data = data.expect("the data are valid");
        let what = format!("a network's {} in {}", self.description, T::NAME);
        if self.weights.is_none() {
            let (loss, gradient) = model.loss_and_gradient(&data, 1).expect("the data fit");
            check(&what, loss, self.batch, tolerance);
            let found: Vec<f64> = gradient.tensor(0).iter().map(|slope| slope.to_f64()).collect();
            self.check_gradient(&what, end, &found, tolerance);
            check(&what, model.evaluate(&data).expect("the data fit").loss, self.batch, tolerance);
        }
        let fit = Fit { batch_size: samples, sample_weights: self.weights.as_deref(), ..Fit::default() };
        let before: Vec<f64> = model.parameters().tensor(0).iter().map(|weight| weight.to_f64()).collect();
        let history = model.fit(&data, Fit { shuffle: false, ..fit }).expect("the data fit");
        check(&what, history.epochs[0].loss, self.batch, tolerance);
        assert_eq!(history.epochs[0].accuracy.is_some(), self.labels.is_some());
        if kernel.iter().all(|weight| weight.abs() < 10.0) {
            let parameters = model.parameters();
            let after = parameters.tensor(0);
            let moved: Vec<f64> = before.iter().zip(after).map(|(x, y)| x - y.to_f64()).collect();
            self.check_gradient(&format!("{what}, fitted"), end, &moved, tolerance);
        }
    }

    /// The reference is with respect to the outputs, what was found to what enters the last activation.
    #[track_caller]
    fn check_gradient(&self, what: &str, end: Activation, found: &[f64], tolerance: f64) {
        for (sample, found) in found.chunks(self.outputs[0].len()).enumerate() {
            let (outputs, reference) = (&self.outputs[sample], &self.gradient[sample]);
            let sum: f64 = outputs.iter().sum();
            let mean = outputs.iter().zip(reference).map(|(p, slope)| p * slope).sum::<f64>() / sum;
            for (output, &found) in found.iter().enumerate() {
                let (p, slope) = (outputs[output], reference[output]);
                let expected = match end {
                    Activation::Softmax => p / sum * (slope - mean),
                    Activation::Sigmoid => p * (1.0 - p) * slope,
                    Activation::Exponential => p * slope,
                    _ => slope,
                };
                check(&format!("{what}, gradient {output} of {sample}"), found, expected, tolerance);
            }
        }
    }
}

#[test]
fn every_reference_of_a_sample_is_met() {
    let cases = cases();
    assert_eq!(cases.len(), 64);
    for case in cases {
        assert_eq!(from_ron::<Loss>(&to_ron(&case.loss).unwrap()).expect("as written"), case.loss);
        case.alone::<f64>(DOUBLE);
        if !beyond_single(&case) {
            case.alone::<f32>(SINGLE);
        }
    }
}

#[test]
fn every_reference_of_a_batch_is_met_by_a_network() {
    for case in cases() {
        case.in_network::<f64>(DOUBLE);
        if !beyond_single(&case) {
            case.in_network::<f32>(SINGLE);
        }
    }
}

/// Keras 3's defaults.
#[test]
fn defaults_are_those_of_keras() {
    for (text, full) in [
        ("CategoricalCrossentropy()", "CategoricalCrossentropy(from_logits: false, label_smoothing: 0.0)"),
        (
            "SparseCategoricalCrossentropy()",
            "SparseCategoricalCrossentropy(from_logits: false, ignore_class: None)",
        ),
        (
            "CategoricalFocalCrossentropy()",
            "CategoricalFocalCrossentropy(alpha: 0.25, gamma: 2.0, from_logits: false, label_smoothing: 0.0)",
        ),
        ("BinaryCrossentropy()", "BinaryCrossentropy(from_logits: false, label_smoothing: 0.0)"),
        (
            "BinaryFocalCrossentropy()",
            "BinaryFocalCrossentropy(apply_class_balancing: false, alpha: 0.25, gamma: 2.0, from_logits: false, \
             label_smoothing: 0.0)",
        ),
        ("Huber()", "Huber(delta: 1.0)"),
        ("Tversky()", "Tversky(alpha: 0.5, beta: 0.5)"),
        ("KlDivergence", "KlDivergence"),
    ] {
        assert_eq!(from_ron::<Loss>(text).expect(text).to_string(), full);
    }
    assert_eq!(Reduction::default(), Reduction::SumOverBatchSize);
}

#[track_caller]
fn check_refused(loss: &str, units: usize, end: Activation, message: &str) {
    let network = Sequential::new(4).add(Dense::new(units).activation(end));
    network.validate().expect("the network itself is valid");
    let loss: Loss = from_ron(loss).expect(loss);
    let error = network.compile::<f32>(Compile { loss, ..Compile::default() }).expect_err("a mismatch");
    assert_eq!(error.to_string(), message);
}

#[test]
fn an_end_that_a_loss_does_not_go_with_is_refused_with_what_it_needs() {
    use Activation::{Linear, Sigmoid, Softmax, Tanh};
    let ends =
        |end: &str, loss: &str| format!("layer 1 (dense): ends the network with {end}, but {loss} needs");
    let sparse = "SparseCategoricalCrossentropy(from_logits: false, ignore_class: None)";
    check_refused(
        "SparseCategoricalCrossentropy()",
        3,
        Sigmoid,
        &format!(
            "{} Softmax there; for outputs that are each a yes or no take BinaryCrossentropy",
            ends("Sigmoid", sparse)
        ),
    );
    let binary = "BinaryCrossentropy(from_logits: false, label_smoothing: 0.0)";
    check_refused(
        "BinaryCrossentropy()",
        3,
        Softmax,
        &format!(
            "{} Sigmoid there; for classes that exclude each other take CategoricalCrossentropy",
            ends("Softmax", binary)
        ),
    );
    check_refused(
        "BinaryCrossentropy()",
        1,
        Linear,
        &format!("{} Sigmoid there; add it, or set from_logits: true", ends("Linear", binary)),
    );
    check_refused(
        "BinaryCrossentropy(from_logits: true)",
        1,
        Sigmoid,
        &format!(
            "{} Linear there; make it Linear, or set from_logits: false",
            ends("Sigmoid", "BinaryCrossentropy(from_logits: true, label_smoothing: 0.0)")
        ),
    );
    check_refused(
        "KlDivergence",
        3,
        Linear,
        &format!("{} Softmax there; add it", ends("Linear", "KlDivergence")),
    );
    check_refused(
        "Dice",
        3,
        Tanh,
        &format!(
            "{} values between 0 and 1 there, such as those of Sigmoid or Softmax",
            ends("Tanh", "Dice")
        ),
    );
    let one = "layer 1 (dense): ends the network with 1 unit, but";
    let rest = "needs at least 2, one for each class; for two classes on one unit take BinaryCrossentropy";
    check_refused("CategoricalHinge", 1, Linear, &format!("{one} CategoricalHinge {rest}"));
    check_refused("CosineSimilarity", 1, Tanh, &format!("{one} CosineSimilarity {rest}"));
}

#[test]
fn a_setting_outside_its_range_is_refused_by_name() {
    use Activation::{Linear, Sigmoid, Softmax};
    for (loss, end, message) in [
        (
            "CategoricalCrossentropy(label_smoothing: 1)",
            Softmax,
            "label_smoothing of CategoricalCrossentropy is 1, expected at least 0 and below 1",
        ),
        (
            "BinaryCrossentropy(label_smoothing: -0.5)",
            Sigmoid,
            "label_smoothing of BinaryCrossentropy is -0.5, expected at least 0 and below 1",
        ),
        (
            "SparseCategoricalCrossentropy(ignore_class: 3)",
            Softmax,
            "ignore_class of SparseCategoricalCrossentropy is 3, expected a class for which the network has an output",
        ),
        (
            "CategoricalFocalCrossentropy(gamma: -1)",
            Softmax,
            "gamma of CategoricalFocalCrossentropy is -1, expected 0 or a number above 0 that fits single precision",
        ),
        (
            "BinaryFocalCrossentropy(alpha: 1.5)",
            Sigmoid,
            "alpha of BinaryFocalCrossentropy is 1.5, expected between 0 and 1",
        ),
        (
            "Huber(delta: 0)",
            Linear,
            "delta of Huber is 0, expected a number above 0 that fits single precision",
        ),
        (
            "Tversky(beta: NaN)",
            Sigmoid,
            "beta of Tversky is NaN, expected 0 or a number above 0 that fits single precision",
        ),
    ] {
        check_refused(loss, 3, end, message);
    }
}
