//! `cargo xtask download` and `train` as they are typed: arguments and environment in, messages, status and files out.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use crate::fixture::{MANIFEST, images, labels, names, sound};
#[cfg(unix)]
use crate::packages::install;
use crate::server::Server;

/// The command in a folder of its own, set up so that it reaches nothing but this machine.
pub(crate) struct Xtask {
    folder: TempDir,
    pub(crate) command: Command,
}

impl Xtask {
    pub(crate) fn new(task: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("bin")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command.arg(task).current_dir(folder.path()).stdin(Stdio::null());
        command.env("DENSELY_DATA", folder.path().join("data")).env("PATH", folder.path().join("bin"));
        // Nothing listens at port 1, so that nothing outside this machine is reached.
        command.env("ALL_PROXY", "http://127.0.0.1:1").env_remove("NO_PROXY").env_remove("no_proxy");
        Self { folder, command }
    }

    /// A download of the tiny dataset; `sources` in the manifest's form.
    pub(crate) fn download(sources: &str) -> Self {
        let mut download = Self::new("download");
        let manifest = download.path().join("datasets.ron");
        fs::write(&manifest, MANIFEST.replace("sources: []", &format!("sources: [{sources}]"))).unwrap();
        download.command.arg("--manifest").arg(manifest);
        download
    }

    pub(crate) fn args(&mut self, arguments: &[&str]) -> &mut Self {
        self.command.args(arguments);
        self
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.path().join("data/tiny")
    }

    /// The status, and everything that was said.
    pub(crate) fn run(&mut self) -> (Option<i32>, String) {
        described(self.command.output().unwrap())
    }
}

fn described(output: Output) -> (Option<i32>, String) {
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(text).unwrap())
}

#[track_caller]
pub(crate) fn check(folder: &Path) {
    assert!(fs::read(folder.join("images")).unwrap() == images());
    assert!(fs::read(folder.join("labels")).unwrap() == labels());
    assert_eq!(names(folder), ["images", "labels", ".lock"].map(String::from).into());
}

#[test]
fn a_download_ends_with_0_and_a_second_finds_everything_there() {
    let server = Server::start(sound);
    for name in [&["tiny"][..], &["all"], &[]] {
        let mut download = Xtask::download(&format!("Mirror({:?})", server.address()));
        let (status, said) = download.args(name).run();
        assert_eq!(status, Some(0), "{said}");
        check(&download.data());
        let n_requests = server.requests().len();
        let (status, said) = download.run();
        assert_eq!((status, server.requests().len()), (Some(0), n_requests), "{said}");
        assert!(said.contains("intact"), "{said}");
    }
}

#[test]
fn densely_data_moves_the_folder_and_may_be_relative() {
    let server = Server::start(sound);
    for variable in ["elsewhere", "./a/b/../c"] {
        let mut download = Xtask::download(&format!("Mirror({:?})", server.address()));
        download.command.env("DENSELY_DATA", variable);
        let (status, said) = download.run();
        assert_eq!(status, Some(0), "{said}");
        check(&download.path().join(variable).join("tiny"));
        assert!(!download.path().join("data").exists());
    }
}

#[test]
fn two_processes_at_once_fetch_each_file_once() {
    let server = Server::start(|path| {
        thread::sleep(Duration::from_millis(300));
        sound(path)
    });
    let mut download = Xtask::download(&format!("Mirror({:?})", server.address()));
    download.command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let processes = [download.command.spawn().unwrap(), download.command.spawn().unwrap()];
    let outputs = processes.map(|process| described(process.wait_with_output().unwrap()));
    assert!(outputs.iter().all(|(status, _)| *status == Some(0)), "{outputs:?}");
    let waited = outputs.iter().filter(|(_, said)| said.contains("another download is at work")).count();
    assert_eq!((waited, server.requests().len()), (1, 2), "{outputs:?}");
    check(&download.data());
}

#[test]
fn an_extra_source_is_an_address_or_a_folder() {
    let server = Server::start(sound);
    let without_slash = server.address().trim_end_matches('/').to_string();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("images"), images()).unwrap();
    fs::write(folder.path().join("labels"), labels()).unwrap();
    for source in [server.address(), without_slash, folder.path().display().to_string()] {
        let mut download = Xtask::download("");
        let (status, said) = download.args(&["--source", &source]).run();
        assert_eq!(status, Some(0), "{said}");
        check(&download.data());
    }
}

#[test]
fn usage_errors_end_with_2_and_failures_with_1() {
    for (arguments, status, expected) in [
        (&["letters"][..], 2, "unknown dataset \"letters\"; expected tiny or all"),
        (&["--source", "ftp://host/"], 2, "ftp://host/"),
        (&["--fast"], 2, "--fast"),
        (&["tiny", "tiny"], 2, "tiny"),
        (&["tiny"], 1, "2 files are missing"),
    ] {
        let mut download = Xtask::download("");
        let (found, said) = download.args(arguments).run();
        assert_eq!(found, Some(status), "{arguments:?}: {said}");
        assert!(said.contains(expected), "{arguments:?}: {said}");
    }
    let (status, said) = Xtask::new("download").args(&["--manifest", "nowhere.ron"]).run();
    assert!(status == Some(1) && said.contains("nowhere.ron"), "{said}");
    let (status, said) = Xtask::new("train").args(&["--source", "ftp://host/"]).run();
    assert!(status == Some(2) && said.contains("ftp://host/"), "{said}");
}

/// Installs a `cargo` whose build takes no time, and the `densely` that it says it has built: it refuses `--epochs 0` and
/// would say that it trains.
#[cfg(unix)]
fn install_build(train: &mut Xtask) {
    let binary = train.path().join("bin/densely");
    install(train.path(), "cargo", &format!(r#"echo '{{"executable": "{}"}}'"#, binary.display()));
    let densely = r#"case "$*" in
        *"--epochs 0"*) echo "0 is refused" >&2; exit 2 ;;
        *--help) ;;
        *) echo "trained with $*" ;;
    esac"#;
    install(train.path(), "densely", densely);
    train.command.env("CARGO", train.path().join("bin/cargo"));
}

#[cfg(unix)]
#[test]
fn flags_that_the_binary_refuses_fail_before_anything_is_downloaded() {
    for flags in [&["--epochs", "0"][..], &["--", "--epochs", "0"], &["--dataset", "mnist", "--epochs", "0"]]
    {
        let mut train = Xtask::new("train");
        install_build(&mut train);
        let (status, said) = train.args(flags).run();
        assert_eq!((status, &*said), (Some(2), "0 is refused\n"), "{flags:?}");
        assert!(!train.path().join("data").exists());
    }
    let mut train = Xtask::new("train");
    install_build(&mut train);
    let (status, said) = train.args(&["--", "--epochs", "2", "--dataset", "mnist-sample"]).run();
    assert_eq!((status, &*said), (Some(0), "trained with train --epochs 2 --dataset mnist-sample\n"));
}

#[cfg(unix)]
#[test]
fn a_dataset_that_was_asked_for_is_never_replaced_by_the_sample() {
    // The committed manifest: its mirrors are behind a proxy that is not there, and there is no package client.
    let mut fashion = Xtask::new("train");
    install_build(&mut fashion);
    let recipe = fashion.path().join("recipe.ron");
    fs::write(&recipe, "Recipe(data: \"mnist\")").unwrap();
    let recipe = recipe.display().to_string();
    for flags in
        [&["--dataset", "fashion-mnist"][..], &["--epochs=1", "--dataset=mnist"], &["--recipe", &recipe]]
    {
        let mut train = Xtask::new("train");
        install_build(&mut train);
        let (status, said) = train.args(flags).run();
        assert_eq!(status, Some(1), "{flags:?}: {said}");
        assert!(said.contains("4 files are missing, and no source delivered"), "{flags:?}: {said}");
        assert!(!said.contains("sample") && !said.contains("trained"), "{flags:?}: {said}");
    }
    let (status, said) = fashion.args(&["--offline", "--dataset", "fashion-mnist"]).run();
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("4 files are missing, and with --offline nothing is downloaded\n"), "{said}");
    assert!(said.contains("leave out --offline") && !said.contains("https://"), "{said}");
}
