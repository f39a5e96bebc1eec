//! AMSGrad (Reddi, Kale and Kumar, *On the convergence of Adam and beyond*, ICLR 2018, algorithm 2).

use super::adam::Adam;
use super::slices::Step;
use crate::scalar::Scalar;

/// Adam that divides by the largest second moment so far, as Keras's `amsgrad=True`:
///
/// ```text
/// m, v as in Adam
/// v̂ ← max(v̂, v)
/// w ← w − step_size·m / (√v̂ + ε̂)
/// ```
///
/// The paper has no bias correction; Keras keeps Adam's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Amsgrad<T>(
    /// The numbers of the step.
    pub Adam<T>,
);

impl<T: Scalar> Step<T, 3> for Amsgrad<T> {
    #[inline(always)]
    fn step(self, w: T, g: T, [m, v, largest]: [T; 3]) -> (T, [T; 3]) {
        let [m, v] = self.0.moments(g, [m, v]);
        let largest = if largest > v { largest } else { v }; // NaN in v stays
        (w - self.0.step_size * m / (largest.sqrt() + self.0.epsilon), [m, v, largest])
    }
}
