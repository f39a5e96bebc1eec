//! What can be wrong with a backup.

/// What can be wrong with a backup of training, or with what is to go on from it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// A run that is not the one that was backed up.
    #[error(
        "{what}: the run that was backed up has {expected}, this one {found}; fit as before to go on with it, or empty the \
         folder to begin anew"
    )]
    Differs {
        /// What differs.
        what: &'static str,
        /// How it is in this run.
        found: String,
        /// How it is in the backup.
        expected: String,
    },
    /// A run that is to end before the place that it has reached already.
    #[error(
        "epochs is {epochs}, but the run that was backed up has reached epoch {reached}, expected at least as many"
    )]
    Reached {
        /// The last epoch that was asked for.
        epochs: usize,
        /// The epoch in the backup, from 1.
        reached: usize,
    },
    /// A place that the run cannot have.
    #[error("{what} is {found}, expected at most {limit}")]
    Place {
        /// What is out of place.
        what: &'static str,
        /// Where it is.
        found: u64,
        /// Where it can be.
        limit: u64,
    },
    /// A callback that cannot take up what is in the backup.
    #[error("callback {position}: {}", with_causes(problem))]
    Callback {
        /// Which one of [`Fit::callbacks`](crate::Fit::callbacks), counted from 1.
        position: usize,
        /// Why.
        problem: Box<crate::Error>,
    },
    /// A callback with a [`state`](crate::Callback::state) and without a [`restore`](crate::Callback::restore).
    #[error("it keeps a state, but does not take it up again")]
    State,
    /// A metric whose numbers cannot be kept within an epoch.
    #[error(
        "the metric {metric} cannot be backed up within an epoch; expected a MetricState with numbers and restore, or \
         a backup after each epoch"
    )]
    Metric {
        /// Its name.
        metric: String,
    },
    /// Numbers that a metric does not understand.
    #[error("the numbers of the metric {metric} are not such as it keeps")]
    MetricNumbers {
        /// Its name.
        metric: String,
    },
    /// A log that is shorter than it was.
    #[error("the log has {found} bytes, but had {expected} when the run was backed up")]
    LogLength {
        /// How long it is.
        found: u64,
        /// How long it has to be at least.
        expected: u64,
    },
}

/// A message and those of its causes, for an error that has it as its own.
fn with_causes(error: &crate::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    text
}
