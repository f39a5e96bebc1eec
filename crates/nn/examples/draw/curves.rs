//! Curves drawn with characters, one mark for each.

const COLUMNS: usize = 72;
const ROWS: usize = 16;

/// Draws curves over each other, each a mark and its finite points (x, y); a later one covers an earlier one. The largest
/// and the smallest y stand at the edge.
pub(super) fn draw(curves: &[(char, Vec<(f64, f64)>)]) -> String {
    let range = |value: fn(&(f64, f64)) -> f64| {
        let values = curves.iter().flat_map(|(_, points)| points).map(value);
        values
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)))
    };
    let ((left, right), (low, high)) = (range(|point| point.0), range(|point| point.1));
    let mut picture = [[' '; COLUMNS]; ROWS];
    for (mark, points) in curves {
        for (x, y) in points {
            let column = (x - left) / (right - left) * (COLUMNS - 1) as f64;
            let row = (high - y) / (high - low) * (ROWS - 1) as f64;
            picture[row.round() as usize][column.round() as usize] = *mark;
        }
    }
    let line = |(row, cells): (usize, &[char; COLUMNS])| {
        let edge = match row {
            0 => format!("{high:.3}"),
            _ if row == ROWS - 1 => format!("{low:.3}"),
            _ => String::new(),
        };
        format!("{edge:>8} │{}", cells.iter().collect::<String>().trim_end())
    };
    picture.iter().enumerate().map(line).collect::<Vec<_>>().join("\n")
}
