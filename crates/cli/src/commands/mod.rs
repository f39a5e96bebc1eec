//! The subcommands, one file each. Each takes its flags and the output, and gives the status to end with.

mod evaluate;
mod inspect;
mod predict;
mod summary;
mod train;

pub(crate) use evaluate::evaluate;
pub(crate) use inspect::inspect;
pub(crate) use predict::predict;
pub(crate) use summary::summary;
pub(crate) use train::train;

use crate::ui::{Output, confusion_table, counted, grouped, percent};
use densely::{Evaluation, wilson_interval};

/// Prints what a model achieves on the test images.
fn show_evaluation(evaluation: &Evaluation, classes: &[String], output: &mut Output) {
    let style = output.style();
    if let (Some(accuracy), Some(correct)) = (evaluation.accuracy, evaluation.correct) {
        let (low, high) = wilson_interval(correct, evaluation.samples);
        output.line(format!(
            "{}  {}  (95 % interval {:.2} – {:.2} %: {} of {})",
            style.bold("test accuracy"),
            style.bold(percent(accuracy)),
            100.0 * low,
            100.0 * high,
            grouped(correct as u64),
            counted(evaluation.samples, "image"),
        ));
    }
    output.line(format!("{}      {:.4}", style.bold("test loss"), evaluation.loss));
    if let Some(confusion) = &evaluation.confusion {
        output.blank();
        for line in confusion_table(confusion, classes, style) {
            output.line(line);
        }
    }
}
