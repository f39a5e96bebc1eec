//! Every optimizer against tests/reference: twenty steps on given gradients, through the path that training takes.

use super::state::{OptimizerState, UpdateRoom};
use crate::engine::parameters::EngineParameters;
use crate::layers::Dense;
use crate::optimizers::{Adafactor, Optimizer};
use crate::sequential::Sequential;
use crate::text::{from_ron, to_ron};
use densely_tensor::{Pool, Scalar};
use serde_json::Value;

/// The reference's kernel of 5 inputs and 4 units, and the bias. Keras's order of a kernel is ours.
const INPUTS: usize = 5;
const UNITS: usize = 4;

/// Where Keras's steps stand beside the formula's: it casts Nadam's 0.96 by way of single precision, which moves a
/// parameter by a few 1e-9 in 20 steps.
const KERAS_TOLERANCE: f64 = 1e-8;

fn numbers(list: &Value) -> Vec<f64> {
    list.as_array().expect("a list").iter().map(|value| value.as_f64().expect("a number")).collect()
}

fn put<T: Scalar>(parameters: &mut EngineParameters<T>, values: &[f64]) {
    let (kernel, bias) = values.split_at(INPUTS * UNITS);
    for (tensor, values) in [kernel, bias].into_iter().enumerate() {
        let values: Vec<T> = values.iter().map(|&value| T::from_f64(value)).collect();
        parameters.write(tensor, &values);
    }
}

#[track_caller]
fn check<'a, T: Scalar>(what: &str, found: impl Iterator<Item = &'a T>, reference: &Value, tolerance: f64) {
    let (found, reference): (Vec<f64>, _) = (found.map(|value| value.to_f64()).collect(), numbers(reference));
    assert_eq!(found.len(), reference.len(), "{what}");
    for (place, (found, reference)) in found.iter().zip(&reference).enumerate() {
        let difference = (found - reference).abs();
        assert!(
            difference <= tolerance * reference.abs().max(1.0),
            "{what} in {} at {place}: {found}, the reference is {reference}",
            T::NAME
        );
    }
}

/// The values of kernel and bias.
fn values<T: Scalar>(parameters: &EngineParameters<T>) -> Vec<T> {
    let mut values = vec![T::ZERO; INPUTS * UNITS + UNITS];
    let (kernel, bias) = values.split_at_mut(INPUTS * UNITS);
    parameters.read(0, kernel);
    parameters.read(1, bias);
    values
}

fn steps<T: Scalar>(file: &Value, case: &Value, tolerance: f64) {
    let description = case["description"].as_str().expect("RON");
    let optimizer: Optimizer = from_ron(description).expect(description);
    optimizer.validate().expect(description);
    assert_eq!(from_ron::<Optimizer>(&to_ron(&optimizer).unwrap()).expect(description), optimizer);
    let network = Sequential::new(INPUTS).add(Dense::new(UNITS));
    let mut parameters = EngineParameters::<T>::zeros(&network).expect("memory");
    put(&mut parameters, &numbers(&file["initial"]));
    let mut state = OptimizerState::new();
    state.make_room(&optimizer, parameters.values().len()).expect("memory");
    let mut room = UpdateRoom::new(&optimizer, &network).expect("memory");
    let zeros = EngineParameters::zeros(&network).expect("memory");
    room.gradient.get_or_insert(zeros);
    let pool = Pool::new(1).expect("one thread");
    for (step, gradient) in file["gradients"].as_array().expect("a list").iter().enumerate() {
        state.exchange(&optimizer, &mut parameters);
        put(room.gradient.as_mut().expect("room"), &numbers(gradient));
        state.take_gradient(&pool, &optimizer, &mut parameters, &mut room);
        let reference = &case["parameters"][(step + 1).to_string()];
        if !reference.is_null() {
            let what = format!("{description} after step {}", step + 1);
            check(&what, values(&parameters).iter(), reference, tolerance);
            if !case["keras"].is_null() {
                let what = format!("{what}, beside Keras,");
                let reference = &case["keras"][(step + 1).to_string()];
                check(&what, values(&parameters).iter(), reference, tolerance.max(KERAS_TOLERANCE));
            }
        }
        state.exchange(&optimizer, &mut parameters);
    }
    if !case["average"].is_null() {
        state.finalize(&optimizer, &mut parameters);
        check(
            &format!("the average of {description}"),
            values(&parameters).iter(),
            &case["average"],
            tolerance,
        );
    }
}

#[test]
fn every_optimizer_takes_the_reference_s_steps() {
    let text = include_str!("../../../tests/reference/optimizers.json");
    let file: Value = serde_json::from_str(text).expect("the reference is JSON");
    let cases = file["cases"].as_array().expect("a list of cases");
    assert_eq!(cases.len(), 72);
    for case in cases {
        steps::<f64>(&file, case, 1e-12);
        steps::<f32>(&file, case, 1e-5);
    }
    let beside_keras = cases.iter().filter(|case| !case["keras"].is_null());
    let names: Vec<_> =
        beside_keras.filter_map(|case| case["description"].as_str()?.split('(').next()).collect();
    assert_eq!(names, ["Nadam"; 3]);
}

/// Of a constant gradient u is 1 everywhere, so each step takes the share ρ of a tensor whose values are all the same.
#[test]
fn adafactor_s_rate_is_bound_to_fall_only_where_that_is_asked_for() {
    let network = Sequential::new(INPUTS).add(Dense::new(UNITS));
    let pool = Pool::new(1).expect("one thread");
    for relative_step in [true, false] {
        let optimizer = Optimizer::from(Adafactor { relative_step, ..Adafactor::new(0.5) });
        let mut parameters = EngineParameters::<f64>::zeros(&network).expect("memory");
        put(&mut parameters, &[1.0; (INPUTS + 1) * UNITS]);
        let mut state = OptimizerState::new();
        state.make_room(&optimizer, parameters.values().len()).expect("memory");
        let mut room = UpdateRoom::new(&optimizer, &network).expect("memory");
        let zeros = EngineParameters::zeros(&network).expect("memory");
        room.gradient.get_or_insert(zeros);
        let mut expected = 1.0;
        for t in 1..=9 {
            put(room.gradient.as_mut().expect("room"), &[3.0; (INPUTS + 1) * UNITS]);
            state.take_gradient(&pool, &optimizer, &mut parameters, &mut room);
            let bound = 1.0 / f64::from(t).sqrt();
            expected *= 1.0 - if relative_step { bound.min(0.5) } else { 0.5 };
            for value in values(&parameters) {
                assert!((value / expected - 1.0).abs() < 1e-12, "{relative_step}, step {t}: {value}");
            }
        }
    }
}
