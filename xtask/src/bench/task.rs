//! What a measured program is asked, and what it answers.
//!
//! Every contender is a program that takes a [`Task`] in JSON as an argument and prints its answer as a line of JSON: ours
//! (`xtask/measure`), Python scripts (`xtask/peers/python`), and Rust peers (`xtask/peers/rust`). So all are started,
//! limited, timed and watched alike.

use std::path::Path;

use serde::{Deserialize, Serialize};

/// The tutorial's hidden layers, and its dropout.
pub(super) const HIDDEN: [usize; 2] = [512, 512];
pub(super) const DROPOUT: f64 = 0.2;
const BATCH_SIZE: usize = 128;
const LEARNING_RATE: f64 = 0.001;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    /// Train for `epochs`: [`Speed`], with the rates of all epochs but the first.
    Training,
    /// Train until an epoch ends with `target` of the test images classified rightly, `epochs` at most: [`Accuracies`].
    Accuracy,
    /// Train for `steps`, then predict all test images again and again: [`Speed`].
    Inference,
    /// Train for `steps`, then predict one image after the other: [`Latency`].
    Latency,
}

/// A task: MNIST, a network of dense layers with ReLU (each followed by dropout, if there is any) and ten outputs with
/// softmax, cross-entropy, and Adam.
#[derive(Clone, Serialize)]
pub(super) struct Task<'a> {
    #[serde(rename = "task")]
    pub(super) kind: Kind,
    /// The folder with the four files.
    pub(super) data: &'a Path,
    pub(super) threads: usize,
    /// What all randomness follows from.
    pub(super) seed: u64,
    /// Units of the hidden layers.
    pub(super) hidden: Vec<usize>,
    pub(super) dropout: f64,
    #[serde(flatten)]
    pub(super) schedule: Schedule,
    /// Steps of an epoch, if it is not to pass over all images.
    pub(super) steps: Option<usize>,
    /// A share of the test images.
    pub(super) target: f64,
}

/// How long, and by what steps, a network learns.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Schedule {
    pub(super) batch_size: usize,
    /// Adam's, at its highest.
    pub(super) learning_rate: f64,
    /// The share of all steps in which the rate rises linearly from a 25th of its height, before it falls linearly to next to nothing in
    /// the others; if there is none, it is constant.
    pub(super) warm_up: Option<f64>,
    pub(super) epochs: usize,
}

impl<'a> Task<'a> {
    /// The tutorial's network, trained for one epoch as the tutorial does.
    pub(super) fn new(kind: Kind, data: &'a Path, threads: usize) -> Self {
        let schedule =
            Schedule { batch_size: BATCH_SIZE, learning_rate: LEARNING_RATE, warm_up: None, epochs: 1 };
        let hidden = HIDDEN.to_vec();
        Self { kind, data, threads, seed: 1, hidden, dropout: DROPOUT, schedule, steps: None, target: 1.0 }
    }
}

/// Floating-point operations that an image costs in training if every product is dense: two for each weight forward, two
/// for its gradient, and, behind the first layer, two for the gradient of the input.
pub(super) fn flops_of_an_image(hidden: &[usize]) -> f64 {
    let operations = |layer| if layer == 0 { 4.0 } else { 6.0 };
    weights(hidden).enumerate().map(|(layer, weights)| operations(layer) * weights).sum()
}

/// The weights of each layer.
pub(super) fn weights(hidden: &[usize]) -> impl Iterator<Item = f64> {
    let inputs = [&[784], hidden].concat();
    let units = [hidden, &[10]].concat();
    inputs.into_iter().zip(units).map(|(inputs, units)| (inputs * units) as f64)
}

/// Rates of epochs or of predictions of all test images.
#[derive(Deserialize)]
pub(super) struct Speed {
    pub(super) images_per_second: Vec<f64>,
}

/// The test accuracy after each epoch, between 0 and 1.
#[derive(Deserialize)]
pub(super) struct Accuracies {
    pub(super) test_accuracy: Vec<f64>,
}

/// Microseconds of each prediction.
#[derive(Deserialize)]
pub(super) struct Latency {
    pub(super) microseconds: Vec<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_of_the_tutorial_costs_3_21_million_operations() {
        assert_eq!(flops_of_an_image(&HIDDEN), 3_209_216.0);
        assert_eq!(flops_of_an_image(&[]), 4.0 * 7840.0);
    }

    #[test]
    fn a_task_is_one_flat_object() {
        let task = Task::new(Kind::Accuracy, Path::new("data/mnist"), 2);
        let expected = r#"{"task":"accuracy","data":"data/mnist","threads":2,"seed":1,"hidden":[512,512],"dropout":0.2,"batch_size":128,"learning_rate":0.001,"warm_up":null,"epochs":1,"steps":null,"target":1.0}"#;
        assert_eq!(serde_json::to_string(&task).unwrap(), expected);
    }
}
