//! Folders of this machine as sources.

use std::fs;

use xtask::manifest::Source;

use crate::fixture::{Fixture, gzip, images, labels, mirror, names, sound, tiny};
use crate::server::Server;

#[test]
fn a_folder_holds_files_plain_or_as_gzip() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("images.gz"), gzip(&images())).unwrap();
    fs::write(folder.path().join("labels"), labels()).unwrap();
    let before = names(folder.path());
    let mut fixture = Fixture::new();
    fixture.downloader.sources = vec![Source::Folder(folder.path().into())];
    fixture.downloader.offline = true;
    fixture.downloader.download(&tiny(vec![])).unwrap();
    fixture.check(&[]);
    assert_eq!(names(folder.path()), before, "a source is only read");
}

#[test]
fn a_folder_without_the_right_files_is_one_more_failed_source() {
    let server = Server::start(sound);
    let empty = tempfile::tempdir().unwrap();
    let wrong = tempfile::tempdir().unwrap();
    fs::write(wrong.path().join("images"), "other images").unwrap();
    for (folder, reason) in [
        (empty.path().to_path_buf(), "holds neither images nor images.gz"),
        (wrong.path().to_path_buf(), "images ends after 12 of 29,000 bytes"),
        (wrong.path().join("images"), "no such folder"),
        (empty.path().join("missing"), "no such folder"),
    ] {
        let mut fixture = Fixture::new();
        fixture.downloader.sources = vec![Source::Folder(folder.clone())];
        fixture.downloader.download(&tiny(vec![mirror(&server)])).unwrap();
        fixture.check(&[]);
        assert!(fixture.said().contains(&format!("{}: {reason}", folder.display())), "{}", fixture.said());
    }
}
