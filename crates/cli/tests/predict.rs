//! `densely predict`, as a user runs it.

mod common;

use common::{Lab, SIDE, image_of};
use idx_dataset::Values;

#[test]
fn each_image_gets_its_digit_its_picture_and_a_bar_for_each_class() {
    let lab = Lab::trained();
    let out = lab.densely(["predict", "runs/toy", "toy/t10k-images-idx3-ubyte", "--limit", "2"]).fine();
    let lines: Vec<&str> = out.lines().collect();
    assert!(lines[0].starts_with("toy/t10k-images-idx3-ubyte, item 0: "), "{out}");
    assert!(lines[1].starts_with("▓") || lines[1].starts_with('█'), "{out}");
    for (class, line) in lines[1..4].iter().enumerate() {
        assert!(line.contains(&format!(" {class}  ")) && line.ends_with(" %"), "{line}");
    }
    assert!(lines[5].starts_with("toy/t10k-images-idx3-ubyte, item 1: "), "{out}");
    assert_eq!(out.matches("item").count(), 2);
}

#[test]
fn classes_have_their_names_in_a_column() {
    let lab = Lab::new();
    std::fs::rename(lab.path("toy"), lab.path("fashion-mnist")).unwrap();
    lab.densely(["train", "--recipe", "toy.ron", "--dataset", "./fashion-mnist", "--name", "toy"]).fine();
    let file = "fashion-mnist/t10k-images-idx3-ubyte";
    let out = lab.densely(["predict", "runs/toy", file, "--limit", "1"]).fine();
    for (line, name) in out.lines().skip(1).zip(["T-shirt/top", "Trouser", "Pullover"]) {
        let place = line.find(name).unwrap_or_else(|| panic!("{out}"));
        assert_eq!(line[..place].chars().count(), SIDE + 3, "{out}");
        assert_eq!(line.chars().count(), SIDE + 3 + "T-shirt/top".len() + 2 + 30 + 1 + 8, "{out}");
    }
    let json = lab.densely(["predict", "runs/toy", file, "--limit", "1", "--json"]).fine();
    assert!(
        ["T-shirt/top", "Trouser", "Pullover"]
            .iter()
            .any(|name| json.contains(&format!("\"label\": \"{name}\"")))
    );
}

#[test]
fn json_has_an_object_for_each_image_with_probabilities_that_sum_to_one() {
    let lab = Lab::trained();
    lab.write_png("one.png", SIDE, SIDE, &image_of(1, 5));
    let out = lab.densely(["predict", "runs/toy", "toy/t10k-images-idx3-ubyte", "one.png", "--json"]).fine();
    let predictions: Vec<serde_json::Value> = serde_json::from_str(&out).unwrap();
    assert_eq!(predictions.len(), 11);
    for (item, prediction) in predictions[..10].iter().enumerate() {
        assert_eq!(prediction["item"], item);
        let probabilities: Vec<f64> = prediction["probabilities"]
            .as_array()
            .unwrap()
            .iter()
            .map(|value| value.as_f64().unwrap())
            .collect();
        assert!((probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-5);
        let class = prediction["class"].as_u64().unwrap() as usize;
        assert!(probabilities.iter().all(|&probability| probability <= probabilities[class]));
        assert_eq!(prediction["label"], class.to_string());
    }
    assert_eq!(predictions[10]["file"], "one.png");
}

#[test]
fn a_png_of_the_models_size_is_the_same_as_the_item_and_is_inverted_if_it_is_light() {
    let lab = Lab::trained();
    let probabilities = |file: &str| -> serde_json::Value {
        let out = lab.densely(["predict", "runs/toy", file, "--json", "--limit", "1"]).fine();
        serde_json::from_str::<serde_json::Value>(&out).unwrap()[0]["probabilities"].clone()
    };
    // One bright pixel inside, so that the border is background.
    let mut dark = vec![3; SIDE * SIDE];
    dark[5] = 250;
    lab.write_idx("item", &[1, SIDE, SIDE], Values::U8(dark.clone()));
    lab.write_png("dark.png", SIDE, SIDE, &dark);
    lab.write_png("light.png", SIDE, SIDE, &dark.iter().map(|grey| 255 - grey).collect::<Vec<_>>());
    assert_eq!(probabilities("dark.png"), probabilities("item"));
    assert_eq!(probabilities("light.png"), probabilities("item"));
}

#[test]
fn a_png_of_any_size_is_cut_out_scaled_and_centred() {
    let lab = Lab::trained();
    let (width, height) = (300, 200);
    // A dark square far from the middle of a light page.
    let page: Vec<u8> = (0..width * height)
        .map(|place| {
            if (20..80).contains(&(place % width)) && (100..160).contains(&(place / width)) {
                20
            } else {
                240
            }
        })
        .collect();
    lab.write_png("page.png", width, height, &page);
    let out = lab.densely(["predict", "runs/toy", "page.png"]).fine();
    // In a model of 4 × 4 the ink is 2 × 2 pixels (20/28 of the side); its centre of mass comes nearest to pixel 2, as it
    // comes to pixel 14 of 28.
    let picture: Vec<String> =
        out.lines().skip(1).take(2).map(|line| line.chars().take(SIDE).collect()).collect();
    assert_eq!(picture, ["    ", "  ██"], "{out}");
}

#[test]
fn what_cannot_be_predicted_is_refused_by_file() {
    let lab = Lab::trained();
    lab.write_png("blank.png", 30, 30, &[200; 900]);
    lab.refuses(
        ["predict", "runs/toy", "blank.png"],
        "blank.png: the picture is blank: its darkest and brightest pixel differ by 0 of 255, expected at least 32",
    );
    lab.write("photo.jpg", [0xff, 0xd8, 0xff, 0xe0, 0, 16, b'J', b'F', b'I', b'F']);
    lab.refuses(
        ["predict", "runs/toy", "photo.jpg"],
        "photo.jpg: expected an IDX file, a PNG or an NPY file, found none of them (it starts with ff d8 ff e0 00 10 4a 46)",
    );
    lab.write("cut.png", &std::fs::read(lab.path("blank.png")).unwrap()[..40]);
    let outcome = lab.densely(["predict", "runs/toy", "cut.png"]);
    assert_eq!((outcome.status, outcome.err.lines().count()), (Some(1), 1));
    assert!(
        outcome.err.starts_with("densely: error: cut.png: not a PNG that can be read: "),
        "{}",
        outcome.err
    );

    lab.write_idx("large", &[2, 5, 5], Values::U8(vec![0; 50]));
    lab.refuses(
        ["predict", "runs/toy", "large"],
        "large: expected images of 16 values, as many as the network has inputs, found 25 (5 × 5)",
    );
    lab.write_idx("floats", &[1, 4, 4], Values::F32(vec![0.0; 16]));
    lab.refuses(["predict", "runs/toy", "floats"], "floats: expected images of type u8, found f32");
    lab.write_idx("empty", &[0, 4, 4], Values::U8(vec![]));
    lab.refuses(["predict", "runs/toy", "empty"], "empty: there are no images in this file");
    lab.refuses(
        ["predict", "runs/toy", "absent.png"],
        "absent.png: cannot read the file: No such file or directory (os error 2)",
    );
}
