//! A person's own files, from a recipe to predictions, without a line of Rust.

mod common;

use common::{Lab, npy};
use densely::{Model, Pool};
use std::fs;

/// Flowers that two of their four measures tell apart, 20 of each kind; `id` says nothing.
fn flowers() -> String {
    let mut text = "id,sepal_length,sepal_width,petal_length,petal_width,species\n".to_owned();
    for flower in 0..60 {
        let kind = flower % 3;
        let noise = |place: usize| ((flower * 37 + place * 101) % 60) as f64 / 100.0;
        let petal = [1.4, 4.2, 6.0][kind];
        let name = ["setosa", "versicolor", "virginica"][kind];
        text += &format!(
            "{flower},{:.2},{:.2},{:.2},{:.2},{name}\n",
            5.0 + noise(0),
            3.0 + noise(1),
            petal + noise(2),
            petal / 3.0 + noise(3)
        );
    }
    text
}

fn recipe(data: &str, inputs: usize, outputs: usize) -> String {
    format!(
        "Recipe(
    data: {data},
    model: Sequential(
        inputs: {inputs},
        layers: [Dense(units: 8, activation: Relu), Dense(units: {outputs}, activation: Softmax)],
    ),
    optimizer: Adam(learning_rate: 0.05),
    batch_size: 8,
    epochs: 30,
    seed: 1,
)
"
    )
}

const TABLE: &str = "Csv(path: \"flowers.csv\", target: \"species\", ignore: \"id\", scaling: Standardize)";

fn metrics(lab: &Lab, run: &str) -> serde_json::Value {
    serde_json::from_str(&lab.read(&format!("{run}/metrics.json"))).unwrap()
}

#[test]
fn a_table_is_trained_on_evaluated_and_predicted() {
    let lab = Lab::new();
    fs::create_dir(lab.path("mine")).unwrap();
    lab.write("mine/flowers.csv", flowers());
    lab.write("mine/flowers.ron", recipe(TABLE, 4, 3));
    // The recipe's paths start from its folder, not from where the command is called.
    let out = lab.densely(["train", "mine/flowers.ron"]).fine();
    for text in [
        "data     mine/flowers.csv: 40 samples to train on, 12 to test with\n         8 held out for validation (a sixth of this small set)",
        "test accuracy  100.00 %  (95 % interval ",
        "12 of 12 samples)",
        "versicolor",
        "kept in runs/flowers-1",
    ] {
        assert!(out.contains(text), "{text:?} in\n{out}");
    }
    assert_eq!(
        lab.files("runs/flowers-1"),
        ["history.csv", "history.svg", "metrics.json", "model.safetensors"]
    );
    let kept = metrics(&lab, "runs/flowers-1");
    assert_eq!((&kept["dataset"], &kept["validation"]), (&"mine/flowers.csv".into(), &"8".into()));

    // The test samples are the same ones again, scaled as those that were trained on.
    let out = lab.densely(["evaluate", "runs/flowers-1"]).fine();
    assert!(
        out.starts_with(
            "runs/flowers-1 on the 12 test samples of mine/flowers.csv\n\ntest accuracy  100.00 %"
        ),
        "{out}"
    );
    let loss = format!("test loss      {:.4}", kept["test_loss"].as_f64().unwrap());
    assert!(out.contains(&loss), "{loss} in\n{out}");

    // Columns are found by name, in any order; the target need not be there.
    lab.write(
        "new.csv",
        "petal_width,petal_length,sepal_width,sepal_length\n0.5,1.5,3.2,5.1\n2.2,6.2,3.3,5.3\n",
    );
    let out = lab.densely(["predict", "runs/flowers-1", "new.csv"]).fine();
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines[0], "class,probability");
    assert!(lines[1].starts_with("setosa,0.9") && lines[2].starts_with("virginica,0.9"), "{out}");
    assert_eq!(lines.len(), 3);

    // The lines of the training file come out as their species, all sixty of them.
    lab.densely(["predict", "runs/flowers-1", "mine/flowers.csv", "--output", "species.csv"]).fine();
    let species = lab.read("species.csv");
    let names = |text: &str, column: usize| -> Vec<String> {
        text.lines().skip(1).map(|line| line.split(',').nth(column).unwrap().to_owned()).collect()
    };
    assert_eq!(names(&species, 0), names(&flowers(), 5));

    let json = lab.densely(["predict", "runs/flowers-1", "new.csv", "--json"]).fine();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        (&json[1]["label"], &json[1]["item"], &json[1]["file"]),
        (&"virginica".into(), &1.into(), &"new.csv".into())
    );

    // Another table with its targets, all of which are tested with.
    let other = flowers().replace("petal_width", "width").replace(",width,species", ",petal_width,species");
    lab.write("other.csv", other);
    let out = lab.densely(["evaluate", "runs/flowers-1", "--dataset", "other.csv"]).fine();
    assert!(out.starts_with("runs/flowers-1 on the 60 test samples of other.csv"), "{out}");
}

#[test]
fn the_whole_recipe_in_the_documentation_trains() {
    let formats = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/formats.md")).unwrap();
    let (recipe, _) = formats.split_once("```ron\nRecipe(").unwrap().1.split_once("```").unwrap();
    let lab = Lab::new();
    lab.write("flowers.csv", flowers());
    lab.write("flowers.ron", format!("Recipe({recipe}"));
    let out = lab.densely(["train", "flowers.ron"]).fine();
    assert!(out.contains("test accuracy  100.00 %") && out.contains("kept in runs/flowers-1"), "{out}");
}

#[test]
fn a_target_by_its_position_has_its_name_in_other_files() {
    let lab = Lab::new();
    lab.write("flowers.csv", flowers());
    lab.write("flowers.ron", recipe(&TABLE.replace("\"species\"", "-1"), 4, 3));
    lab.densely(["train", "flowers.ron"]).fine();
    // The species first, the petals' width last.
    let turned = |line: &str| {
        let (rest, species) = line.rsplit_once(',').unwrap();
        format!("{species},{rest}\n")
    };
    let other: String = flowers().lines().map(turned).collect();
    lab.write("other.csv", &other);
    let out = lab.densely(["evaluate", "runs/flowers-1", "--dataset", "other.csv"]).fine();
    assert!(out.starts_with("runs/flowers-1 on the 60 test samples of other.csv\n"), "{out}");
    assert!(out.contains("(95 % interval ") && out.contains("of 60 samples)"), "{out}");
    let accuracy: f64 =
        out.split_once("test accuracy  ").unwrap().1.split_once(" %").unwrap().0.parse().unwrap();
    assert!(accuracy > 90.0, "{out}");
    let again = lab.densely(["predict", "runs/flowers-1", "other.csv"]).fine();
    assert_eq!(again, lab.densely(["predict", "runs/flowers-1", "flowers.csv"]).fine());

    lab.write("other.csv", other.replace("species", "kind"));
    lab.refuses(
        ["evaluate", "runs/flowers-1", "--dataset", "other.csv"],
        "other.csv: there is no column \"species\", which the model was trained to predict, and in its place, at position -1, \
         is \"petal_width\", which is something else",
    );
}

#[test]
fn the_metrics_of_a_recipe_are_measured_kept_and_measured_again() {
    let lab = Lab::new();
    lab.write("flowers.csv", flowers());
    let chosen = "metrics: [Precision(average: Macro), TopKCategoricalAccuracy(k: 2), ConfusionMatrix()],";
    lab.write("flowers.ron", recipe(TABLE, 4, 3).replace("batch_size", &format!("{chosen} batch_size")));
    let out = lab.densely(["train", "flowers.ron", "--epochs", "3"]).fine();
    let kept = metrics(&lab, "runs/flowers-1");
    let measured = kept["metrics"].as_object().unwrap();
    assert_eq!(measured["confusion_matrix"].as_array().unwrap().len(), 3);
    let precision = format!("test precision  {:.4}\n", measured["precision"].as_f64().unwrap());
    let top_k = measured["top_k_categorical_accuracy"].as_f64().unwrap();
    let top_k = format!("test top_k_categorical_accuracy  {top_k:.4}\n");
    // Each epoch has one line in a pipe; a table has no column.
    let names = "precision   val precision   top_k_categorical_accuracy   val top_k_categorical_accuracy";
    let mut table = out.lines().skip_while(|line| !line.starts_with("epoch "));
    let head = table.next().unwrap();
    assert!(head.ends_with(&format!(" images/s        time   {names}")), "{out}");
    let rows: Vec<&str> = table.take(3).collect();
    let shown = |row: &str| -> Vec<String> {
        let cells = row.split_whitespace().rev().take(4).map(str::to_owned);
        cells.collect::<Vec<_>>().into_iter().rev().collect()
    };
    let history = lab.read("runs/flowers-1/history.csv");
    let history: Vec<Vec<&str>> = history.lines().map(|line| line.split(',').collect()).collect();
    let place = |name: &str| history[0].iter().position(|cell| *cell == name).unwrap();
    for (row, epoch) in rows.iter().zip(&history[1..]) {
        let expected = ["precision", "val_precision"]
            .into_iter()
            .chain(["top_k_categorical_accuracy", "val_top_k_categorical_accuracy"])
            .map(|name| format!("{:.4}", epoch[place(name)].parse::<f64>().unwrap()));
        assert_eq!(shown(row), expected.collect::<Vec<_>>(), "{out}");
    }
    let again = lab.densely(["evaluate", "runs/flowers-1"]).fine();
    for text in [&precision, &top_k] {
        assert!(out.contains(text) && again.contains(text), "{text:?} in\n{out}\n{again}");
    }
    let history = lab.read("runs/flowers-1/history.csv");
    let header = history.lines().next().unwrap();
    assert!(
        header.ends_with(
            ",learning_rate,precision,top_k_categorical_accuracy,val_precision,val_top_k_categorical_accuracy"
        ),
        "{header}"
    );
    for line in history.lines().skip(1) {
        let cells: Vec<f64> = line.split(',').map(|cell| cell.parse().unwrap()).collect();
        assert_eq!(cells.len(), 12, "{line}");
    }
}

#[test]
fn the_recipe_says_what_is_held_out_and_flags_override_it() {
    let lab = Lab::new();
    lab.write("flowers.csv", flowers());
    lab.write("more.csv", flowers());
    let split = "Csv(path: \"flowers.csv\", target: -1, ignore: 0, test: \"more.csv\", scaling: MinMax, split: (method: Last, validation: 0.25))";
    lab.write("flowers.ron", recipe(split, 4, 3));
    let run =
        |flags: &[&str]| lab.densely([&["train", "flowers.ron", "--epochs", "1"][..], flags].concat()).fine();
    let out = run(&[]);
    assert!(
        out.contains("45 samples to train on, 60 to test with\n         15 held out for validation\n"),
        "{out}"
    );
    let out = run(&["--validation", "none"]);
    assert!(out.contains("60 samples to train on, 60 to test with\n         no validation\n"), "{out}");
    let out = run(&["--validation", "test"]);
    assert!(out.contains("validation on the test samples, which so are no longer unseen"), "{out}");

    // Another seed trains other weights on the same samples, and tests with the same.
    let share = "Csv(path: \"flowers.csv\", target: \"species\", ignore: \"id\", split: (test: 0.5))";
    lab.write("share.ron", recipe(share, 4, 3));
    for seed in ["1", "2"] {
        lab.densely(["train", "share.ron", "--seed", seed, "--name", seed, "--validation", "none"]).fine();
    }
    let matrix = |run: &str| metrics(&lab, run)["confusion_matrix"].clone();
    let totals = |matrix: serde_json::Value| -> Vec<u64> {
        matrix
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row.as_array().unwrap().iter().map(|count| count.as_u64().unwrap()).sum())
            .collect()
    };
    assert_eq!(totals(matrix("runs/1")), [10, 10, 10]);
    assert_eq!(totals(matrix("runs/2")), [10, 10, 10]);
}

#[test]
fn arrays_are_trained_on_evaluated_and_predicted() {
    let lab = Lab::new();
    // Which of two numbers is larger.
    let numbers: Vec<f32> = (0..80).map(|place| ((place * 37) % 41) as f32).collect();
    let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
    let labels: Vec<u8> =
        numbers.chunks(2).flat_map(|pair| i64::from(pair[0] > pair[1]).to_le_bytes()).collect();
    fs::create_dir(lab.path("arrays")).unwrap();
    lab.write("arrays/features.npy", npy("<f4", "(40, 2)", &bytes));
    lab.write("arrays/labels.npy", npy("<i8", "(40,)", &labels));
    lab.write(
        "arrays.ron",
        recipe(
            "Npy(features: \"arrays/features.npy\", labels: \"arrays/labels.npy\", scaling: Divide(40))",
            2,
            2,
        ),
    );
    let out = lab.densely(["train", "arrays.ron"]).fine();
    assert!(out.contains("data     arrays/features.npy: 27 samples to train on, 8 to test with"), "{out}");
    let out = lab.densely(["evaluate", "runs/arrays-1", "--dataset", "arrays"]).fine();
    assert!(out.starts_with("runs/arrays-1 on the 40 test samples of arrays"), "{out}");

    let pairs: Vec<u8> = [30.0_f64, 2.0, 2.0, 30.0].iter().flat_map(|number| number.to_be_bytes()).collect();
    lab.write("pairs.npy", npy(">f8", "(2, 2)", &pairs));
    let out = lab.densely(["predict", "runs/arrays-1", "pairs.npy"]).fine();
    let lines: Vec<&str> = out.lines().collect();
    assert!(lines[1].starts_with("1,0.") && lines[2].starts_with("0,0."), "{out}");
    // Several files are told apart.
    let out = lab.densely(["predict", "runs/arrays-1", "pairs.npy", "pairs.npy", "--limit", "1"]).fine();
    assert_eq!(out.lines().next(), Some("file,class,probability"));
    assert!(
        out.lines().skip(1).all(|line| line.starts_with("pairs.npy,1,")) && out.lines().count() == 3,
        "{out}"
    );
}

#[test]
fn a_folder_of_pictures_is_trained_on_evaluated_and_predicted() {
    let lab = Lab::new();
    for picture in 0..24 {
        let (class, side) = ([("dark", 20), ("light", 220)][picture % 2], 3);
        fs::create_dir_all(lab.path(&format!("shades/{}", class.0))).unwrap();
        let pixels: Vec<u8> =
            (0..side * side).map(|place| class.1 + ((picture * 7 + place * 5) % 30) as u8).collect();
        lab.write_png(&format!("shades/{}/{picture}.png", class.0), side, side, &pixels);
    }
    lab.write("shades/.hidden", "x");
    lab.write("shades.ron", recipe("ImageFolder(path: \"shades\")", 9, 2));
    let out = lab.densely(["train", "shades.ron"]).fine();
    assert!(out.contains("data     shades: 16 images to train on, 5 to test with"), "{out}");
    assert!(out.contains("test accuracy  100.00 %"), "{out}");
    assert!(lab.path("runs/shades-1/digits.png").exists() && lab.path("runs/shades-1/pixels.svg").exists());
    let out = lab.densely(["evaluate", "runs/shades-1"]).fine();
    assert!(out.starts_with("runs/shades-1 on the 5 test images of shades"), "{out}");

    // A light picture stays light: it is read as those that were trained on, and not made to look like a digit.
    let out = lab
        .densely([
            "predict",
            "runs/shades-1",
            "shades/light/1.png",
            "shades/dark/0.png",
            "--output",
            "out.csv",
        ])
        .fine();
    assert_eq!(out, "");
    let out = lab.read("out.csv");
    let lines: Vec<&str> = out.lines().collect();
    assert!(
        lines[1].starts_with("shades/light/1.png,light,") && lines[2].starts_with("shades/dark/0.png,dark,"),
        "{out}"
    );
    let out = lab.densely(["predict", "runs/shades-1", "shades/light/1.png"]).fine();
    assert!(out.starts_with("shades/light/1.png: light\n"), "{out}");

    lab.write_png("large.png", 4, 4, &[0; 16]);
    lab.refuses(
        ["predict", "runs/shades-1", "large.png"],
        "large.png: expected samples of 9 values, as many as the network has inputs, found 16",
    );
}

#[test]
fn idx_files_of_any_name_are_trained_on() {
    let lab = Lab::new();
    fs::rename(lab.path("toy/train-images-idx3-ubyte"), lab.path("pixels")).unwrap();
    fs::rename(lab.path("toy/train-labels-idx1-ubyte"), lab.path("columns")).unwrap();
    lab.write("idx.ron", recipe("Idx(images: \"pixels\", labels: \"columns\")", 16, 3));
    let out = lab.densely(["train", "idx.ron"]).fine();
    assert!(out.contains("data     pixels: 80 images to train on, 24 to test with"), "{out}");
    lab.densely(["predict", "runs/idx-1", "pixels", "--limit", "1"]).fine();
}

#[test]
fn images_on_disk_give_the_model_that_they_give_in_memory() {
    let lab = Lab::new();
    let files = "images: \"toy/train-images-idx3-ubyte\", labels: \"toy/train-labels-idx1-ubyte\"";
    let fingerprint = |name: &str, more: &str| {
        lab.write(&format!("{name}.ron"), recipe(&format!("Idx({files}{more})"), 16, 3));
        let out = lab.densely(["train", &format!("{name}.ron")]).fine();
        out.lines().find(|line| line.contains("fingerprint")).expect("a fingerprint").to_owned()
    };
    assert_eq!(fingerprint("disk", ", on_disk: true"), fingerprint("memory", ""));
    lab.densely(["evaluate", "runs/disk-1"]).fine();
    let tested = "test: (images: \"toy/t10k-images-idx3-ubyte\", labels: \"toy/t10k-labels-idx1-ubyte\")";
    lab.write("tested.ron", recipe(&format!("Idx({files}, on_disk: true, {tested})"), 16, 3));
    lab.densely(["train", "tested.ron"]).fine();
    lab.densely(["evaluate", "runs/tested-1"]).fine();
    lab.densely(["predict", "runs/disk-1", "toy/train-images-idx3-ubyte", "--limit", "1"]).fine();

    lab.write("scaled.ron", recipe(&format!("Idx({files}, on_disk: true, scaling: MinMax)"), 16, 3));
    lab.refuses(
        ["train", "scaled.ron"],
        "scaled.ron: data: scaling of images on disk is MinMax, expected None",
    );
    lab.densely(["convert", "toy/train-images-idx3-ubyte", "images.gz"]).fine();
    let compressed = files.replace("toy/train-images-idx3-ubyte", "images.gz");
    lab.write("gzip.ron", recipe(&format!("Idx({compressed}, on_disk: true)"), 16, 3));
    lab.refuses(["train", "gzip.ron"], "images.gz: images on disk have to be plain, found gzip");
    let images = lab.path("toy/train-images-idx3-ubyte");
    for (content, message) in [
        (
            &[0, 0, 8, 2, 0, 0, 0, 1, 0, 0, 0, 1, 5],
            "toy/train-labels-idx1-ubyte: byte 4: expected 1 labels, one for each image of toy/train-images-idx3-ubyte, found 120",
        ),
        (&[0, 0, 9, 2, 0, 0, 0, 1, 0, 0, 0, 1, 5], "toy/train-images-idx3-ubyte"),
    ] {
        fs::write(&images, content).unwrap();
        lab.refuses(["train", "disk.ron"], message);
    }
    fs::remove_file(&images).unwrap();
    lab.refuses(["train", "disk.ron"], "toy/train-images-idx3-ubyte");
}

#[test]
fn wrong_files_are_refused_by_place_and_leave_no_folder() {
    let lab = Lab::new();
    lab.write("flowers.csv", flowers().replace("\n2,", "\n2,?"));
    lab.write("flowers.ron", recipe(TABLE, 4, 3));
    lab.refuses(
        ["train", "flowers.ron"],
        "flowers.csv: line 4, column 2 (sepal_length): expected a finite number of single precision's range, found \"?5",
    );
    lab.write("flowers.csv", flowers());
    for (from, to, message) in [
        ("inputs: 4", "inputs: 5", "flowers.csv: the samples have 4 features, the network has 5 inputs"),
        ("units: 3", "units: 4", "flowers.csv: the dataset has 3 classes, the network has 4 outputs"),
        (
            "\"species\"",
            "\"specie\"",
            "flowers.csv: there is no column \"specie\": expected one of \"id\", \"sepal_length\", ",
        ),
        ("flowers.csv", "absent.csv", "cannot read absent.csv: No such file or directory"),
        ("scaling: Standardize", "scaling: Standardise", "wrong.ron: line 2, column "),
        (
            "scaling: Standardize",
            "scaling: Divide(-1)",
            "wrong.ron: data: divisor of scaling is -1, expected a finite number above 0",
        ),
        ("Csv(", "Cvs(", "wrong.ron: line 2, column "),
    ] {
        lab.write("wrong.ron", recipe(TABLE, 4, 3).replace(from, to));
        lab.refuses(["train", "wrong.ron"], message);
    }
    assert!(!lab.path("runs").exists());

    lab.densely(["train", "flowers.ron", "--epochs", "1"]).fine();
    lab.write("new.csv", "sepal_length,sepal_width,petal_length\n1,2,3\n");
    lab.refuses(
        ["predict", "runs/flowers-1", "new.csv"],
        "new.csv: there is no column \"petal_width\": expected one of \"sepal_length\", \"sepal_width\", \"petal_length\"",
    );
    lab.write("new.csv", flowers().replace("virginica", "rosa"));
    lab.refuses(
        ["evaluate", "runs/flowers-1", "--dataset", "new.csv"],
        "new.csv: line 4, column 6 (species): class \"rosa\" is none of the 3 that the model was trained on",
    );
    let outcome = lab.densely(["train", "flowers.ron", "--recipe", "flowers.ron"]);
    assert_eq!(outcome.status, Some(2), "{outcome:?}");
}

#[test]
fn numbers_are_predicted_under_the_names_of_their_columns() {
    let lab = Lab::new();
    let lines: String = (0..50).map(|x| format!("{x},{},{}\n", 2 * x + 1, 100 - x)).collect();
    lab.write("line.csv", format!("x,up,down\n{lines}"));
    let data = "Csv(path: \"line.csv\", target: [\"up\", \"down\"], task: Regression, scaling: Standardize)";
    let text = recipe(data, 1, 2)
        .replace("activation: Softmax", "activation: Linear")
        .replace("epochs: 30", "epochs: 200");
    lab.write("line.ron", text.replace("optimizer:", "loss: MeanSquaredError,\n    optimizer:"));
    let out = lab.densely(["train", "line.ron"]).fine();
    assert!(
        out.contains("test loss") && !out.contains("test accuracy") && !out.contains("confusion"),
        "{out}"
    );
    lab.write("new.csv", "x\n10\n20\n");
    let out = lab.densely(["predict", "runs/line-1", "new.csv"]).fine();
    let lines: Vec<Vec<&str>> = out.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(lines[0], ["up", "down"]);
    for (line, expected) in lines[1..].iter().zip([[21.0, 90.0], [41.0, 80.0]]) {
        for (number, expected) in line.iter().zip(expected) {
            assert!((number.parse::<f64>().unwrap() - expected).abs() < 5.0, "{out}");
        }
    }
    let json = lab.densely(["predict", "runs/line-1", "new.csv", "--json"]).fine();
    assert!(json.contains("outputs") && !json.contains("class") && !json.contains("label"), "{json}");
    assert!(lab.densely(["evaluate", "runs/line-1"]).fine().contains("10 test samples of line.csv"));
}

#[test]
fn one_sigmoid_tells_two_classes_apart() {
    let lab = Lab::new();
    let lines: String = (0..40).map(|x| format!("{x},{}\n", if x < 20 { "low" } else { "high" })).collect();
    lab.write("halves.csv", lines);
    let text =
        recipe("Csv(path: \"halves.csv\", target: 1, scaling: MinMax)", 1, 1).replace("Softmax", "Sigmoid");
    lab.write("halves.ron", text.replace("optimizer:", "loss: BinaryCrossentropy(),\n    optimizer:"));
    lab.densely(["train", "halves.ron"]).fine();
    lab.write("new.csv", "1\n38\n");
    let out = lab.densely(["predict", "runs/halves-1", "new.csv"]).fine();
    let lines: Vec<&str> = out.lines().collect();
    assert!(lines[1].starts_with("low,0.") && lines[2].starts_with("high,0."), "{out}");
}

/// Its mean and variance are those of the samples that are trained on, and stay so.
#[test]
fn a_normalization_layer_is_adapted_to_the_training_samples() {
    let lab = Lab::new();
    let mut table = "height,class\n".to_owned();
    for sample in 0..40 {
        let (height, class) = if sample % 2 == 0 { (1000 + sample, "low") } else { (3000 + sample, "high") };
        table += &format!("{height},{class}\n");
    }
    lab.write("heights.csv", &table);
    lab.write("test.csv", "height,class\n1005,low\n3005,high\n");
    let data = "Csv(path: \"heights.csv\", target: \"class\", test: \"test.csv\")";
    let text = recipe(data, 1, 2).replace("layers: [Dense", "layers: [Normalization(), Dense");
    lab.write("heights.ron", text);
    let out = lab.densely(["train", "heights.ron", "--validation", "none"]).fine();
    assert!(out.contains("test accuracy  100.00 %"), "{out}");

    let model =
        Model::<f32>::load(lab.path("runs/heights-1/model.safetensors"), Pool::new(1).unwrap()).unwrap();
    let (mean, variance) = (model.parameters().tensor(0)[0], model.parameters().tensor(1)[0]);
    // 1000 + 2i and 3001 + 2i for i below 20: mean 2000 + 19.5, and a variance of 1000.5² + 4·(20² − 1)/12.
    assert!((mean - 2019.5).abs() < 1e-2, "{mean}");
    assert!((variance / 1_001_133.25 - 1.0).abs() < 1e-5, "{variance}");
}
