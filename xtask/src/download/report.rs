//! What a person sees of a download: lines that stay, and bars that come and go.

use std::io::{self, Write};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

/// Shows lines and progress bars; on anything but a terminal the lines only.
pub struct Report {
    bars: MultiProgress,
    say: Box<dyn Fn(&str) + Send + Sync>,
}

impl Report {
    /// Everything goes to standard error.
    pub fn to_stderr() -> Self {
        // A reader that has gone away is no reason to stop a download.
        Self::to(|line| drop(writeln!(io::stderr(), "{line}")))
    }

    /// Lines go to `say`.
    pub fn to(say: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self { bars: MultiProgress::new(), say: Box::new(say) }
    }

    /// A line that stays.
    pub(super) fn line(&self, line: &str) {
        self.bars.suspend(|| (self.say)(line));
    }

    /// A bar for `total` bytes; it vanishes when it is dropped.
    pub(super) fn bytes(&self, what: String, total: u64) -> Bar {
        let style = "{prefix} [{bar:30}] {decimal_bytes} of {decimal_total_bytes}, {decimal_bytes_per_sec}, {eta} left";
        self.add(ProgressBar::new(total), style, what)
    }

    /// The bytes so far of something whose size is not known; it vanishes when it is dropped.
    pub(super) fn growing(&self, what: String) -> Bar {
        let bar = self.add(ProgressBar::no_length(), "{prefix} {spinner} {decimal_bytes}, {elapsed}", what);
        // It shows that something is going on before the first byte comes.
        bar.0.enable_steady_tick(Duration::from_millis(100));
        bar
    }

    fn add(&self, bar: ProgressBar, style: &str, what: String) -> Bar {
        let style = ProgressStyle::with_template(style).expect("the templates above are sound");
        Bar(self.bars.add(bar.with_style(style.progress_chars("=> ")).with_prefix(what)))
    }
}

/// A progress bar that clears its line when it is dropped, however the work ended.
pub(super) struct Bar(ProgressBar);

impl Bar {
    pub(super) fn set(&self, bytes: u64) {
        self.0.set_position(bytes);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
