//! Schedules against tests/reference, and what a model makes of them.

use densely::optimizers::Ftrl;
use densely::schedules::*;
use densely::text::{from_ron, to_ron};
use densely::{Adam, DescriptionError, Error, Optimizer, Sgd};
use serde_json::Value;

/// Reads the text as an optimizer's learning rate, and the same again as it is written.
fn read(text: &str) -> LearningRate {
    let optimizer: Optimizer = from_ron(&format!("Adam(learning_rate: {text})")).expect(text);
    optimizer.validate().expect(text);
    assert_eq!(from_ron::<Optimizer>(&to_ron(&optimizer).unwrap()).expect(text), optimizer);
    optimizer.learning_rate().clone()
}

#[test]
fn every_schedule_gives_the_reference_s_rates() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reference/schedules.json");
    let text = std::fs::read_to_string(path).expect("the reference is there");
    let file: Value = serde_json::from_str(&text).expect("the reference is JSON");
    let cases = file["cases"].as_array().expect("a list of cases");
    assert_eq!(cases.len(), 21);
    for case in cases {
        let description = case["description"].as_str().expect("RON");
        let rate = read(description);
        let steps = case["steps"].as_array().expect("steps");
        let references = case["learning_rates"].as_array().expect("rates");
        assert_eq!(steps.len(), references.len());
        for (step, reference) in steps.iter().zip(references) {
            let (step, reference) = (step.as_u64().expect("a step"), reference.as_f64().expect("a rate"));
            let found = rate.at(step);
            // Rates are small: far below the 1e-12 that 1 would allow.
            assert!(
                (found - reference).abs() <= 1e-16,
                "{description} at {step}: {found:e}, not {reference:e}"
            );
        }
    }
}

#[test]
fn restarts_warm_up_as_a_single_decay_does() {
    let single = CosineDecay { warmup_target: Some(0.2), warmup_steps: 30, ..CosineDecay::new(0.01, 50) };
    let restarts = CosineDecayRestarts {
        warmup_target: Some(0.2),
        warmup_steps: 30,
        ..CosineDecayRestarts::new(0.01, 50)
    };
    let (single, restarts) = (LearningRate::from(single), LearningRate::from(restarts));
    for step in 0..80 {
        assert_eq!(single.at(step), restarts.at(step), "{step}");
    }
    assert_eq!((single.at(80), restarts.at(80)), (0.0, 0.2));
}

#[test]
fn one_cycle_stays_at_its_end() {
    let rate = LearningRate::from(OneCycle::new(0.1, 10));
    assert!((rate.at(9) - 0.1 / 25.0 / 1e4).abs() < 1e-18);
    assert_eq!(rate.at(9), rate.at(1_000_000));
    // A peak at the first step, and one before it.
    for pct_start in [0.0, 0.1, 1.0] {
        let rate = LearningRate::from(OneCycle { pct_start, ..OneCycle::new(0.1, 10) });
        assert!((0..20).all(|step| rate.at(step).is_finite()), "{pct_start}");
    }
}

#[test]
fn numbers_and_schedules_are_read_and_written_as_themselves() {
    for (text, expected) in [
        ("0.25", LearningRate::Constant(0.25)),
        ("1", LearningRate::Constant(1.0)),
        (
            "ExponentialDecay(initial_learning_rate: 1, decay_steps: 2, decay_rate: 0.5)",
            ExponentialDecay::new(1.0, 2, 0.5).into(),
        ),
        (
            "PiecewiseConstantDecay(boundaries: [3], values: [1.0, 0.5])",
            PiecewiseConstantDecay::new(vec![3], vec![1.0, 0.5]).into(),
        ),
    ] {
        assert_eq!(read(text), expected);
    }
    let written = to_ron(&Optimizer::from(Adam::new(0.25))).unwrap();
    assert!(written.contains("learning_rate: 0.25"), "{written}");
    let written = to_ron(&Optimizer::from(Adam::new(PolynomialDecay::new(0.25, 10)))).unwrap();
    assert!(written.contains("learning_rate: PolynomialDecay("), "{written}");
}

#[test]
fn a_misspelt_schedule_is_named() {
    for (text, message) in [
        ("CosinDecay(initial_learning_rate: 1, decay_steps: 2)", "did you mean `CosineDecay`?"),
        ("CosineDecay(initial_learning_rate: 1, decay_step: 2)", "did you mean `decay_steps`?"),
        ("CosineDecay(initial_learning_rate: 1)", "field `decay_steps` is missing"),
        (
            "CosineDecay(initial_learning_rate: 1, decay_steps: -2)",
            "the whole number is out of range, expected 0 or more",
        ),
        ("\"fast\"", "expected a number"),
    ] {
        let error = from_ron::<Optimizer>(&format!("Adam(\nlearning_rate: {text})")).unwrap_err().to_string();
        assert!(error.starts_with("line 2, column ") && error.ends_with(message), "{error}");
        assert!(error.contains("learning_rate: "), "{error}");
    }
}

#[track_caller]
fn check(rate: impl Into<LearningRate>, message: &str) {
    let optimizer = Optimizer::from(Sgd::new(rate));
    assert_eq!(optimizer.validate().unwrap_err().to_string(), message);
}

#[test]
fn a_setting_outside_its_range_is_refused_by_name() {
    check(
        ExponentialDecay::new(-1.0, 10, 0.5),
        "Sgd: initial_learning_rate of learning_rate ExponentialDecay is -1, expected 0 or a number above 0 that fits \
         single precision",
    );
    check(
        CosineDecay::new(0.1, 0),
        "Sgd: decay_steps of learning_rate CosineDecay is 0, expected at least 1",
    );
    check(
        PiecewiseConstantDecay::new(vec![5, 5], vec![1.0; 3]),
        "Sgd: boundary of learning_rate PiecewiseConstantDecay is 5, expected more than the boundary before it",
    );
    check(
        PiecewiseConstantDecay::new(vec![5], vec![1.0]),
        "Sgd: length of learning_rate PiecewiseConstantDecay is 1, expected one value more than boundaries",
    );
    check(
        CosineDecayRestarts { t_mul: 0.5, ..CosineDecayRestarts::new(0.1, 10) },
        "Sgd: t_mul of learning_rate CosineDecayRestarts is 0.5, expected at least 1",
    );
    check(
        OneCycle { pct_start: 1.5, ..OneCycle::new(0.1, 10) },
        "Sgd: pct_start of learning_rate OneCycle is 1.5, expected between 0 and 1",
    );
    check(OneCycle::new(0.1, 1), "Sgd: total_steps of learning_rate OneCycle is 1, expected at least 2");
    let nan = PolynomialDecay { power: f64::NAN, ..PolynomialDecay::new(0.1, 10) };
    assert!(matches!(
        Optimizer::from(Ftrl::new(nan)).validate(),
        Err(Error::Description(DescriptionError::ScheduleSetting { .. }))
    ));
}

#[test]
fn more_periods_than_can_be_counted_are_computed() {
    let restarts = |t_mul, first_decay_steps| {
        LearningRate::from(CosineDecayRestarts { t_mul, ..CosineDecayRestarts::new(1.0, first_decay_steps) })
    };
    for t_mul in [1.0 + f64::EPSILON, 1.0 + 1e-9, 1.0001, 1.01, 2.0, f64::MAX] {
        for first_decay_steps in [1, 7, u64::MAX] {
            for step in [0, 1, 1 << 20, 1 << 53, u64::MAX] {
                let rate = restarts(t_mul, first_decay_steps).at(step);
                assert!((0.0..=1.0).contains(&rate), "{t_mul} {first_decay_steps} {step}: {rate}");
            }
        }
    }
    // The same as one by one.
    for t_mul in [1.0001_f64, 1.003] {
        for step in (0..200_000).step_by(97) {
            let (mut left, mut period) = (f64::from(step), 10.0);
            while left >= period {
                left -= period;
                period *= t_mul;
            }
            let expected = 0.5 * (1.0 + (std::f64::consts::PI * left / period).cos());
            let found = restarts(t_mul, 10).at(u64::try_from(step).expect("a step"));
            assert!((found - expected).abs() < 1e-8, "{t_mul} {step}: {found}, expected {expected}");
        }
    }
}

#[test]
fn after_its_last_step_one_cycle_stays_where_it_is() {
    for (pct_start, three_phase) in [(0.3, false), (1.0, false), (0.3, true), (0.6, true), (1.0, true)] {
        let rate = LearningRate::from(OneCycle { pct_start, three_phase, ..OneCycle::new(1.0, 10) });
        for step in [10, 11, 15, 20, u64::MAX] {
            assert_eq!(rate.at(step), rate.at(9), "{pct_start} {three_phase} {step}");
        }
    }
}
