//! The rectifier whose slope below 0 is learned.

use crate::constraints::Constraint;
use crate::initializers::Initializer;
use crate::layers::description::{LayerDescription, Weight};
use crate::layers::features::{map, map_pairs, sums_over_samples};
use crate::layers::pass::{Backward, Forward, LayerPass};
use crate::regularizers::Regularizer;
use densely_tensor::Scalar;
use serde::{Deserialize, Serialize};

/// `y = x` above 0, else `alpha·x`, with an alpha for each feature that is learned (K. He et al., "Delving deep into
/// rectifiers", ICCV 2015, equation 1). Names and defaults are those of Keras's `PReLU`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PRelu {
    /// How alpha starts. Default: zeros; the paper starts from 0.25.
    pub alpha_initializer: Initializer,
    /// The penalty on alpha. Default: none.
    pub alpha_regularizer: Option<Regularizer>,
    /// What alpha is moved back to after each step. Default: nothing.
    pub alpha_constraint: Option<Constraint>,
    /// Whether the optimizer changes alpha. Default: `true`.
    pub trainable: bool,
    /// What it is called. Default: its kind, and a number from the second of a kind on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl Default for PRelu {
    fn default() -> Self {
        Self {
            alpha_initializer: Initializer::Zeros,
            alpha_regularizer: None,
            alpha_constraint: None,
            trainable: true,
            name: None,
        }
    }
}

impl LayerDescription for PRelu {
    fn kind(&self) -> &str {
        "PRelu"
    }

    fn weights(&self, inputs: usize) -> Vec<Weight> {
        let alpha = Weight::vector("alpha", inputs)
            .initializer(self.alpha_initializer)
            .regularizer(self.alpha_regularizer)
            .constraint(self.alpha_constraint)
            .trainable(self.trainable);
        vec![alpha]
    }
}

impl<T: Scalar> LayerPass<T> for PRelu {
    fn forward(&self, pass: Forward<'_, T>) {
        let alpha = pass.weights.get(0);
        map(
            pass.pool,
            pass.input,
            pass.output,
            |feature, x| if x > T::ZERO { x } else { x * alpha[feature] },
        );
    }

    /// With g the output's gradient: `∂alpha = Σ g·x` over the samples whose x is not above 0.
    fn backward(&self, pass: Backward<'_, T>) {
        let Backward { pool, weights, input, output_gradient, input_gradient, .. } = pass;
        let mut weight_gradients = pass.weight_gradients;
        sums_over_samples(pool, weight_gradients.get_mut(0), output_gradient, input, |_, _, g, x| {
            if x > 0.0 { 0.0 } else { g * x }
        });
        let Some(input_gradient) = input_gradient else { return };
        let alpha = weights.get(0);
        map_pairs(pool, output_gradient, input, input_gradient, |feature, _, g, x| {
            if x > T::ZERO { g } else { g * alpha[feature] }
        });
    }
}
