//! Tables of numbers: CSV files with one sample a line.

use super::classes::{Classes, Refused};
use super::error::DataError;
use super::records::Records;
use super::samples::{Features, Known, Samples, Targets};
use super::scaling::Scaling;
use super::source::Task;
use super::split::Split;
use crate::error::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::path::{Path, PathBuf};

/// A CSV file: one sample a line, one feature a column, and columns with what is to be predicted.
///
/// Features are finite numbers in the range of single precision; a cell that is empty or anything else is refused with
/// its line and column. Spaces and tabs around a cell, empty lines and a byte order mark are passed over. Cells may be quoted as in
/// RFC 4180, without blanks before the quotes; ends of lines are `\n`, `\r\n` or `\r`.
///
/// The target is a class (any text; numbers are texts too here) or, with `task: Regression`, a number. Classes are
/// numbered in sorted order, by value if all are numbers, otherwise by their bytes. A table with a one-hot column for each
/// class in place of their names is read with `task: Regression` and all of these columns as targets: a cross-entropy takes
/// them as the probabilities that they are.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("iris.csv");
/// std::fs::write(&path, "petal,species\n1.4,setosa\n4.7,versicolor\n1.3,setosa\n")?;
/// let samples = densely::data::Csv::new(&path, "species").read(&path)?;
/// assert_eq!((samples.columns.as_slice(), samples.classes()), (&["petal".into()][..], &["setosa".into(), "versicolor".into()][..]));
/// let data = samples.into_dataset()?;
/// assert_eq!((data.len(), data.features(), data.label(1)), (3, 1, 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Csv {
    /// The file.
    pub path: PathBuf,
    /// The column with the class, or the columns with the numbers to predict.
    pub target: Columns,
    /// What the target is. Default: `Classification`.
    #[serde(default)]
    pub task: Task,
    /// Columns that are neither features nor targets, such as a running number. Default: none.
    #[serde(default)]
    pub ignore: Columns,
    /// Whether the first line names the columns. Default: `Auto`.
    #[serde(default)]
    pub header: Header,
    /// What stands between cells. Default: `','`.
    #[serde(default = "comma")]
    pub delimiter: char,
    /// How features are scaled. Default: `None`.
    #[serde(default)]
    pub scaling: Scaling,
    /// A file of the same form with the test samples. Default: none; a part of `path` is held out.
    #[serde(default)]
    pub test: Option<PathBuf>,
    /// What is held out.
    #[serde(default)]
    pub split: Split,
}

/// Whether the first line of a table names its columns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Header {
    /// If a column is asked for by name, or no cell of the line is a number.
    #[default]
    Auto,
    /// It does.
    Present,
    /// It does not: it is the first sample.
    Absent,
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Column {
    /// By its name in the header.
    Name(String),
    /// By its position from 0; -1 is the last.
    Index(i64),
}

/// Columns of a table; in RON one of them, or a list: `"species"`, `-1`, `["x", "y"]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Columns(pub Vec<Column>);

fn comma() -> char {
    ','
}

/// Where in a record what stands.
struct Layout {
    width: usize,
    features: Vec<usize>,
    /// The features' names; empty if the table has none.
    names: Vec<String>,
    targets: Vec<usize>,
    target_names: Vec<String>,
}

impl Csv {
    /// A table with the default settings.
    pub fn new(path: impl Into<PathBuf>, target: impl Into<Columns>) -> Self {
        Self {
            path: path.into(),
            target: target.into(),
            task: Task::default(),
            ignore: Columns::default(),
            header: Header::default(),
            delimiter: comma(),
            scaling: Scaling::default(),
            test: None,
            split: Split::default(),
        }
    }

    /// Reads training data from a file of this form.
    ///
    /// # Errors
    ///
    /// [`Error::Read`], and [`Error::Data`] with the line and the column where the content is wrong.
    pub fn read(&self, path: &Path) -> Result<Samples, Error> {
        self.read_as(path, Known::default(), true)
    }

    /// Reads data for a model that was trained on a file of this form. Where both files name their columns, features and
    /// targets are found by their names, and other columns are passed over; a target that was given by its position, also
    /// there, if none has its name and nothing else that the model knows stands there. Without `targets`, they need not be
    /// there.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read), and if a feature is missing or a class was not among those of the training data.
    pub fn read_known(&self, path: &Path, known: Known<'_>, targets: bool) -> Result<Samples, Error> {
        self.read_as(path, known, targets)
    }

    fn read_as(&self, path: &Path, known: Known<'_>, targets: bool) -> Result<Samples, Error> {
        self.validate()?;
        let mut records = Records::open(path, self.delimiter as u8)?;
        if !records.advance()? {
            return Err(records.error(DataError::NoLines));
        }
        let header = self.read_header(&records, known, targets)?;
        let layout = self.layout(header.as_deref(), records.len(), known, targets);
        let layout = layout.map_err(|error| records.error(error))?;
        if let Some(place) = layout.names.iter().position(String::is_empty) {
            let cell = records.place(layout.features[place], "");
            return Err(records.error(DataError::NoName { cell }));
        }
        if header.is_some() && !records.advance()? {
            return Err(records.error(DataError::NoLines));
        }

        let mut features = Vec::new();
        let mut classes = Classes::new(known.classes);
        let mut values = Vec::new();
        let mut samples = 0;
        loop {
            if records.len() != layout.width {
                let (line, expected, found) = (records.line(), layout.width, records.len());
                return Err(records.error(DataError::CellCount { line, expected, found }));
            }
            for (place, &column) in layout.features.iter().enumerate() {
                features.push(records.number(column, layout.names.get(place).map_or("", String::as_str))?);
            }
            for (&column, name) in layout.targets.iter().zip(&layout.target_names) {
                // Without a header the number of the column is all there is, and that is named anyway.
                let name = if layout.names.is_empty() { "" } else { name };
                match self.task {
                    Task::Regression => values.push(records.number(column, name)?),
                    Task::Classification => push_class(&records, column, name, &mut classes)?,
                }
            }
            samples += 1;
            if !records.advance()? {
                break;
            }
        }
        let target_columns = if layout.names.is_empty() { Vec::new() } else { layout.target_names.clone() };
        let targets = match self.task {
            _ if layout.targets.is_empty() => Targets::Unknown,
            Task::Regression => Targets::Values { names: layout.target_names, values },
            Task::Classification => {
                let (names, labels) = classes.finish();
                Targets::Classes { names, labels }
            }
        };
        let (columns, shape) = (layout.names, vec![layout.features.len()]);
        Ok(Samples { features: Features::Floats(features), shape, columns, target_columns, targets, samples })
    }

    /// Checks the settings that no file is needed for.
    pub(super) fn validate(&self) -> Result<(), Error> {
        let delimiter = self.delimiter;
        if !delimiter.is_ascii()
            || delimiter.is_ascii_alphanumeric()
            || matches!(delimiter, '"' | '\r' | '\n' | '\0')
        {
            let expected = "one ASCII character other than a letter, a digit, a quote or the end of a line";
            return Err(Error::DataSetting {
                setting: "delimiter",
                found: format!("{delimiter:?}"),
                expected,
            });
        }
        let targets = self.target.0.len();
        let expected = match self.task {
            Task::Classification if targets > 1 => {
                "1 column: the class; of one-hot columns, as of all numbers to predict, the task is Regression"
            }
            Task::Classification if targets == 0 => "1 column: the class",
            Task::Regression if targets == 0 => "at least 1 column",
            _ => return Ok(()),
        };
        Err(Error::DataSetting { setting: "target", found: format!("a list of {targets}"), expected })
    }

    /// The names in the first record, if it is a header.
    fn read_header(
        &self,
        records: &Records,
        known: Known<'_>,
        targets: bool,
    ) -> Result<Option<Vec<String>>, Error> {
        let cells = || (0..records.len()).map(|column| records.cell(column));
        let by_name = self.target.has_name() || self.ignore.has_name();
        let is_header = match self.header {
            Header::Present => true,
            Header::Absent => false,
            Header::Auto if targets && by_name => true,
            // Names can look like numbers; those that are known cannot be mistaken.
            Header::Auto => {
                let found: HashSet<&str> = cells().flatten().collect();
                let all_known = || known.columns.iter().all(|name| found.contains(name.as_str()));
                !records.has_number() || (!known.columns.is_empty() && all_known())
            }
        };
        if !is_header {
            return Ok(None);
        }
        let mut names = Vec::with_capacity(records.len());
        for (column, cell) in cells().enumerate() {
            let Some(name) = cell else {
                return Err(records.error(DataError::NotText { cell: records.place(column, "") }));
            };
            names.push(name.to_owned());
        }
        let mut seen = HashMap::new();
        // A column without a name is another matter: it may be one that is ignored.
        for (column, name) in (1..).zip(&names).filter(|(_, name)| !name.is_empty()) {
            if let Some(first) = seen.insert(name.as_str(), column) {
                let (line, second, name) = (records.line(), column, name.clone());
                return Err(records.error(DataError::SameName { line, first, second, name }));
            }
        }
        Ok(Some(names))
    }

    /// Where targets and features stand.
    fn layout(
        &self,
        header: Option<&[String]>,
        width: usize,
        known: Known<'_>,
        wants_targets: bool,
    ) -> Result<Layout, DataError> {
        let header = header.map(Names::new);
        let header = header.as_ref();
        let columns = |columns: &Columns| columns.places(header, width);
        // A table to predict from may have its features only.
        let features_only = !wants_targets && header.is_none() && known.features == width;
        let targets = match header {
            _ if !wants_targets => Vec::new(),
            Some(names) if known.target_columns.len() == self.target.0.len() => {
                self.known_targets(names, known)?
            }
            _ => columns(&self.target)?,
        };
        let features = match header {
            Some(names) if !known.columns.is_empty() => {
                let features = known.columns.iter().map(|name| names.place(name));
                let features = features.collect::<Result<Vec<_>, _>>()?;
                // A target by position in a table with another order of columns.
                let of_features: HashSet<_> = features.iter().collect();
                if let Some(&target) = targets.iter().find(|target| of_features.contains(target)) {
                    return Err(DataError::TargetIsFeature { name: names.names[target].clone() });
                }
                features
            }
            _ if features_only => (0..width).collect(),
            // Names of a table without a header say nothing; the width will show it.
            None if !wants_targets && (self.target.has_name() || self.ignore.has_name()) => {
                (0..width).collect()
            }
            _ => {
                let mut others = HashSet::new();
                for column in columns(&self.target)?.into_iter().chain(columns(&self.ignore)?) {
                    if !others.insert(column) {
                        return Err(DataError::ColumnTwice { column: column + 1 });
                    }
                }
                (0..width).filter(|column| !others.contains(column)).collect::<Vec<_>>()
            }
        };
        if features.is_empty() {
            return Err(DataError::NoFeatureColumns);
        }
        if known.features != 0 && features.len() != known.features {
            return Err(DataError::TableWidth { found: features.len(), expected: known.features });
        }
        let name = |column: usize| header.map_or_else(String::new, |header| header.names[column].clone());
        let target_name = |column: usize| match header {
            Some(_) => name(column),
            None => (column + 1).to_string(),
        };
        Ok(Layout {
            width,
            names: if header.is_some() {
                features.iter().map(|&column| name(column)).collect()
            } else {
                Vec::new()
            },
            features,
            target_names: targets.iter().map(|&column| target_name(column)).collect(),
            targets,
        })
    }

    /// Where the targets of a model stand in a table with names.
    fn known_targets(&self, names: &Names<'_>, known: Known<'_>) -> Result<Vec<usize>, DataError> {
        let is_ignored = |name: &String| self.ignore.0.contains(&Column::Name(name.clone()));
        let is_other = |place: usize| {
            let name = &names.names[place];
            known.columns.contains(name) || known.target_columns.contains(name) || is_ignored(name)
        };
        let mut targets = Vec::new();
        for (column, name) in self.target.0.iter().zip(known.target_columns) {
            let target = match (names.place(name), column) {
                (Err(_), &Column::Index(index)) => {
                    let place = column_at(index, names.names.len());
                    let free = place.filter(|place| !is_other(*place) && !targets.contains(place));
                    free.ok_or_else(|| DataError::NoTarget {
                        name: name.clone(),
                        position: index,
                        found: place.map(|place| names.names[place].clone()),
                    })
                }
                (place, _) => place,
            };
            targets.push(target?);
        }
        Ok(targets)
    }
}

fn push_class(records: &Records, column: usize, name: &str, classes: &mut Classes) -> Result<(), Error> {
    let class = records.text(column, name, "a class")?;
    classes.push(class).map_err(|refused| {
        let cell = records.place(column, name);
        records.error(match refused {
            Refused::Unknown { classes } => {
                DataError::UnknownClass { cell, found: class.to_owned(), classes }
            }
            Refused::TooMany => DataError::TooManyClasses { cell },
        })
    })
}

/// The names in a header, and where each stands.
struct Names<'a> {
    names: &'a [String],
    places: HashMap<&'a str, usize>,
}

impl<'a> Names<'a> {
    fn new(names: &'a [String]) -> Self {
        Self { names, places: names.iter().map(String::as_str).zip(0..).collect() }
    }

    fn place(&self, name: &str) -> Result<usize, DataError> {
        let place = self.places.get(name).copied();
        place.ok_or_else(|| DataError::NoColumn { found: name.to_owned(), expected: self.names.to_vec() })
    }
}

impl Columns {
    fn has_name(&self) -> bool {
        self.0.iter().any(|column| matches!(column, Column::Name(_)))
    }

    /// Their positions in a table of that header and width.
    fn places(&self, header: Option<&Names<'_>>, width: usize) -> Result<Vec<usize>, DataError> {
        let place = |column: &Column| match (column, header) {
            (Column::Name(name), Some(names)) => names.place(name),
            (Column::Name(name), None) => Err(DataError::NoHeader { found: name.clone() }),
            (&Column::Index(index), _) => {
                column_at(index, width).ok_or(DataError::ColumnIndex { found: index, columns: width })
            }
        };
        self.0.iter().map(place).collect()
    }
}

/// The column at a position, from 0 or backwards from -1, in a table of that width.
fn column_at(index: i64, width: usize) -> Option<usize> {
    let place = if index < 0 { index.checked_add(i64::try_from(width).ok()?)? } else { index };
    usize::try_from(place).ok().filter(|&place| place < width)
}

impl From<&str> for Column {
    fn from(name: &str) -> Self {
        Self::Name(name.to_owned())
    }
}

impl From<i64> for Column {
    fn from(index: i64) -> Self {
        Self::Index(index)
    }
}

impl<C: Into<Column>> From<C> for Columns {
    fn from(column: C) -> Self {
        Self(vec![column.into()])
    }
}

impl Serialize for Column {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Name(name) => serializer.serialize_str(name),
            Self::Index(index) => serializer.serialize_i64(*index),
        }
    }
}

impl Serialize for Columns {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.as_slice() {
            [column] => column.serialize(serializer),
            columns => columns.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Column {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let columns = Columns::deserialize(deserializer)?;
        match <[Column; 1]>::try_from(columns.0) {
            Ok([column]) => Ok(column),
            Err(_) => Err(de::Error::custom("expected a column's name or its position, found a list")),
        }
    }
}

impl<'de> Deserialize<'de> for Columns {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ColumnsVisitor)
    }
}

struct ColumnsVisitor;

impl<'de> de::Visitor<'de> for ColumnsVisitor {
    type Value = Columns;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a column's name, its position, or a list of such")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Columns, E> {
        Ok(name.into())
    }

    fn visit_i64<E: de::Error>(self, index: i64) -> Result<Columns, E> {
        Ok(index.into())
    }

    fn visit_u64<E: de::Error>(self, index: u64) -> Result<Columns, E> {
        i64::try_from(index).map(Columns::from).map_err(|_| E::custom("the column's position is too large"))
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<Columns, A::Error> {
        let mut columns = Vec::new();
        while let Some(column) = list.next_element()? {
            columns.push(column);
        }
        Ok(Columns(columns))
    }
}
