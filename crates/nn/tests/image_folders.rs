//! Folders of pictures become the samples that they hold, or are refused by their first wrong file.
#![cfg(feature = "images")]

use densely::Error;
use densely::data::{Color, Features, ImageFolder, Known, Samples, Targets};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn write(folder: &TempDir, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.path().join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, content).unwrap();
    path
}

fn labels(samples: &Samples) -> &[u32] {
    match &samples.targets {
        Targets::Classes { labels, .. } => labels,
        other => panic!("{other:?}"),
    }
}

/// That the message is the file's name and then `expected`.
#[track_caller]
fn refused<V: std::fmt::Debug>(result: Result<V, Error>, path: &Path, expected: &str) {
    let message = result.unwrap_err().to_string();
    assert_eq!(message, format!("{}: {expected}", path.display()));
}

fn png(width: u32, height: u32, color: png::ColorType, pixels: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(color);
    encoder.write_header().unwrap().write_image_data(pixels).unwrap();
    bytes
}

fn grey(value: u8) -> Vec<u8> {
    png(2, 1, png::ColorType::Grayscale, &[value, 255])
}

#[test]
fn folders_are_classes_and_files_are_samples_in_order() {
    let folder = folder();
    for (name, value) in [("10/b.png", 4), ("10/a.PNG", 3), ("9/z.png", 2), ("9/y.png", 1)] {
        write(&folder, name, grey(value));
    }
    write(&folder, "9/.hidden", "x");
    write(&folder, ".git/config", "x");
    write(&folder, "README.md", "x");
    let samples = ImageFolder::new("").read(folder.path(), Known::default()).unwrap();
    assert_eq!(
        (samples.shape.as_slice(), samples.classes()),
        (&[1, 2][..], &["9".to_owned(), "10".to_owned()][..])
    );
    assert_eq!(samples.features, Features::Bytes(vec![3, 255, 4, 255, 1, 255, 2, 255]));
    assert_eq!(labels(&samples), [1, 1, 0, 0]);
}

#[test]
fn colours_have_three_values_a_pixel() {
    let folder = folder();
    write(&folder, "a/x.png", png(1, 1, png::ColorType::Rgb, &[255, 0, 0]));
    let read =
        |color| ImageFolder { color, ..ImageFolder::new("") }.read(folder.path(), Known::default()).unwrap();
    assert_eq!(
        (read(Color::AsStored).shape, read(Color::Rgb).features),
        (vec![1, 1, 3], Features::Bytes(vec![255, 0, 0]))
    );
    assert_eq!(
        (read(Color::Grayscale).shape, read(Color::Grayscale).features),
        (vec![1, 1], Features::Bytes(vec![77]))
    );
}

#[test]
fn what_is_no_such_folder_is_refused_by_its_first_wrong_file() {
    #[track_caller]
    fn check(files: &[(&str, Vec<u8>)], wrong: &str, expected: &str) {
        let folder = folder();
        for (name, content) in files {
            write(&folder, name, content);
        }
        let known = ["a".to_owned()];
        let known = Known { classes: &known, ..Known::default() };
        let wrong = if wrong.is_empty() { folder.path().to_owned() } else { folder.path().join(wrong) };
        refused(ImageFolder::new("").read(folder.path(), known), &wrong, expected);
    }
    let colours = png(2, 1, png::ColorType::Rgb, &[0; 6]);
    check(&[], "", "there are no folders in this folder, expected one for each class");
    check(&[("a/.x", vec![])], "", "there are no pictures in this folder, expected at least 1");
    check(
        &[("x.png", grey(1)), ("a/x.png", grey(1))],
        "x.png",
        "a picture outside the folders of the classes, expected it in one of them",
    );
    check(
        &[("a/x.png", grey(1)), ("a/y.jpg", grey(1))],
        "a/y.jpg",
        "expected only PNG files in the folder of a class (hidden files are passed over), found this",
    );
    check(
        &[("a/x.png", grey(1)), ("a/y.png", colours), ("a/z.png", vec![])],
        "a/y.png",
        "a picture of 2 × 1 pixels of colour, expected 2 × 1 pixels of grey, as the first one is",
    );
    check(
        &[("a/x.png", grey(1)), ("a/y.png", png(1, 2, png::ColorType::Grayscale, &[0; 2]))],
        "a/y.png",
        "a picture of 1 × 2 pixels of grey, expected 2 × 1 pixels of grey, as the first one is",
    );
    check(
        &[("a/x.png", grey(1)), ("b/x.png", grey(1))],
        "b",
        "this class is none of the 1 that the model was trained on",
    );
}

#[cfg(unix)]
#[test]
fn links_in_circles_and_pipes_end_in_errors() {
    let folder = folder();
    write(&folder, "a/x.png", grey(1));
    std::os::unix::fs::symlink("loop", folder.path().join("loop")).unwrap();
    let error = ImageFolder::new("").read(folder.path(), Known::default()).unwrap_err().to_string();
    assert_eq!(error, format!("cannot read {}", folder.path().join("loop").display()));

    fs::remove_file(folder.path().join("loop")).unwrap();
    std::os::unix::fs::symlink("..", folder.path().join("a/up")).unwrap();
    let error = ImageFolder::new("").read(folder.path(), Known::default()).unwrap_err().to_string();
    assert!(error.ends_with("a/up: expected only PNG files in the folder of a class (hidden files are passed over), found this"), "{error}");

    fs::remove_file(folder.path().join("a/up")).unwrap();
    let pipe = std::process::Command::new("mkfifo").arg(folder.path().join("a/pipe.png")).status();
    if pipe.is_ok_and(|status| status.success()) {
        let error = ImageFolder::new("").read(folder.path(), Known::default()).unwrap_err();
        assert_eq!(error.to_string(), format!("cannot read {}", folder.path().join("a/pipe.png").display()));
        assert!(matches!(error, Error::Read { source, .. } if source.to_string() == "not a regular file"));
    }
}
