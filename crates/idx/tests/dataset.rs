//! Pairs of files, where they are found, and what is known about the well-known sets.

use std::fs;

use idx_dataset::{Error, Idx, Pair, Values, find, known, one_hot, read_pair, write};

#[test]
fn images_come_with_their_labels() {
    let folder = tempfile::tempdir().unwrap();
    let (images, labels) = (folder.path().join("images"), folder.path().join("labels"));
    let pictures = Idx { shape: vec![3, 2, 1], values: Values::U8(vec![1, 2, 3, 4, 5, 6]) };
    write(&images, &pictures).unwrap();
    write(&labels, &Idx { shape: vec![3], values: Values::U8(vec![5, 0, 4]) }).unwrap();
    let pair = read_pair(&images, &labels).unwrap();
    assert_eq!(pair.images, pictures);
    assert_eq!(pair.labels, [5, 0, 4]);
}

#[test]
fn the_plain_file_is_found_before_the_compressed_one() {
    let folder = tempfile::tempdir().unwrap();
    let (plain, compressed) = (folder.path().join("images.v2"), folder.path().join("images.v2.gz"));
    assert_eq!(find(folder.path(), "images.v2"), plain, "neither is there");
    fs::write(&compressed, "").unwrap();
    assert_eq!(find(folder.path(), "images.v2"), compressed);
    fs::write(&plain, "").unwrap();
    assert_eq!(find(folder.path(), "images.v2"), plain);
}

#[test]
fn every_known_set_is_found_by_its_name() {
    for dataset in &known::ALL {
        assert_eq!(known::find(dataset.name), Some(dataset));
        assert!(!dataset.classes.is_empty());
    }
    assert_eq!(known::find("MNIST"), None);
    assert_eq!(known::EMNIST_LETTERS.classes.concat(), "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    assert_eq!(known::EMNIST_BALANCED.classes.len(), 47);
}

#[test]
fn known_files_are_described_consistently() {
    for dataset in &known::ALL {
        for split in [dataset.train, dataset.test] {
            if let (Some(images), Some(labels)) = (split.images.shape, split.labels.shape) {
                assert_eq!(images[0], labels[0], "{}", dataset.name);
            }
            for sha256 in
                [split.images, split.labels].iter().flat_map(|file| [file.sha256, file.gzip_sha256]).flatten()
            {
                assert_eq!(sha256.len(), 64);
                assert!(sha256.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')), "{sha256}");
            }
        }
    }
}

/// Writes a small set in the files of `known`.
fn write_set(folder: &std::path::Path, known: &known::KnownDataset, images: &Idx, labels: Idx) {
    for split in [known.train, known.test] {
        write(folder.join(split.images.name), images).unwrap();
        write(folder.join(split.labels.name), &labels).unwrap();
    }
}

#[test]
fn a_known_set_must_have_its_shapes_classes_and_counts() {
    let folder = tempfile::tempdir().unwrap();
    let small = Idx { shape: vec![2, 28, 28], values: Values::U8(vec![0; 2 * 784]) };
    let labels = |labels: &[u8]| Idx { shape: vec![labels.len()], values: Values::U8(labels.to_vec()) };
    write_set(folder.path(), &known::MNIST, &small, labels(&[1, 2]));
    let refused = |known: &known::KnownDataset, file: &str, expected: &str| {
        let error = known.read_train(folder.path()).unwrap_err().to_string();
        assert_eq!(error, format!("{}: {expected}", folder.path().join(file).display()));
    };
    refused(&known::MNIST, "train-labels-idx1-ubyte", "byte 4: expected shape [60000], found [2]");
    let mut known = known::MNIST;
    known.train.labels.shape = Some(&[2]);
    let expected = "byte 4: expected shape [60000, 28, 28], found [2, 28, 28]";
    refused(&known, "train-images-idx3-ubyte", expected);
    known.train.images.shape = Some(&[2, 28, 28]);
    assert!(known.read_train(folder.path()).is_ok());
    let floats = Idx { shape: small.shape.clone(), values: Values::F64(vec![0.0; 2 * 784]) };
    write_set(folder.path(), &known, &floats, labels(&[1, 2]));
    refused(&known, "train-images-idx3-ubyte", "byte 2: expected values of type u8, found f64");

    let own = known::KnownDataset::with_mnist_names("own", "own", &["no", "yes"]);
    write_set(folder.path(), &own, &small, labels(&[1, 2]));
    let error = own.read_test(folder.path()).unwrap_err().to_string();
    let path = folder.path().join("t10k-labels-idx1-ubyte");
    assert_eq!(error, format!("{}: byte 9: expected a label of 2 classes from 0, found 2", path.display()));
    write_set(folder.path(), &own, &small, labels(&[1]));
    assert!(matches!(own.read_test(folder.path()), Err(Error::CountMismatch { .. })));
    write_set(folder.path(), &own, &small, labels(&[1, 0]));
    assert_eq!(own.read_test(folder.path()).unwrap(), Pair { images: small, labels: vec![1, 0] });
}

#[test]
fn emnist_is_put_upright_and_counted_from_zero() {
    let folder = tempfile::tempdir().unwrap();
    let mut letters = known::EMNIST_LETTERS;
    (letters.train.images.shape, letters.train.labels.shape) = (None, None);
    let stored = Idx { shape: vec![1, 2, 3], values: Values::U8(vec![1, 2, 3, 4, 5, 6]) };
    write_set(folder.path(), &letters, &stored, Idx { shape: vec![1], values: Values::U8(vec![26]) });
    let pair = letters.read_train(folder.path()).unwrap();
    assert_eq!(pair.images, Idx { shape: vec![1, 3, 2], values: Values::U8(vec![1, 4, 2, 5, 3, 6]) });
    assert_eq!(letters.classes[usize::from(pair.labels[0])], "Z");
    write_set(folder.path(), &letters, &stored, Idx { shape: vec![1], values: Values::U8(vec![0]) });
    assert!(matches!(letters.read_train(folder.path()), Err(Error::LabelRange { first: 1, found: 0, .. })));
}

#[test]
fn of_qmnists_rows_the_first_number_is_the_label() {
    let folder = tempfile::tempdir().unwrap();
    let mut qmnist = known::QMNIST;
    qmnist.train.images.shape = None;
    qmnist.train.labels.shape = Some(&[2, 8]);
    let images = Idx { shape: vec![2, 1, 1], values: Values::U8(vec![1, 2]) };
    let rows = |first, second| Idx {
        shape: vec![2, 8],
        values: Values::I32(vec![first, 4, 1, 2, 3, 4, 5, 6, second, 1, 2, 3, 4, 5, 6, 7]),
    };
    write_set(folder.path(), &qmnist, &images, rows(9, 0));
    assert_eq!(qmnist.read_train(folder.path()).unwrap().labels, [9, 0]);
    let refused = |labels: Idx, expected: &str| {
        write_set(folder.path(), &qmnist, &images, labels);
        let error = qmnist.read_train(folder.path()).unwrap_err().to_string();
        let path = folder.path().join("qmnist-train-labels-idx2-int");
        assert_eq!(error, format!("{}: {expected}", path.display()));
    };
    for label in [-1, 10, 256, i32::MIN] {
        let expected = format!("byte 44: expected a label of 10 classes from 0, found {label}");
        refused(rows(9, label), &expected);
    }
    let single = Idx { shape: vec![2, 1], values: Values::I32(vec![1, 2]) };
    refused(single, "byte 4: expected shape [2, 8], found [2, 1]");
    let bytes = Idx { shape: vec![2], values: Values::U8(vec![1, 2]) };
    refused(bytes, "byte 2: expected values of type i32, found u8");
}

#[test]
fn pairs_are_split_and_labels_become_rows() {
    let images = Idx { shape: vec![4, 2], values: Values::I16(vec![1, 1, 2, 2, 3, 3, 4, 4]) };
    let pair = Pair { images, labels: vec![2, 0, 2, 1] };
    let (first, rest) = pair.split_at(3);
    assert_eq!((first.labels, rest.labels), (vec![2, 0, 2], vec![1]));
    assert_eq!(rest.images, Idx { shape: vec![1, 2], values: Values::I16(vec![4, 4]) });
    assert_eq!(pair.items_by_class(), [vec![1], vec![3], vec![0, 2]]);
    assert_eq!(pair.select(&[3, 3]).images.values, Values::I16(vec![4, 4, 4, 4]));
    assert_eq!(one_hot(&[1], 2).unwrap(), [0.0, 1.0]);
    assert!(matches!(one_hot(&[0, 2], 2), Err(Error::LabelRange { offset: 1, found: 2, .. })));
    assert!(matches!(one_hot(&[0, 0], usize::MAX / 2 + 1), Err(Error::OutOfMemory { .. })));
}

#[test]
fn items_of_no_values_are_transposed_without_memory() {
    let huge = vec![0, u32::MAX as usize, i32::MAX as usize];
    let mut idx = Idx { shape: huge.clone(), values: Values::U8(vec![]) };
    idx.transpose_items();
    assert_eq!(idx.shape, [huge[0], huge[2], huge[1]]);
    for shape in [vec![1, usize::MAX, 2], vec![1, 2, 2]] {
        let mut torn = Idx { shape, values: Values::U8(vec![1, 2, 3]) };
        let before = torn.clone();
        torn.transpose_items();
        assert_eq!(torn, before, "there are not as many values as the shape says");
    }
}
