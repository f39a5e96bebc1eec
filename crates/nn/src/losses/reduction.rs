//! From the losses of a batch's samples to the batch's.

use serde::{Deserialize, Serialize};

/// How the losses of a batch's samples become the batch's loss, whose gradient a step follows. With wᵢ the weight of sample
/// i, 1 unless [`Fit`](crate::Fit) gives weights, and n the number of samples:
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Reduction {
    /// `Σ wᵢ·lossᵢ / n`. The default, as in Keras.
    #[default]
    SumOverBatchSize,
    /// `Σ wᵢ·lossᵢ`: the step grows with the batch.
    Sum,
    /// `Σ wᵢ·lossᵢ / Σ wᵢ`, and 0 if all weights are.
    MeanWithSampleWeight,
}
