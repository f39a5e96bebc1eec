//! Fully connected neural networks as Keras users know them, with one promise more: the same description, data and
//! seed give the same bits, whatever the machine and the number of threads.
//!
//! First a network is *described*: plain data that can be compared, printed, checked as a whole, and written to and
//! read from [RON](https://docs.rs/ron). Then it is *compiled*, which makes its parameters, and *run*: fitted, evaluated,
//! asked for predictions, saved.
//!
//! ```
//! use densely::{Activation, Adam, Compile, Dataset, Dense, Fit, Sequential};
//!
//! // Which side of a circle is a point on?
//! let points: Vec<f64> = (0..1000).map(|i| (i as f64 * 0.7).sin()).collect();
//! let inside = |point: &[f64]| u32::from(point[0].hypot(point[1]) < 0.8);
//! let labels = points.chunks(2).map(inside).collect();
//! let (train, test) = Dataset::from_floats(2, points, labels, 2)?.split_stratified(100, 1)?;
//!
//! let mut model = Sequential::new(2)
//!     .add(Dense::new(32).activation(Activation::Relu))
//!     .add(Dense::new(2).activation(Activation::Softmax))
//!     .compile::<f32>(Compile { optimizer: Adam::new(0.01).into(), ..Compile::default() })?;
//! let history = model.fit(&train, Fit { epochs: 30, ..Fit::default() })?;
//! assert!(history.epochs[29].loss < history.epochs[0].loss);
//! assert!(model.evaluate(&test)?.accuracy > Some(0.95));
//! # Ok::<(), densely::Error>(())
//! ```
//!
//! The modules in the order in which a network comes to life:
//!
//! 1. description: [`sequential`], [`layers`], [`activations`], [`initializers`], [`regularizers`], [`constraints`],
//!    [`losses`], [`optimizers`], and [`summary`], which prints it as a table;
//! 2. data: [`data`], where a sample is a column;
//! 3. state: [`parameters`], filled from the counted streams of [`random`];
//! 4. [`Model`]: [compiled](Sequential::compile), [fitted](Model::fit), [evaluated](Model::evaluate), asked to
//!    [predict](Model::predict);
//! 5. what training tells: [`callbacks`], [`history`], [`metrics`], [`statistics`];
//! 6. files: [`saving`] for models, [`text`] for RON.
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
pub mod saving;
pub mod text;

mod compile;
mod engine;
mod error;
mod evaluate;
mod fit;
mod model;
mod settings;

pub use activations::Activation;
pub use callbacks::{Callback, Progress};
pub use compile::Compile;
pub use constraints::Constraint;
pub use data::Dataset;
pub use densely_tensor::{Isa, Pool, PoolError, Scalar};
pub use error::{Error, LayerName};
pub use evaluate::Evaluation;
pub use fit::Fit;
pub use history::{Epoch, History};
pub use initializers::Initializer;
pub use layers::{Dense, Dropout, Layer};
pub use losses::{Loss, Reduction};
pub use metrics::ConfusionMatrix;
pub use model::Model;
pub use optimizers::{Adam, Optimizer, Sgd};
pub use parameters::Parameters;
pub use regularizers::Regularizer;
pub use saving::{Provenance, write_atomically};
pub use sequential::Sequential;
pub use statistics::wilson_interval;
pub use summary::Summary;
