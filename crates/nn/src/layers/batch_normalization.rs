//! Batch normalization.

use crate::constraints::Constraint;
use crate::error::{Error, LayerName};
use crate::initializers::Initializer;
use crate::layers::description::{Kept, LayerDescription, Weight};
use crate::layers::features::{map, map_pairs, sums_over_samples};
use crate::layers::pass::{Backward, Forward, KeptMut, LayerPass, Weights, WeightsMut};
use crate::regularizers::Regularizer;
use crate::settings::SettingsOf;
use densely_tensor::Scalar;
use serde::{Deserialize, Serialize};

/// Gives every feature mean 0 and variance 1 over the batch, then scales and shifts it: `y = γ·(x − μ)/√(σ² + ε) + β`,
/// feature by feature (S. Ioffe and C. Szegedy, "Batch normalization", ICML 2015, algorithm 1).
///
/// In training μ and σ² are mean and variance (divided by the number of samples, not by one less) of the batch, and after
/// each step the moving ones follow: `moving ← momentum·moving + (1 − momentum)·batch`. In evaluation and prediction, and
/// in training where [`trainable`](Self::trainable) is false, μ and σ² are the moving ones. Names and defaults are those
/// of Keras's `BatchNormalization`; PyTorch's momentum is one minus this one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BatchNormalization {
    /// How much of the moving mean and variance stays in a step; at least 0 and below 1. Default: 0.99.
    pub momentum: f64,
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
    /// How the moving mean starts. Default: zeros.
    pub moving_mean_initializer: Initializer,
    /// How the moving variance starts. Default: ones.
    pub moving_variance_initializer: Initializer,
    /// The penalty on β. Default: none.
    pub beta_regularizer: Option<Regularizer>,
    /// The penalty on γ. Default: none.
    pub gamma_regularizer: Option<Regularizer>,
    /// What β is moved back to after each step. Default: nothing.
    pub beta_constraint: Option<Constraint>,
    /// What γ is moved back to after each step. Default: nothing.
    pub gamma_constraint: Option<Constraint>,
    /// Whether training changes anything of the layer. Default: `true`.
    pub trainable: bool,
    /// What it is called. Default: its kind, and a number from the second of a kind on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl Default for BatchNormalization {
    fn default() -> Self {
        Self {
            momentum: 0.99,
            epsilon: 1e-3,
            center: true,
            scale: true,
            beta_initializer: Initializer::Zeros,
            gamma_initializer: Initializer::Ones,
            moving_mean_initializer: Initializer::Zeros,
            moving_variance_initializer: Initializer::Ones,
            beta_regularizer: None,
            gamma_regularizer: None,
            beta_constraint: None,
            gamma_constraint: None,
            trainable: true,
            name: None,
        }
    }
}

impl BatchNormalization {
    fn gamma(&self) -> Option<usize> {
        self.scale.then_some(0)
    }

    fn beta(&self) -> Option<usize> {
        self.center.then_some(usize::from(self.scale))
    }

    fn moving_mean(&self) -> usize {
        usize::from(self.scale) + usize::from(self.center)
    }

    fn moving_variance(&self) -> usize {
        self.moving_mean() + 1
    }

    /// What the layer does in prediction, `scale·x + offset` for each feature, from its weights by their position.
    pub(crate) fn scale_and_offset(&self, weights: impl Fn(usize) -> Vec<f64>) -> (Vec<f64>, Vec<f64>) {
        let (means, variances) = (weights(self.moving_mean()), weights(self.moving_variance()));
        let mut scale: Vec<f64> = variances.iter().map(|&variance| self.inverse(variance)).collect();
        if let Some(gamma) = self.gamma() {
            scale.iter_mut().zip(weights(gamma)).for_each(|(scale, gamma)| *scale *= gamma);
        }
        let mut offset: Vec<f64> = means.iter().zip(&scale).map(|(mean, scale)| -mean * scale).collect();
        if let Some(beta) = self.beta() {
            offset.iter_mut().zip(weights(beta)).for_each(|(offset, beta)| *offset += beta);
        }
        (scale, offset)
    }
}

impl LayerDescription for BatchNormalization {
    fn kind(&self) -> &str {
        "BatchNormalization"
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
        let moving =
            |name, initializer| Weight::vector(name, inputs).initializer(initializer).trainable(false);
        let mut weights = Vec::new();
        weights.extend(self.scale.then_some(gamma));
        weights.extend(self.center.then_some(beta));
        weights.push(moving("moving_mean", self.moving_mean_initializer));
        weights.push(moving("moving_variance", self.moving_variance_initializer));
        weights
    }

    fn kept(&self, inputs: usize) -> Kept {
        Kept { per_sample: 0, per_batch: STATISTICS * inputs }
    }

    fn check(&self, _: usize, layer: &dyn Fn() -> LayerName) -> Result<(), Error> {
        let settings = SettingsOf("BatchNormalization");
        settings.share("momentum", self.momentum).map_err(|fault| fault.of_layer(layer()))?;
        settings.positive("epsilon", self.epsilon).map_err(|fault| fault.of_layer(layer()))
    }
}

/// How many numbers of each feature are kept of a batch.
const STATISTICS: usize = 5;

struct Statistics<'a, T> {
    mean: &'a mut [T],
    variance: &'a mut [T],
    /// `1/√(σ² + ε)`
    inverse: &'a mut [T],
    /// The sum of the output's gradient, and of its products with the normalized input.
    sum: &'a mut [T],
    product_sum: &'a mut [T],
}

fn statistics<T>(kept: &mut [T]) -> Statistics<'_, T> {
    let features = kept.len() / STATISTICS;
    let (mean, rest) = kept.split_at_mut(features);
    let (variance, rest) = rest.split_at_mut(features);
    let (inverse, rest) = rest.split_at_mut(features);
    let (sum, product_sum) = rest.split_at_mut(features);
    Statistics { mean, variance, inverse, sum, product_sum }
}

impl<T: Scalar> LayerPass<T> for BatchNormalization {
    fn forward(&self, pass: Forward<'_, T>) {
        let Forward { pool, weights, input, output, training } = pass;
        let gamma = self.gamma().map(|gamma| weights.get(gamma));
        let beta = self.beta().map(|beta| weights.get(beta));
        let normalize = |feature: usize, x: T, mean: T, inverse: T| {
            let y = (x - mean) * (inverse * gamma.map_or(T::ONE, |gamma| gamma[feature]));
            beta.map_or(y, |beta| y + beta[feature])
        };
        match training.filter(|_| self.trainable) {
            Some(training) => {
                let Statistics { mean, variance, inverse, .. } = statistics(training.kept.batch);
                let samples = input.n_columns() as f64;
                sums_over_samples(pool, mean, input, input, |_, _, x, _| x / samples);
                let mean = &*mean;
                sums_over_samples(pool, variance, input, input, |feature, _, x, _| {
                    let difference = x - mean[feature].to_f64();
                    difference * difference / samples
                });
                for (inverse, &variance) in inverse.iter_mut().zip(&*variance) {
                    *inverse = self.inverse(variance);
                }
                let inverse = &*inverse;
                map(pool, input, output, |feature, x| normalize(feature, x, mean[feature], inverse[feature]));
            }
            None => {
                let (mean, variance) = self.moving(weights);
                map(pool, input, output, |feature, x| {
                    normalize(feature, x, mean[feature], self.inverse(variance[feature]))
                });
            }
        }
    }

    /// With x̂ the normalized input, g the output's gradient and n samples: `∂γ = Σ g·x̂`, `∂β = Σ g`, and
    /// `∂x = γ/√(σ² + ε) · (g − Σg/n − x̂·Σ(g·x̂)/n)`, section 3 of the paper put together.
    fn backward(&self, pass: Backward<'_, T>) {
        let Backward { pool, weights, input, kept, output_gradient, input_gradient, .. } = pass;
        let mut weight_gradients = pass.weight_gradients;
        let gamma = self.gamma().map(|gamma| weights.get(gamma));
        let gamma_of = |feature: usize| gamma.map_or(T::ONE, |gamma| gamma[feature]);
        if !self.trainable {
            let (_, variance) = self.moving(weights);
            if let Some(input_gradient) = input_gradient {
                map(pool, output_gradient, input_gradient, |feature, g| {
                    g * (self.inverse(variance[feature]) * gamma_of(feature))
                });
            }
            return;
        }
        let Statistics { mean, inverse, sum, product_sum, .. } = statistics(kept.batch);
        let (mean, inverse) = (&*mean, &*inverse);
        sums_over_samples(pool, sum, output_gradient, input, |_, _, g, _| g);
        sums_over_samples(pool, product_sum, output_gradient, input, |feature, _, g, x| {
            g * ((x - mean[feature].to_f64()) * inverse[feature].to_f64())
        });
        if let Some(gamma) = self.gamma() {
            weight_gradients.get_mut(gamma).copy_from_slice(product_sum);
        }
        if let Some(beta) = self.beta() {
            weight_gradients.get_mut(beta).copy_from_slice(sum);
        }
        let Some(input_gradient) = input_gradient else { return };
        let share = T::from_f64(1.0 / input.n_columns() as f64);
        let (sum, product_sum) = (&*sum, &*product_sum);
        map_pairs(pool, output_gradient, input, input_gradient, |feature, _, g, x| {
            let normalized = (x - mean[feature]) * inverse[feature];
            let common = sum[feature] * share + normalized * (product_sum[feature] * share);
            (g - common) * (inverse[feature] * gamma_of(feature))
        });
    }

    fn after_step(&self, mut weights: WeightsMut<'_, T>, kept: KeptMut<'_, T>) {
        if !self.trainable {
            return;
        }
        let Statistics { mean, variance, .. } = statistics(kept.batch);
        let (stays, follows) = (T::from_f64(self.momentum), T::from_f64(1.0 - self.momentum));
        for (index, of_batch) in [(self.moving_mean(), mean), (self.moving_variance(), variance)] {
            for (moving, &of_batch) in weights.get_mut(index).iter_mut().zip(&*of_batch) {
                *moving = *moving * stays + of_batch * follows;
            }
        }
    }
}

impl BatchNormalization {
    fn moving<'a, T>(&self, weights: Weights<'a, T>) -> (&'a [T], &'a [T]) {
        (weights.get(self.moving_mean()), weights.get(self.moving_variance()))
    }

    /// `1/√(σ² + ε)`; a file may hold a variance that cannot be one.
    fn inverse<T: Scalar>(&self, variance: T) -> T {
        T::from_f64(1.0 / (variance.to_f64().max(0.0) + self.epsilon).sqrt())
    }
}
