//! A program that is measured: densely, or a peer.

use std::ffi::OsString;
use std::path::PathBuf;

use super::task::Schedule;

/// Our name.
pub(super) const OURS: &str = "densely";

/// How to run a program, and what to ask it.
pub(super) struct Contender {
    /// With its version and form, as tables have it.
    pub(super) name: String,
    pub(super) program: PathBuf,
    /// Before the task.
    pub(super) arguments: Vec<OsString>,
    /// Behind the task.
    pub(super) more_arguments: Vec<OsString>,
    /// Whether it takes minutes for what takes others seconds: then it trains on fewer images where only the rate counts, and with
    /// one seed where all images count.
    pub(super) slow: bool,
    /// The way that takes it to 98.0 % of the test images first.
    pub(super) schedule: Schedule,
}

/// What the search in `docs/benchmarks.md` found best for all of them.
const TWO_EPOCHS: Schedule =
    Schedule { batch_size: 256, learning_rate: 0.006, warm_up: Some(0.3), epochs: 2 };

impl Contender {
    pub(super) fn new(name: impl Into<String>, program: impl Into<PathBuf>) -> Self {
        Self {
            name: name.into(),
            program: program.into(),
            arguments: Vec::new(),
            more_arguments: Vec::new(),
            slow: false,
            schedule: TWO_EPOCHS,
        }
    }

    pub(super) fn arguments<S: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = S>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    pub(super) fn more_arguments<S: Into<OsString>>(
        mut self,
        arguments: impl IntoIterator<Item = S>,
    ) -> Self {
        self.more_arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    pub(super) fn is_ours(&self) -> bool {
        self.name == OURS
    }
}
