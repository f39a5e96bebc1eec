//! Root mean square normalization.

use crate::error::{Error, LayerName};
use crate::initializers::Initializer;
use crate::layers::description::{Kept, LayerDescription, Weight};
use crate::layers::features::{each_sample, sums_over_samples};
use crate::layers::pass::{Backward, Forward, LayerPass};
use crate::settings::SettingsOf;
use densely_tensor::{Scalar, sum_of};
use serde::{Deserialize, Serialize};

/// Divides every sample by the root of its mean square, then scales each feature: `y = scale·x/√(mean(x²) + ε)` (B. Zhang
/// and R. Sennrich, "Root mean square layer normalization", NeurIPS 2019, equation 4).
///
/// The same in training and prediction. Names and defaults are those of Keras's `RMSNormalization`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RmsNormalization {
    /// ε, which is added to the mean square; above 0. Default: 1e-6.
    pub epsilon: f64,
    /// Whether the optimizer changes the scale, which starts at 1. Default: `true`.
    pub trainable: bool,
    /// What it is called. Default: its kind, and a number from the second of a kind on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl Default for RmsNormalization {
    fn default() -> Self {
        Self { epsilon: 1e-6, trainable: true, name: None }
    }
}

impl LayerDescription for RmsNormalization {
    fn kind(&self) -> &str {
        "RmsNormalization"
    }

    fn weights(&self, inputs: usize) -> Vec<Weight> {
        vec![Weight::vector("scale", inputs).initializer(Initializer::Ones).trainable(self.trainable)]
    }

    /// `1/√(mean(x²) + ε)` of the sample.
    fn kept(&self, _: usize) -> Kept {
        Kept { per_sample: 1, per_batch: 0 }
    }

    fn check(&self, _: usize, layer: &dyn Fn() -> LayerName) -> Result<(), Error> {
        let settings = SettingsOf("RmsNormalization");
        settings.positive("epsilon", self.epsilon).map_err(|fault| fault.of_layer(layer()))
    }
}

impl<T: Scalar> LayerPass<T> for RmsNormalization {
    fn forward(&self, pass: Forward<'_, T>) {
        let Forward { pool, weights, input, output, training } = pass;
        let scale = weights.get(0);
        each_sample(pool, input, output, training, |x, y| {
            let square = |feature: usize| x[feature].to_f64() * x[feature].to_f64();
            let mean_square = sum_of(x.len(), square) / x.len() as f64;
            let inverse = T::from_f64(1.0 / (mean_square + self.epsilon).sqrt());
            for ((y, &x), &scale) in y.iter_mut().zip(x).zip(scale) {
                *y = x * inverse * scale;
            }
            [inverse]
        });
    }

    /// With r = 1/√(mean(x²) + ε), g the output's gradient and h = scale·g: `∂scale = Σ g·x·r` over the samples, and
    /// `∂x = r·(h − x·r²·mean(h·x))`.
    fn backward(&self, pass: Backward<'_, T>) {
        let Backward { pool, weights, input, kept, output_gradient, input_gradient, .. } = pass;
        let mut weight_gradients = pass.weight_gradients;
        let kept = kept.samples.as_ref();
        sums_over_samples(pool, weight_gradients.get_mut(0), output_gradient, input, |_, sample, g, x| {
            g * (x * kept.get(0, sample).to_f64())
        });
        let Some(input_gradient) = input_gradient else { return };
        let scale = weights.get(0);
        let parts = (input, output_gradient, kept, input_gradient);
        pool.for_each_part(1, parts, |_, (input, output_gradient, kept, mut input_gradient)| {
            for sample in 0..input.n_columns() {
                let (x, g) = (input.column(sample), output_gradient.column(sample));
                let inverse = kept.get(0, sample);
                let h = |feature: usize| g[feature] * scale[feature];
                let product_mean =
                    sum_of(x.len(), |feature| h(feature) * x[feature]).to_f64() / x.len() as f64;
                let common = T::from_f64(product_mean) * inverse * inverse;
                for (feature, gradient) in input_gradient.column_mut(sample).iter_mut().enumerate() {
                    *gradient = (h(feature) - x[feature] * common) * inverse;
                }
            }
        });
    }
}
