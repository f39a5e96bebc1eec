//! An item as a picture.

use std::io::Write;

use crate::{Error, Idx, Origin};

/// Pictures, with the feature `png`.
impl Idx {
    /// Writes item `n` as a PNG: bytes of two dimensions as shades of grey, or of three, the last of 3, as red, green and blue.
    ///
    /// ```
    /// use idx_dataset::{Idx, Values};
    ///
    /// let idx = Idx { shape: vec![1, 2, 2], values: Values::U8(vec![0, 255, 255, 0]) };
    /// let mut file = Vec::new();
    /// idx.write_png(0, &mut file)?;
    /// assert!(file.starts_with(b"\x89PNG"));
    /// # Ok::<(), idx_dataset::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If there is no such item, it is no picture or one of no pixels, or `writer` fails.
    pub fn write_png(&self, n: usize, writer: impl Write) -> Result<(), Error> {
        let origin = Origin::Bytes;
        let (rows, columns, color) = match self.shape[..] {
            [_, rows, columns] => (rows, columns, png::ColorType::Grayscale),
            [_, rows, columns, 3] => (rows, columns, png::ColorType::Rgb),
            _ => return Err(self.no_picture()),
        };
        if rows == 0 || columns == 0 {
            return Err(self.no_picture());
        }
        if n >= self.n_items() {
            return Err(Error::NoItem { origin, item: n, items: self.n_items() });
        }
        let (Some(pixels), Ok(width), Ok(height)) = (self.item(n), columns.try_into(), rows.try_into())
        else {
            return Err(self.no_picture());
        };
        let mut encoder = png::Encoder::new(writer, width, height);
        encoder.set_color(color);
        let outcome = encoder.write_header().and_then(|mut picture| {
            picture.write_image_data(pixels)?;
            picture.finish()
        });
        outcome.map_err(|error| Error::WriteStream { source: error.into() })
    }

    fn no_picture(&self) -> Error {
        Error::NotAPicture { element_type: self.element_type(), shape: self.shape.clone() }
    }
}
