//! How many crates come with the network library.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Result;

use super::is_member;
use crate::workspace;

/// The crates that `densely` may bring from elsewhere, by default and on Linux for x86-64: whoever depends on it takes in, and
/// trusts, all of them.
const MOST_CRATES: usize = 60;

/// A finding if `densely` brings more crates than it may. By the lock file, without asking a registry for newer ones.
pub(super) fn too_many(root: &Path) -> Result<Option<String>> {
    let mut cargo = workspace::cargo();
    cargo.args(["tree", "--locked", "--package=densely", "--edges=normal", "--prefix=none"]);
    cargo.args(["--target=x86_64-unknown-linux-gnu", "--format={p}"]).current_dir(root);
    let tree = workspace::output(&mut cargo)?;
    let found = external(&tree).len();
    Ok((found > MOST_CRATES).then(|| {
        format!(
            "densely brings {found} crates from elsewhere, expected at most {MOST_CRATES}: see `cargo tree`"
        )
    }))
}

/// Name and version of each crate of a tree that is no member of the workspace.
fn external(tree: &str) -> BTreeSet<(&str, &str)> {
    let crates = tree.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        Some((words.next()?, words.next()?))
    });
    crates.filter(|(name, _)| !is_member(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_counts_once_for_each_version_and_members_not_at_all() {
        let tree = "densely v0.1.0 (/somewhere/crates/nn)\ndensely-tensor v0.1.0 (/somewhere/crates/tensor)\nlibm v0.2.15\n\
                    ron v0.12.0\nserde v1.0.0\nserde_derive v1.0.0 (proc-macro)\nserde v1.0.0 (*)\nlibm v0.1.4\n\n";
        let found: Vec<String> =
            external(tree).into_iter().map(|(name, version)| format!("{name} {version}")).collect();
        assert_eq!(
            found,
            ["libm v0.1.4", "libm v0.2.15", "ron v0.12.0", "serde v1.0.0", "serde_derive v1.0.0"]
        );
    }
}
