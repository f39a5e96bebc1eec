//! NPY, the files of `numpy.save`.

use super::classes::{Classes, Refused};
use super::error::{DataError, Expected};
use super::read::{in_file, is_in_range, open, unreadable};
use super::samples::{Features, Known, Samples, Targets, features_of};
use super::scaling::Scaling;
use super::source::Task;
use super::split::Split;
use crate::error::Error;
use serde::{Deserialize, Serialize};
use std::io::Read;
use std::path::{Path, PathBuf};

/// A pair of NPY files: features, whose first dimension counts the samples, and as many labels.
///
/// Features of type `uint8` stay bytes; other types become double precision. Labels are whole numbers, whose different
/// values in rising order are the classes, or one-hot rows, whose columns are; with `task: Regression` they are numbers, one
/// or a row of several a sample.
///
/// Archives of several arrays, the `.npz` of `numpy.savez`, are not read. Each array is saved by itself with
/// `numpy.save("x.npy", numpy.load("data.npz")["x"])`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Npy {
    /// The features.
    pub features: PathBuf,
    /// The labels.
    pub labels: PathBuf,
    /// What the labels are. Default: `Classification`.
    #[serde(default)]
    pub task: Task,
    /// How features are scaled. Default: `None`.
    #[serde(default)]
    pub scaling: Scaling,
    /// The test samples. Default: none; a part of the others is held out.
    #[serde(default)]
    pub test: Option<NpyPair>,
    /// What is held out.
    #[serde(default)]
    pub split: Split,
}

/// Features and labels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NpyPair {
    /// The features.
    pub features: PathBuf,
    /// The labels.
    pub labels: PathBuf,
}

/// An array, row-major whatever its order in the file.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// Its sizes, the slowest first; empty for a single number.
    pub shape: Vec<usize>,
    /// The type that its elements have in the file.
    pub element_type: NpyType,
    /// Its elements: bytes for `uint8`, and numbers for all other types. Whole numbers beyond 2⁵³ are rounded.
    pub values: Features,
}

/// The type of an array's elements, with the size of one in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NpyType {
    /// `bool`, of one byte.
    Bool,
    /// Whole numbers from 0: `uint8` to `uint64`.
    Unsigned(usize),
    /// Whole numbers: `int8` to `int64`.
    Signed(usize),
    /// `float32` or `float64`.
    Float(usize),
}

impl Npy {
    /// A pair with the default settings.
    pub fn new(features: impl Into<PathBuf>, labels: impl Into<PathBuf>) -> Self {
        Self {
            features: features.into(),
            labels: labels.into(),
            task: Task::default(),
            scaling: Scaling::default(),
            test: None,
            split: Split::default(),
        }
    }

    /// Reads features and labels. With classes that are `known`, each label must be among them.
    ///
    /// # Errors
    ///
    /// [`Error::Read`], and [`Error::Data`] where a file's content is wrong or the two do not belong together.
    pub fn read(&self, features: &Path, labels: &Path, known: Known<'_>) -> Result<Samples, Error> {
        let samples = read_features(features)?;
        let array = read_finite(labels)?;
        let targets = self.targets(array, samples.samples, known).map_err(|error| in_file(labels, error))?;
        Ok(Samples { targets, ..samples })
    }

    fn targets(&self, array: Array, samples: usize, known: Known<'_>) -> Result<Targets, DataError> {
        let Some((&found, rest)) = array.shape.split_first() else { return Err(DataError::NpyScalar) };
        if found != samples {
            return Err(DataError::LabelCount { expected: samples, found });
        }
        let outputs = features_of(rest);
        let values = match array.values {
            Features::Bytes(bytes) => bytes.into_iter().map(f64::from).collect(),
            Features::Floats(floats) => floats,
        };
        match self.task {
            Task::Regression => {
                let names = (1..=outputs).map(|number| number.to_string()).collect();
                Ok(Targets::Values { names, values })
            }
            Task::Classification if outputs == 1 => {
                let (names, labels) = classes(values.into_iter(), known)?;
                Ok(Targets::Classes { names, labels })
            }
            Task::Classification if array.shape.len() == 2 && outputs > 0 => one_hot(&values, outputs, known),
            Task::Classification => Err(DataError::LabelShape { shape: array.shape }),
        }
    }
}

/// The classes of rows that have a 1 in the place of their class and zeros elsewhere. All places are classes, also those
/// that no row has a 1 in.
fn one_hot(values: &[f64], width: usize, known: Known<'_>) -> Result<Targets, DataError> {
    let label = |(sample, row): (usize, &[f64])| {
        let place = row.iter().position(|&value| value == 1.0);
        let zeros = row.iter().filter(|&&value| value == 0.0).count();
        place.filter(|_| zeros + 1 == width).ok_or(DataError::NotOneHot { sample })
    };
    let labels = values.chunks_exact(width).enumerate().map(|row| Ok(label(row)? as u32));
    let labels = labels.collect::<Result<_, _>>()?;
    let names: Vec<String> = (0..width).map(|class| class.to_string()).collect();
    if !known.classes.is_empty() && known.classes != names {
        return Err(DataError::OneHotClasses { width, classes: known.classes.to_vec() });
    }
    Ok(Targets::Classes { names, labels })
}

/// The classes that whole numbers stand for: their names, and the label of each sample.
pub(super) fn classes(
    values: impl Iterator<Item = f64>,
    known: Known<'_>,
) -> Result<(Vec<String>, Vec<u32>), DataError> {
    const EXACT: f64 = 9_007_199_254_740_992.0; // 2⁵³: beyond it whole numbers run together
    let mut classes = Classes::new(known.classes);
    for (sample, value) in values.enumerate() {
        if value.fract() != 0.0 || value.abs() > EXACT {
            return Err(DataError::LabelFraction { sample, value });
        }
        classes.push(&(value as i64).to_string()).map_err(|refused| match refused {
            Refused::Unknown { classes } => DataError::UnknownLabel { sample, value, classes },
            Refused::TooMany => DataError::TooManyLabels { sample },
        })?;
    }
    Ok(classes.finish())
}

/// Reads an array of samples, without labels.
///
/// # Errors
///
/// As [`read_npy`], and if an element is no finite number in the range of single precision, or if the array is a single
/// number, has no samples, or samples without values.
pub fn read_features(path: &Path) -> Result<Samples, Error> {
    let Array { shape: whole, values, .. } = read_finite(path)?;
    let Some((&samples, shape)) = whole.split_first() else {
        return Err(in_file(path, DataError::NpyScalar));
    };
    // Without samples the other sizes could be any.
    if samples == 0 {
        return Err(in_file(path, DataError::NpyEmpty));
    }
    // Without values a header could claim any number of samples.
    if features_of(shape) == 0 {
        return Err(in_file(path, DataError::NpyNoFeatures { shape: whole }));
    }
    // A list of numbers is one feature for each sample.
    let shape = if shape.is_empty() { vec![1] } else { shape.to_vec() };
    Ok(Samples {
        features: values,
        shape,
        columns: Vec::new(),
        target_columns: Vec::new(),
        targets: Targets::Unknown,
        samples,
    })
}

/// Reads an array of numbers that networks can take.
fn read_finite(path: &Path) -> Result<Array, Error> {
    let array = read_npy(path)?;
    if let Features::Floats(floats) = &array.values
        && let Some(index) = floats.iter().position(|&value| !is_in_range(value))
    {
        return Err(in_file(path, DataError::Element { index, value: floats[index] }));
    }
    Ok(array)
}

/// Reads an NPY file of version 1.0, 2.0 or 3.0: `bool`, whole numbers, `float32` or `float64`, of either byte order,
/// row-major or Fortran's order. Floats may be any, also infinite or no number. Nothing larger than a small multiple of the file is allocated.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("x.npy");
/// # let header = "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 2), }\n";
/// # let file = [&b"\x93NUMPY\x01\x00"[..], &(header.len() as u16).to_le_bytes(), header.as_bytes(), &[1, 2, 3, 4]].concat();
/// # std::fs::write(&path, file)?;
/// let array = densely::data::read_npy(&path)?; // numpy.save("x.npy", numpy.array([[1, 2], [3, 4]], "uint8"))
/// assert_eq!((array.shape, array.values), (vec![2, 2], densely::data::Features::Bytes(vec![1, 2, 3, 4])));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`Error::Read`], and [`Error::Data`] if the file is no NPY file, its header is wrong, or its length is not what the header
/// says.
pub fn read_npy(path: &Path) -> Result<Array, Error> {
    let (mut file, length) = open(path)?;
    let mut bytes = Vec::new();
    // The file may grow while it is read.
    file.by_ref().take(length).read_to_end(&mut bytes).map_err(|source| unreadable(path, source))?;
    parse(bytes).map_err(|error| in_file(path, error))
}

fn parse(mut bytes: Vec<u8>) -> Result<Array, DataError> {
    let (header, start) = Header::parse(&bytes)?;
    let elements = header.shape.iter().try_fold(1_usize, |product, &size| product.checked_mul(size));
    let size = elements.and_then(|elements| elements.checked_mul(header.element_type.size()));
    let found = bytes.len() - start;
    if size != Some(found) {
        let expected = Expected(size.map(|size| size as u64));
        return Err(DataError::NpyLength { shape: header.shape, expected, found: found as u64 });
    }
    let values = match header.element_type {
        NpyType::Unsigned(1) => {
            bytes.drain(..start);
            Features::Bytes(if header.fortran_order { row_major(&bytes, &header.shape) } else { bytes })
        }
        element_type => {
            let data = bytes[start..].chunks_exact(element_type.size());
            let floats: Vec<f64> =
                data.map(|element| element_type.number(element, header.big_endian)).collect();
            let floats = if header.fortran_order { row_major(&floats, &header.shape) } else { floats };
            Features::Floats(floats)
        }
    };
    Ok(Array { shape: header.shape, element_type: header.element_type, values })
}

/// Elements that stand with the first dimension fastest, brought into the order with the last one fastest.
fn row_major<V: Copy>(elements: &[V], shape: &[usize]) -> Vec<V> {
    let mut steps = Vec::with_capacity(shape.len());
    shape.iter().fold(1, |step, size| {
        steps.push(step);
        step * size
    });
    let mut index = vec![0; shape.len()];
    let mut place = 0;
    let mut ordered = Vec::with_capacity(elements.len());
    for _ in 0..elements.len() {
        ordered.push(elements[place]);
        for dimension in (0..shape.len()).rev() {
            index[dimension] += 1;
            place += steps[dimension];
            if index[dimension] < shape[dimension] {
                break;
            }
            place -= index[dimension] * steps[dimension];
            index[dimension] = 0;
        }
    }
    ordered
}

/// What an archive such as `.npz` begins with.
const ZIP_SIGNATURE: &[u8] = b"PK\x03\x04";

impl NpyType {
    fn size(self) -> usize {
        match self {
            Self::Bool => 1,
            Self::Unsigned(size) | Self::Signed(size) | Self::Float(size) => size,
        }
    }

    fn number(self, element: &[u8], big_endian: bool) -> f64 {
        let bits = |bits: u64, &byte: &u8| bits << 8 | u64::from(byte);
        let bits = if big_endian { element.iter().fold(0, bits) } else { element.iter().rev().fold(0, bits) };
        match self {
            Self::Bool => f64::from(u8::from(bits != 0)),
            Self::Unsigned(_) => bits as f64,
            Self::Signed(size) => {
                let unused = 64 - 8 * size as u32;
                (((bits << unused) as i64) >> unused) as f64
            }
            Self::Float(4) => f32::from_bits(bits as u32).into(),
            Self::Float(_) => f64::from_bits(bits),
        }
    }
}

/// What the header says: a literal of a Python dictionary.
#[derive(Debug, PartialEq)]
struct Header {
    element_type: NpyType,
    big_endian: bool,
    fortran_order: bool,
    shape: Vec<usize>,
}

impl Header {
    /// The header, and where the elements begin.
    fn parse(bytes: &[u8]) -> Result<(Self, usize), DataError> {
        let [0x93, b'N', b'U', b'M', b'P', b'Y', major, minor, rest @ ..] = bytes else {
            return Err(if bytes.starts_with(ZIP_SIGNATURE) { DataError::Npz } else { DataError::NotNpy });
        };
        let (length, text): (usize, usize) = match (major, minor, rest) {
            (1, 0, [low, high, ..]) => (usize::from(u16::from_le_bytes([*low, *high])), 10),
            (2 | 3, 0, [a, b, c, d, ..]) => (u32::from_le_bytes([*a, *b, *c, *d]) as usize, 12),
            (1..=3, 0, _) => {
                return Err(DataError::NpyHeader { byte: bytes.len(), expected: "the header's length" });
            }
            _ => return Err(DataError::NpyVersion { major: *major, minor: *minor }),
        };
        let end = text.checked_add(length).filter(|&end| end <= bytes.len());
        let Some(end) = end else {
            return Err(DataError::NpyHeader { byte: bytes.len(), expected: "the rest of the header" });
        };
        let mut literal = Literal { bytes: &bytes[..end], place: text };
        Ok((literal.header()?, end))
    }
}

/// The part of Python's literals that NumPy writes.
struct Literal<'a> {
    bytes: &'a [u8],
    place: usize,
}

impl<'a> Literal<'a> {
    fn header(&mut self) -> Result<Header, DataError> {
        let (mut element_type, mut fortran_order, mut shape) = (None, None, None);
        self.take(b'{', "a dictionary")?;
        while self.peek() != Some(b'}') {
            let start = self.place;
            let key = self.string()?;
            self.take(b':', "`:` behind the key")?;
            match key {
                b"descr" if element_type.is_none() => element_type = Some(self.element_type()?),
                b"fortran_order" if fortran_order.is_none() => fortran_order = Some(self.truth()?),
                b"shape" if shape.is_none() => shape = Some(self.shape()?),
                _ => {
                    let expected = "the keys 'descr', 'fortran_order' and 'shape', each once";
                    return Err(DataError::NpyHeader { byte: start, expected });
                }
            }
            if self.peek() != Some(b'}') {
                self.take(b',', "`,` or `}`")?;
            }
        }
        match (element_type, fortran_order, shape) {
            (Some((element_type, big_endian)), Some(fortran_order), Some(shape)) => {
                Ok(Header { element_type, big_endian, fortran_order, shape })
            }
            _ => self.error("the keys 'descr', 'fortran_order' and 'shape'"),
        }
    }

    /// The type, and whether the first byte counts most.
    fn element_type(&mut self) -> Result<(NpyType, bool), DataError> {
        if self.peek() == Some(b'[') {
            return self.error("one type for all elements, not a record of several");
        }
        let text = self.string()?;
        let unknown = || DataError::NpyType { found: String::from_utf8_lossy(text).into_owned() };
        let (order, kind) = match text {
            [order @ (b'<' | b'>' | b'|' | b'='), kind @ ..] => (*order, kind),
            kind => (b'|', kind),
        };
        let element_type = match kind {
            b"b1" => NpyType::Bool,
            [b'u', size @ (b'1' | b'2' | b'4' | b'8')] => NpyType::Unsigned(usize::from(size - b'0')),
            [b'i', size @ (b'1' | b'2' | b'4' | b'8')] => NpyType::Signed(usize::from(size - b'0')),
            [b'f', size @ (b'4' | b'8')] => NpyType::Float(usize::from(size - b'0')),
            _ => return Err(unknown()),
        };
        // An order that nobody states is that of whoever wrote the file: not known here.
        if element_type.size() > 1 && !matches!(order, b'<' | b'>') {
            return Err(unknown());
        }
        Ok((element_type, order == b'>'))
    }

    fn shape(&mut self) -> Result<Vec<usize>, DataError> {
        const MOST: usize = 32; // NumPy's own limit was this for long; it is 64 now
        self.take(b'(', "a tuple of sizes")?;
        let mut shape = Vec::new();
        while self.peek() != Some(b')') {
            if shape.len() == MOST {
                return self.error("at most 32 dimensions");
            }
            shape.push(self.size()?);
            if self.peek() != Some(b')') {
                self.take(b',', "`,` or `)`")?;
            }
        }
        self.take(b')', "`)`")?;
        Ok(shape)
    }

    fn size(&mut self) -> Result<usize, DataError> {
        self.skip_blanks();
        let digits = self.rest().iter().take_while(|byte| byte.is_ascii_digit()).count();
        let text = std::str::from_utf8(&self.rest()[..digits]).unwrap_or_default();
        let Ok(size) = text.parse() else { return self.error("a size") };
        self.place += digits;
        Ok(size)
    }

    fn truth(&mut self) -> Result<bool, DataError> {
        self.skip_blanks();
        for (word, value) in [(&b"True"[..], true), (b"False", false)] {
            if self.rest().starts_with(word) {
                self.place += word.len();
                return Ok(value);
            }
        }
        self.error("True or False")
    }

    /// A string without escapes.
    fn string(&mut self) -> Result<&'a [u8], DataError> {
        let quote = self.peek();
        let Some(quote @ (b'\'' | b'"')) = quote else { return self.error("a string in quotes") };
        self.place += 1;
        let start = self.place;
        let Some(length) = self.rest().iter().position(|&byte| byte == quote) else {
            return self.error("a string in quotes that are closed");
        };
        self.place += length + 1;
        Ok(&self.bytes[start..start + length])
    }

    fn take(&mut self, byte: u8, expected: &'static str) -> Result<(), DataError> {
        if self.peek() != Some(byte) {
            return self.error(expected);
        }
        self.place += 1;
        Ok(())
    }

    /// The next byte that is no blank.
    fn peek(&mut self) -> Option<u8> {
        self.skip_blanks();
        self.rest().first().copied()
    }

    fn skip_blanks(&mut self) {
        self.place += self.rest().iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    }

    fn rest(&self) -> &'a [u8] {
        &self.bytes[self.place..]
    }

    fn error<V>(&self, expected: &'static str) -> Result<V, DataError> {
        Err(DataError::NpyHeader { byte: self.place, expected })
    }
}
