//! Inference: all test images at once on all threads, and one image after the other on one thread.

use anyhow::Result;

use super::contender::Contender;
use super::document::Table;
use super::rates::{rate_cell, rates, ratios};
use super::session::{Answers, Failures, Session};
use super::task::{Kind, Latency, Speed, Task};
use crate::figure::Figure;

/// The peers' networks have been trained for so many steps. They would not predict faster for having learned more.
const STEPS: usize = 100;
/// Ours have seen all images twice: it skips the zeros that networks in use have, and new ones have fewer.
const OUR_STEPS: usize = 2 * 469;

/// Measures and returns the section.
pub(super) fn section(session: &Session) -> Result<String> {
    let mut failures = Failures::default();
    let (mut many, mut single): (Vec<Answers<Speed>>, Vec<Answers<Latency>>) = (Vec::new(), Vec::new());
    let task = |contender: &Contender, kind, threads| {
        let steps = if contender.is_ours() { OUR_STEPS } else { STEPS };
        Some(Task { steps: Some(steps), ..Task::new(kind, &session.data, threads) })
    };
    for round in 1..=session.rounds {
        let what = format!("inference, round {round}");
        session.round(&mut many, &mut failures, &what, |contender| {
            task(contender, Kind::Inference, session.most_threads())
        })?;
        let what = format!("one image, round {round}");
        session.round(&mut single, &mut failures, &what, |contender| task(contender, Kind::Latency, 1))?;
    }
    Ok(format!("{}\n{}\n{}", failures.sentence(), throughput(session, &many)?, latency(session, &single)?))
}

fn throughput(session: &Session, answers: &[Answers<Speed>]) -> Result<String> {
    let column = format!("10,000 images, {} threads", session.most_threads());
    let mut table = Table::new(&[&column, "images/s, median (range)", "densely ÷ it, median (range)"]);
    let ours = rates(&answers[0])?;
    for (contender, answers) in session.contenders.iter().zip(answers).filter(|(_, all)| !all.is_empty()) {
        let rates = rates(answers)?;
        let ratio = ratios(&ours, &rates)?.with_range();
        let ratio = if contender.is_ours() { "1".to_owned() } else { ratio };
        table.row(&[contender.name.clone(), rate_cell(&Figure::new(rates)?), ratio]);
    }
    Ok(table.text().to_owned())
}

fn latency(session: &Session, answers: &[Answers<Latency>]) -> Result<String> {
    let mut table = Table::new(&[
        "one image, 1 thread",
        "median, µs (range)",
        "99 % within, µs (range)",
        "it ÷ densely, median (range)",
    ]);
    let each = |answers: &Answers<Latency>, percent| -> Vec<f64> {
        answers.iter().filter_map(|answered| percentile(&answered.answer.microseconds, percent)).collect()
    };
    let ours = each(&answers[0], 50);
    for (contender, answers) in session.contenders.iter().zip(answers).filter(|(_, all)| !all.is_empty()) {
        let medians = each(answers, 50);
        let ratio = ratios(&medians, &ours)?.with_range();
        table.row(&[
            contender.name.clone(),
            Figure::new(medians)?.with_range(),
            Figure::new(each(answers, 99))?.with_range(),
            if contender.is_ours() { "1".to_owned() } else { ratio },
        ]);
    }
    Ok(table.text().to_owned())
}

/// The least of the values that so many percent of them do not exceed.
fn percentile(values: &[f64], percent: usize) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_by_rank() {
        let values: Vec<f64> = (1..=200).rev().map(f64::from).collect();
        assert_eq!((percentile(&values, 50), percentile(&values, 99)), (Some(100.0), Some(198.0)));
        assert_eq!(percentile(&[3.0], 99), Some(3.0));
        assert_eq!(percentile(&[], 50), None);
    }
}
