//! A training run as it goes: a table with a line per epoch, and on terminals a bar for the epoch that runs.

use crate::ui::output::Output;
use crate::ui::text::{grouped, percent, seconds};
use densely::{Callback, Epoch, Progress};
use indicatif::{ProgressBar, ProgressStyle};
use std::ops::ControlFlow;

/// The most columns of the bar, and how many its line has besides.
const BAR: usize = 30;
const BESIDES: usize = 72;

/// The epoch, a bar as wide as there is room for, and its figures.
fn template(columns: usize) -> String {
    match columns.saturating_sub(BESIDES).min(BAR) {
        0 => "{prefix:>5}  {msg}".to_owned(),
        bar => format!("{{prefix:>5}}  {{bar:{bar}}}  {{msg}}"),
    }
}

/// Prints the table while a model is trained.
#[derive(Debug)]
pub(crate) struct EpochTable<'a> {
    output: &'a mut Output,
    validated: bool,
    epochs: usize,
    /// The line below the table; none where it could not be drawn over.
    bar: Option<ProgressBar>,
    /// The last that was heard of.
    last: Progress,
}

impl<'a> EpochTable<'a> {
    /// A table, with columns for validation if there is any.
    pub(crate) fn new(output: &'a mut Output, validated: bool) -> Self {
        Self { output, validated, epochs: 0, bar: None, last: Progress::default() }
    }

    /// Takes the bar away, as an epoch that was cut short leaves it, and says how far training came.
    pub(crate) fn end(self) -> Progress {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
        self.last
    }

    /// `3/20`, as wide as the last epoch's.
    fn position(&self, epoch: usize) -> String {
        let epochs = self.epochs.to_string();
        format!("{epoch:>width$}/{epochs}", width = epochs.len().max(2))
    }

    fn head(&self) -> String {
        let epoch = format!("{:>width$}", "epoch", width = self.position(0).chars().count().max(5));
        let validation = if self.validated { "   val loss   val accuracy" } else { "" };
        format!("{epoch}       loss   accuracy{validation}   images/s        time")
    }

    fn row(&self, epoch: &Epoch) -> String {
        let position = format!("{:>5}", self.position(epoch.epoch));
        let validation = match epoch.val_loss {
            Some(loss) => format!("   {loss:>8.4}   {:>12}", share(epoch.val_accuracy)),
            None => String::new(),
        };
        format!(
            "{position}   {:>8.4}   {:>8}{validation}   {:>8}   {:>9}",
            epoch.loss,
            share(epoch.accuracy),
            grouped(epoch.images_per_second.round() as u64),
            seconds(epoch.seconds)
        )
    }
}

impl Callback for EpochTable<'_> {
    fn on_train_begin(&mut self, epochs: usize, _samples: usize) {
        self.epochs = epochs;
        let head = self.head();
        let head = self.output.style().bold(head);
        self.output.line(head);
    }

    fn on_epoch_begin(&mut self, epoch: usize) {
        if self.output.bars() {
            let style = ProgressStyle::with_template(&template(self.output.columns()))
                .expect("the template is well formed");
            let bar = ProgressBar::new(0).with_style(style.progress_chars("━━─"));
            bar.set_prefix(self.position(epoch));
            self.bar = Some(bar);
        }
    }

    fn on_train_batch_end(&mut self, progress: &Progress) -> ControlFlow<()> {
        self.last = *progress;
        if let Some(bar) = &self.bar {
            bar.set_length(progress.samples as u64);
            bar.set_message(figures(progress, self.epochs, bar.elapsed().as_secs_f64()));
            bar.set_position(progress.samples_seen as u64);
        }
        ControlFlow::Continue(())
    }

    fn on_epoch_end(&mut self, epoch: &Epoch) -> ControlFlow<()> {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
        let row = self.row(epoch);
        self.output.line(row);
        ControlFlow::Continue(())
    }
}

/// A share in percent, or nothing if there is none.
fn share(share: Option<f64>) -> String {
    share.map(percent).unwrap_or_default()
}

/// What stands behind the bar, after `elapsed` seconds of the epoch; the time left is that of all epochs.
fn figures(progress: &Progress, epochs: usize, elapsed: f64) -> String {
    let speed = progress.samples_seen as f64 / elapsed;
    let whole_epochs = epochs.saturating_sub(progress.epoch) as f64;
    let left = (progress.samples - progress.samples_seen) as f64 + whole_epochs * progress.samples as f64;
    let accuracy = progress.accuracy.map(|accuracy| format!("  accuracy {}", percent(accuracy)));
    format!(
        "loss {:.4}{}  {} images/s  {} left",
        progress.loss,
        accuracy.unwrap_or_default(),
        grouped(speed.round() as u64),
        seconds(left / speed)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_left_is_that_of_all_epochs() {
        let progress =
            Progress { epoch: 2, samples_seen: 500, samples: 1000, loss: 0.25, accuracy: Some(0.9) };
        assert_eq!(figures(&progress, 3, 0.5), "loss 0.2500  accuracy 90.00 %  1,000 images/s  1.5 s left");
        let of_values = Progress { accuracy: None, ..progress };
        assert_eq!(figures(&of_values, 3, 0.5), "loss 0.2500  1,000 images/s  1.5 s left");
    }

    #[test]
    fn the_template_is_well_formed() {
        for columns in [0, 71, 72, 73, 80, 120, 10_000] {
            assert!(ProgressStyle::with_template(&template(columns)).is_ok());
        }
        assert_eq!(template(80), "{prefix:>5}  {bar:8}  {msg}");
    }
}
