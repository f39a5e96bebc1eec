//! Colours, sparingly: bold for what to look at, faint for what to look past.

use std::env;
use std::fmt::Display;

/// Whether text is marked up with escape sequences, or left plain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// No control characters at all.
    Plain,
    /// ANSI escape sequences.
    Ansi,
}

impl Style {
    /// The style for a stream that is a terminal or not: plain in pipes, on terminals that understand nothing
    /// (`TERM=dumb`), and where `NO_COLOR` is set to anything (see no-color.org).
    pub(crate) fn of(is_terminal: bool) -> Self {
        let no_color = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self::choose(is_terminal, is_dumb(), no_color)
    }

    fn choose(is_terminal: bool, is_dumb: bool, no_color: bool) -> Self {
        if is_terminal && !is_dumb && !no_color { Self::Ansi } else { Self::Plain }
    }

    pub(crate) fn bold(self, text: impl Display) -> String {
        self.marked("1", text)
    }

    pub(crate) fn faint(self, text: impl Display) -> String {
        self.marked("2", text)
    }

    fn marked(self, code: &str, text: impl Display) -> String {
        match self {
            Self::Plain => text.to_string(),
            Self::Ansi => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
        }
    }
}

/// Whether the terminal says that it cannot move its cursor.
pub(crate) fn is_dumb() -> bool {
    env::var_os("TERM").is_some_and(|terminal| terminal == "dumb")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_are_for_willing_terminals_only() {
        assert_eq!(Style::choose(true, false, false), Style::Ansi);
        for (is_terminal, is_dumb, no_color) in
            [(false, false, false), (true, true, false), (true, false, true)]
        {
            assert_eq!(Style::choose(is_terminal, is_dumb, no_color), Style::Plain);
        }
        assert_eq!(Style::Plain.bold(7), "7");
        assert_eq!(Style::Ansi.bold(7), "\u{1b}[1m7\u{1b}[0m");
    }
}
