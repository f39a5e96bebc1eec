//! `densely inspect`: what is in an IDX file.

use super::payload::payload;
use crate::args;
use crate::error::Error;
use crate::ui::{Output, PixelPicture, beside, counted, file_size, grouped, printable, with_causes};
use idx_dataset::{ElementType, Idx, Values};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::Path;
use std::process::ExitCode;

/// How many pictures stand in a row, at most.
const PICTURES: usize = 4;

/// How many values of an item that is no picture are shown.
const SHOWN_VALUES: usize = 20;

/// The most different values that are counted one by one.
const COUNTED_VALUES: usize = 32;

/// Prints type, shape and values of the file, and its first items or the one asked for.
pub(crate) fn inspect(args: &args::Inspect, output: &mut Output) -> Result<ExitCode, Error> {
    if args.json {
        return Ok(show_json(&args.file, output));
    }
    let idx = idx_dataset::read(&args.file)?;
    let items = idx.n_items();
    if let Some(item) = args.item.filter(|&item| item >= items) {
        return Err(Error::NoItem { path: args.file.clone(), item, items });
    }
    show_header(&args.file, &idx, output);
    match args.item {
        Some(item) => show_items(&idx, item..item + 1, output),
        None => show_items(&idx, 0..items, output),
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints what is in the file, or what is wrong with it, for programs to read.
fn show_json(path: &Path, output: &mut Output) -> ExitCode {
    let (report, status) = match idx_dataset::read(path) {
        Ok(idx) => (json(path, &idx), ExitCode::SUCCESS),
        Err(error) => {
            let error = with_causes(&Error::from(error));
            (serde_json::json!({"file": path.to_string_lossy(), "error": error}), ExitCode::FAILURE)
        }
    };
    output.line(serde_json::to_string_pretty(&report).expect("strings and numbers can be written as JSON"));
    status
}

fn json(path: &Path, idx: &Idx) -> serde_json::Value {
    let range = Range::of(&idx.values);
    serde_json::json!({
        "file": path.to_string_lossy(),
        "element_type": idx.element_type().to_string(),
        "shape": idx.shape,
        "items": idx.n_items(),
        "item_len": idx.item_len(),
        "payload_sha256": payload_sha256(idx),
        "min": range.as_ref().map(|range| range.min),
        "max": range.as_ref().map(|range| range.max),
        "mean": range.as_ref().map(|range| range.mean),
        "not_finite": range.map_or(idx.values.len(), |range| range.not_finite),
    })
}

/// SHA-256 of the values as they are stored.
fn payload_sha256(idx: &Idx) -> String {
    let mut hasher = Sha256::new();
    payload(idx, |bytes| hasher.update(bytes)).expect("what was read can be written");
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn show_header(path: &Path, idx: &Idx, output: &mut Output) {
    let style = output.style();
    output.line(style.bold(printable(path.display())));
    let mut row = |name: &str, value: String| output.line(format!("  {name:<7}{value}"));
    row("type", described(idx.element_type()));
    row("shape", shape(&idx.shape));
    row("items", format!("{} of {}", grouped(idx.n_items() as u64), counted(idx.item_len(), "value")));
    let bytes = (4 + 4 * idx.shape.len() + idx.values.len() * idx.element_type().size()) as u64;
    let stored = fs::metadata(path).map_or(bytes, |metadata| metadata.len());
    let compressed =
        if stored == bytes { String::new() } else { format!(", compressed to {}", grouped(stored)) };
    row("bytes", format!("{}{compressed} ({})", grouped(bytes), file_size(stored)));
    row("sha256", payload_sha256(idx));
    if let Some(range) = Range::of(&idx.values) {
        row(
            "values",
            format!(
                "min {}, max {}, mean {}{}",
                number(range.min),
                number(range.max),
                number(range.mean),
                range.remark()
            ),
        );
    }
}

/// Items as pictures if they have rows and columns, else as numbers.
fn show_items(idx: &Idx, items: std::ops::Range<usize>, output: &mut Output) {
    if idx.values.is_empty() {
        return;
    }
    output.blank();
    match idx.shape[..] {
        [_, rows, columns] => show_pictures(idx, items, (rows, columns), output),
        _ => show_numbers(idx, items, output),
    }
}

fn show_pictures(
    idx: &Idx,
    items: std::ops::Range<usize>,
    (rows, columns): (usize, usize),
    output: &mut Output,
) {
    let (style, available) = (output.style(), output.columns());
    let (mut lines, mut width) = (Vec::new(), 0);
    for item in items.take(PICTURES) {
        let pixels = greys(&idx.values, item * rows * columns..(item + 1) * rows * columns);
        let Some(picture) = PixelPicture::new(rows, columns, pixels) else { return };
        let picture = picture.fitted(available);
        let name = format!("item {item}");
        let gap = if width == 0 { 0 } else { 2 };
        let column_width = picture.columns().max(name.len());
        if width + gap + column_width > available {
            break;
        }
        let filling = " ".repeat(column_width - picture.columns());
        let mut column = vec![style.faint(format!("{name:<column_width$}"))];
        column.extend(picture.lines(style).into_iter().map(|line| line + &filling));
        lines = beside(&lines, width, gap, &column);
        width += gap + column_width;
    }
    for line in lines {
        output.line(line);
    }
}

fn show_numbers(idx: &Idx, items: std::ops::Range<usize>, output: &mut Output) {
    let len = idx.item_len();
    let all = items.start * len..items.end * len;
    let shown = all.start..all.end.min(all.start + SHOWN_VALUES);
    let more = if shown.end < all.end { " …" } else { "" };
    let numbers: Vec<String> = shown.map(|place| number(value(&idx.values, place))).collect();
    let name = if items.len() == 1 { format!("item {}", items.start) } else { "first values".to_owned() };
    output.line(format!("  {name}: {}{more}", numbers.join(" ")));
    if items.len() > 1
        && let Some(counts) = counts(&idx.values)
    {
        output.blank();
        output.line("  value   count");
        for (value, count) in counts {
            output.line(format!("  {value:>5}  {:>6}", grouped(count)));
        }
    }
}

/// The least, the greatest and the mean value. Floats that are no finite numbers are counted apart.
struct Range {
    min: f64,
    max: f64,
    mean: f64,
    not_finite: usize,
}

impl Range {
    fn of(values: &Values) -> Option<Self> {
        /// With this factor the sum of as many values as there can be is in the range of f64. It rounds none that counts.
        const SCALE: f64 = 1.0 / (1_u128 << 64) as f64;
        let (mut min, mut max, mut not_finite) = (f64::INFINITY, f64::NEG_INFINITY, 0);
        let (mut sum, mut scaled_sum) = (0.0_f64, 0.0);
        for value in (0..values.len()).map(|place| value(values, place)) {
            if value.is_finite() {
                (min, max) = (min.min(value), max.max(value));
                (sum, scaled_sum) = (sum + value, scaled_sum + value * SCALE);
            } else {
                not_finite += 1;
            }
        }
        let finite = values.len() - not_finite;
        if finite == 0 {
            return None;
        }
        let mean = if sum.is_finite() {
            sum / finite as f64
        } else {
            (scaled_sum / finite as f64 / SCALE).clamp(min, max)
        };
        Some(Self { min, max, mean, not_finite })
    }

    fn remark(&self) -> String {
        match self.not_finite {
            0 => String::new(),
            not_finite => format!("; {} not finite", grouped(not_finite as u64)),
        }
    }
}

/// The value at a place. Every type but `f64` itself is exact in it.
fn value(values: &Values, place: usize) -> f64 {
    match values {
        Values::U8(values) => values[place].into(),
        Values::I8(values) => values[place].into(),
        Values::I16(values) => values[place].into(),
        Values::I32(values) => values[place].into(),
        Values::F32(values) => values[place].into(),
        Values::F64(values) => values[place],
    }
}

/// A number in few characters: whole numbers in full, others to six digits.
fn number(value: f64) -> String {
    if value.trunc() == value && value.abs() < 1e15 {
        value.to_string()
    } else if (1e-3..1e6).contains(&value.abs()) {
        format!("{value:.4}")
    } else {
        format!("{value:.5e}")
    }
}

/// Values as shades of grey: bytes as they are, others so that the least becomes 0 and the greatest 255.
fn greys(values: &Values, places: std::ops::Range<usize>) -> Vec<u8> {
    if let Values::U8(bytes) = values {
        return bytes[places].to_vec();
    }
    let finite = |place: &usize| Some(value(values, *place)).filter(|value| value.is_finite());
    let least = places.clone().filter_map(|place| finite(&place)).fold(f64::INFINITY, f64::min);
    let greatest = places.clone().filter_map(|place| finite(&place)).fold(f64::NEG_INFINITY, f64::max);
    let span = greatest - least;
    places
        .map(|place| if span > 0.0 { ((value(values, place) - least) / span * 255.0) as u8 } else { 0 })
        .collect()
}

/// How often each byte occurs, if they are few different ones.
fn counts(values: &Values) -> Option<Vec<(u8, u64)>> {
    let Values::U8(bytes) = values else { return None };
    let mut counts = [0; 256];
    for &byte in bytes {
        counts[usize::from(byte)] += 1;
    }
    let present: Vec<(u8, u64)> = (0..=255).zip(counts).filter(|&(_, count)| count > 0).collect();
    (present.len() <= COUNTED_VALUES).then_some(present)
}

fn described(element_type: ElementType) -> String {
    let words = match element_type {
        ElementType::U8 => "unsigned bytes",
        ElementType::I8 => "signed bytes",
        ElementType::I16 => "16-bit integers",
        ElementType::I32 => "32-bit integers",
        ElementType::F32 => "32-bit floats",
        ElementType::F64 => "64-bit floats",
    };
    format!("{element_type} ({words})")
}

fn shape(sizes: &[usize]) -> String {
    if sizes.is_empty() {
        return "a single value".to_owned();
    }
    sizes.iter().map(|&size| grouped(size as u64)).collect::<Vec<_>>().join(" × ")
}
