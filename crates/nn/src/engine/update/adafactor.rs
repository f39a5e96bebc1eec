//! Adafactor: the second moments of a kernel from one number for each of its rows and columns.

use super::apply::Operands;
use super::{PARALLEL_RUN, root_mean_square, without_subnormals};
use crate::optimizers::Adafactor;
use densely_tensor::{MatMut, MatRef, Pool, Scalar, sum_of};

/// The numbers of one update; the formula is [`Adafactor`]'s.
pub(super) struct AdafactorStep<T> {
    /// The learning rate, or 1/√t if that is the most and less.
    rate: f64,
    decay: T,
    beta_2: T,
    epsilon_1: T,
    epsilon_2: f64,
    clip_threshold: f64,
}

impl<T: Scalar> AdafactorStep<T> {
    pub(super) fn new(adafactor: &Adafactor, t: u64, rate: f64) -> Self {
        let t = t as f64;
        Self {
            rate: if adafactor.relative_step { rate.min(1.0 / t.sqrt()) } else { rate },
            decay: T::from_f64(rate * adafactor.weight_decay),
            beta_2: T::from_f64(1.0 - libm::pow(t, adafactor.beta_2_decay)),
            epsilon_1: T::from_f64(adafactor.epsilon_1),
            epsilon_2: adafactor.epsilon_2,
            clip_threshold: adafactor.clip_threshold,
        }
    }

    pub(super) fn apply(&self, pool: &Pool, operands: Operands<'_, T>) {
        let Operands { shape, weights, gradient, moments: [r, c, _] } = operands;
        weights.iter_mut().for_each(|w| *w = *w - *w * self.decay);
        // The direction takes the gradient's place.
        if shape.is_matrix {
            let gradient = MatMut::from_slice(&mut *gradient, shape.rows, shape.columns);
            self.direction_of_matrix(pool, gradient, &mut r[..shape.columns], &mut c[..shape.rows]);
        } else {
            for (g, v) in gradient.iter_mut().zip(r) {
                *v = self.kept(*v, *g * *g + self.epsilon_1);
                *g = *g / v.sqrt();
            }
        }
        let size = root_mean_square(weights).max(self.epsilon_2);
        let excess = (root_mean_square(gradient) / self.clip_threshold).max(1.0);
        let rate = T::from_f64(size * self.rate / excess);
        pool.for_each_part(PARALLEL_RUN, (weights, &*gradient), |_, (weights, direction)| {
            weights.iter_mut().zip(direction).for_each(|(w, u)| *w = *w - rate * *u);
        });
    }

    /// `gradient ← gradient/√v`, v from the means of squares over units, one for each input, and over inputs, one for each
    /// unit.
    fn direction_of_matrix(&self, pool: &Pool, mut gradient: MatMut<'_, T>, r: &mut [T], c: &mut [T]) {
        let (rows, columns) = (gradient.n_rows(), gradient.n_columns());
        let of_units = T::from_f64(rows as f64);
        pool.for_each_part(1, (gradient.as_ref(), &mut *r), |_, (gradient, r)| {
            for (column, r) in r.iter_mut().enumerate() {
                let sum = self.sum_of_squares(gradient.column(column));
                *r = self.kept(*r, sum / of_units);
            }
        });
        self.means_over_inputs(gradient.as_ref(), c, T::from_f64(columns as f64));
        let root_of_mean = (sum_of(r.len(), |input| r[input]) / T::from_f64(columns as f64)).sqrt();
        let (r, c) = (&*r, &*c);
        // The roots are taken one by one: a product of two ε₁ would be below single precision's range.
        pool.for_each_part(1, (r, gradient.as_mut()), |_, (r, mut gradient)| {
            for (column, r) in r.iter().enumerate() {
                let root = r.sqrt() / root_of_mean;
                for (g, c) in gradient.column_mut(column).iter_mut().zip(c) {
                    *g = *g / (root * c.sqrt());
                }
            }
        });
    }

    fn means_over_inputs(&self, gradient: MatRef<'_, T>, c: &mut [T], inputs: T) {
        let share = (T::ONE - self.beta_2) / inputs;
        c.iter_mut().for_each(|c| *c = *c * self.beta_2);
        for column in 0..gradient.n_columns() {
            for (c, g) in c.iter_mut().zip(gradient.column(column)) {
                *c += (*g * *g + self.epsilon_1) * share;
            }
        }
        c.iter_mut().for_each(|c| *c = without_subnormals(*c));
    }

    fn sum_of_squares(&self, gradient: &[T]) -> T {
        sum_of(gradient.len(), |unit| gradient[unit] * gradient[unit] + self.epsilon_1)
    }

    fn kept(&self, mean: T, new: T) -> T {
        without_subnormals(self.beta_2 * mean + (T::ONE - self.beta_2) * new)
    }
}
