//! A folder to work in, with a small dataset and recipe, where the real binary is run as a user would run it.
#![allow(dead_code, reason = "each test file uses its part")]

use idx_dataset::{Idx, Values};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use tempfile::TempDir;

/// Images of 4 × 4 pixels in three classes, told apart by the column that is bright.
pub(crate) const SIDE: usize = 4;
pub(crate) const CLASSES: usize = 3;
pub(crate) const TRAIN: usize = 120;
pub(crate) const TEST: usize = 30;

pub(crate) const RECIPE: &str = r#"Recipe(
    data: "toy",
    model: Sequential(
        inputs: 16,
        layers: [
            Dense(units: 8, activation: Relu),
            Dense(units: 3, activation: Softmax),
        ],
    ),
    optimizer: Adam(learning_rate: 0.01),
    batch_size: 8,
    epochs: 5,
    seed: 1,
)
"#;

pub(crate) struct Lab {
    folder: TempDir,
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) status: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Lab {
    /// With the dataset in `toy` and the recipe in `toy.ron`.
    pub(crate) fn new() -> Self {
        let lab = Self { folder: tempfile::tempdir().unwrap() };
        fs::create_dir(lab.path("toy")).unwrap();
        lab.write_split("train", TRAIN);
        lab.write_split("t10k", TEST);
        lab.write("toy.ron", RECIPE);
        lab
    }

    /// With a trained model in `runs/toy` as well.
    pub(crate) fn trained() -> Self {
        let lab = Self::new();
        let outcome = lab.densely(["train", "--recipe", "toy.ron", "--name", "toy"]);
        assert_eq!(outcome.status, Some(0), "{}", outcome.err);
        lab
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// What is in the folder and those below it, sorted.
    pub(crate) fn files(&self, name: &str) -> Vec<String> {
        fn collect(folder: &Path, prefix: &str, names: &mut Vec<String>) {
            for entry in fs::read_dir(folder).into_iter().flatten() {
                let entry = entry.unwrap();
                let name = format!("{prefix}{}", entry.file_name().into_string().unwrap());
                if entry.path().is_dir() {
                    collect(&entry.path(), &format!("{name}/"), names);
                }
                names.push(name);
            }
        }
        let mut names = Vec::new();
        collect(&self.path(name), "", &mut names);
        names.sort();
        names
    }

    pub(crate) fn write_split(&self, split: &str, images: usize) {
        let labels: Vec<u8> = (0..images).map(|image| (image % CLASSES) as u8).collect();
        let pixels = labels.iter().enumerate().flat_map(|(image, &label)| image_of(label, image)).collect();
        self.write_idx(&format!("toy/{split}-images-idx3-ubyte"), &[images, SIDE, SIDE], Values::U8(pixels));
        self.write_idx(&format!("toy/{split}-labels-idx1-ubyte"), &[images], Values::U8(labels));
    }

    pub(crate) fn write_idx(&self, name: &str, shape: &[usize], values: Values) {
        idx_dataset::write(self.path(name), &Idx { shape: shape.to_vec(), values }).unwrap();
    }

    /// A PNG of greys.
    pub(crate) fn write_png(&self, name: &str, width: usize, height: usize, greys: &[u8]) {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, width as u32, height as u32);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.write_header().unwrap().write_image_data(greys).unwrap();
        self.write(name, bytes);
    }

    /// The command in the folder, in an environment without wishes.
    pub(crate) fn command<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_densely"));
        command.args(args).current_dir(self.folder.path()).stdin(Stdio::null());
        for variable in ["DENSELY_DATA", "DENSELY_THREADS", "DENSELY_ISA", "NO_COLOR", "CLICOLOR_FORCE"] {
            command.env_remove(variable);
        }
        command
    }

    pub(crate) fn densely<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Outcome {
        self.command(args).output().unwrap().into()
    }

    /// Runs a command that must fail, with one line on the standard error that begins with `message`, and leave no new
    /// file or folder.
    #[track_caller]
    pub(crate) fn refuses<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>, message: &str) {
        let before = self.files(".");
        let outcome = self.densely(args);
        assert_eq!(outcome.status, Some(1), "{outcome:?}");
        assert!(outcome.err.starts_with(&format!("densely: error: {message}")), "{}", outcome.err);
        assert_eq!(outcome.err.lines().count(), 1, "{}", outcome.err);
        assert_eq!(self.files("."), before);
    }

    /// Starts a command whose output is read while it runs.
    pub(crate) fn start<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Child {
        self.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }
}

impl From<Output> for Outcome {
    fn from(output: Output) -> Self {
        Self {
            status: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Outcome {
    /// The standard output of a command that went well: nothing on the standard error, and no control characters.
    #[track_caller]
    pub(crate) fn fine(self) -> String {
        assert_eq!((self.status, self.err.as_str()), (Some(0), ""), "{}", self.out);
        assert_plain(&self.out);
        self.out
    }
}

/// The bytes of an NPY file with elements of that type, whose bytes are `data`.
pub(crate) fn npy(kind: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}\n");
    [b"\x93NUMPY\x01\x00", &(header.len() as u16).to_le_bytes()[..], header.as_bytes(), data].concat()
}

/// Text without any control character but the ends of lines, and without blanks before those.
#[track_caller]
pub(crate) fn assert_plain(text: &str) {
    assert!(!text.chars().any(|character| character.is_control() && character != '\n'), "{text:?}");
    assert!(text.lines().all(|line| line == line.trim_end()), "{text:?}");
}

/// A bright column, in noise that follows from the number of the image.
pub(crate) fn image_of(label: u8, image: usize) -> Vec<u8> {
    (0..SIDE * SIDE)
        .map(|pixel| {
            let noise = (image * 37 + pixel * 101) % 60;
            if pixel % SIDE == usize::from(label) { 255 - noise as u8 } else { noise as u8 }
        })
        .collect()
}
