//! What the tests share, and nothing of the crate: numbers to compute with, and distances between numbers.

#![allow(dead_code)] // each test uses its part

/// A linear congruential generator (Knuth's MMIX constants): its numbers need to be the same each time, not good.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// A number in −1..1.
    pub(crate) fn next_unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }
}

/// Distance in units in the last place of `expected`; 0 between NaNs, ∞ between what is finite and what is not.
pub(crate) fn ulps_f32(found: f32, expected: f64) -> f64 {
    let nearest = expected as f32;
    if found.is_nan() || nearest.is_nan() || found.is_infinite() || nearest.is_infinite() {
        let same = found == nearest || found.is_nan() && nearest.is_nan();
        return if same { 0.0 } else { f64::INFINITY };
    }
    let magnitude = nearest.abs().clamp(f32::MIN_POSITIVE, f32::MAX.next_down());
    (f64::from(found) - expected).abs() / (f64::from(magnitude.next_up()) - f64::from(magnitude))
}

/// The same in double precision, where the exact value is `expected + rest`.
pub(crate) fn ulps_f64(found: f64, expected: f64, rest: f64) -> f64 {
    if found.is_nan() || expected.is_nan() || found.is_infinite() || expected.is_infinite() {
        let same = found == expected || found.is_nan() && expected.is_nan();
        return if same { 0.0 } else { f64::INFINITY };
    }
    let magnitude = expected.abs().clamp(f64::MIN_POSITIVE, f64::MAX.next_down());
    ((found - expected) - rest).abs() / (magnitude.next_up() - magnitude)
}

/// A line of `functions.txt`; the exact value is `value + rest`.
pub(crate) struct Line {
    pub(crate) argument: f64,
    pub(crate) value: f64,
    pub(crate) rest: f64,
    pub(crate) derivative: f64,
}

/// The lines of `functions.txt` for one function.
pub(crate) fn lines_of(function: &str) -> Vec<Line> {
    let lines = include_str!("functions.txt").lines().filter_map(|line| {
        let mut words = line.split(' ');
        if words.next() != Some(function) {
            return None;
        }
        let mut number = || {
            let bits = words.next().expect("four numbers");
            f64::from_bits(u64::from_str_radix(bits, 16).expect("bits in hexadecimal"))
        };
        Some(Line { argument: number(), value: number(), rest: number(), derivative: number() })
    });
    let lines: Vec<Line> = lines.collect();
    assert!(!lines.is_empty(), "no values of {function}");
    lines
}
