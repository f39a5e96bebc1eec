//! Room for counts of as many classes or outputs as somebody asks for.

use crate::error::Error;

/// So many copies of a value.
///
/// # Errors
///
/// [`Error::Memory`], which calls them `what`, if there is not enough.
pub(super) fn filled<V: Clone>(value: V, count: usize, what: &'static str) -> Result<Vec<V>, Error> {
    let mut values = Vec::new();
    values.try_reserve_exact(count).map_err(|_| Error::Memory { what })?;
    values.resize(count, value);
    Ok(values)
}
