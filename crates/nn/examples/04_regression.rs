//! Numbers instead of classes: a curve through noisy points.
//!
//! A network with one input and one output that ends without an activation learns a function from 60 measurements of it.
//! The loss is the mean squared error; the curve that was learned is drawn over the points.
//!
//! ```text
//! cargo run --package densely --example 04_regression
//! ```

#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

#[path = "draw/curves.rs"]
mod curves;

use densely::{Activation, Adam, Compile, Dataset, Dense, Error, Fit, Loss, Sequential};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, Normal};

/// What is measured, for x from −3 to 3.
fn truth(x: f64) -> f64 {
    (2.0 * x).sin() + 0.3 * x
}

/// The standard deviation of a measurement.
const NOISE: f64 = 0.1;

fn main() -> Result<(), Error> {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let noise = Normal::new(0.0, NOISE).expect("a deviation above 0 is fine");
    let x = |index: usize, n_points: usize| 6.0 * index as f64 / (n_points - 1) as f64 - 3.0;
    let measured: Vec<(f64, f64)> =
        (0..60).map(|index| x(index, 60)).map(|x| (x, truth(x) + noise.sample(&mut random))).collect();
    let (inputs, targets) = measured.iter().copied().unzip();
    let data = Dataset::from_values(1, inputs, 1, targets)?;

    let compile =
        Compile { loss: Loss::MeanSquaredError, optimizer: Adam::new(0.01).into(), ..Compile::default() };
    let mut model = Sequential::new(1)
        .add(Dense::new(32).activation(Activation::Tanh))
        .add(Dense::new(32).activation(Activation::Tanh))
        .add(Dense::new(1))
        .compile::<f32>(compile)?;
    let history = model.fit(&data, Fit { epochs: 500, batch_size: 20, ..Fit::default() })?;
    println!("mean squared error: {:.4}, of which noise {:.4}", history.epochs[499].loss, NOISE * NOISE);

    // Between the measurements the network was never told anything.
    let mut learned = Vec::new();
    for index in 0..200 {
        let x = x(index, 200);
        learned.push((x, f64::from(model.predict_one(&[x as f32])?[0])));
    }
    let error = |&(x, y): &(f64, f64)| (y - truth(x)).abs();
    let largest = learned.iter().map(error).fold(0.0, f64::max);
    println!("largest distance from the truth: {largest:.3}\n");
    println!("{}", curves::draw(&[('.', learned), ('o', measured)]));
    assert!(largest < 0.4, "{largest}");
    Ok(())
}
