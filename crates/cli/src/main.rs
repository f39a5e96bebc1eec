//! `densely`: networks of dense layers trained and used from a shell.
//!
//! What each part is for, in the order in which a command passes through them: [`args`] says what can be typed;
//! [`commands`] has one file per subcommand; they read a [`recipe`], a [`dataset`], a [`model`] or an image of a
//! [`digit`]; [`run`] keeps the folder that training writes to; [`report`] draws the pictures for it; [`ui`] is all that
//! the terminal shows; [`error`] is all that can go wrong. There is no arithmetic of networks here: that is the library's.
#![forbid(unsafe_code)]

mod args;
mod commands;
mod dataset;
mod digit;
mod error;
mod model;
mod recipe;
mod report;
mod run;
mod ui;

use args::{Args, Command};
use clap::Parser;
use std::process::ExitCode;
use std::time::Instant;
use ui::Output;

fn main() -> ExitCode {
    let started = Instant::now();
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => return ui::show_usage(&error),
    };
    let mut output = Output::standard();
    let outcome = match &args.command {
        Command::Train(args) => commands::train(args, started, &mut output),
        Command::Evaluate(args) => commands::evaluate(args, &mut output),
        Command::Predict(args) => commands::predict(args, &mut output),
        Command::Summary(args) => commands::summary(args, &mut output),
        Command::Inspect(args) => commands::inspect(args, &mut output),
        Command::Convert(args) => commands::convert(args, &mut output),
    };
    match outcome.and_then(|status| output.finish().map(|()| status)) {
        Ok(status) => status,
        Err(error) => {
            ui::show_error(&error);
            ExitCode::FAILURE
        }
    }
}
