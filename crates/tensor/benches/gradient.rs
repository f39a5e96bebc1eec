//! The backward pass of dense layers in tiles, on the layers of 784-512-512-10 with batches of 128.
//!
//! ```text
//! cargo bench -p densely-tensor --bench gradient
//! DENSELY_THREADS=1 DENSELY_ISA=avx2 cargo bench -p densely-tensor --bench gradient -- "first layer"
//! ```
//!
//! Criterion's `elem/s` are floating-point operations a second, counted as if no zero were skipped: 2 · units · inputs ·
//! samples a product, so what skips zeros may exceed the machine's peak of fused multiply-adds. Dense products are there
//! for comparison. Digits are real ones, of the sample in this repository.

#![allow(missing_docs)] // criterion_group! makes an undocumented function

mod pixels;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use densely_tensor::{
    Adam, LayerInput, MaskedGradient, MatRef, Nonzeros, Pool, Tiled, Update, backward_scratch,
    input_gradient, sparse_backward, sparse_input_gradient, update_kernel, weight_gradient,
};
use pixels::{PIXELS, images};
use std::hint::black_box;

const SAMPLES: usize = 128;
const UNITS: usize = 512;

/// A batch of digits, pixels × samples, from 0 to 1.
fn digits() -> Tiled<f32> {
    let batch: Vec<f32> =
        images()[..PIXELS * SAMPLES].iter().map(|&pixel| f32::from(pixel) / 255.0).collect();
    Tiled::from(MatRef::from_slice(&batch, PIXELS, SAMPLES))
}

/// A matrix of which a share of `density` is not zero (a linear congruential generator, Knuth's MMIX constants).
fn matrix(rows: usize, columns: usize, density: f32) -> Tiled<f32> {
    let mut state = 7_u64;
    let mut number = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1_u64 << 24) as f32
    };
    let mut element = || if number() < density { number() - 0.3 } else { 0.0 };
    let elements: Vec<f32> = (0..rows * columns).map(|_| element()).collect();
    Tiled::from(MatRef::from_slice(&elements, rows, columns))
}

/// All that the backward pass of a layer of [`UNITS`] units takes.
struct Layer {
    pool: Pool,
    update: Update<f32>,
    input: Tiled<f32>,
    nonzeros: Nonzeros<f32>,
    delta: Tiled<f32>,
    kernel: Tiled<f32>,
    moments: [Tiled<f32>; 2],
    weight_gradient: Tiled<f32>,
    input_gradient: Tiled<f32>,
    scratch: Vec<f32>,
}

impl Layer {
    fn new(input: Tiled<f32>) -> Self {
        let pool = Pool::from_environment().expect("DENSELY_THREADS and DENSELY_ISA are valid");
        let inputs = input.as_ref().n_rows();
        let mut nonzeros = Nonzeros::new(inputs, SAMPLES);
        nonzeros.fill_from_tiled(&pool, input.as_ref());
        nonzeros.list_features(&pool);
        Self {
            update: Update::from(Adam::step(100, 0.001, 0.9, 0.999, 1e-7)),
            input,
            nonzeros,
            delta: matrix(UNITS, SAMPLES, 0.5),
            kernel: matrix(UNITS, inputs, 1.0),
            moments: [Tiled::zeros(UNITS, inputs), Tiled::zeros(UNITS, inputs)],
            weight_gradient: Tiled::zeros(UNITS, inputs),
            input_gradient: Tiled::zeros(inputs, SAMPLES),
            scratch: vec![0.0; backward_scratch(SAMPLES) * pool.threads()],
            pool,
        }
    }

    fn flops(&self) -> u64 {
        2 * (UNITS * self.input.as_ref().n_rows() * SAMPLES) as u64
    }

    fn weights(&mut self, criterion: &mut Criterion, name: &str) {
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Elements(self.flops()));
        let (pool, update, delta) = (&self.pool, &self.update, self.delta.as_ref());
        let dense = LayerInput::Dense(self.input.as_ref());
        for (path, input) in [("dense", dense), ("sparse", LayerInput::Sparse(&self.nonzeros))] {
            group.bench_function(format!("weight gradient, {path}"), |bencher| {
                let gradient = &mut self.weight_gradient;
                bencher.iter(|| weight_gradient(pool, delta, black_box(input), gradient.as_mut()));
            });
            group.bench_function(format!("weight gradient and Adam, {path}"), |bencher| {
                let (kernel, [first, second]) = (&mut self.kernel, &mut self.moments);
                bencher.iter(|| {
                    let moments = [first.as_mut().into_slice(), second.as_mut().into_slice(), &mut []];
                    update_kernel(pool, update, delta, black_box(input), kernel.as_mut(), moments);
                });
            });
        }
        group.bench_function("Adam alone", |bencher| {
            let (kernel, [first, second]) = (&mut self.kernel, &mut self.moments);
            let gradient = self.weight_gradient.as_mut().into_slice();
            bencher.iter(|| {
                let moments = [first.as_mut().into_slice(), second.as_mut().into_slice(), &mut []];
                update.apply(pool.isa(), kernel.as_mut().into_slice(), black_box(gradient), moments);
            });
        });
    }

    fn inputs(&mut self, criterion: &mut Criterion, name: &str) {
        let mut group = criterion.benchmark_group(name);
        let flops = self.flops();
        let (pool, update, delta) = (&self.pool, &self.update, self.delta.as_ref());
        let (kernel, [first, second]) = (&mut self.kernel, &mut self.moments);
        let (gradient, scratch) = (&mut self.input_gradient, &mut self.scratch);
        group.throughput(Throughput::Elements(flops));
        group.bench_function("input gradient, dense", |bencher| {
            bencher.iter(|| input_gradient(pool, kernel.as_ref(), black_box(delta), gradient.as_mut()));
        });
        group.bench_function("input gradient, sparse", |bencher| {
            bencher.iter(|| {
                let target = MaskedGradient { gradient: gradient.as_mut(), scale: 1.25, scratch };
                sparse_input_gradient(pool, kernel.as_ref(), black_box(delta), &self.nonzeros, target);
            });
        });
        group.throughput(Throughput::Elements(2 * flops));
        group.bench_function("both gradients and Adam, dense", |bencher| {
            let input = LayerInput::Dense(self.input.as_ref());
            bencher.iter(|| {
                input_gradient(pool, kernel.as_ref(), black_box(delta), gradient.as_mut());
                let moments = [first.as_mut().into_slice(), second.as_mut().into_slice(), &mut []];
                update_kernel(pool, update, delta, input, kernel.as_mut(), moments);
            });
        });
        group.bench_function("both gradients and Adam, one pass", |bencher| {
            bencher.iter(|| {
                let target = MaskedGradient { gradient: gradient.as_mut(), scale: 1.25, scratch };
                let moments = [first.as_mut().into_slice(), second.as_mut().into_slice(), &mut []];
                let delta = black_box(delta);
                sparse_backward(pool, update, delta, &self.nonzeros, kernel.as_mut(), moments, target);
            });
        });
    }
}

fn first_layer(criterion: &mut Criterion) {
    Layer::new(digits()).weights(criterion, "first layer");
}

fn hidden_layer(criterion: &mut Criterion) {
    for density in [0.2, 0.25, 0.35, 0.5] {
        let name = format!("hidden layer, {:.0} % nonzero", 100.0 * density);
        let mut layer = Layer::new(matrix(UNITS, SAMPLES, density));
        layer.weights(criterion, &name);
        layer.inputs(criterion, &name);
    }
}

criterion_group!(benches, first_layer, hidden_layer);
criterion_main!(benches);
