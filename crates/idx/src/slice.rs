//! IDX data in memory, looked at where they lie.

use alloc::borrow::Cow;
use alloc::vec;
use alloc::vec::Vec;

use crate::header::Header;
use crate::{Element, ElementType, Error, Idx, Options, Origin, Values};

/// Looks at IDX data in memory: plain, and exactly one header with its payload.
///
/// ```
/// use idx_dataset::parse;
///
/// let labels = parse(&[0, 0, 8, 1, 0, 0, 0, 3, 5, 0, 4])?;
/// assert_eq!(labels.shape(), [3]);
/// assert_eq!(labels.values::<u8>().as_deref(), Some(&[5, 0, 4][..])); // borrowed, not copied
/// # Ok::<(), idx_dataset::Error>(())
/// ```
///
/// # Errors
///
/// If `bytes` are not exactly one IDX header and its payload.
pub fn parse(bytes: &[u8]) -> Result<IdxSlice<'_>, Error> {
    Options::new().parse(bytes)
}

/// IDX data in memory, borrowed: bytes as they lie, other values converted where they are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdxSlice<'a> {
    header: Cow<'a, Header>,
    payload: &'a [u8],
}

impl<'a> IdxSlice<'a> {
    pub(crate) fn new(bytes: &'a [u8], trailing_bytes: bool, origin: &Origin) -> Result<Self, Error> {
        let (header, payload) = Header::split(bytes, origin)?;
        header.check_end(bytes.len() as u64, trailing_bytes, origin)?;
        let payload = &payload[..header.payload_len];
        Ok(Self { header: Cow::Owned(header), payload })
    }

    /// A payload of exactly the header's length.
    #[cfg(feature = "mmap")]
    pub(crate) fn from_parts(header: &'a Header, payload: &'a [u8]) -> Self {
        debug_assert_eq!(header.payload_len, payload.len());
        Self { header: Cow::Borrowed(header), payload }
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

    /// The values as they are stored, big-endian.
    pub fn payload(&self) -> &'a [u8] {
        self.payload
    }

    /// All values: borrowed if they are `u8` or `i8`, converted otherwise. `None` if they are not of type `T`.
    pub fn values<T: Element>(&self) -> Option<Cow<'a, [T]>> {
        (self.element_type() == T::TYPE).then(|| decoded(self.payload))
    }

    /// The values of item `n`: borrowed if they are `u8` or `i8`, converted otherwise. `None` if there is no such item, or
    /// the values are not of type `T`.
    pub fn item<T: Element>(&self, n: usize) -> Option<Cow<'a, [T]>> {
        let within = self.element_type() == T::TYPE && n < self.n_items();
        within.then(|| decoded(&self.payload[n * self.header.item_size()..][..self.header.item_size()]))
    }

    /// Item after item, each as [`item`](Self::item) gives it. `None` if the values are not of type `T`.
    pub fn iter_items<T: Element>(
        &self,
    ) -> Option<impl ExactSizeIterator<Item = Cow<'a, [T]>> + DoubleEndedIterator + use<'a, T>> {
        let (payload, size) = (self.payload, self.header.item_size());
        let items = (0..self.n_items()).map(move |n| decoded(&payload[n * size..][..size]));
        (self.element_type() == T::TYPE).then_some(items)
    }

    /// A copy of its own.
    pub fn to_idx(&self) -> Idx {
        let values = match self.element_type() {
            ElementType::U8 => Values::U8(self.payload.to_vec()),
            ElementType::I8 => Values::I8(decoded(self.payload).into_owned()),
            ElementType::I16 => Values::I16(decoded(self.payload).into_owned()),
            ElementType::I32 => Values::I32(decoded(self.payload).into_owned()),
            ElementType::F32 => Values::F32(decoded(self.payload).into_owned()),
            ElementType::F64 => Values::F64(decoded(self.payload).into_owned()),
        };
        Idx { shape: self.header.shape.clone(), values }
    }
}

fn decoded<T: Element>(bytes: &[u8]) -> Cow<'_, [T]> {
    match T::borrow(bytes) {
        Some(values) => Cow::Borrowed(values),
        None => {
            let mut values: Vec<T> = vec![T::default(); bytes.len() / T::TYPE.size()];
            T::decode(bytes, &mut values);
            Cow::Owned(values)
        }
    }
}
