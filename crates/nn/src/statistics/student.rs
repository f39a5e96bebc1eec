//! Student's t distribution for whole degrees of freedom.

use std::f64::consts::{FRAC_2_PI, FRAC_PI_2};

/// The chance that │t│ is at most `√ν·tan θ`, for ν ≥ 1 degrees of freedom: the finite sums of Abramowitz and Stegun,
/// "Handbook of Mathematical Functions", 26.7.3 and 26.7.4.
fn within(angle: f64, freedom: usize) -> f64 {
    let (sine, cosine) = (libm::sin(angle), libm::cos(angle));
    let is_odd = freedom % 2 == 1;
    // Odd: cos θ·(1 + ⅔·cos² θ + …); even: 1 + ½·cos² θ + 1·3/(2·4)·cos⁴ θ + …; up to the power ν − 2.
    let (mut term, mut power) = if is_odd { (cosine, 1) } else { (1.0, 0) };
    let mut sum = 0.0;
    while power + 2 <= freedom {
        sum += term;
        term *= cosine * cosine * (power + 1) as f64 / (power + 2) as f64;
        power += 2;
    }
    if is_odd { FRAC_2_PI * (angle + sine * sum) } else { sine * sum }
}

/// The t that `freedom` ≥ 1 degrees of freedom exceed in either direction with a chance of 5 %: 12.706 for 1, 1.960 for
/// infinitely many. By bisection, to the last digits.
pub(super) fn t_of_95_percent(freedom: usize) -> f64 {
    let (mut low, mut high) = (0.0, FRAC_PI_2);
    for _ in 0..64 {
        let middle = f64::midpoint(low, high);
        if within(middle, freedom) < 0.95 { low = middle } else { high = middle }
    }
    (freedom as f64).sqrt() * libm::tan(low)
}
