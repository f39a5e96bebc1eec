//! From an optimizer's description to the numbers of one step.

use crate::optimizers::Optimizer;
use densely_tensor::{Adam, Scalar, Sgd, Update};

impl Optimizer {
    /// The update at `step`, counted from 1. Powers are those of the pure-Rust `libm`, the same on every machine.
    pub(crate) fn update<T: Scalar>(&self, step: u64) -> Update<T> {
        let step = step as f64;
        match self {
            Optimizer::Sgd(sgd) => Update::Sgd(Sgd {
                learning_rate: T::from_f64(sgd.learning_rate),
                momentum: T::from_f64(sgd.momentum),
                nesterov: sgd.nesterov,
            }),
            Optimizer::Adam(adam) => {
                let first_correction = 1.0 - libm::pow(adam.beta_1, step);
                let second_correction = 1.0 - libm::pow(adam.beta_2, step);
                Update::Adam(Adam {
                    step_size: T::from_f64(adam.learning_rate * second_correction.sqrt() / first_correction),
                    first_rate: T::from_f64(1.0 - adam.beta_1),
                    second_rate: T::from_f64(1.0 - adam.beta_2),
                    epsilon: T::from_f64(adam.epsilon),
                })
            }
        }
    }
}
