//! 256-bit registers: AVX2 and FMA.

use super::Vector;
use crate::isa::Kernel;
use std::arch::x86_64::*;

/// All bits of the first `count` lanes of 32 bits.
///
/// # Safety
///
/// The CPU must have AVX2.
#[inline(always)]
unsafe fn first_lanes_f32(count: usize) -> __m256i {
    // SAFETY: the caller vouches for AVX2.
    unsafe { _mm256_cmpgt_epi32(_mm256_set1_epi32(count as i32), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7)) }
}

/// All bits of the first `count` lanes of 64 bits.
///
/// # Safety
///
/// The CPU must have AVX2.
#[inline(always)]
unsafe fn first_lanes_f64(count: usize) -> __m256i {
    // SAFETY: the caller vouches for AVX2.
    unsafe { _mm256_cmpgt_epi64(_mm256_set1_epi64x(count as i64), _mm256_setr_epi64x(0, 1, 2, 3)) }
}

/// For each mask of eight lanes, the numbers of those set, ascending, a byte each from the lowest.
static SET_BITS: [u64; 256] = {
    let mut table = [0; 256];
    let mut mask = 0;
    while mask < 256 {
        let (mut lane, mut count) = (0, 0);
        while lane < 8 {
            if mask >> lane & 1 == 1 {
                table[mask] |= lane << (8 * count);
                count += 1;
            }
            lane += 1;
        }
        mask += 1;
    }
    table
};

/// 8 `f32` in a __m256.
#[derive(Clone, Copy)]
pub struct F32x8(__m256);

// SAFETY: by the trait's contract these functions run only where `Isa::run` has proved AVX2 and FMA.
unsafe impl Vector for F32x8 {
    type Element = f32;
    const LANES: usize = 8;
    const REGISTERS: usize = 16;

    #[inline(always)]
    fn run_apart<K: Kernel<Self::Element>>(kernel: K) -> K::Output {
        // SAFETY: the CPU has AVX2 and FMA (trait contract).
        unsafe { kernel.run_avx2() }
    }
    #[inline(always)]
    fn splat(value: f32) -> Self {
        // SAFETY: the CPU has AVX2 and FMA (trait contract).
        Self(unsafe { _mm256_set1_ps(value) })
    }
    #[inline(always)]
    unsafe fn load(source: *const f32) -> Self {
        // SAFETY: the caller vouches for 8 readable elements; the CPU has AVX2 and FMA (trait contract).
        Self(unsafe { _mm256_loadu_ps(source) })
    }
    #[inline(always)]
    unsafe fn store(self, target: *mut f32) {
        // SAFETY: the caller vouches for 8 writable elements; the CPU has AVX2 and FMA (trait contract).
        unsafe { _mm256_storeu_ps(target, self.0) }
    }
    #[inline(always)]
    fn prefetch(address: *const f32) {
        // SAFETY: a prefetch reads nothing that a program could see, and never faults.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(address.cast()) }
    }
    #[inline(always)]
    unsafe fn load_first(source: *const f32, count: usize) -> Self {
        // SAFETY: lanes that the mask leaves out are not read; the caller vouches for the others; the CPU has AVX2 (trait
        // contract).
        Self(unsafe { _mm256_maskload_ps(source, first_lanes_f32(count)) })
    }
    #[inline(always)]
    unsafe fn store_first(self, target: *mut f32, count: usize) {
        // SAFETY: lanes that the mask leaves out are not written; the caller vouches for the others; the CPU has AVX2
        // (trait contract).
        unsafe {
            if count == Self::LANES {
                self.store(target); // a masked store takes some AMD CPUs twenty cycles
            } else {
                _mm256_maskstore_ps(target, first_lanes_f32(count), self.0);
            }
        }
    }
    #[inline(always)]
    fn mul_add(self, factor: Self, addend: Self) -> Self {
        // SAFETY: the CPU has AVX2 and FMA (trait contract).
        Self(unsafe { _mm256_fmadd_ps(self.0, factor.0, addend.0) })
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        // SAFETY: the CPU has AVX2 and FMA (trait contract).
        Self(unsafe { _mm256_add_ps(self.0, other.0) })
    }
    #[inline(always)]
    fn relu(self) -> Self {
        // SAFETY: the CPU has AVX2 and FMA (trait contract).
        Self(unsafe {
            let not_above = _mm256_cmp_ps::<_CMP_LE_OQ>(self.0, _mm256_setzero_ps());
            _mm256_andnot_ps(not_above, self.0)
        })
    }
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        // SAFETY: the CPU has AVX2 and FMA (trait contract).
        Self(unsafe { _mm256_mul_ps(self.0, other.0) })
    }
    #[inline(always)]
    fn zip(self, other: Self) -> (Self, Self) {
        // SAFETY: the CPU has AVX2 and FMA (trait contract).
        unsafe {
            let low = _mm256_unpacklo_ps(self.0, other.0);
            let high = _mm256_unpackhi_ps(self.0, other.0);
            (Self(_mm256_permute2f128_ps::<0x20>(low, high)), Self(_mm256_permute2f128_ps::<0x31>(low, high)))
        }
    }
    #[inline(always)]
    unsafe fn store_nonzeros(self, first: u32, indices: *mut u32, values: *mut f32) -> usize {
        // SAFETY: the caller vouches for 8 writable elements of both; the CPU has AVX2 and FMA (trait contract).
        unsafe {
            let kept = _mm256_cmp_ps::<_CMP_NEQ_UQ>(self.0, _mm256_setzero_ps());
            let kept = _mm256_movemask_ps(kept) as usize; // 8 bits
            let lanes = _mm256_cvtepu8_epi32(_mm_cvtsi64_si128(SET_BITS[kept].cast_signed()));
            let numbers = _mm256_add_epi32(lanes, _mm256_set1_epi32(first.cast_signed()));
            _mm256_storeu_si256(indices.cast(), numbers);
            _mm256_storeu_ps(values, _mm256_permutevar8x32_ps(self.0, lanes));
            kept.count_ones() as usize
        }
    }
}

/// 4 `f64` in a __m256d.
#[derive(Clone, Copy)]
pub struct F64x4(__m256d);

// SAFETY: by the trait's contract these functions run only where `Isa::run` has proved AVX2 and FMA.
unsafe impl Vector for F64x4 {
    type Element = f64;
    const LANES: usize = 4;
    const REGISTERS: usize = 16;

    #[inline(always)]
    fn run_apart<K: Kernel<Self::Element>>(kernel: K) -> K::Output {
        // SAFETY: the CPU has AVX2 and FMA (trait contract).
        unsafe { kernel.run_avx2() }
    }
    #[inline(always)]
    fn splat(value: f64) -> Self {
        // SAFETY: the CPU has AVX2 and FMA (trait contract).
        Self(unsafe { _mm256_set1_pd(value) })
    }
    #[inline(always)]
    unsafe fn load(source: *const f64) -> Self {
        // SAFETY: the caller vouches for 4 readable elements; the CPU has AVX2 and FMA (trait contract).
        Self(unsafe { _mm256_loadu_pd(source) })
    }
    #[inline(always)]
    unsafe fn store(self, target: *mut f64) {
        // SAFETY: the caller vouches for 4 writable elements; the CPU has AVX2 and FMA (trait contract).
        unsafe { _mm256_storeu_pd(target, self.0) }
    }
    #[inline(always)]
    fn prefetch(address: *const f64) {
        // SAFETY: a prefetch reads nothing that a program could see, and never faults.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(address.cast()) }
    }
    #[inline(always)]
    unsafe fn load_first(source: *const f64, count: usize) -> Self {
        // SAFETY: lanes that the mask leaves out are not read; the caller vouches for the others; the CPU has AVX2 (trait
        // contract).
        Self(unsafe { _mm256_maskload_pd(source, first_lanes_f64(count)) })
    }
    #[inline(always)]
    unsafe fn store_first(self, target: *mut f64, count: usize) {
        // SAFETY: lanes that the mask leaves out are not written; the caller vouches for the others; the CPU has AVX2
        // (trait contract).
        unsafe {
            if count == Self::LANES {
                self.store(target); // a masked store takes some AMD CPUs twenty cycles
            } else {
                _mm256_maskstore_pd(target, first_lanes_f64(count), self.0);
            }
        }
    }
    #[inline(always)]
    fn mul_add(self, factor: Self, addend: Self) -> Self {
        // SAFETY: the CPU has AVX2 and FMA (trait contract).
        Self(unsafe { _mm256_fmadd_pd(self.0, factor.0, addend.0) })
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        // SAFETY: the CPU has AVX2 and FMA (trait contract).
        Self(unsafe { _mm256_add_pd(self.0, other.0) })
    }
    #[inline(always)]
    fn relu(self) -> Self {
        // SAFETY: the CPU has AVX2 and FMA (trait contract).
        Self(unsafe {
            let not_above = _mm256_cmp_pd::<_CMP_LE_OQ>(self.0, _mm256_setzero_pd());
            _mm256_andnot_pd(not_above, self.0)
        })
    }
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        // SAFETY: the CPU has AVX2 and FMA (trait contract).
        Self(unsafe { _mm256_mul_pd(self.0, other.0) })
    }
    #[inline(always)]
    fn zip(self, other: Self) -> (Self, Self) {
        // SAFETY: the CPU has AVX2 and FMA (trait contract).
        unsafe {
            let low = _mm256_unpacklo_pd(self.0, other.0);
            let high = _mm256_unpackhi_pd(self.0, other.0);
            (Self(_mm256_permute2f128_pd::<0x20>(low, high)), Self(_mm256_permute2f128_pd::<0x31>(low, high)))
        }
    }
}
