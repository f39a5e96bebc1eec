//! What a product has to be: sums without rounding, and how far from them a result may lie.

use crate::case::{Case, Operands, Values};
use densely_tensor::Scalar;

/// A sum of products that is exact to about 2⁻¹⁰⁰ of its magnitude, whatever cancels (T. Ogita, S. M. Rump and S. Oishi,
/// *Accurate sum and dot product*, SIAM Journal on Scientific Computing 26(6), 2005, algorithm 5.3).
#[derive(Clone, Copy, Default)]
struct Sum {
    sum: f64,
    /// What `sum` lacks.
    rest: f64,
    /// The sum of the absolute values.
    magnitude: f64,
}

impl Sum {
    fn add(&mut self, x: f64, y: f64) {
        let (product, error) = product(x, y);
        let sum = self.sum + product;
        let part = sum - self.sum;
        self.rest += ((self.sum - (sum - part)) + (product - part)) + error;
        self.sum = sum;
        self.magnitude += product.abs();
    }
}

/// `x·y`, rounded, and what it lacks (T. J. Dekker, *A floating-point technique for extending the available precision*,
/// Numerische Mathematik 18, 1971).
fn product(x: f64, y: f64) -> (f64, f64) {
    let halves = |x: f64| {
        let shifted = x * 134_217_729.0; // 2²⁷ + 1
        let high = shifted - (shifted - x);
        (high, x - high)
    };
    let ((x_high, x_low), (y_high, y_low)) = (halves(x), halves(y));
    let rounded = x * y;
    (rounded, ((x_high * y_high - rounded) + x_high * y_low + x_low * y_high) + x_low * y_low)
}

/// `value · 2^exponent`, also where the power alone would overflow.
pub(crate) fn scale(value: f64, exponent: i32) -> f64 {
    value * 2f64.powi(exponent / 2) * 2f64.powi(exponent - exponent / 2)
}

/// What is wrong with `result`: an element of C beyond the bound, or a change of anything else.
///
/// A chain rounds α·a, and each of its k terms; β·C is rounded once, and then with each term. So no term meets more than
/// k + 1 roundings, and with u = 2⁻²⁴ or 2⁻⁵³ the error is at most `γ(k+2)·(|α||A||B| + |β||C|)`, γ(k) = k·u/(1−k·u), with
/// one u to spare for the rounding of the reference and of the bound itself. A bias is one rounding more, of all that there
/// is: `γ(k+3)·(|α||A||B| + |β||C| + |bias|)`. ReLU brings no two numbers further apart. Where numbers are subnormal, each
/// term is off by half the smallest one at most, and so is α·a (times b, which is no larger than 1): k times the smallest.
pub(crate) fn mistake<T: Scalar>(case: &Case, operands: &Operands<T>, result: &[T]) -> Option<String> {
    let Case { m, n, k, .. } = *case;
    let exponent = -case.values.exponent::<T>();
    let value = |x: T| scale(x.to_f64(), exponent);
    let (unit_roundoff, smallest) =
        if T::SIZE == 4 { (2f64.powi(-24), 2f64.powi(-149)) } else { (2f64.powi(-53), f64::from_bits(1)) };
    let roundings = k + 2 + usize::from(case.epilogue != 0);
    let ku = roundings as f64 * unit_roundoff;
    let gamma = if case.values == Values::Integers { 0.0 } else { ku / (1.0 - ku) };
    let underflow = k as f64 * scale(smallest, exponent);

    // A column of α·A after the other.
    let factors: Vec<(f64, f64)> = (0..m * k)
        .map(|place| {
            product(case.alpha::<T>(), value(operands.a[case.a.place((m, k), place % m, place / m)]))
        })
        .collect();
    let mut expected_other = operands.c.clone();
    for j in 0..n {
        let mut sums = vec![Sum::default(); m];
        for (i, sum) in sums.iter_mut().enumerate() {
            if case.beta != 0.0 {
                sum.add(case.beta::<T>(), value(operands.c[case.c.place((m, n), i, j)]));
            }
            if case.epilogue != 0 {
                sum.add(1.0, value(operands.bias[i]));
            }
        }
        for p in 0..k {
            let b = operands.b[case.b.place((k, n), p, j)].to_f64();
            for (sum, &(factor, rest)) in sums.iter_mut().zip(&factors[p * m..(p + 1) * m]) {
                sum.add(factor, b);
                sum.rest += rest * b;
            }
        }
        for (i, sum) in sums.iter().enumerate() {
            let place = case.c.place((m, n), i, j);
            let cut = case.epilogue == 2 && sum.sum + sum.rest <= 0.0;
            let (expected, rest) = if cut { (0.0, 0.0) } else { (sum.sum, sum.rest) };
            let error = ((value(result[place]) - expected) - rest).abs();
            let bound = gamma * sum.magnitude + underflow;
            if error.is_nan() || error > bound {
                return Some(format!("({i}, {j}): error {error:e}, bound {bound:e}"));
            }
            if is_negative_zero(result[place]) {
                return Some(format!("({i}, {j}): −0"));
            }
            expected_other[place] = result[place];
        }
    }
    changed_beside(&expected_other, result)
}

/// As [`mistake`], where operands hold infinities and NaN: whether each element is NaN, one of the infinities, or finite.
pub(crate) fn mistake_of_class<T: Scalar>(
    case: &Case,
    operands: &Operands<T>,
    result: &[T],
) -> Option<String> {
    let Case { m, n, k, .. } = *case;
    let mut expected_other = operands.c.clone();
    for j in 0..n {
        for i in 0..m {
            let place = case.c.place((m, n), i, j);
            let start = if case.beta == 0.0 { 0.0 } else { case.beta * operands.c[place].to_f64() };
            let mut sum = (0..k).fold(start, |sum, p| {
                let (a, b) = (operands.a[case.a.place((m, k), i, p)], operands.b[case.b.place((k, n), p, j)]);
                sum + case.alpha * a.to_f64() * b.to_f64()
            });
            if case.epilogue != 0 {
                sum += operands.bias[i].to_f64();
            }
            if case.epilogue == 2 && sum <= 0.0 {
                sum = 0.0;
            }
            let found = result[place].to_f64();
            let same = found == sum || found.is_finite() && sum.is_finite() || found.is_nan() && sum.is_nan();
            if !same {
                return Some(format!("({i}, {j}): {found}, expected {sum}"));
            }
            if is_negative_zero(result[place]) {
                return Some(format!("({i}, {j}): −0"));
            }
            expected_other[place] = result[place];
        }
    }
    changed_beside(&expected_other, result)
}

fn is_negative_zero<T: Scalar>(x: T) -> bool {
    x == T::ZERO && x.to_f64().is_sign_negative()
}

/// Elements of C's memory that belong to no element of C, compared with what they were.
fn changed_beside<T: Scalar>(expected: &[T], result: &[T]) -> Option<String> {
    let differs = |(x, y): (&T, &T)| bits(*x) != bits(*y);
    let place = expected.iter().zip(result).position(differs)?;
    Some(format!("place {place}, beside C's elements, was written"))
}

/// A number's bits, with its sign; NaN's sign and payload are not part of the promise.
pub(crate) fn bits<T: Scalar>(x: T) -> u64 {
    if x.is_nan() { u64::MAX } else { x.to_f64().to_bits() }
}
