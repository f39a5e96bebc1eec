//! Images with their labels, in two files of one folder.

use std::path::{Path, PathBuf};

use crate::{Error, Idx, Values, read};

/// Images and their labels, item by item.
#[derive(Clone, Debug, PartialEq)]
pub struct Pair {
    /// The images, one to an item.
    pub images: Idx,
    /// As many labels.
    pub labels: Vec<u8>,
}

/// Reads a file of images and a file of labels that belong together.
///
/// # Errors
///
/// Those of [`read`]; if the labels are not one dimension of u8, or not as many as the images.
pub fn read_pair(images: impl AsRef<Path>, labels: impl AsRef<Path>) -> Result<Pair, Error> {
    let (images_path, labels_path) = (images.as_ref(), labels.as_ref());
    // The labels come first: they are small, and where the two paths are swapped this is where it shows.
    let labels = read(labels_path)?;
    let element_type = labels.element_type();
    let (Values::U8(labels), [found]) = (labels.values, labels.shape.as_slice()) else {
        return Err(Error::NotLabels { path: labels_path.to_owned(), element_type, shape: labels.shape });
    };
    let images = read(images_path)?;
    if images.items() != *found {
        return Err(Error::CountMismatch {
            images: images_path.to_owned(),
            labels: labels_path.to_owned(),
            expected: images.items(),
            found: *found,
        });
    }
    Ok(Pair { images, labels })
}

/// The path of the file `name` in `folder`: the plain file if there is one, else `name.gz` if that is there, else the
/// plain file's, for [`read`] to report as missing.
pub fn find(folder: impl AsRef<Path>, name: &str) -> PathBuf {
    let plain = folder.as_ref().join(name);
    let compressed = folder.as_ref().join(format!("{name}.gz"));
    if !plain.exists() && compressed.exists() { compressed } else { plain }
}
