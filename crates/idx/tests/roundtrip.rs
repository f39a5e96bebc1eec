//! What is written is what is read, bit for bit; what is written is what the format says.

mod common;
mod invariants;

use std::fs;

#[cfg(feature = "gzip")]
use common::gzip;
use common::{idx, parse};
use idx_dataset::{ElementType, Idx, Values, read, write};
use invariants::{big_endian, values};
use proptest::prelude::*;

#[track_caller]
fn assert_same(found: &Idx, expected: &Idx) {
    assert_eq!(found.shape, expected.shape);
    assert_eq!(found.element_type(), expected.element_type());
    assert!(
        big_endian(&found.values) == big_endian(&expected.values),
        "values of shape {:?} differ",
        expected.shape
    );
}

/// Writes and reads in every way there is.
#[track_caller]
fn check(expected: &Idx) {
    let folder = tempfile::tempdir().unwrap();
    let sizes: Vec<u32> = expected.shape.iter().map(|&size| size as u32).collect();
    let file = idx(expected.element_type().code(), &sizes, &big_endian(&expected.values));

    let plain = folder.path().join("plain");
    write(&plain, expected).unwrap();
    assert!(fs::read(&plain).unwrap() == file, "the file of shape {:?} differs", expected.shape);
    assert_same(&read(&plain).unwrap(), expected);
    assert_same(&parse(&file).unwrap(), expected);

    #[cfg(feature = "gzip")]
    {
        let compressed = folder.path().join("compressed");
        idx_dataset::write_gzip(&compressed, expected).unwrap();
        assert_eq!(fs::read(&compressed).unwrap()[..2], [0x1f, 0x8b]);
        assert_same(&read(&compressed).unwrap(), expected);
        fs::write(&compressed, gzip(&file)).unwrap();
        assert_same(&read(&compressed).unwrap(), expected);
    }
}

prop_compose! {
    fn any_idx()(
        element_type in prop::sample::select(&ElementType::ALL[..]),
        shape in prop::collection::vec(0_usize..5, 0..=6),
    )(
        bits in prop::collection::vec(any::<u64>(), shape.iter().product::<usize>()),
        element_type in Just(element_type),
        shape in Just(shape),
    ) -> Idx {
        Idx { shape, values: values(element_type, bits.iter().copied()) }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]
    #[test]
    fn every_type_and_shape_survives(idx in any_idx()) {
        check(&idx);
    }
}

#[test]
fn every_edge_of_the_conversion_block_survives() {
    const BLOCK_LEN: usize = 64 << 10;
    for element_type in ElementType::ALL {
        let block = BLOCK_LEN / element_type.size();
        for len in [0, 1, block - 1, block, block + 1, 2 * block - 1, 2 * block, 2 * block + 1, 5 * block + 7]
        {
            let bits: Vec<u64> = (0..len as u64).map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect();
            check(&Idx { shape: vec![len], values: values(element_type, bits.iter().copied()) });
        }
    }
}

#[test]
fn nan_payloads_and_signs_are_kept() {
    let singles =
        [0x7f80_0001, 0x7fc0_0000, 0xffc1_2345, 0xff80_0000, 0x8000_0000, 0x0000_0001].map(f32::from_bits);
    check(&Idx { shape: vec![6], values: Values::F32(singles.to_vec()) });
    let doubles = [0x7ff0_0000_0000_0001, 0xfff8_dead_beef_0001, 1 << 63, 1].map(f64::from_bits);
    check(&Idx { shape: vec![2, 2], values: Values::F64(doubles.to_vec()) });
}

#[test]
fn ranks_up_to_255_are_held() {
    check(&Idx { shape: vec![], values: Values::I16(vec![-2]) });
    check(&Idx { shape: vec![1; 255], values: Values::F64(vec![0.1]) });
    let mut shape = vec![1; 255];
    (shape[3], shape[254]) = (2, 3);
    check(&Idx { shape, values: Values::I32((-3..3).collect()) });
}

#[test]
fn a_size_of_zero_means_no_values() {
    for shape in [vec![0], vec![0, 28, 28], vec![7, 0], vec![0; 255], vec![u32::MAX as usize, 0]] {
        check(&Idx { shape, values: Values::U8(vec![]) });
    }
}

#[test]
fn the_format_is_the_documented_one() {
    let cases: [(&[u8], Idx); 6] = [
        (&[0, 0, 8, 1, 0, 0, 0, 2, 0, 255], Idx { shape: vec![2], values: Values::U8(vec![0, 255]) }),
        (&[0, 0, 9, 1, 0, 0, 0, 2, 0x80, 0x7f], Idx { shape: vec![2], values: Values::I8(vec![-128, 127]) }),
        (&[0, 0, 0xb, 0, 0xff, 0xfe], Idx { shape: vec![], values: Values::I16(vec![-2]) }),
        (
            &[0, 0, 0xc, 2, 0, 0, 0, 1, 0, 0, 0, 1, 0, 1, 0, 2],
            Idx { shape: vec![1, 1], values: Values::I32(vec![65_538]) },
        ),
        (&[0, 0, 0xd, 0, 0x3f, 0x80, 0, 0], Idx { shape: vec![], values: Values::F32(vec![1.0]) }),
        (&[0, 0, 0xe, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0], Idx { shape: vec![], values: Values::F64(vec![-2.0]) }),
    ];
    for (file, expected) in cases {
        assert_eq!(parse(file).unwrap(), expected);
        check(&expected);
    }
}

#[test]
fn items_count_the_first_dimension() {
    let items = |shape: &[usize]| {
        let idx = Idx { shape: shape.to_vec(), values: Values::U8(vec![]) };
        (idx.n_items(), idx.item_len())
    };
    assert_eq!(items(&[]), (1, 1));
    assert_eq!(items(&[5]), (5, 1));
    assert_eq!(items(&[5, 28, 28]), (5, 784));
    assert_eq!(items(&[0, 3]), (0, 3));
    assert_eq!(items(&[0, usize::MAX, 2]), (0, usize::MAX));
}

#[test]
#[cfg(feature = "gzip")]
fn several_gzip_members_are_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("members");
    let file = idx(0x0b, &[3, 2], &(0..12).collect::<Vec<u8>>());
    for cut in 0..=file.len() {
        fs::write(&path, [gzip(&file[..cut]), gzip(&[]), gzip(&file[cut..])].concat()).unwrap();
        assert_same(&read(&path).unwrap(), &parse(&file).unwrap());
    }
}

#[test]
#[cfg(feature = "gzip")]
fn compressed_files_depend_on_the_data_alone() {
    let folder = tempfile::tempdir().unwrap();
    let idx = Idx { shape: vec![300, 100], values: Values::I16((0..30_000).map(|n| n % 77).collect()) };
    let [first, second] = ["a", "some other name"].map(|name| {
        let path = folder.path().join(name);
        idx_dataset::write_gzip(&path, &idx).unwrap();
        fs::read(path).unwrap()
    });
    assert_eq!(first, second);
    assert_eq!(first[3..8], [0; 5], "no flags, so no name, and no time");
    assert_eq!(first[9], 255, "no operating system");
    assert!(first.len() < 30_000);
}

#[test]
fn what_takes_many_large_pages_is_what_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large");
    let bits: Vec<u64> = (0..(5 << 20) + 3).map(|n: u64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect();
    for element_type in [ElementType::U8, ElementType::F64] {
        let idx = Idx { shape: vec![bits.len()], values: values(element_type, bits.iter().copied()) };
        write(&path, &idx).unwrap();
        assert_same(&read(&path).unwrap(), &idx);
        #[cfg(feature = "gzip")]
        if element_type == ElementType::U8 {
            idx_dataset::write_gzip(&path, &idx).unwrap();
            assert_same(&read(&path).unwrap(), &idx);
        }
    }
}
