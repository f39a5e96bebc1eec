//! Sums with a fixed order: sixteen lanes (index mod 16), folded in a fixed tree, whatever the vector width.

use crate::scalar::Scalar;

/// Lanes of every sum, on every machine and for both scalar types.
pub(crate) const LANES: usize = 16;

/// `Σ f(i)` for i below `len`, in an order that is the same on every machine: sixteen lanes (i mod 16), then lane i + 8 to
/// lane i, i + 4, i + 2, i + 1.
///
/// ```
/// use densely_tensor::sum_of;
///
/// assert_eq!(sum_of(5, |i| (i * i) as f64), 30.0);
/// ```
#[inline(always)] // into a kernel, where it vectorises
pub fn sum_of<T: Scalar>(len: usize, f: impl Fn(usize) -> T) -> T {
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
pub(crate) fn fold<T: Scalar>(mut lanes: [T; LANES]) -> T {
    let mut half = LANES / 2;
    while half > 0 {
        for lane in 0..half {
            lanes[lane] += lanes[lane + half];
        }
        half /= 2;
    }
    lanes[0]
}

/// The largest element; NaN if any is NaN, −∞ of nothing. Inlined into a kernel it vectorises.
#[inline(always)]
pub(crate) fn maximum<T: Scalar>(x: &[T]) -> T {
    let larger = |x: T, y: T| if y > x || y.is_nan() { y } else { x };
    let mut lanes = [T::NEG_INFINITY; LANES];
    let (whole, rest) = x.as_chunks::<LANES>();
    for block in whole {
        for (lane, &x) in lanes.iter_mut().zip(block) {
            *lane = larger(*lane, x);
        }
    }
    for (lane, &x) in lanes.iter_mut().zip(rest) {
        *lane = larger(*lane, x);
    }
    let mut half = LANES / 2;
    while half > 0 {
        for lane in 0..half {
            lanes[lane] = larger(lanes[lane], lanes[lane + half]);
        }
        half /= 2;
    }
    lanes[0]
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

/// The indices of the largest elements, as many as there is room for, largest first: of equals the first comes first,
/// and NaN counts as larger than any number.
///
/// Takes time in proportion to `x.len()·indices.len()` at worst, so it is meant for a few of them.
///
/// # Panics
///
/// If more indices are asked for than there are elements.
///
/// ```
/// let mut indices = [0; 3];
/// densely_tensor::top_k(&[0.1, 0.7, 0.2, 0.7], &mut indices);
/// assert_eq!(indices, [1, 3, 2]);
/// ```
#[track_caller]
pub fn top_k<T: Scalar>(x: &[T], indices: &mut [usize]) {
    let k = indices.len();
    assert!(k <= x.len(), "the {k} largest of {} elements", x.len());
    let mut found = 0;
    for (index, &value) in x.iter().enumerate() {
        // Those before it are not smaller, and stay before it where they are equal.
        let above = |&other: &usize| x[other] >= value || x[other].is_nan();
        let place = indices[..found].iter().rposition(above).map_or(0, |last| last + 1);
        if place < k {
            found = k.min(found + 1);
            indices.copy_within(place..found - 1, place + 1);
            indices[place] = index;
        }
    }
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
        let mut x = [0.0; 50];
        for place in 0..50 {
            x[place] = 1.0;
            assert_eq!(maximum(&x), 1.0);
            x[place] = f64::NAN;
            assert!(maximum(&x).is_nan());
            x[place] = 0.0;
        }
        assert_eq!(maximum::<f32>(&[]), f32::NEG_INFINITY);
        assert_eq!(arg_max(&[1.0, f64::NAN, 2.0]), 1);
    }

    #[test]
    fn the_largest_come_in_the_order_of_a_stable_sort() {
        let x: Vec<f32> = (0..40).map(|i| (i * 7 % 11) as f32).collect();
        let mut expected: Vec<usize> = (0..x.len()).collect();
        expected.sort_by(|&i, &j| x[j].total_cmp(&x[i]));
        for k in [0, 1, 2, 5, 39, 40] {
            let mut indices = vec![usize::MAX; k];
            top_k(&x, &mut indices);
            assert_eq!(indices, expected[..k], "{k}");
        }
        let mut indices = [0; 2];
        top_k(&[1.0, f64::NAN, 2.0], &mut indices);
        assert_eq!(indices, [1, 2]);
    }
}
