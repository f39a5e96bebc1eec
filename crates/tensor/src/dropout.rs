//! Dropout (Srivastava et al., *Dropout: a simple way to prevent neural networks from overfitting*, JMLR 15, 2014), in
//! the inverted form: what is kept is scaled up while training, so that prediction needs no scaling.

use crate::arch::Vector;
use crate::isa::{Isa, Kernel};
use crate::scalar::Scalar;

/// A rate of dropout in steps of 1/65,536, which is what sixteen random bits a unit can express.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DropoutRate {
    /// A unit is dropped when its random number is below.
    threshold: u16,
}

impl DropoutRate {
    /// The multiple of 1/65,536 nearest to `rate`.
    ///
    /// # Panics
    ///
    /// If `rate` is not in `0.0..1.0`.
    #[track_caller]
    pub fn new(rate: f64) -> Self {
        assert!((0.0..1.0).contains(&rate), "a dropout rate of {rate}, expected 0 ≤ rate < 1");
        Self { threshold: (rate * 65536.0).round().min(65535.0) as u16 }
    }

    /// What kept units are multiplied by: `1 / (1 − rate)`.
    pub fn scale<T: Scalar>(self) -> T {
        T::from_f64(65536.0 / (65536.0 - f64::from(self.threshold)))
    }
}

/// `value ← value / (1 − rate)` where the unit's two random bytes (a little-endian number) are at least the rate times
/// 65,536, and `value ← +0` elsewhere. Backwards the same function, with the same bytes, takes the gradient.
///
/// # Panics
///
/// If `random` is not two bytes a value.
#[track_caller]
pub fn dropout<T: Scalar>(isa: Isa, rate: DropoutRate, random: &[u8], values: &mut [T]) {
    let (random, rest) = random.as_chunks::<2>();
    assert!(rest.is_empty() && random.len() == values.len(), "two random bytes a value");
    isa.run(Dropout { rate, random, values });
}

struct Dropout<'a, T> {
    rate: DropoutRate,
    random: &'a [[u8; 2]],
    values: &'a mut [T],
}

impl<T: Scalar> Kernel<T> for Dropout<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<Element = T>>(self) {
        let scale = self.rate.scale::<T>();
        let threshold = self.rate.threshold;
        for (value, random) in self.values.iter_mut().zip(self.random) {
            let kept = u16::from_le_bytes(*random) >= threshold;
            *value = if kept { *value * scale } else { T::ZERO };
        }
    }
}
