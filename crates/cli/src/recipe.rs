//! Recipes as the commands take them: from a file or built in, with what was typed put in.

use crate::args;
use crate::error::Error;
use crate::ui::printable;
use densely::recipe::Data;
use densely::{Compile, Loss, Recipe, Sequential};
use std::fmt::Display;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// What `densely train` follows if it is given nothing else.
const BUILT_IN: &str = include_str!("../../../data/recipes/mnist.ron");

/// What messages call it.
const BUILT_IN_NAME: &str = "built-in recipe mnist.ron";

/// The longest file that is read as a recipe, 1 MiB; a network of a thousand layers has a tenth of that.
const MAX_LENGTH: u64 = 1 << 20;

/// A recipe with the name that its runs get.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct NamedRecipe {
    pub(crate) name: String,
    pub(crate) recipe: Recipe,
}

impl NamedRecipe {
    /// Reads and checks the recipe in a file, or the built-in one.
    pub(crate) fn open(path: Option<&Path>) -> Result<Self, Error> {
        let Some(path) = path else {
            return Ok(Self {
                name: "mnist".to_owned(),
                recipe: parse(BUILT_IN, BUILT_IN_NAME, Path::new(""))?,
            });
        };
        let recipe = read(path, &read_text(path)?)?;
        let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        Ok(Self { name: stem.map_or_else(|| "run".to_owned(), printable), recipe })
    }

    /// Puts what was typed in the place of what was written.
    pub(crate) fn override_by(&mut self, flags: &args::Train) {
        let recipe = &mut self.recipe;
        if let Some(dataset) = &flags.dataset {
            recipe.data = Data::Named(dataset.clone());
        }
        recipe.epochs = flags.epochs.map_or(recipe.epochs, usize::from);
        recipe.batch_size = flags.batch_size.map_or(recipe.batch_size, usize::from);
        recipe.seed = flags.seed.unwrap_or(recipe.seed);
        if let Some(learning_rate) = flags.learning_rate {
            recipe.optimizer.set_learning_rate(learning_rate);
        }
    }
}

/// The recipe in a file, whose text this is.
fn read(path: &Path, text: &str) -> Result<Recipe, Error> {
    parse(text, path.display(), path.parent().unwrap_or(Path::new("")))
}

/// A checked recipe, whose paths start from a folder.
fn parse(text: &str, file: impl Display, folder: &Path) -> Result<Recipe, Error> {
    let content = |problem| Error::Content { file: file.to_string(), problem: Box::new(problem) };
    let mut recipe = Recipe::from_ron(text).map_err(content)?;
    recipe.data = match recipe.data {
        Data::Named(name) if crate::dataset::named(&name.to_string_lossy()).is_some() => Data::Named(name),
        Data::Named(name) => Data::Named(folder.join(name)),
        Data::Described(source) => Data::Described(source.relative_to(folder)),
    };
    recipe.validate().map_err(content)?;
    Ok(recipe)
}

/// A network, and how it is to be trained as far as that is known.
pub(crate) struct Network {
    pub(crate) network: Sequential,
    pub(crate) compile: Compile,
    pub(crate) batch_size: usize,
}

/// Samples of a batch where none is said, as in the built-in recipe.
pub(crate) const BATCH_SIZE: usize = 128;

/// The network in a RON file, which is a recipe or, as `densely summary --ron` prints it, the network alone.
pub(crate) fn read_network(path: &Path) -> Result<Network, Error> {
    let text = read_text(path)?;
    if starts_with_name(&text, "Sequential") {
        let network = Sequential::from_ron(&text);
        let network = network.map_err(|problem| Error::Content {
            file: path.display().to_string(),
            problem: Box::new(problem),
        })?;
        // A loss that goes with any end.
        let compile = Compile { loss: Loss::MeanSquaredError, ..Compile::default() };
        Ok(Network { network, compile, batch_size: BATCH_SIZE })
    } else {
        let Recipe { model, loss, optimizer, batch_size, .. } = read(path, &text)?;
        Ok(Network { network: model, compile: Compile { loss, optimizer, ..Compile::default() }, batch_size })
    }
}

/// Whether the first line that is neither empty nor a comment begins with a name.
fn starts_with_name(text: &str, name: &str) -> bool {
    let first = text.lines().map(str::trim_start).find(|line| !line.is_empty() && !line.starts_with("//"));
    first.is_some_and(|line| line.starts_with(name))
}

fn read_text(path: &Path) -> Result<String, Error> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_LENGTH + 1).read_to_end(&mut bytes))
        .map_err(|source| Error::Read { path: path.to_owned(), source })?;
    if bytes.len() as u64 > MAX_LENGTH {
        return Err(Error::RecipeTooLong { path: path.to_owned(), limit: MAX_LENGTH });
    }
    String::from_utf8(bytes).map_err(|_| Error::RecipeNotText { path: path.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_recipe_is_the_tutorials() {
        let NamedRecipe { name, recipe } = NamedRecipe::open(None).unwrap();
        assert_eq!((name.as_str(), recipe.model.parameter_count()), ("mnist", 669_706));
        assert_eq!(
            (recipe.batch_size, recipe.epochs, recipe.optimizer.learning_rate_at(0)),
            (128, 20, 0.001)
        );
    }

    #[test]
    fn errors_name_file_line_and_field() {
        let network = "Sequential(inputs: 4, layers: [Dense(units: 2, activation: Softmax)])";
        for (text, expected) in [
            (
                format!("Recipe(data: \"x\", model: {network}, batch_size: 0, epochs: 1)"),
                "r.ron: batch_size is 0",
            ),
            (
                format!("Recipe(data: \"x\", model: {network},\nbatch_sise: 1, epochs: 1)"),
                "r.ron: line 2, column ",
            ),
            (network.replace("4", "0"), "r.ron: line 1"),
            (
                format!(
                    "Recipe(data: \"x\", model: {}, batch_size: 1, epochs: 1)",
                    network.replace('2', "0")
                ),
                "r.ron: layer 1 (dense): units is 0, expected at least 1",
            ),
            (
                format!(
                    "Recipe(data: \"x\", model: {}, batch_size: 1, epochs: 1)",
                    network.replace("Softmax", "Relu")
                ),
                "r.ron: layer 1 (dense): ends the network with Relu",
            ),
            (
                format!(
                    "Recipe(data: \"x\", model: {network}, optimizer: Sgd(momentum: 2), batch_size: 1, epochs: 1)"
                ),
                "r.ron: Sgd: momentum is 2",
            ),
            (
                format!(
                    "Recipe(data: \"x\", model: {network}, optimizer: Muon(exclude_layers: [\"dens_1\"]), batch_size: 1, epochs: 1)"
                ),
                "r.ron: Muon: exclude_layers names dens_1, which no tensor has in its name, expected one of dense; did you mean `dense`?",
            ),
            (
                format!(
                    "Recipe(data: \"x\", model: {network}, metrics: [Auc(), Recal()], batch_size: 1, epochs: 1)"
                ),
                "r.ron: line 1",
            ),
            (
                format!(
                    "Recipe(data: \"x\", model: {}, metrics: [Precision()], batch_size: 1, epochs: 1)",
                    network.replace("units: 2", "units: 3")
                ),
                "r.ron: Precision: the network has 3 outputs, expected 1 or 2, or an average",
            ),
        ] {
            let message = parse(&text, "r.ron", Path::new("")).unwrap_err().to_string();
            assert!(message.starts_with(expected), "{message}");
        }
    }

    #[test]
    fn data_are_named_or_described_with_paths_from_the_recipes_folder() {
        let data = |text: &str| {
            let text = format!(
                "Recipe(data: {text}, model: Sequential(inputs: 4, layers: [Dense(units: 2, activation: Softmax)]), \
                 batch_size: 1, epochs: 1)"
            );
            parse(&text, "r.ron", Path::new("mine")).map(|recipe| recipe.data)
        };
        let named = |path: &str| Data::Named(path.into());
        assert_eq!(data("\"mnist\"").unwrap(), named("mnist"));
        assert_eq!(data("\"letters\"").unwrap(), named("mine/letters"));
        assert_eq!(data("\"/letters\"").unwrap(), named("/letters"));
        let csv = densely::data::Csv::new("mine/a.csv", "c");
        assert_eq!(
            data("Csv(path: \"a.csv\", target: \"c\")").unwrap(),
            Data::Described(densely::data::DataSource::Csv(csv))
        );
        for (text, expected) in [
            ("Csw(path: \"a.csv\")", "did you mean `Csv`?"),
            ("Csv(path: \"a.csv\", tagret: 1)", "did you mean `target`?"),
            ("Csv(path: \"a.csv\")", "field `target` is missing"),
            (
                "Csv(path: \"a.csv\", target: 1, split: (test: 2))",
                "data: test of split is 2, expected a share above 0",
            ),
        ] {
            let message = data(text).unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
        }
    }

    #[test]
    fn a_network_alone_is_recognised_behind_comments() {
        assert!(starts_with_name("\n// Sequential\n  Sequential(", "Sequential"));
        assert!(!starts_with_name("Recipe(model: Sequential(", "Sequential"));
    }
}
