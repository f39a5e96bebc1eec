//! Nonzeros are found exactly, from every source, whatever the threads and the instruction set.

use densely_tensor::{Isa, MatRef, Nonzeros, Pool, Scalar, Tiled};

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
fn check_nonzeros<T: Scalar>(nonzeros: &Nonzeros<T>, batch: &[T], features: usize, samples: usize) {
    let element = |feature: usize, sample: usize| batch[sample * features + feature];
    let bits = |(indices, values): (&[u32], &[T])| {
        let values: Vec<String> = values.iter().map(|value| format!("{value:?}")).collect();
        (indices.to_vec(), values)
    };
    let expected = |values: &mut dyn Iterator<Item = T>| {
        let kept: Vec<(usize, T)> = values.enumerate().filter(|(_, value)| *value != T::ZERO).collect();
        let (indices, values): (Vec<u32>, Vec<T>) =
            kept.into_iter().map(|(i, value)| (i as u32, value)).unzip();
        bits((&indices, &values))
    };
    assert_eq!((nonzeros.n_features(), nonzeros.n_samples()), (features, samples));
    for sample in 0..samples {
        let values = &mut (0..features).map(|feature| element(feature, sample));
        assert_eq!(bits(nonzeros.sample(sample)), expected(values), "sample {sample}");
    }
    for feature in 0..features {
        let values = &mut (0..samples).map(|sample| element(feature, sample));
        assert_eq!(bits(nonzeros.feature(feature)), expected(values), "feature {feature}");
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
];

fn check_every_source<T: Scalar>() {
    let mut nonzeros = Nonzeros::<T>::new(784, 128);
    for pool in pools() {
        for &(features, samples) in SIZES {
            for density in [0.0, 0.1, 0.5, 1.0] {
                let mut dense = batch::<T>(features, samples, density, 7);
                if let Some(last) = dense.last_mut() {
                    *last = T::from_f64(f64::NAN);
                }
                let matrix = MatRef::from_slice(&dense, features, samples);
                nonzeros.fill_from_columns(&pool, matrix);
                check_nonzeros(&nonzeros, &dense, features, samples);
                nonzeros.fill_from_tiled(&pool, Tiled::from(matrix).as_ref());
                check_nonzeros(&nonzeros, &dense, features, samples);

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
                    check_nonzeros(&nonzeros, &dense, features, samples);
                }
            }
        }
    }
}

#[test]
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
