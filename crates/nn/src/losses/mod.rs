//! Losses: how far a prediction is from the truth. This is their description, and what each says of one sample.
//!
//! With `t` the targets of a sample, `y` the network's outputs for it, n of them, and p a probability: softmax of the logits
//! for classes that exclude each other, sigmoid of each logit for those that do not.
//!
//! | loss | of one sample | the network's end |
//! | --- | --- | --- |
//! | [`CategoricalCrossentropy`], [`SparseCategoricalCrossentropy`] | `−Σ t·ln p` | softmax, or linear with `from_logits` |
//! | [`CategoricalFocalCrossentropy`] | `−alpha·Σ t·(1 − p)^gamma·ln p` | the same |
//! | [`BinaryCrossentropy`] | `Σ (−t·ln p − (1 − t)·ln(1 − p)) / n` | sigmoid, or linear with `from_logits` |
//! | [`BinaryFocalCrossentropy`] | the same terms times `(t·(1 − p) + (1 − t)·p)^gamma` | the same |
//! | [`KlDivergence`](Loss::KlDivergence) | `Σ t·ln(t/p)` | softmax |
//! | [`Poisson`](Loss::Poisson) | `Σ (y − t·ln(y + 1e-7)) / n` | not below 0: exponential, softplus, … |
//! | [`CategoricalHinge`](Loss::CategoricalHinge) | `max(1 + max (1 − t)·y − Σ t·y, 0)` | any |
//! | [`Hinge`](Loss::Hinge), [`SquaredHinge`](Loss::SquaredHinge) | `Σ max(1 − t·y, 0) / n`, of squares | any; tanh, linear |
//! | [`MeanSquaredError`](Loss::MeanSquaredError) | `Σ (y − t)² / n` | any |
//! | [`MeanAbsoluteError`](Loss::MeanAbsoluteError) | <code>Σ \|y − t\| / n</code> | any |
//! | [`MeanAbsolutePercentageError`](Loss::MeanAbsolutePercentageError) | <code>100·Σ (\|y − t\| / max(\|t\|, 1e-7)) / n</code> | any |
//! | [`MeanSquaredLogarithmicError`](Loss::MeanSquaredLogarithmicError) | `Σ (ln(1 + y) − ln(1 + t))² / n`, from 0 up | any |
//! | [`Huber`] | <code>e²/2 up to e = \|y − t\| = delta, then delta·e − delta²/2</code>, mean | any |
//! | [`LogCosh`](Loss::LogCosh) | `Σ ln cosh(y − t) / n` | any |
//! | [`CosineSimilarity`](Loss::CosineSimilarity) | `−Σ t·y / √(Σ t²·Σ y²)` | any |
//! | [`Tversky`] | `1 − TP/(TP + alpha·FP + beta·FN + 1e-7)` | between 0 and 1 |
//! | [`Dice`](Loss::Dice) | `1 − 2·Σ t·y/(Σ t + Σ y + 1e-7)` | between 0 and 1 |
//! | [`Custom`](Loss::Custom) | a [`LossFunction`] | any |
//!
//! Every loss takes either kind of [target](crate::Dataset): class labels become one-hot columns, or 0 and 1 for a single
//! output; values are taken as they are, so that soft labels are values for a cross-entropy. A batch's loss is the
//! [`Reduction`] of its samples' losses.

mod binary;
mod categorical;
mod custom;
mod divergence;
mod elementwise;
mod hinge;
mod overlap;
mod reduction;
mod regression;
mod similarity;
mod target;

pub use binary::{BinaryCrossentropy, BinaryFocalCrossentropy};
pub use categorical::{CategoricalCrossentropy, CategoricalFocalCrossentropy, SparseCategoricalCrossentropy};
pub use custom::{CustomLoss, LossFunction};
pub use overlap::Tversky;
pub use reduction::Reduction;
pub use regression::Huber;
pub(crate) use regression::{ln_cosh, logarithmic_error, percent_of};
pub(crate) use target::Target;

use crate::activations::Activation;
use crate::data::Dataset;
use crate::error::{DescriptionError, Error};
use crate::sequential::Sequential;
use crate::settings::OutOfRange;
use crate::text;
use densely_tensor::{Isa, Scalar};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What training makes small, for each sample; the [module's page](self) has all formulas in a table. Names and defaults are
/// Keras 3's.
///
/// ```
/// # use densely::{Loss, losses::Huber, text::from_ron};
/// assert_eq!(from_ron::<Loss>("MeanSquaredError")?, Loss::MeanSquaredError);
/// assert_eq!(from_ron::<Loss>("Huber(delta: 0.5)")?, Huber { delta: 0.5 }.into());
///
/// let mut gradient = [0.0; 2];
/// let loss = Loss::MeanSquaredError.of_sample(&[1.0, 0.0], &[3.0, 0.0], &mut gradient)?;
/// assert_eq!((loss, gradient), (2.0, [2.0, 0.0]));
/// # Ok::<(), densely::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Loss {
    /// Cross-entropy of classes that exclude each other.
    CategoricalCrossentropy(CategoricalCrossentropy),
    /// The same, of class labels only.
    SparseCategoricalCrossentropy(SparseCategoricalCrossentropy),
    /// The same, with less weight on what is right already.
    CategoricalFocalCrossentropy(CategoricalFocalCrossentropy),
    /// Cross-entropy of outputs that are each a yes or no.
    BinaryCrossentropy(BinaryCrossentropy),
    /// The same, with less weight on what is right already.
    BinaryFocalCrossentropy(BinaryFocalCrossentropy),
    /// `Σᵢ tᵢ·ln(tᵢ/yᵢ)` with `0·ln 0 = 0`: the Kullback–Leibler divergence, of probabilities `t` from the `y`. Unlike
    /// Keras's, neither is lifted to 1e-7; computed from the logits of the softmax that ends the network (Kullback and Leibler,
    /// "On information and sufficiency", Annals of Mathematical Statistics 22, 1951).
    KlDivergence,
    /// `Σᵢ (yᵢ − tᵢ·ln(yᵢ + 1e-7)) / n`, for counts `t`: the negative logarithm of their likelihood under Poisson
    /// distributions of mean `y`, without the part that does not depend on it. Keras's `Poisson`; PyTorch's `PoissonNLLLoss`
    /// with `log_input=False` but for 1e-8 there.
    Poisson,
    /// `max(1 + maxᵢ (1 − tᵢ)·yᵢ − Σᵢ tᵢ·yᵢ, 0)`, for one-hot `t`. The 0 that the right class leaves is among the values of the
    /// wrong ones, as in Keras (but for that: Crammer and Singer, "On the algorithmic implementation of multiclass kernel-based
    /// vector machines", JMLR 2, 2001).
    CategoricalHinge,
    /// `Σᵢ max(1 − tᵢ·yᵢ, 0) / n`. Targets are −1 and 1; those of a sample that has only 0 and 1 become these (Cortes and Vapnik,
    /// "Support-vector networks", Machine Learning 20, 1995).
    Hinge,
    /// `Σᵢ max(1 − tᵢ·yᵢ, 0)² / n`. Targets as in [`Hinge`](Self::Hinge) (Tang, "Deep learning using linear support vector
    /// machines", arXiv:1306.0239).
    SquaredHinge,
    /// `Σᵢ (yᵢ − tᵢ)² / n`.
    MeanSquaredError,
    /// `Σᵢ |yᵢ − tᵢ| / n`. The derivative is 0 where output and target are equal.
    MeanAbsoluteError,
    /// `100·Σᵢ (|yᵢ − tᵢ| / max(|tᵢ|, 1e-7)) / n`.
    MeanAbsolutePercentageError,
    /// `Σᵢ (ln(1 + yᵢ) − ln(1 + tᵢ))² / n`. Of what is below 0, 0 is taken, and the derivative is 0 there.
    MeanSquaredLogarithmicError,
    /// A square near the target, a line far from it.
    Huber(Huber),
    /// `Σᵢ ln cosh(yᵢ − tᵢ) / n`: near `e²/2` for a small distance `e`, near `|e| − ln 2` for a large one. Keras's
    /// `LogCosh`.
    LogCosh,
    /// `−Σᵢ tᵢ·yᵢ / √(Σᵢ tᵢ²·Σᵢ yᵢ²)`: −1 where outputs point as the targets do, 0 at a right angle, and 0 if either is all
    /// zeros. Keras's `CosineSimilarity`.
    CosineSimilarity,
    /// How little two sets overlap, with misses and false alarms weighted.
    Tversky(Tversky),
    /// `1 − 2·Σᵢ tᵢ·yᵢ / (Σᵢ tᵢ + Σᵢ yᵢ + 1e-7)`: how little two sets overlap (Dice, "Measures of the amount of ecologic
    /// association between species", Ecology 26, 1945). Keras's sums go over the whole batch unless
    /// `axis=1` is given; ours are each sample's, as all other losses' are.
    Dice,
    /// A loss of the program's own, made by [`Loss::custom`].
    ///
    /// A file has only its name, `Custom(name: "…")`. A model that was read from one predicts; before it can be fitted or
    /// evaluated, [`Model::set_loss`](crate::Model::set_loss) has to give it the loss again, and until then these return
    /// [`DescriptionError::CustomLoss`].
    Custom(CustomLoss),
}

impl Default for Loss {
    fn default() -> Self {
        CategoricalCrossentropy::default().into()
    }
}

macro_rules! from_settings {
    ($($name:ident),+) => {
        $(impl From<$name> for Loss {
            fn from(loss: $name) -> Self {
                Self::$name(loss)
            }
        })+
    };
}
from_settings!(
    CategoricalCrossentropy,
    SparseCategoricalCrossentropy,
    CategoricalFocalCrossentropy,
    BinaryCrossentropy,
    BinaryFocalCrossentropy,
    Huber,
    Tversky
);

/// The loss as it is written in a recipe.
impl fmt::Display for Loss {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&text::to_ron_line(self))
    }
}

/// What a loss needs the last activation to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Any,
    /// Exactly this.
    Linear,
    Softmax,
    Sigmoid,
    /// Whatever gives values from 0 to 1.
    Chances,
    /// Whatever gives values from 0 up.
    NotNegative,
}

/// Which targets make sense.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Targets {
    least: f64,
    greatest: f64,
    expected: &'static str,
}

impl Loss {
    /// A loss of the program's own; [`LossFunction`] has an example.
    pub fn custom(function: impl LossFunction + 'static) -> Self {
        Self::Custom(CustomLoss::new(function))
    }

    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Self::CategoricalCrossentropy(_) => "CategoricalCrossentropy",
            Self::SparseCategoricalCrossentropy(_) => "SparseCategoricalCrossentropy",
            Self::CategoricalFocalCrossentropy(_) => "CategoricalFocalCrossentropy",
            Self::BinaryCrossentropy(_) => "BinaryCrossentropy",
            Self::BinaryFocalCrossentropy(_) => "BinaryFocalCrossentropy",
            Self::KlDivergence => "KlDivergence",
            Self::Poisson => "Poisson",
            Self::CategoricalHinge => "CategoricalHinge",
            Self::Hinge => "Hinge",
            Self::SquaredHinge => "SquaredHinge",
            Self::MeanSquaredError => "MeanSquaredError",
            Self::MeanAbsoluteError => "MeanAbsoluteError",
            Self::MeanAbsolutePercentageError => "MeanAbsolutePercentageError",
            Self::MeanSquaredLogarithmicError => "MeanSquaredLogarithmicError",
            Self::Huber(_) => "Huber",
            Self::LogCosh => "LogCosh",
            Self::CosineSimilarity => "CosineSimilarity",
            Self::Tversky(_) => "Tversky",
            Self::Dice => "Dice",
            Self::Custom(custom) => custom.name(),
        }
    }

    /// The loss of one sample with a target for each output, and its gradient with respect to the outputs. The outputs are
    /// those of the network's end: probabilities, or logits if the loss says so.
    ///
    /// # Errors
    ///
    /// [`Error::TargetWidth`] if the three differ in length, [`DescriptionError::CustomLoss`] if the loss is only a name. Settings are
    /// taken as they are; [`Sequential::compile`](crate::Sequential::compile) checks them.
    pub fn of_sample<T: Scalar>(
        &self,
        targets: &[f64],
        outputs: &[T],
        gradient: &mut [T],
    ) -> Result<f64, Error> {
        for found in [targets.len(), gradient.len()] {
            if found != outputs.len() {
                return Err(Error::TargetWidth { expected: outputs.len(), found });
            }
        }
        if let Self::Custom(custom) = self {
            let function = custom.function()?;
            let outputs: Vec<f64> = outputs.iter().map(|output| output.to_f64()).collect();
            let mut slopes = vec![0.0; outputs.len()];
            let loss = function.loss_and_gradient(targets, &outputs, &mut slopes);
            for (to, from) in gradient.iter_mut().zip(slopes) {
                *to = T::from_f64(from);
            }
            return Ok(loss);
        }
        gradient.copy_from_slice(outputs);
        Ok(self.in_place(Isa::detect(), gradient, Target::Values(targets), 1.0, self.takes_logits()))
    }

    /// The loss of one sample, whose outputs become its gradient times `scale`. Not for custom losses.
    pub(crate) fn in_place<T: Scalar>(
        &self,
        isa: Isa,
        y: &mut [T],
        target: Target<'_>,
        scale: f64,
        from_logits: bool,
    ) -> f64 {
        match self {
            Self::CategoricalCrossentropy(loss) => loss.in_place(isa, y, target, scale, from_logits),
            Self::SparseCategoricalCrossentropy(_) => {
                CategoricalCrossentropy::default().in_place(isa, y, target, scale, from_logits)
            }
            Self::CategoricalFocalCrossentropy(loss) => loss.in_place(isa, y, target, scale, from_logits),
            Self::BinaryCrossentropy(loss) => loss.in_place(isa, y, target, scale, from_logits),
            Self::BinaryFocalCrossentropy(loss) => loss.in_place(isa, y, target, scale, from_logits),
            Self::KlDivergence => divergence::kl_divergence(isa, y, target, scale, from_logits),
            Self::Poisson => divergence::poisson(y, target, scale),
            Self::CategoricalHinge => hinge::categorical_hinge(y, target, scale),
            Self::Hinge => hinge::hinge(y, target, scale),
            Self::SquaredHinge => hinge::squared_hinge(y, target, scale),
            Self::MeanSquaredError => regression::mean_squared_error(y, target, scale),
            Self::MeanAbsoluteError => regression::mean_absolute_error(y, target, scale),
            Self::MeanAbsolutePercentageError => regression::mean_absolute_percentage_error(y, target, scale),
            Self::MeanSquaredLogarithmicError => regression::mean_squared_logarithmic_error(y, target, scale),
            Self::Huber(loss) => loss.in_place(y, target, scale),
            Self::LogCosh => regression::log_cosh(y, target, scale),
            Self::CosineSimilarity => similarity::cosine_similarity(y, target, scale),
            Self::Tversky(loss) => loss.in_place(y, target, scale),
            Self::Dice => overlap::dice(y, target, scale),
            Self::Custom(_) => unreachable!("a custom loss is computed where there is room for it"),
        }
    }

    /// Whether it takes logits.
    pub(crate) fn takes_logits(&self) -> bool {
        match self {
            Self::CategoricalCrossentropy(loss) => loss.from_logits,
            Self::SparseCategoricalCrossentropy(loss) => loss.from_logits,
            Self::CategoricalFocalCrossentropy(loss) => loss.from_logits,
            Self::BinaryCrossentropy(loss) => loss.from_logits,
            Self::BinaryFocalCrossentropy(loss) => loss.from_logits,
            _ => false,
        }
    }

    /// The activation at the network's end that is computed together with the loss, from the logits.
    pub(crate) fn joint_activation(&self) -> Option<Activation> {
        match self.end() {
            End::Softmax => Some(Activation::Softmax),
            End::Sigmoid => Some(Activation::Sigmoid),
            _ => None,
        }
    }

    /// The class whose samples do not count.
    pub(crate) fn ignored_class(&self) -> Option<u32> {
        match self {
            Self::SparseCategoricalCrossentropy(loss) => loss.ignore_class,
            _ => None,
        }
    }

    /// What a single output has to exceed to mean class 1.
    pub(crate) fn threshold(&self, from_logits: bool) -> f64 {
        match self {
            Self::Hinge | Self::SquaredHinge => 0.0,
            _ if from_logits => 0.0,
            _ => 0.5,
        }
    }

    fn end(&self) -> End {
        match self {
            Self::CategoricalCrossentropy(_)
            | Self::SparseCategoricalCrossentropy(_)
            | Self::CategoricalFocalCrossentropy(_)
            | Self::BinaryCrossentropy(_)
            | Self::BinaryFocalCrossentropy(_)
                if self.takes_logits() =>
            {
                End::Linear
            }
            Self::BinaryCrossentropy(_) | Self::BinaryFocalCrossentropy(_) => End::Sigmoid,
            Self::CategoricalCrossentropy(_)
            | Self::SparseCategoricalCrossentropy(_)
            | Self::CategoricalFocalCrossentropy(_)
            | Self::KlDivergence => End::Softmax,
            Self::Poisson => End::NotNegative,
            Self::Tversky(_) | Self::Dice => End::Chances,
            _ => End::Any,
        }
    }

    /// Whether it tells one class from others, so that one output is too few.
    fn needs_several_outputs(&self) -> bool {
        matches!(
            self,
            Self::CategoricalCrossentropy(_)
                | Self::SparseCategoricalCrossentropy(_)
                | Self::CategoricalFocalCrossentropy(_)
                | Self::KlDivergence
                | Self::CategoricalHinge
                | Self::CosineSimilarity
        )
    }

    /// Checks its settings, and that the network ends as this loss needs it. The network itself is taken as
    /// [valid](Sequential::validate).
    ///
    /// ```
    /// # use densely::{Dense, Loss, Sequential};
    /// let linear_end = Sequential::new(4).add(Dense::new(3));
    /// assert!(Loss::MeanSquaredError.validate(&linear_end).is_ok());
    /// assert_eq!(
    ///     Loss::Poisson.validate(&linear_end).unwrap_err().to_string(),
    ///     "layer 1 (dense): ends the network with Linear, but Poisson needs values that are not below 0 there, such as those \
    ///      of Exponential or Softplus"
    /// );
    /// ```
    ///
    /// # Errors
    ///
    /// [`DescriptionError::LossSetting`]; [`DescriptionError::LossActivation`] if the last activation is not one that the loss goes with;
    /// [`DescriptionError::LossOutputs`] if a loss that compares outputs meets a single one.
    pub fn validate(&self, network: &Sequential) -> Result<(), Error> {
        self.check_settings(network.outputs()).map_err(OutOfRange::of_loss)?;
        let last = network.layers.len().saturating_sub(1);
        let found = network.layers.last().and_then(|layer| layer.activation());
        if !self.end().is_met_by(found) {
            let kind = network.layers.last().map_or("nothing", |layer| layer.description().kind());
            return Err(DescriptionError::LossActivation {
                layer: network.layer_name(last),
                kind: kind.into(),
                loss: self.clone(),
                found,
            }
            .into());
        }
        if self.needs_several_outputs() && network.outputs() < 2 {
            return Err(DescriptionError::LossOutputs {
                layer: network.layer_name(last),
                loss: self.clone(),
            }
            .into());
        }
        Ok(())
    }

    fn check_settings(&self, outputs: usize) -> Result<(), OutOfRange> {
        match self {
            Self::CategoricalCrossentropy(loss) => loss.check(),
            Self::SparseCategoricalCrossentropy(loss) => loss.check(outputs),
            Self::CategoricalFocalCrossentropy(loss) => loss.check(),
            Self::BinaryCrossentropy(loss) => loss.check(),
            Self::BinaryFocalCrossentropy(loss) => loss.check(),
            Self::Huber(loss) => loss.check(),
            Self::Tversky(loss) => loss.check(),
            _ => Ok(()),
        }
    }

    /// What the network's end should be instead of `found`, for a message.
    pub(crate) fn needed_end(&self, found: Option<Activation>) -> &'static str {
        use Activation::{Linear, Sigmoid, Softmax};
        match (self.end(), found) {
            (End::Linear, Some(Softmax | Sigmoid)) => {
                "Linear there; make it Linear, or set from_logits: false"
            }
            (End::Linear, _) => "Linear there",
            (End::Softmax, Some(Linear)) if *self == Self::KlDivergence => "Softmax there; add it",
            (End::Softmax, Some(Linear)) => "Softmax there; add it, or set from_logits: true",
            (End::Softmax, Some(Sigmoid)) => {
                "Softmax there; for outputs that are each a yes or no take BinaryCrossentropy"
            }
            (End::Softmax, _) => "Softmax there",
            (End::Sigmoid, Some(Linear)) => "Sigmoid there; add it, or set from_logits: true",
            (End::Sigmoid, Some(Softmax)) => {
                "Sigmoid there; for classes that exclude each other take CategoricalCrossentropy"
            }
            (End::Sigmoid, _) => "Sigmoid there",
            (End::Chances, _) => "values between 0 and 1 there, such as those of Sigmoid or Softmax",
            (End::NotNegative, _) => {
                "values that are not below 0 there, such as those of Exponential or Softplus"
            }
            (End::Any, _) => "no particular end",
        }
    }

    /// Checks that the loss can be computed of these data, whose shape is taken as right.
    ///
    /// # Errors
    ///
    /// [`Error::ClassesNeeded`], [`Error::TargetOfLoss`], [`DescriptionError::CustomLoss`].
    pub(crate) fn check_targets(&self, data: &Dataset) -> Result<(), Error> {
        self.refuse_missing_code()?;
        if data.outputs().is_none() {
            return Ok(());
        }
        if let Self::SparseCategoricalCrossentropy(_) = self {
            return Err(Error::ClassesNeeded { what: self.name().to_owned() });
        }
        let Some(Targets { least, greatest, expected }) = self.targets() else {
            return Ok(());
        };
        for sample in 0..data.len() {
            let targets = data.targets(sample).unwrap_or_default();
            if let Some(output) = targets.iter().position(|value| !(least..=greatest).contains(value)) {
                let (value, loss) = (targets[output], self.name().to_owned());
                return Err(Error::TargetOfLoss { sample, output, value, loss, expected });
            }
        }
        Ok(())
    }

    /// # Errors
    ///
    /// [`DescriptionError::CustomLoss`] if this is a custom loss of which there is only the name.
    pub(crate) fn refuse_missing_code(&self) -> Result<(), Error> {
        match self {
            Self::Custom(custom) => custom.function().map(drop),
            _ => Ok(()),
        }
    }

    fn targets(&self) -> Option<Targets> {
        match self {
            Self::CategoricalCrossentropy(_)
            | Self::CategoricalFocalCrossentropy(_)
            | Self::BinaryCrossentropy(_)
            | Self::BinaryFocalCrossentropy(_)
            | Self::KlDivergence
            | Self::CategoricalHinge
            | Self::Tversky(_)
            | Self::Dice => Some(Targets { least: 0.0, greatest: 1.0, expected: "between 0 and 1" }),
            Self::Hinge | Self::SquaredHinge => {
                Some(Targets { least: -1.0, greatest: 1.0, expected: "between -1 and 1" })
            }
            Self::Poisson => Some(Targets { least: 0.0, greatest: f64::INFINITY, expected: "0 or more" }),
            _ => None,
        }
    }
}

impl End {
    fn is_met_by(self, found: Option<Activation>) -> bool {
        use Activation::*;
        let is_chance = matches!(found, Some(Sigmoid | HardSigmoid | SparseSigmoid | Softmax | Sparsemax));
        match self {
            End::Any => true,
            End::Linear => found == Some(Linear),
            End::Softmax => found == Some(Softmax),
            End::Sigmoid => found == Some(Sigmoid),
            End::Chances => is_chance,
            End::NotNegative => {
                let is_rectifier = matches!(
                    found,
                    Some(Relu | Relu6 | Exponential | Softplus | Squareplus { .. } | SparsePlus)
                );
                is_chance || is_rectifier
            }
        }
    }
}
