//! What noise and dropped weights do in training: single values, how often, and the moments of many.

use super::{compiled, layer};
use densely::initializers::{Identity, RandomNormal};
use densely::layers::DropConnect;
use densely::random::{Purpose, stream};
use densely::{Activation, Dataset, Dense, Initializer, Model, Sequential};

/// Mean and variance of what leaves a layer of noise in training when `values` and the activation before it enter.
fn moments(text: &str, values: Vec<f64>, activation: Activation) -> (f64, f64) {
    const UNITS: usize = 400;
    let identity =
        Dense::new(UNITS).use_bias(false).kernel_initializer(Identity::default()).activation(activation);
    let model = compiled::<f64>(&Sequential::new(UNITS).add(identity).add(layer(text)), 1);
    // mean((y − t)²) for t = 0 and t = 1 tells mean(y²) and mean(y).
    let [squares, from_one] = [0.0, 1.0].map(|target| {
        let data = Dataset::from_values(UNITS, values.clone(), UNITS, vec![target; values.len()]);
        model.loss_and_gradient(&data.expect("valid"), 1).expect("the data fit").0
    });
    let mean = (squares + 1.0 - from_one) / 2.0;
    (mean, squares - mean * mean)
}

const DRAWS: usize = 40_000;

#[track_caller]
fn check_moments(text: &str, found: (f64, f64), mean: f64, variance: f64) {
    let error = (variance / DRAWS as f64).sqrt();
    assert!((found.0 - mean).abs() < 5.0 * error, "{text}: mean {}, not {mean}", found.0);
    assert!((found.1 / variance - 1.0).abs() < 0.05, "{text}: variance {}, not {variance}", found.1);
}

/// What a dropped value becomes, before the scale and the offset: −λ·α of the SELU.
const DROPPED: f64 = -1.758_099_340_847_376_6;

/// a and b of `y = a·x + b`, equation 10 and what follows it in arXiv:1706.02515.
fn scale_and_offset(rate: f64) -> (f64, f64) {
    let keep = 1.0 - rate;
    let a = 1.0 / (keep + DROPPED * DROPPED * keep * rate).sqrt();
    (a, -a * rate * DROPPED)
}

/// 40,000 values: a mean within 5 standard errors, a variance within 5 %.
#[test]
fn noise_has_the_moments_of_its_formula() {
    let of = |text: &str, value| moments(text, vec![value; DRAWS], Activation::Linear);
    check_moments("GaussianNoise", of("GaussianNoise(stddev: 0.5)", 1.0), 1.0, 0.25);
    check_moments("GaussianDropout", of("GaussianDropout(rate: 0.2)", 2.0), 2.0, 4.0 * 0.25);
    check_moments("Dropout", of("Dropout(rate: 0.2)", 2.0), 2.0, 4.0 * 0.25);
    for (rate, value) in [(0.5, 0.0), (0.5, 1.5), (0.2, -1.25), (0.8, 3.0)] {
        let text = format!("AlphaDropout(rate: {rate:?})");
        let (a, b) = scale_and_offset(rate);
        let mean = (1.0 - rate) * (a * value + b) + rate * (a * DROPPED + b);
        let variance = rate * (1.0 - rate) * (a * (value - DROPPED)).powi(2);
        check_moments(&format!("{text} of {value}"), of(&text, value), mean, variance);
    }
}

/// For which mean 0 and variance 1 are a fixed point of the SELU, and this dropout is made to keep them.
#[test]
fn alpha_dropout_keeps_the_moments_of_a_selu_of_normal_numbers() {
    let mut normal = vec![0.0; DRAWS];
    let initializer = Initializer::from(RandomNormal { mean: 0.0, stddev: 1.0 });
    initializer.fill(&mut normal, 100, 400, &mut stream(5, Purpose::Weights, 0, 0));
    for text in ["AlphaDropout(rate: 0.0)", "AlphaDropout(rate: 0.1)", "AlphaDropout(rate: 0.4)"] {
        check_moments(text, moments(text, normal.clone(), Activation::Selu), 0.0, 1.0);
    }
    // The plain dropout of these numbers does not.
    let (_, variance) = moments("Dropout(rate: 0.4)", normal, Activation::Selu);
    assert!(variance > 1.5, "{variance}");
}

/// What a layer makes of each of these values in training, and the derivative of each: the values are a first layer's
/// biases, so that their gradient is the derivative times that of the biases behind, which is 2/n·(y − 0).
fn values_and_slopes(text: &str, values: &[f64]) -> Vec<(f64, f64)> {
    let n = values.len();
    let behind = Dense::new(n).kernel_initializer(Identity::default());
    let mut model = compiled::<f64>(&Sequential::new(1).add(Dense::new(n)).add(layer(text)).add(behind), 1);
    model.parameters_mut().tensor_mut(1).copy_from_slice(values);
    let data = Dataset::from_values(1, vec![0.0], n, vec![0.0; n]).expect("valid data");
    let (_, gradient) = model.loss_and_gradient(&data, 1).expect("the data fit");
    let pairs = gradient.tensor(1).iter().zip(gradient.tensor(3));
    pairs.map(|(of_value, of_output)| (of_output * n as f64 / 2.0, of_value / of_output)).collect()
}

#[test]
fn alpha_dropout_drops_to_one_value_and_scales_the_others_and_their_gradient() {
    let values: Vec<f64> = (0..400).map(|i| (1.7 * f64::from(i) + 0.3).sin() * 3.0).collect();
    for rate in [0.1, 0.5, 0.75] {
        let (a, b) = scale_and_offset(rate);
        let mut dropped = 0.0;
        for (x, (y, slope)) in
            values.iter().zip(values_and_slopes(&format!("AlphaDropout(rate: {rate})"), &values))
        {
            let is_dropped = slope == 0.0;
            let expected = if is_dropped { (a * DROPPED + b, 0.0) } else { (a * x + b, a) };
            assert!((y - expected.0).abs() < 1e-13, "{x} became {y}, not {}", expected.0);
            assert!((slope - expected.1).abs() < 1e-13, "the slope at {x} is {slope}, not {}", expected.1);
            dropped += f64::from(u8::from(is_dropped));
        }
        check_share(dropped, values.len(), rate);
    }
}

/// A share of this many draws, within 5 standard errors.
#[track_caller]
fn check_share(found: f64, draws: usize, rate: f64) {
    let (found, error) = (found / draws as f64, (rate * (1.0 - rate) / draws as f64).sqrt());
    assert!((found - rate).abs() <= 5.0 * error, "{found} are dropped, not {rate}");
}

const INPUTS: usize = 60;
const UNITS: usize = 50;

/// A layer whose weights are dropped, of 50 units × 60 inputs, its weights not 0 and all different.
fn with_dropped_weights(rate: f64) -> Model<f64> {
    let dense = Dense::new(UNITS).bias_initializer(Initializer::GlorotUniform);
    compiled(&Sequential::new(INPUTS).add(DropConnect::new(rate, dense)), 2)
}

/// One sample of ones: what leaves the units, and the factor of each weight. The gradient of a bias is 2/n·y, and that of a
/// weight the same times its factor.
fn outputs_and_factors(model: &Model<f64>, epoch: u64) -> (Vec<f64>, Vec<f64>) {
    let data = Dataset::from_values(INPUTS, vec![1.0; INPUTS], UNITS, vec![0.0; UNITS]).expect("valid data");
    let (_, gradient) = model.loss_and_gradient(&data, epoch).expect("the data fit");
    let (kernel, bias) = (gradient.tensor(0), gradient.tensor(1));
    let factors = kernel.iter().enumerate().map(|(place, slope)| slope / bias[place % UNITS]);
    (bias.iter().map(|slope| slope * UNITS as f64 / 2.0).collect(), factors.collect())
}

#[test]
fn weights_are_dropped_at_the_rate_and_the_others_keep_their_mean() {
    for rate in [0.0, 0.25, 0.5, 0.9] {
        let model = with_dropped_weights(rate);
        let (mut dropped, mut sum, mut draws) = (0.0, 0.0, 0);
        for epoch in 1..=4 {
            let (outputs, factors) = outputs_and_factors(&model, epoch);
            // Training takes the nearest multiple of 1/65,536.
            let kept = 1.0 / (1.0 - (rate * 65_536.0_f64).round() / 65_536.0);
            let is_either = |factor: &f64| *factor == 0.0 || (factor - kept).abs() < 1e-12 * kept;
            assert!(factors.iter().all(is_either), "{factors:?} at a rate of {rate}");
            dropped += factors.iter().filter(|&&factor| factor == 0.0).count() as f64;
            sum += factors.iter().sum::<f64>();
            draws += factors.len();
            // Forward the same weights are there, and the bias stays.
            let parameters = model.parameters();
            let [kernel, bias] = [0, 1].map(|tensor| parameters.tensor(tensor));
            for (unit, output) in outputs.iter().enumerate() {
                let places = (0..INPUTS).map(|input| unit + UNITS * input);
                let expected = bias[unit] + places.map(|place| kernel[place] * factors[place]).sum::<f64>();
                assert!((output - expected).abs() < 1e-12, "unit {unit}: {output}, not {expected}");
            }
        }
        check_share(dropped, draws, rate);
        let (mean, error) = (sum / draws as f64, (rate / (1.0 - rate) / draws as f64).sqrt());
        assert!((mean - 1.0).abs() <= 5.0 * error + 1e-12, "the factors' mean is {mean} at a rate of {rate}");
    }
}

#[test]
fn every_epoch_and_batch_drops_other_weights_and_prediction_none() {
    let model = with_dropped_weights(0.5);
    let mask = |epoch| outputs_and_factors(&model, epoch).1.into_iter().map(|factor| factor == 0.0);
    let differing = mask(1).zip(mask(2)).filter(|(one, other)| one != other).count();
    // Two independent masks differ in half of the places.
    check_share(differing as f64, INPUTS * UNITS, 0.5);
    let found = model.predict_one(&[1.0; INPUTS]).expect("as many features");
    let parameters = model.parameters();
    let [kernel, bias] = [0, 1].map(|tensor| parameters.tensor(tensor));
    for (unit, found) in found.iter().enumerate() {
        let expected = bias[unit] + (0..INPUTS).map(|input| kernel[unit + UNITS * input]).sum::<f64>();
        assert!((found - expected).abs() < 1e-12, "unit {unit}: {found}, not {expected}");
    }
}
