//! What our pictures have in common: colours, letters, and how a failure is told.

use anyhow::{Error, anyhow};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// Blue for ours, orange for the best peer (Okabe and Ito's palette, which colour-blind readers can tell apart).
pub(crate) const OURS: RGBColor = RGBColor(0, 114, 178);
pub(crate) const PEER: RGBColor = RGBColor(213, 94, 0);
pub(crate) const INK: RGBColor = RGBColor(40, 40, 40);
pub(crate) const GRID: RGBColor = RGBColor(225, 225, 225);

pub(crate) const TITLE_SIZE: i32 = 20;
pub(crate) const LABEL_SIZE: i32 = 14;

pub(crate) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

pub(crate) fn drawing(error: impl std::fmt::Display) -> Error {
    anyhow!("cannot draw: {error}")
}

pub(crate) fn letters(size: i32) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&INK)
}

pub(crate) fn centred(size: i32) -> TextStyle<'static> {
    letters(size).pos(Pos::new(HPos::Center, VPos::Bottom))
}
