//! What is trained on and tested with: a name or a folder with four IDX files in it, or files that a recipe describes.

use crate::error::Error;
use densely::data::{DataSource, Loaded, Task, TrainedOn};
use densely::recipe::Data;
use densely::{Dataset, Sequential};
use idx_dataset::known::{FASHION_MNIST, KnownDataset, MNIST, Split};
use std::env;
use std::path::{Path, PathBuf};

/// The sets that a name stands for, in files of MNIST's names.
pub(crate) static NAMED: [KnownDataset; 3] = [MNIST, FASHION_MNIST, MNIST_SAMPLE];

/// A cut from MNIST, which comes with the repository. How many images it has is for its own files to say.
pub(crate) const MNIST_SAMPLE: KnownDataset =
    KnownDataset::with_mnist_names("mnist-sample", "sample", MNIST.classes);

/// The set of that name.
pub(crate) fn named(name: &str) -> Option<&'static KnownDataset> {
    NAMED.iter().find(|dataset| dataset.name == name)
}

/// Where data are.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// The four files of a set such as MNIST.
    Files(Files),
    /// What a recipe describes.
    Described(DataSource),
}

/// A folder with the four files.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    /// What it is called in messages and in `metrics.json`: the name, or the folder as it was given.
    name: String,
    folder: PathBuf,
    known: Option<&'static KnownDataset>,
}

/// Data to train on and to test with.
#[derive(Clone, Debug)]
pub(crate) struct Material {
    pub(crate) train: Images,
    pub(crate) test: Images,
    /// The names of the classes; empty if there are none.
    pub(crate) classes: Vec<String>,
    /// What the model must know of data that a recipe describes.
    pub(crate) trained_on: Option<TrainedOn>,
}

/// The samples of one split.
#[derive(Clone, Debug)]
pub(crate) struct Images {
    pub(crate) data: Dataset,
    /// Rows and columns of an image, where a sample is one and has a class.
    pub(crate) size: Option<(usize, usize)>,
}

impl Source {
    /// What a recipe or a flag means.
    pub(crate) fn find(data: &Data) -> Result<Self, Error> {
        match data {
            Data::Named(dataset) => Files::find(dataset).map(Self::Files),
            Data::Described(source) => Ok(Self::Described(source.clone())),
        }
    }

    /// What it is called in messages and in `metrics.json`.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Files(files) => files.name.clone(),
            Self::Described(source) => source.path().to_string_lossy().into_owned(),
        }
    }

    /// What a sample is called.
    pub(crate) fn noun(&self) -> &'static str {
        match self {
            Self::Files(_) => "image",
            Self::Described(source) => noun(source),
        }
    }

    /// What the recipe says about holding out, if it describes its data.
    pub(crate) fn split(&self) -> Option<densely::data::Split> {
        match self {
            Self::Files(_) => None,
            Self::Described(source) => Some(source.split()),
        }
    }

    /// Reads all of it, which must suit the network.
    pub(crate) fn read(&self, network: &Sequential) -> Result<Material, Error> {
        match self {
            Self::Files(files) => {
                let (train, test) = (files.read_train(network)?, files.read_test(network)?);
                let classes = files.class_names(train.data.classes());
                Ok(Material { train, test, classes, trained_on: None })
            }
            Self::Described(source) => {
                let Loaded { data, test, classes, trained_on } = source.load()?;
                check(source.path(), &data, network)?;
                check(source.path(), &test, network)?;
                let size = match trained_on.shape[..] {
                    [rows, columns] if source.task() == Task::Classification => Some((rows, columns)),
                    _ => None,
                };
                let images = |data| Images { data, size };
                Ok(Material {
                    train: images(data),
                    test: images(test),
                    classes,
                    trained_on: Some(trained_on),
                })
            }
        }
    }
}

/// What a sample of a source is called.
pub(crate) fn noun(source: &DataSource) -> &'static str {
    match source {
        DataSource::ImageFolder(_) | DataSource::Idx(_) => "image",
        DataSource::Csv(_) | DataSource::Npy(_) => "sample",
    }
}

/// That the data suit the network.
pub(crate) fn check(path: &Path, data: &Dataset, network: &Sequential) -> Result<(), Error> {
    let content = |problem| Error::Content { file: path.display().to_string(), problem: Box::new(problem) };
    data.validate_for(network).map_err(content)
}

impl Files {
    /// What a name or a folder means. A name that is known always means the set in `$DENSELY_DATA`; for a folder of the
    /// same name there is `./mnist`.
    pub(crate) fn find(dataset: &Path) -> Result<Self, Error> {
        let name = dataset.to_string_lossy().into_owned();
        if let Some(known) = named(&name) {
            let folder = data_folder().join(known.folder);
            let files = [&MNIST.train.images, &MNIST.train.labels, &MNIST.test.images, &MNIST.test.labels];
            let mut files = files.map(|file| idx_dataset::find(&folder, file.name)).into_iter();
            if let Some(missing) = files.find(|file| !file.exists()) {
                return Err(Error::NoDataset { name, missing });
            }
            return Ok(Self { name, folder, known: Some(known) });
        }
        if !dataset.is_dir() {
            return Err(Error::NoDatasetFolder { folder: dataset.to_owned() });
        }
        // A folder of Fashion-MNIST has its class names wherever it is.
        let known = NAMED.iter().find(|known| dataset.file_name().is_some_and(|name| name == known.folder));
        Ok(Self { name, folder: dataset.to_owned(), known })
    }

    /// What it is called in messages.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The images to train on, which must suit the network.
    fn read_train(&self, network: &Sequential) -> Result<Images, Error> {
        self.read(&MNIST.train, network)
    }

    /// The images to test with, which must suit the network.
    pub(crate) fn read_test(&self, network: &Sequential) -> Result<Images, Error> {
        self.read(&MNIST.test, network)
    }

    /// Reads a split, whose files are called as MNIST's are, whatever the set.
    fn read(&self, split: &Split, network: &Sequential) -> Result<Images, Error> {
        let images = idx_dataset::find(&self.folder, split.images.name);
        let labels = idx_dataset::find(&self.folder, split.labels.name);
        let pair = idx_dataset::read_pair(&images, &labels)?;
        let found = pair.images.element_type();
        if found != idx_dataset::ElementType::U8 {
            return Err(Error::NotBytes { path: images, found });
        }
        let (expected, found) = (network.inputs, pair.images.item_len());
        let shape = pair.images.shape.get(1..).unwrap_or_default();
        if found != expected {
            let shape = shape.iter().map(ToString::to_string).collect::<Vec<_>>().join(" × ");
            return Err(Error::ImageSize { path: images, expected, found, shape });
        }
        let size = if let [rows, columns] = *shape { Some((rows, columns)) } else { None };
        // A single output tells two classes apart.
        let data = Dataset::from_idx(pair, network.outputs().max(2)).map_err(|problem| {
            let file = if matches!(problem, densely::Error::Label { .. }) { &labels } else { &images };
            Error::Content { file: file.display().to_string(), problem: Box::new(problem) }
        })?;
        Ok(Images { data, size })
    }

    /// The names of so many classes: the set's own, and numbers where it has none.
    pub(crate) fn class_names(&self, classes: usize) -> Vec<String> {
        let names = self.known.map_or(&[][..], |known| known.classes);
        (0..classes)
            .map(|class| names.get(class).map_or_else(|| class.to_string(), ToString::to_string))
            .collect()
    }
}

/// The folder that holds the datasets.
fn data_folder() -> PathBuf {
    env::var_os("DENSELY_DATA")
        .filter(|folder| !folder.is_empty())
        .map_or_else(|| PathBuf::from("data"), PathBuf::from)
}
