//! Element types: the code in a file's third byte, and how values of each type travel as big-endian bytes.

use std::fmt;

use byteorder::{BigEndian, ByteOrder};

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

/// Values that are not bytes already. Both slices describe the same values; floats keep every bit, NaN or not.
pub(crate) trait Element: Copy + Default {
    /// Fills `values` from their big-endian bytes.
    fn decode(bytes: &[u8], values: &mut [Self]);
    /// Fills `bytes` with `values`, big-endian.
    fn encode(values: &[Self], bytes: &mut [u8]);
}

impl Element for i8 {
    fn decode(bytes: &[u8], values: &mut [Self]) {
        values.iter_mut().zip(bytes).for_each(|(value, &byte)| *value = byte.cast_signed());
    }
    fn encode(values: &[Self], bytes: &mut [u8]) {
        bytes.iter_mut().zip(values).for_each(|(byte, &value)| *byte = value.cast_unsigned());
    }
}

/// Implements [`Element`] by byteorder's functions for one type: `i16` by `read_i16_into` and `write_i16_into`.
macro_rules! big_endian {
    ($type:ty, $read:ident, $write:ident) => {
        impl Element for $type {
            fn decode(bytes: &[u8], values: &mut [Self]) {
                BigEndian::$read(bytes, values);
            }
            fn encode(values: &[Self], bytes: &mut [u8]) {
                BigEndian::$write(values, bytes);
            }
        }
    };
}

big_endian!(i16, read_i16_into, write_i16_into);
big_endian!(i32, read_i32_into, write_i32_into);
big_endian!(f32, read_f32_into, write_f32_into);
big_endian!(f64, read_f64_into, write_f64_into);
