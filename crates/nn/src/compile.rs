//! From a description to a model that can run.

use crate::engine::plan::Plan;
use crate::error::Error;
use crate::layers::Layer;
use crate::losses::{Loss, Reduction};
use crate::model::Model;
use crate::optimizers::Optimizer;
use crate::parameters::Parameters;
use crate::saving::Provenance;
use crate::sequential::Sequential;
use densely_tensor::{Pool, Scalar};

/// How a network is trained, and what it runs on.
#[derive(Clone, Debug, Default)]
pub struct Compile {
    /// How gradients change the parameters. Default: [`Adam`](crate::Adam).
    pub optimizer: Optimizer,
    /// What training makes small. Default: categorical cross-entropy.
    pub loss: Loss,
    /// How the losses of a batch's samples become the batch's. Default: their mean.
    pub reduction: Reduction,
    /// What initial weights, shuffles and dropout masks follow from. Default: 0.
    pub seed: u64,
    /// The threads and the instruction set; they change no bit of any result. Default: all that this process may use.
    pub pool: Pool,
}

impl Sequential {
    /// Makes a model with initial parameters, all buffers of its optimizer included.
    ///
    /// ```
    /// use densely::{Activation, Compile, Dense, Sequential};
    ///
    /// let model = Sequential::new(2)
    ///     .add(Dense::new(8).activation(Activation::Tanh))
    ///     .add(Dense::new(2).activation(Activation::Softmax))
    ///     .compile::<f32>(Compile::default())?;
    /// let probabilities = model.predict_one(&[0.0, 1.0])?;
    /// assert!((probabilities[0] + probabilities[1] - 1.0).abs() < 1e-6);
    /// # Ok::<(), densely::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the network, the optimizer's settings, or the loss at the network's end is not valid, the message naming the
    /// layer or the setting; or if there is not enough memory.
    pub fn compile<T: Scalar>(&self, compile: Compile) -> Result<Model<T>, Error> {
        compile.loss.refuse_missing_code()?;
        let plan = self.plan(&compile)?;
        let mut parameters = Parameters::zeros(self)?;
        parameters.initialize(compile.seed);
        Model::assemble(self.clone(), compile, plan, parameters, Provenance::default())
    }

    /// The plan of this network, after every check of it, of its loss and of its optimizer.
    pub(crate) fn plan(&self, compile: &Compile) -> Result<Plan, Error> {
        self.validate()?;
        compile.loss.validate(self)?;
        self.refuse_regularized_end(&compile.loss)?;
        compile.optimizer.validate()?;
        Ok(Plan::new(self, &compile.loss))
    }

    /// Some losses are computed from the logits before the last softmax or sigmoid, whose output is nowhere then.
    fn refuse_regularized_end(&self, loss: &Loss) -> Result<(), Error> {
        match (loss.joint_activation(), self.layers.last()) {
            (Some(activation), Some(Layer::Dense(dense))) if dense.activity_regularizer.is_some() => {
                let layer = self.layer_name(self.layers.len() - 1);
                Err(Error::RegularizedEnd { layer, activation, loss: loss.clone() })
            }
            _ => Ok(()),
        }
    }
}
