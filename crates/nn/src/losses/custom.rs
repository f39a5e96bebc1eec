//! Losses of the user's own.

use crate::error::{DescriptionError, Error};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// A loss that a program defines: what it says of one sample, in double precision whatever the network's is.
///
/// ```
/// use densely::losses::LossFunction;
/// use densely::{Compile, Dataset, Dense, Fit, Loss, Sequential, Sgd};
///
/// /// Outputs that are too low cost nine times as much as those that are too high: nine in ten targets will be below.
/// struct NinthDecile;
///
/// impl LossFunction for NinthDecile {
///     fn name(&self) -> &str {
///         "ninth decile"
///     }
///
///     fn loss_and_gradient(&self, targets: &[f64], outputs: &[f64], gradient: &mut [f64]) -> f64 {
///         let mut loss = 0.0;
///         for ((target, output), slope) in targets.iter().zip(outputs).zip(gradient) {
///             *slope = if output < target { -0.9 } else { 0.1 };
///             loss += *slope * (output - target);
///         }
///         loss
///     }
/// }
///
/// // Of the numbers 1 to 10 without any feature that tells them apart, it is 9 or 10.
/// let data = Dataset::from_values(1, vec![1.0; 10], 1, (1..=10).map(f64::from).collect())?;
/// let mut model = Sequential::new(1).add(Dense::new(1).use_bias(false)).compile::<f32>(Compile {
///     loss: Loss::custom(NinthDecile),
///     optimizer: Sgd::new(0.5).into(),
///     ..Compile::default()
/// })?;
/// model.fit(&data, Fit { epochs: 200, batch_size: 10, ..Fit::default() })?;
/// assert!((9.0..=10.5).contains(&model.predict_one(&[1.0])?[0]));
/// assert!((model.evaluate(&data)?.loss - 0.45) < 0.1);
/// # Ok::<(), densely::Error>(())
/// ```
///
/// A saved model has the loss's name in its file, not its code: see [`Loss::Custom`](crate::Loss::Custom).
pub trait LossFunction: Send + Sync {
    /// Its name, for messages and files.
    fn name(&self) -> &str;

    /// The loss of one sample, and its derivative with respect to each output into `gradient`. The three have one length,
    /// the number of the network's outputs. Class labels come as one-hot targets, or as 0 or 1 for a single output.
    ///
    /// Several samples are computed at once on several threads, and it is called in every training step: it should not
    /// allocate.
    fn loss_and_gradient(&self, targets: &[f64], outputs: &[f64], gradient: &mut [f64]) -> f64;
}

/// A [`LossFunction`] in a description, where it is its name: two of one name are equal. [`Loss::custom`](crate::Loss::custom)
/// makes it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CustomLoss {
    name: String,
    /// Not there if the description was read from a file.
    #[serde(skip)]
    function: Option<Arc<dyn LossFunction>>,
}

impl CustomLoss {
    pub(super) fn new(function: impl LossFunction + 'static) -> Self {
        Self { name: function.name().to_owned(), function: Some(Arc::new(function)) }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The loss's code.
    ///
    /// # Errors
    ///
    /// [`DescriptionError::CustomLoss`] if there is only a name, from a file.
    pub(crate) fn function(&self) -> Result<&dyn LossFunction, Error> {
        self.function
            .as_deref()
            .ok_or_else(|| DescriptionError::CustomLoss { name: self.name.clone() }.into())
    }
}

impl fmt::Debug for CustomLoss {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("CustomLoss").field("name", &self.name).finish_non_exhaustive()
    }
}

impl PartialEq for CustomLoss {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}
