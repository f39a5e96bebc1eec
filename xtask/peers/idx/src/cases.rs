//! Kinds of broken file, each made from a right one of 60,000 images.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;

use flate2::Compression;
use flate2::write::GzEncoder;
use idx_peers::header;

/// What is wrong, and how to put it into the place of the images.
pub type Case = (&'static str, fn(&Path, &[u8]));

/// Replaces the header, the payload stays.
macro_rules! with_header {
    ($code:expr, $($size:expr),*) => {
        |path, file| fs::write(path, [&header($code, &[$($size),*]), &file[16..]].concat()).unwrap()
    };
}

/// Replaces the file.
macro_rules! with {
    (|$file:ident| $bytes:expr) => {
        |path, $file| fs::write(path, $bytes).unwrap()
    };
}

const MAX: u32 = u32::MAX;

pub const CASES: &[Case] = &[
    ("no file", |path, _| fs::remove_file(path).unwrap()),
    ("a folder", |path, _| {
        fs::remove_file(path).unwrap();
        fs::create_dir(path).unwrap();
    }),
    ("a named pipe that nobody writes to", |path, _| {
        fs::remove_file(path).unwrap();
        assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
    }),
    ("an empty file", with!(|_file| [])),
    ("one byte", with!(|file| &file[..1])),
    ("cut within the first four bytes", with!(|file| &file[..3])),
    ("cut within the sizes", with!(|file| &file[..10])),
    ("cut behind the header", with!(|file| &file[..16])),
    ("cut in the middle", with!(|file| &file[..file.len() / 2])),
    ("the last byte missing", with!(|file| &file[..file.len() - 1])),
    ("one byte more", with!(|file| [file, b"\n"].concat())),
    ("the file twice", with!(|file| [file, file].concat())),
    ("first byte not 0", with!(|file| [&[1], &file[1..]].concat())),
    ("second byte not 0", with!(|file| [&[0, 1], &file[2..]].concat())),
    (
        "header little-endian",
        with!(|file| [&[3, 8, 0, 0, 0x60, 0xea, 0, 0, 28, 0, 0, 0, 28, 0, 0, 0], &file[16..]].concat()),
    ),
    ("a PNG", with!(|file| [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", &file[16..10_000]].concat())),
    ("a page of HTML", with!(|_file| "<!DOCTYPE html><title>404 Not Found</title>".repeat(20))),
    ("unknown element type 0a", with_header!(0x0a, 60_000, 28, 28)),
    ("element type i32, bytes for u8", with_header!(0x0c, 60_000, 28, 28)),
    ("rank 0, then all images", with!(|file| [&[0, 0, 8, 0], &file[16..]].concat())),
    ("rank 4, sizes for 3", with!(|file| [&[0, 0, 8, 4], &file[4..]].concat())),
    ("rank 255, sizes for 3", with!(|file| [&[0, 0, 8, 255], &file[4..]].concat())),
    ("one image too many declared", with_header!(8, 60_001, 28, 28)),
    ("one image too few declared", with_header!(8, 59_999, 28, 28)),
    ("no images declared", with_header!(8, 0, 28, 28)),
    ("no rows declared", with_header!(8, 60_000, 0, 28)),
    ("29 rows declared", with_header!(8, 60_000, 29, 28)),
    ("4,294,967,295 images declared", with_header!(8, MAX, 28, 28)),
    ("4,294,967,295 rows declared", with_header!(8, 60_000, MAX, 28)),
    ("all sizes 4,294,967,295", with_header!(8, MAX, MAX, MAX)),
    ("sizes whose product is 0 modulo 2⁶⁴", with_header!(8, 0x8000_0000, 0x8000_0000, 4)),
    ("gzip under the plain name (not broken)", with!(|file| gzip(file))),
    (
        "gzip, cut",
        with!(|file| {
            let gzip = gzip(file);
            gzip[..gzip.len() / 2].to_vec()
        }),
    ),
    (
        "gzip, wrong checksum",
        with!(|file| {
            let mut gzip = gzip(file);
            let place = gzip.len() - 8;
            gzip[place] ^= 1;
            gzip
        }),
    ),
    ("gzip of 4 GB of zeros, 60,000 images declared", |path, file| {
        let mut encoder = GzEncoder::new(fs::File::create(path).unwrap(), Compression::fast());
        encoder.write_all(&file[..16]).unwrap();
        let zeros = vec![0; 1 << 20];
        (0..4000).for_each(|_| encoder.write_all(&zeros).unwrap());
        encoder.finish().unwrap();
    }),
    ("labels: one too few", |path, _| {
        let labels = path.with_file_name("train-labels-idx1-ubyte");
        fs::write(labels, [&header(8, &[59_999])[..], &[3; 59_999]].concat()).unwrap();
    }),
    ("labels: one is 255", |path, _| {
        let labels = path.with_file_name("train-labels-idx1-ubyte");
        let mut bytes = fs::read(&labels).unwrap();
        bytes[100] = 255;
        fs::write(labels, bytes).unwrap();
    }),
];

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
