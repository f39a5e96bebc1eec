//! Adagrad (Duchi, Hazan and Singer, *Adaptive subgradient methods for online learning and stochastic optimization*,
//! JMLR 12, 2011).

use super::slices::Step;
use crate::scalar::Scalar;

/// One step of Adagrad as Keras has it:
///
/// ```text
/// a ← a + g²
/// w ← w − learning_rate·g / √(a + ε)
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adagrad<T> {
    /// The learning rate. Keras's default: 0.001.
    pub learning_rate: T,
    /// `a` before the first step, at least 0. Keras's default: 0.1.
    pub initial_accumulator_value: T,
    /// `ε`; above 0 if the initial value is 0. Keras's default: 1e-7.
    pub epsilon: T,
}

impl<T: Scalar> Step<T, 1> for Adagrad<T> {
    #[inline(always)]
    fn step(self, w: T, g: T, [a]: [T; 1]) -> (T, [T; 1]) {
        let a = g.mul_add(g, a);
        (w - self.learning_rate * g / (a + self.epsilon).sqrt(), [a])
    }
}
