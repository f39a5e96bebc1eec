//! What a micro-kernel needs of a vector register, and the types that provide it: one file for each instruction set.
//!
//! A [`Vector`] is written for register tiles, packing and finding nonzeros. Element-wise kernels need no vector type:
//! they are plain loops that the compiler vectorises once [`Isa::run`](crate::Isa) has switched the instruction set on.

#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2;
#[cfg(target_arch = "x86_64")]
pub(crate) mod avx512;
pub(crate) mod lines;
#[cfg(target_arch = "aarch64")]
pub(crate) mod neon;
pub(crate) mod portable;
pub(crate) mod transpose;

use crate::isa::Kernel;
use crate::scalar::Scalar;

/// As many lanes as any vector has.
pub(crate) const MOST_LANES: usize = 16;
/// Bytes of a cache line.
pub(crate) const LINE_BYTES: usize = 64;

/// One vector register of [`LANES`](Self::LANES) elements.
///
/// # Safety
///
/// Every function of an implementation may use its instruction set, so it may only be called below the arm of
/// [`Isa::run`](crate::Isa) that has proved the CPU to have it, and must be inlined there (`#[inline(always)]`).
pub unsafe trait Vector: Copy {
    /// What a lane holds.
    type Element: Scalar;
    /// Elements in a vector: a power of two from 4 to 16.
    const LANES: usize;
    /// Registers that a micro-kernel can keep its tile in.
    const REGISTERS: usize;

    /// Runs a kernel on these vectors in a function of its own. The compiler's time for a function grows with the square
    /// of its loops, so a kernel with dozens of them has to be cut.
    fn run_apart<K: Kernel<Self::Element>>(kernel: K) -> K::Output;
    /// `value` in each lane.
    fn splat(value: Self::Element) -> Self;
    /// Reads [`LANES`](Self::LANES) elements; no alignment is asked for.
    ///
    /// # Safety
    ///
    /// `source` must be valid for reading that many elements.
    unsafe fn load(source: *const Self::Element) -> Self;
    /// Writes [`LANES`](Self::LANES) elements; no alignment is asked for.
    ///
    /// # Safety
    ///
    /// `target` must be valid for writing that many elements.
    unsafe fn store(self, target: *mut Self::Element);
    /// Reads the first `count` lanes, at most [`LANES`](Self::LANES); the others become +0.
    ///
    /// # Safety
    ///
    /// `source` must be valid for reading `count` elements.
    unsafe fn load_first(source: *const Self::Element, count: usize) -> Self;
    /// Writes the first `count` lanes, at most [`LANES`](Self::LANES).
    ///
    /// # Safety
    ///
    /// `target` must be valid for writing `count` elements.
    unsafe fn store_first(self, target: *mut Self::Element, count: usize);
    /// Asks for the cache line at an address, to be in the second-level cache when it is read; any address will do.
    #[inline(always)]
    fn prefetch(_address: *const Self::Element) {}
    /// The same for the lines of `count` elements.
    #[inline(always)]
    fn prefetch_run(address: *const Self::Element, count: usize) {
        for element in (0..count).step_by(LINE_BYTES / Self::Element::SIZE) {
            Self::prefetch(address.wrapping_add(element));
        }
    }
    /// `self · factor + addend` in each lane, rounded once.
    fn mul_add(self, factor: Self, addend: Self) -> Self;
    /// `self + other` in each lane.
    fn add(self, other: Self) -> Self;
    /// `!(self ≤ 0) ? self : +0` in each lane: NaN stays.
    fn relu(self) -> Self;
    /// `self · other` in each lane.
    fn mul(self, other: Self) -> Self;
    /// The lanes of both, alternating: `(a0 b0 a1 b1 …, … aL-1 bL-1)`.
    fn zip(self, other: Self) -> (Self, Self);
    /// Writes the lanes that are not zero (NaN is not) to `values` without gaps, and their numbers plus `first` to
    /// `indices`; returns how many there are. What lies behind them, up to [`LANES`](Self::LANES) elements in all, may
    /// be overwritten with anything.
    ///
    /// # Safety
    ///
    /// `indices` and `values` must be valid for writing [`LANES`](Self::LANES) elements.
    #[inline(always)]
    unsafe fn store_nonzeros(self, first: u32, indices: *mut u32, values: *mut Self::Element) -> usize {
        let mut lanes = [Self::Element::ZERO; MOST_LANES];
        // SAFETY: no vector has more than MOST_LANES lanes.
        unsafe { self.store(lanes.as_mut_ptr()) };
        let mut count = 0;
        // Every lane is written; the next overwrites it unless it counts.
        for (lane, &value) in lanes[..Self::LANES].iter().enumerate() {
            // SAFETY: the count is at most the lane's number, and the caller vouches for LANES elements.
            unsafe {
                indices.add(count).write(first + lane as u32);
                values.add(count).write(value);
            }
            count += usize::from(value != Self::Element::ZERO);
        }
        count
    }
}

/// The vector type that each instruction set has for a scalar type.
pub trait VectorTypes: Sized {
    /// Without any instruction set in particular.
    type Portable: Vector<Element = Self>;
    /// AVX2 and FMA.
    #[cfg(target_arch = "x86_64")]
    type Avx2: Vector<Element = Self>;
    /// AVX-512 F, BW, DQ, VL.
    #[cfg(target_arch = "x86_64")]
    type Avx512: Vector<Element = Self>;
    /// NEON.
    #[cfg(target_arch = "aarch64")]
    type Neon: Vector<Element = Self>;
}

impl VectorTypes for f32 {
    type Portable = portable::Lanes<f32>;
    #[cfg(target_arch = "x86_64")]
    type Avx2 = avx2::F32x8;
    #[cfg(target_arch = "x86_64")]
    type Avx512 = avx512::F32x16;
    #[cfg(target_arch = "aarch64")]
    type Neon = neon::F32x4;
}

impl VectorTypes for f64 {
    type Portable = portable::Lanes<f64>;
    #[cfg(target_arch = "x86_64")]
    type Avx2 = avx2::F64x4;
    #[cfg(target_arch = "x86_64")]
    type Avx512 = avx512::F64x8;
    #[cfg(target_arch = "aarch64")]
    type Neon = neon::F64x4;
}
