//! How a run is backed up, so that one that was killed goes on.

use super::model_checkpoint::SaveFreq;
use crate::error::Error;
use std::path::{Path, PathBuf};

/// Backs up training while it runs, so that a program that was killed, at whatever moment, goes on when it is started again:
/// [`Fit::backup`](crate::Fit::backup). The end is the same, bit for bit, as without the interruption: parameters, what the
/// optimizer remembers, the [`History`](crate::History) but for its seconds, and what callbacks do.
///
/// ```
/// # use densely::{Activation, Adam, Compile, Dataset, Dense, Error, Fit, Sequential};
/// use densely::callbacks::BackupAndRestore;
/// # let folder = tempfile::tempdir()?;
/// # let folder = folder.path().join("backup");
/// # let data = Dataset::from_floats(1, vec![1.0, 2.0, 3.0, 4.0], vec![0, 1, 0, 1], 2)?;
/// # let network = Sequential::new(1).add(Dense::new(2).activation(Activation::Softmax));
/// # struct PowerFailure;
/// # impl densely::Callback for PowerFailure {
/// #     fn on_epoch_begin(&mut self, _: &mut densely::Training<'_>, epoch: usize) -> Result<(), Error> {
/// #         if epoch == 4 { Err(Error::NoSamples) } else { Ok(()) }
/// #     }
/// # }
///
/// let compile = || network.compile::<f32>(Compile { optimizer: Adam::new(0.1).into(), ..Compile::default() });
/// let fit = || Fit { epochs: 6, backup: Some(BackupAndRestore::new(&folder)), ..Fit::default() };
///
/// // A program that does not come beyond the third epoch.
/// assert!(compile()?.fit(&data, Fit { callbacks: vec![&mut PowerFailure], ..fit() }).is_err());
///
/// // The same program, started again.
/// let mut model = compile()?;
/// let history = model.fit(&data, fit())?;
/// assert_eq!(history.restored.expect("it went on").epoch, 3);
/// assert_eq!(history.epochs.len(), 6);
///
/// let mut undisturbed = compile()?;
/// undisturbed.fit(&data, Fit { epochs: 6, ..Fit::default() })?;
/// assert_eq!(model.fingerprint(), undisturbed.fingerprint());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// In Keras this is a callback. Here it is a setting of `fit`, because it keeps and gives back what no callback can see: the
/// state of all callbacks and of the optimizer, the history, and the sums of an epoch that is half over.
///
/// The first backup is written before the first batch, so that a folder which cannot be written is known at once, and the
/// others as [`save_freq`](Self::save_freq) says and whenever a callback [asks for one](crate::Training::back_up). If the
/// folder holds a backup when `fit` is called, training goes on behind it: callbacks hear of
/// [`on_train_begin`](crate::Callback::on_train_begin), are given their [state](crate::Callback::restore), and then hear of
/// the very events that come behind the backup. [`Run::restored`](super::Run::restored) and
/// [`History::restored`](crate::History::restored) say where. An epoch during which a callback stops training is not backed up
/// unless it asks for that too, so that the run that goes on stops by itself.
///
/// Program, data and settings have to be the same, from the model on with which `fit` is called: compile it anew, not from
/// what an interrupted run left in memory. What differs is named, and the backup stays: [`BackupError::Differs`]. Only
/// [`epochs`](crate::Fit::epochs) may be others, but not fewer than there were; of callbacks those
/// that remember something have to be the same in the same order, but their settings are not compared; threads make no difference. Each `fit` of a program needs a folder of its own.
///
/// A program that is started while the one before it still runs would take its backups; nothing here keeps it from that.
///
/// The folder holds one file, `checkpoint.safetensors`, as large as the model with what its optimizer remembers, and within
/// an epoch once more the parameters; it is never there half-written. The bytes of a backup are put together in
/// memory before they are written.
///
/// Where this is not Keras: all of the above is kept (Keras keeps weights, the optimizer's variables and the epoch: the shuffles of a run
/// that goes on are others, callbacks begin anew, and the history has only the new epochs), and nothing is restored for another
/// run. Batches are exact: a run goes on within an epoch, which Keras begins again. `save_freq=False` and
/// `save_before_preemption` are not here: `kill` may come without a warning.
///
/// [`BackupError::Differs`]: crate::BackupError::Differs
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupAndRestore {
    pub(crate) backup_dir: PathBuf,
    pub(crate) save_freq: SaveFreq,
    pub(crate) double_checkpoint: bool,
    pub(crate) delete_checkpoint: bool,
}

impl BackupAndRestore {
    /// Keeps its files in this folder, which is made if it is not there and is for nothing else.
    pub fn new(backup_dir: impl AsRef<Path>) -> Self {
        Self {
            backup_dir: backup_dir.as_ref().to_owned(),
            save_freq: SaveFreq::Epoch,
            double_checkpoint: false,
            delete_checkpoint: true,
        }
    }

    /// How often. Within an epoch all of the model's metrics have to be ones that can be
    /// [backed up](crate::metrics::MetricState::numbers), as those of [`Metric`](crate::Metric) can. Default: after each epoch.
    pub fn save_freq(self, save_freq: SaveFreq) -> Self {
        Self { save_freq, ..self }
    }

    /// Whether the backup before the newest is kept, as `checkpoint-previous.safetensors`. A run goes on from it if the newest
    /// is damaged, and [says so](crate::history::Restored::damaged); without it a damaged backup is an error. Default: `false`.
    pub fn double_checkpoint(self, double_checkpoint: bool) -> Self {
        Self { double_checkpoint, ..self }
    }

    /// Whether the backup is removed when training has ended without an error, and with it the folder if nothing else is in
    /// it. One that stays can be gone on from with more epochs. Default: `true`.
    pub fn delete_checkpoint(self, delete_checkpoint: bool) -> Self {
        Self { delete_checkpoint, ..self }
    }

    pub(crate) fn validate(&self) -> Result<(), Error> {
        match self.save_freq {
            SaveFreq::Batches(found @ 0) => {
                Err(Error::FitSetting { setting: "save_freq", found, expected: "at least 1" })
            }
            _ => Ok(()),
        }
    }
}
