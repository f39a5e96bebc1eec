//! Element-wise kernels on 4,096 elements, which a first-level cache holds: what one thread does to a
//! part of a batch. Beside the standard library's functions, one element at a time, which is the system's libm.
//!
//! ```text
//! cargo bench -p densely-tensor --bench elementwise
//! DENSELY_ISA=avx2 cargo bench -p densely-tensor --bench elementwise -- "exp|tanh"
//! ```

#![allow(missing_docs)] // criterion_group! makes an undocumented function

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use densely_tensor::{
    ActivationFunction, ColumnsMut, Isa, Pool, erf, exp, log, softmax, softmax_columns,
    softmax_cross_entropy_columns, tanh,
};
use std::hint::black_box;

/// 16 KiB: with the operand that is restored each time, a first-level cache.
const ELEMENTS: usize = 4096;

/// Numbers between −5 and 5, or for the logarithm 1 and 11.
fn elements(offset: f32) -> Vec<f32> {
    (0..ELEMENTS).map(|i| (i * 7919 % 1000) as f32 / 100.0 - 5.0 + offset).collect()
}

fn isa() -> Isa {
    Pool::from_environment().expect("DENSELY_THREADS and DENSELY_ISA are valid").isa()
}

type OnSlice = fn(Isa, &mut [f32]);
type OnElement = fn(f32) -> f32;

fn functions(criterion: &mut Criterion) {
    let isa = isa();
    let functions: [(&str, OnSlice, Option<OnElement>, f32); 4] = [
        ("exp", exp, Some(f32::exp), 0.0),
        ("log", log, Some(f32::ln), 6.0),
        ("tanh", tanh, Some(f32::tanh), 0.0),
        ("erf", erf, None, 0.0),
    ];
    for (name, function, standard, offset) in functions {
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Elements(ELEMENTS as u64));
        let x = elements(offset);
        let mut y = x.clone();
        group.bench_function(BenchmarkId::new("densely", isa), |bencher| {
            bencher.iter(|| {
                y.copy_from_slice(&x); // a function applied to its own values would soon see one value only
                function(isa, black_box(&mut y));
            });
        });
        if let Some(standard) = standard {
            y.copy_from_slice(&x);
            function(isa, &mut y);
            for (y, &x) in y.iter().zip(&x) {
                assert!((y - standard(x)).abs() <= 1e-5 * y.abs().max(1e-3), "{name}({x})");
            }
            group.bench_function("std", |bencher| {
                bencher.iter(|| {
                    for (y, &x) in y.iter_mut().zip(&x) {
                        *y = standard(x);
                    }
                    black_box(&mut y);
                });
            });
        }
        group.finish();
    }
}

fn activations(criterion: &mut Criterion) {
    use ActivationFunction::*;
    let isa = isa();
    let x = elements(0.0);
    let functions = [
        ("relu", Relu),
        ("sigmoid", Sigmoid),
        ("softplus", Softplus),
        ("elu", Elu { alpha: 1.0 }),
        ("silu", Silu),
        ("mish", Mish),
        ("gelu", Gelu),
        ("gelu tanh", GeluTanh),
    ];
    for (name, function) in functions {
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Elements(ELEMENTS as u64));
        let mut y = x.clone();
        group.bench_function(BenchmarkId::new("value", isa), |bencher| {
            bencher.iter(|| {
                y.copy_from_slice(&x);
                function.apply(isa, black_box(&mut y));
            });
        });
        let mut gradient = vec![1.0; ELEMENTS];
        group.bench_function(BenchmarkId::new("derivative", isa), |bencher| {
            bencher.iter(|| {
                gradient.fill(1.0);
                function.multiply_by_derivative(isa, black_box(&y), &mut gradient);
                black_box(&mut gradient);
            });
        });
        group.finish();
    }
}

/// Ten classes for 128 samples, and a thousand for four.
fn softmaxes(criterion: &mut Criterion) {
    let isa = isa();
    for (rows, columns) in [(10, 128), (1000, 4)] {
        let mut group = criterion.benchmark_group(format!("softmax {rows} × {columns}"));
        group.throughput(Throughput::Elements((rows * columns) as u64));
        let z = &elements(0.0)[..rows * columns];
        let mut y = z.to_vec();
        group.bench_function(BenchmarkId::new("batch", isa), |bencher| {
            bencher.iter(|| {
                y.copy_from_slice(z);
                softmax_columns(isa, ColumnsMut::new(black_box(&mut y), rows, rows));
            });
        });
        group.bench_function(BenchmarkId::new("sample by sample", isa), |bencher| {
            bencher.iter(|| {
                y.copy_from_slice(z);
                for y in black_box(&mut y).chunks_exact_mut(rows) {
                    softmax(isa, y);
                }
            });
        });
        let labels: Vec<u32> = (0..columns as u32).map(|column| column % 10).collect();
        let mut losses = vec![0.0; columns];
        group.bench_function(BenchmarkId::new("cross-entropy", isa), |bencher| {
            bencher.iter(|| {
                y.copy_from_slice(z);
                let y = ColumnsMut::new(black_box(&mut y), rows, rows);
                softmax_cross_entropy_columns(isa, y, &labels, 0.01, &mut losses);
            });
        });
        group.finish();
    }
}

criterion_group!(benches, functions, activations, softmaxes);
criterion_main!(benches);
