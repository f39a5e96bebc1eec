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

/// A peer that cannot be measured.
pub(super) struct Missing {
    pub(super) name: &'static str,
    pub(super) why: String,
}

impl Missing {
    pub(super) fn new(name: &'static str, why: impl Into<String>) -> Self {
        Self { name, why: why.into() }
    }
}

/// What the search in `docs/benchmarks.md` found best for networks with Glorot's initial weights,
const OF_GLOROT: Schedule = Schedule { batch_size: 256, learning_rate: 0.006, warm_up: Some(0.3), epochs: 2 };

/// and for those with PyTorch's, which are smaller and need more steps.
const OF_PYTORCH: Schedule =
    Schedule { batch_size: 128, learning_rate: 0.006, warm_up: Some(0.15), epochs: 2 };

impl Contender {
    pub(super) fn new(name: impl Into<String>, program: impl Into<PathBuf>) -> Self {
        Self {
            name: name.into(),
            program: program.into(),
            arguments: Vec::new(),
            more_arguments: Vec::new(),
            slow: false,
            schedule: OF_GLOROT,
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

    /// With initial weights like PyTorch's.
    pub(super) fn with_smaller_weights(mut self) -> Self {
        self.schedule = OF_PYTORCH;
        self
    }

    pub(super) fn is_ours(&self) -> bool {
        self.name == OURS
    }
}
