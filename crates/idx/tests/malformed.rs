//! Whatever is wrong with a file, reading it says so: which file, where, what was expected, what was found.

mod common;

use std::error::Error as _;
use std::fs;
use std::io::Cursor;
use std::path::PathBuf;

use common::{gzip, idx, parse};
use idx_dataset::{Error, Reader, read, read_pair};

/// A file of these bytes, in a folder of its own.
struct Scratch {
    folder: tempfile::TempDir,
    path: PathBuf,
}

impl Scratch {
    fn new(bytes: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("broken-idx");
        fs::write(&path, bytes).unwrap();
        Self { folder, path }
    }
}

/// Reading a file of these bytes fails, with the file's name and then exactly `expected` as the message.
#[track_caller]
fn refused(bytes: &[u8], expected: &str) -> Error {
    let scratch = Scratch::new(bytes);
    let error = read(&scratch.path).expect_err(expected);
    assert_eq!(error.to_string(), format!("{}: {expected}", scratch.path.display()));
    error
}

/// As `refused`, also when parsed from memory.
#[track_caller]
fn refused_and_unparsed(bytes: &[u8], expected: &str) {
    refused(bytes, expected);
    assert_eq!(parse(bytes).expect_err(expected).to_string(), format!("bytes in memory: {expected}"));
}

/// Well-formed files of different types and ranks.
fn fixtures() -> Vec<Vec<u8>> {
    let ramp = |len: u8| (1..=len).collect::<Vec<u8>>();
    vec![
        idx(0x08, &[4, 2, 3], &ramp(24)),
        idx(0x08, &[9], &ramp(9)),
        idx(0x09, &[], &ramp(1)),
        idx(0x0b, &[2, 2], &ramp(8)),
        idx(0x0c, &[3], &ramp(12)),
        idx(0x0d, &[1, 1, 1, 1, 2], &ramp(8)),
        idx(0x0e, &[5], &ramp(40)),
        idx(0x0e, &[0, 7], &[]),
    ]
}

#[test]
fn the_fixtures_are_well_formed() {
    for file in fixtures() {
        parse(&file).unwrap();
    }
}

#[test]
fn every_prefix_is_refused() {
    for file in fixtures() {
        let header_len = 4 + 4 * usize::from(file[3]);
        let shape = parse(&file).unwrap().shape;
        for len in 0..file.len() {
            let expected = match len {
                0..4 => format!("header ends at byte {len}, expected 4"),
                _ if len < header_len => format!("header ends at byte {len}, expected {header_len}"),
                _ => format!("values end at byte {len}, expected {} for shape {shape:?}", file.len()),
            };
            refused_and_unparsed(&file[..len], &expected);
        }
    }
}

#[test]
fn bytes_after_the_values_are_refused() {
    for file in fixtures() {
        let shape = parse(&file).unwrap().shape;
        let expected = format!(
            "byte {}: expected the end after the values of shape {shape:?}, found more bytes",
            file.len()
        );
        for more in [&[0][..], &[0; 1000], b"\n"] {
            refused_and_unparsed(&[&file, more].concat(), &expected);
            #[cfg(feature = "gzip")]
            refused(&gzip(&[&file, more].concat()), &expected);
        }
    }
}

#[test]
fn other_formats_are_refused_by_their_first_bytes() {
    let expected = |found| format!("byte 0: expected IDX data, which start with 00 00, found {found}");
    for (bytes, found) in [
        (&b"\x89PNG\r\n\x1a\n and so on"[..], "89 50"),
        (b"<!DOCTYPE html>", "3c 21"),
        (b"\x00\x01\x08\x01\x00\x00\x00\x00", "00 01"),
        (b"\x01\x00\x08\x01\x00\x00\x00\x00", "01 00"),
        (b"\x03\x08\x00\x00\x00\x00\xea\x60", "03 08"), // the header little-endian
    ] {
        refused_and_unparsed(bytes, &expected(found));
        #[cfg(feature = "gzip")]
        refused(&gzip(bytes), &expected(found));
    }
}

#[test]
fn unknown_element_types_are_refused() {
    for code in (0..=255).filter(|code| ![0x08, 0x09, 0x0b, 0x0c, 0x0d, 0x0e].contains(code)) {
        refused_and_unparsed(
            &idx(code, &[1], &[0; 8]),
            &format!(
                "byte 2: expected an element type (08 u8, 09 i8, 0b i16, 0c i32, 0d f32 or 0e f64), found {code:02x}"
            ),
        );
    }
}

#[test]
fn sizes_whose_product_overflows_are_refused() {
    const MAX: u32 = u32::MAX;
    for (code, name, shape) in [
        (0x08, "u8", vec![MAX; 3]),
        (0x08, "u8", vec![MAX; 255]),
        (0x08, "u8", vec![0x8000_0000, 0x8000_0000, 2]), // 2⁶³ bytes: fits u64, but no vector
        (0x0e, "f64", vec![0x8000_0000, 0x2000_0000]), // 2⁶⁰ values of 8 bytes: the bytes overflow, not the count
        (0x0d, "f32", vec![0x8000_0000, 0x8000_0000]), // 2⁶⁴ bytes, zero when they wrap
        (0x08, "u8", vec![0x1_0000, 0x1_0000, 0x1_0000, 0x1_0000]), // 2⁶⁴ bytes, likewise
        (0x08, "u8", vec![649_657, 92_737, 153_092_023]), // 2⁶³ − 1 bytes, and those of the header
        (0x08, "u8", vec![0, MAX, MAX, MAX]),          // no values, but no length of an item either
        (0x08, "u8", vec![MAX, MAX, MAX, 0]),
    ] {
        let expected =
            format!("byte 4: expected sizes with an addressable product, found shape {shape:?} of {name}");
        refused_and_unparsed(&idx(code, &shape, &[0; 100]), &expected);
        #[cfg(feature = "gzip")]
        refused(&gzip(&idx(code, &shape, &[0; 100])), &expected);
    }
}

#[test]
fn the_end_of_the_largest_payload_is_a_place() {
    // 153,092,022 as the last size: the payload ends 60 thousand million bytes before 2⁶³.
    let file = idx(0x08, &[649_657, 92_737, 153_092_022], &[]);
    let mut reader = Reader::new(Cursor::new(file)).unwrap();
    let error = reader.seek(reader.n_items()).and_then(|()| reader.read_item::<u8>(&mut Vec::new()));
    assert!(!matches!(error, Ok(true)), "{error:?}");
}

#[test]
fn a_claim_that_the_length_does_not_bear_out_is_refused() {
    let shape = [u32::MAX, 0x7fff_ffff];
    let expected = "values end at byte 20, expected 9223372030412324877 for shape [4294967295, 2147483647]";
    refused_and_unparsed(&idx(0x08, &shape, &[0; 8]), expected);
}

#[test]
#[cfg(feature = "gzip")]
fn a_compressed_claim_above_the_limit_is_refused() {
    let beyond = idx(0x0e, &[0x2000_0001], &[0; 8]); // one f64 above 4 GiB
    refused(
        &gzip(&beyond),
        "byte 4: expected at most 4294967296 bytes of values, found 4294967304 for shape [536870913]",
    );
    let within = idx(0x0e, &[0x2000_0000], &[0; 8]);
    refused(&gzip(&within), "values end at byte 16, expected 4294967304 for shape [536870912]");
}

#[test]
#[cfg(feature = "gzip")]
fn gzip_is_refused_when_cut_at_any_byte() {
    for file in fixtures() {
        let compressed = gzip(&file);
        for len in 0..compressed.len() {
            let expected = match len {
                0 | 1 => format!("header ends at byte {len}, expected 4"), // not yet recognised as gzip
                _ => format!(
                    "compressed data end at byte {len} of the file, expected the rest of a gzip member"
                ),
            };
            refused(&compressed[..len], &expected);
        }
        let two = [gzip(&file[..3]), gzip(&file[3..])];
        refused(&two[0], "header ends at byte 3, expected 4"); // whole members, not the whole file
        let two = two.concat();
        for len in gzip(&file[..3]).len() + 1..two.len() {
            refused(
                &two[..len],
                &format!("compressed data end at byte {len} of the file, expected the rest of a gzip member"),
            );
        }
    }
}

#[test]
#[cfg(feature = "gzip")]
fn compressed_data_that_end_early_are_refused_at_any_byte() {
    for file in fixtures() {
        let header_len = 4 + 4 * usize::from(file[3]);
        let shape = parse(&file).unwrap().shape;
        for len in 0..file.len() {
            let expected = match len {
                0..4 => format!("header ends at byte {len}, expected 4"),
                _ if len < header_len => format!("header ends at byte {len}, expected {header_len}"),
                _ => format!("values end at byte {len}, expected {} for shape {shape:?}", file.len()),
            };
            refused(&gzip(&file[..len]), &expected);
        }
    }
}

#[test]
#[cfg(feature = "gzip")]
fn damaged_gzip_is_refused() {
    let file = idx(0x08, &[2, 100], &[7; 200]);
    let compressed = gzip(&file);
    let damaged = |position: usize| {
        let mut bytes = compressed.clone();
        bytes[position] ^= 1;
        bytes
    };
    let expected = |offset: usize| {
        format!("byte {offset} of the uncompressed data: expected an intact gzip member, found damage")
    };
    let len = compressed.len();
    for position in len - 8..len {
        let error = refused(&damaged(position), &expected(file.len()));
        let cause = error.source().expect("the decoder's reason").to_string();
        assert!(cause.contains("checksum"), "bit flipped in byte {position} of {len}: {cause}");
    }
    refused(&damaged(2), &expected(0)); // the compression method

    let followed = |more: &[u8]| [&compressed, more].concat();
    refused(&followed(b"something else"), &expected(file.len()));
    refused(&followed(&[0; 512]), &expected(file.len()));
}

#[test]
#[cfg(feature = "gzip")]
fn no_flipped_bit_of_a_gzip_file_gives_other_data() {
    let file = idx(0x0c, &[5, 4], &(100..180).collect::<Vec<u8>>());
    let expected = parse(&file).unwrap();
    let compressed = gzip(&file);
    let mut refused = 0;
    for bit in 0..8 * compressed.len() {
        let mut bytes = compressed.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        match read(Scratch::new(&bytes).path) {
            Ok(found) => assert_eq!(found, expected, "bit {bit}"), // gzip's header has bits that nothing depends on
            Err(_) => refused += 1,
        }
    }
    assert!(refused > 8 * (compressed.len() - 10), "{refused} of {} bits", 8 * compressed.len());
}

#[test]
#[cfg(feature = "gzip")]
fn gzip_within_gzip_is_refused_by_name() {
    let expected = "byte 0 of the uncompressed data: expected IDX data, found gzip (1f 8b) within gzip";
    refused(&gzip(&gzip(&idx(0x08, &[1], &[0]))), expected);
}

#[test]
#[cfg(not(feature = "gzip"))]
fn gzip_is_refused_by_name_without_its_feature() {
    refused_and_unparsed(
        &gzip(&idx(0x08, &[1], &[0])),
        "byte 0: expected plain IDX data, found gzip (1f 8b), which `read` takes with feature `gzip` on",
    );
}

#[test]
fn parse_refuses_gzip_by_name() {
    assert_eq!(
        parse(&gzip(&idx(0x08, &[1], &[0]))).unwrap_err().to_string(),
        "bytes in memory: byte 0: expected plain IDX data, found gzip (1f 8b), which `read` takes with feature `gzip` on",
    );
}

#[test]
fn a_missing_file_is_named() {
    let scratch = Scratch::new(&[]);
    let path = scratch.folder.path().join("no such file");
    let error = read(&path).unwrap_err();
    assert_eq!(error.to_string(), format!("{}: cannot open the file", path.display()));
    let Error::Open { source, .. } = error else { panic!("{error:?}") };
    assert_eq!(source.kind(), std::io::ErrorKind::NotFound);
}

#[test]
fn a_folder_is_refused() {
    let scratch = Scratch::new(&[]);
    let folder = scratch.folder.path();
    assert_eq!(
        read(folder).unwrap_err().to_string(),
        format!("{}: expected a regular file, found a folder", folder.display())
    );
}

#[test]
#[cfg(unix)]
fn what_is_no_regular_file_is_refused_without_waiting_for_it() {
    let scratch = Scratch::new(&[]);
    let pipe = scratch.folder.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let socket = scratch.folder.path().join("socket");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let link = scratch.folder.path().join("link");
    std::os::unix::fs::symlink(&pipe, &link).unwrap();
    for path in [pipe, socket, link, PathBuf::from("/dev/zero")] {
        assert_eq!(
            read(&path).unwrap_err().to_string(),
            format!("{}: expected a regular file, found a pipe, socket or device", path.display())
        );
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_failure_to_read_is_named() {
    // A regular file whose first byte nobody may read: address 0 of this process.
    let error = read("/proc/self/mem").unwrap_err();
    assert_eq!(error.to_string(), "/proc/self/mem: cannot read on at byte 0");
    assert!(error.source().is_some());
}

#[test]
fn labels_that_do_not_fit_the_images_are_refused() {
    let scratch = Scratch::new(&idx(0x08, &[3, 2, 2], &[0; 12]));
    let images = &scratch.path;
    let labels = scratch.folder.path().join("labels-idx");
    let refused = |file: &[u8], expected: &str| {
        fs::write(&labels, file).unwrap();
        let found = read_pair(images, &labels).unwrap_err().to_string();
        assert_eq!(found, format!("{}: {expected}", labels.display()));
    };
    let count = |found| {
        format!("byte 4: expected 3 labels, one for each image of {}, found {found}", images.display())
    };
    refused(&idx(0x08, &[2], &[0; 2]), &count(2));
    refused(&idx(0x08, &[4], &[0; 4]), &count(4));
    refused(&idx(0x08, &[0], &[]), &count(0));
    let kind = |found| format!("byte 2: expected labels, u8 in one dimension, found {found}");
    refused(&idx(0x08, &[3, 1], &[0; 3]), &kind("u8 of shape [3, 1]"));
    refused(&idx(0x08, &[], &[0]), &kind("u8 of shape []"));
    refused(&idx(0x0c, &[3], &[0; 12]), &kind("i32 of shape [3]"));
    refused(&idx(0x08, &[3], &[0; 2]), "values end at byte 10, expected 11 for shape [3]");

    let swapped = read_pair(&labels, images).unwrap_err().to_string();
    assert_eq!(swapped, format!("{}: {}", images.display(), kind("u8 of shape [3, 2, 2]")));
}
