//! What a network learns is a boundary: two moons.
//!
//! Two half circles of points, one hooked into the other, with some noise. The network sees 400 of them, and its boundary
//! is drawn while it bends; 100 points that it has never seen say how good it is.
//!
//! ```text
//! cargo run --package densely --example 02_two_moons
//! ```

#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

#[path = "draw/regions.rs"]
mod regions;

use densely::{Activation, Adam, Compile, Dataset, Dense, Error, Fit, Sequential};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, Normal};
use std::f64::consts::PI;

/// How far points are from their half circle: the standard deviation in each direction.
const NOISE: f64 = 0.15;

/// Points of both moons in turns, with the moon's number.
fn moons(n_points: usize, seed: u64) -> Vec<([f64; 2], u32)> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let noise = Normal::new(0.0, NOISE).expect("a deviation above 0 is fine");
    let mut point = |index: usize| {
        let angle = PI * (index / 2) as f64 / (n_points / 2) as f64;
        let moon = (index % 2) as u32;
        let [x, y] = match moon {
            0 => [angle.cos(), angle.sin()],
            _ => [1.0 - angle.cos(), 0.5 - angle.sin()],
        };
        ([x + noise.sample(&mut random), y + noise.sample(&mut random)], moon)
    };
    (0..n_points).map(&mut point).collect()
}

fn dataset(points: &[([f64; 2], u32)]) -> Result<Dataset, Error> {
    let values = points.iter().flat_map(|(point, _)| *point).collect();
    Dataset::from_floats(2, values, points.iter().map(|(_, moon)| *moon).collect(), 2)
}

fn main() -> Result<(), Error> {
    let points = moons(400, 1);
    let (train, unseen) = (dataset(&points)?, dataset(&moons(100, 2))?);

    let mut model = Sequential::new(2)
        .add(Dense::new(16).activation(Activation::Tanh))
        .add(Dense::new(16).activation(Activation::Tanh))
        .add(Dense::new(2).activation(Activation::Softmax))
        .compile::<f32>(Compile { optimizer: Adam::new(0.01).into(), ..Compile::default() })?;

    // A second call of `fit` goes on where the first ended.
    let mut epochs_so_far = 0;
    for epochs in [1, 9, 90] {
        model.fit(&train, Fit { epochs, ..Fit::default() })?;
        epochs_so_far += epochs;
        let evaluation = model.evaluate(&unseen)?;
        println!(
            "After {epochs_so_far} epochs, loss {:.3}, {} of {} unseen points are right:\n",
            evaluation.loss,
            evaluation.correct.unwrap_or(0),
            evaluation.samples
        );
        println!("{}\n", regions::draw(&model, &points, [-1.6, -1.1], [2.6, 1.6])?);
    }
    let evaluation = model.evaluate(&unseen)?;
    assert!(evaluation.accuracy >= Some(0.95), "{:?}", evaluation.accuracy);
    Ok(())
}
