//! The content of a file: a shape and its values.

use crate::ElementType;

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
    pub fn items(&self) -> usize {
        self.shape.first().copied().unwrap_or(1)
    }

    /// Number of values in one item: the product of the sizes after the first, at most `usize::MAX`.
    pub fn item_len(&self) -> usize {
        self.shape.iter().skip(1).fold(1, |len: usize, &size| len.saturating_mul(size))
    }

    /// The values if they are bytes: pixels 0–255, or labels.
    pub fn as_u8(&self) -> Option<&[u8]> {
        match &self.values {
            Values::U8(values) => Some(values),
            _ => None,
        }
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
