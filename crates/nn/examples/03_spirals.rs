//! How a network learns: three optimizers on three spirals.
//!
//! The same network starts from the same weights three times and sees the same batches in the same order. Only the rule
//! that turns a gradient into a step differs: plain gradient descent, with momentum, and Adam. Their losses are drawn, and
//! the boundary that Adam found.
//!
//! ```text
//! cargo run --package densely --example 03_spirals
//! ```

#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

#[path = "draw/curves.rs"]
mod curves;
#[path = "draw/regions.rs"]
mod regions;

use densely::{Activation, Adam, Compile, Dataset, Dense, Error, Fit, Optimizer, Sequential, Sgd};
use std::f64::consts::TAU;

const ARMS: usize = 3;
const POINTS_PER_ARM: usize = 100;
const EPOCHS: usize = 150;

/// Points on arms that wind around the middle by two thirds of a turn, with the arm's number.
fn spirals() -> Vec<([f64; 2], u32)> {
    let point = |index: usize| {
        let (arm, along) = (index % ARMS, (index / ARMS) as f64 / POINTS_PER_ARM as f64);
        let wobble = 0.1 * (index as f64 * 2.4).sin();
        let angle = TAU * (arm as f64 / ARMS as f64 + 0.66 * along) + wobble;
        let radius = 0.1 + 0.9 * along;
        ([radius * angle.cos(), radius * angle.sin()], arm as u32)
    };
    (0..ARMS * POINTS_PER_ARM).map(point).collect()
}

fn main() -> Result<(), Error> {
    let points = spirals();
    let values = points.iter().flat_map(|(point, _)| *point).collect();
    let labels = points.iter().map(|(_, arm)| *arm).collect();
    let data = Dataset::from_floats(2, values, labels, ARMS)?;

    let network = Sequential::new(2)
        .add(Dense::new(64).activation(Activation::Relu))
        .add(Dense::new(64).activation(Activation::Relu))
        .add(Dense::new(ARMS).activation(Activation::Softmax));
    let optimizers: [(char, &str, Optimizer); 3] = [
        ('.', "gradient descent", Sgd::new(0.1).into()),
        ('*', "with momentum 0.9", Sgd { momentum: 0.9, ..Sgd::new(0.1) }.into()),
        ('#', "Adam", Adam::new(0.01).into()),
    ];

    let mut losses = Vec::new();
    let mut last_model = None;
    for (mark, name, optimizer) in optimizers {
        let mut model = network.compile::<f32>(Compile { optimizer, seed: 1, ..Compile::default() })?;
        let history = model.fit(&data, Fit { epochs: EPOCHS, ..Fit::default() })?;
        let evaluation = model.evaluate(&data)?;
        let correct = evaluation.correct.unwrap_or(0);
        println!("{mark} {name:<18} {correct:>3} of {} points are right", evaluation.samples);
        losses.push((mark, history.epochs.iter().map(|epoch| (epoch.epoch as f64, epoch.loss)).collect()));
        last_model = Some((model, evaluation));
    }

    println!("\nLoss over {EPOCHS} epochs:\n");
    println!("{}\n", curves::draw(&losses));

    let (model, evaluation) = last_model.expect("there are three optimizers");
    println!("What Adam found:\n\n{}", regions::draw(&model, &points, [-1.2, -1.1], [1.2, 1.1])?);
    assert!(evaluation.accuracy > Some(0.96), "{:?}", evaluation.accuracy);
    Ok(())
}
