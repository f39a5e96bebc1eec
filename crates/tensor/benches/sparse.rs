//! The forward product that skips zeros, beside the dense one, on real pixels and at several densities; and what finding
//! the nonzeros costs.
//!
//! ```text
//! cargo bench -p densely-tensor --bench sparse
//! DENSELY_THREADS=1 DENSELY_ISA=avx2 cargo bench -p densely-tensor --bench sparse -- forward
//! ```
//!
//! Criterion's `elem/s` are the dense product's floating-point operations a second, 2·m·k·n, also where most are skipped;
//! of compression, elements of the dense batch a second. Each run takes the next of several batches, so that no branch
//! predictor learns one by heart. The pixels are those of `data/sample`, real images of MNIST.

#![allow(missing_docs)] // criterion_group! makes an undocumented function

mod pixels;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use densely_tensor::{Epilogue, MatMut, MatRef, Nonzeros, Pool, Tiled, gemm, sparse_gemm};
use pixels::{PIXELS, images};
use std::hint::black_box;

const UNITS: usize = 512;
const SAMPLES: usize = 128;
const BATCHES: usize = 32;

/// Small integers, which every order of additions gives exactly.
fn weights(inputs: usize) -> Vec<f32> {
    (0..UNITS * inputs).map(|i| (i * 7919 % 17) as f32 - 8.0).collect()
}

/// Batches of pixels as integers 0–255, in an order that spreads over all images.
fn orders(images: &[u8]) -> Vec<Vec<u32>> {
    let samples = images.len() / PIXELS;
    let order =
        |batch: usize| (0..SAMPLES).map(|s| ((batch * SAMPLES + s) * 1009 % samples) as u32).collect();
    (0..BATCHES).map(order).collect()
}

fn pool() -> Pool {
    Pool::from_environment().expect("DENSELY_THREADS and DENSELY_ISA are valid")
}

fn bench_products(criterion: &mut Criterion, name: &str, inputs: usize, batches: &[Vec<f32>]) {
    let pool = pool();
    let weights = weights(inputs);
    let w = MatRef::from_slice(&weights, UNITS, inputs);
    let tiled = Tiled::from(w);
    let mut z = Tiled::zeros(UNITS, SAMPLES);
    let mut dense = vec![0.0; UNITS * SAMPLES];
    let dense_product = |batch: &[f32], z: &mut [f32]| {
        let (z, x) = (MatMut::from_slice(z, UNITS, SAMPLES), MatRef::from_slice(batch, inputs, SAMPLES));
        gemm(&pool, z, 1.0, w, x, 0.0, Epilogue::None);
    };
    let nonzeros: Vec<Nonzeros<f32>> = batches
        .iter()
        .map(|batch| {
            let mut nonzeros = Nonzeros::new(inputs, SAMPLES);
            nonzeros.fill_from_columns(&pool, MatRef::from_slice(batch, inputs, SAMPLES));
            nonzeros
        })
        .collect();
    for (batch, nonzeros) in batches.iter().zip(&nonzeros) {
        dense_product(batch, &mut dense);
        sparse_gemm(&pool, z.as_mut(), tiled.as_ref(), nonzeros, Epilogue::None);
        let mut sparse = vec![0.0; UNITS * SAMPLES];
        z.as_ref().copy_to(MatMut::from_slice(&mut sparse, UNITS, SAMPLES));
        assert_eq!(sparse, dense, "{name}: the products differ");
    }

    let mut group = criterion.benchmark_group(format!("{name}, {} {} threads", pool.isa(), pool.threads()));
    group.throughput(Throughput::Elements(2 * (UNITS * inputs * SAMPLES) as u64));
    let mut next = (0..batches.len()).cycle();
    let mut batch = || next.next().unwrap_or_default();
    group.bench_function("sparse", |bencher| {
        bencher.iter(|| {
            let x = &nonzeros[batch()];
            sparse_gemm(&pool, black_box(z.as_mut()), tiled.as_ref(), x, Epilogue::None);
        });
    });
    let mut space = Nonzeros::new(inputs, SAMPLES);
    group.bench_function("sparse with compression", |bencher| {
        bencher.iter(|| {
            space.fill_from_columns(&pool, MatRef::from_slice(&batches[batch()], inputs, SAMPLES));
            sparse_gemm(&pool, black_box(z.as_mut()), tiled.as_ref(), &space, Epilogue::None);
        });
    });
    group.bench_function("dense", |bencher| {
        bencher.iter(|| dense_product(&batches[batch()], black_box(&mut dense)));
    });
    group.finish();
}

fn forward_1(criterion: &mut Criterion) {
    let images = images();
    let pixels = |order: &Vec<u32>| {
        let image = |&sample: &u32| &images[sample as usize * PIXELS..][..PIXELS];
        order.iter().flat_map(image).map(|&pixel| f32::from(pixel)).collect()
    };
    let batches: Vec<Vec<f32>> = orders(&images).iter().map(pixels).collect();
    bench_products(criterion, "forward 1, real pixels", PIXELS, &batches);
}

fn forward_2(criterion: &mut Criterion) {
    const INPUTS: usize = 512;
    for percent in [10, 20, 25, 30, 40, 50, 65, 80, 100] {
        let mut state: u64 = percent;
        let mut element = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407); // as Knuth's MMIX
            if (state >> 33) % 100 < percent { ((state >> 45) % 15 + 1) as f32 } else { 0.0 }
        };
        let batches: Vec<Vec<f32>> =
            (0..BATCHES / 2).map(|_| (0..INPUTS * SAMPLES).map(|_| element()).collect()).collect();
        bench_products(criterion, &format!("forward 2, {percent} % nonzero"), INPUTS, &batches);
    }
}

fn compression(criterion: &mut Criterion) {
    let pool = pool();
    let images = images();
    let orders = orders(&images);
    let values: [f32; 256] = std::array::from_fn(|byte| byte as f32 / 255.0);
    let gather = |order: &Vec<u32>| -> Vec<f32> {
        let image = |&sample: &u32| &images[sample as usize * PIXELS..][..PIXELS];
        order.iter().flat_map(image).map(|&pixel| values[usize::from(pixel)]).collect()
    };
    let batches: Vec<Vec<f32>> = orders.iter().map(gather).collect();
    let tiled: Vec<Tiled<f32>> =
        batches.iter().map(|batch| Tiled::from(MatRef::from_slice(batch, PIXELS, SAMPLES))).collect();
    let mut nonzeros = Nonzeros::new(PIXELS, SAMPLES);
    let mut group = criterion.benchmark_group(format!("compress, {} {} threads", pool.isa(), pool.threads()));
    group.throughput(Throughput::Elements((PIXELS * SAMPLES) as u64));
    let mut next = (0..BATCHES).cycle();
    let mut batch = || next.next().unwrap_or_default();
    group.bench_function("bytes", |bencher| {
        bencher.iter(|| nonzeros.fill_from_bytes(&pool, PIXELS, &images, &orders[batch()], &values));
    });
    group.bench_function("columns", |bencher| {
        bencher.iter(|| {
            nonzeros.fill_from_columns(&pool, MatRef::from_slice(&batches[batch()], PIXELS, SAMPLES));
        });
    });
    group.bench_function("tiles", |bencher| {
        bencher.iter(|| nonzeros.fill_from_tiled(&pool, tiled[batch()].as_ref()));
    });
    group.bench_function("tiles, by feature too", |bencher| {
        bencher.iter(|| {
            nonzeros.fill_from_tiled(&pool, tiled[batch()].as_ref());
            nonzeros.list_features(&pool);
        });
    });
    group.finish();
}

criterion_group!(benches, forward_1, forward_2, compression);
criterion_main!(benches);
