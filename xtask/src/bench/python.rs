//! Peers in Python: whatever the given interpreter has.

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::Peer;
use super::contender::{Contender, Missing};
use crate::workspace;

/// Prints the versions of the modules that are there, without importing them, which would take seconds.
const VERSIONS: &str = "import importlib.metadata as metadata, json
versions = {}
for module in ('numpy', 'torch', 'jax', 'keras', 'tensorflow'):
    try:
        versions[module] = metadata.version(module)
    except metadata.PackageNotFoundError:
        pass
print(json.dumps(versions))";

/// What Keras computes with, the fastest first.
const BACKENDS: [(&str, &str); 3] = [("jax", "JAX"), ("tensorflow", "TensorFlow"), ("torch", "PyTorch")];

/// The contenders among `wanted`, and those that are missing.
pub(super) fn find(python: &Path, wanted: &[Peer]) -> (Vec<Contender>, Vec<Missing>) {
    match versions(python) {
        Ok(versions) => contenders(python, wanted, &versions),
        Err(error) => (Vec::new(), vec![Missing::new("peers in Python", format!("{error:#}"))]),
    }
}

fn versions(python: &Path) -> Result<HashMap<String, String>> {
    let text = workspace::output(Command::new(python).args(["-c", VERSIONS]))?;
    serde_json::from_str(&text).context("versions of Python's modules")
}

fn contenders(
    python: &Path,
    wanted: &[Peer],
    versions: &HashMap<String, String>,
) -> (Vec<Contender>, Vec<Missing>) {
    let scripts = workspace::root().join("xtask/peers/python");
    let script = |name: String, file: &str, arguments: &[&str]| {
        Contender::new(name, python).arguments([scripts.join(file)]).more_arguments(arguments)
    };
    let has = |module: &str| versions.get(module).filter(|_| versions.contains_key("numpy"));
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for peer in wanted {
        let contender = match peer {
            Peer::Pytorch => has("torch").map(|version| {
                script(format!("PyTorch {version}, eager"), "torch_mlp.py", &[]).with_smaller_weights()
            }),
            Peer::Compiled => has("torch").map(|version| {
                let name = format!("PyTorch {version}, compiled");
                script(name, "torch_mlp.py", &["compile"]).with_smaller_weights()
            }),
            Peer::Jax => has("jax").map(|version| script(format!("JAX {version}"), "jax_mlp.py", &[])),
            Peer::Keras => {
                let backend = BACKENDS.iter().find(|(module, _)| has(module).is_some());
                has("keras").zip(backend).map(|(version, (module, backend))| {
                    script(format!("Keras {version} on {backend}"), "keras_mlp.py", &[module])
                })
            }
            Peer::None | Peer::Burn | Peer::Candle => continue,
        };
        match contender {
            Some(contender) => found.push(contender),
            None => {
                let why = format!("{} has not all of its modules", python.display());
                missing.push(Missing::new(peer.name(), why));
            }
        }
    }
    (found, missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(modules: &[(&str, &str)]) -> (Vec<String>, usize) {
        let versions =
            modules.iter().map(|(name, version)| (name.to_string(), version.to_string())).collect();
        let wanted = [Peer::Pytorch, Peer::Compiled, Peer::Jax, Peer::Keras, Peer::Burn];
        let (found, missing) = contenders(Path::new("python3"), &wanted, &versions);
        (found.into_iter().map(|contender| contender.name).collect(), missing.len())
    }

    #[test]
    fn peers_are_those_whose_modules_are_there() {
        let all = [("numpy", "2"), ("torch", "2.1"), ("jax", "0.4"), ("keras", "3.5")];
        assert_eq!(
            found(&all).0,
            ["PyTorch 2.1, eager", "PyTorch 2.1, compiled", "JAX 0.4", "Keras 3.5 on JAX"]
        );
        assert_eq!(
            found(&[("numpy", "2"), ("tensorflow", "2"), ("keras", "3")]).0,
            ["Keras 3 on TensorFlow"]
        );
        assert_eq!(found(&all[..2]), (vec!["PyTorch 2.1, eager".into(), "PyTorch 2.1, compiled".into()], 2));
        assert_eq!(found(&all[1..]), (vec![], 4), "none works without NumPy");
        assert_eq!(found(&[("numpy", "2"), ("keras", "3")]).1, 4, "Keras needs a backend");
    }
}
