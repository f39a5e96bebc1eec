//! `densely evaluate`: how good a model is on test images.

use super::show_evaluation;
use crate::args;
use crate::dataset::Source;
use crate::error::Error;
use crate::model;
use crate::ui::{Output, counted, printable};
use std::path::Path;
use std::process::ExitCode;

/// Measures the model on the test images of the dataset that it was trained on, or of another one.
pub(crate) fn evaluate(args: &args::Evaluate, output: &mut Output) -> Result<ExitCode, Error> {
    let model = model::load(&args.model, model::pool(args.threads)?)?;
    let provenance = model.provenance();
    let dataset = match &args.dataset {
        Some(dataset) => dataset,
        None if provenance.dataset.is_empty() => {
            return Err(Error::DatasetUnknown { path: args.model.clone() });
        }
        None => Path::new(&provenance.dataset),
    };
    let source = Source::find(dataset)?;
    let test = source.read_test(model.description())?;
    output.line(format!(
        "{} on the {} of {}",
        printable(args.model.display()),
        counted(test.data.len(), "test image"),
        printable(&source.name)
    ));
    output.blank();
    let evaluation = model.evaluate(&test.data)?;
    let classes = source.class_names(test.data.classes());
    show_evaluation(&evaluation, &classes, output);
    Ok(ExitCode::SUCCESS)
}
