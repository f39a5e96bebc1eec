//! Why a network has hidden layers: exclusive or.
//!
//! Two switches, one lamp, which is lit if exactly one switch is on. No straight line parts the lit corners of the square
//! from the dark ones, so a single layer is wrong about one of the four at least; with a hidden layer there is no such
//! limit.
//!
//! ```text
//! cargo run --package densely --example 01_xor
//! ```

#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

use densely::{Activation, Adam, Compile, Dataset, Dense, Error, Fit, Sequential};

fn main() -> Result<(), Error> {
    // Four samples of two features, one after the other, and the class of each: 0 dark, 1 lit.
    let switches = vec![0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0];
    let data = Dataset::from_floats(2, switches, vec![0, 1, 1, 0], 2)?;

    let single_layer = Sequential::new(2).add(Dense::new(2).activation(Activation::Softmax));
    let hidden_layer = Sequential::new(2)
        .add(Dense::new(8).activation(Activation::Tanh))
        .add(Dense::new(2).activation(Activation::Softmax));

    for (name, network) in [("a single layer", single_layer), ("a hidden layer of 8 units", hidden_layer)] {
        let mut model =
            network.compile::<f32>(Compile { optimizer: Adam::new(0.05).into(), ..Compile::default() })?;
        let history = model.fit(&data, Fit { epochs: 300, batch_size: 4, ..Fit::default() })?;
        let last = &history.epochs[299];
        println!("{name}: loss {:.4} after 300 epochs", last.loss);

        println!("  switches   lit?   the network says");
        let probabilities = model.predict(&data)?;
        for (sample, output) in probabilities.column_iter().enumerate() {
            let (a, b) = (sample / 2, sample % 2);
            let lit = ["no", "yes"][data.label(sample) as usize];
            println!("  {a}  {b}       {lit:<4}   {:5.1} % lit", 100.0 * output[1]);
        }
        println!();

        // ln 2 is the loss of "I don't know: half and half". It is the best a single layer can do.
        let solved = model.evaluate(&data)?.loss < 0.1;
        assert_eq!(solved, name.starts_with("a hidden"), "{name}");
        assert!(solved || last.loss > 0.99 * std::f64::consts::LN_2);
    }
    Ok(())
}
