//! The header: magic, element type, rank, sizes, and what they say about the payload.

use std::io::Read;
use std::path::Path;

use byteorder::{BigEndian, ByteOrder};

use crate::input::Input;
use crate::{ElementType, Error, Idx, Origin};

/// Magic, element type and rank.
const START_LEN: usize = 4;
/// One size.
const SIZE_LEN: usize = 4;

/// A header whose payload can be addressed.
pub(crate) struct Header {
    pub(crate) element_type: ElementType,
    pub(crate) shape: Vec<usize>,
    /// Bytes of the payload.
    pub(crate) payload_len: usize,
}

impl Header {
    /// Reads a header and stops at the first byte of the payload.
    pub(crate) fn read<R: Read>(input: &mut Input<R>) -> Result<Self, Error> {
        let mut start = [0; START_LEN];
        fill(input, &mut start)?;
        let [zero, also_zero, code, rank] = start;
        let origin = || input.origin.clone();
        match [zero, also_zero] {
            [0, 0] => {}
            [0x1f, 0x8b] => return Err(Error::Compressed { origin: origin() }),
            found => {
                return Err(Error::Magic { origin: origin(), found });
            }
        }
        let Some(element_type) = ElementType::from_code(code) else {
            return Err(Error::UnknownElementType { origin: origin(), found: code });
        };

        let mut sizes = [0; SIZE_LEN * u8::MAX as usize];
        let sizes = &mut sizes[..SIZE_LEN * usize::from(rank)];
        fill(input, sizes)?;
        let shape = sizes.chunks_exact(SIZE_LEN).map(|size| BigEndian::read_u32(size) as usize).collect();
        Self::new(element_type, shape, &input.origin)
    }

    /// The header of `idx`, if the format can hold it.
    pub(crate) fn of(idx: &Idx, path: &Path) -> Result<Self, Error> {
        if idx.shape.len() > usize::from(u8::MAX) {
            return Err(Error::Rank { path: path.to_owned(), found: idx.shape.len() });
        }
        if let Some(dimension) = idx.shape.iter().position(|&size| u32::try_from(size).is_err()) {
            return Err(Error::Size { path: path.to_owned(), dimension, found: idx.shape[dimension] });
        }
        let header = Self::new(idx.element_type(), idx.shape.clone(), &Origin::File(path.to_owned()))?;
        let expected = header.n_values();
        if idx.values.len() != expected {
            let (path, found) = (path.to_owned(), idx.values.len());
            return Err(Error::ValueCount { path, shape: header.shape, expected, found });
        }
        Ok(header)
    }

    fn new(element_type: ElementType, shape: Vec<usize>, origin: &Origin) -> Result<Self, Error> {
        match payload_len(element_type, &shape) {
            Some(payload_len) => Ok(Self { element_type, shape, payload_len }),
            None => Err(Error::Overflow { origin: origin.clone(), element_type, shape }),
        }
    }

    /// The header as it is stored.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0, 0, self.element_type.code(), self.shape.len() as u8];
        bytes.extend(self.shape.iter().flat_map(|&size| (size as u32).to_be_bytes()));
        bytes
    }

    pub(crate) fn n_values(&self) -> usize {
        self.payload_len / self.element_type.size()
    }

    /// Where the payload ends, counted from the start of the header.
    pub(crate) fn end(&self) -> u64 {
        (START_LEN + SIZE_LEN * self.shape.len()) as u64 + self.payload_len as u64
    }
}

fn fill<R: Read>(input: &mut Input<R>, bytes: &mut [u8]) -> Result<(), Error> {
    let expected = input.position + bytes.len() as u64;
    if input.fill(bytes)? == bytes.len() {
        return Ok(());
    }
    Err(Error::TruncatedHeader { origin: input.origin.clone(), expected, found: input.position })
}

/// Bytes of the payload. `None` if a vector of that many could not exist even were the zero sizes ones: so every
/// product of some of the sizes can be taken without another check, also where the whole product is zero.
fn payload_len(element_type: ElementType, shape: &[usize]) -> Option<usize> {
    let mut sizes = shape.iter().filter(|&&size| size != 0);
    let len = sizes.try_fold(element_type.size(), |len, &size| len.checked_mul(size))?;
    let addressable = isize::try_from(len).is_ok();
    addressable.then_some(if shape.contains(&0) { 0 } else { len })
}
