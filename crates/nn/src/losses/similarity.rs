//! Losses of directions.

use super::target::Target;
use densely_tensor::{Scalar, sum_of};

/// `−Σᵢ tᵢ·yᵢ / √(Σᵢ tᵢ²·Σᵢ yᵢ²)`; 0 where one of them is all zeros.
pub(super) fn cosine_similarity<T: Scalar>(y: &mut [T], target: Target<'_>, scale: f64) -> f64 {
    let outputs = y.len();
    let of = |output: usize| (target.at(output, outputs), y[output].to_f64());
    let product = sum_of(outputs, |i| of(i).0 * of(i).1);
    let squares = [sum_of(outputs, |i| of(i).0 * of(i).0), sum_of(outputs, |i| of(i).1 * of(i).1)];
    if squares.contains(&0.0) {
        y.fill(T::ZERO);
        return 0.0;
    }
    let norms = squares[0].sqrt() * squares[1].sqrt();
    let cosine = product / norms;
    for (output, y) in y.iter_mut().enumerate() {
        let slope = cosine * y.to_f64() / squares[1] - target.at(output, outputs) / norms;
        *y = T::from_f64(scale * slope);
    }
    -cosine
}
