//! The kernels of a training step one after the other, as a step runs them, each timed by itself: what the caches hold when a
//! kernel begins is what the one before has left there, which a kernel that runs alone cannot show.
//!
//! ```text
//! cargo bench -p densely-tensor --bench step
//! DENSELY_THREADS=1 DENSELY_ISA=avx2 cargo bench -p densely-tensor --bench step -- backward
//! ```
//!
//! The first two layers of the network for MNIST, 784-512-512, on batches of 128 real images (of `data/sample`, a few of the
//! 60,000: they come from nearer caches than in training) and with Adam. A sixth of the first layer's outputs is not
//! zero, as with dropout after ten epochs.

#![allow(missing_docs)] // criterion_group! makes an undocumented function

mod pixels;

use criterion::{Criterion, criterion_group, criterion_main};
use densely_tensor::{
    Adam, AlignedBuffer, Epilogue, LayerInput, MaskedGradient, MatRef, Nonzeros, Pool, Tiled, Update,
    backward_scratch, sparse_backward, sparse_gemm, update_kernel,
};
use pixels::{PIXELS, images};
use std::time::{Duration, Instant};

const UNITS: usize = 512;
const SAMPLES: usize = 128;
/// Of the first layer, by which a sixth of its sums is positive.
const BIAS: f32 = -0.35;

type Kernel = fn(&mut Step);

/// In the order of a step.
const KERNELS: [(&str, Kernel); 8] = [
    ("nonzeros of the pixels", |step| {
        let Step { pool, images, order, values, first, .. } = step;
        first.input.fill_from_bytes(pool, PIXELS, images, order, values);
    }),
    ("the same by feature", |step| step.first.input.list_features(&step.pool)),
    ("forward, first layer", |step| step.first.forward(&step.pool)),
    ("nonzeros of its output", |step| {
        step.second.input.fill_from_tiled(&step.pool, step.first.output.as_ref());
    }),
    ("the same by feature, second layer", |step| step.second.input.list_features(&step.pool)),
    ("forward, second layer", |step| step.second.forward(&step.pool)),
    ("backward and Adam, second layer", |step| {
        let Step { pool, update, second, deltas: [before, delta], scratch, .. } = step;
        let Layer { kernel, moments: [m, v], input, .. } = second;
        let target = MaskedGradient { gradient: before.as_mut(), scale: 1.0, scratch };
        sparse_backward(pool, update, delta.as_ref(), input, kernel.as_mut(), [m, v, &mut []], target);
    }),
    ("weight gradient and Adam, first layer", |step| {
        let Step { pool, update, first, deltas: [delta, _], .. } = step;
        let Layer { kernel, moments: [m, v], input, .. } = first;
        let input = LayerInput::Sparse(input);
        update_kernel(pool, update, delta.as_ref(), input, kernel.as_mut(), [m, v, &mut []]);
    }),
];

struct Layer {
    kernel: Tiled<f32>,
    moments: [AlignedBuffer<f32>; 2],
    bias: Vec<f32>,
    input: Nonzeros<f32>,
    output: Tiled<f32>,
}

impl Layer {
    fn new(inputs: usize, bias: f32, random: &mut impl FnMut() -> f32) -> Self {
        let limit = (6.0 / (inputs + UNITS) as f32).sqrt();
        let kernel: Vec<f32> = (0..UNITS * inputs).map(|_| limit * random()).collect();
        let kernel = Tiled::from(MatRef::from_slice(&kernel, UNITS, inputs));
        Self {
            moments: [(); 2].map(|()| AlignedBuffer::zeros(kernel.as_ref().elements().len())),
            kernel,
            bias: vec![bias; UNITS],
            input: Nonzeros::new(inputs, SAMPLES),
            output: Tiled::zeros(UNITS, SAMPLES),
        }
    }

    fn forward(&mut self, pool: &Pool) {
        let (z, w) = (self.output.as_mut(), self.kernel.as_ref());
        sparse_gemm(pool, z, w, &self.input, Epilogue::BiasRelu(&self.bias));
    }
}

struct Step {
    pool: Pool,
    images: Vec<u8>,
    values: [f32; 256],
    order: Vec<u32>,
    first: Layer,
    second: Layer,
    /// The gradients with respect to the two layers' sums.
    deltas: [Tiled<f32>; 2],
    scratch: Vec<f32>,
    update: Update<f32>,
}

impl Step {
    fn new() -> Self {
        let pool = Pool::from_environment().expect("DENSELY_THREADS and DENSELY_ISA are valid");
        let mut state: u64 = 1;
        // Between −1 and 1, as Knuth's MMIX.
        let mut random = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f32 / (1 << 23) as f32 - 1.0
        };
        let delta: Vec<f32> = (0..UNITS * SAMPLES).map(|_| 0.01 * random()).collect();
        Self {
            images: images(),
            values: std::array::from_fn(|byte| byte as f32 / 255.0),
            order: vec![0; SAMPLES],
            first: Layer::new(PIXELS, BIAS, &mut random),
            second: Layer::new(UNITS, 0.0, &mut random),
            deltas: [Tiled::zeros(UNITS, SAMPLES), Tiled::from(MatRef::from_slice(&delta, UNITS, SAMPLES))],
            scratch: vec![0.0; backward_scratch(SAMPLES) * pool.threads()],
            // So slow that the network stays as it is.
            update: Update::from(Adam::step(1000, 1e-9, 0.9, 0.999, 1e-7)),
            pool,
        }
    }

    /// Takes the next batch through all kernels and returns how long one of them took.
    fn run(&mut self, timed: usize) -> Duration {
        let images = (self.images.len() / PIXELS) as u32;
        let mut last = self.order[SAMPLES - 1];
        for sample in &mut self.order {
            last = (last + 1009) % images; // spreads over all images
            *sample = last;
        }
        let mut time = Duration::ZERO;
        for (number, (_, kernel)) in KERNELS.iter().enumerate() {
            let start = Instant::now();
            kernel(self);
            if number == timed {
                time = start.elapsed();
            }
        }
        time
    }
}

fn step(criterion: &mut Criterion) {
    let mut step = Step::new();
    step.run(0);
    let (isa, threads) = (step.pool.isa(), step.pool.threads());
    let [pixels, hidden] = [&step.first, &step.second].map(|layer| 100.0 * layer.input.density());
    let name = format!("step, {pixels:.0} and {hidden:.0} % not zero, {isa} {threads} threads");
    let mut group = criterion.benchmark_group(name);
    for (number, (name, _)) in KERNELS.iter().enumerate() {
        group.bench_function(*name, |bencher| {
            bencher.iter_custom(|steps| (0..steps).map(|_| step.run(number)).sum());
        });
    }
    group.finish();
}

criterion_group!(benches, step);
criterion_main!(benches);
