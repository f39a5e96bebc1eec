//! `densely predict`: which class samples belong to, or which values.

mod inputs;
mod table;

use crate::args;
use crate::error::Error;
use crate::model;
use crate::ui::{Output, PixelPicture, bar, beside, percent, printable};
use densely::{Activation, Model, write_atomically};
use inputs::{Inputs, read_inputs};
use serde::Serialize;
use std::path::Path;
use std::process::ExitCode;

/// How long a bar is, in columns.
const BAR: usize = 30;

/// How many images of a file are shown if nothing else is asked for.
const SHOWN: usize = 10;

/// What the model says about one sample.
#[derive(Debug, Serialize)]
struct Prediction {
    file: String,
    /// The place of the sample in its file, from 0.
    item: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<usize>,
    /// The name of the class.
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    /// The network's outputs, one for each class: probabilities if it ends in softmax. Or the values that it predicts.
    #[serde(skip_serializing_if = "Option::is_none")]
    probabilities: Option<Vec<f32>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outputs: Option<Vec<f32>>,
}

/// Predicts the samples of all files, and prints or writes what the model says about each.
pub(crate) fn predict(args: &args::Predict, output: &mut Output) -> Result<ExitCode, Error> {
    let model = model::load(&args.model, model::pool(Some(1))?)?;
    let (mut all, mut lines) = (Vec::new(), Vec::new());
    for file in &args.files {
        let is_shown = |is_table: bool| !is_table && args.output.is_none();
        let limit =
            |is_table| args.limit.map_or(if is_shown(is_table) { SHOWN } else { usize::MAX }, usize::from);
        let inputs = read_inputs(file, &model, limit)?;
        let predictions = predictions(&model, file, &inputs)?;
        if args.json {
            all.extend(predictions);
        } else if is_shown(inputs.is_table) {
            for prediction in predictions {
                show(&prediction, &inputs, &model.provenance().classes, output);
            }
        } else {
            lines.extend(predictions);
        }
    }
    if args.json {
        output.line(serde_json::to_string_pretty(&all).expect("strings and numbers can be written as JSON"));
    }
    if !lines.is_empty() {
        let lines = table::lines(&lines, targets(&model), args.files.len() > 1);
        match &args.output {
            Some(path) => write_atomically(path, (lines.join("\n") + "\n").as_bytes())?,
            None => lines.iter().for_each(|line| output.line(line)),
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The names of the targets that are numbers; empty if the model predicts classes.
fn targets(model: &Model<f32>) -> &[String] {
    model.provenance().trained_on.as_ref().map_or(&[], |trained_on| &trained_on.targets)
}

fn predictions(model: &Model<f32>, path: &Path, inputs: &Inputs) -> Result<Vec<Prediction>, Error> {
    let network = model.description();
    let outputs = model.predict(&inputs.data)?;
    let classes = &model.provenance().classes;
    let ending = network.layers.last().and_then(|layer| layer.activation());
    let has_classes = targets(model).is_empty();
    let predictions = outputs.column_iter().enumerate().map(|(item, column)| {
        let outputs: Vec<f32> = column.iter().copied().collect();
        let class = has_classes.then(|| model.class_of(&outputs));
        let label = class.map(|class| classes.get(class).map_or_else(|| class.to_string(), Clone::clone));
        let (probabilities, outputs) = match (ending, &outputs[..]) {
            (Some(Activation::Softmax), _) if has_classes => (Some(outputs), None),
            // A single sigmoid says how likely the second class is.
            (Some(Activation::Sigmoid), &[second]) if has_classes => (Some(vec![1.0 - second, second]), None),
            _ => (None, Some(outputs)),
        };
        Prediction { file: path.to_string_lossy().into_owned(), item, class, label, probabilities, outputs }
    });
    Ok(predictions.collect())
}

/// Prints the image as the model sees it, and beside it a line for each class.
fn show(prediction: &Prediction, inputs: &Inputs, classes: &[String], output: &mut Output) {
    let style = output.style();
    let place = if inputs.numbered { format!(", item {}", prediction.item) } else { String::new() };
    let label = style.bold(printable(prediction.label.as_deref().unwrap_or_default()));
    output.line(format!("{}{place}: {label}", printable(&prediction.file)));

    let values =
        prediction.probabilities.as_ref().or(prediction.outputs.as_ref()).map_or(&[][..], Vec::as_slice);
    let names: Vec<String> = (0..values.len())
        .map(|class| classes.get(class).map_or_else(|| class.to_string(), printable))
        .collect();
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    let row = |(class, (name, &value)): (usize, (&String, &f32))| {
        let figure = match &prediction.probabilities {
            Some(_) => format!("{} {:>8}", bar(value.into(), BAR), percent(value.into())),
            None => format!("{value:>12.4}"),
        };
        let row = format!("{name:<width$}  {figure}");
        if Some(class) == prediction.class { style.bold(row) } else { row }
    };
    let rows: Vec<String> = names.iter().zip(values).enumerate().map(row).collect();
    let length = inputs.size.map_or(0, |(rows, columns)| rows * columns);
    let start = prediction.item * length;
    let picture = inputs
        .size
        .and_then(|(rows, columns)| {
            PixelPicture::new(rows, columns, inputs.pixels[start..start + length].to_vec())
        })
        .map(|picture| picture.fitted(output.columns() / 2));
    let lines = match picture {
        Some(picture) => beside(&picture.lines(style), picture.columns(), 3, &rows),
        None => rows,
    };
    for line in lines {
        output.line(line);
    }
    output.blank();
}
