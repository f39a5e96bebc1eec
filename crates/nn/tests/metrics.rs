//! Metrics against the references, in batches of every size, and what is refused.

use densely::metrics::MetricError;
use densely::metrics::{
    Average, BatchTargets, Curve, Metric, MetricBatch, MetricState, MetricValue, TargetKind,
    precision_recall_curve, roc_curve,
};
use densely::text::{from_ron, to_ron};
use densely::{ConfusionMatrix, Error};
use serde_json::Value;

/// What a metric is measured on.
#[derive(Clone)]
struct Data {
    targets: Targets,
    outputs: Vec<f64>,
    width: usize,
    weights: Vec<f64>,
}

#[derive(Clone)]
enum Targets {
    Classes(Vec<u32>),
    Values(Vec<f64>),
}

impl Data {
    fn samples(&self) -> usize {
        self.outputs.len() / self.width
    }

    fn kind(&self) -> TargetKind {
        match self.targets {
            Targets::Classes(_) => TargetKind::Classes,
            Targets::Values(_) => TargetKind::Values,
        }
    }

    /// The samples from `start` up to `end`.
    fn batch(&self, start: usize, end: usize, weighted: bool) -> MetricBatch<'_> {
        let targets = match &self.targets {
            Targets::Classes(labels) => BatchTargets::Classes(&labels[start..end]),
            Targets::Values(values) => BatchTargets::Values(&values[start * self.width..end * self.width]),
        };
        let outputs = &self.outputs[start * self.width..end * self.width];
        let weights = weighted.then(|| &self.weights[start..end]);
        MetricBatch::new(targets, outputs, self.width, weights).expect("the batch is valid")
    }

    fn measured(&self, metric: Metric, weighted: bool, batch_size: usize) -> MetricValue {
        let mut state = metric.state(self.width, self.kind()).expect("the metric goes with the data");
        self.update(&mut *state, weighted, batch_size);
        state.result()
    }

    fn update(&self, state: &mut dyn MetricState, weighted: bool, batch_size: usize) {
        for start in (0..self.samples()).step_by(batch_size) {
            let end = (start + batch_size).min(self.samples());
            state.update(&self.batch(start, end, weighted)).expect("the batch goes with the metric");
        }
    }
}

fn reference() -> Value {
    let path = format!("{}/tests/reference/metrics.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).expect("the reference is there")).expect("it is JSON")
}

/// The data with this name in the reference.
fn data(reference: &Value, name: &str) -> Data {
    let weights = numbers(&reference["sample_weight"]);
    match name {
        "triples" => Data { width: 3, weights: weights[..4].to_vec(), ..data(reference, "regression") },
        "regression" => Data {
            targets: Targets::Values(numbers(&reference[name]["targets"])),
            outputs: numbers(&reference[name]["outputs"]),
            width: 1,
            weights,
        },
        _ => {
            let labels = numbers(&reference[name]["labels"]);
            let outputs = numbers(&reference[name]["outputs"]);
            let width = outputs.len() / labels.len();
            let labels = labels.into_iter().map(|label| label as u32).collect();
            Data { targets: Targets::Classes(labels), outputs, width, weights }
        }
    }
}

/// The numbers of a list, or of a list of lists one after the other.
fn numbers(list: &Value) -> Vec<f64> {
    match list {
        Value::Array(list) => list.iter().flat_map(numbers).collect(),
        number => vec![number.as_f64().expect("a number")],
    }
}

fn flat(value: MetricValue) -> Vec<f64> {
    match value {
        MetricValue::Number(number) => vec![number],
        MetricValue::Table(rows) => rows.concat(),
    }
}

#[track_caller]
fn check(what: &str, found: &[f64], reference: &[f64]) {
    assert_eq!(found.len(), reference.len(), "{what}");
    for (found, reference) in found.iter().zip(reference) {
        assert!(
            (found - reference).abs() <= 1e-12 * reference.abs().max(1.0),
            "{what}: {found:e}, not {reference:e}"
        );
    }
}

fn cases(reference: &Value) -> Vec<(String, Metric, Data, &Value)> {
    let cases = reference["cases"].as_array().expect("a list of cases");
    cases
        .iter()
        .map(|case| {
            let text = case["description"].as_str().expect("a description").to_owned();
            let metric = from_ron(&text).expect("the description is valid");
            let name = case["data"].as_str().expect("a name");
            (text, metric, data(reference, name), case)
        })
        .collect()
}

#[test]
fn metrics_agree_with_the_references() {
    let reference = reference();
    let cases = cases(&reference);
    assert_eq!(cases.len(), 41);
    for (text, metric, data, case) in cases {
        for (weighted, key) in [(false, "value"), (true, "weighted")] {
            let found = flat(data.measured(metric, weighted, 5));
            check(&format!("{text}, {key}"), &found, &numbers(&case[key]));
        }
    }
}

#[test]
fn batches_of_any_size_give_the_same_bits() {
    let reference = reference();
    for (text, metric, data, _) in cases(&reference) {
        for weighted in [false, true] {
            let bits = |value| flat(value).into_iter().map(f64::to_bits).collect::<Vec<_>>();
            let at_once = bits(data.measured(metric, weighted, data.samples()));
            for batch_size in 1..data.samples() {
                let found = bits(data.measured(metric, weighted, batch_size));
                assert_eq!(found, at_once, "{text} in batches of {batch_size}");
            }
        }
    }
}

#[test]
fn a_reset_forgets_everything() {
    let reference = reference();
    for (text, metric, data, _) in cases(&reference) {
        let mut state = metric.state(data.width, data.kind()).unwrap();
        data.update(&mut *state, false, 3);
        state.reset();
        data.update(&mut *state, true, 4);
        assert_eq!(state.result(), data.measured(metric, true, 12), "{text}");
    }
}

#[test]
fn a_weight_of_two_counts_as_the_sample_twice_and_a_weight_of_zero_not_at_all() {
    let reference = reference();
    for (text, metric, mut data, _) in cases(&reference) {
        let mut state = metric.state(data.width, data.kind()).unwrap();
        let samples = data.samples();
        data.weights = vec![1.0; samples];
        (data.weights[0], data.weights[samples - 1]) = (2.0, 0.0);
        state.update(&data.batch(0, 1, false)).unwrap();
        state.update(&data.batch(0, samples - 1, false)).unwrap();
        check(&text, &flat(data.measured(metric, true, samples)), &flat(state.result()));
    }
}

#[test]
fn two_outputs_decide_as_one_does() {
    let reference = reference();
    let one = data(&reference, "binary");
    let outputs = one.outputs.iter().flat_map(|&chance| [1.0 - chance, chance]).collect();
    let two = Data { outputs, width: 2, ..one.clone() };
    let Targets::Classes(labels) = &one.targets else { unreachable!("the targets are classes") };
    let values = labels.iter().map(|&label| f64::from(label)).collect();
    let as_values = Data { targets: Targets::Values(values), ..one.clone() };
    for text in [
        "BinaryAccuracy()",
        "Precision()",
        "Recall(average: Macro)",
        "F1Score(average: Weighted)",
        "Auc()",
        "Auc(curve: Pr)",
        "ConfusionMatrix()",
        "CohenKappa()",
        "MatthewsCorrelation()",
        "MeanIoU()",
        "ExpectedCalibrationError()",
    ] {
        let metric: Metric = from_ron(text).unwrap();
        let expected = flat(one.measured(metric, true, 5));
        check(text, &flat(two.measured(metric, true, 5)), &expected);
        if !text.contains("average") {
            check(text, &flat(as_values.measured(metric, true, 5)), &expected);
        }
    }
}

/// Three labels that do not exclude each other, by hand: hits 2, 0, 1; predicted 2, 1, 1; there 3, 1, 1.
#[test]
fn values_are_labels_that_do_not_exclude_each_other() {
    let data = Data {
        targets: Targets::Values(vec![1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.0]),
        outputs: vec![0.9, 0.8, 0.7, 0.6, 0.1, 0.2, 0.4, 0.3, 0.5],
        width: 3,
        weights: vec![1.0; 3],
    };
    for (text, expected) in [
        ("BinaryAccuracy()", 6.0 / 9.0),
        ("Precision(average: Micro)", 3.0 / 4.0),
        ("Recall(average: Micro)", 3.0 / 5.0),
        ("Precision(average: Macro)", 2.0 / 3.0),
        ("Recall(average: Macro)", (2.0 / 3.0 + 0.0 + 1.0) / 3.0),
        ("Recall(average: Weighted)", 3.0 / 5.0),
        ("F1Score(average: Macro)", (4.0 / 5.0 + 0.0 + 1.0) / 3.0),
    ] {
        check(text, &flat(data.measured(from_ron(text).unwrap(), false, 2)), &[expected]);
    }
}

#[test]
fn one_hot_values_are_the_classes_that_they_stand_for() {
    let reference = reference();
    let classes = data(&reference, "classes");
    let Targets::Classes(labels) = &classes.targets else { unreachable!("the targets are classes") };
    let one_hot =
        labels.iter().flat_map(|&label| (0..4).map(move |class| f64::from(u8::from(class == label))));
    let one_hot = Data { targets: Targets::Values(one_hot.collect()), ..classes.clone() };
    for text in
        ["CategoricalAccuracy()", "TopKCategoricalAccuracy(k: 2)", "CohenKappa()", "ConfusionMatrix()"]
    {
        let metric = from_ron(text).unwrap();
        assert_eq!(one_hot.measured(metric, true, 5), classes.measured(metric, true, 5), "{text}");
    }
}

#[test]
fn what_has_no_share_is_zero_and_what_has_no_mean_is_not_a_number() {
    let nothing = Data {
        targets: Targets::Classes(vec![0, 0]),
        outputs: vec![0.1, 0.2],
        width: 1,
        weights: vec![0.0; 2],
    };
    for text in ["Precision()", "Recall()", "F1Score()", "Recall(average: Macro)", "CohenKappa()"] {
        assert_eq!(flat(nothing.measured(from_ron(text).unwrap(), true, 1)), [0.0], "{text}");
    }
    for text in ["MatthewsCorrelation()", "Precision()", "Recall()", "CohenKappa()"] {
        assert_eq!(flat(nothing.measured(from_ron(text).unwrap(), false, 1)), [0.0], "{text}");
    }
    for (text, weighted) in [("BinaryAccuracy()", true), ("Auc()", false), ("Auc(curve: Pr)", false)] {
        let found = flat(nothing.measured(from_ron(text).unwrap(), weighted, 1));
        assert!(found[0].is_nan(), "{text}: {found:?}");
    }
    let constant = Data { targets: Targets::Values(vec![0.1; 2]), outputs: vec![0.1; 2], ..nothing };
    assert_eq!(flat(constant.measured(Metric::R2Score {}, false, 1)), [1.0]);
    let wrong = Data { outputs: vec![0.1, 0.2], ..constant };
    assert_eq!(flat(wrong.measured(Metric::R2Score {}, false, 1)), [0.0]);
}

/// Where a naive sum of squares has no digit left: targets 10⁸ + 1, 2, 3, 4.
#[test]
fn r2_survives_a_mean_that_is_large() {
    let data = Data {
        targets: Targets::Values((1..5).map(|i| 1e8 + f64::from(i)).collect()),
        outputs: (1..5).map(|i| 1e8 + f64::from(i) + 0.5).collect(),
        width: 1,
        weights: vec![1.0; 4],
    };
    check("R2Score()", &flat(data.measured(Metric::R2Score {}, false, 1)), &[0.8]);
}

/// x²/2 to within x⁴/12 for small x, and x − ln 2 for large.
#[test]
fn log_cosh_keeps_small_errors_and_survives_large_ones() {
    for (error, expected) in [(1e-9, 5e-19), (1e200, 1e200), (-800.0, 800.0 - std::f64::consts::LN_2)] {
        let data =
            Data { targets: Targets::Values(vec![0.0]), outputs: vec![error], width: 1, weights: vec![] };
        let found = flat(data.measured(Metric::LogCosh {}, false, 1))[0];
        assert!((found - expected).abs() <= 1e-15 * expected, "{error}: {found:e}, not {expected:e}");
    }
}

#[test]
fn cosines_of_tiny_and_huge_vectors_are_cosines() {
    for scale in [1e-300, 1.0, 1e300] {
        let data = Data {
            targets: Targets::Values(vec![3.0, 4.0, 0.0, 0.0]),
            outputs: vec![4.0 * scale, 3.0 * scale, 1.0, 0.0],
            width: 2,
            weights: vec![],
        };
        check("CosineSimilarity()", &flat(data.measured(Metric::CosineSimilarity {}, false, 2)), &[0.48]);
    }
}

#[test]
fn curves_have_the_areas_that_auc_has() {
    let reference = reference();
    let data = data(&reference, "binary");
    let Targets::Classes(labels) = &data.targets else { unreachable!("the targets are classes") };
    for (weighted, weights) in [(false, None), (true, Some(&data.weights[..]))] {
        let roc = roc_curve(labels, &data.outputs, weights).unwrap();
        let trapezoid = |ends: &[densely::metrics::RocPoint]| {
            (ends[1].false_positive_rate - ends[0].false_positive_rate)
                * (ends[1].true_positive_rate + ends[0].true_positive_rate)
                / 2.0
        };
        let area: f64 = roc.windows(2).map(trapezoid).sum();
        check("ROC", &[area], &flat(data.measured(Metric::Auc { curve: Curve::Roc }, weighted, 12)));
        let curve = precision_recall_curve(labels, &data.outputs, weights).unwrap();
        let area: f64 =
            curve.windows(2).map(|ends| (ends[1].recall - ends[0].recall) * ends[1].precision).sum();
        check("PR", &[area], &flat(data.measured(Metric::Auc { curve: Curve::Pr }, weighted, 12)));
        assert_eq!(roc.len(), 11); // ten different scores
        assert_eq!((roc[0].threshold, roc[10].false_positive_rate), (f64::INFINITY, 1.0));
    }
    for (labels, missing) in [([1, 1], 0), ([0, 0], 1)] {
        let error = roc_curve(&labels, &[0.1, 0.2], None).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("no sample with a weight is of class {missing}, expected both classes")
        );
    }
}

#[test]
fn the_report_has_the_numbers_of_the_metrics() {
    let reference = reference();
    let data = data(&reference, "classes");
    let mut confusion = ConfusionMatrix::new(4).unwrap();
    for (label, row) in data.measured(Metric::ConfusionMatrix {}, false, 12).rows().into_iter().enumerate() {
        for (predicted, count) in row.into_iter().enumerate() {
            (0..count as usize).for_each(|_| confusion.record(label, predicted).unwrap());
        }
    }
    let report = confusion.report();
    for (average, line) in
        [(Average::Macro, &report.macro_average), (Average::Weighted, &report.weighted_average)]
    {
        let threshold = 0.5;
        let found = [line.precision, line.recall, line.f1_score];
        let metrics = [
            Metric::Precision { threshold, average },
            Metric::Recall { threshold, average },
            Metric::F1Score { threshold, average },
        ];
        let expected = metrics.map(|metric| flat(data.measured(metric, false, 5))[0]);
        check(&line.name, &found, &expected);
    }
    assert_eq!(report.classes.iter().map(|class| class.support).collect::<Vec<_>>(), [3, 4, 3, 2]);
}

trait Rows {
    fn rows(self) -> Vec<Vec<f64>>;
}

impl Rows for MetricValue {
    fn rows(self) -> Vec<Vec<f64>> {
        match self {
            Self::Table(rows) => rows,
            Self::Number(number) => panic!("{number} is no table"),
        }
    }
}

#[test]
fn every_metric_is_written_as_it_is_read() {
    let reference = reference();
    for (text, metric, _, _) in cases(&reference) {
        assert_eq!(from_ron::<Metric>(&to_ron(&metric).unwrap()).unwrap(), metric, "{text}");
        assert_eq!(from_ron::<Metric>(&metric.to_string()).unwrap(), metric, "{metric}");
    }
    let misspelt = from_ron::<Metric>("Precison()").unwrap_err().to_string();
    assert!(misspelt.contains("did you mean `Precision`?"), "{misspelt}");
    assert!(from_ron::<Metric>("Auc(curves: Pr)").is_err());
}

#[test]
fn names_are_those_of_keras_and_modes_follow_from_them() {
    for (text, name, larger_is_better) in [
        ("Precision()", "precision", Some(true)),
        ("F1Score()", "f1_score", Some(true)),
        ("FBetaScore()", "fbeta_score", Some(true)),
        ("Auc()", "auc", Some(true)),
        ("MeanIoU()", "mean_io_u", Some(true)),
        ("R2Score()", "r2_score", Some(true)),
        ("CosineSimilarity()", "cosine_similarity", Some(true)),
        ("LogCosh()", "logcosh", Some(false)),
        ("MeanSquaredError()", "mean_squared_error", Some(false)),
        ("ExpectedCalibrationError()", "expected_calibration_error", Some(false)),
        ("ConfusionMatrix()", "confusion_matrix", None),
    ] {
        let metric: Metric = from_ron(text).unwrap();
        assert_eq!((metric.name(), metric.larger_is_better()), (name, larger_is_better), "{text}");
    }
}

#[test]
fn settings_outside_their_range_are_named() {
    for (text, expected) in [
        ("TopKCategoricalAccuracy(k: 0)", "TopKCategoricalAccuracy: k is 0, expected at least 1"),
        ("ExpectedCalibrationError(bins: 0)", "ExpectedCalibrationError: bins is 0, expected 1 to 65536"),
        (
            "ExpectedCalibrationError(bins: 65537)",
            "ExpectedCalibrationError: bins is 65537, expected 1 to 65536",
        ),
        (
            "FBetaScore(beta: 0)",
            "FBetaScore: beta is 0, expected a number above 0 that fits single precision",
        ),
        ("Recall(threshold: NaN)", "Recall: threshold is NaN, expected a number that fits single precision"),
    ] {
        let metric: Metric = from_ron(text).unwrap();
        assert_eq!(metric.validate().unwrap_err().to_string(), expected);
        assert_eq!(metric.state(1, TargetKind::Values).unwrap_err().to_string(), expected);
    }
}

#[test]
fn data_that_a_metric_cannot_measure_are_named() {
    use TargetKind::{Classes, Values};
    for (text, outputs, targets, expected) in [
        ("R2Score()", 10, Classes, "R2Score needs values as targets, the data have class labels"),
        ("LogCosh()", 1, Classes, "LogCosh needs values as targets, the data have class labels"),
        (
            "SparseCategoricalAccuracy()",
            3,
            Values,
            "SparseCategoricalAccuracy needs class labels as targets, the data have values",
        ),
        ("Auc()", 10, Classes, "Auc: the network has 10 outputs, expected 1 or 2"),
        ("Auc()", 2, Values, "Auc: the network has 2 outputs, expected 1 with values"),
        (
            "CategoricalAccuracy()",
            1,
            Classes,
            "CategoricalAccuracy: the network has 1 outputs, expected at least 2",
        ),
        (
            "Precision()",
            3,
            Classes,
            "Precision: the network has 3 outputs, expected 1 or 2, or an average of Micro, Macro or Weighted",
        ),
        (
            "BinaryAccuracy()",
            3,
            Classes,
            "BinaryAccuracy: the network has 3 outputs, expected 1 or 2 with class labels",
        ),
        (
            "ConfusionMatrix()",
            5000,
            Classes,
            "ConfusionMatrix: the network has 5000 outputs, expected at most 4096",
        ),
        ("MeanIoU()", 0, Classes, "MeanIoU: the network has 0 outputs, expected at least 1"),
    ] {
        let error = from_ron::<Metric>(text).unwrap().state(outputs, targets).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
    let mut state = Metric::CohenKappa {}.state(2, Classes).unwrap();
    let wide = MetricBatch::new(BatchTargets::Classes(&[2]), &[0.0, 0.1, 0.9], 3, None).unwrap();
    assert!(matches!(state.update(&wide), Err(Error::Metric(MetricError::Outputs { found: 3, .. }))));
    let values = MetricBatch::new(BatchTargets::Values(&[0.0, 1.0]), &[0.1, 0.9], 2, None).unwrap();
    assert!(matches!(state.update(&values), Err(Error::Metric(MetricError::Targets { .. }))));
    let mut calibration = Metric::ExpectedCalibrationError { bins: 15 }.state(2, Classes).unwrap();
    let logits = MetricBatch::new(BatchTargets::Classes(&[0, 1]), &[0.4, 0.6, -2.0, 3.0], 2, None).unwrap();
    assert_eq!(
        calibration.update(&logits).unwrap_err().to_string(),
        "output 0 of sample 1 is -2, expected a probability, between 0 and 1, for ExpectedCalibrationError"
    );
}

#[test]
fn batches_that_do_not_fit_together_are_refused() {
    let classes = |labels, outputs, width, weights| {
        MetricBatch::new(BatchTargets::Classes(labels), outputs, width, weights).map(|batch| batch.samples())
    };
    let values = |values, outputs, width| {
        MetricBatch::new(BatchTargets::Values(values), outputs, width, None).map(|batch| batch.samples())
    };
    for (found, expected) in [
        (classes(&[], &[], 0, None), "there are 0 outputs of a sample, expected 1"),
        (classes(&[0], &[0.5; 3], 2, None), "there are 3 outputs, expected 2"),
        (classes(&[0, 2], &[0.5; 2], 1, None), "sample 1 has label 2, expected a label below 2"),
        (classes(&[0, 3], &[0.5; 6], 3, None), "sample 1 has label 3, expected a label below 3"),
        (classes(&[0], &[0.5], 1, Some(&[1.0; 2])), "there are 2 weights, expected 1"),
        (
            classes(&[0], &[0.5], 1, Some(&[-1.0])),
            "weight 0 of sample 0 is -1, expected 0 or a finite number above 0",
        ),
        (
            classes(&[0, 1], &[0.5, 0.5, 0.5, f64::NAN], 2, None),
            "output 1 of sample 1 is NaN, expected a finite number",
        ),
        (values(&[0.5; 3], &[0.5; 2], 2), "there are 3 target values, expected 2"),
        (values(&[0.5; 2], &[0.5; 4], 2), "there are 4 outputs, expected 2"),
        (values(&[f64::INFINITY], &[0.5], 1), "target 0 of sample 0 is inf, expected a finite number"),
    ] {
        assert_eq!(found.unwrap_err().to_string(), expected);
    }
    assert_eq!(classes(&[], &[], 3, None).unwrap(), 0);
}

#[test]
fn all_columns_of_value_targets_count() {
    let macro_average = Metric::F1Score { threshold: 0.5, average: Average::Macro };
    let mut state = macro_average.state(2, TargetKind::Values).expect("a valid metric");
    let batch = MetricBatch::new(BatchTargets::Values(&[1.0, 0.0, 1.0, 0.0]), &[0.9, 0.1, 0.8, 0.2], 2, None);
    state.update(&batch.expect("a valid batch")).expect("it fits");
    assert_eq!(state.result().number(), Some(0.5));
}

#[test]
fn counts_that_there_is_no_room_for_are_an_error() {
    for text in ["R2Score()", "Precision(average: Macro)", "F1Score(average: Weighted)"] {
        let metric: Metric = from_ron(text).unwrap();
        let error = metric.state(usize::MAX, TargetKind::Values).unwrap_err();
        assert!(matches!(error, Error::Memory { .. }), "{text}: {error}");
    }
}
