//! A whole training run beside Keras's: the same initial weights and batches of real digits, 200 steps of Adam in double
//! precision. `tests/reference/training_run.py` made the figures.

#![cfg(feature = "idx")]

use densely::losses::CategoricalCrossentropy;
use densely::{
    Activation, Adam, Callback, Compile, Dataset, Dense, Error, Fit, Model, Progress, Sequential, Training,
};
use serde_json::Value;
use std::path::Path;

const STEPS: usize = 200;
const BATCH_SIZE: usize = 64;
/// How far losses and weights may be from Keras's.
const TOLERANCE: f64 = 1e-9;

fn numbers(value: &Value) -> Vec<f64> {
    let numbers = value.as_array().expect("a list").iter();
    numbers.map(|number| number.as_f64().expect("a number")).collect()
}

fn sample() -> Dataset {
    let file = |name| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/sample").join(name);
    let (images, labels) = (file("train-images-idx3-ubyte.gz"), file("train-labels-idx1-ubyte.gz"));
    let pair = idx_dataset::read_pair(images, labels).expect("the repository has the sample");
    Dataset::from_idx(pair, 10).expect("the sample is valid")
}

/// Notes the loss of each step, and stops after the last.
#[derive(Default)]
struct Losses {
    steps: Vec<f64>,
    /// The sum of the epoch's losses so far, of its samples.
    sum: f64,
}

impl Callback for Losses {
    fn on_epoch_begin(&mut self, _: &mut Training<'_>, _: usize) -> Result<(), Error> {
        self.sum = 0.0;
        Ok(())
    }

    fn on_train_batch_end(&mut self, training: &mut Training<'_>, progress: &Progress) -> Result<(), Error> {
        let sum = progress.loss * progress.samples_seen as f64;
        self.steps.push((sum - self.sum) / BATCH_SIZE as f64);
        self.sum = sum;
        if self.steps.len() == STEPS {
            training.stop("all steps are done");
        }
        Ok(())
    }
}

#[test]
fn two_hundred_steps_of_adam_agree_with_keras() {
    let text = include_str!("reference/training_run.json");
    let file: Value = serde_json::from_str(text).expect("the reference is JSON");
    let reference = &file["cases"][0];

    let loss = CategoricalCrossentropy { from_logits: true, ..CategoricalCrossentropy::default() }.into();
    let mut model = Sequential::new(784)
        .add(Dense::new(32).activation(Activation::Relu))
        .add(Dense::new(16).activation(Activation::Relu))
        .add(Dense::new(10))
        .compile::<f64>(Compile { optimizer: Adam::default().into(), loss, ..Compile::default() })
        .expect("the network is valid");
    for (layer, divisor) in [32.0, 8.0, 4.0].into_iter().enumerate() {
        let (units, _) = model.parameters().tensors()[2 * layer].shape.rows_and_columns();
        for (place, weight) in model.parameters_mut().tensor_mut(2 * layer).iter_mut().enumerate() {
            let (input, unit) = (place / units, place % units);
            let number = (37 * input + 101 * unit + 11 * layer) % 257;
            *weight = (number as f64 - 128.0) / (128.0 * divisor);
        }
    }

    let flat = |model: &Model<f64>| -> Vec<f64> {
        model.parameters().iter().flat_map(|(_, values)| values).copied().collect()
    };
    let initial = flat(&model);
    let mut losses = Losses::default();
    let fit = Fit {
        epochs: 3,
        batch_size: BATCH_SIZE,
        shuffle: false,
        callbacks: vec![&mut losses],
        ..Fit::default()
    };
    let data = sample();
    assert_eq!(data.len() % BATCH_SIZE, 0, "an epoch has whole batches, so that the next one begins anew");
    model.fit(&data, fit).expect("the data fit");

    let expected = numbers(&reference["loss_before_step"]);
    assert_eq!((losses.steps.len(), expected.len()), (STEPS, STEPS));
    for (step, (found, expected)) in losses.steps.iter().zip(expected).enumerate() {
        assert!(
            (found - expected).abs() <= TOLERANCE,
            "loss before step {}: {found}, Keras's {expected}",
            step + 1
        );
    }
    let (moves, unit) = (numbers(&reference["moves"]), file["unit"].as_f64().expect("a number"));
    assert!(unit <= TOLERANCE / 10.0, "rounded, the reference is near enough");
    let found = flat(&model);
    assert_eq!((moves.len(), found.len()), (25_818, 25_818), "every weight is compared");
    for (number, ((found, initial), moved)) in found.iter().zip(initial).zip(moves).enumerate() {
        let expected = initial + moved * unit;
        let distance = (found - expected).abs();
        assert!(distance <= TOLERANCE, "weight {number}: {found}, Keras's {expected}");
    }
}
