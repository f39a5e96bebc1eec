//! Activation functions: what a layer does to each of its sums. This is their description; the arithmetic is in
//! `densely_tensor`.

use serde::{Deserialize, Serialize};
use std::fmt;

/// An activation function, of a [`Dense`](crate::Dense) layer or as a layer of its own.
///
/// ```
/// # use densely::{Activation, Sequential, Dense};
/// let inside = Sequential::new(4).add(Dense::new(3).activation(Activation::Relu));
/// let outside = Sequential::new(4).add(Dense::new(3)).add(Activation::Relu);
/// assert_eq!(inside.parameter_count(), outside.parameter_count()); // the two compute the same
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Activation {
    /// `f(z) = z`, `f′(z) = 1`. The default, as in Keras.
    #[default]
    Linear,
    /// `f(z) = max(z, 0)`; `f′(z) = 1` where `z > 0`, else 0 (also at 0). NaN stays NaN.
    Relu,
    /// `f(z) = 1 / (1 + e⁻ᶻ)`, between 0 and 1; `f′ = f·(1 − f)`.
    Sigmoid,
    /// `f(z) = tanh z`, between −1 and 1; `f′ = 1 − f²`.
    Tanh,
    /// `f(z)ᵢ = eᶻⁱ / Σⱼ eᶻʲ` over the units of one sample: probabilities that sum to 1. Only over two
    /// units or more, because over one it is always 1.
    Softmax,
}

/// The name as it is written in a recipe.
impl fmt::Display for Activation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, formatter)
    }
}
