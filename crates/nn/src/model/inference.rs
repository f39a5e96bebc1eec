//! Samples on their way through the network outside of training: threads share out the samples, or, of few, each stage's work.

use super::Model;
use crate::data::{Dataset, FirstError};
use crate::engine::buffers::{Buffers, last_of};
use crate::engine::forward::{forward, gather_features};
use crate::engine::loss::predict_in_place;
use crate::engine::parameters::EngineParameters;
use crate::engine::plan::Plan;
use crate::error::Error;
use densely_tensor::{MatMut, Pool, Scalar};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Samples of a batch outside of training.
pub(crate) const EVALUATION_BATCH: usize = 1024;
/// Samples that pass the network together. Always those from a multiple of so many on, whoever else is there: so not even a layer
/// that looks at samples together, or a product that leaves infinite weights out, sees the number of threads.
const PASS_SAMPLES: usize = 128;

/// Where samples pass the network: what no thread is using just now.
pub(super) struct Rooms<T: Scalar>(Mutex<Vec<Buffers<T>>>);

impl<T: Scalar> Rooms<T> {
    /// Room for each thread of `pool` that takes part when so many samples pass together.
    pub(super) fn new(pool: &Pool, plan: &Plan<T>, samples: usize) -> Result<Self, Error> {
        let threads = if are_shared_out(pool, samples) { pool.threads() } else { 1 };
        let room = |_| Buffers::new(plan, samples.min(PASS_SAMPLES), None);
        (0..threads).map(room).collect::<Result<_, _>>().map(|rooms| Self(Mutex::new(rooms)))
    }

    fn free(&self) -> MutexGuard<'_, Vec<Buffers<T>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner) // whoever panicked only took a room out
    }
}

/// Whether there are so many samples that each thread gets some.
fn are_shared_out(pool: &Pool, samples: usize) -> bool {
    samples.div_ceil(PASS_SAMPLES) >= pool.threads()
}

impl<T: Scalar> Model<T> {
    /// Writes what the last stage puts out for the samples of `order` to `columns`, outputs × samples. Many samples are shared out
    /// between the threads, which take them through the whole network without waiting for each other.
    pub(super) fn take_through(
        &self,
        data: &Dataset,
        order: &[u32],
        rooms: &Rooms<T>,
        columns: &mut [T],
    ) -> Result<(), Error> {
        let (pool, plan, parameters) = (self.pool(), &self.plan, &self.parameters);
        let pass = |order: &[u32], columns: &mut [T]| {
            let mut room = rooms.free().pop().expect("there is a room for each thread");
            room.look_for_zeros_again();
            let gathered = gather_features(pool, plan, data, order, &mut room);
            if gathered.is_ok() {
                forward(pool, plan, parameters, &mut room, order.len(), None);
                columns.copy_from_slice(last_of(&mut room.outputs, order.len(), plan.outputs));
            }
            rooms.free().push(room);
            gathered
        };
        if !are_shared_out(pool, order.len()) {
            let columns = columns.chunks_mut(PASS_SAMPLES * plan.outputs);
            return order
                .chunks(PASS_SAMPLES)
                .zip(columns)
                .try_for_each(|(order, columns)| pass(order, columns));
        }
        let columns = MatMut::from_slice(columns, plan.outputs, order.len());
        let result = FirstError::default();
        pool.for_each_part(PASS_SAMPLES, (order, columns), |_, (order, columns)| {
            let columns = columns.into_slice().chunks_mut(PASS_SAMPLES * plan.outputs);
            let mut passes = order.chunks(PASS_SAMPLES).zip(columns);
            result.note(passes.try_for_each(|(order, columns)| pass(order, columns)));
        });
        result.into_result()
    }
}

/// Predictions for the samples that stand in the buffers' input.
pub(super) fn outputs<'b, T: Scalar>(
    pool: &Pool,
    plan: &Plan<T>,
    parameters: &EngineParameters<T>,
    buffers: &'b mut Buffers<T>,
    samples: usize,
) -> &'b [T] {
    forward(pool, plan, parameters, buffers, samples, None);
    let outputs = last_of(&mut buffers.outputs, samples, plan.outputs);
    predict_in_place(pool, &plan.head, MatMut::from_slice(&mut *outputs, plan.outputs, samples));
    outputs
}
