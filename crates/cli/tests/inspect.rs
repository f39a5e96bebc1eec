//! `densely inspect`, as a user runs it.

mod common;

use common::Lab;
use idx_dataset::Values;

#[test]
fn images_are_described_and_drawn() {
    let lab = Lab::new();
    lab.write_idx("images", &[2, 2, 3], Values::U8(vec![0, 255, 0, 0, 255, 0, 128, 0, 0, 128, 0, 255]));
    assert_eq!(
        lab.densely(["inspect", "images"]).fine(),
        "\
images
  type   u8 (unsigned bytes)
  shape  2 × 2 × 3
  items  2 of 6 values
  bytes  28 (28 bytes)
  sha256 d05a759ab4cf8f7fa895efc8ccf388d0a4cf08ddd7c52df2a40dd94335422e67
  values min 0, max 255, mean 85.0833

item 0  item 1
 █      ▒ ▒
"
    );
    let one = lab.densely(["inspect", "images", "--item", "1"]).fine();
    assert!(one.ends_with("\nitem 1\n▒ ▒\n"), "{one}");
}

#[test]
fn labels_are_counted() {
    let lab = Lab::new();
    let out = lab.densely(["inspect", "toy/t10k-labels-idx1-ubyte"]).fine();
    assert!(out.contains("first values: 0 1 2 0 1 2 0 1 2 0 1 2 0 1 2 0 1 2 0 1 …"), "{out}");
    assert!(out.contains("  value   count\n      0      10\n      1      10\n      2      10\n"), "{out}");
}

#[test]
fn every_element_type_is_shown() {
    let lab = Lab::new();
    for (values, name, range) in [
        (Values::I8(vec![-128, 127]), "i8 (signed bytes)", "min -128, max 127, mean -0.5000"),
        (Values::I16(vec![-300, 300]), "i16 (16-bit integers)", "min -300, max 300, mean 0"),
        (Values::I32(vec![i32::MIN, 0]), "i32 (32-bit integers)", "min -2147483648, max 0, mean -1073741824"),
        (
            Values::F32(vec![0.25, f32::NAN]),
            "f32 (32-bit floats)",
            "min 0.2500, max 0.2500, mean 0.2500; 1 not finite",
        ),
        (
            Values::F64(vec![1e308, 1e308]),
            "f64 (64-bit floats)",
            "min 1.00000e308, max 1.00000e308, mean 1.00000e308",
        ),
        (Values::F64(vec![-1e308, 1.5e308]), "f64 (64-bit floats)", "mean 2.50000e307"),
        (Values::F64(vec![f64::MAX, f64::MAX]), "f64 (64-bit floats)", "mean 1.79769e308"),
        (Values::F64(vec![1e300, 0.0]), "f64 (64-bit floats)", "min 0, max 1.00000e300, mean 5.00000e299"),
    ] {
        for shape in [&[2][..], &[1, 1, 2], &[2, 1, 1, 1]] {
            lab.write_idx("values", shape, values.clone());
            let out = lab.densely(["inspect", "values"]).fine();
            assert!(out.contains(&format!("type   {name}\n")) && out.contains(range), "{out}");
        }
    }
    lab.write_idx("single", &[], Values::U8(vec![7]));
    assert!(lab.densely(["inspect", "single"]).fine().contains("shape  a single value\n"));
    lab.write_idx("empty", &[0, 28, 28], Values::U8(vec![]));
    assert!(lab.densely(["inspect", "empty"]).fine().contains("items  0 of 784 values\n"));
}

#[test]
fn a_compressed_file_says_so() {
    let lab = Lab::new();
    let idx = idx_dataset::read(lab.path("toy/train-images-idx3-ubyte")).unwrap();
    idx_dataset::write_gzip(lab.path("images.gz"), &idx).unwrap();
    let length = std::fs::metadata(lab.path("images.gz")).unwrap().len();
    let out = lab.densely(["inspect", "images.gz"]).fine();
    assert!(out.contains(", compressed to ") && length < 1936, "{out}");
}

#[test]
fn what_is_not_there_or_not_idx_is_refused() {
    let lab = Lab::new();
    lab.refuses(
        ["inspect", "toy/t10k-labels-idx1-ubyte", "--item", "30"],
        "toy/t10k-labels-idx1-ubyte: there is no item 30: the file has 30 items, counted from 0",
    );
    lab.refuses(
        ["inspect", "toy.ron"],
        "toy.ron: byte 0: expected IDX data, which start with 00 00, found 52 65",
    );
    lab.write("long", [0, 0, 8, 1, 0, 0, 0, 1, 7, 7]);
    lab.refuses(
        ["inspect", "long"],
        "long: byte 9: expected the end after the values of shape [1], found more bytes",
    );
}

#[test]
fn programs_read_json() {
    let lab = Lab::new();
    lab.write_idx("values", &[2, 2], Values::I16(vec![-1, 0, 1, 4]));
    let found: serde_json::Value =
        serde_json::from_str(&lab.densely(["inspect", "values", "--json"]).fine()).unwrap();
    let expected = serde_json::json!({
        "file": "values", "element_type": "i16", "shape": [2, 2], "items": 2, "item_len": 2,
        // printf '\xff\xff\0\0\0\1\0\4' | sha256sum
        "payload_sha256": "94a2733267dcbe65f8f5f98699e2047a8655aac06190373ebd2324b1397bd7ec",
        "min": -1.0, "max": 4.0, "mean": 1.0, "not_finite": 0,
    });
    assert_eq!(found, expected);

    // Of which the sum is too large for a number, and the mean is not.
    lab.write_idx("large", &[4], Values::F64(vec![f64::MAX, f64::MAX, f64::MAX, -f64::MAX]));
    let found: serde_json::Value =
        serde_json::from_str(&lab.densely(["inspect", "large", "--json"]).fine()).unwrap();
    assert_eq!(found["mean"], f64::MAX / 2.0);

    lab.write("long", [0, 0, 8, 1, 0, 0, 0, 1, 7, 7]);
    let outcome = lab.densely(["inspect", "long", "--json"]);
    let found: serde_json::Value = serde_json::from_str(&outcome.out).unwrap();
    let error = "long: byte 9: expected the end after the values of shape [1], found more bytes";
    assert_eq!(
        (outcome.status, &*outcome.err, found),
        (Some(1), "", serde_json::json!({"file": "long", "error": error}))
    );
}
