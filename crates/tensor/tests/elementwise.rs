//! Element-wise kernels: their error against references that share no code with them, their special values, and the same
//! bits on every instruction set.

mod reference;

use densely_tensor::*;
use reference::Random;

/// Every 4,099th float: about a million, from all binades, both signs, subnormals, infinities and NaN among them.
fn floats() -> impl Iterator<Item = f32> {
    (0..=u32::MAX).step_by(4099).map(f32::from_bits)
}

/// Distance in units in the last place of `expected`, which is no NaN; ∞ where one is infinite and the other is not.
fn ulps_f32(found: f32, expected: f64) -> f64 {
    let nearest = expected as f32;
    if found == nearest {
        return 0.0;
    }
    if !found.is_finite() || !nearest.is_finite() {
        return f64::INFINITY;
    }
    let magnitude = nearest.abs().max(f32::MIN_POSITIVE);
    let ulp = f64::from(f32::from_bits(magnitude.to_bits() + 1)) - f64::from(magnitude);
    (f64::from(found) - expected).abs() / ulp
}

#[track_caller]
fn check_f32(name: &str, function: fn(f32) -> f32, reference: fn(f64) -> f64, allowed: f64) {
    let (mut worst, mut at) = (0.0, 0.0);
    for x in floats() {
        let (found, expected) = (function(x), reference(f64::from(x)));
        if expected.is_nan() {
            assert!(found.is_nan(), "{name}({x:e}) is {found}");
        } else {
            let error = ulps_f32(found, expected);
            if error > worst {
                (worst, at) = (error, x);
            }
        }
    }
    assert!(worst <= allowed, "{name}({at:e}) is {worst} units in the last place off");
}

/// Against `libm`, whose own error is below one unit.
#[track_caller]
fn check_f64(name: &str, function: fn(f64) -> f64, reference: fn(f64) -> f64, allowed: u64) {
    let mut random = Random(1);
    for scale in [1e-300, 1e-9, 1e-3, 0.3, 0.7, 3.0, 40.0, 300.0, 750.0] {
        for _ in 0..20_000 {
            let x = scale * random.next_unit();
            let (found, expected) = (function(x), reference(x));
            let error = found.to_bits().abs_diff(expected.to_bits());
            assert!(error <= allowed, "{name}({x:e}) is {found:e}, expected {expected:e}: {error} units");
        }
    }
}

#[test]
fn a_wrong_function_is_caught() {
    let caught = |function: fn(f32) -> f32| {
        std::panic::catch_unwind(|| check_f32("exp", function, libm::exp, 2.0)).is_err()
    };
    assert!(caught(|_| f32::NAN));
    assert!(caught(|x| if x > 88.0 { 1.0 } else { Scalar::exp(x) }));
    assert!(caught(|x| if x < -87.0 { 0.0 } else { Scalar::exp(x) }));
    assert!(caught(|x| Scalar::exp(x) * (1.0 + 4.0 * f32::EPSILON)));
    assert!(!caught(Scalar::exp));
}

#[test]
fn exponential_and_tangent_are_within_two_units_in_the_last_place() {
    check_f32("exp", Scalar::exp, libm::exp, 2.0);
    check_f32("tanh", Scalar::tanh, libm::tanh, 2.0);
    check_f64("exp", Scalar::exp, libm::exp, 2);
    check_f64("tanh", Scalar::tanh, libm::tanh, 3);
}

#[test]
fn special_values_are_right() {
    for (x, expected) in [(0.0, 1.0), (f64::INFINITY, f64::INFINITY), (f64::NEG_INFINITY, 0.0), (-1e300, 0.0)]
    {
        assert_eq!(Scalar::exp(x), expected);
        assert_eq!(Scalar::exp(x as f32), expected as f32);
    }
    for (x, expected) in [(-0.0, -0.0), (f64::INFINITY, 1.0), (f64::NEG_INFINITY, -1.0), (1e-310, 1e-310)] {
        assert_eq!(Scalar::tanh(x).to_bits(), f64::to_bits(expected));
        assert_eq!(Scalar::tanh(x as f32).to_bits(), (expected as f32).to_bits());
    }
    assert!(Scalar::exp(f64::NAN).is_nan() && Scalar::tanh(f32::NAN).is_nan());
    assert_eq!(Scalar::exp(f32::from_bits(0xc2cf_0000)), 1.0e-45, "e^-103.5 is the smallest subnormal");
}

/// Runs a kernel on the same numbers on every instruction set and compares bits.
#[track_caller]
fn same_bits_everywhere<T: Scalar>(kernel: impl Fn(Isa, &mut [T], &mut [T])) {
    for len in [0, 1, 7, 10, 16, 17, 100, 1000] {
        let mut random = Random(len as u64);
        // One in eight is a number that arithmetic treats in its own way.
        let special = [0.0, -0.0, 1e-310, -1e-40, 1e38, f64::INFINITY, f64::NEG_INFINITY, 88.9];
        let mut values = || {
            let value = |i: usize| match i % 8 {
                7 => T::from_f64(special[i / 8 % 8]),
                _ => T::from_f64(8.0 * random.next_unit()),
            };
            (0..len).map(value).collect::<Vec<T>>()
        };
        let (x, y) = (values(), values());
        let run = |isa| {
            let (mut x, mut y) = (x.clone(), y.clone());
            kernel(isa, &mut x, &mut y);
            let bits = |value: T| if value.is_nan() { u64::MAX } else { value.to_f64().to_bits() };
            x.into_iter().chain(y).map(bits).collect::<Vec<u64>>()
        };
        let expected = run(Isa::PORTABLE);
        for isa in Isa::available() {
            assert_eq!(run(isa), expected, "{isa}, {len} elements");
        }
    }
}

fn every_kernel<T: Scalar>() {
    let third = T::from_f64(1.0 / 3.0);
    same_bits_everywhere::<T>(|isa, x, _| relu(isa, x));
    same_bits_everywhere::<T>(|isa, x, y| relu_gradient(isa, x, y));
    same_bits_everywhere::<T>(|isa, x, _| sigmoid(isa, x));
    same_bits_everywhere::<T>(|isa, x, y| sigmoid_gradient(isa, x, y));
    same_bits_everywhere::<T>(|isa, x, _| tanh(isa, x));
    same_bits_everywhere::<T>(|isa, x, y| tanh_gradient(isa, x, y));
    same_bits_everywhere::<T>(|isa, x, _| softmax(isa, x));
    same_bits_everywhere::<T>(|isa, x, y| softmax_gradient(isa, x, y));
    same_bits_everywhere::<T>(|isa, x, y| {
        if !x.is_empty() {
            y[0] = T::from_f64(softmax_cross_entropy(isa, x, y.len() / 2, third));
        }
    });
    same_bits_everywhere::<T>(|isa, x, y| {
        let random: Vec<u8> = (0..2 * x.len()).map(|i| (i * 37) as u8).collect();
        dropout(isa, DropoutRate::new(0.3), &random, x, y);
    });
}

#[test]
fn every_instruction_set_gives_the_same_bits() {
    every_kernel::<f32>();
    every_kernel::<f64>();
}

#[test]
fn softmax_is_stable_for_any_finite_input() {
    let isa = Isa::detect();
    for z in [[f32::MAX, f32::MIN, 0.0], [f32::MAX; 3], [f32::MIN; 3], [-1e30, 1e-40, 88.9]] {
        let mut probabilities = z;
        softmax(isa, &mut probabilities);
        let sum: f32 = probabilities.iter().sum();
        assert!((sum - 1.0).abs() < 1e-6, "{z:?} gives {probabilities:?}");
        let mut gradient = z;
        let loss = softmax_cross_entropy(isa, &mut gradient, 0, 1.0);
        assert!(loss >= 0.0 && gradient.iter().all(|g| g.is_finite()), "{z:?} gives {gradient:?}");
        let of_smallest = softmax_cross_entropy(isa, &mut z.clone(), 1, 1.0);
        assert!(of_smallest.is_finite() && of_smallest >= 0.0, "{z:?} has loss {of_smallest}");
    }
}

#[test]
fn dropout_drops_what_its_bytes_say_and_scales_the_rest() {
    let rate = DropoutRate::new(0.25); // below 16,384 of 65,536
    let random: Vec<u8> = [16_383u16, 16_384, 0, 65_535].iter().flat_map(|r| r.to_le_bytes()).collect();
    let mut output = [f64::NAN; 4];
    dropout(Isa::detect(), rate, &random, &[3.0, 3.0, f64::NAN, -6.0], &mut output);
    assert_eq!(output, [0.0, 4.0, 0.0, -8.0]);
}

#[test]
fn the_fused_update_is_the_gradient_and_then_the_update() {
    let mut random = Random(5);
    for (units, inputs, samples) in [(1, 1, 1), (10, 33, 7), (64, 100, 128), (3, 2000, 5), (200, 700, 3)] {
        let mut values = |len: usize| (0..len).map(|_| random.next_unit() as f32).collect::<Vec<f32>>();
        let (delta, input) = (values(units * samples), values(inputs * samples));
        let (delta, input) =
            (MatRef::from_slice(&delta, units, samples), MatRef::from_slice(&input, inputs, samples));
        let initial = [values(units * inputs), values(units * inputs)];
        let rule = Sgd { learning_rate: 0.1, momentum: 0.9, nesterov: true };

        let pool = Pool::new(1).unwrap();
        let [mut w, mut u] = initial.clone();
        let mut gradient = vec![0.0; units * inputs];
        let target = MatMut::from_slice(&mut gradient, units, inputs);
        gemm(&pool, target, 1.0, delta, input.t(), 0.0, Epilogue::None);
        Update::from(rule).apply(pool.isa(), &mut w, &gradient, [&mut u, &mut [], &mut []]);

        for threads in [1, 2, 3] {
            let pool = Pool::new(threads).unwrap();
            let [mut fused, mut velocity] = initial.clone();
            let mut scratch = vec![0.0; update_chunk::<f32>(units) * threads];
            let moments = [&mut velocity[..], &mut [], &mut []];
            let update = Update::from(rule);
            update_with_weight_gradient(&pool, &update, delta, input, &mut fused, moments, &mut scratch);
            assert!(fused == w && velocity == u, "{units} × {inputs}, {samples} samples, {threads} threads");
        }
    }
}

#[test]
fn row_sums_add_column_after_column() {
    let values: Vec<f32> = (0..15).map(|i| 10f32.powi(i % 9)).collect();
    let mut sums = [f32::NAN; 3];
    row_sums(&Pool::default(), MatRef::from_slice(&values, 3, 5), &mut sums);
    for (row, sum) in sums.iter().enumerate() {
        let expected = (0..5).fold(0.0, |sum, column| sum + values[row + 3 * column]);
        assert_eq!(*sum, expected);
    }
}
