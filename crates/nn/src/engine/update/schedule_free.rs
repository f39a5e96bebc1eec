//! Schedule-free AdamW: steps by z, their average x, and gradients taken between the two.

use super::{PARALLEL_RUN, follow};
use crate::optimizers::ScheduleFreeAdamW;
use densely_tensor::{Pool, Scalar};

/// The numbers of one update; the formula is [`ScheduleFreeAdamW`]'s.
pub(super) struct ScheduleFreeStep<T> {
    rate: T,
    decay: T,
    second_rate: T,
    second_correction: T,
    epsilon: T,
    /// z's share in the average.
    share: T,
    /// x's share in y.
    beta_1: T,
}

impl ScheduleFreeAdamW {
    /// The rate of update `t`, which is smaller while warming up.
    pub(super) fn warmed_up(&self, t: u64, rate: f64) -> f64 {
        if t < self.warmup_steps { rate * (t as f64 / self.warmup_steps as f64) } else { rate }
    }
}

impl<T: Scalar> ScheduleFreeStep<T> {
    pub(super) fn new(adam: &ScheduleFreeAdamW, t: u64, rate: f64, share: f64) -> Self {
        Self {
            rate: T::from_f64(rate),
            decay: T::from_f64(adam.weight_decay),
            second_rate: T::from_f64(1.0 - adam.beta_2),
            second_correction: T::from_f64(1.0 - libm::pow(adam.beta_2, t as f64)),
            epsilon: T::from_f64(adam.epsilon),
            share: T::from_f64(share),
            beta_1: T::from_f64(adam.beta_1),
        }
    }

    /// Moves z down the gradient at y.
    pub(super) fn descend(&self, pool: &Pool, y: &[T], gradient: &[T], z: &mut [T], v: &mut [T]) {
        pool.for_each_part(PARALLEL_RUN, (y, gradient, z, v), |_, (y, gradient, z, v)| {
            for (((y, g), z), v) in y.iter().zip(gradient).zip(z).zip(v) {
                follow(v, *g * *g, self.second_rate);
                let direction = *g / ((*v / self.second_correction).sqrt() + self.epsilon);
                *z = *z - self.rate * (direction + self.decay * *y);
            }
        });
    }

    /// Takes z into the average.
    pub(super) fn average(&self, pool: &Pool, x: &mut [T], z: &[T]) {
        pool.for_each_part(PARALLEL_RUN, (x, z), |_, (x, z)| {
            x.iter_mut().zip(z).for_each(|(x, z)| *x += (*z - *x) * self.share);
        });
    }

    /// The next y.
    pub(super) fn look_between(&self, pool: &Pool, y: &mut [T], x: &[T], z: &[T]) {
        pool.for_each_part(PARALLEL_RUN, (y, x, z), |_, (y, x, z)| {
            for ((y, x), z) in y.iter_mut().zip(x).zip(z) {
                *y = *z + (*x - *z) * self.beta_1;
            }
        });
    }
}
