//! From an optimizer's description to the numbers of one step.

use crate::optimizers::Optimizer;
use densely_tensor::{Adam, Scalar, Sgd, Update};

impl Optimizer {
    /// The update at `step`, counted from 1.
    pub(crate) fn update<T: Scalar>(&self, step: u64) -> Update<T> {
        match self {
            Optimizer::Sgd(sgd) => Update::from(Sgd {
                learning_rate: T::from_f64(sgd.learning_rate),
                momentum: T::from_f64(sgd.momentum),
                nesterov: sgd.nesterov,
            }),
            Optimizer::Adam(adam) => {
                Adam::step(step, adam.learning_rate, adam.beta_1, adam.beta_2, adam.epsilon).into()
            }
        }
    }
}
