//! DropConnect.

use crate::error::{Error, LayerName};
use crate::layers::dense::Dense;
use crate::layers::description::{Kept, LayerDescription, Weight};
use crate::layers::pass::{Backward, Forward, LayerPass, RandomSource};
use crate::settings::SettingsOf;
use densely_tensor::{DropoutRate, Epilogue, MatMut, MatRef, Pool, Scalar, dropout, gemm, row_sums};
use rand_chacha::rand_core::Rng;
use serde::{Deserialize, Serialize};

/// A dense layer that, while training, sets each *weight* of its kernel to 0 with probability `rate` and divides the
/// others by `1 − rate`; the bias stays (L. Wan et al., "Regularization of neural networks using DropConnect", ICML 2013,
/// section 3). In evaluation and prediction it is the dense layer.
///
/// Two differences from the paper: all samples of a batch share one mask, so that the layer remains one product of
/// matrices, and prediction takes the mean of the weights instead of sampling. Not in Keras.
///
/// ```
/// # use densely::{Activation, Dense, layers::DropConnect, text::from_ron};
/// let layer = DropConnect::new(0.5, Dense::new(128).activation(Activation::Relu));
/// assert_eq!(layer, from_ron("DropConnect(rate: 0.5, dense: (units: 128, activation: Relu))")?);
/// # Ok::<(), densely::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DropConnect {
    /// The probability that a weight is dropped: at least 0 and below 1. Training takes the nearest multiple of
    /// 1/65,536 below 1.
    pub rate: f64,
    /// The layer whose weights are dropped.
    pub dense: Dense,
}

impl DropConnect {
    /// A dense layer whose weights are dropped with this `rate`.
    pub fn new(rate: f64, dense: Dense) -> Self {
        Self { rate, dense }
    }
}

impl LayerDescription for DropConnect {
    fn kind(&self) -> &str {
        "DropConnect"
    }

    fn outputs(&self, inputs: usize) -> usize {
        self.dense.outputs(inputs)
    }

    fn weights(&self, inputs: usize) -> Vec<Weight> {
        self.dense.weights(inputs)
    }

    fn check(&self, inputs: usize, layer: &dyn Fn() -> LayerName) -> Result<(), Error> {
        let settings = SettingsOf("DropConnect");
        settings.rate("rate", self.rate).map_err(|fault| fault.of_layer(layer()))?;
        self.dense.check(inputs, layer)
    }
}

/// The masked product, whose activation follows as a stage of its own.
#[derive(Clone, Debug)]
pub(crate) struct MaskedProduct {
    pub(crate) rate: DropoutRate,
    pub(crate) units: usize,
    pub(crate) use_bias: bool,
}

/// Weights that are masked together.
const CHUNK: usize = 256;

/// Random bytes of a weight, and of a word of the generator.
const BYTES: usize = 2;
const WORD: usize = 4;

impl MaskedProduct {
    /// Room for the masked kernel.
    pub(crate) fn kept(&self, inputs: usize) -> Kept {
        Kept { per_sample: 0, per_batch: self.units * inputs }
    }

    /// `to ← mask ∘ from/(1 − rate)`, with the mask of the batch.
    fn mask<T: Scalar>(&self, pool: &Pool, random: RandomSource, from: &[T], to: &mut [T]) {
        pool.for_each_part(CHUNK, (from, to), |range, (from, to)| {
            let mut random = random.words(0, (range.start * BYTES / WORD) as u64);
            let mut bytes = [0; CHUNK * BYTES];
            for (from, to) in from.chunks(CHUNK).zip(to.chunks_mut(CHUNK)) {
                random.fill_bytes(&mut bytes);
                to.copy_from_slice(from);
                dropout(pool.isa(), self.rate, &bytes[..from.len() * BYTES], to);
            }
        });
    }
}

impl<T: Scalar> LayerPass<T> for MaskedProduct {
    fn forward(&self, pass: Forward<'_, T>) {
        let Forward { pool, weights, input, output, training } = pass;
        let kernel = weights.get(0);
        let bias = if self.use_bias { Epilogue::Bias(weights.get(1)) } else { Epilogue::None };
        let kernel = match training {
            Some(training) => {
                self.mask(pool, training.random, kernel, training.kept.batch);
                &*training.kept.batch
            }
            None => kernel,
        };
        let kernel = MatRef::from_slice(kernel, self.units, input.n_rows());
        gemm(pool, output, T::ONE, kernel, input, T::ZERO, bias);
    }

    fn backward(&self, pass: Backward<'_, T>) {
        let Backward { pool, input, kept, random, output_gradient, input_gradient, .. } = pass;
        let mut weight_gradients = pass.weight_gradients;
        if self.use_bias {
            row_sums(pool, output_gradient, weight_gradients.get_mut(1));
        }
        if let Some(input_gradient) = input_gradient {
            let kernel = MatRef::from_slice(&*kept.batch, self.units, input.n_rows());
            gemm(pool, input_gradient, T::ONE, kernel.t(), output_gradient, T::ZERO, Epilogue::None);
        }
        // The masked kernel has served, and leaves its room to the gradient before its mask.
        let whole = MatMut::from_slice(&mut *kept.batch, self.units, input.n_rows());
        gemm(pool, whole, T::ONE, output_gradient, input.t(), T::ZERO, Epilogue::None);
        self.mask(pool, random, kept.batch, weight_gradients.get_mut(0));
    }
}
