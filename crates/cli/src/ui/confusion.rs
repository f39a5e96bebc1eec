//! The confusion matrix as a table.

use crate::ui::style::Style;
use crate::ui::text::{grouped, percent, printable};
use densely::ConfusionMatrix;

/// The most classes that are shown as a table; with more, only what was confused most often is listed.
const MAX_TABLE_CLASSES: usize = 20;

/// How many confusions such a list has.
const LISTED: usize = 10;

/// The matrix with a row for each class and a column for each prediction. Zero is `·`. Classes with long names have their
/// number beside it, and only the number at the head of their column.
pub(crate) fn confusion_table(confusion: &ConfusionMatrix, names: &[String], style: Style) -> Vec<String> {
    let names: Vec<String> = (0..confusion.classes())
        .map(|class| names.get(class).map_or_else(|| class.to_string(), printable))
        .collect();
    if names.len() > MAX_TABLE_CLASSES { list(confusion, &names) } else { table(confusion, &names, style) }
}

fn table(confusion: &ConfusionMatrix, names: &[String], style: Style) -> Vec<String> {
    let classes = confusion.classes();
    let short = names.iter().all(|name| name.chars().count() <= 3);
    let number = |class: usize| if short { names[class].clone() } else { class.to_string() };
    let row_label = |class: usize| if short { number(class) } else { format!("{class}  {}", names[class]) };
    let label_width = (0..classes).map(|class| row_label(class).chars().count()).max().unwrap_or(0);
    let cells = |label: usize| (0..classes).map(move |predicted| confusion.count(label, predicted));
    let widest = (0..classes).flat_map(cells).max().unwrap_or(0);
    let width =
        grouped(widest).len().max((0..classes).map(|class| number(class).chars().count()).max().unwrap_or(0))
            + 1;

    let head: String = (0..classes).map(|class| format!("{:>width$}", number(class))).collect();
    let mut lines = vec![
        style.faint("confusion matrix: rows are true classes, columns what was predicted"),
        format!("{:label_width$}{}{:>9}", "", style.bold(head), style.faint("  correct")),
    ];
    for label in 0..classes {
        let row: String = cells(label)
            .enumerate()
            .map(|(predicted, count)| match count {
                0 => style.faint(format!("{:>width$}", "·")),
                _ if predicted == label => style.bold(format!("{:>width$}", grouped(count))),
                _ => format!("{:>width$}", grouped(count)),
            })
            .collect();
        let total: u64 = cells(label).sum();
        let correct = if total == 0 {
            String::from("–")
        } else {
            percent(confusion.count(label, label) as f64 / total as f64)
        };
        lines.push(format!(
            "{}{row}{}",
            style.bold(format!("{:<label_width$}", row_label(label))),
            style.faint(format!("{correct:>9}"))
        ));
    }
    lines
}

fn list(confusion: &ConfusionMatrix, names: &[String]) -> Vec<String> {
    let classes = confusion.classes();
    let mut confusions: Vec<(u64, usize, usize)> = (0..classes)
        .flat_map(|label| (0..classes).map(move |predicted| (label, predicted)))
        .filter(|(label, predicted)| label != predicted)
        .map(|(label, predicted)| (confusion.count(label, predicted), label, predicted))
        .filter(|&(count, ..)| count > 0)
        .collect();
    if confusions.is_empty() {
        return vec![format!("no confusion among {classes} classes")];
    }
    confusions.sort_by_key(|&(count, label, predicted)| (std::cmp::Reverse(count), label, predicted));
    confusions.truncate(LISTED);
    let mut lines = vec![format!("most often confused, of {classes} classes")];
    let width = grouped(confusions[0].0).len();
    lines.extend(confusions.iter().map(|&(count, label, predicted)| {
        format!("  {:>width$} ×  {} taken for {}", grouped(count), names[label], names[predicted])
    }));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn the_table_is_aligned_and_zero_is_a_dot() {
        let mut confusion = ConfusionMatrix::new(2).unwrap();
        (0..1200).for_each(|_| confusion.record(0, 0).unwrap());
        confusion.record(1, 0).unwrap();
        confusion.record(1, 1).unwrap();
        assert_eq!(
            confusion_table(&confusion, &names(&["0", "1"]), Style::Plain)[1..],
            ["      0     1  correct", "0 1,200     · 100.00 %", "1     1     1  50.00 %",]
        );
    }

    #[test]
    fn long_names_stand_in_the_rows_only() {
        let mut confusion = ConfusionMatrix::new(2).unwrap();
        confusion.record(0, 1).unwrap();
        assert_eq!(
            confusion_table(&confusion, &names(&["T-shirt/top", "Bag\u{1b}"]), Style::Plain)[1..],
            ["               0 1  correct", "0  T-shirt/top · 1   0.00 %", "1  Bag\\u{1b}   · ·        –",]
        );
    }

    #[test]
    fn many_classes_are_listed_by_what_was_confused() {
        let mut confusion = ConfusionMatrix::new(21).unwrap();
        assert_eq!(confusion_table(&confusion, &[], Style::Plain), ["no confusion among 21 classes"]);
        confusion.record(20, 3).unwrap();
        (0..12).for_each(|_| confusion.record(1, 2).unwrap());
        confusion.record(5, 5).unwrap();
        assert_eq!(
            confusion_table(&confusion, &[], Style::Plain),
            ["most often confused, of 21 classes", "  12 ×  1 taken for 2", "   1 ×  20 taken for 3"]
        );
    }
}
