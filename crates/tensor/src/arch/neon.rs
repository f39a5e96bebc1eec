//! 128-bit registers: NEON.

use super::Vector;
use crate::isa::Kernel;
use std::arch::aarch64::*;

/// 4 `f32` in a float32x4_t.
#[derive(Clone, Copy)]
pub struct F32x4(float32x4_t);

// SAFETY: by the trait's contract these functions run only where `Isa::run` has proved NEON.
unsafe impl Vector for F32x4 {
    type Element = f32;
    const LANES: usize = 4;
    const REGISTERS: usize = 32;

    #[inline(always)]
    fn run_apart<K: Kernel<Self::Element>>(kernel: K) -> K::Output {
        // SAFETY: the CPU has NEON (trait contract).
        unsafe { kernel.run_neon() }
    }
    #[inline(always)]
    fn splat(value: f32) -> Self {
        // SAFETY: the CPU has NEON (trait contract).
        Self(unsafe { vdupq_n_f32(value) })
    }
    #[inline(always)]
    unsafe fn load(source: *const f32) -> Self {
        // SAFETY: the caller vouches for 4 readable elements; the CPU has NEON (trait contract).
        Self(unsafe { vld1q_f32(source) })
    }
    #[inline(always)]
    unsafe fn store(self, target: *mut f32) {
        // SAFETY: the caller vouches for 4 writable elements; the CPU has NEON (trait contract).
        unsafe { vst1q_f32(target, self.0) }
    }
    #[inline(always)]
    unsafe fn load_first(source: *const f32, count: usize) -> Self {
        if count == Self::LANES {
            // SAFETY: the caller vouches for so many readable elements.
            return unsafe { Self::load(source) };
        }
        let mut lanes = [0.0; Self::LANES];
        for (lane, element) in lanes.iter_mut().enumerate().take(count) {
            // SAFETY: the caller vouches for `count` readable elements.
            *element = unsafe { *source.add(lane) };
        }
        // SAFETY: the array has as many elements as lanes.
        unsafe { Self::load(lanes.as_ptr()) }
    }
    #[inline(always)]
    unsafe fn store_first(self, target: *mut f32, count: usize) {
        if count == Self::LANES {
            // SAFETY: the caller vouches for so many writable elements.
            return unsafe { self.store(target) };
        }
        let mut lanes = [0.0; Self::LANES];
        // SAFETY: the array has as many elements as lanes; the caller vouches for `count` writable elements.
        unsafe {
            self.store(lanes.as_mut_ptr());
            for (lane, &element) in lanes.iter().enumerate().take(count) {
                target.add(lane).write(element);
            }
        }
    }
    #[inline(always)]
    fn mul_add(self, factor: Self, addend: Self) -> Self {
        // SAFETY: the CPU has NEON (trait contract).
        Self(unsafe { vfmaq_f32(addend.0, self.0, factor.0) })
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        // SAFETY: the CPU has NEON (trait contract).
        Self(unsafe { vaddq_f32(self.0, other.0) })
    }
    #[inline(always)]
    fn relu(self) -> Self {
        // SAFETY: the CPU has NEON (trait contract).
        Self(unsafe {
            let not_above = vclezq_f32(self.0);
            vreinterpretq_f32_u32(vbicq_u32(vreinterpretq_u32_f32(self.0), not_above))
        })
    }
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        // SAFETY: the CPU has NEON (trait contract).
        Self(unsafe { vmulq_f32(self.0, other.0) })
    }
    #[inline(always)]
    fn zip(self, other: Self) -> (Self, Self) {
        // SAFETY: the CPU has NEON (trait contract).
        unsafe { (Self(vzip1q_f32(self.0, other.0)), Self(vzip2q_f32(self.0, other.0))) }
    }
}

/// 4 `f64` in two float64x2_t: kernels ask for at least four lanes.
#[derive(Clone, Copy)]
pub struct F64x4(float64x2_t, float64x2_t);

// SAFETY: by the trait's contract these functions run only where `Isa::run` has proved NEON.
unsafe impl Vector for F64x4 {
    type Element = f64;
    const LANES: usize = 4;
    const REGISTERS: usize = 16;

    #[inline(always)]
    fn run_apart<K: Kernel<Self::Element>>(kernel: K) -> K::Output {
        // SAFETY: the CPU has NEON (trait contract).
        unsafe { kernel.run_neon() }
    }
    #[inline(always)]
    fn splat(value: f64) -> Self {
        // SAFETY: the CPU has NEON (trait contract).
        unsafe { Self(vdupq_n_f64(value), vdupq_n_f64(value)) }
    }
    #[inline(always)]
    unsafe fn load(source: *const f64) -> Self {
        // SAFETY: the caller vouches for 4 readable elements; the CPU has NEON (trait contract).
        unsafe { Self(vld1q_f64(source), vld1q_f64(source.add(2))) }
    }
    #[inline(always)]
    unsafe fn store(self, target: *mut f64) {
        // SAFETY: the caller vouches for 4 writable elements; the CPU has NEON (trait contract).
        unsafe {
            vst1q_f64(target, self.0);
            vst1q_f64(target.add(2), self.1);
        }
    }
    #[inline(always)]
    unsafe fn load_first(source: *const f64, count: usize) -> Self {
        if count == Self::LANES {
            // SAFETY: the caller vouches for so many readable elements.
            return unsafe { Self::load(source) };
        }
        let mut lanes = [0.0; Self::LANES];
        for (lane, element) in lanes.iter_mut().enumerate().take(count) {
            // SAFETY: the caller vouches for `count` readable elements.
            *element = unsafe { *source.add(lane) };
        }
        // SAFETY: the array has as many elements as lanes.
        unsafe { Self::load(lanes.as_ptr()) }
    }
    #[inline(always)]
    unsafe fn store_first(self, target: *mut f64, count: usize) {
        if count == Self::LANES {
            // SAFETY: the caller vouches for so many writable elements.
            return unsafe { self.store(target) };
        }
        let mut lanes = [0.0; Self::LANES];
        // SAFETY: the array has as many elements as lanes; the caller vouches for `count` writable elements.
        unsafe {
            self.store(lanes.as_mut_ptr());
            for (lane, &element) in lanes.iter().enumerate().take(count) {
                target.add(lane).write(element);
            }
        }
    }
    #[inline(always)]
    fn mul_add(self, factor: Self, addend: Self) -> Self {
        // SAFETY: the CPU has NEON (trait contract).
        unsafe { Self(vfmaq_f64(addend.0, self.0, factor.0), vfmaq_f64(addend.1, self.1, factor.1)) }
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        // SAFETY: the CPU has NEON (trait contract).
        unsafe { Self(vaddq_f64(self.0, other.0), vaddq_f64(self.1, other.1)) }
    }
    #[inline(always)]
    fn relu(self) -> Self {
        let relu = |x: float64x2_t| {
            // SAFETY: the CPU has NEON (trait contract).
            unsafe { vreinterpretq_f64_u64(vbicq_u64(vreinterpretq_u64_f64(x), vclezq_f64(x))) }
        };
        Self(relu(self.0), relu(self.1))
    }
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        // SAFETY: the CPU has NEON (trait contract).
        unsafe { Self(vmulq_f64(self.0, other.0), vmulq_f64(self.1, other.1)) }
    }
    #[inline(always)]
    fn zip(self, other: Self) -> (Self, Self) {
        let zip = |a: float64x2_t, b: float64x2_t| {
            // SAFETY: the CPU has NEON (trait contract).
            unsafe { Self(vzip1q_f64(a, b), vzip2q_f64(a, b)) }
        };
        (zip(self.0, other.0), zip(self.1, other.1))
    }
}
