//! Element types: the code in a file's third byte, and how values of each type travel as big-endian bytes.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use byteorder::{BigEndian, ByteOrder};

use crate::Values;

/// The type of a file's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ElementType {
    /// Unsigned bytes, code `08`: MNIST's pixels and labels.
    U8,
    /// Signed bytes, code `09`.
    I8,
    /// 16-bit signed integers, code `0b`.
    I16,
    /// 32-bit signed integers, code `0c`.
    I32,
    /// 32-bit floats, code `0d`.
    F32,
    /// 64-bit floats, code `0e`.
    F64,
}

impl ElementType {
    /// Every type, by ascending code.
    pub const ALL: [Self; 6] = [Self::U8, Self::I8, Self::I16, Self::I32, Self::F32, Self::F64];

    /// The code that stands for this type in a file.
    pub const fn code(self) -> u8 {
        match self {
            Self::U8 => 0x08,
            Self::I8 => 0x09,
            Self::I16 => 0x0b,
            Self::I32 => 0x0c,
            Self::F32 => 0x0d,
            Self::F64 => 0x0e,
        }
    }

    /// The type that `code` stands for in a file, if any.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|element_type| element_type.code() == code)
    }

    /// Bytes that one value takes.
    pub const fn size(self) -> usize {
        match self {
            Self::U8 | Self::I8 => 1,
            Self::I16 => 2,
            Self::I32 | Self::F32 => 4,
            Self::F64 => 8,
        }
    }
}

/// The name of the Rust type, such as `u8`.
impl fmt::Display for ElementType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::U8 => "u8",
            Self::I8 => "i8",
            Self::I16 => "i16",
            Self::I32 => "i32",
            Self::F32 => "f32",
            Self::F64 => "f64",
        })
    }
}

/// The type of that name, such as `u8`.
///
/// ```
/// use idx_dataset::ElementType;
///
/// assert_eq!("f32".parse(), Ok(ElementType::F32));
/// let error = "u16".parse::<ElementType>().unwrap_err().to_string();
/// assert_eq!(error, "expected u8, i8, i16, i32, f32 or f64, found u16");
/// ```
impl FromStr for ElementType {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        match name {
            "u8" => Ok(Self::U8),
            "i8" => Ok(Self::I8),
            "i16" => Ok(Self::I16),
            "i32" => Ok(Self::I32),
            "f32" => Ok(Self::F32),
            "f64" => Ok(Self::F64),
            _ => Err(UnknownName { found: name.to_owned() }),
        }
    }
}

/// The name of no element type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected u8, i8, i16, i32, f32 or f64, found {found}")]
#[non_exhaustive]
pub struct UnknownName {
    /// The name.
    pub found: String,
}

/// A Rust type that a file's values can have: `u8`, `i8`, `i16`, `i32`, `f32` or `f64`. No other type can implement it, and
/// nothing else that it can do is part of this crate's interface.
pub trait Element: Copy + Default + PartialEq + fmt::Debug + Send + Sync + 'static + sealed::Stored {
    /// What it is called in a file.
    const TYPE: ElementType;
}

pub(crate) mod sealed {
    use super::{Values, Vec};

    /// How a type is stored. Bytes and values that are given together describe the same values; floats keep every bit,
    /// NaN or not.
    #[doc(hidden)]
    pub trait Stored: Sized {
        /// Fills `values` from their big-endian bytes.
        fn decode(bytes: &[u8], values: &mut [Self]);
        /// Fills `bytes` with `values`, big-endian.
        fn encode(values: &[Self], bytes: &mut [u8]);
        /// The bytes as values, where they are that without conversion.
        fn borrow(_bytes: &[u8]) -> Option<&[Self]> {
            None
        }
        /// The values as big-endian bytes, where they are that without conversion.
        fn as_bytes(_values: &[Self]) -> Option<&[u8]> {
            None
        }
        /// The values as bytes that can be read into, where they are that without conversion.
        fn as_bytes_mut(_values: &mut [Self]) -> Option<&mut [u8]> {
            None
        }
        /// The same for a vector that can grow.
        fn as_byte_vec(_values: &mut Vec<Self>) -> Option<&mut Vec<u8>> {
            None
        }
        /// The values, if they are of this type.
        fn of(values: &Values) -> Option<&[Self]>;
        /// The values, if they are of this type; else all of them unchanged.
        fn take(values: Values) -> Result<Vec<Self>, Values>;
        /// Values of whatever type.
        fn wrap(values: Vec<Self>) -> Values;
    }
}

/// Implements the trait for one type: its variant, how bytes become values, and how values become bytes.
macro_rules! element {
    ($type:ty, $variant:ident, $decode:expr, $encode:expr $(, $borrow:item)*) => {
        impl Element for $type {
            const TYPE: ElementType = ElementType::$variant;
        }
        impl sealed::Stored for $type {
            fn decode(bytes: &[u8], values: &mut [Self]) {
                $decode(bytes, values);
            }
            fn encode(values: &[Self], bytes: &mut [u8]) {
                $encode(values, bytes);
            }
            fn of(values: &Values) -> Option<&[Self]> {
                if let Values::$variant(values) = values { Some(values) } else { None }
            }
            fn take(values: Values) -> Result<Vec<Self>, Values> {
                if let Values::$variant(values) = values { Ok(values) } else { Err(values) }
            }
            fn wrap(values: Vec<Self>) -> Values {
                Values::$variant(values)
            }
            $($borrow)*
        }
    };
}

element!(
    u8,
    U8,
    |bytes: &[u8], values: &mut [u8]| values.copy_from_slice(bytes),
    |values: &[u8], bytes: &mut [u8]| bytes.copy_from_slice(values),
    fn borrow(bytes: &[u8]) -> Option<&[u8]> {
        Some(bytes)
    },
    fn as_bytes(values: &[u8]) -> Option<&[u8]> {
        Some(values)
    },
    fn as_bytes_mut(values: &mut [u8]) -> Option<&mut [u8]> {
        Some(values)
    },
    fn as_byte_vec(values: &mut Vec<u8>) -> Option<&mut Vec<u8>> {
        Some(values)
    }
);
element!(
    i8,
    I8,
    |bytes: &[u8], values: &mut [i8]| values.copy_from_slice(signed(bytes)),
    |values: &[i8], bytes: &mut [u8]| bytes
        .iter_mut()
        .zip(values)
        .for_each(|(byte, value)| *byte = value.cast_unsigned()),
    fn borrow(bytes: &[u8]) -> Option<&[i8]> {
        Some(signed(bytes))
    }
);
element!(i16, I16, BigEndian::read_i16_into, BigEndian::write_i16_into);
element!(i32, I32, BigEndian::read_i32_into, BigEndian::write_i32_into);
element!(f32, F32, BigEndian::read_f32_into, BigEndian::write_f32_into);
element!(f64, F64, BigEndian::read_f64_into, BigEndian::write_f64_into);

/// Bytes as signed ones, where they lie.
#[allow(unsafe_code)]
fn signed(bytes: &[u8]) -> &[i8] {
    // SAFETY: pointer and length come from a slice; `u8` and `i8` have one size and alignment, and all bits are values.
    unsafe { core::slice::from_raw_parts(bytes.as_ptr().cast(), bytes.len()) }
}
