//! Closures in the place of a type of one's own.

use super::training::Training;
use super::{Callback, Progress};
use crate::error::Error;
use crate::history::Epoch;

type OnTraining<'f> = Box<dyn FnMut(&mut Training<'_>) + 'f>;
type OnCount<'f> = Box<dyn FnMut(&mut Training<'_>, usize) + 'f>;
type OnProgress<'f> = Box<dyn FnMut(&mut Training<'_>, &Progress) + 'f>;
type OnEpoch<'f> = Box<dyn FnMut(&mut Training<'_>, &Epoch) + 'f>;

/// Calls a closure at each event that was given one. What can fail takes a [`Callback`] of its own, and so does what remembers
/// something that a [backup](super::BackupAndRestore) is to keep.
///
/// ```
/// # use densely::{Activation, Compile, Dataset, Dense, Fit, Sequential};
/// use densely::callbacks::LambdaCallback;
/// # let data = Dataset::from_floats(1, vec![1.0, 2.0, 3.0, 4.0], vec![0, 1, 0, 1], 2)?;
/// # let network = Sequential::new(1).add(Dense::new(2).activation(Activation::Softmax));
/// # let mut model = network.compile::<f32>(Compile::default())?;
///
/// let mut losses = Vec::new();
/// let mut notes = LambdaCallback::new().on_epoch_end(|_, epoch| losses.push(epoch.loss));
/// let history = model.fit(&data, Fit { epochs: 3, callbacks: vec![&mut notes], ..Fit::default() })?;
/// drop(notes);
/// assert_eq!(losses, history.values("loss"));
/// # Ok::<(), densely::Error>(())
/// ```
#[derive(Default)]
pub struct LambdaCallback<'f> {
    train_begin: Option<OnTraining<'f>>,
    train_end: Option<OnTraining<'f>>,
    epoch_begin: Option<OnCount<'f>>,
    epoch_end: Option<OnEpoch<'f>>,
    train_batch_begin: Option<OnCount<'f>>,
    train_batch_end: Option<OnProgress<'f>>,
}

impl std::fmt::Debug for LambdaCallback<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LambdaCallback").finish_non_exhaustive()
    }
}

impl<'f> LambdaCallback<'f> {
    /// Nothing at any event.
    pub fn new() -> Self {
        Self::default()
    }

    /// See [`Callback::on_train_begin`].
    pub fn on_train_begin(self, event: impl FnMut(&mut Training<'_>) + 'f) -> Self {
        Self { train_begin: Some(Box::new(event)), ..self }
    }

    /// See [`Callback::on_train_end`].
    pub fn on_train_end(self, event: impl FnMut(&mut Training<'_>) + 'f) -> Self {
        Self { train_end: Some(Box::new(event)), ..self }
    }

    /// See [`Callback::on_epoch_begin`].
    pub fn on_epoch_begin(self, event: impl FnMut(&mut Training<'_>, usize) + 'f) -> Self {
        Self { epoch_begin: Some(Box::new(event)), ..self }
    }

    /// See [`Callback::on_epoch_end`].
    pub fn on_epoch_end(self, event: impl FnMut(&mut Training<'_>, &Epoch) + 'f) -> Self {
        Self { epoch_end: Some(Box::new(event)), ..self }
    }

    /// See [`Callback::on_train_batch_begin`].
    pub fn on_train_batch_begin(self, event: impl FnMut(&mut Training<'_>, usize) + 'f) -> Self {
        Self { train_batch_begin: Some(Box::new(event)), ..self }
    }

    /// See [`Callback::on_train_batch_end`].
    pub fn on_train_batch_end(self, event: impl FnMut(&mut Training<'_>, &Progress) + 'f) -> Self {
        Self { train_batch_end: Some(Box::new(event)), ..self }
    }
}

impl Callback for LambdaCallback<'_> {
    fn on_train_begin(&mut self, training: &mut Training<'_>) -> Result<(), Error> {
        self.train_begin.iter_mut().for_each(|event| event(training));
        Ok(())
    }

    fn on_train_end(&mut self, training: &mut Training<'_>) -> Result<(), Error> {
        self.train_end.iter_mut().for_each(|event| event(training));
        Ok(())
    }

    fn on_epoch_begin(&mut self, training: &mut Training<'_>, epoch: usize) -> Result<(), Error> {
        self.epoch_begin.iter_mut().for_each(|event| event(training, epoch));
        Ok(())
    }

    fn on_epoch_end(&mut self, training: &mut Training<'_>, epoch: &Epoch) -> Result<(), Error> {
        self.epoch_end.iter_mut().for_each(|event| event(training, epoch));
        Ok(())
    }

    fn on_train_batch_begin(&mut self, training: &mut Training<'_>, batch: usize) -> Result<(), Error> {
        self.train_batch_begin.iter_mut().for_each(|event| event(training, batch));
        Ok(())
    }

    fn on_train_batch_end(&mut self, training: &mut Training<'_>, progress: &Progress) -> Result<(), Error> {
        self.train_batch_end.iter_mut().for_each(|event| event(training, progress));
        Ok(())
    }
}
