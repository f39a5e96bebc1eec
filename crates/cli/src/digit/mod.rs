//! From a PNG of any size to an image such as MNIST's.

mod decode;
mod prepare;

pub(crate) use decode::read_png;
pub(crate) use prepare::{LEAST_CONTRAST, prepare};
