//! The matrix product on the shapes of the tutorial's network (784-512-512-10, batches of 128), beside nalgebra's.
//!
//! ```text
//! cargo bench -p densely-tensor
//! DENSELY_THREADS=1 DENSELY_ISA=avx2 cargo bench -p densely-tensor -- forward
//! ```
//!
//! Criterion's `elem/s` are floating-point operations a second: 2·m·k·n a product.

#![allow(missing_docs)] // criterion_group! makes an undocumented function

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use densely_tensor::{Epilogue, Pool, gemm};
use nalgebra::DMatrix;
use std::hint::black_box;

/// Name, m, k, n, and whether A and B are stored transposed.
const SHAPES: &[(&str, usize, usize, usize, bool, bool)] = &[
    ("forward 1", 512, 784, 128, false, false),
    ("forward 2", 512, 512, 128, false, false),
    ("forward 3", 10, 512, 128, false, false),
    ("weight gradient 1", 512, 128, 784, false, true),
    ("weight gradient 2", 512, 128, 512, false, true),
    ("weight gradient 3", 10, 128, 512, false, true),
    ("input gradient 2", 512, 512, 128, true, false),
    ("input gradient 3", 512, 10, 128, true, false),
    ("square 1024", 1024, 1024, 1024, false, false),
    ("one sample", 512, 784, 1, false, false),
];

fn matrix(rows: usize, columns: usize) -> DMatrix<f32> {
    DMatrix::from_fn(rows, columns, |i, j| ((i * 7 + j * 13) % 17) as f32 - 8.0)
}

fn products(criterion: &mut Criterion) {
    let pool = Pool::from_environment().expect("DENSELY_THREADS and DENSELY_ISA are valid");
    for &(name, m, k, n, a_transposed, b_transposed) in SHAPES {
        let a = if a_transposed { matrix(k, m) } else { matrix(m, k) };
        let b = if b_transposed { matrix(n, k) } else { matrix(k, n) };
        let expected = match (a_transposed, b_transposed) {
            (false, false) => &a * &b,
            (false, true) => &a * b.transpose(),
            (true, false) => a.tr_mul(&b),
            (true, true) => a.tr_mul(&b.transpose()),
        };
        let mut c = DMatrix::zeros(m, n);
        let product = |c: &mut DMatrix<f32>| {
            let (a, b) = ((&a).into(), (&b).into());
            let (a, b): (densely_tensor::MatRef<'_, f32>, densely_tensor::MatRef<'_, f32>) = (a, b);
            let a = if a_transposed { a.t() } else { a };
            let b = if b_transposed { b.t() } else { b };
            gemm(&pool, c, 1.0, a, b, 0.0, Epilogue::None);
        };
        product(&mut c);
        assert_eq!(c, expected, "{name}: small integers are exact in any order");

        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Elements(2 * (m * k * n) as u64));
        let threads = format!("{} {} threads", pool.isa(), pool.threads());
        group.bench_function(BenchmarkId::new("densely", threads), |bencher| {
            bencher.iter(|| product(black_box(&mut c)));
        });
        group.bench_function(BenchmarkId::new("nalgebra", "1 thread"), |bencher| {
            bencher.iter(|| match (a_transposed, b_transposed) {
                (false, false) => c.gemm(1.0, black_box(&a), &b, 0.0),
                (true, false) => c.gemm_tr(1.0, black_box(&a), &b, 0.0),
                _ => c.gemm(1.0, black_box(&a), &b.transpose(), 0.0),
            });
        });
        group.finish();
    }
}

criterion_group!(benches, products);
criterion_main!(benches);
