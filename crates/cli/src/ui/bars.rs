//! Bars made of blocks, an eighth of a column fine.

const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/// A bar for a share between 0 and 1, `columns` wide with the blanks that follow it.
pub(crate) fn bar(share: f64, columns: usize) -> String {
    let eighths = (share.clamp(0.0, 1.0) * 8.0 * columns as f64).round() as usize;
    let (full, rest) = (eighths / 8, eighths % 8);
    let blanks = columns - full - usize::from(rest > 0);
    format!("{}{}{}", "█".repeat(full), EIGHTHS[rest], " ".repeat(blanks))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_keep_their_width() {
        for (share, text) in
            [(0.0, "    "), (0.02, "▏   "), (0.5, "██  "), (0.6, "██▍ "), (1.0, "████"), (7.0, "████")]
        {
            assert_eq!(bar(share, 4), text, "{share}");
        }
        assert_eq!(bar(f64::NAN, 2), "  ");
    }
}
