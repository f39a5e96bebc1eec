//! Backpropagation against differences of losses, for networks of one's own.

use super::Model;
use super::compile::Compile;
use crate::data::Dataset;
use crate::engine::backward::{Target, backward};
use crate::engine::buffers::{Buffers, Position, TrainingBuffers};
use crate::engine::forward::gather;
use crate::engine::parameters::EngineParameters;
use crate::error::{DescriptionError, Error};
use crate::parameters::Parameters;
use densely_tensor::Scalar;
use std::fmt;

/// How [`Model::check_gradient`] compares.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GradientCheck {
    /// Half the distance h between the two points of a difference; above 0. Where it is too small to change a parameter at
    /// all, nothing is right. Default: 1e-6.
    pub step: f64,
    /// How far gradient and difference may be apart, as a share of the difference; at least 0. Default: 1e-6.
    pub relative: f64,
    /// How far they may be apart besides; above 0. Default: 1e-8.
    pub absolute: f64,
    /// How many values of each tensor are looked at, evenly spread; at least 1. Default: all.
    pub values_per_tensor: usize,
}

impl Default for GradientCheck {
    fn default() -> Self {
        Self { step: 1e-6, relative: 1e-6, absolute: 1e-8, values_per_tensor: usize::MAX }
    }
}

/// What [`Model::check_gradient`] found.
#[derive(Clone, Debug, PartialEq)]
pub struct GradientReport {
    /// How many values were looked at.
    pub checked: usize,
    /// The one whose gradient and difference are farthest apart, in units of what is allowed.
    pub worst: GradientError,
    /// The largest absolute value of the gradient. Where it is 0 the check says nothing.
    pub largest: f64,
}

/// One component of a gradient beside the difference of losses.
#[derive(Clone, Debug, PartialEq)]
pub struct GradientError {
    /// The tensor, such as `dense_1.kernel`.
    pub tensor: String,
    /// The position in it, in memory order.
    pub index: usize,
    /// What backpropagation gives.
    pub gradient: f64,
    /// `(L(w + h) − L(w − h)) / 2h`, with the distance that the two points have after rounding in place of 2h.
    pub difference: f64,
    /// `|gradient − difference| / (absolute + relative·|difference|)`; at most 1 is right.
    pub error: f64,
}

impl GradientReport {
    /// Whether every component is within what is allowed, and not all of them are 0.
    pub fn passed(&self) -> bool {
        self.worst.error <= 1.0 && self.largest > 0.0
    }
}

impl fmt::Display for GradientReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let GradientError { tensor, index, gradient, difference, error } = &self.worst;
        write!(
            formatter,
            "{} values, worst {tensor}[{index}]: gradient {gradient:e}, difference {difference:e}, {error:.3} of what \
             is allowed",
            self.checked
        )
    }
}

impl<T: Scalar> Model<T> {
    /// Compares the gradient of backpropagation with central differences of the loss, `(L(w + h) − L(w − h)) / 2h`, one
    /// trainable parameter w after the other, in double precision whatever the model's is. `data` is one batch, whose dropout
    /// masks stay the same. The model is not changed.
    ///
    /// Only gradients with respect to parameters are compared. That with respect to a layer's input is checked as far as the
    /// parameters before the layer depend on it: put a dense layer before the one that is looked at.
    ///
    /// Where the loss has a kink closer than h, as with ReLU or a penalty of absolute values, the two differ though both
    /// are right; other data or initial weights are elsewhere. It takes two forward passes per parameter: a few samples
    /// and narrow layers are enough to find a mistake.
    ///
    /// ```
    /// use densely::{Activation, Compile, Dataset, Dense, GradientCheck, Sequential};
    ///
    /// let data = Dataset::from_floats(2, vec![0.3, -0.2, 0.5, 0.1, -0.4, 0.9], vec![0, 1, 1], 2)?;
    /// let model = Sequential::new(2)
    ///     .add(Dense::new(3).activation(Activation::Tanh))
    ///     .add(Dense::new(2).activation(Activation::Softmax))
    ///     .compile::<f32>(Compile::default())?;
    /// let report = model.check_gradient(&data, GradientCheck::default())?;
    /// assert!(report.passed(), "{report}");
    /// assert_eq!(report.checked, 2 * 3 + 3 + 3 * 2 + 2);
    /// # Ok::<(), densely::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the data do not fit the network, a setting is outside its range, or there is not enough memory;
    /// [`DescriptionError::AllFrozen`] if no parameter is trainable.
    pub fn check_gradient(&self, data: &Dataset, check: GradientCheck) -> Result<GradientReport, Error> {
        check.validate()?;
        self.check_data(data)?;
        Differences::new(self, data)?.compare(check)
    }
}

impl GradientCheck {
    fn validate(&self) -> Result<(), Error> {
        let above_0 = "a finite number above 0";
        let settings = [
            ("step", self.step, self.step > 0.0, above_0),
            ("relative", self.relative, self.relative >= 0.0, "a finite number of at least 0"),
            ("absolute", self.absolute, self.absolute > 0.0, above_0),
        ];
        for (setting, found, in_range, expected) in settings {
            if !in_range || !found.is_finite() {
                return Err(Error::GradientCheck { setting, found, expected });
            }
        }
        match self.values_per_tensor {
            0 => {
                let (setting, expected) = ("values_per_tensor", "at least 1");
                Err(Error::GradientCheck { setting, found: 0.0, expected })
            }
            _ => Ok(()),
        }
    }
}

/// A copy of the model in double precision, with a batch.
struct Differences {
    model: Model<f64>,
    buffers: Buffers<f64>,
    training: TrainingBuffers<f64>,
    samples: usize,
}

impl Differences {
    fn new<T: Scalar>(model: &Model<T>, data: &Dataset) -> Result<Self, Error> {
        let mut parameters = EngineParameters::<f64>::zeros(&model.network)?;
        for (to, from) in parameters.values_mut().iter_mut().zip(model.parameters.values()) {
            *to = from.to_f64();
        }
        let compile: Compile = model.compile.clone();
        let plan = model.network.plan(&compile)?;
        let provenance = model.provenance().clone();
        let model = Model::assemble(model.network.clone(), compile, plan, parameters, provenance);
        let samples = data.len();
        let mut buffers = Buffers::new(&model.plan, samples, data.outputs())?;
        let training = TrainingBuffers::new(&model.plan, samples, model.pool().threads())?;
        let order: Vec<u32> = (0..samples as u32).collect();
        gather(model.pool(), &model.plan, data, &order, &mut buffers)?;
        Ok(Self { model, buffers, training, samples })
    }

    /// The mean loss of the batch.
    fn loss(&mut self) -> f64 {
        self.training.remembered.position =
            Position { seed: self.model.compile.seed, epoch: 1, first_sample: 0 };
        self.model.forward_to_gradient(&mut self.buffers, &mut self.training, self.samples)
    }

    fn gradient(&mut self) -> Result<Parameters<f64>, Error> {
        let mut gradient = EngineParameters::zeros(&self.model.network)?;
        self.loss();
        let Self { model, buffers, training, samples } = self;
        let target = Target::Store { parameters: &model.parameters, gradient: &mut gradient };
        backward(model.pool(), &model.plan, buffers, training, *samples, target);
        let mut described = Parameters::zeros(&self.model.network)?;
        gradient.copy_to_described(&mut described);
        Ok(described)
    }

    fn compare(mut self, check: GradientCheck) -> Result<GradientReport, Error> {
        let gradient = self.gradient()?;
        let mut report: Option<GradientReport> = None;
        for (tensor, (description, gradient)) in gradient.iter().enumerate() {
            if !description.trainable {
                continue;
            }
            let stride = gradient.len().div_ceil(check.values_per_tensor);
            for index in (0..gradient.len()).step_by(stride) {
                let difference = self.difference(tensor, index, check.step);
                let gradient = gradient[index];
                let allowed = check.absolute + check.relative * difference.abs();
                let error = (gradient - difference).abs() / allowed;
                // What is no number is as wrong as can be.
                let error = if error.is_nan() { f64::INFINITY } else { error };
                let found =
                    GradientError { tensor: description.name.clone(), index, gradient, difference, error };
                report = Some(match report {
                    None => GradientReport { checked: 1, worst: found, largest: gradient.abs() },
                    Some(GradientReport { checked, worst, largest }) => GradientReport {
                        checked: checked + 1,
                        worst: if found.error > worst.error { found } else { worst },
                        largest: largest.max(gradient.abs()),
                    },
                });
            }
        }
        report.ok_or(DescriptionError::AllFrozen.into())
    }

    fn difference(&mut self, tensor: usize, index: usize, step: f64) -> f64 {
        let value = *self.model.parameters.element_mut(tensor, index);
        let mut loss_at = |value| {
            *self.model.parameters.element_mut(tensor, index) = value;
            self.loss()
        };
        let (above, below) = (value + step, value - step);
        let difference = loss_at(above) - loss_at(below);
        *self.model.parameters.element_mut(tensor, index) = value;
        // Rounded, the two points are not 2h apart.
        difference / (above - below)
    }
}
