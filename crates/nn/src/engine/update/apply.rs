//! An update from a gradient that stands in memory.

use super::adafactor::AdafactorStep;
use super::clip::clip;
use super::lamb::LambStep;
use super::muon::MuonStep;
use super::rprop::RpropStep;
use super::schedule_free::ScheduleFreeStep;
use super::state::{OptimizerState, UpdateRoom};
use super::{PARALLEL_RUN, Shape};
use crate::engine::backward::moments_of;
use crate::engine::parameters::{EngineParameters, MatrixRoom};
use crate::engine::penalties::{constrain, constrain_values};
use crate::optimizers::Optimizer;
use densely_tensor::{AlignedBuffer, Pool, Scalar, Update};

/// The numbers of one update.
enum Step<'a, T> {
    EachElement(Update<T>),
    Lamb(LambStep<T>),
    Adafactor(AdafactorStep<T>),
    Muon(MuonStep<'a, T>),
    ScheduleFree(ScheduleFreeStep<T>),
    Rprop(RpropStep<T>),
}

/// A tensor and what belongs to it.
pub(super) struct Operands<'a, T> {
    pub(super) shape: Shape,
    pub(super) weights: &'a mut [T],
    /// May be overwritten.
    pub(super) gradient: &'a mut [T],
    pub(super) moments: [&'a mut [T]; densely_tensor::MOST_MOMENTS],
}

impl<T: Scalar> OptimizerState<T> {
    /// Takes the gradient of a batch, which stands in the room, and makes an update if it does not have to wait for other
    /// batches.
    ///
    /// # Panics
    ///
    /// If the room has no gradient.
    pub(crate) fn take_gradient(
        &mut self,
        pool: &Pool,
        optimizer: &Optimizer,
        parameters: &mut EngineParameters<T>,
        room: &mut UpdateRoom<T>,
    ) {
        let options = optimizer.options();
        let UpdateRoom { gradient, matrices, muon } = room;
        let gradient = gradient.as_mut().expect("whoever computed the gradient found room for it");
        if options.gradient_accumulation_steps.is_some_and(|steps| self.waits(pool, gradient, steps)) {
            self.batches += 1;
            return;
        }
        clip(&options, gradient);
        let step = self.step(optimizer);
        for index in 0..parameters.tensors().len() {
            if !parameters.tensors()[index].trainable {
                continue;
            }
            self.update_tensor(pool, &step, index, parameters, gradient, (&mut *matrices, &mut *muon));
            constrain(parameters, index, matrices);
        }
        self.count_update(pool, optimizer, parameters);
    }

    /// Adds up gradients. Says that the update has to wait, or leaves their mean in the last one's place.
    fn waits(&mut self, pool: &Pool, gradient: &mut EngineParameters<T>, steps: u64) -> bool {
        self.waiting += 1;
        let operands = (&mut self.accumulated[..], gradient.values_mut());
        if self.waiting < steps {
            pool.for_each_part(PARALLEL_RUN, operands, |_, (sum, gradient)| {
                sum.iter_mut().zip(gradient).for_each(|(sum, gradient)| *sum += *gradient);
            });
            return true;
        }
        let steps = T::from_f64(steps as f64);
        pool.for_each_part(PARALLEL_RUN, operands, |_, (sum, gradient)| {
            for (sum, gradient) in sum.iter_mut().zip(gradient) {
                *gradient = (*gradient + *sum) / steps;
                *sum = T::ZERO;
            }
        });
        self.waiting = 0;
        false
    }

    /// The numbers of the next update.
    fn step<'a>(&mut self, optimizer: &'a Optimizer) -> Step<'a, T> {
        let (t, rate) = (self.updates + 1, optimizer.learning_rate_at(self.batches));
        match optimizer {
            Optimizer::Lamb(lamb) => Step::Lamb(LambStep::new(lamb, t, rate)),
            Optimizer::Adafactor(adafactor) => Step::Adafactor(AdafactorStep::new(adafactor, t, rate)),
            Optimizer::Muon(muon) => Step::Muon(MuonStep::new(muon, t, rate)),
            Optimizer::ScheduleFreeAdamW(adam) => {
                let rate = adam.warmed_up(t, rate);
                self.largest_rate = self.largest_rate.max(rate);
                let weight = self.largest_rate * self.largest_rate;
                self.weight_sum += weight;
                let share = if self.weight_sum > 0.0 { weight / self.weight_sum } else { 0.0 };
                Step::ScheduleFree(ScheduleFreeStep::new(adam, t, rate, share))
            }
            Optimizer::Rprop(rprop) => Step::Rprop(RpropStep::new(rprop, rate)),
            _ => Step::EachElement(self.element_wise(optimizer)),
        }
    }

    fn update_tensor(
        &mut self,
        pool: &Pool,
        step: &Step<'_, T>,
        index: usize,
        parameters: &mut EngineParameters<T>,
        gradient: &mut EngineParameters<T>,
        (matrices, muon): (&mut MatrixRoom<T>, &mut [AlignedBuffer<T>; 4]),
    ) {
        let range = parameters.range(index);
        let (tensors, values) = parameters.parts_mut();
        let (tensor, weights) = (&tensors[index], &mut values[range.clone()]);
        let shape = Shape::of(tensor);
        let by_adam = matches!(step, Step::Muon(step) if step.leaves_to_adam(tensor));
        let moments = moments_of(&mut self.moments, range.clone());
        let gradient = gradient.stored_mut(index);
        match step {
            Step::EachElement(update) => update.apply_in_parallel(pool, weights, gradient, moments),
            Step::Lamb(step) => step.apply(pool, Operands { shape, weights, gradient, moments }),
            Step::Rprop(step) => step.apply(pool, Operands { shape, weights, gradient, moments }),
            Step::Muon(step) if by_adam => {
                step.apply_adam(pool, Operands { shape, weights, gradient, moments })
            }
            Step::Muon(step) => matrices.change_both(tensor, weights, gradient, |weights, gradient| {
                step.apply(pool, Operands { shape, weights, gradient, moments }, muon);
            }),
            Step::Adafactor(step) => matrices.change_both(tensor, weights, gradient, |weights, gradient| {
                step.apply(pool, Operands { shape, weights, gradient, moments });
            }),
            Step::ScheduleFree(step) => {
                let [z, v, _] = moments;
                let x = &mut self.average[range];
                step.descend(pool, weights, gradient, z, v);
                constrain_values(tensor, z, matrices);
                step.average(pool, x, z);
                constrain_values(tensor, x, matrices);
                step.look_between(pool, weights, x, z);
            }
        }
    }
}
