//! An optimizer's step: from its description to the numbers of one update, and what is done with a gradient.
//!
//! * [`state`]: what an optimizer remembers, and the room that it needs;
//! * `apply`: a gradient that stands in memory, accumulated, clipped and applied tensor by tensor;
//! * `clip`: the three clippings;
//! * `lamb`, `adafactor`, `muon`, `schedule_free`: the rules that look at a whole tensor, and `rprop`. All others are in
//!   `densely_tensor`.

mod adafactor;
mod apply;
mod clip;
mod lamb;
mod muon;
mod rprop;
mod schedule_free;
pub(crate) mod state;
#[cfg(test)]
mod tests;

use crate::layers::WeightShape;
use crate::optimizers::Optimizer;
use crate::parameters::Tensor;
use densely_tensor::{
    Adadelta, Adagrad, Adam, Adamax, Amsgrad, Ftrl, Lion, Nadam, Rmsprop, Scalar, Sgd, Update, sum_of,
};

impl Optimizer {
    /// Update number `t`, counted from 1, at this learning rate, if it is one of `densely_tensor`'s.
    pub(crate) fn element_wise<T: Scalar>(&self, t: u64, rate: f64) -> Option<Update<T>> {
        let scalar = T::from_f64;
        let update = match self {
            Optimizer::Sgd(sgd) => Update::from(Sgd {
                learning_rate: scalar(rate),
                momentum: scalar(sgd.momentum),
                nesterov: sgd.nesterov,
            }),
            Optimizer::Rmsprop(o) => Rmsprop::new(rate, o.rho, o.momentum, o.epsilon, o.centered).into(),
            Optimizer::Adagrad(o) => Update::from(Adagrad {
                learning_rate: scalar(rate),
                initial_accumulator_value: scalar(o.initial_accumulator_value),
                epsilon: scalar(o.epsilon),
            }),
            Optimizer::Adadelta(o) => Adadelta::new(rate, o.rho, o.epsilon).into(),
            Optimizer::Adam(o) => adam(Adam::step(t, rate, o.beta_1, o.beta_2, o.epsilon), o.amsgrad),
            Optimizer::AdamW(o) => adam(Adam::step(t, rate, o.beta_1, o.beta_2, o.epsilon), o.amsgrad),
            Optimizer::Adamax(o) => Adamax::step(t, rate, o.beta_1, o.beta_2, o.epsilon).into(),
            Optimizer::Nadam(o) => Nadam::step(t, rate, o.beta_1, o.beta_2, o.epsilon).into(),
            // No step, where the rule would divide by 0 or next to nothing.
            Optimizer::Ftrl(_) if scalar(rate) < T::MIN_POSITIVE => {
                Sgd { learning_rate: T::ZERO, momentum: T::ZERO, nesterov: false }.into()
            }
            Optimizer::Ftrl(o) => Update::from(Ftrl {
                learning_rate: scalar(rate),
                learning_rate_power: scalar(o.learning_rate_power),
                initial_accumulator_value: scalar(o.initial_accumulator_value),
                l1_regularization_strength: scalar(o.l1_regularization_strength),
                l2_regularization_strength: scalar(o.l2_regularization_strength),
                l2_shrinkage_regularization_strength: scalar(o.l2_shrinkage_regularization_strength),
                beta: scalar(o.beta),
            }),
            Optimizer::Lion(o) => Lion::new(rate, o.beta_1, o.beta_2).into(),
            Optimizer::Lamb(_)
            | Optimizer::Adafactor(_)
            | Optimizer::Muon(_)
            | Optimizer::ScheduleFreeAdamW(_)
            | Optimizer::Rprop(_) => return None,
        };
        Some(update.weight_decay(rate, self.options().weight_decay))
    }

    /// How many numbers it remembers of each parameter.
    pub(crate) fn moments(&self) -> usize {
        self.element_wise::<f64>(1, 1.0).map_or(2, |update| update.moments())
    }

    /// Whether it takes a gradient number by number, so that none has to be in memory as a whole.
    pub(crate) fn is_fused(&self) -> bool {
        let options = self.options();
        let clips = options.clipnorm.or(options.clipvalue).or(options.global_clipnorm).is_some();
        !clips && options.gradient_accumulation_steps.is_none() && self.element_wise::<f64>(1, 1.0).is_some()
    }
}

fn adam<T: Scalar>(step: Adam<T>, amsgrad: bool) -> Update<T> {
    if amsgrad { Amsgrad(step).into() } else { step.into() }
}

/// A tensor's extent, apart from its values.
#[derive(Clone, Copy)]
struct Shape {
    rows: usize,
    columns: usize,
    /// Whether it is one matrix to rules that take matrices.
    is_matrix: bool,
}

impl Shape {
    fn of(tensor: &Tensor) -> Self {
        let (rows, columns) = tensor.shape.rows_and_columns();
        Self { rows, columns, is_matrix: is_kernel(tensor) }
    }
}

/// Whether a tensor is one matrix to rules that take matrices.
fn is_kernel(tensor: &Tensor) -> bool {
    matches!(tensor.shape, WeightShape::Matrix { .. })
}

/// Elements that a pool's thread takes at least.
const PARALLEL_RUN: usize = 4096;

/// The Euclidean norm, in double precision, so that squares of single ones do not overflow.
fn norm<T: Scalar>(values: &[T]) -> f64 {
    sum_of_squares(values).sqrt()
}

fn sum_of_squares<T: Scalar>(values: &[T]) -> f64 {
    sum_of(values.len(), |index| {
        let value = values[index].to_f64();
        value * value
    })
}

/// The root of the mean square.
fn root_mean_square<T: Scalar>(values: &[T]) -> f64 {
    (sum_of_squares(values) / values.len() as f64).sqrt()
}

/// A moment as it is kept: +0 instead of a subnormal number, as in the updates of `densely_tensor`.
fn without_subnormals<T: Scalar>(moment: T) -> T {
    if moment.abs() < T::MIN_POSITIVE { T::ZERO } else { moment }
}

/// `m ← m + rate·(x − m)`, as it is kept.
fn follow<T: Scalar>(moment: &mut T, x: T, rate: T) {
    *moment = without_subnormals(*moment + (x - *moment) * rate);
}
