//! The subcommands, one file each. Each takes its flags and the output, and gives the status to end with.

mod convert;
mod evaluate;
mod inspect;
mod payload;
mod predict;
mod summary;
mod train;

pub(crate) use convert::{ConvertError, convert};
pub(crate) use evaluate::evaluate;
pub(crate) use inspect::inspect;
pub(crate) use predict::predict;
pub(crate) use summary::summary;
pub(crate) use train::train;

use crate::error::Error;
use crate::ui::{Output, confusion_table, counted, grouped, percent};
use densely::metrics::MetricValue;
use densely::{Evaluation, wilson_interval};

/// Prints what a model achieves on the test samples, one of which is called `noun`.
fn show_evaluation(
    evaluation: &Evaluation,
    classes: &[String],
    noun: &str,
    output: &mut Output,
) -> Result<(), Error> {
    let style = output.style();
    if let (Some(accuracy), Some(correct)) = (evaluation.accuracy, evaluation.correct) {
        let (low, high) = wilson_interval(correct, evaluation.samples)?;
        output.line(format!(
            "{}  {}  (95 % interval {:.2} – {:.2} %: {} of {})",
            style.bold("test accuracy"),
            style.bold(percent(accuracy)),
            100.0 * low,
            100.0 * high,
            grouped(correct as u64),
            counted(evaluation.samples, noun),
        ));
    }
    output.line(format!("{}      {:.4}", style.bold("test loss"), evaluation.loss));
    for (name, value) in &evaluation.metrics {
        let value = match value {
            MetricValue::Number(number) if number.is_finite() => format!("{number:.4}"),
            MetricValue::Number(_) => "not defined for these samples".to_owned(),
            MetricValue::Table(_) => continue, // that of classes stands below in any case
        };
        output.line(format!("{}  {value}", style.bold(format!("test {name:<8}"))));
    }
    if let Some(confusion) = &evaluation.confusion {
        output.blank();
        for line in confusion_table(confusion, classes, style) {
            output.line(line);
        }
    }
    Ok(())
}
