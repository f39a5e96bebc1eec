//! The standard output of a command.

use crate::error::Error;
use crate::ui::style::{Style, is_dumb};
use std::fmt::Display;
use std::io::{self, IsTerminal, Stdout, Write};
use terminal_size::Width;

/// Lines for the standard output. When its reader has gone away (`densely … | head`) the rest is dropped and the command
/// goes on, so that a training run still keeps its model; any other failure to write is told at the [end](Self::finish).
#[derive(Debug)]
pub(crate) struct Output {
    stream: Stdout,
    style: Style,
    bars: bool,
    failure: Option<io::Error>,
}

impl Output {
    /// The process's standard output.
    pub(crate) fn standard() -> Self {
        let stream = io::stdout();
        let is_terminal = stream.is_terminal();
        // A bar is drawn on the standard error; beside lines that go elsewhere it would only tear them.
        let bars = is_terminal && io::stderr().is_terminal() && !is_dumb();
        Self { style: Style::of(is_terminal), stream, bars, failure: None }
    }

    /// How to mark up text.
    pub(crate) fn style(&self) -> Style {
        self.style
    }

    /// Whether progress bars can be drawn between the lines.
    pub(crate) fn bars(&self) -> bool {
        self.bars
    }

    /// How many columns there are; 80 where nobody knows.
    pub(crate) fn columns(&self) -> usize {
        let size = if self.stream.is_terminal() { terminal_size::terminal_size() } else { None };
        size.map_or(80, |(Width(columns), _)| usize::from(columns)).max(20)
    }

    /// How many columns a line of a table may have: those of the terminal, or any number where there is none.
    pub(crate) fn line_length(&self) -> usize {
        if self.stream.is_terminal() { self.columns() } else { usize::MAX }
    }

    /// Prints a line, or several if the text has several, without blanks at their ends.
    pub(crate) fn line(&mut self, text: impl Display) {
        for line in text.to_string().split('\n') {
            if self.failure.is_none() {
                self.failure = writeln!(self.stream, "{}", line.trim_end_matches(' ')).err();
            }
        }
    }

    /// Prints an empty line.
    pub(crate) fn blank(&mut self) {
        self.line("");
    }

    /// Writes what is left.
    ///
    /// # Errors
    ///
    /// If something could not be written, unless nobody was left to read it.
    pub(crate) fn finish(&mut self) -> Result<(), Error> {
        let failure = self.failure.take().or_else(|| self.stream.flush().err());
        match failure {
            Some(source) if source.kind() != io::ErrorKind::BrokenPipe => Err(Error::Output { source }),
            _ => Ok(()),
        }
    }
}
