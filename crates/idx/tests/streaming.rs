//! Items one by one: in order, after a jump, by position, from a map; and written one by one.

mod common;

use std::fs;
use std::io::{self, Read};

use common::idx;
use idx_dataset::{Error, Idx, IdxFile, Options, Reader, Values, Writer, read, write, write_slice};

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn items() -> Idx {
    Idx { shape: vec![5, 3], values: Values::I16((0..15).map(|n| n * 1000 - 7000).collect()) }
}

#[test]
fn a_file_gives_its_items_in_order_and_after_a_jump() {
    let folder = folder();
    let path = folder.path().join("items");
    write(&path, &items()).unwrap();
    let mut reader = Reader::open(&path).unwrap();
    assert_eq!(
        (reader.shape(), reader.n_items(), reader.item_len(), reader.is_compressed()),
        (&[5, 3][..], 5, 3, false)
    );
    let mut item = Vec::new();
    for n in 0..5 {
        assert!(reader.read_item::<i16>(&mut item).unwrap());
        assert_eq!(Some(&item[..]), items().item(n));
    }
    assert!(!reader.read_item::<i16>(&mut item).unwrap());
    for n in [4, 0, 3, 3] {
        reader.seek(n).unwrap();
        assert!(reader.read_item::<i16>(&mut item).unwrap());
        assert_eq!(Some(&item[..]), items().item(n));
    }
    let rest = reader.read_rest().unwrap();
    assert_eq!(rest, Idx { shape: vec![1, 3], values: Values::I16(items().item(4).unwrap().to_vec()) });
    let collected: Vec<Vec<i16>> =
        Reader::open(&path).unwrap().into_items().unwrap().map(Result::unwrap).collect();
    assert_eq!(collected.concat(), items().values.into_vec::<i16>().unwrap());
}

#[test]
fn positioned_reads_need_no_order_and_no_exclusive_access() {
    let folder = folder();
    let path = folder.path().join("items");
    write(&path, &items()).unwrap();
    let file = IdxFile::open(&path).unwrap();
    std::thread::scope(|scope| {
        for n in [3, 0, 4, 1, 2] {
            let file = &file;
            scope.spawn(move || assert_eq!(Some(&file.item::<i16>(n).unwrap()[..]), items().item(n)));
        }
    });
    let message = |error: Error| error.to_string().replace(&*path.to_string_lossy(), "items");
    assert_eq!(message(file.item::<i16>(5).unwrap_err()), "items: expected more than 5 items, found 5");
    assert_eq!(
        message(file.item::<u8>(0).unwrap_err()),
        "items: byte 2: expected values of type u8, found i16"
    );
    fs::write(&path, &fs::read(&path).unwrap()[..20]).unwrap();
    assert_eq!(
        message(file.item::<i16>(1).unwrap_err()),
        "items: values end at byte 20, expected 42 for shape [5, 3]"
    );
    assert_eq!(
        message(file.item::<i16>(4).unwrap_err()),
        "items: values end at byte 20, expected 42 for shape [5, 3]"
    );
    assert_eq!(file.item::<i16>(0).unwrap(), [-7000, -6000, -5000]);
}

#[test]
#[cfg(feature = "mmap")]
#[allow(unsafe_code)]
fn a_map_gives_the_same_as_reading() {
    let folder = folder();
    let path = folder.path().join("items");
    for idx in [items(), Idx { shape: vec![2, 2], values: Values::U8(vec![1, 2, 3, 4]) }] {
        write(&path, &idx).unwrap();
        // SAFETY: nobody else knows of the file.
        let map = unsafe { idx_dataset::map(&path) }.unwrap();
        assert_eq!(map.slice().to_idx(), idx);
        assert_eq!(map.slice().item::<i16>(4).is_some(), idx.shape[0] == 5);
    }
    for (bytes, expected) in [
        (vec![], "header ends at byte 0, expected 4"),
        (idx(8, &[3], &[1, 2]), "values end at byte 10, expected 11 for shape [3]"),
        (idx(8, &[1], &[1, 2]), "byte 9: expected the end after the values of shape [1], found more bytes"),
    ] {
        fs::write(&path, bytes).unwrap();
        // SAFETY: as above.
        let error = unsafe { idx_dataset::map(&path) }.unwrap_err();
        assert_eq!(error.to_string(), format!("{}: {expected}", path.display()));
    }
}

#[test]
fn a_jump_behind_the_end_tells_where_it_is() {
    let file = idx(8, &[100], &[1; 8]);
    let mut reader = Reader::new(io::Cursor::new(&file)).unwrap();
    for n in [0, 8, 3] {
        reader.seek(n).unwrap();
    }
    let mut item = Vec::new();
    assert!(reader.read_item::<u8>(&mut item).unwrap());
    assert_eq!(
        reader.seek(50).unwrap_err().to_string(),
        "stream: values end at byte 16, expected 108 for shape [100]"
    );
}

#[test]
fn the_reader_can_be_had_back_and_items_say_how_many_may_come() {
    let file = idx(8, &[3], &[1, 2, 3]);
    assert_eq!(Reader::new(io::Cursor::new(&file)).unwrap().into_inner().get_ref(), &&file);
    #[cfg(feature = "gzip")]
    assert_eq!(Reader::new(&common::gzip(&file)[..]).unwrap().into_inner(), b"");
    let mut items = Reader::new(&file[..]).unwrap().into_items::<u8>().unwrap();
    assert_eq!(items.size_hint(), (1, Some(4)));
    assert_eq!((items.by_ref().take(3).count(), items.size_hint()), (3, (0, Some(1))));
    assert!(items.next().is_none());
    assert_eq!(items.size_hint(), (0, Some(0)));
}

#[test]
#[cfg(all(feature = "mmap", target_os = "linux"))]
#[allow(unsafe_code)]
fn what_cannot_be_mapped_is_told_as_such() {
    let path = "/sys/kernel/uevent_seqnum"; // a regular file that knows no maps
    if fs::read(path).is_err() {
        return;
    }
    // SAFETY: nothing is mapped, or one number that changes with no memory of ours.
    let error = unsafe { idx_dataset::map(path) }.unwrap_err();
    assert_eq!(error.to_string(), format!("{path}: cannot map the file into memory"));
}

#[test]
fn signed_bytes_are_borrowed_too() {
    let file = idx(9, &[2, 2], &[0, 127, 128, 255]);
    let slice = idx_dataset::parse(&file).unwrap();
    let item = slice.item::<i8>(1).unwrap();
    assert_eq!(*item, [-128, -1]);
    assert!(matches!(item, std::borrow::Cow::Borrowed(_)));
    assert_eq!(slice.item::<u8>(1), None);
    assert!(slice.iter_items::<u8>().is_none());
}

#[test]
fn trailing_bytes_are_passed_over_on_request() {
    let folder = folder();
    let path = folder.path().join("padded");
    let expected = Idx { shape: vec![2], values: Values::U8(vec![5, 6]) };
    let lenient = Options::new().trailing_bytes(true);
    let padded = idx(8, &[2], &[5, 6, 0, 0]);
    fs::write(&path, &padded).unwrap();
    assert_eq!(lenient.read(&path).unwrap(), expected);
    assert_eq!(lenient.reader(&padded[..]).unwrap().read_rest().unwrap(), expected);
    #[cfg(feature = "gzip")]
    {
        fs::write(&path, common::gzip(&padded)).unwrap();
        assert_eq!(lenient.read(&path).unwrap(), expected);
    }
    fs::write(&path, &padded).unwrap();
    assert!(IdxFile::open(&path).is_err());
    let file = lenient.open_items(&path).unwrap();
    assert_eq!((file.item::<u8>(1).unwrap(), file.n_items()), (vec![6], 2));
    #[cfg(feature = "mmap")]
    {
        // SAFETY: nobody else knows of the file.
        #[allow(unsafe_code)]
        let map = unsafe { lenient.map(&path) }.unwrap();
        assert_eq!(map.slice().to_idx(), expected);
    }
    assert!(lenient.read(folder.path()).is_err());
    fs::write(&path, &padded[..9]).unwrap();
    assert!(matches!(lenient.read(&path), Err(Error::Truncated { .. })));
}

#[test]
#[cfg(feature = "gzip")]
fn damage_behind_trailing_bytes_is_damage() {
    let lenient = Options::new().trailing_bytes(true);
    for n_trailing in [0, 1, 100_000] {
        let mut compressed = common::gzip(&[&idx(8, &[2], &[5, 6])[..], &vec![7; n_trailing]].concat());
        assert!(lenient.reader(&compressed[..]).unwrap().read_rest().is_ok());
        let cut = lenient.reader(&compressed[..compressed.len() - 1]).unwrap().read_rest();
        assert!(matches!(cut, Err(Error::GzipTruncated { .. })), "{n_trailing}: {cut:?}");
        let checksum = compressed.len() - 8;
        compressed[checksum] ^= 1;
        let damaged = lenient.reader(&compressed[..]).unwrap().read_rest();
        assert!(matches!(damaged, Err(Error::GzipDamaged { .. })), "{n_trailing}: {damaged:?}");
    }
}

#[test]
fn whoever_takes_trailing_bytes_does_not_wait_for_them() {
    // Whoever asks for more than there is is told so by an error, not made to wait.
    let file = idx(8, &[2], &[5, 6]);
    let read = Options::new().trailing_bytes(true).reader(Failing(&file)).and_then(Reader::read_rest);
    assert_eq!(read.unwrap().values, Values::U8(vec![5, 6]));
}

#[test]
fn limits_hold_where_nothing_bears_out_what_is_declared() {
    let folder = folder();
    let path = folder.path().join("idx");
    let file = idx(0x0c, &[4, 2], &[1; 32]);
    fs::write(&path, &file).unwrap();
    let refused = |outcome: Result<Vec<i32>, Error>, expected: &str| {
        let error = outcome.unwrap_err().to_string();
        assert_eq!(error, format!("{}: byte 4: expected at most {expected}", path.display()));
    };
    let whole = Options::new().limit(31).read(&path).map(|_| Vec::new());
    refused(whole, "31 bytes of values, found 32 for shape [4, 2]");
    let item = |limit| Options::new().limit(limit).open_items(&path).and_then(|file| file.item::<i32>(3));
    assert_eq!(item(8).unwrap(), [0x0101_0101; 2]);
    refused(item(7), "7 bytes of values, found 8 for shape [2]");
    let limited = |limit| Options::new().limit(limit).reader(&file[..]).unwrap();
    assert!(limited(32).read_rest().is_ok());
    assert_eq!(
        limited(31).read_rest().unwrap_err().to_string(),
        "stream: byte 4: expected at most 31 bytes of values, found 32 for shape [4, 2]"
    );
    assert_eq!(limited(8).into_items::<i32>().unwrap().filter(Result::is_ok).count(), 4);
    assert_eq!(
        limited(7).into_items::<i32>().unwrap().next().unwrap().unwrap_err().to_string(),
        "stream: byte 4: expected at most 7 bytes of values, found 8 for shape [2]"
    );
}

/// Fails after some bytes, without a code of the system's.
struct Failing<'a>(&'a [u8]);

impl Read for Failing<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer)? {
            0 => Err(io::Error::new(io::ErrorKind::InvalidData, "the line is dead")),
            n => Ok(n),
        }
    }
}

#[test]
fn a_failure_of_the_reader_is_told_as_such() {
    let file = idx(8, &[3], &[1, 2]);
    let check = |bytes: &[u8], offset: u64| {
        let error = Reader::new(Failing(bytes)).and_then(Reader::read_rest).unwrap_err();
        assert_eq!(error.to_string(), format!("stream: cannot read on at byte {offset}"));
    };
    check(&file, 10);
    check(&file[..3], 3);
    check(&file[..1], 1);
    #[cfg(feature = "gzip")]
    {
        let compressed = common::gzip(&file);
        check(&compressed, 10);
        check(&compressed[..5], 0);
    }
}

#[test]
fn items_are_counted_when_they_are_written() {
    let folder = folder();
    let path = folder.path().join("items");
    let mut writer = Writer::create(&path, &[3]).unwrap();
    assert!(!path.exists(), "not before it is whole");
    writer.write_items(items().iter_items::<i16>().unwrap()).unwrap();
    let error = writer.write_item(&[1, 2]).unwrap_err().to_string();
    assert!(error.ends_with("items: expected 3 values to write for shape [3], found 2"), "{error}");
    writer.finish().unwrap();
    assert_eq!(read(&path).unwrap(), items());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);

    drop(Writer::<u8>::create(&path, &[2]).unwrap());
    assert_eq!(read(&path).unwrap(), items(), "what is not finished leaves what was there");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);

    Writer::<f64>::create(&path, &[]).unwrap().finish().unwrap();
    assert_eq!(read(&path).unwrap(), Idx { shape: vec![0], values: Values::F64(vec![]) });
    write_slice(&path, &[], &[0.5_f64]).unwrap();
    assert_eq!(read(&path).unwrap(), Idx { shape: vec![], values: Values::F64(vec![0.5]) });
    assert!(matches!(write_slice(&path, &[2], &[0.5_f64]), Err(Error::ValueCount { .. })));
    #[cfg(feature = "gzip")]
    {
        let mut writer = Writer::create_gzip(&path, &[3]).unwrap();
        writer.write_items(items().iter_items::<i16>().unwrap()).unwrap();
        writer.finish().unwrap();
        assert!(Reader::open(&path).unwrap().is_compressed());
        assert_eq!(read(&path).unwrap(), items());
        assert!(matches!(IdxFile::open(&path), Err(Error::Compressed { .. })));
        assert!(matches!(Reader::open(&path).unwrap().seek(0), Err(Error::CompressedSeek { .. })));
    }
}
