//! `densely evaluate`: how good a model is on test samples.

use super::show_evaluation;
use crate::args;
use crate::dataset::{Files, check, noun};
use crate::error::Error;
use crate::model;
use crate::ui::{Output, counted, printable};
use densely::data::TrainedOn;
use densely::{Dataset, Model};
use std::path::Path;
use std::process::ExitCode;

/// What a model is measured on.
struct Test {
    data: Dataset,
    name: String,
    noun: &'static str,
    classes: Vec<String>,
}

/// Measures the model on the test samples of the data that it was trained on, or on others.
pub(crate) fn evaluate(args: &args::Evaluate, output: &mut Output) -> Result<ExitCode, Error> {
    let model = model::load(&args.model, model::pool(args.threads)?)?;
    let test = match &model.provenance().trained_on {
        Some(trained_on) => described(&model, trained_on, args.dataset.as_deref())?,
        None => named(&model, args)?,
    };
    output.line(format!(
        "{} on the {} of {}",
        printable(args.model.display()),
        counted(test.data.len(), &format!("test {}", test.noun)),
        printable(&test.name)
    ));
    output.blank();
    let evaluation = model.evaluate(&test.data)?;
    show_evaluation(&evaluation, &test.classes, test.noun, output)?;
    Ok(ExitCode::SUCCESS)
}

/// The test images of a set such as MNIST.
fn named(model: &Model<f32>, args: &args::Evaluate) -> Result<Test, Error> {
    let provenance = model.provenance();
    let dataset = match &args.dataset {
        Some(dataset) => dataset,
        None if provenance.dataset.is_empty() => {
            return Err(Error::DatasetUnknown { path: args.model.clone() });
        }
        None => Path::new(&provenance.dataset),
    };
    let files = Files::find(dataset)?;
    let data = files.read_test(model.description())?.data;
    let classes = files.class_names(data.classes());
    Ok(Test { data, name: files.name().to_owned(), noun: "image", classes })
}

/// The test samples of what a recipe described, or all samples of other files of the same kind.
fn described(model: &Model<f32>, trained_on: &TrainedOn, dataset: Option<&Path>) -> Result<Test, Error> {
    let classes = model.provenance().classes.clone();
    let (data, path) = match dataset {
        Some(path) => (trained_on.read_samples(path, &classes)?, path),
        None => (trained_on.read_test(&classes)?, trained_on.source.path()),
    };
    check(path, &data, model.description())?;
    let name = path.to_string_lossy().into_owned();
    Ok(Test { data, name, noun: noun(&trained_on.source), classes })
}
