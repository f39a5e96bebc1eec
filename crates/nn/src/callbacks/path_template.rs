//! File names with an epoch and its values in them, written as Python's format strings are.

use super::training::Run;
use crate::error::Error;

/// A text with placeholders: `model-{epoch:02}-{val_loss:.3f}.safetensors`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct PathTemplate(Vec<Piece>);

#[derive(Clone, Debug, PartialEq)]
enum Piece {
    Text(String),
    /// A whole number: `epoch` or `batch`.
    Count {
        name: String,
        width: usize,
        zeros: bool,
    },
    /// Another value, with its digits behind the point; `None` for as many as it takes.
    Value {
        name: String,
        decimals: Option<usize>,
    },
}

/// What stands where a value was not measured.
const MISSING: &str = "none";

/// The most digits that may be asked for.
const MAX_DIGITS: usize = 64;

/// The names of whole numbers.
const COUNTS: [&str; 2] = ["epoch", "batch"];

impl PathTemplate {
    /// Reads `{name}`, `{epoch:02d}` (width 2, filled with zeros) and `{val_loss:.3f}` (3 digits behind the point), the
    /// final letter being optional; `{{` and `}}` stand for braces.
    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        let wrong = |problem| Error::PathTemplate { template: text.to_owned(), problem };
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(place) = rest.find(['{', '}']) {
            let brace = &rest[place..=place];
            plain.push_str(&rest[..place]);
            rest = &rest[place + 1..];
            if let Some(after) = rest.strip_prefix(brace) {
                plain.push_str(brace);
                rest = after;
                continue;
            }
            if brace == "}" {
                return Err(wrong("a `}` without its `{`; a brace in a name is written twice"));
            }
            let Some((inside, after)) = rest.split_once('}') else {
                return Err(wrong("a `{` without its `}`; a brace in a name is written twice"));
            };
            pieces.push(Piece::Text(std::mem::take(&mut plain)));
            pieces.push(placeholder(inside).map_err(wrong)?);
            rest = after;
        }
        pieces.push(Piece::Text(plain + rest));
        Ok(Self(pieces))
    }

    /// Checks that the run has every value that is named.
    pub(super) fn validate(&self, callback: &'static str, run: &Run) -> Result<(), Error> {
        self.0.iter().try_for_each(|piece| match piece {
            Piece::Value { name, .. } => run.validate_value(callback, name),
            Piece::Text(_) | Piece::Count { .. } => Ok(()),
        })
    }

    /// The text for an epoch and, where it is saved within one, a batch.
    pub(super) fn fill(&self, epoch: usize, batch: usize, value: impl Fn(&str) -> Option<f64>) -> String {
        let piece = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Count { name, width, zeros } => {
                let count = if name == "batch" { batch } else { epoch };
                if *zeros { format!("{count:0width$}") } else { format!("{count:width$}") }
            }
            Piece::Value { name, decimals } => match (value(name), decimals) {
                (None, _) => MISSING.to_owned(),
                (Some(value), None) => value.to_string(),
                (Some(value), Some(decimals)) => format!("{value:.decimals$}"),
            },
        };
        self.0.iter().map(piece).collect()
    }
}

fn placeholder(inside: &str) -> Result<Piece, &'static str> {
    let (name, format) = inside.split_once(':').unwrap_or((inside, ""));
    let name = name.to_owned();
    if COUNTS.contains(&name.as_str()) {
        let format = format.strip_suffix('d').unwrap_or(format);
        let zeros = format.starts_with('0');
        let width = number(format).ok_or("expected a width for a whole number, such as `{epoch:02}`")?;
        return Ok(Piece::Count { name, width, zeros });
    }
    let format = format.strip_suffix('f').unwrap_or(format);
    let decimals = match format.strip_prefix('.') {
        Some(digits) if !digits.is_empty() => Some(number(digits).ok_or(DECIMALS)?),
        None if format.is_empty() => None,
        _ => return Err(DECIMALS),
    };
    Ok(Piece::Value { name, decimals })
}

const DECIMALS: &str = "expected a number of digits behind the point, such as `{val_loss:.3}`";

/// A number of digits; 0 if there are none.
fn number(digits: &str) -> Option<usize> {
    if digits.is_empty() {
        return Some(0);
    }
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|number| plain && *number <= MAX_DIGITS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(template: &str) -> String {
        let template = PathTemplate::parse(template).expect(template);
        template.fill(7, 12, |name| match name {
            "val_loss" => Some(0.123456),
            "loss" => Some(-2.5),
            _ => None,
        })
    }

    #[test]
    fn placeholders_are_those_of_python() {
        for (template, expected) in [
            ("model", "model"),
            ("", ""),
            ("{epoch}", "7"),
            ("{epoch:02d}-{epoch:03}-{epoch:3d}-{epoch:d}", "07-007-  7-7"),
            ("weights.{epoch:02d}-{val_loss:.2f}.keras", "weights.07-0.12.keras"),
            ("{val_loss}_{loss:.0f}_{loss:.3}_{loss:f}", "0.123456_-2_-2.500_-2.5"),
            ("{batch:05}", "00012"),
            ("{{{epoch}}}", "{7}"),
            ("é{epoch}ß", "é7ß"),
            ("{val_accuracy:.3f}", "none"),
        ] {
            assert_eq!(fill(template), expected, "{template}");
        }
    }

    #[test]
    fn what_is_no_template_is_refused() {
        for (template, problem) in [
            ("{epoch", "a `{` without its `}`"),
            ("epoch}", "a `}` without its `{`"),
            ("{epoch:.2f}", "expected a width"),
            ("{epoch:999}", "expected a width"),
            ("{epoch:+2}", "expected a width"),
            ("{loss:02d}", "expected a number of digits"),
            ("{loss:.}", "expected a number of digits"),
            ("{loss:.1e}", "expected a number of digits"),
            ("{loss:.999}", "expected a number of digits"),
        ] {
            let error = PathTemplate::parse(template).unwrap_err().to_string();
            assert!(error.contains(problem) && error.contains(template), "{template}: {error}");
        }
    }

    #[test]
    fn a_name_that_is_no_value_is_refused_with_the_nearest() {
        let run = Run { values: vec!["loss".into(), "val_loss".into()], ..Run::default() };
        let template = PathTemplate::parse("{epoch}-{batch}-{val_los:.2}").unwrap();
        assert_eq!(
            template.validate("ModelCheckpoint", &run).unwrap_err().to_string(),
            "ModelCheckpoint: no value is named val_los, expected one of loss, val_loss; did you mean `val_loss`?"
        );
        let known = PathTemplate::parse("{epoch}-{batch}-{val_loss:.2}").unwrap();
        assert!(known.validate("ModelCheckpoint", &run).is_ok());
    }
}
