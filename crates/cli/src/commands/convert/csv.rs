//! CSV: one item a line, with its label first where there is one.

use super::{ConvertError, Items};
use crate::args::ValueType;
use crate::error::Error;
use idx_dataset::{Element, ElementType, Idx, Values};
use std::fmt::Display;
use std::fs;
use std::path::Path;
use std::str::FromStr;

/// The name of the column of labels, written in small letters and read in any.
const LABEL: &str = "label";

/// Reads values of a type. The first line is a header if one of its cells is `label`, whose column then has labels, or if
/// none of them is a number.
pub(super) fn read(path: &Path, ValueType(element_type): ValueType) -> Result<Items, Error> {
    let bytes = fs::read(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
    let text = str::from_utf8(&bytes).map_err(|error| ConvertError::NotText {
        path: path.to_owned(),
        line: line_at(&bytes, error.valid_up_to()),
    })?;
    match element_type {
        ElementType::U8 => read_values::<u8>(path, text, parsed),
        ElementType::I8 => read_values::<i8>(path, text, parsed),
        ElementType::I16 => read_values::<i16>(path, text, parsed),
        ElementType::I32 => read_values::<i32>(path, text, parsed),
        ElementType::F32 => {
            read_values(path, text, |cell| parsed(cell).filter(|&value: &f32| is_as_said(cell, value.into())))
        }
        ElementType::F64 => {
            read_values(path, text, |cell| parsed(cell).filter(|&value| is_as_said(cell, value)))
        }
    }
}

fn parsed<T: FromStr>(cell: &str) -> Option<T> {
    cell.parse().ok()
}

/// Not where digits, which stand for a finite number, have become an infinite one.
fn is_as_said(cell: &str, value: f64) -> bool {
    value.is_finite() || !cell.contains(|character: char| character.is_ascii_digit())
}

fn read_values<T: Element>(
    path: &Path,
    text: &str,
    value: impl Fn(&str) -> Option<T>,
) -> Result<Items, Error> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true) // lines of other lengths are refused here
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let (mut values, mut labels, mut label_column): (Vec<T>, Vec<u8>, _) = (Vec::new(), Vec::new(), None);
    let (mut items, mut columns) = (0, None);
    let mut record = csv::StringRecord::new();
    while reader
        .read_record(&mut record)
        .map_err(|source| ConvertError::Csv { path: path.to_owned(), source })?
    {
        let (first, expected) = (columns.is_none(), *columns.get_or_insert(record.len()));
        if first {
            label_column = record.iter().position(|cell| cell.eq_ignore_ascii_case(LABEL));
            if label_column.is_some() || record.iter().all(|cell| cell.parse::<f64>().is_err()) {
                continue;
            }
        }
        let line = || line_of(text, &record);
        if record.len() != expected {
            let (path, found) = (path.to_owned(), record.len());
            return Err(ConvertError::Cells { path, line: line(), expected, found }.into());
        }
        for (column, cell) in record.iter().enumerate() {
            let refused = |expected| {
                let (path, found) = (path.to_owned(), cell.to_owned());
                ConvertError::Cell { path, line: line(), column: column + 1, expected, found }
            };
            if label_column == Some(column) {
                labels.push(cell.parse().map_err(|_| refused(ElementType::U8))?);
            } else {
                values.push(value(cell).ok_or_else(|| refused(T::TYPE))?);
            }
        }
        items += 1;
    }
    let columns = columns.unwrap_or(0) - usize::from(label_column.is_some());
    let shape = if columns == 1 { vec![items] } else { vec![items, columns] };
    Ok(Items { idx: Idx { shape, values: values.into() }, labels: label_column.map(|_| labels) })
}

/// The line on which a record begins. Its position is that of the end of the one before, with empty lines between them.
fn line_of(text: &str, record: &csv::StringRecord) -> usize {
    let end = record.position().map_or(0, |position| position.byte() as usize);
    let blank = text.as_bytes()[end..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    line_at(text.as_bytes(), end + blank)
}

/// The line that a byte is on, from 1.
fn line_at(text: &[u8], place: usize) -> usize {
    1 + text[..place].iter().filter(|&&byte| byte == b'\n').count()
}

/// Writes a header (`label`, if there are labels, then `v0`, `v1` and so on) and a line for each item.
pub(super) fn write(path: &Path, items: &Items) -> Result<(), Error> {
    let Items { idx, labels } = items;
    if idx.item_len() == 0 && idx.n_items() > 0 && labels.is_none() {
        // Their lines would be empty, and so be skipped by whoever reads them.
        return Err(ConvertError::NoValues { path: path.to_owned(), shape: idx.shape.clone() }.into());
    }
    let lines = match &idx.values {
        Values::U8(values) => lines(values, items),
        Values::I8(values) => lines(values, items),
        Values::I16(values) => lines(values, items),
        Values::I32(values) => lines(values, items),
        Values::F32(values) => lines(values, items),
        Values::F64(values) => lines(values, items),
    };
    let lines = lines.map_err(|source| ConvertError::Csv { path: path.to_owned(), source })?;
    Ok(densely::write_atomically(path, &lines)?)
}

fn lines<T: Display>(values: &[T], Items { idx, labels }: &Items) -> Result<Vec<u8>, csv::Error> {
    // Where there are no values there are no columns of them, however many are declared.
    let columns = if values.is_empty() { 0 } else { idx.item_len() };
    let mut writer = csv::Writer::from_writer(Vec::new());
    let label = labels.iter().map(|_| LABEL.to_owned());
    writer.write_record(label.chain((0..columns).map(|column| format!("v{column}"))))?;
    for item in 0..idx.n_items() {
        let label = labels.iter().map(|labels| labels[item].to_string());
        let values = &values[item * columns..(item + 1) * columns];
        writer.write_record(label.chain(values.iter().map(ToString::to_string)))?;
    }
    writer.into_inner().map_err(|error| error.into_error().into())
}
