//! Pictures in the terminal: half blocks in shades of grey where there are colours, characters of five densities where
//! there are none.

use crate::ui::style::Style;

/// A grey picture, row by row; 0 is background, 255 is ink.
#[derive(Clone, Debug)]
pub(crate) struct PixelPicture {
    rows: usize,
    columns: usize,
    pixels: Vec<u8>,
}

impl PixelPicture {
    /// A picture of `rows` × `columns` pixels; `None` if there are not so many, or none at all.
    pub(crate) fn new(rows: usize, columns: usize, pixels: Vec<u8>) -> Option<Self> {
        let fits = rows > 0 && columns > 0 && rows.checked_mul(columns) == Some(pixels.len());
        fits.then_some(Self { rows, columns, pixels })
    }

    /// How many columns of the terminal it takes.
    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    /// The picture made small enough for so many columns, by taking the mean of squares of pixels.
    pub(crate) fn fitted(self, columns: usize) -> Self {
        let side = self.columns.div_ceil(columns.max(1));
        if side == 1 {
            return self;
        }
        let (small_rows, small_columns) = (self.rows.div_ceil(side), self.columns.div_ceil(side));
        let mut pixels = Vec::with_capacity(small_rows * small_columns);
        for row in 0..small_rows {
            for column in 0..small_columns {
                pixels.push(self.mean(row * side, side, column * side, side));
            }
        }
        Self { rows: small_rows, columns: small_columns, pixels }
    }

    /// The picture as lines. A character stands for two pixels, one above the other, so that proportions are right.
    pub(crate) fn lines(&self, style: Style) -> Vec<String> {
        (0..self.rows.div_ceil(2))
            .map(|line| match style {
                Style::Ansi => self.half_blocks(2 * line),
                Style::Plain => {
                    (0..self.columns).map(|column| shade(self.mean(2 * line, 2, column, 1))).collect()
                }
            })
            .collect()
    }

    /// The rows `top` and `top + 1`, one in the colour of the character and one in that of its background.
    fn half_blocks(&self, top: usize) -> String {
        let mut line = String::new();
        let mut colours = None;
        for column in 0..self.columns {
            let upper = ansi_grey(self.pixel(top, column));
            let lower =
                if top + 1 < self.rows { ansi_grey(self.pixel(top + 1, column)) } else { ansi_grey(0) };
            if colours != Some((upper, lower)) {
                line.push_str(&format!("\u{1b}[38;5;{upper};48;5;{lower}m"));
                colours = Some((upper, lower));
            }
            line.push('▀');
        }
        line + "\u{1b}[0m"
    }

    fn pixel(&self, row: usize, column: usize) -> u8 {
        self.pixels[row * self.columns + column]
    }

    /// The mean of a rectangle, as far as the picture reaches.
    fn mean(&self, top: usize, height: usize, left: usize, width: usize) -> u8 {
        let (mut sum, mut count) = (0, 0);
        for row in top..(top + height).min(self.rows) {
            for column in left..(left + width).min(self.columns) {
                sum += u64::from(self.pixel(row, column));
                count += 1;
            }
        }
        (sum / count.max(1)) as u8
    }
}

/// Lines side by side with `gap` blanks between them; every left line is taken as `width` columns wide, and what is
/// missing on the left is filled with blanks.
pub(crate) fn beside(left: &[String], width: usize, gap: usize, right: &[String]) -> Vec<String> {
    let blank = " ".repeat(width);
    (0..left.len().max(right.len()))
        .map(|line| {
            let left = left.get(line).unwrap_or(&blank);
            match right.get(line) {
                Some(right) => format!("{left}{}{right}", " ".repeat(gap)),
                None => left.clone(),
            }
        })
        .collect()
}

/// A character whose ink covers about as much as the pixel's.
fn shade(pixel: u8) -> char {
    match pixel {
        0..26 => ' ',
        26..90 => '░',
        90..154 => '▒',
        154..218 => '▓',
        218..=255 => '█',
    }
}

/// The nearest grey of the 256 colours: black (16), the ramp 232–255 (8, 18, …, 238), or white (231).
fn ansi_grey(pixel: u8) -> u8 {
    match pixel {
        0..4 => 16,
        4..247 => 232 + ((pixel - 3) / 10).min(23),
        247..=255 => 231,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(rows: usize, columns: usize, pixels: &[u8]) -> PixelPicture {
        PixelPicture::new(rows, columns, pixels.to_vec()).unwrap()
    }

    #[test]
    fn plain_lines_are_shades_of_two_rows_each() {
        let three_rows = picture(3, 2, &[0, 255, 0, 255, 128, 40]);
        assert_eq!(three_rows.lines(Style::Plain), [" █", "▒░"]);
    }

    #[test]
    fn coloured_lines_have_both_rows_and_end_without_colour() {
        let lines = picture(2, 3, &[0, 0, 255, 255, 255, 128]).lines(Style::Ansi);
        assert_eq!(lines, ["\u{1b}[38;5;16;48;5;231m▀▀\u{1b}[38;5;231;48;5;244m▀\u{1b}[0m"]);
    }

    #[test]
    fn greys_are_the_nearest_of_the_ramp() {
        let brightness = |colour: u8| match colour {
            16 => 0,
            231 => 255,
            _ => 8 + 10 * (i32::from(colour) - 232),
        };
        for pixel in 0..=255 {
            let distance = |colour| (brightness(colour) - i32::from(pixel)).abs();
            let least = [16, 231].into_iter().chain(232..=255).map(distance).min().unwrap();
            assert_eq!(distance(ansi_grey(pixel)), least, "{pixel}");
        }
    }

    #[test]
    fn large_pictures_become_small_enough() {
        let large = picture(4, 6, &[[0, 0, 100, 100, 200, 200]; 4].concat());
        let small = large.fitted(3);
        assert_eq!((small.rows, small.columns, small.pixels), (2, 3, vec![0, 100, 200, 0, 100, 200]));
    }

    #[test]
    fn a_size_that_is_not_the_pixels_is_no_picture() {
        for (rows, columns, pixels) in [(0, 5, 0), (2, 2, 3), (usize::MAX, 2, 1)] {
            assert!(PixelPicture::new(rows, columns, vec![0; pixels]).is_none());
        }
    }

    #[test]
    fn a_shorter_left_side_is_filled_with_blanks() {
        let lines = beside(&["ab".to_owned()], 2, 1, &["c".to_owned(), "d".to_owned()]);
        assert_eq!(lines, ["ab c", "   d"]);
    }
}
