//! What a training run is in the file system and to the system's signals.

mod folder;
mod interrupt;
mod metrics;

pub(crate) use folder::{FILES, Place, RunFolder};
pub(crate) use interrupt::{Interrupt, STATUS as INTERRUPTED};
pub(crate) use metrics::{Measured, Metrics, steady_speed};
