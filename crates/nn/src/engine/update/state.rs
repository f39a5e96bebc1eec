//! What an optimizer remembers from step to step.

use super::{follow, is_kernel};
use crate::engine::parameters::{EngineParameters, MatrixRoom};
use crate::engine::penalties::takes_a_matrix;
use crate::error::Error;
use crate::optimizers::Optimizer;
use crate::parameters::Tensor;
use crate::sequential::Sequential;
use densely_tensor::{AlignedBuffer, MOST_MOMENTS, Pool, Scalar, Update};

/// The whole memory of an optimizer. Buffers are laid out as the parameters are, or empty where nothing is kept, and before
/// the first step.
#[derive(Clone, Debug)]
pub(crate) struct OptimizerState<T: Scalar> {
    /// What is kept of each parameter: moments; r and c of Adafactor; z and v of the schedule-free optimizer.
    pub(crate) moments: [AlignedBuffer<T>; MOST_MOMENTS],
    /// Batches so far, which schedules count.
    pub(crate) batches: u64,
    /// Updates so far: fewer if gradients are accumulated.
    pub(crate) updates: u64,
    /// The sum of the gradients that wait for an update.
    pub(crate) accumulated: AlignedBuffer<T>,
    /// How many these are.
    pub(crate) waiting: u64,
    /// The moving average of the parameters. For a schedule-free optimizer the points where gradients are taken while the
    /// parameters show the average, and the average during a step; see [`exchange`](Self::exchange).
    pub(crate) average: AlignedBuffer<T>,
    /// The largest rate of a schedule-free optimizer, and the sum of the weights of its average.
    pub(crate) largest_rate: f64,
    pub(crate) weight_sum: f64,
    /// Whether a schedule-free optimizer has to begin at the parameters as they are.
    pub(crate) starts_anew: bool,
}

/// The names of its buffers in files.
const NAMES: [&str; MOST_MOMENTS + 2] = ["moment_1", "moment_2", "moment_3", "accumulated", "average"];

/// What an update writes besides.
pub(crate) struct UpdateRoom<T: Scalar> {
    /// The gradient of all parameters, if it is needed as a whole.
    pub(crate) gradient: Option<EngineParameters<T>>,
    /// For constraints, and for rules that take a kernel as a matrix.
    pub(super) matrices: MatrixRoom<T>,
    /// For [`Muon`](crate::optimizers::Muon) two matrices as large as the largest kernel, and two squares on its shorter
    /// side.
    pub(super) muon: [AlignedBuffer<T>; 4],
}

impl<T: Scalar> OptimizerState<T> {
    /// The state before the first step. Until [`make_room`](Self::make_room) it has no buffers: a model that only predicts
    /// never needs them.
    pub(crate) fn new() -> Self {
        let none = || AlignedBuffer::zeros(0);
        Self {
            moments: [none(), none(), none()],
            batches: 0,
            updates: 0,
            accumulated: none(),
            waiting: 0,
            average: none(),
            largest_rate: 0.0,
            weight_sum: 0.0,
            starts_anew: true,
        }
    }

    /// Makes the buffers that are not there yet, for this many numbers in [`EngineParameters::values`]: before the first step.
    ///
    /// # Errors
    ///
    /// [`Error::Memory`] if there is not enough.
    pub(crate) fn make_room(&mut self, optimizer: &Optimizer, len: usize) -> Result<(), Error> {
        let options = optimizer.options();
        let make = |buffer: &mut AlignedBuffer<T>, is_needed: bool, initial: T| {
            if is_needed && buffer.is_empty() {
                let room = AlignedBuffer::try_zeros(len);
                *buffer = room.ok_or(Error::Memory { what: "the optimizer's moments" })?;
                buffer.fill(initial);
            }
            Ok(())
        };
        let needed = optimizer.moments();
        for (index, (moment, initial)) in self.moments.iter_mut().zip(initial_moments(optimizer)).enumerate()
        {
            make(moment, index < needed, initial)?;
        }
        make(&mut self.accumulated, options.gradient_accumulation_steps.is_some(), T::ZERO)?;
        make(&mut self.average, options.use_ema || is_schedule_free(optimizer), T::ZERO)
    }

    /// Its buffers that are not empty, by name.
    pub(crate) fn buffers(&self) -> impl Iterator<Item = (&'static str, &[T])> {
        let [first, second, third] = &self.moments;
        NAMES
            .into_iter()
            .zip([first, second, third, &self.accumulated, &self.average].map(|buffer| &buffer[..]))
            .filter(|(_, buffer)| !buffer.is_empty())
    }

    /// The same, to be changed.
    pub(crate) fn buffers_mut(&mut self) -> impl Iterator<Item = (&'static str, &mut [T])> {
        let [first, second, third] = &mut self.moments;
        NAMES
            .into_iter()
            .zip(
                [first, second, third, &mut self.accumulated, &mut self.average]
                    .map(|buffer| &mut buffer[..]),
            )
            .filter(|(_, buffer)| !buffer.is_empty())
    }

    /// Forgets every step.
    pub(crate) fn reset(&mut self, optimizer: &Optimizer) {
        for (moment, initial) in self.moments.iter_mut().zip(initial_moments(optimizer)) {
            moment.fill(initial);
        }
        self.accumulated.fill(T::ZERO);
        self.average.fill(T::ZERO);
        (self.batches, self.updates, self.waiting) = (0, 0, 0);
        (self.largest_rate, self.weight_sum, self.starts_anew) = (0.0, 0.0, true);
    }

    /// Forgets the gradients of tensors that are not trained now, which wait for an update that will not be theirs.
    pub(crate) fn forget_frozen_gradients(&mut self, parameters: &EngineParameters<T>) {
        let frozen = parameters.tensors().iter().enumerate().filter(|(_, tensor)| !tensor.trainable);
        for (index, _) in frozen {
            if let Some(gradient) = self.accumulated.get_mut(parameters.range(index)) {
                gradient.fill(T::ZERO);
            }
        }
    }

    /// Before and after each step of a schedule-free optimizer: between steps the parameters are the average, in a step
    /// they are the points at which gradients are taken. Changes nothing for other optimizers.
    pub(crate) fn exchange(&mut self, optimizer: &Optimizer, parameters: &mut EngineParameters<T>) {
        if !is_schedule_free(optimizer) {
            return;
        }
        if self.starts_anew {
            self.average.copy_from_slice(parameters.values());
            self.moments[0].copy_from_slice(parameters.values());
            (self.largest_rate, self.weight_sum, self.starts_anew) = (0.0, 0.0, false);
        }
        parameters.swap_trainable(&mut self.average);
    }

    /// The next update of an optimizer that treats each parameter by itself.
    ///
    /// # Panics
    ///
    /// If it does not.
    pub(crate) fn element_wise(&self, optimizer: &Optimizer) -> Update<T> {
        let rate = optimizer.learning_rate_at(self.batches);
        let update = optimizer.element_wise(self.updates + 1, rate);
        update.expect("rules that look at whole tensors were told apart before")
    }

    /// Counts an update that was made, and takes the moving average after it.
    pub(crate) fn count_update(
        &mut self,
        pool: &Pool,
        optimizer: &Optimizer,
        parameters: &mut EngineParameters<T>,
    ) {
        let options = optimizer.options();
        if options.use_ema {
            if self.updates == 0 {
                self.average.copy_from_slice(parameters.values());
            } else {
                let rate = T::from_f64(1.0 - options.ema_momentum);
                let operands = (&mut self.average[..], parameters.values());
                pool.for_each_part(super::PARALLEL_RUN, operands, |_, (average, values)| {
                    for (average, &value) in average.iter_mut().zip(values) {
                        follow(average, value, rate);
                    }
                });
            }
        }
        self.batches += 1;
        self.updates += 1;
        let overwrites = |frequency| self.updates.is_multiple_of(frequency);
        if options.use_ema && options.ema_overwrite_frequency.is_some_and(overwrites) {
            parameters.copy_trainable(&self.average);
        }
    }

    /// At the end of training: a moving average takes the parameters' place, if there is one.
    pub(crate) fn finalize(&self, optimizer: &Optimizer, parameters: &mut EngineParameters<T>) {
        if optimizer.options().use_ema && self.updates > 0 {
            parameters.copy_trainable(&self.average);
        }
    }
}

impl<T: Scalar> UpdateRoom<T> {
    /// No room, which is enough as long as no step is made.
    pub(crate) fn none() -> Self {
        let none = || AlignedBuffer::zeros(0);
        Self { gradient: None, matrices: MatrixRoom::none(), muon: [none(), none(), none(), none()] }
    }

    /// The room for an optimizer's steps.
    ///
    /// # Errors
    ///
    /// [`Error::Memory`] if there is not enough.
    pub(crate) fn new(optimizer: &Optimizer, network: &Sequential) -> Result<Self, Error> {
        let gradient = (!optimizer.is_fused()).then(|| EngineParameters::zeros(network)).transpose();
        let gradient = gradient.map_err(|_| Error::Memory { what: "the gradient of all parameters" })?;
        let kernels =
            || gradient.iter().flat_map(EngineParameters::tensors).filter(|tensor| is_kernel(tensor));
        let is_muon = matches!(optimizer, Optimizer::Muon(_));
        let buffer = |len: Option<usize>| {
            let buffer = AlignedBuffer::try_zeros(len.filter(|_| is_muon).unwrap_or(0));
            buffer.ok_or(Error::Memory { what: "the optimizer's matrices" })
        };
        let largest = kernels().map(|tensor| tensor.len()).max();
        let side = |tensor: &Tensor| {
            let (rows, columns) = tensor.shape.rows_and_columns();
            rows.min(columns)
        };
        let square = kernels().map(|tensor| side(tensor).pow(2)).max();
        let muon = [buffer(largest)?, buffer(largest)?, buffer(square)?, buffer(square)?];
        let by_matrix = is_muon || matches!(optimizer, Optimizer::Adafactor(_));
        let tensors = gradient.as_ref().map_or(&[][..], EngineParameters::tensors);
        let matrices = MatrixRoom::new(tensors, |tensor| by_matrix || takes_a_matrix(tensor))?;
        Ok(Self { gradient, matrices, muon })
    }
}

/// What moments are before the first step.
fn initial_moments<T: Scalar>(optimizer: &Optimizer) -> [T; MOST_MOMENTS] {
    match optimizer {
        // Step sizes, as multiples of the learning rate.
        Optimizer::Rprop(_) => [T::ONE, T::ZERO, T::ZERO],
        _ => {
            optimizer.element_wise(1, 1.0).map_or([T::ZERO; MOST_MOMENTS], |update| update.initial_moments())
        }
    }
}

fn is_schedule_free(optimizer: &Optimizer) -> bool {
    matches!(optimizer, Optimizer::ScheduleFreeAdamW(_))
}
