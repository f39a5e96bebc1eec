//! L-BFGS against tests/reference: the least losses of problems that have one minimum.

use densely::regularizers::L2;
use densely::text::from_ron;
use densely::{Compile, Dataset, Dense, Lbfgs, Loss, Model, Sequential};
use serde_json::Value;

/// The numbers of a list, or of a list of lists one after the other.
fn numbers(list: &Value) -> Vec<f64> {
    match list {
        Value::Array(list) => list.iter().flat_map(numbers).collect(),
        number => vec![number.as_f64().expect("a number")],
    }
}

#[track_caller]
fn check(case: &Value, file: &Value, memory: usize) {
    let text = case["loss"].as_str().expect("RON");
    let (features, targets) = (numbers(&file["features"]), numbers(&case["targets"]));
    let (kernel, bias) = (numbers(&case["kernel"]), numbers(&case["bias"]));
    let (inputs, outputs) = (kernel.len() / bias.len(), bias.len());
    let data = Dataset::from_values(inputs, features, outputs, targets).expect("valid data");
    let penalty = L2 { l2: file["l2"].as_f64().expect("a number") };
    let loss: Loss = from_ron(text).expect(text);
    let mut model: Model<f64> = Sequential::new(inputs)
        .add(Dense::new(outputs).kernel_regularizer(penalty).bias_regularizer(penalty))
        .compile(Compile { loss, ..Compile::default() })
        .expect("a valid network");
    let settings = Lbfgs { gradient_tolerance: 1e-8, memory, ..Lbfgs::default() };
    let report = model.fit_lbfgs(&data, &settings).expect("the data fit");
    assert!(report.converged, "{text}: {report:?}");

    let (found, least) =
        (*report.losses.last().expect("a loss"), case["least_loss"].as_f64().expect("a loss"));
    assert!((found - least).abs() <= 1e-10, "{text}: the loss is {found}, the least is {least}");
    // Where no slope is above 1e-8 and no curvature below 2·l2 = 0.02, n weights are at most √n·1e-8/0.02 away.
    for (tensor, expected) in [kernel, bias].iter().enumerate() {
        for (found, expected) in model.parameters().tensor(tensor).iter().zip(expected) {
            assert!((found - expected).abs() <= 2e-6, "{text}: {found}, not {expected}");
        }
    }
}

#[test]
fn the_least_losses_are_those_of_the_reference() {
    let file: Value = serde_json::from_str(include_str!("reference/lbfgs.json")).expect("JSON");
    let cases = file["cases"].as_array().expect("a list of cases");
    assert_eq!(cases.len(), 2);
    for case in cases {
        check(case, &file, Lbfgs::default().memory);
        check(case, &file, 1);
    }
}

#[test]
fn a_setting_out_of_its_range_is_named() {
    let data = Dataset::from_values(1, vec![0.0, 1.0], 1, vec![0.0, 2.0]).expect("valid data");
    let compile = Compile { loss: Loss::MeanSquaredError, ..Compile::default() };
    let mut model: Model<f64> = Sequential::new(1).add(Dense::new(1)).compile(compile).expect("valid");
    let usual = Lbfgs::default();
    for (settings, expected) in [
        (Lbfgs { max_iterations: 0, ..usual.clone() }, "Lbfgs: max_iterations is 0, expected at least 1"),
        (Lbfgs { memory: 0, ..usual.clone() }, "Lbfgs: memory is 0, expected at least 1"),
        (
            Lbfgs { gradient_tolerance: f64::NAN, ..usual },
            "Lbfgs: gradient_tolerance is NaN, expected 0 or a number above 0",
        ),
    ] {
        assert_eq!(model.fit_lbfgs(&data, &settings).unwrap_err().to_string(), expected);
    }
}
