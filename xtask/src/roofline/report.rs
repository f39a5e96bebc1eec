//! From samples to figures: medians, shares of the roofs, the best peer.

use anyhow::{Context, Result};
use serde::Serialize;

use super::lines::{self, Line, Unit};
use crate::figure::Figure;

/// Our name among the contenders.
const OURS: &str = "densely";

/// All figures of one run.
#[derive(Serialize)]
pub(super) struct Report {
    pub(super) isa: String,
    pub(super) threads: usize,
    /// GFLOP/s of nothing but fused multiply-adds, all samples of the run.
    pub(super) peak: Figure,
    pub(super) levels: Vec<Level>,
    pub(super) kernels: Vec<Kernel>,
}

/// A level of memory, GB/s.
#[derive(Serialize)]
pub(super) struct Level {
    pub(super) name: String,
    /// The most bytes that are still counted to it; none for memory.
    pub(super) holds: Option<u64>,
    pub(super) read: Figure,
    pub(super) copy: Figure,
}

/// A kernel's figures.
#[derive(Serialize)]
pub(super) struct Kernel {
    pub(super) group: String,
    pub(super) name: String,
    pub(super) unit: Unit,
    /// GFLOP/s of fused multiply-adds, measured in turns with this kernel. What the machine can do is the most of it: a sample
    /// during which another program took a core is far below.
    pub(super) peak: Figure,
    /// Operations or elements for each byte that must be read or written.
    pub(super) intensity: f64,
    /// The level that holds what calls rotate over.
    pub(super) level: String,
    /// What this machine can reach: that level's bandwidth times intensity, for operations at most the peak.
    pub(super) roof: f64,
    pub(super) contenders: Vec<Contender>,
}

/// One contender's figures.
#[derive(Serialize)]
pub(super) struct Contender {
    pub(super) name: String,
    /// Whether an operand was packed ahead.
    pub(super) packed: bool,
    /// GFLOP/s, or 10⁹ elements/s.
    pub(super) rate: Figure,
    /// Median rate by the peak in the same rounds; none for elements.
    pub(super) share_of_peak: Option<f64>,
    /// Median rate by the roof.
    pub(super) share_of_roof: f64,
}

impl Report {
    /// Reads the lines of one run.
    ///
    /// # Errors
    ///
    /// If the machine or its levels are missing, or something was measured no times.
    pub(super) fn new(lines: Vec<Line>) -> Result<Self> {
        let (mut machine, mut levels, mut kernels) = (None, Vec::new(), Vec::new());
        for line in lines {
            match line {
                Line::Machine(line) => machine = Some(line),
                Line::Level(line) => levels.push(Level::new(line)?),
                Line::Kernel(line) => kernels.push(line),
            }
        }
        let lines::Machine { isa, threads, mut peak } = machine.context("no line of the machine")?;
        peak.extend(kernels.iter().flat_map(|kernel| &kernel.peak));
        let peak = Figure::new(peak)?;
        let kernels = kernels.into_iter().map(|kernel| Kernel::new(kernel, &levels));
        let kernels = kernels.collect::<Result<_>>()?;
        Ok(Report { isa, threads, peak, levels, kernels })
    }
}

impl Level {
    fn new(lines::Level { name, holds, read, copy }: lines::Level) -> Result<Self> {
        Ok(Level { name, holds, read: Figure::new(read)?, copy: Figure::new(copy)? })
    }

    /// GB/s that the level can move: the faster of reading and copying, for a cache may read and write at once.
    pub(super) fn bandwidth(&self) -> f64 {
        self.read.median.max(self.copy.median)
    }
}

impl Kernel {
    fn new(line: lines::Kernel, levels: &[Level]) -> Result<Self> {
        let lines::Kernel { group, name, unit, work, traffic, resident, peak, contenders } = line;
        let peak = Figure::new(peak)?;
        let level = levels.iter().find(|level| level.holds.is_none_or(|holds| resident <= holds));
        let level = level.context("no line of memory")?;
        let intensity = work / traffic;
        let of_bandwidth = level.bandwidth() * intensity;
        let roof = if unit == Unit::Flops { of_bandwidth.min(peak.most) } else { of_bandwidth };
        let contender = |lines::Contender { name, packed, seconds }: lines::Contender| {
            let rate = Figure::new(seconds.iter().map(|seconds| work / seconds / 1e9).collect())?;
            let share_of_peak = (unit == Unit::Flops).then_some(rate.median / peak.most);
            Ok(Contender { name, packed, rate, share_of_peak, share_of_roof: rate.median / roof })
        };
        let contenders = contenders.into_iter().map(contender).collect::<Result<_>>()?;
        Ok(Kernel { group, name, unit, peak, intensity, level: level.name.clone(), roof, contenders })
    }

    /// Our forms.
    pub(super) fn ours(&self) -> impl Iterator<Item = &Contender> {
        self.contenders.iter().filter(|contender| contender.name == OURS)
    }

    /// The fastest of the others, in whatever form.
    pub(super) fn best_peer(&self) -> Option<&Contender> {
        let peers = self.contenders.iter().filter(|contender| contender.name != OURS);
        peers.max_by(|one, other| one.rate.median.total_cmp(&other.rate.median))
    }
}

impl Contender {
    /// The name with its form.
    pub(super) fn label(&self) -> String {
        if self.packed { format!("{}, packed", self.name) } else { self.name.clone() }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A machine of 100 GFLOP/s whose L1 delivers 50 GB/s and whose memory 10, and a product on it.
    pub(in super::super) fn report() -> Report {
        let lines = [
            r#"{"line":"machine","isa":"avx2","threads":2,"peak":[100,100]}"#,
            r#"{"line":"level","name":"L1","holds":1000,"read":[50],"copy":[40]}"#,
            r#"{"line":"level","name":"memory","holds":null,"read":[10],"copy":[8]}"#,
            r#"{"line":"kernel","group":"forward","name":"1 × 2 × 3","unit":"flops","work":4e9,"traffic":1e9,
                "resident":1001,"peak":[80,90,100],"contenders":[
                {"name":"densely","packed":false,"seconds":[0.1,0.2,0.25]},
                {"name":"slow","packed":false,"seconds":[0.5]},
                {"name":"fast","packed":true,"seconds":[0.16]}]}"#,
            r#"{"line":"kernel","group":"element-wise","name":"tanh","unit":"elements","work":1e9,"traffic":8e9,
                "resident":1000,"peak":[100],"contenders":[{"name":"densely","packed":false,"seconds":[0.2]}]}"#,
        ];
        Report::new(lines.map(|line| serde_json::from_str(line).unwrap()).into()).unwrap()
    }

    #[test]
    fn the_roof_is_bandwidth_of_the_level_that_holds_the_operands() {
        let [product, tanh] = &report().kernels[..] else { panic!("two kernels") };
        // One byte too much for L1: 4 operations a byte · 10 GB/s, below the peak.
        assert_eq!((&*product.level, product.roof), ("memory", 40.0));
        // 1/8 element a byte · 50 GB/s.
        assert_eq!((&*tanh.level, tanh.roof), ("L1", 6.25));
        assert_eq!(tanh.contenders[0].share_of_roof, 0.8);
        assert_eq!(tanh.contenders[0].share_of_peak, None);
    }

    #[test]
    fn shares_are_of_the_best_peak_in_the_same_rounds() {
        let report = report();
        let ours = &report.kernels[0].contenders[0];
        assert_eq!((ours.rate.median, ours.rate.least, ours.rate.most), (20.0, 16.0, 40.0));
        assert_eq!(ours.share_of_peak, Some(0.2));
        assert_eq!(report.peak.least, 80.0);
    }

    #[test]
    fn the_best_peer_is_the_fastest_of_the_others_in_any_form() {
        let report = report();
        assert_eq!(report.kernels[0].best_peer().unwrap().label(), "fast, packed");
        assert!(report.kernels[1].best_peer().is_none());
    }

    #[test]
    fn a_run_without_machine_or_memory_is_refused() {
        for lines in [
            vec![],
            vec![r#"{"line":"machine","isa":"avx2","threads":2,"peak":[]}"#],
            vec![
                r#"{"line":"machine","isa":"avx2","threads":2,"peak":[1]}"#,
                r#"{"line":"kernel","group":"g","name":"n","unit":"flops","work":1,"traffic":1,"resident":1,"peak":[1],"contenders":[]}"#,
            ],
        ] {
            let lines = lines.into_iter().map(|line| serde_json::from_str(line).unwrap()).collect();
            assert!(Report::new(lines).is_err());
        }
    }
}
