//! Backups of training: a run that was interrupted, at whatever moment, ends as if it had not been.

mod files;
#[cfg(target_os = "linux")]
mod kill;
mod runs;
mod settings;

use densely::callbacks::{BackupAndRestore, SaveFreq};
use densely::layers::BatchNormalization;
use densely::{
    Activation, Callback, Compile, Dataset, Dense, Dropout, Error, Fit, History, Metric, Model, Optimizer,
    Progress, Scalar, Sequential, Training,
};
use std::path::Path;

/// `n` samples of three features in two classes.
fn data(n: u32) -> Dataset {
    let values = (0..3 * n).map(|i| (1.7 * f64::from(i) + 0.3).sin()).collect();
    Dataset::from_floats(3, values, (0..n).map(|i| (i * i % 3 / 2) ^ (i % 2)).collect(), 2)
        .expect("valid data")
}

/// With everything in it that a run could lose: masks, moving statistics, metrics that are not sums.
fn model<T: Scalar>(optimizer: impl Into<Optimizer>) -> Model<T> {
    let metrics = vec![Metric::Auc { curve: Default::default() }, Metric::CohenKappa {}];
    Sequential::new(3)
        .add(Dense::new(6).activation(Activation::Relu))
        .add(BatchNormalization::default())
        .add(Dropout::new(0.3))
        .add(Dense::new(2).activation(Activation::Softmax))
        .compile(Compile { optimizer: optimizer.into(), metrics, seed: 5, ..Compile::default() })
        .expect("a valid network")
}

/// An event at which a run ends with an error.
#[derive(Clone, Copy, Debug, PartialEq)]
enum At {
    EpochBegin(usize),
    /// Before and after a batch of an epoch.
    BatchBegin(usize, usize),
    BatchEnd(usize, usize),
    EpochEnd(usize),
    TrainEnd,
}

/// Ends a run at an event, as a power failure would.
struct Crash {
    at: At,
    epoch: usize,
}

impl Crash {
    fn new(at: At) -> Self {
        Self { at, epoch: 0 }
    }

    fn happens(&self, event: At) -> Result<(), Error> {
        if event == self.at { Err(Error::NoSamples) } else { Ok(()) }
    }
}

impl Callback for Crash {
    fn on_train_begin(&mut self, training: &mut Training<'_>) -> Result<(), Error> {
        self.epoch = training.run().initial_epoch + 1;
        Ok(())
    }
    fn on_epoch_begin(&mut self, _: &mut Training<'_>, epoch: usize) -> Result<(), Error> {
        self.epoch = epoch;
        self.happens(At::EpochBegin(epoch))
    }
    fn on_train_batch_begin(&mut self, _: &mut Training<'_>, batch: usize) -> Result<(), Error> {
        self.happens(At::BatchBegin(self.epoch, batch))
    }
    fn on_train_batch_end(&mut self, _: &mut Training<'_>, progress: &Progress) -> Result<(), Error> {
        self.happens(At::BatchEnd(progress.epoch, progress.batch))
    }
    fn on_epoch_end(&mut self, _: &mut Training<'_>, epoch: &densely::Epoch) -> Result<(), Error> {
        self.happens(At::EpochEnd(epoch.epoch))
    }
    fn on_train_end(&mut self, _: &mut Training<'_>) -> Result<(), Error> {
        self.happens(At::TrainEnd)
    }
}

/// A history's figures without its times, where what is not a number is equal to itself.
fn figures(history: &History) -> String {
    let mut history = History { restored: None, ..history.clone() };
    for epoch in &mut history.epochs {
        (epoch.seconds, epoch.images_per_second) = (0.0, 0.0);
    }
    format!("{history:?}")
}

fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

const NEWEST: &str = "checkpoint.safetensors";
const PREVIOUS: &str = "checkpoint-previous.safetensors";

/// Three epochs of four batches.
fn fit<'a>(folder: &Path) -> Fit<'a> {
    let backup = BackupAndRestore::new(folder).save_freq(SaveFreq::Batches(1)).delete_checkpoint(false);
    Fit { epochs: 3, batch_size: 10, backup: Some(backup), ..Fit::default() }
}

/// Leaves the backup of a run that was interrupted after a batch.
fn interrupted(folder: &Path, at: At) {
    let mut crash = Crash::new(at);
    let error = model::<f32>(Optimizer::default())
        .fit(&data(40), Fit { callbacks: vec![&mut crash], ..fit(folder) })
        .expect_err("it was interrupted");
    assert!(matches!(error, Error::NoSamples), "{error}");
}
