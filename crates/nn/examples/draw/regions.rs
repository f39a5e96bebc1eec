//! A plane drawn with characters: which class a model gives to each place, and the samples on top.

use densely::{Dataset, Error, Model};

const COLUMNS: usize = 72;
const ROWS: usize = 24;

/// How places of class 0, 1 and 2 are drawn, and samples of these classes.
const PLACES: [char; 3] = [' ', '░', '▒'];
const SAMPLES: [char; 3] = ['o', 'x', '+'];

/// Draws the rectangle from `low` to `high`, corners of a plane, for a model with two inputs and at most three classes.
pub(super) fn draw(
    model: &Model<f32>,
    samples: &[([f64; 2], u32)],
    low: [f64; 2],
    high: [f64; 2],
) -> Result<String, Error> {
    // The middles of all cells, row by row from the top, are the samples of one batch.
    let middle = |axis: usize, share: f64| low[axis] + share * (high[axis] - low[axis]);
    let cells = (0..ROWS).flat_map(|row| (0..COLUMNS).map(move |column| (row, column)));
    let values = cells.flat_map(|(row, column)| {
        let x = middle(0, (column as f64 + 0.5) / COLUMNS as f64);
        let y = middle(1, 1.0 - (row as f64 + 0.5) / ROWS as f64);
        [x, y]
    });
    let classes = model.description().outputs();
    let plane = Dataset::from_floats(2, values.collect(), vec![0; ROWS * COLUMNS], classes)?;
    let mut picture: Vec<char> =
        model.predict(&plane)?.column_iter().map(|output| PLACES[output.imax()]).collect();

    for &([x, y], class) in samples {
        let share = |axis: usize, value: f64| (value - low[axis]) / (high[axis] - low[axis]);
        let column = (share(0, x) * COLUMNS as f64) as usize;
        let row = ((1.0 - share(1, y)) * ROWS as f64) as usize;
        if column < COLUMNS && row < ROWS {
            picture[row * COLUMNS + column] = SAMPLES[class as usize];
        }
    }
    let lines = picture.chunks(COLUMNS).map(|row| row.iter().collect::<String>().trim_end().to_owned());
    Ok(lines.collect::<Vec<_>>().join("\n"))
}
