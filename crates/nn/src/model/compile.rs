//! From a description to a model that can run.

use super::Model;
use crate::engine::meters;
use crate::engine::parameters::EngineParameters;
use crate::engine::plan::Plan;
use crate::error::{DescriptionError, Error};
use crate::layers::Layer;
use crate::losses::{Loss, Reduction};
use crate::metrics::{CustomMetric, Metric};
use crate::optimizers::Optimizer;
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
    /// What is measured besides loss and accuracy: by [`evaluate`](Model::evaluate), and by [`fit`](Model::fit) over each
    /// epoch's samples and in validation. A second metric of the same name is called `name_1`. Weights of samples have no
    /// part in it, as in Keras's `metrics`. Default: nothing.
    pub metrics: Vec<Metric>,
    /// Metrics of the program's own, behind those. A saved model does not have them. Default: nothing.
    pub custom_metrics: Vec<CustomMetric>,
    /// What initial weights, shuffles and dropout masks follow from. Default: 0.
    pub seed: u64,
    /// The threads and the instruction set; they change no bit of any result. Default: all that this process may use.
    pub pool: Pool,
}

impl Sequential {
    /// Makes a model with initial parameters. What its optimizer remembers, for Adam twice as much, gets its room with the first
    /// step of training.
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
    /// If the network, a setting of the optimizer or of a metric, or the loss at the network's end is not valid, the message naming the
    /// layer or the setting; or if there is not enough memory.
    pub fn compile<T: Scalar>(&self, compile: Compile) -> Result<Model<T>, Error> {
        compile.loss.refuse_missing_code()?;
        let plan = self.plan(&compile)?;
        let mut parameters = EngineParameters::zeros(self)?;
        parameters.initialize(compile.seed)?;
        Ok(Model::assemble(self.clone(), compile, plan, parameters, Provenance::default()))
    }

    /// The plan of this network, after every check of it, of its loss, its optimizer and its metrics.
    pub(crate) fn plan<T: Scalar>(&self, compile: &Compile) -> Result<Plan<T>, Error> {
        self.check(&compile.loss, &compile.optimizer)?;
        let plan = Plan::new(self, &compile.loss);
        meters::validate(compile, plan.outputs)?;
        Ok(plan)
    }

    /// Checks this network, and that it goes with a loss and an optimizer.
    pub(crate) fn check(&self, loss: &Loss, optimizer: &Optimizer) -> Result<(), Error> {
        self.validate()?;
        loss.validate(self)?;
        self.refuse_regularized_end(loss)?;
        optimizer.validate_for(self)
    }

    /// Some losses are computed from the logits before the last softmax or sigmoid, whose output is nowhere then.
    fn refuse_regularized_end(&self, loss: &Loss) -> Result<(), Error> {
        let dense = match self.layers.last() {
            Some(Layer::Dense(dense)) => Some(dense),
            Some(Layer::DropConnect(layer)) => Some(&layer.dense),
            _ => None,
        };
        match (loss.joint_activation(), dense) {
            (Some(activation), Some(dense)) if dense.activity_regularizer.is_some() => {
                let layer = self.layer_name(self.layers.len() - 1);
                Err(DescriptionError::RegularizedEnd { layer, activation, loss: loss.clone() }.into())
            }
            _ => Ok(()),
        }
    }
}
