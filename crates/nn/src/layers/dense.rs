//! The fully connected layer.

use crate::activations::Activation;
use crate::constraints::Constraint;
use crate::error::{DescriptionError, Error, LayerName};
use crate::initializers::Initializer;
use crate::layers::description::{LayerDescription, Weight};
use crate::regularizers::Regularizer;
use crate::settings::at_least_one;
use serde::{Deserialize, Serialize};

/// A fully connected layer: `Y = f(W·X + b)`.
///
/// `X` is inputs × batch (a sample is a column), the kernel `W` is units × inputs, the bias `b` has one value per unit,
/// `f` is the [activation](Activation), and `Y` is units × batch. In memory (column-major) the kernel has the bytes of
/// Keras's row-major inputs × units kernel. Names and defaults are those of Keras's `Dense`.
///
/// ```
/// # use densely::{Activation, Dense, Initializer, layers::LayerDescription};
/// let layer = Dense::new(512).activation(Activation::Relu).kernel_initializer(Initializer::HeNormal);
/// assert_eq!(layer.outputs(784), 512);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dense {
    /// How many sums per sample there are, and values that the layer puts out, but for [`Activation::Glu`], which leaves
    /// half as many; at least 1.
    pub units: usize,
    /// The function of each sum. Default: [`Activation::Linear`].
    #[serde(default)]
    pub activation: Activation,
    /// Whether `b` is there. Default: `true`.
    #[serde(default = "yes")]
    pub use_bias: bool,
    /// How `W` starts. Default: [`Initializer::GlorotUniform`].
    #[serde(default)]
    pub kernel_initializer: Initializer,
    /// How `b` starts. Default: [`Initializer::Zeros`].
    #[serde(default = "zeros")]
    pub bias_initializer: Initializer,
    /// The penalty on `W` that is added to the loss. Default: none.
    #[serde(default)]
    pub kernel_regularizer: Option<Regularizer>,
    /// The penalty on `b` that is added to the loss. Default: none.
    #[serde(default)]
    pub bias_regularizer: Option<Regularizer>,
    /// The penalty on `Y`, divided by the number of samples, that is added to the loss. Default: none.
    #[serde(default)]
    pub activity_regularizer: Option<Regularizer>,
    /// What `W` is moved back to after each step. Default: nothing.
    #[serde(default)]
    pub kernel_constraint: Option<Constraint>,
    /// What `b` is moved back to after each step. Default: nothing.
    #[serde(default)]
    pub bias_constraint: Option<Constraint>,
    /// Whether training changes `W` and `b`; `false` freezes the layer. Default: `true`.
    #[serde(default = "yes")]
    pub trainable: bool,
    /// What it is called. Default: its kind, and a number from the second of a kind on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl Dense {
    /// A layer of `units` units, everything else by default.
    pub fn new(units: usize) -> Self {
        Self {
            units,
            activation: Activation::default(),
            use_bias: true,
            kernel_initializer: Initializer::default(),
            bias_initializer: zeros(),
            kernel_regularizer: None,
            bias_regularizer: None,
            activity_regularizer: None,
            kernel_constraint: None,
            bias_constraint: None,
            trainable: true,
            name: None,
        }
    }

    /// Sets the activation function.
    pub fn activation(mut self, activation: Activation) -> Self {
        self.activation = activation;
        self
    }

    /// Sets whether there is a bias.
    pub fn use_bias(mut self, use_bias: bool) -> Self {
        self.use_bias = use_bias;
        self
    }

    /// Sets how the kernel starts.
    pub fn kernel_initializer(mut self, initializer: impl Into<Initializer>) -> Self {
        self.kernel_initializer = initializer.into();
        self
    }

    /// Sets how the bias starts.
    pub fn bias_initializer(mut self, initializer: impl Into<Initializer>) -> Self {
        self.bias_initializer = initializer.into();
        self
    }

    /// Sets the penalty on the kernel.
    pub fn kernel_regularizer(mut self, regularizer: impl Into<Regularizer>) -> Self {
        self.kernel_regularizer = Some(regularizer.into());
        self
    }

    /// Sets the penalty on the bias.
    pub fn bias_regularizer(mut self, regularizer: impl Into<Regularizer>) -> Self {
        self.bias_regularizer = Some(regularizer.into());
        self
    }

    /// Sets the penalty on the layer's output.
    pub fn activity_regularizer(mut self, regularizer: impl Into<Regularizer>) -> Self {
        self.activity_regularizer = Some(regularizer.into());
        self
    }

    /// Sets what the kernel is moved back to after each step.
    pub fn kernel_constraint(mut self, constraint: impl Into<Constraint>) -> Self {
        self.kernel_constraint = Some(constraint.into());
        self
    }

    /// Sets what the bias is moved back to after each step.
    pub fn bias_constraint(mut self, constraint: impl Into<Constraint>) -> Self {
        self.bias_constraint = Some(constraint.into());
        self
    }

    /// Sets whether training changes the layer.
    pub fn trainable(mut self, trainable: bool) -> Self {
        self.trainable = trainable;
        self
    }
}

impl LayerDescription for Dense {
    fn kind(&self) -> &str {
        "Dense"
    }

    fn outputs(&self, _: usize) -> usize {
        self.activation.outputs(self.units)
    }

    fn weights(&self, inputs: usize) -> Vec<Weight> {
        let kernel = Weight::matrix("kernel", self.units, inputs)
            .initializer(self.kernel_initializer)
            .regularizer(self.kernel_regularizer)
            .constraint(self.kernel_constraint)
            .trainable(self.trainable);
        let bias = Weight::vector("bias", self.units)
            .initializer(self.bias_initializer)
            .regularizer(self.bias_regularizer)
            .constraint(self.bias_constraint)
            .trainable(self.trainable);
        if self.use_bias { vec![kernel, bias] } else { vec![kernel] }
    }

    fn check(&self, _: usize, layer: &dyn Fn() -> LayerName) -> Result<(), Error> {
        at_least_one("units", self.units, layer)?;
        self.activation.check(self.units, layer)?;
        if let Some(regularizer) = self.activity_regularizer {
            let field = || String::from("activity_regularizer");
            regularizer.check_settings().map_err(|fault| fault.of(layer(), field()))?;
            if regularizer.is_for_kernels_only() {
                return Err(DescriptionError::ForKernelsOnly {
                    layer: layer(),
                    field: field(),
                    kind: "Orthogonal",
                }
                .into());
            }
        }
        Ok(())
    }
}

fn yes() -> bool {
    true
}

fn zeros() -> Initializer {
    Initializer::Zeros
}
