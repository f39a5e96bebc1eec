//! Predictions for one sample at a time, as fast as the machine can read the weights.

use super::Model;
use super::folding::fold;
use super::inference::outputs;
use crate::engine::buffers::Buffers;
use crate::engine::forward::gather_one;
use crate::engine::parameters::EngineParameters;
use crate::engine::plan::Plan;
use crate::error::Error;
use densely_tensor::{Pool, Scalar};

/// A model made ready for single samples: share one between threads, and give each thread a [`Room`](PredictorRoom).
///
/// Its predictions allocate nothing (but for a buffer that each thread keeps from its first product on), start no thread, skip
/// what is zero, and do not pay for layers that only scale: batch normalization, normalization and rescaling are folded into
/// the dense layer before or behind them, where that loses no digits (an offset above 8 before a dense layer stays), and layers
/// that do nothing outside training are left out; the layers in a [`Residual`](crate::layers::Residual) stay as they are.
/// Folding rounds anew, so the last digits can differ from [`Model::predict_one`]'s where there was something to fold.
///
/// ```
/// use densely::{Activation, Compile, Dense, Sequential};
///
/// let network = Sequential::new(4)
///     .add(Dense::new(8).activation(Activation::Relu))
///     .add(Dense::new(3).activation(Activation::Softmax));
/// let predictor = network.compile::<f32>(Compile::default())?.predictor()?;
/// let mut room = predictor.room()?;
/// let probabilities = predictor.predict(&[0.1, 0.0, 0.7, 0.0], &mut room)?;
/// assert!((probabilities.iter().sum::<f32>() - 1.0).abs() < 1e-6);
/// # Ok::<(), densely::Error>(())
/// ```
pub struct Predictor<T: Scalar> {
    plan: Plan<T>,
    parameters: EngineParameters<T>,
    pool: Pool,
}

/// Where a [`Predictor`] works; one for each thread.
pub struct PredictorRoom<T: Scalar>(Buffers<T>);

impl<T: Scalar> std::fmt::Debug for Predictor<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (inputs, outputs) = (self.plan.inputs, self.plan.outputs);
        f.debug_struct("Predictor")
            .field("inputs", &inputs)
            .field("outputs", &outputs)
            .finish_non_exhaustive()
    }
}

impl<T: Scalar> std::fmt::Debug for PredictorRoom<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PredictorRoom").finish_non_exhaustive()
    }
}

impl<T: Scalar> Model<T> {
    /// Makes the model, as it is now, ready to predict one sample at a time.
    ///
    /// # Errors
    ///
    /// [`Error::Memory`] if there is not enough for another copy of the parameters.
    pub fn predictor(&self) -> Result<Predictor<T>, Error> {
        let (network, parameters) = fold(&self.network, &self.parameters)?;
        let plan = Plan::new(&network, &self.compile.loss);
        let pool =
            Pool::with_isa(1, self.pool().isa()).map_err(|_| Error::Memory { what: "a thread's pool" })?;
        Ok(Predictor { plan, parameters, pool })
    }
}

impl<T: Scalar> Predictor<T> {
    /// Values that a sample has.
    pub fn inputs(&self) -> usize {
        self.plan.inputs
    }

    /// Values that a prediction has.
    pub fn outputs(&self) -> usize {
        self.plan.outputs
    }

    /// Room for the predictions of one thread.
    ///
    /// # Errors
    ///
    /// [`Error::Memory`] if there is not enough.
    pub fn room(&self) -> Result<PredictorRoom<T>, Error> {
        Buffers::new(&self.plan, 1, None).map(PredictorRoom)
    }

    /// The network's output for one sample, whose features are taken as they are (bytes are not scaled here): what
    /// [`Model::predict_one`] says.
    ///
    /// # Errors
    ///
    /// [`Error::Features`] if there are more or fewer features than the network has inputs, [`Error::Feature`] if one of
    /// them is not finite.
    ///
    /// # Panics
    ///
    /// If the room is that of a predictor for another network.
    pub fn predict<'r>(&self, features: &[T], room: &'r mut PredictorRoom<T>) -> Result<&'r [T], Error> {
        check_features(features, self.plan.inputs)?;
        let PredictorRoom(buffers) = room;
        gather_one(&self.pool, &self.plan, features, buffers);
        Ok(outputs(&self.pool, &self.plan, &self.parameters, buffers, 1))
    }
}

/// One for all threads, and a room that can go with its thread.
const _: () = {
    const fn shared<P: Send + Sync>() {}
    const fn sent<R: Send>() {}
    shared::<Predictor<f32>>();
    shared::<Predictor<f64>>();
    sent::<PredictorRoom<f32>>();
};

/// Checks a sample that a user gives as numbers.
pub(super) fn check_features<T: Scalar>(features: &[T], expected: usize) -> Result<(), Error> {
    if features.len() != expected {
        return Err(Error::Features { expected, found: features.len() });
    }
    match features.iter().position(|value| !value.is_finite()) {
        None => Ok(()),
        Some(feature) => Err(Error::Feature { sample: 0, feature, value: features[feature].to_f64() }),
    }
}
