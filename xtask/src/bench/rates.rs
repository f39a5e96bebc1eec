//! From answers to the figures in tables.

use anyhow::Result;

use super::document::grouped;
use super::session::Answers;
use super::task::Speed;
use crate::figure::Figure;

/// The rate of each round: the median of its process.
pub(super) fn rates(answers: &Answers<Speed>) -> Result<Vec<f64>> {
    let of_process = |speed: &Speed| Ok(Figure::new(speed.images_per_second.clone())?.median);
    answers.iter().map(|answered| of_process(&answered.answer)).collect()
}

/// One by the other, round by round.
pub(super) fn ratios(one: &[f64], other: &[f64]) -> Result<Figure> {
    Figure::new(one.iter().zip(other).map(|(one, other)| one / other).collect())
}

/// A rate with its range.
pub(super) fn rate_cell(figure: &Figure) -> String {
    let Figure { median, least, most, .. } = *figure;
    format!("{} ({}–{})", grouped(median), grouped(least), grouped(most))
}

/// The most memory that any of the processes has had.
pub(super) fn memory_cell<A>(answers: &Answers<A>) -> String {
    let most = answers.iter().map(|answered| answered.peak_memory).max().unwrap_or(0);
    if most > 0 { format!("{} MB", most / 1_000_000) } else { "–".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::process::Answered;

    #[test]
    fn ratios_are_taken_round_by_round() {
        let figure = ratios(&[40.0, 90.0, 20.0], &[20.0, 30.0, 20.0]).unwrap();
        assert_eq!((figure.median, figure.least, figure.most), (2.0, 1.0, 3.0));
        assert!(ratios(&[1.0], &[]).is_err());
    }

    #[test]
    fn rates_have_no_decimals() {
        assert_eq!(rate_cell(&Figure::new(vec![1234.6, 999.4, 50_000.0]).unwrap()), "1,235 (999–50,000)");
    }

    #[test]
    fn a_round_has_the_median_rate_and_a_table_the_most_memory() {
        let answered = |rates: &[f64], peak_memory| Answered {
            answer: Speed { images_per_second: rates.to_vec() },
            seconds: 1.0,
            peak_memory,
        };
        let answers = vec![answered(&[3.0, 1.0, 2.0], 5_000_000), answered(&[7.0], 8_999_999)];
        assert_eq!(rates(&answers).unwrap(), [2.0, 7.0]);
        assert_eq!(memory_cell(&answers), "8 MB");
        assert_eq!(memory_cell(&vec![answered(&[1.0], 0)]), "–");
    }
}
