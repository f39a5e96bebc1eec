//! The well-known sets: names, folders, classes, files, shapes, hashes and oddities. Each is read by its name:
//!
//! ```no_run
//! let letters = idx_dataset::known::EMNIST_LETTERS.read_train("data/emnist")?;
//! assert_eq!(letters.images.shape, [124_800, 28, 28]); // upright, though the files have rows and columns exchanged
//! assert!(letters.labels.iter().all(|&label| label < 26)); // from 0, though the files count from 1
//! # Ok::<(), idx_dataset::Error>(())
//! ```
//!
//! | set | train + test | classes | oddities of the files, put right by [`read_train`](KnownDataset::read_train) and [`read_test`](KnownDataset::read_test) |
//! | --- | --- | --- | --- |
//! | [`MNIST`] | 60,000 + 10,000 | 10 digits | |
//! | [`FASHION_MNIST`] | 60,000 + 10,000 | 10 clothes | |
//! | [`KMNIST`] | 60,000 + 10,000 | 10 hiragana | |
//! | [`QMNIST`] | 60,000 + 60,000 | 10 digits | labels are rows of 8 numbers, of which the first is the digit |
//! | [`EMNIST_BY_CLASS`] | 697,932 + 116,323 | 62: digits, A–Z, a–z | transposed images |
//! | [`EMNIST_BY_MERGE`] | 697,932 + 116,323 | 47: like-shaped cases merged | transposed images |
//! | [`EMNIST_BALANCED`] | 112,800 + 18,800 | 47, equally many of each | transposed images |
//! | [`EMNIST_LETTERS`] | 124,800 + 20,800 | 26, both cases | transposed images, labels from 1 |
//! | [`EMNIST_DIGITS`] | 240,000 + 40,000 | 10 digits | transposed images |
//! | [`EMNIST_MNIST`] | 60,000 + 10,000 | 10 digits | transposed images |
//!
//! SHA-256 of the files is known of MNIST and Fashion-MNIST (uncompressed, as we read them ourselves) and of KMNIST and QMNIST
//! (compressed, as TensorFlow Datasets states them). **Of EMNIST's 24 files there is none**: its source could not be reached from
//! here, and others state only that of the archive that holds them all (`gzip.zip`, 561,753,746 bytes; TensorFlow Datasets,
//! `url_checksums/emnist.txt`): `fb9bb67e33772a9cc0b895e4ecf36d2cf35be8b709693c3564cea2a019fcda8e`. No file of it was
//! at hand to try its constants on. Reading compares types, shapes, counts and labels, never a hash.

use std::path::Path;

use crate::dataset::{LABELS_START, check_counts, read_labels};
use crate::header::SIZE_LEN;
use crate::{ElementType, Error, Idx, Origin, Pair, Values, read};

/// What is known about a set of images with labels, before any file of it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KnownDataset {
    /// The name by which [`find`] knows it.
    pub name: &'static str,
    /// The folder that its files usually are in.
    pub folder: &'static str,
    /// The name of each class, in the order of the labels.
    pub classes: &'static [&'static str],
    /// The label of the first class in the files: 0, but 1 for EMNIST's letters.
    pub first_label: u8,
    /// Whether the images lie in the files with rows and columns exchanged.
    pub transposed: bool,
    /// What to train on.
    pub train: Split,
    /// What to test with.
    pub test: Split,
}

/// Two files that belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Split {
    /// Images of u8, one to an item.
    pub images: KnownFile,
    /// Labels of u8, or QMNIST's rows of i32.
    pub labels: KnownFile,
}

/// One file of a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KnownFile {
    /// Its name, without `.gz`: see [`find`](crate::find).
    pub name: &'static str,
    /// The shape, where every copy of the set has the same.
    pub shape: Option<&'static [usize]>,
    /// SHA-256 of the uncompressed file in lower-case hexadecimal digits, where we have seen it ourselves.
    pub sha256: Option<&'static str>,
    /// SHA-256 of the `.gz` as it is published, where others state it.
    pub gzip_sha256: Option<&'static str>,
}

/// All sets, in the order in which to list them.
#[rustfmt::skip]
pub static ALL: [KnownDataset; 10] = [
    MNIST, FASHION_MNIST, KMNIST, QMNIST,
    EMNIST_BY_CLASS, EMNIST_BY_MERGE, EMNIST_BALANCED, EMNIST_LETTERS, EMNIST_DIGITS, EMNIST_MNIST,
];

/// The set of that name.
///
/// ```
/// let mnist = idx_dataset::known::find("mnist").ok_or("unknown")?;
/// assert_eq!(mnist.train.images.shape, Some(&[60_000, 28, 28][..]));
/// # Ok::<(), &str>(())
/// ```
pub fn find(name: &str) -> Option<&'static KnownDataset> {
    ALL.iter().find(|dataset| dataset.name == name)
}

/// MNIST: 70,000 handwritten digits of 28 × 28 pixels, by Yann LeCun and Corinna Cortes.
pub const MNIST: KnownDataset = KnownDataset::with_mnist_names("mnist", "mnist", DIGITS)
    .shapes(&[60_000, 28, 28], &[60_000], &[10_000, 28, 28], &[10_000])
    .sha256([
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ]);

/// Fashion-MNIST: 70,000 pictures of clothing of 28 × 28 pixels, by Zalando Research.
pub const FASHION_MNIST: KnownDataset =
    KnownDataset::with_mnist_names("fashion-mnist", "fashion-mnist", CLOTHES)
        .shapes(&[60_000, 28, 28], &[60_000], &[10_000, 28, 28], &[10_000])
        .sha256([
            "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
            "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
            "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
            "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
        ]);

/// Kuzushiji-MNIST: 70,000 characters of 28 × 28 pixels from old Japanese books, by the ROIS-DS Center for Open Data in the
/// Humanities. The hashes are those of TensorFlow Datasets (`url_checksums/kmnist.txt`).
pub const KMNIST: KnownDataset = KnownDataset::with_mnist_names("kmnist", "kmnist", HIRAGANA)
    .shapes(&[60_000, 28, 28], &[60_000], &[10_000, 28, 28], &[10_000])
    .gzip_sha256([
        "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4",
        "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17",
        "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5",
        "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c",
    ]);

/// QMNIST: MNIST made anew from its sources, with all 60,000 test images, by Chhavi Yadav and Léon Bottou. The hashes are those
/// of TensorFlow Datasets (`url_checksums/qmnist.txt`).
pub const QMNIST: KnownDataset = KnownDataset::new(
    "qmnist",
    "qmnist",
    DIGITS,
    [
        "qmnist-train-images-idx3-ubyte",
        "qmnist-train-labels-idx2-int",
        "qmnist-test-images-idx3-ubyte",
        "qmnist-test-labels-idx2-int",
    ],
)
.shapes(&[60_000, 28, 28], &[60_000, 8], &[60_000, 28, 28], &[60_000, 8])
.gzip_sha256([
    "9e26a7bf1683614e065d7b76460ccd52807165b3f22561fb782bd9f38c52b51d",
    "2c05dc77f6b916b38e455e97ab129a42a444f3dbef09b278a366f82904e0dd9f",
    "43fc22bf7498b8fc98de98369d72f752d0deabc280a43a7bcc364ab19e57b375",
    "9fbcbe594c3766fdf4f0b15c5165dc0d1e57ac604e01422608bb72c906030d06",
]);

/// One of EMNIST's six sets, by its name in the files' names.
macro_rules! emnist {
    ($name:literal, $classes:expr, $train:literal, $test:literal) => {
        KnownDataset::new(
            concat!("emnist-", $name),
            "emnist",
            $classes,
            [
                concat!("emnist-", $name, "-train-images-idx3-ubyte"),
                concat!("emnist-", $name, "-train-labels-idx1-ubyte"),
                concat!("emnist-", $name, "-test-images-idx3-ubyte"),
                concat!("emnist-", $name, "-test-labels-idx1-ubyte"),
            ],
        )
        .shapes(&[$train, 28, 28], &[$train], &[$test, 28, 28], &[$test])
        .transposed()
    };
}

/// EMNIST by class: 814,255 digits, capital and small letters of 28 × 28 pixels, by Cohen, Afshar, Tapson and van Schaik.
pub const EMNIST_BY_CLASS: KnownDataset = emnist!("byclass", ALPHANUMERIC, 697_932, 116_323);

/// EMNIST by merge: the same, with small letters that look like their capitals in one class with these.
pub const EMNIST_BY_MERGE: KnownDataset = emnist!("bymerge", MERGED, 697_932, 116_323);

/// EMNIST balanced: of the 47 merged classes equally many each.
pub const EMNIST_BALANCED: KnownDataset = emnist!("balanced", MERGED, 112_800, 18_800);

/// EMNIST letters: capital and small ones of each letter in one class.
pub const EMNIST_LETTERS: KnownDataset = {
    let mut letters = emnist!("letters", ALPHANUMERIC.split_at(10).1.split_at(26).0, 124_800, 20_800);
    letters.first_label = 1;
    letters
};

/// EMNIST digits: of the ten digits equally many each.
pub const EMNIST_DIGITS: KnownDataset = emnist!("digits", DIGITS, 240_000, 40_000);

/// EMNIST MNIST: as many digits as MNIST has.
pub const EMNIST_MNIST: KnownDataset = emnist!("mnist", DIGITS, 60_000, 10_000);

const DIGITS: &[&str] = ALPHANUMERIC.split_at(10).0;

#[rustfmt::skip]
const CLOTHES: &[&str] = &[
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
];

const HIRAGANA: &[&str] = &["お", "き", "す", "つ", "な", "は", "ま", "や", "れ", "を"];

#[rustfmt::skip]
const ALPHANUMERIC: &[&str] = &[
    "0", "1", "2", "3", "4", "5", "6", "7", "8", "9",
    "A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K", "L", "M",
    "N", "O", "P", "Q", "R", "S", "T", "U", "V", "W", "X", "Y", "Z",
    "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m",
    "n", "o", "p", "q", "r", "s", "t", "u", "v", "w", "x", "y", "z",
];

#[rustfmt::skip]
const MERGED: &[&str] = &[
    "0", "1", "2", "3", "4", "5", "6", "7", "8", "9",
    "A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K", "L", "M",
    "N", "O", "P", "Q", "R", "S", "T", "U", "V", "W", "X", "Y", "Z",
    "a", "b", "d", "e", "f", "g", "h", "n", "q", "r", "t",
];

impl KnownDataset {
    /// A set of one's own in files of MNIST's names: `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, and the two that
    /// begin with `t10k`.
    pub const fn with_mnist_names(
        name: &'static str,
        folder: &'static str,
        classes: &'static [&'static str],
    ) -> Self {
        let names = [
            "train-images-idx3-ubyte",
            "train-labels-idx1-ubyte",
            "t10k-images-idx3-ubyte",
            "t10k-labels-idx1-ubyte",
        ];
        Self::new(name, folder, classes, names)
    }

    /// A set in four files: images and labels to train on, images and labels to test with.
    pub const fn new(
        name: &'static str,
        folder: &'static str,
        classes: &'static [&'static str],
        files: [&'static str; 4],
    ) -> Self {
        const fn file(name: &'static str) -> KnownFile {
            KnownFile { name, shape: None, sha256: None, gzip_sha256: None }
        }
        let train = Split { images: file(files[0]), labels: file(files[1]) };
        let test = Split { images: file(files[2]), labels: file(files[3]) };
        Self { name, folder, classes, first_label: 0, transposed: false, train, test }
    }

    const fn shapes(
        mut self,
        train_images: &'static [usize],
        train_labels: &'static [usize],
        test_images: &'static [usize],
        test_labels: &'static [usize],
    ) -> Self {
        self.train.images.shape = Some(train_images);
        self.train.labels.shape = Some(train_labels);
        self.test.images.shape = Some(test_images);
        self.test.labels.shape = Some(test_labels);
        self
    }

    const fn sha256(mut self, files: [&'static str; 4]) -> Self {
        self.train.images.sha256 = Some(files[0]);
        self.train.labels.sha256 = Some(files[1]);
        self.test.images.sha256 = Some(files[2]);
        self.test.labels.sha256 = Some(files[3]);
        self
    }

    const fn gzip_sha256(mut self, files: [&'static str; 4]) -> Self {
        self.train.images.gzip_sha256 = Some(files[0]);
        self.train.labels.gzip_sha256 = Some(files[1]);
        self.test.images.gzip_sha256 = Some(files[2]);
        self.test.labels.gzip_sha256 = Some(files[3]);
        self
    }

    const fn transposed(mut self) -> Self {
        self.transposed = true;
        self
    }

    /// Reads the images to train on from the set's files in `folder`, each plain or as `.gz`: upright, with labels from 0.
    ///
    /// # Errors
    ///
    /// Those of [`read_pair`](crate::read_pair); if images are not of u8, shapes are not what is known of the set, or a label is
    /// none of its classes.
    pub fn read_train(&self, folder: impl AsRef<Path>) -> Result<Pair, Error> {
        self.read(&self.train, folder.as_ref())
    }

    /// Reads the images to test with, as [`read_train`](Self::read_train) does.
    ///
    /// # Errors
    ///
    /// As [`read_train`](Self::read_train).
    pub fn read_test(&self, folder: impl AsRef<Path>) -> Result<Pair, Error> {
        self.read(&self.test, folder.as_ref())
    }

    fn read(&self, split: &Split, folder: &Path) -> Result<Pair, Error> {
        let images_path = crate::find(folder, split.images.name);
        let labels_path = crate::find(folder, split.labels.name);
        let labels = match split.labels.shape {
            Some(shape @ &[_, columns]) => self.read_rows(&labels_path, shape, columns)?,
            shape => self.read_labels(&labels_path, shape)?,
        };
        let mut images = read(&images_path)?;
        check_counts(&images_path, images.n_items(), &labels_path, labels.len())?;
        let origin = Origin::File(images_path);
        check_type(ElementType::U8, images.element_type(), &origin)?;
        check_shape(split.images.shape, &images.shape, &origin)?;
        if self.transposed {
            images.transpose_items();
        }
        Ok(Pair { images, labels })
    }

    /// Reads labels of u8, as numbers of classes.
    fn read_labels(&self, path: &Path, shape: Option<&[usize]>) -> Result<Vec<u8>, Error> {
        let labels = read_labels(path)?;
        let origin = Origin::File(path.to_owned());
        check_shape(shape, &[labels.len()], &origin)?;
        let class = |(item, &label): (usize, &u8)| self.class(label.into(), LABELS_START + item, &origin);
        labels.iter().enumerate().map(class).collect()
    }

    /// Reads labels that are the first of several numbers in a row, as QMNIST has them.
    fn read_rows(&self, path: &Path, shape: &[usize], columns: usize) -> Result<Vec<u8>, Error> {
        const ROWS_START: usize = LABELS_START + SIZE_LEN;
        let rows = read(path)?;
        let origin = Origin::File(path.to_owned());
        check_type(ElementType::I32, rows.element_type(), &origin)?;
        check_shape(Some(shape), &rows.shape, &origin)?;
        let numbers = rows.values.as_slice::<i32>().unwrap_or_default();
        let class = |(item, row): (usize, &[i32])| {
            self.class(row[0].into(), ROWS_START + item * columns * size_of::<i32>(), &origin)
        };
        numbers.chunks_exact(columns.max(1)).enumerate().map(class).collect()
    }

    /// The class that a label in a file stands for.
    fn class(&self, label: i64, offset: usize, origin: &Origin) -> Result<u8, Error> {
        let (first, classes) = (self.first_label, self.classes.len());
        match u8::try_from(label - i64::from(first)) {
            Ok(class) if usize::from(class) < classes => Ok(class),
            _ => {
                let (origin, offset) = (origin.clone(), offset as u64);
                Err(Error::LabelRange { origin, offset, first, classes, found: label })
            }
        }
    }
}

fn check_type(expected: ElementType, found: ElementType, origin: &Origin) -> Result<(), Error> {
    match found == expected {
        true => Ok(()),
        false => Err(Error::WrongType { origin: origin.clone(), expected, found }),
    }
}

/// That a file has the shape that is known of it, if one is.
fn check_shape(known: Option<&[usize]>, found: &[usize], origin: &Origin) -> Result<(), Error> {
    match known {
        Some(expected) if found != expected => Err(Error::WrongShape {
            origin: origin.clone(),
            expected: expected.to_vec(),
            found: found.to_vec(),
        }),
        _ => Ok(()),
    }
}

impl Idx {
    /// Exchanges rows and columns of each item; nothing changes if items do not have two dimensions, or there are not as many
    /// values as the shape says. It puts EMNIST's images upright.
    ///
    /// ```
    /// use idx_dataset::{Idx, Values};
    ///
    /// let mut image = Idx { shape: vec![1, 2, 3], values: Values::U8(vec![1, 2, 3, 4, 5, 6]) };
    /// image.transpose_items();
    /// assert_eq!(image, Idx { shape: vec![1, 3, 2], values: Values::U8(vec![1, 4, 2, 5, 3, 6]) });
    /// ```
    pub fn transpose_items(&mut self) {
        fn transpose<T: Copy>(values: &mut [T], rows: usize, columns: usize) {
            if values.is_empty() {
                return; // rows and columns of nothing may be so many that their product is no number
            }
            let mut old = Vec::with_capacity(rows * columns);
            for item in values.chunks_exact_mut(rows * columns) {
                old.clear();
                old.extend_from_slice(item);
                for (place, value) in item.iter_mut().enumerate() {
                    *value = old[place % rows * columns + place / rows];
                }
            }
        }
        let [_, rows, columns] = self.shape[..] else { return };
        if !self.is_whole(self.values.len()) {
            return;
        }
        match &mut self.values {
            Values::U8(values) => transpose(values, rows, columns),
            Values::I8(values) => transpose(values, rows, columns),
            Values::I16(values) => transpose(values, rows, columns),
            Values::I32(values) => transpose(values, rows, columns),
            Values::F32(values) => transpose(values, rows, columns),
            Values::F64(values) => transpose(values, rows, columns),
        }
        self.shape.swap(1, 2);
    }
}
