//! Where on its way a batch met the first value that is infinite or not a number.

use super::buffers::Buffers;
use super::parameters::EngineParameters;
use super::plan::Plan;
use crate::error::NonFinitePlace;
use crate::sequential::Sequential;
use densely_tensor::Scalar;

/// Goes the way of the batch that stands in the buffers, layer by layer: a layer's parameters before its output.
pub(crate) fn first_non_finite<T: Scalar>(
    network: &Sequential,
    plan: &Plan<T>,
    parameters: &EngineParameters<T>,
    buffers: &Buffers<T>,
    samples: usize,
) -> NonFinitePlace {
    for (stage, output) in plan.stages.iter().zip(&buffers.outputs) {
        let layer = || network.walk()[stage.layer].layer_name();
        if let Some((tensor, index)) = non_finite_parameter(parameters, |layer| layer == stage.layer) {
            return NonFinitePlace::Parameter { tensor, index, layer: layer() };
        }
        if output[..stage.layout.len_of(stage.units, samples)].iter().any(|value| !value.is_finite()) {
            return NonFinitePlace::Output { layer: layer() };
        }
    }
    NonFinitePlace::Loss
}

/// The name of the first tensor that has a value that is not finite, and the position in it, among those of some layers.
pub(crate) fn non_finite_parameter<T: Scalar>(
    parameters: &EngineParameters<T>,
    in_layer: impl Fn(usize) -> bool,
) -> Option<(String, usize)> {
    let mut tensors = parameters.tensors().iter().enumerate().filter(|(_, tensor)| in_layer(tensor.layer));
    let (index, tensor) =
        tensors.find(|&(index, _)| parameters.stored(index).iter().any(|value| !value.is_finite()))?;
    let mut values = vec![T::ZERO; tensor.len()];
    parameters.read(index, &mut values);
    let position = values.iter().position(|value| !value.is_finite())?;
    Some((tensor.name.clone(), position))
}
