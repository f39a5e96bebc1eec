//! The sweeps as a picture: a column for each, images a second above and the share of the dense roofline below.

use anyhow::Result;
use plotters::prelude::*;

use super::sweeps::Point;
use crate::drawing::{Area, GRID, INK, LABEL_SIZE, OURS, TITLE_SIZE, centred, drawing, letters};

const WIDTH: u32 = 1380;
const HEIGHT: u32 = 720;
const TITLE_HEIGHT: u32 = 50;

/// A sweep's points, ascending.
pub(super) struct Line {
    pub(super) name: &'static str,
    pub(super) points: Vec<Point>,
}

/// All sweeps as SVG.
///
/// # Errors
///
/// If nothing can be drawn.
pub(super) fn picture(title: &str, lines: &[Line]) -> Result<String> {
    let mut text = String::new();
    {
        let all = SVGBackend::with_string(&mut text, (WIDTH, HEIGHT)).into_drawing_area();
        all.fill(&WHITE).map_err(drawing)?;
        let (head, body) = all.split_vertically(TITLE_HEIGHT);
        head.draw_text(title, &letters(TITLE_SIZE), (20, 14)).map_err(drawing)?;
        let rates = lines.iter().flat_map(|line| &line.points).map(|point| point.rate.median);
        let (least, most) =
            rates.fold((f64::MAX, 0.0_f64), |(least, most), rate| (least.min(rate), most.max(rate)));
        let best = lines.iter().flat_map(|line| &line.points).map(|point| point.share).fold(1.0, f64::max);
        let areas = body.split_evenly((2, lines.len()));
        let (above, below) = areas.split_at(lines.len());
        for (line, (above, below)) in lines.iter().zip(above.iter().zip(below)) {
            let rates = |point: &Point| (point.rate.median, point.rate.least, point.rate.most);
            let vertical = (least / 2.0..most * 2.0).log_scale();
            chart(above, line, "images/s", vertical, rates, |rate| super::document::grouped(*rate))?;
            let shares = |point: &Point| {
                let by = point.share / point.rate.median;
                (point.share, by * point.rate.least, by * point.rate.most)
            };
            let percent = |share: &f64| format!("{:.0} %", 100.0 * share);
            chart(below, line, "share of the dense roofline", 0.0..best * 1.1, shares, percent)?;
        }
        all.present().map_err(drawing)?;
    }
    Ok(text)
}

/// Pixels between labels below the points, at least.
const LABEL_DISTANCE: i32 = 40;

/// One chart: the median as a line, the range as bars.
fn chart<Y>(
    area: &Area<'_>,
    line: &Line,
    name: &str,
    vertical: Y,
    values: impl Fn(&Point) -> (f64, f64, f64),
    label: impl Fn(&f64) -> String,
) -> Result<()>
where
    Y: plotters::coord::ranged1d::AsRangedCoord<Value = f64>,
    Y::CoordDescType: plotters::coord::ranged1d::ValueFormatter<f64>,
{
    let ends = line.points.first().zip(line.points.last());
    let (first, last) = ends.map_or((1.0, 2.0), |(first, last)| (first.value as f64, last.value as f64));
    let mut chart = ChartBuilder::on(&area.margin(10, 10, 10, 20))
        .x_label_area_size(46)
        .y_label_area_size(74)
        .build_cartesian_2d((first / 1.2..last * 1.2).log_scale(), vertical)
        .map_err(drawing)?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(GRID)
        .axis_style(INK)
        .label_style(letters(LABEL_SIZE))
        .disable_x_mesh()
        .x_labels(0)
        .x_label_formatter(&|_| String::new())
        .x_desc(line.name)
        .y_desc(name)
        .y_label_formatter(&label)
        .draw()
        .map_err(drawing)?;
    let medians = line.points.iter().map(|point| (point.value as f64, values(point).0));
    chart
        .draw_series([PathElement::new(medians.collect::<Vec<_>>(), OURS.stroke_width(2))])
        .map_err(drawing)?;
    let (origin, bottom) = (area.get_base_pixel(), area.dim_in_pixel().1 as i32 - 20 - 46);
    let mut free_from = 0;
    for point in &line.points {
        let (x, _) = chart.backend_coord(&(point.value as f64, values(point).0));
        let x = x - origin.0;
        if x >= free_from {
            let value = super::document::grouped(point.value as f64);
            area.draw_text(&value, &centred(LABEL_SIZE), (x, bottom + 34)).map_err(drawing)?;
            free_from = x + LABEL_DISTANCE;
        }
        let (x, (median, least, most)) = (point.value as f64, values(point));
        let range = PathElement::new(vec![(x, least), (x, most)], OURS.stroke_width(1));
        chart.draw_series([range]).map_err(drawing)?;
        chart.draw_series([Circle::new((x, median), 4, OURS.filled())]).map_err(drawing)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::Figure;

    #[test]
    fn a_picture_names_every_sweep() {
        let point = |value, rate| {
            let rate = Figure::new(vec![rate, rate * 1.1]).unwrap();
            Point { value, rate, share: 0.5 }
        };
        let line = |name| Line { name, points: vec![point(1, 100.0), point(8192, 50_000.0)] };
        let text = picture("densely", &[line("batch size"), line("width")]).unwrap();
        for shown in ["batch size", "width", "densely", "images/s", "share of the dense roofline", "</svg>"] {
            assert!(text.contains(shown), "{shown}");
        }
    }
}
