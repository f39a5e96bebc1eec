//! `cargo xtask train`: from nothing to a trained model. Builds the binary, fetches the data, and becomes the binary.
//!
//! Flags of `densely train` pass through unread but for the two that say which data are needed. The binary looks at them before
//! anything is fetched.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus, Stdio};

use anyhow::{Context, Result};
use ron::extensions::Extensions;
use serde::Deserialize;

use crate::download::{Downloader, Error, Limits, Report, extra_source};
use crate::manifest::{Dataset, Manifest};
use crate::workspace::{self, DATA_VARIABLE};

/// What the built-in recipe reaches on the sample (95.0, 95.6 and 94.4 % with seeds 1 to 3), beside the same on all of MNIST.
pub const SAMPLE_ACCURACY: &str = "about 95 % instead of 98 %";

/// The sample's name for `densely train --dataset`.
pub const SAMPLE: &str = "mnist-sample";

/// Train the tutorial's network on MNIST: build in release, download what is missing, run `densely train`.
///
/// Every flag but the options below goes to `densely train`; they are listed at the end.
///
/// With --dataset mnist or fashion-mnist, or a --recipe that names one, this dataset is downloaded. Without either, MNIST is,
/// and if that cannot be had from any source, the sample of MNIST that comes with the repository is used and a line says so.
/// Files that are there are verified before each use.
#[derive(clap::Args)]
#[command(after_help = "Flags of densely train (cargo run --release -- train --help says more):\n  \
    --recipe FILE             the recipe, a RON file [default: data/recipes/mnist.ron]\n  \
    --dataset NAME|FOLDER     mnist, fashion-mnist, mnist-sample, or a folder with the four files\n  \
    --epochs N                how many times to pass over the training images\n  \
    --batch-size N            images per update\n  \
    --learning-rate RATE      the size of the optimizer's steps\n  \
    --seed N                  the same seed gives the same weights, bit for bit\n  \
    --validation N|test|none  how many training images to hold out, the test images, or nothing\n  \
    --threads N               they change no bit of the result\n  \
    --out FOLDER              the run's folder [default: runs/NAME]\n  \
    --name NAME               the run's name: a folder in runs/\n\n\
    Examples:\n  \
    cargo xtask train\n  \
    cargo xtask train --epochs 5 --seed 2 --out runs/short\n  \
    cargo xtask train --dataset fashion-mnist\n  \
    cargo xtask train --offline")]
pub struct Arguments {
    /// Fetch nothing: use files that are there and intact, else the sample
    #[arg(long)]
    offline: bool,

    /// A source to ask first: an address that serves NAME.gz, or a folder that holds NAME or NAME.gz
    #[arg(long, value_name = "URL_OR_DIR")]
    source: Option<String>,

    /// Flags of `densely train`
    #[arg(value_name = "FLAGS", allow_hyphen_values = true, trailing_var_arg = true)]
    flags: Vec<OsString>,
}

/// Moves this task's own flags before those that pass through, so that their order on the command line is free. A `--` in front
/// of those that pass through, as `cargo run` wants it, is taken for that and dropped.
pub fn own_flags_first(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments = arguments.into_iter();
    let mut own: Vec<OsString> = arguments.by_ref().take(2).collect();
    if own.get(1).is_none_or(|task| task != "train") {
        own.extend(arguments);
        return own;
    }
    let mut passed = Vec::new();
    while let Some(argument) = arguments.next() {
        let text = argument.to_string_lossy();
        if matches!(&*text, "--offline" | "--help" | "-h") || text.starts_with("--source=") {
            own.push(argument);
        } else if text == "--source" {
            own.push(argument);
            own.extend(arguments.next());
        } else if text != "--" || !passed.is_empty() {
            passed.push(argument);
        }
    }
    own.push("--".into());
    own.extend(passed);
    own
}

/// Carries out `cargo xtask train`. On Unix this process becomes `densely`; elsewhere the returned status is its status.
///
/// # Errors
///
/// If the binary cannot be built or started, or a dataset that was asked for cannot be had.
pub fn run(arguments: Arguments) -> Result<ExitCode> {
    let manifest = Manifest::read(&workspace::committed_data().join("datasets.ron"))?;
    let downloader = Downloader {
        data: workspace::data()?,
        sources: arguments.source.as_deref().map(extra_source).transpose()?.into_iter().collect(),
        offline: arguments.offline,
        limits: Limits::default(),
        report: Report::to_stderr(),
    };
    let mut flags = arguments.flags;
    let binary = build()?;
    if let Some(status) = refusal(&binary, &flags)? {
        return Ok(status);
    }
    let mut data = downloader.data.clone();
    match Wanted::by(&flags, &manifest)? {
        Wanted::Nothing => {}
        Wanted::Sample => data = workspace::committed_data(),
        Wanted::Dataset(dataset) => drop(downloader.download(dataset)?),
        Wanted::DatasetOrSample(dataset) => match downloader.download(dataset) {
            Ok(_) => {}
            Err(Error::Unavailable { failures, .. }) => {
                let why = match (arguments.offline, failures.first()) {
                    (true, Some(damaged)) => {
                        format!("--offline, and {} is {}", damaged.source, damaged.reason)
                    }
                    (true, None) => "--offline, and its files are not there".to_string(),
                    (false, _) => "no source could deliver it".to_string(),
                };
                eprintln!("{}", fallback_line(&dataset.name, &why));
                data = workspace::committed_data();
                flags.extend(["--dataset".into(), SAMPLE.into()]);
            }
            Err(error) => return Err(error.into()),
        },
    }
    let mut densely = Command::new(binary);
    densely.arg("train").args(flags).env(DATA_VARIABLE, data);
    become_command(densely)
}

/// The binary's status if it refuses the flags, after it has said why.
///
/// With `--help` behind them they are parsed one by one and nothing is run. What only shows when all are known, such as two
/// that exclude each other, comes up when it is run in earnest.
fn refusal(binary: &Path, flags: &[OsString]) -> Result<Option<ExitCode>> {
    let mut densely = Command::new(binary);
    densely.arg("train").args(flags.iter().take_while(|flag| *flag != "--")).arg("--help");
    let status = densely.stdin(Stdio::null()).stdout(Stdio::null()).status();
    let status = status.with_context(|| format!("cannot run {}", binary.display()))?;
    Ok((!status.success()).then(|| exit_code(status)))
}

/// The same status for this process; 1 where a signal ended the other.
fn exit_code(status: ExitStatus) -> ExitCode {
    ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}

fn fallback_line(dataset: &str, why: &str) -> String {
    format!(
        "Not the full {dataset} ({why}): training on its sample in data/sample; expect {SAMPLE_ACCURACY}. \
         `cargo xtask download {dataset}` gets the real data."
    )
}

/// Which data the passed flags ask for.
#[derive(Debug)]
enum Wanted<'a> {
    /// A folder: the binary will look at it.
    Nothing,
    /// The sample, by its name.
    Sample,
    /// This and no other.
    Dataset(&'a Dataset),
    /// This, but nobody has named it.
    DatasetOrSample(&'a Dataset),
}

impl<'a> Wanted<'a> {
    fn by(flags: &[OsString], manifest: &'a Manifest) -> Result<Self> {
        let name = match (value_of("--dataset", flags), value_of("--recipe", flags)) {
            (Some(dataset), _) => dataset.to_os_string(),
            (None, Some(recipe)) => match dataset_of_recipe(Path::new(recipe)) {
                Some(dataset) => dataset.into(),
                None => return Ok(Self::Nothing),
            },
            (None, None) => {
                let default = manifest.find("mnist").context("data/datasets.ron lists no mnist")?;
                return Ok(Self::DatasetOrSample(default));
            }
        };
        if name == SAMPLE {
            return Ok(Self::Sample);
        }
        Ok(name.to_str().and_then(|name| manifest.find(name)).map_or(Self::Nothing, Self::Dataset))
    }
}

/// The last value of `--flag VALUE` or `--flag=VALUE`.
fn value_of<'a>(flag: &str, flags: &'a [OsString]) -> Option<&'a OsStr> {
    let mut value = None;
    let mut flags = flags.iter();
    while let Some(argument) = flags.next() {
        if argument == flag {
            value = flags.next().map(OsString::as_os_str);
        } else if let Some(rest) =
            argument.to_str().and_then(|text| text.strip_prefix(flag)?.strip_prefix('='))
        {
            value = Some(OsStr::new(rest));
        }
    }
    value
}

/// The longest file that is read as a recipe: what `densely train` takes, 1 MiB.
const MAX_RECIPE: u64 = 1 << 20;

/// The dataset that a recipe names; `None` if the recipe cannot be read, which the binary will say better. A pipe is left to
/// the binary, for it can be read only once.
fn dataset_of_recipe(path: &Path) -> Option<String> {
    /// The one field of a recipe that matters here.
    #[derive(Deserialize)]
    struct Recipe {
        data: String,
    }
    let options = ron::Options::default()
        .with_default_extension(Extensions::UNWRAP_VARIANT_NEWTYPES)
        .with_default_extension(Extensions::IMPLICIT_SOME);
    let metadata = std::fs::metadata(path).ok()?;
    if !metadata.is_file() || metadata.len() > MAX_RECIPE {
        return None;
    }
    let mut text = String::new();
    File::open(path).ok()?.take(MAX_RECIPE).read_to_string(&mut text).ok()?;
    options.from_str::<Recipe>(&text).ok().map(|recipe| recipe.data)
}

/// Builds the `densely` binary in release and says where it is, wherever the target folder may be.
///
/// # Errors
///
/// If cargo cannot be run or the build fails; cargo has said why.
pub fn build() -> Result<PathBuf> {
    workspace::build(&["build", "--release", "--package=densely-cli", "--bin=densely"])
}

/// Hands this process over, so that signals, standard streams and the exit status are the command's own.
#[cfg(unix)]
fn become_command(mut command: Command) -> Result<ExitCode> {
    use std::os::unix::process::CommandExt;
    let error = command.exec();
    Err(error).with_context(|| format!("cannot run {}", command.get_program().display()))
}

/// Runs the command. Ctrl-C reaches both processes; this one outlives the other to pass its status on.
#[cfg(not(unix))]
fn become_command(mut command: Command) -> Result<ExitCode> {
    ctrlc::set_handler(|| {}).context("cannot set a handler for Ctrl-C")?;
    let program = command.get_program().to_owned();
    let status = command.status().with_context(|| format!("cannot run {}", program.display()))?;
    Ok(exit_code(status))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<OsString> {
        line.split_whitespace().map(OsString::from).collect()
    }

    #[test]
    fn own_flags_may_stand_anywhere() {
        for (typed, expected) in [
            ("xtask train", "xtask train --"),
            ("xtask train --epochs 3 --offline", "xtask train --offline -- --epochs 3"),
            ("xtask train --seed 1 --source dir --out o", "xtask train --source dir -- --seed 1 --out o"),
            ("xtask train --seed=1 --source=dir", "xtask train --source=dir -- --seed=1"),
            ("xtask train --epochs 3 --help", "xtask train --help -- --epochs 3"),
            ("xtask train --source", "xtask train --source --"),
            ("xtask train -- --epochs 2", "xtask train -- --epochs 2"),
            ("xtask train --offline -- --epochs 2", "xtask train --offline -- --epochs 2"),
            ("xtask train --epochs 2 -- more", "xtask train -- --epochs 2 -- more"),
            ("xtask ci --offline", "xtask ci --offline"),
            ("xtask", "xtask"),
        ] {
            assert_eq!(own_flags_first(words(typed)), words(expected), "{typed}");
        }
    }

    #[test]
    fn the_flags_say_which_data_are_needed() {
        let manifest = Manifest::read(&workspace::committed_data().join("datasets.ron")).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let recipe = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path.display().to_string()
        };
        let model = "model: Sequential(inputs: 784, layers: [Dense(units: 10, activation: Softmax), Dropout(rate: 0.2)])";
        let fashion =
            recipe("fashion", &format!("// clothes\nRecipe(data: \"fashion-mnist\", {model}, epochs: 2)"));
        let letters = recipe(
            "letters",
            &format!("Recipe({model}, data: \"my/letters\", loss: CategoricalCrossentropy())"),
        );
        let broken = recipe("broken", "Recipe(data: ");
        let long = recipe("long", &format!("Recipe(data: \"mnist\"){}", " ".repeat(1 << 20)));
        for (flags, expected) in [
            ("", "mnist or sample"),
            ("--epochs 3 --seed 1", "mnist or sample"),
            ("--dataset mnist", "mnist"),
            ("--epochs 3 --dataset=fashion-mnist", "fashion-mnist"),
            ("--dataset mnist --dataset fashion-mnist", "fashion-mnist"),
            ("--dataset mnist-sample", "sample"),
            ("--dataset /some/folder", "nothing"),
            (&format!("--recipe {fashion}"), "fashion-mnist"),
            (&format!("--recipe={fashion} --dataset mnist"), "mnist"),
            (&format!("--recipe {letters}"), "nothing"),
            (&format!("--recipe {broken}"), "nothing"),
            (&format!("--recipe {long}"), "nothing"),
            ("--recipe /dev/zero", "nothing"),
            ("--recipe /nowhere.ron", "nothing"),
            ("--dataset", "mnist or sample"),
        ] {
            let found = match Wanted::by(&words(flags), &manifest).unwrap() {
                Wanted::Nothing => "nothing".to_string(),
                Wanted::Sample => "sample".to_string(),
                Wanted::Dataset(dataset) => dataset.name.clone(),
                Wanted::DatasetOrSample(dataset) => format!("{} or sample", dataset.name),
            };
            assert_eq!(found, expected, "{flags}");
        }
    }

    #[test]
    fn the_committed_recipe_asks_for_mnist() {
        let recipe = workspace::committed_data().join("recipes/mnist.ron");
        assert_eq!(dataset_of_recipe(&recipe).as_deref(), Some("mnist"));
    }

    #[test]
    fn the_fallback_is_announced_on_one_line_with_accuracy_and_remedy() {
        let line = fallback_line("mnist", "no source could deliver it");
        assert!(!line.contains('\n'), "{line}");
        for part in ["sample", SAMPLE_ACCURACY, "cargo xtask download mnist"] {
            assert!(line.contains(part), "{line}");
        }
    }
}
