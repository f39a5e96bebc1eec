//! Fully connected neural networks as Keras users know them, with one promise more: the same description, data and
//! seed give the same bits, whatever the machine and the number of threads.
//!
//! First a network is *described*: plain data that can be compared, printed, checked as a whole, and written to and
//! read from [RON](https://docs.rs/ron). Then it is *compiled*, which makes its parameters, and *run*: fitted, evaluated,
//! asked for predictions, saved. A model trained in ten lines:
//!
//! ```
//! use densely::{Activation, Adam, Compile, Dataset, Dense, Fit, Sequential};
//!
//! // Which side of a circle is a point on? Two features a point, x and y, and one of two classes: 0 outside, 1 inside.
//! const FEATURES: usize = 2;
//! const CLASSES: usize = 2;
//! let points: Vec<f64> = (0..1000).map(|i| (i as f64 * 0.7).sin()).collect(); // x, y, x, y, …
//! let inside = |point: &[f64]| u32::from(point[0].hypot(point[1]) < 0.8);
//! let labels: Vec<u32> = points.chunks(FEATURES).map(inside).collect();
//!
//! // 100 of the 500 points are kept for the test, drawn at random with seed 1.
//! let data = Dataset::from_floats(FEATURES, points, labels, CLASSES)?;
//! let (train, test) = data.split_stratified(100, 1)?;
//!
//! let mut model = Sequential::new(FEATURES)
//!     .add(Dense::new(32).activation(Activation::Relu))
//!     .add(Dense::new(CLASSES).activation(Activation::Softmax))
//!     .compile::<f32>(Compile { optimizer: Adam::new(0.01).into(), ..Compile::default() })?;
//! let history = model.fit(&train, Fit { epochs: 30, ..Fit::default() })?;
//! assert!(history.epochs[29].loss < history.epochs[0].loss);
//! assert!(model.evaluate(&test)?.accuracy > Some(0.95));
//!
//! let probabilities = model.predict_one(&[0.1, -0.2])?;
//! assert!(probabilities[1] > 0.9, "the point is inside");
//! # Ok::<(), densely::Error>(())
//! ```
//!
//! Layers, losses, optimizers and metrics have Keras's defaults: Glorot's weights, biases 0. So has [`Fit`], how long a network
//! learns: a batch has 32 samples, and each epoch shuffles them. Of [`Compile`], how it learns, Keras leaves the loss open and
//! takes RMSprop; here the loss is categorical cross-entropy, the optimizer Adam, and the seed of initial weights and shuffles
//! 0. Each field's documentation has its default.
//!
//! * **Precision.** `compile::<f32>` computes in single precision: half the memory, twice the speed, and enough for nearly
//!   all that networks do. `compile::<f64>` is for small problems whose results are wanted to many digits, and for
//!   [L-BFGS](Model::fit_lbfgs). [Gradient checks](Model::check_gradient) use double precision anyway.
//! * **Shapes.** A sample is a column: a batch is features × samples, a kernel units × inputs, as matrices of nalgebra in
//!   column-major order. These are the bytes of NumPy's and Keras's row-major arrays, (samples, features) and (inputs,
//!   units); `docs/notation.md` in the repository has all symbols.
//! * **Threads.** All that the process may use, unless [`Compile::pool`] says otherwise: `Pool::new(1)?` for one, or
//!   [`Pool::from_environment`] to have `DENSELY_THREADS` decide. They, and the instruction set ([`Isa`]), change speed and
//!   no bit of any result.
//! * **Errors.** What users, files or settings get wrong is an [`Error`], which says what was expected, what was found and
//!   in which layer.
//!
//! # Where things are
//!
//! In the order in which a network comes to life:
//!
//! | | |
//! | --- | --- |
//! | description | [`sequential`], and its [`layers`] with [`activations`], [`initializers`], [`regularizers`], [`constraints`]; [`summary`] prints it as a table |
//! | data | [`data`]: [`Dataset`], CSV, NPY, IDX and folders of pictures, scaling, splits |
//! | how it learns | [`Compile`]: [`losses`], [`optimizers`] with their [`schedules`], seed and [`Pool`] |
//! | parameters | [`parameters`], filled from the counted streams of [`random`] |
//! | running it | [`Model`]: [`fit`](Model::fit) with [`Fit`], [`evaluate`](Model::evaluate), [`predict`](Model::predict), one by one with a [`Predictor`]; [`train_on_batch`](Model::train_on_batch), [`fit_lbfgs`](Model::fit_lbfgs), [`check_gradient`](Model::check_gradient) |
//! | learning from another model | [`Model::copy_weights_from`], [`Model::set_trainable`], [`Model::adapt`] |
//! | watching and steering | [`callbacks`]: early stopping, checkpoints, learning rates, logs, one's own; [`BackupAndRestore`](callbacks::BackupAndRestore), to go on after a crash |
//! | what came out | [`history`], [`metrics`], [`statistics`] |
//! | files | [`Model::save`], [`Model::load`], [`Model::from_bytes`]; [`saving`] for the format; [`Recipe`], a text with data, network and settings that `densely train` follows; [`text`] for RON |
//!
//! # Learning it
//!
//! The repository has `docs/tutorial.md`, from "what is a layer?" to reading one's own handwriting, and a course in
//! examples, one idea each: `cargo run --package densely --example 01_xor`, then `02_two_moons`, `03_spirals`,
//! `04_regression`, `05_tabular`, `06_mnist`, `07_embed`, `08_custom_layer`.
//!
//! # Features
//!
//! * `idx` (default): IDX files, the format of MNIST (`Dataset::from_idx`).
//! * `images`: folders of PNGs as data (`data::ImageFolder`).
//!
//! Without features the crate also builds for WebAssembly, `wasm32-unknown-unknown`; see [`Model::from_bytes`].
#![forbid(unsafe_code)]

// The description.
pub mod sequential;

pub mod activations;
pub mod constraints;
pub mod initializers;
pub mod layers;
pub mod losses;
pub mod optimizers;
pub mod regularizers;
pub mod schedules;
pub mod summary;

// The data, and what a network learns from them.
pub mod data;
pub mod parameters;
pub mod random;

// Training and what it tells.
pub mod callbacks;
pub mod history;
pub mod metrics;
pub mod statistics;

// Files.
pub mod recipe;
pub mod saving;
pub mod text;

#[cfg(debug_assertions)]
mod compiled;
mod engine;
mod error;
mod model;
mod settings;

pub use activations::Activation;
pub use callbacks::{Callback, Progress, Training};
pub use constraints::Constraint;
pub use data::{Dataset, ValidationSplit};
pub use densely_tensor::{Isa, MatMut, MatRef, Pool, PoolError, Scalar};
pub use engine::phases::{Phase, Phases};
pub use error::{BackupError, DescriptionError, Error, LayerName, NonFinitePlace};
pub use history::{Epoch, History, Restored, Stop};
pub use initializers::Initializer;
pub use layers::{Dense, Dropout, Layer};
pub use losses::{Loss, Reduction};
pub use metrics::{ConfusionMatrix, Metric};
pub use model::batch::{BatchResult, TrainOnBatch};
pub use model::compile::Compile;
pub use model::evaluate::{Evaluate, Evaluation};
pub use model::fit::Fit;
pub use model::gradient_check::{GradientCheck, GradientError, GradientReport};
pub use model::lbfgs::{Lbfgs, LbfgsReport};
pub use model::{Model, ParametersMut, Predict, Predictor, PredictorRoom};
pub use optimizers::{Adam, AdamW, Optimizer, Rmsprop, Sgd};
pub use parameters::Parameters;
pub use recipe::Recipe;
pub use regularizers::Regularizer;
pub use saving::{Provenance, write_atomically};
pub use schedules::LearningRate;
pub use sequential::Sequential;
pub use statistics::{McNemar, OverSeeds, mcnemar, over_seeds, wilson_interval};
pub use summary::Summary;
