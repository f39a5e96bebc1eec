//! What regularizers add to a loss and to gradients, and constraints behind an update.

use super::buffers::Buffers;
use super::parameters::{EngineParameters, MatrixRoom};
use super::plan::{Kind, Plan};
use crate::parameters::Tensor;
use crate::regularizers::Regularizer;
use densely_tensor::Scalar;

/// Whether a constraint or a penalty takes the tensor as the matrix that it is, and not number by number.
pub(crate) fn takes_a_matrix(tensor: &Tensor) -> bool {
    tensor.constraint.is_some() || compares_units(tensor)
}

/// Whether the penalty on the tensor compares its units with each other.
pub(crate) fn compares_units(tensor: &Tensor) -> bool {
    matches!(tensor.regularizer, Some(Regularizer::Orthogonal(_)))
}

/// The penalties on all that is learned.
pub(crate) fn weight_penalties<T: Scalar>(
    parameters: &EngineParameters<T>,
    matrices: &mut MatrixRoom<T>,
) -> f64 {
    let mut sum = 0.0;
    for (index, tensor) in parameters.tensors().iter().enumerate().filter(|(_, tensor)| tensor.trainable) {
        sum += match tensor.regularizer {
            None => 0.0,
            Some(regularizer @ Regularizer::Orthogonal(_)) => {
                let (rows, columns) = tensor.shape.for_penalties();
                let penalty = |weights: &[T]| regularizer.penalty(weights, rows, columns);
                matrices.look(tensor, parameters.stored(index), penalty)
            }
            Some(regularizer) => {
                let weights = parameters.stored(index);
                regularizer.penalty(weights, 1, weights.len())
            }
        };
    }
    sum
}

/// The penalties on the outputs that stand in the buffers, not yet divided by the number of samples.
pub(crate) fn activity_penalties<T: Scalar>(plan: &Plan<T>, buffers: &Buffers<T>, samples: usize) -> f64 {
    let mut sum = 0.0;
    for (stage, output) in plan.stages.iter().zip(&buffers.outputs) {
        if let Kind::ActivityRegularization(regularizer) = stage.kind {
            sum += regularizer.penalty(&output[..stage.units * samples], stage.units, samples);
        }
    }
    sum
}

/// Adds the same to a sum in the order of the samples, so that it does not matter how they are cut into batches: except to
/// an orthogonal penalty, which is one of the batch.
pub(crate) fn add_activity_penalties<T: Scalar>(
    plan: &Plan<T>,
    buffers: &Buffers<T>,
    samples: usize,
    sum: &mut f64,
) {
    let penalties = || {
        plan.stages.iter().zip(&buffers.outputs).filter_map(|(stage, output)| match stage.kind {
            Kind::ActivityRegularization(regularizer) => Some((regularizer, stage.units, output)),
            _ => None,
        })
    };
    let is_of_the_batch = |regularizer: &Regularizer| matches!(regularizer, Regularizer::Orthogonal(_));
    for sample in 0..samples {
        for (regularizer, units, output) in
            penalties().filter(|(regularizer, ..)| !is_of_the_batch(regularizer))
        {
            *sum += regularizer.penalty(&output[units * sample..units * (sample + 1)], units, 1);
        }
    }
    for (regularizer, units, output) in penalties().filter(|(regularizer, ..)| is_of_the_batch(regularizer)) {
        *sum += regularizer.penalty(&output[..units * samples], units, samples);
    }
}

/// Adds the gradient of the tensor's penalty, if it has one, to that of the loss, which is stored as the tensor is.
pub(super) fn add_penalty_gradient<T: Scalar>(
    parameters: &EngineParameters<T>,
    index: usize,
    gradient: &mut [T],
    matrices: &mut MatrixRoom<T>,
) {
    let (tensor, weights) = (&parameters.tensors()[index], parameters.stored(index));
    match tensor.regularizer {
        None => {}
        Some(regularizer @ Regularizer::Orthogonal(_)) => {
            let (rows, columns) = tensor.shape.for_penalties();
            matrices.change_gradient(tensor, weights, gradient, |weights, gradient| {
                regularizer.add_gradient(weights, rows, columns, gradient);
            });
        }
        Some(regularizer) => regularizer.add_gradient(weights, 1, weights.len(), gradient),
    }
}

/// Moves the tensor back to its constraint, if it has one.
pub(super) fn constrain<T: Scalar>(
    parameters: &mut EngineParameters<T>,
    index: usize,
    matrices: &mut MatrixRoom<T>,
) {
    if parameters.tensors()[index].constraint.is_some() {
        let range = parameters.range(index);
        let (tensors, values) = parameters.parts_mut();
        constrain_values(&tensors[index], &mut values[range], matrices);
    }
}

/// Moves values to the constraint of their tensor, if it has one; they are stored as the tensor is.
pub(super) fn constrain_values<T: Scalar>(tensor: &Tensor, values: &mut [T], matrices: &mut MatrixRoom<T>) {
    if let Some(constraint) = tensor.constraint {
        let (rows, columns) = tensor.shape.for_penalties();
        matrices.change(tensor, values, |values| constraint.apply(values, rows, columns));
    }
}
