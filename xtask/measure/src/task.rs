//! The task, and what all of them start from: data and network.

use std::path::{Path, PathBuf};

use anyhow::Result;
use densely::schedules::{AnnealStrategy, LearningRate, OneCycle};
use densely::{Activation, Adam, Compile, Dataset, Dense, Dropout, Model, Pool, Sequential};
use serde::Deserialize;

const CLASSES: usize = 10;

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    Training,
    Accuracy,
    Inference,
    Latency,
}

#[derive(Deserialize)]
pub(crate) struct Task {
    #[serde(rename = "task")]
    pub(crate) kind: Kind,
    pub(crate) data: PathBuf,
    pub(crate) threads: usize,
    pub(crate) seed: u64,
    pub(crate) hidden: Vec<usize>,
    pub(crate) dropout: f64,
    pub(crate) batch_size: usize,
    pub(crate) learning_rate: f64,
    pub(crate) warm_up: Option<f64>,
    pub(crate) epochs: usize,
    pub(crate) steps: Option<usize>,
    pub(crate) target: f64,
}

impl Task {
    pub(crate) fn train(&self) -> Result<Dataset> {
        read(&self.data, "train")
    }

    pub(crate) fn test(&self) -> Result<Dataset> {
        read(&self.data, "t10k")
    }

    /// The network with its initial weights; `samples` are those that an epoch has.
    pub(crate) fn model(&self, samples: usize) -> Result<Model<f32>> {
        let mut network = Sequential::new(28 * 28);
        for &units in &self.hidden {
            network = network.add(Dense::new(units).activation(Activation::Relu));
            if self.dropout > 0.0 {
                network = network.add(Dropout::new(self.dropout));
            }
        }
        network = network.add(Dense::new(CLASSES).activation(Activation::Softmax));
        let steps = samples.div_ceil(self.batch_size) * self.epochs;
        let learning_rate: LearningRate = match self.warm_up {
            None => self.learning_rate.into(),
            Some(pct_start) => {
                let anneal_strategy = AnnealStrategy::Linear;
                let cycle = OneCycle::new(self.learning_rate, steps as u64);
                OneCycle { pct_start, anneal_strategy, ..cycle }.into()
            }
        };
        let optimizer = Adam { learning_rate, ..Adam::default() }.into();
        let pool = Pool::new(self.threads)?;
        Ok(network.compile(Compile { optimizer, seed: self.seed, pool, ..Compile::default() })?)
    }
}

fn read(folder: &Path, set: &str) -> Result<Dataset> {
    let images = idx_dataset::find(folder, &format!("{set}-images-idx3-ubyte"));
    let labels = idx_dataset::find(folder, &format!("{set}-labels-idx1-ubyte"));
    Ok(Dataset::from_idx(idx_dataset::read_pair(images, labels)?, CLASSES)?)
}
