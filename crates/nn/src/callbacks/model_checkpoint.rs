//! Saving the model while it is trained.

use super::monitor::{self, Best, Mode};
use super::path_template::PathTemplate;
use super::state::CallbackState;
use super::training::{Run, Training};
use super::{Callback, Progress};
use crate::error::Error;
use crate::history::Epoch;
use crate::saving::create_folder_of;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// How often a [`ModelCheckpoint`] or a [`BackupAndRestore`](super::BackupAndRestore) saves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SaveFreq {
    /// After each epoch and its validation.
    #[default]
    Epoch,
    /// After every so many batches, counted across epochs; at least 1. The values of a [`ModelCheckpoint`] are then the epoch's
    /// running means, so there are none of the validation.
    Batches(usize),
}

/// Saves the whole model after each epoch, or after each that was better than all before.
///
/// The path may have placeholders, as in Keras: `{epoch}`, `{epoch:02}`, `{batch}`, and every value by its name, such as
/// `{val_loss:.3}`; a value that was not measured in an epoch is written `none`. Epochs are counted from 1. Missing folders
/// are made. A file is replaced only when the new one is whole on the disk.
///
/// With `save_best_only`, an epoch in which the value was not measured is not saved (Keras saves it). Keras's
/// `save_weights_only` is not here: a model's file is its weights with a page of text.
///
/// ```
/// # use densely::{Activation, Compile, Dataset, Dense, Fit, Model, Pool, Sequential};
/// use densely::callbacks::ModelCheckpoint;
/// # let folder = tempfile::tempdir()?;
/// # let data = Dataset::from_floats(1, vec![1.0, 2.0, 3.0, 4.0], vec![0, 1, 0, 1], 2)?;
/// # let network = Sequential::new(1).add(Dense::new(2).activation(Activation::Softmax));
/// # let mut model = network.compile::<f32>(Compile::default())?;
///
/// let mut checkpoint = ModelCheckpoint::new(folder.path().join("model-{epoch:02}-{loss:.3}.safetensors"));
/// model.fit(&data, Fit { epochs: 2, callbacks: vec![&mut checkpoint], ..Fit::default() })?;
/// let last = checkpoint.last_saved().expect("two were saved");
/// assert!(last.display().to_string().contains("model-02-0."));
/// assert_eq!(Model::<f32>::load(last, Pool::default())?.fingerprint(), model.fingerprint());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct ModelCheckpoint {
    path: PathBuf,
    monitor: String,
    mode: Mode,
    save_best_only: bool,
    save_freq: SaveFreq,
    initial_value_threshold: Option<f64>,
    template: Option<PathTemplate>,
    best: Best,
    epoch: usize,
    batches: usize,
    last_saved: Option<PathBuf>,
}

impl ModelCheckpoint {
    /// Saves to this path after every epoch.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            monitor: "val_loss".to_owned(),
            mode: Mode::Auto,
            save_best_only: false,
            save_freq: SaveFreq::Epoch,
            initial_value_threshold: None,
            template: None,
            best: Best::default(),
            epoch: 0,
            batches: 0,
            last_saved: None,
        }
    }

    /// The value that decides which model is better; without [`save_best_only`](Self::save_best_only) it is not looked at.
    /// Default: `val_loss`.
    pub fn monitor(self, monitor: impl Into<String>) -> Self {
        Self { monitor: monitor.into(), ..self }
    }

    /// Which way the value gets better. Default: as its name says.
    pub fn mode(self, mode: Mode) -> Self {
        Self { mode, ..self }
    }

    /// Whether only models are saved that are better than all before. Default: `false`.
    pub fn save_best_only(self, save_best_only: bool) -> Self {
        Self { save_best_only, ..self }
    }

    /// How often. Default: after each epoch.
    pub fn save_freq(self, save_freq: SaveFreq) -> Self {
        Self { save_freq, ..self }
    }

    /// What the value of the first model that is saved has to be better than. Default: nothing.
    pub fn initial_value_threshold(self, initial_value_threshold: f64) -> Self {
        Self { initial_value_threshold: Some(initial_value_threshold), ..self }
    }

    /// The file that was written last, if any was.
    pub fn last_saved(&self) -> Option<&Path> {
        self.last_saved.as_deref()
    }

    fn parse(&self) -> Result<PathTemplate, Error> {
        let Some(text) = self.path.to_str() else {
            return Err(Error::PathTemplate {
                template: self.path.display().to_string(),
                problem: "expected a path in Unicode",
            });
        };
        PathTemplate::parse(text)
    }

    fn save(
        &mut self,
        training: &Training<'_>,
        batch: usize,
        value: impl Fn(&str) -> Option<f64>,
    ) -> Result<(), Error> {
        let Some(template) = &self.template else { return Ok(()) };
        if self.save_best_only && !value(&self.monitor).is_some_and(|value| self.best.take(value)) {
            return Ok(());
        }
        let path = PathBuf::from(template.fill(self.epoch, batch, value));
        create_folder_of(&path)?;
        training.model().save(&path)?;
        self.last_saved = Some(path);
        Ok(())
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename = "ModelCheckpoint", deny_unknown_fields)]
struct Memory {
    best: Option<f64>,
    epoch: usize,
    batches: usize,
    last_saved: Option<PathBuf>,
}

impl Callback for ModelCheckpoint {
    fn validate(&self, run: &Run) -> Result<(), Error> {
        let mut run = run.clone();
        if let SaveFreq::Batches(batches) = self.save_freq {
            let expected = "at least 1";
            monitor::in_range("ModelCheckpoint", "save_freq", batches as f64, batches > 0, expected)?;
            run.values.retain(|name| ["loss", "accuracy"].contains(&name.as_str()));
        }
        if self.save_best_only {
            monitor::validate("ModelCheckpoint", &run, &self.monitor, self.mode)?;
        }
        if let Some(threshold) = self.initial_value_threshold {
            monitor::finite("ModelCheckpoint", "initial_value_threshold", threshold)?;
        }
        self.parse()?.validate("ModelCheckpoint", &run)
    }

    fn on_train_begin(&mut self, training: &mut Training<'_>) -> Result<(), Error> {
        self.template = Some(self.parse()?);
        self.best = Best::new(training.run(), &self.monitor, self.mode, 0.0, self.initial_value_threshold);
        (self.batches, self.last_saved) = (0, None);
        Ok(())
    }

    fn on_epoch_begin(&mut self, _: &mut Training<'_>, epoch: usize) -> Result<(), Error> {
        self.epoch = epoch;
        Ok(())
    }

    fn on_train_batch_end(&mut self, training: &mut Training<'_>, progress: &Progress) -> Result<(), Error> {
        let SaveFreq::Batches(batches) = self.save_freq else { return Ok(()) };
        self.batches += 1;
        if self.batches < batches {
            return Ok(());
        }
        self.batches = 0;
        self.save(training, progress.batch, |name| progress.value(name))
    }

    fn on_epoch_end(&mut self, training: &mut Training<'_>, epoch: &Epoch) -> Result<(), Error> {
        match self.save_freq {
            SaveFreq::Epoch => self.save(training, training.run().steps, |name| epoch.value(name)),
            SaveFreq::Batches(_) => Ok(()),
        }
    }
    fn state(&mut self) -> Result<Option<CallbackState>, Error> {
        let Self { best: Best { value: best, .. }, epoch, batches, .. } = *self;
        let last_saved = self.last_saved.clone(); // Unicode, as the template is
        Ok(Some(CallbackState::of(&Memory { best, epoch, batches, last_saved })))
    }

    fn restore(&mut self, state: CallbackState) -> Result<(), Error> {
        let Memory { best, epoch, batches, last_saved } = state.read()?;
        (self.best.value, self.epoch, self.batches, self.last_saved) = (best, epoch, batches, last_saved);
        Ok(())
    }
}
