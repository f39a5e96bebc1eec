//! Files of data become the samples that they hold, or are refused by file and place.

mod arrays;
mod tables;

use arrays::{header, npy};

use densely::data::{
    Color, Column, Columns, Csv, DataSource, Features, Header, ImageFolder, Known, Loaded, Npy, NpyPair,
    NpyType, Samples, Scaling, Split, SplitMethod, Targets, Task, read_features, read_npy,
};
use densely::text::{from_ron, to_ron};
use densely::{Dataset, Error};
use std::fs;
use std::io::ErrorKind;
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

fn floats(samples: &Samples) -> Vec<f64> {
    match &samples.features {
        Features::Floats(floats) => floats.clone(),
        Features::Bytes(bytes) => panic!("{bytes:?}"),
    }
}

fn labels(samples: &Samples) -> Vec<u32> {
    match &samples.targets {
        Targets::Classes { labels, .. } => labels.clone(),
        other => panic!("{other:?}"),
    }
}

/// That the message is the file's name and then `expected`.
#[track_caller]
fn refused<V: std::fmt::Debug>(result: Result<V, Error>, path: &Path, expected: &str) {
    let message = result.unwrap_err().to_string();
    assert_eq!(message, format!("{}: {expected}", path.display()));
}

#[test]
fn descriptions_are_written_with_what_differs_from_the_defaults_and_read_again() {
    let csv = Csv {
        task: Task::Regression,
        ignore: Columns(vec![0.into(), "id".into()]),
        scaling: Scaling::Standardize,
        split: Split { method: SplitMethod::Last, validation: Some(0.1), ..Split::default() },
        ..Csv::new("a.csv", -1)
    };
    let text = "Csv(path: \"a.csv\", target: -1, task: Regression, ignore: [0, \"id\"], scaling: Standardize, \
                split: (method: Last, validation: 0.1))";
    let source: DataSource = from_ron(text).unwrap();
    assert_eq!(source, DataSource::Csv(csv));
    assert_eq!(from_ron::<DataSource>(&to_ron(&source).unwrap()).unwrap(), source);

    let folder =
        ImageFolder { color: Color::Rgb, scaling: Scaling::Divide(255.0), ..ImageFolder::new("pictures") };
    assert_eq!(
        from_ron::<DataSource>("ImageFolder(path: \"pictures\", color: Rgb, scaling: Divide(255))").unwrap(),
        DataSource::ImageFolder(folder)
    );
    for text in [
        "Npy(features: \"x.npy\", labels: \"y.npy\", test: NpyPair(features: \"u.npy\", labels: \"v.npy\"))",
        "Npy(features: \"x.npy\", labels: \"y.npy\", test: (features: \"u.npy\", labels: \"v.npy\"))",
        "Idx(images: \"x\", labels: \"y\")",
    ] {
        let source: DataSource = from_ron(text).unwrap();
        assert_eq!(from_ron::<DataSource>(&to_ron(&source).unwrap()).unwrap(), source);
    }
    let moved = from_ron::<DataSource>(
        "Npy(features: \"x.npy\", labels: \"/y.npy\", test: (features: \"u.npy\", labels: \"v.npy\"))",
    );
    let DataSource::Npy(moved) = moved.unwrap().relative_to(Path::new("there")) else { panic!() };
    assert_eq!((moved.features, moved.labels), ("there/x.npy".into(), "/y.npy".into()));
    assert_eq!(moved.test.unwrap().labels, Path::new("there/v.npy"));
}

#[test]
fn settings_out_of_range_are_refused_before_a_file_is_opened() {
    for (text, expected) in [
        (
            "Csv(path: \"x\", target: [0, 1])",
            "data: target is a list of 2, expected 1 column: the class; of one-hot columns, as of all numbers to predict, the task is Regression",
        ),
        (
            "Csv(path: \"x\", target: [], task: Regression)",
            "data: target is a list of 0, expected at least 1 column",
        ),
        (
            "Csv(path: \"x\", target: 0, delimiter: 'é')",
            "data: delimiter is 'é', expected one ASCII character other than",
        ),
        (
            "Csv(path: \"x\", target: 0, scaling: Divide(0))",
            "data: divisor of scaling is 0, expected a finite number above 0",
        ),
        (
            "ImageFolder(path: \"x\", split: (test: 1.0))",
            "data: test of split is 1, expected a share above 0 and below 1",
        ),
        (
            "Idx(images: \"x\", labels: \"y\", split: (validation: -0.5))",
            "data: validation of split is -0.5, expected a share of",
        ),
    ] {
        let message = from_ron::<DataSource>(text).unwrap().load().unwrap_err().to_string();
        assert!(message.starts_with(expected), "{message}");
    }
    let error =
        from_ron::<DataSource>("Csv(path: \"x\", target: 0, skaling: MinMax)").unwrap_err().to_string();
    assert!(error.ends_with("did you mean `scaling`?"), "{error}");
}

fn values(data: &Dataset) -> Vec<f64> {
    let mut values = vec![0.0; data.len() * data.features()];
    data.gather(&(0..data.len() as u32).collect::<Vec<_>>(), &mut values).expect("the data are in memory");
    values
}

#[test]
fn what_was_fitted_to_the_training_samples_is_applied_to_all_others() {
    let folder = folder();
    let lines: String = (0..10).map(|i| format!("{i},{}\n", ["x", "y"][i % 2])).collect();
    let path = write(&folder, "t.csv", format!("a,c\n{lines}"));
    let csv = Csv {
        scaling: Scaling::MinMax,
        split: Split { method: SplitMethod::Last, test: 0.3, ..Split::default() },
        ..Csv::new(&path, "c")
    };
    let mut loaded = DataSource::Csv(csv).load().unwrap();
    assert_eq!((loaded.data.len(), values(&loaded.test)), (7, vec![7.0, 8.0, 9.0]));
    let (train, validation) = loaded.data.split_last(2).unwrap();
    let train = loaded.trained_on.scale(&train).unwrap();
    assert_eq!(values(&train), [0.0, 0.25, 0.5, 0.75, 1.0]);
    assert_eq!(values(&loaded.trained_on.scaled(&validation).unwrap()), [1.25, 1.5]);

    // As a model keeps it.
    let trained_on = from_ron(&to_ron(&loaded.trained_on).unwrap()).unwrap();
    assert_eq!(loaded.trained_on, trained_on);
    assert_eq!(values(&trained_on.read_test(&loaded.classes).unwrap()), [1.75, 2.0, 2.25]);
    let other = write(&folder, "other.csv", "c,a\ny,-4\n");
    let other = trained_on.read_samples(&other, &loaded.classes).unwrap();
    assert_eq!((values(&other), other.label(0), other.classes()), (vec![-1.0], 1, 2));
}

#[test]
fn a_file_of_its_own_is_the_test() {
    let folder = folder();
    let train = write(&folder, "train.csv", "1,x\n2,y\n3,x\n");
    let test = write(&folder, "test.csv", "4,y\n");
    let loaded = DataSource::Csv(Csv { test: Some(test), ..Csv::new(&train, -1) }).load().unwrap();
    assert_eq!((loaded.data.len(), loaded.test.len(), loaded.test.label(0)), (3, 1, 1));
}

#[test]
fn a_test_of_another_width_is_refused_by_its_file() {
    let folder = folder();
    let array =
        |name, shape: &str, bytes: &[u8]| write(&folder, name, npy(1, &header("|u1", "False", shape), bytes));
    let (features, labels) = (array("x.npy", "(2, 2, 2)", &[0; 8]), array("y.npy", "(2,)", &[0, 1]));
    let test = |features: &PathBuf| {
        let test = Some(NpyPair { features: features.clone(), labels: labels.clone() });
        DataSource::Npy(Npy { test, ..Npy::new(folder.path().join("x.npy"), &labels) }).load()
    };
    assert!(test(&features).is_ok());
    assert!(test(&array("flat.npy", "(2, 4)", &[0; 8])).is_ok());
    let wide = array("wide.npy", "(2, 5)", &[0; 10]);
    refused(test(&wide), &wide, "samples of 5 values, expected 4, as many as those that are trained on have");
}

#[test]
fn what_was_held_out_of_a_file_is_known_only_while_it_has_as_many_samples() {
    let folder = folder();
    let path = write(&folder, "t.csv", "1,x\n2,y\n3,x\n4,y\n");
    let Loaded { mut trained_on, classes, .. } = DataSource::Csv(Csv::new(&path, -1)).load().unwrap();
    assert_eq!((trained_on.samples, trained_on.read_test(&classes).unwrap().len()), (4, 1));
    write(&folder, "t.csv", "1,x\n2,y\n3,x\n4,y\n5,x\n");
    refused(
        trained_on.read_test(&classes),
        &path,
        "there are 5 samples, but there were 4 when the model was trained, and which ones were held out to test with \
         follows from their number; name a file to test with",
    );
    trained_on.samples = 0; // a model that does not say
    assert!(trained_on.read_test(&classes).is_ok());
}

#[test]
fn a_shape_beyond_all_numbers_fits_no_data() {
    let folder = folder();
    let path = write(&folder, "t.csv", "1,x\n2,y\n");
    let Loaded { mut trained_on, classes, .. } = DataSource::Csv(Csv::new(&path, -1)).load().unwrap();
    trained_on.shape = vec![usize::MAX, 3];
    assert!(trained_on.read_test(&classes).is_err());
}

#[test]
fn a_single_sample_cannot_be_split() {
    let folder = folder();
    let path = write(&folder, "t.csv", "1,x\n");
    let error = DataSource::Csv(Csv::new(&path, -1)).load().unwrap_err().to_string();
    assert_eq!(error, "cannot hold out 1 of 1 samples, expected 1 to 0");
}

/// Training would end with a model that cannot be saved.
#[cfg(unix)]
#[test]
fn paths_that_are_no_text_are_refused_before_anything_is_read() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let folder = Path::new(OsStr::from_bytes(b"caf\xe9"));
    let npy = Npy { test: Some(NpyPair { features: "x".into(), labels: "y".into() }), ..Npy::new("a", "b") };
    for (source, first) in [
        (DataSource::Csv(Csv::new("iris.csv", -1)), "iris.csv"),
        (DataSource::ImageFolder(ImageFolder::new("digits")), "digits"),
        (DataSource::Npy(npy), "a"),
    ] {
        let error = source.relative_to(folder).load().unwrap_err();
        let expected = format!(
            "data: the path caf\u{fffd}/{first} is not UTF-8, expected one that is, for a model keeps it as text"
        );
        assert_eq!(error.to_string(), expected);
    }
}
