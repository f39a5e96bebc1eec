//! The fully connected layer.

use crate::activations::Activation;
use crate::constraints::Constraint;
use crate::error::{Error, LayerName};
use crate::initializers::{Initializer, MAX_ORTHOGONAL};
use crate::regularizers::{MAX_COMPARED, Regularizer};
use serde::{Deserialize, Serialize};

/// A fully connected layer: `Y = f(W·X + b)`.
///
/// `X` is inputs × batch (a sample is a column), the kernel `W` is units × inputs, the bias `b` has one value per unit,
/// `f` is the [activation](Activation), and `Y` is units × batch. In memory (column-major) the kernel has the bytes of
/// Keras's row-major inputs × units kernel. Names and defaults are those of Keras's `Dense`.
///
/// ```
/// # use densely::{Activation, Dense, Initializer};
/// let layer = Dense::new(512).activation(Activation::Relu).kernel_initializer(Initializer::HeNormal);
/// assert_eq!(layer.parameter_count(784), 784 * 512 + 512);
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
    #[serde(default = "with_bias")]
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
}

impl Dense {
    /// A layer of `units` units, everything else by default.
    pub fn new(units: usize) -> Self {
        Self {
            units,
            activation: Activation::default(),
            use_bias: with_bias(),
            kernel_initializer: Initializer::default(),
            bias_initializer: zeros(),
            kernel_regularizer: None,
            bias_regularizer: None,
            activity_regularizer: None,
            kernel_constraint: None,
            bias_constraint: None,
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

    /// `units · inputs`, and `units` more with a bias; `usize::MAX` if that overflows.
    pub fn parameter_count(&self, inputs: usize) -> usize {
        self.units.saturating_mul(inputs.saturating_add(usize::from(self.use_bias)))
    }

    /// Checks the settings of everything that the layer is described with, for a layer that is not too large.
    pub(crate) fn check_settings(&self, inputs: usize, layer: &dyn Fn() -> LayerName) -> Result<(), Error> {
        self.activation.check(self.units, layer)?;
        for (field, initializer) in
            [("kernel_initializer", self.kernel_initializer), ("bias_initializer", self.bias_initializer)]
        {
            initializer.check_settings().map_err(|fault| fault.of(layer(), field))?;
        }
        for (field, regularizer) in [
            ("kernel_regularizer", self.kernel_regularizer),
            ("bias_regularizer", self.bias_regularizer),
            ("activity_regularizer", self.activity_regularizer),
        ] {
            if let Some(regularizer) = regularizer {
                regularizer.check_settings().map_err(|fault| fault.of(layer(), field))?;
            }
        }
        for (field, constraint) in
            [("kernel_constraint", self.kernel_constraint), ("bias_constraint", self.bias_constraint)]
        {
            if let Some(constraint) = constraint {
                constraint.check_settings().map_err(|fault| fault.of(layer(), field))?;
            }
        }
        self.check_kinds(inputs, layer)
    }

    /// Refuses what compares rows and columns where there is no matrix, or one that would take it hours.
    fn check_kinds(&self, inputs: usize, layer: &dyn Fn() -> LayerName) -> Result<(), Error> {
        if self.bias_initializer.is_for_kernels_only() {
            let kind = self.bias_initializer.name();
            return Err(Error::ForKernelsOnly { layer: layer(), field: "bias_initializer", kind });
        }
        for (field, regularizer) in
            [("bias_regularizer", self.bias_regularizer), ("activity_regularizer", self.activity_regularizer)]
        {
            if regularizer.is_some_and(Regularizer::is_for_kernels_only) {
                return Err(Error::ForKernelsOnly { layer: layer(), field, kind: "Orthogonal" });
            }
        }
        let too_many = |field, what, found, limit| {
            Err(Error::TooManyOrthogonal { layer: layer(), field, what, found, limit })
        };
        let weights = self.units * inputs;
        if matches!(self.kernel_initializer, Initializer::Orthogonal(_)) && weights > MAX_ORTHOGONAL {
            return too_many("kernel_initializer", "weights", weights, MAX_ORTHOGONAL);
        }
        match self.kernel_regularizer.and_then(|regularizer| regularizer.compared(self.units, inputs)) {
            Some(vectors) if vectors > MAX_COMPARED => {
                too_many("kernel_regularizer", "vectors", vectors, MAX_COMPARED)
            }
            Some(_) if weights > MAX_ORTHOGONAL => {
                too_many("kernel_regularizer", "weights", weights, MAX_ORTHOGONAL)
            }
            _ => Ok(()),
        }
    }
}

fn with_bias() -> bool {
    true
}

fn zeros() -> Initializer {
    Initializer::Zeros
}
