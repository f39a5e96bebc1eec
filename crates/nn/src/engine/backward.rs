//! The gradient back through the stages (backpropagation: Rumelhart, Hinton and Williams, Nature 323, 1986), and what
//! becomes of the parameters' gradients.
//!
//! A stage gets the gradient with respect to its output and leaves that with respect to its input. A dense stage's input
//! gradient is computed before its kernel changes.

use super::buffers::{Buffers, TrainingBuffers, random_bytes};
use super::penalties::{add_penalty_gradient, constrain};
use super::plan::{Kind, Pass, Plan, Stage};
use crate::activations::{Activation, glu_gradient, sparsemax_gradient};
use crate::layers::{Backward, WeightsMut};
use crate::parameters::{Parameters, span};
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
/// stage that learns.
pub(crate) fn backward<T: Scalar>(
    pool: &Pool,
    plan: &Plan<T>,
    buffers: &Buffers<T>,
    training: &mut TrainingBuffers<T>,
    samples: usize,
    mut target: Target<'_, T>,
) {
    for (index, stage) in plan.stages.iter().enumerate().skip(plan.first_learning).rev() {
        let input = index.checked_sub(1).map_or(&buffers.input, |before| &buffers.outputs[before]);
        let input = MatRef::from_slice(&input[..stage.inputs * samples], stage.inputs, samples);
        let output =
            MatRef::from_slice(&buffers.outputs[index][..stage.units * samples], stage.units, samples);
        let mut gradient =
            MatMut::from_slice(&mut training.gradient[..stage.units * samples], stage.units, samples);
        match stage.kind {
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
                let random = Runs::new(&mut training.remembered.random[index][..run * samples], run);
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
                if index > plan.first_learning {
                    let input_gradient = &mut training.input_gradient[..stage.inputs * samples];
                    let input_gradient = MatMut::from_slice(input_gradient, stage.inputs, samples);
                    let kernel =
                        MatRef::from_slice(target.parameters().tensor(kernel), stage.units, stage.inputs);
                    gemm(pool, input_gradient, T::ONE, kernel.t(), delta, T::ZERO, Epilogue::None);
                }
                if target.parameters().tensors()[kernel].trainable {
                    let room = Room { chunks: &mut training.scratch, whole: &mut training.whole_gradient };
                    target.take_kernel_gradient(pool, stage, kernel, delta, input, room);
                    if let Some(bias) = bias {
                        let sums = &mut training.bias_gradient[..stage.units];
                        row_sums(pool, delta, sums);
                        target.take_gradient(pool, bias, sums);
                    }
                }
                std::mem::swap(&mut training.gradient, &mut training.input_gradient);
            }
            Kind::Pass(pass) => {
                let Pass { layer_pass, tensors, layer, .. } = &plan.passes[pass];
                let described = &target.parameters().tensors()[tensors.clone()];
                let weight_gradients = &mut training.whole_gradient[..span(described).len()];
                // Nothing is learned before, and there need not be room for that gradient.
                let input_gradient = (index > plan.first_learning).then(|| {
                    let input_gradient = &mut training.input_gradient[..stage.inputs * samples];
                    MatMut::from_slice(input_gradient, stage.inputs, samples)
                });
                layer_pass.backward(Backward {
                    pool,
                    weights: target.parameters().weights(tensors.clone()),
                    input,
                    output,
                    kept: training.remembered.kept[pass].of(samples),
                    random: training.remembered.position.random_source(*layer),
                    output_gradient: gradient.as_ref(),
                    input_gradient,
                    weight_gradients: WeightsMut::new(described, &mut *weight_gradients),
                });
                target.take_gradients(pool, tensors.clone(), weight_gradients);
                std::mem::swap(&mut training.gradient, &mut training.input_gradient);
            }
            Kind::SkipEnd { depth, .. } => {
                let gradient = gradient.into_slice();
                training.skipped_gradients[depth][..gradient.len()].copy_from_slice(gradient);
            }
            Kind::SkipStart { depth } => {
                let gradient = gradient.into_slice();
                let skipped = &training.skipped_gradients[depth][..gradient.len()];
                pool.for_each_part(1, (gradient, skipped), |_, (gradient, skipped)| {
                    for (gradient, &skipped) in gradient.iter_mut().zip(skipped) {
                        *gradient += skipped;
                    }
                });
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
    fn parameters(&self) -> &Parameters<T> {
        match self {
            Target::Update { parameters, .. } => parameters,
            Target::Store { parameters, .. } => parameters,
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

    /// Uses the gradients of all trainable tensors of a layer, which stand as they do among the parameters.
    fn take_gradients(&mut self, pool: &Pool, tensors: std::ops::Range<usize>, gradients: &mut [T]) {
        let start = span(&self.parameters().tensors()[tensors.clone()]).start;
        for index in tensors {
            let tensor = &self.parameters().tensors()[index];
            let range = tensor.range();
            if tensor.trainable {
                self.take_gradient(pool, index, &mut gradients[range.start - start..range.end - start]);
            }
        }
    }

    /// Uses the gradient of one tensor.
    fn take_gradient(&mut self, pool: &Pool, index: usize, gradient: &mut [T]) {
        let parameters = self.parameters();
        add_penalty_gradient(&parameters.tensors()[index], parameters.tensor(index), gradient);
        match self {
            Target::Update { parameters, moments, update } => {
                let moments = moments_of(moments, parameters.tensors()[index].range());
                update.apply_in_parallel(pool, parameters.tensor_mut(index), gradient, moments);
                constrain(parameters, index);
            }
            Target::Store { gradient: all, .. } => all.tensor_mut(index).copy_from_slice(gradient),
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
