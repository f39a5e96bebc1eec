//! PNG files as grey pictures.

use crate::error::Error;
use densely::data::{Color, Image};
use std::path::Path;

/// A picture in shades of grey, row by row; 0 is black, 255 is white.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Grey {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) pixels: Vec<u8>,
}

/// Reads a PNG. What is transparent shows white paper behind it.
pub(crate) fn read_png(path: &Path) -> Result<Grey, Error> {
    let Image { width, height, pixels, .. } = densely::data::read_png(path, Color::Grayscale)?;
    Ok(Grey { width, height, pixels })
}
