//! What a layer does with a batch: the one interface of all layers but the dense one, dropout and activations, which the
//! engine runs itself, and of the layers of other crates.

use crate::layers::description::LayerDescription;
use crate::parameters::Tensor;
use crate::random::{Purpose, stream};
use densely_tensor::{MatMut, MatRef, Pool, Scalar};
use rand_chacha::ChaCha8Rng;

/// A layer's forward and backward pass over a batch in precision `T`.
///
/// Passes allocate nothing, and give the same bits whatever the number of threads: they divide their outputs among the
/// threads of the pool ([`Pool::for_each_part`]), never the terms of a sum.
pub trait LayerPass<T: Scalar>: Send + Sync {
    /// Computes the output from the input, in training or not. Outside of training a sample's output should depend on that sample
    /// alone: evaluation and prediction take samples through the network in groups of their own choice.
    fn forward(&self, pass: Forward<'_, T>);

    /// Computes, from the gradient of the loss with respect to the output, those with respect to each weight and, if
    /// anything before the layer learns, with respect to the input.
    fn backward(&self, pass: Backward<'_, T>);

    /// Changes weights that are not learned, such as moving averages, after each training step: `kept` is what the forward
    /// pass kept and the backward pass has not written over. Default: nothing.
    fn after_step(&self, weights: WeightsMut<'_, T>, kept: KeptMut<'_, T>) {
        let _ = (weights, kept);
    }
}

/// A layer of another crate: anything that describes itself and has a pass in both precisions. Nobody implements this
/// trait by itself.
pub trait CustomLayer: LayerDescription + LayerPass<f32> + LayerPass<f64> {}

impl<L: LayerDescription + LayerPass<f32> + LayerPass<f64>> CustomLayer for L {}

/// What a forward pass works with.
pub struct Forward<'a, T: Scalar> {
    /// What divides the work.
    pub pool: &'a Pool,
    /// The layer's weights.
    pub weights: Weights<'a, T>,
    /// Inputs × samples.
    pub input: MatRef<'a, T>,
    /// Outputs × samples, to be written.
    pub output: MatMut<'a, T>,
    /// Room and random numbers; `None` in evaluation and prediction.
    pub training: Option<Training<'a, T>>,
}

/// What a forward pass has besides while training.
pub struct Training<'a, T: Scalar> {
    /// What the backward pass will see, to be written.
    pub kept: KeptMut<'a, T>,
    /// Random numbers for noise.
    pub random: RandomSource,
}

/// What a backward pass works with.
pub struct Backward<'a, T: Scalar> {
    /// What divides the work.
    pub pool: &'a Pool,
    /// The layer's weights.
    pub weights: Weights<'a, T>,
    /// Inputs × samples.
    pub input: MatRef<'a, T>,
    /// What the forward pass put out: outputs × samples.
    pub output: MatRef<'a, T>,
    /// What the forward pass kept; what is not needed any more may be written over.
    pub kept: KeptMut<'a, T>,
    /// The same random numbers as in the forward pass.
    pub random: RandomSource,
    /// The gradient with respect to the output: outputs × samples.
    pub output_gradient: MatRef<'a, T>,
    /// The gradient with respect to the input, every element to be written (there are leftovers in it): inputs × samples;
    /// `None` if nobody needs it.
    pub input_gradient: Option<MatMut<'a, T>>,
    /// The gradient with respect to each weight, every element to be written (there are leftovers in it).
    pub weight_gradients: WeightsMut<'a, T>,
}

/// The tensors of one layer, in the order of its [description](LayerDescription::weights).
#[derive(Clone, Copy, Debug)]
pub struct Weights<'a, T> {
    tensors: &'a [Tensor],
    /// From the first of them on.
    values: &'a [T],
}

impl<'a, T> Weights<'a, T> {
    pub(crate) fn new(tensors: &'a [Tensor], values: &'a [T]) -> Self {
        Self { tensors, values }
    }

    /// The values of the layer's tensor at `index`.
    ///
    /// # Panics
    ///
    /// If the layer does not describe so many.
    #[track_caller]
    pub fn get(&self, index: usize) -> &'a [T] {
        &self.values[place(self.tensors, index)]
    }
}

/// [`Weights`] to be changed, or their gradients.
#[derive(Debug)]
pub struct WeightsMut<'a, T> {
    tensors: &'a [Tensor],
    values: &'a mut [T],
}

impl<'a, T> WeightsMut<'a, T> {
    pub(crate) fn new(tensors: &'a [Tensor], values: &'a mut [T]) -> Self {
        Self { tensors, values }
    }

    /// The values of the layer's tensor at `index`.
    ///
    /// # Panics
    ///
    /// If the layer does not describe so many.
    #[track_caller]
    pub fn get_mut(&mut self, index: usize) -> &mut [T] {
        &mut self.values[place(self.tensors, index)]
    }
}

/// Where a layer's tensor stands among the values of its layer.
#[track_caller]
fn place(tensors: &[Tensor], index: usize) -> std::ops::Range<usize> {
    let first = tensors.first().map_or(0, |tensor| tensor.range().start);
    let range = tensors[index].range();
    range.start - first..range.end - first
}

/// What a layer keeps from its forward to its backward pass; see [`Kept`](crate::layers::Kept).
pub struct KeptMut<'a, T: Scalar> {
    /// So many numbers per sample × samples.
    pub samples: MatMut<'a, T>,
    /// Numbers of the batch.
    pub batch: &'a mut [T],
}

/// The random numbers of one layer in one epoch. A sample has its own, whatever batch it is in.
#[derive(Clone, Copy, Debug)]
pub struct RandomSource {
    pub(crate) seed: u64,
    /// From 1.
    pub(crate) epoch: u64,
    /// The layer's position in the network.
    pub(crate) layer: usize,
    /// How many samples of the epoch came before the batch.
    pub(crate) first_sample: usize,
}

impl RandomSource {
    /// The random numbers of the batch's sample at `index`: at most 2³² words of 32 bits.
    pub fn sample(&self, index: usize) -> ChaCha8Rng {
        self.words(index, 0)
    }

    /// The same from word number `word` on.
    pub(crate) fn words(&self, index: usize, word: u64) -> ChaCha8Rng {
        let mut generator = stream(self.seed, Purpose::Noise, self.epoch, self.layer as u64);
        let sample = (self.first_sample + index) as u128;
        generator.set_word_pos((sample << 32) + u128::from(word));
        generator
    }
}
