//! `history.svg`: accuracy, if there is any, and loss over the epochs.

use super::chart::{Area, BLUE, GRID, INK, LABEL_SIZE, ORANGE, TITLE_SIZE, letters, svg};
use crate::error::Error;
use densely::{Epoch, History};
use plotters::prelude::*;
use std::ops::Range;

const SIZE: (u32, u32) = (960, 400);

/// Points are marked as long as there are no more epochs than this.
const MARKED_EPOCHS: usize = 40;

/// One of the two charts.
struct Chart {
    title: &'static str,
    training: fn(&Epoch) -> Option<f64>,
    validation: fn(&Epoch) -> Option<f64>,
    label: fn(f64) -> String,
    /// Beyond which values the axis need not reach.
    bounds: Range<f64>,
}

/// The curves, or `None` if no epoch ran to its end.
pub(crate) fn history_svg(history: &History) -> Result<Option<String>, Error> {
    if history.epochs.is_empty() {
        return Ok(None);
    }
    let accuracy = Chart {
        title: "accuracy",
        training: |epoch| epoch.accuracy.map(|accuracy| 100.0 * accuracy),
        validation: |epoch| epoch.val_accuracy.map(|accuracy| 100.0 * accuracy),
        label: |percent| format!("{} %", (percent * 100.0).round() / 100.0),
        bounds: 0.0..100.0,
    };
    let loss = Chart {
        title: "loss",
        training: |epoch| Some(epoch.loss),
        validation: |epoch| epoch.val_loss,
        label: |loss| ((loss * 10_000.0).round() / 10_000.0).to_string(),
        bounds: 0.0..f64::INFINITY,
    };
    let charts = [accuracy, loss];
    let measured = |chart: &&Chart| {
        history.epochs.iter().any(|epoch| (chart.training)(epoch).or((chart.validation)(epoch)).is_some())
    };
    let charts: Vec<&Chart> = charts.iter().filter(measured).collect();
    let draw = |area: &Area<'_>| {
        let parts = area.split_evenly((1, charts.len()));
        for (part, chart) in parts.iter().zip(&charts) {
            chart.draw(part, &history.epochs)?;
        }
        Ok(())
    };
    svg("history.svg", SIZE, draw).map(Some)
}

impl Chart {
    fn draw(&self, area: &Area<'_>, epochs: &[Epoch]) -> Result<(), Box<dyn std::error::Error>> {
        let points = |value: fn(&Epoch) -> Option<f64>| -> Vec<(f64, f64)> {
            epochs.iter().filter_map(|epoch| Some((epoch.epoch as f64, value(epoch)?))).collect()
        };
        let curves =
            [(points(self.training), BLUE, "training"), (points(self.validation), ORANGE, "validation")];
        let values = curves.iter().flat_map(|(points, ..)| points.iter().map(|point| point.1));
        let (first, last) = (epochs[0].epoch as f64, epochs[epochs.len() - 1].epoch as f64);
        let margin = ((last - first) * 0.03).max(0.25);

        let mut chart = ChartBuilder::on(area)
            .caption(self.title, letters(TITLE_SIZE))
            .margin(14)
            .x_label_area_size(44)
            .y_label_area_size(66)
            .build_cartesian_2d(first - margin..last + margin, self.axis(values))?;
        chart
            .configure_mesh()
            .axis_style(INK)
            .bold_line_style(GRID)
            .light_line_style(TRANSPARENT)
            .label_style(letters(LABEL_SIZE))
            .axis_desc_style(letters(LABEL_SIZE))
            .x_desc("epoch")
            .x_labels(epochs.len().min(10))
            // Between two epochs there is nothing to label.
            .x_label_formatter(&|epoch| if epoch.fract() == 0.0 { epoch.to_string() } else { String::new() })
            .y_label_formatter(&|value| (self.label)(*value))
            .draw()?;
        for (points, colour, name) in curves.into_iter().filter(|(points, ..)| !points.is_empty()) {
            let marks = if epochs.len() <= MARKED_EPOCHS { points.clone() } else { Vec::new() };
            chart
                .draw_series(LineSeries::new(points, colour.stroke_width(2)))?
                .label(name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], colour.stroke_width(2)));
            chart.draw_series(marks.into_iter().map(|point| Circle::new(point, 3, colour.filled())))?;
        }
        chart
            .configure_series_labels()
            .label_font(letters(LABEL_SIZE))
            .background_style(WHITE.mix(0.85))
            .border_style(GRID)
            .position(if self.bounds.end.is_finite() {
                SeriesLabelPosition::LowerRight
            } else {
                SeriesLabelPosition::UpperRight
            })
            .draw()?;
        Ok(())
    }

    /// A range that holds all values, a little wider, within the bounds.
    fn axis(&self, values: impl Iterator<Item = f64>) -> Range<f64> {
        let (least, greatest) = values
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(least, greatest), value| {
                (least.min(value), greatest.max(value))
            });
        let margin = (0.06 * (greatest - least)).max(0.02 * greatest.abs()).max(1e-6);
        (least - margin).max(self.bounds.start)..(greatest + margin).min(self.bounds.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(epochs: usize) -> History {
        let epoch = |epoch: usize| Epoch {
            epoch,
            loss: 0.3 / epoch as f64,
            accuracy: Some(1.0 - 0.1 / epoch as f64),
            val_loss: Some(0.2),
            val_accuracy: Some(0.97),
            ..Epoch::default()
        };
        History { epochs: (1..=epochs).map(epoch).collect(), interrupted: false }
    }

    #[test]
    fn curves_are_labelled_and_no_epochs_are_no_picture() {
        assert!(history_svg(&history(0)).unwrap().is_none());
        for epochs in [1, 2, 20, 300] {
            let svg = history_svg(&history(epochs)).unwrap().unwrap();
            for text in ["accuracy", "loss", "training", "validation", "epoch"] {
                assert!(svg.contains(text), "{epochs}: {text}");
            }
            assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
        }
    }

    #[test]
    fn values_that_do_not_change_still_make_an_axis() {
        let mut flat = history(3);
        for epoch in &mut flat.epochs {
            *epoch = Epoch { epoch: epoch.epoch, val_loss: None, val_accuracy: None, ..Epoch::default() };
        }
        assert!(history_svg(&flat).unwrap().is_some());
    }
}
