//! Gradients of a dense layer whose input has zeros: where it is zero, a weight's gradient has no term, and, behind ReLU or
//! dropout, nobody needs the input's gradient.
//!
//! [`weight`] has the weight gradient's chains over the nonzeros; [`backward`] the input gradient where it is needed, alone
//! or in one pass with the weight gradient and the update.

mod backward;
mod weight;

pub use backward::{MaskedGradient, backward_scratch, sparse_backward, sparse_input_gradient};
pub(crate) use backward::{pass_backward, store_input_gradient};
pub(crate) use weight::SparseColumns;
