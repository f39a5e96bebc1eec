//! `densely predict`: which class images belong to.

use crate::args;
use crate::digit::{LEAST_CONTRAST, prepare, read_png};
use crate::error::Error;
use crate::model;
use crate::ui::{Output, PixelPicture, bar, beside, percent, printable};
use densely::{Activation, Dataset, Model};
use serde::Serialize;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;
use std::process::ExitCode;

/// What a PNG file begins with.
const PNG_SIGNATURE: [u8; 8] = *b"\x89PNG\r\n\x1a\n";

/// How long a bar is, in columns.
const BAR: usize = 30;

/// Images as a model takes them.
struct Inputs {
    pixels: Vec<u8>,
    /// Rows and columns, where an image has them.
    size: Option<(usize, usize)>,
    /// Whether the images are items of a file that can have several.
    numbered: bool,
}

/// What the model says about one image.
#[derive(Debug, Serialize)]
struct Prediction {
    file: String,
    /// The place of the image in its file, from 0.
    item: usize,
    class: usize,
    label: String,
    /// The network's outputs, one for each class: probabilities if it ends in softmax.
    #[serde(skip_serializing_if = "Option::is_none")]
    probabilities: Option<Vec<f32>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outputs: Option<Vec<f32>>,
}

/// Predicts the images of all files, and prints what the model says about each.
pub(crate) fn predict(args: &args::Predict, output: &mut Output) -> Result<ExitCode, Error> {
    let model = model::load(&args.model, model::pool(Some(1))?)?;
    let mut all = Vec::new();
    for file in &args.files {
        let inputs = read_inputs(file, model.description().inputs, args.limit.get())?;
        let predictions = predictions(&model, file, &inputs)?;
        if args.json {
            all.extend(predictions);
        } else {
            for prediction in predictions {
                show(&prediction, &inputs, &model.provenance().classes, output);
            }
        }
    }
    if args.json {
        output.line(serde_json::to_string_pretty(&all).expect("strings and numbers can be written as JSON"));
    }
    Ok(ExitCode::SUCCESS)
}

/// The images of a PNG or IDX file, `limit` at most.
fn read_inputs(path: &Path, features: usize, limit: usize) -> Result<Inputs, Error> {
    let mut start = Vec::new();
    // Anything else is refused before it is opened: a pipe would wait for its writer.
    if fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
        return Err(
            idx_dataset::read(path).map_or_else(Into::into, |_| Error::NoImages { path: path.to_owned() })
        );
    }
    File::open(path)
        .and_then(|file| file.take(PNG_SIGNATURE.len() as u64).read_to_end(&mut start))
        .map_err(|source| Error::Read { path: path.to_owned(), source })?;
    if start == PNG_SIGNATURE {
        return read_picture(path, features);
    }
    let idx = idx_dataset::read(path).map_err(|error| match error {
        idx_dataset::Error::Magic { .. } => Error::NotAnImage { path: path.to_owned(), start },
        error => error.into(),
    })?;
    let (items, found) = (idx.items(), idx.item_len());
    let shape = idx.shape.get(1..).unwrap_or_default().to_vec();
    if found != features {
        let shape = shape.iter().map(ToString::to_string).collect::<Vec<_>>().join(" × ");
        return Err(Error::ImageSize { path: path.to_owned(), expected: features, found, shape });
    }
    let found = idx.element_type();
    let idx_dataset::Values::U8(mut pixels) = idx.values else {
        return Err(Error::NotBytes { path: path.to_owned(), found });
    };
    if items == 0 {
        return Err(Error::NoImages { path: path.to_owned() });
    }
    pixels.truncate(limit.min(items) * features);
    let size = if let [rows, columns] = shape[..] { Some((rows, columns)) } else { None };
    Ok(Inputs { pixels, size, numbered: true })
}

fn read_picture(path: &Path, features: usize) -> Result<Inputs, Error> {
    let side = features.isqrt();
    if side * side != features {
        return Err(Error::NotSquare { path: path.to_owned(), inputs: features });
    }
    let pixels = prepare(&read_png(path)?, side).map_err(|contrast| Error::Blank {
        path: path.to_owned(),
        contrast,
        least: LEAST_CONTRAST,
    })?;
    Ok(Inputs { pixels, size: Some((side, side)), numbered: false })
}

fn predictions(model: &Model<f32>, path: &Path, inputs: &Inputs) -> Result<Vec<Prediction>, Error> {
    let network = model.description();
    let images = inputs.pixels.len() / network.inputs;
    // Prediction needs no labels.
    let data =
        Dataset::from_bytes(network.inputs, inputs.pixels.clone(), vec![0; images], network.outputs())?;
    let outputs = model.predict(&data)?;
    let classes = &model.provenance().classes;
    let softmax = network.layers.last().and_then(|layer| layer.activation()) == Some(Activation::Softmax);
    let predictions = outputs.column_iter().enumerate().map(|(item, column)| {
        let outputs: Vec<f32> = column.iter().copied().collect();
        let class = column.imax();
        let label = classes.get(class).map_or_else(|| class.to_string(), Clone::clone);
        let (probabilities, outputs) = if softmax { (Some(outputs), None) } else { (None, Some(outputs)) };
        Prediction { file: path.to_string_lossy().into_owned(), item, class, label, probabilities, outputs }
    });
    Ok(predictions.collect())
}

/// Prints the image as the model sees it, and beside it a line for each class.
fn show(prediction: &Prediction, inputs: &Inputs, classes: &[String], output: &mut Output) {
    let style = output.style();
    let place = if inputs.numbered { format!(", item {}", prediction.item) } else { String::new() };
    let label = style.bold(printable(&prediction.label));
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
        if class == prediction.class { style.bold(row) } else { row }
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
