//! What a contributor runs: `cargo xtask download`, `train`, `bench`, `roofline`, `ci`, `loom`, `tidy`, `cross`, `sanitize`,
//! `slow` and `sample`, one file or folder for each.
//!
//! The workspace's own crates never touch the network; everything that does is here, in [`download`]. The tasks are a library
//! with a thin `main.rs` so that the tests reach the downloader with a manifest and time limits of their own.

#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

pub mod manifest;
pub mod workspace;

mod drawing;
mod figure;

pub mod bench;
pub mod ci;
pub mod cross;
pub mod download;
pub mod fuzz;
pub mod loom;
pub mod roofline;
pub mod sample;
pub mod sanitize;
pub mod slow;
pub mod tidy;
pub mod train;

/// A request that cannot be carried out as it was typed; the process ends with status 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Usage(pub String);

/// The Rust of the tutorial, compiled and run by `cargo test`: here, because no published crate has the book.
#[cfg(doctest)]
#[doc = include_str!("../../docs/tutorial.md")]
pub struct Tutorial;
