//! The report as a picture: for each number of threads the roofs with our products and the best peers' below them, and bars
//! of what share of the peak each reaches.

use anyhow::Result;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::lines::Unit;
use super::report::{Contender, Kernel, Report};
use crate::drawing::{Area, GRID, INK, LABEL_SIZE, OURS, PEER, TITLE_SIZE, centred, drawing, letters};
use crate::figure::rounded;

const WIDTH: u32 = 1480;
const ROOFS_WIDTH: u32 = 700;
/// Height of one report: at least that of the chart of roofs.
const LEAST_HEIGHT: u32 = 560;
const HEIGHT_OF_ROW: u32 = 44;
/// Pixels above and below the bars.
const BARS_MARGIN: u32 = 100;
const BARS_LABELS: u32 = 290;

/// Ours with operands that are not packed ahead.
const PLAIN: RGBColor = RGBColor(86, 180, 233);
const ROOF: RGBColor = RGBColor(120, 120, 120);

/// Operations a byte, and GFLOP/s from this share of the peak on, that the chart of roofs shows.
const INTENSITIES: std::ops::Range<f64> = 0.25..1000.0;
const LEAST_SHARE: f64 = 0.005;

/// All reports, one below the other, as SVG. Kernels counted in elements and the sweep are left to the table.
///
/// # Errors
///
/// If nothing can be drawn.
pub(super) fn picture(reports: &[Report]) -> Result<String> {
    let kernels: Vec<Vec<&Kernel>> = reports.iter().map(shown).collect();
    let heights: Vec<u32> = kernels
        .iter()
        .map(|kernels| LEAST_HEIGHT.max(BARS_MARGIN + HEIGHT_OF_ROW * kernels.len() as u32))
        .collect();
    let mut text = String::new();
    {
        let mut rest = SVGBackend::with_string(&mut text, (WIDTH, heights.iter().sum())).into_drawing_area();
        rest.fill(&WHITE).map_err(drawing)?;
        for ((report, kernels), height) in reports.iter().zip(&kernels).zip(heights) {
            let (this, below) = rest.split_vertically(height);
            let (left, right) = this.split_horizontally(ROOFS_WIDTH);
            roofs(&left, report, kernels)?;
            bars(&right, kernels)?;
            rest = below;
        }
        rest.present().map_err(drawing)?;
    }
    Ok(text)
}

fn shown(report: &Report) -> Vec<&Kernel> {
    report.kernels.iter().filter(|kernel| kernel.unit == Unit::Flops && kernel.group != "sweep").collect()
}

/// Arithmetic intensity against rate, both logarithmic.
fn roofs(area: &Area<'_>, report: &Report, kernels: &[&Kernel]) -> Result<()> {
    let peak = report.peak.upper;
    let plural = if report.threads == 1 { "" } else { "s" };
    let title =
        format!("Roofs of this machine: {}, {} thread{plural}, single precision", report.isa, report.threads);
    area.draw_text(&title, &letters(TITLE_SIZE), (20, 14)).map_err(drawing)?;
    let reading = report.levels.iter().map(|level| format!("{} {:.0}", level.name, level.bandwidth()));
    let reading =
        format!("{peak:.0} GFLOP/s of fused multiply-adds; {} GB/s", reading.collect::<Vec<_>>().join(", "));
    area.draw_text(&reading, &letters(LABEL_SIZE), (20, 42)).map_err(drawing)?;

    let rates = peak * LEAST_SHARE..peak * 2.0;
    let mut chart = ChartBuilder::on(&area.margin(70, 10, 10, 30))
        .x_label_area_size(46)
        .y_label_area_size(64)
        .build_cartesian_2d(INTENSITIES.log_scale(), rates.clone().log_scale())
        .map_err(drawing)?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(GRID)
        .axis_style(INK)
        .label_style(letters(LABEL_SIZE))
        .x_desc("operations for each byte of the operands")
        .y_desc("GFLOP/s")
        .draw()
        .map_err(drawing)?;
    for level in &report.levels {
        let bandwidth = level.bandwidth();
        // The line enters at the left or at the bottom, and ends below the peak.
        let start = INTENSITIES.start.max(rates.start / bandwidth);
        let ridge = peak / bandwidth;
        let line = vec![(start, start * bandwidth), (ridge, peak)];
        let name = Text::new(level.name.clone(), (ridge, peak * 1.06), centred(LABEL_SIZE));
        chart.draw_series([PathElement::new(line, ROOF.stroke_width(2))]).map_err(drawing)?;
        chart.draw_series([name]).map_err(drawing)?;
    }
    let first_ridge =
        report.levels.iter().map(|level| peak / level.bandwidth()).fold(f64::INFINITY, f64::min);
    let flat = vec![(first_ridge, peak), (INTENSITIES.end, peak)];
    chart.draw_series([PathElement::new(flat, ROOF.stroke_width(2))]).map_err(drawing)?;

    // Peers first, so that ours are seen where both are.
    for kernel in kernels {
        if let Some(peer) = kernel.best_peer() {
            chart
                .draw_series([Circle::new((kernel.intensity, peer.rate.median), 5, PEER.stroke_width(2))])
                .map_err(drawing)?;
        }
    }
    let mut labels: Vec<((i32, i32), String)> = Vec::new();
    for (index, kernel) in kernels.iter().enumerate() {
        for ours in kernel.ours() {
            let point = (kernel.intensity, ours.rate.median);
            chart.draw_series([Circle::new(point, 5, colour(ours).filled())]).map_err(drawing)?;
        }
        let Some(ours) = best(kernel) else { continue };
        let place = chart.backend_coord(&(kernel.intensity, ours.rate.median));
        // Points that are as good as one share a label.
        match labels.iter_mut().find(|((x, y), _)| (place.0 - x).abs() < 30 && (place.1 - y).abs() < 16) {
            Some((_, text)) => *text += &format!(", {}", index + 1),
            None => labels.push((place, (index + 1).to_string())),
        }
    }
    let origin = area.get_base_pixel();
    for ((x, y), text) in labels {
        area.draw_text(&text, &letters(LABEL_SIZE), (x - origin.0 + 9, y - origin.1 + 7)).map_err(drawing)?;
    }
    Ok(())
}

/// Our faster form.
fn best(kernel: &Kernel) -> Option<&Contender> {
    kernel.ours().max_by(|one, other| one.rate.median.total_cmp(&other.rate.median))
}

fn colour(ours: &Contender) -> RGBColor {
    if ours.packed { OURS } else { PLAIN }
}

/// Shares of the peak, a row of bars for each kernel.
fn bars(area: &Area<'_>, kernels: &[&Kernel]) -> Result<()> {
    area.draw_text("Share of the peak of fused multiply-adds", &letters(TITLE_SIZE), (20, 14))
        .map_err(drawing)?;
    let mut x = 20;
    for (name, colour, width) in
        [("densely", PLAIN, 90), ("densely, packed ahead", OURS, 190), ("best peer", PEER, 0)]
    {
        area.draw(&Rectangle::new([(x, 45), (x + 12, 57)], colour.filled())).map_err(drawing)?;
        area.draw_text(name, &letters(LABEL_SIZE), (x + 18, 42)).map_err(drawing)?;
        x += width;
    }
    let rows = kernels.len() as f64;
    let mut chart = ChartBuilder::on(&area.margin(70, 10, 10, 60))
        .x_label_area_size(24)
        .y_label_area_size(BARS_LABELS)
        .build_cartesian_2d(0.0..1.0, rows..0.0)
        .map_err(drawing)?;
    chart
        .configure_mesh()
        .disable_y_mesh()
        .disable_y_axis()
        .light_line_style(TRANSPARENT)
        .bold_line_style(GRID)
        .label_style(letters(LABEL_SIZE))
        .x_labels(6)
        .x_label_formatter(&|share| format!("{:.0} %", 100.0 * share))
        .draw()
        .map_err(drawing)?;
    let origin = area.get_base_pixel();
    for (index, kernel) in kernels.iter().enumerate() {
        let peer = kernel.best_peer().map(|peer| (peer, PEER));
        let all: Vec<_> = kernel.ours().map(|ours| (ours, colour(ours))).chain(peer).collect();
        let height = 0.8 / all.len() as f64;
        for (place, (contender, colour)) in all.iter().enumerate() {
            let share = contender.share_of_peak.unwrap_or(0.0);
            let top = index as f64 + 0.1 + height * place as f64;
            let bar = Rectangle::new([(0.0, top), (share.min(1.0), top + height * 0.9)], colour.filled());
            chart.draw_series([bar]).map_err(drawing)?;
            let mut note = rounded(contender.rate.median);
            if *colour == PEER {
                note += &format!("  {}", contender.label());
            }
            // The note of a long bar stands inside it.
            let inside = share > 0.6;
            let (side, dx) = if inside { (HPos::Right, -6) } else { (HPos::Left, 6) };
            let ink = if inside && *colour != PLAIN { WHITE } else { INK };
            let size = if all.len() > 2 { 11 } else { 13 };
            let style = ("sans-serif", size).into_font().color(&ink).pos(Pos::new(side, VPos::Center));
            let (x, y) = chart.backend_coord(&(share.min(1.0), top + 0.45 * height));
            area.draw_text(&note, &style, (x - origin.0 + dx, y - origin.1)).map_err(drawing)?;
        }
        let (_, y) = chart.backend_coord(&(0.0, index as f64 + 0.5));
        let name = format!("{}  {} {}", index + 1, kernel.group, kernel.name);
        area.draw_text(&name, &letters(LABEL_SIZE), (20, y - origin.1 - 8)).map_err(drawing)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roofline::report::tests::report;

    #[test]
    fn a_picture_shows_every_product_and_roof() {
        let text = picture(&[report(), report()]).unwrap();
        for shown in ["forward 1 × 2 × 3", "avx2, 2 threads", "memory", "fast, packed", "20.0", "</svg>"] {
            assert!(text.contains(shown), "{shown}");
        }
        assert!(!text.contains("tanh"));
    }
}
