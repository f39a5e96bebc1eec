//! RON, the text form of descriptions: one set of options for all that is read and written, and errors that name the
//! field.

use crate::error::{DescriptionError, Error};
use ron::Options;
use ron::extensions::Extensions;
use ron::ser::PrettyConfig;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// How deep the reader may go; a network takes it about a dozen levels down. Deeper texts are refused before they could
/// overflow the stack.
const MAX_DEPTH: usize = 64;

/// Reads a value from RON with the extensions `unwrap_variant_newtypes` and `implicit_some`, so that a layer reads
/// `Dense(units: 512)` and an optional number is written as the number.
///
/// ```
/// # use densely::{Adam, Optimizer, text::from_ron};
/// let optimizer: Optimizer = from_ron("Adam(learning_rate: 0.01)")?;
/// assert_eq!(optimizer, Adam::new(0.01).into());
///
/// let error = from_ron::<Optimizer>("Adam(learning_rat: 0.01)").unwrap_err();
/// assert!(error.to_string().ends_with("did you mean `learning_rate`?"));
/// # Ok::<(), densely::Error>(())
/// ```
///
/// # Errors
///
/// [`DescriptionError::Ron`] with line, column, the path of the field, and the nearest name for a misspelt one.
pub fn from_ron<V: DeserializeOwned>(text: &str) -> Result<V, Error> {
    let whole_text = |error: ron::error::SpannedError| describe(error, String::new());
    let mut reader = ron::Deserializer::from_str_with_options(text, &options()).map_err(whole_text)?;
    let value = match serde_path_to_error::deserialize(&mut reader) {
        Ok(value) => value,
        Err(error) => {
            let field = error.path().to_string();
            return Err(describe(reader.span_error(error.into_inner()), field));
        }
    };
    let end = reader.end();
    end.map_err(|error| whole_text(reader.span_error(error)))?;
    Ok(value)
}

/// Writes a value as RON over several lines, to be read by [`from_ron`].
///
/// # Errors
///
/// [`DescriptionError::Unwritable`] if the value is nested deeper than 64 levels, or cannot be text: a path that is not UTF-8.
pub fn to_ron<V: Serialize>(value: &V) -> Result<String, Error> {
    write(value, PrettyConfig::new().struct_names(true))
}

/// Writes a value as RON over several lines, but each list in one: a list of a number for each of many features would take
/// twice the room.
///
/// # Errors
///
/// As [`to_ron`].
pub(crate) fn to_ron_with_short_lists<V: Serialize>(value: &V) -> Result<String, Error> {
    write(value, PrettyConfig::new().struct_names(true).compact_arrays(true))
}

fn write<V: Serialize>(value: &V, style: PrettyConfig) -> Result<String, Error> {
    let unwritable = |error| DescriptionError::Unwritable { message: message(&error) };
    options().to_string_pretty(value, style).map_err(|error| unwritable(error).into())
}

/// Writes a value as RON in one line, for a message: `LeakyRelu(negative_slope: 0.1)`.
///
/// # Panics
///
/// If the value is nested deeper than 64 levels or has a path in it: it is for activations, losses and metrics, which are
/// and have neither.
pub(crate) fn to_ron_line<V: Serialize>(value: &V) -> String {
    options()
        .to_string_pretty(value, PrettyConfig::new().compact_structs(true).separator(" "))
        .expect("activations, losses and metrics are shallow and can always be written")
}

/// The same with the value's name before it, by which a reader tells it from others: what a callback remembers.
///
/// # Panics
///
/// As [`to_ron_line`], but for a path that is UTF-8.
pub(crate) fn to_named_ron_line<V: Serialize>(value: &V) -> String {
    options()
        .to_string_pretty(value, PrettyConfig::new().struct_names(true).compact_structs(true).separator(" "))
        .expect("activations, losses and metrics are shallow and can always be written")
}

fn options() -> Options {
    Options::default()
        .with_default_extension(Extensions::UNWRAP_VARIANT_NEWTYPES | Extensions::IMPLICIT_SOME)
        .with_recursion_limit(MAX_DEPTH)
}

fn describe(error: ron::error::SpannedError, field: String) -> Error {
    let nearest = match &error.code {
        ron::Error::NoSuchEnumVariant { expected, found, .. }
        | ron::Error::NoSuchStructField { expected, found, .. } => nearest(found, expected),
        _ => None,
    };
    // The format's reader names a field that it could not begin to read `?`, and the whole text `.`.
    let field = field.trim_end_matches('?').trim_end_matches('.').to_owned();
    let start = error.span.start;
    DescriptionError::Ron {
        line: start.line,
        column: start.col,
        field,
        message: message(&error.code),
        nearest,
    }
    .into()
}

/// The line and column up to which a text could be read.
pub(crate) fn how_far(error: &Error) -> Option<(usize, usize)> {
    match error {
        Error::Description(DescriptionError::Ron { line, column, .. }) => Some((*line, *column)),
        _ => None,
    }
}

/// The reader's message, in the words of someone who writes a recipe.
fn message(error: &ron::Error) -> String {
    use ron::Error as Ron;
    match error {
        Ron::MissingStructField { field, .. } => format!("field `{field}` is missing"),
        Ron::DuplicateStructField { field, .. } => format!("field `{field}` is given twice"),
        Ron::ExpectedInteger | Ron::InvalidIntegerDigit { .. } => "expected a whole number".to_owned(),
        Ron::IntegerOutOfBounds => "the whole number is out of range, expected 0 or more".to_owned(),
        Ron::ExpectedFloat => "expected a number".to_owned(),
        Ron::ExpectedBoolean => "expected true or false".to_owned(),
        Ron::ExpectedStructLike => "expected `(`, fields, and `)`".to_owned(),
        Ron::ExceededRecursionLimit => "nested too deeply".to_owned(),
        other => lower_case_first(&other.to_string()),
    }
}

/// The name most like `found`, if it takes few enough changes to be a slip: a third of its letters, and two in any case, but
/// not every letter.
pub(crate) fn nearest<'n>(found: &str, names: &[&'n str]) -> Option<&'n str> {
    let distance = |name: &str| strsim::damerau_levenshtein(&name.to_lowercase(), &found.to_lowercase());
    let nearest = names.iter().copied().min_by_key(|name| distance(name))?;
    let changes = distance(nearest);
    let some_are_left = changes < nearest.chars().count().max(found.chars().count());
    (some_are_left && changes <= (nearest.len() / 3).max(2)).then_some(nearest)
}

fn lower_case_first(message: &str) -> String {
    let mut letters = message.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_has_something_in_common() {
        let names = ["a", "units", "species"];
        for (found, expected) in [
            ("unit", Some("units")),
            ("Spceies", Some("species")),
            ("b", None),
            ("ab", Some("a")),
            ("depth", None),
        ] {
            assert_eq!(nearest(found, &names), expected, "{found}");
        }
    }
}
