//! What every layer says about itself before anything is allocated.

use crate::constraints::Constraint;
use crate::error::{DescriptionError, Error, LayerName};
use crate::initializers::{Initializer, MAX_ORTHOGONAL};
use crate::regularizers::{MAX_COMPARED, Regularizer};
use std::fmt::Debug;

/// A layer as described: how many values it puts out, and which tensors belong to it. Every layer of this crate is one,
/// and so is a [custom layer](crate::layers::CustomLayer).
pub trait LayerDescription: Debug + Send + Sync {
    /// The layer's kind, as in [`Summary`](crate::Summary): `"Dense"`. Names of layers are made from it in lower case.
    fn kind(&self) -> &str;

    /// How many values per sample leave the layer when `inputs` enter it. Default: as many.
    fn outputs(&self, inputs: usize) -> usize {
        inputs
    }

    /// The tensors of a layer that `inputs` values per sample enter, in the order in which its
    /// [passes](crate::layers::LayerPass) see them. Default: none.
    fn weights(&self, inputs: usize) -> Vec<Weight> {
        let _ = inputs;
        Vec::new()
    }

    /// The room that the layer needs in training for what its backward pass wants to know of the forward pass, beyond
    /// input and output. Default: none.
    fn kept(&self, inputs: usize) -> Kept {
        let _ = inputs;
        Kept::default()
    }

    /// Checks the layer's settings, when `inputs` values per sample enter it; `layer` names it for the error. The
    /// settings of its [weights](Self::weights) are checked apart from this. Default: nothing to check.
    ///
    /// # Errors
    ///
    /// Whatever is wrong; [`DescriptionError::CustomLayer`] is for the layers of other crates.
    fn check(&self, inputs: usize, layer: &dyn Fn() -> LayerName) -> Result<(), Error> {
        let _ = (inputs, layer);
        Ok(())
    }
}

/// Whether names can be made from a text: a letter, then letters, digits and underscores, all of them ASCII.
pub(crate) fn is_word(text: &str) -> bool {
    let in_word = |character: char| character.is_ascii_alphanumeric() || character == '_';
    text.starts_with(|first: char| first.is_ascii_alphabetic()) && text.chars().all(in_word)
}

/// How many numbers a layer keeps from its forward to its backward pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// For each sample.
    pub per_sample: usize,
    /// For the whole batch.
    pub per_batch: usize,
}

/// The shape of a tensor that belongs to a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WeightShape {
    /// So many numbers, such as a bias.
    Vector(usize),
    /// A kernel: units × inputs, column-major.
    Matrix {
        /// The units.
        rows: usize,
        /// The inputs.
        columns: usize,
    },
}

impl WeightShape {
    /// Rows and columns; a vector is a column.
    pub fn rows_and_columns(self) -> (usize, usize) {
        match self {
            Self::Vector(len) => (len, 1),
            Self::Matrix { rows, columns } => (rows, columns),
        }
    }

    /// Rows and columns as regularizers and constraints take them: those of a kernel, and a vector lying down.
    pub(crate) fn for_penalties(self) -> (usize, usize) {
        match self {
            Self::Vector(len) => (1, len),
            Self::Matrix { rows, columns } => (rows, columns),
        }
    }

    /// The number of inputs and of units, as initializers take them; for a vector both are its length, as in Keras.
    pub(crate) fn fans(self) -> (usize, usize) {
        match self {
            Self::Vector(len) => (len, len),
            Self::Matrix { rows, columns } => (columns, rows),
        }
    }

    /// How many numbers it holds; `usize::MAX` if that overflows.
    pub fn count(self) -> usize {
        let (rows, columns) = self.rows_and_columns();
        rows.saturating_mul(columns)
    }
}

/// One tensor of a layer as described.
///
/// ```
/// # use densely::layers::{Weight, WeightShape};
/// # use densely::Initializer;
/// let gains = Weight::vector("gain", 3).initializer(Initializer::Ones);
/// assert_eq!((gains.shape, gains.trainable), (WeightShape::Vector(3), true));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Weight {
    /// The name within the layer, such as `kernel`.
    pub name: &'static str,
    /// The shape.
    pub shape: WeightShape,
    /// How it starts. Default: Glorot's uniform distribution for a matrix, zeros for a vector.
    pub initializer: Initializer,
    /// The penalty on it. Default: none.
    pub regularizer: Option<Regularizer>,
    /// What it is moved back to after each step. Default: nothing.
    pub constraint: Option<Constraint>,
    /// Whether the optimizer changes it. Default: `true`.
    pub trainable: bool,
}

impl Weight {
    /// A trainable kernel of `units` × `inputs`.
    pub fn matrix(name: &'static str, units: usize, inputs: usize) -> Self {
        let shape = WeightShape::Matrix { rows: units, columns: inputs };
        Self::new(name, shape, Initializer::default())
    }

    /// `len` trainable numbers.
    pub fn vector(name: &'static str, len: usize) -> Self {
        Self::new(name, WeightShape::Vector(len), Initializer::Zeros)
    }

    fn new(name: &'static str, shape: WeightShape, initializer: Initializer) -> Self {
        Self { name, shape, initializer, regularizer: None, constraint: None, trainable: true }
    }

    /// Sets how it starts.
    pub fn initializer(mut self, initializer: impl Into<Initializer>) -> Self {
        self.initializer = initializer.into();
        self
    }

    /// Sets the penalty on it.
    pub fn regularizer(mut self, regularizer: Option<Regularizer>) -> Self {
        self.regularizer = regularizer;
        self
    }

    /// Sets what it is moved back to after each step.
    pub fn constraint(mut self, constraint: Option<Constraint>) -> Self {
        self.constraint = constraint;
        self
    }

    /// Sets whether the optimizer changes it.
    pub fn trainable(mut self, trainable: bool) -> Self {
        self.trainable = trainable;
        self
    }

    /// Checks how it starts and what holds it, and refuses what compares rows and columns where there is no matrix, or
    /// one that would take it hours.
    pub(crate) fn check(&self, layer: &dyn Fn() -> LayerName) -> Result<(), Error> {
        let field = |setting: &str| format!("{}_{setting}", self.name);
        self.initializer.check_settings().map_err(|fault| fault.of(layer(), field("initializer")))?;
        if let Some(regularizer) = self.regularizer {
            regularizer.check_settings().map_err(|fault| fault.of(layer(), field("regularizer")))?;
        }
        if let Some(constraint) = self.constraint {
            constraint.check_settings().map_err(|fault| fault.of(layer(), field("constraint")))?;
        }
        match self.shape {
            WeightShape::Vector(_) => self.refuse_what_is_for_kernels(layer),
            WeightShape::Matrix { rows, columns } => self.refuse_too_many_orthogonal(rows, columns, layer),
        }
    }

    fn refuse_what_is_for_kernels(&self, layer: &dyn Fn() -> LayerName) -> Result<(), Error> {
        let refuse = |setting, kind| {
            Err(DescriptionError::ForKernelsOnly {
                layer: layer(),
                field: format!("{}_{setting}", self.name),
                kind,
            }
            .into())
        };
        if self.initializer.is_for_kernels_only() {
            return refuse("initializer", self.initializer.name());
        }
        if self.regularizer.is_some_and(Regularizer::is_for_kernels_only) {
            return refuse("regularizer", "Orthogonal");
        }
        Ok(())
    }

    fn refuse_too_many_orthogonal(
        &self,
        rows: usize,
        columns: usize,
        layer: &dyn Fn() -> LayerName,
    ) -> Result<(), Error> {
        let too_many = |setting, what, found, limit| {
            let field = format!("{}_{setting}", self.name);
            Err(DescriptionError::TooManyOrthogonal { layer: layer(), field, what, found, limit }.into())
        };
        let weights = self.shape.count();
        if matches!(self.initializer, Initializer::Orthogonal(_)) && weights > MAX_ORTHOGONAL {
            return too_many("initializer", "weights", weights, MAX_ORTHOGONAL);
        }
        match self.regularizer.and_then(|regularizer| regularizer.compared(rows, columns)) {
            Some(vectors) if vectors > MAX_COMPARED => {
                too_many("regularizer", "vectors", vectors, MAX_COMPARED)
            }
            Some(_) if weights > MAX_ORTHOGONAL => {
                too_many("regularizer", "weights", weights, MAX_ORTHOGONAL)
            }
            _ => Ok(()),
        }
    }
}
