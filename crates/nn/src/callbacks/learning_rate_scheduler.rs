//! A learning rate for each epoch.

use super::Callback;
use super::training::Training;
use crate::error::Error;

/// Sets the learning rate before each epoch to what a function makes of the epoch, counted from 1, and the rate so far.
/// Keras counts from 0 there: its `schedule(epoch, lr)` is `schedule(epoch - 1, lr)` here.
///
/// ```
/// # use densely::{Activation, Compile, Dataset, Dense, Fit, Sequential, Sgd};
/// use densely::callbacks::LearningRateScheduler;
/// # let data = Dataset::from_floats(1, vec![1.0, 2.0, 3.0, 4.0], vec![0, 1, 0, 1], 2)?;
/// # let network = Sequential::new(1).add(Dense::new(2).activation(Activation::Softmax));
///
/// let mut model = network.compile::<f32>(Compile { optimizer: Sgd::new(0.5).into(), ..Compile::default() })?;
/// let mut halve = LearningRateScheduler::new(|epoch, rate| if epoch > 2 { rate / 2.0 } else { rate });
/// let history = model.fit(&data, Fit { epochs: 4, callbacks: vec![&mut halve], ..Fit::default() })?;
/// assert_eq!(history.values("learning_rate"), [0.5, 0.5, 0.25, 0.125]);
/// # Ok::<(), densely::Error>(())
/// ```
///
/// A rate that is not a number above 0 ends training with an error. A [backup](super::BackupAndRestore) keeps the rate, but
/// nothing that the function itself remembers.
pub struct LearningRateScheduler<F> {
    schedule: F,
}

impl<F: FnMut(usize, f64) -> f64> LearningRateScheduler<F> {
    /// Follows this function.
    pub fn new(schedule: F) -> Self {
        Self { schedule }
    }
}

impl<F> std::fmt::Debug for LearningRateScheduler<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LearningRateScheduler").finish_non_exhaustive()
    }
}

impl<F: FnMut(usize, f64) -> f64> Callback for LearningRateScheduler<F> {
    fn on_epoch_begin(&mut self, training: &mut Training<'_>, epoch: usize) -> Result<(), Error> {
        let rate = (self.schedule)(epoch, training.model().learning_rate());
        training.model_mut().set_learning_rate(rate)
    }
}
