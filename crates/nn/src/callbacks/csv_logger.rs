//! A line per epoch in a file that grows while training runs.

use super::Callback;
use super::state::CallbackState;
use super::training::{Run, Training};
use crate::error::Error;
use crate::history::Epoch;
use crate::saving::LogFile;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Writes each epoch's values to a CSV file as soon as they are known: a header `epoch,loss,accuracy,…` and a line per
/// epoch, counted from 1, with as many digits as it takes to read them back exactly.
///
/// What was not measured in an epoch, or is a metric that is not finite, is empty (Keras writes `NA`). A line that cannot be written ends training with an
/// error, so that nothing is missing silently. When a run goes on from a [backup](super::BackupAndRestore), the lines of epochs
/// behind it are removed first, since they come again.
///
/// ```
/// # use densely::{Activation, Compile, Dataset, Dense, Fit, Sequential};
/// use densely::callbacks::CsvLogger;
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("log.csv");
/// # let data = Dataset::from_floats(1, vec![1.0, 2.0, 3.0, 4.0], vec![0, 1, 0, 1], 2)?;
/// # let network = Sequential::new(1).add(Dense::new(2).activation(Activation::Softmax));
/// # let mut model = network.compile::<f32>(Compile::default())?;
///
/// let mut logger = CsvLogger::new(&path).separator(';');
/// model.fit(&data, Fit { epochs: 2, callbacks: vec![&mut logger], ..Fit::default() })?;
/// let text = std::fs::read_to_string(&path)?;
/// assert_eq!(text.lines().next(), Some("epoch;loss;accuracy;learning_rate"));
/// assert_eq!(text.lines().count(), 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct CsvLogger {
    path: PathBuf,
    separator: char,
    append: bool,
    file: Option<LogFile>,
    values: Vec<String>,
}

impl CsvLogger {
    /// Writes to this file, in the place of what was there.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), separator: ',', append: false, file: None, values: Vec::new() }
    }

    /// What stands between two values: a character that no number and no name has. Default: a comma.
    pub fn separator(self, separator: char) -> Self {
        Self { separator, ..self }
    }

    /// Whether lines are put behind those that the file has; its header has to be the same. Default: `false`.
    pub fn append(self, append: bool) -> Self {
        Self { append, ..self }
    }

    /// The numbers or names of a line.
    fn line(&self, first: String, value: impl Fn(&str) -> String) -> String {
        let separator = self.separator;
        self.values.iter().fold(first, |line, name| format!("{line}{separator}{}", value(name)))
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename = "CsvLogger", deny_unknown_fields)]
struct Memory {
    /// Bytes of the file.
    length: u64,
}

impl Callback for CsvLogger {
    fn validate(&self, _: &Run) -> Result<(), Error> {
        let separator = self.separator;
        let in_numbers = separator.is_alphanumeric() || "+-._\"\r\n".contains(separator);
        if in_numbers { Err(Error::Separator { found: separator }) } else { Ok(()) }
    }

    fn on_train_begin(&mut self, training: &mut Training<'_>) -> Result<(), Error> {
        self.values.clone_from(&training.run().values);
        let header = self.line("epoch".to_owned(), str::to_owned);
        let append = self.append || training.run().restored.is_some();
        self.file = Some(LogFile::open(&self.path, &header, append)?);
        Ok(())
    }

    fn on_epoch_end(&mut self, _: &mut Training<'_>, epoch: &Epoch) -> Result<(), Error> {
        let line = self.line(epoch.epoch.to_string(), |name| epoch.cell(name));
        self.file.as_mut().map_or(Ok(()), |file| file.write_line(&line))
    }

    fn on_train_end(&mut self, _: &mut Training<'_>) -> Result<(), Error> {
        self.file = None;
        Ok(())
    }

    fn state(&mut self) -> Result<Option<CallbackState>, Error> {
        let length = self.file.as_ref().map_or(Ok(0), LogFile::sync)?;
        Ok(Some(CallbackState::of(&Memory { length })))
    }

    fn restore(&mut self, state: CallbackState) -> Result<(), Error> {
        let Memory { length } = state.read()?;
        self.file.as_ref().map_or(Ok(()), |file| file.cut(length))
    }
}
