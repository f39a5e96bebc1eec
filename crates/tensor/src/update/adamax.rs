//! Adamax (Kingma and Ba, *Adam: a method for stochastic optimization*, 2015, algorithm 2).

use super::slices::Step;
use crate::scalar::Scalar;

/// Step t of Adamax, Adam with an infinity norm:
///
/// ```text
/// m ← m + (1 − β₁)·(g − m)
/// u ← max(β₂·u, |g|)
/// w ← w − step_size·m / (u + ε)      step_size = learning_rate / (1 − β₁ᵗ)
/// ```
///
/// The paper has no ε; it is Keras's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adamax<T> {
    /// The learning rate with the bias correction.
    pub step_size: T,
    /// `1 − β₁`.
    pub first_rate: T,
    /// `β₂`, what is kept of the norm.
    pub beta_2: T,
    /// `ε`, above 0: without it a parameter whose gradient has always been 0 would be 0/0.
    pub epsilon: T,
}

impl<T: Scalar> Adamax<T> {
    /// Step `t`, counted from 1. Keras's defaults: `learning_rate` 0.001, `beta_1` 0.9, `beta_2` 0.999, `epsilon` 1e-7.
    pub fn step(t: u64, learning_rate: f64, beta_1: f64, beta_2: f64, epsilon: f64) -> Self {
        Self {
            step_size: T::from_f64(learning_rate / (1.0 - libm::pow(beta_1, t as f64))),
            first_rate: T::from_f64(1.0 - beta_1),
            beta_2: T::from_f64(beta_2),
            epsilon: T::from_f64(epsilon),
        }
    }
}

impl<T: Scalar> Step<T, 2> for Adamax<T> {
    #[inline(always)]
    fn step(self, w: T, g: T, [m, u]: [T; 2]) -> (T, [T; 2]) {
        let m = (g - m).mul_add(self.first_rate, m);
        let (kept, new) = (self.beta_2 * u, g.abs());
        let u = if kept > new { kept } else { new }; // NaN in g stays
        (w - self.step_size * m / (u + self.epsilon), [m, u])
    }
}
