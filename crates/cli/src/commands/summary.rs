//! `densely summary`: a network's layers and parameters.

use crate::args;
use crate::error::Error;
use crate::model;
use crate::recipe::{BATCH_SIZE, Network, read_network};
use crate::ui::{Output, counted, percent, printable};
use densely::{Pool, Provenance};
use std::process::ExitCode;

/// Prints the network of a model or a recipe, as a table or as RON.
pub(crate) fn summary(args: &args::Summary, output: &mut Output) -> Result<ExitCode, Error> {
    let is_ron = args.file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("ron"));
    if is_ron && !args.file.is_dir() {
        let Network { network, compile, batch_size } = read_network(&args.file)?;
        output.line(if args.ron {
            network.to_ron()?
        } else if args.plan {
            network.compile::<f32>(compile)?.phases(batch_size).to_string()
        } else {
            network.summary().to_string()
        });
        return Ok(ExitCode::SUCCESS);
    }
    let model = model::load(&args.file, Pool::new(1)?)?;
    if args.ron {
        output.line(model.description().to_ron()?);
        return Ok(ExitCode::SUCCESS);
    }
    if args.plan {
        output.line(model.phases(BATCH_SIZE));
        return Ok(ExitCode::SUCCESS);
    }
    output.line(model.summary());
    output.blank();
    output.line(origin(model.provenance()));
    output.line(format!("fingerprint of the weights: {}", model.fingerprint()));
    Ok(ExitCode::SUCCESS)
}

/// Where a model comes from, as far as it says.
fn origin(provenance: &Provenance) -> String {
    if provenance.dataset.is_empty() {
        return "not said where it was trained".to_owned();
    }
    let accuracy = provenance.test_accuracy.map(|accuracy| format!(", test accuracy {}", percent(accuracy)));
    format!(
        "trained on {} for {}{}",
        printable(&provenance.dataset),
        counted(provenance.epochs, "epoch"),
        accuracy.unwrap_or_default()
    )
}
