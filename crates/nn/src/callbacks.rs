//! Callbacks: how a program watches a training run, and stops it.

use crate::history::Epoch;
use std::ops::ControlFlow;

/// What [`Model::fit`] tells about a run, and where a program can end it. Every method has an empty body to start from.
///
/// Order of the calls: `on_train_begin`, then per epoch `on_epoch_begin`, `on_train_batch_end` after each batch, and
/// `on_epoch_end`. Several callbacks are called in the order in which they were given; each of them hears of an event
/// even if one before it asked to stop.
///
/// ```
/// # use densely::{Callback, Epoch};
/// # use std::ops::ControlFlow;
/// /// Stops as soon as the held-out accuracy is good enough.
/// struct GoodEnough(f64);
///
/// impl Callback for GoodEnough {
///     fn on_epoch_end(&mut self, epoch: &Epoch) -> ControlFlow<()> {
///         match epoch.val_accuracy {
///             Some(accuracy) if accuracy >= self.0 => ControlFlow::Break(()),
///             _ => ControlFlow::Continue(()),
///         }
///     }
/// }
/// # let mut epoch = Epoch { val_accuracy: Some(0.97), ..Epoch::default() };
/// # assert!(GoodEnough(0.98).on_epoch_end(&epoch).is_continue());
/// # assert!(GoodEnough(0.97).on_epoch_end(&epoch).is_break());
/// ```
///
/// [`Model::fit`]: crate::Model::fit
pub trait Callback {
    /// Before the first epoch: how many epochs there will be at most, and how many samples each of them has.
    fn on_train_begin(&mut self, epochs: usize, samples: usize) {
        let _ = (epochs, samples);
    }

    /// Before the first batch of `epoch`, counted from 1.
    fn on_epoch_begin(&mut self, epoch: usize) {
        let _ = epoch;
    }

    /// After each batch. `Break` ends training here; what the model has learnt so far stays.
    fn on_train_batch_end(&mut self, progress: &Progress) -> ControlFlow<()> {
        let _ = progress;
        ControlFlow::Continue(())
    }

    /// After the last batch of an epoch and its validation. `Break` ends training here.
    fn on_epoch_end(&mut self, epoch: &Epoch) -> ControlFlow<()> {
        let _ = epoch;
        ControlFlow::Continue(())
    }
}

/// How far an epoch has come, and its running means: each sample that was seen in this epoch counts once.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Progress {
    /// The epoch, counted from 1.
    pub epoch: usize,
    /// How many samples of this epoch have been trained on.
    pub samples_seen: usize,
    /// How many samples an epoch has.
    pub samples: usize,
    /// Mean loss of the samples seen, each taken before its own batch's update.
    pub loss: f64,
    /// Share of the samples seen whose class was predicted rightly, between 0 and 1; `None` if the targets are values.
    pub accuracy: Option<f64>,
}
