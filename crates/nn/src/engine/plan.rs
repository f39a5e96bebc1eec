//! From a description to the stages that a pass goes through.

use super::loss::Head;
use crate::activations::Activation;
use crate::layers::{Dense, Layer};
use crate::losses::Loss;
use crate::parameters::{Role, Tensor};
use crate::regularizers::Regularizer;
use crate::sequential::Sequential;
use densely_tensor::DropoutRate;

/// One step of a forward pass, with an output buffer of `units` × samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Stage {
    /// Values per sample that enter.
    pub(crate) inputs: usize,
    /// Values per sample that leave.
    pub(crate) units: usize,
    pub(crate) kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    /// `activation(W·X + b)`; an activation that keeps its input is a stage of its own behind this one.
    Dense {
        /// The kernel's and the bias's position among the parameter tensors.
        kernel: usize,
        bias: Option<usize>,
        activation: Activation,
    },
    /// `activation(X)`.
    Activation(Activation),
    /// The identity, with a penalty on what passes.
    ActivityRegularization(Regularizer),
    /// Dropout while training, the identity otherwise.
    Dropout {
        rate: DropoutRate,
        /// The layer's position in the description, which is part of the key of its random numbers.
        layer: usize,
    },
}

/// The stages of a network, and what stands at its end.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Plan {
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
    pub(crate) stages: Vec<Stage>,
    pub(crate) head: Head,
    /// Weights of the largest kernel that has a regularizer.
    pub(crate) regularized: usize,
}

impl Plan {
    /// Plans a valid network with a loss that goes with it.
    pub(crate) fn new(network: &Sequential, loss: &Loss) -> Plan {
        let tensors = Tensor::all(network);
        let tensor =
            |layer, role| tensors.iter().position(|tensor| tensor.layer == layer && tensor.role == role);
        let mut stages: Vec<Stage> = Vec::new();
        for (layer, (inputs, description)) in network.layers_with_inputs().enumerate() {
            let kind = match description {
                Layer::Dense(dense) => {
                    let Dense { units, activation, activity_regularizer, .. } = *dense;
                    let apart = activation.keeps_input();
                    let kind = Kind::Dense {
                        kernel: tensor(layer, Role::Kernel).expect("every dense layer has a kernel"),
                        bias: tensor(layer, Role::Bias),
                        activation: if apart { Activation::Linear } else { activation },
                    };
                    stages.push(Stage { inputs, units, kind });
                    let behind = apart.then_some(Kind::Activation(activation)).into_iter();
                    let behind = behind.chain(activity_regularizer.map(Kind::ActivityRegularization));
                    let outputs = activation.outputs(units);
                    for kind in behind {
                        let inputs = stages.last().map_or(units, |stage| stage.units);
                        stages.push(Stage { inputs, units: outputs, kind });
                    }
                    continue;
                }
                Layer::Activation(activation) => {
                    if !activation.keeps_input()
                        && let Some(last) = stages.last_mut()
                        && let Kind::Dense { activation: linear @ Activation::Linear, .. } = &mut last.kind
                    {
                        *linear = *activation;
                        continue;
                    }
                    Kind::Activation(*activation)
                }
                Layer::Dropout(dropout) => Kind::Dropout { rate: DropoutRate::new(dropout.rate), layer },
            };
            stages.push(Stage { inputs, units: description.outputs(inputs), kind });
        }
        let head = Head::new(loss);
        if head.activation.is_some() {
            remove_final_activation(&mut stages);
        }
        let regularized = tensors.iter().filter(|tensor| tensor.regularizer.is_some());
        let regularized = regularized.map(Tensor::len).max().unwrap_or(0);
        Plan { inputs: network.inputs, outputs: network.outputs(), stages, head, regularized }
    }
}

/// Takes softmax or sigmoid from the end: loss and activation are computed together from the logits, which is exact where a
/// probability would round to 0, and their joint gradient is one subtraction.
fn remove_final_activation(stages: &mut Vec<Stage>) {
    match stages.last_mut().map(|stage| &mut stage.kind) {
        Some(Kind::Dense { activation, .. }) => *activation = Activation::Linear,
        Some(Kind::Activation(_)) => drop(stages.pop()),
        Some(Kind::ActivityRegularization(_) | Kind::Dropout { .. }) | None => {
            unreachable!("the loss was checked to meet this activation at the end")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::Dropout;
    use crate::regularizers::L1;

    #[test]
    fn activations_join_the_dense_layer_before_them_and_softmax_the_loss() {
        let network = Sequential::new(4)
            .add(Dense::new(3))
            .add(Activation::Tanh)
            .add(Activation::Relu)
            .add(Dropout::new(0.5))
            .add(Dense::new(2).use_bias(false).activation(Activation::Softmax));
        let plan = Plan::new(&network, &Loss::default());
        let kinds: Vec<Kind> = plan.stages.iter().map(|stage| stage.kind).collect();
        assert_eq!(
            kinds,
            [
                Kind::Dense { kernel: 0, bias: Some(1), activation: Activation::Tanh },
                Kind::Activation(Activation::Relu),
                Kind::Dropout { rate: DropoutRate::new(0.5), layer: 3 },
                Kind::Dense { kernel: 2, bias: None, activation: Activation::Linear },
            ]
        );
        assert_eq!(plan.head.activation, Some(Activation::Softmax));
    }

    #[test]
    fn an_activation_that_keeps_its_input_has_a_stage_of_its_own() {
        for activation in [Activation::Gelu, Activation::Sparsemax] {
            let inside = Sequential::new(4).add(Dense::new(3).activation(activation)).add(Dense::new(2));
            let outside = Sequential::new(4).add(Dense::new(3)).add(activation).add(Dense::new(2));
            let [inside, outside] =
                [inside, outside].map(|network| Plan::new(&network, &Loss::MeanSquaredError));
            assert_eq!(inside, outside);
            assert_eq!(inside.stages[1], Stage { inputs: 3, units: 3, kind: Kind::Activation(activation) });
            assert_eq!(inside.stages.len(), 3);
        }
    }

    #[test]
    fn a_penalty_on_activity_has_a_stage_behind_the_activation() {
        for (activation, stages) in [(Activation::Linear, 3), (Activation::Gelu, 4)] {
            let dense = Dense::new(3).activation(activation).activity_regularizer(L1::default());
            let plan =
                Plan::new(&Sequential::new(4).add(dense).add(Activation::Relu), &Loss::MeanSquaredError);
            let kinds: Vec<Kind> = plan.stages.iter().map(|stage| stage.kind).collect();
            let behind = Kind::ActivityRegularization(L1::default().into());
            assert_eq!(kinds[stages - 2..], [behind, Kind::Activation(Activation::Relu)]);
            assert_eq!(kinds.len(), stages);
        }
    }

    #[test]
    fn a_softmax_layer_of_its_own_leaves_the_stages_too() {
        let network =
            Sequential::new(4).add(Dense::new(3).activation(Activation::Relu)).add(Activation::Softmax);
        assert_eq!(Plan::new(&network, &Loss::default()).stages.len(), 1);
        assert_eq!(Plan::new(&network, &Loss::MeanSquaredError).stages.len(), 2);
    }
}
