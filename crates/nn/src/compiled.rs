//! The engine for both scalar types, compiled here once in builds without optimisation: the compiler then shares what a
//! library has of a generic function with the crates that use it. Each test, each example and each program that is being
//! developed would take seconds longer without.

use crate::data::Dataset;
use crate::error::Error;
use crate::history::History;
use crate::model::Model;
use crate::model::compile::Compile;
use crate::model::fit::Fit;
use crate::sequential::Sequential;

type CompileTo<T> = fn(&Sequential, Compile) -> Result<Model<T>, Error>;
type FitOf<T> = for<'a> fn(&mut Model<T>, &Dataset, Fit<'a>) -> Result<History, Error>;

#[used]
static SINGLE_PRECISION: (CompileTo<f32>, FitOf<f32>) = (Sequential::compile, Model::fit);

#[used]
static DOUBLE_PRECISION: (CompileTo<f64>, FitOf<f64>) = (Sequential::compile, Model::fit);
