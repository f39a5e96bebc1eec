//! Activations against tests/reference: values and derivatives as a network computes them, inside a dense layer.

use densely::text::{from_ron, to_ron};
use densely::{Activation, Compile, Dataset, Dense, Loss, Model, Scalar, Sequential};
use serde_json::Value;

/// The cases of tests/reference/`file`.json.
fn cases(file: &str) -> Vec<Value> {
    let path = format!("{}/tests/reference/{file}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).expect("the reference is there");
    let file: Value = serde_json::from_str(&text).expect("the reference is JSON");
    file["cases"].as_array().expect("a list of cases").clone()
}

fn numbers(list: &Value) -> Vec<f64> {
    list.as_array().expect("a list").iter().map(|value| value.as_f64().expect("a number")).collect()
}

fn compile<T: Scalar>(network: &Sequential) -> Model<T> {
    let compile = Compile { loss: Loss::MeanSquaredError, ..Compile::default() };
    network.compile(compile).expect("the network is valid")
}

fn put<T: Scalar>(model: &mut Model<T>, tensor: usize, values: &[f64]) {
    for (to, &from) in model.parameters_mut().tensor_mut(tensor).iter_mut().zip(values) {
        *to = T::from_f64(from);
    }
}

/// The function's values: the sums are once the bias, once a kernel's products with 1.
fn values<T: Scalar>(activation: Activation, sums: &[f64]) -> Vec<f64> {
    let dense = Dense::new(sums.len()).activation(activation);
    let mut of_bias = compile::<T>(&Sequential::new(1).add(dense.clone()));
    put(&mut of_bias, 0, &vec![0.0; sums.len()]);
    put(&mut of_bias, 1, sums);
    let mut of_products = compile::<T>(&Sequential::new(1).add(dense.use_bias(false)));
    put(&mut of_products, 0, sums);
    let of_bias = of_bias.predict_one(&[T::ZERO]).expect("one feature");
    let of_products = of_products.predict_one(&[T::ONE]).expect("one feature");
    assert_eq!(format!("{of_bias:?}"), format!("{of_products:?}"), "{activation}");
    of_bias.into_iter().map(T::to_f64).collect()
}

/// The cotangent times the function's Jacobian. A second layer has one output that is not 0, of weights w = s·cotangent; it
/// is y = w·f with the target 1, and so the gradient that arrives at the sums is (y − 1)·w·f′.
fn products<T: Scalar>(activation: Activation, sums: &[f64], cotangent: &[f64]) -> Vec<f64> {
    let dense = Dense::new(sums.len()).activation(activation);
    let network = Sequential::new(1).add(dense).add(Dense::new(2).use_bias(false));
    let mut model = compile::<T>(&network);
    let largest = values::<T>(activation, sums).into_iter().fold(1.0, |largest: f64, y| largest.max(y.abs()));
    let scale = 0.1 / largest / sums.len() as f64;
    put(&mut model, 0, &vec![0.0; sums.len()]);
    put(&mut model, 1, sums);
    put(&mut model, 2, &cotangent.iter().flat_map(|factor| [scale * factor, 0.0]).collect::<Vec<_>>());
    let error = model.predict_one(&[T::ZERO]).expect("one feature")[0].to_f64() - 1.0;
    assert!(error.abs() > 0.5, "{activation}: the output is too near to its target");
    let data = Dataset::from_floats(1, vec![0.0], vec![0], 2).expect("one sample");
    let (_, gradient) = model.loss_and_gradient(&data, 1).expect("the data fit");
    gradient.tensor(1).iter().map(|value| value.to_f64() / error / scale).collect()
}

#[track_caller]
fn check(what: &str, found: &[f64], reference: &[f64], tolerance: f64) {
    assert_eq!(found.len(), reference.len(), "{what}");
    for (place, (found, reference)) in found.iter().zip(reference).enumerate() {
        let allowed = tolerance * reference.abs().max(1.0);
        assert!(
            (found - reference).abs() <= allowed,
            "{what} at {place}: {found:e}, the reference is {reference:e}"
        );
    }
}

const DOUBLE: f64 = 1e-12;
const SINGLE: f64 = 1e-5;

#[test]
fn functions_of_one_sum_agree_with_their_formulas() {
    let cases = cases("activations");
    assert_eq!(cases.len(), 38);
    for case in cases {
        let description = case["description"].as_str().expect("a text");
        let activation: Activation = from_ron(description).expect("a valid description");
        assert_eq!(
            from_ron::<Activation>(&to_ron(&activation).expect("written")).expect("as written"),
            activation
        );
        let sums = numbers(&case["inputs"]);
        let (outputs, derivatives) = (numbers(&case["outputs"]), numbers(&case["derivatives"]));
        let ones = vec![1.0; sums.len()];
        check(description, &values::<f64>(activation, &sums), &outputs, DOUBLE);
        let found = products::<f64>(activation, &sums, &ones);
        check(&format!("derivative of {description}"), &found, &derivatives, DOUBLE);

        // Single precision reaches wherever the reference is within its range: not e⁷⁰⁰.
        let reaches = |number: f64| number.abs() <= f64::from(f32::MAX);
        let is_within: Vec<bool> =
            outputs.iter().zip(&derivatives).map(|(&y, &slope)| reaches(y) && reaches(slope)).collect();
        let beyond = is_within.iter().filter(|is_within| !**is_within).count();
        assert_eq!(beyond, usize::from(description == "Exponential"), "{description}");
        let within = |numbers: &[f64]| -> Vec<f64> {
            numbers
                .iter()
                .zip(&is_within)
                .filter(|(_, is_within)| **is_within)
                .map(|(&number, _)| number)
                .collect()
        };
        let (sums, ones) = (within(&sums), within(&ones));
        check(description, &values::<f32>(activation, &sums), &within(&outputs), SINGLE);
        let found = products::<f32>(activation, &sums, &ones);
        check(&format!("derivative of {description}"), &found, &within(&derivatives), SINGLE);
    }
}

#[test]
fn functions_of_a_whole_sample_agree_with_their_formulas() {
    let cases = cases("vector_activations");
    assert_eq!(cases.len(), 4);
    for case in cases {
        let description = case["description"].as_str().expect("a text");
        let activation: Activation = from_ron(description).expect("a valid description");
        let cotangent = numbers(&case["cotangent"]);
        let lists = |name: &str| case[name].as_array().expect("a list").clone();
        let samples = lists("inputs").into_iter().zip(lists("outputs")).zip(lists("input_gradients"));
        for ((sums, outputs), gradients) in samples {
            let (sums, outputs, gradients) = (numbers(&sums), numbers(&outputs), numbers(&gradients));
            let what = format!("{description} of {sums:?}");
            check(&what, &values::<f64>(activation, &sums), &outputs, DOUBLE);
            check(&what, &products::<f64>(activation, &sums, &cotangent), &gradients, DOUBLE);
            check(&what, &values::<f32>(activation, &sums), &outputs, SINGLE);
            check(&what, &products::<f32>(activation, &sums, &cotangent), &gradients, SINGLE);
        }
    }
}

/// Keras 3's defaults, and those of LeCun's tanh.
#[test]
fn defaults_are_those_of_keras() {
    use Activation::*;
    for (text, expected) in [
        ("LeakyRelu()", LeakyRelu { negative_slope: 0.2 }),
        ("BoundedRelu()", BoundedRelu { negative_slope: 0.0, max_value: f64::INFINITY, threshold: 0.0 }),
        ("Elu()", Elu { alpha: 1.0 }),
        ("Celu()", Celu { alpha: 1.0 }),
        ("ScaledTanh()", ScaledTanh { amplitude: 1.7159, slope: 2.0 / 3.0 }),
        ("Squareplus()", Squareplus { b: 4.0 }),
        ("SoftShrink()", SoftShrink { threshold: 0.5 }),
        ("HardShrink()", HardShrink { threshold: 0.5 }),
        ("Swish", Silu),
        ("HardSwish", HardSilu),
    ] {
        assert_eq!(from_ron::<Activation>(text).expect(text), expected);
    }
    assert_eq!(LeakyRelu { negative_slope: 0.2 }.to_string(), "LeakyRelu(negative_slope: 0.2)");
    assert_eq!(Gelu.to_string(), "Gelu");
}

#[test]
fn a_gated_linear_unit_halves_the_units() {
    let network = Sequential::new(6).add(Activation::Glu).add(Dense::new(8).activation(Activation::Glu));
    assert_eq!((network.outputs(), network.parameter_count()), (4, 8 * (3 + 1)));
    assert_eq!(network.summary().rows[1].outputs, 4);
    let message = "glu takes one half of the units as gates of the other, but there are";
    let check = |network: Sequential, layer: &str, units| {
        let error = network.validate().unwrap_err().to_string();
        assert_eq!(error, format!("{layer}: {message} {units}, expected an even number"));
    };
    check(network.clone().add(Dense::new(3).activation(Activation::Glu)), "layer 3 (dense_1)", 3);
    check(Sequential::new(1).add(Activation::Glu).add(Dense::new(3)), "layer 1 (activation)", 1);
}

#[track_caller]
fn check_refused(activation: Activation, message: &str) {
    let inside = Sequential::new(2).add(Dense::new(3).activation(activation));
    assert_eq!(inside.validate().unwrap_err().to_string(), format!("layer 1 (dense): {message}"));
    let outside = Sequential::new(2).add(Dense::new(3)).add(activation);
    assert_eq!(outside.validate().unwrap_err().to_string(), format!("layer 2 (activation): {message}"));
}

#[test]
fn a_setting_outside_its_range_is_refused_by_name() {
    use Activation::*;
    check_refused(
        LeakyRelu { negative_slope: -0.1 },
        "negative_slope of activation LeakyRelu is -0.1, expected 0 or a number above 0 that fits single precision",
    );
    check_refused(
        Elu { alpha: 0.0 },
        "alpha of activation Elu is 0, expected a number above 0 that fits single precision",
    );
    check_refused(
        BoundedRelu { negative_slope: 0.0, max_value: 1.0, threshold: 2.0 },
        "max_value of activation BoundedRelu is 1, expected a number that is not below threshold, or inf",
    );
    check_refused(
        ScaledTanh { amplitude: 0.0, slope: 1.0 },
        "amplitude of activation ScaledTanh is 0, expected a number other than 0 that fits single precision",
    );
    for activation in [
        BoundedRelu { negative_slope: 0.0, max_value: f64::NAN, threshold: 0.0 },
        BoundedRelu { negative_slope: 0.0, max_value: 1.0, threshold: f64::NEG_INFINITY },
        Celu { alpha: f64::NAN },
        Threshold { threshold: 0.0, value: 1e39 },
        ScaledTanh { amplitude: 1.0, slope: f64::INFINITY },
        Squareplus { b: -1.0 },
        SoftShrink { threshold: -1.0 },
        HardShrink { threshold: f64::NAN },
    ] {
        assert!(Sequential::new(2).add(Dense::new(3).activation(activation)).validate().is_err());
    }
    let bounded = BoundedRelu { negative_slope: 0.0, max_value: f64::INFINITY, threshold: -1.0 };
    let network = Sequential::new(2).add(Dense::new(3).activation(bounded));
    assert_eq!(
        Sequential::from_ron(&network.to_ron().unwrap()).expect("an infinite bound is written and read"),
        network
    );
}
