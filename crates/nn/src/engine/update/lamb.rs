//! Lamb: Adam's direction, as long as the tensor itself.

use super::apply::Operands;
use super::{PARALLEL_RUN, follow, norm};
use crate::optimizers::Lamb;
use densely_tensor::{Pool, Scalar};

/// The numbers of one update; the formula is [`Lamb`]'s.
pub(super) struct LambStep<T> {
    rate: f64,
    decay: T,
    first_rate: T,
    second_rate: T,
    first_correction: T,
    second_correction: T,
    epsilon: T,
}

impl<T: Scalar> LambStep<T> {
    pub(super) fn new(lamb: &Lamb, t: u64, rate: f64) -> Self {
        let correction = |beta| T::from_f64(1.0 - libm::pow(beta, t as f64));
        Self {
            rate,
            decay: T::from_f64(rate * lamb.weight_decay),
            first_rate: T::from_f64(1.0 - lamb.beta_1),
            second_rate: T::from_f64(1.0 - lamb.beta_2),
            first_correction: correction(lamb.beta_1),
            second_correction: correction(lamb.beta_2),
            epsilon: T::from_f64(lamb.epsilon),
        }
    }

    pub(super) fn apply(&self, pool: &Pool, operands: Operands<'_, T>) {
        let Operands { weights, gradient, moments: [m, v, _], .. } = operands;
        // The direction takes the gradient's place.
        let all = (&mut *weights, &mut *gradient, m, v);
        pool.for_each_part(PARALLEL_RUN, all, |_, (weights, gradient, m, v)| {
            for (((w, g), m), v) in weights.iter_mut().zip(gradient).zip(m).zip(v) {
                *w = *w - *w * self.decay;
                follow(m, *g, self.first_rate);
                follow(v, *g * *g, self.second_rate);
                *g = *m / self.first_correction / ((*v / self.second_correction).sqrt() + self.epsilon);
            }
        });
        let (size, length) = (norm(weights), norm(gradient));
        // A norm that is not a number goes on into the weights.
        let ratio = if size == 0.0 || length == 0.0 { 1.0 } else { size / length };
        let rate = T::from_f64(self.rate * ratio);
        pool.for_each_part(PARALLEL_RUN, (weights, &*gradient), |_, (weights, direction)| {
            weights.iter_mut().zip(direction).for_each(|(w, u)| *w = *w - rate * *u);
        });
    }
}
