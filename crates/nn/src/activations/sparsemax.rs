//! Sparsemax: Martins and Astudillo, "From softmax to sparsemax", ICML 2016, arXiv:1602.02068.

use densely_tensor::Scalar;
use std::cmp::Ordering;

/// `y ← sparsemax(z)`, of one sample. A NaN or +∞ anywhere gives NaN everywhere.
///
/// Algorithm 1 of the paper, on `z − max z`: of the elements only those above −1 can be above 0 in the result, so neither a
/// sum nor the threshold loses digits to a common offset. `y` is where the elements are sorted, so nothing is allocated;
/// sums are taken in falling order, in double precision for either scalar type.
pub(crate) fn sparsemax<T: Scalar>(z: &[T], y: &mut [T]) {
    let largest = z.iter().fold(T::NEG_INFINITY, |largest, &z| if z > largest { z } else { largest });
    if z.iter().any(|z| z.is_nan()) || !largest.is_finite() {
        y.fill(T::from_f64(f64::NAN));
        return;
    }
    for (y, &z) in y.iter_mut().zip(z) {
        *y = z - largest;
    }
    // There is no NaN, and the order of −0 and +0 changes no sum.
    y.sort_unstable_by(|one, other| other.partial_cmp(one).unwrap_or(Ordering::Equal));
    let (mut sum, mut threshold) = (0.0, 0.0);
    for (above, value) in y.iter().map(|value| value.to_f64()).enumerate() {
        let count = (above + 1) as f64;
        sum += value;
        if 1.0 + count * value <= sum {
            break;
        }
        threshold = (sum - 1.0) / count;
    }
    for (y, &z) in y.iter_mut().zip(z) {
        let above = (z - largest).to_f64() - threshold;
        *y = if above > 0.0 { T::from_f64(above) } else { T::ZERO };
    }
}

/// Turns the gradient with respect to [`sparsemax`]'s output `y` into that with respect to its input: equation 14 of the
/// paper. The mean is taken in order, in double precision for either scalar type.
pub(crate) fn sparsemax_gradient<T: Scalar>(y: &[T], gradient: &mut [T]) {
    let (mut sum, mut count) = (0.0, 0.0);
    for (&y, gradient) in y.iter().zip(&*gradient) {
        if y > T::ZERO {
            sum += gradient.to_f64();
            count += 1.0;
        }
    }
    let mean = T::from_f64(sum / count);
    for (&y, gradient) in y.iter().zip(gradient) {
        *gradient = if y > T::ZERO { *gradient - mean } else { T::ZERO };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(z: &[f64]) -> Vec<f64> {
        let mut y = vec![7.0; z.len()];
        sparsemax(z, &mut y);
        y
    }

    #[test]
    fn an_offset_changes_nothing_and_the_sum_is_one() {
        let z = [0.3, 0.1, -0.2, 0.15];
        assert!(of(&z).iter().zip([0.45, 0.25, 0.0, 0.3]).all(|(y, expected)| (y - expected).abs() < 1e-15));
        let shifted: Vec<f64> = z.iter().map(|z| z + 1024.0).collect();
        let rounded: Vec<f64> = shifted.iter().map(|z| z - 1024.0).collect();
        assert_eq!(of(&shifted), of(&rounded));
        let many: Vec<f32> = (0..1000).map(|i| ((i * 37 % 101) as f32).sin() / 50.0).collect();
        let mut y = vec![0.0; 1000];
        sparsemax(&many, &mut y);
        assert!((y.iter().sum::<f32>() - 1.0).abs() < 1e-5);
        assert!(y.iter().filter(|&&y| y > 0.0).count() > 10 && y.contains(&0.0));
    }

    #[test]
    fn what_is_not_finite_is_kept_and_does_not_panic() {
        assert!(of(&[1.0, f64::NAN, 0.0]).iter().all(|y| y.is_nan()));
        assert!(of(&[1.0, f64::INFINITY]).iter().all(|y| y.is_nan()));
        assert!(of(&[f64::NEG_INFINITY; 2]).iter().all(|y| y.is_nan()));
        assert_eq!(of(&[1.0, f64::NEG_INFINITY]), [1.0, 0.0]);
    }
}
