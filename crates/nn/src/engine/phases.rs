//! A plan as a table: what a training step does, one phase after the other, and what it costs.

use super::plan::{Kind, Plan, Stage};
use crate::activations::Activation;
use crate::sequential::Sequential;
use densely_tensor::{Scalar, TILE_ROWS};
use std::fmt;

/// One phase of a training step.
#[derive(Clone, Debug, PartialEq)]
pub struct Phase {
    /// The layer's name, such as `dense_1`, or `loss`.
    pub layer: String,
    /// What is computed.
    pub work: String,
    /// Floating-point operations if no zero is skipped, a multiply-add counted as two.
    pub flops: f64,
    /// Bytes read and written, each operand counted once.
    pub bytes: f64,
    /// Which way it is computed, and on what that depends.
    pub choice: String,
}

/// A training step as [`Phase`]s; `Display` prints them as a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Phases {
    /// Samples of the step.
    pub samples: usize,
    /// In the order in which they run.
    pub phases: Vec<Phase>,
}

const SKIPS: &str = "zeros of the input skipped where below 55 %";

/// The phases of a step on `samples` samples, with an optimizer that keeps `moments` numbers of each parameter and, if it is
/// not `fused`, needs the gradient as a whole.
pub(crate) fn phases<T: Scalar>(
    plan: &Plan<T>,
    network: &Sequential,
    samples: usize,
    moments: usize,
    fused: bool,
) -> Phases {
    let names: Vec<String> = network.walk().into_iter().map(|placed| placed.name).collect();
    let writer =
        Writer { plan, names, samples: samples as f64, size: T::SIZE as f64, moments: moments as f64, fused };
    let mut phases: Vec<Phase> =
        plan.stages.iter().enumerate().map(|(index, stage)| writer.forward(index, stage)).collect();
    let outputs = plan.outputs as f64 * writer.samples;
    phases.push(Phase {
        layer: "loss".to_owned(),
        work: format!("{} and its gradient", plan.head.loss.name()),
        flops: 0.0,
        bytes: 2.0 * outputs * writer.size,
        choice: "in columns".to_owned(),
    });
    for (index, stage) in plan.stages.iter().enumerate().skip(plan.first_learning).rev() {
        phases.extend(writer.backward(index, stage));
    }
    Phases { samples, phases }
}

struct Writer<'a, T> {
    plan: &'a Plan<T>,
    names: Vec<String>,
    samples: f64,
    /// Bytes of a number.
    size: f64,
    moments: f64,
    fused: bool,
}

impl<T: Scalar> Writer<'_, T> {
    fn phase(&self, stage: &Stage, work: impl Into<String>, flops: f64, numbers: f64, choice: &str) -> Phase {
        let layer = self.names[stage.layer].clone();
        Phase { layer, work: work.into(), flops, bytes: numbers * self.size, choice: choice.to_owned() }
    }

    /// Numbers that enter and leave the stage.
    fn batch(&self, stage: &Stage) -> f64 {
        (stage.inputs + stage.units) as f64 * self.samples
    }

    fn forward(&self, index: usize, stage: &Stage) -> Phase {
        let batch = self.batch(stage);
        match stage.kind {
            Kind::Dense { activation, dropout, skips_zeros, bias, .. } => {
                let weights = stage.inputs as f64 * stage.units as f64;
                let mut work = format!("W·X{}", if bias.is_some() { " + b" } else { "" });
                if activation != Activation::Linear {
                    work += &format!(", {activation}");
                }
                if dropout.is_some() {
                    work += ", dropout";
                }
                let choice = if skips_zeros { SKIPS } else { "dense" };
                self.phase(stage, work, 2.0 * weights * self.samples, weights + batch, choice)
            }
            Kind::Relayout => {
                let is_input = index == 0 && self.plan.takes_input().is_some();
                let choice = if is_input { "left out where the batch is nonzeros" } else { "by itself" };
                self.phase(stage, format!("to {}", stage.layout), 0.0, batch, choice)
            }
            Kind::Activation(activation) => {
                self.phase(stage, activation.to_string(), 0.0, batch, "by itself")
            }
            Kind::Dropout(_) => self.phase(stage, "dropout", 0.0, batch, "by itself"),
            Kind::ActivityRegularization(_) => {
                self.phase(stage, "penalty on activity", 0.0, batch, "by itself")
            }
            Kind::SkipStart { .. } => self.phase(stage, "a copy to skip by", 0.0, batch, "by itself"),
            Kind::SkipEnd { .. } => self.phase(stage, "the sum with what skipped", 0.0, batch, "by itself"),
            Kind::Pass(_) => self.phase(stage, "the layer's forward pass", 0.0, batch, "by itself"),
        }
    }

    fn backward(&self, index: usize, stage: &Stage) -> Vec<Phase> {
        let batch = self.batch(stage);
        let Kind::Dense { kernel, skips_zeros, .. } = stage.kind else {
            let work = match stage.kind {
                Kind::Relayout => "the gradient, laid out anew".to_owned(),
                Kind::Pass(_) => "the layer's backward pass".to_owned(),
                _ => "the gradient, element by element".to_owned(),
            };
            return vec![self.phase(stage, work, 0.0, batch, "by itself")];
        };
        let weights = stage.inputs as f64 * stage.units as f64;
        let flops = 2.0 * weights * self.samples;
        let before = index.checked_sub(1).map(|before| &self.plan.stages[before].kind);
        let is_masked = before.is_some_and(|kind| kind.scale_of_mask::<T>().is_some());
        let needs_input_gradient = index > self.plan.first_learning;
        let tensor = &self.plan.tensors[kernel];
        let update = 2.0 * (1.0 + self.moments) * weights;
        let fused = self.fused && tensor.regularizer.is_none();
        let mut phases = Vec::new();
        if needs_input_gradient && is_masked && stage.units >= TILE_ROWS && fused && tensor.trainable {
            let choice = format!("{SKIPS}, in one pass");
            let work = "Wᵀ·Δ and ReLU′ and Δ·Xᵀ, update";
            return vec![self.phase(stage, work, 2.0 * flops, update + batch + self.batch(stage), &choice)];
        }
        if needs_input_gradient {
            let work = if is_masked { "Wᵀ·Δ and ReLU′" } else { "Wᵀ·Δ" };
            let choice = if is_masked && stage.units >= TILE_ROWS { SKIPS } else { "dense" };
            phases.push(self.phase(stage, work, flops, weights + batch, choice));
        }
        if tensor.trainable {
            let choice = if skips_zeros { SKIPS } else { "dense" };
            if fused {
                phases.push(self.phase(stage, "Δ·Xᵀ, update", flops, update + batch, choice));
            } else {
                phases.push(self.phase(stage, "Δ·Xᵀ", flops, weights + batch, choice));
                phases.push(self.phase(stage, "update", 0.0, update + weights, "from the whole gradient"));
            }
        }
        phases
    }
}

impl fmt::Display for Phases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let header = ["layer", "work", "MFLOP", "kB"];
        let rows: Vec<[String; 4]> = self
            .phases
            .iter()
            .map(|phase| {
                let (flops, bytes) = (phase.flops / 1e6, phase.bytes / 1e3);
                [phase.layer.clone(), phase.work.clone(), format!("{flops:.1}"), format!("{bytes:.0}")]
            })
            .collect();
        let width = |column: usize| {
            let cells = rows.iter().map(|row| row[column].chars().count());
            cells.chain([header[column].len()]).max().unwrap_or(0)
        };
        let [layer, work, flops, bytes] = [0, 1, 2, 3].map(width);
        let line = |f: &mut fmt::Formatter<'_>, row: [&str; 4], choice: &str| {
            writeln!(
                f,
                "{:layer$}  {:work$}  {:>flops$}  {:>bytes$}  {choice}",
                row[0], row[1], row[2], row[3]
            )
        };
        writeln!(f, "A training step on {} samples:", self.samples)?;
        line(f, header, "how")?;
        for (row, phase) in rows.iter().zip(&self.phases) {
            line(f, [&row[0], &row[1], &row[2], &row[3]], &phase.choice)?;
        }
        let flops: f64 = self.phases.iter().map(|phase| phase.flops).sum();
        let bytes: f64 = self.phases.iter().map(|phase| phase.bytes).sum();
        write!(f, "{:.1} MFLOP and {:.1} MB a step if nothing is skipped", flops / 1e6, bytes / 1e6)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use densely_tensor::prefers_sparse;

    #[test]
    fn the_text_names_the_density_of_the_rule() {
        let percent = (0..100).find(|&percent| !prefers_sparse(f64::from(percent) / 100.0));
        assert_eq!(percent.map(|percent| SKIPS.contains(&format!("below {percent} %"))), Some(true));
    }
}
