//! Losses from likelihoods that are no cross-entropies: the divergence of distributions, and Poisson's.

use super::categorical::cross_entropy_of_logits;
use super::elementwise::mean_of;
use super::target::Target;
use densely_tensor::{Isa, Scalar, sum_of};

/// What Keras adds before it takes a logarithm.
const EPSILON: f64 = 1e-7;

/// `Σᵢ tᵢ·ln(tᵢ/yᵢ)` with `0·ln 0 = 0`; from logits, of `y = softmax(z)`.
pub(super) fn kl_divergence<T: Scalar>(
    isa: Isa,
    y: &mut [T],
    target: Target<'_>,
    scale: f64,
    from_logits: bool,
) -> f64 {
    let outputs = y.len();
    let of = |output: usize| target.at(output, outputs);
    let negative_entropy = sum_of(outputs, |i| if of(i) == 0.0 { 0.0 } else { of(i) * libm::log(of(i)) });
    if from_logits {
        return negative_entropy + cross_entropy_of_logits(isa, y, of, scale);
    }
    let mut loss = negative_entropy;
    for (output, y) in y.iter_mut().enumerate() {
        let (t, probability) = (of(output), y.to_f64());
        if t != 0.0 {
            loss -= t * libm::log(probability);
        }
        *y = T::from_f64(if t == 0.0 { 0.0 } else { -scale * t / probability });
    }
    loss
}

/// `mean (y − t·ln(y + 1e-7))`
pub(super) fn poisson<T: Scalar>(y: &mut [T], target: Target<'_>, scale: f64) -> f64 {
    mean_of(y, target, scale, |t, y| (y - t * libm::log(y + EPSILON), 1.0 - t / (y + EPSILON)))
}
