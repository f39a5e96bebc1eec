//! Lion (X. Chen et al., *Symbolic discovery of optimization algorithms*, NeurIPS 2023, program 1).

use super::slices::Step;
use crate::scalar::Scalar;

/// One step of Lion:
///
/// ```text
/// c = m + (1 − β₁)·(g − m)
/// w ← w − learning_rate·sgn(c)
/// m ← m + (1 − β₂)·(g − m)
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lion<T> {
    /// The learning rate.
    pub learning_rate: T,
    /// `1 − β₁`, the gradient's weight in the sign.
    pub sign_rate: T,
    /// `1 − β₂`, the gradient's weight in the moment.
    pub moment_rate: T,
}

impl<T: Scalar> Lion<T> {
    /// A step. Keras's defaults: `learning_rate` 0.001, `beta_1` 0.9, `beta_2` 0.99.
    pub fn new(learning_rate: f64, beta_1: f64, beta_2: f64) -> Self {
        Self {
            learning_rate: T::from_f64(learning_rate),
            sign_rate: T::from_f64(1.0 - beta_1),
            moment_rate: T::from_f64(1.0 - beta_2),
        }
    }
}

impl<T: Scalar> Step<T, 1> for Lion<T> {
    #[inline(always)]
    fn step(self, w: T, g: T, [m]: [T; 1]) -> (T, [T; 1]) {
        let c = (g - m).mul_add(self.sign_rate, m);
        let step = if c > T::ZERO {
            self.learning_rate
        } else if c < T::ZERO {
            -self.learning_rate
        } else {
            T::ZERO
        };
        // c·0 is NaN where c is not finite: an infinite gradient has a sign, but must not go unnoticed.
        (w - c.mul_add(T::ZERO, step), [(g - m).mul_add(self.moment_rate, m)])
    }
}
