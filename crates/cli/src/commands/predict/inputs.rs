//! Files to predict, recognised by their content.

use crate::digit::{LEAST_CONTRAST, prepare, read_png};
use crate::error::Error;
use densely::data::{DataSource, Features, Samples, Targets, TrainedOn, read_features};
use densely::{Dataset, Model};
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

/// What files begin with.
const PNG_SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";
const NPY_SIGNATURE: &[u8] = b"\x93NUMPY";
/// Not an NPY file, but its reader tells what to do with one.
const NPZ_SIGNATURE: &[u8] = b"PK\x03\x04";
const IDX_SIGNATURE: &[u8] = &[0, 0];
const GZIP_SIGNATURE: &[u8] = &[0x1f, 0x8b];

/// Samples as a model takes them.
pub(super) struct Inputs {
    pub(super) data: Dataset,
    /// Their pixels, where they are pictures, before any scaling.
    pub(super) pixels: Vec<u8>,
    /// Rows and columns of a picture that can be shown.
    pub(super) size: Option<(usize, usize)>,
    /// Whether the samples are items of a file that can have several.
    pub(super) numbered: bool,
    /// Whether they are lines rather than pictures.
    pub(super) is_table: bool,
}

/// The first samples in a file, as many as `limit` says for those that are lines of a table, and for others.
pub(super) fn read_inputs(
    path: &Path,
    model: &Model<f32>,
    limit: impl FnOnce(bool) -> usize,
) -> Result<Inputs, Error> {
    // Anything else is refused before it is opened: a pipe would wait for its writer.
    if fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
        return Err(
            idx_dataset::read(path).map_or_else(Into::into, |_| Error::NoImages { path: path.to_owned() })
        );
    }
    let mut start = Vec::new();
    File::open(path)
        .and_then(|file| file.take(PNG_SIGNATURE.len() as u64).read_to_end(&mut start))
        .map_err(|source| Error::Read { path: path.to_owned(), source })?;
    let trained_on = model.provenance().trained_on.as_ref();
    let source = trained_on.map(|trained_on| &trained_on.source);
    let features = model.description().inputs;
    let mut samples = match (source, trained_on) {
        _ if start.starts_with(NPY_SIGNATURE) || start.starts_with(NPZ_SIGNATURE) => read_features(path)?,
        (Some(DataSource::ImageFolder(_)), Some(trained_on)) if start == PNG_SIGNATURE => {
            trained_on.read_pictures(&[path.to_owned()])?
        }
        _ if start == PNG_SIGNATURE => read_picture(path, features)?,
        _ if start.starts_with(IDX_SIGNATURE) || start.starts_with(GZIP_SIGNATURE) => {
            read_idx(path, features, matches!(source, Some(DataSource::Idx(_))))?
        }
        (Some(DataSource::Csv(_)), Some(trained_on)) => trained_on.read_table(path)?,
        _ => return Err(Error::NotAnImage { path: path.to_owned(), start }),
    };
    let found = samples.shape.iter().product();
    if found != features {
        return Err(Error::SampleSize { path: path.to_owned(), expected: features, found });
    }
    // Bytes in rows are pictures, unless they come as an array without rows.
    let is_table = matches!(samples.features, Features::Floats(_))
        || start.starts_with(NPY_SIGNATURE) && samples.shape.len() == 1;
    samples.samples = samples.samples.min(limit(is_table));
    match &mut samples.features {
        Features::Bytes(bytes) => bytes.truncate(samples.samples * features),
        Features::Floats(floats) => floats.truncate(samples.samples * features),
    }
    inputs(samples, trained_on, start == PNG_SIGNATURE, is_table).map_err(|error| match error {
        Error::Network(problem) => {
            Error::Content { file: path.display().to_string(), problem: Box::new(problem) }
        }
        error => error,
    })
}

fn inputs(
    samples: Samples,
    trained_on: Option<&TrainedOn>,
    is_picture: bool,
    is_table: bool,
) -> Result<Inputs, Error> {
    let size = if let [rows, columns] = samples.shape[..] { Some((rows, columns)) } else { None };
    let pixels = match &samples.features {
        Features::Bytes(bytes) if !is_table => bytes.clone(),
        _ => Vec::new(),
    };
    let data = samples.into_dataset()?;
    let data = trained_on.map_or(Ok(data.clone()), |trained_on| trained_on.scaled(&data))?;
    Ok(Inputs { data, size: size.filter(|_| !is_table), pixels, numbered: !is_picture, is_table })
}

/// The images of an IDX file: bytes, or of any type for a model that was trained on such files.
fn read_idx(path: &Path, features: usize, any_type: bool) -> Result<Samples, Error> {
    let idx = idx_dataset::read(path)?;
    let (samples, found) = (idx.n_items(), idx.item_len());
    let shape = idx.shape.get(1..).unwrap_or_default().to_vec();
    if found != features {
        let shape = shape.iter().map(ToString::to_string).collect::<Vec<_>>().join(" × ");
        return Err(Error::ImageSize { path: path.to_owned(), expected: features, found, shape });
    }
    let found = idx.element_type();
    if found != idx_dataset::ElementType::U8 && !any_type {
        return Err(Error::NotBytes { path: path.to_owned(), found });
    }
    if samples == 0 {
        return Err(Error::NoImages { path: path.to_owned() });
    }
    Ok(of(idx.values.into(), shape, samples))
}

/// A drawing, made to look as MNIST's digits do.
fn read_picture(path: &Path, features: usize) -> Result<Samples, Error> {
    let side = features.isqrt();
    if side * side != features {
        return Err(Error::NotSquare { path: path.to_owned(), inputs: features });
    }
    let pixels = prepare(&read_png(path)?, side).map_err(|contrast| Error::Blank {
        path: path.to_owned(),
        contrast,
        least: LEAST_CONTRAST,
    })?;
    Ok(of(Features::Bytes(pixels), vec![side, side], 1))
}

fn of(features: Features, shape: Vec<usize>, samples: usize) -> Samples {
    Samples {
        features,
        shape,
        columns: Vec::new(),
        target_columns: Vec::new(),
        targets: Targets::Unknown,
        samples,
    }
}
