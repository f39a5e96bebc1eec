//! `densely evaluate`, as a user runs it.

mod common;

use common::{Lab, TEST};
use idx_dataset::Values;

#[test]
fn the_folder_and_the_file_give_the_accuracy_that_training_found() {
    let lab = Lab::trained();
    let metrics: serde_json::Value = serde_json::from_str(&lab.read("runs/toy/metrics.json")).unwrap();
    let accuracy = format!("test accuracy  {:.2} %", 100.0 * metrics["test_accuracy"].as_f64().unwrap());
    let loss = format!("test loss      {:.4}", metrics["test_loss"].as_f64().unwrap());
    for model in ["runs/toy", "runs/toy/model.safetensors"] {
        let out = lab.densely(["evaluate", model]).fine();
        assert!(
            out.starts_with(&format!("{model} on the 30 test images of toy\n\n{accuracy}  (95 % interval ")),
            "{out}"
        );
        assert!(out.contains(&loss) && out.contains("confusion matrix"), "{out}");
    }
}

#[test]
fn the_confusion_matrix_counts_every_test_image() {
    let lab = Lab::trained();
    let out = lab.densely(["evaluate", "runs/toy"]).fine();
    let table: Vec<&str> = out.lines().skip_while(|line| !line.starts_with("confusion")).skip(2).collect();
    assert_eq!(table.len(), 3, "{out}");
    let counts = table.iter().flat_map(|row| row.split_whitespace().skip(1).take(3));
    let total: usize = counts.map(|count| if count == "·" { 0 } else { count.parse().unwrap() }).sum();
    assert_eq!(total, TEST);
}

#[test]
fn another_dataset_can_be_named() {
    let lab = Lab::trained();
    std::fs::rename(lab.path("toy"), lab.path("moved")).unwrap();
    lab.refuses(
        ["evaluate", "runs/toy"],
        "dataset: there is no folder toy; expected a folder, or one of the names mnist, fashion-mnist, mnist-sample",
    );
    assert!(
        lab.densely(["evaluate", "runs/toy", "--dataset", "moved"]).fine().contains("test images of moved")
    );
    lab.write_idx("moved/t10k-labels-idx1-ubyte", &[TEST], Values::U8(vec![9; TEST]));
    lab.refuses(
        ["evaluate", "runs/toy", "--dataset", "moved"],
        "moved/t10k-labels-idx1-ubyte: sample 0 has label 9, expected ",
    );
}

#[test]
fn what_is_no_model_is_refused_by_name() {
    let lab = Lab::trained();
    lab.refuses(
        ["evaluate", "toy"],
        "toy: expected a run's folder with model.safetensors in it, or a model file",
    );
    let outcome = lab.densely(["evaluate", "absent"]);
    assert_eq!(outcome.status, Some(1));
    assert!(outcome.err.starts_with("densely: error: cannot read absent: "), "{}", outcome.err);
    assert_eq!(outcome.err.matches("No such file").count(), 1, "{}", outcome.err);

    let mut bytes = std::fs::read(lab.path("runs/toy/model.safetensors")).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    lab.write("damaged.safetensors", &bytes);
    lab.write("cut.safetensors", &bytes[..last]);
    lab.write("escape\u{1b}[2J.safetensors", "no model");
    for name in ["damaged.safetensors", "cut.safetensors", "escape\u{1b}[2J.safetensors"] {
        let outcome = lab.densely(["evaluate", name]);
        assert_eq!((outcome.status, outcome.err.lines().count()), (Some(1), 1), "{outcome:?}");
        assert!(outcome.err.contains(&name.replace('\u{1b}', "\\u{1b}")), "{}", outcome.err);
    }
}
