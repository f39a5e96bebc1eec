//! Ours over batch sizes, widths and depths: images a second and the share of the dense roofline, to find cliffs.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::document::{Table, grouped};
use super::picture::{Line, picture};
use super::process::ask;
use super::rates::rate_cell;
use super::session::Session;
use super::task::{HIDDEN, Kind, Schedule, Speed, Task, flops_of_an_image, weights};
use crate::figure::{Figure, rounded};

/// What is varied: its name, its values, and the network with the batch size that each makes.
pub(super) struct Sweep {
    pub(super) name: &'static str,
    values: &'static [usize],
    setting: fn(usize) -> (Vec<usize>, usize),
}

pub(super) const SWEEPS: [Sweep; 3] = [
    Sweep {
        name: "batch size",
        values: &[1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192],
        setting: |batch_size| (HIDDEN.to_vec(), batch_size),
    },
    Sweep {
        name: "width of the two hidden layers",
        values: &[16, 32, 64, 100, 128, 256, 500, 512, 1000, 1024, 2048, 4096, 8192],
        setting: |width| (vec![width; 2], BATCH_SIZE),
    },
    Sweep {
        name: "number of hidden layers of 512",
        values: &[1, 2, 3, 5, 10, 20, 50],
        setting: |depth| (vec![512; depth], BATCH_SIZE),
    },
];

const BATCH_SIZE: usize = 128;

/// Epochs that count, each about so many seconds long if its products run at the dense roofline and each step's update of the weights
/// takes the time below besides.
const EPOCHS: usize = 3;
const SECONDS: f64 = 0.25;

/// Seconds in which Adam reads and writes a weight with its two moments: 24 bytes at some 24 GB/s.
const SECONDS_OF_AN_UPDATE: f64 = 1e-9;

/// A point of a sweep.
pub(super) struct Point {
    pub(super) value: usize,
    /// Images a second.
    pub(super) rate: Figure,
    /// The median rate by the dense roofline.
    pub(super) share: f64,
}

/// Measures, draws the picture, and returns the section; `link` is how the document calls the picture.
pub(super) fn section(session: &Session, file: &Path, link: &str) -> Result<String> {
    let threads = session.most_threads();
    let (mut peaks, mut measured) = (Vec::new(), Vec::new());
    for sweep in &SWEEPS {
        for &value in sweep.values {
            session.say(&format!("{} {value}", sweep.name));
            peaks.push(session.peak(threads)?);
            measured.push((sweep.name, value, measure(session, sweep, value, peaks[peaks.len() - 1])?));
        }
    }
    // One for all points: where the host took a core while the peak was measured, its point would stand out.
    let peak = Figure::new(peaks)?.median;
    let mut text = format!(
        "![images/s and share of the dense roofline]({link})\n\nFMA peak: {} GFLOP/s, the median of one before each point.\n",
        rounded(peak)
    );
    let mut lines = Vec::new();
    for sweep in &SWEEPS {
        let mut table = Table::new(&[sweep.name, "images/s, median (range)", "of the dense roofline"]);
        let of_sweep = measured.iter().filter(|(name, ..)| *name == sweep.name);
        let points = of_sweep.map(|&(_, value, rate)| {
            let roof = roof(peak, &(sweep.setting)(value).0);
            Point { value, rate, share: rate.median / roof }
        });
        let points: Vec<Point> = points.collect();
        for Point { value, rate, share } in &points {
            table.row(&[grouped(*value as f64), rate_cell(rate), format!("{:.0} %", 100.0 * share)]);
        }
        text += &format!("\n{}", table.text());
        lines.push(Line { name: sweep.name, points });
    }
    let title = format!("densely in training, {threads} threads, dropout 0.2, Adam");
    fs::write(file, picture(&title, &lines)?).with_context(|| format!("cannot write {}", file.display()))?;
    Ok(text)
}

/// The dense roofline in images a second, at a peak of so many GFLOP/s.
fn roof(peak: f64, hidden: &[usize]) -> f64 {
    peak * 1e9 / flops_of_an_image(hidden)
}

/// Images a second at one value; the peak says how many steps are affordable.
fn measure(session: &Session, sweep: &Sweep, value: usize, peak: f64) -> Result<Figure> {
    let (hidden, batch_size) = (sweep.setting)(value);
    let update = weights(&hidden).sum::<f64>() * SECONDS_OF_AN_UPDATE;
    let steps = steps(batch_size as f64 / roof(peak, &hidden) + update, batch_size);
    let task = Task::new(Kind::Training, &session.data, session.most_threads());
    let schedule = Schedule { batch_size, epochs: EPOCHS + 1, ..task.schedule };
    let task = Task { hidden, schedule, steps: Some(steps), ..task };
    let answer: Speed = ask(&session.contenders[0], &task)?.answer;
    Figure::new(answer.images_per_second)
}

/// Steps of an epoch, if one takes so many seconds: at least one and no more than all of MNIST has.
fn steps(seconds: f64, batch_size: usize) -> usize {
    let all = 60_000_usize.div_ceil(batch_size);
    ((SECONDS / seconds).round() as usize).clamp(1, all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_of_a_sweep_has_at_least_one_step_and_at_most_all_images() {
        assert_eq!(steps(0.01, 128), 25);
        assert_eq!(steps(1.0, 8192), 1);
        assert_eq!(steps(1e-6, 128), 469);
        assert_eq!(steps(1e-6, 1), 60_000);
    }
}
