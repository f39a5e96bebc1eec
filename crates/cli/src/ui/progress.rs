//! A training run as it goes: a table with a line per epoch, and on terminals a bar for the epoch that runs.

use crate::ui::output::Output;
use crate::ui::text::{grouped, percent, seconds};
use densely::callbacks::Run;
use densely::{Callback, Epoch, Error, Progress, Training};
use indicatif::{ProgressBar, ProgressStyle};
use std::time::{Duration, Instant};

/// The most columns of the bar, and how many its line has besides where there are no metrics.
const BAR: usize = 30;
const BESIDES: usize = 72;

/// The least time between two lines of figures: the bar is not drawn more often.
const INTERVAL: Duration = Duration::from_millis(50);

/// The epoch, a bar as wide as there is room for, and its figures, metrics of so many columns among them.
fn template(columns: usize, metrics: usize) -> String {
    match columns.saturating_sub(BESIDES + metrics).min(BAR) {
        0 => "{prefix:>5}  {msg}".to_owned(),
        bar => format!("{{prefix:>5}}  {{bar:{bar}}}  {{msg}}"),
    }
}

fn style(columns: usize, metrics: usize) -> ProgressStyle {
    let style = ProgressStyle::with_template(&template(columns, metrics));
    style.expect("the template is well formed").progress_chars("━━─")
}

/// Prints the table while a model is trained.
#[derive(Debug)]
pub(crate) struct EpochTable<'a> {
    output: &'a mut Output,
    table: Table,
    /// The line below the table; none where it could not be drawn over.
    bar: Option<ProgressBar>,
    /// The columns that it leaves to metrics.
    room: usize,
    /// When it was last given figures; none before an epoch has any.
    shown: Option<Instant>,
    /// The last that was heard of.
    last: Progress,
}

impl<'a> EpochTable<'a> {
    pub(crate) fn new(output: &'a mut Output) -> Self {
        Self { output, table: Table::default(), bar: None, room: 0, shown: None, last: Progress::default() }
    }

    /// Takes the bar away, as an epoch that was cut short leaves it, and says how far training came.
    pub(crate) fn end(self) -> Progress {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
        self.last
    }
}

impl Callback for EpochTable<'_> {
    fn on_train_begin(&mut self, training: &mut Training<'_>) -> Result<(), Error> {
        self.table = Table::new(training.run(), self.output.line_length());
        let style = self.output.style();
        for line in self.table.head() {
            self.output.line(style.bold(line));
        }
        Ok(())
    }

    fn on_epoch_begin(&mut self, training: &mut Training<'_>, epoch: usize) -> Result<(), Error> {
        if self.output.bars() {
            // A bar of length 0 would be drawn as full.
            let length = training.run().samples as u64;
            let bar = ProgressBar::new(length).with_style(style(self.output.columns(), 0));
            bar.set_prefix(self.table.position(epoch));
            (self.bar, self.room, self.shown) = (Some(bar), 0, None);
        }
        Ok(())
    }

    fn on_train_batch_end(&mut self, training: &mut Training<'_>, progress: &Progress) -> Result<(), Error> {
        self.last = *progress;
        let Some(bar) = &self.bar else { return Ok(()) };
        if self.shown.is_some_and(|shown| shown.elapsed() < INTERVAL) {
            return Ok(());
        }
        let columns = self.output.columns();
        let values = training.run().metrics.iter().map(|(name, _)| (name.as_str(), training.metric(name)));
        let metrics = metrics(values, columns.saturating_sub(BESIDES));
        let width = metrics.chars().count();
        if width > self.room {
            bar.set_style(style(columns, width));
            self.room = width;
        }
        bar.set_length(progress.samples as u64);
        bar.set_message(figures(progress, &metrics, self.table.epochs, bar.elapsed().as_secs_f64()));
        bar.set_position(progress.samples_seen as u64);
        self.shown = Some(Instant::now());
        Ok(())
    }

    fn on_epoch_end(&mut self, _: &mut Training<'_>, epoch: &Epoch) -> Result<(), Error> {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
        for line in self.table.row(epoch) {
            self.output.line(line);
        }
        Ok(())
    }
}

/// The table's text.
#[derive(Debug, Default)]
struct Table {
    epochs: usize,
    columns: Vec<Column>,
    /// How long a line may be. What is longer goes on in lines of its own, in the head as in each row.
    length: usize,
}

/// A figure by the name that it has in [`Epoch::value`], and how it is shown.
#[derive(Debug)]
struct Column {
    figure: String,
    head: String,
    width: usize,
    show: fn(f64) -> String,
}

/// What stands between columns.
const GAP: &str = "   ";

impl Table {
    /// The columns of what a run will measure; the metrics come last, so that the others stand where they always do.
    fn new(run: &Run, length: usize) -> Self {
        let is_measured = |figure: &str| run.values.iter().any(|value| value == figure);
        let figures = [
            Column::new("loss", "loss", decimal),
            Column::new("accuracy", "accuracy", percent),
            Column::new("val_loss", "val loss", decimal),
            Column::new("val_accuracy", "val accuracy", percent),
        ];
        let figures = figures.into_iter().filter(|column| is_measured(&column.figure));
        let speed = [
            Column::new("images_per_second", "images/s", |speed| grouped(speed.round() as u64)),
            Column { width: 9, ..Column::new("seconds", "time", seconds) },
        ];
        let metrics = run.metrics.iter().flat_map(|(name, _)| {
            [(name.clone(), name.clone()), (format!("val_{name}"), format!("val {name}"))]
        });
        let metrics = metrics.filter(|(figure, _)| is_measured(figure));
        let metrics = metrics.map(|(figure, head)| Column::new(&figure, &head, decimal));
        Self { epochs: run.epochs, columns: figures.chain(speed).chain(metrics).collect(), length }
    }

    fn head(&self) -> Vec<String> {
        self.lines("epoch", self.columns.iter().map(|column| column.head.clone()))
    }

    fn row(&self, epoch: &Epoch) -> Vec<String> {
        let cell = |column: &Column| epoch.value(&column.figure).map(column.show).unwrap_or_default();
        self.lines(&self.position(epoch.epoch), self.columns.iter().map(cell))
    }

    /// `3/20`, as wide as the last epoch's.
    fn position(&self, epoch: usize) -> String {
        let epochs = self.epochs.to_string();
        format!("{epoch:>width$}/{epochs}", width = epochs.len().max(2))
    }

    /// The cells behind `first`, broken at the same columns in every row.
    fn lines(&self, first: &str, cells: impl Iterator<Item = String>) -> Vec<String> {
        let indent = self.position(0).chars().count().max(5);
        let mut lines = vec![format!("{first:>indent$}")];
        let mut taken = indent;
        for (column, cell) in self.columns.iter().zip(cells) {
            let wider = taken + GAP.len() + column.width;
            taken = if wider > self.length && taken > indent {
                lines.push(" ".repeat(indent));
                indent + GAP.len() + column.width
            } else {
                wider
            };
            let line = lines.last_mut().expect("the first line is there");
            line.push_str(&format!("{GAP}{cell:>width$}", width = column.width));
        }
        lines
    }
}

impl Column {
    /// A column as wide as its head, and as most figures are.
    fn new(figure: &str, head: &str, show: fn(f64) -> String) -> Self {
        let width = head.chars().count().max(8);
        Self { figure: figure.to_owned(), head: head.to_owned(), width, show }
    }
}

/// A loss or a metric, or a dash where a metric is not defined.
fn decimal(number: f64) -> String {
    if number.is_finite() { format!("{number:.4}") } else { "–".to_owned() }
}

/// The metrics so far, as many of the first as there is room for in so many columns.
fn metrics<'a>(values: impl Iterator<Item = (&'a str, Option<f64>)>, columns: usize) -> String {
    let mut text = String::new();
    for (name, value) in values.filter_map(|(name, value)| Some((name, value?))) {
        let metric = format!("  {name} {}", decimal(value));
        if text.chars().count() + metric.chars().count() > columns {
            break;
        }
        text += &metric;
    }
    text
}

/// What stands behind the bar, after `elapsed` seconds of the epoch; the time left is that of all epochs.
fn figures(progress: &Progress, metrics: &str, epochs: usize, elapsed: f64) -> String {
    let speed = progress.samples_seen as f64 / elapsed;
    let whole_epochs = epochs.saturating_sub(progress.epoch) as f64;
    let left = (progress.samples - progress.samples_seen) as f64 + whole_epochs * progress.samples as f64;
    let accuracy = progress.accuracy.map(|accuracy| format!("  accuracy {}", percent(accuracy)));
    format!(
        "loss {:.4}{}{metrics}  {} images/s  {} left",
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
        let progress = Progress {
            epoch: 2,
            samples_seen: 500,
            samples: 1000,
            loss: 0.25,
            accuracy: Some(0.9),
            ..Progress::default()
        };
        assert_eq!(
            figures(&progress, "", 3, 0.5),
            "loss 0.2500  accuracy 90.00 %  1,000 images/s  1.5 s left"
        );
        let of_values = Progress { accuracy: None, ..progress };
        assert_eq!(figures(&of_values, "", 3, 0.5), "loss 0.2500  1,000 images/s  1.5 s left");
        let measured = metrics([("auc", None), ("recall", Some(0.75))].into_iter(), 80);
        assert_eq!(
            figures(&of_values, &measured, 3, 0.5),
            "loss 0.2500  recall 0.7500  1,000 images/s  1.5 s left"
        );
    }

    #[test]
    fn as_many_metrics_are_shown_as_there_is_room_for() {
        let values = || {
            [("precision", Some(0.5)), ("auc", None), ("r2_score", Some(f64::NAN)), ("recall", Some(1.0))]
                .into_iter()
        };
        for (columns, expected) in [
            (17, ""),
            (18, "  precision 0.5000"),
            (29, "  precision 0.5000"),
            (30, "  precision 0.5000  r2_score –"),
            (45, "  precision 0.5000  r2_score –  recall 1.0000"),
        ] {
            assert_eq!(metrics(values(), columns), expected);
        }
    }

    /// A run of classes with two metrics.
    fn run(validated: bool, metrics: &[&str]) -> Run {
        let of_data = ["loss", "accuracy"].iter().chain(metrics);
        let of_validation = of_data.clone().filter(|_| validated).map(|name| format!("val_{name}"));
        Run {
            initial_epoch: 0,
            epochs: 20,
            steps: 1,
            batch_size: 1,
            samples: 1,
            validation_samples: validated.then_some(1),
            restored: None,
            held_out: None,
            values: of_data.clone().map(ToString::to_string).chain(of_validation).collect(),
            metrics: metrics.iter().map(|name| (name.to_string(), None)).collect(),
        }
    }

    fn epoch() -> Epoch {
        Epoch {
            epoch: 3,
            loss: 0.25,
            accuracy: Some(0.922),
            val_loss: Some(0.125),
            val_accuracy: Some(0.966),
            seconds: 0.5,
            images_per_second: 104_985.0,
            metrics: [("auc", 0.5), ("top_k", f64::NAN), ("val_auc", 0.75), ("val_top_k", 1.0)]
                .map(|(name, value)| (name.to_owned(), value))
                .to_vec(),
            ..Epoch::default()
        }
    }

    #[track_caller]
    fn check(table: &Table, expected: &str) {
        let lines = [table.head(), table.row(&epoch())].concat();
        assert!(lines.iter().all(|line| line.chars().count() <= table.length), "{lines:#?}");
        assert_eq!(lines.join("\n"), expected);
    }

    #[test]
    fn metrics_have_columns_behind_the_others() {
        check(
            &Table::new(&run(true, &["auc", "top_k"]), usize::MAX),
            "epoch       loss   accuracy   val loss   val accuracy   images/s        time        auc    val auc      top_k   val top_k\n \
             3/20     0.2500    92.20 %     0.1250        96.60 %    104,985       0.5 s     0.5000     0.7500          –      1.0000",
        );
        check(
            &Table::new(&run(false, &[]), usize::MAX),
            "epoch       loss   accuracy   images/s        time\n 3/20     0.2500    92.20 %    104,985       0.5 s",
        );
    }

    #[test]
    fn what_a_line_does_not_hold_goes_on_in_the_next() {
        let run = run(true, &["auc", "top_k"]);
        check(
            &Table::new(&run, 80),
            "epoch       loss   accuracy   val loss   val accuracy   images/s        time
             auc    val auc      top_k   val top_k
 3/20     0.2500    92.20 %     0.1250        96.60 %    104,985       0.5 s
          0.5000     0.7500          –      1.0000",
        );
        // The narrowest terminal that is believed.
        check(
            &Table::new(&run, 20),
            "epoch       loss
        accuracy
        val loss
        val accuracy
        images/s
             time
             auc
         val auc
           top_k
        val top_k
 3/20     0.2500
         92.20 %
          0.1250
             96.60 %
         104,985
            0.5 s
          0.5000
          0.7500
               –
           1.0000",
        );
    }

    #[test]
    fn values_have_no_accuracy() {
        let mut run = run(true, &[]);
        run.values.retain(|name| !name.ends_with("accuracy"));
        let head = Table::new(&run, usize::MAX).head();
        assert_eq!(head, ["epoch       loss   val loss   images/s        time"]);
    }

    #[test]
    fn the_template_is_well_formed() {
        for columns in [0, 71, 72, 73, 80, 120, 10_000] {
            assert!(ProgressStyle::with_template(&template(columns, 0)).is_ok());
        }
        assert_eq!(template(80, 0), "{prefix:>5}  {bar:8}  {msg}");
        assert_eq!(template(100, 20), "{prefix:>5}  {bar:8}  {msg}");
        assert_eq!(template(100, 28), "{prefix:>5}  {msg}");
    }
}
