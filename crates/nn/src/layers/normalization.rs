//! Features of mean 0 and variance 1.

use crate::initializers::Initializer;
use crate::layers::description::{LayerDescription, Weight};
use crate::layers::features::map;
use crate::layers::pass::{Backward, Forward, LayerPass, Weights};
use densely_tensor::Scalar;
use serde::{Deserialize, Serialize};

/// `y = (x − mean)/√variance`, feature by feature, with the mean and the variance of the data that the model was
/// [adapted](crate::Model::adapt) to; before that it is the identity. Neither is learned. Keras's `Normalization`, but
/// for features that are constant in those data: they are shifted to 0 and keep their scale, where Keras divides by
/// 1e-7; and without its `mean`, `variance` and `invert`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Normalization {
    /// What it is called. Default: its kind, and a number from the second of a kind on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// The positions of its weights.
pub(crate) const MEAN: usize = 0;
pub(crate) const VARIANCE: usize = 1;

impl LayerDescription for Normalization {
    fn kind(&self) -> &str {
        "Normalization"
    }

    fn weights(&self, inputs: usize) -> Vec<Weight> {
        let mean = Weight::vector("mean", inputs).trainable(false);
        let variance = Weight::vector("variance", inputs).initializer(Initializer::Ones).trainable(false);
        vec![mean, variance]
    }
}

/// `√variance` of a feature; a file may hold a variance that cannot be one.
fn deviation<T: Scalar>(weights: Weights<'_, T>, feature: usize) -> T {
    let variance = weights.get(VARIANCE)[feature];
    if variance > T::MIN_POSITIVE { variance.sqrt() } else { T::MIN_POSITIVE.sqrt() }
}

impl<T: Scalar> LayerPass<T> for Normalization {
    fn forward(&self, pass: Forward<'_, T>) {
        let (weights, mean) = (pass.weights, pass.weights.get(MEAN));
        map(pass.pool, pass.input, pass.output, |feature, x| {
            (x - mean[feature]) / deviation(weights, feature)
        });
    }

    fn backward(&self, pass: Backward<'_, T>) {
        let weights = pass.weights;
        if let Some(input_gradient) = pass.input_gradient {
            map(pass.pool, pass.output_gradient, input_gradient, |feature, g| {
                g / deviation(weights, feature)
            });
        }
    }
}
