//! Layers against the references of `tests/reference/layers.json`.

use crate::engine::backward::{Target, backward};
use crate::engine::buffers::{Buffers, Position, TrainingBuffers};
use crate::engine::forward::forward;
use crate::engine::parameters::EngineParameters;
use crate::engine::penalties::activity_penalties;
use crate::engine::plan::Plan;
use crate::layers::{Dense, Layer};
use crate::losses::Loss;
use crate::sequential::Sequential;
use crate::text::from_ron;
use densely_tensor::{Pool, Scalar};
use serde_json::{Value, json};

/// The numbers of a list, or of a list of lists one after the other.
fn numbers(list: &Value) -> Vec<f64> {
    match list {
        Value::Array(list) => list.iter().flat_map(numbers).collect(),
        number => vec![number.as_f64().expect("a number")],
    }
}

fn scalars<T: Scalar>(list: &Value) -> Vec<T> {
    numbers(list).into_iter().map(T::from_f64).collect()
}

#[track_caller]
fn check<T: Scalar>(what: &str, found: &[T], reference: &Value) {
    let reference = numbers(reference);
    assert_eq!(found.len(), reference.len(), "{what}");
    let tolerance = if T::SIZE == 8 { 1e-12 } else { 1e-5 };
    for (place, (found, reference)) in found.iter().zip(reference).enumerate() {
        let allowed = tolerance * reference.abs().max(1.0);
        let found = found.to_f64();
        assert!((found - reference).abs() <= allowed, "{what} at {place}: {found:e}, not {reference:e}");
    }
}

/// A layer of 3 inputs behind a dense one whose inputs are the samples' numbers, one-hot: its kernel *is* the batch, and
/// the gradient of that the gradient with respect to the layer's input.
struct Bench<T: Scalar> {
    pool: Pool,
    plan: Plan<T>,
    network: Sequential,
    parameters: EngineParameters<T>,
    buffers: Buffers<T>,
    training: TrainingBuffers<T>,
}

const SAMPLES: usize = 4;

impl<T: Scalar> Bench<T> {
    fn new(layer: Layer) -> Self {
        let pool = Pool::new(2).expect("two threads");
        let network = Sequential::new(SAMPLES).add(Dense::new(3).use_bias(false)).add(layer);
        network.validate().expect("a valid network");
        let plan = Plan::new(&network, &Loss::MeanSquaredError);
        let mut parameters = EngineParameters::zeros(&network).expect("enough memory");
        parameters.initialize(1).expect("enough memory");
        let mut buffers = Buffers::new(&plan, SAMPLES, None).expect("enough memory");
        for sample in 0..SAMPLES {
            buffers.input[sample * SAMPLES + sample] = T::ONE;
        }
        let training = TrainingBuffers::new(&plan, SAMPLES, pool.threads()).expect("enough memory");
        Self { pool, plan, network, parameters, buffers, training }
    }

    fn tensor(&self, name: &str) -> usize {
        let tensors = self.parameters.tensors();
        tensors.iter().position(|tensor| tensor.layer == 1 && tensor.name.ends_with(name)).expect(name)
    }

    /// The layer's output for a batch.
    fn forward(&mut self, batch: &Value, in_training: bool) -> Vec<T> {
        self.parameters.write(0, &scalars(batch));
        self.training.remembered.position = Position { seed: 1, epoch: 1, first_sample: 0 };
        let remembered = in_training.then_some(&mut self.training.remembered);
        forward(&self.pool, &self.plan, &self.parameters, &mut self.buffers, SAMPLES, remembered);
        self.buffers.outputs.last().expect("two stages").to_vec()
    }

    fn after_step(&mut self) {
        for (pass, kept) in self.plan.passes.iter().zip(&mut self.training.remembered.kept) {
            let weights = self.parameters.weights_mut(pass.tensors.clone());
            pass.layer_pass.after_step(weights, kept.of(SAMPLES));
        }
    }

    fn gradient(&mut self, cotangent: &Value) -> EngineParameters<T> {
        let cotangent = scalars(cotangent);
        self.training.gradient[..cotangent.len()].copy_from_slice(&cotangent);
        let mut gradient = EngineParameters::zeros(&self.network).expect("enough memory");
        let target = Target::Store { parameters: &self.parameters, gradient: &mut gradient };
        backward(&self.pool, &self.plan, &self.buffers, &mut self.training, SAMPLES, target);
        gradient
    }
}

fn check_case<T: Scalar>(case: &Value, batches: &Value) {
    let text = case["description"].as_str().expect("a description");
    let mut bench = Bench::<T>::new(from_ron(text).expect(text));
    for (name, values) in case["weights"].as_object().expect("weights by name") {
        let index = bench.tensor(name);
        bench.parameters.write(index, &scalars(values));
    }
    let outputs = bench.forward(&batches[0], true);
    check(&format!("{text}: output"), &outputs, &case["outputs"]);
    if case["added_loss"].is_number() {
        let penalty = activity_penalties(&bench.plan, &bench.buffers, SAMPLES) / SAMPLES as f64;
        check(&format!("{text}: added loss"), &[T::from_f64(penalty)], &case["added_loss"]);
    } else {
        let gradient = bench.gradient(&case["cotangent"]);
        for (name, reference) in case["gradients"].as_object().expect("gradients by name") {
            let index = if name == "input" { 0 } else { bench.tensor(name) };
            let mut found = vec![T::ZERO; gradient.tensors()[index].len()];
            gradient.read(index, &mut found);
            check(&format!("{text}: gradient of {name}"), &found, reference);
        }
    }
    if case["inference"].is_null() {
        // Without noise and moving statistics nothing differs.
        check(&format!("{text}: inference"), &bench.forward(&batches[0], false), &case["outputs"]);
    } else {
        for batch in batches.as_array().expect("batches") {
            bench.forward(batch, true);
            bench.after_step();
        }
        for name in ["moving_mean", "moving_variance"] {
            let moving = bench.parameters.stored(bench.tensor(name));
            check(&format!("{text}: {name}"), moving, &case[name]);
        }
        let outputs = bench.forward(&batches[0], false);
        check(&format!("{text}: inference"), &outputs, &case["inference"]);
    }
}

#[test]
fn layers_agree_with_the_references() {
    let text = include_str!("../../tests/reference/layers.json");
    let file: Value = serde_json::from_str(text).expect("the reference is JSON");
    let cases = file["cases"].as_array().expect("a list of cases");
    assert_eq!(cases.len(), 17);
    // What a normalization layer is adapted to is tested with `Model::adapt`.
    let cases = cases.iter().filter(|case| case["description"] != "Normalization()");
    for case in cases {
        check_case::<f64>(case, &file["batches"]);
        check_case::<f32>(case, &file["batches"]);
    }
}

/// Below 1e-12 the length is held up, and the layer is linear; Keras has the floor on the length, not on its square.
#[test]
fn unit_normalization_of_short_samples() {
    let batch = json!([[6e-9, 8e-9, 0.0], [0.0, 0.0, 0.0], [6e-14, -8e-14, 0.0], [0.0, 3e-11, 4e-11]]);
    let cotangent = json!([[1.0, -0.5, 2.0], [0.25, 1.5, -1.0], [-2.0, 0.75, 0.5], [1.0, 1.0, -0.25]]);
    let outputs = json!([[0.6, 0.8, 0.0], [0.0, 0.0, 0.0], [0.06, -0.08, 0.0], [0.0, 0.6, 0.8]]);
    // Of the first and last sample (g − y·(g·y))/√Σx²; of the others, whose length is held up, g·1e12.
    let lengths = [1e-8, 1e-12, 1e-12, 5e-11];
    let slopes = json!([[0.88, -0.66, 2.0], [0.25, 1.5, -1.0], [-2.0, 0.75, 0.5], [1.0, 0.76, -0.57]]);
    fn check_precision<T: Scalar>(batch: &Value, cotangent: &Value, outputs: &Value, gradient: &Value) {
        let mut bench = Bench::<T>::new(from_ron("UnitNormalization()").expect("a layer"));
        check("output", &bench.forward(batch, true), outputs);
        let mut found = vec![T::ZERO; SAMPLES * 3];
        bench.gradient(cotangent).read(0, &mut found);
        check("gradient", &found, gradient);
    }
    let gradient: Vec<f64> =
        numbers(&slopes).iter().enumerate().map(|(index, slope)| slope / lengths[index / 3]).collect();
    check_precision::<f64>(&batch, &cotangent, &outputs, &json!(gradient));
    check_precision::<f32>(&batch, &cotangent, &outputs, &json!(gradient));
}
