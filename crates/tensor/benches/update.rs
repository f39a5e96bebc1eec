//! Optimizer updates beside the machine's copy bandwidth.
//!
//! ```text
//! DENSELY_THREADS=1 cargo bench -p densely-tensor --bench update
//! DENSELY_THREADS=1 DENSELY_ISA=avx2 cargo bench -p densely-tensor --bench update -- adam
//! ```
//!
//! Criterion's `B/s` count what a step must read (parameters, gradient, moments) and write (parameters, moments); for a
//! copy, what it reads and writes. 400,000 parameters are the first layer of 784-512-512-10; 4,096 stay in a core's own caches,
//! as they do behind a fused gradient.

#![allow(missing_docs)] // criterion_group! makes an undocumented function

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use densely_tensor::*;
use std::hint::black_box;
use std::time::Duration;

fn rules() -> Vec<(&'static str, Update<f32>)> {
    let adam = Adam::step(5, 0.001, 0.9, 0.999, 1e-7);
    let sgd = Sgd { learning_rate: 0.01, momentum: 0.0, nesterov: false };
    let ftrl = Ftrl {
        learning_rate: 0.001,
        learning_rate_power: -0.5,
        initial_accumulator_value: 0.1,
        l1_regularization_strength: 0.0,
        l2_regularization_strength: 0.0,
        l2_shrinkage_regularization_strength: 0.0,
        beta: 0.0,
    };
    vec![
        ("sgd", sgd.into()),
        ("sgd momentum", Sgd { momentum: 0.9, ..sgd }.into()),
        ("sgd nesterov", Sgd { momentum: 0.9, nesterov: true, ..sgd }.into()),
        ("rmsprop", Rmsprop::new(0.001, 0.9, 0.0, 1e-7, false).into()),
        ("rmsprop momentum", Rmsprop::new(0.001, 0.9, 0.9, 1e-7, false).into()),
        ("rmsprop centered", Rmsprop::new(0.001, 0.9, 0.0, 1e-7, true).into()),
        ("rmsprop centered momentum", Rmsprop::new(0.001, 0.9, 0.9, 1e-7, true).into()),
        ("adagrad", Adagrad { learning_rate: 0.001, initial_accumulator_value: 0.1, epsilon: 1e-7 }.into()),
        ("adadelta", Adadelta::new(0.001, 0.95, 1e-7).into()),
        ("adam", adam.into()),
        ("adamw", Update::from(adam).weight_decay(0.001, 0.004)),
        ("amsgrad", Amsgrad(adam).into()),
        ("adamax", Adamax::step(5, 0.001, 0.9, 0.999, 1e-7).into()),
        ("nadam", Nadam::step(5, 0.001, 0.9, 0.999, 1e-7).into()),
        ("ftrl", ftrl.into()),
        ("lion", Lion::new(0.001, 0.9, 0.99).into()),
    ]
}

/// A slice that starts on a cache line, of numbers in −1..1.
fn values(len: usize) -> AlignedBuffer<f32> {
    let mut buffer = AlignedBuffer::zeros(len);
    buffer.iter_mut().enumerate().for_each(|(i, value)| *value = ((i * 7919) % 2000) as f32 / 1000.0 - 1.0);
    buffer
}

fn updates(criterion: &mut Criterion) {
    let pool = Pool::from_environment().expect("DENSELY_THREADS and DENSELY_ISA are valid");
    for parameters in [4096, 400_000] {
        let mut group = criterion.benchmark_group(format!("update {parameters}"));
        group.sample_size(10).warm_up_time(Duration::from_millis(100));
        group.measurement_time(Duration::from_millis(400));
        // As much memory in all as Adam touches: parameters, gradient and two moments.
        let (source, mut target) = (values(2 * parameters), values(2 * parameters));
        group.throughput(Throughput::Bytes(2 * (source.len() * size_of::<f32>()) as u64));
        group.bench_function("copy, 1 thread", |bencher| {
            bencher.iter(|| black_box(&mut target).copy_from_slice(black_box(&source)));
        });
        for (name, update) in rules() {
            let arrays = 3 + 2 * update.moments();
            group.throughput(Throughput::Bytes((arrays * parameters * size_of::<f32>()) as u64));
            let mut kernel = values(parameters);
            let gradient = values(parameters);
            let mut moments = update.initial_moments().map(|initial| {
                let mut moment = AlignedBuffer::zeros(parameters);
                moment.fill(initial);
                moment
            });
            let threads = format!("{} {} threads", pool.isa(), pool.threads());
            group.bench_function(BenchmarkId::new(name, threads), |bencher| {
                bencher.iter(|| {
                    let moments = moments.each_mut().map(|moment| &mut moment[..]);
                    update.apply_in_parallel(&pool, black_box(&mut kernel), black_box(&gradient), moments);
                });
            });
            assert!(kernel.iter().all(|w| w.is_finite()), "{name}");
        }
        group.finish();
    }
}

criterion_group!(benches, updates);
criterion_main!(benches);
