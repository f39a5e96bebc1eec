//! What regularizers add to a loss and to gradients, and constraints behind an update.

use super::buffers::Buffers;
use super::plan::{Kind, Plan};
use crate::parameters::{Parameters, Role, Tensor};
use densely_tensor::Scalar;

/// The penalties on all kernels and biases.
pub(crate) fn weight_penalties<T: Scalar>(parameters: &Parameters<T>) -> f64 {
    let penalty = |(tensor, weights): (&Tensor, &[T])| {
        let (rows, columns) = shape_of(tensor);
        tensor.regularizer.map_or(0.0, |regularizer| regularizer.penalty(weights, rows, columns))
    };
    parameters.iter().map(penalty).sum()
}

/// The penalties on the outputs that stand in the buffers, not yet divided by the number of samples.
pub(crate) fn activity_penalties<T: Scalar>(plan: &Plan, buffers: &Buffers<T>, samples: usize) -> f64 {
    let mut sum = 0.0;
    for (stage, output) in plan.stages.iter().zip(&buffers.outputs) {
        if let Kind::ActivityRegularization(regularizer) = stage.kind {
            sum += regularizer.penalty(&output[..stage.units * samples], stage.units, samples);
        }
    }
    sum
}

/// Adds the gradient of the tensor's penalty, if it has one, to that of the loss.
pub(super) fn add_penalty_gradient<T: Scalar>(tensor: &Tensor, weights: &[T], gradient: &mut [T]) {
    if let Some(regularizer) = tensor.regularizer {
        let (rows, columns) = shape_of(tensor);
        regularizer.add_gradient(weights, rows, columns, gradient);
    }
}

/// Moves the tensor back to its constraint, if it has one.
pub(super) fn constrain<T: Scalar>(parameters: &mut Parameters<T>, index: usize) {
    let tensor = &parameters.tensors()[index];
    if let Some(constraint) = tensor.constraint {
        let (rows, columns) = shape_of(tensor);
        constraint.apply(parameters.tensor_mut(index), rows, columns);
    }
}

/// Rows and columns as regularizers and constraints take them: those of a kernel, and a bias lying down.
pub(super) fn shape_of(tensor: &Tensor) -> (usize, usize) {
    match tensor.role {
        Role::Kernel => (tensor.rows, tensor.columns),
        Role::Bias => (1, tensor.rows),
    }
}
