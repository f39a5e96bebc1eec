//! All that the terminal shows. What is printed is readable in a pipe as well: colours, the progress bar and any other
//! control character are for terminals only.

mod bars;
mod confusion;
mod errors;
mod output;
mod pixels;
mod progress;
mod style;
mod text;

pub(crate) use bars::bar;
pub(crate) use confusion::confusion_table;
pub(crate) use errors::{show_error, show_usage, with_causes};
pub(crate) use output::Output;
pub(crate) use pixels::{PixelPicture, beside};
pub(crate) use progress::EpochTable;
pub(crate) use text::{counted, file_size, grouped, percent, printable};
