//! What one sample's outputs should be.

use super::elementwise::BLOCK;

/// The targets of one sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Target<'a> {
    /// A class, taken as a one-hot column; over a single output the class itself, 0 or 1.
    Class(usize),
    /// A number for each output.
    Values(&'a [f64]),
}

impl Target<'_> {
    /// The target of output `output` of `outputs`.
    #[inline(always)]
    pub(crate) fn at(self, output: usize, outputs: usize) -> f64 {
        match self {
            Target::Class(class) if outputs == 1 => class as f64,
            Target::Class(class) => f64::from(u8::from(output == class)),
            Target::Values(values) => values[output],
        }
    }

    /// The targets from output `start` on.
    pub(super) fn copy_to(self, start: usize, outputs: usize, block: &mut [f64]) {
        debug_assert!(block.len() <= BLOCK);
        for (place, target) in block.iter_mut().enumerate() {
            *target = self.at(start + place, outputs);
        }
    }
}
