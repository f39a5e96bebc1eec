//! CSV: one item a line, with its label first where there is one.

use super::{ConvertError, Items};
use crate::args::ValueType;
use crate::error::Error;
use idx_dataset::{Element, ElementType, Idx, Values};
use std::fmt::Display;
use std::path::Path;
use std::str::FromStr;

/// The name of the column of labels.
const LABEL: &str = "label";

/// Reads values of a type. The first line is a header if a cell of it is no number; its column `label` then has labels.
pub(super) fn read(path: &Path, ValueType(element_type): ValueType) -> Result<Items, Error> {
    match element_type {
        ElementType::U8 => read_values::<u8>(path),
        ElementType::I8 => read_values::<i8>(path),
        ElementType::I16 => read_values::<i16>(path),
        ElementType::I32 => read_values::<i32>(path),
        ElementType::F32 => read_values::<f32>(path),
        ElementType::F64 => read_values::<f64>(path),
    }
}

fn read_values<T: Element + FromStr>(path: &Path) -> Result<Items, Error> {
    let refused = |source| ConvertError::Csv { path: path.to_owned(), source };
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).trim(csv::Trim::All).from_path(path).map_err(refused)?;
    let (mut values, mut labels, mut label_column): (Vec<T>, Vec<u8>, _) = (Vec::new(), Vec::new(), None);
    let (mut items, mut columns) = (0, 0);
    let mut record = csv::StringRecord::new();
    let mut first = true;
    while reader.read_record(&mut record).map_err(refused)? {
        if std::mem::take(&mut first) {
            columns = record.len();
            if record.iter().any(|cell| cell.parse::<f64>().is_err()) {
                label_column = record.iter().position(|cell| cell == LABEL);
                continue;
            }
        }
        let line = record.position().map_or(0, csv::Position::line);
        for (column, cell) in record.iter().enumerate() {
            let refused = |expected| {
                let (path, found) = (path.to_owned(), cell.to_owned());
                ConvertError::Cell { path, line, column: column + 1, expected, found }
            };
            if label_column == Some(column) {
                labels.push(cell.parse().map_err(|_| refused(ElementType::U8))?);
            } else {
                values.push(cell.parse().map_err(|_| refused(T::TYPE))?);
            }
        }
        items += 1;
    }
    let columns = columns - usize::from(label_column.is_some());
    let shape = if columns == 1 { vec![items] } else { vec![items, columns] };
    Ok(Items { idx: Idx { shape, values: values.into() }, labels: label_column.map(|_| labels) })
}

/// Writes a header (`label`, if there are labels, then `v0`, `v1` and so on) and a line for each item.
pub(super) fn write(path: &Path, items: &Items) -> Result<(), Error> {
    let lines = match &items.idx.values {
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
    let len = idx.item_len();
    let mut writer = csv::Writer::from_writer(Vec::new());
    let label = labels.iter().map(|_| LABEL.to_owned());
    // Where there are no values there are no lines, however many columns are declared.
    let columns = if values.is_empty() { 0 } else { len };
    writer.write_record(label.chain((0..columns).map(|column| format!("v{column}"))))?;
    for (item, values) in values.chunks_exact(len.max(1)).enumerate() {
        let label = labels.iter().map(|labels| labels[item].to_string());
        writer.write_record(label.chain(values.iter().map(ToString::to_string)))?;
    }
    writer.into_inner().map_err(|error| error.into_error().into())
}
