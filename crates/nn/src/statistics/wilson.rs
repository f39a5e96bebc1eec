//! How sure a measured accuracy is.

use crate::error::Error;
use crate::metrics::MetricError;

/// The 97.5 % quantile of the standard normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// The 95 % interval of a share measured as `correct` out of `samples`: Wilson's score interval without continuity
/// correction, both ends between 0 and 1. Without samples nothing is known: `(0, 1)`.
///
/// With p = correct/n, its centre is `(p + z²/2n) / (1 + z²/n)`, its half width
/// `z·√(p(1 − p)/n + z²/4n²) / (1 + z²/n)` (E. B. Wilson, JASA 22 (1927), 209–212).
///
/// ```
/// # use densely::wilson_interval;
/// let (low, high) = wilson_interval(9_820, 10_000)?;
/// assert_eq!(format!("{low:.4} {high:.4}"), "0.9792 0.9844");
/// # Ok::<(), densely::Error>(())
/// ```
///
/// # Errors
///
/// [`MetricError::MoreCorrect`] if `correct` is greater than `samples`.
pub fn wilson_interval(correct: usize, samples: usize) -> Result<(f64, f64), Error> {
    if correct > samples {
        return Err(MetricError::MoreCorrect { correct, samples }.into());
    }
    if samples == 0 {
        return Ok((0.0, 1.0));
    }
    let n = samples as f64;
    let share = correct as f64 / n;
    let centre = share + Z * Z / (2.0 * n);
    let half_width = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + Z * Z / n;
    // At the ends the formula gives 0 and 1 but for rounding.
    let low = if correct == 0 { 0.0 } else { (centre - half_width) / scale };
    let high = if correct == samples { 1.0 } else { (centre + half_width) / scale };
    Ok((low, high))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// R. G. Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in Medicine 17 (1998),
    /// table I, method 3: the four examples, to four digits.
    #[test]
    fn agrees_with_the_published_intervals() {
        for (correct, samples, low, high) in [
            (81, 263, 0.2553, 0.3662),
            (15, 148, 0.0624, 0.1605),
            (0, 20, 0.0000, 0.1611),
            (1, 29, 0.0061, 0.1718),
        ] {
            let found = wilson_interval(correct, samples).unwrap();
            assert!(
                (found.0 - low).abs() <= 0.5e-4 && (found.1 - high).abs() <= 0.5e-4,
                "{correct}/{samples}: {found:?}"
            );
        }
    }

    #[test]
    fn stays_between_zero_and_one() {
        assert_eq!(wilson_interval(0, 0).unwrap(), (0.0, 1.0));
        for samples in 1..200 {
            assert_eq!(wilson_interval(0, samples).unwrap().0, 0.0);
            assert_eq!(wilson_interval(samples, samples).unwrap().1, 1.0);
        }
    }

    #[test]
    fn more_than_all_cannot_be_correct() {
        let message = wilson_interval(8, 7).unwrap_err().to_string();
        assert_eq!(message, "8 of 7 samples were predicted rightly, expected at most 7");
    }
}
