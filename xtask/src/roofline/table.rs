//! The report as text.

use std::fmt::Write;

use super::lines::Unit;
use super::report::{Contender, Kernel, Report};
use crate::figure::rounded;

/// Above this distance of the peak's quartiles the host is called noisy.
const NOISY: f64 = 0.05;

/// The roofs, then a line for each kernel and form of ours.
pub(super) fn table(report: &Report) -> String {
    let mut text = String::new();
    let Report { isa, threads, peak, levels, kernels } = report;
    let plural = if *threads == 1 { "" } else { "s" };
    text +=
        &format!("{isa}, {threads} thread{plural}: {} GFLOP/s of fused multiply-adds\n", rounded(peak.upper));
    let verdict = if peak.spread > NOISY { "; the host was NOISY: repeat the run" } else { "" };
    text += &format!("upper quartile; half of its samples lie within {}{verdict}\n\n", percent(peak.spread));
    text += &format!("{:<8}{:>12}{:>12}{:>12}\n", "level", "holds", "read GB/s", "copy GB/s");
    for level in levels {
        let holds = level.holds.map_or(String::new(), |bytes| format!("{} KiB", bytes / 1024));
        let (read, copy) = (rounded(level.read.median), rounded(level.copy.median));
        text += &format!("{:<8}{holds:>12}{read:>12}{copy:>12}\n", level.name);
    }
    let mut group = "";
    for kernel in kernels {
        if kernel.group != group {
            group = &kernel.group;
            let unit = if kernel.unit == Unit::Flops { "GFLOP/s (range)" } else { "10⁹/s (range)" };
            write!(text, "\n{:<36}{unit:>22}{:>9}{:>9} of", group, "of peak", "of roof")
                .expect("a string grows");
            text += &format!("{:>16}   {}\n", "ours ÷ best", "best peer: rate");
        }
        kernel.ours().for_each(|ours| text += &row(kernel, ours));
    }
    text
}

fn row(kernel: &Kernel, ours: &Contender) -> String {
    let form = if ours.packed { ", packed" } else { "" };
    let share_of_peak = ours.share_of_peak.map_or(String::new(), percent);
    let roof =
        if kernel.roof < kernel.peak.most || kernel.unit == Unit::Elements { &*kernel.level } else { "peak" };
    let (ratio, best) = kernel.best_peer().map_or_else(Default::default, |peer| {
        let ratio = format!("{:.2}", ours.rate.median / peer.rate.median);
        (ratio, format!("{}: {}", peer.label(), peer.rate.with_range()))
    });
    let row = format!(
        "  {:<34}{:>22}{share_of_peak:>9}{:>9} {roof:<8}{ratio:>10}   {best}",
        format!("{}{form}", kernel.name),
        ours.rate.with_range(),
        percent(ours.share_of_roof),
    );
    format!("{}\n", row.trim_end())
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roofline::report::tests::report;

    #[test]
    fn a_row_says_rate_shares_and_the_best_peer() {
        let text = table(&report());
        let product = text.lines().find(|line| line.contains("1 × 2 × 3")).unwrap();
        let words: Vec<_> = product.split_whitespace().skip(5).collect();
        assert_eq!(
            words.join(" "),
            "20.0 (16.0–40.0) 20.0 % 50.0 % memory 0.80 fast, packed: 25.0 (25.0–25.0)"
        );
    }

    #[test]
    fn a_noisy_host_is_told() {
        let mut report = report();
        for (spread, noisy) in [(0.051, true), (0.049, false)] {
            report.peak.spread = spread;
            assert_eq!(table(&report).contains("NOISY"), noisy);
        }
    }
}
