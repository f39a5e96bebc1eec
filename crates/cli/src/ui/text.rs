//! Numbers and names as people read them.

use std::fmt::Display;

/// A number with a comma before every three digits from the right.
pub(crate) fn grouped(number: impl TryInto<u64>) -> String {
    let digits = number.try_into().unwrap_or(u64::MAX).to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// How many of something: `1 item`, `3,000 items`.
pub(crate) fn counted(number: usize, noun: &str) -> String {
    format!("{} {noun}{}", grouped(number), if number == 1 { "" } else { "s" })
}

/// A share between 0 and 1 as `98.21 %`. Only what is 100 % is shown as 100 %.
pub(crate) fn percent(share: f64) -> String {
    let percent = 100.0 * share;
    let shown = if share < 1.0 { percent.min(99.99) } else { percent };
    format!("{shown:.2} %")
}

/// A duration: `0.8 s`, `42 s`, `3 min 5 s`, `2 h 10 min`.
pub(crate) fn seconds(seconds: f64) -> String {
    let whole = seconds.round().max(0.0) as u64;
    match whole {
        _ if seconds < 9.95 => format!("{:.1} s", seconds.max(0.0)),
        0..60 => format!("{whole} s"),
        60..3600 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
    }
}

/// A size in decimal units: `812 bytes`, `47.0 MB`.
pub(crate) fn file_size(bytes: u64) -> String {
    let mut size = bytes as f64;
    let mut unit = "bytes";
    for larger in ["kB", "MB", "GB", "TB"] {
        if size < 999.5 {
            break;
        }
        size /= 1000.0;
        unit = larger;
    }
    if unit == "bytes" { format!("{bytes} bytes") } else { format!("{size:.1} {unit}") }
}

/// Text from a file or a flag, safe to show: control characters and those that turn the direction of writing are
/// escaped, so that a name cannot move the cursor or look like another one.
pub(crate) fn printable(text: impl Display) -> String {
    let mut shown = String::new();
    for character in text.to_string().chars() {
        match character {
            '\u{200e}'
            | '\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
            | '\u{2028}'
            | '\u{2029}' => {
                shown.extend(character.escape_unicode());
            }
            _ if character.is_control() => shown.extend(character.escape_default()),
            _ => shown.push(character),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_three_digits() {
        for (number, text) in [(0_u64, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn only_all_is_a_hundred_percent() {
        for (share, text) in
            [(0.0, "0.00 %"), (0.98214, "98.21 %"), (0.999_999, "99.99 %"), (1.0, "100.00 %")]
        {
            assert_eq!(percent(share), text);
        }
    }

    #[test]
    fn durations_and_sizes_keep_few_digits() {
        for (duration, text) in [
            (0.04, "0.0 s"),
            (9.94, "9.9 s"),
            (9.96, "10 s"),
            (59.7, "1 min 0 s"),
            (185.0, "3 min 5 s"),
            (7800.0, "2 h 10 min"),
        ] {
            assert_eq!(seconds(duration), text);
        }
        for (bytes, text) in [(0, "0 bytes"), (999, "999 bytes"), (1000, "1.0 kB"), (47_040_016, "47.0 MB")] {
            assert_eq!(file_size(bytes), text);
        }
    }

    #[test]
    fn names_cannot_control_the_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\n\u{202e}c ü 数"), "a\\u{1b}[2Jb\\n\\u{202e}c ü 数");
    }
}
