//! The gradients of a dense layer, and their use on the spot.
//!
//! For `Z = W·X + b` and the gradient Δ with respect to Z, backpropagation gives `∇W = Δ·Xᵀ`, `∇b = Σ Δ` over the
//! samples, and `∇X = Wᵀ·Δ` (Goodfellow, Bengio and Courville, *Deep Learning*, 2016, algorithm 6.4).
//!
//! [`weight`] computes the first a few columns at a time and may hand them to the optimizer while they are still in the
//! first-level cache, so that the whole never goes to memory; [`bias`] the second, [`input`] the third, whose sums run in
//! [`lanes`]. Operands are in tiles; what skips zeros is in [`sparse`](crate::sparse).

mod bias;
mod input;
pub(crate) mod lanes;
pub(crate) mod weight;

pub use bias::{bias_gradient, row_sums};
pub(crate) use input::store_input_gradient;
pub use input::{input_gradient, mask_gradient};
pub use weight::{LayerInput, update_kernel, weight_gradient};
pub(crate) use weight::{apply_weight_gradient, store_weight_gradient};
