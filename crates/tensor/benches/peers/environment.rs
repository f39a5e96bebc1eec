//! The variables from which the peers read, when they are first called, how many threads to use.

use densely_tensor::Isa;

/// Tells every peer to use `threads` threads and, where it can be told, the instruction set of ours.
///
/// Call it before the first use of a peer, and while no other thread reads or changes the environment.
pub(crate) fn prepare_environment(threads: usize, isa: Isa) {
    // rayon serves gemm and faer; matrixmultiply serves nalgebra; oneDNN runs on OpenMP.
    for name in ["RAYON_NUM_THREADS", "MATMUL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"] {
        set(name, &threads.to_string());
    }
    // OpenBLAS's threads spin for 2^26 ticks after a call, which would slow down whoever is measured next; 2^20 are less
    // than a millisecond, and longer than any pause between two of its own calls.
    set("OPENBLAS_THREAD_TIMEOUT", "20");
    // An OpenBLAS older than the CPU would choose kernels of an older instruction set; the size of a cache it finds itself.
    match isa.to_string().as_str() {
        "avx512" => set("OPENBLAS_CORETYPE", "SkylakeX"),
        "avx2" => {
            set("OPENBLAS_CORETYPE", "Haswell");
            set("DNNL_MAX_CPU_ISA", "AVX2");
        }
        _ => {}
    }
    // SAFETY: as in `set`.
    unsafe { std::env::remove_var("OPENBLAS_L2_SIZE") }
}

fn set(name: &str, value: &str) {
    // SAFETY: by the contract of `prepare_environment` nobody else uses the environment now.
    unsafe { std::env::set_var(name, value) }
}
