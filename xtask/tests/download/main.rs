//! The downloader against servers, folders and package clients that fail in every way we know.

#![forbid(unsafe_code)]

mod cache;
mod command;
mod fixture;
mod folders;
mod mirrors;
#[cfg(unix)]
mod packages;
mod server;
