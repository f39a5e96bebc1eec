//! What regularizers add to a loss and to gradients, and constraints behind an update.

use super::buffers::Buffers;
use super::plan::{Kind, Plan};
use crate::parameters::{Parameters, Tensor};
use crate::regularizers::Regularizer;
use densely_tensor::Scalar;

/// The penalties on all that is learned.
pub(crate) fn weight_penalties<T: Scalar>(parameters: &Parameters<T>) -> f64 {
    let penalty = |(tensor, weights): (&Tensor, &[T])| {
        let (rows, columns) = tensor.shape.for_penalties();
        tensor.regularizer.map_or(0.0, |regularizer| regularizer.penalty(weights, rows, columns))
    };
    parameters.iter().filter(|(tensor, _)| tensor.trainable).map(penalty).sum()
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

/// Adds the gradient of the tensor's penalty, if it has one, to that of the loss.
pub(super) fn add_penalty_gradient<T: Scalar>(tensor: &Tensor, weights: &[T], gradient: &mut [T]) {
    if let Some(regularizer) = tensor.regularizer {
        let (rows, columns) = tensor.shape.for_penalties();
        regularizer.add_gradient(weights, rows, columns, gradient);
    }
}

/// Moves the tensor back to its constraint, if it has one.
pub(super) fn constrain<T: Scalar>(parameters: &mut Parameters<T>, index: usize) {
    let tensor = &parameters.tensors()[index];
    if let Some(constraint) = tensor.constraint {
        let (rows, columns) = tensor.shape.for_penalties();
        constraint.apply(parameters.tensor_mut(index), rows, columns);
    }
}
