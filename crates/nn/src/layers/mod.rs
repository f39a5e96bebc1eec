//! Layers as described, and what those that the engine does not run itself do with a batch.
//!
//! | layers | |
//! | --- | --- |
//! | with a kernel | [`Dense`], [`Maxout`], [`DropConnect`] |
//! | activations | [`Activation`], [`PRelu`] |
//! | normalizations | [`BatchNormalization`], [`LayerNormalization`], [`RmsNormalization`], [`UnitNormalization`] |
//! | noise in training | [`Dropout`], [`AlphaDropout`], [`GaussianDropout`], [`GaussianNoise`] |
//! | of the data | [`Normalization`], [`Rescaling`], [`Flatten`] |
//! | others | [`Residual`], [`ActivityRegularization`], [`Custom`] |

mod activity_regularization;
mod batch_normalization;
mod custom;
mod dense;
mod description;
mod drop_connect;
mod dropout;
mod features;
mod flatten;
mod layer_normalization;
mod maxout;
mod noise;
mod normalization;
mod p_relu;
mod pass;
mod rescaling;
mod residual;
mod rms_normalization;
mod unit_normalization;

pub use activity_regularization::ActivityRegularization;
pub use batch_normalization::BatchNormalization;
pub use custom::Custom;
pub use dense::Dense;
pub(crate) use description::is_word;
pub use description::{Kept, LayerDescription, Weight, WeightShape};
pub use drop_connect::DropConnect;
pub(crate) use drop_connect::MaskedProduct;
pub use dropout::Dropout;
pub use flatten::Flatten;
pub use layer_normalization::LayerNormalization;
pub(crate) use maxout::LargestOfPieces;
pub use maxout::Maxout;
pub use noise::{AlphaDropout, GaussianDropout, GaussianNoise};
pub use normalization::Normalization;
pub(crate) use normalization::{MEAN, VARIANCE};
pub use p_relu::PRelu;
pub use pass::{
    Backward, CustomLayer, Forward, KeptMut, LayerPass, RandomSource, Training, Weights, WeightsMut,
};
pub use rescaling::Rescaling;
pub use residual::{MAX_NESTING, Residual};
pub use rms_normalization::RmsNormalization;
pub use unit_normalization::UnitNormalization;

use crate::activations::Activation;
use serde::{Deserialize, Serialize};

/// One layer of a [`Sequential`](crate::Sequential).
///
/// In RON the variant and its fields are written together: `Dense(units: 512, activation: Relu)`, `Dropout(rate: 0.2)`,
/// `Activation(Softmax)`, `BatchNormalization()`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Layer {
    /// A fully connected layer.
    Dense(Dense),
    /// An activation function as a layer of its own.
    Activation(Activation),
    /// Dropout of single units.
    Dropout(Dropout),
    /// Dropout that goes with the SELU.
    AlphaDropout(AlphaDropout),
    /// Multiplication by noise.
    GaussianDropout(GaussianDropout),
    /// Addition of noise.
    GaussianNoise(GaussianNoise),
    /// Mean 0 and variance 1 of each feature over the batch.
    BatchNormalization(BatchNormalization),
    /// Mean 0 and variance 1 of each sample.
    LayerNormalization(LayerNormalization),
    /// Mean square 1 of each sample.
    RmsNormalization(RmsNormalization),
    /// Length 1 of each sample.
    UnitNormalization(UnitNormalization),
    /// Mean 0 and variance 1 of each feature of the data.
    Normalization(Normalization),
    /// A fixed scale and offset.
    Rescaling(Rescaling),
    /// The identity.
    Flatten(Flatten),
    /// A penalty on what passes.
    ActivityRegularization(ActivityRegularization),
    /// A rectifier whose slope below 0 is learned.
    PRelu(PRelu),
    /// Units that are the largest of several sums.
    Maxout(Maxout),
    /// A dense layer whose weights are dropped.
    DropConnect(DropConnect),
    /// A block with a skip.
    Residual(Residual),
    /// A layer of another crate.
    Custom(Custom),
}

impl Layer {
    /// What the layer says about itself.
    pub fn description(&self) -> &dyn LayerDescription {
        match self {
            Self::Dense(layer) => layer,
            Self::Activation(layer) => layer,
            Self::Dropout(layer) => layer,
            Self::AlphaDropout(layer) => layer,
            Self::GaussianDropout(layer) => layer,
            Self::GaussianNoise(layer) => layer,
            Self::BatchNormalization(layer) => layer,
            Self::LayerNormalization(layer) => layer,
            Self::RmsNormalization(layer) => layer,
            Self::UnitNormalization(layer) => layer,
            Self::Normalization(layer) => layer,
            Self::Rescaling(layer) => layer,
            Self::Flatten(layer) => layer,
            Self::ActivityRegularization(layer) => layer,
            Self::PRelu(layer) => layer,
            Self::Maxout(layer) => layer,
            Self::DropConnect(layer) => layer,
            Self::Residual(layer) => layer,
            Self::Custom(layer) => layer,
        }
    }

    /// The name that the layer was given, if it was given one. An activation has no place for a name.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Dense(layer) => layer.name.as_deref(),
            Self::Activation(_) => None,
            Self::Dropout(layer) => layer.name.as_deref(),
            Self::AlphaDropout(layer) => layer.name.as_deref(),
            Self::GaussianDropout(layer) => layer.name.as_deref(),
            Self::GaussianNoise(layer) => layer.name.as_deref(),
            Self::BatchNormalization(layer) => layer.name.as_deref(),
            Self::LayerNormalization(layer) => layer.name.as_deref(),
            Self::RmsNormalization(layer) => layer.name.as_deref(),
            Self::UnitNormalization(layer) => layer.name.as_deref(),
            Self::Normalization(layer) => layer.name.as_deref(),
            Self::Rescaling(layer) => layer.name.as_deref(),
            Self::Flatten(layer) => layer.name.as_deref(),
            Self::ActivityRegularization(layer) => layer.name.as_deref(),
            Self::PRelu(layer) => layer.name.as_deref(),
            Self::Maxout(layer) => layer.name.as_deref(),
            Self::DropConnect(layer) => layer.dense.name.as_deref(),
            Self::Residual(layer) => layer.name.as_deref(),
            Self::Custom(layer) => layer.name.as_deref(),
        }
    }

    /// How many values per sample leave the layer when `inputs` enter it.
    pub fn outputs(&self, inputs: usize) -> usize {
        self.description().outputs(inputs)
    }

    /// The layers inside this one: those of a [`Residual`] block.
    pub fn inner(&self) -> &[Self] {
        if let Self::Residual(block) = self { &block.layers } else { &[] }
    }

    /// The function that is applied last in this layer: [`Activation::Linear`] if its output may be any number, and
    /// `None` for a layer that is the identity in prediction.
    pub fn activation(&self) -> Option<Activation> {
        match self {
            Self::Dense(dense) => Some(dense.activation),
            Self::DropConnect(layer) => Some(layer.dense.activation),
            Self::Activation(activation) => Some(*activation),
            Self::Dropout(_)
            | Self::AlphaDropout(_)
            | Self::GaussianDropout(_)
            | Self::GaussianNoise(_)
            | Self::Flatten(_)
            | Self::ActivityRegularization(_) => None,
            Self::BatchNormalization(_)
            | Self::LayerNormalization(_)
            | Self::RmsNormalization(_)
            | Self::UnitNormalization(_)
            | Self::Normalization(_)
            | Self::Rescaling(_)
            | Self::PRelu(_)
            | Self::Maxout(_)
            | Self::Residual(_)
            | Self::Custom(_) => Some(Activation::Linear),
        }
    }

    /// Gives layers of other crates that were read from a text their code.
    pub(crate) fn fill_in_custom(&mut self, custom: &[Custom]) {
        match self {
            Self::Custom(layer) => custom.iter().for_each(|one| layer.fill_in(one)),
            Self::Residual(block) => block.layers.iter_mut().for_each(|layer| layer.fill_in_custom(custom)),
            _ => {}
        }
    }

    /// Freezes the layer, and the layers inside it, or lets training change them again. What a layer keeps but does not
    /// learn, such as a moving mean, belongs to it. Layers without anything to learn stay as they are.
    pub fn set_trainable(&mut self, trainable: bool) {
        match self {
            Self::Dense(layer) => layer.trainable = trainable,
            Self::BatchNormalization(layer) => layer.trainable = trainable,
            Self::LayerNormalization(layer) => layer.trainable = trainable,
            Self::RmsNormalization(layer) => layer.trainable = trainable,
            Self::PRelu(layer) => layer.trainable = trainable,
            Self::Maxout(layer) => layer.trainable = trainable,
            Self::DropConnect(layer) => layer.dense.trainable = trainable,
            Self::Custom(layer) => layer.trainable = trainable,
            Self::Residual(block) => block.layers.iter_mut().for_each(|layer| layer.set_trainable(trainable)),
            _ => {}
        }
    }
}

/// Lets a layer's description stand where a [`Layer`] is asked for.
macro_rules! from_descriptions {
    ($($layer:ident),*) => {
        $(impl From<$layer> for Layer {
            fn from(layer: $layer) -> Self {
                Self::$layer(layer)
            }
        })*
    };
}
from_descriptions!(
    Dense,
    Activation,
    Dropout,
    AlphaDropout,
    GaussianDropout,
    GaussianNoise,
    BatchNormalization,
    LayerNormalization,
    RmsNormalization,
    UnitNormalization,
    Normalization,
    Rescaling,
    Flatten,
    ActivityRegularization,
    PRelu,
    Maxout,
    DropConnect,
    Residual,
    Custom
);

/// Lets a layer be given a name: `Dense::new(512).name("hidden")`.
macro_rules! with_name {
    ($($layer:ident: $($place:ident).+),*) => {
        $(impl $layer {
            /// Sets what it is called: a letter, then letters, digits and underscores. Its tensors' names begin with it.
            pub fn name(mut self, name: impl Into<String>) -> Self {
                self.$($place).+ = Some(name.into());
                self
            }
        })*
    };
}
with_name!(
    Dense: name,
    Dropout: name,
    AlphaDropout: name,
    GaussianDropout: name,
    GaussianNoise: name,
    BatchNormalization: name,
    LayerNormalization: name,
    RmsNormalization: name,
    UnitNormalization: name,
    Normalization: name,
    Rescaling: name,
    Flatten: name,
    ActivityRegularization: name,
    PRelu: name,
    Maxout: name,
    DropConnect: dense.name,
    Residual: name,
    Custom: name
);

#[cfg(test)]
mod reference;
