//! `digits.png`: a row of sample images for each class.

use crate::dataset::Images;
use crate::error::Error;
use png::{BitDepth, ColorType, Encoder};

/// Images in a row.
const COLUMNS: usize = 12;

/// The most rows; further classes are left out.
const MAX_ROWS: usize = 50;

/// How large a pixel of an image is drawn, and the blanks between images, in pixels of the picture.
const SCALE: usize = 2;
const GAP: usize = 8;

/// The largest side of an image that is drawn at all.
pub(super) const MAX_SIDE: usize = 256;

/// Digits of 3 × 5 dots for the labels, a row of dots in the three low bits of each byte.
const GLYPHS: [[u8; 5]; 10] = [
    [0b111, 0b101, 0b101, 0b101, 0b111],
    [0b010, 0b110, 0b010, 0b010, 0b111],
    [0b111, 0b001, 0b111, 0b100, 0b111],
    [0b111, 0b001, 0b111, 0b001, 0b111],
    [0b101, 0b101, 0b111, 0b001, 0b001],
    [0b111, 0b100, 0b111, 0b001, 0b111],
    [0b111, 0b100, 0b111, 0b101, 0b111],
    [0b111, 0b001, 0b010, 0b010, 0b010],
    [0b111, 0b101, 0b111, 0b101, 0b111],
    [0b111, 0b101, 0b111, 0b001, 0b111],
];

/// The size of a label's dots, and the room for two digits.
const DOT: usize = 4;
const LABEL: usize = 2 * 4 * DOT + GAP;

/// White paper to draw on.
struct Paper {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

/// The first images of each class, dark ink on white, behind the number of the class, as PNG; `None` if the samples are
/// no images of bytes, or too large ones.
pub(crate) fn digits_png(images: &Images) -> Result<Option<Vec<u8>>, Error> {
    let Some((rows, columns)) =
        images.size.filter(|&(rows, columns)| rows <= MAX_SIDE && columns <= MAX_SIDE)
    else {
        return Ok(None);
    };
    let classes = images.data.classes().min(MAX_ROWS);
    let (cell_width, cell_height) = (columns * SCALE + GAP, rows * SCALE + GAP);
    let mut paper = Paper::new(LABEL + COLUMNS * cell_width + GAP, classes * cell_height + GAP);
    for class in 0..classes {
        let middle = GAP + class * cell_height + rows * SCALE / 2;
        paper.number(class, LABEL - GAP, middle.saturating_sub(5 * DOT / 2));
    }
    let mut drawn = vec![0; classes];
    for sample in 0..images.data.len() {
        let class = images.data.label(sample) as usize;
        let Some(place) = drawn.get_mut(class).filter(|place| **place < COLUMNS) else { continue };
        let Some(pixels) = images.data.bytes(sample) else { return Ok(None) };
        paper.image(pixels, columns, LABEL + GAP + *place * cell_width, GAP + class * cell_height);
        *place += 1;
        if drawn.iter().all(|&place| place == COLUMNS) {
            break;
        }
    }
    paper.to_png().map(Some)
}

impl Paper {
    fn new(width: usize, height: usize) -> Self {
        Self { width, height, pixels: vec![255; width * height] }
    }

    /// Fills a square that lies on the paper.
    fn square(&mut self, left: usize, top: usize, side: usize, grey: u8) {
        for row in top..(top + side).min(self.height) {
            let start = row * self.width;
            self.pixels[start + left..start + (left + side).min(self.width)].fill(grey);
        }
    }

    fn image(&mut self, pixels: &[u8], columns: usize, left: usize, top: usize) {
        for (place, &pixel) in pixels.iter().enumerate() {
            let (row, column) = (place / columns, place % columns);
            self.square(left + column * SCALE, top + row * SCALE, SCALE, 255 - pixel);
        }
    }

    /// A number below 100 that ends left of `right`.
    fn number(&mut self, number: usize, right: usize, top: usize) {
        for (place, digit) in number.to_string().bytes().rev().enumerate() {
            let left = right.saturating_sub((place + 1) * 4 * DOT);
            for (row, dots) in GLYPHS[usize::from(digit - b'0')].into_iter().enumerate() {
                for column in (0..3).filter(|column| dots & (0b100 >> column) != 0) {
                    self.square(left + column * DOT, top + row * DOT, DOT, 110);
                }
            }
        }
    }

    fn to_png(&self) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        let mut encoder = Encoder::new(&mut bytes, self.width as u32, self.height as u32);
        encoder.set_color(ColorType::Grayscale);
        encoder.set_depth(BitDepth::Eight);
        let written = encoder.write_header().and_then(|mut writer| writer.write_image_data(&self.pixels));
        written.map_err(|error| Error::Picture { picture: "digits.png", reason: error.to_string() })?;
        Ok(bytes)
    }
}
