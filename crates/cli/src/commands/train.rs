//! `densely train`: from a recipe to a model with its history and pictures.

use super::show_evaluation;
use crate::args::{self, Validation};
use crate::dataset::{Images, Material, Source};
use crate::error::Error;
use crate::model::{self, MODEL_FILE};
use crate::recipe::NamedRecipe;
use crate::report::{digits_png, history_svg, pixels_svg};
use crate::run::{FILES, INTERRUPTED, Interrupt, Measured, Metrics, Place, RunFolder, steady_speed};
use crate::ui::{EpochTable, Output, counted, file_size, grouped, printable};
use densely::data::{SplitMethod, TrainedOn};
use densely::{
    Compile, ConfusionMatrix, Dataset, Evaluation, Fit, History, Model, Pool, Progress, Provenance, Recipe,
    write_atomically,
};
use std::fs;
use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

/// How many training images are held out if nothing else is asked for; of a small set, one in so many.
const HELD_OUT: usize = 5000;
const SMALL_SET_SHARE: usize = 6;

/// Everything that a run starts from.
struct Setup {
    recipe: Recipe,
    source: Source,
    train: Images,
    /// What is trained on: all of `train` but what is held out.
    data: Dataset,
    validation: Validation,
    validation_data: Option<Dataset>,
    /// What the model is tested with.
    test: Dataset,
    classes: Vec<String>,
    trained_on: Option<TrainedOn>,
    pool: Pool,
}

/// What came of a run.
struct Trained {
    model: Model<f32>,
    history: History,
    /// Where training stood when it ended.
    last: Progress,
}

/// Trains by the recipe and the flags, evaluates on the test images once, and keeps all of it in the run's folder.
/// `started` is when the process did.
pub(crate) fn train(args: &args::Train, started: Instant, output: &mut Output) -> Result<ExitCode, Error> {
    // What can be known to be wrong is found before a byte of data is read.
    let mut named = NamedRecipe::open(args.recipe_file())?;
    named.override_by(args);
    let NamedRecipe { name, recipe } = named;
    let pool = model::pool(args.threads)?;
    let source = Source::find(&recipe.data)?;
    let folder = Arc::new(RunFolder::claim(&place(args, name))?);
    let mut interrupt = Interrupt::listen(Arc::downgrade(&folder))?;

    let setup = Setup::read(recipe, source, pool, args.validation)?;
    setup.show(&folder, output);
    if interrupt.requested() {
        output.line("Stopped before training began; nothing is kept.");
        return Ok(ExitCode::from(INTERRUPTED));
    }
    let mut trained = setup.fit(&mut interrupt, output)?;
    if trained.history.stop.is_some() {
        show_interruption(&trained.last, setup.source.noun(), output);
    }
    interrupt.keep();
    // The model is kept before anything else can fail.
    trained.model.save(folder.file(MODEL_FILE))?;
    let evaluation = trained.model.evaluate(&setup.test)?;
    output.blank();
    let noun = setup.source.noun();
    show_evaluation(&evaluation, &setup.classes, noun, output)?;
    if setup.validation == Validation::Test {
        output.blank();
        output.line(format!(
            "These {noun}s were the validation set too: the accuracy is not that of unseen {noun}s."
        ));
    }
    setup.keep(&mut trained, &evaluation, &folder, started)?;
    folder.release();
    show_files(&folder, &trained.model.fingerprint(), output);
    Ok(if trained.history.stop.is_some() { ExitCode::from(INTERRUPTED) } else { ExitCode::SUCCESS })
}

/// A run is named after its recipe, or after the dataset where that was chosen beside it.
fn place(args: &args::Train, recipe: String) -> Place {
    let dataset = || args.dataset.as_ref()?.file_name().map(|name| printable(name.display()));
    match (&args.out, &args.name) {
        (Some(folder), _) => Place::Folder(folder.clone()),
        (None, Some(name)) => Place::Named(name.clone()),
        (None, None) if args.recipe_file().is_none() => Place::Numbered(dataset().unwrap_or(recipe)),
        (None, None) => Place::Numbered(recipe),
    }
}

/// What to validate on: what was asked for, else the recipe's share of the samples, else a number that suits them.
fn validation(asked: Option<Validation>, source: &Source, samples: usize) -> Result<Validation, Error> {
    let held_out = match asked {
        Some(Validation::HeldOut(held_out)) if held_out.get() >= samples => {
            return Err(Error::Validation { held_out: held_out.get(), samples, noun: source.noun() });
        }
        Some(validation) => return Ok(validation),
        None => match source.split().and_then(|split| split.validation) {
            Some(share) => ((share * samples as f64).round() as usize).min(samples.saturating_sub(1)),
            None => HELD_OUT.min(samples / SMALL_SET_SHARE),
        },
    };
    Ok(NonZeroUsize::new(held_out).map_or(Validation::None, Validation::HeldOut))
}

impl Setup {
    fn read(recipe: Recipe, source: Source, pool: Pool, asked: Option<Validation>) -> Result<Self, Error> {
        let Material { train, test, classes, mut trained_on } = source.read(&recipe.model)?;
        let validation = validation(asked, &source, train.data.len())?;
        let (mut data, held_out) = match validation {
            Validation::HeldOut(held_out) => {
                let method = source.split().map_or(SplitMethod::Stratified, |split| split.method);
                let (data, held_out) = method.split(&train.data, held_out.get(), recipe.seed)?;
                (data, Some(held_out))
            }
            Validation::Test | Validation::None => (train.data.clone(), None),
        };
        let (mut test, mut held_out) = (test.data, held_out);
        if let Some(trained_on) = &mut trained_on {
            data = trained_on.scale(&data)?;
            test = trained_on.scaled(&test)?;
            held_out = held_out.map(|held_out| trained_on.scaled(&held_out)).transpose()?;
        }
        let validation_data = if validation == Validation::Test { Some(test.clone()) } else { held_out };
        Ok(Self { recipe, source, train, data, validation, validation_data, test, classes, trained_on, pool })
    }

    /// Prints the network, and a line each about data, arithmetic and folder.
    fn show(&self, folder: &RunFolder, output: &mut Output) {
        let style = output.style();
        output.line(self.recipe.model.summary());
        output.blank();
        let noun = self.source.noun();
        let validation = match self.validation {
            Validation::HeldOut(held_out) => {
                let share = self.train.data.len() / SMALL_SET_SHARE;
                let by_share = self.source.split().is_some_and(|split| split.validation.is_some());
                let small = held_out.get() == share && share < HELD_OUT && !by_share;
                let remark = if small { " (a sixth of this small set)" } else { "" };
                format!("{} held out for validation{remark}", grouped(held_out.get() as u64))
            }
            Validation::Test => format!("validation on the test {noun}s, which so are no longer unseen"),
            Validation::None => "no validation".to_owned(),
        };
        let mut row =
            |name: &str, value: String| output.line(format!("{}{value}", style.bold(format!("{name:<9}"))));
        row(
            "data",
            format!(
                "{}: {} to train on, {} to test with",
                printable(self.source.name()),
                counted(self.data.len(), noun),
                grouped(self.test.len() as u64)
            ),
        );
        row("", validation);
        row("compute", format!("{}, {}", counted(self.pool.threads(), "thread"), self.pool.isa()));
        row("run", printable(folder.path().display()));
        output.blank();
    }

    fn fit(&self, interrupt: &mut Interrupt, output: &mut Output) -> Result<Trained, Error> {
        let recipe = &self.recipe;
        let mut model: Model<f32> = recipe.model.compile(Compile {
            optimizer: recipe.optimizer.clone(),
            loss: recipe.loss.clone(),
            reduction: recipe.reduction,
            metrics: recipe.metrics.clone(),
            seed: recipe.seed,
            pool: self.pool.clone(),
            ..Compile::default()
        })?;
        // Each `Normalization()` takes the mean and the variance of what it is going to see.
        model.adapt(&self.data)?;
        // A description too long for a model's file is found before the time for training is spent.
        model.set_provenance(self.provenance(0, None));
        model.to_bytes()?;
        let mut table = EpochTable::new(output);
        let fit = Fit {
            epochs: recipe.epochs,
            batch_size: recipe.batch_size,
            validation: self.validation_data.as_ref(),
            callbacks: vec![&mut table, interrupt],
            ..Fit::default()
        };
        let history = model.fit(&self.data, fit);
        // The bar goes before an error is shown, too.
        let last = table.end();
        let history = history?;
        model.set_provenance(self.provenance(history.epochs.len(), None));
        Ok(Trained { model, history, last })
    }

    fn provenance(&self, epochs: usize, test_accuracy: Option<f64>) -> Provenance {
        Provenance {
            dataset: self.source.name(),
            classes: self.classes.clone(),
            epochs,
            test_accuracy,
            trained_on: self.trained_on.clone(),
        }
    }

    /// Writes the run's files, the model with its accuracy first.
    fn keep(
        &self,
        trained: &mut Trained,
        evaluation: &Evaluation,
        folder: &RunFolder,
        started: Instant,
    ) -> Result<(), Error> {
        let Trained { model, history, .. } = trained;
        model.set_provenance(self.provenance(history.epochs.len(), evaluation.accuracy));
        model.save(folder.file(MODEL_FILE))?;
        write_atomically(folder.file("history.csv"), history.to_csv().as_bytes())?;
        if let Some(picture) = digits_png(&self.train)? {
            write_atomically(folder.file("digits.png"), &picture)?;
        }
        if let Some(picture) = pixels_svg(&self.train, &self.classes)? {
            write_atomically(folder.file("pixels.svg"), picture.as_bytes())?;
        }
        if let Some(picture) = history_svg(history)? {
            write_atomically(folder.file("history.svg"), picture.as_bytes())?;
        }
        let metrics = Metrics {
            test_accuracy: evaluation.accuracy,
            test_loss: evaluation.loss,
            confusion_matrix: evaluation.confusion.as_ref().map(confusion_rows),
            metrics: Measured(evaluation.metrics.clone()),
            epochs: history.epochs.len(),
            images_per_second: steady_speed(history),
            seconds: started.elapsed().as_secs_f64(),
            seed: self.recipe.seed,
            threads: self.pool.threads(),
            isa: self.pool.isa().to_string(),
            fingerprint: model.fingerprint(),
            dataset: self.source.name(),
            interrupted: history.stop.is_some(),
            validation: self.validation.to_string(),
        };
        Ok(write_atomically(folder.file("metrics.json"), metrics.to_json().as_bytes())?)
    }
}

/// The confusion matrix as rows, one for each true class.
fn confusion_rows(confusion: &ConfusionMatrix) -> Vec<Vec<u64>> {
    let row = |label| (0..confusion.classes()).map(|predicted| confusion.count(label, predicted)).collect();
    (0..confusion.classes()).map(row).collect()
}

fn show_interruption(last: &Progress, noun: &str, output: &mut Output) {
    output.blank();
    output.line(format!(
        "Stopped in epoch {} after {} of {}; the model so far is kept.",
        last.epoch,
        grouped(last.samples_seen as u64),
        counted(last.samples, noun)
    ));
}

fn show_files(folder: &RunFolder, fingerprint: &str, output: &mut Output) {
    let style = output.style();
    output.blank();
    output.line(format!("{} {}", style.bold("kept in"), printable(folder.path().display())));
    for name in FILES {
        if let Ok(metadata) = fs::metadata(folder.file(name)) {
            output.line(format!("  {name:<18} {:>10}", file_size(metadata.len())));
        }
    }
    output.line(format!("fingerprint of the weights: {fingerprint}"));
}
