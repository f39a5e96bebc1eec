//! NPY files.

use super::*;

// NPY.

pub(super) fn npy(version: u8, header: &str, data: &[u8]) -> Vec<u8> {
    let length = header.len() as u32;
    let length =
        if version == 1 { (length as u16).to_le_bytes().to_vec() } else { length.to_le_bytes().to_vec() };
    [b"\x93NUMPY", &[version, 0][..], &length, header.as_bytes(), data].concat()
}

pub(super) fn header(kind: &str, fortran_order: &str, shape: &str) -> String {
    format!("{{'descr': '{kind}', 'fortran_order': {fortran_order}, 'shape': {shape}, }}   \n")
}

#[test]
fn arrays_of_every_type_and_order_are_read() {
    let folder = folder();
    for (kind, data, expected) in [
        ("|b1", vec![0, 1, 1], vec![0.0, 1.0, 1.0]),
        ("|i1", vec![1, 0xff, 0x80], vec![1.0, -1.0, -128.0]),
        ("<i2", vec![1, 0, 0xff, 0xff, 0, 0x80], vec![1.0, -1.0, -32768.0]),
        (">i2", vec![0, 1, 0xff, 0xff, 0x80, 0], vec![1.0, -1.0, -32768.0]),
        (
            "<u4",
            [1_u32, 2, u32::MAX].iter().flat_map(|x| x.to_le_bytes()).collect(),
            vec![1.0, 2.0, 4_294_967_295.0],
        ),
        (
            ">i8",
            [1_i64, -2, 1 << 40].iter().flat_map(|x| x.to_be_bytes()).collect(),
            vec![1.0, -2.0, (1_u64 << 40) as f64],
        ),
        ("<u8", [1_u64, 2, 3].iter().flat_map(|x| x.to_le_bytes()).collect(), vec![1.0, 2.0, 3.0]),
        ("<f4", [0.5_f32, -1.5, 3.0].iter().flat_map(|x| x.to_le_bytes()).collect(), vec![0.5, -1.5, 3.0]),
        (">f8", [0.1_f64, -1e30, 3.0].iter().flat_map(|x| x.to_be_bytes()).collect(), vec![0.1, -1e30, 3.0]),
    ] {
        let path = write(&folder, "a.npy", npy(1, &header(kind, "False", "(3,)"), &data));
        let array = read_npy(&path).unwrap();
        assert_eq!((array.shape, array.values), (vec![3], Features::Floats(expected)), "{kind}");
    }
    for version in 1..=3 {
        let bytes = npy(version, &header("|u1", "False", "(2, 3)"), &[1, 2, 3, 4, 5, 6]);
        let array = read_npy(&write(&folder, "a.npy", bytes)).unwrap();
        assert_eq!((array.shape, array.values), (vec![2, 3], Features::Bytes(vec![1, 2, 3, 4, 5, 6])));
    }
    // numpy.asfortranarray(numpy.arange(12).reshape(2, 3, 2))
    let fortran = [0, 6, 2, 8, 4, 10, 1, 7, 3, 9, 5, 11];
    let array =
        read_npy(&write(&folder, "a.npy", npy(1, &header("|u1", "True", "(2, 3, 2)"), &fortran))).unwrap();
    assert_eq!(array.values, Features::Bytes((0..12).collect()));
    // Keys in any order, other quotes, no blanks.
    let text = "{\"shape\":(1,2),\"fortran_order\":False,\"descr\":\"|u1\"}";
    assert_eq!(read_npy(&write(&folder, "a.npy", npy(1, text, &[7, 8]))).unwrap().shape, [1, 2]);
}

#[test]
fn wrong_arrays_are_refused() {
    let folder = folder();
    let good = header("<f4", "False", "(1,)");
    for (bytes, expected) in [
        (
            b"PK\x03\x04".to_vec(),
            "an archive of several arrays (.npz), expected an NPY file of one; save each array by itself, as by \
             numpy.save(\"x.npy\", numpy.load(\"data.npz\")[\"x\"])",
        ),
        (
            b"PK\x03".to_vec(),
            "not an NPY file: expected it to start with 93 4e 55 4d 50 59 and a version, found other bytes",
        ),
        (npy(4, &good, &[0; 4]), "NPY version 4.0 is not known, expected 1.0, 2.0 or 3.0"),
        (b"\x93NUMPY\x01\x00\x01".to_vec(), "byte 9 of the NPY header: expected the header's length"),
        (
            b"\x93NUMPY\x02\x00\xff\xff\xff\xff{".to_vec(),
            "byte 13 of the NPY header: expected the rest of the header",
        ),
        (
            npy(1, &header("<c8", "False", "(1,)"), &[0; 8]),
            "elements of type \"<c8\": expected b1, u1 to u8, i1 to i8, f4 or f8",
        ),
        (
            npy(1, &header("=f4", "False", "(1,)"), &[0; 4]),
            "elements of type \"=f4\": expected b1, u1 to u8, i1 to i8, f4 or f8",
        ),
        (
            npy(1, "{'descr': [('x', '<f4')]}", &[]),
            "byte 20 of the NPY header: expected one type for all elements, not a record of several",
        ),
        (npy(1, &good, &[0; 3]), "expected 4 bytes behind the header for shape [1], found 3"),
        (npy(1, &good, &[0; 5]), "expected 4 bytes behind the header for shape [1], found 5"),
        (
            npy(1, &header("<f8", "False", "(4294967296, 4294967296)"), &[0; 8]),
            "expected more than 2^64 bytes behind the header for shape [4294967296, 4294967296], found 8",
        ),
        (npy(1, &header("<f8", "False", "(-1,)"), &[]), "byte 61 of the NPY header: expected a size"),
        (
            npy(1, "{'descr': '<f4', }", &[]),
            "byte 27 of the NPY header: expected the keys 'descr', 'fortran_order' and 'shape'",
        ),
        (
            npy(1, "{'descr': '<f4', 'descr': '<f4'}", &[]),
            "byte 27 of the NPY header: expected the keys 'descr', 'fortran_order' and 'shape', each once",
        ),
    ] {
        let path = write(&folder, "a.npy", bytes);
        refused(read_npy(&path), &path, expected);
    }
}

#[test]
fn the_type_in_the_file_is_known_whatever_the_elements_are() {
    let folder = folder();
    for (kind, expected, element) in [
        ("|b1", NpyType::Bool, &b"\x01"[..]),
        ("|u1", NpyType::Unsigned(1), b"'"),
        ("<u2", NpyType::Unsigned(2), b"1'"),
        ("|i1", NpyType::Signed(1), b"'"),
        ("<i2", NpyType::Signed(2), b"1'"),
        ("<i4", NpyType::Signed(4), b"\0i1'"),
        (">f4", NpyType::Float(4), b"\0i1'"),
        (">f8", NpyType::Float(8), b"'i1''b1'"),
    ] {
        let path = write(&folder, "a.npy", npy(2, &header(kind, "False", "(1,)"), element));
        assert_eq!(read_npy(&path).unwrap().element_type, expected);
    }
}

#[test]
fn floats_that_are_no_finite_numbers_are_read_but_no_features_or_labels() {
    let folder = folder();
    let floats = [0.5, f32::INFINITY, f32::NAN].map(f32::to_le_bytes).concat();
    let path = write(&folder, "x.npy", npy(1, &header("<f4", "False", "(3,)"), &floats));
    let Features::Floats(values) = read_npy(&path).unwrap().values else { panic!("not floats") };
    assert!(values[..2] == [0.5, f64::INFINITY] && values[2].is_nan(), "{values:?}");
    let expected = "element 1 is inf, expected a finite number of single precision's range";
    refused(read_features(&path), &path, expected);
    let features = write(&folder, "bytes.npy", npy(1, &header("|u1", "False", "(3,)"), &[1, 2, 3]));
    refused(Npy::new(&features, &path).read(&features, &path, Known::default()), &path, expected);
}

#[test]
fn every_prefix_and_every_changed_byte_of_an_array_is_read_or_refused() {
    let folder = folder();
    let whole = npy(1, &header("<i2", "True", "(2, 2)"), &[1, 0, 2, 0, 3, 0, 4, 0]);
    for end in 0..whole.len() {
        assert!(read_npy(&write(&folder, "a.npy", &whole[..end])).is_err(), "{end}");
    }
    for place in 0..whole.len() {
        for change in [1, 0x10, 0x80, 0xff] {
            let mut changed = whole.clone();
            changed[place] ^= change;
            let _ = read_npy(&write(&folder, "a.npy", changed)); // must not panic
        }
    }
}

#[test]
fn arrays_of_labels_give_classes_or_numbers() {
    let folder = folder();
    let features = write(&folder, "x.npy", npy(1, &header("|u1", "False", "(3, 2, 2)"), &[0; 12]));
    let good = write(&folder, "y.npy", npy(1, &header("|i1", "False", "(3,)"), &[7, 0xff, 7]));
    let pair = Npy::new(&features, &good);
    let samples = pair.read(&features, &good, Known::default()).unwrap();
    assert_eq!((samples.shape.as_slice(), samples.samples), (&[2, 2][..], 3));
    assert_eq!(
        (samples.classes(), labels(&samples)),
        (&["-1".to_owned(), "7".to_owned()][..], vec![1, 0, 1])
    );

    let known = ["7".to_owned(), "8".to_owned()];
    let known = Known { classes: &known, ..Known::default() };
    refused(
        pair.read(&features, &good, known),
        &good,
        "label 1 is -1, which is none of the 2 classes that the model was trained on",
    );
    let few = write(&folder, "few.npy", npy(1, &header("|u1", "False", "(2,)"), &[0, 1]));
    refused(
        pair.read(&features, &few, Known::default()),
        &few,
        "2 labels for 3 samples, expected one for each",
    );
    let rows = write(&folder, "rows.npy", npy(1, &header("|u1", "False", "(3, 2)"), &[0, 1, 2, 3, 4, 5]));
    refused(
        pair.read(&features, &rows, Known::default()),
        &rows,
        "row 1 of the labels is not one-hot: expected one 1 and otherwise zeros; to predict numbers, set task: Regression",
    );
    let half: Vec<u8> = [1.0_f32, 0.5, 0.0].iter().flat_map(|x| x.to_le_bytes()).collect();
    let half = write(&folder, "half.npy", npy(1, &header("<f4", "False", "(3,)"), &half));
    refused(
        pair.read(&features, &half, Known::default()),
        &half,
        "label 1 is 0.5, expected a whole number; to predict numbers, set task: Regression",
    );

    let many: Vec<u8> = (0..70_000_u32).flat_map(u32::to_le_bytes).collect();
    let many = write(&folder, "many.npy", npy(1, &header("<u4", "False", "(70000,)"), &many));
    let long = write(&folder, "long.npy", npy(1, &header("|u1", "False", "(70000,)"), &[0; 70_000]));
    refused(
        pair.read(&long, &many, Known::default()),
        &many,
        "label 16384 is one too many: there are more than 16384 different ones, the most classes there may be; to predict \
         numbers, set task: Regression",
    );

    // Where there are no samples nothing bounds the other sizes.
    let numbers = Npy { task: Task::Regression, ..pair };
    let none =
        write(&folder, "none.npy", npy(1, &header("|u1", "False", "(0, 9999999999, 9999999999)"), &[]));
    refused(
        numbers.read(&none, &none, Known::default()),
        &none,
        "the array has no samples, expected at least 1",
    );
    let samples = numbers.read(&features, &rows, Known::default()).unwrap();
    assert_eq!(
        samples.targets,
        Targets::Values { names: vec!["1".into(), "2".into()], values: vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0] }
    );
}

#[test]
fn one_hot_rows_are_classes() {
    let folder = folder();
    let features = write(&folder, "x.npy", npy(1, &header("|u1", "False", "(3, 1)"), &[7, 8, 9]));
    let read = |kind: &str, shape: &str, bytes: &[u8], known: &[String]| {
        let rows = write(&folder, "rows.npy", npy(1, &header(kind, "False", shape), bytes));
        let known = Known { classes: known, ..Known::default() };
        (Npy::new(&features, &rows).read(&features, &rows, known), rows)
    };
    // Nobody is of class 1, but there is a place for it.
    let rows = [0, 0, 1, 1, 0, 0, 0, 0, 1];
    let floats: Vec<u8> = rows.iter().flat_map(|&value| f32::from(value).to_le_bytes()).collect();
    let names = ["0", "1", "2"].map(str::to_owned);
    for (kind, bytes) in [("|u1", rows.to_vec()), ("|b1", rows.to_vec()), ("<f4", floats)] {
        for known in [&[][..], &names] {
            let samples = read(kind, "(3, 3)", &bytes, known).0.unwrap();
            assert_eq!((samples.classes(), labels(&samples)), (&names[..], vec![2, 0, 2]), "{kind}");
        }
    }
    // The places do not say which of such classes is meant.
    let from_one = ["1", "2", "3"].map(str::to_owned);
    for (known, of) in
        [(&names[..2], r#"2 classes, from "0" to "1""#), (&from_one, r#"3 classes, from "1" to "3""#)]
    {
        let (other, path) = read("|u1", "(3, 3)", &rows, known);
        let expected = format!(
            "one-hot labels of 3 places stand for the classes 0 to 2, but the model was trained on {of}; expected the labels that \
             those were called by"
        );
        refused(other, &path, &expected);
    }
    for (wrong, row) in [
        ([0, 0, 1, 0, 0, 0, 1, 0, 0], 1),
        ([0, 0, 1, 1, 0, 0, 1, 0, 1], 2),
        ([0, 2, 0, 1, 0, 0, 0, 0, 1], 0),
        ([1, 2, 0, 1, 0, 0, 0, 0, 1], 0),
    ] {
        let (samples, path) = read("|u1", "(3, 3)", &wrong, &[]);
        let expected = format!(
            "row {row} of the labels is not one-hot: expected one 1 and otherwise zeros; to predict numbers, set task: Regression"
        );
        refused(samples, &path, &expected);
    }
    let (samples, path) = read("|u1", "(3, 1, 2)", &[0, 1, 1, 0, 1, 0], &[]);
    let expected = "labels of shape [3, 1, 2], expected one label for each sample, or a one-hot row for each";
    refused(samples, &path, expected);
    let none = write(&folder, "none.npy", npy(1, &header("|u1", "False", "(3, 0)"), &[]));
    let samples = Npy::new(&features, &none).read(&features, &none, Known::default());
    refused(
        samples,
        &none,
        "labels of shape [3, 0], expected one label for each sample, or a one-hot row for each",
    );
}

/// Such a header takes no bytes behind it, however many samples it claims.
#[test]
fn samples_without_values_are_refused_before_there_is_room_for_their_labels() {
    let folder = folder();
    for (samples, shape) in [
        (4_611_686_018_427_387_904_u64, "(4611686018427387904, 0)"),
        (1_000_000_000_000, "(1000000000000, 0)"),
    ] {
        let path = write(&folder, "a.npy", npy(1, &header("<f8", "False", shape), &[]));
        let expected = format!(
            "samples without values, in an array of shape [{samples}, 0]; expected at least 1 value for each"
        );
        refused(read_features(&path), &path, &expected);
    }
    let samples = |shape: &[usize], samples| Samples {
        target_columns: Vec::new(),
        features: Features::Bytes(vec![1, 2]),
        shape: shape.to_vec(),
        columns: Vec::new(),
        targets: Targets::Unknown,
        samples,
    };
    assert_eq!(samples(&[2], 1).into_dataset().unwrap().len(), 1);
    for (shape, count) in [(&[0, 7][..], usize::MAX), (&[2], usize::MAX), (&[usize::MAX, 3], 1 << 62)] {
        assert!(samples(shape, count).into_dataset().is_err(), "{shape:?} {count}");
    }
}
