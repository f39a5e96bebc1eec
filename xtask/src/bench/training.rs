//! Training: images a second, memory, threads, and the dense roofline.

use anyhow::Result;

use super::document::{Table, grouped};
use super::rates::{memory_cell, rate_cell, rates, ratios};
use super::session::{Answers, Failures, Session};
use super::task::{DROPOUT, HIDDEN, Kind, Schedule, Speed, Task, flops_of_an_image};
use crate::figure::{Figure, rounded};

/// Steps of an epoch of contenders that would take minutes; for all others it passes over all images.
const STEPS_OF_SLOW: usize = 50;

/// One setting that all are measured in.
struct Setting {
    dropout: f64,
    threads: usize,
    answers: Vec<Answers<Speed>>,
    /// GFLOP/s, one a round.
    peaks: Vec<f64>,
}

/// Measures and returns the section.
pub(super) fn section(session: &Session) -> Result<String> {
    let mut failures = Failures::default();
    let each_dropout = [DROPOUT, 0.0].into_iter();
    let mut settings: Vec<Setting> = each_dropout
        .flat_map(|dropout| session.threads.iter().rev().map(move |&threads| (dropout, threads)))
        .map(|(dropout, threads)| Setting { dropout, threads, answers: Vec::new(), peaks: Vec::new() })
        .collect();
    for round in 1..=session.rounds {
        for Setting { dropout, threads, answers, peaks } in &mut settings {
            let what = format!("training, round {round}, dropout {dropout}, {threads} threads");
            peaks.push(session.peak(*threads)?);
            session.round(answers, &mut failures, &what, |contender| {
                let task = Task::new(Kind::Training, &session.data, *threads);
                let schedule = Schedule { epochs: session.epochs + 1, ..task.schedule };
                let steps = contender.slow.then_some(STEPS_OF_SLOW);
                Some(Task { dropout: *dropout, schedule, steps, ..task })
            })?;
        }
    }
    let mut text = failures.sentence();
    for setting in &settings {
        text += &table(session, setting)?;
    }
    text += &roofline(&settings)?;
    text += &threads(session, &settings)?;
    Ok(text)
}

fn plural(threads: usize) -> String {
    format!("{threads} thread{}", if threads == 1 { "" } else { "s" })
}

fn dropout_words(dropout: f64) -> String {
    if dropout > 0.0 { format!("dropout {dropout}") } else { "no dropout".to_owned() }
}

fn table(session: &Session, setting: &Setting) -> Result<String> {
    let mut table = Table::new(&[
        &format!("{}, {}", dropout_words(setting.dropout), plural(setting.threads)),
        "images/s, median (range)",
        "densely ÷ it, median (range)",
        "peak memory",
    ]);
    let ours = rates(&setting.answers[0])?;
    for (contender, answers) in session.contenders.iter().zip(&setting.answers) {
        if answers.is_empty() {
            continue;
        }
        let rates = rates(answers)?;
        let ratio = ratios(&ours, &rates)?.with_range();
        table.row(&[
            contender.name.clone(),
            rate_cell(&Figure::new(rates)?),
            if contender.is_ours() { "1".to_owned() } else { ratio },
            memory_cell(answers),
        ]);
    }
    Ok(format!("\n{}", table.text()))
}

/// Ours by what a machine could do at most that multiplied all matrices at the peak of its fused multiply-adds.
fn roofline(settings: &[Setting]) -> Result<String> {
    let mut table = Table::new(&[
        "densely and the dense roofline",
        "FMA peak, GFLOP/s",
        "dense roofline, images/s",
        "densely ÷ roofline, median (range)",
    ]);
    let flops = flops_of_an_image(&HIDDEN);
    for Setting { dropout, threads, answers, peaks } in settings {
        let roofs: Vec<f64> = peaks.iter().map(|peak| peak * 1e9 / flops).collect();
        table.row(&[
            format!("{}, {}", dropout_words(*dropout), plural(*threads)),
            Figure::new(peaks.clone())?.with_range(),
            grouped(Figure::new(roofs.clone())?.median),
            ratios(&rates(&answers[0])?, &roofs)?.with_range(),
        ]);
    }
    Ok(format!("\n{}", table.text()))
}

/// What the second thread and those behind it bring.
fn threads(session: &Session, settings: &[Setting]) -> Result<String> {
    let (Some(&fewest), most) = (session.threads.first(), session.most_threads()) else {
        return Ok(String::new());
    };
    if fewest == most {
        return Ok(String::new());
    }
    let column = format!("from {} to {most}", plural(fewest));
    let of = |threads: usize, dropout: f64| {
        settings.iter().find(move |setting| setting.threads == threads && setting.dropout == dropout)
    };
    let mut table =
        Table::new(&[&column, &format!("dropout {DROPOUT}, median (range)"), "no dropout, median (range)"]);
    for (index, contender) in session.contenders.iter().enumerate() {
        let ratio = |dropout: f64| -> Result<String> {
            let (Some(one), Some(all)) = (of(fewest, dropout), of(most, dropout)) else {
                return Ok("–".to_owned());
            };
            match ratios(&rates(&all.answers[index])?, &rates(&one.answers[index])?) {
                Ok(figure) => {
                    let Figure { median, least, most, .. } = figure;
                    Ok(format!("{} × ({}–{})", rounded(median), rounded(least), rounded(most)))
                }
                Err(_) => Ok("–".to_owned()),
            }
        };
        table.row(&[contender.name.clone(), ratio(DROPOUT)?, ratio(0.0)?]);
    }
    Ok(format!("\n{}", table.text()))
}
