//! The pictures of a run: sample digits, how their pixels are distributed, and how training went.

mod chart;
mod digits;
mod history;
mod pixels;

pub(crate) use digits::digits_png;
pub(crate) use history::history_svg;
pub(crate) use pixels::pixels_svg;
