//! From a description to the stages that a pass goes through.

use super::layout::Layout;
use super::loss::Head;
use super::parameters::stored_len;
use crate::activations::Activation;
use crate::layers::{Dense, Kept, LargestOfPieces, Layer, LayerDescription, LayerPass, MaskedProduct};
use crate::losses::Loss;
use crate::parameters::{Tensor, span};
use crate::regularizers::Regularizer;
use crate::sequential::{Placed, Sequential};
use densely_tensor::{DropoutRate, Scalar, TILE_ROWS};
use std::ops::Range;
use std::sync::Arc;

/// One step of a forward pass, with an output buffer of `units` × samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Stage {
    /// Values per sample that enter.
    pub(crate) inputs: usize,
    /// Values per sample that leave.
    pub(crate) units: usize,
    /// How its output lies in memory.
    pub(crate) layout: Layout,
    pub(crate) kind: Kind,
    /// The position in the description of the layer that it comes from.
    pub(crate) layer: usize,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    /// `activation(W·X + b)`, then dropout while training. An activation that keeps its input or looks at all of a sample is
    /// a stage of its own behind this one, and so is dropout behind other activations than ReLU.
    Dense {
        /// The kernel's and the bias's position among the parameter tensors.
        kernel: usize,
        bias: Option<usize>,
        activation: Activation,
        dropout: Option<Dropout>,
        /// Whether exact zeros can be expected of its input, and skipping them pays; it is then looked through for them.
        skips_zeros: bool,
    },
    /// The same values in the other layout.
    Relayout,
    /// `activation(X)`.
    Activation(Activation),
    /// The identity, with a penalty on what passes.
    ActivityRegularization(Regularizer),
    /// Dropout while training, the identity otherwise.
    Dropout(Dropout),
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

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Dropout {
    pub(crate) rate: DropoutRate,
    /// The layer's position in the description, which is part of the key of its random numbers.
    pub(crate) layer: usize,
}

impl Kind {
    /// The scale of the derivative of a stage that ends in ReLU, with dropout or without: it is that where the output is not
    /// 0, and 0 where it is.
    pub(crate) fn scale_of_mask<T: Scalar>(&self) -> Option<T> {
        match self {
            Self::Dense { activation, dropout, .. } if *activation == Activation::Relu => {
                Some(dropout.map_or(T::ONE, |dropout| dropout.rate.scale()))
            }
            _ => None,
        }
    }

    /// The dropout in the stage, if there is one.
    pub(crate) fn dropout(&self) -> Option<Dropout> {
        match self {
            Self::Dense { dropout, .. } => *dropout,
            Self::Dropout(dropout) => Some(*dropout),
            _ => None,
        }
    }
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
    /// What there is to learn and to keep, as in the engine's parameters.
    pub(crate) tensors: Vec<Tensor>,
    /// The first stage with something to learn: no gradient is needed before it.
    pub(crate) first_learning: usize,
    /// How deep blocks with a skip stand in each other.
    pub(crate) blocks: usize,
    /// Room for a gradient that is computed as a whole: of the largest kernel that has a regularizer, or of all tensors of
    /// a pass.
    pub(crate) whole_gradient: usize,
}

impl<T: Scalar> Plan<T> {
    /// The layout in which the stage at `index` gets its values.
    pub(crate) fn layout_before(&self, index: usize) -> Layout {
        index.checked_sub(1).map_or(Layout::Columns, |before| self.stages[before].layout)
    }

    /// The dense stage that takes the network's input as it was gathered, if that is the first thing that happens to it.
    pub(crate) fn takes_input(&self) -> Option<usize> {
        match &self.stages[..] {
            [Stage { kind: Kind::Relayout, .. }, Stage { kind: Kind::Dense { .. }, .. }, ..] => Some(1),
            _ => None,
        }
    }

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
        if let Some(last) = stages.last().copied() {
            push_in_layout(&mut stages, last.units, last.layer, last.layout, Layout::Columns);
        }
        let learns = |stage: &Stage| match stage.kind {
            Kind::Dense { kernel, .. } => tensors[kernel].trainable,
            Kind::Pass(pass) => tensors[passes[pass].tensors.clone()].iter().any(|tensor| tensor.trainable),
            _ => false,
        };
        let first_learning = stages.iter().position(learns).unwrap_or(stages.len());
        let regularized = tensors.iter().filter(|tensor| tensor.regularizer.is_some());
        let regularized = regularized.map(|tensor| stored_len(tensor).unwrap_or(usize::MAX));
        let of_passes = passes.iter().map(|pass| span(&tensors[pass.tensors.clone()]).len());
        let whole_gradient = regularized.chain(of_passes).max().unwrap_or(0);
        let (inputs, outputs) = (network.inputs, network.outputs());
        Self { inputs, outputs, stages, passes, head, tensors, first_learning, blocks, whole_gradient }
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
                    self.add_dropout(inputs, Dropout { rate: DropoutRate::new(dropout.rate), layer });
                }
                Layer::Flatten(_) => {}
                Layer::ActivityRegularization(activity) => {
                    self.add_penalty(inputs, activity.regularizer());
                }
                Layer::Residual(block) => {
                    self.blocks = self.blocks.max(depth + 1);
                    let (start, layout) = (self.stages.len(), self.layout());
                    self.push(inputs, inputs, layout, Kind::SkipStart { depth });
                    self.add_layers(block.layers.len(), placed);
                    self.layer = layer;
                    self.lay_out(inputs, layout);
                    self.push(inputs, inputs, layout, Kind::SkipEnd { depth, start });
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

    fn push(&mut self, inputs: usize, units: usize, layout: Layout, kind: Kind) {
        self.stages.push(Stage { inputs, units, layout, kind, layer: self.layer });
    }

    /// How the values lie that the next stage gets.
    fn layout(&self) -> Layout {
        self.stages.last().map_or(Layout::Columns, |stage| stage.layout)
    }

    /// Sees to it that the next stage gets its values as it needs them.
    fn lay_out(&mut self, units: usize, layout: Layout) {
        let now = self.layout();
        push_in_layout(&mut self.stages, units, self.layer, now, layout);
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
        let apart = dense.activation.keeps_input() || dense.activation.function().is_none();
        let activation = if apart { Activation::Linear } else { dense.activation };
        self.lay_out(inputs, Layout::Tiles);
        let before = self.stages.iter().rev().find(|stage| stage.kind != Kind::Relayout);
        // The network's input may be pixels, which are gathered as nonzeros. Behind another layer, one of few units is computed in
        // less time than zeros are found.
        let skips_zeros = before.is_none_or(|Stage { kind, .. }| {
            let has_zeros = kind.scale_of_mask::<T>().is_some()
                || kind.dropout().is_some()
                || matches!(kind, Kind::Activation(Activation::Relu));
            has_zeros && dense.units >= TILE_ROWS
        });
        let kind = Kind::Dense { kernel, bias, activation, dropout: None, skips_zeros };
        self.push(inputs, dense.units, Layout::Tiles, kind);
        self.add_behind_sums(dense, if apart { dense.activation } else { Activation::Linear });
    }

    /// What follows the sums of a dense layer as stages of their own.
    fn add_behind_sums(&mut self, dense: &Dense, activation: Activation) {
        if activation != Activation::Linear {
            self.push_activation(dense.units, activation);
        }
        if let Some(regularizer) = dense.activity_regularizer {
            self.add_penalty(dense.activation.outputs(dense.units), regularizer);
        }
    }

    /// An activation joins the dense layer before it, if that has none yet.
    fn add_activation(&mut self, inputs: usize, activation: Activation) {
        if !activation.keeps_input()
            && activation.function().is_some()
            && let Some(last) = self.stages.last_mut()
            && let Kind::Dense { activation: linear @ Activation::Linear, .. } = &mut last.kind
        {
            *linear = activation;
            return;
        }
        self.push_activation(inputs, activation);
    }

    /// An activation as a stage of its own.
    fn push_activation(&mut self, inputs: usize, activation: Activation) {
        if activation.function().is_none() {
            self.lay_out(inputs, Layout::Columns); // it looks at all of a sample
        }
        self.push(inputs, activation.outputs(inputs), self.layout(), Kind::Activation(activation));
    }

    /// Dropout joins a dense layer that ends in ReLU: one look at the output then tells what was kept and where the
    /// derivative is not 0.
    fn add_dropout(&mut self, inputs: usize, dropout: Dropout) {
        if let Some(last) = self.stages.last_mut()
            && let Kind::Dense { activation, dropout: none @ None, .. } = &mut last.kind
            && *activation == Activation::Relu
        {
            *none = Some(dropout);
            return;
        }
        self.push(inputs, inputs, self.layout(), Kind::Dropout(dropout));
    }

    fn add_penalty(&mut self, inputs: usize, regularizer: Regularizer) {
        self.lay_out(inputs, Layout::Columns);
        self.push(inputs, inputs, Layout::Columns, Kind::ActivityRegularization(regularizer));
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
        self.lay_out(inputs, Layout::Columns);
        self.push(inputs, units, Layout::Columns, Kind::Pass(self.passes.len()));
        self.passes.push(Pass { layer_pass, tensors, layer: self.layer, kept });
    }
}

/// Adds a stage that brings `units` values a sample from one layout into another, if they differ.
fn push_in_layout(stages: &mut Vec<Stage>, units: usize, layer: usize, from: Layout, to: Layout) {
    if from != to {
        stages.push(Stage { inputs: units, units, layout: to, kind: Kind::Relayout, layer });
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
    use crate::layers;
    use crate::regularizers::L1;

    fn kinds(plan: &Plan<f64>) -> Vec<Kind> {
        plan.stages.iter().map(|stage| stage.kind).collect()
    }

    fn dense(kernel: usize, activation: Activation, skips_zeros: bool) -> Kind {
        Kind::Dense { kernel, bias: Some(kernel + 1), activation, dropout: None, skips_zeros }
    }

    #[test]
    fn activations_join_the_dense_layer_before_them_and_softmax_the_loss() {
        let network = Sequential::new(4)
            .add(Dense::new(3))
            .add(Activation::Tanh)
            .add(Activation::Relu)
            .add(layers::Dropout::new(0.5))
            .add(Dense::new(2).activation(Activation::Softmax));
        let plan = Plan::<f64>::new(&network, &Loss::default());
        assert_eq!(
            kinds(&plan),
            [
                Kind::Relayout,
                dense(0, Activation::Tanh, true),
                Kind::Activation(Activation::Relu),
                Kind::Dropout(Dropout { rate: DropoutRate::new(0.5), layer: 3 }),
                dense(2, Activation::Linear, false),
                Kind::Relayout,
            ]
        );
        assert_eq!(plan.head.activation, Some(Activation::Softmax));
        assert_eq!(plan.takes_input(), Some(1));
    }

    #[test]
    fn dropout_joins_a_dense_layer_that_ends_in_relu() {
        let network = Sequential::new(4)
            .add(Dense::new(3).activation(Activation::Relu))
            .add(layers::Dropout::new(0.5))
            .add(layers::Dropout::new(0.25))
            .add(Dense::new(2));
        let plan = Plan::<f64>::new(&network, &Loss::MeanSquaredError);
        let [first, second] =
            [(0.5, 1), (0.25, 2)].map(|(rate, layer)| Dropout { rate: DropoutRate::new(rate), layer });
        assert_eq!(plan.stages[1].kind.dropout(), Some(first));
        assert_eq!(plan.stages[1].kind.scale_of_mask(), Some(2.0));
        assert_eq!(plan.stages[2].kind, Kind::Dropout(second));
    }

    #[test]
    fn an_activation_that_keeps_its_input_has_a_stage_of_its_own() {
        for (activation, layouts) in
            [(Activation::Gelu, [Layout::Tiles; 2]), (Activation::Sparsemax, [Layout::Columns; 2])]
        {
            let inside = Sequential::new(4).add(Dense::new(3).activation(activation)).add(Dense::new(2));
            let outside = Sequential::new(4).add(Dense::new(3)).add(activation).add(Dense::new(2));
            let [inside, outside] =
                [inside, outside].map(|network| Plan::<f64>::new(&network, &Loss::MeanSquaredError));
            assert_eq!(kinds(&inside), kinds(&outside));
            let found = inside.stages.iter().find(|stage| stage.kind == Kind::Activation(activation));
            assert_eq!(found.map(|stage| (stage.units, stage.layout)), Some((3, layouts[0])));
        }
    }

    #[test]
    fn layers_get_their_values_as_they_need_them() {
        let network = Sequential::new(4)
            .add(layers::BatchNormalization::default())
            .add(Dense::new(3).activation(Activation::Relu))
            .add(layers::LayerNormalization::default())
            .add(Dense::new(2));
        let plan = Plan::<f64>::new(&network, &Loss::MeanSquaredError);
        let layouts: Vec<Layout> = plan.stages.iter().map(|stage| stage.layout).collect();
        use Layout::{Columns, Tiles};
        assert_eq!(layouts, [Columns, Tiles, Tiles, Columns, Columns, Tiles, Tiles, Columns]);
        assert_eq!(plan.takes_input(), None);
    }

    #[test]
    fn a_penalty_on_activity_has_a_stage_behind_the_activation() {
        for activation in [Activation::Linear, Activation::Gelu] {
            let dense = Dense::new(3).activation(activation).activity_regularizer(L1::default());
            let plan = Plan::<f64>::new(
                &Sequential::new(4).add(dense).add(Activation::Relu),
                &Loss::MeanSquaredError,
            );
            let behind = Kind::ActivityRegularization(L1::default().into());
            let kinds = kinds(&plan);
            assert_eq!(kinds[kinds.len() - 2..], [behind, Kind::Activation(Activation::Relu)]);
        }
    }

    #[test]
    fn a_softmax_layer_of_its_own_leaves_the_stages_too() {
        let network =
            Sequential::new(4).add(Dense::new(3).activation(Activation::Relu)).add(Activation::Softmax);
        let has_softmax = |loss: &Loss| {
            kinds(&Plan::<f64>::new(&network, loss)).contains(&Kind::Activation(Activation::Softmax))
        };
        assert!(!has_softmax(&Loss::default()) && has_softmax(&Loss::MeanSquaredError));
    }
}
