//! A batch through the stages: gather, then each stage's output from the one before.

use super::buffers::{Buffers, Position, RANDOM_BLOCK, Remembered, random_bytes};
use super::layout::{Layout, Run};
use super::parameters::EngineParameters;
use super::plan::{Dropout, Kind, Pass, Plan};
use crate::activations::{Activation, glu, sparsemax};
use crate::data::Dataset;
use crate::error::Error;
use crate::layers::{Forward, Training};
use crate::random::{Purpose, stream};
use densely_tensor::{
    Epilogue, Isa, MatMut, MatRef, Nonzeros, Pool, Runs, Scalar, TiledColumns, TiledMut, TiledRef, dropout,
    gemm, log_softmax, softmax, sparse_gemm,
};
use rand_chacha::rand_core::Rng;

/// Bytes of a word of ChaCha, in which positions in a stream are counted.
const RANDOM_WORD: usize = 4;

/// Copies the samples of `order` and their targets into the buffers.
///
/// # Errors
///
/// As [`gather_features`].
pub(crate) fn gather<T: Scalar>(
    pool: &Pool,
    plan: &Plan<T>,
    data: &Dataset,
    order: &[u32],
    buffers: &mut Buffers<T>,
) -> Result<(), Error> {
    gather_targets(pool, data, order, buffers);
    gather_features(pool, plan, data, order, buffers)
}

/// Copies the targets of the samples of `order` into the buffers.
pub(crate) fn gather_targets<T: Scalar>(
    pool: &Pool,
    data: &Dataset,
    order: &[u32],
    buffers: &mut Buffers<T>,
) {
    match data.outputs() {
        None => data.gather_labels(order, &mut buffers.targets.labels[..order.len()]),
        Some(outputs) => {
            let values = &mut buffers.targets.values[..outputs * order.len()];
            let values = MatMut::from_slice(values, outputs, order.len());
            pool.for_each_part(1, (order, values), |_, (order, values)| {
                data.gather_targets(order, values.into_slice());
            });
        }
    }
}

/// Copies the samples of `order` into the buffers. Bytes most of which are 0 are gathered as nonzeros, if a product is the first to
/// take them.
///
/// # Errors
///
/// If samples are in a file and cannot be read.
pub(crate) fn gather_features<T: Scalar>(
    pool: &Pool,
    plan: &Plan<T>,
    data: &Dataset,
    order: &[u32],
    buffers: &mut Buffers<T>,
) -> Result<(), Error> {
    (buffers.input_is_nonzeros, buffers.input_was_looked_through) = (false, false);
    if data.has_bytes() {
        data.find_bytes(pool, order, &mut buffers.gather)?;
        if let Some(nonzeros) = plan.takes_input().and_then(|stage| buffers.inputs_nonzeros[stage].as_mut()) {
            nonzeros.find(|nonzeros| data.fill_nonzeros(pool, &buffers.gather, nonzeros));
            (buffers.input_is_nonzeros, buffers.input_was_looked_through) = (nonzeros.few().is_some(), true);
        }
    }
    if !buffers.input_is_nonzeros {
        let input = &mut buffers.input[..data.features() * order.len()];
        data.fill_columns(pool, order, &buffers.gather, input);
    }
    Ok(())
}

/// Copies one sample into the buffers, or only what of it is not zero.
pub(crate) fn gather_one<T: Scalar>(pool: &Pool, plan: &Plan<T>, features: &[T], buffers: &mut Buffers<T>) {
    (buffers.input_is_nonzeros, buffers.input_was_looked_through) = (false, false);
    if let Some(nonzeros) = plan.takes_input().and_then(|stage| buffers.inputs_nonzeros[stage].as_mut()) {
        let sample = MatRef::from_slice(features, features.len(), 1);
        nonzeros.find(|nonzeros| nonzeros.fill_from_columns(pool, sample));
        (buffers.input_is_nonzeros, buffers.input_was_looked_through) = (nonzeros.few().is_some(), true);
    }
    if !buffers.input_is_nonzeros {
        buffers.input.copy_from_slice(features);
    }
}

/// Computes every stage's output for the first `samples` samples of the input. In training, `training` is where the batch
/// stands, and what is remembered for the backward pass.
pub(crate) fn forward<T: Scalar>(
    pool: &Pool,
    plan: &Plan<T>,
    parameters: &EngineParameters<T>,
    buffers: &mut Buffers<T>,
    samples: usize,
    mut training: Option<&mut Remembered<T>>,
) {
    for (index, stage) in plan.stages.iter().enumerate() {
        let (before, after) = buffers.outputs.split_at_mut(index);
        let (units, layout, from) = (stage.units, stage.layout, plan.layout_before(index));
        let input = &before.last().unwrap_or(&buffers.input)[..from.len_of(stage.inputs, samples)];
        let output = &mut after[0][..layout.len_of(units, samples)];
        match stage.kind {
            // Its input was gathered for the stage behind it.
            Kind::Relayout if index == 0 && buffers.input_is_nonzeros => {}
            Kind::Relayout => from.convert(pool, units, samples, input, output),
            Kind::Dense { kernel, bias, activation, .. } => {
                let input = TiledRef::from_slice(input, stage.inputs, samples);
                let nonzeros = buffers.inputs_nonzeros[index].as_mut().and_then(|nonzeros| {
                    if !(buffers.input_was_looked_through && plan.takes_input() == Some(index)) {
                        nonzeros.find(|nonzeros| nonzeros.fill_from_tiled(pool, input));
                    }
                    if training.is_some() && index >= plan.first_learning {
                        nonzeros.list_features(pool);
                    }
                    nonzeros.few()
                });
                let bias = bias.map(|bias| parameters.stored(bias));
                dense(pool, parameters.kernel(kernel), bias, activation, input, nonzeros, &mut *output);
            }
            Kind::Activation(activation) => {
                layout.for_each_run(pool, units, samples, output, |run, output| match activation {
                    Activation::Sparsemax => sparsemax(run.of(input), output),
                    Activation::Glu => {
                        let sample = &input[run.sample * stage.inputs..][..stage.inputs];
                        glu(pool.isa(), sample, output);
                    }
                    other => {
                        output.copy_from_slice(run.of(input));
                        activate(pool.isa(), other, output);
                    }
                });
            }
            Kind::Dropout(_) | Kind::ActivityRegularization(_) | Kind::SkipStart { .. } => {
                layout.for_each_run(pool, units, samples, output, |run, output| {
                    output.copy_from_slice(run.of(input));
                });
            }
            Kind::SkipEnd { start, .. } => {
                let skipped = &before[start];
                layout.for_each_run(pool, units, samples, output, |run, output| {
                    let sums = run.of(input).iter().zip(run.of(skipped)).map(|(&a, &b)| a + b);
                    output.iter_mut().zip(sums).for_each(|(y, sum)| *y = sum);
                });
            }
            Kind::Pass(pass) => {
                let Pass { layer_pass, tensors, layer, .. } = &plan.passes[pass];
                let training = training.as_mut().map(|remembered| Training {
                    random: remembered.position.random_source(*layer),
                    kept: remembered.kept[pass].of(samples),
                });
                let weights = parameters.weights(tensors.clone());
                let input = MatRef::from_slice(input, stage.inputs, samples);
                let output = MatMut::from_slice(&mut *output, units, samples);
                layer_pass.forward(Forward { pool, weights, input, output, training });
            }
        }
        if let (Some(dropout), Some(remembered)) = (stage.kind.dropout(), &mut training) {
            let random = &mut remembered.random[index][..random_bytes(units) * samples];
            let output = TiledColumns::new(output, layout.run_length(units), samples, 1);
            draw_and_drop(pool, dropout, remembered.position, units, random, output);
        }
    }
}

/// `output ← activation(kernel·input + bias)`, the input as it is, or only what of it is not zero.
fn dense<T: Scalar>(
    pool: &Pool,
    kernel: TiledRef<'_, T>,
    bias: Option<&[T]>,
    activation: Activation,
    input: TiledRef<'_, T>,
    nonzeros: Option<&Nonzeros<T>>,
    output: &mut [T],
) {
    let (units, samples) = (kernel.n_rows(), input.n_columns());
    // The function is part of the product's last store; without a bias it follows.
    let (epilogue, following) = match (bias, activation, activation.function()) {
        (Some(bias), Activation::Linear, _) => (Epilogue::Bias(bias), None),
        (Some(bias), Activation::Relu, _) => (Epilogue::BiasRelu(bias), None),
        (Some(bias), _, Some(function)) => (Epilogue::BiasActivation(bias, function), None),
        (None, Activation::Linear, _) | (_, _, None) => (Epilogue::None, None),
        (None, _, function) => (Epilogue::None, function),
    };
    let product = TiledMut::from_slice(&mut *output, units, samples);
    match nonzeros {
        Some(nonzeros) => sparse_gemm(pool, product, kernel, nonzeros, epilogue),
        None => {
            gemm(pool, product, T::ONE, kernel, input, T::ZERO, epilogue);
            Layout::Tiles.clear_padding(units, samples, output);
        }
    }
    if let Some(function) = following {
        Layout::Tiles
            .for_each_run(pool, units, samples, output, |_, values| function.apply(pool.isa(), values));
    }
}

/// A part of one sample's activation in place, or all of it, which sparsemax and the gated linear unit cannot be.
fn activate<T: Scalar>(isa: Isa, activation: Activation, values: &mut [T]) {
    match (activation, activation.function()) {
        (_, Some(function)) => function.apply(isa, values),
        (Activation::LogSoftmax, None) => log_softmax(isa, values),
        (Activation::Softmax, None) => softmax(isa, values),
        (other, None) => unreachable!("{other} is planned with its input kept"),
    }
}

/// Draws the random bytes of a batch, and drops units by them. The n-th sample of an epoch has the n-th run of whole blocks
/// in the stream of its epoch and layer, so its mask does not depend on how the epoch is cut into batches and threads.
fn draw_and_drop<T: Scalar>(
    pool: &Pool,
    Dropout { rate, layer }: Dropout,
    position: Position,
    units: usize,
    random: &mut [u8],
    values: TiledColumns<'_, T>,
) {
    let (run, height) = (random_bytes(units), values.height());
    pool.for_each_part(1, (Runs::new(random, run), values), |samples, (random, mut values)| {
        let mut generator = stream(position.seed, Purpose::Dropout, position.epoch, layer as u64);
        let block = (position.first_sample + samples.start) as u128 * (run / RANDOM_BLOCK) as u128;
        generator.set_word_pos(block * (RANDOM_BLOCK / RANDOM_WORD) as u128);
        for (sample, random) in samples.zip(random.chunks_exact_mut(run)) {
            generator.fill_bytes(random);
            for (tile, random) in random[..2 * units].chunks(2 * height).enumerate() {
                let values = &mut values.columns_mut(tile, sample..sample + 1)[..random.len() / 2];
                dropout(pool.isa(), rate, random, values);
            }
        }
    });
}

/// Applies the masks that the random bytes of a batch stand for.
pub(super) fn drop_units<T: Scalar>(
    pool: &Pool,
    Dropout { rate, .. }: Dropout,
    layout: Layout,
    units: usize,
    samples: usize,
    random: &[u8],
    values: &mut [T],
) {
    layout.for_each_run(pool, units, samples, values, |Run { sample, units: of_run, .. }, values| {
        let random = &random[random_bytes(units) * sample..];
        dropout(pool.isa(), rate, &random[2 * of_run.start..2 * of_run.end], values);
    });
}
