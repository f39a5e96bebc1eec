//! Ctrl-C: the first stops training after the current batch, the second ends the process, unless the run is being written
//! to its folder by then.

use super::folder::RunFolder;
use crate::error::Error;
use densely::{Callback, Progress, Training};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// The status of a process that was stopped by Ctrl-C, as shells count it: 128 and the signal's number.
pub(crate) const STATUS: u8 = 130;

/// Whether somebody wants training to stop.
#[derive(Clone, Debug)]
pub(crate) struct Interrupt {
    requested: Arc<AtomicBool>,
    /// Whether files are being written. Held locked while the process ends, so that nobody begins to write then.
    keeping: Arc<Mutex<bool>>,
}

impl Interrupt {
    /// Listens from now on. If the process is to end at once, `folder` is released first if it is still there.
    pub(crate) fn listen(folder: Weak<RunFolder>) -> Result<Self, Error> {
        let requested = Arc::new(AtomicBool::new(false));
        let keeping = Arc::new(Mutex::new(false));
        let listener = Self { requested, keeping };
        let interrupt = listener.clone();
        ctrlc::set_handler(move || {
            if !listener.requested.swap(true, Ordering::Relaxed) {
                return;
            }
            let keeping = listener.keeping.lock().unwrap_or_else(PoisonError::into_inner);
            if !*keeping {
                if let Some(folder) = folder.upgrade() {
                    folder.release();
                }
                std::process::exit(STATUS.into());
            }
        })
        .map_err(|source| Error::Signals { source })?;
        Ok(interrupt)
    }

    /// From now on a second Ctrl-C changes nothing: writing takes a moment, and half a run would be worse.
    pub(crate) fn keep(&self) {
        *self.keeping.lock().unwrap_or_else(PoisonError::into_inner) = true;
    }

    pub(crate) fn requested(&self) -> bool {
        self.requested.load(Ordering::Relaxed)
    }
}

impl Callback for Interrupt {
    fn on_train_batch_end(
        &mut self,
        training: &mut Training<'_>,
        _progress: &Progress,
    ) -> Result<(), densely::Error> {
        if self.requested() {
            training.stop("interrupted");
        }
        Ok(())
    }
}
