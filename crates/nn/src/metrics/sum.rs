//! A sum that keeps the digits that additions lose.

/// Neumaier's compensated sum (ZAMM 54 (1974), 39–51): terms one after another, what rounding takes from each kept aside.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Sum {
    pub(super) sum: f64,
    pub(super) lost: f64,
}

impl Sum {
    pub(crate) fn add(&mut self, term: f64) {
        let sum = self.sum + term;
        self.lost +=
            if self.sum.abs() >= term.abs() { (self.sum - sum) + term } else { (term - sum) + self.sum };
        self.sum = sum;
    }

    pub(crate) fn total(self) -> f64 {
        // Beyond the largest number, what was lost is not a number.
        if self.lost.is_finite() { self.sum + self.lost } else { self.sum }
    }
}

impl FromIterator<f64> for Sum {
    fn from_iter<I: IntoIterator<Item = f64>>(terms: I) -> Self {
        let mut sum = Self::default();
        terms.into_iter().for_each(|term| sum.add(term));
        sum
    }
}

/// `part / whole`, and 0 of nothing.
pub(crate) fn share(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cancels_later_is_not_lost() {
        assert_eq!([1.0, 1e100, 1.0, -1e100].into_iter().collect::<Sum>().total(), 2.0);
        assert_eq!([f64::MAX, f64::MAX].into_iter().collect::<Sum>().total(), f64::INFINITY);
    }

    #[test]
    fn a_million_tenths() {
        let sum: Sum = std::iter::repeat_n(0.1, 1_000_000).collect();
        assert_eq!(sum.total(), 100_000.0);
    }
}
