//! A drawing made to look as MNIST's digits do: bright ink on black, 20 × 20 pixels at most, centred by mass.

use super::decode::Grey;

/// The least difference between the darkest and the brightest pixel of a picture that is not blank, of 255.
pub(crate) const LEAST_CONTRAST: u8 = 32;

/// MNIST's images: their side, and that of the square that the ink fits in (in 28ths of any other model's images).
const SIDE: usize = 28;
const INK_SIDE: usize = 20;

/// The image of `side` × `side` pixels that a model is given for a picture; `Err` with the contrast if it is blank.
pub(crate) fn prepare(picture: &Grey, side: usize) -> Result<Vec<u8>, u8> {
    let darkest = picture.pixels.iter().copied().min().unwrap_or(0);
    let brightest = picture.pixels.iter().copied().max().unwrap_or(0);
    if brightest - darkest < LEAST_CONTRAST {
        return Err(brightest - darkest);
    }
    let background = background(picture);
    let inverted = background - darkest > brightest - background;
    if (picture.width, picture.height) == (side, side) {
        return Ok(picture.pixels.iter().map(|&pixel| if inverted { 255 - pixel } else { pixel }).collect());
    }
    let greatest = if inverted { background - darkest } else { brightest - background };
    let ink = |pixel: u8| {
        if inverted { background.saturating_sub(pixel) } else { pixel.saturating_sub(background) }
    };
    // What is fainter than a quarter of the ink is paper: its grain, a shadow, the noise of a camera.
    let threshold = greatest / 4;
    let ink: Vec<u8> = picture
        .pixels
        .iter()
        .map(|&pixel| Some(ink(pixel)).filter(|&ink| ink > threshold).unwrap_or(0))
        .collect();
    let cut = Cut::around(&ink, picture.width, picture.height);
    let scaled = cut.scaled(&ink, picture.width, (side * INK_SIDE / SIDE).max(1));
    Ok(scaled.centred(side))
}

/// The grey of the paper: the median along the border.
fn background(picture: &Grey) -> u8 {
    let (width, height) = (picture.width, picture.height);
    let mut counts = [0_usize; 256];
    for (row, pixels) in picture.pixels.chunks_exact(width).enumerate() {
        let inside = row > 0 && row + 1 < height;
        let step = if inside { (width - 1).max(1) } else { 1 };
        for &pixel in pixels.iter().step_by(step) {
            counts[usize::from(pixel)] += 1;
        }
    }
    let half = counts.iter().sum::<usize>() / 2;
    let mut below = 0;
    let median = counts.iter().position(|&count| {
        below += count;
        below > half
    });
    median.unwrap_or(255) as u8
}

/// The rectangle that all ink is in.
struct Cut {
    left: usize,
    top: usize,
    width: usize,
    height: usize,
}

/// Ink at its size in the image, as brightness from 0 to 1.
struct Scaled {
    width: usize,
    height: usize,
    ink: Vec<f64>,
}

impl Cut {
    fn around(ink: &[u8], width: usize, height: usize) -> Self {
        let (mut left, mut right, mut top, mut bottom) = (width, 0, height, 0);
        for (row, pixels) in ink.chunks_exact(width).enumerate() {
            let Some(first) = pixels.iter().position(|&pixel| pixel > 0) else { continue };
            let last = pixels.iter().rposition(|&pixel| pixel > 0).unwrap_or(first);
            (left, right) = (left.min(first), right.max(last + 1));
            (top, bottom) = (top.min(row), row + 1);
        }
        Self { left, top, width: right.saturating_sub(left), height: bottom.saturating_sub(top) }
    }

    /// The ink with its longer side made `longest` pixels long. Each pixel is the mean of the area that it covers, so a
    /// large picture is smoothed as it shrinks; a small one grows in blocks.
    fn scaled(&self, ink: &[u8], stride: usize, longest: usize) -> Scaled {
        let scale = longest as f64 / self.width.max(self.height) as f64;
        let size = |length: usize| ((length as f64 * scale).round() as usize).clamp(1, longest);
        let (width, height) = (size(self.width), size(self.height));
        let columns = weights(self.width, width);
        let rows = weights(self.height, height);
        let mut narrow = vec![0.0; self.height * width];
        for (row, narrow) in narrow.chunks_exact_mut(width).enumerate() {
            let start = (self.top + row) * stride + self.left;
            let pixels = &ink[start..start + self.width];
            for (value, weights) in narrow.iter_mut().zip(&columns) {
                *value = weights.iter().map(|&(column, weight)| weight * f64::from(pixels[column])).sum();
            }
        }
        let mut scaled = Vec::with_capacity(width * height);
        for weights in &rows {
            for column in 0..width {
                scaled.push(
                    weights.iter().map(|&(row, weight)| weight * narrow[row * width + column]).sum::<f64>(),
                );
            }
        }
        // Thin strokes of a large picture come out faint; full contrast is given back.
        let greatest = scaled.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
        scaled.iter_mut().for_each(|value| *value /= greatest);
        Scaled { width, height, ink: scaled }
    }
}

/// Which pixels of `from` each of `to` covers, and to what share.
fn weights(from: usize, to: usize) -> Vec<Vec<(usize, f64)>> {
    let scale = from as f64 / to as f64;
    (0..to)
        .map(|pixel| {
            let (start, end) = (pixel as f64 * scale, (pixel + 1) as f64 * scale);
            let covered = start as usize..(end.ceil() as usize).min(from);
            let overlap = |place: usize| end.min((place + 1) as f64) - start.max(place as f64);
            covered.map(|place| (place, overlap(place) / scale)).filter(|&(_, weight)| weight > 0.0).collect()
        })
        .collect()
}

impl Scaled {
    /// The ink in an image of `side` × `side`, its centre of mass as near to the middle as whole pixels allow, all of it
    /// inside.
    fn centred(&self, side: usize) -> Vec<u8> {
        let total: f64 = self.ink.iter().sum();
        let moment = |coordinate: fn(usize, usize) -> usize| {
            let weighted =
                self.ink.iter().enumerate().map(|(place, ink)| ink * coordinate(place, self.width) as f64);
            weighted.sum::<f64>() / total
        };
        let offset = |centre: f64, length: usize| {
            // Pixel 14 of 0 to 27 is where MNIST's centres of mass are.
            let offset = ((side / 2) as f64 - centre).round().max(0.0) as usize;
            offset.min(side - length)
        };
        let left = offset(moment(|place, width| place % width), self.width);
        let top = offset(moment(|place, width| place / width), self.height);
        let mut image = vec![0; side * side];
        for (row, ink) in self.ink.chunks_exact(self.width).enumerate() {
            let start = (top + row) * side + left;
            for (pixel, value) in image[start..start + self.width].iter_mut().zip(ink) {
                *pixel = (255.0 * value).round() as u8;
            }
        }
        image
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Paper of one grey with rectangles (left, top, width, height, grey) on it.
    fn picture(
        width: usize,
        height: usize,
        paper: u8,
        rectangles: &[(usize, usize, usize, usize, u8)],
    ) -> Grey {
        let mut pixels = vec![paper; width * height];
        for &(left, top, rectangle_width, rectangle_height, grey) in rectangles {
            for row in top..top + rectangle_height {
                pixels[row * width + left..][..rectangle_width].fill(grey);
            }
        }
        Grey { width, height, pixels }
    }

    /// The ink's left, top, width and height.
    fn bounds(image: &[u8]) -> (usize, usize, usize, usize) {
        let cut = Cut::around(image, 28, 28);
        (cut.left, cut.top, cut.width, cut.height)
    }

    #[test]
    fn a_picture_of_the_models_size_only_has_its_ink_made_bright() {
        let dark = picture(28, 28, 0, &[(5, 6, 3, 4, 130), (9, 9, 1, 1, 20)]);
        assert_eq!(prepare(&dark, 28).unwrap(), dark.pixels);
        let light = Grey { pixels: dark.pixels.iter().map(|pixel| 255 - pixel).collect(), ..dark.clone() };
        assert_eq!(prepare(&light, 28).unwrap(), dark.pixels);
    }

    #[test]
    fn ink_fits_twenty_pixels_in_its_proportions_and_keeps_full_contrast() {
        for (width, height, expected) in
            [(100, 100, (20, 20)), (50, 200, (5, 20)), (200, 50, (20, 5)), (2, 300, (1, 20))]
        {
            let drawing = picture(400, 400, 200, &[(17, 90, width, height, 90)]);
            let image = prepare(&drawing, 28).unwrap();
            let (_, _, ink_width, ink_height) = bounds(&image);
            assert_eq!((ink_width, ink_height), expected, "{width} × {height}");
            assert_eq!(image.iter().max(), Some(&255));
        }
        // A drawing smaller than its place grows.
        let (_, _, width, height) = bounds(&prepare(&picture(9, 5, 0, &[(3, 1, 1, 3, 255)]), 28).unwrap());
        assert_eq!((width, height), (7, 20));
    }

    #[test]
    fn the_centre_of_mass_is_in_the_middle_and_all_ink_inside() {
        for foot in [1, 10, 25, 40] {
            let hook = picture(300, 200, 255, &[(100, 50, 4, 100, 0), (100, 140, foot, 10, 0)]);
            let image = prepare(&hook, 28).unwrap();
            let total: f64 = image.iter().map(|&pixel| f64::from(pixel)).sum();
            let mean = |coordinate: fn(usize) -> usize| {
                let weighted = image
                    .iter()
                    .enumerate()
                    .map(|(place, &pixel)| f64::from(pixel) * coordinate(place) as f64);
                weighted.sum::<f64>() / total
            };
            for centre in [mean(|place| place % 28), mean(|place| place / 28)] {
                assert!((centre - 14.0).abs() <= 0.51, "{foot}: {centre}");
            }
        }
        // Nearly all mass in one corner: it cannot be in the middle without ink being lost.
        let corner = picture(300, 300, 255, &[(0, 0, 60, 60, 0), (299, 299, 1, 1, 0), (1, 298, 1, 1, 250)]);
        assert_eq!(bounds(&prepare(&corner, 28).unwrap()).0, 8);
    }

    #[test]
    fn grain_and_shadow_of_the_paper_are_not_ink() {
        let mut page = picture(200, 200, 200, &[(80, 60, 12, 80, 40)]);
        for (place, pixel) in page.pixels.iter_mut().enumerate() {
            *pixel -= (place * 7919 % 23) as u8;
        }
        let (_, _, width, height) = bounds(&prepare(&page, 28).unwrap());
        assert_eq!((width, height), (3, 20));
    }

    #[test]
    fn a_blank_page_is_told_by_its_contrast() {
        assert_eq!(prepare(&picture(50, 40, 250, &[(3, 3, 9, 9, 219)]), 28), Err(31));
        assert!(prepare(&picture(50, 40, 250, &[(3, 3, 9, 9, 218)]), 28).is_ok());
        assert_eq!(prepare(&picture(1, 1, 9, &[]), 28), Err(0));
    }
}
