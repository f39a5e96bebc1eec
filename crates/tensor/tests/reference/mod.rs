//! What the tests share, and nothing of the crate: numbers to compute with.

/// A linear congruential generator (Knuth's MMIX constants): its numbers need to be the same each time, not good.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// A number in −1..1.
    pub(crate) fn next_unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }
}
