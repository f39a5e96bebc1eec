//! A table of one's own: from a CSV file to a report by class.
//!
//! Three kinds of coffee beans are told apart by length, weight and moisture. The columns have very different sizes, so
//! each is scaled to mean 0 and deviation 1 first; the scaling is taken from the training samples alone, for the test
//! samples stand for beans that nobody has seen yet.
//!
//! ```text
//! cargo run --package densely --example 05_tabular
//! ```

#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

use densely::data::{Csv, Scaling};
use densely::{Activation, Adam, Compile, Dense, Fit, Sequential};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, Normal};
use std::error::Error;
use std::fmt::Write;

/// Name, and the mean of length in millimetres, weight in milligrams and moisture as a share.
const KINDS: [(&str, [f64; 3]); 3] =
    [("arabica", [9.5, 165.0, 0.112]), ("liberica", [12.5, 210.0, 0.118]), ("robusta", [7.5, 150.0, 0.121])];

/// How far beans are from the mean of their kind: the standard deviations.
const DEVIATIONS: [f64; 3] = [0.8, 15.0, 0.003];

/// The text of a CSV file with a header and 200 beans of each kind.
fn table() -> Result<String, Box<dyn Error>> {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let mut bean = |mean, deviation| {
        Normal::new(mean, deviation).expect("a deviation above 0 is fine").sample(&mut random)
    };
    let mut text = "length,weight,moisture,kind\n".to_owned();
    for _ in 0..200 {
        for (name, means) in KINDS {
            for (mean, deviation) in means.into_iter().zip(DEVIATIONS) {
                write!(text, "{:.4},", bean(mean, deviation))?;
            }
            writeln!(text, "{name}")?;
        }
    }
    Ok(text)
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("beans.csv");
    std::fs::write(&path, table()?)?;

    let samples = Csv::new(&path, "kind").read(&path)?;
    let (columns, kinds) = (samples.columns.clone(), samples.classes().to_vec());
    let (train, test) = samples.into_dataset()?.split_stratified(150, 1)?;
    println!("{} beans to train on, {} to test with: {}", train.len(), test.len(), kinds.join(", "));

    let scaling = Scaling::Standardize.fit(&train)?.expect("`Standardize` always scales");
    for ((column, offset), scale) in columns.iter().zip(&scaling.offset).zip(&scaling.scale) {
        println!("  {column:<9} mean {offset:8.3}, deviation {scale:7.4}");
    }

    let network = Sequential::new(columns.len())
        .add(Dense::new(16).activation(Activation::Relu))
        .add(Dense::new(kinds.len()).activation(Activation::Softmax));
    let mut accuracies = Vec::new();
    for (name, train, test) in [
        ("as they are", train.clone(), test.clone()),
        ("scaled", train.scaled(&scaling)?, test.scaled(&scaling)?),
    ] {
        let mut model =
            network.compile::<f32>(Compile { optimizer: Adam::new(0.01).into(), ..Compile::default() })?;
        model.fit(&train, Fit { epochs: 30, ..Fit::default() })?;
        let confusion = model.evaluate(&test)?.confusion.ok_or("the targets are classes")?;
        println!("\nColumns {name}:\n\n{}", confusion.report().with_names(&kinds));
        accuracies.push(confusion.correct() as f64 / confusion.total() as f64);
    }
    assert!(accuracies[1] > 0.9 && accuracies[1] > accuracies[0], "{accuracies:?}");
    Ok(())
}
