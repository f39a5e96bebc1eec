//! Loops of nothing but fused multiply-adds, and of nothing but loads: the roofs under which kernels stand.

use densely_tensor::{Isa, Pool};
use std::hint::black_box;

/// Rounds of the FMA loop in one call: about a millisecond, so that waking threads does not count.
const FMA_ROUNDS: usize = 250_000;
/// The portable loop may call a software FMA.
const PORTABLE_FMA_ROUNDS: usize = 20_000;

// In the loops of multiply-adds `black_box` hides that all chains are alike: the compiler would otherwise hand values from one
// register to the next, and the rate would halve.

/// A loop to measure: what it takes, and what it returns so that it cannot be left out.
type Loop<A> = fn(A) -> f32;

/// How fused multiply-adds are measured on one instruction set.
struct Fma {
    run: Loop<usize>,
    rounds: usize,
    flops_per_round: usize,
}

/// Independent multiply-adds, two operations in each lane, on every thread of the pool; how many operations that were.
pub(crate) fn fma_on_each_thread(pool: &Pool) -> f64 {
    let fma = fma(pool.isa());
    let mut results = vec![0.0; pool.threads()];
    pool.for_each_part(1, &mut results[..], |_, result| result[0] = (fma.run)(fma.rounds));
    black_box(results);
    (pool.threads() * fma.rounds * fma.flops_per_round) as f64
}

fn fma(isa: Isa) -> Fma {
    match isa.to_string().as_str() {
        #[cfg(target_arch = "x86_64")]
        "avx512" => Fma {
            // SAFETY: an `Isa` of this name exists only where the CPU has AVX-512.
            run: |rounds| unsafe { x86::fma_avx512(rounds) },
            rounds: FMA_ROUNDS,
            flops_per_round: 2 * 16 * x86::AVX512_CHAINS,
        },
        #[cfg(target_arch = "x86_64")]
        "avx2" => Fma {
            // SAFETY: an `Isa` of this name exists only where the CPU has AVX2 and FMA.
            run: |rounds| unsafe { x86::fma_avx2(rounds) },
            rounds: FMA_ROUNDS,
            flops_per_round: 2 * 8 * x86::AVX2_CHAINS,
        },
        _ => Fma {
            run: fma_portable,
            rounds: if cfg!(target_arch = "aarch64") { FMA_ROUNDS } else { PORTABLE_FMA_ROUNDS },
            flops_per_round: 2 * PORTABLE_LANES * PORTABLE_CHAINS,
        },
    }
}

/// Adds up a slice as fast as it can be loaded.
pub(crate) fn read(isa: Isa) -> fn(&[f32]) -> f32 {
    match isa.to_string().as_str() {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: an `Isa` of this name exists only where the CPU has AVX-512.
        "avx512" => |slice| unsafe { x86::read_avx512(slice) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: an `Isa` of this name exists only where the CPU has AVX2.
        "avx2" => |slice| unsafe { x86::read_avx2(slice) },
        _ => read_portable,
    }
}

/// Where the compiler makes one vector of four lanes, as on 64-bit ARM: four pipes times four cycles of latency.
const PORTABLE_CHAINS: usize = 16;
const PORTABLE_LANES: usize = 4;

fn fma_portable(rounds: usize) -> f32 {
    let (x, y) = (black_box(0.999_999_f32), black_box(1e-9_f32));
    let mut chains = black_box([[1.0_f32; PORTABLE_LANES]; PORTABLE_CHAINS]);
    for _ in 0..rounds {
        for chain in &mut chains {
            for lane in chain {
                *lane = lane.mul_add(x, y);
            }
        }
    }
    chains.iter().flatten().sum()
}

fn read_portable(slice: &[f32]) -> f32 {
    let mut sums = [0.0; 32];
    for chunk in slice.chunks_exact(32) {
        for (sum, x) in sums.iter_mut().zip(chunk) {
            *sum += x;
        }
    }
    sums.iter().sum()
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;
    use std::hint::black_box;

    /// Two pipes times a latency of four or five cycles; more chains do no harm while the registers hold them.
    pub(crate) const AVX512_CHAINS: usize = 16;
    pub(crate) const AVX2_CHAINS: usize = 12;

    #[target_feature(enable = "avx512f")]
    pub(crate) fn fma_avx512(rounds: usize) -> f32 {
        let (x, y) = (_mm512_set1_ps(black_box(0.999_999)), _mm512_set1_ps(black_box(1e-9)));
        let mut chains = black_box([_mm512_set1_ps(1.0); AVX512_CHAINS]);
        for _ in 0..rounds {
            for chain in &mut chains {
                *chain = _mm512_fmadd_ps(*chain, x, y);
            }
        }
        chains.into_iter().map(|chain| _mm512_reduce_add_ps(chain)).sum()
    }

    #[target_feature(enable = "avx2,fma")]
    pub(crate) fn fma_avx2(rounds: usize) -> f32 {
        let (x, y) = (_mm256_set1_ps(black_box(0.999_999)), _mm256_set1_ps(black_box(1e-9)));
        let mut chains = black_box([_mm256_set1_ps(1.0); AVX2_CHAINS]);
        for _ in 0..rounds {
            for chain in &mut chains {
                *chain = _mm256_fmadd_ps(*chain, x, y);
            }
        }
        chains.into_iter().map(|vector| sum_of_lanes(vector)).sum()
    }

    #[target_feature(enable = "avx512f")]
    pub(crate) fn read_avx512(slice: &[f32]) -> f32 {
        let mut sums = [_mm512_setzero_ps(); 8];
        for chunk in slice.chunks_exact(16 * 8) {
            for (index, sum) in sums.iter_mut().enumerate() {
                // SAFETY: a chunk has eight vectors.
                let vector = unsafe { _mm512_loadu_ps(chunk.as_ptr().add(16 * index)) };
                *sum = _mm512_add_ps(*sum, vector);
            }
        }
        sums.into_iter().map(|sum| _mm512_reduce_add_ps(sum)).sum()
    }

    #[target_feature(enable = "avx2")]
    pub(crate) fn read_avx2(slice: &[f32]) -> f32 {
        let mut sums = [_mm256_setzero_ps(); 8];
        for chunk in slice.chunks_exact(8 * 8) {
            for (index, sum) in sums.iter_mut().enumerate() {
                // SAFETY: a chunk has eight vectors.
                let vector = unsafe { _mm256_loadu_ps(chunk.as_ptr().add(8 * index)) };
                *sum = _mm256_add_ps(*sum, vector);
            }
        }
        sums.into_iter().map(|vector| sum_of_lanes(vector)).sum()
    }

    #[target_feature(enable = "avx2")]
    fn sum_of_lanes(vector: __m256) -> f32 {
        // A result of one lane would leave the compiler free to compute that one alone.
        let mut lanes = [0.0; 8];
        // SAFETY: the array has eight lanes.
        unsafe { _mm256_storeu_ps(lanes.as_mut_ptr(), vector) };
        lanes.iter().sum()
    }
}
