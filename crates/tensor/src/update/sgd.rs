//! Gradient descent, with momentum (Polyak, 1964) and Nesterov's variant (Sutskever et al., ICML 2013), as Keras has them.

use super::without_subnormals;
use crate::arch::Vector;
use crate::isa::{Isa, Kernel};
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
    #[track_caller]
    pub(super) fn apply(self, isa: Isa, parameters: &mut [T], gradient: &[T], velocity: &mut [T]) {
        if self.momentum == T::ZERO {
            isa.run(Plain { rule: self, parameters, gradient });
        } else {
            assert_eq!(velocity.len(), parameters.len(), "parameters and velocity");
            isa.run(Momentum { rule: self, parameters, gradient, velocity });
        }
    }
}

struct Plain<'a, T> {
    rule: Sgd<T>,
    parameters: &'a mut [T],
    gradient: &'a [T],
}

impl<T: Scalar> Kernel<T> for Plain<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<Element = T>>(self) {
        for (w, &g) in self.parameters.iter_mut().zip(self.gradient) {
            *w = (-self.rule.learning_rate).mul_add(g, *w);
        }
    }
}

struct Momentum<'a, T> {
    rule: Sgd<T>,
    parameters: &'a mut [T],
    gradient: &'a [T],
    velocity: &'a mut [T],
}

impl<T: Scalar> Kernel<T> for Momentum<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<Element = T>>(self) {
        let Sgd { learning_rate, momentum, nesterov } = self.rule;
        for ((w, &g), u) in self.parameters.iter_mut().zip(self.gradient).zip(self.velocity) {
            let descent = -(learning_rate * g);
            *u = without_subnormals(momentum.mul_add(*u, descent));
            *w += if nesterov { momentum.mul_add(*u, descent) } else { *u };
        }
    }
}
