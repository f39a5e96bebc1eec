//! Layer normalization.

use crate::constraints::Constraint;
use crate::error::{Error, LayerName};
use crate::initializers::Initializer;
use crate::layers::description::{Kept, LayerDescription, Weight};
use crate::layers::features::{each_sample, sums_over_samples};
use crate::layers::pass::{Backward, Forward, LayerPass};
use crate::regularizers::Regularizer;
use crate::settings::SettingsOf;
use densely_tensor::{Scalar, sum_of};
use serde::{Deserialize, Serialize};

/// Gives every sample mean 0 and variance 1 over its features, then scales and shifts each feature:
/// `y = γ·(x − μ)/√(σ² + ε) + β`, with σ² divided by the number of features (J. Ba, J. Kiros and G. Hinton, "Layer
/// normalization", arXiv:1607.06450, equation 4).
///
/// The same in training and prediction. Names and defaults are those of Keras's `LayerNormalization`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LayerNormalization {
    /// ε, which is added to the variance; above 0. Default: 0.001.
    pub epsilon: f64,
    /// Whether there is β. Default: `true`.
    pub center: bool,
    /// Whether there is γ. Default: `true`.
    pub scale: bool,
    /// How β starts. Default: zeros.
    pub beta_initializer: Initializer,
    /// How γ starts. Default: ones.
    pub gamma_initializer: Initializer,
    /// The penalty on β. Default: none.
    pub beta_regularizer: Option<Regularizer>,
    /// The penalty on γ. Default: none.
    pub gamma_regularizer: Option<Regularizer>,
    /// What β is moved back to after each step. Default: nothing.
    pub beta_constraint: Option<Constraint>,
    /// What γ is moved back to after each step. Default: nothing.
    pub gamma_constraint: Option<Constraint>,
    /// Whether the optimizer changes γ and β. Default: `true`.
    pub trainable: bool,
    /// What it is called. Default: its kind, and a number from the second of a kind on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl Default for LayerNormalization {
    fn default() -> Self {
        Self {
            epsilon: 1e-3,
            center: true,
            scale: true,
            beta_initializer: Initializer::Zeros,
            gamma_initializer: Initializer::Ones,
            beta_regularizer: None,
            gamma_regularizer: None,
            beta_constraint: None,
            gamma_constraint: None,
            trainable: true,
            name: None,
        }
    }
}

impl LayerNormalization {
    fn gamma(&self) -> Option<usize> {
        self.scale.then_some(0)
    }

    fn beta(&self) -> Option<usize> {
        self.center.then_some(usize::from(self.scale))
    }
}

impl LayerDescription for LayerNormalization {
    fn kind(&self) -> &str {
        "LayerNormalization"
    }

    fn weights(&self, inputs: usize) -> Vec<Weight> {
        let gamma = Weight::vector("gamma", inputs)
            .initializer(self.gamma_initializer)
            .regularizer(self.gamma_regularizer)
            .constraint(self.gamma_constraint)
            .trainable(self.trainable);
        let beta = Weight::vector("beta", inputs)
            .initializer(self.beta_initializer)
            .regularizer(self.beta_regularizer)
            .constraint(self.beta_constraint)
            .trainable(self.trainable);
        self.scale.then_some(gamma).into_iter().chain(self.center.then_some(beta)).collect()
    }

    /// Mean and `1/√(σ² + ε)` of the sample.
    fn kept(&self, _: usize) -> Kept {
        Kept { per_sample: 2, per_batch: 0 }
    }

    fn check(&self, _: usize, layer: &dyn Fn() -> LayerName) -> Result<(), Error> {
        let settings = SettingsOf("LayerNormalization");
        settings.positive("epsilon", self.epsilon).map_err(|fault| fault.of_layer(layer()))
    }
}

/// Mean and `1/√(σ² + ε)` of a sample, in double precision, where squares of single numbers do not overflow.
fn statistics<T: Scalar>(x: &[T], epsilon: f64) -> (T, T) {
    let share = 1.0 / x.len() as f64;
    let mean = sum_of(x.len(), |feature| x[feature].to_f64()) * share;
    let squares = sum_of(x.len(), |feature| (x[feature].to_f64() - mean) * (x[feature].to_f64() - mean));
    (T::from_f64(mean), T::from_f64(1.0 / (squares * share + epsilon).sqrt()))
}

impl<T: Scalar> LayerPass<T> for LayerNormalization {
    fn forward(&self, pass: Forward<'_, T>) {
        let Forward { pool, weights, input, output, training } = pass;
        let gamma = self.gamma().map(|gamma| weights.get(gamma));
        let beta = self.beta().map(|beta| weights.get(beta));
        each_sample(pool, input, output, training, |x, y| {
            let (mean, inverse) = statistics(x, self.epsilon);
            for (feature, (y, &x)) in y.iter_mut().zip(x).enumerate() {
                let normalized = (x - mean) * inverse;
                let scaled = gamma.map_or(normalized, |gamma| normalized * gamma[feature]);
                *y = beta.map_or(scaled, |beta| scaled + beta[feature]);
            }
            [mean, inverse]
        });
    }

    /// With x̂ the normalized input and g the output's gradient: `∂γ = Σ g·x̂` and `∂β = Σ g` over the samples; and with
    /// h = γ·g and means over the features, `∂x = (h − mean(h) − x̂·mean(h·x̂))/√(σ² + ε)`.
    fn backward(&self, pass: Backward<'_, T>) {
        let Backward { pool, weights, input, kept, output_gradient, input_gradient, .. } = pass;
        let mut weight_gradients = pass.weight_gradients;
        let kept = kept.samples.as_ref();
        if let Some(index) = self.gamma() {
            sums_over_samples(
                pool,
                weight_gradients.get_mut(index),
                output_gradient,
                input,
                |_, sample, g, x| {
                    let [mean, inverse] = [0, 1].map(|row| kept.get(row, sample).to_f64());
                    g * ((x - mean) * inverse)
                },
            );
        }
        if let Some(index) = self.beta() {
            sums_over_samples(pool, weight_gradients.get_mut(index), output_gradient, input, |_, _, g, _| g);
        }
        let Some(input_gradient) = input_gradient else { return };
        let gamma = self.gamma().map(|gamma| weights.get(gamma));
        let parts = (input, output_gradient, kept, input_gradient);
        pool.for_each_part(1, parts, |_, (input, output_gradient, kept, mut input_gradient)| {
            for sample in 0..input.n_columns() {
                let (x, g) = (input.column(sample), output_gradient.column(sample));
                let (mean, inverse) = (kept.get(0, sample), kept.get(1, sample));
                let share = T::from_f64(1.0 / x.len() as f64);
                let normalized = |feature: usize| (x[feature] - mean) * inverse;
                let h = |feature: usize| gamma.map_or(g[feature], |gamma| g[feature] * gamma[feature]);
                let h_mean = sum_of(x.len(), h) * share;
                let product_mean = sum_of(x.len(), |feature| h(feature) * normalized(feature)) * share;
                for (feature, gradient) in input_gradient.column_mut(sample).iter_mut().enumerate() {
                    *gradient = (h(feature) - h_mean - normalized(feature) * product_mean) * inverse;
                }
            }
        });
    }
}
