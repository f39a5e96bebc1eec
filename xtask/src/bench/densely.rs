//! Ours: the program in `xtask/measure`.

use anyhow::Result;

use super::contender::{Contender, OURS};
use crate::workspace;

/// Builds it.
pub(super) fn contender() -> Result<Contender> {
    let program = workspace::build(&["build", "--release", "--package=measure"])?;
    Ok(Contender::new(OURS, program))
}
