//! The content of a file: a shape and its values.

use alloc::vec::Vec;
use core::ops::Range;

use crate::{Element, ElementType};

/// The content of an IDX file: values of one type, in the order in which they are stored.
///
/// Both parts are open: take what is needed, or build one to write. [`write`](crate::write) checks that they fit.
#[derive(Clone, Debug, PartialEq)]
pub struct Idx {
    /// The size of each dimension. The first one varies slowest and counts the items: MNIST's 60,000 training images
    /// of 28 rows by 28 columns have the shape `[60000, 28, 28]`.
    pub shape: Vec<usize>,
    /// As many values as the product of the sizes, row-major.
    pub values: Values,
}

impl Idx {
    /// The type of the values.
    pub fn element_type(&self) -> ElementType {
        self.values.element_type()
    }

    /// Number of items: the size of the first dimension, or 1 where there is none.
    pub fn n_items(&self) -> usize {
        self.shape.first().copied().unwrap_or(1)
    }

    /// Number of values in one item: the product of the sizes after the first, at most `usize::MAX`.
    pub fn item_len(&self) -> usize {
        self.shape.iter().skip(1).fold(1, |len: usize, &size| len.saturating_mul(size))
    }

    /// The values if they are bytes: pixels 0–255, or labels.
    pub fn as_u8(&self) -> Option<&[u8]> {
        self.values.as_slice()
    }

    /// The values of item `n`. `None` if there is no such item, or the values are not of type `T`.
    ///
    /// ```
    /// use idx_dataset::{Idx, Values};
    ///
    /// let points = Idx { shape: vec![2, 3], values: Values::F32(vec![0.0, 0.1, 0.2, 1.0, 1.1, 1.2]) };
    /// assert_eq!(points.item::<f32>(1), Some(&[1.0, 1.1, 1.2][..]));
    /// assert_eq!(points.item::<f32>(2), None);
    /// assert_eq!(points.item::<u8>(1), None);
    /// ```
    pub fn item<T: Element>(&self, n: usize) -> Option<&[T]> {
        let values = self.values.as_slice()?;
        values.get(self.place(n).filter(|_| n < self.n_items())?)
    }

    /// Item after item. `None` if the values are not of type `T`, or are not as many as the shape says.
    ///
    /// ```
    /// use idx_dataset::{Idx, Values};
    ///
    /// let idx = Idx { shape: vec![2, 3], values: Values::U8(vec![1, 2, 3, 4, 5, 6]) };
    /// let items = idx.iter_items::<u8>().ok_or("not bytes")?;
    /// assert_eq!(items.map(|item| item.iter().sum()).collect::<Vec<u8>>(), [6, 15]);
    /// assert!(idx.iter_items::<f32>().is_none());
    /// # Ok::<(), &str>(())
    /// ```
    pub fn iter_items<T: Element>(
        &self,
    ) -> Option<impl ExactSizeIterator<Item = &[T]> + DoubleEndedIterator> {
        let values = self.values.as_slice::<T>().filter(|values| self.is_whole(values.len()))?;
        let len = self.item_len();
        Some((0..self.n_items()).map(move |n| &values[n * len..][..len]))
    }

    /// Where item `n` lies among the values.
    fn place(&self, n: usize) -> Option<Range<usize>> {
        let start = n.checked_mul(self.item_len())?;
        Some(start..start.checked_add(self.item_len())?)
    }

    /// Whether so many values are what the shape says. It may have been put together by hand.
    pub(crate) fn is_whole(&self, n_values: usize) -> bool {
        self.n_items().checked_mul(self.item_len()) == Some(n_values)
    }
}

/// The values of a file, one variant for each [`ElementType`].
///
/// Equality is that of the element type: a NaN differs from itself.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Unsigned bytes.
    U8(Vec<u8>),
    /// Signed bytes.
    I8(Vec<i8>),
    /// 16-bit signed integers.
    I16(Vec<i16>),
    /// 32-bit signed integers.
    I32(Vec<i32>),
    /// 32-bit floats.
    F32(Vec<f32>),
    /// 64-bit floats.
    F64(Vec<f64>),
}

impl Values {
    /// The type of the values.
    pub fn element_type(&self) -> ElementType {
        match self {
            Self::U8(_) => ElementType::U8,
            Self::I8(_) => ElementType::I8,
            Self::I16(_) => ElementType::I16,
            Self::I32(_) => ElementType::I32,
            Self::F32(_) => ElementType::F32,
            Self::F64(_) => ElementType::F64,
        }
    }

    /// The values, if they are of type `T`.
    pub fn as_slice<T: Element>(&self) -> Option<&[T]> {
        T::of(self)
    }

    /// The values, if they are of type `T`.
    ///
    /// # Errors
    ///
    /// All of them unchanged, if they are not.
    pub fn into_vec<T: Element>(self) -> Result<Vec<T>, Self> {
        T::take(self)
    }

    /// Number of values.
    pub fn len(&self) -> usize {
        match self {
            Self::U8(values) => values.len(),
            Self::I8(values) => values.len(),
            Self::I16(values) => values.len(),
            Self::I32(values) => values.len(),
            Self::F32(values) => values.len(),
            Self::F64(values) => values.len(),
        }
    }

    /// Whether there are no values.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<T: Element> From<Vec<T>> for Values {
    fn from(values: Vec<T>) -> Self {
        T::wrap(values)
    }
}
