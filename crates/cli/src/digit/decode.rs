//! PNG files as grey pictures, in bounded memory.

use crate::error::Error;
use png::{ColorType, Decoder, DecodingError, Limits, Transformations};
use std::fs::File;
use std::io::{BufRead, BufReader, Seek};
use std::path::Path;

/// The most pixels that are read: a square of 8192. With their colours they take 256 MiB at most, and only where the
/// file is interlaced are they all held at once.
const MAX_PIXELS: usize = 8192 * 8192;

/// A picture in shades of grey, row by row; 0 is black, 255 is white.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Grey {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) pixels: Vec<u8>,
}

/// Reads a PNG. What is transparent shows white paper behind it.
pub(crate) fn read_png(path: &Path) -> Result<Grey, Error> {
    let file = File::open(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
    decode(BufReader::new(file), path)
}

fn decode<R: BufRead + Seek>(reader: R, path: &Path) -> Result<Grey, Error> {
    let damaged = |source| Error::Png { path: path.to_owned(), source };
    let mut decoder = Decoder::new_with_limits(reader, Limits { bytes: 4 * MAX_PIXELS });
    // 8 bits a channel, palettes and transparent colours resolved.
    decoder.set_transformations(Transformations::normalize_to_color8());
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    let header = decoder.read_header_info().map_err(damaged)?;
    let (width, height, interlaced) = (header.width, header.height, header.interlaced);
    let (columns, rows) = (width as usize, height as usize);
    let pixels = columns.checked_mul(rows).filter(|&pixels| pixels <= MAX_PIXELS);
    let Some(pixels) = pixels else {
        return Err(Error::PngTooLarge { path: path.to_owned(), width, height, limit: MAX_PIXELS });
    };
    let mut reader = decoder.read_info().map_err(damaged)?;
    let (color_type, _) = reader.output_color_type();
    let mut grey = Vec::with_capacity(pixels);
    if interlaced {
        let mut buffer = vec![0; pixels * color_type.samples()];
        reader.next_frame(&mut buffer).map_err(damaged)?;
        push_greys(&mut grey, &buffer, color_type);
    } else {
        while let Some(row) = reader.next_row().map_err(damaged)? {
            push_greys(&mut grey, row.data(), color_type);
        }
    }
    if grey.len() != pixels {
        return Err(damaged(DecodingError::IoError(std::io::ErrorKind::UnexpectedEof.into())));
    }
    Ok(Grey { width: columns, height: rows, pixels: grey })
}

/// Appends pixels in 8 bits a channel as greys.
fn push_greys(greys: &mut Vec<u8>, pixels: &[u8], color_type: ColorType) {
    match color_type {
        ColorType::Grayscale | ColorType::Indexed => greys.extend_from_slice(pixels),
        ColorType::GrayscaleAlpha => {
            greys.extend(pixels.as_chunks().0.iter().map(|&[grey, alpha]| on_white(grey, alpha)));
        }
        ColorType::Rgb => {
            greys.extend(pixels.as_chunks().0.iter().map(|&[red, green, blue]| luma(red, green, blue)))
        }
        ColorType::Rgba => greys.extend(
            pixels
                .as_chunks()
                .0
                .iter()
                .map(|&[red, green, blue, alpha]| on_white(luma(red, green, blue), alpha)),
        ),
    }
}

/// The brightness of a colour: the luma of ITU-R BT.601, in 256ths (77 + 150 + 29).
fn luma(red: u8, green: u8, blue: u8) -> u8 {
    let sum = 77 * u32::from(red) + 150 * u32::from(green) + 29 * u32::from(blue);
    ((sum + 128) / 256) as u8
}

/// A grey of some opacity on white paper.
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
    fn every_colour_type_becomes_grey_on_white() {
        use BitDepth::{Eight, One, Sixteen};
        for (color_type, depth, data, expected) in [
            (ColorType::Grayscale, Eight, &[7, 200][..], [7, 200]),
            (ColorType::Grayscale, One, &[0b0100_0000], [0, 255]),
            (ColorType::Grayscale, Sixteen, &[0x80, 0xff, 0, 0], [128, 0]),
            (ColorType::GrayscaleAlpha, Eight, &[0, 255, 0, 0], [0, 255]),
            (ColorType::Rgb, Eight, &[255, 0, 0, 255, 255, 255], [77, 255]),
            (ColorType::Rgba, Eight, &[0, 0, 0, 128, 0, 255, 0, 255], [127, 149]),
            (ColorType::Indexed, Eight, &[1, 0], [255, 255]),
        ] {
            let grey = decode(Cursor::new(png(color_type, depth, data)), Path::new("x.png")).unwrap();
            assert_eq!(
                (grey.width, grey.height, grey.pixels),
                (2, 1, expected.to_vec()),
                "{color_type:?} {depth:?}"
            );
        }
    }

    #[test]
    fn every_prefix_of_a_file_is_refused_and_none_panics() {
        let whole = png(ColorType::Rgba, BitDepth::Eight, &[9; 8]);
        // The twelve bytes of the last chunk hold no pixels; a file without them shows the whole picture.
        for end in 0..whole.len() - 12 {
            let outcome = decode(Cursor::new(&whole[..end]), Path::new("x.png"));
            assert!(matches!(outcome, Err(Error::Png { .. })), "{end}");
        }
    }

    #[test]
    fn a_header_of_too_many_pixels_is_refused_before_anything_is_allocated() {
        let mut bytes = Vec::new();
        Encoder::new(&mut bytes, 1 << 20, 1 << 20).write_header().unwrap();
        let error = decode(Cursor::new(bytes), Path::new("x.png")).unwrap_err().to_string();
        assert_eq!(error, "x.png: expected at most 67,108,864 pixels, found 1048576 × 1048576");
    }
}
