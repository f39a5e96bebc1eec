//! Samples that stay in their file: the results of samples in memory, and errors where the file fails.

#![cfg(feature = "idx")]

use densely::data::Scaling;
use densely::{Activation, Compile, Dataset, Dense, Dropout, Evaluate, Fit, Model, Pool, Sequential};
use std::path::{Path, PathBuf};

const SAMPLES: usize = 300;
const FEATURES: usize = 50;

/// Images of bytes of which about so many percent are not 0, and labels of four classes.
fn write(folder: &Path, percent: usize) -> (PathBuf, PathBuf) {
    let (images, labels) = (folder.join("images"), folder.join("labels"));
    let byte = |i: usize| if i * 7919 % 100 < percent { (i * i / 7 % 255 + 1) as u8 } else { 0 };
    let bytes: Vec<u8> = (0..SAMPLES * FEATURES).map(byte).collect();
    idx_dataset::write_slice(&images, &[SAMPLES, 5, 10], &bytes).expect("the folder is writable");
    let classes: Vec<u8> = (0..SAMPLES).map(|sample| (sample * 7 % 4) as u8).collect();
    idx_dataset::write_slice(&labels, &[SAMPLES], &classes).expect("the folder is writable");
    (images, labels)
}

fn network(first: impl Into<densely::Layer>) -> Sequential {
    Sequential::new(FEATURES)
        .add(first)
        .add(Dense::new(70).activation(Activation::Relu))
        .add(Dense::new(4).activation(Activation::Softmax))
}

fn model(network: &Sequential, threads: usize) -> Model<f32> {
    let pool = Pool::new(threads).expect("threads are to be had");
    network.compile(Compile { pool, seed: 1, ..Compile::default() }).expect("the network is valid")
}

#[test]
fn results_are_those_of_samples_in_memory() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    // Gathered as nonzeros, looked through in vain, and gathered for a layer that takes no nonzeros.
    for (percent, network) in
        [(20, network(Dense::new(80))), (90, network(Dense::new(80))), (20, network(Dropout::new(0.1)))]
    {
        let (images, labels) = write(folder.path(), percent);
        let read = idx_dataset::read_pair(&images, &labels).expect("what was written");
        let in_memory = Dataset::from_idx(read, 4).expect("valid data");
        let on_disk = Dataset::open_idx(&images, &labels, 4).expect("valid files");
        assert!(in_memory.bytes(0).is_some() && on_disk.bytes(0).is_none());
        assert_eq!(on_disk.fingerprint().expect("the file is there"), in_memory.fingerprint().unwrap());
        let scaling = |data| Scaling::Standardize.fit(data).expect("the file is there");
        assert_eq!(scaling(&on_disk), scaling(&in_memory));
        for threads in [1, 2] {
            let results = |data: &Dataset| {
                let (train, test) = data.split_stratified(150, 3).expect("enough samples");
                let mut model = model(&network, threads);
                let fit = Fit { epochs: 2, batch_size: 64, validation: Some(&test), ..Fit::default() };
                model.fit(&train, fit).expect("the data fit");
                let evaluation = model.evaluate_with(&test, Evaluate::default()).expect("the data fit");
                (model.fingerprint(), evaluation, model.predict(data).expect("the data fit"))
            };
            assert_eq!(results(&on_disk), results(&in_memory), "{percent} %, {threads} threads");
        }
    }
}

#[test]
fn a_file_that_has_become_shorter_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (percent, first) in [(20, Dense::new(80).into()), (20, densely::Layer::from(Dropout::new(0.1)))] {
        let (images, labels) = write(folder.path(), percent);
        let data = Dataset::open_idx(&images, &labels, 4).expect("valid files");
        let mut model = model(&network(first), 2);
        model.predict(&data).expect("the file is whole");
        let file = std::fs::File::options().write(true).open(&images).expect("the file is there");
        file.set_len(1000).expect("a file can be cut");
        let errors = [
            model.predict(&data).map(drop),
            model.evaluate(&data).map(drop),
            model.fit(&data, Fit::default()).map(drop),
            model.train_on_batch(&data).map(drop),
            data.fingerprint().map(drop),
            data.gather(&[299], &mut [0.0_f32; FEATURES]),
        ];
        for error in errors {
            let message = error.expect_err("the samples are not there").to_string();
            assert!(message.contains(&images.display().to_string()), "{message}");
        }
        // Whole again, all goes on.
        write(folder.path(), percent);
        let data = Dataset::open_idx(&images, &labels, 4).expect("valid files");
        model.predict(&data).expect("the file is whole");
    }
}

#[test]
fn what_cannot_be_read_sample_by_sample_is_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (images, labels) = write(folder.path(), 20);
    let floats = folder.path().join("floats");
    idx_dataset::write_slice(&floats, &[2, 1], &[0.5_f32, 1.0]).expect("the folder is writable");
    for (images, labels, expected) in [
        (&floats, &labels, "expected values of type u8, found f32"),
        (&images, &images, "expected labels"),
        (&folder.path().join("missing"), &labels, "cannot open"),
    ] {
        let error = Dataset::open_idx(images, labels, 4).expect_err("refused").to_string();
        assert!(error.contains(expected), "{error}");
    }
    let error = Dataset::open_idx(&images, &labels, 3).expect_err("a label of 3").to_string();
    assert_eq!(error, "sample 1 has label 3, expected a label below 3");
}
