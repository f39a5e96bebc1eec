//! Memory maps: a file's values where the system has them, whatever its size.

use std::path::Path;

use memmap2::Mmap;

use crate::header::Header;
use crate::reader::open;
use crate::{Error, IdxSlice, Options, Origin};

/// Maps a plain IDX file into memory and reads its header. Values are read when they are looked at.
///
/// ```no_run
/// // SAFETY: this file is ours; nobody changes it while the program runs.
/// let images = unsafe { idx_dataset::map("train-images-idx3-ubyte")? };
/// let images = images.slice();
/// let seventh = images.item::<u8>(7).ok_or("no such image")?; // borrowed from the map
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Where this contract cannot be kept, [`IdxFile`](crate::IdxFile) reads single items too.
///
/// # Safety
///
/// As long as the map lives, nobody may change or shorten the file, in this process or any other:
/// bytes that change under a shared borrow are undefined behaviour, and reading behind a new end kills the process.
///
/// # Errors
///
/// If the path does not lead to a regular file that can be mapped; if it is compressed, or not exactly one IDX header and its
/// payload.
#[allow(unsafe_code)]
pub unsafe fn map(path: impl AsRef<Path>) -> Result<Map, Error> {
    // SAFETY: the caller keeps the contract, which is the same.
    unsafe { map_with(Options::new(), path.as_ref()) }
}

/// As [`map`], which has the contract.
#[allow(unsafe_code)]
pub(crate) unsafe fn map_with(options: Options, path: &Path) -> Result<Map, Error> {
    let (file, _) = open(path)?;
    // SAFETY: the caller promises that nobody changes the file as long as the map lives, which is all that it asks for.
    let mmap = unsafe { Mmap::map(&file) };
    let mmap = mmap.map_err(|source| Error::Map { path: path.to_owned(), source })?;
    let origin = Origin::File(path.to_owned());
    let (header, _) = Header::split(&mmap, &origin)?;
    header.check_end(mmap.len() as u64, options.trailing_bytes, &origin)?;
    Ok(Map { mmap, header })
}

/// A mapped IDX file: see [`map`].
#[derive(Debug)]
pub struct Map {
    mmap: Mmap,
    header: Header,
}

impl Map {
    /// What is in the file.
    pub fn slice(&self) -> IdxSlice<'_> {
        IdxSlice::from_parts(&self.header, &self.mmap[self.header.len()..][..self.header.payload_len])
    }
}
