//! Who computes a product: our `gemm`, the crates `gemm`, `matrixmultiply`, `nalgebra` and `faer`, and with the feature
//! `system-peers` OpenBLAS and oneDNN. Shared by the benchmarks `gemm` and `roofline`.
//!
//! All get the same operands and as many threads as ours, and each is called in the strongest form it offers.

mod crates;
mod environment;
#[cfg(feature = "system-peers")]
mod onednn;
#[cfg(feature = "system-peers")]
mod openblas;
mod ours;
mod product;

pub(crate) use environment::prepare_environment;
pub(crate) use product::{Operands, Product, network, sweep};

use densely_tensor::Pool;

/// A library that computes one product.
pub(crate) struct Contender<'a> {
    /// The library and, where it has several, the form.
    pub(crate) name: &'static str,
    /// Whether one operand was brought into the library's own layout before the first call, as weights can be.
    pub(crate) packed: bool,
    /// Computes C from one of the operand sets: `multiply(set, c)`, c row-major m × n.
    pub(crate) multiply: Multiply<'a>,
}

/// Computes C from the operand set of that index.
pub(crate) type Multiply<'a> = Box<dyn FnMut(usize, &mut [f32]) + 'a>;

/// All who can compute `product`, ours first; `peers` chooses whom else. What a set holds must not change any more: packed
/// forms keep a copy.
pub(crate) fn contenders<'a>(
    pool: &'a Pool,
    peers: Peers,
    product: &'a Product,
    sets: &'a [Operands],
) -> Vec<Contender<'a>> {
    let mut contenders = ours::contenders(pool, product, sets);
    if peers.crates {
        contenders.extend(crates::contenders(pool.threads(), product, sets));
    }
    #[cfg(feature = "system-peers")]
    if peers.system {
        contenders.extend(openblas::contenders(pool.threads(), product, sets));
        contenders.extend(onednn::contenders(pool.threads(), product, sets));
    }
    contenders
}

/// Whom to measure beside ours.
#[derive(Clone, Copy)]
pub(crate) struct Peers {
    pub(crate) crates: bool,
    /// The system's libraries, those that are installed.
    #[cfg_attr(not(feature = "system-peers"), expect(dead_code))]
    pub(crate) system: bool,
}
