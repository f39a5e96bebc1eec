//! A smaller learning rate when a value stops improving.

use super::Callback;
use super::monitor::{self, Best, Mode};
use super::state::CallbackState;
use super::training::{Run, Training};
use crate::error::Error;
use crate::history::Epoch;
use serde::{Deserialize, Serialize};

/// Multiplies the learning rate by `factor` when a value has not improved for `patience` epochs, then waits `cooldown`
/// epochs before it counts again; never below `min_lr`, and never below 2⁻¹²⁶, the smallest normal number of single
/// precision. A learning rate that follows a schedule is an [`DescriptionError::ScheduledLearningRate`](crate::DescriptionError::ScheduledLearningRate) before the first step.
///
/// The counting is Keras's. The next step takes the new rate, so [`Epoch::learning_rate`] shows it from the next epoch on.
///
/// ```
/// # use densely::{Activation, Compile, Dataset, Dense, Fit, Sequential, Sgd};
/// use densely::callbacks::ReduceLrOnPlateau;
/// # let data = Dataset::from_floats(1, vec![1.0, 2.0, 3.0, 4.0], vec![0, 1, 0, 1], 2)?;
/// # let network = Sequential::new(1).add(Dense::new(2).activation(Activation::Softmax));
///
/// let mut model = network.compile::<f32>(Compile { optimizer: Sgd::new(0.5).into(), ..Compile::default() })?;
/// // No loss is better than another by 10.
/// let mut reduce = ReduceLrOnPlateau::new("loss").factor(0.5).patience(2).min_delta(10.0);
/// let history = model.fit(&data, Fit { epochs: 6, callbacks: vec![&mut reduce], ..Fit::default() })?;
/// assert_eq!(history.values("learning_rate"), [0.5, 0.5, 0.5, 0.25, 0.25, 0.125]);
/// # Ok::<(), densely::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ReduceLrOnPlateau {
    monitor: String,
    factor: f64,
    patience: usize,
    mode: Mode,
    min_delta: f64,
    cooldown: usize,
    min_lr: f64,
    best: Best,
    /// Epochs of the cooldown that are left.
    cooling: usize,
    /// Epochs without improvement.
    wait: usize,
}

impl Default for ReduceLrOnPlateau {
    /// Watches `val_loss`.
    fn default() -> Self {
        Self::new("val_loss")
    }
}

impl ReduceLrOnPlateau {
    /// Watches the value of this name, everything else by default.
    pub fn new(monitor: impl Into<String>) -> Self {
        Self {
            monitor: monitor.into(),
            factor: 0.1,
            patience: 10,
            mode: Mode::Auto,
            min_delta: 1e-4,
            cooldown: 0,
            min_lr: 0.0,
            best: Best::default(),
            cooling: 0,
            wait: 0,
        }
    }

    /// What the learning rate is multiplied by; above 0 and below 1. Default: 0.1.
    pub fn factor(self, factor: f64) -> Self {
        Self { factor, ..self }
    }

    /// After how many epochs without improvement the rate gets smaller; 0 is as 1. Default: 10.
    pub fn patience(self, patience: usize) -> Self {
        Self { patience, ..self }
    }

    /// Which way the value gets better. Default: as its name says.
    pub fn mode(self, mode: Mode) -> Self {
        Self { mode, ..self }
    }

    /// By how much a value has to be better to count; its sign does not matter. Default: 0.0001.
    pub fn min_delta(self, min_delta: f64) -> Self {
        Self { min_delta, ..self }
    }

    /// How many epochs pass after a change before epochs without improvement are counted again. Default: 0.
    pub fn cooldown(self, cooldown: usize) -> Self {
        Self { cooldown, ..self }
    }

    /// The smallest rate that it sets; at least 0. Default: 0.
    pub fn min_lr(self, min_lr: f64) -> Self {
        Self { min_lr, ..self }
    }
}

const NAME: &str = "ReduceLrOnPlateau";

#[derive(Serialize, Deserialize)]
#[serde(rename = "ReduceLrOnPlateau", deny_unknown_fields)]
struct Memory {
    best: Option<f64>,
    cooling: usize,
    wait: usize,
}

impl Callback for ReduceLrOnPlateau {
    fn validate(&self, run: &Run) -> Result<(), Error> {
        monitor::validate(NAME, run, &self.monitor, self.mode)?;
        let factor = self.factor > 0.0 && self.factor < 1.0;
        monitor::in_range(NAME, "factor", self.factor, factor, "a number above 0 and below 1")?;
        monitor::finite(NAME, "min_delta", self.min_delta)?;
        let min_lr = self.min_lr >= 0.0 && self.min_lr.is_finite();
        monitor::in_range(NAME, "min_lr", self.min_lr, min_lr, "a finite number of at least 0")
    }

    fn on_train_begin(&mut self, training: &mut Training<'_>) -> Result<(), Error> {
        self.best = Best::new(training.run(), &self.monitor, self.mode, self.min_delta, None);
        (self.cooling, self.wait) = (0, 0);
        // A rate that cannot be set is refused now and not after epochs.
        let rate = training.model().learning_rate();
        training.model_mut().set_learning_rate(rate)
    }

    fn on_epoch_end(&mut self, training: &mut Training<'_>, epoch: &Epoch) -> Result<(), Error> {
        let Some(value) = epoch.value(&self.monitor) else { return Ok(()) };
        if self.cooling > 0 {
            self.cooling -= 1;
            self.wait = 0;
        }
        if self.best.take(value) {
            self.wait = 0;
        } else if self.cooling == 0 {
            self.wait += 1;
            let old = training.model().learning_rate();
            let smallest = self.min_lr.max(f64::from(f32::MIN_POSITIVE));
            if self.wait >= self.patience && old > smallest {
                training.model_mut().set_learning_rate((old * self.factor).max(smallest))?;
                (self.cooling, self.wait) = (self.cooldown, 0);
            }
        }
        Ok(())
    }
    fn state(&mut self) -> Result<Option<CallbackState>, Error> {
        let Self { best: Best { value: best, .. }, cooling, wait, .. } = *self;
        Ok(Some(CallbackState::of(&Memory { best, cooling, wait })))
    }

    fn restore(&mut self, state: CallbackState) -> Result<(), Error> {
        let Memory { best, cooling, wait } = state.read()?;
        (self.best.value, self.cooling, self.wait) = (best, cooling, wait);
        Ok(())
    }
}
