//! Records of a CSV file, one at a time, in bounded memory.

use super::error::{Cell, DataError};
use super::read::{in_file, is_in_range, open, unreadable};
use crate::error::Error;
use csv_core::{ReadRecordResult, Reader, ReaderBuilder};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

/// The longest record that is read, 16 MiB: a picture of 2048 × 2048 takes as much.
const MAX_RECORD: usize = 16 << 20;

/// U+FEFF in UTF-8, which some programs begin a file with.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads records as RFC 4180 has them: cells in quotes may hold delimiters, ends of lines, and doubled quotes. Empty
/// lines are passed over.
pub(super) struct Records {
    path: PathBuf,
    input: BufReader<File>,
    parser: Reader,
    /// The cells of the record, one after the other, and where each ends.
    bytes: Vec<u8>,
    ends: Vec<usize>,
    cells: usize,
    /// The line that the record began on.
    line: u64,
    scanner: Scanner,
}

/// What may stand around a cell's text and is no part of it; ends of lines only between quotes.
const BLANKS: [char; 4] = [' ', '\t', '\r', '\n'];

/// Follows the bytes beside the parser: counts lines from 1, which end with `\n`, `\r\n` or `\r`, and looks after quotes: the parser takes them as text wherever
/// they do not open or close a cell.
struct Scanner {
    /// The line that is read next.
    next: u64,
    after_return: bool,
    delimiter: u8,
    /// Where in a cell the next byte stands, and in which column from 1.
    place: InCell,
    column: usize,
    /// The first quote that stands where it must not.
    misplaced: Option<DataError>,
}

/// Where in a cell a byte can stand.
#[derive(Clone, Copy)]
enum InCell {
    Start,
    /// Behind blanks at the start.
    Blanks,
    /// In text that no quote opened.
    Text,
    Quoted,
    /// Behind a quote that closes the cell, or is the first of two.
    Closed,
    /// Behind a closing quote and blanks.
    ClosedBlanks,
}

impl Scanner {
    fn new(delimiter: u8) -> Self {
        Self { next: 1, after_return: false, delimiter, place: InCell::Start, column: 1, misplaced: None }
    }

    fn pass(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.place = self.next_place(byte);
            self.next += u64::from(byte == b'\r' || byte == b'\n' && !self.after_return);
            self.after_return = byte == b'\r';
        }
    }

    fn next_place(&mut self, byte: u8) -> InCell {
        match (self.place, byte) {
            (InCell::Quoted, b'"') => InCell::Closed,
            (InCell::Quoted, _) | (InCell::Start | InCell::Closed, b'"') => InCell::Quoted,
            (_, b'\r' | b'\n') => {
                self.column = 1;
                InCell::Start
            }
            (_, delimiter) if delimiter == self.delimiter => {
                self.column += 1;
                InCell::Start
            }
            (InCell::Start | InCell::Blanks, b' ' | b'\t') => InCell::Blanks,
            (InCell::Closed | InCell::ClosedBlanks, b' ' | b'\t') => InCell::ClosedBlanks,
            (InCell::Blanks, b'"') => self.misplace(|cell| DataError::BlankBeforeQuote { cell }),
            (InCell::Closed | InCell::ClosedBlanks, _) => {
                self.misplace(|cell| DataError::TextBehindQuote { cell })
            }
            (InCell::Start | InCell::Blanks | InCell::Text, _) => InCell::Text,
        }
    }

    fn misplace(&mut self, error: impl FnOnce(Cell) -> DataError) -> InCell {
        let cell = Cell { line: self.next, column: self.column, name: String::new() };
        self.misplaced.get_or_insert_with(|| error(cell));
        InCell::Text
    }
}

impl Records {
    pub(super) fn open(path: &Path, delimiter: u8) -> Result<Self, Error> {
        let (file, _) = open(path)?;
        let mut input = BufReader::with_capacity(1 << 16, file);
        let start = input.fill_buf().map_err(|source| unreadable(path, source))?;
        if start.starts_with(BYTE_ORDER_MARK) {
            input.consume(BYTE_ORDER_MARK.len());
        }
        Ok(Self {
            path: path.to_owned(),
            input,
            parser: ReaderBuilder::new().delimiter(delimiter).build(),
            bytes: vec![0; 1 << 12],
            ends: vec![0; 1 << 8],
            cells: 0,
            line: 1,
            scanner: Scanner::new(delimiter),
        })
    }

    /// Reads the next record. `false` if there is none left.
    pub(super) fn advance(&mut self) -> Result<bool, Error> {
        self.skip_empty_lines()?;
        self.line = self.scanner.next;
        let (mut filled, mut cells, mut begun) = (0, 0, false);
        loop {
            let input = self.input.fill_buf().map_err(|source| unreadable(&self.path, source))?;
            // The last line may end with the file; only between quotes the end of a line does not end the record.
            let at_end = input.is_empty() && begun;
            let input = if at_end { b"\n" } else { input };
            let (result, taken, written, ended) =
                self.parser.read_record(input, &mut self.bytes[filled..], &mut self.ends[cells..]);
            if !at_end {
                self.scanner.pass(&input[..taken]);
                self.input.consume(taken);
            }
            begun |= taken > 0;
            (filled, cells) = (filled + written, cells + ended);
            let full = |len| len >= MAX_RECORD;
            match result {
                ReadRecordResult::InputEmpty if at_end => {
                    return Err(self.error(DataError::QuoteNotClosed { line: self.line }));
                }
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull if full(self.bytes.len()) => return Err(self.too_long()),
                ReadRecordResult::OutputEndsFull if full(self.ends.len()) => return Err(self.too_long()),
                ReadRecordResult::OutputFull => self.bytes.resize(2 * self.bytes.len(), 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(2 * self.ends.len(), 0),
                ReadRecordResult::Record => {
                    self.cells = cells;
                    return self.scanner.misplaced.take().map_or(Ok(true), |error| Err(self.error(error)));
                }
                ReadRecordResult::End => return Ok(false),
            }
        }
    }

    /// How many cells the record has.
    pub(super) fn len(&self) -> usize {
        self.cells
    }

    /// The line that the record began on, from 1.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// A cell without the blanks around it, counted from 0; `None` if it is no UTF-8.
    pub(super) fn cell(&self, column: usize) -> Option<&str> {
        let start = if column == 0 { 0 } else { self.ends[column - 1] };
        let text = std::str::from_utf8(&self.bytes[start..self.ends[column]]).ok()?;
        Some(text.trim_matches(BLANKS))
    }

    /// A cell's text, which must not be empty.
    pub(super) fn text(&self, column: usize, name: &str, expected: &'static str) -> Result<&str, Error> {
        match self.cell(column) {
            Some("") => Err(self.error(DataError::EmptyCell { cell: self.place(column, name), expected })),
            Some(text) => Ok(text),
            None => Err(self.error(DataError::NotText { cell: self.place(column, name) })),
        }
    }

    /// A cell's number, which a network in single precision can take.
    pub(super) fn number(&self, column: usize, name: &str) -> Result<f64, Error> {
        let text = self.text(column, name, "a number")?;
        match text.parse() {
            Ok(number) if is_in_range(number) => Ok(number),
            _ => {
                Err(self
                    .error(DataError::NotANumber { cell: self.place(column, name), found: text.to_owned() }))
            }
        }
    }

    /// Whether any of the cells is a finite number, which names of columns are not.
    pub(super) fn has_number(&self) -> bool {
        let is_number =
            |column| self.cell(column).and_then(|text| text.parse::<f64>().ok()).is_some_and(f64::is_finite);
        (0..self.cells).any(is_number)
    }

    pub(super) fn place(&self, column: usize, name: &str) -> Cell {
        Cell { line: self.line, column: column + 1, name: name.to_owned() }
    }

    pub(super) fn error(&self, error: DataError) -> Error {
        in_file(&self.path, error)
    }

    fn too_long(&self) -> Error {
        self.error(DataError::LineTooLong { line: self.line, limit: MAX_RECORD })
    }

    /// The parser would skip them too, but not count them before it reads on.
    fn skip_empty_lines(&mut self) -> Result<(), Error> {
        loop {
            let input = self.input.fill_buf().map_err(|source| unreadable(&self.path, source))?;
            let empty = input.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
            let rest = input.len() - empty;
            self.scanner.pass(&input[..empty]);
            self.input.consume(empty);
            if empty == 0 || rest > 0 {
                return Ok(());
            }
        }
    }
}
