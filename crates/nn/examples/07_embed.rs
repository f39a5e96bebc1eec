//! A model inside a program: no file to ship, no file to find.
//!
//! A program that is trained once and then only predicts can carry its model as bytes. This one trains on the spot, to
//! have such bytes; yours would say `static MODEL: &[u8] = include_bytes!("model.safetensors");`. Loading and predicting
//! on one thread needs neither a file nor a clock nor another thread: it works in a browser (WebAssembly) as it does here,
//! with the same bits.
//!
//! ```text
//! cargo run --package densely --example 07_embed
//! ```

#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

use densely::{Activation, Adam, Compile, Dataset, Dense, Fit, Model, Pool, Sequential};
use std::error::Error;

/// The bytes of a model that knows whether a colour is dark or light: red, green and blue from 0 to 1.
fn train() -> Result<Vec<u8>, Box<dyn Error>> {
    let steps = || (0..6).map(|step| f64::from(step) / 5.0);
    let (mut colors, mut labels) = (Vec::new(), Vec::new());
    for red in steps() {
        for green in steps() {
            for blue in steps() {
                colors.extend([red, green, blue]);
                labels.push(u32::from(0.21 * red + 0.72 * green + 0.07 * blue > 0.5));
            }
        }
    }
    let mut model = Sequential::new(3)
        .add(Dense::new(8).activation(Activation::Tanh))
        .add(Dense::new(2).activation(Activation::Softmax))
        .compile::<f32>(Compile { optimizer: Adam::new(0.02).into(), ..Compile::default() })?;
    model.fit(&Dataset::from_floats(3, colors, labels, 2)?, Fit { epochs: 60, ..Fit::default() })?;
    Ok(model.to_bytes()?)
}

fn main() -> Result<(), Box<dyn Error>> {
    let bytes = train()?;
    println!("The model has {} bytes.", bytes.len());

    // From here on nothing but the bytes is needed.
    let model = Model::<f32>::from_bytes(&bytes, Pool::new(1)?)?;
    for (name, color, expected) in [
        ("navy", [0.0, 0.0, 0.5], "white"),
        ("gold", [1.0, 0.84, 0.0], "black"),
        ("maroon", [0.5, 0.0, 0.0], "white"),
        ("sky blue", [0.53, 0.81, 0.92], "black"),
    ] {
        let output = model.predict_one(&color)?;
        let text = ["white", "black"][model.class_of(&output)];
        println!("on {name:<8} write in {text} ({:.1} % sure)", 100.0 * output[0].max(output[1]));
        assert_eq!(text, expected, "on {name}");
    }

    // Bytes that are not as they were written are refused.
    let mut damaged = bytes;
    let last = damaged.len() - 1;
    damaged[last] ^= 1;
    let error = Model::<f32>::from_bytes(&damaged, Pool::new(1)?).expect_err("one bit is another");
    println!("\nWith one bit flipped: {error}");
    Ok(())
}
