//! Clipping: gradients kept within bounds.

use super::{norm, sum_of_squares};
use crate::engine::parameters::EngineParameters;
use crate::optimizers::describe::Options;
use densely_tensor::Scalar;

/// Clips the gradient as the options say; at most one of the three ways is set.
pub(super) fn clip<T: Scalar>(options: &Options, gradient: &mut EngineParameters<T>) {
    if let Some(limit) = options.clipnorm {
        for index in 0..gradient.tensors().len() {
            let values = gradient.stored_mut(index);
            let norm = norm(values);
            scale(values, norm, limit);
        }
    } else if let Some(limit) = options.global_clipnorm {
        let tensors = 0..gradient.tensors().len();
        let sum: f64 = tensors.map(|index| sum_of_squares(gradient.stored(index))).sum();
        scale(gradient.values_mut(), sum.sqrt(), limit);
    } else if let Some(limit) = options.clipvalue {
        let limit = T::from_f64(limit);
        for value in gradient.values_mut() {
            *value = if *value > limit {
                limit
            } else if *value < -limit {
                -limit
            } else {
                *value // NaN stays
            };
        }
    }
}

/// Scales values of this norm down to the limit. A norm that is not finite leaves no step that is.
fn scale<T: Scalar>(values: &mut [T], norm: f64, limit: f64) {
    if norm <= limit {
        return;
    }
    let factor = T::from_f64(limit / norm);
    values.iter_mut().for_each(|value| *value = *value * factor);
}
