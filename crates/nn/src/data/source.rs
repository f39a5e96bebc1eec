//! Any kind of data by its description.

use super::csv::Csv;
use super::dataset::Dataset;
use super::error::DataError;
use super::image_folder::ImageFolder;
use super::npy::Npy;
use super::read::in_file;
use super::samples::{Known, Samples, features_of};
use super::scaling::{FittedScaling, Scaling};
use super::split::Split;
use crate::error::Error;
use serde::{Deserialize, Serialize};
use std::mem::take;
use std::path::{Path, PathBuf};

/// Where data are and what they mean: in a recipe, `data: Csv(path: "iris.csv", target: "species")`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum DataSource {
    /// A table.
    Csv(Csv),
    /// Arrays of NumPy.
    Npy(Npy),
    /// Pictures, a folder for each class.
    ImageFolder(ImageFolder),
    /// Two IDX files.
    Idx(IdxFiles),
}

/// What a target is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Task {
    /// One of several classes.
    #[default]
    Classification,
    /// One or several numbers.
    Regression,
}

/// IDX files with images and labels, plain or, where idx-dataset reads them, as `.gz`.
///
/// Needs the feature `idx`. Labels are bytes, whose different values in rising order are the classes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdxFiles {
    /// The images: the first dimension counts them.
    pub images: PathBuf,
    /// The labels: as many bytes.
    pub labels: PathBuf,
    /// Whether images stay in their file: plain, of bytes, each read when a batch needs it, so that they may be larger than
    /// memory (on Unix and Windows; elsewhere they are read all the same). Default: `false`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub on_disk: bool,
    /// How values are scaled. Default: `None`, which leaves bytes shares of 255, and is all there is for images
    /// on disk.
    #[serde(default)]
    pub scaling: Scaling,
    /// The test images. Default: none; a part of the others is held out.
    #[serde(default)]
    pub test: Option<IdxPair>,
    /// What is held out.
    #[serde(default)]
    pub split: Split,
}

/// Images and labels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdxPair {
    /// The images.
    pub images: PathBuf,
    /// The labels.
    pub labels: PathBuf,
}

/// What a model must know of its training data to read others as it read those. It is saved with the model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainedOn {
    /// Where they were.
    pub source: DataSource,
    /// The shape of a sample.
    pub shape: Vec<usize>,
    /// How many samples there were, with those that were held out; 0 where it is left out.
    #[serde(default)]
    pub samples: usize,
    /// The names of the features; empty if they have none.
    #[serde(default)]
    pub columns: Vec<String>,
    /// The names of the columns with the targets; empty if they have none.
    #[serde(default)]
    pub target_columns: Vec<String>,
    /// The names of the targets that are numbers; empty for classes.
    #[serde(default)]
    pub targets: Vec<String>,
    /// How their features were scaled; not at all where it is left out.
    #[serde(default)]
    pub scaling: Option<FittedScaling>,
}

/// Data that are ready to train on.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The samples to train and validate on.
    pub data: Dataset,
    /// The samples to test with.
    pub test: Dataset,
    /// The names of the classes, in the order of the labels; empty where targets are numbers.
    pub classes: Vec<String>,
    /// What the model must know of them, its scaling still without numbers: see [`TrainedOn::scale`].
    pub trained_on: TrainedOn,
}

impl DataSource {
    /// Reads the samples to train and to test with, or all samples and holds some of them out to test with.
    ///
    /// # Errors
    ///
    /// What [`validate`](Self::validate) says; [`Error::Read`] and [`Error::Data`] with the file and the place in it; what
    /// [`Dataset`]'s constructors say.
    pub fn load(&self) -> Result<Loaded, Error> {
        self.validate()?;
        let read = self.read(Known::default(), 0)?;
        let (columns, target_columns) = (&read.columns, &read.target_columns);
        let features = read.data.features();
        let known = Known { columns, target_columns, features, classes: &read.classes };
        let test = self.read_test(known)?;
        let Ready { data, shape, columns, target_columns, targets, classes } = read;
        let (source, samples) = (self.clone(), data.len());
        let trained_on =
            TrainedOn { source, shape, samples, columns, target_columns, targets, scaling: None };
        let (data, test) = match test {
            Some(test) => (data, test),
            None => self.hold_test_out(&data)?,
        };
        Ok(Loaded { data, test, classes, trained_on })
    }

    /// Checks the settings; no file is opened.
    ///
    /// # Errors
    ///
    /// [`Error::DataSetting`]; [`Error::PathNotText`] for a path that is not UTF-8, which no model could keep.
    pub fn validate(&self) -> Result<(), Error> {
        if let Some(path) = self.clone().paths_mut().into_iter().find(|path| path.to_str().is_none()) {
            return Err(Error::PathNotText { path: path.clone() });
        }
        if let Self::Csv(csv) = self {
            csv.validate()?;
        }
        if let Self::Idx(IdxFiles { on_disk: true, scaling, .. }) = self
            && *scaling != Scaling::None
        {
            return Err(Error::DataSetting {
                setting: "scaling of images on disk",
                found: format!("{scaling:?}"),
                expected: "None, which divides bytes by 255; for more there is a Normalization layer",
            });
        }
        self.scaling().validate()?;
        self.split().validate()
    }

    /// How features are scaled.
    pub fn scaling(&self) -> Scaling {
        match self {
            Self::Csv(csv) => csv.scaling,
            Self::Npy(npy) => npy.scaling,
            Self::ImageFolder(folder) => folder.scaling,
            Self::Idx(idx) => idx.scaling,
        }
    }

    /// What is held out.
    pub fn split(&self) -> Split {
        match self {
            Self::Csv(csv) => csv.split,
            Self::Npy(npy) => npy.split,
            Self::ImageFolder(folder) => folder.split,
            Self::Idx(idx) => idx.split,
        }
    }

    /// What targets are.
    pub fn task(&self) -> Task {
        match self {
            Self::Csv(csv) => csv.task,
            Self::Npy(npy) => npy.task,
            Self::ImageFolder(_) | Self::Idx(_) => Task::Classification,
        }
    }

    /// The file or folder of the features to train on.
    pub fn path(&self) -> &Path {
        match self {
            Self::Csv(csv) => &csv.path,
            Self::Npy(npy) => &npy.features,
            Self::ImageFolder(folder) => &folder.path,
            Self::Idx(idx) => &idx.images,
        }
    }

    /// The same with each relative path taken from `folder`.
    pub fn relative_to(mut self, folder: &Path) -> Self {
        for path in self.paths_mut() {
            *path = folder.join(&*path);
        }
        self
    }

    fn paths_mut(&mut self) -> Vec<&mut PathBuf> {
        match self {
            Self::Csv(Csv { path, test, .. }) | Self::ImageFolder(ImageFolder { path, test, .. }) => {
                std::iter::once(path).chain(test).collect()
            }
            Self::Npy(Npy { features, labels, test, .. }) => {
                let test = test.iter_mut().flat_map(|test| [&mut test.features, &mut test.labels]);
                [features, labels].into_iter().chain(test).collect()
            }
            Self::Idx(IdxFiles { images, labels, test, .. }) => {
                let test = test.iter_mut().flat_map(|test| [&mut test.images, &mut test.labels]);
                [images, labels].into_iter().chain(test).collect()
            }
        }
    }

    /// The samples in the files to train on; of the width that is known, as in what follows, and as many as are `expected`, if that is
    /// not 0.
    fn read(&self, known: Known<'_>, expected: usize) -> Result<Ready, Error> {
        let check_count = |found: usize| {
            let refused = || in_file(self.path(), DataError::SampleCount { expected, found });
            if expected == 0 || found == expected { Ok(()) } else { Err(refused()) }
        };
        let samples = match self {
            Self::Csv(csv) => csv.read_known(&csv.path, known, true),
            Self::Npy(npy) => read_npy(npy, &npy.features, &npy.labels, known),
            Self::ImageFolder(folder) => read_folder(folder, &folder.path, known),
            Self::Idx(idx) if idx.on_disk => {
                let ready = open_idx(&idx.images, &idx.labels, known)?;
                check_count(ready.data.len())?;
                return Ok(ready);
            }
            Self::Idx(idx) => read_idx(&idx.images, &idx.labels, known),
        }?;
        check_count(samples.samples)?;
        samples.try_into()
    }

    /// The samples in the files to test with, if there are such files.
    fn read_test(&self, known: Known<'_>) -> Result<Option<Dataset>, Error> {
        let test = match self {
            Self::Csv(csv) => csv.test.as_ref().map(|test| csv.read_known(test, known, true)),
            Self::Npy(npy) => {
                npy.test.as_ref().map(|test| read_npy(npy, &test.features, &test.labels, known))
            }
            Self::ImageFolder(folder) => folder.test.as_ref().map(|test| read_folder(folder, test, known)),
            Self::Idx(IdxFiles { on_disk: true, test: Some(test), .. }) => {
                return open_idx(&test.images, &test.labels, known).map(|ready| Some(ready.data));
            }
            Self::Idx(idx) => idx.test.as_ref().map(|test| read_idx(&test.images, &test.labels, known)),
        };
        test.map(|test| test?.into_dataset()).transpose()
    }

    /// Splits into (rest, test).
    fn hold_test_out(&self, data: &Dataset) -> Result<(Dataset, Dataset), Error> {
        let Split { method, test, seed, .. } = self.split();
        // At least one on either side, where there are two.
        let held_out =
            ((test * data.len() as f64).round() as usize).clamp(1, data.len().saturating_sub(1).max(1));
        method.split(data, held_out, seed)
    }
}

impl TrainedOn {
    /// Fits the scaling to the samples that are trained on, and scales them.
    ///
    /// # Errors
    ///
    /// As [`Dataset::scaled`].
    pub fn scale(&mut self, training: &Dataset) -> Result<Dataset, Error> {
        self.scaling = self.source.scaling().fit(training)?;
        self.scaled(training)
    }

    /// Scales other samples as those that were trained on.
    ///
    /// # Errors
    ///
    /// As [`Dataset::scaled`].
    pub fn scaled(&self, data: &Dataset) -> Result<Dataset, Error> {
        match &self.scaling {
            Some(scaling) => data.scaled(scaling),
            None => Ok(data.clone()),
        }
    }

    /// The samples to test with, read again and scaled. `classes` are those of the model.
    ///
    /// # Errors
    ///
    /// As [`DataSource::load`], and if features or classes are no longer those that the model was trained on. Where a part of
    /// the files was held out, also if they hold more or fewer samples now: others would be held out.
    pub fn read_test(&self, classes: &[String]) -> Result<Dataset, Error> {
        let known = self.known(classes);
        let test = match self.source.read_test(known)? {
            Some(test) => test,
            None => {
                let data = self.source.read(known, self.samples)?.data;
                self.source.hold_test_out(&data)?.1
            }
        };
        self.scaled(&test)
    }

    /// All samples with targets in another file of the same kind, or folder of pictures, scaled. Of NPY files it is the
    /// folder with `features.npy` and `labels.npy`; of IDX files, with `images.idx` and `labels.idx`.
    ///
    /// # Errors
    ///
    /// As [`read_test`](Self::read_test).
    pub fn read_samples(&self, path: &Path, classes: &[String]) -> Result<Dataset, Error> {
        let known = self.known(classes);
        let samples = match &self.source {
            DataSource::Csv(csv) => csv.read_known(path, known, true)?,
            DataSource::Npy(npy) => {
                read_npy(npy, &path.join("features.npy"), &path.join("labels.npy"), known)?
            }
            DataSource::ImageFolder(folder) => read_folder(folder, path, known)?,
            DataSource::Idx(idx) => {
                let (images, labels) = (path.join("images.idx"), path.join("labels.idx"));
                if idx.on_disk {
                    return self.scaled(&open_idx(&images, &labels, known)?.data);
                }
                read_idx(&images, &labels, known)?
            }
        };
        self.scaled(&samples.into_dataset()?)
    }

    /// The samples in a table, whose targets need not be there, as they stand there: not yet [scaled](Self::scaled).
    ///
    /// # Errors
    ///
    /// [`Error::Read`], [`Error::Data`]; [`Error::NotTrainedOn`] if the model was not trained on tables.
    pub fn read_table(&self, path: &Path) -> Result<Samples, Error> {
        match &self.source {
            DataSource::Csv(csv) => csv.read_known(path, self.known(&[]), false),
            _ => Err(Error::NotTrainedOn { path: path.to_owned(), kind: "tables" }),
        }
    }

    /// The pictures in files, as the folder was read: not yet [scaled](Self::scaled).
    ///
    /// # Errors
    ///
    /// [`Error::Read`], [`Error::Data`]; [`Error::NotTrainedOn`] if the model was not trained on a folder of pictures.
    pub fn read_pictures(&self, files: &[PathBuf]) -> Result<Samples, Error> {
        let refused = || files.first().cloned().unwrap_or_default();
        match &self.source {
            DataSource::ImageFolder(folder) => read_pictures(folder, files),
            _ => Err(Error::NotTrainedOn { path: refused(), kind: "folders of pictures" }),
        }
    }

    fn known<'a>(&'a self, classes: &'a [String]) -> Known<'a> {
        let (columns, target_columns) = (&self.columns, &self.target_columns);
        Known { columns, target_columns, features: features_of(&self.shape), classes }
    }
}

/// Samples that are ready, and what they are.
struct Ready {
    data: Dataset,
    shape: Vec<usize>,
    columns: Vec<String>,
    target_columns: Vec<String>,
    /// The names of the targets that are numbers.
    targets: Vec<String>,
    classes: Vec<String>,
}

impl TryFrom<Samples> for Ready {
    type Error = Error;

    fn try_from(mut samples: Samples) -> Result<Self, Error> {
        Ok(Self {
            shape: samples.shape.clone(),
            columns: take(&mut samples.columns),
            target_columns: take(&mut samples.target_columns),
            targets: samples.target_names().to_vec(),
            classes: samples.classes().to_vec(),
            data: samples.into_dataset()?,
        })
    }
}

/// The samples, if they are of the width that is known.
fn of_width(samples: Samples, path: &Path, known: Known<'_>) -> Result<Samples, Error> {
    check_width(&samples.shape, path, known)?;
    Ok(samples)
}

fn check_width(shape: &[usize], path: &Path, known: Known<'_>) -> Result<(), Error> {
    let (expected, found) = (known.features, features_of(shape));
    if expected != 0 && found != expected {
        return Err(in_file(path, DataError::SampleSize { found, expected }));
    }
    Ok(())
}

fn read_npy(npy: &Npy, features: &Path, labels: &Path, known: Known<'_>) -> Result<Samples, Error> {
    of_width(npy.read(features, labels, known)?, features, known)
}

#[cfg(feature = "images")]
fn read_folder(folder: &ImageFolder, path: &Path, known: Known<'_>) -> Result<Samples, Error> {
    of_width(folder.read(path, known)?, path, known)
}

#[cfg(not(feature = "images"))]
fn read_folder(_: &ImageFolder, path: &Path, _: Known<'_>) -> Result<Samples, Error> {
    Err(in_file(path, DataError::FeatureOff { feature: "images" }))
}

#[cfg(feature = "images")]
fn read_pictures(folder: &ImageFolder, files: &[PathBuf]) -> Result<Samples, Error> {
    folder.read_files(files)
}

#[cfg(not(feature = "images"))]
fn read_pictures(folder: &ImageFolder, _: &[PathBuf]) -> Result<Samples, Error> {
    read_folder(folder, &folder.path, Known::default())
}

#[cfg(feature = "idx")]
fn read_idx(images: &Path, labels: &Path, known: Known<'_>) -> Result<Samples, Error> {
    of_width(super::idx::read_files(images, labels, known)?, images, known)
}

#[cfg(all(feature = "idx", any(unix, windows)))]
fn open_idx(images: &Path, labels: &Path, known: Known<'_>) -> Result<Ready, Error> {
    let (data, shape, classes) = super::idx::open_files(images, labels, known)?;
    check_width(&shape, images, known)?;
    let (columns, target_columns, targets) = Default::default();
    Ok(Ready { data, shape, columns, target_columns, targets, classes })
}

#[cfg(not(all(feature = "idx", any(unix, windows))))]
fn open_idx(images: &Path, labels: &Path, known: Known<'_>) -> Result<Ready, Error> {
    read_idx(images, labels, known)?.try_into()
}

#[cfg(not(feature = "idx"))]
fn read_idx(images: &Path, _: &Path, _: Known<'_>) -> Result<Samples, Error> {
    Err(in_file(images, DataError::FeatureOff { feature: "idx" }))
}
