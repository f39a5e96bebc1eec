//! Predictions as CSV: one line a sample.

use super::Prediction;
use std::borrow::Cow;

/// The lines, the first of which names the columns: `class` and, where outputs are probabilities, `probability`; or the
/// targets that are numbers. With several files each line begins with the `file`.
pub(super) fn lines(predictions: &[Prediction], targets: &[String], several_files: bool) -> Vec<String> {
    let has_probabilities = predictions.iter().any(|prediction| prediction.probabilities.is_some());
    let mut names: Vec<&str> = if several_files { vec!["file"] } else { Vec::new() };
    match targets {
        [] if has_probabilities => names.extend(["class", "probability"]),
        [] => names.push("class"),
        targets => names.extend(targets.iter().map(String::as_str)),
    }
    let header = line(names.into_iter().map(Cow::from));
    let rows = predictions.iter().map(|prediction| {
        let file = several_files.then(|| Cow::from(prediction.file.as_str()));
        let class = prediction.label.as_deref().map(Cow::from);
        let numbers: Vec<f32> = match (&prediction.label, &prediction.probabilities, &prediction.outputs) {
            (Some(_), Some(probabilities), _) => vec![probabilities.iter().copied().fold(0.0, f32::max)],
            (None, _, Some(outputs)) => outputs.clone(),
            _ => Vec::new(),
        };
        line(file.into_iter().chain(class).chain(numbers.into_iter().map(|number| number.to_string().into())))
    });
    std::iter::once(header).chain(rows).collect()
}

fn line<'a>(cells: impl Iterator<Item = Cow<'a, str>>) -> String {
    cells.map(|cell| quoted(&cell).into_owned()).collect::<Vec<_>>().join(",")
}

/// A cell as RFC 4180 has it.
fn quoted(cell: &str) -> Cow<'_, str> {
    if cell.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\"")).into()
    } else {
        cell.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_break_a_cell_is_quoted() {
        let prediction = Prediction {
            file: "a,b.csv".to_owned(),
            item: 0,
            class: Some(1),
            label: Some("say \"x\"".to_owned()),
            probabilities: Some(vec![0.25, 0.75]),
            outputs: None,
        };
        assert_eq!(
            lines(&[prediction], &[], true),
            ["file,class,probability", "\"a,b.csv\",\"say \"\"x\"\"\",0.75"]
        );
    }

    #[test]
    fn numbers_stand_under_their_targets() {
        let outputs = Some(vec![1.5, -2.0]);
        let prediction = Prediction {
            file: String::new(),
            item: 0,
            class: None,
            label: None,
            probabilities: None,
            outputs,
        };
        let targets = ["x".to_owned(), "y".to_owned()];
        assert_eq!(lines(&[prediction], &targets, false), ["x,y", "1.5,-2"]);
    }
}
