//! Text files that grow line by line.

use crate::error::{BackupError, Error};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

/// A file with a header, to which lines are added; each is with the system when [`write_line`](Self::write_line) returns.
#[derive(Debug)]
pub(crate) struct LogFile {
    path: PathBuf,
    file: File,
}

impl LogFile {
    /// Begins the file anew, or goes on behind its lines if `append` and it has the same header.
    pub(crate) fn open(path: &Path, header: &str, append: bool) -> Result<Self, Error> {
        let cannot_write = |source| Error::Write { path: path.to_owned(), source };
        let first = if append { first_line(path)? } else { None };
        if let Some(found) = first {
            if found.trim_end_matches(['\r', '\n']) != header {
                let problem =
                    Error::LogHeader { found: found.trim_end().to_owned(), expected: header.to_owned() };
                return Err(Error::InFile { path: path.to_owned(), problem: Box::new(problem) });
            }
            let file = OpenOptions::new().append(true).open(path).map_err(cannot_write)?;
            let mut log = Self { path: path.to_owned(), file };
            // What was cut short stays a line of its own.
            if !ends_with_newline(path)? {
                log.write_line("")?;
            }
            return Ok(log);
        }
        let file = File::create(path).map_err(cannot_write)?;
        let mut log = Self { path: path.to_owned(), file };
        log.write_line(header)?;
        Ok(log)
    }

    /// How long the file is now; so much of it outlasts a power failure.
    pub(crate) fn sync(&self) -> Result<u64, Error> {
        let length = || {
            self.file.sync_all()?;
            Ok(self.file.metadata()?.len())
        };
        length().map_err(|source| Error::Write { path: self.path.clone(), source })
    }

    /// Goes back to where the file had this length.
    pub(crate) fn cut(&self, length: u64) -> Result<(), Error> {
        let cannot_write = |source| Error::Write { path: self.path.clone(), source };
        let found = self.file.metadata().map_err(cannot_write)?.len();
        if found < length {
            let source = BackupError::LogLength { found, expected: length };
            return Err(Error::InFile { path: self.path.clone(), problem: Box::new(source.into()) });
        }
        self.file.set_len(length).map_err(cannot_write)
    }

    /// Adds a line.
    pub(crate) fn write_line(&mut self, line: &str) -> Result<(), Error> {
        let written = self.file.write_all(format!("{line}\n").as_bytes()).and_then(|()| self.file.flush());
        written.map_err(|source| Error::Write { path: self.path.clone(), source })
    }
}

/// The longest first line that is read; a header has a few names.
const MAX_HEADER: u64 = 1 << 16;

/// The first line of a file; `None` if it is empty or not there.
fn first_line(path: &Path) -> Result<Option<String>, Error> {
    use std::io::Read;
    let cannot_read = |source| Error::Read { path: path.to_owned(), source };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(cannot_read(error)),
    };
    let mut line = Vec::new();
    BufReader::new(file.take(MAX_HEADER)).read_until(b'\n', &mut line).map_err(cannot_read)?;
    Ok((!line.is_empty()).then(|| String::from_utf8_lossy(&line).into_owned()))
}

fn ends_with_newline(path: &Path) -> Result<bool, Error> {
    use std::io::{Read, Seek, SeekFrom};
    let last = || {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::End(-1))?;
        let mut last = [0];
        file.read_exact(&mut last)?;
        Ok(last == *b"\n")
    };
    last().map_err(|source| Error::Read { path: path.to_owned(), source })
}

/// Makes the folder that a file is to stand in, if it is not there.
pub(crate) fn create_folder_of(path: &Path) -> Result<(), Error> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => {
            fs::create_dir_all(folder).map_err(|source| Error::Write { path: path.to_owned(), source })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_go_behind_those_of_the_same_header() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.csv");
        let write = |append, line| LogFile::open(&path, "a,b", append).unwrap().write_line(line).unwrap();
        write(true, "1,2");
        write(true, "3,4");
        assert_eq!(fs::read_to_string(&path).unwrap(), "a,b\n1,2\n3,4\n");
        write(false, "5,6");
        assert_eq!(fs::read_to_string(&path).unwrap(), "a,b\n5,6\n");
        fs::write(&path, "a,b\r\n5,6\n7").unwrap();
        write(true, "8,9");
        assert_eq!(fs::read_to_string(&path).unwrap(), "a,b\r\n5,6\n7\n8,9\n");
        fs::write(&path, "").unwrap();
        write(true, "1,2");
        assert_eq!(fs::read_to_string(&path).unwrap(), "a,b\n1,2\n");
    }

    #[test]
    fn another_header_is_refused_and_the_file_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.csv");
        fs::write(&path, "a,c\n1,2\n").unwrap();
        let error = LogFile::open(&path, "a,b", true).unwrap_err().to_string();
        assert_eq!(error, format!("{}: the header is `a,c`, expected `a,b`", path.display()));
        assert_eq!(fs::read_to_string(&path).unwrap(), "a,c\n1,2\n");
    }

    #[test]
    fn a_log_goes_back_to_an_earlier_length_and_on_from_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.csv");
        let mut log = LogFile::open(&path, "a,b", false).unwrap();
        log.write_line("1,2").unwrap();
        let length = log.sync().unwrap();
        log.write_line("3,4").unwrap();
        let mut log = LogFile::open(&path, "a,b", true).unwrap();
        log.cut(length).unwrap();
        log.write_line("5,6").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "a,b\n1,2\n5,6\n");
        let error = log.cut(99).unwrap_err().to_string();
        let expected = "the log has 12 bytes, but had 99 when the run was backed up";
        assert_eq!(error, format!("{}: {expected}", path.display()));
    }

    #[test]
    fn a_place_where_no_file_can_be_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        for append in [false, true] {
            assert!(LogFile::open(folder.path(), "a,b", append).is_err());
            assert!(LogFile::open(&folder.path().join("absent/log.csv"), "a,b", append).is_err());
        }
    }
}
