//! Follow the regularized leader (McMahan et al., *Ad click prediction: a view from the trenches*, KDD 2013, algorithm 1).

use super::slices::{Gradient, Slices, Step};
use crate::scalar::Scalar;

/// One step of FTRL-proximal as Keras has it, with `p = −learning_rate_power`, λ₁, λ₂ and λₛ the strengths of the
/// regularizations `l1`, `l2` and `l2_shrinkage`:
///
/// ```text
/// n′ = n + g²
/// z ← z + g + 2·λₛ·w − (n′ᵖ − nᵖ) / learning_rate · w
/// w ← 0                                                                    if |z| ≤ λ₁
/// w ← −learning_rate·(z − sgn(z)·λ₁) / (n′ᵖ + β + 2·λ₂·learning_rate)      otherwise
/// n ← n′
/// ```
///
/// The moments are n, then z. Where all of n, β and λ₂ are 0 this says 0, as the paper does, and Keras 0/0. A power of −0.5 is
/// a square root; any other is computed by the pure-Rust `libm`, some hundred times slower.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ftrl<T> {
    /// The learning rate. Keras's default: 0.001.
    pub learning_rate: T,
    /// How the rate falls with the accumulated squares; at most 0. Keras's default: −0.5.
    pub learning_rate_power: T,
    /// `n` before the first step, at least 0. Keras's default: 0.1.
    pub initial_accumulator_value: T,
    /// `λ₁`, at least 0. Keras's default: 0.
    pub l1_regularization_strength: T,
    /// `λ₂`, at least 0. Keras's default: 0.
    pub l2_regularization_strength: T,
    /// `λₛ`, at least 0. Keras's default: 0.
    pub l2_shrinkage_regularization_strength: T,
    /// `β`. Keras's default: 0.
    pub beta: T,
}

impl<T: Scalar> Ftrl<T> {
    #[track_caller]
    #[inline(always)]
    pub(super) fn apply(self, slices: Slices<'_, T, impl Gradient<T>>) {
        if self.learning_rate_power.to_f64() == -0.5 {
            slices.step(Power::<T, true>(self));
        } else {
            slices.step(Power::<T, false>(self));
        }
    }
}

#[derive(Clone, Copy)]
struct Power<T, const SQUARE_ROOT: bool>(Ftrl<T>);

impl<T: Scalar, const SQUARE_ROOT: bool> Power<T, SQUARE_ROOT> {
    #[inline(always)]
    fn power(self, n: T) -> T {
        if SQUARE_ROOT {
            n.sqrt()
        } else {
            T::from_f64(libm::pow(n.to_f64(), -self.0.learning_rate_power.to_f64()))
        }
    }
}

impl<T: Scalar, const SQUARE_ROOT: bool> Step<T, 2> for Power<T, SQUARE_ROOT> {
    #[inline(always)]
    fn step(self, w: T, g: T, [n, z]: [T; 2]) -> (T, [T; 2]) {
        let rule = self.0;
        let (l1, l2, shrinkage) = (
            rule.l1_regularization_strength,
            rule.l2_regularization_strength,
            rule.l2_shrinkage_regularization_strength,
        );
        let new = g.mul_add(g, n);
        let (before, after) = (self.power(n), self.power(new));
        let sigma = (after - before) * (T::ONE / rule.learning_rate);
        let z = z + (shrinkage + shrinkage - sigma).mul_add(w, g);
        let threshold = if z > T::ZERO { l1 } else { -l1 };
        let step =
            rule.learning_rate * (z - threshold) / (after + (rule.beta + (l2 + l2) * rule.learning_rate));
        (if z.abs() <= l1 { T::ZERO } else { -step }, [new, z])
    }
}
