//! A batch through the stages: gather, then each stage's output from the one before, then the loss.

use super::buffers::{Buffers, Outcome, Position, RANDOM_BLOCK, Remembered, random_bytes};
use super::plan::{Head, Kind, Pass, Plan, Stage};
use crate::activations::{Activation, glu, sparsemax};
use crate::data::Dataset;
use crate::layers::{Forward, Training};
use crate::parameters::Parameters;
use crate::random::{Purpose, stream};
use densely_tensor::{
    ColumnsMut, DropoutRate, Epilogue, Isa, MatMut, MatRef, Pool, Runs, Scalar, arg_max, dropout, gemm,
    log_softmax, softmax, softmax_columns, softmax_cross_entropy_columns,
};
use rand_chacha::rand_core::Rng;

/// Bytes of a word of ChaCha, in which positions in a stream are counted.
const RANDOM_WORD: usize = 4;

/// Copies the samples of `order` and their labels into the buffers.
pub(crate) fn gather<T: Scalar>(pool: &Pool, data: &Dataset, order: &[u32], buffers: &mut Buffers<T>) {
    let samples = order.len();
    let input = MatMut::from_slice(&mut buffers.input[..data.features() * samples], data.features(), samples);
    let labels = &mut buffers.labels[..samples];
    pool.for_each_part(1, (order, input, labels), |_, (order, input, labels)| {
        data.gather(order, input.into_slice());
        data.gather_labels(order, labels);
    });
}

/// Computes every stage's output for the first `samples` columns of the input. In training, `training` is where the batch
/// stands, and what is remembered for the backward pass.
pub(crate) fn forward<T: Scalar>(
    pool: &Pool,
    plan: &Plan<T>,
    parameters: &Parameters<T>,
    buffers: &mut Buffers<T>,
    samples: usize,
    mut training: Option<&mut Remembered<T>>,
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
            Kind::Dropout { rate, layer } => match &mut training {
                Some(remembered) => {
                    let random = &mut remembered.random[index];
                    drop_units(pool, rate, layer, remembered.position, random, input, output);
                }
                None => copy(pool, input, output),
            },
            Kind::ActivityRegularization(_) | Kind::SkipStart { .. } => copy(pool, input, output),
            Kind::SkipEnd { start, .. } => {
                let skipped = &before[start][..stage.units * samples];
                add(pool, input, MatRef::from_slice(skipped, stage.units, samples), output);
            }
            Kind::Pass(pass) => {
                let Pass { layer_pass, tensors, layer, .. } = &plan.passes[pass];
                let training = training.as_mut().map(|remembered| Training {
                    random: remembered.position.random_source(*layer),
                    kept: remembered.kept[pass].of(samples),
                });
                let weights = parameters.weights(tensors.clone());
                layer_pass.forward(Forward { pool, weights, input, output, training });
            }
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

/// `output ← a + b`
fn add<T: Scalar>(pool: &Pool, a: MatRef<'_, T>, b: MatRef<'_, T>, output: MatMut<'_, T>) {
    pool.for_each_part(1, (a, b, output), |_, (a, b, mut output)| {
        for column in 0..a.n_columns() {
            for ((y, &a), &b) in
                output.column_mut(column).iter_mut().zip(a.column(column)).zip(b.column(column))
            {
                *y = a + b;
            }
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

/// Turns each sample's outputs into the loss's gradient with respect to them, times `scale`, and notes its outcome.
pub(crate) fn loss_in_place<T: Scalar>(
    pool: &Pool,
    head: Head,
    outputs: MatMut<'_, T>,
    labels: &[u32],
    outcomes: &mut [Outcome],
    scale: T,
) {
    let classes = outputs.n_rows();
    let together = samples_together(classes);
    pool.for_each_part(together, (outputs, labels, outcomes), |_, (outputs, labels, outcomes)| {
        let outputs = outputs.into_slice();
        for (outcome, y) in outcomes.iter_mut().zip(outputs.chunks_exact(classes)) {
            outcome.predicted = arg_max(y) as u32;
        }
        match head {
            Head::CrossEntropy { .. } => {
                cross_entropy(pool.isa(), outputs, classes, labels, outcomes, scale);
            }
            Head::MeanSquaredError => {
                let samples = outputs.chunks_exact_mut(classes).zip(labels).zip(outcomes);
                for ((y, &label), outcome) in samples {
                    outcome.loss = mean_squared_error(y, label as usize, scale);
                }
            }
        }
    });
}

/// Samples that softmax is fastest with, if they have at most so many classes.
const SAMPLES: usize = 64;
const FEW_CLASSES: usize = 64;

/// A part's samples come in multiples of this: those of few classes are worth a thread only when they are many.
fn samples_together(classes: usize) -> usize {
    if classes <= FEW_CLASSES { SAMPLES } else { 1 }
}

/// The cross-entropy of the samples' logits, and its gradient in their place.
fn cross_entropy<T: Scalar>(
    isa: Isa,
    outputs: &mut [T],
    classes: usize,
    labels: &[u32],
    outcomes: &mut [Outcome],
    scale: T,
) {
    let samples = outputs.chunks_mut(SAMPLES * classes);
    for ((outputs, labels), outcomes) in samples.zip(labels.chunks(SAMPLES)).zip(outcomes.chunks_mut(SAMPLES))
    {
        let losses = &mut [0.0; SAMPLES][..labels.len()];
        let logits = ColumnsMut::new(outputs, classes, classes);
        softmax_cross_entropy_columns(isa, logits, labels, scale, losses);
        for (outcome, &loss) in outcomes.iter_mut().zip(&*losses) {
            outcome.loss = loss;
        }
    }
}

/// `Σᵢ (yᵢ − tᵢ)²/n` with t the one-hot label; `y ← scale·2·(y − t)/n`.
fn mean_squared_error<T: Scalar>(y: &mut [T], label: usize, scale: T) -> f64 {
    let n = y.len() as f64;
    let factor = scale * T::from_f64(2.0 / n);
    let mut sum = 0.0;
    for (class, y) in y.iter_mut().enumerate() {
        let target = if class == label { T::ONE } else { T::ZERO };
        let error = *y - target;
        sum += error.to_f64() * error.to_f64();
        *y = error * factor;
    }
    sum / n
}

/// Turns each sample's outputs into the prediction that the user sees.
pub(crate) fn predict_in_place<T: Scalar>(pool: &Pool, head: Head, outputs: MatMut<'_, T>) {
    if let Head::CrossEntropy { softmax: true } = head {
        let classes = outputs.n_rows();
        pool.for_each_part(samples_together(classes), outputs, |_, outputs| {
            softmax_columns(pool.isa(), ColumnsMut::new(outputs.into_slice(), classes, classes));
        });
    }
}
