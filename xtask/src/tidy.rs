//! `cargo xtask tidy`: the invariants of the workspace that no compiler checks.

mod crates;
mod links;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::manifest::Manifest;
use crate::workspace;

/// Which workspace crates each crate may use; `true` only behind a feature. Data flow down this table and nowhere else.
const MAY_USE: [(&str, &[(&str, bool)]); 6] = [
    ("densely-tensor", &[]),
    ("idx-dataset", &[]),
    ("densely", &[("densely-tensor", false), ("idx-dataset", true)]),
    ("densely-cli", &[("densely", false), ("idx-dataset", false)]),
    // Its tests run the Rust of the tutorial.
    ("xtask", &[("idx-dataset", false), ("densely", true)]),
    ("measure", &[("densely", false), ("idx-dataset", false)]),
];

/// The crates with unsafe code: SIMD kernels and the thread pool; memory maps, bytes borrowed as signed
/// ones, and advice about pages.
const MAY_BE_UNSAFE: &[&str] = &["densely-tensor", "idx-dataset"];

/// Files longer than this are to be split.
const MOST_LINES: usize = 600;

/// Where the network library reads and writes files.
const TOUCHES_FILES: &[&str] = &["saving", "data", "callbacks/csv_logger.rs"];

/// A clone should stay small.
const MOST_BYTES: u64 = 1 << 20;

/// Where each dependency says why it is there: a table whose first column is the crate's name.
const DEPENDENCIES: &str = "docs/dependencies.md";

/// Check the invariants: direction of dependencies and their number, unsafe code, file lengths and sizes, documented dependencies, links.
#[derive(clap::Args)]
pub struct Arguments {}

/// Carries out `cargo xtask tidy`.
///
/// # Errors
///
/// If something is untidy; each finding is a line of the message.
pub fn run(Arguments {}: Arguments) -> Result<()> {
    let root = workspace::root();
    let packages = packages(&root)?;
    let files = files(&root)?;
    let documented = fs::read_to_string(root.join(DEPENDENCIES)).unwrap_or_default();

    let mut findings = direction_of_dependencies(&packages);
    findings.extend(undocumented_dependencies(&packages, &documented));
    findings.extend(crates::too_many(&root)?);
    for package in &packages {
        for target in package.targets.iter().filter(|target| target.is_root_of_crate()) {
            let text = read(&target.src_path)?;
            findings.extend(unsafe_code(&package.name, &target.src_path, &text));
        }
    }
    let datasets = Manifest::read(&root.join("data/datasets.ron"))?.datasets;
    for path in &files {
        // A file that is in the index but not there was just removed.
        let Ok(metadata) = fs::metadata(root.join(path)) else { continue };
        findings.extend(too_large(path, metadata.len()));
        for dataset in &datasets {
            if path.starts_with(Path::new("data").join(&dataset.name)) {
                findings.push(format!("{}: datasets are downloaded, not committed", path.display()));
            }
        }
        if path.extension().is_some_and(|extension| extension == "md") {
            findings.extend(links::broken(&root, path, &read(&root.join(path))?));
        }
        let is_rust = path.extension().is_some_and(|extension| extension == "rs");
        if is_rust && (path.starts_with("crates") || path.starts_with("xtask")) {
            let text = read(&root.join(path))?;
            findings.extend(too_long(path, &text));
            findings.extend(file_system_and_network(path, &text));
        }
    }
    ensure!(findings.is_empty(), "{} findings\n  {}", findings.len(), findings.join("\n  "));
    println!("tidy: {} packages and {} files keep the invariants", packages.len(), files.len());
    Ok(())
}

/// A workspace member, as `cargo metadata` describes it.
#[derive(Deserialize)]
struct Package {
    name: String,
    dependencies: Vec<Dependency>,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    /// `None`, "dev" or "build".
    kind: Option<String>,
    optional: bool,
}

#[derive(Deserialize)]
struct Target {
    kind: Vec<String>,
    src_path: PathBuf,
}

impl Target {
    fn is_root_of_crate(&self) -> bool {
        self.kind.iter().any(|kind| matches!(&**kind, "lib" | "bin" | "cdylib" | "staticlib" | "rlib"))
    }
}

fn packages(root: &Path) -> Result<Vec<Package>> {
    /// The part of the answer that matters.
    #[derive(Deserialize)]
    struct Metadata {
        packages: Vec<Package>,
    }
    let mut cargo = workspace::cargo();
    let metadata = cargo.args(["metadata", "--no-deps", "--format-version=1"]).current_dir(root);
    let metadata: Metadata = serde_json::from_str(&workspace::output(metadata)?).context("cargo metadata")?;
    Ok(metadata.packages)
}

/// What is committed, or would be if everything were added.
fn files(root: &Path) -> Result<Vec<PathBuf>> {
    let mut git = Command::new("git");
    git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]).current_dir(root);
    let names = workspace::output(&mut git)?;
    Ok(names.split_terminator('\0').map(PathBuf::from).collect())
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

fn direction_of_dependencies(packages: &[Package]) -> Vec<String> {
    let mut findings = Vec::new();
    for package in packages {
        let Some((_, allowed)) = MAY_USE.iter().find(|(name, _)| *name == package.name) else {
            findings.push(format!(
                "{}: a new crate; say in xtask/src/tidy.rs which crates it may use",
                package.name
            ));
            continue;
        };
        for dependency in package.dependencies.iter().filter(|dependency| is_member(&dependency.name)) {
            let found = allowed.iter().find(|(name, _)| *name == dependency.name);
            let for_users = dependency.kind.as_deref() != Some("dev");
            match found {
                None => findings.push(format!("{} must not depend on {}", package.name, dependency.name)),
                Some((_, behind_feature)) if *behind_feature && for_users && !dependency.optional => {
                    findings
                        .push(format!("{} may use {} only behind a feature", package.name, dependency.name));
                }
                Some(_) => {}
            }
        }
    }
    findings
}

fn is_member(name: &str) -> bool {
    MAY_USE.iter().any(|(member, _)| *member == name)
}

fn undocumented_dependencies(packages: &[Package], documented: &str) -> Vec<String> {
    let rows = documented.lines().filter_map(|line| line.trim().strip_prefix('|')?.split('|').next());
    let names: Vec<&str> = rows.map(name_in_cell).collect();
    let mut missing: Vec<&str> = packages
        .iter()
        .flat_map(|package| &package.dependencies)
        .map(|dependency| &*dependency.name)
        .filter(|name| !is_member(name) && !names.contains(name))
        .collect();
    missing.sort_unstable();
    missing.dedup();
    missing.iter().map(|name| format!("{DEPENDENCIES}: no row says why {name} is there")).collect()
}

/// The name in `name`, [name](address) or a bare word.
fn name_in_cell(cell: &str) -> &str {
    let cell = cell.trim().trim_start_matches('[');
    cell.split(']').next().unwrap_or(cell).trim().trim_matches('`')
}

fn unsafe_code(package: &str, path: &Path, text: &str) -> Option<String> {
    let forbidden = text.lines().any(|line| line.trim() == "#![forbid(unsafe_code)]");
    (!forbidden && !MAY_BE_UNSAFE.contains(&package))
        .then(|| format!("{}: expected #![forbid(unsafe_code)]", path.display()))
}

fn too_large(path: &Path, bytes: u64) -> Option<String> {
    (bytes > MOST_BYTES).then(|| format!("{}: {bytes} bytes, expected at most {MOST_BYTES}", path.display()))
}

fn too_long(path: &Path, text: &str) -> Option<String> {
    let n_lines = text.lines().count();
    (n_lines > MOST_LINES)
        .then(|| format!("{}: {n_lines} lines, expected at most {MOST_LINES}", path.display()))
}

/// The network library opens no socket, and files only where it says so.
fn file_system_and_network(path: &Path, text: &str) -> Vec<String> {
    let Ok(inside) = path.strip_prefix("crates/nn/src") else { return Vec::new() };
    let mut findings = Vec::new();
    if text.contains("std::net") {
        findings.push(format!("{}: densely opens no socket", path.display()));
    }
    if text.contains("std::fs") && !TOUCHES_FILES.iter().any(|place| inside.starts_with(place)) {
        let places = TOUCHES_FILES.join(", ");
        findings.push(format!("{}: densely touches files only in {places}", path.display()));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, dependencies: &[(&str, Option<&str>, bool)]) -> Package {
        let dependencies = dependencies.iter().map(|(name, kind, optional)| Dependency {
            name: name.to_string(),
            kind: kind.map(String::from),
            optional: *optional,
        });
        Package { name: name.into(), dependencies: dependencies.collect(), targets: Vec::new() }
    }

    #[test]
    fn dependencies_point_in_one_direction() {
        for (name, uses, kind, optional, allowed) in [
            ("densely-tensor", "densely", None, false, false),
            ("densely-tensor", "idx-dataset", Some("dev"), false, false),
            ("idx-dataset", "densely-tensor", None, false, false),
            ("densely", "densely-tensor", None, false, true),
            ("densely", "idx-dataset", None, false, false),
            ("densely", "idx-dataset", None, true, true),
            ("densely", "idx-dataset", Some("dev"), false, true),
            ("densely", "densely-cli", Some("dev"), false, false),
            ("densely-cli", "densely", None, false, true),
            ("densely-cli", "densely-tensor", None, false, false),
            ("densely-tensor", "nalgebra", None, false, true),
            ("newcomer", "nalgebra", None, false, false),
        ] {
            let findings = direction_of_dependencies(&[package(name, &[(uses, kind, optional)])]);
            assert_eq!(
                findings.is_empty(),
                allowed,
                "{name} uses {uses} ({kind:?}, {optional}): {findings:?}"
            );
        }
    }

    #[test]
    fn every_dependency_needs_a_row() {
        let packages = [package(
            "xtask",
            &[("serde", None, false), ("ron", Some("dev"), false), ("idx-dataset", None, false)],
        )];
        for (table, missing) in [
            ("| crate | why |\n|---|---|\n| serde | a |\n| `ron` | b |\n", &[][..]),
            ("| [serde](https://docs.rs/serde) | a |\n| [`ron`](x) | b |", &[]),
            ("| `serde` | ron |\n ron", &["ron"]),
            ("| `serde_json` | serde |", &["ron", "serde"]),
            ("", &["ron", "serde"]),
        ] {
            let findings = undocumented_dependencies(&packages, table);
            let named =
                missing.iter().zip(&findings).all(|(name, finding)| finding.contains(&format!(" {name} ")));
            assert!(findings.len() == missing.len() && named, "{table:?}: {findings:?}");
        }
    }

    #[test]
    fn unsafe_code_is_forbidden_in_words() {
        let path = Path::new("lib.rs");
        assert!(unsafe_code("densely", path, "//! Doc.\n\n#![forbid(unsafe_code)]\n").is_none());
        assert!(
            unsafe_code("densely", path, "//! #![forbid(unsafe_code)]\n#![deny(unsafe_code)]\n").is_some()
        );
        assert!(unsafe_code("densely-tensor", path, "").is_none());
    }

    #[test]
    fn long_and_large_files_are_found() {
        let path = Path::new("file");
        assert!(too_long(path, &"\n".repeat(MOST_LINES)).is_none());
        assert!(too_long(path, &"\n".repeat(MOST_LINES + 1)).is_some());
        assert!(too_large(path, MOST_BYTES).is_none());
        assert!(too_large(path, MOST_BYTES + 1).is_some());
    }

    #[test]
    fn the_library_touches_files_only_where_it_says_so() {
        for (path, text, tidy) in [
            ("crates/nn/src/saving/model.rs", "use std::fs;", true),
            ("crates/nn/src/data/idx.rs", "use std::fs;", true),
            ("crates/nn/src/callbacks/csv_logger.rs", "use std::fs;", true),
            ("crates/nn/src/callbacks/mod.rs", "use std::fs;", false),
            ("crates/nn/src/model/mod.rs", "use std::fs;", false),
            ("crates/nn/src/model/mod.rs", "use std::path::Path;", true),
            ("crates/nn/src/saving/model.rs", "use std::net::TcpStream;", false),
            ("crates/cli/src/main.rs", "use std::fs;", true),
        ] {
            assert_eq!(file_system_and_network(Path::new(path), text).is_empty(), tidy, "{path}: {text}");
        }
    }
}
