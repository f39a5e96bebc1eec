//! Stopping when a value stops improving.

use super::Callback;
use super::monitor::{self, Best, Mode};
use super::state::CallbackState;
use super::training::{Run, Training, Weights};
use crate::error::Error;
use crate::history::Epoch;
use serde::{Deserialize, Serialize};

/// Stops training when a value has not improved for `patience` epochs.
///
/// As in Keras, an epoch counts as no improvement unless its value is better than the best so far by more than
/// `min_delta`; with a `baseline`, it has to be better than that too for the patience to start anew. An epoch in which the
/// value was not measured ([`validation_freq`](crate::Fit::validation_freq)) does not count. Training never stops after
/// epoch 1.
///
/// With `restore_best_weights`, the parameters of the best epoch come back when training ends, in whichever way: after a
/// stop, after the last epoch, and after an error such as a loss that is no number. The optimizer's memory does not.
///
/// ```
/// # use densely::{Activation, Compile, Dataset, Dense, Fit, Sequential, Sgd};
/// use densely::callbacks::EarlyStopping;
/// # let data = Dataset::from_floats(1, (0..40).map(|i| (i % 7) as f64).collect(), (0..40).map(|i| i % 2).collect(), 2)?;
/// # let (train, held_out) = data.split_stratified(10, 1)?;
/// # let mut model = Sequential::new(1).add(Dense::new(2).activation(Activation::Softmax))
/// #     .compile::<f32>(Compile { optimizer: Sgd::new(0.5).into(), ..Compile::default() })?;
///
/// let mut stopping = EarlyStopping::new("val_loss").patience(3).restore_best_weights(true);
/// let fit = Fit { epochs: 1000, validation: Some(&held_out), callbacks: vec![&mut stopping], ..Fit::default() };
/// let history = model.fit(&train, fit)?;
/// let (epoch, best) = stopping.best().expect("it was measured");
/// assert_eq!(history.epochs.len(), epoch + 3);
/// assert_eq!(model.evaluate(&held_out)?.loss, best);
/// # Ok::<(), densely::Error>(())
/// ```
#[derive(Debug)]
pub struct EarlyStopping {
    monitor: String,
    min_delta: f64,
    patience: usize,
    mode: Mode,
    baseline: Option<f64>,
    restore_best_weights: bool,
    start_from_epoch: usize,
    best: Best,
    best_epoch: usize,
    best_weights: Option<Weights>,
    /// Epochs without improvement.
    wait: usize,
}

impl Default for EarlyStopping {
    /// Watches `val_loss`.
    fn default() -> Self {
        Self::new("val_loss")
    }
}

impl EarlyStopping {
    /// Watches the value of this name, everything else by default.
    pub fn new(monitor: impl Into<String>) -> Self {
        Self {
            monitor: monitor.into(),
            min_delta: 0.0,
            patience: 0,
            mode: Mode::Auto,
            baseline: None,
            restore_best_weights: false,
            start_from_epoch: 0,
            best: Best::default(),
            best_epoch: 0,
            best_weights: None,
            wait: 0,
        }
    }

    /// By how much a value has to be better to count; its sign does not matter. Default: 0.
    pub fn min_delta(self, min_delta: f64) -> Self {
        Self { min_delta, ..self }
    }

    /// After how many epochs without improvement training stops; 0 is as 1. Default: 0.
    pub fn patience(self, patience: usize) -> Self {
        Self { patience, ..self }
    }

    /// Which way the value gets better. Default: as its name says.
    pub fn mode(self, mode: Mode) -> Self {
        Self { mode, ..self }
    }

    /// What the value has to be better than. Default: nothing.
    pub fn baseline(self, baseline: f64) -> Self {
        Self { baseline: Some(baseline), ..self }
    }

    /// Whether the parameters of the best epoch come back in the end. Default: `false`.
    pub fn restore_best_weights(self, restore_best_weights: bool) -> Self {
        Self { restore_best_weights, ..self }
    }

    /// How many epochs pass before the value is looked at. Default: 0.
    pub fn start_from_epoch(self, start_from_epoch: usize) -> Self {
        Self { start_from_epoch, ..self }
    }

    /// The best epoch, counted from 1, and its value; `None` before the value was measured.
    pub fn best(&self) -> Option<(usize, f64)> {
        Some((self.best_epoch, self.best.value?))
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename = "EarlyStopping", deny_unknown_fields)]
struct Memory {
    best: Option<f64>,
    best_epoch: usize,
    wait: usize,
}

impl Callback for EarlyStopping {
    fn validate(&self, run: &Run) -> Result<(), Error> {
        monitor::validate("EarlyStopping", run, &self.monitor, self.mode)?;
        monitor::finite("EarlyStopping", "min_delta", self.min_delta)?;
        self.baseline.map_or(Ok(()), |baseline| monitor::finite("EarlyStopping", "baseline", baseline))
    }

    fn on_train_begin(&mut self, training: &mut Training<'_>) -> Result<(), Error> {
        self.best = Best::new(training.run(), &self.monitor, self.mode, self.min_delta, None);
        (self.best_epoch, self.best_weights, self.wait) = (0, None, 0);
        Ok(())
    }

    fn on_epoch_end(&mut self, training: &mut Training<'_>, epoch: &Epoch) -> Result<(), Error> {
        let Some(value) = epoch.value(&self.monitor).filter(|_| epoch.epoch > self.start_from_epoch) else {
            return Ok(());
        };
        self.wait += 1;
        if self.best.take(value) {
            self.best_epoch = epoch.epoch;
            if self.restore_best_weights {
                self.best_weights = Some(training.model().weights()?);
            }
            if self.baseline.is_none() || self.best.improves(value, self.baseline) {
                self.wait = 0;
            }
        } else if self.wait >= self.patience && epoch.epoch > 1 {
            training.stop(format!("EarlyStopping: {}", self.finding(epoch.epoch)));
        }
        Ok(())
    }

    fn on_train_end(&mut self, training: &mut Training<'_>) -> Result<(), Error> {
        match self.best_weights.take() {
            Some(weights) => training.model_mut().set_weights(&weights),
            None => Ok(()),
        }
    }

    fn state(&mut self) -> Result<Option<CallbackState>, Error> {
        let Self { best: Best { value: best, .. }, best_epoch, wait, .. } = *self;
        let state = CallbackState::of(&Memory { best, best_epoch, wait });
        Ok(Some(CallbackState { weights: self.best_weights.clone(), ..state }))
    }

    fn restore(&mut self, state: CallbackState) -> Result<(), Error> {
        let Memory { best, best_epoch, wait } = state.read()?;
        (self.best.value, self.best_epoch, self.wait) = (best, best_epoch, wait);
        self.best_weights = state.weights;
        Ok(())
    }
}

impl EarlyStopping {
    /// `val_loss was best in epoch 7 (0.125), not since`
    fn finding(&self, epoch: usize) -> String {
        let monitor = &self.monitor;
        match (self.best(), self.baseline) {
            (Some((best_epoch, best)), Some(baseline)) if !self.best.improves(best, self.baseline) => {
                format!(
                    "{monitor} did not get beyond {baseline} up to epoch {epoch}; it was best in epoch {best_epoch}, {best}"
                )
            }
            (Some((best_epoch, best)), _) => format!("{monitor} was best in epoch {best_epoch}, {best}"),
            (None, _) => format!("{monitor} was not a number up to epoch {epoch}"),
        }
    }
}
