//! What can go wrong in a command. Each message is whole: it names the file, field or flag, what was found there, and
//! what was expected. Wrong command lines are not among them: those are the parser's, and end with status 2.

use crate::commands::ConvertError;
use crate::ui::counted;
use std::io;
use std::path::PathBuf;

/// Why a command failed; the process ends with status 1.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    // What the libraries say, complete as it is.
    #[error(transparent)]
    Network(#[from] densely::Error),
    #[error(transparent)]
    Pool(#[from] densely::PoolError),
    #[error(transparent)]
    Idx(#[from] idx_dataset::Error),
    #[error(transparent)]
    Convert(#[from] ConvertError),

    /// A recipe, model or data file whose content the library refuses.
    #[error("{file}: {problem}")]
    Content { file: String, problem: Box<densely::Error> },
    #[error("{}: cannot read the file", path.display())]
    Read { path: PathBuf, source: io::Error },

    // Recipes.
    #[error("{}: expected a recipe of at most {limit} bytes, found more", path.display())]
    RecipeTooLong { path: PathBuf, limit: u64 },
    #[error("{}: expected a recipe in RON, found bytes that are no UTF-8 text", path.display())]
    RecipeNotText { path: PathBuf },

    // Datasets.
    #[error(
        "dataset {name}: {} is not there; {}, $DENSELY_DATA says where datasets are, and --dataset also takes a folder",
        missing.display(), how_to_get(name)
    )]
    NoDataset { name: String, missing: PathBuf },
    #[error(
        "dataset: there is no folder {}; expected a folder, or one of the names {}",
        folder.display(), known_names()
    )]
    NoDatasetFolder { folder: PathBuf },
    #[error("{}: expected images of {expected} values, as many as the network has inputs, found {found} ({shape})", path.display())]
    ImageSize { path: PathBuf, expected: usize, found: usize, shape: String },
    #[error(
        "--validation {held_out}: expected less than the {} of the dataset, so that some are left to train on",
        counted(*samples, &format!("training {noun}"))
    )]
    Validation { held_out: usize, samples: usize, noun: &'static str },

    // The run's folder.
    #[error("{}: cannot make the run's folder", path.display())]
    RunFolder { path: PathBuf, source: io::Error },
    #[error("{}: cannot write into the run's folder", path.display())]
    RunFolderUnwritable { path: PathBuf, source: io::Error },
    #[error(
        "{}: this folder already holds {file} of another run, which stays as it is; choose another --out or --name, \
         or remove the folder",
        path.display()
    )]
    RunExists { path: PathBuf, file: &'static str },
    #[error("{}: this folder is in use by another run{}", path.display(), of_process(*process))]
    RunInUse { path: PathBuf, process: Option<u32> },
    #[error("{picture}: cannot draw the picture: {reason}")]
    Picture { picture: &'static str, reason: String },

    // Models and images.
    #[error(
        "{}: the model does not say what it was trained on; name a dataset with --dataset",
        path.display()
    )]
    DatasetUnknown { path: PathBuf },
    #[error("{}: expected a run's folder with model.safetensors in it, or a model file", path.display())]
    NoModelInFolder { path: PathBuf },
    #[error(
        "{}: expected an IDX file, a PNG or an NPY file, found none of them ({})",
        path.display(), beginning(start)
    )]
    NotAnImage { path: PathBuf, start: Vec<u8> },
    #[error("{}: expected samples of {expected} values, as many as the network has inputs, found {found}", path.display())]
    SampleSize { path: PathBuf, expected: usize, found: usize },
    #[error("{}: the picture is blank: its darkest and brightest pixel differ by {contrast} of 255, expected at least {least}", path.display())]
    Blank { path: PathBuf, contrast: u8, least: u8 },
    #[error("{}: a PNG needs a model of square images, but this one has {inputs} inputs", path.display())]
    NotSquare { path: PathBuf, inputs: usize },
    #[error("{}: expected images of type u8, found {found}", path.display())]
    NotBytes { path: PathBuf, found: idx_dataset::ElementType },
    #[error("{}: there are no images in this file", path.display())]
    NoImages { path: PathBuf },
    #[error("{}: there is no item {item}: the file has {}, counted from 0", path.display(), counted(*items, "item"))]
    NoItem { path: PathBuf, item: usize, items: usize },

    #[error("cannot write to the standard output")]
    Output { source: io::Error },
    #[error("cannot listen for Ctrl-C")]
    Signals { source: ctrlc::Error },
}

/// The sample comes with the repository; the others are downloaded.
fn how_to_get(name: &str) -> String {
    if name == crate::dataset::MNIST_SAMPLE.name {
        "it comes with the repository, as data/sample".to_owned()
    } else {
        format!("`cargo xtask download {name}` fetches it")
    }
}

fn known_names() -> String {
    crate::dataset::NAMED.map(|dataset| dataset.name).join(", ")
}

fn of_process(process: Option<u32>) -> String {
    process.map(|process| format!(" (process {process})")).unwrap_or_default()
}

fn beginning(start: &[u8]) -> String {
    if start.is_empty() {
        return "it is empty".to_owned();
    }
    let start: Vec<String> = start.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("it starts with {}", start.join(" "))
}
