//! Nadam (T. Dozat, *Incorporating Nesterov momentum into Adam*, ICLR 2016 workshop).

use super::slices::Step;
use crate::scalar::Scalar;

/// Step t of Nadam as Keras has it, with the momentum schedule `μₜ = β₁·(1 − ½·0.96ᵗ)`:
///
/// ```text
/// m ← m + (1 − β₁)·(g − m)
/// v ← v + (1 − β₂)·(g² − v)
/// m̂ = μₜ₊₁·m / (1 − μ₁⋯μₜ₊₁) + (1 − μₜ)·g / (1 − μ₁⋯μₜ)
/// w ← w − learning_rate·m̂ / (√(v / (1 − β₂ᵗ)) + ε)
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Nadam<T> {
    /// `learning_rate·μₜ₊₁ / (1 − μ₁⋯μₜ₊₁)`, the factor of m.
    pub moment_step_size: T,
    /// `learning_rate·(1 − μₜ) / (1 − μ₁⋯μₜ)`, the factor of g.
    pub gradient_step_size: T,
    /// `1 − β₁`.
    pub first_rate: T,
    /// `1 − β₂`.
    pub second_rate: T,
    /// `1 / (1 − β₂ᵗ)`.
    pub second_correction: T,
    /// `ε`, above 0: without it a parameter whose gradient has always been 0 would be 0/0.
    pub epsilon: T,
}

/// The base of the momentum schedule.
const SCHEDULE_DECAY: f64 = 0.96;

impl<T: Scalar> Nadam<T> {
    /// Step `t`, counted from 1. Keras's defaults: `learning_rate` 0.001, `beta_1` 0.9, `beta_2` 0.999, `epsilon` 1e-7.
    ///
    /// The product of the schedule is computed afresh, so that a step depends on `t` alone: `β₁ᵗ` times the product of the
    /// parentheses, which in double precision are 1 from the 900th on.
    pub fn step(t: u64, learning_rate: f64, beta_1: f64, beta_2: f64, epsilon: f64) -> Self {
        let (mut power, mut parentheses) = (1.0, 1.0);
        for _ in 0..t {
            power *= SCHEDULE_DECAY;
            let parenthesis = 1.0 - 0.5 * power;
            if parenthesis == 1.0 {
                break;
            }
            parentheses *= parenthesis;
        }
        let momentum = beta_1 * (1.0 - 0.5 * power);
        let next_momentum = beta_1 * (1.0 - 0.5 * (power * SCHEDULE_DECAY));
        let product = libm::pow(beta_1, t as f64) * parentheses;
        let moment_step_size = learning_rate * next_momentum / (1.0 - product * next_momentum);
        let gradient_step_size = learning_rate * (1.0 - momentum) / (1.0 - product);
        Self {
            moment_step_size: T::from_f64(moment_step_size),
            gradient_step_size: T::from_f64(gradient_step_size),
            first_rate: T::from_f64(1.0 - beta_1),
            second_rate: T::from_f64(1.0 - beta_2),
            second_correction: T::from_f64(1.0 / (1.0 - libm::pow(beta_2, t as f64))),
            epsilon: T::from_f64(epsilon),
        }
    }
}

impl<T: Scalar> Step<T, 2> for Nadam<T> {
    #[inline(always)]
    fn step(self, w: T, g: T, [m, v]: [T; 2]) -> (T, [T; 2]) {
        let m = (g - m).mul_add(self.first_rate, m);
        let v = g.mul_add(g, -v).mul_add(self.second_rate, v);
        let step = self.moment_step_size.mul_add(m, self.gradient_step_size * g);
        (w - step / ((v * self.second_correction).sqrt() + self.epsilon), [m, v])
    }
}
