//! Errors on the standard error: one line, whole, with nothing in it that could control the terminal.

use crate::ui::text::printable;
use std::error::Error;
use std::io::Write;
use std::process::ExitCode;

/// Shows why a command failed: the message, then those of its causes that it does not contain already.
pub(crate) fn show_error(error: &dyn Error) {
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        let text = source.to_string();
        if !message.contains(&text) {
            message = format!("{message}: {text}");
        }
        cause = source.source();
    }
    to_standard_error(&format!("densely: error: {}\n", printable(message)));
}

/// Shows what the command line's parser says: help and the version on the standard output, and everything else as an
/// error, with status 2.
pub(crate) fn show_usage(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        // Nothing can be done for a reader who has gone away.
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    if error.kind() == clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        let _ = error.print();
    } else {
        let lines: Vec<String> = error.render().to_string().lines().map(printable).collect();
        to_standard_error(&format!("densely: {}\n", lines.join("\n")));
    }
    ExitCode::from(2)
}

fn to_standard_error(text: &str) {
    // There is no other place to say that this failed.
    let _ = std::io::stderr().write_all(text.as_bytes());
}
