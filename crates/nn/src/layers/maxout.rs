//! Maxout.

use crate::constraints::Constraint;
use crate::error::{Error, LayerName};
use crate::initializers::Initializer;
use crate::layers::dense::Dense;
use crate::layers::description::{LayerDescription, Weight};
use crate::layers::pass::{Backward, Forward, LayerPass};
use crate::regularizers::Regularizer;
use crate::settings::at_least_one;
use densely_tensor::Scalar;
use serde::{Deserialize, Serialize};

/// Each unit is the largest of several sums: `yᵤ = maxⱼ (W·X + b)[u·pieces + j]` (I. Goodfellow et al., "Maxout
/// networks", ICML 2013, section 2). Where two pieces are equally large, the gradient goes to the first.
///
/// The kernel is (units · pieces) × inputs; the pieces of a unit stand together, as in TensorFlow Addons' `Maxout`
/// behind a dense layer. Not in Keras 3. There is no penalty on `b` or on the output, and no constraint of `b`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Maxout {
    /// How many values per sample the layer puts out; at least 1.
    pub units: usize,
    /// How many sums a unit chooses from; at least 1.
    pub pieces: usize,
    /// Whether `b` is there. Default: `true`.
    #[serde(default = "yes")]
    pub use_bias: bool,
    /// How `W` starts. Default: [`Initializer::GlorotUniform`].
    #[serde(default)]
    pub kernel_initializer: Initializer,
    /// How `b` starts. Default: [`Initializer::Zeros`].
    #[serde(default = "zeros")]
    pub bias_initializer: Initializer,
    /// The penalty on `W`. Default: none.
    #[serde(default)]
    pub kernel_regularizer: Option<Regularizer>,
    /// What `W` is moved back to after each step. Default: nothing.
    #[serde(default)]
    pub kernel_constraint: Option<Constraint>,
    /// Whether the optimizer changes `W` and `b`. Default: `true`.
    #[serde(default = "yes")]
    pub trainable: bool,
    /// What it is called. Default: its kind, and a number from the second of a kind on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl Maxout {
    /// A layer of `units` units, each the largest of `pieces` sums, everything else by default.
    pub fn new(units: usize, pieces: usize) -> Self {
        Self {
            units,
            pieces,
            use_bias: true,
            kernel_initializer: Initializer::default(),
            bias_initializer: Initializer::Zeros,
            kernel_regularizer: None,
            kernel_constraint: None,
            trainable: true,
            name: None,
        }
    }

    /// The sums, before the largest of each unit is taken.
    pub(crate) fn dense(&self) -> Dense {
        Dense {
            use_bias: self.use_bias,
            kernel_initializer: self.kernel_initializer,
            bias_initializer: self.bias_initializer,
            kernel_regularizer: self.kernel_regularizer,
            kernel_constraint: self.kernel_constraint,
            trainable: self.trainable,
            ..Dense::new(self.units.saturating_mul(self.pieces))
        }
    }
}

impl LayerDescription for Maxout {
    fn kind(&self) -> &str {
        "Maxout"
    }

    fn outputs(&self, _: usize) -> usize {
        self.units
    }

    fn weights(&self, inputs: usize) -> Vec<Weight> {
        self.dense().weights(inputs)
    }

    fn check(&self, _: usize, layer: &dyn Fn() -> LayerName) -> Result<(), Error> {
        at_least_one("units", self.units, layer)?;
        at_least_one("pieces", self.pieces, layer)
    }
}

/// Takes the largest of every `pieces` values.
#[derive(Clone, Debug)]
pub(crate) struct LargestOfPieces {
    pub(crate) pieces: usize,
}

impl<T: Scalar> LayerPass<T> for LargestOfPieces {
    fn forward(&self, pass: Forward<'_, T>) {
        pass.pool.for_each_part(1, (pass.input, pass.output), |_, (input, mut output)| {
            for sample in 0..input.n_columns() {
                let units = input.column(sample).chunks_exact(self.pieces);
                for (y, pieces) in output.column_mut(sample).iter_mut().zip(units) {
                    *y = pieces[densely_tensor::arg_max(pieces)];
                }
            }
        });
    }

    fn backward(&self, pass: Backward<'_, T>) {
        let Some(input_gradient) = pass.input_gradient else { return };
        let parts = (pass.input, pass.output_gradient, input_gradient);
        pass.pool.for_each_part(1, parts, |_, (input, output_gradient, mut input_gradient)| {
            for sample in 0..input.n_columns() {
                let units = input.column(sample).chunks_exact(self.pieces);
                let gradients = input_gradient.column_mut(sample).chunks_exact_mut(self.pieces);
                for ((pieces, gradients), &g) in units.zip(gradients).zip(output_gradient.column(sample)) {
                    gradients.fill(T::ZERO);
                    gradients[densely_tensor::arg_max(pieces)] = g;
                }
            }
        });
    }
}

fn yes() -> bool {
    true
}

fn zeros() -> Initializer {
    Initializer::Zeros
}
