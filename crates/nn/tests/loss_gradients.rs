//! Every loss with every end that it goes with, against central differences, on random shapes; and what has to hold of
//! gradients whatever the loss.

mod common;

use common::ACTIVATIONS_OF_SUMS;
use densely::text::from_ron;
use densely::{Activation, Compile, Dataset, Dense, Initializer, Loss, Model, Parameters, Pool, Sequential};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// Half the distance of the two points of a difference.
const STEP: f64 = 1e-6;

/// How far gradient and difference may be apart, as a share of the difference and besides. Nothing more is needed: with these
/// seeds no corner lies between the two points of a difference, where it would be neither side's slope, and all losses are
/// small enough for their rounding, ε·|loss|/STEP.
const RELATIVE: f64 = 1e-6;
const ABSOLUTE: f64 = 1e-8;

/// What the targets of a loss look like.
#[derive(Clone, Copy, Debug)]
enum Kind {
    /// Any numbers.
    Any,
    Positive,
    /// Each 0 or 1.
    Flags,
    /// Probabilities that sum to 1.
    Shares,
    /// Each between 0 and 1.
    Chances,
    Labels,
}

/// Loss, end, targets.
const COMBINATIONS: &[(&str, &str, Kind)] = &[
    ("CategoricalCrossentropy()", "Softmax", Kind::Labels),
    ("CategoricalCrossentropy()", "Softmax", Kind::Shares),
    ("CategoricalCrossentropy(label_smoothing: 0.2)", "Softmax", Kind::Labels),
    ("CategoricalCrossentropy(from_logits: true)", "Linear", Kind::Labels),
    ("CategoricalCrossentropy(from_logits: true)", "Linear", Kind::Chances),
    ("SparseCategoricalCrossentropy()", "Softmax", Kind::Labels),
    ("SparseCategoricalCrossentropy(from_logits: true, ignore_class: 1)", "Linear", Kind::Labels),
    ("CategoricalFocalCrossentropy()", "Softmax", Kind::Labels),
    ("CategoricalFocalCrossentropy(gamma: 0.5, label_smoothing: 0.1)", "Softmax", Kind::Shares),
    ("CategoricalFocalCrossentropy(gamma: 0, from_logits: true)", "Linear", Kind::Labels),
    ("BinaryCrossentropy()", "Sigmoid", Kind::Flags),
    ("BinaryCrossentropy(label_smoothing: 0.2)", "Sigmoid", Kind::Chances),
    ("BinaryCrossentropy(from_logits: true)", "Linear", Kind::Labels),
    ("BinaryFocalCrossentropy()", "Sigmoid", Kind::Flags),
    ("BinaryFocalCrossentropy(apply_class_balancing: true, gamma: 0.5)", "Sigmoid", Kind::Chances),
    ("BinaryFocalCrossentropy(gamma: 0, from_logits: true)", "Linear", Kind::Labels),
    ("KlDivergence", "Softmax", Kind::Labels),
    ("KlDivergence", "Softmax", Kind::Shares),
    ("Poisson", "Exponential", Kind::Positive),
    ("Poisson", "Softplus", Kind::Positive),
    ("Poisson", "Sigmoid", Kind::Positive),
    ("Poisson", "Relu", Kind::Positive),
    ("Poisson", "Relu6", Kind::Positive),
    ("Poisson", "Squareplus()", Kind::Positive),
    ("Poisson", "SparsePlus", Kind::Positive),
    ("Poisson", "HardSigmoid", Kind::Positive),
    ("Poisson", "SparseSigmoid", Kind::Positive),
    ("Poisson", "Softmax", Kind::Shares),
    ("Poisson", "Sparsemax", Kind::Shares),
    ("CategoricalHinge", "Linear", Kind::Labels),
    ("CategoricalHinge", "Softmax", Kind::Labels),
    ("Hinge", "Tanh", Kind::Flags),
    ("Hinge", "Linear", Kind::Labels),
    ("SquaredHinge", "Tanh", Kind::Flags),
    ("SquaredHinge", "Linear", Kind::Labels),
    ("MeanSquaredError", "Linear", Kind::Any),
    ("MeanSquaredError", "Softmax", Kind::Labels),
    ("MeanSquaredError", "Gelu", Kind::Any),
    ("MeanAbsoluteError", "Linear", Kind::Any),
    ("MeanAbsolutePercentageError", "Linear", Kind::Any),
    ("MeanSquaredLogarithmicError", "Softplus", Kind::Positive),
    ("MeanSquaredLogarithmicError", "Linear", Kind::Positive),
    ("Huber(delta: 0.5)", "Linear", Kind::Any),
    ("LogCosh", "Linear", Kind::Any),
    ("CosineSimilarity", "Linear", Kind::Any),
    ("CosineSimilarity", "Tanh", Kind::Labels),
    ("Tversky(alpha: 0.3, beta: 0.7)", "Sigmoid", Kind::Flags),
    ("Tversky()", "Softmax", Kind::Labels),
    ("Tversky(alpha: 0.3, beta: 0.7)", "HardSigmoid", Kind::Flags),
    ("Tversky()", "SparseSigmoid", Kind::Chances),
    ("Tversky()", "Sparsemax", Kind::Labels),
    ("Dice", "Sigmoid", Kind::Chances),
    ("Dice", "Softmax", Kind::Labels),
    ("Dice", "HardSigmoid", Kind::Chances),
    ("Dice", "SparseSigmoid", Kind::Flags),
    ("Dice", "Sparsemax", Kind::Shares),
];

fn parse<V: serde::de::DeserializeOwned>(text: &str) -> V {
    from_ron(text).expect("a valid description")
}

/// The n-th number of a sequence without a pattern, between 0 and 1.
fn noise(n: usize) -> f64 {
    (0.5 + 0.5 * (12.9 * n as f64 + 0.7).sin()).fract()
}

/// `samples` samples of 3 features; feature and target of a sample depend on its number alone.
fn data(kind: Kind, outputs: usize, numbers: &[usize]) -> Dataset {
    let features = numbers.iter().flat_map(|n| (0..3).map(move |i| 2.0 * noise(7 * n + i) - 1.0)).collect();
    let target = |n: usize| -> Vec<f64> {
        let raw: Vec<f64> = (0..outputs).map(|i| noise(31 * n + 5 * i + 3)).collect();
        match kind {
            Kind::Any => raw.iter().map(|x| 4.0 * x - 2.0).collect(),
            Kind::Positive => raw.iter().map(|x| 3.0 * x).collect(),
            Kind::Flags => raw.iter().map(|x| x.round()).collect(),
            Kind::Shares => raw.iter().map(|x| x / raw.iter().sum::<f64>()).collect(),
            Kind::Chances | Kind::Labels => raw,
        }
    };
    let data = match kind {
        Kind::Labels => {
            let classes = outputs.max(2);
            let labels = numbers.iter().map(|n| (n * n + 1) as u32 % classes as u32).collect();
            Dataset::from_floats(3, features, labels, classes)
        }
        _ => Dataset::from_values(3, features, outputs, numbers.iter().copied().flat_map(target).collect()),
    };
    data.expect("valid data")
}

fn model(loss: &str, end: &str, outputs: usize, seed: u64) -> Model<f64> {
    let dense = |units, activation| {
        Dense::new(units).activation(activation).bias_initializer(Initializer::GlorotUniform)
    };
    let network =
        Sequential::new(3).add(dense(4, Activation::Tanh)).add(dense(outputs, parse::<Activation>(end)));
    // One thread: others would wait for these few numbers longer than they take.
    let pool = Pool::new(1).expect("one thread");
    let compile = Compile { loss: parse(loss), seed, pool, ..Compile::default() };
    network.compile(compile).expect("the loss goes with the end")
}

/// How many outputs a loss takes of `wanted`.
fn outputs(loss: &str, end: &str, wanted: usize) -> usize {
    let least = match loss {
        _ if end == "Softmax"
            || end == "Sparsemax"
            || loss.contains("ategorical")
            || loss == "CosineSimilarity" =>
        {
            2
        }
        _ => 1,
    };
    wanted.max(least)
}

fn gradient(model: &Model<f64>, data: &Dataset) -> (f64, Parameters<f64>) {
    model.loss_and_gradient(data, 1).expect("the data fit")
}

/// Every component of the gradient of a batch beside the difference of losses.
fn check(
    (loss, end, kind): (&str, &str, Kind),
    wanted: usize,
    samples: usize,
    seed: u64,
) -> Result<(), TestCaseError> {
    let outputs = outputs(loss, end, wanted);
    let data = data(kind, outputs, &(0..samples).collect::<Vec<_>>());
    let mut model = model(loss, end, outputs, seed);
    let (_, found) = gradient(&model, &data);
    for index in 0..model.parameters().tensors().len() {
        for place in 0..found.tensor(index).len() {
            let start = model.parameters().tensor(index)[place];
            let mut loss_at = |value| {
                model.parameters_mut().tensor_mut(index)[place] = value;
                gradient(&model, &data).0
            };
            // Rounded, the two points are not 2·STEP apart.
            let (above, below) = (start + STEP, start - STEP);
            let (at_above, at_below) = (loss_at(above), loss_at(below));
            loss_at(start);
            let difference = (at_above - at_below) / (above - below);
            let found = found.tensor(index)[place];
            prop_assert!(
                (found - difference).abs() <= ABSOLUTE + RELATIVE * difference.abs(),
                "{loss} on {end}, tensor {index}[{place}]: {found:e}, difference {difference:e}"
            );
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, failure_persistence: None, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default() })]

    #[test]
    fn every_loss_with_the_ends_that_go_with_it(wanted in 1..6_usize, samples in 1..7_usize, seed in 0..1000_u64) {
        for &combination in COMBINATIONS {
            check(combination, wanted, samples, seed)?;
        }
    }

    #[test]
    fn a_permuted_batch_has_the_same_gradient(samples in 2..90_usize, turn in 1..89_usize, seed in 0..1000_u64) {
        let numbers: Vec<usize> = (0..samples).collect();
        let mut turned = numbers.clone();
        turned.rotate_left(turn % samples);
        turned.swap(0, samples / 2);
        for &(loss, end, kind) in COMBINATIONS {
            let outputs = outputs(loss, end, 3);
            let model = model(loss, end, outputs, seed);
            let [(a, of_one), (b, of_other)] =
                [&numbers, &turned].map(|numbers| gradient(&model, &data(kind, outputs, numbers)));
            prop_assert!((a - b).abs() <= 1e-12 * a.abs().max(1.0), "{loss}");
            for (x, y) in of_one.values().iter().zip(of_other.values()) {
                prop_assert!((x - y).abs() <= 1e-12 * x.abs().max(1.0), "{loss}: {x} {y}");
            }
        }
    }
}

/// Every function of single sums or of a whole sample that can end a network of any width.
fn ends() -> impl Iterator<Item = &'static str> {
    ACTIVATIONS_OF_SUMS.into_iter().chain(["Softmax", "LogSoftmax", "Sparsemax"])
}

/// The ends that a loss accepts.
fn accepted(loss: &str) -> Vec<&'static str> {
    let loss: Loss = parse(loss);
    let is_accepted = |end: &&str| {
        let network = Sequential::new(3).add(Dense::new(4).activation(parse::<Activation>(end)));
        loss.validate(&network).is_ok()
    };
    ends().filter(is_accepted).collect()
}

/// The losses that go with some ends, with each of them; those that go with any, with any at all.
#[test]
fn no_end_that_a_loss_accepts_is_missing() {
    let family = |loss: &str| (loss.split('(').next().map(str::to_owned), loss.contains("from_logits: true"));
    let mut of_any_end = Vec::new();
    for &(loss, _, kind) in COMBINATIONS {
        let ends = accepted(loss);
        if ends.len() == self::ends().count() {
            of_any_end.push((loss, kind));
            continue;
        }
        for end in ends {
            let is_there = |&(other, its_end, _): &_| family(other) == family(loss) && its_end == end;
            assert!(COMBINATIONS.iter().any(is_there), "{loss} accepts {end}");
        }
    }
    of_any_end.dedup_by_key(|(loss, _)| *loss);
    assert_eq!(of_any_end.len(), 10);
    for (loss, kind) in of_any_end {
        for end in ends() {
            check((loss, end, kind), 3, 4, 7).expect("gradient and difference agree");
        }
    }
}

#[test]
fn a_scaled_loss_scales_the_gradient() {
    let numbers: Vec<usize> = (0..8).collect();
    for &(loss, end, kind) in COMBINATIONS {
        let outputs = outputs(loss, end, 3);
        let data = data(kind, outputs, &numbers);
        let ignoring = loss.contains("ignore_class");
        let model = model(loss, end, outputs, 5);
        // The sum of the losses is the number of samples times their mean.
        let summed = Compile {
            loss: parse::<Loss>(loss),
            reduction: densely::Reduction::Sum,
            seed: 5,
            ..Compile::default()
        };
        let summed = model.description().compile::<f64>(summed).expect("as before");
        let counted = if ignoring { data.len() - data.class_counts()[1] } else { data.len() } as f64;
        let [(mean, of_mean), (sum, of_sum)] = [gradient(&model, &data), gradient(&summed, &data)];
        assert!((sum - counted * mean).abs() <= 1e-12 * sum.abs().max(1.0), "{loss}: {sum} {mean}");
        for (x, y) in of_sum.values().iter().zip(of_mean.values()) {
            assert!((x - counted * y).abs() <= 1e-12 * x.abs().max(1.0), "{loss}: {x} {y}");
        }
        assert!(of_mean.values().iter().any(|slope| slope.abs() > 1e-6), "{loss}");
    }
}
