//! What callbacks remember, on its way into a backup and out of it.

use super::training::Weights;
use crate::error::Error;
use crate::text::{from_ron, to_named_ron_line};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// What a callback remembers, so that a [backup](crate::callbacks::BackupAndRestore) can give it back to one of the same
/// settings.
#[derive(Clone, Debug, Default)]
pub struct CallbackState {
    /// In the callback's own words. Numbers that are printed with `{:?}` are read back exactly.
    pub text: String,
    /// Parameters that it has copied from the model with [`AnyModel::weights`](super::AnyModel::weights).
    pub weights: Option<Weights>,
}

impl CallbackState {
    /// Of a value as RON.
    pub(super) fn of<V: Serialize>(value: &V) -> Self {
        Self { text: to_named_ron_line(value), weights: None }
    }

    /// The value in the text.
    pub(super) fn read<V: DeserializeOwned>(&self) -> Result<V, Error> {
        from_ron(&self.text)
    }
}
