//! 512-bit registers: AVX-512.

use super::Vector;
use crate::isa::Kernel;
use std::arch::x86_64::*;

/// A mask of the first `count` lanes.
#[inline(always)]
fn first_lanes(count: usize) -> u32 {
    debug_assert!(count <= 16);
    (1 << count) - 1
}

/// 16 `f32` in a __m512.
#[derive(Clone, Copy)]
pub struct F32x16(__m512);

// SAFETY: by the trait's contract these functions run only where `Isa::run` has proved AVX-512.
unsafe impl Vector for F32x16 {
    type Element = f32;
    const LANES: usize = 16;
    const REGISTERS: usize = 32;

    #[inline(always)]
    fn run_apart<K: Kernel<Self::Element>>(kernel: K) -> K::Output {
        // SAFETY: the CPU has AVX-512 (trait contract).
        unsafe { kernel.run_avx512() }
    }
    #[inline(always)]
    fn splat(value: f32) -> Self {
        // SAFETY: the CPU has AVX-512 (trait contract).
        Self(unsafe { _mm512_set1_ps(value) })
    }
    #[inline(always)]
    unsafe fn load(source: *const f32) -> Self {
        // SAFETY: the caller vouches for 16 readable elements; the CPU has AVX-512 (trait contract).
        Self(unsafe { _mm512_loadu_ps(source) })
    }
    #[inline(always)]
    unsafe fn store(self, target: *mut f32) {
        // SAFETY: the caller vouches for 16 writable elements; the CPU has AVX-512 (trait contract).
        unsafe { _mm512_storeu_ps(target, self.0) }
    }
    #[inline(always)]
    fn prefetch(address: *const f32) {
        // SAFETY: a prefetch reads nothing that a program could see, and never faults.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(address.cast()) }
    }
    #[inline(always)]
    unsafe fn load_first(source: *const f32, count: usize) -> Self {
        // SAFETY: lanes that the mask leaves out are not read; the caller vouches for the others; the CPU has AVX-512
        // (trait contract).
        Self(unsafe { _mm512_maskz_loadu_ps(first_lanes(count) as __mmask16, source) })
    }
    #[inline(always)]
    unsafe fn store_first(self, target: *mut f32, count: usize) {
        // SAFETY: lanes that the mask leaves out are not written; the caller vouches for the others; the CPU has AVX-512
        // (trait contract).
        unsafe { _mm512_mask_storeu_ps(target, first_lanes(count) as __mmask16, self.0) }
    }
    #[inline(always)]
    fn mul_add(self, factor: Self, addend: Self) -> Self {
        // SAFETY: the CPU has AVX-512 (trait contract).
        Self(unsafe { _mm512_fmadd_ps(self.0, factor.0, addend.0) })
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        // SAFETY: the CPU has AVX-512 (trait contract).
        Self(unsafe { _mm512_add_ps(self.0, other.0) })
    }
    #[inline(always)]
    fn relu(self) -> Self {
        // SAFETY: the CPU has AVX-512 (trait contract).
        Self(unsafe {
            let kept = _mm512_cmp_ps_mask::<_CMP_NLE_UQ>(self.0, _mm512_setzero_ps());
            _mm512_maskz_mov_ps(kept, self.0)
        })
    }
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        // SAFETY: the CPU has AVX-512 (trait contract).
        Self(unsafe { _mm512_mul_ps(self.0, other.0) })
    }
    #[inline(always)]
    fn zip(self, other: Self) -> (Self, Self) {
        // SAFETY: the CPU has AVX-512 (trait contract).
        unsafe {
            let low = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
            let high = _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
            (
                Self(_mm512_permutex2var_ps(self.0, low, other.0)),
                Self(_mm512_permutex2var_ps(self.0, high, other.0)),
            )
        }
    }
    #[inline(always)]
    unsafe fn store_nonzeros(self, first: u32, indices: *mut u32, values: *mut f32) -> usize {
        // SAFETY: the caller vouches for 16 writable elements of both; the CPU has AVX-512 (trait contract).
        unsafe {
            let kept = _mm512_cmp_ps_mask::<_CMP_NEQ_UQ>(self.0, _mm512_setzero_ps());
            let lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
            let numbers = _mm512_add_epi32(lanes, _mm512_set1_epi32(first.cast_signed()));
            // Compressed in a register and stored whole: compressing stores are slow on some CPUs.
            _mm512_storeu_si512(indices.cast(), _mm512_maskz_compress_epi32(kept, numbers));
            _mm512_storeu_ps(values, _mm512_maskz_compress_ps(kept, self.0));
            kept.count_ones() as usize
        }
    }
}

/// 8 `f64` in a __m512d.
#[derive(Clone, Copy)]
pub struct F64x8(__m512d);

// SAFETY: by the trait's contract these functions run only where `Isa::run` has proved AVX-512.
unsafe impl Vector for F64x8 {
    type Element = f64;
    const LANES: usize = 8;
    const REGISTERS: usize = 32;

    #[inline(always)]
    fn run_apart<K: Kernel<Self::Element>>(kernel: K) -> K::Output {
        // SAFETY: the CPU has AVX-512 (trait contract).
        unsafe { kernel.run_avx512() }
    }
    #[inline(always)]
    fn splat(value: f64) -> Self {
        // SAFETY: the CPU has AVX-512 (trait contract).
        Self(unsafe { _mm512_set1_pd(value) })
    }
    #[inline(always)]
    unsafe fn load(source: *const f64) -> Self {
        // SAFETY: the caller vouches for 8 readable elements; the CPU has AVX-512 (trait contract).
        Self(unsafe { _mm512_loadu_pd(source) })
    }
    #[inline(always)]
    unsafe fn store(self, target: *mut f64) {
        // SAFETY: the caller vouches for 8 writable elements; the CPU has AVX-512 (trait contract).
        unsafe { _mm512_storeu_pd(target, self.0) }
    }
    #[inline(always)]
    fn prefetch(address: *const f64) {
        // SAFETY: a prefetch reads nothing that a program could see, and never faults.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(address.cast()) }
    }
    #[inline(always)]
    unsafe fn load_first(source: *const f64, count: usize) -> Self {
        // SAFETY: lanes that the mask leaves out are not read; the caller vouches for the others; the CPU has AVX-512
        // (trait contract).
        Self(unsafe { _mm512_maskz_loadu_pd(first_lanes(count) as __mmask8, source) })
    }
    #[inline(always)]
    unsafe fn store_first(self, target: *mut f64, count: usize) {
        // SAFETY: lanes that the mask leaves out are not written; the caller vouches for the others; the CPU has AVX-512
        // (trait contract).
        unsafe { _mm512_mask_storeu_pd(target, first_lanes(count) as __mmask8, self.0) }
    }
    #[inline(always)]
    fn mul_add(self, factor: Self, addend: Self) -> Self {
        // SAFETY: the CPU has AVX-512 (trait contract).
        Self(unsafe { _mm512_fmadd_pd(self.0, factor.0, addend.0) })
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        // SAFETY: the CPU has AVX-512 (trait contract).
        Self(unsafe { _mm512_add_pd(self.0, other.0) })
    }
    #[inline(always)]
    fn relu(self) -> Self {
        // SAFETY: the CPU has AVX-512 (trait contract).
        Self(unsafe {
            let kept = _mm512_cmp_pd_mask::<_CMP_NLE_UQ>(self.0, _mm512_setzero_pd());
            _mm512_maskz_mov_pd(kept, self.0)
        })
    }
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        // SAFETY: the CPU has AVX-512 (trait contract).
        Self(unsafe { _mm512_mul_pd(self.0, other.0) })
    }
    #[inline(always)]
    fn zip(self, other: Self) -> (Self, Self) {
        // SAFETY: the CPU has AVX-512 (trait contract).
        unsafe {
            let low = _mm512_setr_epi64(0, 8, 1, 9, 2, 10, 3, 11);
            let high = _mm512_setr_epi64(4, 12, 5, 13, 6, 14, 7, 15);
            (
                Self(_mm512_permutex2var_pd(self.0, low, other.0)),
                Self(_mm512_permutex2var_pd(self.0, high, other.0)),
            )
        }
    }
    #[inline(always)]
    unsafe fn store_nonzeros(self, first: u32, indices: *mut u32, values: *mut f64) -> usize {
        // SAFETY: the caller vouches for 8 writable elements of both; the CPU has AVX-512 (trait contract).
        unsafe {
            let kept = _mm512_cmp_pd_mask::<_CMP_NEQ_UQ>(self.0, _mm512_setzero_pd());
            let lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
            let numbers = _mm256_add_epi32(lanes, _mm256_set1_epi32(first.cast_signed()));
            _mm256_storeu_si256(indices.cast(), _mm256_maskz_compress_epi32(kept, numbers));
            _mm512_storeu_pd(values, _mm512_maskz_compress_pd(kept, self.0));
            kept.count_ones() as usize
        }
    }
}
