//! Muon: the momentum with all its singular values brought near 1.

use super::apply::Operands;
use super::{PARALLEL_RUN, Shape, is_kernel, norm, without_subnormals};
use crate::optimizers::Muon;
use crate::parameters::Tensor;
use densely_tensor::{Adam, AlignedBuffer, Epilogue, MatMut, MatRef, Pool, Scalar, Update, gemm};

/// What is added to the norm that the momentum is divided by.
const NORM_EPSILON: f64 = 1e-7;

/// The numbers of one update; the formula is [`Muon`]'s.
pub(super) struct MuonStep<'a, T> {
    muon: &'a Muon,
    rate: f64,
    decay: T,
    momentum: T,
    /// For the tensors that do not follow Muon.
    adam: Update<T>,
}

impl<'a, T: Scalar> MuonStep<'a, T> {
    pub(super) fn new(muon: &'a Muon, t: u64, rate: f64) -> Self {
        let adam_rate = rate * muon.adam_lr_ratio;
        let adam = Adam::step(t, adam_rate, muon.adam_beta_1, muon.adam_beta_2, muon.epsilon);
        Self {
            muon,
            rate,
            decay: T::from_f64(rate * muon.weight_decay),
            momentum: T::from_f64(muon.momentum),
            // The decay goes with the rate itself, as in Keras.
            adam: Update::from(adam).weight_decay(rate, muon.adam_weight_decay),
        }
    }

    /// Whether the tensor follows AdamW.
    pub(super) fn leaves_to_adam(&self, tensor: &Tensor) -> bool {
        !is_kernel(tensor) || self.muon.exclude_layers.iter().any(|part| tensor.name.contains(part))
    }

    pub(super) fn apply_adam(&self, pool: &Pool, operands: Operands<'_, T>) {
        let Operands { weights, gradient, moments, .. } = operands;
        self.adam.apply_in_parallel(pool, weights, gradient, moments);
    }

    pub(super) fn apply(&self, pool: &Pool, operands: Operands<'_, T>, matrices: &mut [AlignedBuffer<T>; 4]) {
        let Operands { shape, weights, gradient, moments: [m, _, _] } = operands;
        let len = weights.len();
        let [x, next, square, polynomial] = matrices;
        let (x, next) = (&mut x[..len], &mut next[..len]);
        let m = &mut m[..len];
        let all = (&mut *weights, &*gradient, m, &mut *x);
        pool.for_each_part(PARALLEL_RUN, all, |_, (weights, gradient, m, x)| {
            for (((w, g), m), x) in weights.iter_mut().zip(gradient).zip(m).zip(x) {
                *w = *w - *w * self.decay;
                *m = without_subnormals(*g + self.momentum * *m);
                *x = if self.muon.nesterov { *g + self.momentum * *m } else { *m };
            }
        });
        let size = T::from_f64(norm(x) + NORM_EPSILON);
        x.iter_mut().for_each(|x| *x = *x / size);
        let (mut x, mut next) = (x, next);
        for _ in 0..self.muon.ns_steps {
            self.iterate(pool, shape, x, next, square, polynomial);
            std::mem::swap(&mut x, &mut next);
        }
        let longer = shape.rows.max(shape.columns) as f64;
        let scale = self.muon.rms_rate.map_or(1.0, |rms_rate| longer.sqrt() * rms_rate);
        let rate = T::from_f64(self.rate * scale);
        pool.for_each_part(PARALLEL_RUN, (weights, &*x), |_, (weights, x)| {
            weights.iter_mut().zip(x).for_each(|(w, x)| *w = *w - rate * *x);
        });
    }

    /// One Newton–Schulz iteration: `A = x·xᵀ`, `next ← a·x + (b·A + c·A²)·x`, on the matrix or, if it is taller than wide,
    /// on its transpose, so that A is the smaller of the two.
    fn iterate(
        &self,
        pool: &Pool,
        shape: Shape,
        x: &[T],
        next: &mut [T],
        square: &mut [T],
        polynomial: &mut [T],
    ) {
        let scalar = T::from_f64;
        let Shape { rows, columns, .. } = shape;
        let side = rows.min(columns);
        let (square, polynomial) = (&mut square[..side * side], &mut polynomial[..side * side]);
        let is_tall = rows > columns;
        let matrix = MatRef::from_slice(x, rows, columns);
        let wide = if is_tall { matrix.t() } else { matrix };
        let none = Epilogue::None;
        gemm(pool, MatMut::from_slice(&mut *square, side, side), T::ONE, wide, wide.t(), T::ZERO, none);
        polynomial.copy_from_slice(square);
        let a = MatRef::from_slice(square, side, side);
        let into = MatMut::from_slice(&mut *polynomial, side, side);
        gemm(pool, into, scalar(self.muon.muon_c), a, a, scalar(self.muon.muon_b), Epilogue::None);
        next.copy_from_slice(x);
        let next = MatMut::from_slice(next, rows, columns);
        let next = if is_tall { next.t() } else { next };
        let polynomial = MatRef::from_slice(polynomial, side, side);
        gemm(pool, next, T::ONE, polynomial, wide, scalar(self.muon.muon_a), Epilogue::None);
    }
}
