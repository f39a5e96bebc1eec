//! Samples of length 1.

use crate::layers::description::LayerDescription;
use crate::layers::pass::{Backward, Forward, LayerPass};
use densely_tensor::{Scalar, sum_of};
use serde::{Deserialize, Serialize};

/// Divides every sample by its length: `y = x/max(√Σx², 1e-12)`, as Keras's `UnitNormalization` with its defaults does.
///
/// The same in training and prediction. Squares are summed in double precision, where those of single precision's numbers
/// neither overflow nor vanish; a sample of zeros stays one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UnitNormalization {
    /// What it is called. Default: its kind, and a number from the second of a kind on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// The least that a length counts for.
const LEAST: f64 = 1e-12;

fn length<T: Scalar>(x: &[T]) -> f64 {
    sum_of(x.len(), |feature| x[feature].to_f64() * x[feature].to_f64()).sqrt()
}

impl LayerDescription for UnitNormalization {
    fn kind(&self) -> &str {
        "UnitNormalization"
    }
}

impl<T: Scalar> LayerPass<T> for UnitNormalization {
    fn forward(&self, pass: Forward<'_, T>) {
        pass.pool.for_each_part(1, (pass.input, pass.output), |_, (input, mut output)| {
            for sample in 0..input.n_columns() {
                let x = input.column(sample);
                let inverse = T::from_f64(1.0 / length(x).max(LEAST));
                for (y, &x) in output.column_mut(sample).iter_mut().zip(x) {
                    *y = x * inverse;
                }
            }
        });
    }

    /// With g the output's gradient: `∂x = (g − y·Σ(g·y))/√Σx²`; where the length is held up, it is a constant.
    fn backward(&self, pass: Backward<'_, T>) {
        let Some(input_gradient) = pass.input_gradient else { return };
        let parts = (pass.input, pass.output, pass.output_gradient, input_gradient);
        pass.pool.for_each_part(1, parts, |_, (input, output, output_gradient, mut input_gradient)| {
            for sample in 0..input.n_columns() {
                let (y, g) = (output.column(sample), output_gradient.column(sample));
                let length = length(input.column(sample));
                let inverse = T::from_f64(1.0 / length.max(LEAST));
                let along =
                    if length > LEAST { sum_of(y.len(), |feature| g[feature] * y[feature]) } else { T::ZERO };
                for (feature, gradient) in input_gradient.column_mut(sample).iter_mut().enumerate() {
                    *gradient = (g[feature] - y[feature] * along) * inverse;
                }
            }
        });
    }
}
