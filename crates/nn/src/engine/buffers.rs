//! Everything that a pass writes, allocated once for batches of up to a given size.

use super::loss::BatchTargets;
use super::parameters::MatrixRoom;
use super::penalties::takes_a_matrix;
use super::plan::{Kind, Pass, Plan, Stage};
use crate::data::GatherRoom;
use crate::error::Error;
use crate::layers::{Kept, KeptMut, RandomSource};
use densely_tensor::{
    AlignedBuffer, MatMut, MatRef, Nonzeros, Pool, Scalar, backward_scratch, prefers_sparse,
};

/// What the loss says of one sample.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) loss: f64,
    /// The class with the largest output.
    pub(crate) predicted: u32,
}

/// What a forward pass writes.
pub(crate) struct Buffers<T: Scalar> {
    /// Features × samples, in columns, unless the batch was gathered as nonzeros.
    pub(crate) input: AlignedBuffer<T>,
    pub(crate) input_is_nonzeros: bool,
    /// Whether nonzeros were looked for when the batch was gathered.
    pub(crate) input_was_looked_through: bool,
    /// Where nonzeros are gathered.
    pub(crate) gather: GatherRoom,
    /// For each stage units × samples, in its layout.
    pub(crate) outputs: Vec<AlignedBuffer<T>>,
    /// For each stage whose input may be full of zeros what is not zero.
    pub(crate) inputs_nonzeros: Vec<Option<InputNonzeros<T>>>,
    pub(crate) targets: TargetBuffers,
    pub(crate) outcomes: Vec<Outcome>,
    /// Where a custom loss finds its operands; empty for others.
    pub(crate) room: AlignedBuffer<f64>,
}

/// What is not zero in the input of a dense stage.
pub(crate) struct InputNonzeros<T: Scalar> {
    nonzeros: Nonzeros<T>,
    /// Whether they are of the present batch.
    filled: bool,
    /// Batches to pass before it is looked again whether skipping zeros pays.
    pause: u32,
}

/// How many batches a stage whose input has few zeros goes without looking for them.
const PAUSE: u32 = 15;

impl<T: Scalar> InputNonzeros<T> {
    fn new(features: usize, samples: usize) -> Result<Self, Error> {
        let nonzeros = Nonzeros::try_new(features, samples);
        let nonzeros = nonzeros.ok_or(Error::Memory { what: "the nonzeros of a batch" })?;
        Ok(Self { nonzeros, filled: false, pause: 0 })
    }

    /// Looks for zeros by `fill`, unless there were too few of them lately, and remembers whether skipping them pays. No bit
    /// depends on it.
    pub(crate) fn find(&mut self, fill: impl FnOnce(&mut Nonzeros<T>)) {
        self.filled = false;
        if self.pause > 0 {
            self.pause -= 1;
            return;
        }
        fill(&mut self.nonzeros);
        self.filled = prefers_sparse(self.nonzeros.density());
        self.pause = if self.filled { 0 } else { PAUSE };
    }

    /// Makes the nonzeros ready for the backward pass, if there are so few that it skips zeros.
    pub(crate) fn list_features(&mut self, pool: &Pool) {
        if self.filled {
            self.nonzeros.list_features(pool);
        }
    }

    /// The nonzeros of the present batch, if there are so few that skipping zeros pays.
    pub(crate) fn few(&self) -> Option<&Nonzeros<T>> {
        self.filled.then_some(&self.nonzeros)
    }
}

/// What the samples of a batch should be, and how much each of them counts.
pub(crate) struct TargetBuffers {
    /// How many values a sample has; `None` for class labels.
    outputs: Option<usize>,
    pub(crate) labels: Vec<u32>,
    /// Outputs × samples; empty for class labels.
    pub(crate) values: AlignedBuffer<f64>,
    /// Each sample's weight; empty if all count alike.
    pub(crate) weights: Vec<f64>,
}

impl TargetBuffers {
    /// The targets of the first `samples` samples.
    pub(crate) fn of(&self, samples: usize) -> BatchTargets<'_> {
        match self.outputs {
            None => BatchTargets::Classes(&self.labels[..samples]),
            Some(outputs) => {
                let values = &self.values[..outputs * samples];
                BatchTargets::Values(MatRef::from_slice(values, outputs, samples))
            }
        }
    }

    /// Notes the weights of the samples of `order` in data whose weights are `weights`; if that is empty, all count alike.
    pub(crate) fn weigh(&mut self, order: &[u32], weights: &[f64]) {
        self.weights.clear();
        if !weights.is_empty() {
            self.weights.extend(order.iter().map(|&sample| weights[sample as usize]));
        }
    }
}

/// What training writes besides.
pub(crate) struct TrainingBuffers<T: Scalar> {
    /// What the forward pass leaves for the backward pass.
    pub(crate) remembered: Remembered<T>,
    /// The gradient with respect to the output of the stage that the backward pass has come to, units × samples.
    pub(crate) gradient: AlignedBuffer<T>,
    /// The gradient with respect to its input; the two change places from stage to stage.
    pub(crate) input_gradient: AlignedBuffer<T>,
    /// For each block that a block may stand in, and one more: the gradient with respect to a block's output, which is
    /// also a part of that with respect to its input.
    pub(crate) skipped_gradients: Vec<AlignedBuffer<T>>,
    /// The gradient of a kernel that has a regularizer, or of all tensors of a pass.
    pub(crate) whole_gradient: AlignedBuffer<T>,
    /// One element for each unit of the widest layer.
    pub(crate) bias_gradient: AlignedBuffer<T>,
    /// For each thread the sums of an input gradient that are not zero.
    pub(crate) scratch: AlignedBuffer<T>,
    /// For constraints and penalties that take a kernel as a matrix.
    pub(crate) matrices: MatrixRoom<T>,
}

/// What the forward pass leaves for the backward pass besides the stages' outputs.
pub(crate) struct Remembered<T: Scalar> {
    /// For each stage its random bytes: whole blocks of 64 for each sample if it has dropout, else none.
    pub(crate) random: Vec<Vec<u8>>,
    /// For each of the plan's passes what it keeps.
    pub(crate) kept: Vec<KeptBuffers<T>>,
    /// Where the batch stands in training.
    pub(crate) position: Position,
}

/// What one layer keeps.
pub(crate) struct KeptBuffers<T: Scalar> {
    per_sample: usize,
    samples: AlignedBuffer<T>,
    batch: AlignedBuffer<T>,
}

impl<T: Scalar> KeptBuffers<T> {
    /// For the first `samples` samples.
    pub(crate) fn of(&mut self, samples: usize) -> KeptMut<'_, T> {
        let of_samples = &mut self.samples[..self.per_sample * samples];
        KeptMut { samples: MatMut::from_slice(of_samples, self.per_sample, samples), batch: &mut self.batch }
    }
}

/// Where a batch stands in training; with the seed it determines all random numbers of the pass.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Position {
    pub(crate) seed: u64,
    /// From 1.
    pub(crate) epoch: u64,
    /// How many samples of the epoch came before the batch.
    pub(crate) first_sample: usize,
}

impl Position {
    /// The random numbers of the layer at this position in the network.
    pub(crate) fn random_source(self, layer: usize) -> RandomSource {
        let Self { seed, epoch, first_sample } = self;
        RandomSource { seed, epoch, layer, first_sample }
    }
}

/// Bytes of a block of random numbers.
pub(crate) const RANDOM_BLOCK: usize = 64;

/// Random bytes for one sample of a dropout layer: two a unit, in whole blocks.
pub(crate) fn random_bytes(units: usize) -> usize {
    (2 * units).next_multiple_of(RANDOM_BLOCK)
}

/// The last stage's output for the first `samples` samples, in columns.
pub(crate) fn last_of<T: Scalar>(stages: &mut [AlignedBuffer<T>], samples: usize, units: usize) -> &mut [T] {
    let output = stages.last_mut().expect("a valid network has a dense layer, and so a stage");
    &mut output[..units * samples]
}

/// A buffer for `per_sample` elements of each of `samples` samples.
pub(super) fn zeros<T: Scalar>(per_sample: usize, samples: usize) -> Result<AlignedBuffer<T>, Error> {
    buffer_of(per_sample.checked_mul(samples))
}

fn buffer_of<T: Scalar>(len: Option<usize>) -> Result<AlignedBuffer<T>, Error> {
    len.and_then(AlignedBuffer::try_zeros).ok_or(Error::Memory { what: "the buffers of a batch" })
}

/// Room for random bytes.
fn bytes(per_sample: usize, samples: usize) -> Result<Vec<u8>, Error> {
    let count = per_sample.checked_mul(samples).ok_or(Error::Memory { what: "the masks of a batch" })?;
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(count).map_err(|_| Error::Memory { what: "the masks of a batch" })?;
    bytes.resize(count, 0);
    Ok(bytes)
}

impl<T: Scalar> Buffers<T> {
    /// # Errors
    ///
    /// [`Error::Memory`] if there is not enough for batches of `samples` with targets of `outputs` values, `None` for labels.
    pub(crate) fn new(plan: &Plan<T>, samples: usize, outputs: Option<usize>) -> Result<Self, Error> {
        Self::with(plan, samples, samples, outputs)
    }

    /// The same with room for nothing but the last stage's output, and what the loss makes of it.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub(crate) fn of_the_loss(plan: &Plan<T>, samples: usize, outputs: Option<usize>) -> Result<Self, Error> {
        Self::with(plan, 0, samples, outputs)
    }

    /// Takes every batch as the first one, whose zeros are looked for.
    pub(crate) fn look_for_zeros_again(&mut self) {
        self.inputs_nonzeros.iter_mut().flatten().for_each(|nonzeros| nonzeros.pause = 0);
    }

    /// Room for batches of `samples`, of which `inside` pass the network.
    fn with(plan: &Plan<T>, inside: usize, samples: usize, outputs: Option<usize>) -> Result<Self, Error> {
        let last = plan.stages.len().saturating_sub(1);
        let samples_of = |index: usize| if index == last { samples } else { inside };
        let nonzeros = |stage: &Stage| match stage.kind {
            Kind::Dense { skips_zeros: true, .. } => InputNonzeros::new(stage.inputs, inside).map(Some),
            _ => Ok(None),
        };
        Ok(Self {
            input: zeros(plan.inputs, inside)?,
            input_is_nonzeros: false,
            input_was_looked_through: false,
            gather: GatherRoom::new(inside),
            outputs: plan
                .stages
                .iter()
                .enumerate()
                .map(|(index, stage)| buffer_of(stage.layout.len(stage.units, samples_of(index))))
                .collect::<Result<_, _>>()?,
            inputs_nonzeros: plan.stages.iter().map(nonzeros).collect::<Result<_, _>>()?,
            targets: TargetBuffers {
                outputs,
                labels: vec![0; if outputs.is_none() { samples } else { 0 }],
                values: zeros(outputs.unwrap_or(0), samples)?,
                weights: Vec::with_capacity(samples),
            },
            outcomes: vec![Outcome::default(); samples],
            room: zeros(plan.head.room(plan.outputs), samples)?,
        })
    }
}

impl<T: Scalar> TrainingBuffers<T> {
    /// # Errors
    ///
    /// [`Error::Memory`] if there is not enough for batches of `samples` on `threads` threads.
    pub(crate) fn new(plan: &Plan<T>, samples: usize, threads: usize) -> Result<Self, Error> {
        let random = |stage: &Stage| match stage.kind.dropout() {
            Some(_) => bytes(random_bytes(stage.units), samples),
            None => Ok(Vec::new()),
        };
        let kept = |pass: &Pass<T>| {
            let Kept { per_sample, per_batch } = pass.kept;
            let (samples, batch) = (zeros(per_sample, samples)?, zeros(per_batch, 1)?);
            Ok::<_, Error>(KeptBuffers { per_sample, samples, batch })
        };
        let stored = |stage: &Stage| stage.layout.len(stage.units, samples).unwrap_or(usize::MAX);
        let widest = plan.stages.iter().map(stored).max();
        // The gradient with respect to an input lies as the input does, whoever put that out.
        let widest = || buffer_of(widest);
        let masks = plan.stages.iter().any(|stage| stage.kind.scale_of_mask::<T>().is_some());
        Ok(Self {
            remembered: Remembered {
                random: plan.stages.iter().map(random).collect::<Result<_, _>>()?,
                kept: plan.passes.iter().map(kept).collect::<Result<_, _>>()?,
                position: Position::default(),
            },
            gradient: widest()?,
            input_gradient: widest()?,
            skipped_gradients: (0..plan.blocks).map(|_| widest()).collect::<Result<_, _>>()?,
            whole_gradient: zeros(plan.whole_gradient, 1)?,
            bias_gradient: zeros(plan.stages.iter().map(|stage| stage.units).max().unwrap_or(0), 1)?,
            scratch: zeros(if masks { backward_scratch(samples) } else { 0 }, threads)?,
            matrices: MatrixRoom::new(&plan.tensors, takes_a_matrix)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::{Dense, Dropout};
    use crate::losses::Loss;
    use crate::sequential::Sequential;

    #[test]
    fn batches_larger_than_memory_are_an_error() {
        let network = Sequential::new(3).add(Dropout::new(0.5)).add(Dense::new(1000));
        let plan = Plan::new(&network, &Loss::MeanSquaredError);
        for samples in [1 << 50, usize::MAX] {
            assert!(matches!(Buffers::<f32>::new(&plan, samples, None), Err(Error::Memory { .. })));
        }
        assert!(
            Buffers::<f32>::new(&plan, 10, None).is_ok() && TrainingBuffers::<f32>::new(&plan, 10, 2).is_ok()
        );
    }
}
