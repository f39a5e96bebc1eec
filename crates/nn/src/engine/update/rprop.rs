//! iRPROP−: step sizes from the signs of gradients.

use super::PARALLEL_RUN;
use super::apply::Operands;
use crate::optimizers::Rprop;
use densely_tensor::{Pool, Scalar};

/// The numbers of one update; the formula is [`Rprop`]'s. Step sizes are kept as multiples of the learning rate.
pub(super) struct RpropStep<T> {
    rate: T,
    decay: T,
    shrink: T,
    grow: T,
    smallest: T,
    largest: T,
}

impl<T: Scalar> RpropStep<T> {
    pub(super) fn new(rprop: &Rprop, rate: f64) -> Self {
        Self {
            rate: T::from_f64(rate),
            decay: T::from_f64(rate * rprop.weight_decay),
            shrink: T::from_f64(rprop.eta_minus),
            grow: T::from_f64(rprop.eta_plus),
            smallest: T::from_f64(rprop.smallest_step / rate),
            largest: T::from_f64(rprop.largest_step / rate),
        }
    }

    pub(super) fn apply(&self, pool: &Pool, operands: Operands<'_, T>) {
        // At a rate of 0, or of next to nothing, there are no steps to measure.
        if self.rate < T::MIN_POSITIVE {
            return;
        }
        let Operands { weights, gradient, moments: [size, before, _], .. } = operands;
        let all = (weights, &*gradient, size, before);
        pool.for_each_part(PARALLEL_RUN, all, |_, (weights, gradient, size, before)| {
            for (((w, &g), size), before) in weights.iter_mut().zip(gradient).zip(size).zip(before) {
                *w = *w - *w * self.decay;
                let turned = (g > T::ZERO && *before < T::ZERO) || (g < T::ZERO && *before > T::ZERO);
                let goes_on = (g > T::ZERO && *before > T::ZERO) || (g < T::ZERO && *before < T::ZERO);
                let factor = if goes_on {
                    self.grow
                } else if turned {
                    self.shrink
                } else {
                    T::ONE
                };
                *size = larger(smaller(*size * factor, self.largest), self.smallest);
                *before = if turned { T::ZERO } else { g };
                // What is not finite goes on into the parameter.
                *w = *w - (self.rate * *size * sign(*before) + g * T::ZERO);
            }
        });
    }
}

fn sign<T: Scalar>(x: T) -> T {
    if x > T::ZERO {
        T::ONE
    } else if x < T::ZERO {
        -T::ONE
    } else {
        T::ZERO
    }
}

fn smaller<T: Scalar>(x: T, y: T) -> T {
    if x < y { x } else { y }
}

fn larger<T: Scalar>(x: T, y: T) -> T {
    if x > y { x } else { y }
}
