//! What follows the forward pass: from the last outputs and the targets to each sample's loss and the gradient, or to what
//! the user sees as the prediction.

use super::buffers::Outcome;
use crate::activations::Activation;
use crate::losses::{CategoricalCrossentropy, Loss, Reduction, Target};
use densely_tensor::{
    ActivationFunction, ColumnsMut, Isa, MatMut, MatRef, Pool, Scalar, arg_max, softmax_columns,
    softmax_cross_entropy_columns,
};

/// How the last stage's output becomes a loss, a gradient and a prediction.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Head {
    pub(crate) loss: Loss,
    /// Softmax or sigmoid, if it was taken from the stages to be computed with the loss: predictions are this of the
    /// outputs, which are logits then.
    pub(crate) activation: Option<Activation>,
}

/// What the samples of a batch should be.
#[derive(Clone, Copy)]
pub(crate) enum BatchTargets<'a> {
    /// A class for each sample.
    Classes(&'a [u32]),
    /// A column of values for each sample.
    Values(MatRef<'a, f64>),
}

impl Head {
    pub(crate) fn new(loss: &Loss) -> Self {
        Self { loss: loss.clone(), activation: loss.joint_activation() }
    }

    /// Whether the last stage puts out logits.
    fn takes_logits(&self) -> bool {
        self.activation.is_some() || self.loss.takes_logits()
    }

    /// Whether the loss is that of softmax's logits and a class, which is computed for many samples together.
    fn is_plain_cross_entropy(&self) -> bool {
        self.takes_logits()
            && match &self.loss {
                Loss::CategoricalCrossentropy(CategoricalCrossentropy { label_smoothing, .. }) => {
                    *label_smoothing == 0.0
                }
                Loss::SparseCategoricalCrossentropy(_) => true,
                _ => false,
            }
    }

    /// Whether a sample of this class counts.
    pub(crate) fn counts(&self, label: u32) -> bool {
        self.loss.ignored_class() != Some(label)
    }

    /// How many samples count.
    pub(crate) fn counted(&self, targets: BatchTargets<'_>, samples: usize) -> usize {
        match targets {
            BatchTargets::Classes(labels) if self.loss.ignored_class().is_some() => {
                labels.iter().filter(|&&label| self.counts(label)).count()
            }
            _ => samples,
        }
    }

    /// What the sum of the samples' losses is divided by. A batch in which nothing counts has only losses of 0, and 1 here.
    pub(crate) fn divisor(
        &self,
        reduction: Reduction,
        targets: BatchTargets<'_>,
        weights: &[f64],
        samples: usize,
    ) -> f64 {
        let divisor = match reduction {
            Reduction::Sum => 1.0,
            Reduction::MeanWithSampleWeight if !weights.is_empty() => match targets {
                BatchTargets::Classes(labels) => {
                    let counting = weights.iter().zip(labels).filter(|(_, label)| self.counts(**label));
                    counting.map(|(weight, _)| weight).sum()
                }
                BatchTargets::Values(_) => weights.iter().sum(),
            },
            Reduction::SumOverBatchSize | Reduction::MeanWithSampleWeight => {
                self.counted(targets, samples) as f64
            }
        };
        if divisor == 0.0 { 1.0 } else { divisor }
    }

    /// How many samples that count were predicted rightly; `None` if the targets are no classes.
    pub(crate) fn correct(&self, targets: BatchTargets<'_>, outcomes: &[Outcome]) -> Option<usize> {
        let BatchTargets::Classes(labels) = targets else {
            return None;
        };
        let right =
            |(outcome, label): &(&Outcome, &u32)| outcome.predicted == **label && self.counts(**label);
        Some(outcomes.iter().zip(labels).filter(right).count())
    }
}

/// Turns each sample's outputs into the loss's gradient with respect to them, times `scale`, and notes its outcome. If there
/// are weights, loss and gradient of each sample are multiplied by its own. `room` is for custom losses: three numbers for
/// each output.
#[expect(clippy::too_many_arguments, reason = "each is a buffer of its own")]
pub(crate) fn loss_in_place<T: Scalar>(
    pool: &Pool,
    head: &Head,
    mut outputs: MatMut<'_, T>,
    targets: BatchTargets<'_>,
    weights: &[f64],
    room: &mut [f64],
    outcomes: &mut [Outcome],
    scale: f64,
) {
    let (units, isa) = (outputs.n_rows(), pool.isa());
    let weight_scale = scale;
    let scale = if weights.is_empty() { scale } else { 1.0 };
    let together = samples_together(units);
    match targets {
        BatchTargets::Classes(labels) => {
            let operands = (outputs.as_mut(), labels, &mut *outcomes);
            pool.for_each_part(together, operands, |_, (outputs, labels, outcomes)| {
                let outputs = outputs.into_slice();
                for (outcome, y) in outcomes.iter_mut().zip(outputs.chunks_exact(units)) {
                    outcome.predicted = head.class_of(y);
                }
                if head.is_plain_cross_entropy() {
                    cross_entropy(isa, outputs, units, labels, outcomes, T::from_f64(scale));
                } else if !head.is_custom() {
                    for ((y, &label), outcome) in outputs.chunks_exact_mut(units).zip(labels).zip(outcomes) {
                        outcome.loss = head.of_sample(isa, y, Target::Class(label as usize), scale);
                    }
                }
            });
        }
        BatchTargets::Values(values) if !head.is_custom() => {
            let operands = (outputs.as_mut(), values, &mut *outcomes);
            pool.for_each_part(1, operands, |_, (mut outputs, values, outcomes)| {
                for (sample, outcome) in outcomes.iter_mut().enumerate() {
                    let target = Target::Values(values.column(sample));
                    outcome.loss = head.of_sample(isa, outputs.column_mut(sample), target, scale);
                }
            });
        }
        BatchTargets::Values(_) => {}
    }
    if head.is_custom() {
        custom_in_place(pool, head, outputs.as_mut(), targets, room, outcomes, scale);
    }
    if !weights.is_empty() {
        weigh(outputs.as_mut(), weights, weight_scale, outcomes);
    }
    if let (Some(ignored), BatchTargets::Classes(labels)) = (head.loss.ignored_class(), targets) {
        for (sample, (_, outcome)) in
            labels.iter().zip(outcomes).enumerate().filter(|(_, (label, _))| **label == ignored)
        {
            outcome.loss = 0.0;
            outputs.column_mut(sample).fill(T::ZERO);
        }
    }
}

impl Head {
    fn is_custom(&self) -> bool {
        matches!(self.loss, Loss::Custom(_))
    }

    fn of_sample<T: Scalar>(&self, isa: Isa, y: &mut [T], target: Target<'_>, scale: f64) -> f64 {
        self.loss.in_place(isa, y, target, scale, self.takes_logits())
    }

    /// The class that a sample's outputs mean: that of the largest, or of a single one whether it is beyond the middle.
    fn class_of<T: Scalar>(&self, y: &[T]) -> u32 {
        match y {
            [single] => u32::from(single.to_f64() > self.loss.threshold(self.takes_logits())),
            several => arg_max(several) as u32,
        }
    }

    /// Numbers that a custom loss needs room for, of each sample.
    pub(crate) fn room(&self, outputs: usize) -> usize {
        if self.is_custom() { 3 * outputs } else { 0 }
    }
}

/// Multiplies each sample's loss and gradient by its weight.
fn weigh<T: Scalar>(mut outputs: MatMut<'_, T>, weights: &[f64], scale: f64, outcomes: &mut [Outcome]) {
    for (sample, (&weight, outcome)) in weights.iter().zip(outcomes).enumerate() {
        outcome.loss *= weight;
        // Rounded once: a scale may be large where all weights are small.
        let weight = T::from_f64(weight * scale);
        for gradient in outputs.column_mut(sample) {
            *gradient = *gradient * weight;
        }
    }
}

/// A custom loss, for which outputs, targets and gradient are copied in double precision.
fn custom_in_place<T: Scalar>(
    pool: &Pool,
    head: &Head,
    outputs: MatMut<'_, T>,
    targets: BatchTargets<'_>,
    room: &mut [f64],
    outcomes: &mut [Outcome],
    scale: f64,
) {
    let Loss::Custom(custom) = &head.loss else { return };
    // Data are taken only after it was seen that the code is there.
    let Ok(function) = custom.function() else { return };
    let (units, samples) = (outputs.n_rows(), outputs.n_columns());
    let room = MatMut::from_slice(&mut room[..3 * units * samples], 3 * units, samples);
    pool.for_each_part(1, (outputs, room, outcomes), |range, (mut outputs, mut room, outcomes)| {
        for (column, outcome) in outcomes.iter_mut().enumerate() {
            let sample = range.start + column;
            let target = match targets {
                BatchTargets::Classes(labels) => Target::Class(labels[sample] as usize),
                BatchTargets::Values(values) => Target::Values(values.column(sample)),
            };
            let y = outputs.column_mut(column);
            let (t, rest) = room.column_mut(column).split_at_mut(units);
            let (doubles, slopes) = rest.split_at_mut(units);
            for (output, (t, double)) in t.iter_mut().zip(&mut *doubles).enumerate() {
                *t = target.at(output, units);
                *double = y[output].to_f64();
            }
            slopes.fill(0.0);
            outcome.loss = function.loss_and_gradient(t, doubles, slopes);
            for (y, slope) in y.iter_mut().zip(&*slopes) {
                *y = T::from_f64(scale * slope);
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

/// Turns each sample's outputs into the prediction that the user sees.
pub(crate) fn predict_in_place<T: Scalar>(pool: &Pool, head: &Head, outputs: MatMut<'_, T>) {
    let units = outputs.n_rows();
    match head.activation {
        None => {}
        Some(Activation::Sigmoid) => pool.for_each_part(1, outputs, |_, outputs| {
            ActivationFunction::Sigmoid.apply(pool.isa(), outputs.into_slice());
        }),
        Some(_) => pool.for_each_part(samples_together(units), outputs, |_, outputs| {
            softmax_columns(pool.isa(), ColumnsMut::new(outputs.into_slice(), units, units));
        }),
    }
}
