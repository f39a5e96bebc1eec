//! Package clients that deliver, fail, hang, or are not there. They are small shell scripts on the command's own path.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::command::{Xtask, check};
use crate::fixture::{gzip, images, labels};

const NPM: &str = r#"Npm(package: "tiny-data@1.0.0", folder: "package/data")"#;
const APT: &str = r#"Apt(package: "dataset-tiny", folder: "usr/share/tiny")"#;

/// Installs a script as `name` for this command.
pub(crate) fn install(folder: &Path, name: &str, script: &str) {
    let path = folder.join("bin").join(name);
    // The script's own path is the system's; only ours is empty.
    fs::write(&path, format!("#!/bin/sh\nPATH=/usr/bin:/bin\nROOT={}\n{script}\n", folder.display()))
        .unwrap();
    fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
}

/// An archive as `npm pack` makes it.
fn npm_archive(path: &Path, files: &[(&str, &[u8])]) {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, name, *content).unwrap();
    }
    fs::write(path, gzip(&archive.into_inner().unwrap())).unwrap();
}

#[test]
fn a_client_that_is_not_installed_is_one_more_failed_source() {
    let mut download = Xtask::download(&format!("{NPM}, {APT}"));
    let started = Instant::now();
    let (status, said) = download.run();
    assert_eq!(status, Some(1), "{said}");
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
    assert!(said.contains("\n  npm pack tiny-data@1.0.0: npm is not installed\n"), "{said}");
    assert!(said.contains("\n  apt-get download dataset-tiny: apt-get is not installed\n"), "{said}");
}

#[test]
fn npm_packages_are_read_and_verified() {
    let (images, labels) = (images(), labels());
    let packed = gzip(&images);
    let mut download = Xtask::download(NPM);
    npm_archive(
        &download.path().join("package.tgz"),
        &[
            ("package/package.json", b"{}"),
            ("package/images", b"not this one"),
            ("package/data/images.gz", &packed),
            ("package/data/labels", &labels),
        ],
    );
    install(
        download.path(),
        "npm",
        "[ \"$1 $2\" = 'pack tiny-data@1.0.0' ] && cp $ROOT/package.tgz tiny-data-1.0.0.tgz",
    );
    let (status, said) = download.run();
    assert_eq!(status, Some(0), "{said}");
    check(&download.data());
}

#[test]
fn a_wrong_npm_package_stores_nothing_and_says_why() {
    let mut flipped = images();
    flipped[7] ^= 1;
    let labels = labels();
    for (files, reason) in [
        (&[("package/data/images", &flipped[..])][..], "images has SHA-256"),
        (&[("package/data/images", b"short")], "images ends after 5 of 29,000 bytes"),
        (&[("package/other/images", &labels)], "the package holds no package/data/images"),
        (&[], "the package holds no package/data/images"),
    ] {
        let mut download = Xtask::download(NPM);
        npm_archive(&download.path().join("package.tgz"), files);
        install(download.path(), "npm", "cp $ROOT/package.tgz .");
        let (status, said) = download.run();
        assert_eq!(status, Some(1), "{said}");
        assert!(said.contains(reason), "{reason}: {said}");
        assert!(!download.data().exists(), "the folder was made for nothing");
    }
    for (script, reason) in [
        ("head -c 1000 /dev/urandom > package.tgz", "the package cannot be read"),
        ("exit 0", "the client left no .tgz file"),
        ("echo 'npm error code E404' >&2; exit 1", "npm failed (exit status: 1): code E404"),
        ("kill -9 $$", "npm failed (signal: 9 (SIGKILL))"),
    ] {
        let mut download = Xtask::download(NPM);
        install(download.path(), "npm", script);
        let (status, said) = download.run();
        assert_eq!(status, Some(1), "{said}");
        assert!(said.contains(reason), "{reason}: {said}");
        assert!(!download.data().exists(), "the folder was made for nothing");
    }
}

/// A client whose list of packages is empty at first, and an unpacker of its packages.
fn install_apt(folder: &Path, deliver: &str) {
    fs::write(folder.join("images.gz"), gzip(&images())).unwrap();
    fs::write(folder.join("labels.gz"), gzip(&labels())).unwrap();
    let updated = "case \"$*\" in *' update') touch $ROOT/updated; exit 0;; esac\n\
        [ -e $ROOT/updated ] || { echo 'E: Unable to locate package dataset-tiny' >&2; exit 100; }\n";
    install(folder, "apt-get", &format!("{updated}{deliver}"));
    install(
        folder,
        "dpkg-deb",
        "[ \"$1\" = -x ] && mkdir -p $3/usr/share/tiny && cp $ROOT/*.gz $3/usr/share/tiny/",
    );
}

#[test]
fn debian_packages_are_unpacked_and_verified_and_lists_fetched_if_there_are_none() {
    let mut download = Xtask::download(APT);
    install_apt(download.path(), "echo package > dataset-tiny_1_all.deb");
    let (status, said) = download.run();
    assert_eq!(status, Some(0), "{said}");
    check(&download.data());
}

#[test]
fn a_failing_apt_says_why() {
    let mut download = Xtask::download(APT);
    install_apt(download.path(), "echo 'W: whatever' >&2; echo 'E: Failed to fetch it' >&2; exit 100");
    let (status, said) = download.run();
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("apt-get failed (exit status: 100): E: Failed to fetch it"), "{said}");
    assert!(!download.data().exists(), "the folder was made for nothing");
}

#[test]
fn with_every_source_out_of_reach_it_fails_within_10_seconds() {
    // The worst network: packets vanish. The proxy takes connections and never answers; both clients hang.
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    let mirrors =
        r#"Mirror("https://one.invalid/"), Mirror("https://two.invalid/"), Mirror("https://three.invalid/")"#;
    let mut download = Xtask::download(&format!("{mirrors}, {NPM}, {APT}"));
    download.command.env("ALL_PROXY", format!("http://{}", proxy.local_addr().unwrap()));
    for client in ["npm", "apt-get"] {
        install(download.path(), client, "exec sleep 60");
    }
    let started = Instant::now();
    let (status, said) = download.run();
    let elapsed = started.elapsed();
    assert_eq!(status, Some(1), "{said}");
    assert!(elapsed < Duration::from_secs(10), "{elapsed:?}: {said}");
    for source in ["https://one.invalid/", "https://two.invalid/", "https://three.invalid/"] {
        assert!(said.contains(&format!("\n  {source}: no answer within 4s\n")), "{said}");
    }
    for source in ["npm pack tiny-data@1.0.0: npm", "apt-get download dataset-tiny: apt-get"] {
        assert!(said.contains(&format!("\n  {source} received nothing for 2.5 s\n")), "{said}");
    }
    assert!(said.contains(&format!("into {}", download.data().display())), "{said}");
    assert!(!download.data().exists(), "the folder was made for nothing");
}
