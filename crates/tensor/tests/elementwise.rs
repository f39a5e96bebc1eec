//! Element-wise kernels: activation functions against references that share no code with them, updates, dropout, and the
//! same bits on every instruction set.

mod catalogue;
mod reference;

use catalogue::every_function;
use densely_tensor::*;
use reference::{Random, lines_of, ulps_f32, ulps_f64};

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
    for function in [exp, log, tanh, erf] {
        same_bits_everywhere::<T>(|isa, x, _| function(isa, x));
    }
    for function in every_function() {
        same_bits_everywhere::<T>(|isa, x, y| {
            function.apply(isa, x);
            function.multiply_by_derivative(isa, x, y);
        });
    }
    same_bits_everywhere::<T>(|isa, x, y| softmax_gradient(isa, x, y));
    same_bits_everywhere::<T>(|isa, x, y| log_softmax_gradient(isa, x, y));
    same_bits_everywhere::<T>(|isa, x, y| {
        let random: Vec<u8> = (0..2 * x.len()).map(|i| (i * 37) as u8).collect();
        y.copy_from_slice(x);
        dropout(isa, DropoutRate::new(0.3), &random, y);
    });
}

#[test]
#[cfg_attr(miri, ignore = "too long for an interpreter")]
fn every_instruction_set_gives_the_same_bits() {
    every_kernel::<f32>();
    every_kernel::<f64>();
}

/// f(x) and f′(x).
fn value_and_derivative<T: Scalar>(function: ActivationFunction, x: T) -> (T, T) {
    let isa = Isa::detect();
    let (mut value, mut derivative) = ([x], [T::ONE]);
    function.apply(isa, &mut value);
    let kept = match function.derivative_from() {
        DerivativeFrom::Input => [x],
        DerivativeFrom::Output => value,
    };
    function.multiply_by_derivative(isa, &kept, &mut derivative);
    (value[0], derivative[0])
}

/// A smooth function, its name in the table of values, formulas in double precision for x in single precision, and the
/// error in ulp that the docs state, at an argument.
struct Smooth {
    function: ActivationFunction,
    name: &'static str,
    value: fn(f64) -> f64,
    derivative: fn(f64) -> f64,
    ulps: fn(f64) -> f64,
}

fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-x))
}

fn normal(x: f64) -> f64 {
    0.5 * libm::erfc(-x / std::f64::consts::SQRT_2)
}

/// Twice the argument of the hyperbolic tangent in GELU's approximation.
fn gelu_tanh_argument(x: f64) -> f64 {
    (8.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x * x * x)
}

fn smooth_functions() -> [Smooth; 16] {
    use ActivationFunction::*;
    const SELU: f64 = 1.0507009873554805 * 1.6732632423543772;
    [
        Smooth {
            function: Elu { alpha: 1.5 },
            name: "elu",
            value: |x| if x > 0.0 { x } else { 1.5 * libm::expm1(x) },
            derivative: |x| if x > 0.0 { 1.0 } else { 1.5 * libm::exp(x) },
            ulps: |_| 3.0,
        },
        Smooth {
            function: Selu,
            name: "selu",
            value: |x| if x > 0.0 { 1.0507009873554805 * x } else { SELU * libm::expm1(x) },
            derivative: |x| if x > 0.0 { 1.0507009873554805 } else { SELU * libm::exp(x) },
            ulps: |_| 3.0,
        },
        Smooth {
            function: Celu { alpha: 1.5 },
            name: "celu",
            value: |x| if x > 0.0 { x } else { 1.5 * libm::expm1(x / 1.5) },
            derivative: |x| if x > 0.0 { 1.0 } else { libm::exp(x / 1.5) },
            ulps: |_| 4.0,
        },
        Smooth {
            function: Sigmoid,
            name: "sigmoid",
            value: logistic,
            derivative: |x| logistic(x) * logistic(-x),
            ulps: |_| 3.0,
        },
        Smooth {
            function: Tanh,
            name: "tanh",
            value: libm::tanh,
            derivative: |x| libm::cosh(x).powi(-2),
            ulps: |_| 2.0,
        },
        Smooth {
            function: ActivationFunction::LECUN_TANH,
            name: "scaled_tanh",
            value: |x| 1.7159 * libm::tanh(x * (2.0 / 3.0)),
            derivative: |x| 1.7159 * (2.0 / 3.0) * libm::cosh(x * (2.0 / 3.0)).powi(-2),
            ulps: |_| 4.0,
        },
        Smooth {
            function: Softsign,
            name: "softsign",
            value: |x| x / (1.0 + x.abs()),
            derivative: |x| (1.0 + x.abs()).powi(-2),
            ulps: |_| 2.0,
        },
        Smooth {
            function: Softplus,
            name: "softplus",
            value: |x| x.max(0.0) + libm::log1p(libm::exp(-x.abs())),
            derivative: logistic,
            ulps: |_| 3.0,
        },
        Smooth {
            function: LogSigmoid,
            name: "log_sigmoid",
            value: |x| x.min(0.0) - libm::log1p(libm::exp(-x.abs())),
            derivative: |x| logistic(-x),
            ulps: |_| 3.0,
        },
        Smooth {
            function: Squareplus { b: 4.0 },
            name: "squareplus",
            value: |x| {
                let root = (x * x + 4.0).sqrt();
                if x < 0.0 { 2.0 / (root - x) } else { (root + x) / 2.0 }
            },
            derivative: |x| (1.0 + x / (x * x + 4.0).sqrt()) / 2.0,
            ulps: |_| 4.0,
        },
        Smooth { function: Exponential, name: "exp", value: libm::exp, derivative: libm::exp, ulps: |_| 1.5 },
        Smooth {
            function: Silu,
            name: "silu",
            value: |x| x * logistic(x),
            derivative: |x| logistic(x) * (1.0 + x * logistic(-x)),
            ulps: |_| 4.0,
        },
        Smooth {
            function: Mish,
            name: "mish",
            value: |x| x * libm::tanh(libm::log1p(libm::exp(x))),
            derivative: |x| {
                let gate = libm::tanh(libm::log1p(libm::exp(x)));
                gate + x * (1.0 - gate * gate) * logistic(x)
            },
            ulps: |_| 5.0,
        },
        Smooth {
            function: Gelu,
            name: "gelu",
            value: |x| x * normal(x),
            derivative: |x| normal(x) + x * libm::exp(-x * x / 2.0) / (2.0 * std::f64::consts::PI).sqrt(),
            ulps: |_| 6.0,
        },
        Smooth {
            function: GeluTanh,
            name: "gelu_tanh",
            value: |x| x * logistic(gelu_tanh_argument(x)),
            derivative: |x| {
                let v = gelu_tanh_argument(x);
                let slope = (8.0 / std::f64::consts::PI).sqrt() * (1.0 + 3.0 * 0.044715 * x * x);
                logistic(v) * (1.0 + x * slope * logistic(-v))
            },
            ulps: |x| 4.0 + 3.0 * gelu_tanh_argument(x).min(0.0).abs(),
        },
        Smooth {
            function: TanhShrink,
            name: "tanh_shrink",
            value: |x| x - libm::tanh(x),
            derivative: |x| libm::tanh(x).powi(2),
            // 2·ε·|x|, in ulp of the result.
            ulps: |x| 4.0 * (x / (x - libm::tanh(x))).abs().max(1.0), // 1 also for 0/0
        },
    ]
}

/// The docs' bound of every derivative, in ε·max(1, |f′|).
const DERIVATIVE_ERROR: f64 = 4.0;

#[track_caller]
fn check_derivative(name: &str, x: f64, found: f64, expected: f64, epsilon: f64) {
    let error = (found - expected).abs() / (epsilon * expected.abs().max(1.0));
    assert!(
        found == expected || error <= DERIVATIVE_ERROR,
        "{name}′({x:e}) is {found:e}, expected {expected:e}"
    );
}

#[test]
#[cfg_attr(miri, ignore = "too long for an interpreter")]
fn smooth_functions_keep_their_stated_error_in_double_precision() {
    for Smooth { function, name, ulps, .. } in smooth_functions() {
        for line in lines_of(name) {
            let x = line.argument;
            let (value, derivative) = value_and_derivative(function, x);
            let error = ulps_f64(value, line.value, line.rest);
            assert!(error <= ulps(x), "{name}({x:e}) is {error} ulp off");
            check_derivative(name, x, derivative, line.derivative, f64::EPSILON);
        }
    }
}

/// Up to 10¹⁵, where the formulas of the test are exact enough.
#[test]
#[cfg_attr(miri, ignore = "too long for an interpreter")]
fn smooth_functions_keep_their_stated_error_in_single_precision() {
    let floats = (0..=u32::MAX).step_by(12_289).map(f32::from_bits).filter(|x| x.abs() < 1e15);
    let floats: Vec<f32> = floats.collect();
    for Smooth { function, name, value, derivative, ulps } in smooth_functions() {
        for &x in &floats {
            let exact = f64::from(x);
            let (found, found_derivative) = value_and_derivative(function, x);
            let error = ulps_f32(found, value(exact));
            assert!(error <= ulps(exact), "{name}({x:e}) is {error} ulp off");
            if found.is_finite() {
                let found = f64::from(found_derivative);
                check_derivative(name, exact, found, derivative(exact), f64::from(f32::EPSILON));
            }
        }
    }
}

/// Numbers that are exact in both types.
#[test]
fn functions_with_corners_follow_their_definitions() {
    use ActivationFunction::*;
    fn check<T: Scalar>(function: ActivationFunction, table: &[(f64, f64, f64)]) {
        for &(x, value, derivative) in table {
            let found = value_and_derivative(function, T::from_f64(x));
            let found = (found.0.to_f64(), found.1.to_f64());
            assert_eq!(found, (value, derivative), "{function:?} at {x} in {}", T::NAME);
        }
    }
    let bounded = BoundedRelu { negative_slope: 0.25, max_value: 2.0, threshold: 0.5 };
    for (function, table) in [
        (Linear, &[(-2.0, -2.0, 1.0), (3.0, 3.0, 1.0)][..]),
        (Relu, &[(-2.0, 0.0, 0.0), (0.0, 0.0, 0.0), (3.0, 3.0, 1.0)]),
        (LeakyRelu { negative_slope: 0.25 }, &[(-2.0, -0.5, 0.25), (0.0, 0.0, 0.25), (3.0, 3.0, 1.0)]),
        (Relu6, &[(-2.0, 0.0, 0.0), (3.0, 3.0, 1.0), (6.0, 6.0, 0.0), (7.0, 6.0, 0.0)]),
        (bounded, &[(-1.5, -0.5, 0.25), (0.5, 0.5, 1.0), (1.0, 1.0, 1.0), (2.0, 2.0, 0.0), (9.0, 2.0, 0.0)]),
        (
            Threshold { threshold: 0.5, value: -1.0 },
            &[(0.25, -1.0, 0.0), (0.5, -1.0, 0.0), (0.75, 0.75, 1.0)],
        ),
        (SparseSigmoid, &[(-2.0, 0.0, 0.0), (-1.0, 0.0, 0.0), (0.5, 0.75, 0.5), (1.0, 1.0, 0.0)]),
        (HardSigmoid, &[(-4.0, 0.0, 0.0), (-3.0, 0.0, 0.0), (3.0, 1.0, 0.0), (4.0, 1.0, 0.0)]),
        (HardTanh, &[(-2.0, -1.0, 0.0), (-0.5, -0.5, 1.0), (1.0, 1.0, 0.0)]),
        (
            SparsePlus,
            &[(-2.0, 0.0, 0.0), (-1.0, 0.0, 0.0), (0.0, 0.25, 0.5), (1.0, 1.0, 1.0), (2.0, 2.0, 1.0)],
        ),
        (HardSilu, &[(-3.0, 0.0, 0.0), (0.0, 0.0, 0.5), (1.5, 1.125, 1.0), (3.0, 3.0, 1.0), (4.0, 4.0, 1.0)]),
        (SoftShrink { threshold: 0.5 }, &[(-2.0, -1.5, 1.0), (0.5, 0.0, 0.0), (1.0, 0.5, 1.0)]),
        (HardShrink { threshold: 0.5 }, &[(-2.0, -2.0, 1.0), (0.5, 0.0, 0.0), (1.0, 1.0, 1.0)]),
    ] {
        check::<f32>(function, table);
        check::<f64>(function, table);
    }
    let (value, derivative) = value_and_derivative(HardSigmoid, 1.5f32);
    assert_eq!((value, derivative), (0.75, 1.0 / 6.0));
}

#[test]
fn nan_stays_and_infinity_gives_the_limit() {
    use ActivationFunction::*;
    fn check<T: Scalar>() {
        for function in every_function() {
            let (at_nan, derivative) = value_and_derivative(function, T::from_f64(f64::NAN));
            let kept = function != Linear; // whose derivative does not look at it
            assert!(at_nan.is_nan(), "{function:?} of NaN");
            let constant = matches!(
                function,
                Linear
                    | Relu
                    | LeakyRelu { .. }
                    | Relu6
                    | BoundedRelu { .. }
                    | Threshold { .. }
                    | HardTanh
                    | HardSigmoid
                    | SparseSigmoid
                    | SoftShrink { .. }
                    | HardShrink { .. }
            );
            assert!(!kept || constant || derivative.is_nan(), "derivative of {function:?} at NaN");
            let limits = match function {
                Linear
                | LeakyRelu { .. }
                | BoundedRelu { .. }
                | TanhShrink
                | SoftShrink { .. }
                | HardShrink { .. } => (f64::NEG_INFINITY, f64::INFINITY),
                Elu { alpha } | Celu { alpha } => (-alpha, f64::INFINITY),
                Selu => (-1.7580993408473766, f64::INFINITY),
                Threshold { value, .. } => (value, f64::INFINITY),
                Sigmoid | HardSigmoid | SparseSigmoid => (0.0, 1.0),
                Tanh | HardTanh | Softsign => (-1.0, 1.0),
                ScaledTanh { amplitude, .. } => (-amplitude, amplitude),
                LogSigmoid => (f64::NEG_INFINITY, 0.0),
                Relu6 => (0.0, 6.0),
                _ => (0.0, f64::INFINITY),
            };
            let limits = match function {
                BoundedRelu { max_value, .. } => (limits.0, max_value),
                _ => limits,
            };
            for (x, limit) in [(f64::NEG_INFINITY, limits.0), (f64::INFINITY, limits.1)] {
                let (value, derivative) = value_and_derivative(function, T::from_f64(x));
                assert_eq!(value, T::from_f64(limit), "{function:?} at {x} in {}", T::NAME);
                assert!(!derivative.is_nan(), "derivative of {function:?} at {x}");
            }
        }
    }
    check::<f32>();
    check::<f64>();
}

#[test]
fn dropout_drops_what_its_bytes_say_and_scales_the_rest() {
    let rate = DropoutRate::new(0.25); // below 16,384 of 65,536
    let random: Vec<u8> = [16_383u16, 16_384, 0, 65_535].iter().flat_map(|r| r.to_le_bytes()).collect();
    let mut values = [3.0, 3.0, f64::NAN, -6.0];
    dropout(Isa::detect(), rate, &random, &mut values);
    assert_eq!(values, [0.0, 4.0, 0.0, -8.0]);
}

/// On every instruction set and number of threads, with rows for one share, for several, and a last one cut short.
#[test]
fn row_sums_add_column_after_column() {
    for isa in Isa::available() {
        for threads in 1..=4 {
            let pool = Pool::with_isa(threads, isa).expect("four threads can be had");
            for (rows, columns) in [(3, 5), (65, 3), (200, 33), (7, 0)] {
                let values: Vec<f32> = (0..rows * columns).map(|i| 10f32.powi(i as i32 % 9)).collect();
                let mut sums = vec![f32::NAN; rows];
                row_sums(&pool, MatRef::from_slice(&values, rows, columns), &mut sums);
                for (row, sum) in sums.iter().enumerate() {
                    let expected = (0..columns).fold(0.0, |sum, column| sum + values[row + rows * column]);
                    assert_eq!(*sum, expected, "row {row} of {rows}, {isa}, {threads} threads");
                }
            }
        }
    }
}
