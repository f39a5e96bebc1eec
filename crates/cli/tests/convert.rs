//! `densely convert`, as a user runs it.

mod common;

use common::Lab;
use idx_dataset::{Idx, Values};

fn read(lab: &Lab, name: &str) -> Idx {
    idx_dataset::read(lab.path(name)).unwrap()
}

#[test]
fn every_type_passes_through_npy() {
    let lab = Lab::new();
    for values in [
        Values::U8(vec![0, 1, 127, 128, 254, 255]),
        Values::I8(vec![-128, -1, 0, 1, 2, 127]),
        Values::I16(vec![i16::MIN, -2, -1, 0, 258, i16::MAX]),
        Values::I32(vec![i32::MIN, -2, -1, 0, 16_909_060, i32::MAX]),
        Values::F32(vec![f32::MIN, -0.0, 0.1, 1e-45, f32::INFINITY, f32::MAX]),
        Values::F64(vec![f64::MIN, -0.0, 0.1, 1e-300, f64::NEG_INFINITY, f64::MAX]),
    ] {
        for shape in [&[6][..], &[2, 3], &[1, 2, 3, 1]] {
            lab.write_idx("before", shape, values.clone());
            lab.densely(["convert", "before", "array.npy"]).fine();
            lab.densely(["convert", "array.npy", "after.gz"]).fine();
            assert_eq!(read(&lab, "after.gz"), Idx { shape: shape.to_vec(), values: values.clone() });
        }
    }
    lab.write_idx("single", &[], Values::I16(vec![-7]));
    lab.densely(["convert", "single", "single.npy"]).fine();
    let file = std::fs::read(lab.path("single.npy")).unwrap();
    let expected = b"\x93NUMPY\x01\x00\x76\x00{'descr': '>i2', 'fortran_order': False, 'shape': (), }";
    assert!(file.starts_with(expected) && file.len() == 130 && file.ends_with(b" \n\xff\xf9"), "{file:?}");
    lab.densely(["convert", "single.npy", "again"]).fine();
    assert_eq!(read(&lab, "again"), read(&lab, "single"));
}

#[test]
fn the_type_of_an_array_is_what_its_header_says_whatever_its_elements_are() {
    let lab = Lab::new();
    // The bytes 62 31 27 are the characters b1'.
    let numbers = vec![1, 0x0027_3162, -5];
    let header = "{'descr': '<i4', 'fortran_order': False, 'shape': (3,), }\n";
    let elements: Vec<u8> = numbers.iter().flat_map(|number: &i32| number.to_le_bytes()).collect();
    let start = [&b"\x93NUMPY\x01\x00"[..], &(header.len() as u16).to_le_bytes(), header.as_bytes()].concat();
    lab.write("array.npy", [start, elements].concat());
    lab.densely(["convert", "array.npy", "after"]).fine();
    assert_eq!(read(&lab, "after"), Idx { shape: vec![3], values: Values::I32(numbers) });
}

#[test]
fn floats_that_are_no_numbers_pass_through_npy() {
    let lab = Lab::new();
    lab.write_idx("before", &[2], Values::F32(vec![f32::NAN, 1.0]));
    lab.densely(["convert", "before", "array.npy"]).fine();
    lab.densely(["convert", "array.npy", "after"]).fine();
    let after = read(&lab, "after");
    let values: &[f32] = after.values.as_slice().unwrap();
    assert!(values[0].is_nan() && values[1] == 1.0, "{values:?}");
}

#[test]
fn arrays_have_as_many_dimensions_as_npy_is_read_with() {
    let lab = Lab::new();
    for (rank, fits) in [(32, true), (33, false), (255, false)] {
        lab.write_idx("before", &vec![1; rank], Values::U8(vec![7]));
        if fits {
            lab.densely(["convert", "before", "array.npy"]).fine();
            lab.densely(["convert", "array.npy", "after"]).fine();
            assert_eq!(read(&lab, "after"), read(&lab, "before"));
        } else {
            let expected = format!("deep.npy: expected at most 32 dimensions, found {rank}");
            lab.refuses(["convert", "before", "deep.npy"], &expected);
        }
    }
}

#[test]
fn csv_has_a_line_for_each_item_and_its_label_first() {
    let lab = Lab::new();
    lab.write_idx("images", &[2, 1, 2], Values::U8(vec![1, 2, 3, 255]));
    lab.write_idx("labels", &[2], Values::U8(vec![7, 9]));
    lab.densely(["convert", "images", "all.csv", "--labels", "labels"]).fine();
    assert_eq!(lab.read("all.csv"), "label,v0,v1\n7,1,2\n9,3,255\n");
    let args = ["convert", "all.csv", "images2", "--shape", "1x2", "--labels-out", "labels2"];
    assert_eq!(lab.densely(args).fine(), "images2: 2 items\nlabels2: 2 items\n");
    assert_eq!(read(&lab, "images2"), read(&lab, "images"));
    assert_eq!(read(&lab, "labels2"), read(&lab, "labels"));

    lab.write("floats.csv", "0.5,-1\n\n 2 ,1e3\n");
    lab.densely(["convert", "floats.csv", "floats", "--type", "f32"]).fine();
    assert_eq!(
        read(&lab, "floats"),
        Idx { shape: vec![2, 2], values: Values::F32(vec![0.5, -1.0, 2.0, 1000.0]) }
    );
    lab.write_idx("empty", &[0, 4_000_000], Values::U8(vec![]));
    lab.densely(["convert", "empty", "empty.csv"]).fine();
}

#[test]
fn the_first_line_of_a_csv_is_a_header_or_an_item() {
    let lab = Lab::new();
    for (text, expected) in [
        ("1,,3\n4,5,6\n7,8,9\n", "line 1, column 2: expected a value of type u8, found \"\""),
        ("a,2,3\n4,5,6\n", "line 1, column 1: expected a value of type u8, found \"a\""),
        ("1,nan,inf\n4,5,6\n", "line 1, column 2: expected a value of type u8, found \"nan\""),
    ] {
        lab.write("in.csv", text);
        lab.refuses(["convert", "in.csv", "out"], &format!("in.csv: {expected}"));
    }
    for (text, labelled) in
        [("Label,0,1\n7,5,6\n", true), ("0, LABEL ,1\n5,7,6\n", true), ("a,b\n5,6\n", false)]
    {
        lab.write("in.csv", text);
        let labels: &[&str] = if labelled { &["--labels-out", "labels"] } else { &[] };
        lab.densely([&["convert", "in.csv", "out"], labels].concat()).fine();
        assert_eq!(read(&lab, "out"), Idx { shape: vec![1, 2], values: Values::U8(vec![5, 6]) });
        assert!(!labelled || read(&lab, "labels").as_u8() == Some(&[7]));
    }
}

#[test]
fn errors_in_a_csv_name_the_line_that_an_editor_shows() {
    let lab = Lab::new();
    for text in
        ["a,b\r\n1,2\r\n3,x\r\n", "1,2\n\n3,x\n", "\r\n\r\n3,x\r\n", "\"a\nb\",c\n3,x", "1,2\n\n3,\u{e9}\n"]
    {
        lab.write("in.csv", text);
        lab.refuses(["convert", "in.csv", "out"], "in.csv: line 3, column 2: expected a value of type u8");
    }
    lab.write("in.csv", "1,2\r\n\r\n3\r\n");
    lab.refuses(
        ["convert", "in.csv", "out"],
        "in.csv: line 3: expected 2 cells as in the first line, found 1",
    );
    lab.write("in.csv", b"1,2\r\n3,4\r\n5,\xff\r\n");
    lab.refuses(["convert", "in.csv", "out"], "in.csv: line 3: expected text in UTF-8");
}

#[test]
fn a_finite_number_of_a_csv_stays_finite() {
    let lab = Lab::new();
    for (float, text) in [("f32", "1e39"), ("f32", "-3.5e38"), ("f64", "1e309")] {
        lab.write("in.csv", format!("0,1\n2,{text}\n"));
        let expected =
            format!("in.csv: line 2, column 2: expected a value of type {float}, found \"{text}\"");
        lab.refuses(["convert", "in.csv", "out", "--type", float], &expected);
    }
    lab.write("in.csv", "0,inf\n2,-inf\n");
    lab.densely(["convert", "in.csv", "out", "--type", "f32"]).fine();
    assert_eq!(
        read(&lab, "out"),
        Idx { shape: vec![2, 2], values: Values::F32(vec![0.0, f32::INFINITY, 2.0, f32::NEG_INFINITY]) }
    );
}

#[test]
fn items_without_values_keep_their_labels_in_a_csv_and_are_refused_without_labels() {
    let lab = Lab::new();
    lab.write_idx("images", &[3, 0], Values::U8(vec![]));
    lab.write_idx("labels", &[3], Values::U8(vec![7, 8, 9]));
    lab.densely(["convert", "images", "all.csv", "--labels", "labels"]).fine();
    assert_eq!(lab.read("all.csv"), "label\n7\n8\n9\n");
    lab.densely(["convert", "all.csv", "images2", "--labels-out", "labels2"]).fine();
    assert_eq!((read(&lab, "images2"), read(&lab, "labels2")), (read(&lab, "images"), read(&lab, "labels")));
    lab.refuses(
        ["convert", "images", "none.csv"],
        "none.csv: expected items with values or labels, found shape [3, 0]",
    );
}

#[test]
fn labels_are_read_from_one_file_and_written_into_another() {
    let lab = Lab::new();
    lab.write_idx("images", &[2, 1, 2], Values::U8(vec![1, 2, 3, 255]));
    lab.write_idx("labels", &[2], Values::U8(vec![7, 9]));
    lab.write("l.csv", "label,a\n0,10\n1,11\n");
    let labels = read(&lab, "labels");
    // What is read is never written.
    for (args, expected) in [
        (&["l.csv", "o", "--labels-out", "l.csv"][..], "--labels-out: l.csv is FROM already"),
        (&["l.csv", "same", "--labels-out", "./same"], "--labels-out: ./same is TO already"),
        (&["images", "toy/../images"], "TO: toy/../images is FROM already"),
        (&["images", "labels", "--labels", "labels"], "TO: labels is --labels already"),
        (
            &["images", "o.csv", "--labels", "labels", "--labels-out", "labels"],
            "--labels-out: labels is --labels already",
        ),
        // Labels that are there already, are not there, or have no place.
        (&["l.csv", "o.csv", "--labels", "labels"], "--labels: l.csv has labels already"),
        (&["l.csv", "o", "--labels", "labels", "--labels-out", "p"], "--labels: l.csv has labels already"),
        (
            &["images", "o.npy", "--labels", "labels"],
            "o.npy: there is no place for labels in this kind of file",
        ),
        (&["images", "o", "--labels-out", "p"], "--labels-out: there are no labels to write: expected"),
        (&["l.csv", "o.csv", "--labels-out", "p"], "--labels-out: o.csv holds the labels itself"),
        // Labels that cannot be written.
        (&["l.csv", "o", "--labels-out", "p.npy"], "--labels-out: p.npy: expected the name of an IDX file"),
        (&["l.csv", "o", "--labels-out", "absent/p"], "absent/p: cannot write the file"),
        (&["l.csv", "o", "--labels-out", "toy"], "--labels-out: toy: expected the name of an IDX file"),
    ] {
        lab.refuses([&["convert"], args].concat(), expected);
    }
    assert_eq!(
        (read(&lab, "labels"), lab.read("l.csv")),
        (labels.clone(), "label,a\n0,10\n1,11\n".to_owned())
    );

    let said = lab.densely(["convert", "l.csv", "o"]).fine();
    assert!(said.starts_with("The labels are left out: with --labels-out FILE"), "{said}");
    lab.densely(["convert", "images", "i.gz", "--labels", "labels", "--labels-out", "l.gz"]).fine();
    assert_eq!(read(&lab, "l.gz"), labels);
    assert!(std::fs::read(lab.path("l.gz")).unwrap().starts_with(b"\x1f\x8b"));
}

#[cfg(unix)]
#[test]
fn two_names_of_one_file_are_one() {
    let lab = Lab::new();
    lab.write("l.csv", "label,a\n0,10\n");
    std::os::unix::fs::symlink("l.csv", lab.path("link")).unwrap();
    lab.refuses(["convert", "l.csv", "link"], "TO: link is FROM already");
}

#[test]
fn folders_of_pictures_are_folders_by_label() {
    let lab = Lab::new();
    lab.densely(["convert", "toy/t10k-images-idx3-ubyte", "plain/"]).fine();
    assert_eq!(lab.files("plain").len(), common::TEST);
    lab.densely(["convert", "plain", "again"]).fine();
    assert_eq!(read(&lab, "again"), read(&lab, "toy/t10k-images-idx3-ubyte"));

    let labels = "toy/t10k-labels-idx1-ubyte";
    lab.densely(["convert", "toy/t10k-images-idx3-ubyte", "sorted/", "--labels", labels]).fine();
    assert_eq!(lab.files("sorted")[..3], ["0", "0/00000.png", "0/00003.png"]);
    lab.densely(["convert", "sorted", "images", "--labels-out", "labels"]).fine();
    let (before, after) = (read(&lab, "toy/t10k-images-idx3-ubyte"), read(&lab, "images"));
    assert_eq!(after.item::<u8>(1), before.item(3)); // sorted by label
    assert_eq!(read(&lab, "labels").as_u8().unwrap(), [[0; 10], [1; 10], [2; 10]].concat());

    lab.write_idx("rgb", &[2, 1, 2, 3], Values::U8((0..12).collect()));
    lab.densely(["convert", "rgb", "colours/"]).fine();
    lab.densely(["convert", "colours", "rgb2"]).fine();
    assert_eq!(read(&lab, "rgb2"), read(&lab, "rgb"));
}

#[cfg(unix)]
#[test]
fn a_folder_that_the_conversion_did_not_make_stays() {
    let lab = Lab::new();
    // Whatever number the process has, as far as one can make them all.
    std::fs::create_dir(lab.path("other")).unwrap();
    let mut command = std::process::Command::new("sh");
    let script = "mkdir .pictures.$$.partial; echo kept > .pictures.$$.partial/file; exec \"$0\" convert \"$1\" pictures/";
    let images = "../toy/t10k-images-idx3-ubyte";
    let outcome = command
        .args(["-c", script, env!("CARGO_BIN_EXE_densely"), images])
        .current_dir(lab.path("other"))
        .output();
    assert!(outcome.unwrap().status.success());
    let files = lab.files("other");
    assert!(files[0].ends_with(".partial") && files[1].ends_with(".partial/file"), "{files:?}");
    assert_eq!(files.iter().filter(|name| name.starts_with("pictures/")).count(), common::TEST);
    assert_eq!(files.len(), common::TEST + 3);
}

#[cfg(unix)]
#[test]
fn folders_of_pictures_have_the_permissions_of_any_new_folder() {
    use std::os::unix::fs::PermissionsExt;
    let lab = Lab::new();
    lab.densely(["convert", "toy/t10k-images-idx3-ubyte", "pictures/"]).fine();
    std::fs::create_dir(lab.path("ordinary")).unwrap();
    let mode = |name| std::fs::metadata(lab.path(name)).unwrap().permissions().mode();
    assert_eq!(mode("pictures"), mode("ordinary"));
}

#[test]
fn what_cannot_be_converted_is_refused_and_nothing_is_written() {
    let lab = Lab::new();
    lab.write_idx("floats", &[2, 1, 1], Values::F32(vec![0.5, 1.5]));
    lab.write_idx("labels", &[3], Values::U8(vec![0, 1, 2]));
    lab.write("bad.csv", "a,b\n1,2\n3,256\n");
    lab.write("ragged.csv", "1,2\n3\n");
    lab.write_idx("two", &[2], Values::U8(vec![0, 1]));
    let before = lab.files(".");
    let expected =
        "pictures/: expected PNGs of u8, rows × columns or rows × columns × 3, found f32 of shape [2, 1, 1]";
    lab.refuses(["convert", "floats", "pictures/"], expected);
    lab.refuses(
        ["convert", "floats", "all.csv", "--labels", "labels"],
        "labels: byte 4: expected 2 labels, one for each image of floats, found 3",
    );
    lab.refuses(
        ["convert", "bad.csv", "out"],
        "bad.csv: line 3, column 2: expected a value of type u8, found \"256\"",
    );
    lab.refuses(["convert", "bad.csv", "out", "--shape", "3"], "bad.csv: line 3, column 2");
    lab.refuses(
        ["convert", "ragged.csv", "out"],
        "ragged.csv: line 2: expected 2 cells as in the first line, found 1",
    );
    lab.refuses(
        ["convert", "floats", "out", "--shape", "2x2"],
        "floats: expected a shape of items of 1 values, found [2, 2]",
    );
    lab.refuses(["convert", "floats", "out.npy", "--type", "u8"], "--type: only the values of a CSV file");
    // Before the file is even opened.
    lab.refuses(["convert", "absent", "out", "--type", "u8"], "--type: only the values of a CSV file");
    lab.refuses(["convert", "floats", "out.npy", "--labels", "two"], "out.npy: there is no place for labels");
    lab.refuses(["convert", "floats", "toy/"], "toy/: expected PNGs");
    lab.refuses(["convert", "toy.ron", "out.npy"], "toy.ron: byte 0: expected IDX data");
    assert_eq!(lab.files("."), before);
}
