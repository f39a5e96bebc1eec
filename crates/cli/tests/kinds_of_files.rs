//! Files of every kind and type, and what is wrong with them, as a user meets it.

mod common;

use common::{CLASSES, Lab, SIDE, TEST, TRAIN, image_of, npy};
use idx_dataset::Values;

fn recipe(data: &str, inputs: usize, outputs: usize) -> String {
    format!(
        "Recipe(
    data: {data},
    model: Sequential(inputs: {inputs}, layers: [Dense(units: {outputs}, activation: Softmax)]),
    optimizer: Adam(learning_rate: 0.1),
    batch_size: 8,
    epochs: 20,
    seed: 1,
)
"
    )
}

/// Twelve pairs of bytes, the larger of which is the class, and their labels.
fn pairs() -> (Vec<u8>, Vec<u8>) {
    let pairs: Vec<u8> =
        (0..12).flat_map(|pair| [(pair * 89 % 256) as u8, (pair * 55 % 254) as u8]).collect();
    let labels = pairs.chunks(2).map(|pair| u8::from(pair[0] > pair[1])).collect();
    (pairs, labels)
}

#[test]
fn test_data_of_another_width_are_refused_before_training() {
    let lab = Lab::new();
    lab.write("narrow.csv", "1,2,a\n2,1,b\n3,4,a\n4,3,b\n");
    lab.write("wide.csv", "1,2,3,a\n2,1,0,b\n");
    lab.write("table.ron", recipe("Csv(path: \"narrow.csv\", target: -1, test: \"wide.csv\")", 2, 2));
    lab.refuses(
        ["train", "table.ron"],
        "wide.csv: the table has 3 columns for features, expected the 2 features that the model was trained on\n",
    );

    lab.write("x.npy", npy("|u1", "(4, 2)", &[0; 8]));
    lab.write("y.npy", npy("|u1", "(4,)", &[0, 1, 0, 1]));
    lab.write("x3.npy", npy("|u1", "(4, 3)", &[0; 12]));
    let data = "Npy(features: \"x.npy\", labels: \"y.npy\", test: (features: \"x3.npy\", labels: \"y.npy\"))";
    lab.write("arrays.ron", recipe(data, 2, 2));
    lab.refuses(
        ["train", "arrays.ron"],
        "x3.npy: samples of 3 values, expected 2, as many as those that are trained on have\n",
    );

    lab.write_idx("small", &[4, 2], Values::U8(vec![0; 8]));
    lab.write_idx("large", &[4, 3], Values::U8(vec![0; 12]));
    lab.write_idx("labels", &[4], Values::U8(vec![0, 1, 0, 1]));
    let data = "Idx(images: \"small\", labels: \"labels\", test: (images: \"large\", labels: \"labels\"))";
    lab.write("idx.ron", recipe(data, 2, 2));
    lab.refuses(
        ["train", "idx.ron"],
        "large: samples of 3 values, expected 2, as many as those that are trained on have\n",
    );

    // The same where the model is there already.
    lab.densely(["train", "toy.ron", "--epochs", "1", "--name", "toy"]).fine();
    lab.write_idx("toy/t10k-images-idx3-ubyte", &[TEST, 5, 5], Values::U8(vec![0; TEST * 25]));
    lab.refuses(
        ["evaluate", "runs/toy"],
        "toy/t10k-images-idx3-ubyte: expected images of 16 values, as many as the network has inputs, found 25 (5 × 5)\n",
    );
}

#[test]
fn the_model_is_kept_where_the_test_samples_are_beyond_its_numbers() {
    let lab = Lab::new();
    lab.write("line.csv", "x,y\n0.1,0.5\n0.2,1\n0.3,1.5\n0.4,2\n");
    lab.write("huge.csv", "x,y\n3e38,1\n");
    lab.write(
        "line.ron",
        recipe("Csv(path: \"line.csv\", target: \"y\", task: Regression, test: \"huge.csv\")", 1, 1)
            .replace("activation: Softmax", "kernel_initializer: Constant(value: 5.0)")
            .replace("learning_rate: 0.1", "learning_rate: 0.0001")
            .replace("optimizer:", "loss: MeanSquaredError,\n    optimizer:"),
    );
    let outcome = lab.densely(["train", "line.ron", "--epochs", "2"]);
    assert_eq!(outcome.status, Some(1), "{outcome:?}");
    assert_eq!(outcome.err, "densely: error: the loss on the data is inf, expected a finite number\n");
    assert!(outcome.out.contains("\n  2/2 "), "{}", outcome.out);
    assert_eq!(lab.files("runs/line-1"), ["model.safetensors"]);
    let out = lab.densely(["evaluate", "runs/line-1", "--dataset", "line.csv"]).fine();
    assert!(out.starts_with("runs/line-1 on the 4 test samples of line.csv\n\ntest loss      0."), "{out}");
}

#[test]
fn arrays_of_bytes_are_tables_of_shares_of_255() {
    let lab = Lab::new();
    let (pairs, labels) = pairs();
    lab.write("x.npy", npy("|u1", "(12, 2)", &pairs));
    lab.write("y.npy", npy("|u1", "(12,)", &labels));
    lab.write("bytes.ron", recipe("Npy(features: \"x.npy\", labels: \"y.npy\", split: (test: 0.25))", 2, 2));
    let out = lab.densely(["train", "bytes.ron"]).fine();
    assert!(out.contains("data     x.npy: 8 samples to train on, 3 to test with"), "{out}");
    let shares: Vec<u8> = pairs.iter().flat_map(|&byte| (f64::from(byte) / 255.0).to_le_bytes()).collect();
    lab.write("shares.npy", npy("<f8", "(12, 2)", &shares));
    let out = lab.densely(["predict", "runs/bytes-1", "x.npy"]).fine();
    assert_eq!(out.lines().next(), Some("class,probability"));
    assert_eq!(out.lines().count(), 13, "{out}");
    assert_eq!(lab.densely(["predict", "runs/bytes-1", "shares.npy"]).fine(), out);
    lab.write("other.npy", npy("<i4", "(1, 2)", &[0, 1, 0, 0, 1, 0, 0, 0]));
    let out = lab.densely(["predict", "runs/bytes-1", "other.npy"]).fine();
    assert!(out.lines().nth(1).is_some_and(|line| line.starts_with("1,")), "256 is more than 1: {out}");
}

#[test]
fn one_hot_targets_train_as_labels_do() {
    let lab = Lab::new();
    let (pairs, labels) = pairs();
    let one_hot: Vec<u8> = labels.iter().flat_map(|&label| [1 - label, label]).collect();
    lab.write("x.npy", npy("|u1", "(12, 2)", &pairs));
    lab.write("labels.npy", npy("|u1", "(12,)", &labels));
    lab.write("one_hot.npy", npy("|u1", "(12, 2)", &one_hot));
    let metrics = |run: &str| -> serde_json::Value {
        serde_json::from_str(&lab.read(&format!("runs/{run}/metrics.json"))).unwrap()
    };
    for file in ["labels", "one_hot"] {
        let data = format!("Npy(features: \"x.npy\", labels: \"{file}.npy\")");
        lab.write(&format!("{file}.ron"), recipe(&data, 2, 2));
        lab.densely(["train", &format!("{file}.ron"), "--name", file]).fine();
    }
    for figure in ["fingerprint", "test_loss", "test_accuracy", "confusion_matrix"] {
        assert_eq!(metrics("one_hot")[figure], metrics("labels")[figure], "{figure}");
    }

    // The same in a table, split alike, where one-hot columns are numbers to predict.
    let line = |(pair, target): (&[u8], String)| format!("{},{},{target}\n", pair[0], pair[1]);
    let rows = |target: fn(u8) -> String| -> String {
        pairs.chunks(2).zip(labels.iter().map(|&label| target(label))).map(line).collect()
    };
    let names = |label| ["smaller", "larger"][usize::from(label)].to_owned();
    lab.write("named.csv", "a,b,kind\n".to_owned() + &rows(names));
    lab.write(
        "columns.csv",
        "a,b,larger,smaller\n".to_owned() + &rows(|label| format!("{label},{}", 1 - label)),
    );
    for (file, target) in [("named", "\"kind\""), ("columns", "[\"larger\", \"smaller\"], task: Regression")]
    {
        let split = "scaling: Divide(255), split: (method: Last)";
        let text = recipe(&format!("Csv(path: \"{file}.csv\", target: {target}, {split})"), 2, 2);
        lab.write(&format!("{file}.ron"), text.replace("seed:", "metrics: [CategoricalAccuracy()], seed:"));
        lab.densely(["train", &format!("{file}.ron"), "--name", file]).fine();
    }
    let (named, columns) = (metrics("named"), metrics("columns"));
    // Sums of products with 0 and 1 are rounded where a class picks its term.
    let loss = |metrics: &serde_json::Value| metrics["test_loss"].as_f64().unwrap();
    assert!((loss(&columns) / loss(&named) - 1.0).abs() < 1e-5, "{columns} {named}");
    assert_eq!(columns["metrics"], named["metrics"]);
    let out = lab.densely(["predict", "runs/columns", "columns.csv"]).fine();
    assert_eq!(out.lines().next(), Some("larger,smaller"));
    let sum = |line: &str| line.split(',').map(|share| share.parse::<f64>().unwrap()).sum::<f64>();
    assert!(out.lines().skip(1).all(|line| (sum(line) - 1.0).abs() < 1e-6), "{out}");

    lab.write("wrong.ron", recipe("Csv(path: \"columns.csv\", target: [\"larger\", \"smaller\"])", 2, 2));
    lab.refuses(
        ["train", "wrong.ron"],
        "wrong.ron: data: target is a list of 2, expected 1 column: the class; of one-hot columns, as of all numbers to \
         predict, the task is Regression\n",
    );
}

/// As numpy.savez writes them.
#[test]
fn an_archive_of_arrays_is_refused_with_what_to_do() {
    let lab = Lab::trained();
    let mut archive = b"PK\x03\x04\x14\x00".to_vec();
    archive.extend([0; 40]);
    lab.write("data.npz", &archive);
    lab.write("npz.ron", recipe("Npy(features: \"data.npz\", labels: \"data.npz\")", 16, 3));
    let message = "data.npz: an archive of several arrays (.npz), expected an NPY file of one; save each array by itself, as \
                   by numpy.save(\"x.npy\", numpy.load(\"data.npz\")[\"x\"])\n";
    lab.refuses(["train", "npz.ron"], message);
    lab.refuses(["predict", "runs/toy", "data.npz"], message);
}

#[test]
fn idx_files_of_other_types_are_trained_on_where_a_recipe_describes_them() {
    let lab = Lab::new();
    let labels: Vec<u8> = (0..60).map(|image| (image % CLASSES) as u8).collect();
    let pixels: Vec<u8> =
        labels.iter().enumerate().flat_map(|(image, &label)| image_of(label, image)).collect();
    lab.write_idx("labels", &[60], Values::U8(labels.clone()));
    let short = |&pixel: &u8| 100 * i16::from(pixel) - 12_000;
    let float = |&pixel: &u8| f32::from(pixel) / 64.0 - 2.0;
    for (name, values) in [
        ("i16", Values::I16(pixels.iter().map(short).collect())),
        ("f32", Values::F32(pixels.iter().map(float).collect())),
    ] {
        lab.write_idx(name, &[60, SIDE, SIDE], values.clone());
        let data = format!("Idx(images: \"{name}\", labels: \"labels\", scaling: Standardize)");
        lab.write(&format!("{name}.ron"), recipe(&data, SIDE * SIDE, CLASSES));
        let (file, run) = (format!("{name}.ron"), format!("runs/{name}-1"));
        let out = lab.densely(["train", &file]).fine();
        assert!(out.contains("test accuracy  100.00 %"), "{out}");
        // Numbers are no picture: a line each, for all of them.
        let out = lab.densely(["predict", &run, name]).fine();
        let classes: Vec<&str> = out.lines().skip(1).map(|line| line.split(',').next().unwrap()).collect();
        assert_eq!(classes, labels.iter().map(u8::to_string).collect::<Vec<_>>(), "{out}");

        // A folder such as MNIST's has bytes, and so has what its models are asked.
        let lab = Lab::trained();
        lab.write_idx("numbers", &[60, SIDE, SIDE], values.clone());
        lab.refuses(
            ["predict", "runs/toy", "numbers"],
            &format!("numbers: expected images of type u8, found {name}\n"),
        );
        lab.write_split("train", 60);
        lab.write_idx("toy/train-images-idx3-ubyte", &[60, SIDE, SIDE], values);
        lab.refuses(
            ["train", "toy.ron"],
            &format!("toy/train-images-idx3-ubyte: expected images of type u8, found {name}\n"),
        );
    }
}

#[test]
fn a_file_that_ends_in_its_header_is_refused_by_every_command() {
    let lab = Lab::trained();
    std::fs::remove_file(lab.path("toy/train-images-idx3-ubyte")).unwrap();
    for (header, message) in [
        (&[0, 0][..], "header ends at byte 2, expected 4"),
        (&[0, 0, 8], "header ends at byte 3, expected 4"),
        (&[0, 0, 8, 3, 0, 0], "header ends at byte 6, expected 16"),
        (
            &[0, 0, 7, 1, 0, 0, 0, 0],
            "byte 2: expected an element type (08 u8, 09 i8, 0b i16, 0c i32, 0d f32 or 0e f64), found 07",
        ),
        (&[0, 0, 8, 1, 0, 0, 0, TRAIN as u8], "values end at byte 8, expected 128 for shape [120]"),
    ] {
        lab.write("cut", header);
        for args in [&["inspect", "cut"][..], &["predict", "runs/toy", "cut"]] {
            lab.refuses(args, &format!("cut: {message}\n"));
        }
        for (file, args) in [
            ("train-images-idx3-ubyte", &["train", "toy.ron"][..]),
            ("t10k-labels-idx1-ubyte", &["evaluate", "runs/toy"]),
        ] {
            lab.write(&format!("toy/{file}"), header);
            lab.refuses(args, &format!("toy/{file}: {message}\n"));
        }
    }

    let whole = npy("|u1", "(1, 16)", &[0; 16]);
    for (length, message) in [
        (6, "not an NPY file: expected it to start with 93 4e 55 4d 50 59 and a version, found other bytes"),
        (9, "byte 9 of the NPY header: expected the header's length"),
        (30, "byte 30 of the NPY header: expected the rest of the header"),
        (whole.len() - 1, "expected 16 bytes behind the header for shape [1, 16], found 15"),
    ] {
        lab.write("cut.npy", &whole[..length]);
        lab.refuses(["predict", "runs/toy", "cut.npy"], &format!("cut.npy: {message}\n"));
    }

    lab.write("empty", "");
    lab.refuses(["inspect", "empty"], "empty: header ends at byte 0, expected 4\n");
    lab.refuses(
        ["predict", "runs/toy", "empty"],
        "empty: expected an IDX file, a PNG or an NPY file, found none of them (it is empty)\n",
    );

    let model = std::fs::read(lab.path("runs/toy/model.safetensors")).unwrap();
    for (length, message) in
        [(0, "header too small"), (7, "header too small"), (100, "invalid header length")]
    {
        lab.write("cut.safetensors", &model[..length]);
        for args in [
            &["summary", "cut.safetensors"][..],
            &["evaluate", "cut.safetensors"],
            &["predict", "cut.safetensors", "cut"],
        ] {
            lab.refuses(args, &format!("cut.safetensors: not a safetensors file: {message}\n"));
        }
    }
}
