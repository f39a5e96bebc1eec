//! What the SVG pictures have in common: colours, letters, and how failures are told.

use crate::error::Error;
use plotters::coord::Shift;
use plotters::prelude::*;

/// The colours of the curves (from Okabe and Ito's palette, which colour-blind readers can tell apart).
pub(super) const BLUE: RGBColor = RGBColor(0, 114, 178);
pub(super) const ORANGE: RGBColor = RGBColor(213, 94, 0);

/// Text, axes and grid.
pub(super) const INK: RGBColor = RGBColor(40, 40, 40);
pub(super) const GRID: RGBColor = RGBColor(225, 225, 225);

/// Sizes of letters, in pixels.
pub(super) const TITLE_SIZE: i32 = 20;
pub(super) const LABEL_SIZE: i32 = 15;

/// A part of a picture, to be drawn on.
pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// A picture of this size in which `draw` draws, as SVG.
pub(super) fn svg(
    picture: &'static str,
    size: (u32, u32),
    draw: impl FnOnce(&Area<'_>) -> Result<(), Box<dyn std::error::Error>>,
) -> Result<String, Error> {
    let mut text = String::new();
    let drawn = {
        let area = SVGBackend::with_string(&mut text, size).into_drawing_area();
        area.fill(&WHITE).map_err(Into::into).and_then(|()| draw(&area)).and_then(|()| Ok(area.present()?))
    };
    match drawn {
        Ok(()) => Ok(text),
        Err(error) => Err(Error::Picture { picture, reason: error.to_string() }),
    }
}

/// Letters in the colour of text.
pub(super) fn letters(size: i32) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&INK)
}
