//! Recipes: a dataset, a network, and how to train it, in one RON text.
//!
//! It is what `densely train my.ron` follows. Callbacks, weights of samples and the other settings of a [`Fit`](crate::Fit) have no
//! place in it. [`Recipe::from_ron`] reads one, and nothing writes any; to load the data it names and to fit the network is for
//! the program that reads it.

use crate::data::DataSource;
use crate::error::Error;
use crate::losses::{Loss, Reduction};
use crate::metrics::Metric;
use crate::optimizers::Optimizer;
use crate::sequential::Sequential;
use crate::text::{from_ron, how_far};
use serde::Deserialize;
use std::path::PathBuf;

/// What a recipe trains on.
#[derive(Clone, Debug, PartialEq)]
pub enum Data {
    /// A text in quotes: the name of a dataset, or a folder of IDX files.
    Named(PathBuf),
    /// Files of any kind: `Csv(path: "iris.csv", target: "species")`.
    Described(DataSource),
}

/// A dataset, a network, and how to train it.
///
/// ```
/// use densely::Recipe;
/// use densely::recipe::Data;
///
/// let recipe = Recipe::from_ron(
///     r#"Recipe(
///         data: "mnist",
///         model: Sequential(inputs: 784, layers: [Dense(units: 10, activation: Softmax)]),
///         batch_size: 128,
///         epochs: 5,
///     )"#,
/// )?;
/// assert_eq!(recipe.data, Data::Named("mnist".into()));
/// assert_eq!(recipe.model.parameter_count(), 7850);
/// # Ok::<(), densely::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Recipe {
    /// What is trained on; paths are as they are written.
    pub data: Data,
    /// The network: an input for each feature of the data, and an output for each class or target.
    pub model: Sequential,
    /// What training makes small. Default: categorical cross-entropy.
    pub loss: Loss,
    /// How the losses of a batch's samples become the batch's. Default: their mean.
    pub reduction: Reduction,
    /// What is measured besides loss and accuracy. Default: nothing.
    pub metrics: Vec<Metric>,
    /// How. Default: Adam.
    pub optimizer: Optimizer,
    /// Samples per update; at least 1.
    pub batch_size: usize,
    /// Passes over the training samples; at least 1.
    pub epochs: usize,
    /// What all randomness follows from. Default: 0.
    pub seed: u64,
}

/// A recipe as it stands in the text, with data of one kind.
#[derive(Deserialize)]
#[serde(rename = "Recipe", deny_unknown_fields)]
struct Written<D> {
    data: D,
    model: Sequential,
    #[serde(default)]
    loss: Loss,
    #[serde(default)]
    reduction: Reduction,
    #[serde(default)]
    metrics: Vec<Metric>,
    #[serde(default)]
    optimizer: Optimizer,
    batch_size: usize,
    epochs: usize,
    #[serde(default)]
    seed: u64,
}

impl<D> Written<D> {
    fn read(self, kind: impl FnOnce(D) -> Data) -> Recipe {
        let Self { data, model, loss, reduction, metrics, optimizer, batch_size, epochs, seed } = self;
        Recipe { data: kind(data), model, loss, reduction, metrics, optimizer, batch_size, epochs, seed }
    }
}

impl Recipe {
    /// Reads a recipe; whether its parts are sound and fit together is for [`validate`](Self::validate) to say.
    ///
    /// # Errors
    ///
    /// [`DescriptionError::Ron`](crate::DescriptionError::Ron) if the text is not a recipe.
    pub fn from_ron(text: &str) -> Result<Self, Error> {
        // Data are a text or a description, and a reader of RON must be told which to expect: if neither can be read, the
        // error is that of the one that came further.
        match (from_ron::<Written<PathBuf>>(text), from_ron::<Written<DataSource>>(text)) {
            (Ok(recipe), _) => Ok(recipe.read(Data::Named)),
            (_, Ok(recipe)) => Ok(recipe.read(Data::Described)),
            (Err(one), Err(other)) => Err(if how_far(&one) > how_far(&other) { one } else { other }),
        }
    }

    /// Checks the numbers, the data's description, the network, and that loss, optimizer and metrics go with it. No file is
    /// opened.
    ///
    /// # Errors
    ///
    /// [`Error::FitSetting`] for a batch size or a number of epochs of 0; what is wrong with the data's description; and what
    /// [`Sequential::compile`] would say of the network, the loss, the optimizer and the metrics.
    pub fn validate(&self) -> Result<(), Error> {
        for (setting, found) in [("batch_size", self.batch_size), ("epochs", self.epochs)] {
            if found == 0 {
                return Err(Error::FitSetting { setting, found: 0, expected: "at least 1" });
            }
        }
        if let Data::Described(source) = &self.data {
            source.validate()?;
        }
        self.loss.refuse_missing_code()?;
        self.model.check(&self.loss, &self.optimizer)?;
        self.metrics.iter().try_for_each(|metric| metric.validate_outputs(self.model.outputs()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipe(data: &str, batch_size: usize, units: usize) -> String {
        format!(
            "Recipe(data: {data}, model: Sequential(inputs: 4, layers: [Dense(units: {units}, activation: Softmax)]), \
             batch_size: {batch_size}, epochs: 1)"
        )
    }

    #[test]
    fn the_error_is_that_of_the_reading_that_came_further() {
        for (text, expected) in [
            (recipe("Csw(path: \"a.csv\")", 1, 2), "did you mean `Csv`?"),
            (recipe("\"mnist\"", 1, 2).replace("epochs", "epoch"), "did you mean `epochs`?"),
            (
                recipe("Csv(path: \"a.csv\", target: \"b\")", 1, 2).replace("epochs", "epoch"),
                "did you mean `epochs`?",
            ),
        ] {
            let error = Recipe::from_ron(&text).expect_err(&text).to_string();
            assert!(error.ends_with(expected), "{error}");
        }
    }

    #[test]
    fn what_cannot_be_trained_is_refused() {
        let described = |path: &str| format!("Csv(path: \"{path}\", target: \"b\", split: (test: 2))");
        for (text, expected) in [
            (recipe("\"mnist\"", 0, 2), "batch_size is 0, expected at least 1"),
            (recipe("\"mnist\"", 1, 0), "layer 1 (dense): units is 0"),
            (recipe(&described("a.csv"), 1, 2), "data: test of split is 2"),
            (
                recipe("\"mnist\", loss: Custom(name: \"mine\")", 1, 2),
                "the loss is mine, which is not one of densely's own",
            ),
            (
                recipe("\"mnist\"", 1, 2).replace("Softmax", "Softmax, activity_regularizer: L2()"),
                "layer 1 (dense): activity_regularizer is on the Softmax that ends the network",
            ),
            (
                recipe("\"mnist\", metrics: [TopKCategoricalAccuracy(k: 0)]", 1, 2),
                "TopKCategoricalAccuracy: k is 0",
            ),
        ] {
            let error =
                Recipe::from_ron(&text).and_then(|recipe| recipe.validate()).expect_err(&text).to_string();
            assert!(error.starts_with(expected), "{error}");
        }
        Recipe::from_ron(&recipe("\"mnist\"", 1, 2)).and_then(|recipe| recipe.validate()).expect("a recipe");
    }
}
