//! What is predicted is scaled as what was trained on, whatever kind of file it comes from.

mod common;

use common::{Lab, npy};
use densely::{Dataset, Model, Pool};
use idx_dataset::Values;
use std::fs;

const SAMPLES: usize = 24;
const SIDE: usize = 3;
const FEATURES: usize = SIDE * SIDE;

/// A byte for each feature of each sample, those of the second class brighter. No feature is constant.
fn pixels() -> Vec<u8> {
    let pixel = |place: usize| 40 + 100 * (place / FEATURES % 2) + (place * 37 + place / FEATURES * 11) % 60;
    (0..SAMPLES * FEATURES).map(|place| pixel(place) as u8).collect()
}

/// Trains on the data with each scaling, and compares what is predicted for the files, which hold the `values` of all
/// samples, with what the model says of these values scaled by hand.
#[track_caller]
fn check(lab: &Lab, data: &str, files: &[&str], values: &[f64]) {
    for scaling in ["Standardize", "MinMax", "Divide(3)"] {
        let recipe = format!(
            "Recipe(
    data: {data}, scaling: {scaling}),
    model: Sequential(inputs: {FEATURES}, layers: [Dense(units: 4, activation: Tanh), Dense(units: 2, activation: Softmax)]),
    batch_size: 8,
    epochs: 2,
)
"
        );
        lab.write("recipe.ron", recipe);
        lab.densely(["train", "recipe.ron", "--out", "run"]).fine();
        let args = [&["predict", "run", "--json", "--limit", "24"][..], files].concat();
        let json: serde_json::Value = serde_json::from_str(&lab.densely(args).fine()).unwrap();
        let list = |value: &serde_json::Value| value.as_array().unwrap().clone();
        let found: Vec<f32> = list(&json)
            .iter()
            .flat_map(|sample| list(&sample["probabilities"]))
            .map(|share| share.as_f64().unwrap() as f32)
            .collect();

        let model = Model::<f32>::load(lab.path("run/model.safetensors"), Pool::new(1).unwrap()).unwrap();
        let scaling = model.provenance().trained_on.clone().unwrap().scaling.unwrap();
        let of = |numbers: &[f64], place: usize| numbers[place % numbers.len()];
        let scaled = values.iter().enumerate();
        let scaled = scaled
            .map(|(place, value)| (value - of(&scaling.offset, place)) / of(&scaling.scale, place))
            .collect();
        let predict = |values: Vec<f64>| -> Vec<f32> {
            let data = Dataset::from_floats(FEATURES, values, vec![0; SAMPLES], 1).unwrap();
            model.predict(&data).unwrap().iter().copied().collect()
        };
        assert_eq!(found, predict(scaled), "{data} {scaling:?}");
        assert_ne!(found, predict(values.to_vec()), "{data} {scaling:?}");
        fs::remove_dir_all(lab.path("run")).unwrap();
    }
}

#[test]
fn tables() {
    let lab = Lab::new();
    let values: Vec<f64> = pixels().into_iter().map(f64::from).collect();
    let names: Vec<String> = (0..FEATURES).map(|feature| format!("p{feature}")).collect();
    let line = |(sample, values): (usize, &[f64])| {
        let cells: Vec<String> = values.iter().map(ToString::to_string).collect();
        format!("{},{}\n", cells.join(","), ["dark", "light"][sample % 2])
    };
    let lines: String = values.chunks(FEATURES).enumerate().map(line).collect();
    lab.write("table.csv", format!("{},class\n{lines}", names.join(",")));
    check(&lab, "Csv(path: \"table.csv\", target: \"class\"", &["table.csv"], &values);
}

#[test]
fn arrays_of_numbers_and_of_bytes() {
    let lab = Lab::new();
    let labels: Vec<u8> = (0..SAMPLES).map(|sample| (sample % 2) as u8).collect();
    lab.write("y.npy", npy("|u1", "(24,)", &labels));
    let numbers: Vec<u8> = pixels().iter().flat_map(|&pixel| f32::from(pixel).to_le_bytes()).collect();
    lab.write("numbers.npy", npy("<f4", "(24, 9)", &numbers));
    let values: Vec<f64> = pixels().into_iter().map(f64::from).collect();
    check(&lab, "Npy(features: \"numbers.npy\", labels: \"y.npy\"", &["numbers.npy"], &values);
    lab.write("bytes.npy", npy("|u1", "(24, 3, 3)", &pixels()));
    let shares: Vec<f64> = values.iter().map(|value| value / 255.0).collect();
    check(&lab, "Npy(features: \"bytes.npy\", labels: \"y.npy\"", &["bytes.npy"], &shares);
}

#[test]
fn pictures_and_idx_files() {
    let lab = Lab::new();
    let shares: Vec<f64> = pixels().into_iter().map(|pixel| f64::from(pixel) / 255.0).collect();
    let mut files = Vec::new();
    for (sample, picture) in pixels().chunks(FEATURES).enumerate() {
        let class = ["dark", "light"][sample % 2];
        fs::create_dir_all(lab.path(&format!("shades/{class}"))).unwrap();
        files.push(format!("shades/{class}/{sample}.png"));
        lab.write_png(&files[sample], SIDE, SIDE, picture);
    }
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    check(&lab, "ImageFolder(path: \"shades\"", &files, &shares);

    let labels = (0..SAMPLES).map(|sample| (sample % 2) as u8).collect();
    lab.write_idx("images", &[SAMPLES, SIDE, SIDE], Values::U8(pixels()));
    lab.write_idx("labels", &[SAMPLES], Values::U8(labels));
    check(&lab, "Idx(images: \"images\", labels: \"labels\"", &["images"], &shares);
}
