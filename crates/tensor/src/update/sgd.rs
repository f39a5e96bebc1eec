//! Gradient descent, with momentum (Polyak, 1964) and Nesterov's variant (Sutskever et al., ICML 2013), as Keras has them.

use super::slices::{Gradient, Slices, Step};
use crate::scalar::Scalar;

/// One step of gradient descent:
///
/// ```text
/// without momentum:   w ← w − learning_rate·g
/// with:               u ← momentum·u − learning_rate·g,   w ← w + u
/// nesterov:           u as above,                         w ← w + momentum·u − learning_rate·g
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sgd<T> {
    /// The learning rate.
    pub learning_rate: T,
    /// The share of the last step that is kept; 0 needs no memory.
    pub momentum: T,
    /// Whether the step looks ahead.
    pub nesterov: bool,
}

impl<T: Scalar> Sgd<T> {
    pub(super) fn has_momentum(self) -> bool {
        self.momentum != T::ZERO
    }

    #[track_caller]
    #[inline(always)]
    pub(super) fn apply(self, slices: Slices<'_, T, impl Gradient<T>>) {
        match (self.has_momentum(), self.nesterov) {
            (false, _) => slices.step(Plain(self)),
            (true, false) => slices.step(Momentum::<T, false>(self)),
            (true, true) => slices.step(Momentum::<T, true>(self)),
        }
    }
}

#[derive(Clone, Copy)]
struct Plain<T>(Sgd<T>);

impl<T: Scalar> Step<T, 0> for Plain<T> {
    #[inline(always)]
    fn step(self, w: T, g: T, []: [T; 0]) -> (T, [T; 0]) {
        ((-self.0.learning_rate).mul_add(g, w), [])
    }
}

#[derive(Clone, Copy)]
struct Momentum<T, const NESTEROV: bool>(Sgd<T>);

impl<T: Scalar, const NESTEROV: bool> Step<T, 1> for Momentum<T, NESTEROV> {
    #[inline(always)]
    fn step(self, w: T, g: T, [u]: [T; 1]) -> (T, [T; 1]) {
        let Sgd { learning_rate, momentum, .. } = self.0;
        let descent = -(learning_rate * g);
        let u = momentum.mul_add(u, descent);
        (w + if NESTEROV { momentum.mul_add(u, descent) } else { u }, [u])
    }
}
