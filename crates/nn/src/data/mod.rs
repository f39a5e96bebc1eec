//! Data on its way to a network: [`Dataset`] holds features and labels, splits them, and gathers batches.

mod dataset;
mod gather;
#[cfg(feature = "idx")]
mod idx;
mod split;

pub use dataset::{Dataset, MAX_CLASSES};
pub use split::{HeldOut, ValidationSplit};
