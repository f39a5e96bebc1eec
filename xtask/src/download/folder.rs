//! A folder of this machine as a source.

use std::fs;
use std::io;
use std::path::Path;

use super::error::Reason;
use super::store::Destination;

/// Stores everything that is missing from NAME or NAME.gz in `folder`.
pub(super) fn fetch(folder: &Path, destination: &mut Destination<'_, '_>) -> Result<(), Reason> {
    if !folder.is_dir() {
        return Err(Reason::Source("no such folder".into()));
    }
    for file in destination.missing.clone() {
        let content = open(&folder.join(&file.name))
            .and_then(|plain| {
                if plain.is_some() { Ok(plain) } else { open(&folder.join(format!("{}.gz", file.name))) }
            })?
            .ok_or_else(|| Reason::Source(format!("holds neither {0} nor {0}.gz", file.name)))?;
        destination.store(file, content)?;
    }
    Ok(())
}

/// `None` if there is no such file.
fn open(path: &Path) -> Result<Option<fs::File>, Reason> {
    match fs::File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Reason::Source(format!("cannot read {}: {error}", path.display()))),
    }
}
