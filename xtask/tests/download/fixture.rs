//! A tiny dataset, and a downloader that keeps what it says.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::TempDir;
use xtask::download::{Downloader, Limits, Report};
use xtask::manifest::{Dataset, Manifest, Source};

use crate::server::{Reply, Server};

/// The files of the tiny dataset. The hashes are what `sha256sum` says of
/// `yes 'the images of a tiny dataset' | head -n 1000` and `yes 'its labels' | head -n 10`.
pub(crate) const MANIFEST: &str = r#"Manifest(datasets: [Dataset(
    name: "tiny",
    files: [
        File(name: "images", size: 29000, sha256: "b34cb716d03102b95fa7752a6de5bdc18dcec842feeaa2ea874ba8e453cec96f"),
        File(name: "labels", size: 110, sha256: "81d568ed27b0a39d148303787a17795a52b16324b0c97b1ae4961dfdd0d1939b"),
    ],
    sources: [],
)])"#;

pub(crate) fn images() -> Vec<u8> {
    b"the images of a tiny dataset\n".repeat(1000)
}

pub(crate) fn labels() -> Vec<u8> {
    b"its labels\n".repeat(10)
}

pub(crate) fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// What a sound mirror serves.
pub(crate) fn sound(path: &str) -> Reply {
    match path {
        "/images.gz" => Reply::Body(gzip(&images())),
        "/labels.gz" => Reply::Body(gzip(&labels())),
        _ => Reply::Status(404),
    }
}

pub(crate) fn mirror(server: &Server) -> Source {
    Source::Mirror(server.address())
}

pub(crate) struct Fixture {
    pub(crate) downloader: Downloader,
    lines: Arc<Mutex<Vec<String>>>,
    _data: TempDir,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        let data = tempfile::tempdir().unwrap();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let downloader = downloader(data.path(), &lines);
        Self { downloader, lines, _data: data }
    }

    /// Another downloader into the same folder, whose lines go to the same place.
    pub(crate) fn another(&self) -> Downloader {
        downloader(&self.downloader.data, &self.lines)
    }

    /// Where the tiny dataset belongs.
    pub(crate) fn folder(&self) -> PathBuf {
        self.downloader.data.join("tiny")
    }

    /// Puts the files there, as a download would have.
    pub(crate) fn fill(&self) {
        fs::create_dir_all(self.folder()).unwrap();
        fs::write(self.folder().join("images"), images()).unwrap();
        fs::write(self.folder().join("labels"), labels()).unwrap();
    }

    /// Everything that the downloader has said.
    pub(crate) fn said(&self) -> String {
        self.lines.lock().unwrap().join("\n")
    }

    /// The files are there and right, and beside them nothing but the lock and `others`.
    #[track_caller]
    pub(crate) fn check(&self, others: &[&str]) {
        assert!(fs::read(self.folder().join("images")).unwrap() == images(), "images differ");
        assert!(fs::read(self.folder().join("labels")).unwrap() == labels(), "labels differ");
        let expected: BTreeSet<String> =
            ["images", "labels", ".lock"].iter().chain(others).map(|name| name.to_string()).collect();
        assert_eq!(names(&self.folder()), expected);
    }
}

fn downloader(data: &Path, lines: &Arc<Mutex<Vec<String>>>) -> Downloader {
    let lines = lines.clone();
    Downloader {
        data: data.to_path_buf(),
        sources: Vec::new(),
        offline: false,
        // Short where a test waits for it, long where it would fail because the machine is busy.
        limits: Limits {
            stall: Duration::from_millis(300),
            answer: Duration::from_secs(20),
            ..Limits::default()
        },
        report: Report::to(move |line| lines.lock().unwrap().push(line.to_string())),
    }
}

/// The tiny dataset with these sources.
pub(crate) fn tiny(sources: Vec<Source>) -> Dataset {
    let dataset = Manifest::parse(MANIFEST).unwrap().datasets.remove(0);
    Dataset { sources, ..dataset }
}

/// The names of everything in a folder.
pub(crate) fn names(folder: &Path) -> BTreeSet<String> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}
