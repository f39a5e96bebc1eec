//! Model files: what is written is read as the same, and what is damaged is refused.

use densely::parameters::Parameters;
use densely::random::{Purpose, stream};
use densely::saving::{FORMAT, Provenance, SavedDescription, from_bytes, read_model, to_bytes, write_model};
use densely::text::from_ron;
use densely::{
    Activation, Adam, Dense, DescriptionError, Dropout, Error, Initializer, Loss, Reduction, Scalar,
    Sequential,
};
use proptest::prelude::*;
use rand_chacha::rand_core::Rng;
use sha2::{Digest, Sha256};

fn description() -> SavedDescription {
    SavedDescription {
        model: Sequential::new(5)
            .add(Dense::new(4).activation(Activation::Relu).bias_initializer(Initializer::HeUniform))
            .add(Dropout::new(0.25))
            .add(Dense::new(3).use_bias(false).activation(Activation::Softmax)),
        loss: Loss::default(),
        reduction: Reduction::default(),
        metrics: Vec::new(),
        optimizer: Adam::default().into(),
        seed: u64::MAX,
        provenance: Provenance {
            dataset: "mnist-sample".to_owned(),
            classes: ["zero", "checksum: \"0\"", "\u{0}\n\\ é 数"].map(str::to_owned).to_vec(),
            epochs: 20,
            test_accuracy: Some(0.9824),
            trained_on: None,
        },
    }
}

fn parameters<T: Scalar>() -> Parameters<T> {
    let mut parameters = Parameters::zeros(&description().model).unwrap();
    parameters.initialize(3);
    parameters
}

fn file() -> Vec<u8> {
    to_bytes(&description(), &parameters::<f32>()).unwrap()
}

/// Makes the checksum right after a change, as only someone who means to deceive would.
fn with_right_checksum(mut bytes: Vec<u8>) -> Vec<u8> {
    let mark = br#"checksum: \""#;
    let start = bytes.windows(mark.len()).position(|window| window == mark).unwrap() + mark.len();
    bytes[start..start + 64].fill(b'0');
    let digits: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    bytes[start..start + 64].copy_from_slice(digits.as_bytes());
    bytes
}

/// The file with a piece of its header replaced by another of the same length.
#[track_caller]
fn replaced(piece: &str, other: &str) -> Vec<u8> {
    assert_eq!(piece.len(), other.len());
    let mut bytes = file();
    let start = bytes.windows(piece.len()).position(|window| window == piece.as_bytes()).unwrap();
    bytes[start..start + piece.len()].copy_from_slice(other.as_bytes());
    with_right_checksum(bytes)
}

#[track_caller]
fn check_refused<T: Scalar>(bytes: &[u8], message: &str) {
    assert_eq!(from_bytes::<T>(bytes).unwrap_err().to_string(), message);
}

#[test]
fn a_model_is_read_as_it_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    write_model(&path, &description(), &parameters::<f64>()).unwrap();
    let (read, values) = read_model::<f64>(&path, &[]).unwrap();
    assert_eq!(read, description());
    assert_eq!(values.fingerprint(), parameters::<f64>().fingerprint());
    assert_eq!(values.values(), parameters::<f64>().values());
}

#[test]
fn the_same_model_has_the_same_bytes() {
    assert!((0..20).all(|_| file() == file()));
}

/// What Python's safetensors sees: Keras's names of dimensions, row-major, which are our columns one after the other.
#[test]
fn a_kernel_is_inputs_by_units_row_by_row() {
    let bytes = file();
    let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let mut names = tensors.names();
    names.sort_unstable();
    assert_eq!(names, ["dense.bias", "dense.kernel", "dense_1.kernel"]);
    let kernel = tensors.tensor("dense.kernel").unwrap();
    assert_eq!((kernel.shape(), kernel.dtype()), (&[5, 4][..], safetensors::Dtype::F32));
    assert_eq!(tensors.tensor("dense.bias").unwrap().shape(), [4]);
    let (input, unit) = (3, 2);
    let start = 4 * (input * 4 + unit);
    let value = f32::from_le_bytes(kernel.data()[start..start + 4].try_into().unwrap());
    assert_eq!(value, parameters::<f32>().tensor(0)[unit + input * 4]);
}

#[test]
fn single_precision_is_read_as_double_but_not_the_other_way() {
    let (_, wide) = from_bytes::<f64>(&file()).unwrap();
    let narrow = parameters::<f32>();
    assert!(wide.values().iter().zip(narrow.values()).all(|(wide, narrow)| *wide == f64::from(*narrow)));
    check_refused::<f32>(
        &to_bytes(&description(), &parameters::<f64>()).unwrap(),
        "tensor dense.kernel has type F64, expected F32, because F64 would be rounded; read it as f64",
    );
}

#[test]
fn every_file_that_was_cut_short_is_refused() {
    let bytes = file();
    for length in 0..bytes.len() {
        assert!(
            from_bytes::<f32>(&bytes[..length]).is_err(),
            "the first {length} bytes are taken for a model"
        );
    }
    let longer = [&bytes[..], &[0]].concat();
    assert!(from_bytes::<f32>(&longer).is_err());
}

#[test]
fn every_flipped_bit_is_refused() {
    let mut bytes = file();
    assert!(bytes.len() < 4096, "the test flips every bit of a file");
    for bit in 0..8 * bytes.len() {
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert!(from_bytes::<f32>(&bytes).is_err(), "bit {} of byte {} is flipped", bit % 8, bit / 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
    }
    assert!(from_bytes::<f32>(&bytes).is_ok());
}

#[test]
fn flipped_bits_in_a_large_file_are_refused() {
    let model = Sequential::new(784).add(Dense::new(16)).add(Dense::new(10).activation(Activation::Softmax));
    let mut parameters = Parameters::<f32>::zeros(&model).unwrap();
    parameters.initialize(1);
    let mut bytes = to_bytes(&SavedDescription { model, ..description() }, &parameters).unwrap();
    let mut random = stream(1, Purpose::Shuffle, 0, 0);
    for _ in 0..10_000 {
        let bit = random.next_u64() as usize % (8 * bytes.len());
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert!(from_bytes::<f32>(&bytes).is_err(), "bit {} of byte {} is flipped", bit % 8, bit / 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
    }
    assert!(from_bytes::<f32>(&bytes).is_ok());
}

#[test]
fn a_damaged_weight_is_refused_by_the_checksum() {
    let mut bytes = file();
    *bytes.last_mut().unwrap() ^= 1;
    let error = from_bytes::<f32>(&bytes).unwrap_err();
    assert!(matches!(error, Error::Checksum { .. }), "{error}");
    assert!(error.to_string().starts_with("the file is damaged: its checksum is "), "{error}");
}

/// A safetensors file whose metadata hold this text, and nothing else.
fn file_with_text(text: String) -> Vec<u8> {
    let none: [(String, safetensors::tensor::TensorView<'_>); 0] = [];
    let metadata = std::collections::HashMap::from([("densely".to_owned(), text)]);
    safetensors::serialize(none, Some(metadata)).unwrap()
}

/// The description in a model's file as the first version wrote it: without what came later.
const FIRST_VERSION: &str = r#"Description(
    model: Sequential(
        inputs: 5,
        layers: [
            Dense(
                units: 4,
                activation: Relu,
                use_bias: true,
                kernel_initializer: GlorotUniform,
                bias_initializer: HeUniform,
            ),
            Dropout(
                rate: 0.25,
            ),
            Dense(
                units: 3,
                activation: Softmax,
                use_bias: false,
                kernel_initializer: GlorotUniform,
                bias_initializer: Zeros,
            ),
        ],
    ),
    loss: CategoricalCrossentropy(
        from_logits: false,
    ),
    optimizer: Adam(
        learning_rate: 0.001,
        beta_1: 0.9,
        beta_2: 0.999,
        epsilon: 0.0000001,
    ),
    seed: 18446744073709551615,
    provenance: Provenance(
        dataset: "mnist-sample",
        classes: [
            "zero",
            "checksum: \"0\"",
            "\u{0}\n\\ é 数",
        ],
        epochs: 20,
        test_accuracy: 0.9824,
    ),
)"#;

#[test]
fn models_of_the_first_version_are_read_still() {
    let read: SavedDescription = from_ron(FIRST_VERSION).unwrap();
    assert_eq!(read, description());

    let envelope =
        format!("Model(format: 1, checksum: \"{}\", description: {FIRST_VERSION})", "0".repeat(64));
    let bytes = with_right_checksum(file_with_text(envelope));
    // The text is read; what is missing is behind it.
    let read = from_bytes::<f32>(&bytes);
    assert!(matches!(read, Err(Error::TensorMissing { .. })), "{read:?}");
}

#[test]
fn a_newer_format_is_refused_by_its_number() {
    // With a field that this version does not know, and without a checksum that it could verify.
    check_refused::<f32>(
        &file_with_text("Model(format: 2, signature: [Some(1)], checksum: \"?\")".to_owned()),
        "the file is in format 2, this version reads up to format 1; a newer densely reads it",
    );
    assert_eq!(FORMAT, 1);
}

#[test]
fn hostile_nesting_is_an_error() {
    for opening in ["[", "(", "{", "Some(", "a(", "/*"] {
        let text = format!("Model(format: 1, unknown: {}", opening.repeat(100_000));
        assert!(
            matches!(
                from_bytes::<f32>(&file_with_text(text)),
                Err(Error::Description(DescriptionError::Ron { .. }))
            ),
            "{opening}"
        );
    }
}

#[test]
fn a_file_of_something_else_is_refused() {
    check_refused::<f32>(b"", "not a safetensors file: header too small");
    check_refused::<f32>(
        &[0xff; 9],
        "not a file of densely: its first 8 bytes announce a header of 18446744073709551615 bytes, expected at most 16777216",
    );
    let bytes = [1.0_f32, 2.0].map(f32::to_le_bytes).concat();
    let view = safetensors::tensor::TensorView::new(safetensors::Dtype::F32, vec![2], &bytes).unwrap();
    check_refused::<f32>(
        &safetensors::serialize([("weight", view)], None).unwrap(),
        "not a file of densely: its metadata has no entry \"densely\" with a checksum",
    );
}

#[test]
fn wrong_content_is_refused_even_with_a_right_checksum() {
    assert!(from_bytes::<f32>(&with_right_checksum(file())).is_ok());
    check_refused::<f32>(
        &replaced("units: 4", "units: 6"),
        "tensor dense.kernel has shape [5, 4], expected [5, 6]",
    );
    check_refused::<f32>(&replaced("\"dense.bias\"", "\"dense.boas\""), "tensor dense.bias is missing");
    check_refused::<f32>(
        &replaced("use_bias: true", "use_bias:false"),
        "the file has 3 tensors, its description has 2",
    );
    check_refused::<f32>(
        &replaced("\"F32\",\"shape\":[4]", "\"I32\",\"shape\":[4]"),
        "tensor dense.bias has type I32, expected F32, because F64 would be rounded; read it as f64",
    );
    check_refused::<f32>(
        &replaced("rate: 0.25", "rate: 1.25"),
        "layer 2 (dropout): rate is 1.25, expected at least 0 and below 1",
    );
    check_refused::<f32>(
        &replaced("beta_1: 0.9,", "beta_1: 1.9,"),
        "Adam: beta_1 is 1.9, expected at least 0 and, in single precision, below 1",
    );
    check_refused::<f32>(
        &replaced("from_logits: false", "from_logits: true "),
        "layer 3 (dense_1): ends the network with Softmax, but CategoricalCrossentropy(from_logits: true, label_smoothing: 0.0) needs Linear \
         there; make it Linear, or set from_logits: false",
    );
    let error = from_bytes::<f32>(&replaced("seed:", "sede:")).unwrap_err().to_string();
    assert!(error.ends_with("did you mean `seed`?"), "{error}");
}

/// A description may ask for no more memory than the file has bytes.
#[test]
fn a_huge_network_in_a_small_file_is_refused() {
    check_refused::<f32>(
        &replaced("inputs: 5,\\n      ", "inputs: 500000000,"),
        "tensor dense.kernel has shape [5, 4], expected [500000000, 4]",
    );
}

#[test]
fn parameters_that_are_not_finite_are_neither_written_nor_read() {
    let mut bad = parameters::<f32>();
    bad.tensor_mut(1)[2] = f32::NAN;
    let message = "value 2 of tensor dense.bias is NaN, expected a finite number";
    assert_eq!(to_bytes(&description(), &bad).unwrap_err().to_string(), message);

    let mut bytes = file(); // the last tensor in the file is dense_1.kernel
    let end = bytes.len();
    bytes[end - 4..].copy_from_slice(&f32::INFINITY.to_le_bytes());
    check_refused::<f32>(
        &with_right_checksum(bytes),
        "value 11 of tensor dense_1.kernel is inf, expected a finite number",
    );
}

#[test]
fn a_message_names_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("absent.safetensors");
    for path in [missing.as_path(), folder.path()] {
        let error = read_model::<f32>(path, &[]).unwrap_err();
        assert_eq!(error.to_string(), format!("cannot read {}", path.display()));
        assert!(matches!(error, Error::Read { .. }), "{error:?}");
    }

    let text = folder.path().join("notes.txt");
    std::fs::write(&text, "not a model").unwrap();
    let error = read_model::<f32>(&text, &[]).unwrap_err().to_string();
    assert!(error.starts_with(&format!("{}: ", text.display())), "{error}");
}

#[test]
fn texts_that_no_reader_would_take_are_not_written() {
    let mut long = description();
    long.provenance.dataset = "x".repeat(17 << 20);
    let error = to_bytes(&long, &parameters::<f32>()).unwrap_err();
    assert!(matches!(error, Error::HeaderTooLong { .. }), "{error}");
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(from_bytes::<f32>(&bytes).is_err());
    }

    /// Bytes behind a right length get as far as the header's JSON.
    #[test]
    fn no_header_makes_the_reader_panic(header in "(\\{\"|[\\[\\]{},:\"]|__metadata__|densely|\"F32\"|[0-9]{1,20}| ){0,40}") {
        let bytes = [&(header.len() as u64).to_le_bytes()[..], header.as_bytes()].concat();
        prop_assert!(from_bytes::<f32>(&bytes).is_err());
    }

    /// Damage that the checksum does not show reaches everything behind it.
    #[test]
    fn no_damage_behind_the_checksum_makes_the_reader_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = file();
        let end = bytes.windows(64).position(|window| window.iter().all(u8::is_ascii_hexdigit)).unwrap() + 64;
        for (place, value) in changes {
            let place = end + place.index(bytes.len() - end);
            bytes[place] = value;
        }
        let _ = from_bytes::<f32>(&with_right_checksum(bytes));
    }

    #[test]
    fn any_texts_come_back(dataset in any::<String>(), classes in prop::collection::vec(any::<String>(), 0..4)) {
        let mut description = description();
        description.provenance.dataset = dataset;
        description.provenance.classes = classes;
        let bytes = to_bytes(&description, &parameters::<f32>()).unwrap();
        prop_assert_eq!(from_bytes::<f32>(&bytes).unwrap().0, description);
    }
}

#[cfg(unix)]
#[test]
fn a_path_that_is_no_text_is_an_error() {
    use densely::data::{Csv, DataSource, TrainedOn};
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let source = DataSource::Csv(Csv::new(OsStr::from_bytes(b"caf\xe9.csv"), -1));
    let (shape, samples) = (vec![5], 1);
    let (columns, targets, scaling) = (Vec::new(), Vec::new(), None);
    let mut description = description();
    description.provenance.trained_on =
        Some(TrainedOn { source, shape, samples, columns, targets, target_columns: Vec::new(), scaling });
    let message = to_bytes(&description, &parameters::<f32>()).unwrap_err().to_string();
    assert_eq!(message, "cannot be written as RON: path contains invalid UTF-8 characters");
}
