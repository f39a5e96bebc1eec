//! Adam (Kingma and Ba, *Adam: a method for stochastic optimization*, 2015).

use super::without_subnormals;
use crate::arch::Vector;
use crate::isa::{Isa, Kernel};
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
    /// `ε̂`.
    pub epsilon: T,
}

impl<T: Scalar> Adam<T> {
    #[track_caller]
    pub(super) fn apply(
        self,
        isa: Isa,
        parameters: &mut [T],
        gradient: &[T],
        first: &mut [T],
        second: &mut [T],
    ) {
        assert!(
            first.len() == parameters.len() && second.len() == parameters.len(),
            "parameters and moments"
        );
        isa.run(Step { rule: self, parameters, gradient, first, second });
    }
}

struct Step<'a, T> {
    rule: Adam<T>,
    parameters: &'a mut [T],
    gradient: &'a [T],
    first: &'a mut [T],
    second: &'a mut [T],
}

impl<T: Scalar> Kernel<T> for Step<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<Element = T>>(self) {
        let Adam { step_size, first_rate, second_rate, epsilon } = self.rule;
        let moments = self.first.iter_mut().zip(self.second);
        for ((w, &g), (m, v)) in self.parameters.iter_mut().zip(self.gradient).zip(moments) {
            *m = without_subnormals((g - *m).mul_add(first_rate, *m));
            *v = without_subnormals(g.mul_add(g, -*v).mul_add(second_rate, *v));
            *w = *w - step_size * *m / (v.sqrt() + epsilon);
        }
    }
}
