//! Images with their labels, in two files of one folder.

use std::path::{Path, PathBuf};

use crate::header::{SIZE_LEN, START_LEN};
use crate::{Error, Idx, Origin, Values, read};

/// Images and their labels, item by item.
#[derive(Clone, Debug, PartialEq)]
pub struct Pair {
    /// The images, one to an item.
    pub images: Idx,
    /// As many labels.
    pub labels: Vec<u8>,
}

impl Pair {
    /// The first `n` images with their labels, and the others: to hold out the last ones for validation.
    ///
    /// # Panics
    ///
    /// If there are fewer than `n`.
    #[track_caller]
    pub fn split_at(&self, n: usize) -> (Self, Self) {
        let (first, rest): (Vec<usize>, Vec<usize>) = ((0..n).collect(), (n..self.labels.len()).collect());
        (self.select(&first), self.select(&rest))
    }

    /// The images of these numbers with their labels, in this order; a number may come more than once.
    ///
    /// # Panics
    ///
    /// If there is no image or label of such a number.
    #[track_caller]
    pub fn select(&self, items: &[usize]) -> Self {
        let labels = items.iter().map(|&item| self.labels[item]).collect();
        Self { images: self.images.select(items), labels }
    }

    /// The numbers of the images of each class, in rising order: to draw a split in which each class has its share.
    ///
    /// ```
    /// # use idx_dataset::{Idx, Pair, Values};
    /// let images = Idx { shape: vec![4, 1], values: Values::U8(vec![10, 20, 30, 40]) };
    /// let pair = Pair { images, labels: vec![1, 0, 1, 1] };
    /// assert_eq!(pair.items_by_class(), [vec![1], vec![0, 2, 3]]);
    /// ```
    pub fn items_by_class(&self) -> Vec<Vec<usize>> {
        let classes = self.labels.iter().max().map_or(0, |&label| usize::from(label) + 1);
        let mut items = vec![Vec::new(); classes];
        for (item, &label) in self.labels.iter().enumerate() {
            items[usize::from(label)].push(item);
        }
        items
    }
}

impl Idx {
    /// The items of these numbers, in this order; a number may come more than once.
    ///
    /// # Panics
    ///
    /// If there is no item of such a number, or there are not as many values as the shape says.
    #[track_caller]
    pub fn select(&self, items: &[usize]) -> Self {
        assert!(self.is_whole(self.values.len()), "select: expected the values of shape {:?}", self.shape);
        let missing = items.iter().find(|&&item| item >= self.n_items());
        assert_eq!(missing, None, "select: expected items below {}", self.n_items());
        let len = self.item_len();
        fn gather<T: Copy>(values: &[T], items: &[usize], len: usize) -> Vec<T> {
            let mut gathered = Vec::with_capacity(items.len() * len);
            items.iter().for_each(|&item| gathered.extend_from_slice(&values[item * len..][..len]));
            gathered
        }
        let values = match &self.values {
            Values::U8(values) => Values::U8(gather(values, items, len)),
            Values::I8(values) => Values::I8(gather(values, items, len)),
            Values::I16(values) => Values::I16(gather(values, items, len)),
            Values::I32(values) => Values::I32(gather(values, items, len)),
            Values::F32(values) => Values::F32(gather(values, items, len)),
            Values::F64(values) => Values::F64(gather(values, items, len)),
        };
        let mut shape = vec![items.len()];
        shape.extend(self.shape.iter().skip(1));
        Self { shape, values }
    }
}

/// Reads a file of images and a file of labels that belong together.
///
/// # Errors
///
/// Those of [`read`](fn@read); if the labels are not one dimension of u8, or not as many as the images.
pub fn read_pair(images: impl AsRef<Path>, labels: impl AsRef<Path>) -> Result<Pair, Error> {
    let (images_path, labels_path) = (images.as_ref(), labels.as_ref());
    // The labels come first: they are small, and where the two paths are swapped this is where it shows.
    let labels = read_labels(labels_path)?;
    let images = read(images_path)?;
    check_counts(images_path, images.n_items(), labels_path, labels.len())?;
    Ok(Pair { images, labels })
}

/// Reads a file of labels: one dimension of u8.
///
/// # Errors
///
/// Those of [`read`](fn@read); [`Error::NotLabels`] if the file has something else.
pub fn read_labels(path: impl AsRef<Path>) -> Result<Vec<u8>, Error> {
    let path = path.as_ref();
    let labels = read(path)?;
    let element_type = labels.element_type();
    match (labels.values, labels.shape.len()) {
        (Values::U8(values), 1) => Ok(values),
        _ => {
            let origin = Origin::File(path.to_owned());
            Err(Error::NotLabels { origin, element_type, shape: labels.shape })
        }
    }
}

/// That there is a label for each image. The paths are those of the files that have so many, for the error to name.
///
/// # Errors
///
/// [`Error::CountMismatch`] if the numbers differ.
pub fn check_counts(
    images: impl AsRef<Path>,
    n_images: usize,
    labels: impl AsRef<Path>,
    n_labels: usize,
) -> Result<(), Error> {
    match n_images == n_labels {
        true => Ok(()),
        false => Err(Error::CountMismatch {
            images: images.as_ref().to_owned(),
            labels: labels.as_ref().to_owned(),
            expected: n_images,
            found: n_labels,
        }),
    }
}

/// That each label is below `classes`. The path is that of the file of labels, for the error to name.
///
/// ```
/// let error = idx_dataset::check_labels("labels", &[1, 0, 2], 2).unwrap_err().to_string();
/// assert_eq!(error, "labels: byte 10: expected a label of 2 classes from 0, found 2");
/// ```
///
/// # Errors
///
/// [`Error::LabelRange`], with the place in a plain file, for the first one that is not.
pub fn check_labels(path: impl AsRef<Path>, labels: &[u8], classes: usize) -> Result<(), Error> {
    check_range(labels, classes, || Origin::File(path.as_ref().to_owned()), LABELS_START)
}

/// The path of the file `name` in `folder`: the plain file if there is one, else `name.gz` if that is there, else the
/// plain file's, for [`read`](fn@read) to report as missing.
pub fn find(folder: impl AsRef<Path>, name: &str) -> PathBuf {
    let plain = folder.as_ref().join(name);
    let compressed = folder.as_ref().join(format!("{name}.gz"));
    if !plain.exists() && compressed.exists() { compressed } else { plain }
}

/// Labels as rows of `classes` numbers, row after row: 1 in the column of the label, 0 elsewhere.
///
/// ```
/// let rows = idx_dataset::one_hot(&[2, 0], 3)?;
/// assert_eq!(rows, [0.0, 0.0, 1.0, 1.0, 0.0, 0.0]);
/// # Ok::<(), idx_dataset::Error>(())
/// ```
///
/// # Errors
///
/// If a label is not below `classes`, or there is no memory for the rows.
pub fn one_hot(labels: &[u8], classes: usize) -> Result<Vec<f32>, Error> {
    check_range(labels, classes, || Origin::Bytes, 0)?;
    let n_values = labels.len().saturating_mul(classes);
    let mut rows = Vec::new();
    rows.try_reserve_exact(n_values).map_err(|source| Error::OutOfMemory {
        origin: Origin::Bytes,
        shape: vec![labels.len(), classes],
        bytes: n_values.saturating_mul(size_of::<f32>()),
        source,
    })?;
    rows.resize(n_values, 0.0);
    for (item, &label) in labels.iter().enumerate() {
        rows[item * classes + usize::from(label)] = 1.0;
    }
    Ok(rows)
}

/// That each label is below `classes`. The labels begin at byte `start`.
fn check_range(
    labels: &[u8],
    classes: usize,
    origin: impl FnOnce() -> Origin,
    start: usize,
) -> Result<(), Error> {
    match labels.iter().position(|&label| usize::from(label) >= classes) {
        None => Ok(()),
        Some(item) => Err(Error::LabelRange {
            origin: origin(),
            offset: (start + item) as u64,
            first: 0,
            classes,
            found: labels[item].into(),
        }),
    }
}

/// Where the labels of a file of one dimension begin.
pub(crate) const LABELS_START: usize = START_LEN + SIZE_LEN;
