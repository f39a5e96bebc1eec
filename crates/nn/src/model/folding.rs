//! Layers that only scale and shift when predicting, taken into the dense layers beside them.

use crate::activations::Activation;
use crate::engine::parameters::EngineParameters;
use crate::error::Error;
use crate::layers::{Dense, Layer, MEAN, VARIANCE};
use crate::parameters::Parameters;
use crate::sequential::Sequential;
use densely_tensor::Scalar;
use std::ops::Range;

/// A layer on its way into the folded network.
enum Folded {
    /// `activation(W·X + b)`, computed in double precision: kernel units × inputs, and bias.
    Dense { layer: Dense, kernel: Vec<f64>, bias: Vec<f64> },
    /// `scale·x + offset`, feature by feature, and the layer that said so.
    Scale { scale: Vec<f64>, offset: Vec<f64>, layer: Layer, tensors: Range<usize> },
    /// Any other, with its tensors among the parameters of the network as it was.
    Other { layer: Layer, tensors: Range<usize> },
}

/// The same function of the same network when predicting, with fewer layers.
///
/// # Errors
///
/// [`Error::Memory`] if there is not enough for the parameters.
pub(super) fn fold<T: Scalar>(
    network: &Sequential,
    parameters: &EngineParameters<T>,
) -> Result<(Sequential, EngineParameters<T>), Error> {
    let mut described = Parameters::zeros(network)?;
    parameters.copy_to_described(&mut described);
    let mut chain: Vec<Folded> = Vec::new();
    let mut next = 0;
    let mut inputs = network.inputs;
    for layer in &network.layers {
        let tensors = next..next + tensors_of(layer, inputs);
        next = tensors.end;
        if !does_nothing(layer) {
            add(&mut chain, folded(layer, tensors, &described));
        }
        inputs = layer.outputs(inputs);
    }
    let mut small = Sequential::new(network.inputs);
    small.layers = chain.iter().map(Folded::layer).collect();
    let mut values = Parameters::zeros(&small)?;
    let mut index = 0;
    for part in &chain {
        match part {
            Folded::Dense { kernel, bias, .. } => {
                for from in [kernel, bias] {
                    put(values.tensor_mut(index), from);
                    index += 1;
                }
            }
            Folded::Scale { tensors, .. } | Folded::Other { tensors, .. } => {
                for from in tensors.clone() {
                    values.tensor_mut(index).copy_from_slice(described.tensor(from));
                    index += 1;
                }
            }
        }
    }
    let parameters = EngineParameters::from_described(&small, &values)?;
    Ok((small, parameters))
}

/// How many tensors a layer has, with those of layers in it.
fn tensors_of(layer: &Layer, inputs: usize) -> usize {
    match layer {
        Layer::Residual(block) => {
            let mut inputs = inputs;
            let mut count = 0;
            for layer in &block.layers {
                count += tensors_of(layer, inputs);
                inputs = layer.outputs(inputs);
            }
            count
        }
        other => other.description().weights(inputs).len(),
    }
}

/// Whether a layer is the identity outside training.
fn does_nothing(layer: &Layer) -> bool {
    matches!(
        layer,
        Layer::Dropout(_)
            | Layer::AlphaDropout(_)
            | Layer::GaussianDropout(_)
            | Layer::GaussianNoise(_)
            | Layer::ActivityRegularization(_)
            | Layer::Flatten(_)
    )
}

/// What becomes of a layer by itself.
fn folded<T: Scalar>(layer: &Layer, tensors: Range<usize>, described: &Parameters<T>) -> Folded {
    let values = |index: usize| -> Vec<f64> {
        described.tensor(tensors.start + index).iter().map(|value| value.to_f64()).collect()
    };
    match layer {
        Layer::Dense(dense) => dense_of(dense, values),
        Layer::DropConnect(drop_connect) => dense_of(&drop_connect.dense, values),
        Layer::Rescaling(rescaling) => Folded::Scale {
            scale: vec![rescaling.scale],
            offset: vec![rescaling.offset],
            layer: layer.clone(),
            tensors,
        },
        Layer::Normalization(_) => {
            let deviation = |variance: &f64| variance.max(T::MIN_POSITIVE.to_f64()).sqrt();
            let scale: Vec<f64> = values(VARIANCE).iter().map(|variance| 1.0 / deviation(variance)).collect();
            let offset = values(MEAN).iter().zip(&scale).map(|(mean, scale)| -mean * scale).collect();
            Folded::Scale { scale, offset, layer: layer.clone(), tensors }
        }
        Layer::BatchNormalization(normalization) => {
            let (scale, offset) = normalization.scale_and_offset(values);
            Folded::Scale { scale, offset, layer: layer.clone(), tensors }
        }
        other => Folded::Other { layer: other.clone(), tensors },
    }
}

fn dense_of(dense: &Dense, values: impl Fn(usize) -> Vec<f64>) -> Folded {
    let bias = if dense.use_bias { values(1) } else { vec![0.0; dense.units] };
    // Only what matters for predictions: the rest might not go with a bias that was not there.
    let layer = Dense { name: dense.name.clone(), ..Dense::new(dense.units).activation(dense.activation) };
    Folded::Dense { layer, kernel: values(0), bias }
}

/// Adds a layer to the chain, or takes it into the last one, or the last one into it.
fn add(chain: &mut Vec<Folded>, next: Folded) {
    match (chain.last_mut(), next) {
        (Some(Folded::Dense { layer, kernel, bias }), Folded::Scale { scale, offset, .. })
            if layer.activation == Activation::Linear && are_moderate(&scale) =>
        {
            // s·(W·x + b) + t
            for (unit, bias) in bias.iter_mut().enumerate() {
                *bias = *bias * of(&scale, unit) + of(&offset, unit);
            }
            for column in kernel.chunks_exact_mut(layer.units) {
                for (unit, weight) in column.iter_mut().enumerate() {
                    *weight *= of(&scale, unit);
                }
            }
        }
        // A large offset would be subtracted from sums as large, digits and all, and not from each input.
        (Some(Folded::Scale { scale, offset, .. }), Folded::Dense { layer, mut kernel, mut bias })
            if are_moderate(scale) && offset.iter().all(|offset| offset.abs() <= MOST_OFFSET) =>
        {
            // W·(s·x + t) + b
            for (input, column) in kernel.chunks_exact_mut(layer.units).enumerate() {
                for (weight, bias) in column.iter_mut().zip(&mut bias) {
                    *bias += *weight * of(offset, input);
                    *weight *= of(scale, input);
                }
            }
            chain.pop();
            add(chain, Folded::Dense { layer, kernel, bias });
        }
        (_, next) => chain.push(next),
    }
}

/// The largest offset that is taken into the layer behind it.
const MOST_OFFSET: f64 = 8.0;

/// Whether no product with one of these leaves the numbers of single precision.
fn are_moderate(scale: &[f64]) -> bool {
    scale.iter().all(|scale| *scale == 0.0 || (1e-12..=1e12).contains(&scale.abs()))
}

/// A feature's value, or the one of all features.
fn of(values: &[f64], feature: usize) -> f64 {
    if let [all] = values { *all } else { values[feature] }
}

fn put<T: Scalar>(to: &mut [T], from: &[f64]) {
    to.iter_mut().zip(from).for_each(|(to, &from)| *to = T::from_f64(from));
}

impl Folded {
    fn layer(&self) -> Layer {
        match self {
            Self::Dense { layer, .. } => layer.clone().into(),
            Self::Scale { layer, .. } | Self::Other { layer, .. } => layer.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::initializers::RandomUniform;
    use crate::layers::{
        BatchNormalization, DropConnect, Dropout, Maxout, Normalization, Rescaling, Residual,
    };
    use crate::losses::Loss;
    use crate::model::compile::Compile;
    use crate::{Activation, Dataset, Dense, Initializer, Model, Sequential};
    use densely_tensor::Scalar;

    fn batch_normalization() -> BatchNormalization {
        let uniform = |minval, maxval| Initializer::RandomUniform(RandomUniform { minval, maxval });
        BatchNormalization {
            gamma_initializer: uniform(0.5, 2.0),
            beta_initializer: uniform(-1.0, 1.0),
            moving_mean_initializer: uniform(-1.0, 1.0),
            moving_variance_initializer: uniform(0.5, 2.0),
            ..BatchNormalization::default()
        }
    }

    /// The greatest difference between what a model and its predictor say of a sample.
    fn difference<T: Scalar>(model: &Model<T>, features: &[T]) -> f64 {
        let predictor = model.predictor().unwrap();
        let mut room = predictor.room().unwrap();
        let expected = model.predict_one(features).unwrap();
        let found = predictor.predict(features, &mut room).unwrap();
        let differences = found.iter().zip(&expected).map(|(found, expected)| {
            let expected = expected.to_f64();
            (found.to_f64() - expected).abs() / expected.abs().max(1.0)
        });
        differences.fold(0.0, |most, difference| if difference <= most { most } else { difference })
    }

    #[test]
    fn what_would_lose_digits_is_not_folded() {
        let pressure = [101_325.0, 101_335.0];
        let data = Dataset::from_floats(1, pressure.to_vec(), vec![0, 1], 2).unwrap();
        let network = Sequential::new(1).add(Normalization::default()).add(Dense::new(4)).add(Dense::new(2));
        let compile = Compile { loss: Loss::MeanSquaredError, ..Compile::default() };
        let mut model = network.compile::<f32>(compile).unwrap();
        model.adapt(&data).unwrap();
        for features in pressure {
            assert!(difference(&model, &[features as f32]) < 1e-6);
        }
    }

    /// A file may hold such ones.
    #[test]
    fn variances_that_cannot_be_are_0() {
        let network =
            Sequential::new(2).add(Dense::new(2)).add(BatchNormalization::default()).add(Dense::new(2));
        let compile = Compile { loss: Loss::MeanSquaredError, ..Compile::default() };
        let mut model = network.compile::<f64>(compile).unwrap();
        let variances =
            model.parameters().tensors().iter().position(|tensor| tensor.name.contains("moving_variance"));
        model.parameters_mut().tensor_mut(variances.unwrap()).copy_from_slice(&[-0.5, 0.0]);
        assert!(difference(&model, &[1.0, -2.0]) < 1e-12);
    }

    #[test]
    fn other_ends_and_layers_are_folded_too() {
        let normalization = BatchNormalization { scale: false, center: false, ..batch_normalization() };
        let dense = Dense::new(3).use_bias(false);
        let network = Sequential::new(4)
            .add(DropConnect::new(0.5, Dense::new(6).name("named")))
            .add(normalization)
            .add(Residual::new().add(Dense::new(6)).add(batch_normalization()))
            .add(Maxout::new(4, 2))
            .add(dense.activation(Activation::Softmax));
        let model = network.compile::<f64>(Compile { seed: 2, ..Compile::default() }).unwrap();
        assert!(difference(&model, &[0.5, -1.0, 0.0, 2.0]) < 1e-12);
    }

    #[test]
    fn a_folded_network_is_the_same_function() {
        let dense = |units| Dense::new(units).bias_initializer(Initializer::GlorotUniform);
        let networks = [
            Sequential::new(5).add(Rescaling::new(0.25).offset(0.5)).add(dense(7)).add(dense(3)),
            Sequential::new(5).add(dense(7)).add(batch_normalization()).add(Activation::Relu).add(dense(3)),
            Sequential::new(5)
                .add(batch_normalization())
                .add(dense(7).use_bias(false))
                .add(Dropout::new(0.5))
                .add(dense(3)),
            Sequential::new(5)
                .add(Normalization::default())
                .add(dense(1))
                .add(batch_normalization())
                .add(dense(3)),
            Sequential::new(5)
                .add(dense(7).activation(Activation::Tanh))
                .add(batch_normalization())
                .add(Activation::Relu)
                .add(batch_normalization())
                .add(batch_normalization())
                .add(dense(3)),
        ];
        for network in networks {
            let compile = Compile { loss: Loss::MeanSquaredError, seed: 3, ..Compile::default() };
            let model = network.compile::<f64>(compile).unwrap();
            for sample in 0..4 {
                let features: Vec<f64> = (0..5).map(|i| f64::from(i * (sample + 1) % 4) - 1.0).collect();
                assert!(difference(&model, &features) < 1e-12, "{network:?}");
            }
        }
    }
}
