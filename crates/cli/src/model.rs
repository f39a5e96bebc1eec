//! Models as commands take them: a run's folder, or the file in it.

use crate::error::Error;
use densely::{Model, Pool};
use std::path::{Path, PathBuf};

/// The name of a model's file in the folder of its run.
pub(crate) const MODEL_FILE: &str = "model.safetensors";

/// Reads the model.
pub(crate) fn load(model: &Path, pool: Pool) -> Result<Model<f32>, Error> {
    Ok(Model::load(file_of(model)?, pool)?)
}

/// So many threads, or as many as the environment says.
pub(crate) fn pool(threads: Option<usize>) -> Result<Pool, Error> {
    let pool = Pool::from_environment()?;
    Ok(match threads {
        Some(threads) if threads != pool.threads() => Pool::with_isa(threads, pool.isa())?,
        _ => pool,
    })
}

fn file_of(model: &Path) -> Result<PathBuf, Error> {
    if !model.is_dir() {
        return Ok(model.to_owned());
    }
    let file = model.join(MODEL_FILE);
    if file.is_file() { Ok(file) } else { Err(Error::NoModelInFolder { path: model.to_owned() }) }
}
