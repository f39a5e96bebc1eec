//! Layers of other crates.

use super::*;

/// A learned gain for each feature, of another crate.
#[derive(Debug)]
struct Gain;

impl LayerDescription for Gain {
    fn kind(&self) -> &str {
        "Gain"
    }

    fn weights(&self, inputs: usize) -> Vec<Weight> {
        vec![Weight::vector("gain", inputs).initializer(Initializer::Ones)]
    }

    /// What entered, though the engine keeps that too.
    fn kept(&self, inputs: usize) -> Kept {
        Kept { per_sample: inputs, per_batch: 0 }
    }

    fn check(&self, inputs: usize, layer: &dyn Fn() -> densely::LayerName) -> Result<(), Error> {
        if inputs == 13 {
            return Err(DescriptionError::CustomLayer {
                layer: layer(),
                problem: "13 inputs bring bad luck".into(),
            }
            .into());
        }
        Ok(())
    }
}

#[test]
fn a_layer_of_another_crate_is_trained_saved_and_checked() {
    let network = Sequential::new(4).add(dense(5)).add(Custom::new(Gain)).add(dense(3));
    check_gradient(&network, 6);
    let (mut model, data) = (compiled::<f32>(&network, 2), data(4, 3, 20));
    let before = model.evaluate(&data).unwrap().loss;
    model.fit(&data, Fit { epochs: 20, ..Fit::default() }).unwrap();
    assert!(model.evaluate(&data).unwrap().loss < before);
    assert_ne!(model.parameters().tensor(2), [1.0; 5]);

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    model.save(&path).unwrap();
    let error = Model::<f32>::load(&path, Pool::default()).unwrap_err().to_string();
    let expected = "layer 2 (gain): is the custom layer Gain, whose code was not given; expected it among the custom layers";
    assert!(error.ends_with(expected), "{error}");
    let read = Model::<f32>::load_with(&path, Pool::default(), &[Custom::new(Gain)]).unwrap();
    assert_eq!(read.predict(&data).unwrap(), model.predict(&data).unwrap());

    let error = Sequential::new(13).add(Custom::new(Gain)).validate().unwrap_err().to_string();
    assert_eq!(error, "layer 1 (gain): 13 inputs bring bad luck");
}

/// Doubles what passes, by one weight of no length or of a name given twice.
#[derive(Debug)]
struct Odd {
    kind: &'static str,
    outputs: usize,
    weights: &'static [(&'static str, usize)],
}

impl LayerDescription for Odd {
    fn kind(&self) -> &str {
        self.kind
    }

    fn outputs(&self, _: usize) -> usize {
        self.outputs
    }

    fn weights(&self, _: usize) -> Vec<Weight> {
        self.weights.iter().map(|&(name, len)| Weight::vector(name, len)).collect()
    }
}

#[test]
fn layers_of_other_crates_that_cannot_be_are_refused() {
    let odd = |kind, outputs, weights| Odd { kind, outputs, weights };
    for (layer, message) in [
        (odd("Odd", 0, &[]), "layer 1 (odd): the number of outputs is 0, expected at least 1"),
        (odd("Odd", 2, &[("gain", 0)]), "layer 1 (odd): its weight gain has no values, expected at least 1"),
        (
            odd("Odd", 2, &[("gain", 1), ("gain", 2)]),
            "layer 1 (odd): two of its weights are named gain, expected different names",
        ),
        (
            odd("dense.x", 2, &[]),
            "layer 1 (dense.x): its kind is \"dense.x\", expected a letter, then letters, digits and underscores",
        ),
        (
            odd("", 2, &[]),
            "layer 1 (): its kind is \"\", expected a letter, then letters, digits and underscores",
        ),
    ] {
        let network = Sequential::new(4).add(Custom::new(layer)).add(dense(2));
        assert_eq!(network.validate().unwrap_err().to_string(), message);
    }
    // The name of a kind is not taken twice.
    let taken = Custom::new(odd("Dense_1", 4, &[]));
    let network = Sequential::new(4).add(dense(4)).add(taken).add(dense(4)).add(dense(2));
    assert_eq!(network.layer_names(), ["dense", "dense_1", "dense_2", "dense_3"]);
    let two = [Custom::new(Gain), Custom::new(Gain)];
    let error = Sequential::from_ron_with(&network.to_ron().unwrap(), &two).unwrap_err().to_string();
    assert_eq!(error, "two custom layers of the kind Gain were given, expected one of each kind");
}

#[test]
fn a_layer_of_another_crate_can_be_frozen() {
    let network = Sequential::new(4).add(dense(5)).add(Custom::new(Gain)).add(dense(3));
    let (mut model, data) = (compiled::<f64>(&network, 1), data(4, 3, 20));
    model.set_trainable("gain", false).unwrap();
    model.fit(&data, Fit { epochs: 2, ..Fit::default() }).unwrap();
    assert_eq!(model.parameters().tensor(2), [1.0; 5]);
    let text = model.description().to_ron().unwrap();
    assert_eq!(Sequential::from_ron_with(&text, &[Custom::new(Gain)]).unwrap(), *model.description());
}

impl<T: Scalar> LayerPass<T> for Gain {
    fn forward(&self, mut pass: Forward<'_, T>) {
        let gain = pass.weights.get(0);
        for sample in 0..pass.input.n_columns() {
            let values = pass.output.column_mut(sample).iter_mut().zip(pass.input.column(sample)).zip(gain);
            values.for_each(|((y, &x), &gain)| *y = x * gain);
            if let Some(training) = &mut pass.training {
                training.kept.samples.column_mut(sample).copy_from_slice(pass.input.column(sample));
            }
        }
    }

    fn backward(&self, mut pass: Backward<'_, T>) {
        let gain = pass.weights.get(0);
        let kept = pass.kept.samples.as_ref();
        pass.weight_gradients.get_mut(0).fill(T::ZERO);
        for sample in 0..kept.n_columns() {
            let g = pass.output_gradient.column(sample);
            let sums = pass.weight_gradients.get_mut(0).iter_mut();
            sums.zip(kept.column(sample)).zip(g).for_each(|((sum, &x), &g)| *sum += x * g);
            if let Some(input_gradient) = &mut pass.input_gradient {
                let values = input_gradient.column_mut(sample).iter_mut().zip(g).zip(gain);
                values.for_each(|((to, &g), &gain)| *to = g * gain);
            }
        }
    }
}

impl<T: Scalar> LayerPass<T> for Odd {
    fn forward(&self, _: Forward<'_, T>) {}

    fn backward(&self, _: Backward<'_, T>) {}
}
