//! Files that are whole or absent: a trained model is one safetensors file with its description inside, a checkpoint of a
//! run another, and every file takes its name only when its bytes are on the disk.

mod atomic;
mod checkpoint;
mod envelope;
mod log;
mod model;

pub use atomic::write_atomically;
pub(crate) use checkpoint::{
    Checkpoint, CheckpointFolder, OptimizerCounters, Place, SavedRun, SavedSums, Settings,
    checkpoint_to_bytes,
};
pub(crate) use envelope::Numbers;
pub(crate) use log::{LogFile, create_folder_of};
pub use model::{
    FORMAT, Provenance, SavedDescription, from_bytes, from_bytes_with, read_model, to_bytes, write_model,
};
