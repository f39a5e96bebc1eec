//! What is counted when a model is evaluated.

mod confusion;

pub use confusion::ConfusionMatrix;
