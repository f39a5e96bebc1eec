//! The portable vector: an array. Right everywhere, and the text to read first.
//!
//! Lanes are written out: a loop over them in every operation of every kernel doubled the crate's time to compile.

use super::Vector;
use crate::isa::Kernel;
use crate::scalar::Scalar;

const LANES: usize = 4;

/// Four elements in an array.
#[derive(Clone, Copy)]
pub struct Lanes<T>([T; LANES]);

// SAFETY: only baseline instructions are used, which every CPU of the target has.
unsafe impl<T: Scalar> Vector for Lanes<T> {
    type Element = T;
    const LANES: usize = LANES;
    const REGISTERS: usize = 8; // few register tiles, which are quick to compile

    #[inline(always)]
    fn run_apart<K: Kernel<T>>(kernel: K) -> K::Output {
        kernel.run_portable()
    }
    #[inline(always)]
    fn splat(value: T) -> Self {
        Self([value; LANES])
    }
    #[inline(always)]
    unsafe fn load(source: *const T) -> Self {
        // SAFETY: the caller vouches for LANES readable elements; an array has its element's alignment.
        Self(unsafe { source.cast::<[T; LANES]>().read() })
    }
    #[inline(always)]
    unsafe fn store(self, target: *mut T) {
        // SAFETY: the caller vouches for LANES writable elements; an array has its element's alignment.
        unsafe { target.cast::<[T; LANES]>().write(self.0) }
    }
    #[inline(always)]
    unsafe fn load_first(source: *const T, count: usize) -> Self {
        // SAFETY: the caller vouches for `count` readable elements.
        let lane = |lane| if lane < count { unsafe { *source.add(lane) } } else { T::ZERO };
        Self([lane(0), lane(1), lane(2), lane(3)])
    }
    #[inline(always)]
    unsafe fn store_first(self, target: *mut T, count: usize) {
        for (lane, &element) in self.0.iter().enumerate().take(count) {
            // SAFETY: the caller vouches for `count` writable elements.
            unsafe { target.add(lane).write(element) }
        }
    }
    #[inline(always)]
    fn mul_add(self, factor: Self, addend: Self) -> Self {
        let ([a, b, c, d], [e, f, g, h], [i, j, k, l]) = (self.0, factor.0, addend.0);
        Self([a.mul_add(e, i), b.mul_add(f, j), c.mul_add(g, k), d.mul_add(h, l)])
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        let ([a, b, c, d], [e, f, g, h]) = (self.0, other.0);
        Self([a + e, b + f, c + g, d + h])
    }
    #[inline(always)]
    fn relu(self) -> Self {
        let lane = |lane: T| if lane <= T::ZERO { T::ZERO } else { lane };
        let [a, b, c, d] = self.0;
        Self([lane(a), lane(b), lane(c), lane(d)])
    }
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        let ([a, b, c, d], [e, f, g, h]) = (self.0, other.0);
        Self([a * e, b * f, c * g, d * h])
    }
    #[inline(always)]
    fn zip(self, other: Self) -> (Self, Self) {
        let ([a0, a1, a2, a3], [b0, b1, b2, b3]) = (self.0, other.0);
        (Self([a0, b0, a1, b1]), Self([a2, b2, a3, b3]))
    }
}
