//! `pixels.svg`: a 4 and a 5, and how often each brightness occurs in them.

use super::chart::{Area, BLUE, GRID, INK, LABEL_SIZE, TITLE_SIZE, letters, svg};
use super::digits::MAX_SIDE;
use crate::dataset::Images;
use crate::error::Error;
use plotters::prelude::*;

const SIZE: (u32, u32) = (880, 690);

/// Brightness is counted in steps of 16.
const BINS: usize = 16;

/// The classes that are shown, where there are so many.
const CLASSES: [u32; 2] = [4, 5];

/// The side of an image's square, in pixels of the picture.
const IMAGE_SIDE: i32 = 260;

/// The first image of each class with its distribution; `None` if the samples are no images of bytes.
pub(crate) fn pixels_svg(images: &Images, classes: &[String]) -> Result<Option<String>, Error> {
    let Some(size) = images.size.filter(|&(rows, columns)| rows.max(columns) <= MAX_SIDE) else {
        return Ok(None);
    };
    let shown = if classes.len() > CLASSES[1] as usize { CLASSES } else { [0, 1] };
    let first_of = |class: u32| {
        let sample = (0..images.data.len()).find(|&sample| images.data.label(sample) == class)?;
        Some((classes.get(class as usize)?.as_str(), images.data.bytes(sample)?))
    };
    let shown: Vec<_> = shown.into_iter().filter_map(first_of).collect();
    if shown.is_empty() {
        return Ok(None);
    }
    let draw = |area: &Area<'_>| {
        for (column, &(name, pixels)) in area.split_evenly((1, shown.len())).iter().zip(&shown) {
            let (above, below) = column.margin(10, 0, 0, 0).split_vertically(IMAGE_SIDE + 60);
            draw_image(&above, name, pixels, size)?;
            draw_distribution(&below, pixels)?;
        }
        Ok(())
    };
    svg("pixels.svg", SIZE, draw).map(Some)
}

/// The image, dark ink on white, in a frame.
fn draw_image(
    area: &Area<'_>,
    name: &str,
    pixels: &[u8],
    (rows, columns): (usize, usize),
) -> Result<(), Box<dyn std::error::Error>> {
    let area = area.titled(name, letters(TITLE_SIZE))?;
    let scale = f64::from(IMAGE_SIDE) / rows.max(columns).max(1) as f64;
    let at = |place: usize| (place as f64 * scale).round() as i32;
    let (width, height) = (at(columns), at(rows));
    let left = (area.dim_in_pixel().0 as i32 - width) / 2;
    for (place, &pixel) in pixels.iter().enumerate().filter(|&(_, &pixel)| pixel > 0) {
        let (row, column) = (place / columns, place % columns);
        let square = [(left + at(column), at(row)), (left + at(column + 1), at(row + 1))];
        let grey = 255 - pixel;
        area.draw(&Rectangle::new(square, RGBColor(grey, grey, grey).filled()))?;
    }
    area.draw(&Rectangle::new([(left, 0), (left + width, height)], INK))?;
    Ok(())
}

/// A bar for each step of brightness. The axis is logarithmic: most pixels are black.
fn draw_distribution(area: &Area<'_>, pixels: &[u8]) -> Result<(), Box<dyn std::error::Error>> {
    let mut counts = [0_u32; BINS];
    for &pixel in pixels {
        counts[usize::from(pixel) * BINS / 256] += 1;
    }
    // Half a pixel stands for none, so that a single one is seen.
    let lowest = 0.5;
    let highest = f64::from(counts.into_iter().max().unwrap_or(1)).max(1.0) * 2.0;
    let mut chart = ChartBuilder::on(area)
        .margin(14)
        .x_label_area_size(46)
        .y_label_area_size(66)
        .build_cartesian_2d(0.0..256.0, (lowest..highest).log_scale())?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .axis_style(INK)
        .bold_line_style(GRID)
        .light_line_style(TRANSPARENT)
        .label_style(letters(LABEL_SIZE))
        .axis_desc_style(letters(LABEL_SIZE))
        .x_desc("brightness of a pixel, 0 is background")
        .y_desc("pixels")
        .x_label_formatter(&|brightness| format!("{brightness:.0}"))
        .y_label_formatter(&|count| format!("{count:.0}"))
        .draw()?;
    let step = 256.0 / BINS as f64;
    chart.draw_series(counts.into_iter().enumerate().filter(|&(_, count)| count > 0).map(
        |(bin, count)| {
            let start = bin as f64 * step;
            Rectangle::new([(start + 0.6, lowest), (start + step - 0.6, f64::from(count))], BLUE.filled())
        },
    ))?;
    Ok(())
}
