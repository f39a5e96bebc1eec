//! `densely summary`, as a user runs it.

mod common;

use common::Lab;

#[test]
fn a_recipe_and_a_model_show_the_same_table() {
    let lab = Lab::trained();
    let recipe = lab.densely(["summary", "toy.ron"]).fine();
    assert!(recipe.starts_with("Model: \"sequential\"\n┏━"), "{recipe}");
    assert!(recipe.contains(" Total params: 163 (652.00 B)"), "{recipe}");
    for model in ["runs/toy", "runs/toy/model.safetensors"] {
        let out = lab.densely(["summary", model]).fine();
        assert!(out.starts_with(&recipe), "{out}");
        assert!(out.contains("\ntrained on toy for 5 epochs, test accuracy "), "{out}");
    }
    let metrics: serde_json::Value = serde_json::from_str(&lab.read("runs/toy/metrics.json")).unwrap();
    let fingerprint = metrics["fingerprint"].as_str().unwrap();
    assert!(lab.densely(["summary", "runs/toy"]).fine().ends_with(&format!("{fingerprint}\n")));
}

#[test]
fn ron_can_be_read_back() {
    let lab = Lab::trained();
    let ron = lab.densely(["summary", "runs/toy", "--ron"]).fine();
    assert!(ron.starts_with("Sequential("), "{ron}");
    assert_eq!(lab.densely(["summary", "toy.ron", "--ron"]).fine(), ron);
    lab.write("network.ron", format!("// printed by densely\n{ron}"));
    assert_eq!(lab.densely(["summary", "network.ron", "--ron"]).fine(), ron);
}

#[test]
fn what_is_neither_is_refused_by_name() {
    let lab = Lab::new();
    lab.write("wrong.ron", "Sequential(inputs: 4, layers: [Dense(unit: 3)])");
    let outcome = lab.densely(["summary", "wrong.ron"]);
    assert_eq!(outcome.status, Some(1));
    assert!(outcome.err.starts_with("densely: error: wrong.ron: line 1, column "), "{}", outcome.err);
    assert!(outcome.err.contains("did you mean "), "{}", outcome.err);
    let outcome = lab.densely(["summary", "toy/train-images-idx3-ubyte"]);
    assert_eq!(outcome.status, Some(1));
    assert!(outcome.err.starts_with("densely: error: toy/train-images-idx3-ubyte: "), "{}", outcome.err);
}
