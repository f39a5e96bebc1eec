//! Orthogonal kernels.

use super::normal::fill_normal;
use crate::settings::{OutOfRange, SettingsOf};
use densely_tensor::{Scalar, sum_of};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// `gain` times a random matrix whose rows are orthonormal, or its columns if there are more units than inputs; each such
/// matrix is as likely as any other. Only for kernels, of at most 2²⁴ weights: 4,096 units on 4,096 inputs take half a minute.
///
/// The rows of normal draws are made orthonormal one after the other (Saxe, McClelland and Ganguli, arXiv:1312.6120; that
/// all are as likely: F. Mezzadri, "How to generate random matrices from the classical compact groups", Notices of the AMS
/// 54, 2007, section 5).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Orthogonal {
    /// The length of each of those rows or columns. Default: 1.
    pub gain: f64,
}

/// The most weights that are made orthogonal.
pub(crate) const MAX_ORTHOGONAL: usize = 1 << 24;

/// A vector of normal draws of which no more than this is left, by length, says nothing of its direction.
const TOO_SHORT: f64 = 1e-6;

impl Default for Orthogonal {
    fn default() -> Self {
        Self { gain: 1.0 }
    }
}

impl Orthogonal {
    pub(super) fn fill<T: Scalar>(
        self,
        kernel: &mut [T],
        inputs: usize,
        units: usize,
        stream: &mut ChaCha8Rng,
    ) {
        let (count, length) = (units.min(inputs), units.max(inputs));
        let vectors = orthonormal(count, length, stream);
        for (vector, values) in vectors.chunks_exact(length.max(1)).enumerate() {
            for (place, &value) in values.iter().enumerate() {
                let (unit, input) = if units <= inputs { (vector, place) } else { (place, vector) };
                kernel[unit + units * input] = T::from_f64(self.gain * value);
            }
        }
    }

    pub(super) fn check_settings(self) -> Result<(), OutOfRange> {
        SettingsOf("Orthogonal").finite("gain", self.gain)
    }
}

/// As many orthonormal vectors, one after the other, by the modified Gram–Schmidt process. Each goes through it twice, which
/// makes it orthogonal to those before to working precision (L. Giraud, J. Langou and M. Rozložník, "The loss of
/// orthogonality in the Gram–Schmidt orthogonalization process", Computers & Mathematics with Applications 50, 2005).
fn orthonormal(count: usize, length: usize, stream: &mut ChaCha8Rng) -> Vec<f64> {
    let mut vectors = vec![0.0; count * length];
    for index in 0..count {
        let (before, from_here) = vectors.split_at_mut(index * length);
        let vector = &mut from_here[..length];
        loop {
            fill_normal(vector, stream, |draw| draw);
            for _ in 0..2 {
                for other in before.chunks_exact(length) {
                    let share = dot(vector, other);
                    for (value, other) in vector.iter_mut().zip(other) {
                        *value -= share * other;
                    }
                }
            }
            let norm = dot(vector, vector).sqrt();
            if norm > TOO_SHORT {
                for value in vector {
                    *value /= norm;
                }
                break;
            }
        }
    }
    vectors
}

fn dot(x: &[f64], y: &[f64]) -> f64 {
    sum_of(x.len(), |i| x[i] * y[i])
}
