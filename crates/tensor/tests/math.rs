//! The elementary functions: their error against references that share no code with them, and their special values.
//!
//! ```text
//! cargo test --release -p densely-tensor --test math -- --include-ignored
//! ```
//!
//! also takes all 2³² arguments of single precision, about a minute a function.

mod reference;

use densely_tensor::{Isa, Scalar, erf, exp, log, tanh};
use reference::{Random, lines_of, ulps_f32, ulps_f64};

type OnSlice<T> = fn(Isa, &mut [T]);
type Reference = fn(f64) -> f64;

/// A function in single precision, with a reference in double precision and the largest error that the docs state.
///
/// The references are `libm`'s: an error of one unit in double precision is 2·10⁻⁹ of a unit in single precision.
struct Claim {
    name: &'static str,
    function: OnSlice<f32>,
    reference: Reference,
    ulps: f64,
}

const EXP: Claim = Claim { name: "exp", function: exp, reference: libm::exp, ulps: 1.011 };
const LOG: Claim = Claim { name: "log", function: log, reference: libm::log, ulps: 0.827 };
const TANH: Claim = Claim { name: "tanh", function: tanh, reference: libm::tanh, ulps: 1.331 };
const ERF: Claim = Claim { name: "erf", function: erf, reference: libm::erf, ulps: 1.408 };

/// The largest error over the floats of these bits, in ulp, and where it is.
fn largest_error(mut bits: impl Iterator<Item = u32>, claim: &Claim) -> (f64, f32) {
    let isa = Isa::detect();
    let mut largest = (0.0, 0.0);
    loop {
        let arguments: Vec<f32> = bits.by_ref().take(1 << 14).map(f32::from_bits).collect();
        if arguments.is_empty() {
            return largest;
        }
        let mut values = arguments.clone();
        (claim.function)(isa, &mut values);
        for (&x, &found) in arguments.iter().zip(&values) {
            let error = ulps_f32(found, (claim.reference)(f64::from(x)));
            if error > largest.0 {
                largest = (error, x);
            }
        }
    }
}

/// The docs' figure holds for all floats, and is no larger than it has to be.
#[track_caller]
fn check_all_floats(claim: &Claim) {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let part = |thread| move || largest_error((thread as u32..=u32::MAX).step_by(threads), claim);
    let (largest, at) = std::thread::scope(|scope| {
        let parts: Vec<_> = (0..threads).map(|thread| scope.spawn(part(thread))).collect();
        let errors = parts.into_iter().map(|part| part.join().expect("no part panics"));
        errors.max_by(|a, b| a.0.total_cmp(&b.0)).expect("there is a thread")
    });
    let Claim { name, ulps, .. } = claim;
    assert!(largest <= *ulps, "{name}({at:e}) is {largest} ulp off");
    assert!(largest > ulps - 0.001, "{name} is at most {largest} ulp off: the docs can state less");
}

#[test]
#[ignore = "takes a minute: `cargo xtask slow`"]
fn exp_keeps_the_stated_error_over_all_floats() {
    check_all_floats(&EXP);
}

#[test]
#[ignore = "takes a minute: `cargo xtask slow`"]
fn log_keeps_the_stated_error_over_all_floats() {
    check_all_floats(&LOG);
}

#[test]
#[ignore = "takes a minute: `cargo xtask slow`"]
fn tanh_keeps_the_stated_error_over_all_floats() {
    check_all_floats(&TANH);
}

#[test]
#[ignore = "takes a minute: `cargo xtask slow`"]
fn erf_keeps_the_stated_error_over_all_floats() {
    check_all_floats(&ERF);
}

/// Every 4,099th float: about a million, from all binades, both signs, subnormals, infinities and NaN among them.
fn some_floats() -> impl Iterator<Item = u32> {
    (0..=u32::MAX).step_by(4099)
}

#[test]
#[cfg_attr(miri, ignore = "too long for an interpreter")]
fn single_precision_keeps_the_stated_error() {
    for claim in [&EXP, &LOG, &TANH, &ERF] {
        let (largest, at) = largest_error(some_floats(), claim);
        assert!(largest <= claim.ulps, "{}({at:e}) is {largest} ulp off", claim.name);
    }
}

#[test]
#[cfg_attr(miri, ignore = "too long for an interpreter")]
fn a_wrong_function_is_caught() {
    let error = |function| largest_error(some_floats(), &Claim { function, ..EXP }).0;
    assert!(error(|_, x| x.fill(f32::NAN)) == f64::INFINITY);
    assert!(
        error(|isa, x| {
            exp(isa, x);
            x.iter_mut().for_each(|y| *y = y.min(f32::MAX))
        }) == f64::INFINITY
    );
    assert!(
        error(|isa, x| {
            exp(isa, x);
            x.iter_mut().for_each(|y| *y *= 1.0 + 4.0 * f32::EPSILON)
        }) > 3.0
    );
    // Results that are subnormal count too.
    assert!(
        error(|isa, x| {
            exp(isa, x);
            x.iter_mut().for_each(|y| {
                if *y < f32::MIN_POSITIVE {
                    *y = 0.0
                }
            })
        }) > 1e6
    );
    assert!(error(exp) < 1.1);
}

#[test]
#[cfg_attr(miri, ignore = "too long for an interpreter")]
fn double_precision_keeps_the_stated_error() {
    let functions: [(&str, OnSlice<f64>, Reference, f64); 4] = [
        ("exp", exp, libm::exp, 1.5),
        ("log", log, libm::log, 1.5),
        ("tanh", tanh, libm::tanh, 2.0),
        ("erf", erf, libm::erf, 1.5),
    ];
    let isa = Isa::detect();
    let value = |function: OnSlice<f64>, x| {
        let mut value = [x];
        function(isa, &mut value);
        value[0]
    };
    for (name, function, libm, ulps) in functions {
        for line in lines_of(name) {
            let (x, found) = (line.argument, value(function, line.argument));
            let error = ulps_f64(found, line.value, line.rest);
            assert!(error <= ulps, "{name}({x:e}) is {error} ulp off");
        }
        // Denser, against a reference that is itself up to one unit from the exact value.
        let mut random = Random(1);
        for scale in [1e-300, 1e-9, 1e-3, 0.3, 0.7, 3.0, 40.0, 300.0, 750.0] {
            for _ in 0..20_000 {
                let x = scale * random.next_unit();
                let error = ulps_f64(value(function, x), libm(x), 0.0);
                assert!(error <= ulps + 1.0, "{name}({x:e}) is {error} ulp off");
            }
        }
    }
}

#[track_caller]
fn check_special<T: Scalar>(name: &str, function: OnSlice<T>, table: &[(f64, f64)]) {
    for &(x, expected) in table {
        let mut value = [T::from_f64(x)];
        function(Isa::detect(), &mut value);
        let (found, expected) = (value[0].to_f64(), T::from_f64(expected).to_f64());
        let same = found.to_bits() == expected.to_bits() || found.is_nan() && expected.is_nan();
        assert!(same, "{name}({x:e}) is {found:e}, expected {expected:e} in {}", T::NAME);
    }
}

#[test]
fn special_values_are_right() {
    const NAN: f64 = f64::NAN;
    const INFINITY: f64 = f64::INFINITY;
    fn check<T: Scalar>() {
        let least = if T::SIZE == 4 { f64::from(f32::from_bits(1)) } else { f64::from_bits(1) };
        check_special::<T>(
            "exp",
            exp,
            &[
                (0.0, 1.0),
                (-0.0, 1.0),
                (INFINITY, INFINITY),
                (-INFINITY, 0.0),
                (NAN, NAN),
                (1e30, INFINITY),
                (-1e30, 0.0),
                (least, 1.0),
            ],
        );
        check_special::<T>(
            "log",
            log,
            &[
                (1.0, 0.0),
                (0.0, -INFINITY),
                (-0.0, -INFINITY),
                (INFINITY, INFINITY),
                (-1.0, NAN),
                (-INFINITY, NAN),
                (NAN, NAN),
                (-least, NAN),
            ],
        );
        for (name, function) in [("tanh", tanh as OnSlice<T>), ("erf", erf)] {
            let table = [
                (0.0, 0.0),
                (-0.0, -0.0),
                (INFINITY, 1.0),
                (-INFINITY, -1.0),
                (1e30, 1.0),
                (-1e30, -1.0),
                (NAN, NAN),
            ];
            check_special::<T>(name, function, &table);
        }
        check_special::<T>("tanh", tanh, &[(least, least), (-3.0 * least, -3.0 * least)]);
    }
    check::<f32>();
    check::<f64>();
    check_special::<f32>("exp", exp, &[(-103.5, f64::from(f32::from_bits(1)))]);
    check_special::<f64>("exp", exp, &[(-745.0, f64::from_bits(1))]);
}
