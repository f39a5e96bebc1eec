//! The well-known sets: names, folders, classes, files, shapes and hashes. Nothing here opens a file.

/// What is known about a set of images with labels, before any file of it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KnownDataset {
    /// The name by which [`find`] knows it.
    pub name: &'static str,
    /// The folder that its files usually are in.
    pub folder: &'static str,
    /// The name of each class, in the order of the labels from 0.
    pub classes: &'static [&'static str],
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
    /// Labels of u8.
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
    /// SHA-256 of the uncompressed file in lower-case hexadecimal digits, where every copy of the set has the same.
    pub sha256: Option<&'static str>,
}

/// All sets, in the order in which to list them.
pub static ALL: [KnownDataset; 3] = [MNIST, FASHION_MNIST, MNIST_SAMPLE];

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
pub const MNIST: KnownDataset = with_mnist_shapes(
    with_mnist_names("mnist", "mnist", DIGITS),
    [
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ],
);

/// Fashion-MNIST: 70,000 pictures of clothing of 28 × 28 pixels, by Zalando Research.
pub const FASHION_MNIST: KnownDataset = with_mnist_shapes(
    with_mnist_names("fashion-mnist", "fashion-mnist", CLOTHES),
    [
        "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    ],
);

/// A cut from MNIST. How many images it has is for its own files to say.
pub const MNIST_SAMPLE: KnownDataset = with_mnist_names("mnist-sample", "sample", DIGITS);

const DIGITS: &[&str] = &["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

#[rustfmt::skip]
const CLOTHES: &[&str] = &[
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
];

/// A set in files of MNIST's names.
const fn with_mnist_names(
    name: &'static str,
    folder: &'static str,
    classes: &'static [&'static str],
) -> KnownDataset {
    const fn split(images: &'static str, labels: &'static str) -> Split {
        Split {
            images: KnownFile { name: images, shape: None, sha256: None },
            labels: KnownFile { name: labels, shape: None, sha256: None },
        }
    }
    let train = split("train-images-idx3-ubyte", "train-labels-idx1-ubyte");
    let test = split("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte");
    KnownDataset { name, folder, classes, train, test }
}

/// The same with MNIST's shapes and these hashes: of the images and labels to train on, then of those to test with.
const fn with_mnist_shapes(mut dataset: KnownDataset, sha256: [&'static str; 4]) -> KnownDataset {
    const fn describe(file: &mut KnownFile, shape: &'static [usize], sha256: &'static str) {
        file.shape = Some(shape);
        file.sha256 = Some(sha256);
    }
    describe(&mut dataset.train.images, &[60_000, 28, 28], sha256[0]);
    describe(&mut dataset.train.labels, &[60_000], sha256[1]);
    describe(&mut dataset.test.images, &[10_000, 28, 28], sha256[2]);
    describe(&mut dataset.test.labels, &[10_000], sha256[3]);
    dataset
}
