//! Layers, losses and callbacks of one's own.
//!
//! A layer that is not in densely yet: the sine of its input times a frequency, which is learned. Its gradient is written
//! by hand and compared with differences of losses before anything is trained. Then it learns a wave from measurements of
//! which every tenth is wrong: a loss of one's own keeps those from pulling the wave off, and a callback of one's own ends
//! the training when it is good enough.
//!
//! ```text
//! cargo run --package densely --example 08_custom_layer
//! ```

#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

use densely::layers::{Backward, Custom, Forward, LayerDescription, LayerPass, Weight};
use densely::losses::LossFunction;
use densely::{
    Adam, Callback, Compile, Dataset, Dense, Epoch, Error, Fit, GradientCheck, Initializer, Loss, Scalar,
    Sequential, Training,
};

/// `y = sin(w·x)` for each value x, with a frequency w of its own.
#[derive(Debug)]
struct Sine;

impl LayerDescription for Sine {
    fn kind(&self) -> &str {
        "Sine"
    }

    fn weights(&self, inputs: usize) -> Vec<Weight> {
        vec![Weight::vector("frequency", inputs).initializer(Initializer::Ones)]
    }
}

impl<T: Scalar> LayerPass<T> for Sine {
    fn forward(&self, mut pass: Forward<'_, T>) {
        let frequencies = pass.weights.get(0);
        for sample in 0..pass.input.n_columns() {
            let values = pass.input.column(sample).iter().zip(frequencies);
            for (y, (&x, &w)) in pass.output.column_mut(sample).iter_mut().zip(values) {
                // libm's sine has the same bits on every system; the standard library's has not.
                *y = T::from_f64(libm::sin((w * x).to_f64()));
            }
        }
    }

    // With the loss's gradient g = ∂L/∂y: ∂L/∂x = g·w·cos(w·x), and ∂L/∂w = Σ g·x·cos(w·x) over the samples, in their order.
    fn backward(&self, mut pass: Backward<'_, T>) {
        let frequencies = pass.weights.get(0);
        let frequency_gradients = pass.weight_gradients.get_mut(0);
        frequency_gradients.fill(T::ZERO);
        for sample in 0..pass.input.n_columns() {
            let (x, g) = (pass.input.column(sample), pass.output_gradient.column(sample));
            for index in 0..x.len() {
                let slope = g[index] * T::from_f64(libm::cos((frequencies[index] * x[index]).to_f64()));
                frequency_gradients[index] += slope * x[index];
                if let Some(input_gradient) = &mut pass.input_gradient {
                    input_gradient.column_mut(sample)[index] = slope * frequencies[index];
                }
            }
        }
    }
}

/// `ln(1 + e²)`, with e the output's distance from the target: beyond 1 it grows slowly, so that targets which are far off
/// count for little.
struct Cauchy;

impl LossFunction for Cauchy {
    fn name(&self) -> &str {
        "Cauchy"
    }

    fn loss_and_gradient(&self, targets: &[f64], outputs: &[f64], gradient: &mut [f64]) -> f64 {
        let mut loss = 0.0;
        for ((target, output), slope) in targets.iter().zip(outputs).zip(gradient) {
            let error = output - target;
            loss += libm::log1p(error * error);
            *slope = 2.0 * error / (1.0 + error * error);
        }
        loss
    }
}

/// Ends training when the loss is below this.
struct GoodEnough(f64);

impl Callback for GoodEnough {
    fn on_epoch_end(&mut self, training: &mut Training<'_>, epoch: &Epoch) -> Result<(), Error> {
        if epoch.loss < self.0 {
            training.stop(format!("the loss is below {}", self.0));
        }
        Ok(())
    }
}

fn truth(x: f64) -> f64 {
    (3.0 * x).sin()
}

fn main() -> Result<(), Error> {
    let inputs: Vec<f64> = (0..200).map(|index| f64::from(index) / 50.0 - 2.0).collect();
    let wrong = |index: usize| if index.is_multiple_of(10) { 4.0 } else { 0.0 };
    let targets = inputs.iter().enumerate().map(|(index, &x)| truth(x) + wrong(index)).collect();
    let data = Dataset::from_values(1, inputs.clone(), 1, targets)?;

    let network = Sequential::new(1).add(Dense::new(16)).add(Custom::new(Sine)).add(Dense::new(1));
    println!("{}", network.summary());
    for loss in [Loss::MeanSquaredError, Loss::custom(Cauchy)] {
        let name = loss.name().to_owned();
        let optimizer = Adam::new(0.01).into();
        let mut model = network.compile::<f32>(Compile { loss, optimizer, ..Compile::default() })?;
        let report = model.check_gradient(&data, GradientCheck::default())?;
        println!("{name}\n  gradient: {report}");
        assert!(report.passed(), "{report}");

        let mut good_enough = GoodEnough(0.3);
        let fit = Fit { epochs: 300, callbacks: vec![&mut good_enough], ..Fit::default() };
        let history = model.fit(&data, fit)?;
        let last = history.epochs.last().expect("there was an epoch");
        println!("  loss {:.4} after {} epochs", last.loss, history.epochs.len());

        let mut distance = 0.0;
        for &x in &inputs {
            distance +=
                (f64::from(model.predict_one(&[x as f32])?[0]) - truth(x)).abs() / inputs.len() as f64;
        }
        println!("  mean distance from the truth: {distance:.3}");
        // The square follows the wrong measurements: their mean is 0.4.
        assert_eq!(distance < 0.1, name == "Cauchy", "{name}: {distance}");
    }
    Ok(())
}
