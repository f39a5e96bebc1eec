//! Reading handwriting, in Rust from files to figures: MNIST, or its sample in the repository.
//!
//! Labels and pixels are read from IDX files, a few images are held out for validation, a small network is trained while
//! a callback watches, and the test images are looked at once. At the end: the digits that it was wrong about.
//!
//! ```text
//! cargo run --package densely --example 06_mnist                  # the sample: seconds, about 92 %
//! cargo run --package densely --example 06_mnist -- data/mnist    # after cargo xtask download: about 97 %
//! ```

#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

use densely::{
    Activation, Callback, Compile, Dataset, Dense, Dropout, Epoch, Fit, Sequential, Training, wilson_interval,
};
use std::error::Error;
use std::path::{Path, PathBuf};

const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../data/sample");

/// Prints a line after each epoch.
struct Table;

impl Callback for Table {
    fn on_epoch_end(&mut self, _: &mut Training<'_>, epoch: &Epoch) -> Result<(), densely::Error> {
        let validation = epoch.val_loss.unwrap_or(f64::NAN);
        println!("epoch {}: loss {:.4}, on held-out images {validation:.4}", epoch.epoch, epoch.loss);
        Ok(())
    }
}

/// Images and labels whose names begin with `set`; 784 bytes an image, which become numbers from 0 to 1 in a batch.
fn read(folder: &Path, set: &str) -> Result<Dataset, Box<dyn Error>> {
    let images = idx_dataset::find(folder, &format!("{set}-images-idx3-ubyte"));
    let labels = idx_dataset::find(folder, &format!("{set}-labels-idx1-ubyte"));
    Ok(Dataset::from_idx(idx_dataset::read_pair(images, labels)?, 10)?)
}

/// A digit of 28 × 28 bytes in 14 rows of text: two rows of pixels in one, told by four shades.
fn print_digit(pixels: &[u8]) {
    for rows in pixels.chunks_exact(2 * 28) {
        let shade = |column: usize| {
            let ink = usize::from(rows[column]) + usize::from(rows[column + 28]);
            [' ', '░', '▒', '▓', '█'][ink * 5 / 511]
        };
        println!("    {}", (0..28).map(shade).collect::<String>().trim_end());
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).map_or_else(|| PathBuf::from(SAMPLE), PathBuf::from);
    let (train, test) = (read(&folder, "train")?, read(&folder, "t10k")?);
    let (train, held_out) = train.split_stratified(train.len() / 12, 1)?;
    println!("{} images to train on, {} held out, {} to test with", train.len(), held_out.len(), test.len());

    let network = Sequential::new(28 * 28)
        .add(Dense::new(128).activation(Activation::Relu))
        .add(Dropout::new(0.2))
        .add(Dense::new(10).activation(Activation::Softmax));
    println!("{}", network.summary());
    let mut model = network.compile::<f32>(Compile { seed: 1, ..Compile::default() })?;
    let mut table = Table;
    let fit = Fit {
        epochs: 5,
        batch_size: 64,
        validation: Some(&held_out),
        callbacks: vec![&mut table],
        ..Fit::default()
    };
    model.fit(&train, fit)?;

    let evaluation = model.evaluate(&test)?;
    let (correct, samples) = (evaluation.correct.unwrap_or(0), evaluation.samples);
    let (low, high) = wilson_interval(correct, samples)?;
    println!(
        "{correct} of {samples} test images are right: {:.2} % (95 % interval {:.2} to {:.2} %)",
        100.0 * correct as f64 / samples as f64,
        100.0 * low,
        100.0 * high
    );

    let predictions = model.predict(&test)?;
    let wrong = predictions
        .column_iter()
        .enumerate()
        .filter(|(image, output)| output.imax() as u32 != test.label(*image));
    for (image, output) in wrong.take(3) {
        let (said, label) = (output.imax(), test.label(image));
        println!(
            "\nImage {image} is a {label}; the network said {said}, {:.0} % sure:",
            100.0 * output[said]
        );
        print_digit(test.bytes(image).expect("IDX files of bytes stay bytes"));
    }
    assert!(low > 0.88, "{correct} of {samples}");
    Ok(())
}
