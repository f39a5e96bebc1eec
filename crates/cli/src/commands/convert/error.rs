//! What can go wrong in a conversion beyond what the libraries say.

use idx_dataset::ElementType;
use std::io;
use std::path::PathBuf;

/// Why there is nothing to write.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConvertError {
    // What was asked for.
    #[error("--type: only the values of a CSV file have no type of their own")]
    TypeOfOther,
    #[error("{output}: {} is {other} already, expected a path of its own", path.display())]
    SamePath { output: &'static str, path: PathBuf, other: &'static str },
    #[error("{}: expected a shape of items of {expected} values, found {shape:?}", path.display())]
    Shape { path: PathBuf, shape: Vec<usize>, expected: usize },

    // Labels.
    #[error("--labels: {} has labels already", path.display())]
    LabelsTwice { path: PathBuf },
    #[error(
        "{}: there is no place for labels in this kind of file, expected --labels-out FILE, an IDX file for them",
        path.display()
    )]
    NowhereForLabels { path: PathBuf },
    #[error("--labels-out: {} holds the labels itself", path.display())]
    LabelsInside { path: PathBuf },
    #[error("--labels-out: {}: expected the name of an IDX file, plain or .gz", path.display())]
    LabelsNotIdx { path: PathBuf },
    #[error("--labels-out: there are no labels to write: expected them in {}, or --labels FILE", path.display())]
    NoLabels { path: PathBuf },

    // Contents.
    #[error("{}: cannot read the file as CSV", path.display())]
    Csv { path: PathBuf, source: csv::Error },
    #[error("{}: line {line}: expected text in UTF-8, found other bytes", path.display())]
    NotText { path: PathBuf, line: usize },
    #[error("{}: line {line}: expected {expected} cells as in the first line, found {found}", path.display())]
    Cells { path: PathBuf, line: usize, expected: usize, found: usize },
    #[error("{}: line {line}, column {column}: expected a value of type {expected}, found {found:?}", path.display())]
    Cell { path: PathBuf, line: usize, column: usize, expected: ElementType, found: String },
    #[error("{}: expected items with values or labels, found shape {shape:?}", path.display())]
    NoValues { path: PathBuf, shape: Vec<usize> },
    #[error("{}: expected at most {expected} dimensions, found {found}", path.display())]
    Rank { path: PathBuf, expected: usize, found: usize },
    #[error("{}: element {index}: expected a number that an i32 can hold, found {found}", path.display())]
    Element { path: PathBuf, index: usize, found: f64 },
    #[error("{}: expected PNGs of u8, rows × columns or rows × columns × 3, found {element_type} of shape {shape:?}", path.display())]
    NoPictures { path: PathBuf, element_type: ElementType, shape: Vec<usize> },
    #[error("{}: expected a folder of PNGs, or of folders with PNGs whose names are labels from 0 to 255", path.display())]
    NotAFolderOfPictures { path: PathBuf },
    #[error("{}: expected {expected:?} rows, columns and channels as in the first picture, found {found:?}", path.display())]
    PictureSize { path: PathBuf, expected: [usize; 3], found: [usize; 3] },
    #[error("{}: expected a folder that is not there yet, or is empty", path.display())]
    FolderExists { path: PathBuf },
    #[error("{}: cannot write the folder", path.display())]
    Folder { path: PathBuf, source: io::Error },
}
