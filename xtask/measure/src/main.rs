//! densely, as `cargo xtask bench` measures it: what the peers' programs in `xtask/peers` do, by our library.
//!
//! The only argument is a task in JSON, and the answer is a line of JSON on standard output. `xtask/src/bench/task.rs` says what
//! both mean.

#![forbid(unsafe_code)]
#![allow(clippy::print_stdout)]

mod inference;
mod task;
mod training;

use std::env;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::task::{Kind, Task};

fn main() -> Result<()> {
    let text = env::args().nth(1).context("the only argument is a task in JSON")?;
    let task: Task = serde_json::from_str(&text).context("the task")?;
    println!("{}", answer(&task)?);
    Ok(())
}

fn answer(task: &Task) -> Result<Value> {
    match task.kind {
        Kind::Training => training::speed(task),
        Kind::Accuracy => training::until_target(task),
        Kind::Inference => inference::many(task),
        Kind::Latency => inference::one_by_one(task),
    }
}
