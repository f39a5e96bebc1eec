//! The gradient back through the stages (backpropagation: Rumelhart, Hinton and Williams, Nature 323, 1986), and what
//! becomes of the parameters' gradients.
//!
//! A stage gets the gradient with respect to its output and leaves that with respect to its input. A dense stage's input
//! gradient is computed before its kernel changes.

use super::buffers::{Buffers, TrainingBuffers, random_bytes};
use super::forward::drop_units;
use super::layout::Layout;
use super::parameters::{EngineParameters, MatrixRoom};
use super::penalties::{add_penalty_gradient, constrain};
use super::plan::{Kind, Pass, Plan, Stage};
use crate::activations::{Activation, glu_gradient, sparsemax_gradient};
use crate::layers::{Backward, WeightsMut};
use densely_tensor::{
    AlignedBuffer, Epilogue, LayerInput, MOST_MOMENTS, MaskedGradient, MatMut, MatRef, Nonzeros, Pool,
    Scalar, TILE_ROWS, TiledMut, TiledRef, Update, bias_gradient, gemm, input_gradient, log_softmax_gradient,
    mask_gradient, softmax_gradient, sparse_backward, sparse_input_gradient, update_kernel, weight_gradient,
};

/// Where the parameters and, in the end, their gradients are.
pub(crate) enum Target<'a, T: Scalar> {
    /// Parameters are updated as soon as their gradient is known.
    Update {
        parameters: &'a mut EngineParameters<T>,
        moments: &'a mut [AlignedBuffer<T>; MOST_MOMENTS],
        update: Update<T>,
    },
    /// Gradients are kept, parameters stay.
    Store { parameters: &'a EngineParameters<T>, gradient: &'a mut EngineParameters<T> },
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
    // Whether the gradient already has the derivative of the stage that comes next.
    let mut is_masked = false;
    for (index, stage) in plan.stages.iter().enumerate().skip(plan.first_learning).rev() {
        let (units, layout, from) = (stage.units, stage.layout, plan.layout_before(index));
        let input = index.checked_sub(1).map_or(&buffers.input, |before| &buffers.outputs[before]);
        let input = &input[..from.len_of(stage.inputs, samples)];
        let output = &buffers.outputs[index][..layout.len_of(units, samples)];
        let gradient = &mut training.gradient[..output.len()];
        // There need not be room for what nobody asks for: the gradient with respect to the network's input.
        let room = training.input_gradient.len();
        let input_gradient = &mut training.input_gradient[..input.len().min(room)];
        if let (Kind::Dropout(dropout), random) = (stage.kind, &training.remembered.random[index]) {
            let random = &random[..random_bytes(units) * samples];
            drop_units(pool, dropout, layout, units, samples, random, gradient);
        }
        match stage.kind {
            Kind::Dropout(_) => {}
            Kind::Relayout => {
                layout.convert(pool, units, samples, gradient, input_gradient);
                std::mem::swap(&mut training.gradient, &mut training.input_gradient);
            }
            Kind::Activation(Activation::Glu) => {
                from.for_each_run(pool, stage.inputs, samples, input_gradient, |run, to| {
                    let gradient = &gradient[run.sample * units..][..units];
                    glu_gradient(pool.isa(), run.of(input), gradient, to);
                });
                std::mem::swap(&mut training.gradient, &mut training.input_gradient);
            }
            Kind::Activation(activation) => {
                let from_input = activation.keeps_input() && activation.function().is_some();
                let kept = if from_input { input } else { output };
                activation_gradient(pool, activation, stage, samples, kept, gradient);
            }
            Kind::ActivityRegularization(regularizer) => {
                regularizer.scaled(1.0 / samples as f64).add_gradient(output, units, samples, gradient);
            }
            Kind::Dense { kernel, bias, activation, skips_zeros, .. } => {
                match stage.kind.scale_of_mask() {
                    Some(_) if is_masked => {}
                    Some(scale) => mask(pool, stage, samples, output, scale, gradient),
                    None => activation_gradient(pool, activation, stage, samples, output, gradient),
                }
                let before = index.checked_sub(1).map(|before| &plan.stages[before].kind);
                let layer = DenseStage {
                    units,
                    inputs: stage.inputs,
                    samples,
                    kernel,
                    delta: TiledRef::from_slice(gradient, units, samples),
                    input: TiledRef::from_slice(input, stage.inputs, samples),
                    nonzeros: buffers.inputs_nonzeros[index].as_ref().and_then(|nonzeros| nonzeros.few()),
                    input_scale: before.and_then(Kind::scale_of_mask),
                };
                let room = Room {
                    scratch: &mut training.scratch,
                    whole: &mut training.whole_gradient,
                    matrices: &mut training.matrices,
                };
                let needs_input_gradient = index > plan.first_learning;
                is_masked = needs_input_gradient && layer.input_scale.is_some();
                layer.backward(pool, &mut target, needs_input_gradient.then_some(input_gradient), room);
                debug_assert!(skips_zeros || layer.nonzeros.is_none());
                if target.parameters().tensors()[kernel].trainable
                    && let Some(bias) = bias
                {
                    let sums = &mut training.bias_gradient[..units];
                    bias_gradient(pool, layer.delta, sums);
                    target.take_gradient(pool, bias, sums, &mut training.matrices);
                }
                std::mem::swap(&mut training.gradient, &mut training.input_gradient);
            }
            Kind::Pass(pass) => {
                let Pass { layer_pass, tensors, layer, .. } = &plan.passes[pass];
                let described = &target.parameters().tensors()[tensors.clone()];
                let weight_gradients =
                    &mut training.whole_gradient[..target.parameters().span(tensors.clone()).len()];
                // Nothing is learned before, and there need not be room for that gradient.
                let input_gradient = (index > plan.first_learning)
                    .then(|| MatMut::from_slice(input_gradient, stage.inputs, samples));
                layer_pass.backward(Backward {
                    pool,
                    weights: target.parameters().weights(tensors.clone()),
                    input: MatRef::from_slice(input, stage.inputs, samples),
                    output: MatRef::from_slice(output, units, samples),
                    kept: training.remembered.kept[pass].of(samples),
                    random: training.remembered.position.random_source(*layer),
                    output_gradient: MatRef::from_slice(gradient, units, samples),
                    input_gradient,
                    weight_gradients: WeightsMut::new(described, &mut *weight_gradients),
                });
                target.take_gradients(pool, tensors.clone(), weight_gradients, &mut training.matrices);
                std::mem::swap(&mut training.gradient, &mut training.input_gradient);
            }
            Kind::SkipEnd { depth, .. } => {
                training.skipped_gradients[depth][..gradient.len()].copy_from_slice(gradient);
            }
            Kind::SkipStart { depth } => {
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

/// Where gradients are computed on their way.
struct Room<'a, T: Scalar> {
    /// For each thread some sums of an input gradient.
    scratch: &'a mut [T],
    /// All of a kernel's gradient, if it has a regularizer.
    whole: &'a mut [T],
    matrices: &'a mut MatrixRoom<T>,
}

/// The backward pass of a dense stage.
struct DenseStage<'a, T: Scalar> {
    units: usize,
    inputs: usize,
    samples: usize,
    /// The kernel's position among the parameter tensors.
    kernel: usize,
    /// The gradient with respect to the sums, units × samples.
    delta: TiledRef<'a, T>,
    /// Inputs × samples; without meaning if `nonzeros` stand for the network's input.
    input: TiledRef<'a, T>,
    /// What of the input is not zero, if skipping the rest pays.
    nonzeros: Option<&'a Nonzeros<T>>,
    /// If the stage before ends in ReLU, the scale of its derivative where its output is not 0.
    input_scale: Option<T>,
}

impl<T: Scalar> DenseStage<'_, T> {
    /// Computes the input gradient, if there is room for one, by the kernel as it is, and then uses the kernel's gradient.
    fn backward(&self, pool: &Pool, target: &mut Target<'_, T>, to: Option<&mut [T]>, room: Room<'_, T>) {
        let tensor = &target.parameters().tensors()[self.kernel];
        let (learns, plain) = (tensor.trainable, tensor.regularizer.is_none());
        match (to, self.nonzeros, self.input_scale) {
            (Some(to), Some(nonzeros), Some(scale)) if self.sums_in_lanes() => {
                let gradient = TiledMut::from_slice(to, self.inputs, self.samples);
                let masked = MaskedGradient { gradient, scale, scratch: room.scratch };
                if let Target::Update { parameters, moments, update } = target
                    && learns
                    && plain
                {
                    let moments = moments_of(moments, parameters.range(self.kernel));
                    let kernel = parameters.kernel_mut(self.kernel);
                    sparse_backward(pool, update, self.delta, nonzeros, kernel, moments, masked);
                    return constrain(parameters, self.kernel, room.matrices);
                }
                let kernel = target.parameters().kernel(self.kernel);
                sparse_input_gradient(pool, kernel, self.delta, nonzeros, masked);
            }
            (Some(to), ..) => self.whole_input_gradient(pool, target.parameters().kernel(self.kernel), to),
            (None, ..) => {}
        }
        if learns {
            target.take_kernel_gradient(pool, self, room.whole, room.matrices);
        }
    }

    /// Which of its two orders the input gradient has: in lanes, as the form has that skips zeros, or as a product.
    fn sums_in_lanes(&self) -> bool {
        self.input_scale.is_some() && self.units >= TILE_ROWS
    }

    fn whole_input_gradient(&self, pool: &Pool, kernel: TiledRef<'_, T>, to: &mut [T]) {
        let (inputs, samples) = (self.inputs, self.samples);
        let gradient = TiledMut::from_slice(&mut *to, inputs, samples);
        if self.sums_in_lanes() {
            input_gradient(pool, kernel, self.delta, gradient);
        } else {
            let kernel = densely_tensor::Operand::from(kernel).t();
            gemm(pool, gradient, T::ONE, kernel, self.delta, T::ZERO, Epilogue::None);
            Layout::Tiles.clear_padding(inputs, samples, to);
        }
        if let Some(scale) = self.input_scale {
            let input = self.input.elements();
            pool.for_each_part(MASKED_RUN, (input, to), |_, (input, gradient)| {
                mask_gradient(pool.isa(), input, scale, gradient);
            });
        }
    }

    fn input(&self) -> LayerInput<'_, T> {
        self.nonzeros.map_or(LayerInput::Dense(self.input), LayerInput::Sparse)
    }
}

/// Elements that a pool's thread masks at least.
const MASKED_RUN: usize = 4096;

/// `gradient ← scale · gradient` where the output of a stage that ends in ReLU is not 0, else 0.
fn mask<T: Scalar>(pool: &Pool, stage: &Stage, samples: usize, output: &[T], scale: T, gradient: &mut [T]) {
    stage.layout.for_each_run(pool, stage.units, samples, gradient, |run, gradient| {
        mask_gradient(pool.isa(), run.of(output), scale, gradient);
    });
}

/// `gradient ← gradient · activation′`, from the activation's output, or from the input where it takes that.
fn activation_gradient<T: Scalar>(
    pool: &Pool,
    activation: Activation,
    stage: &Stage,
    samples: usize,
    kept: &[T],
    gradient: &mut [T],
) {
    if activation == Activation::Linear {
        return;
    }
    let isa = pool.isa();
    stage.layout.for_each_run(pool, stage.units, samples, gradient, |run, gradient| {
        let kept = run.of(kept);
        match (activation, activation.function()) {
            (_, Some(function)) => function.multiply_by_derivative(isa, kept, gradient),
            (Activation::LogSoftmax, None) => log_softmax_gradient(isa, kept, gradient),
            (Activation::Sparsemax, None) => sparsemax_gradient(kept, gradient),
            (_, None) => softmax_gradient(isa, kept, gradient),
        }
    });
}

impl<T: Scalar> Target<'_, T> {
    fn parameters(&self) -> &EngineParameters<T> {
        match self {
            Target::Update { parameters, .. } => parameters,
            Target::Store { parameters, .. } => parameters,
        }
    }

    /// Computes `Δ·Xᵀ` and uses it.
    fn take_kernel_gradient(
        &mut self,
        pool: &Pool,
        stage: &DenseStage<'_, T>,
        whole: &mut [T],
        matrices: &mut MatrixRoom<T>,
    ) {
        let (index, delta, input) = (stage.kernel, stage.delta, stage.input());
        match self {
            Target::Update { parameters, moments, update } => {
                let range = parameters.range(index);
                let moments = moments_of(moments, range.clone());
                if parameters.tensors()[index].regularizer.is_some() {
                    let whole = &mut whole[..range.len()];
                    let gradient = TiledMut::from_slice(&mut *whole, stage.units, stage.inputs);
                    weight_gradient(pool, delta, input, gradient);
                    add_penalty_gradient(parameters, index, whole, matrices);
                    update.apply_in_parallel(pool, parameters.stored_mut(index), whole, moments);
                } else {
                    update_kernel(pool, update, delta, input, parameters.kernel_mut(index), moments);
                }
                constrain(parameters, index, matrices);
            }
            Target::Store { parameters, gradient } => {
                weight_gradient(pool, delta, input, gradient.kernel_mut(index));
                add_penalty_gradient(parameters, index, gradient.stored_mut(index), matrices);
            }
        }
    }

    /// Uses the gradients of all trainable tensors of a layer, which stand as they do among the parameters.
    fn take_gradients(
        &mut self,
        pool: &Pool,
        tensors: std::ops::Range<usize>,
        gradients: &mut [T],
        matrices: &mut MatrixRoom<T>,
    ) {
        let start = self.parameters().span(tensors.clone()).start;
        for index in tensors {
            let range = self.parameters().range(index);
            if self.parameters().tensors()[index].trainable {
                let gradient = &mut gradients[range.start - start..range.end - start];
                self.take_gradient(pool, index, gradient, matrices);
            }
        }
    }

    /// Uses the gradient of one tensor that is not tiled.
    fn take_gradient(&mut self, pool: &Pool, index: usize, gradient: &mut [T], matrices: &mut MatrixRoom<T>) {
        add_penalty_gradient(self.parameters(), index, gradient, matrices);
        match self {
            Target::Update { parameters, moments, update } => {
                let moments = moments_of(moments, parameters.range(index));
                update.apply_in_parallel(pool, parameters.stored_mut(index), gradient, moments);
                constrain(parameters, index, matrices);
            }
            Target::Store { gradient: all, .. } => all.stored_mut(index).copy_from_slice(gradient),
        }
    }
}

/// A tensor's moments; an optimizer that keeps none has empty buffers.
pub(super) fn moments_of<T: Scalar>(
    moments: &mut [AlignedBuffer<T>; MOST_MOMENTS],
    range: std::ops::Range<usize>,
) -> [&mut [T]; MOST_MOMENTS] {
    moments.each_mut().map(|moment| if moment.is_empty() { &mut [][..] } else { &mut moment[range.clone()] })
}
