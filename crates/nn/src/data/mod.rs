//! Data on its way to a network: [`Dataset`] holds features and labels, splits them, and gathers batches.
//!
//! Files become [`Samples`], each kind by a description that is plain data, so that a recipe can hold it: [`Csv`],
//! [`Npy`], [`ImageFolder`] and [`IdxFiles`], or any of them as a [`DataSource`]. [`Scaling`] says how features are
//! scaled, [`Split`] which samples are held out. Readers believe a header only as far as the file's length bears it out,
//! and their errors name file and place.

mod classes;
mod csv;
mod dataset;
mod error;
mod fingerprint;
mod gather;
#[cfg(feature = "idx")]
mod idx;
#[cfg(feature = "images")]
mod image;
mod image_folder;
mod npy;
pub(crate) mod read;
mod records;
mod samples;
mod scaling;
mod source;
mod split;

pub use csv::{Column, Columns, Csv, Header};
pub use dataset::{Dataset, MAX_CLASSES};
pub use error::{Cell, DataError, Expected, Pixels};
pub(crate) use gather::{FirstError, GatherRoom};
#[cfg(feature = "images")]
pub use image::{Image, MAX_PIXELS, read_png};
pub use image_folder::{Color, ImageFolder};
pub use npy::{Array, Npy, NpyPair, NpyType, read_features, read_npy};
pub use samples::{Features, Known, Samples, Targets};
pub(crate) use scaling::Ranges;
pub use scaling::{FittedScaling, Scaling};
pub use source::{DataSource, IdxFiles, IdxPair, Loaded, Task, TrainedOn};
pub use split::{HeldOut, Split, SplitMethod, ValidationSplit};
