//! From a description to the stages that a pass goes through.

use super::loss::Head;
use crate::activations::Activation;
use crate::layers::{Dense, Kept, LargestOfPieces, Layer, LayerDescription, LayerPass, MaskedProduct};
use crate::losses::Loss;
use crate::parameters::{Tensor, span};
use crate::regularizers::Regularizer;
use crate::sequential::{Placed, Sequential};
use densely_tensor::{DropoutRate, Scalar};
use std::ops::Range;
use std::sync::Arc;

/// One step of a forward pass, with an output buffer of `units` × samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Stage {
    /// Values per sample that enter.
    pub(crate) inputs: usize,
    /// Values per sample that leave.
    pub(crate) units: usize,
    pub(crate) kind: Kind,
    /// The position in the description of the layer that it comes from.
    pub(crate) layer: usize,
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
    /// Whatever the plan's pass at this position does.
    Pass(usize),
    /// The identity, where a block with a skip begins: its input is added to its output at the end.
    SkipStart {
        /// How deep the block stands in others.
        depth: usize,
    },
    /// The sum of the block's last output and its input, which is the output of stage `start`.
    SkipEnd { depth: usize, start: usize },
}

/// What runs a layer that the engine does not know.
pub(crate) struct Pass<T> {
    pub(crate) layer_pass: Arc<dyn LayerPass<T>>,
    /// The layer's tensors among the parameters.
    pub(crate) tensors: Range<usize>,
    /// The layer's position in the description, which is part of the key of its random numbers.
    pub(crate) layer: usize,
    pub(crate) kept: Kept,
}

/// The stages of a network, and what stands at its end.
pub(crate) struct Plan<T> {
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
    pub(crate) stages: Vec<Stage>,
    pub(crate) passes: Vec<Pass<T>>,
    pub(crate) head: Head,
    /// The first stage with something to learn: no gradient is needed before it.
    pub(crate) first_learning: usize,
    /// How deep blocks with a skip stand in each other.
    pub(crate) blocks: usize,
    /// Room for a gradient that is computed as a whole: of the largest kernel that has a regularizer, or of all tensors of
    /// a pass.
    pub(crate) whole_gradient: usize,
}

impl<T: Scalar> Plan<T> {
    /// Plans a valid network with a loss that goes with it.
    pub(crate) fn new(network: &Sequential, loss: &Loss) -> Self {
        let tensors = Tensor::all(network);
        let mut builder =
            Builder { tensors: &tensors, layer: 0, stages: Vec::new(), passes: Vec::new(), blocks: 0 };
        let mut placed = network.walk().into_iter().enumerate();
        builder.add_layers(network.layers.len(), &mut placed);
        let Builder { mut stages, passes, blocks, .. } = builder;
        let head = Head::new(loss);
        if head.activation.is_some() {
            remove_final_activation(&mut stages);
        }
        let learns = |stage: &Stage| match stage.kind {
            Kind::Dense { kernel, .. } => tensors[kernel].trainable,
            Kind::Pass(pass) => tensors[passes[pass].tensors.clone()].iter().any(|tensor| tensor.trainable),
            _ => false,
        };
        let first_learning = stages.iter().position(learns).unwrap_or(stages.len());
        let regularized = tensors.iter().filter(|tensor| tensor.regularizer.is_some()).map(Tensor::len);
        let of_passes = passes.iter().map(|pass| span(&tensors[pass.tensors.clone()]).len());
        let whole_gradient = regularized.chain(of_passes).max().unwrap_or(0);
        let (inputs, outputs) = (network.inputs, network.outputs());
        Self { inputs, outputs, stages, passes, head, first_learning, blocks, whole_gradient }
    }
}

/// Stages in the making.
struct Builder<'a, T> {
    tensors: &'a [Tensor],
    /// The position in the description of the layer whose stages are being added.
    layer: usize,
    stages: Vec<Stage>,
    passes: Vec<Pass<T>>,
    blocks: usize,
}

impl<T: Scalar> Builder<'_, T> {
    /// Adds the next `count` layers of a chain, and the layers in them.
    fn add_layers<'n>(&mut self, count: usize, placed: &mut impl Iterator<Item = (usize, Placed<'n>)>) {
        for _ in 0..count {
            let (layer, Placed { inputs, depth, layer: described, .. }) =
                placed.next().expect("the walk goes through every layer");
            self.layer = layer;
            match described {
                Layer::Dense(dense) => self.add_dense(inputs, dense),
                Layer::Activation(activation) => self.add_activation(inputs, *activation),
                Layer::Dropout(dropout) => {
                    self.push(inputs, inputs, Kind::Dropout { rate: DropoutRate::new(dropout.rate), layer });
                }
                Layer::Flatten(_) => {}
                Layer::ActivityRegularization(activity) => {
                    let kind = Kind::ActivityRegularization(activity.regularizer());
                    self.push(inputs, inputs, kind);
                }
                Layer::Residual(block) => {
                    self.blocks = self.blocks.max(depth + 1);
                    let start = self.stages.len();
                    self.push(inputs, inputs, Kind::SkipStart { depth });
                    self.add_layers(block.layers.len(), placed);
                    self.layer = layer;
                    self.push(inputs, inputs, Kind::SkipEnd { depth, start });
                }
                Layer::Maxout(maxout) => {
                    let dense = maxout.dense();
                    self.add_dense(inputs, &dense);
                    let largest = Arc::new(LargestOfPieces { pieces: maxout.pieces });
                    self.add_pass(0..0, Kept::default(), largest, dense.units, maxout.units);
                }
                Layer::DropConnect(drop_connect) => {
                    let Dense { units, activation, use_bias, .. } = drop_connect.dense;
                    let rate = DropoutRate::new(drop_connect.rate);
                    let product = MaskedProduct { rate, units, use_bias };
                    let (tensors, kept) = (self.own_tensors(), product.kept(inputs));
                    self.add_pass(tensors, kept, Arc::new(product), inputs, units);
                    self.add_behind_sums(&drop_connect.dense, activation);
                }
                Layer::AlphaDropout(noise) => self.add_own_pass(inputs, noise),
                Layer::GaussianDropout(noise) => self.add_own_pass(inputs, noise),
                Layer::GaussianNoise(noise) => self.add_own_pass(inputs, noise),
                Layer::BatchNormalization(normalization) => self.add_own_pass(inputs, normalization),
                Layer::LayerNormalization(normalization) => self.add_own_pass(inputs, normalization),
                Layer::RmsNormalization(normalization) => self.add_own_pass(inputs, normalization),
                Layer::UnitNormalization(normalization) => self.add_own_pass(inputs, normalization),
                Layer::Normalization(normalization) => self.add_own_pass(inputs, normalization),
                Layer::Rescaling(rescaling) => self.add_own_pass(inputs, rescaling),
                Layer::PRelu(rectifier) => self.add_own_pass(inputs, rectifier),
                Layer::Custom(custom) => {
                    let pass = custom.pass().expect("a valid network has the code of its custom layers");
                    let (tensors, kept) = (self.own_tensors(), custom.kept(inputs));
                    self.add_pass(tensors, kept, pass, inputs, custom.outputs(inputs));
                }
            }
        }
    }

    fn push(&mut self, inputs: usize, units: usize, kind: Kind) {
        self.stages.push(Stage { inputs, units, kind, layer: self.layer });
    }

    /// Where the layer's tensors stand among all.
    fn own_tensors(&self) -> Range<usize> {
        let start = self.tensors.partition_point(|tensor| tensor.layer < self.layer);
        let end = self.tensors.partition_point(|tensor| tensor.layer <= self.layer);
        start..end
    }

    fn add_dense(&mut self, inputs: usize, dense: &Dense) {
        let Range { start: kernel, end } = self.own_tensors();
        let bias = (end - kernel > 1).then_some(kernel + 1);
        let apart = dense.activation.keeps_input();
        let activation = if apart { Activation::Linear } else { dense.activation };
        self.push(inputs, dense.units, Kind::Dense { kernel, bias, activation });
        self.add_behind_sums(dense, if apart { dense.activation } else { Activation::Linear });
    }

    /// What follows the sums of a dense layer as stages of their own.
    fn add_behind_sums(&mut self, dense: &Dense, activation: Activation) {
        if activation != Activation::Linear {
            self.push(dense.units, activation.outputs(dense.units), Kind::Activation(activation));
        }
        if let Some(regularizer) = dense.activity_regularizer {
            let units = dense.activation.outputs(dense.units);
            self.push(units, units, Kind::ActivityRegularization(regularizer));
        }
    }

    /// An activation joins the dense layer before it, if that has none yet.
    fn add_activation(&mut self, inputs: usize, activation: Activation) {
        if !activation.keeps_input()
            && let Some(last) = self.stages.last_mut()
            && let Kind::Dense { activation: linear @ Activation::Linear, .. } = &mut last.kind
        {
            *linear = activation;
            return;
        }
        self.push(inputs, activation.outputs(inputs), Kind::Activation(activation));
    }

    /// A layer that is its own pass.
    fn add_own_pass<L>(&mut self, inputs: usize, described: &L)
    where
        L: LayerDescription + LayerPass<T> + Clone + 'static,
    {
        let (tensors, kept) = (self.own_tensors(), described.kept(inputs));
        let pass = Arc::new(described.clone());
        self.add_pass(tensors, kept, pass, inputs, described.outputs(inputs));
    }

    fn add_pass(
        &mut self,
        tensors: Range<usize>,
        kept: Kept,
        layer_pass: Arc<dyn LayerPass<T>>,
        inputs: usize,
        units: usize,
    ) {
        self.push(inputs, units, Kind::Pass(self.passes.len()));
        self.passes.push(Pass { layer_pass, tensors, layer: self.layer, kept });
    }
}

/// Takes softmax or sigmoid from the end: loss and activation are computed together from the logits, which is exact where a
/// probability would round to 0, and their joint gradient is one subtraction.
fn remove_final_activation(stages: &mut Vec<Stage>) {
    match stages.last_mut().map(|stage| &mut stage.kind) {
        Some(Kind::Dense { activation, .. }) => *activation = Activation::Linear,
        Some(Kind::Activation(_)) => drop(stages.pop()),
        _ => {
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
        let plan = Plan::<f64>::new(&network, &Loss::default());
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
                [inside, outside].map(|network| Plan::<f64>::new(&network, &Loss::MeanSquaredError));
            let stage = |layer| Stage { inputs: 3, units: 3, kind: Kind::Activation(activation), layer };
            assert_eq!((inside.stages[1], outside.stages[1]), (stage(0), stage(1)));
            let kinds = |plan: &Plan<f64>| plan.stages.iter().map(|stage| stage.kind).collect::<Vec<_>>();
            assert_eq!(kinds(&inside), kinds(&outside));
            assert_eq!(inside.stages.len(), 3);
        }
    }

    #[test]
    fn a_penalty_on_activity_has_a_stage_behind_the_activation() {
        for (activation, stages) in [(Activation::Linear, 3), (Activation::Gelu, 4)] {
            let dense = Dense::new(3).activation(activation).activity_regularizer(L1::default());
            let plan = Plan::<f64>::new(
                &Sequential::new(4).add(dense).add(Activation::Relu),
                &Loss::MeanSquaredError,
            );
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
        assert_eq!(Plan::<f64>::new(&network, &Loss::default()).stages.len(), 1);
        assert_eq!(Plan::<f64>::new(&network, &Loss::MeanSquaredError).stages.len(), 2);
    }
}
