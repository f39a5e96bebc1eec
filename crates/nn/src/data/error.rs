//! What can be wrong in a file of data; [`Error::Data`](crate::Error::Data) says which file.

use super::dataset::MAX_CLASSES;
use crate::text::nearest;
use std::fmt;

/// What is wrong in a file of data, and where in it. Lines and columns count from 1, as editors count them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    // Tables.
    /// A table without lines of data.
    #[error("there are no lines of data, expected at least 1")]
    NoLines,
    /// A line with more or fewer cells than the first.
    #[error("line {line}: expected {expected} cells, as many as the first line has, found {found}")]
    CellCount {
        /// The line.
        line: u64,
        /// The cells of the first line.
        expected: usize,
        /// The cells of this one.
        found: usize,
    },
    /// A line too long to be one.
    #[error("line {line}: expected at most {limit} bytes in a line, found more; is a quote not closed?")]
    LineTooLong {
        /// The line.
        line: u64,
        /// The most that a line may have.
        limit: usize,
    },
    /// A quote that opens and does not close.
    #[error(
        "line {line}: a quote that begins in this line or record is not closed before the end of the file"
    )]
    QuoteNotClosed {
        /// The line that the record begins on.
        line: u64,
    },
    /// Text between a quoted cell and its end.
    #[error(
        "{cell}: expected a delimiter or the end of the line behind the closing quote, found more text; a quote inside of quotes \
         is doubled"
    )]
    TextBehindQuote {
        /// Where.
        cell: Cell,
    },
    /// A quote that does not open its cell.
    #[error("{cell}: expected the quote at the beginning of the cell, found it behind a blank")]
    BlankBeforeQuote {
        /// Where.
        cell: Cell,
    },
    /// A cell that holds nothing.
    #[error("{cell}: the cell is empty, expected {expected}")]
    EmptyCell {
        /// Where.
        cell: Cell,
        /// What should be there.
        expected: &'static str,
    },
    /// A cell that holds no number that a network can take.
    #[error("{cell}: expected a finite number of single precision's range, found {}", shown(found))]
    NotANumber {
        /// Where.
        cell: Cell,
        /// What is there.
        found: String,
    },
    /// A cell that is no text.
    #[error("{cell}: expected UTF-8 text, found other bytes")]
    NotText {
        /// Where.
        cell: Cell,
    },
    /// A class that the training data do not have.
    #[error("{cell}: class {} is none of the {classes} that the model was trained on", shown(found))]
    UnknownClass {
        /// Where.
        cell: Cell,
        /// The class.
        found: String,
        /// How many are known.
        classes: usize,
    },
    /// More classes than a dataset may have: most likely a number to predict.
    #[error(
        "{cell}: the target has more than {MAX_CLASSES} different values, the most classes there may be; to predict numbers, \
         set task: Regression"
    )]
    TooManyClasses {
        /// Where the first one too many is.
        cell: Cell,
    },
    /// A column that is not there.
    #[error(
        "there is no column {}: expected one of {}{}",
        shown(found),
        listed(expected),
        near(found, expected)
    )]
    NoColumn {
        /// The name.
        found: String,
        /// The names in the header.
        expected: Vec<String>,
    },
    /// A column by its name in a table without names.
    #[error("column {} is asked for by name, but the table has no header line", shown(found))]
    NoHeader {
        /// The name.
        found: String,
    },
    /// A column beyond the last.
    #[error(
        "there is no column {found}: the table has {columns} columns, counted from 0, or from -1 backwards"
    )]
    ColumnIndex {
        /// The position.
        found: i64,
        /// How many columns there are.
        columns: usize,
    },
    /// Two columns of the same name.
    #[error(
        "line {line}: columns {first} and {second} are both called {}, expected a different name for each",
        shown(name)
    )]
    SameName {
        /// The line of the header.
        line: u64,
        /// The first column of that name, from 1.
        first: usize,
        /// The next one.
        second: usize,
        /// The name.
        name: String,
    },
    /// A feature without a name in a table whose columns have names, such as the running number that pandas writes.
    #[error("{cell}: a column for features has no name, expected one; ignore: {} leaves it out", cell.column - 1)]
    NoName {
        /// Where.
        cell: Cell,
    },
    /// A column that is to be two things.
    #[error("column {column} is named twice among targets and ignored columns")]
    ColumnTwice {
        /// The column, from 1.
        column: usize,
    },
    /// A column that was a feature in training and is to be the target.
    #[error(
        "column {} is a feature of the model, but stands where the target is to be; name the target, or keep the order of \
         columns",
        shown(name)
    )]
    TargetIsFeature {
        /// The name of the column.
        name: String,
    },
    /// A table without the model's target, neither by its name nor where the description says.
    #[error(
        "there is no column {}, which the model was trained to predict, and {}",
        shown(name),
        in_its_place(*position, found.as_deref())
    )]
    NoTarget {
        /// The name that the target had in training.
        name: String,
        /// Its position in the description.
        position: i64,
        /// The name of what stands there, which is something else to the model; `None` if there is no such column.
        found: Option<String>,
    },
    /// A table whose every column is a target or ignored.
    #[error("no column is left for features, expected at least 1")]
    NoFeatureColumns,
    /// A table of another width than the model was trained on.
    #[error(
        "the table has {found} columns for features, expected the {expected} features that the model was trained on"
    )]
    TableWidth {
        /// Columns for features in the table.
        found: usize,
        /// Features of a sample.
        expected: usize,
    },

    // Arrays.
    /// Bytes that are no NPY file.
    #[error("not an NPY file: expected it to start with 93 4e 55 4d 50 59 and a version, found other bytes")]
    NotNpy,
    /// An archive of NPY files.
    #[error(
        "an archive of several arrays (.npz), expected an NPY file of one; save each array by itself, as by \
         numpy.save(\"x.npy\", numpy.load(\"data.npz\")[\"x\"])"
    )]
    Npz,
    /// An NPY file of a version that is not known.
    #[error("NPY version {major}.{minor} is not known, expected 1.0, 2.0 or 3.0")]
    NpyVersion {
        /// Before the point.
        major: u8,
        /// Behind it.
        minor: u8,
    },
    /// A header that cannot be one.
    #[error("byte {byte} of the NPY header: expected {expected}")]
    NpyHeader {
        /// Where in the file, from 0.
        byte: usize,
        /// What should be there.
        expected: &'static str,
    },
    /// A type of elements that is not read.
    #[error("elements of type {}: expected b1, u1 to u8, i1 to i8, f4 or f8", shown(found))]
    NpyType {
        /// The type, as the header writes it.
        found: String,
    },
    /// An array with more or fewer bytes than its header says.
    #[error("expected {expected} bytes behind the header for shape {shape:?}, found {found}")]
    NpyLength {
        /// The header's shape.
        shape: Vec<usize>,
        /// What that takes; `None` beyond what numbers can hold.
        expected: Expected,
        /// What is there.
        found: u64,
    },
    /// An array without samples along its first dimension.
    #[error("the array is a single number, expected one sample for each step of the first dimension")]
    NpyScalar,
    /// An array whose first dimension is 0.
    #[error("the array has no samples, expected at least 1")]
    NpyEmpty,
    /// An array one of whose other dimensions is 0.
    #[error("samples without values, in an array of shape {shape:?}; expected at least 1 value for each")]
    NpyNoFeatures {
        /// The array's shape.
        shape: Vec<usize>,
    },
    /// An element that is no finite number.
    #[error("element {index} is {value}, expected a finite number of single precision's range")]
    Element {
        /// Its place, in row-major order from 0.
        index: usize,
        /// The element.
        value: f64,
    },
    /// Labels in rows that are not one-hot.
    #[error(
        "row {sample} of the labels is not one-hot: expected one 1 and otherwise zeros; to predict numbers, set task: Regression"
    )]
    NotOneHot {
        /// The row, from 0.
        sample: usize,
    },
    /// One-hot labels for a model whose classes have other names than their places.
    #[error(
        "one-hot labels of {width} places stand for the classes 0 to {}, but the model was trained on {} classes, from {} to {}; \
         expected the labels that those were called by",
        width - 1, classes.len(), shown(first_of(classes)), shown(last_of(classes))
    )]
    OneHotClasses {
        /// Places of a row.
        width: usize,
        /// The classes that the model was trained on.
        classes: Vec<String>,
    },
    /// Labels that are no list of classes.
    #[error("labels of shape {shape:?}, expected one label for each sample, or a one-hot row for each")]
    LabelShape {
        /// Their shape.
        shape: Vec<usize>,
    },
    /// Labels that are not as many as samples.
    #[error("{found} labels for {expected} samples, expected one for each")]
    LabelCount {
        /// The samples.
        expected: usize,
        /// The labels.
        found: usize,
    },
    /// A label that is no whole number.
    #[error("label {sample} is {value}, expected a whole number; to predict numbers, set task: Regression")]
    LabelFraction {
        /// The sample, from 0.
        sample: usize,
        /// Its label.
        value: f64,
    },
    /// A label that the training data do not have.
    #[error(
        "label {sample} is {value}, which is none of the {classes} classes that the model was trained on"
    )]
    UnknownLabel {
        /// The sample, from 0.
        sample: usize,
        /// Its label.
        value: f64,
        /// How many are known.
        classes: usize,
    },
    /// More different labels than a dataset may have classes.
    #[error(
        "label {sample} is one too many: there are more than {MAX_CLASSES} different ones, the most classes there may be; to \
         predict numbers, set task: Regression"
    )]
    TooManyLabels {
        /// The sample, from 0.
        sample: usize,
    },

    // Pictures.
    /// A file that is no PNG, or a damaged one.
    #[error("not a PNG that can be read: {problem}")]
    Png {
        /// What the decoder says.
        problem: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A picture larger than any that is read.
    #[error("expected at most {limit} pixels, found {width} × {height}")]
    TooManyPixels {
        /// Its width.
        width: u32,
        /// Its height.
        height: u32,
        /// The most pixels that are read.
        limit: usize,
    },
    /// A picture unlike the first.
    #[error("a picture of {found}, expected {expected}, as the first one is")]
    OtherPicture {
        /// What the first one is.
        expected: Pixels,
        /// What this one is.
        found: Pixels,
    },
    /// Pictures that together are too many.
    #[error("with this picture the folder takes more than {limit} bytes, the most that is read")]
    TooManyPictures {
        /// The most bytes.
        limit: u64,
    },
    /// A file that is no picture among those that are.
    #[error("expected only PNG files in the folder of a class (hidden files are passed over), found this")]
    NotAPicture,
    /// A picture that belongs to no class.
    #[error("a picture outside the folders of the classes, expected it in one of them")]
    OutsideClasses,
    /// A folder without any folder in it.
    #[error("there are no folders in this folder, expected one for each class")]
    NoClassFolders,
    /// A folder without pictures.
    #[error("there are no pictures in this folder, expected at least 1")]
    NoPictures,
    /// More folders than a dataset may have classes.
    #[error("with this folder there are more than {MAX_CLASSES} classes, the most that there may be")]
    TooManyClassFolders,
    /// A name that is no text.
    #[error("the folder's name is not UTF-8, expected the name of a class")]
    ClassName,
    /// The folder of a class that the training data do not have.
    #[error("this class is none of the {classes} that the model was trained on")]
    UnknownFolder {
        /// How many are known.
        classes: usize,
    },

    // IDX.
    /// A compressed file whose images are to stay on disk.
    #[error("images on disk have to be plain, found gzip")]
    CompressedOnDisk,

    // All kinds.
    /// Samples of another size than those that are trained on.
    #[error("samples of {found} values, expected {expected}, as many as those that are trained on have")]
    SampleSize {
        /// The values of a sample.
        found: usize,
        /// Those of a training sample.
        expected: usize,
    },
    /// More or fewer samples than when a part of them was held out.
    #[error(
        "there are {found} samples, but there were {expected} when the model was trained, and which ones were held out to test \
         with follows from their number; name a file to test with"
    )]
    SampleCount {
        /// How many there were.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// A kind of file that this build cannot read.
    #[error("this build of densely does not read such files: its feature `{feature}` is off")]
    FeatureOff {
        /// The feature of the crate.
        feature: &'static str,
    },
}

/// A cell of a table: `line 7, column 3 (petal_width)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// The line that the record begins on, from 1.
    pub line: u64,
    /// The column, from 1.
    pub column: usize,
    /// The column's name; empty if it has none.
    pub name: String,
}

impl fmt::Display for Cell {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "line {}, column {}", self.line, self.column)?;
        if self.name.is_empty() { Ok(()) } else { write!(formatter, " ({})", clipped(&self.name)) }
    }
}

/// How many bytes a shape takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected(pub Option<u64>);

impl fmt::Display for Expected {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(bytes) => bytes.fmt(formatter),
            None => formatter.write_str("more than 2^64"),
        }
    }
}

/// The size of a picture: `28 × 28 pixels of grey`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pixels {
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Values of a pixel: 1 for grey, 3 for colours.
    pub channels: usize,
}

impl fmt::Display for Pixels {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.channels == 1 { "grey" } else { "colour" };
        write!(formatter, "{} × {} pixels of {kind}", self.width, self.height)
    }
}

fn first_of(names: &[String]) -> &str {
    names.first().map_or("", String::as_str)
}

fn last_of(names: &[String]) -> &str {
    names.last().map_or("", String::as_str)
}

/// Text from a file in quotes, without control characters, and not too much of it.
fn shown(text: &str) -> String {
    format!("{:?}", clipped(text))
}

fn clipped(text: &str) -> String {
    const LONGEST: usize = 40;
    let mut shown: String =
        text.chars().take(LONGEST).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    shown
}

fn in_its_place(position: i64, found: Option<&str>) -> String {
    match found {
        Some(name) => {
            format!("in its place, at position {position}, is {}, which is something else", shown(name))
        }
        None => format!("its place, position {position}, is beyond the last column"),
    }
}

/// The name that was likely meant. Whatever is too long to be a slip is passed over: a file may hold any names.
fn near(found: &str, names: &[String]) -> String {
    const LONGEST: usize = 100;
    let names: Vec<&str> = names.iter().map(String::as_str).filter(|name| name.len() <= LONGEST).collect();
    let nearest = if found.len() <= LONGEST { nearest(found, &names) } else { None };
    nearest.map(|name| format!("; did you mean {}?", shown(name))).unwrap_or_default()
}

fn listed(names: &[String]) -> String {
    const MOST: usize = 12;
    let mut listed = names.iter().take(MOST).map(|name| shown(name)).collect::<Vec<_>>().join(", ");
    if names.len() > MOST {
        listed.push_str(", …");
    }
    listed
}
