//! Adam (Kingma and Ba, *Adam: a method for stochastic optimization*, 2015).

use super::slices::Step;
use crate::scalar::Scalar;

/// Step t of Adam as Keras writes it, the variant at the end of the paper's section 2:
///
/// ```text
/// m ← m + (1 − β₁)·(g − m)
/// v ← v + (1 − β₂)·(g² − v)
/// w ← w − step_size·m / (√v + ε̂)      step_size = learning_rate·√(1 − β₂ᵗ) / (1 − β₁ᵗ)
/// ```
///
/// `ε̂` ("epsilon hat") is added to the uncorrected `√v`; PyTorch's epsilon, added to the corrected one, is another number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adam<T> {
    /// The learning rate with both bias corrections.
    pub step_size: T,
    /// `1 − β₁`.
    pub first_rate: T,
    /// `1 − β₂`.
    pub second_rate: T,
    /// `ε̂`, above 0: without it a parameter whose gradient has always been 0 would be 0/0.
    pub epsilon: T,
}

impl<T: Scalar> Adam<T> {
    /// Step `t`, counted from 1. Keras's defaults: `learning_rate` 0.001, `beta_1` 0.9, `beta_2` 0.999, `epsilon` 1e-7.
    ///
    /// Powers are those of the pure-Rust `libm`, the same on every machine.
    pub fn step(t: u64, learning_rate: f64, beta_1: f64, beta_2: f64, epsilon: f64) -> Self {
        let first_correction = 1.0 - libm::pow(beta_1, t as f64);
        let second_correction = 1.0 - libm::pow(beta_2, t as f64);
        Self {
            step_size: T::from_f64(learning_rate * second_correction.sqrt() / first_correction),
            first_rate: T::from_f64(1.0 - beta_1),
            second_rate: T::from_f64(1.0 - beta_2),
            epsilon: T::from_f64(epsilon),
        }
    }

    /// The moments after the step.
    #[inline(always)]
    pub(super) fn moments(self, g: T, [m, v]: [T; 2]) -> [T; 2] {
        [(g - m).mul_add(self.first_rate, m), g.mul_add(g, -v).mul_add(self.second_rate, v)]
    }
}

impl<T: Scalar> Step<T, 2> for Adam<T> {
    #[inline(always)]
    fn step(self, w: T, g: T, moments: [T; 2]) -> (T, [T; 2]) {
        let [m, v] = self.moments(g, moments);
        (w - self.step_size * m / (v.sqrt() + self.epsilon), [m, v])
    }
}
