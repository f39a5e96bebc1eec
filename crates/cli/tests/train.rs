//! `densely train`, as a user runs it.

mod common;

use common::{CLASSES, Lab, RECIPE, TEST, TRAIN, assert_plain};
use idx_dataset::Values;
use serde_json::json;

#[test]
fn a_run_shows_the_network_the_epochs_and_the_test_and_keeps_its_files() {
    let lab = Lab::new();
    let out = lab.densely(["train", "--recipe", "toy.ron"]).fine();
    for text in [
        "Total params: 163 (652.00 B)",
        "data     toy: 100 images to train on, 30 to test with\n         20 held out for validation (a sixth of this small set)",
        "run      runs/toy-1",
        "epoch       loss   accuracy   val loss   val accuracy   images/s        time",
        "test accuracy  ",
        "(95 % interval ",
        "confusion matrix: rows are true classes, columns what was predicted",
        "kept in runs/toy-1",
        "fingerprint of the weights: ",
    ] {
        assert!(out.contains(text), "{text:?} in\n{out}");
    }
    let epochs = out
        .lines()
        .filter(|line| line.trim_start().split('/').nth(1).is_some_and(|rest| rest.starts_with("5 ")));
    assert_eq!(epochs.count(), 5, "{out}");
    assert_eq!(
        lab.files("runs/toy-1"),
        ["digits.png", "history.csv", "history.svg", "metrics.json", "model.safetensors", "pixels.svg"]
    );
    assert_eq!(lab.read("runs/toy-1/history.csv").lines().count(), 6);
    assert!(lab.read("runs/toy-1/history.svg").contains("\nvalidation\n"));
}

#[test]
fn metrics_are_json_with_every_field() {
    let lab = Lab::new();
    lab.densely(["train", "--recipe", "toy.ron", "--out", "a/b", "--seed", "7", "--threads", "1"]).fine();
    let metrics: serde_json::Value = serde_json::from_str(&lab.read("a/b/metrics.json")).unwrap();
    for (field, expected) in [
        ("epochs", json!(5)),
        ("seed", json!(7)),
        ("threads", json!(1)),
        ("dataset", json!("toy")),
        ("interrupted", json!(false)),
        ("validation", json!("20")),
    ] {
        assert_eq!(metrics[field], expected, "{field}");
    }
    let number = |field: &str| metrics[field].as_f64().unwrap_or_else(|| panic!("{field} in {metrics}"));
    assert!(number("test_accuracy") > 1.0 / CLASSES as f64 && number("test_accuracy") <= 1.0);
    assert!(number("test_loss") > 0.0 && number("images_per_second") > 0.0 && number("seconds") > 0.0);
    assert_eq!(metrics["fingerprint"].as_str().unwrap().len(), 16);
    assert!(!metrics["isa"].as_str().unwrap().is_empty());
    let rows = metrics["confusion_matrix"].as_array().unwrap().iter().map(|row| row.as_array().unwrap());
    let counted: u64 = rows.flatten().map(|count| count.as_u64().unwrap()).sum();
    assert_eq!(counted, 30, "every test image stands in the confusion matrix once");
    assert_eq!(metrics.as_object().unwrap().len(), 13);
}

#[test]
fn the_same_seed_gives_the_same_weights_whatever_the_threads() {
    let lab = Lab::new();
    let fingerprint = |name: &str, seed: &str, threads: &str| {
        lab.densely(["train", "--recipe", "toy.ron", "--name", name, "--seed", seed, "--threads", threads])
            .fine();
        let metrics: serde_json::Value =
            serde_json::from_str(&lab.read(&format!("runs/{name}/metrics.json"))).unwrap();
        metrics["fingerprint"].clone()
    };
    let first = fingerprint("first", "3", "1");
    assert_eq!(fingerprint("second", "3", "3"), first);
    assert_ne!(fingerprint("third", "4", "1"), first);
}

#[test]
fn validation_is_a_number_the_test_set_or_nothing() {
    let lab = Lab::new();
    let run = |name: &str, validation: &str| {
        lab.densely([
            "train",
            "--recipe",
            "toy.ron",
            "--epochs",
            "1",
            "--name",
            name,
            "--validation",
            validation,
        ])
        .fine()
    };
    assert!(
        run("number", "30")
            .contains("90 images to train on, 30 to test with\n         30 held out for validation")
    );
    let test = run("test", "test");
    assert!(
        test.contains(
            "120 images to train on, 30 to test with\n         validation on the test images, which so are no longer unseen"
        )
    );
    assert!(test.contains("These images were the validation set too"));
    let none = run("none", "none");
    assert!(
        none.contains("120 images to train on, 30 to test with\n         no validation")
            && !none.contains("val loss"),
        "{none}"
    );
    assert!(lab.read("runs/none/history.csv").lines().nth(1).unwrap().contains(",,"));

    lab.refuses(
        ["train", "--recipe", "toy.ron", "--validation", "120"],
        "--validation 120: expected less than the 120 training images of the dataset, so that some are left to train on",
    );
}

#[test]
fn runs_are_numbered_and_never_overwritten() {
    let lab = Lab::new();
    for number in 1..=2 {
        let out = lab.densely(["train", "--recipe", "toy.ron", "--epochs", "1"]).fine();
        assert!(out.contains(&format!("kept in runs/toy-{number}")), "{out}");
    }
    let before = lab.read("runs/toy-1/metrics.json");
    for place in [["--out", "runs/toy-1"], ["--name", "toy-1"]] {
        lab.refuses(
            [&["train", "--recipe", "toy.ron"][..], &place].concat(),
            "runs/toy-1: this folder already holds model.safetensors of another run, which stays as it is; choose \
             another --out or --name, or remove the folder",
        );
    }
    assert_eq!(lab.read("runs/toy-1/metrics.json"), before);

    // Other files in a folder are no reason to refuse it, nor to touch them.
    std::fs::create_dir(lab.path("mine")).unwrap();
    lab.write("mine/notes.txt", "mine");
    lab.densely(["train", "--recipe", "toy.ron", "--epochs", "1", "--out", "mine"]).fine();
    assert_eq!(lab.read("mine/notes.txt"), "mine");
}

#[test]
fn flags_override_the_recipe() {
    let lab = Lab::new();
    let run = |name: &str, flags: &[&str]| {
        let args = [&["train", "--recipe", "toy.ron", "--name", name, "--epochs", "2"][..], flags].concat();
        lab.densely(args).fine();
        lab.read(&format!("runs/{name}/history.csv"))
            .lines()
            .map(|line| line.split(',').take(5).collect::<Vec<_>>().join(","))
            .collect::<Vec<_>>()
    };
    let plain = run("plain", &[]);
    assert_eq!(plain.len(), 3);
    assert_eq!(run("same", &["--learning-rate", "0.01", "--batch-size", "8", "--dataset", "toy"]), plain);
    assert_ne!(run("rate", &["--learning-rate", "0.02"]), plain);
    assert_ne!(run("batch", &["--batch-size", "100000"]), plain);
}

#[test]
fn datasets_are_found_by_name_in_the_data_folder_plain_or_compressed() {
    let lab = Lab::new();
    std::fs::create_dir_all(lab.path("elsewhere/sample")).unwrap();
    for file in [
        "train-images-idx3-ubyte",
        "train-labels-idx1-ubyte",
        "t10k-images-idx3-ubyte",
        "t10k-labels-idx1-ubyte",
    ] {
        let idx = idx_dataset::read(lab.path(&format!("toy/{file}"))).unwrap();
        idx_dataset::write_gzip(lab.path(&format!("elsewhere/sample/{file}.gz")), &idx).unwrap();
    }
    let mut command = lab.command([
        "train",
        "--recipe",
        "toy.ron",
        "--dataset",
        "mnist-sample",
        "--epochs",
        "1",
        "--name",
        "gz",
    ]);
    let out = common::Outcome::from(command.env("DENSELY_DATA", "elsewhere").output().unwrap()).fine();
    assert!(out.contains("data     mnist-sample: 100 images"), "{out}");
    assert!(lab.read("runs/gz/metrics.json").contains("\"dataset\": \"mnist-sample\""));

    lab.refuses(
        ["train"],
        "dataset mnist: data/mnist/train-images-idx3-ubyte is not there; `cargo xtask download mnist` fetches it, \
         $DENSELY_DATA says where datasets are, and --dataset also takes a folder",
    );
    lab.refuses(
        ["train", "--dataset", "nowhere"],
        "dataset: there is no folder nowhere; expected a folder, or one of the names mnist, fashion-mnist, mnist-sample",
    );
}

#[test]
fn wrong_recipes_are_refused_by_file_line_and_field() {
    let lab = Lab::new();
    for (from, to, message) in [
        ("batch_size: 8", "batch_sise: 8", "line 11, column 5, at batch_sise: unexpected field"),
        ("units: 8", "units: 0", "layer 1 (dense): units is 0, expected at least 1"),
        ("units: 8", "units: -1", "line 6, column "),
        ("epochs: 5", "epochs: 0", "epochs is 0, expected at least 1"),
        ("learning_rate: 0.01", "learning_rate: -1.0", "Adam: learning_rate is -1, expected "),
        ("activation: Softmax", "activation: Sofmax", "line 7, column "),
        (RECIPE, "", "line 1, column 1: "),
    ] {
        lab.write("wrong.ron", RECIPE.replace(from, to));
        let outcome = lab.densely(["train", "--recipe", "wrong.ron"]);
        assert_eq!(outcome.status, Some(1), "{outcome:?}");
        assert!(outcome.err.starts_with(&format!("densely: error: wrong.ron: {message}")), "{}", outcome.err);
        assert_eq!((outcome.err.lines().count(), outcome.out.as_str()), (1, ""));
    }
    assert!(!lab.path("runs").exists());
    lab.refuses(
        ["train", "--recipe", "absent.ron"],
        "absent.ron: cannot read the file: No such file or directory (os error 2)",
    );
    lab.write("binary.ron", [0xff, 0xfe]);
    lab.refuses(
        ["train", "--recipe", "binary.ron"],
        "binary.ron: expected a recipe in RON, found bytes that are no UTF-8 text",
    );
    lab.write("long.ron", vec![b' '; (1 << 20) + 1]);
    lab.refuses(
        ["train", "--recipe", "long.ron"],
        "long.ron: expected a recipe of at most 1048576 bytes, found more",
    );
}

#[test]
fn wrong_data_are_refused_by_file_and_leave_no_folder() {
    let train = ["train", "--recipe", "toy.ron"];

    let lab = Lab::new();
    let mut labels: Vec<u8> = (0..TRAIN).map(|image| (image % CLASSES) as u8).collect();
    labels[17] = 3;
    lab.write_idx("toy/train-labels-idx1-ubyte", &[TRAIN], Values::U8(labels));
    lab.refuses(train, "toy/train-labels-idx1-ubyte: sample 17 has label 3, expected ");

    lab.write_idx("toy/train-labels-idx1-ubyte", &[TRAIN - 1], Values::U8(vec![0; TRAIN - 1]));
    lab.refuses(
        train,
        "toy/train-labels-idx1-ubyte: byte 4: expected 120 labels, one for each image of toy/train-images-idx3-ubyte, \
         found 119",
    );

    lab.write("toy/train-labels-idx1-ubyte", "not IDX at all");
    lab.refuses(
        train,
        "toy/train-labels-idx1-ubyte: byte 0: expected IDX data, which start with 00 00, found 6e 6f",
    );

    let lab = Lab::new();
    lab.write_idx("toy/t10k-images-idx3-ubyte", &[TEST, 3, 5], Values::U8(vec![0; TEST * 15]));
    lab.refuses(
        train,
        "toy/t10k-images-idx3-ubyte: expected images of 16 values, as many as the network has inputs, found 15 (3 × 5)",
    );

    let lab = Lab::new();
    lab.write_split("train", 0);
    lab.refuses(train, "toy/train-images-idx3-ubyte: the dataset has no samples, expected at least 1");
    std::fs::remove_file(lab.path("toy/train-images-idx3-ubyte")).unwrap();
    lab.refuses(
        train,
        "toy/train-images-idx3-ubyte: cannot open the file: No such file or directory (os error 2)",
    );
}

#[test]
fn an_unwritable_folder_is_refused_before_data_are_read() {
    let lab = Lab::new();
    lab.write("file", "mine");
    // Were data read first, this is what the message would be about.
    lab.write("toy/train-labels-idx1-ubyte", "not IDX at all");
    lab.refuses(
        ["train", "--recipe", "toy.ron", "--out", "file/run"],
        "file/run: cannot make the run's folder: Not a directory (os error 20)",
    );
    lab.refuses(
        ["train", "--recipe", "toy.ron", "--out", "file"],
        "file: cannot make the run's folder: not a directory",
    );
    assert_eq!(lab.read("file"), "mine");
}

#[test]
fn training_that_leaves_the_numbers_stops_and_keeps_nothing() {
    let lab = Lab::new();
    let outcome = lab.densely(["train", "--recipe", "toy.ron", "--learning-rate", "1e38"]);
    assert_eq!(outcome.status, Some(1), "{outcome:?}");
    assert!(outcome.err.starts_with("densely: error: the loss is "), "{}", outcome.err);
    assert!(outcome.err.contains(" of epoch 1, expected a finite number"), "{}", outcome.err);
    assert_plain(&outcome.out);
    assert!(!lab.path("runs").exists());
}

#[test]
fn a_folder_in_use_is_refused_and_a_lock_left_behind_is_not_in_the_way() {
    let lab = Lab::new();
    std::fs::create_dir(lab.path("busy")).unwrap();
    lab.write("busy/.run.lock", "4711\n");
    let lock = std::fs::File::open(lab.path("busy/.run.lock")).unwrap();
    lock.lock().unwrap();
    lab.refuses(
        ["train", "--recipe", "toy.ron", "--out", "busy"],
        "busy: this folder is in use by another run (process 4711)",
    );
    drop(lock);
    lab.densely(["train", "--recipe", "toy.ron", "--out", "busy", "--epochs", "1"]).fine();
    assert!(!lab.path("busy/.run.lock").exists());
}
