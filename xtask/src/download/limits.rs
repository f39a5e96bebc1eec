//! How long a download waits, and for what.

use std::time::Duration;

/// The time limits of a download. The defaults end one that reaches no source within 10 s.
#[derive(Clone, Debug)]
pub struct Limits {
    /// For a mirror's first sign of life; all mirrors are asked at once. 4 s.
    pub answer: Duration,
    /// For a connection to a mirror that has answered before. 5 s.
    pub connect: Duration,
    /// Without a byte, from a mirror or into a package client's folder. 30 s.
    pub stall: Duration,
    /// For one file of a mirror, or one run of a package client, as a whole: a trickle of bytes ends too. 20 min.
    pub whole: Duration,
    /// From the start of the download until the package clients have shown a first byte. 9 s.
    pub packages_start: Duration,
    /// What the package clients get of that at least, however long the mirrors took. 5 s, which with `answer` makes 9 s.
    pub packages_start_least: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            answer: Duration::from_secs(4),
            connect: Duration::from_secs(5),
            stall: Duration::from_secs(30),
            whole: Duration::from_secs(20 * 60),
            packages_start: Duration::from_secs(9),
            packages_start_least: Duration::from_secs(5),
        }
    }
}

/// The time limits of one package client.
pub(super) struct ClientLimits {
    /// Until its first byte.
    pub(super) start: Duration,
    /// Without a byte after that.
    pub(super) stall: Duration,
    /// As a whole.
    pub(super) whole: Duration,
}

impl Limits {
    /// What one of `packages` clients gets when the download has run for `elapsed`.
    pub(super) fn for_package(&self, elapsed: Duration, packages: usize) -> ClientLimits {
        let start = self.packages_start.saturating_sub(elapsed).max(self.packages_start_least);
        let share = u32::try_from(packages.max(1)).unwrap_or(u32::MAX);
        ClientLimits { start: start / share, stall: self.stall, whole: self.whole }
    }
}
