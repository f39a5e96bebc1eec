//! Positioned reads: single items of a file, in any order, with nothing mapped and nothing kept.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::Path;

use crate::element::Element;
use crate::header::Header;
use crate::reader::Reader;
use crate::{ElementType, Error, Options, Origin};

/// A plain IDX file whose items are read one by one, in any order and from any thread: the safe way to random access.
///
/// Every item is one read at its place in the file (`pread`, `ReadFile`); nothing is kept. If the file changes meanwhile,
/// items are what is there now; if it shrinks, they are errors.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("images");
/// use idx_dataset::IdxFile;
///
/// idx_dataset::write_slice(&path, &[3, 2], &[1_i16, -1, 2, -2, 3, -3])?;
/// let images = IdxFile::open(&path)?;
/// assert_eq!(images.item::<i16>(2)?, [3, -3]);
/// assert_eq!(images.item::<i16>(0)?, [1, -1]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct IdxFile {
    file: File,
    header: Header,
    options: Options,
    origin: Origin,
}

/// What is read at a time where values have to be converted.
const BLOCK_LEN: usize = 64 << 10;

impl IdxFile {
    /// Opens a plain IDX file and reads its header, which is compared with the file's length.
    ///
    /// # Errors
    ///
    /// As [`Reader::open`]; and if the file is compressed.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        Self::open_with(Options::new(), path.as_ref())
    }

    pub(crate) fn open_with(options: Options, path: &Path) -> Result<Self, Error> {
        let (file, header, origin) = Reader::open_with(options, path)?.into_plain_file()?;
        Ok(Self { file, header, options, origin })
    }

    /// The type of the values.
    pub fn element_type(&self) -> ElementType {
        self.header.element_type
    }

    /// The size of each dimension, the slowest first.
    pub fn shape(&self) -> &[usize] {
        &self.header.shape
    }

    /// Number of items: the size of the first dimension, or 1 where there is none.
    pub fn n_items(&self) -> usize {
        self.header.n_items()
    }

    /// Number of values in one item: the product of the sizes after the first.
    pub fn item_len(&self) -> usize {
        self.header.item_len()
    }

    /// Reads item `n` into a new vector.
    ///
    /// # Errors
    ///
    /// As [`read_item`](Self::read_item); and if an item takes more bytes than [`Options::limit`], where that was set, or more
    /// than there is memory for.
    pub fn item<T: Element>(&self, n: usize) -> Result<Vec<T>, Error> {
        self.check::<T>(n)?; // before memory is taken: the length of the file has borne out what an item takes
        let bytes = self.header.item_size();
        let origin = || self.origin.clone();
        let shape = || self.shape().get(1..).unwrap_or_default().to_vec();
        if let Some(limit) = self.options.limit.filter(|&limit| bytes as u64 > limit) {
            return Err(Error::AboveLimit { origin: origin(), shape: shape(), limit, found: bytes as u64 });
        }
        let mut item = Vec::new();
        item.try_reserve_exact(self.item_len()).map_err(|source| Error::OutOfMemory {
            origin: origin(),
            shape: shape(),
            bytes,
            source,
        })?;
        item.resize(self.item_len(), T::default());
        self.read_item(n, &mut item)?;
        Ok(item)
    }

    /// Reads item `n` into `item`.
    ///
    /// # Errors
    ///
    /// If there is no such item, the values are not of type `T`, or the file has become shorter or cannot be read.
    ///
    /// # Panics
    ///
    /// If the length of `item` is not [`item_len`](Self::item_len).
    #[track_caller]
    pub fn read_item<T: Element>(&self, n: usize, item: &mut [T]) -> Result<(), Error> {
        assert_eq!(item.len(), self.item_len(), "read_item: expected a slice of an item's length");
        self.check::<T>(n)?;
        let mut offset = self.item_range(n).start;
        if let Some(bytes) = T::as_bytes_mut(item) {
            return self.read_exact_at(bytes, offset);
        }
        let mut block = vec![0; BLOCK_LEN.min(self.header.item_size())];
        for values in item.chunks_mut(BLOCK_LEN / T::TYPE.size()) {
            let bytes = &mut block[..size_of_val(values)];
            self.read_exact_at(bytes, offset)?;
            offset += bytes.len() as u64;
            T::decode(bytes, values);
        }
        Ok(())
    }

    /// The bytes of the file that hold item `n`, whether or not there is one.
    pub fn item_range(&self, n: usize) -> Range<u64> {
        let size = self.header.item_size() as u64;
        let start = (n as u64).saturating_mul(size).saturating_add(self.header.len() as u64);
        start..start.saturating_add(size)
    }

    /// The file, for what concerns all of it, such as locks and advice to the system.
    pub fn as_file(&self) -> &File {
        &self.file
    }

    fn check<T: Element>(&self, n: usize) -> Result<(), Error> {
        self.header.check_type(T::TYPE, &self.origin)?;
        self.header.check_item(n, &self.origin)
    }

    fn read_exact_at(&self, mut bytes: &mut [u8], mut offset: u64) -> Result<(), Error> {
        while !bytes.is_empty() {
            match read_at(&self.file, bytes, offset) {
                Ok(0) => {
                    let end = self.file.metadata().map_or(offset, |metadata| metadata.len().min(offset));
                    return Err(self.header.truncated(end, &self.origin));
                }
                Ok(n) => {
                    bytes = &mut bytes[n..];
                    offset += n as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => return Err(Error::Read { origin: self.origin.clone(), offset, source }),
            }
        }
        Ok(())
    }
}

#[cfg(unix)]
fn read_at(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, bytes, offset)
}

#[cfg(windows)]
fn read_at(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, bytes, offset)
}
