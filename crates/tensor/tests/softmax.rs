//! The softmax family: against its formulas in double precision, stable for any finite input, and with the same bits for a
//! sample alone and in a batch, on every instruction set.

mod reference;

use densely_tensor::*;
use reference::Random;

#[test]
fn softmax_is_stable_for_any_finite_input() {
    let isa = Isa::detect();
    for z in [[f32::MAX, f32::MIN, 0.0], [f32::MAX; 3], [f32::MIN; 3], [-1e30, 1e-40, 88.9]] {
        let mut probabilities = z;
        softmax(isa, &mut probabilities);
        let sum: f32 = probabilities.iter().sum();
        assert!((sum - 1.0).abs() < 1e-6, "{z:?} gives {probabilities:?}");
        let mut logarithms = z.map(f64::from);
        log_softmax(isa, &mut logarithms);
        assert!(logarithms.iter().all(|&y| y <= 0.0 && y.is_finite()), "{z:?} gives {logarithms:?}");
        let mut gradient = z;
        let loss = softmax_cross_entropy(isa, &mut gradient, 0, 1.0);
        assert!(loss >= 0.0 && gradient.iter().all(|g| g.is_finite()), "{z:?} gives {gradient:?}");
        let of_smallest = softmax_cross_entropy(isa, &mut z.clone(), 1, 1.0);
        assert!(of_smallest.is_finite() && of_smallest >= 0.0, "{z:?} has loss {of_smallest}");
    }
}

/// Logits between −20 and 20 in single precision.
fn logits(random: &mut Random, len: usize) -> Vec<f32> {
    (0..len).map(|_| 20.0 * random.next_unit() as f32).collect()
}

/// Softmax in double precision, without taking anything away.
fn reference(z: &[f32]) -> Vec<f64> {
    let exponentials: Vec<f64> = z.iter().map(|&z| libm::exp(f64::from(z))).collect();
    let sum: f64 = exponentials.iter().sum();
    exponentials.iter().map(|e| e / sum).collect()
}

/// In units of ε = 2⁻²³: up to ½·(20 + 20) from rounding z − max, 1 from the exponential, and the error of the sum and of
/// the division.
const RELATIVE: f64 = 30.0 / (1 << 23) as f64;

#[test]
fn the_family_follows_its_formulas() {
    let isa = Isa::detect();
    let mut random = Random(3);
    for classes in [1, 2, 10, 15, 16, 17, 100, 1000] {
        let z = logits(&mut random, classes);
        let expected = reference(&z);
        let context = format!("{classes} classes");

        let mut y = z.clone();
        softmax(isa, &mut y);
        for (y, p) in y.iter().zip(&expected) {
            assert!((f64::from(*y) - p).abs() <= RELATIVE * p, "{context}: {y} and {p}");
        }
        let mut y = z.clone();
        log_softmax(isa, &mut y);
        for (y, p) in y.iter().zip(&expected) {
            // Rounded at up to 40 + ln 1000.
            assert!((f64::from(*y) - p.ln()).abs() <= 1e-5, "{context}: {y} and {}", p.ln());
        }

        let label = classes / 2;
        let mut gradient = z.clone();
        let loss = softmax_cross_entropy(isa, &mut gradient, label, 2.0);
        assert!((loss + expected[label].ln()).abs() < 1e-5, "{context}: {loss}");
        for (class, (g, p)) in gradient.iter().zip(&expected).enumerate() {
            let exact = 2.0 * (p - if class == label { 1.0 } else { 0.0 });
            assert!((f64::from(*g) - exact).abs() <= 2.0 * RELATIVE, "{context}: {g} and {exact}");
        }
    }
}

/// Against differences of the function, in double precision.
#[test]
fn gradients_are_those_of_the_functions() {
    let isa = Isa::detect();
    let z: Vec<f64> = logits(&mut Random(5), 7).iter().map(|&z| f64::from(z) / 10.0).collect();
    let upstream: Vec<f64> = (0..7).map(|i| f64::from(i) - 2.5).collect();
    type Function = fn(Isa, &mut [f64]);
    type Gradient = fn(Isa, &[f64], &mut [f64]);
    let pairs: [(Function, Gradient); 2] = [(softmax, softmax_gradient), (log_softmax, log_softmax_gradient)];
    for (function, gradient) in pairs {
        let objective = |z: &[f64]| {
            let mut y = z.to_vec();
            function(isa, &mut y);
            y.iter().zip(&upstream).map(|(y, u)| y * u).sum::<f64>()
        };
        let mut y = z.clone();
        function(isa, &mut y);
        let mut found = upstream.clone();
        gradient(isa, &y, &mut found);
        for i in 0..7 {
            const STEP: f64 = 1e-6;
            let (mut above, mut below) = (z.clone(), z.clone());
            above[i] += STEP;
            below[i] -= STEP;
            let slope = (objective(&above) - objective(&below)) / (2.0 * STEP);
            assert!((found[i] - slope).abs() < 1e-8, "element {i}: {} and {slope}", found[i]);
        }
    }
}

/// A NaN's sign and payload are not part of the promise.
fn bits<T: Scalar>(values: &[T]) -> Vec<u64> {
    values.iter().map(|x| if x.is_nan() { u64::MAX } else { x.to_f64().to_bits() }).collect()
}

/// What the family leaves of one sample.
struct Expected<T> {
    softmax: Vec<T>,
    log_softmax: Vec<T>,
    gradient: Vec<T>,
    loss: f64,
}

/// The family by its formulas, one operation after the other, with the sum in its order: lane i mod 16, then the tree.
fn by_the_formulas<T: Scalar>(z: &[T], label: usize, scale: T) -> Expected<T> {
    let mut largest = T::NEG_INFINITY;
    for &z in z {
        largest = if z.is_nan() || z > largest { z } else { largest };
        if z.is_nan() {
            break;
        }
    }
    let below: Vec<T> = z.iter().map(|&z| z - largest).collect();
    let mut exponentials = below.clone();
    exp(Isa::PORTABLE, &mut exponentials);
    let mut lanes = [T::ZERO; 16];
    for (i, &e) in exponentials.iter().enumerate() {
        lanes[i % 16] += e;
    }
    for half in [8, 4, 2, 1] {
        for lane in 0..half {
            let other = lanes[lane + half];
            lanes[lane] += other;
        }
    }
    let sum = lanes[0];
    let mut logarithm = [sum];
    log(Isa::PORTABLE, &mut logarithm);
    let softmax: Vec<T> = exponentials.iter().map(|&e| e / sum).collect();
    let target = |class| if class == label { scale } else { T::ZERO };
    Expected {
        log_softmax: below.iter().map(|&z| z - logarithm[0]).collect(),
        gradient: softmax.iter().enumerate().map(|(class, &p)| p * scale - target(class)).collect(),
        loss: libm::log(sum.to_f64()) + (largest.to_f64() - z[label].to_f64()),
        softmax,
    }
}

/// Logits between −9 and 9, with every kind of special value in the first samples of each run of sixteen.
fn with_special_values<T: Scalar>(rows: usize, stride: usize, columns: usize) -> Vec<T> {
    let mut random = Random((rows * 1000 + columns) as u64);
    let mut z: Vec<T> = (0..stride * columns).map(|_| T::from_f64(9.0 * random.next_unit())).collect();
    let nan = T::from_f64(f64::NAN);
    let huge = T::ONE / T::MIN_POSITIVE;
    for (column, z) in z.chunks_exact_mut(stride).enumerate() {
        let z = &mut z[..rows];
        let last = rows - 1;
        match column % 16 {
            1 => z[0] = nan,
            2 => z[last] = T::INFINITY,
            3 => z[last / 2] = T::NEG_INFINITY,
            4 => z.fill(T::NEG_INFINITY),
            5 => z.fill(nan),
            6 => (z[0], z[last]) = (huge, -huge),
            7 => z.iter_mut().for_each(|z| *z = *z * huge), // also beyond the largest number
            8 => {
                z.fill(-T::ZERO);
                z[last / 2] = T::ZERO;
            }
            9 => (z[0], z[last]) = (T::INFINITY, nan),
            10 => z[last] = T::from_f64(95.0), // the others' exponentials are subnormal or 0
            _ => {}
        }
    }
    z
}

fn a_batch_is_its_samples<T: Scalar>() {
    let third = T::from_f64(1.0 / 3.0);
    let shapes = [
        (1, 1),
        (2, 2),
        (3, 5),
        (4, 4),
        (7, 7),
        (10, 10),
        (10, 16),
        (15, 15),
        (16, 16),
        (17, 17),
        (33, 48),
        (64, 64),
        (65, 65),
    ];
    for (rows, stride) in shapes {
        for columns in [0, 1, 2, 4, 5, 9, 10, 15, 16, 17, 21, 63, 64, 65, 69, 84, 128] {
            let z = with_special_values::<T>(rows, stride, columns);
            let labels: Vec<u32> = (0..columns).map(|column| (column * 5 % rows) as u32).collect();

            let mut expected = [z.clone(), z.clone(), z.clone()];
            let mut expected_losses = vec![0.0; columns];
            for column in 0..columns {
                let (range, label) = (column * stride..column * stride + rows, labels[column] as usize);
                let by_formulas = by_the_formulas(&z[range.clone()], label, third);
                softmax(Isa::PORTABLE, &mut expected[0][range.clone()]);
                log_softmax(Isa::PORTABLE, &mut expected[1][range.clone()]);
                let gradient = &mut expected[2][range.clone()];
                expected_losses[column] = softmax_cross_entropy(Isa::PORTABLE, gradient, label, third);

                let context = format!("{rows} rows, column {column} of {}: {:?}", T::NAME, &z[range.clone()]);
                assert_eq!(
                    bits(&expected[0][range.clone()]),
                    bits(&by_formulas.softmax),
                    "softmax, {context}"
                );
                let logarithms = &expected[1][range.clone()];
                assert_eq!(bits(logarithms), bits(&by_formulas.log_softmax), "log-softmax, {context}");
                assert_eq!(bits(&expected[2][range]), bits(&by_formulas.gradient), "gradient, {context}");
                assert_eq!(bits(&[expected_losses[column]]), bits(&[by_formulas.loss]), "loss, {context}");
            }
            for isa in Isa::available() {
                let context = format!("{isa}, {rows} rows, {stride} apart, {columns} columns of {}", T::NAME);
                let mut found = z.clone();
                softmax_columns(isa, ColumnsMut::new(&mut found, rows, stride));
                assert_eq!(bits(&found), bits(&expected[0]), "softmax, {context}");
                let mut found = z.clone();
                log_softmax_columns(isa, ColumnsMut::new(&mut found, rows, stride));
                assert_eq!(bits(&found), bits(&expected[1]), "log-softmax, {context}");
                let (mut found, mut losses) = (z.clone(), vec![f64::NAN; columns]);
                let target = ColumnsMut::new(&mut found, rows, stride);
                softmax_cross_entropy_columns(isa, target, &labels, third, &mut losses);
                assert_eq!(bits(&found), bits(&expected[2]), "cross-entropy, {context}");
                assert_eq!(bits(&losses), bits(&expected_losses), "losses, {context}");
            }
        }
    }
}

#[test]
#[cfg_attr(miri, ignore = "too long for an interpreter")]
fn a_batch_has_the_bits_of_its_samples_on_every_instruction_set() {
    a_batch_is_its_samples::<f32>();
    a_batch_is_its_samples::<f64>();
}

/// Without columns no stride is too large.
#[test]
fn a_batch_without_samples_is_left_alone() {
    softmax_columns(Isa::detect(), ColumnsMut::<f32>::new(&mut [], 10, usize::MAX));
    softmax_columns(Isa::detect(), ColumnsMut::new(&mut [1.0; 128], 0, 1));
}

#[test]
#[should_panic(expected = "label 2 of 2 classes")]
fn a_label_beyond_the_classes_is_refused() {
    let mut z = [0.0; 4];
    softmax_cross_entropy_columns(Isa::detect(), ColumnsMut::new(&mut z, 2, 2), &[0, 2], 1.0, &mut [0.0; 2]);
}
