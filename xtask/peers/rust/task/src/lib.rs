//! What the Rust peers have in common: the task, MNIST, the clock, and the answer.
//!
//! The only argument is a task in JSON, and the answer is a line of JSON on standard output; `xtask/src/bench/task.rs` says
//! what both mean.

use std::fs;
use std::hint::black_box;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
pub struct Task {
    task: String,
    data: String,
    pub threads: usize,
    pub seed: u64,
    pub hidden: Vec<usize>,
    pub dropout: f64,
    batch_size: usize,
    learning_rate: f64,
    warm_up: Option<f64>,
    epochs: usize,
    steps: Option<usize>,
    target: f64,
}

pub const FEATURES: usize = 784;
pub const CLASSES: usize = 10;

/// A library that is measured.
pub trait Peer {
    /// One update with a batch: images as numbers from 0 to 1, one after the other, and their labels.
    fn step(&mut self, learning_rate: f64, images: &[f32], labels: &[u8]);
    /// The scores of some images, one image after the other.
    fn predict(&mut self, images: &[f32]) -> Vec<f32>;
}

struct Images {
    images: Vec<f32>,
    labels: Vec<u8>,
}

/// Does the task of the command line and prints the answer.
pub fn run<P: Peer>(make_peer: impl FnOnce(&Task) -> P) {
    let task = std::env::args().nth(1).expect("the only argument is a task in JSON");
    let task: Task = serde_json::from_str(&task).expect("a task");
    let mut train = task.read("train");
    let test = task.read("t10k");
    if let Some(steps) = task.steps {
        train.labels.truncate(steps * task.batch_size);
    }
    let mut peer = make_peer(&task);
    let answer = match &*task.task {
        "training" => task.training(&mut peer, &train),
        "accuracy" => task.accuracy(&mut peer, &train, &test),
        "inference" => task.inference(&mut peer, &train, &test),
        "latency" => task.latency(&mut peer, &train, &test),
        other => panic!("unknown task {other}"),
    };
    println!("{answer}");
}

impl Task {
    fn read(&self, set: &str) -> Images {
        let read = |name: &str| fs::read(format!("{}/{set}-{name}-ubyte", self.data)).expect("the files of MNIST");
        Images {
            images: read("images-idx3")[16..].iter().map(|&byte| f32::from(byte) / 255.0).collect(),
            labels: read("labels-idx1")[8..].to_vec(),
        }
    }

    /// Constant, or PyTorch's one-cycle policy in straight lines.
    fn rate(&self, step: usize, steps: usize) -> f64 {
        let Some(warm_up) = self.warm_up else { return self.learning_rate };
        let (step, last_step) = (step as f64, steps as f64 - 1.0);
        let peak = warm_up * steps as f64 - 1.0;
        let first = self.learning_rate / 25.0;
        if step <= peak {
            return first + (self.learning_rate - first) * step / peak;
        }
        let share = ((step - peak) / (last_step - peak)).min(1.0);
        self.learning_rate + (first / 1e4 - self.learning_rate) * share
    }

    /// Trains; after each epoch `on_epoch` hears of its seconds, and ends training with `true`.
    fn fit<P: Peer>(&self, peer: &mut P, train: &Images, mut on_epoch: impl FnMut(&mut P, f64) -> bool) {
        let mut random = SplitMix(self.seed);
        let mut order: Vec<usize> = (0..train.labels.len()).collect();
        let steps = order.len().div_ceil(self.batch_size) * self.epochs;
        let (mut images, mut labels) = (Vec::new(), Vec::new());
        let mut step = 0;
        for _ in 0..self.epochs {
            let start = Instant::now();
            for index in (1..order.len()).rev() {
                order.swap(index, random.below(index + 1));
            }
            for batch in order.chunks(self.batch_size) {
                images.clear();
                labels.clear();
                for &sample in batch {
                    images.extend_from_slice(&train.images[sample * FEATURES..][..FEATURES]);
                    labels.push(train.labels[sample]);
                }
                peer.step(self.rate(step, steps), &images, &labels);
                step += 1;
            }
            if on_epoch(peer, start.elapsed().as_secs_f64()) {
                return;
            }
        }
    }

    fn training(&self, peer: &mut impl Peer, train: &Images) -> Value {
        let mut rates = Vec::new();
        self.fit(peer, train, |_, seconds| {
            rates.push(train.labels.len() as f64 / seconds);
            false
        });
        json!({ "images_per_second": rates[1..] })
    }

    fn accuracy(&self, peer: &mut impl Peer, train: &Images, test: &Images) -> Value {
        let mut accuracies = Vec::new();
        self.fit(peer, train, |peer, _| {
            let accuracy = test.accuracy(peer);
            accuracies.push(accuracy);
            accuracy >= self.target
        });
        json!({ "test_accuracy": accuracies })
    }

    /// The batch size at which the peer is fastest counts.
    fn inference(&self, peer: &mut impl Peer, train: &Images, test: &Images) -> Value {
        self.fit(peer, train, |_, _| true);
        let samples = test.labels.len();
        let rates = [samples, 1000].map(|size| {
            let mut rates = Vec::new();
            let begin = Instant::now();
            while begin.elapsed() < Duration::from_secs(1) || rates.len() < 5 {
                let start = Instant::now();
                for batch in test.images.chunks(size * FEATURES) {
                    black_box(peer.predict(batch));
                }
                rates.push(samples as f64 / start.elapsed().as_secs_f64());
            }
            rates
        });
        let median = |rates: &[f64]| {
            let mut rates = rates.to_vec();
            rates.sort_by(f64::total_cmp);
            rates[rates.len() / 2]
        };
        let best = rates.iter().max_by(|one, other| median(one).total_cmp(&median(other)));
        json!({ "images_per_second": best })
    }

    /// At most 5,000 calls, or as many as two seconds have.
    fn latency(&self, peer: &mut impl Peer, train: &Images, test: &Images) -> Value {
        self.fit(peer, train, |_, _| true);
        let images = || test.images.chunks(FEATURES);
        images().take(200).for_each(|image| drop(black_box(peer.predict(image))));
        let begin = Instant::now();
        let mut microseconds = Vec::new();
        for image in images().take(5000) {
            let start = Instant::now();
            black_box(peer.predict(image));
            microseconds.push(1e6 * start.elapsed().as_secs_f64());
            if begin.elapsed() > Duration::from_secs(2) {
                break;
            }
        }
        json!({ "microseconds": microseconds })
    }
}

impl Images {
    fn accuracy(&self, peer: &mut impl Peer) -> f64 {
        let mut correct = 0;
        for (images, labels) in self.images.chunks(1000 * FEATURES).zip(self.labels.chunks(1000)) {
            let scores = peer.predict(images);
            for (scores, &label) in scores.chunks(CLASSES).zip(labels) {
                let best = (0..CLASSES).max_by(|&one, &other| scores[one].total_cmp(&scores[other]));
                correct += usize::from(best == Some(usize::from(label)));
            }
        }
        correct as f64 / self.labels.len() as f64
    }
}

/// SplitMix64 (G. Steele, D. Lea and C. Flood, *Fast splittable pseudorandom number generators*, 2014), for shuffles.
struct SplitMix(u64);

impl SplitMix {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        ((u128::from(mixed) * bound as u128) >> 64) as usize
    }
}
