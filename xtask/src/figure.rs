//! What samples come to: a median with its range, as tables show it.

use anyhow::{Context, Result};
use serde::Serialize;

/// Median and range of samples.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Figure {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
    /// The upper quartile.
    pub(crate) upper: f64,
    /// Distance of the quartiles as a share of the median: how noisy the host was.
    pub(crate) spread: f64,
}

impl Figure {
    /// # Errors
    ///
    /// If there are no samples.
    pub(crate) fn new(mut samples: Vec<f64>) -> Result<Self> {
        samples.sort_by(f64::total_cmp);
        let at = |quarter: usize| samples.get((samples.len().saturating_sub(1)) * quarter / 4).copied();
        let all = [at(0), at(1), at(2), at(3), at(4)].map(|sample| sample.context("nothing was measured"));
        let [least, lower, median, upper, most] = all;
        let (median, upper) = (median?, upper?);
        Ok(Figure { median, least: least?, most: most?, upper, spread: (upper - lower?) / median })
    }

    /// The median, and the range in brackets.
    pub(crate) fn with_range(&self) -> String {
        format!("{} ({}–{})", rounded(self.median), rounded(self.least), rounded(self.most))
    }
}

/// Three digits, or more before the point.
pub(crate) fn rounded(value: f64) -> String {
    let decimals = match value {
        value if value >= 100.0 => 0,
        value if value >= 10.0 => 1,
        _ => 2,
    };
    format!("{value:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_median_range_and_quartiles() {
        let figure = Figure::new(vec![5.0, 1.0, 2.0, 4.0, 3.0]).unwrap();
        assert_eq!(figure, Figure { median: 3.0, least: 1.0, most: 5.0, upper: 4.0, spread: 2.0 / 3.0 });
        assert!(Figure::new(vec![]).is_err());
    }

    #[test]
    fn figures_have_three_digits() {
        for (value, text) in
            [(1234.5, "1234"), (123.4, "123"), (12.34, "12.3"), (1.234, "1.23"), (0.0, "0.00")]
        {
            assert_eq!(rounded(value), text);
        }
    }
}
