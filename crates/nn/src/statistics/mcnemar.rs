//! Whether two models differ.

use crate::error::Error;
use crate::metrics::MetricError;
use crate::metrics::Sum;

/// Of fewer samples on which two models differ, the exact test is made.
const FEW: u64 = 25;

/// What [`mcnemar`] finds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct McNemar {
    /// Samples that both predict rightly.
    pub both_right: u64,
    /// Samples that only the first predicts rightly.
    pub only_first_right: u64,
    /// Samples that only the second predicts rightly.
    pub only_second_right: u64,
    /// Samples that both predict wrongly.
    pub both_wrong: u64,
    /// How the p value was computed.
    pub method: McNemarMethod,
    /// The chance of a difference at least as large between two models that are equally good.
    pub p_value: f64,
}

/// How the p value of a [`McNemar`] test was computed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum McNemarMethod {
    /// From the binomial distribution, with which fewer than 25 samples that one model alone predicts rightly fall to
    /// either side.
    ExactBinomial,
    /// From the χ² distribution with one degree of freedom, with Edwards's continuity correction.
    ChiSquared {
        /// `(|b − c| − 1)² / (b + c)`, and 0 if b = c, where b and c are the samples that only one of them predicts rightly.
        statistic: f64,
    },
}

/// McNemar's test of two models' predictions for the same samples (Q. McNemar, Psychometrika 12 (1947), 153–157; A. L.
/// Edwards, Psychometrika 13 (1948), 185–187). Only samples that one model predicts rightly and the other does not tell
/// them apart; the test, unlike a comparison of two accuracies' intervals, knows that the samples are the same.
///
/// It is about these two models. Whether one way of training is better than another is for several seeds of each.
///
/// ```
/// # use densely::statistics::mcnemar;
/// let labels = [0, 1, 2, 0, 1, 2, 0, 1];
/// let first = [0, 1, 2, 0, 1, 2, 1, 1]; // one wrong
/// let second = [0, 1, 0, 1, 2, 0, 0, 1]; // four wrong
/// let test = mcnemar(&labels, &first, &second)?;
/// assert_eq!((test.only_first_right, test.only_second_right), (4, 1));
/// assert_eq!(test.p_value, 0.375);
/// # Ok::<(), densely::Error>(())
/// ```
///
/// # Errors
///
/// [`MetricError::Length`] if the three differ in length.
pub fn mcnemar(labels: &[u32], first: &[u32], second: &[u32]) -> Result<McNemar, Error> {
    let expected = labels.len();
    for (what, found) in
        [("predictions of the first model", first.len()), ("predictions of the second model", second.len())]
    {
        if found != expected {
            return Err(MetricError::Length { what, found, expected }.into());
        }
    }
    let mut counts = [[0; 2]; 2];
    for ((label, first), second) in labels.iter().zip(first).zip(second) {
        counts[usize::from(first == label)][usize::from(second == label)] += 1;
    }
    let [[both_wrong, only_second_right], [only_first_right, both_right]] = counts;
    Ok(McNemar::of_counts(both_right, only_first_right, only_second_right, both_wrong))
}

impl McNemar {
    /// The test of a table that has been counted already.
    pub fn of_counts(
        both_right: u64,
        only_first_right: u64,
        only_second_right: u64,
        both_wrong: u64,
    ) -> Self {
        let (b, c) = (only_first_right, only_second_right);
        let (method, p_value) = if b.saturating_add(c) < FEW {
            (McNemarMethod::ExactBinomial, exact(b, c))
        } else {
            let beyond_one = b.abs_diff(c).saturating_sub(1) as f64;
            let statistic = beyond_one * beyond_one / (b as f64 + c as f64);
            // χ² of one degree of freedom is the square of a normal variable.
            (McNemarMethod::ChiSquared { statistic }, libm::erfc((statistic / 2.0).sqrt()))
        };
        Self { both_right, only_first_right, only_second_right, both_wrong, method, p_value }
    }
}

/// Twice the chance that of n = b + c tosses of a coin at most the smaller of the two are heads; at most 1.
fn exact(b: u64, c: u64) -> f64 {
    let n = b + c;
    let mut ways = 1.0; // C(n, k), exact below 2⁵³
    let mut tail = Sum::default();
    for k in 0..=b.min(c) {
        tail.add(ways);
        ways = ways * (n - k) as f64 / (k + 1) as f64;
    }
    (2.0 * tail.total() / (1_u64 << n) as f64).min(1.0)
}
