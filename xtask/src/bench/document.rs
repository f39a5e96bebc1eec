//! A Markdown document with sections that the bench writes: whatever stands between a section's markers is replaced, and the
//! text around them is left to people.

use anyhow::{Result, bail};

/// The document with this section's text replaced, or the section appended where there is none yet.
///
/// # Errors
///
/// If a section begins and does not end.
pub(super) fn with_section(document: &str, name: &str, text: &str) -> Result<String> {
    let (begin, end) = (format!("<!-- cargo xtask bench: {name} -->"), format!("<!-- end of {name} -->"));
    let section = format!("{begin}\n{}\n{end}", text.trim());
    let Some((before, rest)) = document.split_once(&begin) else {
        let before = document.trim_end();
        let gap = if before.is_empty() { "" } else { "\n\n" };
        return Ok(format!("{before}{gap}{section}\n"));
    };
    let Some((_, after)) = rest.split_once(&end) else {
        bail!("the section {begin} does not end; expected {end} behind it");
    };
    Ok(format!("{before}{section}{after}"))
}

/// A Markdown table.
pub(super) struct Table {
    text: String,
}

impl Table {
    pub(super) fn new(columns: &[&str]) -> Self {
        let rule = vec!["---"; columns.len()];
        Self { text: format!("| {} |\n| {} |\n", columns.join(" | "), rule.join(" | ")) }
    }

    pub(super) fn row(&mut self, cells: &[String]) {
        self.text += &format!("| {} |\n", cells.join(" | "));
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }
}

/// 12345.6 as 12,346.
pub(super) fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_replaced_where_it_stands() {
        let one = with_section("# Figures\n", "speed", "fast\n").unwrap();
        assert_eq!(one, "# Figures\n\n<!-- cargo xtask bench: speed -->\nfast\n<!-- end of speed -->\n");
        let two = with_section(&format!("{one}\nmore\n"), "memory", "small").unwrap();
        let three = with_section(&two, "speed", "faster").unwrap();
        assert_eq!(three, two.replace("fast", "faster"));
        assert!(three.contains("\nmore\n") && three.contains("small"));
        assert_eq!(with_section("", "a", "b").unwrap().lines().count(), 3);
    }

    #[test]
    fn a_section_without_an_end_is_refused() {
        let document = "<!-- cargo xtask bench: speed -->\ntext that would be lost\n";
        assert!(with_section(document, "speed", "fast").is_err());
    }

    #[test]
    fn a_table_has_a_rule_below_its_columns() {
        let mut table = Table::new(&["", "images/s"]);
        table.row(&["densely".into(), "1".into()]);
        assert_eq!(table.text(), "|  | images/s |\n| --- | --- |\n| densely | 1 |\n");
    }

    #[test]
    fn digits_are_grouped_by_three() {
        for (number, text) in [(0.4, "0"), (999.0, "999"), (1000.0, "1,000"), (1_234_567.8, "1,234,568")] {
            assert_eq!(grouped(number), text);
        }
    }
}
