//! How sure a measured result is: of one model, of a way of training over several seeds, and of the difference between two
//! models.
//!
//! - [`wilson_interval`]: of an accuracy, from how many samples it was measured on;
//! - [`over_seeds`] and [`accuracy_over_seeds`]: of a result of training, from runs that differ in their seeds;
//! - [`mcnemar`]: whether two models differ on the same samples.

mod mcnemar;
mod seeds;
mod student;
mod wilson;

pub use mcnemar::{McNemar, McNemarMethod, mcnemar};
pub use seeds::{OverSeeds, accuracy_over_seeds, mean, over_seeds, sample_deviation};
pub use wilson::wilson_interval;
