//! Pictures in one folder for each class.

use super::scaling::Scaling;
use super::split::Split;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A folder that holds one folder for each class, which holds PNG files, all of one size.
///
/// Pixels are bytes in the order rows × columns × channels; 16 bits become 8, and what is transparent shows white.
/// Classes are numbered in the order of the folders' names (by value if all are numbers, otherwise by their bytes);
/// samples follow the folders' names and then the files', both by their bytes. Names that begin with `.` are passed over; anything
/// else in a class's folder that is no PNG is refused, so that no sample is lost unseen. Beside the folders of the
/// classes files are passed over, unless they are PNGs.
///
/// Needs the feature `images`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageFolder {
    /// The folder.
    pub path: PathBuf,
    /// Grey or colours. Default: `AsStored`.
    #[serde(default)]
    pub color: Color,
    /// How pixels are scaled. Default: `None`, which leaves them the shares of 255 that bytes are.
    #[serde(default)]
    pub scaling: Scaling,
    /// A folder of the same form with the test pictures. Default: none; a part of `path` is held out.
    #[serde(default)]
    pub test: Option<PathBuf>,
    /// What is held out.
    #[serde(default)]
    pub split: Split,
}

/// What a pixel consists of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Color {
    /// One value if the picture is stored in shades of grey, three if in colours or with a palette.
    #[default]
    AsStored,
    /// One value; colours become grey by the luma of ITU-R BT.601.
    Grayscale,
    /// Red, green and blue.
    Rgb,
}

impl ImageFolder {
    /// A folder with the default settings.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            color: Color::default(),
            scaling: Scaling::default(),
            test: None,
            split: Split::default(),
        }
    }
}

#[cfg(feature = "images")]
mod reading {
    use super::super::classes::{Classes, Refused};
    use super::super::error::{DataError, Pixels};
    use super::super::image::{Image, read_png};
    use super::super::read::{in_file, unreadable};
    use super::super::samples::{Features, Known, Samples, Targets};
    use super::{Color, ImageFolder};
    use crate::error::Error;
    use std::fs;
    use std::path::{Path, PathBuf};

    /// The most bytes that all pictures of a folder may take, 16 GiB. A PNG can hold a thousand times its own size.
    const MAX_BYTES: u64 = 16 << 30;

    impl ImageFolder {
        /// Reads the pictures of all classes. With classes that are `known`, each folder must be one of them.
        ///
        /// # Errors
        ///
        /// [`Error::Read`], and [`Error::Data`] with the file that is no picture, or unlike the first one.
        pub fn read(&self, path: &Path, known: Known<'_>) -> Result<Samples, Error> {
            let mut classes = Classes::new(known.classes);
            let mut pictures = Pictures::new(self.color);
            let mut folders = Vec::new();
            for entry in entries(path)? {
                if entry.is_folder {
                    folders.push(entry.path);
                } else if is_png(&entry.path) {
                    return Err(in_file(&entry.path, DataError::OutsideClasses));
                }
            }
            if folders.is_empty() {
                return Err(in_file(path, DataError::NoClassFolders));
            }
            for folder in folders {
                let name = folder.file_name().and_then(|name| name.to_str());
                let Some(name) = name else { return Err(in_file(&folder, DataError::ClassName)) };
                for entry in entries(&folder)? {
                    if entry.is_folder || !is_png(&entry.path) {
                        return Err(in_file(&entry.path, DataError::NotAPicture));
                    }
                    pictures.push(&entry.path)?;
                    classes.push(name).map_err(|refused| {
                        in_file(
                            &folder,
                            match refused {
                                Refused::Unknown { classes } => DataError::UnknownFolder { classes },
                                Refused::TooMany => DataError::TooManyClassFolders,
                            },
                        )
                    })?;
                }
            }
            let (names, labels) = classes.finish();
            pictures.finish(path, Targets::Classes { names, labels })
        }

        /// Reads PNG files as this folder's are read.
        ///
        /// # Errors
        ///
        /// As [`read`](Self::read).
        pub fn read_files(&self, files: &[PathBuf]) -> Result<Samples, Error> {
            let mut pictures = Pictures::new(self.color);
            for file in files {
                pictures.push(file)?;
            }
            pictures.finish(&self.path, Targets::Unknown)
        }
    }

    /// Pictures of one size, one after the other.
    struct Pictures {
        color: Color,
        size: Option<Pixels>,
        bytes: Vec<u8>,
        samples: usize,
    }

    impl Pictures {
        fn new(color: Color) -> Self {
            Self { color, size: None, bytes: Vec::new(), samples: 0 }
        }

        fn push(&mut self, path: &Path) -> Result<(), Error> {
            let Image { width, height, channels, pixels } = read_png(path, self.color)?;
            let found = Pixels { width, height, channels };
            let expected = *self.size.get_or_insert(found);
            if found != expected {
                return Err(in_file(path, DataError::OtherPicture { expected, found }));
            }
            let too_many = self.bytes.len() as u64 + pixels.len() as u64 > MAX_BYTES;
            if too_many || self.bytes.try_reserve(pixels.len()).is_err() {
                return Err(in_file(path, DataError::TooManyPictures { limit: MAX_BYTES }));
            }
            self.bytes.extend_from_slice(&pixels);
            self.samples += 1;
            Ok(())
        }

        fn finish(self, path: &Path, targets: Targets) -> Result<Samples, Error> {
            let Some(Pixels { width, height, channels }) = self.size else {
                return Err(in_file(path, DataError::NoPictures));
            };
            let shape = if channels == 1 { vec![height, width] } else { vec![height, width, channels] };
            let (features, columns, target_columns) = (Features::Bytes(self.bytes), Vec::new(), Vec::new());
            Ok(Samples { features, shape, columns, target_columns, targets, samples: self.samples })
        }
    }

    struct Entry {
        path: PathBuf,
        is_folder: bool,
    }

    /// What is in a folder and not hidden, by name. Links are followed, one level deep: they cannot lead in circles.
    fn entries(folder: &Path) -> Result<Vec<Entry>, Error> {
        let mut entries = Vec::new();
        let listed = fs::read_dir(folder).map_err(|source| unreadable(folder, source))?;
        for entry in listed {
            let entry = entry.map_err(|source| unreadable(folder, source))?;
            if entry.file_name().as_encoded_bytes().starts_with(b".") {
                continue;
            }
            let path = entry.path();
            let kind = fs::metadata(&path).map_err(|source| unreadable(&path, source))?;
            entries.push(Entry { path, is_folder: kind.is_dir() });
        }
        entries.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(entries)
    }

    fn is_png(path: &Path) -> bool {
        path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("png"))
    }
}
