//! Nonzeros are found exactly, from every source, and products that skip zeros have the dense product's bits, whatever
//! the threads and the instruction set.

use densely_tensor::{
    Epilogue, Isa, LayerInput, MatMut, MatRef, Nonzeros, Pool, Scalar, Tiled, gemm, prefers_sparse,
    sparse_gemm, weight_gradient,
};
use proptest::prelude::*;

mod reference;
use reference::Random;

/// Features × samples, column-major, of which about `density` are not zero; some zeros are negative, some nonzeros NaN.
fn batch<T: Scalar>(features: usize, samples: usize, density: f64, seed: u64) -> Vec<T> {
    let mut random = Random(seed);
    let mut element = || {
        if (random.next_unit() + 1.0) / 2.0 >= density {
            return if random.next_unit() < 0.0 { -T::ZERO } else { T::ZERO };
        }
        T::from_f64(random.next_unit())
    };
    (0..features * samples).map(|_| element()).collect()
}

fn pools() -> Vec<Pool> {
    let pools = Isa::available().flat_map(|isa| [1, 2, 3, 8].map(|threads| Pool::with_isa(threads, isa)));
    pools.map(|pool| pool.expect("eight threads can be had")).collect()
}

/// What one line says of the nonzeros: elements that are not zero, in order.
#[track_caller]
fn check_nonzeros<T: Scalar>(
    pool: &Pool,
    nonzeros: &mut Nonzeros<T>,
    batch: &[T],
    features: usize,
    samples: usize,
) {
    let element = |feature: usize, sample: usize| batch[sample * features + feature];
    let found = |(indices, values): (&[u32], &[T])| (indices.to_vec(), bits(values));
    let expected = |values: &mut dyn Iterator<Item = T>| {
        let kept = values.enumerate().filter(|(_, value)| *value != T::ZERO);
        let (indices, values): (Vec<u32>, Vec<T>) = kept.map(|(i, value)| (i as u32, value)).unzip();
        found((&indices, &values))
    };
    assert_eq!((nonzeros.n_features(), nonzeros.n_samples()), (features, samples));
    for sample in 0..samples {
        let values = &mut (0..features).map(|feature| element(feature, sample));
        assert_eq!(found(nonzeros.sample(sample)), expected(values), "sample {sample}");
    }
    nonzeros.list_features(pool);
    for feature in 0..features {
        let values = &mut (0..samples).map(|sample| element(feature, sample));
        assert_eq!(found(nonzeros.feature(feature)), expected(values), "feature {feature}");
    }
    let count = batch.iter().filter(|value| **value != T::ZERO).count();
    assert_eq!(nonzeros.count(), count);
    assert_eq!(nonzeros.density(), if batch.is_empty() { 0.0 } else { count as f64 / batch.len() as f64 });
}

const SIZES: &[(usize, usize)] = &[
    (0, 0),
    (0, 5),
    (5, 0),
    (1, 1),
    (1, 70),
    (15, 3),
    (16, 17),
    (63, 4),
    (64, 4),
    (65, 33),
    (129, 128),
    (784, 19),
    (65, 129),
    (130, 145),
    (64, 256),
    (200, 257),
    (70, 300),
];

fn check_every_source<T: Scalar>() {
    let mut nonzeros = Nonzeros::<T>::new(784, 300);
    for pool in pools() {
        for &(features, samples) in SIZES {
            for density in [0.0, 0.1, 0.5, 1.0] {
                let mut dense = batch::<T>(features, samples, density, 7);
                if let Some(last) = dense.last_mut() {
                    *last = T::from_f64(f64::NAN);
                }
                let matrix = MatRef::from_slice(&dense, features, samples);
                nonzeros.fill_from_columns(&pool, matrix);
                check_nonzeros(&pool, &mut nonzeros, &dense, features, samples);
                nonzeros.fill_from_tiled(&pool, Tiled::from(matrix).as_ref());
                check_nonzeros(&pool, &mut nonzeros, &dense, features, samples);

                let stored = samples + 3;
                let images: Vec<u8> = batch::<f64>(features, stored, density, 9)
                    .into_iter()
                    .map(|value| (value.abs() * 255.0).ceil() as u8)
                    .collect();
                let order: Vec<u32> = (0..samples).map(|sample| (sample * 5 % stored) as u32).collect();
                for zero in [0.0, 3.0] {
                    let values = std::array::from_fn(|byte| T::from_f64((byte as f64 - zero) / 255.0));
                    nonzeros.fill_from_bytes(&pool, features, &images, &order, &values);
                    let image = |&sample: &u32| &images[sample as usize * features..][..features];
                    let pixels = order.iter().flat_map(image);
                    let dense: Vec<T> = pixels.map(|&byte| values[usize::from(byte)]).collect();
                    check_nonzeros(&pool, &mut nonzeros, &dense, features, samples);
                }
            }
        }
    }
}

#[test]
#[cfg_attr(miri, ignore = "too long for an interpreter")]
fn every_source_gives_exactly_its_nonzeros() {
    check_every_source::<f32>();
    check_every_source::<f64>();
}

#[test]
#[should_panic(expected = "a batch of 3 features × 2 samples, with room for 3 × 1")]
fn a_batch_larger_than_the_room_is_refused() {
    Nonzeros::new(3, 1).fill_from_columns(&Pool::default(), MatRef::from_slice(&[0.0; 6], 3, 2));
}

#[test]
#[should_panic(expected = "more than 32 bits can count")]
#[cfg(target_pointer_width = "64")]
fn more_samples_than_an_index_can_count_are_refused() {
    Nonzeros::<f32>::new(0, 1 << 32);
}

#[test]
#[should_panic(expected = "sample 2 of 2 samples of 3 bytes")]
fn samples_beyond_the_bytes_are_refused() {
    Nonzeros::new(3, 1).fill_from_bytes(&Pool::default(), 3, &[0; 6], &[2], &[0.0; 256]);
}

#[test]
#[should_panic(expected = "nonzeros by feature are used before list_features")]
fn a_batch_whose_features_are_not_listed_is_refused() {
    let pool = Pool::default();
    let mut x = Nonzeros::<f32>::new(2, 1);
    x.fill_from_columns(&pool, MatRef::from_slice(&[1.0; 2], 2, 1));
    x.list_features(&pool);
    x.fill_from_columns(&pool, MatRef::from_slice(&[1.0; 2], 2, 1));
    let delta = Tiled::zeros(1, 1);
    weight_gradient(&pool, delta.as_ref(), LayerInput::Sparse(&x), Tiled::zeros(1, 2).as_mut());
}

/// The chain that every product promises, one element at a time.
fn oracle<T: Scalar>(w: MatRef<'_, T>, x: MatRef<'_, T>, epilogue: Epilogue<'_, T>) -> Vec<T> {
    let mut z = Vec::new();
    for sample in 0..x.n_columns() {
        for unit in 0..w.n_rows() {
            let term = |sum: T, input: usize| w.get(unit, input).mul_add(x.get(input, sample), sum);
            let sum = (0..w.n_columns()).fold(T::ZERO, term);
            z.push(match epilogue {
                Epilogue::None => sum + T::ZERO,
                Epilogue::Bias(bias) => sum + bias[unit] + T::ZERO,
                Epilogue::BiasRelu(bias) if sum + bias[unit] <= T::ZERO => T::ZERO,
                Epilogue::BiasRelu(bias) => sum + bias[unit],
                other => unreachable!("{other:?} is not among these cases; tests/epilogue.rs has it"),
            });
        }
    }
    z
}

/// The value's bits; `f64` holds every `f32` exactly, with its sign.
fn bits<T: Scalar>(values: &[T]) -> Vec<u64> {
    values.iter().map(|value| value.to_f64().to_bits()).collect()
}

/// Sparse product, dense product and oracle agree in every bit.
#[track_caller]
fn check_product<T: Scalar>(
    pools: &[Pool],
    (units, inputs, samples): (usize, usize, usize),
    density: f64,
    epilogue: usize,
    seed: u64,
) {
    let w = batch::<T>(units, inputs, 0.9, seed);
    let x = batch::<T>(inputs, samples, density, seed + 1);
    let bias = batch::<T>(units, 1, 0.9, seed + 2);
    let epilogue = [Epilogue::None, Epilogue::Bias(&bias), Epilogue::BiasRelu(&bias)][epilogue];
    let (w, x) = (MatRef::from_slice(&w, units, inputs), MatRef::from_slice(&x, inputs, samples));
    let expected = oracle(w, x, epilogue);
    let mut nonzeros = Nonzeros::new(inputs, samples);
    for pool in pools {
        let name = || {
            format!("{units} × {inputs} × {samples}, density {density}, {} × {}", pool.isa(), pool.threads())
        };
        let mut dense = vec![T::ONE; units * samples];
        gemm(pool, MatMut::from_slice(&mut dense, units, samples), T::ONE, w, x, T::ZERO, epilogue);
        assert!(bits(&dense) == bits(&expected), "dense: {}", name());

        nonzeros.fill_from_columns(pool, x);
        let mut z = Tiled::zeros(units, samples);
        z.as_mut().into_slice().fill(T::from_f64(f64::NAN)); // all of it is overwritten
        sparse_gemm(pool, z.as_mut(), Tiled::from(w).as_ref(), &nonzeros, epilogue);
        let mut sparse = vec![T::ONE; units * samples];
        z.as_ref().copy_to(MatMut::from_slice(&mut sparse, units, samples));
        assert!(bits(&sparse) == bits(&expected), "sparse: {}", name());
        let whole: f64 = z.as_mut().into_slice().iter().map(|value| value.abs().to_f64()).sum();
        let rows: f64 = sparse.iter().map(|value| value.abs().to_f64()).sum();
        assert!((whole - rows).abs() <= 1e-9 * rows, "padding: {}", name());
    }
}

#[test]
#[cfg_attr(miri, ignore = "too long for an interpreter")]
fn every_edge_of_tiles_and_blocks_has_the_dense_bits() {
    let pools = pools();
    let mut seed = 0;
    for units in [0, 1, 10, 16, 33, 48, 63, 64, 65, 128, 193] {
        for inputs in [0, 1, 63, 64, 65, 130, 300] {
            for samples in [0, 1, 3, 17] {
                seed += 1;
                let density = [0.0, 0.2, 0.3, 0.6, 1.0][seed as usize % 5];
                check_product::<f32>(&pools, (units, inputs, samples), density, seed as usize % 3, seed);
                check_product::<f64>(
                    &pools,
                    (units, inputs, samples),
                    density,
                    (seed + 1) as usize % 3,
                    seed,
                );
            }
        }
    }
}

#[test]
#[cfg_attr(miri, ignore = "too long for an interpreter")]
fn every_number_of_threads_has_the_dense_bits() {
    let threads =
        |isa| (1..=8).map(move |threads| Pool::with_isa(threads, isa).expect("eight threads can be had"));
    let pools: Vec<Pool> = Isa::available().flat_map(threads).collect();
    for (units, samples) in [(640, 5), (130, 40), (10, 33)] {
        check_product::<f32>(&pools, (units, 100, samples), 0.4, 2, 5);
        check_product::<f64>(&pools, (units, 100, samples), 0.4, 1, 6);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    #[cfg_attr(miri, ignore = "too long for an interpreter")]
    fn any_shape_and_density_has_the_dense_bits(
        shape in (0usize..300, 0usize..200, 0usize..30),
        density in 0.0..1.0,
        epilogue in 0usize..3,
        seed in any::<u32>(),
    ) {
        thread_local! {
            static POOLS: Vec<Pool> = pools();
        }
        POOLS.with(|pools| {
            check_product::<f32>(pools, shape, density, epilogue, seed.into());
            check_product::<f64>(pools, shape, density, epilogue, seed.into());
        });
    }
}

#[test]
fn a_zero_skips_what_is_not_finite_and_all_else_propagates() {
    let infinity = f32::INFINITY;
    let w = Tiled::from(MatRef::from_slice(&[infinity, 1.0, f32::NAN, 2.0, 1.0, infinity], 2, 3)); // (∞ NaN 1 / 1 2 ∞)
    let batch = [
        0.0,
        0.0,
        1.0,
        /**/ 1.0,
        0.0,
        0.0,
        /**/ 0.0,
        1.0,
        0.0,
        /**/ f32::NAN,
        0.0,
        0.0,
        /**/ 0.0,
        infinity,
        1.0,
    ];
    for pool in pools() {
        let mut x = Nonzeros::new(3, 5);
        x.fill_from_columns(&pool, MatRef::from_slice(&batch, 3, 5));
        let mut z = Tiled::zeros(2, 5);
        sparse_gemm(&pool, z.as_mut(), w.as_ref(), &x, Epilogue::BiasRelu(&[0.0, -5.0]));
        let z_ref = z.as_ref();
        let z_of = |sample: usize| [z_ref.get(0, sample), z_ref.get(1, sample)];
        assert_eq!(z_of(0), [1.0, infinity], "0 · ∞ and 0 · NaN are skipped");
        assert_eq!(z_of(1), [infinity, 0.0]);
        assert!(z_of(2)[0].is_nan() && z_of(2)[1] == 0.0, "1 · NaN stays, through ReLU");
        assert!(z_of(3).iter().all(|z| z.is_nan()), "a NaN of X is a nonzero");
        assert!(z_of(4)[0].is_nan() && z_of(4)[1] == infinity);
        let padding = z_ref.tile(0).chunks_exact(16).flat_map(|column| &column[2..]);
        assert!(padding.into_iter().all(|&element| element == 0.0), "padding stays zero beside infinity");
    }
}

#[test]
#[should_panic(expected = "sparse_gemm: Z is 2 × 1, W 2 × 3, X 2 × 1; expected 2 × 1, 2 × 3, 3 × 1")]
fn shapes_that_do_not_fit_are_named() {
    let pool = Pool::default();
    let mut x = Nonzeros::<f32>::new(2, 1);
    x.fill_from_columns(&pool, MatRef::from_slice(&[0.0; 2], 2, 1));
    let w = Tiled::zeros(2, 3);
    sparse_gemm(&pool, Tiled::zeros(2, 1).as_mut(), w.as_ref(), &x, Epilogue::None);
}

#[test]
fn the_rule_is_sparse_up_to_a_density() {
    assert!(prefers_sparse(0.0) && prefers_sparse(0.19) && prefers_sparse(0.54));
    assert!(!prefers_sparse(0.56) && !prefers_sparse(1.0) && !prefers_sparse(f64::NAN));
}
