//! How soon a network is good enough: whole processes, from their start to the end of the first epoch after which it classifies
//! enough of the test images rightly.

use anyhow::Result;

use super::contender::Contender;
use super::document::Table;
use super::rates::{memory_cell, ratios};
use super::session::{Answers, Failures, Session};
use super::task::{Accuracies, Kind, Schedule, Task};
use crate::figure::Figure;

/// What every contender's network of the tutorial's size is to reach.
const TARGET: f64 = 0.98;

/// What ours is to reach with any network, and how: found as `docs/benchmarks.md` says.
const HIGHER_TARGET: f64 = 0.985;
const HIGHER_HIDDEN: [usize; 2] = [1024, 1024];
const HIGHER_DROPOUT: f64 = 0.2;
const HIGHER: Schedule = Schedule { batch_size: 256, learning_rate: 0.004, warm_up: Some(0.3), epochs: 5 };

/// Measures and returns the section.
pub(super) fn section(session: &Session) -> Result<String> {
    let (mut answers, mut failures) = (Vec::new(), Failures::default());
    let threads = session.most_threads();
    for seed in 1..=session.seeds {
        session.round(&mut answers, &mut failures, &format!("98.0 %, seed {seed}"), |contender| {
            let task = Task::new(Kind::Accuracy, &session.data, threads);
            let schedule = contender.schedule;
            let seeds = if contender.slow { 1 } else { session.seeds };
            (seed <= seeds).then_some(Task { seed, schedule, dropout: 0.0, target: TARGET, ..task })
        })?;
    }
    let mut text = failures.sentence();
    text += &format!("\n{}", table(session, &answers)?);
    text += &format!("\n{}", higher(session)?);
    Ok(text)
}

/// The seconds of the runs that reached the target.
fn seconds(answers: &Answers<Accuracies>, target: f64) -> Vec<f64> {
    let reached = answers
        .iter()
        .filter(|answered| answered.answer.test_accuracy.last().is_some_and(|&accuracy| accuracy >= target));
    reached.map(|answered| answered.seconds).collect()
}

/// How many seeds reached the target, the epochs that each took, and where each ended.
fn outcomes(answers: &Answers<Accuracies>, target: f64) -> [String; 3] {
    let each = |cell: fn(&Accuracies) -> String| {
        answers.iter().map(|answered| cell(&answered.answer)).collect::<Vec<_>>().join(", ")
    };
    [
        format!("{} of {}", seconds(answers, target).len(), answers.len()),
        each(|answer| answer.test_accuracy.len().to_string()),
        each(|answer| format!("{:.2}", 100.0 * answer.test_accuracy.last().unwrap_or(&0.0))),
    ]
}

fn table(session: &Session, answers: &[Answers<Accuracies>]) -> Result<String> {
    let mut table = Table::new(&[
        "784-512-512-10 to 98.0 %",
        "batch, highest rate, rising, epochs",
        "seconds, median (range)",
        "it ÷ densely, median (range)",
        "peak memory",
        "seeds that reached it",
        "epochs",
        "accuracy, %",
    ]);
    let ours = seconds(&answers[0], TARGET);
    for (contender, answers) in session.contenders.iter().zip(answers).filter(|(_, all)| !all.is_empty()) {
        let theirs = seconds(answers, TARGET);
        // Seeds are paired only where all reached the target.
        let whole = ours.len() == session.seeds as usize && theirs.len() == answers.len();
        let ratio = if whole { ratios(&theirs, &ours).ok() } else { None };
        let [reached, epochs, accuracies] = outcomes(answers, TARGET);
        table.row(&[
            contender.name.clone(),
            words(&contender.schedule),
            Figure::new(theirs).map_or("–".to_owned(), |seconds| seconds.with_range()),
            match ratio {
                _ if contender.is_ours() => "1".to_owned(),
                Some(ratio) => ratio.with_range(),
                None => "–".to_owned(),
            },
            memory_cell(answers),
            reached,
            epochs,
            accuracies,
        ]);
    }
    Ok(table.text().to_owned())
}

fn words(schedule: &Schedule) -> String {
    let Schedule { batch_size, learning_rate, warm_up, epochs } = schedule;
    let rising = 100.0 * warm_up.unwrap_or(0.0);
    format!("{batch_size}, {learning_rate}, {rising:.0} %, {epochs}")
}

/// Ours alone, with a larger network.
fn higher(session: &Session) -> Result<String> {
    let (mut answers, mut failures) = (Vec::new(), Failures::default());
    for seed in 1..=session.seeds {
        session.round(
            &mut answers,
            &mut failures,
            &format!("98.5 %, seed {seed}"),
            |contender: &Contender| {
                let task = Task::new(Kind::Accuracy, &session.data, session.most_threads());
                let (hidden, dropout) = (HIGHER_HIDDEN.to_vec(), HIGHER_DROPOUT);
                let task = Task { seed, schedule: HIGHER, hidden, dropout, target: HIGHER_TARGET, ..task };
                contender.is_ours().then_some(task)
            },
        )?;
    }
    let [first, second] = HIGHER_HIDDEN;
    let name = format!("784-{first}-{second}-10, dropout {HIGHER_DROPOUT}, to 98.5 %");
    let columns =
        [&*name, "batch, highest rate, rising, epochs", "seconds, median (range)", "seeds that reached it"];
    let mut table = Table::new(&[&columns[..], &["epochs", "accuracy, %"]].concat());
    let answers: &Answers<Accuracies> = &answers[0];
    let [reached, epochs, accuracies] = outcomes(answers, HIGHER_TARGET);
    let seconds = Figure::new(seconds(answers, HIGHER_TARGET));
    table.row(&[
        "densely".to_owned(),
        words(&HIGHER),
        seconds.map_or("–".to_owned(), |seconds| seconds.with_range()),
        reached,
        epochs,
        accuracies,
    ]);
    Ok(table.text().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::process::Answered;

    #[test]
    fn only_runs_that_reach_the_target_count() {
        let answered = |accuracies: &[f64], seconds| {
            let answer = Accuracies { test_accuracy: accuracies.to_vec() };
            Answered { answer, seconds, peak_memory: 0 }
        };
        let answers =
            vec![answered(&[0.97, 0.98], 2.0), answered(&[0.97, 0.9799], 3.0), answered(&[0.981], 1.0)];
        assert_eq!(seconds(&answers, 0.98), [2.0, 1.0]);
        assert_eq!(outcomes(&answers, 0.98), ["2 of 3", "2, 2, 1", "98.00, 97.99, 98.10"]);
    }
}
