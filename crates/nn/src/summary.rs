//! The table that Keras users know from `model.summary()`.

use crate::sequential::Sequential;
use std::fmt;

/// A network as a table: one row a layer, and the totals. `Display` prints it as Keras 3 does.
///
/// ```
/// # use densely::{Activation, Dense, Dropout, Sequential};
/// let summary = Sequential::new(784)
///     .add(Dense::new(512).activation(Activation::Relu))
///     .add(Dropout::new(0.2))
///     .add(Dense::new(512).activation(Activation::Relu))
///     .add(Dropout::new(0.2))
///     .add(Dense::new(10).activation(Activation::Softmax))
///     .summary();
/// assert_eq!(summary.trainable, 669_706);
/// assert!(summary.to_string().contains(" Total params: 669,706 (2.55 MB)"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The layers from input to output.
    pub rows: Vec<SummaryRow>,
    /// How many parameters training changes.
    pub trainable: usize,
    /// How many parameters training leaves alone.
    pub non_trainable: usize,
    /// The size of a parameter: 4 (single precision) unless set otherwise.
    pub bytes_per_parameter: usize,
}

/// One layer of a [`Summary`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SummaryRow {
    /// The layer's name, such as `dense_1`.
    pub name: String,
    /// Its kind, such as `Dense`.
    pub kind: String,
    /// How many values per sample it puts out; printed as `(None, 512)`, where `None` stands for the batch.
    pub outputs: usize,
    /// How many parameters it has.
    pub parameters: usize,
}

impl Summary {
    /// The summary of a network, valid or not.
    pub(crate) fn of(network: &Sequential) -> Self {
        let mut rows: Vec<SummaryRow> = Vec::new();
        let (mut trainable, mut non_trainable) = (0_usize, 0_usize);
        for placed in network.walk() {
            let description = placed.layer.description();
            if placed.depth == 0 {
                let (name, kind) = (placed.name, description.kind().to_owned());
                rows.push(SummaryRow {
                    name,
                    kind,
                    outputs: description.outputs(placed.inputs),
                    parameters: 0,
                });
            }
            for weight in description.weights(placed.inputs) {
                let count = weight.shape.count();
                let total = if weight.trainable { &mut trainable } else { &mut non_trainable };
                *total = total.saturating_add(count);
                // A layer in a block counts for the block.
                if let Some(row) = rows.last_mut() {
                    row.parameters = row.parameters.saturating_add(count);
                }
            }
        }
        Self { rows, trainable, non_trainable, bytes_per_parameter: 4 }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cells: Vec<[String; 3]> = self
            .rows
            .iter()
            .map(|row| {
                let layer = format!("{} ({})", row.name, row.kind);
                [layer, format!("(None, {})", row.outputs), grouped(row.parameters)]
            })
            .collect();
        // Keras's widths, wider where a cell needs it.
        let mut widths = [31, 22, 13];
        for row in &cells {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let [layer, shape, count] = widths;
        let rule = |left: &str, line: &str, middle: &str, right: &str| {
            let parts = widths.map(|width| line.repeat(width + 2));
            format!("{left}{}{right}", parts.join(middle))
        };

        writeln!(formatter, "Model: \"sequential\"")?;
        writeln!(formatter, "{}", rule("┏", "━", "┳", "┓"))?;
        writeln!(
            formatter,
            "┃ {:<layer$} ┃ {:<shape$} ┃ {:>count$} ┃",
            "Layer (type)", "Output Shape", "Param #"
        )?;
        writeln!(formatter, "{}", rule("┡", "━", "╇", "┩"))?;
        for (position, [name, outputs, parameters]) in cells.iter().enumerate() {
            if position > 0 {
                writeln!(formatter, "{}", rule("├", "─", "┼", "┤"))?;
            }
            writeln!(formatter, "│ {name:<layer$} │ {outputs:<shape$} │ {parameters:>count$} │")?;
        }
        writeln!(formatter, "{}", rule("└", "─", "┴", "┘"))?;
        let total = self.trainable.saturating_add(self.non_trainable);
        writeln!(formatter, " Total params: {}", self.sized(total))?;
        writeln!(formatter, " Trainable params: {}", self.sized(self.trainable))?;
        write!(formatter, " Non-trainable params: {}", self.sized(self.non_trainable))
    }
}

impl Summary {
    fn sized(&self, parameters: usize) -> String {
        format!("{} ({})", grouped(parameters), memory(parameters.saturating_mul(self.bytes_per_parameter)))
    }
}

/// The number with a comma before every three digits from the right.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A size in the largest unit of 1024 steps that leaves at least 1, as Keras writes it.
fn memory(bytes: usize) -> String {
    let mut size = bytes as f64;
    let mut unit = "B";
    for larger in ["KB", "MB", "GB", "TB"] {
        if size < 1024.0 {
            break;
        }
        size /= 1024.0;
        unit = larger;
    }
    format!("{size:.2} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::{Dense, Dropout};

    /// Printed by Keras 3.15.1: `keras.Sequential([keras.Input((784,)), Dense(512), Dropout(0.2), Dense(10)]).summary()`.
    #[test]
    fn prints_what_keras_prints() {
        let network = Sequential::new(784).add(Dense::new(512)).add(Dropout::new(0.2)).add(Dense::new(10));
        let expected = "\
Model: \"sequential\"
┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━┓
┃ Layer (type)                    ┃ Output Shape           ┃       Param # ┃
┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━┩
│ dense (Dense)                   │ (None, 512)            │       401,920 │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│ dropout (Dropout)               │ (None, 512)            │             0 │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│ dense_1 (Dense)                 │ (None, 10)             │         5,130 │
└─────────────────────────────────┴────────────────────────┴───────────────┘
 Total params: 407,050 (1.55 MB)
 Trainable params: 407,050 (1.55 MB)
 Non-trainable params: 0 (0.00 B)";
        assert_eq!(network.summary().to_string(), expected);
    }

    #[test]
    fn wide_cells_widen_their_column() {
        let text = Sequential::new(1).add(Dense::new(usize::MAX)).summary().to_string();
        let widths: Vec<usize> = text.lines().skip(1).take(5).map(|line| line.chars().count()).collect();
        assert!(widths.iter().all(|width| *width == widths[0]), "{text}");
    }

    #[test]
    fn sizes_are_written_in_the_unit_that_fits() {
        for (bytes, text) in [(0, "0.00 B"), (1023, "1023.00 B"), (1024, "1.00 KB"), (5 << 30, "5.00 GB")] {
            assert_eq!(memory(bytes), text);
        }
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), text);
        }
    }
}
