//! `densely convert`: IDX files from and to NPY, CSV and folders of PNGs.

mod csv;
mod error;
mod npy;
mod pictures;

pub(crate) use error::ConvertError;

use crate::args;
use crate::error::Error;
use crate::ui::{Output, counted, printable};
use idx_dataset::{Idx, Origin, Values};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What can be converted, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Idx,
    GzipIdx,
    Npy,
    Csv,
    Pictures,
}

/// Items, and their labels where these are known.
struct Items {
    idx: Idx,
    labels: Option<Vec<u8>>,
}

/// Reads one file or folder and writes another, each as its kind.
pub(crate) fn convert(args: &args::Convert, output: &mut Output) -> Result<ExitCode, Error> {
    let (from, to) = (Kind::of(&args.from), Kind::of(&args.to));
    let mut items = match from {
        Kind::Idx | Kind::GzipIdx => unlabelled(idx_dataset::read(&args.from)?),
        Kind::Npy => unlabelled(npy::read(&args.from)?),
        Kind::Csv => csv::read(&args.from, args.element_type.unwrap_or_default())?,
        Kind::Pictures => pictures::read(&args.from)?,
    };
    if args.element_type.is_some() && from != Kind::Csv {
        return Err(ConvertError::TypeOfOther.into());
    }
    if let Some(shape) = &args.shape {
        reshape(&mut items.idx, &shape.0, &args.from)?;
    }
    let found_labels = items.labels.is_some();
    if let (Some(path), false) = (&args.labels, found_labels) {
        items.labels = Some(read_labels(path, &items.idx, &args.from)?);
    }
    match to {
        Kind::Idx => idx_dataset::write(&args.to, &items.idx)?,
        Kind::GzipIdx => idx_dataset::write_gzip(&args.to, &items.idx)?,
        Kind::Npy => npy::write(&args.to, &items.idx)?,
        Kind::Csv => csv::write(&args.to, &items)?,
        Kind::Pictures => pictures::write(&args.to, &items)?,
    }
    let mut written = vec![args.to.clone()];
    if let Some(labels) = items.labels.filter(|_| !to.holds_labels()) {
        match (&args.labels, found_labels) {
            (Some(path), true) => {
                idx_dataset::write(path, &Idx { shape: vec![labels.len()], values: Values::U8(labels) })?;
                written.push(path.clone());
            }
            (None, true) => {
                output.line("The labels are left out: with --labels FILE they go into an IDX file.")
            }
            (_, false) => return Err(ConvertError::NowhereForLabels { path: args.to.clone() }.into()),
        }
    }
    for path in written {
        output.line(format!("{}: {}", printable(path.display()), counted(items.idx.n_items(), "item")));
    }
    Ok(ExitCode::SUCCESS)
}

impl Kind {
    /// By the end of the name; a folder is one that is there, or whose name ends as one.
    fn of(path: &Path) -> Self {
        let text = path.to_string_lossy();
        let extension = path.extension().map(|extension| extension.to_ascii_lowercase());
        match extension.as_ref().and_then(|extension| extension.to_str()) {
            _ if path.is_dir() || text.ends_with(std::path::is_separator) => Self::Pictures,
            Some("npy") => Self::Npy,
            Some("csv") => Self::Csv,
            Some("gz") => Self::GzipIdx,
            _ => Self::Idx,
        }
    }

    fn holds_labels(self) -> bool {
        matches!(self, Self::Csv | Self::Pictures)
    }
}

fn unlabelled(idx: Idx) -> Items {
    Items { idx, labels: None }
}

/// Gives items another shape of as many values.
fn reshape(idx: &mut Idx, shape: &[usize], path: &Path) -> Result<(), Error> {
    let (expected, found) =
        (idx.item_len(), shape.iter().try_fold(1, |len: usize, &size| len.checked_mul(size)));
    if found != Some(expected) {
        let (path, shape) = (path.to_owned(), shape.to_vec());
        return Err(ConvertError::Shape { path, shape, expected }.into());
    }
    idx.shape = [&[idx.n_items()], shape].concat();
    Ok(())
}

fn read_labels(path: &PathBuf, idx: &Idx, of: &Path) -> Result<Vec<u8>, Error> {
    let labels = idx_dataset::read(path)?;
    let element_type = labels.element_type();
    match (labels.values, labels.shape.len()) {
        (Values::U8(labels), 1) if labels.len() == idx.n_items() => Ok(labels),
        (Values::U8(labels), 1) => Err(idx_dataset::Error::CountMismatch {
            images: of.to_owned(),
            labels: path.clone(),
            expected: idx.n_items(),
            found: labels.len(),
        }
        .into()),
        _ => {
            let (origin, shape) = (Origin::File(path.clone()), labels.shape);
            Err(idx_dataset::Error::NotLabels { origin, element_type, shape }.into())
        }
    }
}
