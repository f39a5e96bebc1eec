//! The header: magic, element type, rank, sizes, and what they say about the payload.

use alloc::vec::Vec;

use byteorder::{BigEndian, ByteOrder};

use crate::{ElementType, Error, Origin};

/// Magic, element type and rank.
pub(crate) const START_LEN: usize = 4;
/// One size.
pub(crate) const SIZE_LEN: usize = 4;
/// The sizes of a header of the greatest rank.
#[cfg(feature = "std")]
pub(crate) const MOST_SIZES_LEN: usize = SIZE_LEN * u8::MAX as usize;

/// A header whose payload can be addressed, with the header before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) element_type: ElementType,
    pub(crate) shape: Vec<usize>,
    /// Bytes of the payload.
    pub(crate) payload_len: usize,
}

impl Header {
    /// Looks at a header's first bytes. Returns the element type and how many bytes of sizes follow.
    pub(crate) fn start(start: [u8; START_LEN], origin: &Origin) -> Result<(ElementType, usize), Error> {
        let [zero, also_zero, code, rank] = start;
        match [zero, also_zero] {
            [0, 0] => {}
            [0x1f, 0x8b] => return Err(Error::Compressed { origin: origin.clone() }),
            found => return Err(Error::Magic { origin: origin.clone(), found }),
        }
        match ElementType::from_code(code) {
            Some(element_type) => Ok((element_type, SIZE_LEN * usize::from(rank))),
            None => Err(Error::UnknownElementType { origin: origin.clone(), found: code }),
        }
    }

    /// Looks at the sizes.
    pub(crate) fn with_sizes(
        element_type: ElementType,
        sizes: &[u8],
        origin: &Origin,
    ) -> Result<Self, Error> {
        let shape = sizes.chunks_exact(SIZE_LEN).map(|size| BigEndian::read_u32(size) as usize).collect();
        Self::new(element_type, shape, origin)
    }

    /// Takes the header off the front of `bytes`; the payload and whatever follows is left.
    pub(crate) fn split<'a>(bytes: &'a [u8], origin: &Origin) -> Result<(Self, &'a [u8]), Error> {
        let truncated = |expected: usize| Error::TruncatedHeader {
            origin: origin.clone(),
            expected: expected as u64,
            found: bytes.len() as u64,
        };
        let (start, rest) = bytes.split_first_chunk().ok_or_else(|| truncated(START_LEN))?;
        let (element_type, sizes_len) = Self::start(*start, origin)?;
        let (sizes, payload) =
            rest.split_at_checked(sizes_len).ok_or_else(|| truncated(START_LEN + sizes_len))?;
        Ok((Self::with_sizes(element_type, sizes, origin)?, payload))
    }

    /// The header of values to write, if the format can hold them.
    #[cfg(feature = "std")]
    pub(crate) fn to_write(
        element_type: ElementType,
        shape: &[usize],
        found: usize,
        origin: &Origin,
    ) -> Result<Self, Error> {
        if shape.len() > usize::from(u8::MAX) {
            return Err(Error::Rank { origin: origin.clone(), found: shape.len() });
        }
        if let Some(dimension) = shape.iter().position(|&size| u32::try_from(size).is_err()) {
            return Err(Error::Size { origin: origin.clone(), dimension, found: shape[dimension] });
        }
        let header = Self::new(element_type, shape.to_vec(), origin)?;
        let expected = header.n_values();
        match found == expected {
            true => Ok(header),
            false => Err(Error::ValueCount { origin: origin.clone(), shape: header.shape, expected, found }),
        }
    }

    fn new(element_type: ElementType, shape: Vec<usize>, origin: &Origin) -> Result<Self, Error> {
        match payload_len(element_type, &shape) {
            Some(payload_len) => Ok(Self { element_type, shape, payload_len }),
            None => Err(Error::Overflow { origin: origin.clone(), element_type, shape }),
        }
    }

    /// The header as it is stored.
    #[cfg(feature = "std")]
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = alloc::vec![0, 0, self.element_type.code(), self.shape.len() as u8];
        bytes.extend(self.shape.iter().flat_map(|&size| (size as u32).to_be_bytes()));
        bytes
    }

    #[cfg(feature = "std")]
    pub(crate) fn n_values(&self) -> usize {
        self.payload_len / self.element_type.size()
    }

    /// Number of items: the size of the first dimension, or 1 where there is none.
    pub(crate) fn n_items(&self) -> usize {
        self.shape.first().copied().unwrap_or(1)
    }

    /// Number of values in one item. That this product fits was seen when the header was made.
    pub(crate) fn item_len(&self) -> usize {
        self.shape.iter().skip(1).product()
    }

    /// Bytes in one item.
    pub(crate) fn item_size(&self) -> usize {
        self.item_len() * self.element_type.size()
    }

    /// Bytes before the payload.
    pub(crate) fn len(&self) -> usize {
        START_LEN + SIZE_LEN * self.shape.len()
    }

    /// Where the payload ends, counted from the start of the header.
    pub(crate) fn end(&self) -> u64 {
        self.len() as u64 + self.payload_len as u64
    }

    /// That the data end where the header says, or, if `trailing_bytes` are allowed, not before.
    pub(crate) fn check_end(&self, found: u64, trailing_bytes: bool, origin: &Origin) -> Result<(), Error> {
        if found < self.end() {
            Err(self.truncated(found, origin))
        } else if found > self.end() && !trailing_bytes {
            Err(self.trailing(origin))
        } else {
            Ok(())
        }
    }

    pub(crate) fn truncated(&self, found: u64, origin: &Origin) -> Error {
        let (origin, shape) = (origin.clone(), self.shape.clone());
        Error::Truncated { origin, shape, expected: self.end(), found }
    }

    pub(crate) fn trailing(&self, origin: &Origin) -> Error {
        let (origin, shape) = (origin.clone(), self.shape.clone());
        Error::TrailingBytes { origin, shape, expected: self.end() }
    }

    /// That values are asked for as what they are.
    #[cfg(feature = "std")]
    pub(crate) fn check_type(&self, expected: ElementType, origin: &Origin) -> Result<(), Error> {
        let found = self.element_type;
        match found == expected {
            true => Ok(()),
            false => Err(Error::WrongType { origin: origin.clone(), expected, found }),
        }
    }

    /// That there is such an item.
    #[cfg(all(feature = "std", any(unix, windows)))]
    pub(crate) fn check_item(&self, item: usize, origin: &Origin) -> Result<(), Error> {
        let items = self.n_items();
        match item < items {
            true => Ok(()),
            false => Err(Error::NoItem { origin: origin.clone(), item, items }),
        }
    }
}

/// Bytes of the payload. `None` if a vector of that many, and of the header's, could not exist even were the zero sizes
/// ones: so every product of some of the sizes, and every place in the file, can be computed without another check, also
/// where the whole product is zero.
fn payload_len(element_type: ElementType, shape: &[usize]) -> Option<usize> {
    let mut sizes = shape.iter().filter(|&&size| size != 0);
    let len = sizes.try_fold(element_type.size(), |len, &size| len.checked_mul(size))?;
    let end = len.checked_add(START_LEN + SIZE_LEN * shape.len())?;
    let addressable = isize::try_from(end).is_ok();
    addressable.then_some(if shape.contains(&0) { 0 } else { len })
}
