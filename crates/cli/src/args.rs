//! What can be typed: the subcommands, their flags, and the help.

use clap::builder::TypedValueParser;
use clap::{Parser, Subcommand};
use idx_dataset::ElementType;
use std::fmt;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Trains and uses fully connected neural networks.
#[derive(Debug, Parser)]
#[command(
    name = "densely",
    version,
    arg_required_else_help = true,
    subcommand_required = true,
    after_help = "\
Examples:
  densely train                          learn MNIST by the built-in recipe, into runs/mnist-1
  densely evaluate runs/mnist-1          how good that model is on the test set
  densely predict runs/mnist-1 my-7.png  which digit this is
  densely train my.ron                   learn your own CSV, NPY or PNG files by a recipe (docs/formats.md)

Environment:
  DENSELY_DATA     the folder that holds the datasets (default: data)
  DENSELY_THREADS  how many threads to use (default: as many as this process may use)
  DENSELY_ISA      force an instruction set (portable, avx2, avx512, neon); no bit of a result changes
  NO_COLOR         if set, no colours

Exit status: 0 fine, 1 failed, 2 wrong command line, 130 training stopped by Ctrl-C"
)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Train(Train),
    Evaluate(Evaluate),
    Predict(Predict),
    Summary(Summary),
    Inspect(Inspect),
    Convert(Convert),
}

/// Train a network and keep it with its history and pictures
///
/// Without flags this is the tutorial's network (784-512-512-10) on MNIST: 20 epochs, 5,000 of the training images held
/// out for validation. The test set is looked at once, at the end. Ctrl-C stops after the current batch and keeps the
/// model so far; a second one, before that is being written, stops at once and keeps nothing.
///
/// The run's folder then holds model.safetensors, history.csv, metrics.json, and the pictures digits.png, pixels.svg and
/// history.svg.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  densely train
  densely train --epochs 5 --seed 2 --out /tmp/second
  densely train --recipe data/recipes/mnist.ron --dataset fashion-mnist --name fashion
  densely train --validation none                  train on all 60,000 images
  densely train letters.ron --dataset ~/letters
  densely train flowers.ron                        your own CSV, NPY or PNG files, as docs/formats.md has it")]
pub(crate) struct Train {
    /// The recipe, a RON file [default: the built-in one, data/recipes/mnist.ron]
    #[arg(value_name = "RECIPE", conflicts_with = "recipe")]
    pub(crate) file: Option<PathBuf>,
    /// The same, as a flag
    #[arg(long, value_name = "FILE")]
    pub(crate) recipe: Option<PathBuf>,
    /// mnist, fashion-mnist or mnist-sample (in $DENSELY_DATA), or a folder with train-images-idx3-ubyte,
    /// train-labels-idx1-ubyte and the two t10k files, each plain or .gz [default: the recipe's]
    #[arg(long, value_name = "NAME|FOLDER")]
    pub(crate) dataset: Option<PathBuf>,
    /// How many times to pass over the training images [default: the recipe's]
    #[arg(long, value_name = "N", value_parser = count, allow_negative_numbers = true)]
    pub(crate) epochs: Option<NonZeroUsize>,
    /// Images per update [default: the recipe's]
    #[arg(long, value_name = "N", value_parser = count, allow_negative_numbers = true)]
    pub(crate) batch_size: Option<NonZeroUsize>,
    /// The size of the optimizer's steps [default: the recipe's]
    #[arg(long, value_name = "RATE", value_parser = positive, allow_negative_numbers = true)]
    pub(crate) learning_rate: Option<f64>,
    /// What initial weights, shuffles and dropout follow from: the same seed gives the same weights, bit for bit
    /// [default: the recipe's]
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// What to validate on after each epoch: N training images held out, each class by its share; `test` for the test
    /// set, which then is no longer unseen; or `none` [default: 5000, but at most a sixth of the training images]
    #[arg(long, value_name = "N|test|none")]
    pub(crate) validation: Option<Validation>,
    /// Threads; they change no bit of the result [default: $DENSELY_THREADS, or all that this process may use]
    #[arg(long, value_name = "N", value_parser = threads())]
    pub(crate) threads: Option<usize>,
    /// The run's folder [default: runs/NAME]
    #[arg(long, value_name = "FOLDER", conflicts_with = "name")]
    pub(crate) out: Option<PathBuf>,
    /// The run's name: a folder in runs/ [default: the recipe's name and the first free number, such as mnist-1]
    #[arg(long, value_name = "NAME", value_parser = folder_name)]
    pub(crate) name: Option<String>,
}

impl Train {
    /// The recipe, wherever it was typed.
    pub(crate) fn recipe_file(&self) -> Option<&Path> {
        self.file.as_deref().or(self.recipe.as_deref())
    }
}

/// Measure a model on the test images of a dataset: accuracy with its 95 % interval, loss, confusion matrix
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  densely evaluate runs/mnist-1
  densely evaluate model.safetensors --dataset mnist-sample
  densely evaluate runs/flowers-1 --dataset more-flowers.csv")]
pub(crate) struct Evaluate {
    /// A run's folder, or its model.safetensors
    pub(crate) model: PathBuf,
    /// As for `densely train`; for a model that was trained on a CSV file or a folder of pictures, another such, and for one
    /// on NPY or IDX files, a folder with features.npy and labels.npy, or images.idx and labels.idx, all of whose samples
    /// are taken [default: the test samples of what the model was trained on]
    #[arg(long, value_name = "NAME|FOLDER|FILE")]
    pub(crate) dataset: Option<PathBuf>,
    /// Threads [default: $DENSELY_THREADS, or all that this process may use]
    #[arg(long, value_name = "N", value_parser = threads())]
    pub(crate) threads: Option<usize>,
}

/// Say which class samples belong to, or which values, with all probabilities
///
/// An image comes from an IDX file (plain or .gz, recognised by content), whose items are given to the model as they
/// are, or from a PNG. Samples come from NPY files, and from CSV files if the model was trained on one: their columns
/// are found by name, and the target need not be there. For these there is one line a sample, as CSV: `class` and
/// `probability`, or the values.
///
/// A PNG for a model that was trained on a folder of pictures is read as those were, and must have their size. For any
/// other model a PNG can have any size and is made to look like MNIST's digits first: what is transparent becomes white,
/// colours become grey, and the background is taken from the border. A drawing that is darker than its background is
/// inverted, so that ink is bright. If the picture then is as large as the model's images (28 × 28), that is all. If not,
/// the ink is cut out, scaled to fit 20 × 20 pixels with its proportions kept, brought to full contrast, and put into
/// 28 × 28 with its centre of mass in the middle.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  densely predict runs/mnist-1 seven.png
  densely predict runs/mnist-1 data/mnist/t10k-images-idx3-ubyte --limit 3
  densely predict runs/mnist-1 *.png --json
  densely predict runs/flowers-1 flowers.csv --output species.csv")]
pub(crate) struct Predict {
    /// A run's folder, or its model.safetensors
    pub(crate) model: PathBuf,
    /// IDX, PNG, NPY or CSV files
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// How many samples of each file [default: 10 of IDX files that are shown, otherwise all]
    #[arg(long, value_name = "N", value_parser = count)]
    pub(crate) limit: Option<NonZeroUsize>,
    /// Print a JSON array with one object per sample instead
    #[arg(long, conflicts_with = "output")]
    pub(crate) json: bool,
    /// Write one line per sample, as CSV, to this file instead
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// Show a network's layers and parameters
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  densely summary runs/mnist-1
  densely summary data/recipes/mnist.ron
  densely summary model.safetensors --ron > network.ron")]
pub(crate) struct Summary {
    /// A run's folder, its model.safetensors, or a recipe (.ron)
    #[arg(value_name = "MODEL|RECIPE")]
    pub(crate) file: PathBuf,
    /// Print the network as RON instead
    #[arg(long)]
    pub(crate) ron: bool,
    /// Print what a training step does, phase by phase, with what it costs: floating-point operations and bytes
    #[arg(long, conflicts_with = "ron")]
    pub(crate) plan: bool,
}

/// Show what is in an IDX file: type, shape, values, and its first items as pictures
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  densely inspect data/mnist/train-images-idx3-ubyte
  densely inspect data/sample/t10k-images-idx3-ubyte.gz --item 7
  densely inspect data/mnist/train-labels-idx1-ubyte
  densely inspect data/mnist/train-images-idx3-ubyte --json")]
pub(crate) struct Inspect {
    /// An IDX file, plain or .gz
    pub(crate) file: PathBuf,
    /// Show this item only, counted from 0
    #[arg(long, value_name = "N")]
    pub(crate) item: Option<usize>,
    /// Print a JSON object instead; if the file is refused, one with `error`, and exit status 1
    #[arg(long, conflicts_with = "item")]
    pub(crate) json: bool,
}

/// Convert an IDX file from or to NPY, CSV, or a folder of PNGs
///
/// What FROM and TO are, their names say: .npy, .csv, a folder (one that is there, or a name that ends in /), .gz for compressed
/// IDX, and plain IDX for all others. IDX is read plain or compressed, whatever its name. Nothing is
/// written if FROM, or what is asked for, is refused; and no path is both read and written.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  densely convert data/mnist/t10k-images-idx3-ubyte images.npy
  densely convert images.npy images-idx3-ubyte.gz
  densely convert data/mnist/t10k-images-idx3-ubyte digits/ --labels data/mnist/t10k-labels-idx1-ubyte
  densely convert digits/ images-idx3-ubyte --labels-out labels-idx1-ubyte
  densely convert mnist_train.csv images-idx3-ubyte --shape 28x28 --labels-out labels-idx1-ubyte
  densely convert measures.csv measures-idx2-float --type f32")]
pub(crate) struct Convert {
    /// What to read
    pub(crate) from: PathBuf,
    /// What to write
    pub(crate) to: PathBuf,
    /// An IDX file with the labels, where FROM has none: no column `label` of CSV, no folders whose names are numbers
    #[arg(long, value_name = "FILE")]
    pub(crate) labels: Option<PathBuf>,
    /// An IDX file to write the labels to, where TO has no place for them: it is IDX or NPY
    #[arg(long, value_name = "FILE")]
    pub(crate) labels_out: Option<PathBuf>,
    /// The shape of an item, such as 28x28, of as many values as it has
    #[arg(long, value_name = "SIZES")]
    pub(crate) shape: Option<ItemShape>,
    /// The type of the values of a CSV file: u8, i8, i16, i32, f32 or f64 [default: u8]
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) element_type: Option<ValueType>,
}

/// The sizes of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ItemShape(pub(crate) Vec<usize>);

impl FromStr for ItemShape {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let sizes = text.split(['x', '×']).map(str::parse).collect::<Result<_, _>>();
        sizes.map(Self).map_err(|_| "expected sizes with x between them, such as 28x28")
    }
}

/// The type of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ValueType(pub(crate) ElementType);

/// Bytes.
impl Default for ValueType {
    fn default() -> Self {
        Self(ElementType::U8)
    }
}

impl FromStr for ValueType {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = ElementType::ALL.into_iter().find(|element_type| element_type.to_string() == text);
        found.map(Self).ok_or("expected u8, i8, i16, i32, f32 or f64")
    }
}

/// What to validate on after each epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Validation {
    /// So many training images, held out.
    HeldOut(NonZeroUsize),
    /// The test set.
    Test,
    /// Nothing.
    None,
}

/// As it is typed.
impl fmt::Display for Validation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HeldOut(images) => images.fmt(formatter),
            Self::Test => formatter.write_str("test"),
            Self::None => formatter.write_str("none"),
        }
    }
}

impl FromStr for Validation {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "test" => Ok(Self::Test),
            "none" => Ok(Self::None),
            number => {
                number.parse().map(Self::HeldOut).map_err(|_| "expected a number of at least 1, test or none")
            }
        }
    }
}

/// What optimizers take: above 0, in the range of single precision.
fn positive(text: &str) -> Result<f64, &'static str> {
    match text.parse::<f64>() {
        Ok(value) if (f64::from(f32::MIN_POSITIVE)..=f64::from(f32::MAX)).contains(&value) => Ok(value),
        _ => Err("expected a number above 0, such as 0.001"),
    }
}

fn count(text: &str) -> Result<NonZeroUsize, &'static str> {
    text.parse().map_err(|_| "expected a whole number of at least 1")
}

fn threads() -> impl TypedValueParser<Value = usize> {
    clap::value_parser!(u16).range(1..=1024).map(usize::from)
}

fn folder_name(text: &str) -> Result<String, &'static str> {
    let plain = !text.is_empty() && !text.starts_with('.') && !text.contains(['/', '\\', ':']);
    if plain && !text.chars().any(char::is_control) {
        Ok(text.to_owned())
    } else {
        Err("expected a plain name; for a path there is --out")
    }
}
