//! PNG files as bytes, in bounded memory.

use super::error::DataError;
use super::image_folder::Color;
use super::read::{in_file, open};
use crate::error::Error;
use png::{ColorType, Decoder, DecodingError, Limits, Transformations};
use std::io::{BufRead, BufReader, Seek};
use std::path::Path;

/// The most pixels that are read: a square of 8192. With their colours they take 256 MiB at most, and only where the
/// file is interlaced are they all held at once beside the result.
pub const MAX_PIXELS: usize = 8192 * 8192;

/// A picture, row by row; 0 is black, 255 is white.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Values of a pixel, which stand together: 1 for grey, 3 for red, green and blue.
    pub channels: usize,
    /// The values: rows × columns × channels.
    pub pixels: Vec<u8>,
}

/// Reads a PNG of any kind: 16 bits become 8, palettes colours, and what is transparent shows white paper behind it.
/// Colours become grey by the luma of ITU-R BT.601 where grey is asked for.
///
/// # Errors
///
/// [`Error::Read`]; [`Error::Data`] if the file is no PNG, is damaged or cut off, or has more than [`MAX_PIXELS`].
pub fn read_png(path: &Path, color: Color) -> Result<Image, Error> {
    let (file, _) = open(path)?;
    decode(BufReader::new(file), color).map_err(|error| in_file(path, error))
}

fn decode<R: BufRead + Seek>(reader: R, color: Color) -> Result<Image, DataError> {
    let damaged = |problem: DecodingError| DataError::Png { problem: Box::new(problem) };
    let mut decoder = Decoder::new_with_limits(reader, Limits { bytes: 4 * MAX_PIXELS });
    // 8 bits a channel, palettes and transparent colours resolved.
    decoder.set_transformations(Transformations::normalize_to_color8());
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    let header = decoder.read_header_info().map_err(damaged)?;
    let (width, height, interlaced) = (header.width, header.height, header.interlaced);
    let (columns, rows) = (width as usize, height as usize);
    let count = columns.checked_mul(rows).filter(|&pixels| pixels <= MAX_PIXELS);
    let Some(count) = count else {
        return Err(DataError::TooManyPixels { width, height, limit: MAX_PIXELS });
    };
    let mut reader = decoder.read_info().map_err(damaged)?;
    let (color_type, _) = reader.output_color_type();
    let is_grey = matches!(color_type, ColorType::Grayscale | ColorType::GrayscaleAlpha);
    let channels = match color {
        Color::Grayscale => 1,
        Color::AsStored if is_grey => 1,
        Color::AsStored | Color::Rgb => 3,
    };
    let push = if channels == 1 { push_greys } else { push_colors };
    let mut pixels = Vec::new();
    if interlaced {
        let mut buffer = vec![0; count * color_type.samples()];
        reader.next_frame(&mut buffer).map_err(damaged)?;
        push(&mut pixels, &buffer, color_type);
    } else {
        // Grows by what is there, whatever the header says.
        while let Some(row) = reader.next_row().map_err(damaged)? {
            push(&mut pixels, row.data(), color_type);
        }
    }
    if pixels.len() != count * channels {
        return Err(damaged(DecodingError::IoError(std::io::ErrorKind::UnexpectedEof.into())));
    }
    Ok(Image { width: columns, height: rows, channels, pixels })
}

/// Appends pixels in 8 bits a channel as greys.
fn push_greys(greys: &mut Vec<u8>, pixels: &[u8], color_type: ColorType) {
    match color_type {
        ColorType::Grayscale | ColorType::Indexed => greys.extend_from_slice(pixels),
        ColorType::GrayscaleAlpha => {
            greys.extend(pixels.as_chunks().0.iter().map(|&[grey, alpha]| on_white(grey, alpha)));
        }
        ColorType::Rgb => {
            greys.extend(pixels.as_chunks().0.iter().map(|&[red, green, blue]| luma(red, green, blue)));
        }
        ColorType::Rgba => {
            let grey = |&[red, green, blue, alpha]: &[u8; 4]| on_white(luma(red, green, blue), alpha);
            greys.extend(pixels.as_chunks().0.iter().map(grey));
        }
    }
}

/// Appends pixels in 8 bits a channel as red, green and blue.
fn push_colors(colors: &mut Vec<u8>, pixels: &[u8], color_type: ColorType) {
    match color_type {
        ColorType::Grayscale | ColorType::Indexed => colors.extend(pixels.iter().flat_map(|&grey| [grey; 3])),
        ColorType::GrayscaleAlpha => {
            colors.extend(pixels.as_chunks().0.iter().flat_map(|&[grey, alpha]| [on_white(grey, alpha); 3]));
        }
        ColorType::Rgb => colors.extend_from_slice(pixels),
        ColorType::Rgba => {
            let color =
                |&[red, green, blue, alpha]: &[u8; 4]| [red, green, blue].map(|value| on_white(value, alpha));
            colors.extend(pixels.as_chunks().0.iter().flat_map(color));
        }
    }
}

/// The brightness of a colour: the luma of ITU-R BT.601, in 256ths (77 + 150 + 29).
fn luma(red: u8, green: u8, blue: u8) -> u8 {
    let sum = 77 * u32::from(red) + 150 * u32::from(green) + 29 * u32::from(blue);
    ((sum + 128) / 256) as u8
}

/// A grey, or one channel of a colour, of some opacity on white paper.
fn on_white(grey: u8, alpha: u8) -> u8 {
    let (grey, alpha) = (u32::from(grey), u32::from(alpha));
    ((grey * alpha + 255 * (255 - alpha) + 127) / 255) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use png::{BitDepth, Encoder};
    use std::io::Cursor;

    /// A PNG of 2 × 1 pixels.
    fn png(color_type: ColorType, depth: BitDepth, data: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = Encoder::new(&mut bytes, 2, 1);
        encoder.set_color(color_type);
        encoder.set_depth(depth);
        if color_type == ColorType::Indexed {
            encoder.set_palette(vec![255, 255, 255, 255, 0, 0]);
            encoder.set_trns(vec![255, 0]);
        }
        encoder.write_header().unwrap().write_image_data(data).unwrap();
        bytes
    }

    #[test]
    fn every_colour_type_becomes_grey_or_colours_on_white() {
        use BitDepth::{Eight, One, Sixteen};
        for (color_type, depth, data, greys, colors) in [
            (ColorType::Grayscale, Eight, &[7, 200][..], [7, 200], [7, 7, 7, 200, 200, 200]),
            (ColorType::Grayscale, One, &[0b0100_0000], [0, 255], [0, 0, 0, 255, 255, 255]),
            (ColorType::Grayscale, Sixteen, &[0x80, 0xff, 0, 0], [128, 0], [128, 128, 128, 0, 0, 0]),
            (ColorType::GrayscaleAlpha, Eight, &[0, 255, 0, 0], [0, 255], [0, 0, 0, 255, 255, 255]),
            (ColorType::Rgb, Eight, &[255, 0, 0, 255, 255, 255], [77, 255], [255, 0, 0, 255, 255, 255]),
            (ColorType::Rgba, Eight, &[0, 0, 0, 128, 0, 255, 0, 255], [127, 149], [127, 127, 127, 0, 255, 0]),
            (ColorType::Indexed, Eight, &[1, 0], [255, 255], [255; 6]),
        ] {
            let bytes = png(color_type, depth, data);
            let grey = decode(Cursor::new(&bytes), Color::Grayscale).unwrap();
            assert_eq!((grey.width, grey.height, grey.channels), (2, 1, 1));
            assert_eq!(grey.pixels, greys, "{color_type:?} {depth:?}");
            let rgb = decode(Cursor::new(&bytes), Color::Rgb).unwrap();
            assert_eq!((rgb.channels, rgb.pixels), (3, colors.to_vec()), "{color_type:?} {depth:?}");
            let stored = decode(Cursor::new(&bytes), Color::AsStored).unwrap();
            let is_grey = matches!(color_type, ColorType::Grayscale | ColorType::GrayscaleAlpha);
            assert_eq!(stored.channels, if is_grey { 1 } else { 3 }, "{color_type:?}");
        }
    }

    #[test]
    fn every_prefix_of_a_file_is_refused_and_none_panics() {
        let whole = png(ColorType::Rgba, BitDepth::Eight, &[9; 8]);
        // The twelve bytes of the last chunk hold no pixels; a file without them shows the whole picture.
        for end in 0..whole.len() - 12 {
            let outcome = decode(Cursor::new(&whole[..end]), Color::Grayscale);
            assert!(matches!(outcome, Err(DataError::Png { .. })), "{end}");
        }
    }

    #[test]
    fn a_header_of_too_many_pixels_is_refused_before_anything_is_allocated() {
        let mut bytes = Vec::new();
        Encoder::new(&mut bytes, 1 << 20, 1 << 20).write_header().unwrap();
        let error = decode(Cursor::new(bytes), Color::Grayscale).unwrap_err().to_string();
        assert_eq!(error, "expected at most 67108864 pixels, found 1048576 × 1048576");
    }
}
