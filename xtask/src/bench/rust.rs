//! Peers in Rust, a workspace of their own: built on request, as that takes minutes.

use std::path::PathBuf;

use anyhow::{Context, Result};

use super::Peer;
use super::contender::{Contender, Missing};
use crate::workspace;

/// The contenders among `wanted`, and those that are missing. What is not built yet is built if `build`.
pub(super) fn find(wanted: &[Peer], build: bool) -> (Vec<Contender>, Vec<Missing>) {
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for peer in wanted.iter().copied().filter(|peer| matches!(peer, Peer::Burn | Peer::Candle)) {
        match contender(peer, build) {
            Ok(Some(contender)) => found.push(contender),
            Ok(None) => missing.push(Missing::new(peer.name(), "not built; --build-peers does that")),
            Err(error) => missing.push(Missing::new(peer.name(), format!("{error:#}"))),
        }
    }
    (found, missing)
}

fn contender(peer: Peer, build: bool) -> Result<Option<Contender>> {
    let (package, library, form) = match peer {
        Peer::Burn => ("burn-peer", "burn", ", flex"),
        _ => ("candle-peer", "candle-core", ""),
    };
    let target = workspace::root().join("target/peers");
    let program = target.join("release").join(package).with_extension(std::env::consts::EXE_EXTENSION);
    if build {
        let mut cargo = workspace::cargo();
        cargo.args(["build", "--release", "--package", package, "--manifest-path"]).arg(manifest());
        workspace::run(cargo.arg("--target-dir").arg(target))?;
    }
    if !program.exists() {
        return Ok(None);
    }
    let mut cargo = workspace::cargo();
    cargo.args(["tree", "--offline", "--depth=1", "--prefix=none", "--package", package, "--manifest-path"]);
    let tree = workspace::output(cargo.arg(manifest()))?;
    let version = version_of(library, &tree).with_context(|| format!("cargo tree names no {library}"))?;
    let contender = Contender::new(format!("{} {version}{form}", peer.name()), program);
    let mut contender = contender.with_smaller_weights();
    contender.slow = true;
    Ok(Some(contender))
}

fn manifest() -> PathBuf {
    workspace::root().join("xtask/peers/rust/Cargo.toml")
}

/// The version in cargo's line of a package, such as `burn v0.22.1`.
fn version_of<'a>(package: &str, tree: &'a str) -> Option<&'a str> {
    tree.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        words.next().filter(|&name| name == package)?;
        words.next()?.strip_prefix('v')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_those_of_the_package_itself() {
        let tree =
            "burn-peer v0.1.0 (/somewhere)\nburn-core v0.1.2\nburn v0.22.1\ntask v0.1.0 (/somewhere)\n";
        assert_eq!(version_of("burn", tree), Some("0.22.1"));
        assert_eq!(version_of("candle-core", tree), None);
    }
}
