//! What happened in training, epoch by epoch.

use std::fmt::Write;

/// The figures of one epoch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Epoch {
    /// The epoch, counted from 1.
    pub epoch: usize,
    /// Mean training loss of its samples, each taken before its own batch's update and with dropout.
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
}

/// What [`Model::fit`](crate::Model::fit) gives back.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// The epochs that ran to their end, first to last.
    pub epochs: Vec<Epoch>,
    /// Whether a [`Callback`](crate::Callback) ended training early.
    pub interrupted: bool,
}

impl History {
    /// The epochs as CSV: a header, then one line each. Numbers have as many digits as it takes to read them back
    /// exactly; what was not measured is empty.
    ///
    /// ```
    /// # use densely::{Epoch, History};
    /// let epoch = Epoch { epoch: 1, loss: 0.5, accuracy: Some(0.875), seconds: 2.0, images_per_second: 100.0, ..Epoch::default() };
    /// let history = History { epochs: vec![epoch], interrupted: false };
    /// assert_eq!(
    ///     history.to_csv(),
    ///     "epoch,loss,accuracy,val_loss,val_accuracy,seconds,images_per_second\n1,0.5,0.875,,,2,100\n"
    /// );
    /// ```
    pub fn to_csv(&self) -> String {
        let mut csv = String::from("epoch,loss,accuracy,val_loss,val_accuracy,seconds,images_per_second\n");
        let optional = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
        for epoch in &self.epochs {
            writeln!(
                csv,
                "{},{},{},{},{},{},{}",
                epoch.epoch,
                epoch.loss,
                optional(epoch.accuracy),
                optional(epoch.val_loss),
                optional(epoch.val_accuracy),
                epoch.seconds,
                epoch.images_per_second
            )
            .expect("writing to a String cannot fail");
        }
        csv
    }
}
