//! What can go wrong in a conversion beyond what the libraries say.

use idx_dataset::ElementType;
use std::io;
use std::path::PathBuf;

/// Why there is nothing to write.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConvertError {
    #[error("--type: only the values of a CSV file have no type of their own")]
    TypeOfOther,
    #[error("{}: expected a shape of items of {expected} values, found {shape:?}", path.display())]
    Shape { path: PathBuf, shape: Vec<usize>, expected: usize },
    #[error("{}: there is no place for labels in this kind of file; they are an IDX file already", path.display())]
    NowhereForLabels { path: PathBuf },
    #[error("{}: cannot read the file as CSV", path.display())]
    Csv { path: PathBuf, source: csv::Error },
    #[error("{}: line {line}, column {column}: expected a value of type {expected}, found {found:?}", path.display())]
    Cell { path: PathBuf, line: u64, column: usize, expected: ElementType, found: String },
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
