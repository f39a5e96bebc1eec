//! What a run is doing, as text: Keras's `verbose`.

use super::training::Training;
use super::{Callback, Progress};
use crate::error::Error;
use crate::history::Epoch;
use std::io::{self, IsTerminal, Stdout, Write};
use std::time::{Duration, Instant};

/// How much is said about training; Keras's `verbose`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verbosity {
    /// Nothing; Keras's 0.
    #[default]
    Silent,
    /// A bar for each epoch, redrawn while it runs; Keras's 1.
    Bar,
    /// A line for each epoch; Keras's 2.
    Lines,
}

/// Columns of the bar.
const WIDTH: usize = 20;

/// The least time between two drawings of an epoch that runs.
const INTERVAL: Duration = Duration::from_millis(50);

/// Says how training goes, in Keras's form, with the loss, the accuracy and the metrics so far:
///
/// ```text
/// validation on the last 1000 of 6000 samples
/// Epoch 1/5
///  40/157 ━━━━━─────────────── 1s 9ms/step - loss: 0.6123 - accuracy: 0.8210
/// ```
///
/// Metrics that take [more than sums](Training::metric) have their place when the epoch has ended.
///
/// [`Fit::verbose`](crate::Fit::verbose) makes one that writes to standard output. One that cannot write, for example
/// because the reader of a pipe has gone, falls silent; training goes on.
///
/// ```
/// # use densely::{Activation, Compile, Dataset, Dense, Fit, Sequential};
/// use densely::callbacks::{ProgressBar, Verbosity};
/// # let data = Dataset::from_floats(1, vec![1.0, 2.0, 3.0, 4.0], vec![0, 1, 0, 1], 2)?;
/// # let network = Sequential::new(1).add(Dense::new(2).activation(Activation::Softmax));
/// # let mut model = network.compile::<f32>(Compile::default())?;
///
/// let mut text = Vec::new();
/// let mut lines = ProgressBar::to(&mut text, Verbosity::Lines);
/// model.fit(&data, Fit { epochs: 2, callbacks: vec![&mut lines], ..Fit::default() })?;
/// let text = String::from_utf8(text)?;
/// assert!(text.starts_with("Epoch 1/2\n1/1 - 0s - ") && text.contains("/step - loss: 0."));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct ProgressBar<W> {
    output: W,
    verbosity: Verbosity,
    /// Whether a line can be drawn again; else each epoch has its last one only.
    redraws: bool,
    failed: bool,
    /// Columns of the line that is to be drawn over.
    drawn: usize,
    start: Instant,
    /// When the first step of the epoch ended, which is slower than the others.
    warm: Option<Instant>,
    last: Option<Instant>,
    /// Steps of the epoch that were made, and those of them before a run that went on was begun again.
    steps: usize,
    before: usize,
}

impl ProgressBar<Stdout> {
    /// Writes to standard output; where that is no terminal, a bar is drawn only when its epoch has ended.
    pub fn new(verbosity: Verbosity) -> Self {
        let stdout = io::stdout();
        let redraws = stdout.is_terminal();
        Self { redraws, ..Self::to(stdout, verbosity) }
    }
}

impl<W: Write> ProgressBar<W> {
    /// Writes to `output`. A bar is drawn over itself with a carriage return.
    pub fn to(output: W, verbosity: Verbosity) -> Self {
        Self {
            output,
            verbosity,
            redraws: true,
            failed: false,
            drawn: 0,
            start: Instant::now(),
            warm: None,
            last: None,
            steps: 0,
            before: 0,
        }
    }

    fn silent(&self) -> bool {
        self.failed || self.verbosity == Verbosity::Silent
    }

    fn write(&mut self, text: &str) {
        let written = self.output.write_all(text.as_bytes()).and_then(|()| self.output.flush());
        self.failed |= written.is_err();
    }

    /// The time of a step so far, without the first if there were others.
    fn per_step(&self, now: Instant, step: usize) -> Duration {
        let step = step - self.before.min(step);
        match self.warm {
            Some(warm) if step > 1 => now.duration_since(warm).div_f64((step - 1) as f64),
            _ => now.duration_since(self.start).div_f64(step.max(1) as f64),
        }
    }

    /// Draws the line over the one before.
    fn draw(&mut self, line: &str, end: &str) {
        let columns = line.chars().count();
        let padding = " ".repeat(self.drawn.saturating_sub(columns));
        let start = if self.drawn > 0 { "\r" } else { "" };
        self.write(&format!("{start}{line}{padding}{end}"));
        self.drawn = if end.is_empty() { columns } else { 0 };
    }
}

impl<W: Write> Callback for ProgressBar<W> {
    fn on_train_begin(&mut self, training: &mut Training<'_>) -> Result<(), Error> {
        if !self.silent()
            && let Some(held_out) = training.run().held_out
        {
            self.write(&format!("validation on {held_out}\n"));
        }
        if let Some(restored) = training.run().restored.clone() {
            if !self.silent() {
                self.write(&format!("{restored}\n"));
            }
            // The epoch that it is in began in another life.
            if restored.begun {
                self.on_epoch_begin(training, restored.epoch + 1)?;
                (self.steps, self.before) = (restored.batch, restored.batch);
            }
        }
        Ok(())
    }

    fn on_epoch_begin(&mut self, training: &mut Training<'_>, epoch: usize) -> Result<(), Error> {
        if !self.silent() && training.run().epochs > 1 {
            self.write(&format!("Epoch {epoch}/{}\n", training.run().epochs));
        }
        (self.start, self.warm, self.last, self.drawn) = (Instant::now(), None, None, 0);
        (self.steps, self.before) = (0, 0);
        Ok(())
    }

    fn on_train_batch_end(&mut self, training: &mut Training<'_>, progress: &Progress) -> Result<(), Error> {
        self.steps = progress.batch;
        if self.silent() {
            return Ok(());
        }
        let now = Instant::now();
        self.warm.get_or_insert(now);
        let waits = self.last.is_some_and(|last| now.duration_since(last) < INTERVAL);
        // The last batch's line is that of the epoch's end.
        if self.verbosity == Verbosity::Bar && self.redraws && !waits && progress.batch < progress.batches {
            self.last = Some(now);
            let per_step = self.per_step(now, progress.batch);
            let left = times(per_step, progress.batches - progress.batch);
            let bar = bar(progress.batch, progress.batches);
            let value = |name: &str| progress.value(name).or_else(|| training.metric(name));
            let values = values(&training.run().values, value);
            self.draw(&format!("{bar} {} {}{values}", clock(left), step_time(per_step)), "");
        }
        Ok(())
    }

    fn on_epoch_end(&mut self, training: &mut Training<'_>, epoch: &Epoch) -> Result<(), Error> {
        if self.silent() {
            return Ok(());
        }
        let (now, steps) = (Instant::now(), training.run().steps);
        let seconds = format!("{:.0}s", now.duration_since(self.start).as_secs_f64());
        let per_step = step_time(self.per_step(now, self.steps));
        let values = values(&training.run().values, |name| epoch.value(name));
        let line = match self.verbosity {
            Verbosity::Bar => format!("{} {seconds} {per_step}{values}", bar(steps, steps)),
            Verbosity::Lines | Verbosity::Silent => {
                format!("{steps}/{steps} - {seconds} - {per_step}{values}")
            }
        };
        self.draw(&line, "\n");
        Ok(())
    }

    fn on_train_end(&mut self, training: &mut Training<'_>) -> Result<(), Error> {
        if self.silent() {
            return Ok(());
        }
        let end_of_line = if self.drawn > 0 { "\n" } else { "" };
        self.drawn = 0;
        match training.stop_reason() {
            Some(reason) => self.write(&format!("{end_of_line}stopped: {reason}\n")),
            None => self.write(end_of_line),
        }
        Ok(())
    }
}

/// ` 40/157 ━━━━━───────────────`
fn bar(step: usize, steps: usize) -> String {
    let digits = steps.to_string().len();
    let done = (WIDTH as f64 * step as f64 / steps as f64) as usize;
    format!("{step:>digits$}/{steps} {}{}", "━".repeat(done), "─".repeat(WIDTH - done))
}

/// ` - loss: 0.6123 - accuracy: 0.8210`; what was not measured is left out, as is the learning rate.
fn values(names: &[String], value: impl Fn(&str) -> Option<f64>) -> String {
    let mut text = String::new();
    for name in names.iter().filter(|name| *name != "learning_rate") {
        match value(name) {
            Some(value) if value.abs() > 1e-3 => text += &format!(" - {name}: {value:.4}"),
            Some(value) => text += &format!(" - {name}: {value:.4e}"),
            None => {}
        }
    }
    text
}

/// The time of so many steps, as far as time can be told.
fn times(per_step: Duration, steps: usize) -> Duration {
    Duration::try_from_secs_f64(per_step.as_secs_f64() * steps as f64).unwrap_or(Duration::MAX)
}

/// `9ms/step`
fn step_time(time: Duration) -> String {
    match time.as_secs_f64() {
        seconds if seconds >= 1.0 => format!("{seconds:.0}s/step"),
        seconds if seconds >= 1e-3 => format!("{:.0}ms/step", seconds * 1e3),
        seconds => format!("{:.0}us/step", seconds * 1e6),
    }
}

/// `12s`, `1:02` or `1:00:07`
fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..=60 => format!("{seconds}s"),
        61..=3600 => format!("{}:{:02}", seconds / 60, seconds % 60),
        _ => format!("{}:{:02}:{:02}", seconds / 3600, seconds % 3600 / 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_times_and_values_are_written_as_in_keras() {
        assert_eq!(bar(1, 1), "1/1 ━━━━━━━━━━━━━━━━━━━━");
        assert_eq!(bar(40, 157), " 40/157 ━━━━━───────────────");
        for (seconds, expected) in
            [(0.0, "0us/step"), (5e-5, "50us/step"), (0.009, "9ms/step"), (2.0, "2s/step")]
        {
            assert_eq!(step_time(Duration::from_secs_f64(seconds)), expected);
        }
        for (seconds, expected) in [(0, "0s"), (60, "60s"), (62, "1:02"), (3600, "60:00"), (3607, "1:00:07")]
        {
            assert_eq!(clock(Duration::from_secs(seconds)), expected);
        }
        assert_eq!(times(Duration::from_millis(9), 1000), Duration::from_secs(9));
        assert_eq!(times(Duration::from_secs(9), usize::MAX), Duration::MAX);
        let names = ["loss", "val_loss", "learning_rate"].map(str::to_owned);
        let value = |name: &str| (name != "val_loss").then_some(0.00012345);
        assert_eq!(values(&names, value), " - loss: 1.2345e-4");
        assert_eq!(values(&names[..2], |_| Some(-2.5)), " - loss: -2.5000 - val_loss: -2.5000");
    }

    #[test]
    fn a_shorter_line_covers_the_longer_one_before() {
        let mut text = Vec::new();
        let mut bar = ProgressBar::to(&mut text, Verbosity::Bar);
        bar.draw("long line", "");
        bar.draw("short", "");
        bar.draw("end", "\n");
        bar.draw("next", "");
        assert_eq!(String::from_utf8(text).unwrap(), "long line\rshort    \rend  \nnext");
    }

    #[test]
    fn a_bar_that_cannot_write_falls_silent() {
        struct Broken;
        impl Write for Broken {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut bar = ProgressBar::to(Broken, Verbosity::Lines);
        assert!(!bar.silent());
        bar.write("text");
        assert!(bar.silent());
    }
}
