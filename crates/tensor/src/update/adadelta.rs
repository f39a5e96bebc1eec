//! Adadelta (M. Zeiler, *ADADELTA: an adaptive learning rate method*, 2012, algorithm 1).

use super::slices::Step;
use crate::scalar::Scalar;

/// One step of Adadelta:
///
/// ```text
/// a ← a + (1 − ρ)·(g² − a)
/// s = √(d + ε) / √(a + ε) · g
/// d ← d + (1 − ρ)·(s² − d)
/// w ← w − learning_rate·s
/// ```
///
/// The paper's learning rate is 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adadelta<T> {
    /// The learning rate.
    pub learning_rate: T,
    /// `1 − ρ`.
    pub rate: T,
    /// `ε`, above 0: without it no step is ever taken.
    pub epsilon: T,
}

impl<T: Scalar> Adadelta<T> {
    /// A step. Keras's defaults: `learning_rate` 0.001, `rho` 0.95, `epsilon` 1e-7.
    pub fn new(learning_rate: f64, rho: f64, epsilon: f64) -> Self {
        Self {
            learning_rate: T::from_f64(learning_rate),
            rate: T::from_f64(1.0 - rho),
            epsilon: T::from_f64(epsilon),
        }
    }
}

impl<T: Scalar> Step<T, 2> for Adadelta<T> {
    #[inline(always)]
    fn step(self, w: T, g: T, [a, d]: [T; 2]) -> (T, [T; 2]) {
        let a = g.mul_add(g, -a).mul_add(self.rate, a);
        let step = (d + self.epsilon).sqrt() * g / (a + self.epsilon).sqrt();
        let d = step.mul_add(step, -d).mul_add(self.rate, d);
        ((-self.learning_rate).mul_add(step, w), [a, d])
    }
}
