//! The invariants that are fuzzed (`cargo xtask fuzz idx`), for the corpus that fuzzing left in `tests/corpus` and for
//! random bytes and headers.

mod invariants;

use std::fs;
use std::path::Path;

use proptest::prelude::*;

/// What a fuzzer does with an input; it panics where an invariant does not hold.
type Target = fn(&[u8]);

const TARGETS: [(&str, Target); 4] = [
    ("parse", invariants::parse),
    ("gzip", invariants::gzip),
    ("stream", invariants::stream),
    ("roundtrip", invariants::roundtrip),
];

#[test]
fn the_corpus_keeps_the_invariants() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    for (name, target) in TARGETS {
        let path = corpus.join(name);
        let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let inputs = inputs(&bytes);
        assert!(inputs.len() > 10, "{name}: {} inputs", inputs.len());
        inputs.into_iter().for_each(target);
    }
}

/// The inputs of a corpus: each with its length before it, as a big-endian u16.
fn inputs(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut inputs = Vec::new();
    while let Some((len, rest)) = bytes.split_first_chunk() {
        let (input, rest) = rest.split_at(u16::from_be_bytes(*len).into());
        inputs.push(input);
        bytes = rest;
    }
    inputs
}

/// What might be a file: often a right header, with few or many bytes behind it.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let size = prop_oneof![4 => 0..5_u32, 1 => any::<u32>()];
    let code = prop_oneof![8 => prop::sample::select(vec![8_u8, 9, 11, 12, 13, 14]), 1 => any::<u8>()];
    let file =
        (code, prop::collection::vec(size, 0..5), prop::collection::vec(any::<u8>(), 0..64), -1..5_isize);
    let file = file.prop_map(|(code, sizes, payload, more)| {
        let mut file = vec![0, 0, code, sizes.len() as u8];
        sizes.iter().for_each(|size| file.extend(size.to_be_bytes()));
        let size = [1_usize, 1, 0, 2, 4, 4, 8].get(usize::from(code.wrapping_sub(8))).map_or(1, |&size| size);
        let right = sizes.iter().fold(size, |product, &size| product.saturating_mul(size as usize));
        let len = if right < 5000 && more > 0 { right } else { payload.len() };
        file.extend(payload.iter().cycle().take(len));
        if more < 0 {
            file.pop();
        }
        file
    });
    prop_oneof![3 => file, 1 => prop::collection::vec(any::<u8>(), 0..200)]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]
    #[test]
    fn any_bytes_keep_the_invariants(bytes in bytes(), mode: u8) {
        invariants::parse(&bytes);
        invariants::roundtrip(&bytes);
        invariants::stream(&[&[mode], &bytes[..]].concat());
        invariants::gzip(&[&[mode, mode / 2, mode.wrapping_mul(31), mode / 4], &bytes[..]].concat());
    }
}
