//! Intervals and tests against the references.

use densely::statistics::{McNemar, McNemarMethod, mcnemar, mean, over_seeds, sample_deviation};
use serde_json::Value;

#[track_caller]
fn check(what: &str, found: f64, reference: f64) {
    let allowed = 1e-12 * reference.abs();
    assert!((found - reference).abs() <= allowed, "{what}: {found:e}, not {reference:e}");
}

/// The cases of tests/reference/confidence.json that have this field.
fn cases(field: &str) -> Vec<Value> {
    let path = format!("{}/tests/reference/confidence.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).expect("the reference is there");
    let file: Value = serde_json::from_str(&text).expect("the reference is JSON");
    let cases = file["cases"].as_array().expect("a list of cases");
    cases.iter().filter(|case| case.get(field).is_some()).cloned().collect()
}

fn number(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}

fn numbers(list: &Value) -> Vec<f64> {
    list.as_array().expect("a list").iter().map(number).collect()
}

fn count(value: &Value) -> u64 {
    value.as_u64().expect("a count")
}

fn results(results: &[f64]) -> densely::statistics::OverSeeds {
    over_seeds(0..results.len() as u64, |seed| Ok::<_, ()>(results[seed as usize])).expect("no run fails")
}

#[test]
fn intervals_over_seeds_agree_with_the_references() {
    let cases = cases("results");
    assert_eq!(cases.len(), 3);
    for case in cases {
        let runs = numbers(&case["results"]);
        let found = results(&runs);
        let (low, high) = found.interval.expect("there are several runs");
        let expected = numbers(&case["interval"]);
        check("mean", found.mean, number(&case["mean"]));
        check("deviation", found.deviation.expect("there are several runs"), number(&case["deviation"]));
        check("low", low, expected[0]);
        check("high", high, expected[1]);
        assert_eq!((mean(&runs), sample_deviation(&runs)), (found.mean, found.deviation));
    }
}

/// The half width times √n over the deviation, from as many runs as have the degrees of freedom.
#[test]
fn the_intervals_are_students_for_any_number_of_runs() {
    let cases = cases("degrees");
    assert_eq!(cases.len(), 34);
    for case in cases {
        let degrees = count(&case["degrees"]);
        let runs: Vec<f64> = (0..=degrees).map(|run| if run % 2 == 0 { 1.0 } else { -1.0 }).collect();
        let found = results(&runs);
        let half_width = found.interval.expect("there are several runs").1 - found.mean;
        let t = half_width * (runs.len() as f64).sqrt() / found.deviation.expect("there are several runs");
        check(&format!("t of {degrees}"), t, number(&case["t"]));
    }
}

#[test]
fn mcnemars_test_agrees_with_the_references() {
    let cases = cases("only_first_right");
    assert_eq!(cases.len(), 12);
    for case in cases {
        let (b, c) = (count(&case["only_first_right"]), count(&case["only_second_right"]));
        let found = McNemar::of_counts(7, b, c, 3);
        let what = format!("{b} and {c}");
        check(&what, found.p_value, number(&case["p_value"]));
        match found.method {
            McNemarMethod::ExactBinomial => assert!(case["statistic"].is_null(), "{what}"),
            McNemarMethod::ChiSquared { statistic } => check(&what, statistic, number(&case["statistic"])),
        }
        let swapped = McNemar::of_counts(7, c, b, 3);
        assert_eq!((swapped.method, swapped.p_value), (found.method, found.p_value), "{what}");
    }
}

#[test]
fn mcnemar_counts_every_sample_once() {
    let labels = [0, 1, 2, 3, 0, 1];
    let first = [0, 1, 2, 0, 1, 0];
    let second = [0, 1, 1, 3, 0, 2];
    let found = mcnemar(&labels, &first, &second).unwrap();
    assert_eq!(found, McNemar::of_counts(2, 1, 2, 1));
    let error = mcnemar(&labels, &first, &second[1..]).unwrap_err();
    assert_eq!(error.to_string(), "there are 5 predictions of the second model, expected 6");
}
