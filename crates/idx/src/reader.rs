//! Reading from files and streams: item by item, or all that is left.

use std::fs::{self, File};
use std::io::{Read, Seek};
use std::iter::FusedIterator;
use std::marker::PhantomData;
use std::path::Path;

use crate::element::Element;
use crate::header::{Header, MOST_SIZES_LEN, START_LEN};
use crate::input::Input;
use crate::{ElementType, Error, Idx, Options, Origin, Values, pages};

/// What is read at a time where values have to be converted, and the least by which a vector grows where the length
/// of the data is not known. A block and its values stay in the second-level cache.
const BLOCK_LEN: usize = 64 << 10;

/// Reads an IDX file, plain or gzip-compressed, whole.
///
/// Compression is recognised by content, not by name; a file may have several gzip members, and every checksum is
/// verified. Symbolic links are followed. Bytes of type u8 take one vector and no copy.
///
/// # Errors
///
/// If the path does not lead to a regular file that can be read, or its content is not exactly one IDX header and its
/// payload: see [`Error`], each variant of which names the file.
pub fn read(path: impl AsRef<Path>) -> Result<Idx, Error> {
    Options::new().read(path)
}

/// Reads IDX data item by item, plain or gzip-compressed, from a file or any [`Read`]: files larger than memory,
/// archives, sockets. It has a buffer of its own.
///
/// ```
/// use idx_dataset::Reader;
///
/// let bytes: &[u8] = &[0, 0, 8, 2, 0, 0, 0, 3, 0, 0, 0, 2, 1, 2, 3, 4, 5, 6];
/// let mut reader = Reader::new(bytes)?;
/// let mut item = Vec::new();
/// let mut sums = Vec::new();
/// while reader.read_item(&mut item)? {
///     sums.push(item.iter().sum::<u8>());
/// }
/// assert_eq!(sums, [3, 7, 11]);
/// # Ok::<(), idx_dataset::Error>(())
/// ```
///
/// An error is the end: what comes after it is not defined, except that it is not undefined behaviour and takes no more
/// memory.
pub struct Reader<R> {
    input: Input<R>,
    header: Header,
    options: Options,
    /// The item to read next.
    next: usize,
    /// Bytes on their way to become values.
    block: Vec<u8>,
}

impl Reader<File> {
    /// Opens an IDX file and reads its header. What the header declares is compared with the file's length, unless it is
    /// compressed.
    ///
    /// # Errors
    ///
    /// If the path does not lead to a regular file that can be read; if its header is not that of IDX data; if a plain file
    /// is shorter or longer than its header says.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        Self::open_with(Options::new(), path.as_ref())
    }

    pub(crate) fn open_with(options: Options, path: &Path) -> Result<Self, Error> {
        let (file, length) = open(path)?;
        Self::with(options, file, Origin::File(path.to_owned()), Some(length))
    }

    /// The file and what is known of it, if it is plain.
    #[cfg(any(unix, windows))]
    pub(crate) fn into_plain_file(self) -> Result<(File, Header, Origin), Error> {
        let origin = self.input.origin.clone();
        if self.is_compressed() {
            return Err(Error::Compressed { origin });
        }
        Ok((self.input.into_inner(), self.header, origin))
    }
}

impl<R: Read> Reader<R> {
    /// Reads the header.
    ///
    /// # Errors
    ///
    /// If it is not that of IDX data, or `reader` fails.
    pub fn new(reader: R) -> Result<Self, Error> {
        Options::new().reader(reader)
    }

    pub(crate) fn with(
        options: Options,
        reader: R,
        origin: Origin,
        length: Option<u64>,
    ) -> Result<Self, Error> {
        let (mut input, start) = Input::new(reader, origin, length)?;
        let header = read_header(&mut input, &start).map_err(|error| match error {
            Error::Compressed { origin } if !input.is_plain() => Error::CompressedTwice { origin },
            error => error,
        })?;
        if let Some(length) = input.length {
            header.check_end(length, options.trailing_bytes, &input.origin)?;
        }
        Ok(Self { input, header, options, next: 0, block: Vec::new() })
    }

    /// The type of the values.
    pub fn element_type(&self) -> ElementType {
        self.header.element_type
    }

    /// The declared size of each dimension, the slowest first.
    pub fn shape(&self) -> &[usize] {
        &self.header.shape
    }

    /// The declared number of items: the size of the first dimension, or 1 where there is none.
    pub fn n_items(&self) -> usize {
        self.header.n_items()
    }

    /// Number of values in one item: the product of the sizes after the first.
    pub fn item_len(&self) -> usize {
        self.header.item_len()
    }

    /// Whether the data are gzip-compressed.
    pub fn is_compressed(&self) -> bool {
        !self.input.is_plain()
    }

    /// Reads the next item into `item`, in the place of what it held. Returns `false`, having looked at what follows the last
    /// item (the end of the data, the last checksum), where there is none left.
    ///
    /// # Errors
    ///
    /// If the values are not of type `T`, the data end early, go on after the last item or are damaged, or cannot be read; if
    /// an item takes more bytes than [`Options::limit`], or more than there is memory for.
    pub fn read_item<T: Element>(&mut self, item: &mut Vec<T>) -> Result<bool, Error> {
        item.clear();
        self.header.check_type(T::TYPE, &self.input.origin)?;
        if self.next == self.n_items() {
            return self.finish().map(|()| false);
        }
        self.read_values(item, Part::Item)?;
        self.next += 1;
        Ok(true)
    }

    /// The items that are left, each in a vector of its own. Items of no values are items: a header of a few bytes may declare
    /// four thousand million of them.
    ///
    /// # Errors
    ///
    /// If the values are not of type `T`. The iterator gives the errors of [`read_item`](Self::read_item), and ends after the
    /// first.
    pub fn into_items<T: Element>(self) -> Result<Items<R, T>, Error> {
        self.header.check_type(T::TYPE, &self.input.origin)?;
        Ok(Items { reader: self, ended: false, element: PhantomData })
    }

    /// Reads all items that are left; all of them, where none was read yet.
    ///
    /// # Errors
    ///
    /// As [`read_item`](Self::read_item), and if all together take more bytes than [`Options::limit`], or more than there is
    /// memory for.
    pub fn read_rest(mut self) -> Result<Idx, Error> {
        let items = self.n_items() - self.next;
        let values = match self.element_type() {
            ElementType::U8 => Values::U8(self.rest()?),
            ElementType::I8 => Values::I8(self.rest()?),
            ElementType::I16 => Values::I16(self.rest()?),
            ElementType::I32 => Values::I32(self.rest()?),
            ElementType::F32 => Values::F32(self.rest()?),
            ElementType::F64 => Values::F64(self.rest()?),
        };
        self.finish()?;
        let mut shape = self.header.shape;
        match shape.first_mut() {
            Some(first) => *first = items,
            None if items == 0 => shape.push(0), // a single value that was read before
            None => {}
        }
        Ok(Idx { shape, values })
    }

    /// Looks for the end, unless the length of the data has told it. Reaching it is also what makes the gzip decoder verify the
    /// last checksum, so compressed data are read to their end also where trailing bytes are allowed.
    fn finish(&mut self) -> Result<(), Error> {
        if self.input.length.is_some() {
            Ok(())
        } else if self.options.trailing_bytes {
            if self.input.is_plain() { Ok(()) } else { self.input.drain() }
        } else if self.input.fill(&mut [0])? == 0 {
            Ok(())
        } else {
            Err(self.header.trailing(&self.input.origin))
        }
    }

    /// The reader that the data come from. It has been read ahead of, by an unknown number of bytes.
    pub fn into_inner(self) -> R {
        self.input.into_inner()
    }

    fn rest<T: Element>(&mut self) -> Result<Vec<T>, Error> {
        let mut values = Vec::new();
        self.read_values(&mut values, Part::Rest)?;
        Ok(values)
    }

    /// Fills an empty vector.
    fn read_values<T: Element>(&mut self, values: &mut Vec<T>, part: Part) -> Result<(), Error> {
        let n_values = self.n_values(part);
        self.check_limit(part)?;
        match T::as_byte_vec(values) {
            Some(bytes) => self.read_bytes(bytes, n_values, part),
            None => self.convert(values, n_values, part),
        }
    }

    /// Bytes need no conversion.
    fn read_bytes(&mut self, bytes: &mut Vec<u8>, n_values: usize, part: Part) -> Result<(), Error> {
        while bytes.len() < n_values {
            if bytes.len() == bytes.capacity() {
                self.reserve(bytes, part)?;
            }
            let n = bytes.capacity().min(n_values) - bytes.len();
            if self.input.append(bytes, n)? < n {
                return Err(self.header.truncated(self.input.position, &self.input.origin));
            }
        }
        Ok(())
    }

    /// Other values pass through a block of bytes, so that there is never a second copy of all of them.
    fn convert<T: Element>(&mut self, values: &mut Vec<T>, n_values: usize, part: Part) -> Result<(), Error> {
        while values.len() < n_values {
            if values.len() == values.capacity() {
                self.reserve(values, part)?;
            }
            let room = values.capacity().min(n_values) - values.len();
            let n = room.min(BLOCK_LEN / T::TYPE.size());
            let block_len = n * T::TYPE.size();
            if self.block.len() < block_len {
                self.block.resize(block_len, 0);
            }
            let bytes = &mut self.block[..block_len];
            if self.input.fill(bytes)? < bytes.len() {
                return Err(self.header.truncated(self.input.position, &self.input.origin));
            }
            let start = values.len();
            values.resize(start + n, T::default());
            T::decode(bytes, &mut values[start..]);
        }
        Ok(())
    }

    /// That so many values may be held.
    fn check_limit(&self, part: Part) -> Result<(), Error> {
        let limit = match (self.options.limit, self.input.length) {
            (None, None) => Options::DEFAULT_LIMIT,
            (None, Some(_)) => return Ok(()), // the length bears them out
            (Some(limit), _) => limit,
        };
        let found = (self.n_values(part) * self.element_type().size()) as u64;
        match found <= limit {
            true => Ok(()),
            false => {
                let (origin, shape) = (self.input.origin.clone(), self.shape_of(part));
                Err(Error::AboveLimit { origin, shape, limit, found })
            }
        }
    }

    fn n_values(&self, part: Part) -> usize {
        match part {
            Part::Item => self.item_len(),
            Part::Rest => (self.n_items() - self.next) * self.item_len(),
        }
    }

    fn shape_of(&self, part: Part) -> Vec<usize> {
        match (part, &self.header.shape[..]) {
            (_, []) => Vec::new(),
            (Part::Item, [_, item @ ..]) => item.to_vec(),
            (Part::Rest, [n_items, item @ ..]) => [&[n_items - self.next], item].concat(),
        }
    }

    /// Makes room for more values: for all of them where the length of the data has borne out the header, else for as
    /// many as have come so far, and never for more than are to come.
    fn reserve<T>(&self, values: &mut Vec<T>, part: Part) -> Result<(), Error> {
        let n_values = self.n_values(part);
        let missing = n_values - values.len();
        let additional = match self.input.length {
            Some(_) => missing,
            None => missing.min(values.len().max(BLOCK_LEN / size_of::<T>())),
        };
        values.try_reserve_exact(additional).map_err(|source| {
            let (origin, shape) = (self.input.origin.clone(), self.shape_of(part));
            Error::OutOfMemory { origin, shape, bytes: n_values * size_of::<T>(), source }
        })?;
        if additional == missing {
            // Not where the vector will grow again: the system moves memory of one kind of pages only, else it is copied.
            pages::advise(values.spare_capacity_mut());
        }
        Ok(())
    }
}

impl<R: Read + Seek> Reader<R> {
    /// Goes to item `n`, which is read next. Behind the last one is a place too.
    ///
    /// # Errors
    ///
    /// If there are fewer than `n` items, the data end before item `n`, are compressed, or the reader cannot seek.
    pub fn seek(&mut self, n: usize) -> Result<(), Error> {
        if n > self.n_items() {
            return Err(Error::NoItem { origin: self.input.origin.clone(), item: n, items: self.n_items() });
        }
        // No more than the end of the payload, so this cannot overflow.
        let position = self.header.len() as u64 + n as u64 * self.header.item_size() as u64;
        if let Some(end) = self.input.seek(position)? {
            return Err(self.header.truncated(end, &self.input.origin));
        }
        self.next = n;
        Ok(())
    }
}

/// What is read into one vector.
#[derive(Clone, Copy)]
enum Part {
    /// The next item.
    Item,
    /// All items that are left.
    Rest,
}

/// Where data come from, and what they are.
impl<R> std::fmt::Debug for Reader<R> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut reader = formatter.debug_struct("Reader");
        reader.field("origin", &self.input.origin).field("element_type", &self.header.element_type);
        reader.field("shape", &self.header.shape).field("next", &self.next).finish_non_exhaustive()
    }
}

/// The items of a [`Reader`]: see [`Reader::into_items`].
#[derive(Debug)]
pub struct Items<R, T> {
    reader: Reader<R>,
    ended: bool,
    element: PhantomData<fn() -> T>,
}

impl<R: Read, T: Element> Items<R, T> {
    fn read(&mut self) -> Result<Option<Vec<T>>, Error> {
        let mut item = Vec::new();
        Ok(self.reader.read_item(&mut item)?.then_some(item))
    }
}

impl<R: Read, T: Element> Iterator for Items<R, T> {
    type Item = Result<Vec<T>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let item = self.read();
        self.ended = !matches!(item, Ok(Some(_)));
        item.transpose()
    }

    /// At most one more than there are items left, for an error may follow the last; at least one of them comes, or an error.
    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = if self.ended { 0 } else { self.reader.n_items() - self.reader.next };
        let most = if self.ended { Some(0) } else { left.checked_add(1) };
        (left.min(1), most)
    }
}

impl<R: Read, T: Element> FusedIterator for Items<R, T> {}

/// Opens a regular file. Anything else is refused before it is opened: opening a pipe would wait for its writer.
pub(crate) fn open(path: &Path) -> Result<(File, u64), Error> {
    let refuse = |source| Error::Open { path: path.to_owned(), source };
    let regular = |metadata: fs::Metadata| match metadata.is_file() {
        true => Ok(metadata.len()),
        false => Err(Error::NotAFile { path: path.to_owned(), found: metadata.file_type() }),
    };
    regular(fs::metadata(path).map_err(refuse)?)?;
    let file = File::open(path).map_err(refuse)?;
    let length = regular(file.metadata().map_err(refuse)?)?; // of the file that was opened, should it be another now
    Ok((file, length))
}

/// Reads a header, whose first bytes may have been taken already, and stops at the first byte of the payload.
pub(crate) fn read_header<R: Read>(input: &mut Input<R>, taken: &[u8]) -> Result<Header, Error> {
    let mut start = [0; START_LEN];
    start[..taken.len()].copy_from_slice(taken);
    fill_header(input, &mut start[taken.len()..], START_LEN)?;
    let (element_type, sizes_len) = Header::start(start, &input.origin)?;
    let mut sizes = [0; MOST_SIZES_LEN];
    let sizes = &mut sizes[..sizes_len];
    fill_header(input, sizes, START_LEN + sizes_len)?;
    Header::with_sizes(element_type, sizes, &input.origin)
}

fn fill_header<R: Read>(input: &mut Input<R>, bytes: &mut [u8], expected: usize) -> Result<(), Error> {
    if input.fill(bytes)? == bytes.len() {
        return Ok(());
    }
    let (origin, found) = (input.origin.clone(), input.position);
    Err(Error::TruncatedHeader { origin, expected: expected as u64, found })
}
