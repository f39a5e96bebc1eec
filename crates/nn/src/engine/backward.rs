//! The gradient back through the stages (backpropagation: Rumelhart, Hinton and Williams, Nature 323, 1986), and what
//! becomes of the parameters' gradients.
//!
//! A stage gets the gradient with respect to its output and leaves that with respect to its input. A dense stage's input
//! gradient is computed before its kernel changes.

use super::buffers::{Buffers, TrainingBuffers, random_bytes};
use super::penalties::{add_penalty_gradient, constrain};
use super::plan::{Kind, Plan, Stage};
use crate::activations::{Activation, glu_gradient, sparsemax_gradient};
use crate::parameters::{Parameters, Tensor};
use densely_tensor::{
    AlignedBuffer, Epilogue, MOST_MOMENTS, MatMut, MatRef, Pool, Runs, Scalar, Update, dropout, gemm,
    log_softmax_gradient, row_sums, softmax_gradient, update_with_weight_gradient,
};

/// Where the parameters and, in the end, their gradients are.
pub(crate) enum Target<'a, T: Scalar> {
    /// Parameters are updated as soon as their gradient is known.
    Update {
        parameters: &'a mut Parameters<T>,
        moments: &'a mut [AlignedBuffer<T>; MOST_MOMENTS],
        update: Update<T>,
    },
    /// Gradients are kept, parameters stay.
    Store { parameters: &'a Parameters<T>, gradient: &'a mut Parameters<T> },
}

/// Takes the gradient with respect to the last stage's output, which stands in `training.gradient`, back to the first
/// stage's parameters.
pub(crate) fn backward<T: Scalar>(
    pool: &Pool,
    plan: &Plan,
    buffers: &Buffers<T>,
    training: &mut TrainingBuffers<T>,
    samples: usize,
    mut target: Target<'_, T>,
) {
    for (index, stage) in plan.stages.iter().enumerate().rev() {
        let input = index.checked_sub(1).map_or(&buffers.input, |before| &buffers.outputs[before]);
        let input = MatRef::from_slice(&input[..stage.inputs * samples], stage.inputs, samples);
        let output =
            MatRef::from_slice(&buffers.outputs[index][..stage.units * samples], stage.units, samples);
        let mut gradient =
            MatMut::from_slice(&mut training.gradient[..stage.units * samples], stage.units, samples);
        match stage.kind {
            // Nothing is learned before the first stage, and no room is kept for a gradient there.
            Kind::Activation(Activation::Glu) if index == 0 => {}
            Kind::Activation(Activation::Glu) => {
                let input_gradient = &mut training.input_gradient[..stage.inputs * samples];
                let input_gradient = MatMut::from_slice(input_gradient, stage.inputs, samples);
                let operands = (input, gradient.as_ref(), input_gradient);
                pool.for_each_part(1, operands, |_, (input, gradient, mut input_gradient)| {
                    for sample in 0..input.n_columns() {
                        let to = input_gradient.column_mut(sample);
                        glu_gradient(pool.isa(), input.column(sample), gradient.column(sample), to);
                    }
                });
                std::mem::swap(&mut training.gradient, &mut training.input_gradient);
            }
            Kind::Activation(activation) => {
                let from_input = activation.keeps_input() && activation.function().is_some();
                activation_gradient(pool, activation, if from_input { input } else { output }, gradient);
            }
            Kind::ActivityRegularization(regularizer) => {
                let regularizer = regularizer.scaled(1.0 / samples as f64);
                let output = &buffers.outputs[index][..stage.units * samples];
                regularizer.add_gradient(output, stage.units, samples, gradient.into_slice());
            }
            Kind::Dropout { rate, .. } => {
                let run = random_bytes(stage.units);
                let random = Runs::new(&mut training.random[index][..run * samples], run);
                let input_gradient = &mut training.input_gradient[..stage.inputs * samples];
                let input_gradient = MatMut::from_slice(input_gradient, stage.inputs, samples);
                pool.for_each_part(
                    1,
                    (gradient.as_ref(), input_gradient, random),
                    |_, (from, mut to, random)| {
                        for (column, random) in random.chunks_exact(run).enumerate() {
                            let from = from.column(column);
                            dropout(pool.isa(), rate, &random[..2 * from.len()], from, to.column_mut(column));
                        }
                    },
                );
                std::mem::swap(&mut training.gradient, &mut training.input_gradient);
            }
            Kind::Dense { kernel, bias, activation } => {
                activation_gradient(pool, activation, output, gradient.as_mut());
                let delta = gradient.as_ref();
                if index > 0 {
                    let input_gradient = &mut training.input_gradient[..stage.inputs * samples];
                    let input_gradient = MatMut::from_slice(input_gradient, stage.inputs, samples);
                    let kernel = MatRef::from_slice(target.tensor(kernel), stage.units, stage.inputs);
                    gemm(pool, input_gradient, T::ONE, kernel.t(), delta, T::ZERO, Epilogue::None);
                }
                let room = Room { chunks: &mut training.scratch, whole: &mut training.kernel_gradient };
                target.take_kernel_gradient(pool, stage, kernel, delta, input, room);
                if let Some(bias) = bias {
                    let sums = &mut training.bias_gradient[..stage.units];
                    row_sums(pool, delta, sums);
                    target.take_bias_gradient(pool, bias, sums);
                }
                std::mem::swap(&mut training.gradient, &mut training.input_gradient);
            }
        }
    }
}

/// Where a kernel's gradient is computed on the way to an update.
struct Room<'a, T> {
    /// For each thread a few columns of it.
    chunks: &'a mut [T],
    /// All of it, if it has a regularizer.
    whole: &'a mut [T],
}

/// `gradient ← gradient · activation′`, from the activation's output, or from the input where it takes that.
fn activation_gradient<T: Scalar>(
    pool: &Pool,
    activation: Activation,
    kept: MatRef<'_, T>,
    gradient: MatMut<'_, T>,
) {
    if activation == Activation::Linear {
        return;
    }
    let isa = pool.isa();
    pool.for_each_part(1, (kept, gradient), |_, (kept, mut gradient)| {
        for sample in 0..kept.n_columns() {
            let (kept, gradient) = (kept.column(sample), gradient.column_mut(sample));
            match (activation, activation.function()) {
                (_, Some(function)) => function.multiply_by_derivative(isa, kept, gradient),
                (Activation::LogSoftmax, None) => log_softmax_gradient(isa, kept, gradient),
                (Activation::Sparsemax, None) => sparsemax_gradient(kept, gradient),
                (_, None) => softmax_gradient(isa, kept, gradient),
            }
        }
    });
}

impl<T: Scalar> Target<'_, T> {
    fn tensor(&self, index: usize) -> &[T] {
        match self {
            Target::Update { parameters, .. } => parameters.tensor(index),
            Target::Store { parameters, .. } => parameters.tensor(index),
        }
    }

    fn description(&self, index: usize) -> &Tensor {
        match self {
            Target::Update { parameters, .. } => &parameters.tensors()[index],
            Target::Store { parameters, .. } => &parameters.tensors()[index],
        }
    }

    /// Computes `Δ·Xᵀ` and uses it.
    fn take_kernel_gradient(
        &mut self,
        pool: &Pool,
        stage: &Stage,
        kernel: usize,
        delta: MatRef<'_, T>,
        input: MatRef<'_, T>,
        room: Room<'_, T>,
    ) {
        match self {
            Target::Update { parameters, moments, update } => {
                let moments = moments_of(moments, parameters.tensors()[kernel].range());
                if parameters.tensors()[kernel].regularizer.is_some() {
                    let gradient = &mut room.whole[..stage.units * stage.inputs];
                    kernel_gradient(pool, delta, input, gradient);
                    add_penalty_gradient(&parameters.tensors()[kernel], parameters.tensor(kernel), gradient);
                    update.apply_in_parallel(pool, parameters.tensor_mut(kernel), gradient, moments);
                } else {
                    let weights = parameters.tensor_mut(kernel);
                    update_with_weight_gradient(pool, update, delta, input, weights, moments, room.chunks);
                }
                constrain(parameters, kernel);
            }
            Target::Store { parameters, gradient } => {
                let gradient = gradient.tensor_mut(kernel);
                kernel_gradient(pool, delta, input, gradient);
                add_penalty_gradient(&parameters.tensors()[kernel], parameters.tensor(kernel), gradient);
            }
        }
    }

    fn take_bias_gradient(&mut self, pool: &Pool, bias: usize, sums: &mut [T]) {
        add_penalty_gradient(self.description(bias), self.tensor(bias), sums);
        match self {
            Target::Update { parameters, moments, update } => {
                let moments = moments_of(moments, parameters.tensors()[bias].range());
                update.apply(pool.isa(), parameters.tensor_mut(bias), sums, moments);
                constrain(parameters, bias);
            }
            Target::Store { gradient, .. } => gradient.tensor_mut(bias).copy_from_slice(sums),
        }
    }
}

/// `gradient ← Δ·Xᵀ`
fn kernel_gradient<T: Scalar>(pool: &Pool, delta: MatRef<'_, T>, input: MatRef<'_, T>, gradient: &mut [T]) {
    let gradient = MatMut::from_slice(gradient, delta.n_rows(), input.n_rows());
    gemm(pool, gradient, T::ONE, delta, input.t(), T::ZERO, Epilogue::None);
}

/// A tensor's moments; an optimizer that keeps none has empty buffers.
pub(super) fn moments_of<T: Scalar>(
    moments: &mut [AlignedBuffer<T>; MOST_MOMENTS],
    range: std::ops::Range<usize>,
) -> [&mut [T]; MOST_MOMENTS] {
    moments.each_mut().map(|moment| if moment.is_empty() { &mut [][..] } else { &mut moment[range.clone()] })
}
