//! A file is replaced whole or not at all, and nothing is left beside it.

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use idx_dataset::{Error, Idx, Values, read, write};

fn labels(values: &[u8]) -> Idx {
    Idx { shape: vec![values.len()], values: Values::U8(values.to_vec()) }
}

fn names(folder: &Path) -> Vec<OsString> {
    let mut names: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    names
}

/// Writing `idx` over a file fails with the file's name and `expected`; the file stays as it was.
#[track_caller]
fn refused(idx: &Idx, expected: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("idx");
    fs::write(&path, "what was there before").unwrap();
    let error = write(&path, idx).expect_err(expected);
    assert_eq!(error.to_string(), format!("{}: {expected}", path.display()));
    assert_eq!(fs::read(&path).unwrap(), b"what was there before");
    assert_eq!(names(folder.path()), ["idx"]);
}

#[test]
fn shapes_that_the_format_cannot_hold_are_refused() {
    let bytes = |shape: Vec<usize>, n_values| Idx { shape, values: Values::U8(vec![0; n_values]) };
    refused(&bytes(vec![2, 3], 5), "expected 6 values to write for shape [2, 3], found 5");
    refused(&bytes(vec![2, 3], 7), "expected 6 values to write for shape [2, 3], found 7");
    refused(&bytes(vec![], 0), "expected 1 values to write for shape [], found 0");
    refused(&bytes(vec![0, 9], 9), "expected 0 values to write for shape [0, 9], found 9");
    refused(&bytes(vec![1; 256], 1), "expected at most 255 dimensions to write, found 256");
    let message =
        "byte 4: expected sizes with an addressable product, found shape [4294967295, 4294967295, 4] of u8";
    refused(&bytes(vec![u32::MAX as usize, u32::MAX as usize, 4], 0), message);
}

#[test]
#[cfg(target_pointer_width = "64")]
fn sizes_above_32_bits_are_refused() {
    let idx = Idx { shape: vec![0, 1 << 32], values: Values::F32(vec![]) };
    refused(&idx, "expected at most 4294967295 as size of dimension 1 to write, found 4294967296");
}

#[test]
fn files_are_replaced_and_nothing_is_left_beside_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("labels");
    for values in [&[5, 0, 4, 1, 9][..], &[1], &[]] {
        write(&path, &labels(values)).unwrap();
        assert_eq!(read(&path).unwrap(), labels(values));
        assert_eq!(names(folder.path()), ["labels"]);
    }
    #[cfg(feature = "gzip")]
    {
        idx_dataset::write_gzip(&path, &labels(&[7; 300])).unwrap();
        assert_eq!(read(&path).unwrap(), labels(&[7; 300]));
        assert_eq!(names(folder.path()), ["labels"]);
    }
}

#[test]
fn what_is_written_to_a_stream_is_flushed() {
    let mut lines = std::io::BufWriter::new(Flushed(Vec::new()));
    idx_dataset::write_to(&mut lines, &labels(&[5, 0])).unwrap();
    assert_eq!(lines.get_ref().0, [0, 0, 8, 1, 0, 0, 0, 2, 5, 0]);
    #[cfg(feature = "gzip")]
    {
        let mut lines = std::io::BufWriter::new(Flushed(Vec::new()));
        idx_dataset::write_gzip_to(&mut lines, &labels(&[5, 0])).unwrap();
        let read = idx_dataset::Reader::new(&lines.get_ref().0[..]).unwrap().read_rest().unwrap();
        assert_eq!(read, labels(&[5, 0]));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("labels");
        idx_dataset::write_slice_gzip(&path, &[2], &[5_u8, 0]).unwrap();
        assert_eq!(fs::read(path).unwrap(), lines.get_ref().0);
    }
}

/// Whatever has come so far.
struct Flushed(Vec<u8>);

impl std::io::Write for Flushed {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(feature = "png")]
#[test]
fn a_picture_has_pixels() {
    for shape in [vec![1, 0, 5], vec![1, 5, 0], vec![1, 5, 0, 3]] {
        let error = Idx { shape, values: Values::U8(vec![]) }.write_png(0, Vec::new()).unwrap_err();
        assert!(matches!(error, Error::NotAPicture { .. }), "{error}");
    }
}

#[test]
fn a_missing_folder_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("missing").join("labels");
    let error = write(&path, &labels(&[1])).unwrap_err();
    assert_eq!(error.to_string(), format!("{}: cannot write the file", path.display()));
    assert!(matches!(error, Error::Write { source, .. } if source.kind() == std::io::ErrorKind::NotFound));
    assert!(names(folder.path()).is_empty());
}

#[test]
fn a_folder_is_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("folder");
    fs::create_dir(&path).unwrap();
    let error = write(&path, &labels(&[1])).unwrap_err();
    assert_eq!(error.to_string(), format!("{}: expected a regular file, found a folder", path.display()));
    assert_eq!(names(folder.path()), ["folder"]);
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode()
    }

    #[test]
    fn new_files_have_the_permissions_of_file_create() {
        let folder = tempfile::tempdir().unwrap();
        let [ours, ordinary] = ["ours", "ordinary"].map(|name| folder.path().join(name));
        write(&ours, &labels(&[1])).unwrap();
        fs::File::create(&ordinary).unwrap();
        assert_eq!(mode(&ours), mode(&ordinary));
    }

    #[test]
    fn replaced_files_keep_their_permissions() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("labels");
        for bits in [0o600, 0o664] {
            fs::write(&path, "old").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(bits)).unwrap();
            write(&path, &labels(&[1])).unwrap();
            assert_eq!(mode(&path) & 0o777, bits);
        }
    }

    #[test]
    fn links_are_followed() {
        let folder = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        let (link, target) = (folder.path().join("link"), elsewhere.path().join("target"));
        fs::write(&target, "old").unwrap();
        symlink(&target, &link).unwrap();
        write(&link, &labels(&[1, 2])).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(read(&target).unwrap(), labels(&[1, 2]));
        assert_eq!(names(folder.path()), ["link"]);
        assert_eq!(names(elsewhere.path()), ["target"]);
    }

    #[test]
    fn links_to_nothing_yet_are_followed() {
        let folder = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        let [first, second] = ["first", "second"].map(|name| folder.path().join(name));
        symlink(&second, &first).unwrap();
        symlink(elsewhere.path().join("target"), &second).unwrap();
        write(&first, &labels(&[1, 2])).unwrap();
        assert!([&first, &second].iter().all(|link| fs::symlink_metadata(link).unwrap().is_symlink()));
        assert_eq!(read(elsewhere.path().join("target")).unwrap(), labels(&[1, 2]));
        assert_eq!(names(elsewhere.path()), ["target"]);
        symlink("beside", folder.path().join("relative")).unwrap();
        write(folder.path().join("relative"), &labels(&[3])).unwrap();
        assert_eq!(read(folder.path().join("beside")).unwrap(), labels(&[3]));
    }

    #[test]
    fn what_cannot_be_looked_at_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("link");
        symlink(&link, &link).unwrap();
        assert!(matches!(write(&link, &labels(&[1])), Err(Error::Write { .. })));
        assert_eq!(names(folder.path()), ["link"]);
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(matches!(write(file.join("below"), &labels(&[1])), Err(Error::Write { .. })));
        assert_eq!(names(folder.path()), ["file", "link"]);
    }

    #[test]
    fn sockets_are_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
        let error = write(&path, &labels(&[1])).unwrap_err().to_string();
        assert_eq!(
            error,
            format!("{}: expected a regular file, found a pipe, socket or device", path.display())
        );
        assert!(fs::symlink_metadata(&path).unwrap().file_type().is_socket());
    }
}
