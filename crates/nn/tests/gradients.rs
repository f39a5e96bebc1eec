//! Backpropagation against central differences, in double precision: every layer, activation and loss that can meet.

mod common;

use common::ACTIVATIONS_OF_SUMS;
use densely::losses::CategoricalCrossentropy;
use densely::regularizers::L2;
use densely::text::from_ron;
use densely::{
    Activation, Compile, Dataset, Dense, Dropout, GradientCheck, Initializer, Loss, Model, Pool, Regularizer,
    Sequential,
};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// Half the distance of the two points of a difference.
const STEP: f64 = 1e-6;

/// Some samples with values in −1..1; not random, but without any pattern that a layer could hide behind.
fn data(features: usize, classes: usize, samples: usize) -> Dataset {
    let values = (0..features * samples).map(|i| (1.7 * i as f64 + 0.3).sin()).collect();
    let labels = (0..samples).map(|sample| (sample * sample + 1) as u32 % classes as u32).collect();
    Dataset::from_floats(features, values, labels, classes).expect("the data are valid")
}

/// Every component of the gradient within 1e-6 relative and 1e-8 absolute of the difference of losses.
#[track_caller]
fn check(network: Sequential, loss: Loss, samples: usize) {
    let data = data(network.inputs, network.outputs(), samples);
    let compile = Compile { loss, seed: 3, pool: Pool::new(2).expect("two threads"), ..Compile::default() };
    let model: Model<f64> = network.compile(compile).expect("the network is valid");
    let check = GradientCheck { step: 1e-6, relative: 1e-6, absolute: 1e-8, ..GradientCheck::default() };
    let report = model.check_gradient(&data, check).expect("the data fit");
    assert!(report.passed(), "{report}");
    let parameters: usize = model.parameters().tensors().iter().map(|tensor| tensor.len()).sum();
    assert_eq!(report.checked, parameters);
    assert!(report.largest > 1e-4, "a gradient of nothing but zeros would pass for any bug");
}

/// The check itself against the plainest way to do it.
#[test]
fn the_check_agrees_with_differences_of_losses_by_hand() {
    let network = Sequential::new(3).add(dense(4, Activation::Tanh)).add(dense(3, Activation::Softmax));
    let data = data(3, 3, 5);
    let mut model: Model<f64> =
        network.compile(Compile { seed: 3, ..Compile::default() }).expect("a network");
    let (_, gradient) = model.loss_and_gradient(&data, 1).expect("the data fit");
    for relative in [1e-6, 1e-12] {
        // At 1e-12 the rounding of the losses shows, so that the worst component is beyond what is allowed.
        let check = GradientCheck { relative, absolute: 1e-13, ..GradientCheck::default() };
        let report = model.check_gradient(&data, check).expect("the data fit");
        let worst = &report.worst;
        let tensor = model.parameters().tensors().iter().position(|tensor| tensor.name == worst.tensor);
        let tensor = tensor.expect("it is a tensor of the model");
        let start = model.parameters().tensor(tensor)[worst.index];
        let mut loss_at = |value| {
            model.parameters_mut().tensor_mut(tensor)[worst.index] = value;
            model.loss_and_gradient(&data, 1).expect("the data fit").0
        };
        let (above, below) = (start + STEP, start - STEP);
        let difference = (loss_at(above) - loss_at(below)) / (above - below);
        loss_at(start);
        assert_eq!(worst.difference, difference);
        assert_eq!(worst.gradient, gradient.tensor(tensor)[worst.index]);
        let allowed = 1e-13 + relative * difference.abs();
        assert_eq!(worst.error, (worst.gradient - difference).abs() / allowed);
        assert_eq!(report.passed(), worst.error <= 1.0);
        let largest =
            gradient.iter().flat_map(|(_, values)| values).fold(0.0f64, |most, value| most.max(value.abs()));
        assert_eq!(report.largest, largest);
    }
}

/// Where the loss has a kink, the two differ: the check sees a wrong gradient, and says where.
#[test]
fn the_check_names_the_component_that_is_wrong() {
    let data = Dataset::from_floats(1, vec![1.0, -1.0], vec![0, 1], 2).expect("the data are valid");
    let network = Sequential::new(1)
        .add(Dense::new(1).kernel_initializer(Initializer::Ones))
        .add(Dense::new(2).kernel_regularizer(densely::regularizers::L1 { l1: 1.0 }));
    let mut model: Model<f32> =
        network.compile(Compile { loss: Loss::MeanSquaredError, ..Compile::default() }).expect("a network");
    assert!(model.check_gradient(&data, GradientCheck::default()).expect("the data fit").passed());
    model.parameters_mut().tensor_mut(2)[1] = 2e-7;
    let report = model.check_gradient(&data, GradientCheck::default()).expect("the data fit");
    assert!(!report.passed());
    assert_eq!((&*report.worst.tensor, report.worst.index), ("dense_1.kernel", 1));
    assert!(report.to_string().starts_with("6 values, worst dense_1.kernel[1]: gradient "), "{report}");
    let before = model.fingerprint();
    let few = GradientCheck { values_per_tensor: 1, ..GradientCheck::default() };
    assert_eq!(model.check_gradient(&data, few).expect("the data fit").checked, 4);
    assert_eq!(model.fingerprint(), before);
    for (check, expected) in [
        (GradientCheck { step: 0.0, ..few }, "step is 0, expected a finite number above 0"),
        (GradientCheck { absolute: f64::NAN, ..few }, "absolute is NaN, expected a finite number above 0"),
        (GradientCheck { values_per_tensor: 0, ..few }, "values_per_tensor is 0, expected at least 1"),
    ] {
        assert_eq!(model.check_gradient(&data, check).unwrap_err().to_string(), expected);
    }
}

const LOGITS: Loss =
    Loss::CategoricalCrossentropy(CategoricalCrossentropy { from_logits: true, label_smoothing: 0.0 });
const PROBABILITIES: Loss =
    Loss::CategoricalCrossentropy(CategoricalCrossentropy { from_logits: false, label_smoothing: 0.0 });

/// Biases that are not 0, so that units differ from the start.
fn dense(units: usize, activation: Activation) -> Dense {
    Dense::new(units).activation(activation).bias_initializer(Initializer::GlorotUniform)
}

/// Every function of single sums, with its default settings or others.
fn activations() -> impl Iterator<Item = Activation> {
    ACTIVATIONS_OF_SUMS.into_iter().map(|text| from_ron(text).expect(text))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 5, failure_persistence: None, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default() })]

    #[test]
    fn every_activation_inside_a_network(
        (inputs, hidden, outputs) in (1..8_usize, 3..9_usize, 2..6_usize),
        samples in 2..8_usize,
    ) {
        for activation in activations() {
            let inside = || Sequential::new(inputs).add(dense(hidden, activation));
            check(inside().add(dense(outputs, Activation::Softmax)), PROBABILITIES, samples);
            check(inside().add(dense(outputs, Activation::Linear)), LOGITS, samples);
            check(inside().add(dense(outputs, activation)), Loss::MeanSquaredError, samples);
        }
    }

    #[test]
    fn every_activation_as_a_layer_of_its_own(
        (inputs, hidden, outputs) in (1..6_usize, 3..8_usize, 2..6_usize),
        samples in 2..8_usize,
    ) {
        for activation in activations() {
            // Behind tanh it cannot join the dense layer.
            let first = Sequential::new(inputs).add(dense(hidden, Activation::Tanh));
            let network = first.add(activation).add(Dense::new(outputs));
            check(network.clone(), LOGITS, samples);
            check(network.add(Activation::Softmax), PROBABILITIES, samples);
        }
    }

    #[test]
    fn functions_of_a_whole_sample(
        (inputs, hidden, outputs) in (1..6_usize, 2..8_usize, 2..6_usize),
        samples in 2..8_usize,
    ) {
        for activation in [Activation::Softmax, Activation::LogSoftmax, Activation::Sparsemax] {
            let first = || Sequential::new(inputs);
            check(first().add(dense(outputs, activation)), Loss::MeanSquaredError, samples);
            let alone = first().add(dense(outputs, Activation::Sigmoid)).add(activation);
            check(alone, Loss::MeanSquaredError, samples);
            let inside = first().add(dense(hidden, activation)).add(dense(outputs, Activation::Softmax));
            check(inside, PROBABILITIES, samples);
        }
    }

    /// Their units are in pairs.
    #[test]
    fn gated_linear_units(
        (inputs, hidden, behind) in (1..4_usize, 1..5_usize, 1..5_usize),
        (outputs, samples) in (2..5_usize, 2..8_usize),
    ) {
        let first = Sequential::new(2 * inputs).add(Activation::Glu).add(dense(2 * hidden, Activation::Glu));
        let alone = first.clone().add(dense(2 * behind, Activation::Tanh)).add(Activation::Glu);
        check(alone.add(dense(outputs, Activation::Softmax)), PROBABILITIES, samples);
        let regularized = dense(2 * outputs, Activation::Glu).activity_regularizer(L2 { l2: 0.1 });
        check(first.add(regularized), Loss::MeanSquaredError, samples);
    }
}

#[test]
fn every_regularizer_on_kernel_bias_and_activity() {
    let regularizer = |text| from_ron::<Regularizer>(text).expect(text);
    for text in ["L1(l1: 0.1)", "L2(l2: 0.1)", "L1L2(l1: 0.1, l2: 0.2)"] {
        let regularized = |units, activation| {
            dense(units, activation)
                .kernel_regularizer(regularizer(text))
                .bias_regularizer(regularizer(text))
                .activity_regularizer(regularizer(text))
        };
        let hidden = Sequential::new(5).add(regularized(7, Activation::Tanh)).add(Activation::Sigmoid);
        check(hidden.clone().add(regularized(4, Activation::Linear)), LOGITS, 6);
        check(hidden.clone().add(regularized(4, Activation::Gelu)), Loss::MeanSquaredError, 6);
        check(hidden.add(regularized(4, Activation::Softmax)), Loss::MeanSquaredError, 6);
    }
    for text in ["Orthogonal(factor: 3)", "Orthogonal(factor: 3, mode: Columns)"] {
        let layer = dense(7, Activation::Tanh).kernel_regularizer(regularizer(text));
        check(Sequential::new(5).add(layer).add(dense(3, Activation::Softmax)), PROBABILITIES, 6);
    }
}

#[test]
fn dropout_with_its_masks_kept() {
    let network = Sequential::new(6)
        .add(Dropout::new(0.2))
        .add(dense(20, Activation::Relu))
        .add(Dropout::new(0.5))
        .add(dense(10, Activation::Tanh))
        .add(Dropout::new(0.0))
        .add(dense(3, Activation::Softmax));
    check(network, PROBABILITIES, 9);
}

#[test]
fn layers_without_bias_and_batches_of_one() {
    let network = Sequential::new(5)
        .add(Dense::new(4).activation(Activation::Tanh).use_bias(false))
        .add(Dense::new(2).activation(Activation::Softmax).use_bias(false));
    check(network.clone(), PROBABILITIES, 1);
    check(network, PROBABILITIES, 40);
}

#[test]
fn widths_around_the_register_tile() {
    for (inputs, units) in [(1, 33), (17, 1), (16, 32), (40, 9)] {
        let network =
            Sequential::new(inputs).add(dense(units, Activation::Relu)).add(dense(3, Activation::Softmax));
        check(network, PROBABILITIES, 17);
    }
}

/// Behind dropout of half, zeros are skipped; the products of layers of 64 units and more do.
#[test]
fn layers_wide_enough_to_skip_zeros() {
    for units in [64, 70] {
        let network = Sequential::new(6)
            .add(dense(20, Activation::Relu))
            .add(Dropout::new(0.5))
            .add(dense(units, Activation::Relu))
            .add(Dropout::new(0.5))
            .add(dense(65, Activation::Tanh))
            .add(dense(3, Activation::Softmax));
        check(network, PROBABILITIES, 9);
    }
}
