//! What happened in training, epoch by epoch.

use crate::data::HeldOut;
use std::fmt;
use std::fmt::Write;
use std::path::PathBuf;

/// The figures of one epoch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Epoch {
    /// The epoch, counted from 1.
    pub epoch: usize,
    /// Mean training loss of its samples, each taken before its own batch's update and with dropout: the mean of the losses
    /// of its steps, each counted as often as its batch has samples. A step's loss is that which it goes down, with
    /// penalties: with [`Reduction::Sum`](crate::losses::Reduction::Sum) the sum over its batch, so that with batches of one size
    /// this is the mean of those sums (and [`val_loss`](Self::val_loss) the sum over all of the validation data).
    pub loss: f64,
    /// Share of its samples whose class was predicted rightly while training, between 0 and 1; `None` if the targets are
    /// values.
    pub accuracy: Option<f64>,
    /// Mean loss on the validation data after the epoch, if there are any.
    pub val_loss: Option<f64>,
    /// Accuracy on the validation data after the epoch, if there are any with class labels.
    pub val_accuracy: Option<f64>,
    /// Seconds of training with its callbacks, without validation.
    pub seconds: f64,
    /// Samples per second of training, without validation.
    pub images_per_second: f64,
    /// The learning rate after its last step.
    pub learning_rate: f64,
    /// The model's metrics that are numbers: over the epoch's samples, measured as `loss` is, and on the validation data,
    /// there with `val_` before the name. Not a number where nothing was there to be measured.
    pub metrics: Vec<(String, f64)>,
}

impl Epoch {
    /// A figure by its name, as callbacks watch it: `loss`, `accuracy`, `val_loss`, `val_accuracy`, `learning_rate`,
    /// `seconds`, `images_per_second`, or a metric's. `None` if it was not measured or there is none of this name.
    ///
    /// ```
    /// # use densely::Epoch;
    /// let epoch = Epoch { loss: 0.5, ..Epoch::default() };
    /// assert_eq!((epoch.value("loss"), epoch.value("val_loss")), (Some(0.5), None));
    /// ```
    pub fn value(&self, name: &str) -> Option<f64> {
        match name {
            "loss" => Some(self.loss),
            "accuracy" => self.accuracy,
            "val_loss" => self.val_loss,
            "val_accuracy" => self.val_accuracy,
            "learning_rate" => Some(self.learning_rate),
            "seconds" => Some(self.seconds),
            "images_per_second" => Some(self.images_per_second),
            _ => self.metrics.iter().find(|(metric, _)| metric == name).map(|&(_, value)| value),
        }
    }

    /// The names of the figures that a run with these metrics will have: `val_…` only with validation, the accuracy only of
    /// classes.
    pub(crate) fn names(
        validated: bool,
        of_classes: bool,
        metrics: &[(String, Option<bool>)],
    ) -> Vec<String> {
        let of_data = ["loss", "accuracy"].into_iter().filter(|&name| of_classes || name != "accuracy");
        let mut names: Vec<String> = of_data.map(str::to_owned).collect();
        names.extend(metrics.iter().map(|(name, _)| name.clone()));
        if validated {
            let of_validation: Vec<String> = names.iter().map(|name| format!("val_{name}")).collect();
            names.extend(of_validation);
        }
        names.push("learning_rate".to_owned());
        names
    }

    /// A figure as a cell of a table, with as many digits as it takes to read it back exactly; empty if it was not measured
    /// or is not finite.
    pub(crate) fn cell(&self, name: &str) -> String {
        let value = self.value(name).filter(|value| value.is_finite());
        value.map(|value| value.to_string()).unwrap_or_default()
    }
}

/// What [`Model::fit`](crate::Model::fit) gives back.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// The epochs that ran to their end, first to last.
    pub epochs: Vec<Epoch>,
    /// Where and why a [`Callback`](crate::Callback) ended training early, if one did.
    pub stop: Option<Stop>,
    /// What [`validation_split`](crate::Fit::validation_split) held out, if it was given.
    pub held_out: Option<HeldOut>,
    /// Where the run was taken up, if it went on from a [backup](crate::callbacks::BackupAndRestore). The epochs before are
    /// among [`epochs`](Self::epochs).
    pub restored: Option<Restored>,
}

/// A run that went on from a [backup](crate::callbacks::BackupAndRestore).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// The file.
    pub path: PathBuf,
    /// How many epochs had ended.
    pub epoch: usize,
    /// Whether the next had begun.
    pub begun: bool,
    /// How many batches of the next had ended.
    pub batch: usize,
    /// What is wrong with the newest backup, if this is the one before it.
    pub damaged: Option<String>,
}

impl fmt::Display for Restored {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, epoch, begun, batch, damaged } = self;
        write!(formatter, "restored from {}: ", path.display())?;
        match (batch, epoch) {
            (0, _) if *begun => write!(formatter, "before batch 1 of epoch {}", epoch + 1)?,
            (0, 0) => formatter.write_str("before epoch 1")?,
            (0, _) => write!(formatter, "after epoch {epoch}")?,
            _ => write!(formatter, "after batch {batch} of epoch {}", epoch + 1)?,
        }
        damaged.iter().try_for_each(|problem| write!(formatter, ", because of {problem}"))
    }
}

/// An end of training before its last epoch, or after that by a callback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// The epoch, counted from 1.
    pub epoch: usize,
    /// The batch at which training ended, counted from 1, 0 being before the first; `None` at the end of an epoch.
    pub batch: Option<usize>,
    /// What the callback says.
    pub reason: String,
}

impl fmt::Display for Stop {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.batch {
            Some(batch) => {
                write!(formatter, "stopped at batch {batch} of epoch {}: {}", self.epoch, self.reason)
            }
            None => write!(formatter, "stopped after epoch {}: {}", self.epoch, self.reason),
        }
    }
}

impl History {
    /// A figure's values, epoch after epoch, by the name that it has in [`Epoch::value`]; epochs in which it was not
    /// measured are left out, as in Keras's `history.history["val_loss"]`.
    ///
    /// ```
    /// # use densely::{Epoch, History};
    /// let epoch = |loss, val_loss| Epoch { loss, val_loss, ..Epoch::default() };
    /// let history = History { epochs: vec![epoch(0.5, None), epoch(0.25, Some(0.375))], ..History::default() };
    /// assert_eq!(history.values("loss"), [0.5, 0.25]);
    /// assert_eq!(history.values("val_loss"), [0.375]);
    /// ```
    pub fn values(&self, name: &str) -> Vec<f64> {
        self.epochs.iter().filter_map(|epoch| epoch.value(name)).collect()
    }

    /// The epochs as CSV: a header, then one line each, the metrics last. Numbers have as many digits as it takes to read
    /// them back exactly; what was not measured is empty, as is a metric that is not finite.
    ///
    /// ```
    /// # use densely::{Epoch, History};
    /// let epoch = Epoch {
    ///     epoch: 1,
    ///     loss: 0.5,
    ///     accuracy: Some(0.875),
    ///     seconds: 2.0,
    ///     images_per_second: 100.0,
    ///     learning_rate: 0.001,
    ///     ..Epoch::default()
    /// };
    /// let history = History { epochs: vec![epoch], ..History::default() };
    /// assert_eq!(
    ///     history.to_csv(),
    ///     "epoch,loss,accuracy,val_loss,val_accuracy,seconds,images_per_second,learning_rate\n1,0.5,0.875,,,2,100,0.001\n"
    /// );
    /// ```
    pub fn to_csv(&self) -> String {
        let mut names = vec![
            "loss",
            "accuracy",
            "val_loss",
            "val_accuracy",
            "seconds",
            "images_per_second",
            "learning_rate",
        ];
        for (name, _) in self.epochs.iter().flat_map(|epoch| &epoch.metrics) {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
        let mut csv = format!("epoch,{}\n", names.join(","));
        for epoch in &self.epochs {
            write!(csv, "{}", epoch.epoch).expect("writing to a String cannot fail");
            for name in &names {
                write!(csv, ",{}", epoch.cell(name)).expect("writing to a String cannot fail");
            }
            csv.push('\n');
        }
        csv
    }
}
