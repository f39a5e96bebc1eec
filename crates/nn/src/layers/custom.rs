//! Layers of other crates as part of a description.

use crate::error::{DescriptionError, Error, LayerName};
use crate::layers::description::{Kept, LayerDescription, Weight, is_word};
use crate::layers::pass::{CustomLayer, LayerPass};
use densely_tensor::Scalar;
use serde::{Deserialize, Serialize};
use std::any::Any;
use std::sync::Arc;

/// A layer of another crate in a [`Sequential`](crate::Sequential); [`Custom::new`] makes one from anything that is a
/// [`CustomLayer`].
///
/// A file holds its [kind](LayerDescription::kind) only, as code and its settings cannot be read from a file (two layers
/// with different settings are of different kinds): a network that was read has
/// to be given its custom layers again: [`Sequential::from_ron_with`](crate::Sequential::from_ron_with),
/// [`Model::load_with`](crate::Model::load_with). Two are equal if they are of the same kind.
///
/// ```
/// use densely::layers::{Backward, Custom, Forward, LayerDescription, LayerPass};
/// use densely::{Dense, Scalar, Sequential};
///
/// /// Twice its input.
/// #[derive(Debug)]
/// struct Double;
///
/// impl LayerDescription for Double {
///     fn kind(&self) -> &str {
///         "Double"
///     }
/// }
///
/// impl<T: Scalar> LayerPass<T> for Double {
///     fn forward(&self, mut pass: Forward<'_, T>) {
///         for sample in 0..pass.input.n_columns() {
///             for (y, &x) in pass.output.column_mut(sample).iter_mut().zip(pass.input.column(sample)) {
///                 *y = x + x;
///             }
///         }
///     }
///
///     fn backward(&self, pass: Backward<'_, T>) {
///         let Some(mut input_gradient) = pass.input_gradient else { return };
///         for sample in 0..pass.output_gradient.n_columns() {
///             let gradients = pass.output_gradient.column(sample);
///             for (to, &g) in input_gradient.column_mut(sample).iter_mut().zip(gradients) {
///                 *to = g + g;
///             }
///         }
///     }
/// }
///
/// let network = Sequential::new(3).add(Dense::new(4)).add(Custom::new(Double)).add(Dense::new(2));
/// assert_eq!(network.layer_names(), ["dense", "double", "dense_1"]);
/// assert_eq!(Sequential::from_ron_with(&network.to_ron()?, &[Custom::new(Double)])?, network);
/// # Ok::<(), densely::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Custom {
    kind: String,
    /// Whether training changes the layer. Default: `true`.
    #[serde(default = "yes")]
    pub trainable: bool,
    /// What it is called. Default: its kind, and a number from the second of a kind on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `None` if it was read and not yet given again.
    #[serde(skip)]
    layer: Option<Arc<dyn CustomLayer>>,
}

impl Custom {
    /// A layer of another crate.
    pub fn new(layer: impl CustomLayer + 'static) -> Self {
        Self { kind: layer.kind().to_owned(), trainable: true, name: None, layer: Some(Arc::new(layer)) }
    }

    /// Its kind.
    pub(crate) fn kind_name(&self) -> &str {
        &self.kind
    }

    /// Takes the code from `layer`, if it is of the same kind.
    pub(crate) fn fill_in(&mut self, layer: &Self) {
        if self.kind == layer.kind {
            self.layer.clone_from(&layer.layer);
        }
    }

    /// The layer's pass in precision `T`; `None` if its code is not known.
    pub(crate) fn pass<T: Scalar>(&self) -> Option<Arc<dyn LayerPass<T>>> {
        let layer = self.layer.clone()?;
        let single: Arc<dyn LayerPass<f32>> = layer.clone();
        let double: Arc<dyn LayerPass<f64>> = layer;
        // One of the two is of the type that is asked for; the language cannot say so otherwise.
        let passes: [&dyn Any; 2] = [&single, &double];
        passes.into_iter().find_map(|pass| pass.downcast_ref::<Arc<dyn LayerPass<T>>>()).cloned()
    }
}

impl LayerDescription for Custom {
    fn kind(&self) -> &str {
        &self.kind
    }

    fn outputs(&self, inputs: usize) -> usize {
        self.layer.as_ref().map_or(inputs, |layer| layer.outputs(inputs))
    }

    fn weights(&self, inputs: usize) -> Vec<Weight> {
        let mut weights = self.layer.as_ref().map(|layer| layer.weights(inputs)).unwrap_or_default();
        weights.iter_mut().for_each(|weight| weight.trainable &= self.trainable);
        weights
    }

    fn kept(&self, inputs: usize) -> Kept {
        self.layer.as_ref().map(|layer| layer.kept(inputs)).unwrap_or_default()
    }

    fn check(&self, inputs: usize, name: &dyn Fn() -> LayerName) -> Result<(), Error> {
        if !is_word(&self.kind) {
            return Err(DescriptionError::CustomKind { layer: name(), kind: self.kind.clone() }.into());
        }
        match &self.layer {
            Some(layer) => layer.check(inputs, name),
            None => {
                Err(DescriptionError::UnknownCustomLayer { layer: name(), kind: self.kind.clone() }.into())
            }
        }
    }
}

impl PartialEq for Custom {
    fn eq(&self, other: &Self) -> bool {
        (&self.kind, self.trainable, &self.name) == (&other.kind, other.trainable, &other.name)
    }
}

fn yes() -> bool {
    true
}
