//! Pairs of files, where they are found, and what is known about the well-known sets.

use std::fs;

use idx_dataset::{Idx, Values, find, known, read_pair, write};

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
