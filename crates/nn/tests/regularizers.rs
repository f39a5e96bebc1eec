//! Regularizers and constraints against their formulas, and what is refused.

use densely::constraints::MaxNorm;
use densely::regularizers::{self, L1, L2, OrthogonalMode};
use densely::text::{from_ron, to_ron};
use densely::{
    Activation, Compile, Constraint, Dataset, Dense, Fit, Loss, Model, Regularizer, Scalar, Sequential, Sgd,
};
use serde_json::Value;

/// 2 units × 3 inputs, column-major.
const KERNEL: [f64; 6] = [0.5, -1.0, 2.0, 0.5, -0.75, 0.0];

#[track_caller]
fn check_values(what: &str, found: &[f64], reference: &[f64], tolerance: f64) {
    assert_eq!(found.len(), reference.len(), "{what}");
    for (place, (found, reference)) in found.iter().zip(reference).enumerate() {
        let allowed = tolerance * reference.abs().max(1.0);
        assert!((found - reference).abs() <= allowed, "{what} at {place}: {found:e}, not {reference:e}");
    }
}

fn kernel<T: Scalar>() -> Vec<T> {
    KERNEL.map(T::from_f64).to_vec()
}

fn to_double<T: Scalar>(values: Vec<T>) -> Vec<f64> {
    values.into_iter().map(T::to_f64).collect()
}

/// The penalty and its gradient, which is added to a gradient of ones.
fn penalty<T: Scalar>(regularizer: Regularizer) -> Vec<f64> {
    let mut gradient = vec![T::ONE; 6];
    regularizer.add_gradient(&kernel::<T>(), 2, 3, &mut gradient);
    let penalty = regularizer.penalty(&kernel::<T>(), 2, 3);
    let gradient = to_double(gradient).into_iter().map(|value| value - 1.0);
    [penalty].into_iter().chain(gradient).collect()
}

/// The cases of tests/reference/`file`.json, and the kernel that they are about: 4 units × 3 inputs, a unit's neighbour its
/// neighbour in memory.
fn reference(file: &str) -> (Vec<Value>, Vec<f64>) {
    let path = format!("{}/tests/reference/{file}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).expect("the reference is there");
    let file: Value = serde_json::from_str(&text).expect("the reference is JSON");
    (file["cases"].as_array().expect("a list of cases").clone(), numbers(&file["kernel"]))
}

/// The numbers of a list, or of a list of lists one after the other.
fn numbers(list: &Value) -> Vec<f64> {
    match list {
        Value::Array(list) => list.iter().flat_map(numbers).collect(),
        number => vec![number.as_f64().expect("a number")],
    }
}

fn check_penalties<T: Scalar>(tolerance: f64) {
    let (cases, kernel) = reference("regularizers");
    let kernel: Vec<T> = kernel.into_iter().map(T::from_f64).collect();
    assert_eq!(cases.len(), 8);
    for case in cases {
        let text = case["description"].as_str().expect("a description");
        let regularizer: Regularizer = from_ron(text).expect("the description is valid");
        let mut gradient = vec![T::ZERO; 12];
        regularizer.add_gradient(&kernel, 4, 3, &mut gradient);
        let what = format!("{text} in {}", T::NAME);
        check_values(&what, &[regularizer.penalty(&kernel, 4, 3)], &numbers(&case["value"]), tolerance);
        check_values(&what, &to_double(gradient), &numbers(&case["gradient"]), tolerance);
    }
}

#[test]
fn penalties_and_their_gradients_agree_with_the_references() {
    check_penalties::<f64>(1e-12);
    check_penalties::<f32>(1e-5);
}

fn check_constrained<T: Scalar>(tolerance: f64) {
    let (cases, kernel) = reference("constraints");
    assert_eq!(cases.len(), 7);
    for case in cases {
        let text = case["description"].as_str().expect("a description");
        let constraint: Constraint = from_ron(text).expect("the description is valid");
        let mut found: Vec<T> = kernel.iter().map(|&weight| T::from_f64(weight)).collect();
        constraint.apply(&mut found, 4, 3);
        let what = format!("{text} in {}", T::NAME);
        check_values(&what, &to_double(found), &numbers(&case["constrained"]), tolerance);
    }
}

#[test]
fn constrained_kernels_agree_with_the_references() {
    check_constrained::<f64>(1e-12);
    check_constrained::<f32>(1e-5);
}

/// The formulas and central differences of them, evaluated with mpmath to 400 digits.
#[test]
fn penalties_and_their_gradients_agree_with_their_formulas() {
    for (text, expected) in [
        ("L1()", [0.0475, 0.01, -0.01, 0.01, 0.01, -0.01, 0.0]),
        ("L2()", [0.060625, 0.01, -0.02, 0.04, 0.01, -0.015, 0.0]),
        ("L1L2()", [0.0; 7]),
        ("L1L2(l1: 0.1, l2: 0.2)", [1.6875, 0.3, -0.5, 0.9, 0.3, -0.4, 0.0]),
        (
            "Orthogonal()",
            [
                0.00544762184487982,
                0.0049883046698236495,
                0.0024941523349118247,
                0.0004779304647922689,
                -0.0019117218591690756,
                0.0,
                0.002897295848727035,
            ],
        ),
        (
            "Orthogonal(factor: 0.5, mode: Columns)",
            [
                0.10192943828752511,
                -0.21444894808544243,
                0.18347298891754518,
                0.059569152245956235,
                0.36694597783509036,
                0.015885107265588328,
                -0.15289415743128767,
            ],
        ),
    ] {
        let regularizer: Regularizer = from_ron(text).expect(text);
        assert_eq!(from_ron::<Regularizer>(&to_ron(&regularizer).unwrap()).expect(text), regularizer);
        check_values(text, &penalty::<f64>(regularizer), &expected, 1e-12);
        check_values(text, &penalty::<f32>(regularizer), &expected, 1e-5);
    }
}

#[test]
fn penalties_of_nothing_to_compare_are_zero() {
    let orthogonal: Regularizer = from_ron("Orthogonal()").expect("a regularizer");
    assert_eq!(orthogonal.penalty(&[1.0, 2.0, 3.0], 3, 1), 0.0); // a single input
    let (weights, mut gradient) = ([0.0, 0.0, 1.0, 2.0], [0.0; 4]);
    orthogonal.add_gradient(&weights, 2, 2, &mut gradient);
    assert_eq!(orthogonal.penalty(&weights, 2, 2), 0.0);
    assert_eq!(gradient, [0.0; 4]);
}

/// Large enough for several blocks of sixteen lanes, and for rows and columns that differ.
#[test]
fn every_gradient_is_the_slope_of_its_penalty() {
    let (rows, columns) = (19, 23);
    let weights: Vec<f64> = (0..rows * columns).map(|i| (1.7 * i as f64 + 0.3).sin()).collect();
    for text in ["L1(l1: 2)", "L2(l2: 2)", "Orthogonal(factor: 9)", "Orthogonal(factor: 9, mode: Columns)"] {
        let regularizer: Regularizer = from_ron(text).expect(text);
        let mut gradient = vec![0.0; weights.len()];
        regularizer.add_gradient(&weights, rows, columns, &mut gradient);
        for place in [0, 18, 19, 200, rows * columns - 1] {
            let at = |step: f64| {
                let mut moved = weights.clone();
                moved[place] += step;
                regularizer.penalty(&moved, rows, columns)
            };
            let difference = (at(1e-5) - at(-1e-5)) / 2e-5;
            assert!((gradient[place] - difference).abs() < 1e-8 + 1e-7 * difference.abs(), "{text}: {place}");
        }
    }
}

fn apply<T: Scalar>(constraint: Constraint) -> Vec<f64> {
    let mut weights = kernel::<T>();
    constraint.apply(&mut weights, 2, 3);
    to_double(weights)
}

/// The formulas, evaluated with mpmath to 50 digits. Keras's values are these times norm/(norm + 1e-7).
#[test]
fn constrained_kernels_agree_with_their_formulas() {
    let unit = [
        0.2279211529192759,
        -0.8944271909999159,
        0.9116846116771036,
        0.4472135954999579,
        -0.34188172937891387,
        0.0,
    ];
    for (text, expected) in [
        ("MaxNorm()", [0.4558423058385518, -1.0, 1.8233692233542071, 0.5, -0.6837634587578277, 0.0]),
        ("MaxNorm(max_value: 3)", KERNEL),
        ("MinMaxNorm()", unit),
        (
            "MinMaxNorm(min_value: 1.2, max_value: 1.5, rate: 0.25)",
            [
                0.46047043234472845,
                -1.0183281572999747,
                1.8418817293789138,
                0.5091640786499874,
                -0.6907056485170927,
                0.0,
            ],
        ),
        ("MinMaxNorm(min_value: 1, max_value: 3)", KERNEL),
        ("NonNeg", [0.5, 0.0, 2.0, 0.5, 0.0, 0.0]),
        ("UnitNorm", unit),
    ] {
        let constraint: Constraint = from_ron(text).expect(text);
        assert_eq!(from_ron::<Constraint>(&to_ron(&constraint).unwrap()).expect(text), constraint);
        check_values(text, &apply::<f64>(constraint), &expected, 1e-12);
        check_values(text, &apply::<f32>(constraint), &expected, 1e-5);
    }
}

#[test]
fn weights_that_keep_to_a_constraint_stay_to_the_last_bit() {
    for text in ["MaxNorm(max_value: 3)", "MinMaxNorm(min_value: 1, max_value: 3, rate: 0.3)"] {
        assert_eq!(apply::<f64>(from_ron(text).expect(text)), KERNEL);
    }
    for text in ["MaxNorm()", "MinMaxNorm(min_value: 0.5)", "UnitNorm", "NonNeg"] {
        let mut zeros = [0.0f32; 34];
        from_ron::<Constraint>(text).expect(text).apply(&mut zeros, 17, 2);
        assert_eq!(zeros, [0.0; 34]);
    }
    let mut infinite = [f64::INFINITY, 1.0];
    Constraint::UnitNorm.apply(&mut infinite, 1, 2);
    assert_eq!(infinite, [f64::INFINITY, 1.0]);
}

/// As Keras's `axis=0` does.
#[test]
fn a_bias_is_constrained_as_a_whole() {
    let mut bias = [3.0, 0.0, -4.0];
    Constraint::UnitNorm.apply(&mut bias, 1, 3);
    check_values("bias", &bias, &[0.6, 0.0, -0.8], 1e-15);
}

/// Every block of units, and the last one that is not whole.
#[test]
fn every_unit_has_its_own_norm() {
    let (rows, columns) = (37, 5);
    let mut weights: Vec<f32> = (0..rows * columns).map(|i| 1.0 + (i % 7) as f32).collect();
    Constraint::UnitNorm.apply(&mut weights, rows, columns);
    for row in 0..rows {
        let norm: f32 = (0..columns).map(|column| weights[row + rows * column].powi(2)).sum();
        assert!((norm - 1.0).abs() < 1e-6, "unit {row} has a squared norm of {norm}");
    }
}

#[track_caller]
fn check_refused(field: &str, message: &str) {
    let error =
        Sequential::from_ron(&format!("(inputs: 5000, layers: [Dense(units: 3, {field})])")).unwrap_err();
    assert_eq!(error.to_string(), format!("layer 1 (dense): {message}"));
}

#[test]
fn a_setting_outside_its_range_is_refused_by_name() {
    let not_negative = "expected 0 or a number above 0 that fits single precision";
    check_refused(
        "kernel_regularizer: L2(l2: -1)",
        &format!("l2 of kernel_regularizer L2 is -1, {not_negative}"),
    );
    check_refused(
        "bias_regularizer: L1(l1: inf)",
        &format!("l1 of bias_regularizer L1 is inf, {not_negative}"),
    );
    check_refused(
        "activity_regularizer: L1L2(l2: NaN)",
        &format!("l2 of activity_regularizer L1L2 is NaN, {not_negative}"),
    );
    check_refused(
        "kernel_constraint: MaxNorm(max_value: 0)",
        "max_value of kernel_constraint MaxNorm is 0, expected a number above 0 that fits single precision",
    );
    check_refused(
        "bias_constraint: MinMaxNorm(min_value: 2)",
        "max_value of bias_constraint MinMaxNorm is 1, expected a number that is not below min_value",
    );
    check_refused(
        "bias_constraint: MinMaxNorm(rate: 2)",
        "rate of bias_constraint MinMaxNorm is 2, expected a number between 0 and 1",
    );
    for field in ["bias_regularizer", "activity_regularizer"] {
        check_refused(
            &format!("{field}: Orthogonal()"),
            &format!("{field} is Orthogonal, which is for kernels only"),
        );
    }
    check_refused(
        "kernel_regularizer: Orthogonal()",
        "kernel_regularizer is Orthogonal for 5000 vectors, expected at most 4096",
    );
    let orthogonal = regularizers::Orthogonal { factor: 1.0, mode: OrthogonalMode::Columns };
    let many = Sequential::new(5000).add(Dense::new(4000).kernel_regularizer(orthogonal));
    assert_eq!(
        many.validate().unwrap_err().to_string(),
        "layer 1 (dense): kernel_regularizer is Orthogonal for 20000000 weights, expected at most 16777216"
    );
    assert!(Sequential::new(5000).add(Dense::new(3).kernel_regularizer(orthogonal)).validate().is_ok());
}

/// 40 samples of three features in two classes.
fn data() -> Dataset {
    let values = (0..120).map(|i| (1.7 * f64::from(i) + 0.3).sin()).collect();
    Dataset::from_floats(3, values, (0..40).map(|i| i * i % 2).collect(), 2).expect("valid data")
}

fn compile(layer: Dense) -> Model<f64> {
    let network = Sequential::new(3).add(layer).add(Dense::new(2).activation(Activation::Softmax));
    network.compile(Compile { optimizer: Sgd::new(0.5).into(), ..Compile::default() }).expect("a network")
}

/// One full batch of all samples.
fn step(model: &mut Model<f64>) {
    model.fit(&data(), Fit { batch_size: 40, shuffle: false, ..Fit::default() }).expect("the data fit");
}

fn regularized() -> Dense {
    Dense::new(4)
        .activation(Activation::Tanh)
        .bias_initializer(densely::initializers::Constant { value: 0.5 })
        .kernel_regularizer(L2 { l2: 0.25 })
        .bias_regularizer(L1 { l1: 0.125 })
}

/// Without the penalties' gradients nothing else differs, and they are known: 2·0.25·w and 0.125.
#[test]
fn a_step_follows_the_penalties_too() {
    let plain = Dense { kernel_regularizer: None, bias_regularizer: None, ..regularized() };
    let (mut with, mut without) = (compile(regularized()), compile(plain));
    let start = without.parameters();
    step(&mut with);
    step(&mut without);
    let (with, without) = (with.parameters(), without.parameters());
    for (tensor, slope) in [(0, 0.5), (1, 0.0)] {
        let moves = with.tensor(tensor).iter().zip(without.tensor(tensor));
        for ((with, without), start) in moves.zip(start.tensor(tensor)) {
            let gradient = if slope == 0.0 { 0.125 } else { slope * start };
            assert!((with - (without - 0.5 * gradient)).abs() < 1e-15);
        }
    }
}

#[test]
fn losses_that_are_told_have_the_penalties_in_them() {
    let activity = Dense { activity_regularizer: Some(L1 { l1: 2.0 }.into()), ..regularized() };
    let plain = Dense { kernel_regularizer: None, bias_regularizer: None, ..regularized() };
    let (mut with, without) = (compile(activity), compile(plain));
    let parameters = with.parameters();
    let weights = |index| parameters.tensor(index);
    let hidden = Sequential::new(3).add(regularized());
    let mut hidden: Model<f64> =
        hidden.compile(Compile { loss: Loss::MeanSquaredError, ..Compile::default() }).expect("a network");
    for index in 0..2 {
        hidden.parameters_mut().tensor_mut(index).copy_from_slice(weights(index));
    }
    let outputs = hidden.predict(&data()).expect("the data fit");
    let penalty = 0.25 * weights(0).iter().map(|weight| weight * weight).sum::<f64>()
        + 0.125 * 4.0 * 0.5
        + 2.0 * outputs.iter().map(|y| y.abs()).sum::<f64>() / 40.0;
    let expected = without.evaluate(&data()).expect("the data fit").loss + penalty;
    assert!((with.evaluate(&data()).expect("the data fit").loss - expected).abs() < 1e-12);
    assert!((with.loss_and_gradient(&data(), 1).expect("the data fit").0 - expected).abs() < 1e-12);
    let fit = Fit { batch_size: 40, ..Fit::default() };
    let history = with.fit(&data(), fit).expect("the data fit");
    assert!((history.epochs[0].loss - expected).abs() < 1e-12);
}

#[test]
fn every_step_ends_within_the_constraints() {
    let layer = Dense::new(4)
        .activation(Activation::Tanh)
        .kernel_constraint(MaxNorm { max_value: 0.3 })
        .bias_constraint(Constraint::NonNeg);
    let mut model = compile(layer.clone());
    let mut with_regularizer = compile(layer.kernel_regularizer(L2 { l2: 0.0 }));
    step(&mut model);
    step(&mut with_regularizer);
    let parameters = model.parameters();
    let kernel = parameters.tensor(0);
    let norms: Vec<f64> =
        (0..4).map(|unit| (0..3).map(|input| kernel[unit + 4 * input].powi(2)).sum::<f64>().sqrt()).collect();
    assert!(
        norms.iter().all(|norm| *norm < 0.3 + 1e-15) && norms.iter().any(|norm| *norm > 0.299),
        "{norms:?}"
    );
    let bias = parameters.tensor(1);
    assert!(bias.iter().all(|value| *value >= 0.0) && bias.contains(&0.0), "{bias:?}");
    assert_eq!(kernel, with_regularizer.parameters().tensor(0), "a penalty of nothing, by the other path");
}

#[test]
fn a_penalty_on_probabilities_that_are_never_computed_is_refused() {
    let end = Dense::new(2).activation(Activation::Softmax).activity_regularizer(L2::default());
    let network = Sequential::new(3).add(end);
    let error = network.compile::<f32>(Compile::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "layer 1 (dense): activity_regularizer is on the Softmax that ends the network, but \
         CategoricalCrossentropy(from_logits: false, label_smoothing: 0.0) is computed from the logits before it, expected \
         none there"
    );
    let squared = Compile { loss: Loss::MeanSquaredError, ..Compile::default() };
    assert!(network.compile::<f32>(squared).is_ok());
}
