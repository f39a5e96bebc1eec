//! Sums with a fixed order: sixteen lanes (index mod 16), folded in a fixed tree, whatever the vector width.

use crate::scalar::Scalar;

/// Lanes of every sum, on every machine and for both scalar types.
const LANES: usize = 16;

/// `Σ f(i)` for i below `len`. Inlined into a kernel it vectorises.
#[inline(always)]
pub(crate) fn sum_of<T: Scalar>(len: usize, f: impl Fn(usize) -> T) -> T {
    let mut lanes = [T::ZERO; LANES];
    let whole = len - len % LANES;
    for start in (0..whole).step_by(LANES) {
        for (lane, sum) in lanes.iter_mut().enumerate() {
            *sum += f(start + lane);
        }
    }
    for (lane, sum) in lanes.iter_mut().enumerate().take(len - whole) {
        *sum += f(whole + lane);
    }
    fold(lanes)
}

/// Adds lane i + 8 to lane i, then i + 4, i + 2, i + 1.
#[inline(always)]
fn fold<T: Scalar>(mut lanes: [T; LANES]) -> T {
    let mut half = LANES / 2;
    while half > 0 {
        for lane in 0..half {
            lanes[lane] += lanes[lane + half];
        }
        half /= 2;
    }
    lanes[0]
}

/// The largest element; NaN if any is NaN, −∞ of nothing.
#[inline(always)]
pub(crate) fn maximum<T: Scalar>(x: &[T]) -> T {
    x.iter().fold(T::NEG_INFINITY, |largest, &x| if x > largest || x.is_nan() { x } else { largest })
}

/// The index of the largest element; the first of equals, and the first NaN if there is one. 0 of nothing.
///
/// ```
/// assert_eq!(densely_tensor::arg_max(&[0.1, 0.7, 0.7]), 1);
/// ```
pub fn arg_max<T: Scalar>(x: &[T]) -> usize {
    let mut best = 0;
    for (index, &value) in x.iter().enumerate() {
        if value.is_nan() {
            return index;
        }
        if value > x[best] {
            best = index;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_follows_lanes_and_tree() {
        let x: Vec<f32> = (0..37).map(|i| (i as f32 * 0.7).sin()).collect();
        let mut lanes = [0.0f32; 16];
        for (i, x) in x.iter().enumerate() {
            lanes[i % 16] += x;
        }
        let eight: [f32; 8] = std::array::from_fn(|i| lanes[i] + lanes[i + 8]);
        let four: [f32; 4] = std::array::from_fn(|i| eight[i] + eight[i + 4]);
        let expected = (four[0] + four[2]) + (four[1] + four[3]);
        assert_eq!(sum_of(x.len(), |i| x[i]).to_bits(), expected.to_bits());
    }

    #[test]
    fn a_maximum_keeps_nan() {
        assert_eq!(maximum(&[1.0, 3.0, 2.0]), 3.0);
        assert!(maximum(&[1.0, f64::NAN, 2.0]).is_nan());
        assert_eq!(arg_max(&[1.0, f64::NAN, 2.0]), 1);
    }
}
