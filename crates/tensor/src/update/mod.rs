//! Optimizer updates: what a step does to a run of parameters, given their gradient.
//!
//! A rule holds the numbers of one step (learning rate, bias corrections); where a network keeps its parameters and how
//! it schedules the rate is not known here. Moments below the smallest normal number become +0, because they would
//! otherwise stay subnormal for ever once a gradient is zero, and subnormal arithmetic is slow on many CPUs.

mod adam;
mod sgd;

pub use adam::Adam;
pub use sgd::Sgd;

use crate::isa::Isa;
use crate::scalar::Scalar;

/// One step of an optimizer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Update<T> {
    /// Gradient descent, with or without momentum.
    Sgd(Sgd<T>),
    /// Adam.
    Adam(Adam<T>),
}

impl<T: Scalar> Update<T> {
    /// How many numbers the rule remembers of each parameter: 0, 1 or 2.
    pub fn moments(&self) -> usize {
        match self {
            Update::Sgd(rule) if rule.momentum == T::ZERO => 0,
            Update::Sgd(_) => 1,
            Update::Adam(_) => 2,
        }
    }

    /// Changes `parameters` by their `gradient`; `moments` are the rule's memory of earlier steps, all zero before the
    /// first. A rule that needs fewer than two leaves the others alone, and they may be empty.
    ///
    /// # Panics
    ///
    /// If a slice that the rule needs is not as long as `parameters`.
    #[track_caller]
    pub fn apply(&self, isa: Isa, parameters: &mut [T], gradient: &[T], moments: [&mut [T]; 2]) {
        assert_eq!(parameters.len(), gradient.len(), "parameters and gradient");
        let [first, second] = moments;
        match self {
            Update::Sgd(rule) => rule.apply(isa, parameters, gradient, first),
            Update::Adam(rule) => rule.apply(isa, parameters, gradient, first, second),
        }
    }
}

/// A moment as it is kept: +0 instead of a subnormal number.
#[inline(always)]
fn without_subnormals<T: Scalar>(moment: T) -> T {
    if moment.abs() < T::MIN_POSITIVE { T::ZERO } else { moment }
}
