//! A batch through the stages: gather, then each stage's output from the one before.

use super::buffers::{Buffers, RANDOM_BLOCK, random_bytes};
use super::plan::{Kind, Plan, Stage};
use crate::activations::{Activation, glu, sparsemax};
use crate::data::Dataset;
use crate::parameters::Parameters;
use crate::random::{Purpose, stream};
use densely_tensor::{
    DropoutRate, Epilogue, Isa, MatMut, MatRef, Pool, Runs, Scalar, dropout, gemm, log_softmax, softmax,
};
use rand_chacha::rand_core::Rng;

/// Bytes of a word of ChaCha, in which positions in a stream are counted.
const RANDOM_WORD: usize = 4;

/// Where a batch stands in training; with the seed it determines every dropout mask.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Position {
    pub(crate) seed: u64,
    /// From 1.
    pub(crate) epoch: u64,
    /// How many samples of the epoch came before the batch.
    pub(crate) first_sample: usize,
}

/// Copies the samples of `order` and their targets into the buffers.
pub(crate) fn gather<T: Scalar>(pool: &Pool, data: &Dataset, order: &[u32], buffers: &mut Buffers<T>) {
    let samples = order.len();
    let input = MatMut::from_slice(&mut buffers.input[..data.features() * samples], data.features(), samples);
    match data.outputs() {
        None => {
            let labels = &mut buffers.targets.labels[..samples];
            pool.for_each_part(1, (order, input, labels), |_, (order, input, labels)| {
                data.gather(order, input.into_slice());
                data.gather_labels(order, labels);
            });
        }
        Some(outputs) => {
            let values = &mut buffers.targets.values[..outputs * samples];
            let values = MatMut::from_slice(values, outputs, samples);
            pool.for_each_part(1, (order, input, values), |_, (order, input, values)| {
                data.gather(order, input.into_slice());
                data.gather_targets(order, values.into_slice());
            });
        }
    }
}

/// Computes every stage's output for the first `samples` columns of the input. While training, `dropout` gives each
/// stage's random bytes and the batch's position; in prediction, dropout passes its input on.
pub(crate) fn forward<T: Scalar>(
    pool: &Pool,
    plan: &Plan,
    parameters: &Parameters<T>,
    buffers: &mut Buffers<T>,
    samples: usize,
    mut dropout: Option<(&mut [Vec<u8>], Position)>,
) {
    for (index, stage) in plan.stages.iter().enumerate() {
        let (before, after) = buffers.outputs.split_at_mut(index);
        let input = before.last().unwrap_or(&buffers.input);
        let input = MatRef::from_slice(&input[..stage.inputs * samples], stage.inputs, samples);
        let output = MatMut::from_slice(&mut after[0][..stage.units * samples], stage.units, samples);
        match stage.kind {
            Kind::Dense { kernel, bias, activation } => {
                let kernel = MatRef::from_slice(parameters.tensor(kernel), stage.units, stage.inputs);
                let bias = bias.map(|bias| parameters.tensor(bias));
                dense(pool, stage, kernel, bias, activation, input, output);
            }
            Kind::Activation(activation) => {
                pool.for_each_part(1, (input, output), |_, (input, mut output)| {
                    for column in 0..input.n_columns() {
                        let (input, output) = (input.column(column), output.column_mut(column));
                        match activation {
                            Activation::Sparsemax => sparsemax(input, output),
                            Activation::Glu => glu(pool.isa(), input, output),
                            other => {
                                output.copy_from_slice(input);
                                activate(pool.isa(), other, output);
                            }
                        }
                    }
                });
            }
            Kind::Dropout { rate, layer } => match &mut dropout {
                Some((random, position)) => {
                    drop_units(pool, rate, layer, *position, &mut random[index], input, output);
                }
                None => copy(pool, input, output),
            },
            Kind::ActivityRegularization(_) => copy(pool, input, output),
        }
    }
}

fn copy<T: Scalar>(pool: &Pool, input: MatRef<'_, T>, output: MatMut<'_, T>) {
    pool.for_each_part(1, (input, output), |_, (input, mut output)| {
        for column in 0..input.n_columns() {
            output.column_mut(column).copy_from_slice(input.column(column));
        }
    });
}

/// `output ← activation(kernel·input + bias)`.
fn dense<T: Scalar>(
    pool: &Pool,
    stage: &Stage,
    kernel: MatRef<'_, T>,
    bias: Option<&[T]>,
    activation: Activation,
    input: MatRef<'_, T>,
    mut output: MatMut<'_, T>,
) {
    // A function of single sums with bias is part of the product's last store; what else there is follows.
    let (epilogue, following) = match (bias, activation, activation.function()) {
        (Some(bias), Activation::Linear, _) => (Epilogue::Bias(bias), Activation::Linear),
        (Some(bias), Activation::Relu, _) => (Epilogue::BiasRelu(bias), Activation::Linear),
        (Some(bias), _, Some(function)) => (Epilogue::BiasActivation(bias, function), Activation::Linear),
        (Some(bias), other, None) => (Epilogue::Bias(bias), other),
        (None, other, _) => (Epilogue::None, other),
    };
    gemm(pool, output.as_mut(), T::ONE, kernel, input, T::ZERO, epilogue);
    if following != Activation::Linear {
        pool.for_each_part(1, output, |_, output| {
            for column in output.into_slice().chunks_exact_mut(stage.units) {
                activate(pool.isa(), following, column);
            }
        });
    }
}

/// One sample's activation in place, which sparsemax and the gated linear unit cannot be.
fn activate<T: Scalar>(isa: Isa, activation: Activation, sample: &mut [T]) {
    match (activation, activation.function()) {
        (_, Some(function)) => function.apply(isa, sample),
        (Activation::LogSoftmax, None) => log_softmax(isa, sample),
        (Activation::Softmax, None) => softmax(isa, sample),
        (other, None) => unreachable!("{other} is planned with its input kept"),
    }
}

/// Draws the masks of a batch and applies them. The n-th sample of an epoch has the n-th run of whole blocks in the
/// stream of its epoch and layer, so its mask does not depend on how the epoch is cut into batches and threads.
fn drop_units<T: Scalar>(
    pool: &Pool,
    rate: DropoutRate,
    layer: usize,
    position: Position,
    random: &mut [u8],
    input: MatRef<'_, T>,
    output: MatMut<'_, T>,
) {
    let run = random_bytes(input.n_rows());
    let random = Runs::new(&mut random[..run * input.n_columns()], run);
    pool.for_each_part(1, (input, output, random), |samples, (input, mut output, random)| {
        let mut generator = stream(position.seed, Purpose::Dropout, position.epoch, layer as u64);
        let block = (position.first_sample + samples.start) as u128 * (run / RANDOM_BLOCK) as u128;
        generator.set_word_pos(block * (RANDOM_BLOCK / RANDOM_WORD) as u128);
        generator.fill_bytes(random);
        for (column, random) in random.chunks_exact(run).enumerate() {
            let input = input.column(column);
            dropout(pool.isa(), rate, &random[..2 * input.len()], input, output.column_mut(column));
        }
    });
}
