//! `densely convert`: IDX files from and to NPY, CSV and folders of PNGs.

mod csv;
mod error;
mod npy;
mod pictures;

pub(crate) use error::ConvertError;

use crate::args;
use crate::error::Error;
use crate::ui::{Output, counted, printable};
use idx_dataset::{Idx, Values};
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

/// Reads one file or folder and writes another, each as its kind. All that can be refused is, before anything is written.
pub(crate) fn convert(args: &args::Convert, output: &mut Output) -> Result<ExitCode, Error> {
    let (from, to) = (Kind::of(&args.from), Kind::of(&args.to));
    check_args(args, from, to)?;
    let mut items = match from {
        Kind::Idx | Kind::GzipIdx => unlabelled(idx_dataset::read(&args.from)?),
        Kind::Npy => unlabelled(npy::read(&args.from)?),
        Kind::Csv => csv::read(&args.from, args.element_type.unwrap_or_default())?,
        Kind::Pictures => pictures::read(&args.from)?,
    };
    if let Some(shape) = &args.shape {
        reshape(&mut items.idx, &shape.0, &args.from)?;
    }
    if let Some(path) = &args.labels {
        if items.labels.is_some() {
            return Err(ConvertError::LabelsTwice { path: args.from.clone() }.into());
        }
        items.labels = Some(read_labels(path, &items.idx, &args.from)?);
    }
    if let Some(path) = &args.labels_out {
        if items.labels.is_none() {
            return Err(ConvertError::NoLabels { path: args.from.clone() }.into());
        }
        // That a file can be written there; nothing is left of this one.
        drop(idx_dataset::Writer::<u8>::create(path, &[])?);
    }
    match to {
        Kind::Idx => idx_dataset::write(&args.to, &items.idx)?,
        Kind::GzipIdx => idx_dataset::write_gzip(&args.to, &items.idx)?,
        Kind::Npy => npy::write(&args.to, &items.idx)?,
        Kind::Csv => csv::write(&args.to, &items)?,
        Kind::Pictures => pictures::write(&args.to, &items)?,
    }
    let mut written = vec![&args.to];
    if let Some(labels) = items.labels.filter(|_| !to.holds_labels()) {
        if let Some(path) = &args.labels_out {
            write_labels(path, labels)?;
            written.push(path);
        } else {
            output.line("The labels are left out: with --labels-out FILE they go into an IDX file.");
        }
    }
    for path in written {
        output.line(format!("{}: {}", printable(path.display()), counted(items.idx.n_items(), "item")));
    }
    Ok(ExitCode::SUCCESS)
}

/// Refuses what can be seen to be wrong without opening a file.
fn check_args(args: &args::Convert, from: Kind, to: Kind) -> Result<(), ConvertError> {
    if args.element_type.is_some() && from != Kind::Csv {
        return Err(ConvertError::TypeOfOther);
    }
    let inputs = [("FROM", Some(&args.from)), ("--labels", args.labels.as_ref())];
    let outputs = [("TO", Some(&args.to)), ("--labels-out", args.labels_out.as_ref())];
    let mut taken: Vec<_> =
        inputs.into_iter().filter_map(|(name, path)| Some((name, place(path?)))).collect();
    for (output, path) in outputs {
        let Some(path) = path else { continue };
        let place = place(path);
        if let Some((other, _)) = taken.iter().find(|(_, taken)| *taken == place) {
            return Err(ConvertError::SamePath { output, path: path.clone(), other });
        }
        taken.push((output, place));
    }
    match &args.labels_out {
        Some(_) if to.holds_labels() => Err(ConvertError::LabelsInside { path: args.to.clone() }),
        Some(path) if !matches!(Kind::of(path), Kind::Idx | Kind::GzipIdx) => {
            Err(ConvertError::LabelsNotIdx { path: path.clone() })
        }
        None if args.labels.is_some() && !to.holds_labels() => {
            Err(ConvertError::NowhereForLabels { path: args.to.clone() })
        }
        _ => Ok(()),
    }
}

/// The same for all names of a file or folder, as far as one can tell while it is not there yet.
fn place(path: &Path) -> PathBuf {
    let beside = || Some(parent(path).canonicalize().ok()?.join(path.file_name()?));
    path.canonicalize().ok().or_else(beside).unwrap_or_else(|| path.to_owned())
}

/// The folder that a path is in.
fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
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
    let labels = idx_dataset::read_labels(path)?;
    idx_dataset::check_counts(of, idx.n_items(), path, labels.len())?;
    Ok(labels)
}

fn write_labels(path: &Path, labels: Vec<u8>) -> Result<(), idx_dataset::Error> {
    let idx = Idx { shape: vec![labels.len()], values: Values::U8(labels) };
    match Kind::of(path) {
        Kind::GzipIdx => idx_dataset::write_gzip(path, &idx),
        _ => idx_dataset::write(path, &idx),
    }
}
