//! Where on its way a batch met the first value that is infinite or not a number.

use super::buffers::Buffers;
use super::plan::Plan;
use crate::error::NonFinitePlace;
use crate::parameters::{Parameters, Tensor};
use crate::sequential::Sequential;
use densely_tensor::Scalar;

/// Goes the way of the batch that stands in the buffers, layer by layer: a layer's parameters before its output.
pub(crate) fn first_non_finite<T: Scalar>(
    network: &Sequential,
    plan: &Plan<T>,
    parameters: &Parameters<T>,
    buffers: &Buffers<T>,
    samples: usize,
) -> NonFinitePlace {
    for (stage, output) in plan.stages.iter().zip(&buffers.outputs) {
        let layer = || network.walk()[stage.layer].layer_name();
        let mut own = parameters.iter().filter(|(tensor, _)| tensor.layer == stage.layer);
        if let Some((tensor, index)) = own.find_map(non_finite_in) {
            return NonFinitePlace::Parameter { tensor: tensor.name.clone(), index, layer: layer() };
        }
        if output[..stage.units * samples].iter().any(|value| !value.is_finite()) {
            return NonFinitePlace::Output { layer: layer() };
        }
    }
    NonFinitePlace::Loss
}

/// The tensor and the position in it, if it has a value that is not finite.
pub(crate) fn non_finite_in<'t, T: Scalar>(
    (tensor, values): (&'t Tensor, &[T]),
) -> Option<(&'t Tensor, usize)> {
    values.iter().position(|value| !value.is_finite()).map(|index| (tensor, index))
}
