//! Losses that are a mean over the outputs of something that each output has by itself.

use super::target::Target;
use densely_tensor::{Scalar, sum_of};

/// Outputs that are worked on side by side.
pub(super) const BLOCK: usize = 64;

/// What a loss computes of some outputs at once, in double precision.
pub(super) struct Block<'a> {
    /// The targets; may be changed.
    pub(super) t: &'a mut [f64],
    /// The outputs, to be replaced by the derivatives of their losses.
    pub(super) y: &'a mut [f64],
    /// To be written: each output's loss.
    pub(super) losses: &'a mut [f64],
}

/// The mean over the outputs of the losses that `fill` computes, block by block; `y ← scale·gradient`. Sums have a fixed
/// order.
#[inline(always)]
pub(super) fn mean_by_blocks<T: Scalar>(
    y: &mut [T],
    target: Target<'_>,
    scale: f64,
    mut fill: impl FnMut(Block<'_>),
) -> f64 {
    let outputs = y.len();
    let factor = scale / outputs as f64;
    let mut sum = 0.0;
    for (index, y) in y.chunks_mut(BLOCK).enumerate() {
        let (t, doubles, losses) = (&mut [0.0; BLOCK], &mut [0.0; BLOCK], &mut [0.0; BLOCK]);
        let block =
            Block { t: &mut t[..y.len()], y: &mut doubles[..y.len()], losses: &mut losses[..y.len()] };
        target.copy_to(index * BLOCK, outputs, block.t);
        for (double, y) in block.y.iter_mut().zip(&*y) {
            *double = y.to_f64();
        }
        fill(block);
        for (y, derivative) in y.iter_mut().zip(&*doubles) {
            *y = T::from_f64(derivative * factor);
        }
        sum += sum_of(y.len(), |place| losses[place]);
    }
    sum / outputs as f64
}

/// The mean over the outputs of `of(target, output)`, which gives an output's loss and its derivative; `y ← scale·gradient`.
#[inline(always)]
pub(super) fn mean_of<T: Scalar>(
    y: &mut [T],
    target: Target<'_>,
    scale: f64,
    of: impl Fn(f64, f64) -> (f64, f64),
) -> f64 {
    mean_by_blocks(y, target, scale, |Block { t, y, losses }| {
        for ((&mut t, y), loss) in t.iter_mut().zip(y).zip(losses) {
            (*loss, *y) = of(t, *y);
        }
    })
}

/// `x`, not below 0; NaN is kept, which `f64::max` would hide.
#[inline(always)]
pub(super) fn not_below_zero(x: f64) -> f64 {
    if x <= 0.0 { 0.0 } else { x }
}

/// −1, 0 or 1.
#[inline(always)]
pub(super) fn sign(x: f64) -> f64 {
    f64::from(i8::from(x > 0.0) - i8::from(x < 0.0))
}
