//! CSV files.

use super::*;

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
    // As spreadsheets leave it.
    let no_names = |csv: &mut Csv| (csv.target, csv.ignore) = (2.into(), Columns(vec![3.into(), 4.into()]));
    check_table("a,b,c,,\n1,2,y,,\n3,4,x,,\n", no_names, &two, &["a", "b"], &["x", "y"], &[1, 0]);
    // No blank that is known here.
    check_table("1,2,\u{a0}y\n3,4,x", plain, &two, &[], &["x", "\u{a0}y"], &[1, 0]);
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
            "a,,,c\n0,1,2,y\n".to_owned(),
            "line 1, column 2: a column for features has no name, expected one; ignore: 1 leaves it out",
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
