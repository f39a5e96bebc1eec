//! Writing item by item, without knowing beforehand how many there will be.

use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::marker::PhantomData;
use std::path::Path;

use crate::atomic::Replacement;
use crate::element::Element;
#[cfg(feature = "gzip")]
use crate::gzip;
use crate::header::Header;
use crate::write::encode;
use crate::{Error, Origin};

/// Writes an IDX file item by item. How many there are is put into its header at the end, and only then does the file
/// appear in its place: a program that stops before leaves what was there.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("waves");
/// use idx_dataset::Writer;
///
/// let mut writer = Writer::create(&path, &[2, 2])?; // each item is 2 × 2
/// for n in 0..5_u8 {
///     writer.write_item(&[n, n, n, n])?;
/// }
/// writer.finish()?;
/// assert_eq!(idx_dataset::read(&path)?.shape, [5, 2, 2]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "without `finish` no file appears"]
pub struct Writer<T> {
    target: Target,
    replacement: Replacement,
    shape: Vec<usize>,
    item_len: usize,
    /// Whether a write has failed. What is in the file then is unknown.
    broken: bool,
    element: PhantomData<fn(T)>,
}

/// What items are written to. The file is the replacement's, by another handle.
#[derive(Debug)]
enum Target {
    Plain(BufWriter<File>),
    /// The header is a member of its own, not compressed, so that it can be written anew at the end.
    #[cfg(feature = "gzip")]
    Gzip(Box<flate2::write::GzEncoder<BufWriter<File>>>),
}

impl<T: Element> Writer<T> {
    /// Begins a file of items of this shape.
    ///
    /// # Errors
    ///
    /// If the format cannot hold items of this shape, `path` leads to something else than a regular file, or the system cannot
    /// write.
    pub fn create(path: impl AsRef<Path>, item_shape: &[usize]) -> Result<Self, Error> {
        Self::begin(path.as_ref(), item_shape, |file, header| {
            let mut writer = BufWriter::new(file);
            writer.write_all(header).map(|()| Target::Plain(writer))
        })
    }

    /// Begins a gzip-compressed file of items of this shape. It has two gzip members, of which the first is the header: some
    /// programs that know only one member will find it empty.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create).
    #[cfg(feature = "gzip")]
    pub fn create_gzip(path: impl AsRef<Path>, item_shape: &[usize]) -> Result<Self, Error> {
        Self::begin(path.as_ref(), item_shape, |mut file, header| {
            file.write_all(&gzip::stored(header)?)?;
            Ok(Target::Gzip(Box::new(gzip::encoder(BufWriter::new(file)))))
        })
    }

    fn begin(
        path: &Path,
        item_shape: &[usize],
        target: impl FnOnce(File, &[u8]) -> io::Result<Target>,
    ) -> Result<Self, Error> {
        let shape: Vec<usize> = [&[0], item_shape].concat();
        let header = Header::to_write(T::TYPE, &shape, 0, &Origin::File(path.to_owned()))?;
        let replacement = Replacement::create(path)?;
        let target = replacement.file().try_clone().and_then(|file| target(file, &header.to_bytes()));
        let target = target.map_err(|source| replacement.failed(source))?;
        let item_len = header.item_len();
        Ok(Self { target, replacement, shape, item_len, broken: false, element: PhantomData })
    }

    /// Appends an item.
    ///
    /// # Errors
    ///
    /// If it has not as many values as the shape of items says, a header cannot count another item, or the system cannot
    /// write. After the system failed once, nothing more is written, and the file does not appear.
    pub fn write_item(&mut self, item: &[T]) -> Result<(), Error> {
        if item.len() != self.item_len {
            let (shape, expected, found) = (self.shape[1..].to_vec(), self.item_len, item.len());
            return Err(Error::ValueCount { origin: self.origin(), shape, expected, found });
        }
        let n_items = self.shape[0].saturating_add(1);
        if u32::try_from(n_items).is_err() {
            return Err(Error::Size { origin: self.origin(), dimension: 0, found: n_items });
        }
        self.check_sound()?;
        let outcome = match &mut self.target {
            Target::Plain(writer) => encode(writer, item),
            #[cfg(feature = "gzip")]
            Target::Gzip(encoder) => encode(encoder, item),
        };
        match outcome {
            Ok(()) => {
                self.shape[0] = n_items;
                Ok(())
            }
            Err(source) => {
                self.broken = true;
                Err(self.replacement.failed(source))
            }
        }
    }

    /// Appends all items of an iterator.
    ///
    /// # Errors
    ///
    /// As [`write_item`](Self::write_item).
    pub fn write_items<I: AsRef<[T]>>(&mut self, items: impl IntoIterator<Item = I>) -> Result<(), Error> {
        items.into_iter().try_for_each(|item| self.write_item(item.as_ref()))
    }

    /// Puts the number of items into the header, and the file into its place.
    ///
    /// # Errors
    ///
    /// If the values are more than can be addressed, or the system cannot write or could not write an item.
    pub fn finish(self) -> Result<(), Error> {
        self.check_sound()?;
        let values = self.shape[0].saturating_mul(self.item_len);
        let header = Header::to_write(T::TYPE, &self.shape, values, &self.origin())?;
        let (end, header) = (header.end(), header.to_bytes());
        let Self { target, replacement, .. } = self;
        let patch = |mut file: File, header: &[u8]| {
            file.seek(SeekFrom::Start(0))?;
            file.write_all(header)
        };
        let outcome = match target {
            Target::Plain(writer) => {
                writer.into_inner().map_err(io::Error::from).and_then(|file| match file.metadata()?.len() {
                    found if found == end => patch(file, &header),
                    found => Err(io::Error::other(format!("expected {end} bytes written, found {found}"))),
                })
            }
            #[cfg(feature = "gzip")]
            Target::Gzip(encoder) => encoder
                .finish()
                .and_then(|writer| writer.into_inner().map_err(io::Error::from))
                .and_then(|file| patch(file, &gzip::stored(&header)?)),
        };
        outcome.map_err(|source| replacement.failed(source))?;
        replacement.commit()
    }

    /// That every write so far went well.
    fn check_sound(&self) -> Result<(), Error> {
        match self.broken {
            false => Ok(()),
            true => Err(self.replacement.failed(io::Error::other("an item before could not be written"))),
        }
    }

    fn origin(&self) -> Origin {
        Origin::File(self.replacement.path().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// What is written to a file that was opened for reading fails.
    fn failing(writer: &Writer<u8>) -> Target {
        let name = fs::read_dir(writer.replacement.path().parent().unwrap()).unwrap().next().unwrap();
        Target::Plain(BufWriter::with_capacity(1, File::open(name.unwrap().path()).unwrap()))
    }

    #[test]
    fn nothing_appears_after_a_failed_write() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("items");
        let mut writer = Writer::create(&path, &[2]).unwrap();
        writer.write_item(&[1, 2]).unwrap();
        let broken = failing(&writer);
        let sound = std::mem::replace(&mut writer.target, broken);
        writer.write_item(&[3, 4]).unwrap_err();
        writer.target = sound; // as a full disk that is full no more
        writer.write_item(&[5, 6]).unwrap_err();
        let error = writer.finish().unwrap_err();
        assert!(matches!(error, Error::Write { .. }), "{error}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_file_that_others_wrote_to_does_not_appear() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("items");
        let mut writer = Writer::create(&path, &[]).unwrap();
        writer.write_item(&[1]).unwrap();
        writer.replacement.file().write_all(b"more").unwrap();
        writer.finish().unwrap_err();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn more_items_than_a_header_can_count_are_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = Writer::create(folder.path().join("items"), &[0]).unwrap();
        writer.shape[0] = u32::MAX as usize - 1;
        writer.write_item(&[0_u8; 0]).unwrap();
        let error = writer.write_item(&[]).unwrap_err();
        assert!(matches!(error, Error::Size { dimension: 0, .. }), "{error}");
        writer.finish().unwrap();
    }
}
