//! Files of data become the samples that they hold, or are refused by file and place.

mod arrays;

use arrays::{header, npy};

use densely::data::{
    Color, Column, Columns, Csv, DataSource, Features, Header, ImageFolder, Known, Loaded, Npy, NpyPair,
    Samples, Scaling, Split, SplitMethod, Targets, Task, read_features, read_npy,
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

// CSV.

/// Features, columns, classes and labels of a table whose last column is the target.
#[track_caller]
fn check_table(
    text: &str,
    configure: impl Fn(&mut Csv),
    features: &[f64],
    columns: &[&str],
    classes: &[&str],
    expected: &[u32],
) {
    let folder = folder();
    let path = write(&folder, "t.csv", text);
    let mut csv = Csv::new(&path, -1);
    configure(&mut csv);
    let samples = csv.read(&path).unwrap_or_else(|error| panic!("{text:?}: {error}"));
    assert_eq!(floats(&samples), features, "{text:?}");
    assert_eq!(samples.columns, columns, "{text:?}");
    assert_eq!(samples.classes(), classes, "{text:?}");
    assert_eq!(labels(&samples), expected, "{text:?}");
    assert_eq!(
        (samples.samples, samples.shape.iter().product::<usize>()),
        (expected.len(), features.len() / expected.len())
    );
}

#[test]
fn tables_give_features_and_sorted_classes() {
    let plain = |_: &mut Csv| {};
    let two = [1.0, 2.0, 3.0, 4.0];
    check_table("a,b,c\n1,2,y\n3,4,x\n", plain, &two, &["a", "b"], &["x", "y"], &[1, 0]);
    check_table("1,2,y\n3,4,x", plain, &two, &[], &["x", "y"], &[1, 0]);
    check_table("1,2,10\n3,4,9", plain, &two, &[], &["9", "10"], &[1, 0]);
    check_table(
        "\u{feff}a,b,c\r\n 1 ,2., y\r\n\r\n+3,4e0,\"x\"\r\n",
        plain,
        &two,
        &["a", "b"],
        &["x", "y"],
        &[1, 0],
    );
    check_table("1,2,\"a,\"\"b\"\"\n\"\n3,4,c", plain, &two, &[], &["a,\"b\"", "c"], &[0, 1]);
    // Behind a quoted cell blanks are passed over too, and a quote inside of text is text.
    check_table("\u{feff}\"1\" ,2,\"y\"\t\r\n\"3\",4,x\"", plain, &two, &[], &["x\"", "y"], &[1, 0]);
    check_table("1\t\"2\"\ty\n3\t4\tx", |csv| csv.delimiter = '\t', &two, &[], &["x", "y"], &[1, 0]);
    check_table(
        ",a,b,c\n0,1,2,y\n1,3,4,x\n",
        |csv| csv.ignore = 0.into(),
        &two,
        &["a", "b"],
        &["x", "y"],
        &[1, 0],
    );
    check_table("1;2;y\n3;4;x", |csv| csv.delimiter = ';', &two, &[], &["x", "y"], &[1, 0]);
    check_table("1\t2\ty\n3\t4\tx", |csv| csv.delimiter = '\t', &two, &[], &["x", "y"], &[1, 0]);
    check_table("y,1,2\nx,3,4", |csv| csv.target = 0.into(), &two, &[], &["x", "y"], &[1, 0]);
    check_table(
        "id,1,2,c\n7,1,2,y\n8,3,4,x",
        |csv| {
            csv.target = "c".into();
            csv.ignore = "id".into();
        },
        &two,
        &["1", "2"],
        &["x", "y"],
        &[1, 0],
    );
    check_table(
        "1,2,3\n1,2,y\n3,4,x",
        |csv| csv.header = Header::Present,
        &two,
        &["1", "2"],
        &["x", "y"],
        &[1, 0],
    );
}

#[test]
fn a_file_may_end_behind_any_cell() {
    for end in ["", "\n", "\r", "\r\n", "\n\n"] {
        for cell in ["y", "\"y\"", "\"\"\"y\""] {
            let folder = folder();
            let path = write(&folder, "t.csv", format!("1,{cell}{end}"));
            let samples = Csv::new(&path, -1).read(&path).unwrap();
            assert_eq!((samples.samples, floats(&samples)), (1, vec![1.0]), "{cell}{end:?}");
        }
    }
    let folder = folder();
    let path = write(&folder, "t.csv", "\u{feff}");
    refused(Csv::new(&path, -1).read(&path), &path, "there are no lines of data, expected at least 1");
}

#[test]
fn numbers_to_predict_are_kept_with_their_columns() {
    let folder = folder();
    let path = write(&folder, "t.csv", "x,u,v\n1,2,-3\n4,5,6e-1\n");
    let target = Columns(vec![Column::from("v"), Column::from("u")]);
    let csv = Csv { task: Task::Regression, ..Csv::new(&path, target) };
    let samples = csv.read(&path).unwrap();
    assert_eq!(
        samples.targets,
        Targets::Values { names: vec!["v".into(), "u".into()], values: vec![-3.0, 2.0, 0.6, 5.0] }
    );
    assert_eq!((floats(&samples), samples.columns), (vec![1.0, 4.0], vec!["x".to_owned()]));
}

#[test]
fn wrong_tables_are_refused_by_line_and_column() {
    let named = "a,b,c\n1,2,y\n";
    for (text, expected) in [
        (format!("{named}3,,x\n"), "line 3, column 2 (b): the cell is empty, expected a number"),
        (format!("{named}3,4, \n"), "line 3, column 3 (c): the cell is empty, expected a class"),
        (
            format!("{named}\n\n3,?,x\n"),
            "line 5, column 2 (b): expected a finite number of single precision's range, found \"?\"",
        ),
        (
            format!("{named}3,NaN,x\n"),
            "line 3, column 2 (b): expected a finite number of single precision's range, found \"NaN\"",
        ),
        (
            format!("{named}1e39,4,x\n"),
            "line 3, column 1 (a): expected a finite number of single precision's range, found \"1e39\"",
        ),
        (
            format!("{named}\"3\",4,\"x\ny\"\n3,4 5,x\n"),
            "line 5, column 2 (b): expected a finite number of single precision's range, found \"4 5\"",
        ),
        // Each of `\r\n`, `\r` and `\n` ends one line.
        (
            "a,b,c\r\n1,2,y\r\r3,?,x\n".to_owned(),
            "line 4, column 2 (b): expected a finite number of single precision's range, found \"?\"",
        ),
        (
            "a,b,c\r1,\"2\r\",y\r3,?,x\r".to_owned(),
            "line 4, column 2 (b): expected a finite number of single precision's range, found \"?\"",
        ),
        (
            format!("{named}3,4,\"x\n5,6,y\n"),
            "line 3: a quote that begins in this line or record is not closed before the end of the file",
        ),
        (
            format!("{named}3,4,\""),
            "line 3: a quote that begins in this line or record is not closed before the end of the file",
        ),
        (format!("{named}3,4\n"), "line 3: expected 3 cells, as many as the first line has, found 2"),
        (format!("{named}3,4,x,5\n"), "line 3: expected 3 cells, as many as the first line has, found 4"),
        (
            "1,2,y\n3,four,x\n".to_owned(),
            "line 2, column 2: expected a finite number of single precision's range, found \"four\"",
        ),
        ("a,b,c\n".to_owned(), "there are no lines of data, expected at least 1"),
        ("\n\r\n\n".to_owned(), "there are no lines of data, expected at least 1"),
        (
            "\na,b,a\n1,2,y\n".to_owned(),
            "line 2: columns 1 and 3 are both called \"a\", expected a different name for each",
        ),
        (
            ",b,c\n0,1,y\n".to_owned(),
            "line 1, column 1: a column for features has no name, expected one; ignore: 0 leaves it out",
        ),
        (
            "1,inf,y\n".to_owned(),
            "line 1, column 2: expected a finite number of single precision's range, found \"inf\"",
        ),
        (
            format!("{named}\"3\"4,5,x\n"),
            "line 3, column 1: expected a delimiter or the end of the line behind the closing quote, found more text; a \
             quote inside of quotes is doubled",
        ),
        (
            "1,2,\"x\ny\" \"z\"\n".to_owned(),
            "line 2, column 3: expected a delimiter or the end of the line behind the closing quote, found more text; a quote \
             inside of quotes is doubled",
        ),
        (
            "1,2, \"y\"\n".to_owned(),
            "line 1, column 3: expected the quote at the beginning of the cell, found it behind a blank",
        ),
        ("c\ny\n".to_owned(), "no column is left for features, expected at least 1"),
    ] {
        let folder = folder();
        let path = write(&folder, "t.csv", &text);
        refused(Csv::new(&path, -1).read(&path), &path, expected);
    }
    let folder = folder();
    let path = write(&folder, "t.csv", named);
    refused(
        Csv::new(&path, "d").read(&path),
        &path,
        "there is no column \"d\": expected one of \"a\", \"b\", \"c\"",
    );
    let flowers = write(&folder, "flowers.csv", "petal,species\n1,setosa\n");
    refused(
        Csv::new(&flowers, "spcies").read(&flowers),
        &flowers,
        "there is no column \"spcies\": expected one of \"petal\", \"species\"; did you mean \"species\"?",
    );
    refused(
        Csv::new(&path, 3).read(&path),
        &path,
        "there is no column 3: the table has 3 columns, counted from 0, or from -1 backwards",
    );
    let absent = Csv { header: Header::Absent, ..Csv::new(&path, "c") };
    refused(absent.read(&path), &path, "column \"c\" is asked for by name, but the table has no header line");
    let twice = Csv { ignore: 2.into(), ..Csv::new(&path, "c") };
    refused(twice.read(&path), &path, "column 3 is named twice among targets and ignored columns");
    let bytes = write(&folder, "latin1.csv", b"1,2,caf\xe9\n");
    refused(
        Csv::new(&bytes, -1).read(&bytes),
        &bytes,
        "line 1, column 3: expected UTF-8 text, found other bytes",
    );

    let none = folder.path().join("absent.csv");
    for (path, expected) in [(none.as_path(), ErrorKind::NotFound), (Path::new("/"), ErrorKind::IsADirectory)]
    {
        let error = Csv::new(path, -1).read(path).unwrap_err();
        assert_eq!(error.to_string(), format!("cannot read {}", path.display()));
        assert!(matches!(error, Error::Read { source, .. } if source.kind() == expected));
    }
}

#[test]
fn a_quote_that_is_never_closed_takes_bounded_memory() {
    let folder = folder();
    let path = write(&folder, "t.csv", [b"1,y\n1,\"".as_slice(), &vec![b'x'; 17 << 20]].concat());
    refused(
        Csv::new(&path, -1).read(&path),
        &path,
        "line 2: expected at most 16777216 bytes in a line, found more; is a quote not closed?",
    );
}

#[test]
fn other_tables_are_read_by_the_columns_and_classes_of_the_training() {
    let folder = folder();
    let train = write(&folder, "train.csv", "id,a,b,c\n7,1,2,y\n8,3,4,x\n");
    let csv = Csv { ignore: "id".into(), ..Csv::new(&train, "c") };
    let samples = csv.read(&train).unwrap();
    let (columns, target_columns) = (&samples.columns, &samples.target_columns);
    let known = Known { columns, target_columns, features: 2, classes: samples.classes() };

    for (text, features, targets) in [
        ("b,c,a\n2,y,1\n", vec![1.0, 2.0], true), // another order, and no id
        ("b,a\n2,1\n", vec![1.0, 2.0], false),
        ("more,b,a\nx,2,1\n", vec![1.0, 2.0], false),
        ("1,2\n3,4\n", vec![1.0, 2.0, 3.0, 4.0], false), // no names
    ] {
        let path = write(&folder, "other.csv", text);
        let other = csv.read_known(&path, known, targets).unwrap();
        assert_eq!(floats(&other), features, "{text:?}");
        match other.targets {
            Targets::Classes { names, labels } => {
                assert_eq!((names, labels), (vec!["x".into(), "y".into()], vec![1]))
            }
            other => assert!(!targets && other == Targets::Unknown),
        }
    }
    let path = write(&folder, "other.csv", "a,b,c\n1,2,z\n");
    refused(
        csv.read_known(&path, known, true),
        &path,
        "line 2, column 3 (c): class \"z\" is none of the 2 that the model was trained on",
    );
    let path = write(&folder, "other.csv", "a,c\n1,x\n");
    refused(
        csv.read_known(&path, known, true),
        &path,
        "there is no column \"b\": expected one of \"a\", \"c\"",
    );
    let path = write(&folder, "other.csv", "1,2,3\n");
    refused(
        csv.read_known(&path, known, false),
        &path,
        "the table has 3 columns for features, expected the 2 features that the model was trained on",
    );

    // A target by its position in a file that does not say what it was called.
    let by_place = Csv { ignore: "id".into(), ..Csv::new(&train, -1) };
    let path = write(&folder, "other.csv", "id,c,a,b\n7,x,1,2\n");
    let nameless = Known { target_columns: &[], ..known };
    refused(
        by_place.read_known(&path, nameless, true),
        &path,
        "column \"b\" is a feature of the model, but stands where the target is to be; name the target, or keep the order of \
         columns",
    );
    assert_eq!(floats(&by_place.read_known(&path, nameless, false).unwrap()), [1.0, 2.0]);

    // Names that look like numbers are a header still.
    let train = write(&folder, "numbers.csv", "0,1,c\n5,6,x\n");
    let csv = Csv::new(&train, "c");
    let columns = csv.read(&train).unwrap().columns;
    let path = write(&folder, "other.csv", "0,1\n7,8\n");
    let other =
        csv.read_known(&path, Known { columns: &columns, features: 2, ..Known::default() }, false).unwrap();
    assert_eq!(floats(&other), [7.0, 8.0]);

    // A table without names may come with its target or without.
    let train = write(&folder, "plain.csv", "5,x,6\n");
    let csv = Csv::new(&train, 1);
    for text in ["7,8\n", "7,x,8\n"] {
        let path = write(&folder, "other.csv", text);
        assert_eq!(
            floats(&csv.read_known(&path, Known { features: 2, ..Known::default() }, false).unwrap()),
            [7.0, 8.0]
        );
    }
}

#[test]
fn a_target_by_its_position_is_found_by_its_name_in_other_tables() {
    let folder = folder();
    let train = write(&folder, "train.csv", "id,a,b,c\n7,1,2,y\n8,3,4,x\n");
    let csv = Csv { ignore: "id".into(), ..Csv::new(&train, -1) };
    let samples = csv.read(&train).unwrap();
    assert_eq!(samples.target_columns, ["c"]);
    let (columns, target_columns) = (&samples.columns, &samples.target_columns);
    let known = Known { columns, target_columns, features: 2, classes: samples.classes() };
    for (text, label) in [
        ("id,c,a,b\n7,x,1,2\n", 0), // by its name, where a feature stands in its place
        ("a,c,more,b\n1,y,x,2\n", 1),
        ("b,a,kind\n2,1,y\n", 1), // under another name in its place
    ] {
        let path = write(&folder, "other.csv", text);
        let other = csv.read_known(&path, known, true).unwrap();
        assert_eq!((floats(&other), labels(&other)), (vec![1.0, 2.0], vec![label]), "{text:?}");
    }
    // Without names everything is in its place.
    let path = write(&folder, "other.csv", "7,1,2,x\n");
    let other = Csv { ignore: 0.into(), ..csv.clone() }.read_known(&path, known, true).unwrap();
    assert_eq!((floats(&other), labels(&other)), (vec![1.0, 2.0], vec![0]));
    let missing = "there is no column \"c\", which the model was trained to predict, and";
    for (target, text, problem) in [
        (-1, "kind,a,b\nx,1,2\n", "in its place, at position -1, is \"b\", which is something else"),
        (-1, "a,b,id\n1,2,7\n", "in its place, at position -1, is \"id\", which is something else"),
        (3, "a,b\n1,2\n", "its place, position 3, is beyond the last column"),
        (i64::MIN, "a,b\n1,2\n", "its place, position -9223372036854775808, is beyond the last column"),
    ] {
        let path = write(&folder, "other.csv", text);
        let csv = Csv { target: target.into(), ..csv.clone() };
        refused(csv.read_known(&path, known, true), &path, &format!("{missing} {problem}"));
    }

    // Of several targets none takes the other's column.
    let train = write(&folder, "two.csv", "a,u,v\n1,2,3\n");
    let both = Columns(vec![Column::Index(1), Column::Index(2)]);
    let csv = Csv { task: Task::Regression, ..Csv::new(&train, both) };
    let samples = csv.read(&train).unwrap();
    let (columns, target_columns) = (&samples.columns, &samples.target_columns);
    let known = Known { columns, target_columns, features: 1, classes: &[] };
    let path = write(&folder, "other.csv", "v,u,a\n3,2,1\n");
    let other = csv.read_known(&path, known, true).unwrap();
    assert_eq!(
        other.targets,
        Targets::Values { names: vec!["u".into(), "v".into()], values: vec![2.0, 3.0] }
    );
    let path = write(&folder, "other.csv", "a,v\n1,3\n");
    let missing = missing.replace("\"c\"", "\"u\"");
    refused(
        csv.read_known(&path, known, true),
        &path,
        &format!("{missing} in its place, at position 1, is \"v\", which is something else"),
    );
}

// All kinds.

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
    data.gather(&(0..data.len() as u32).collect::<Vec<_>>(), &mut values);
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
