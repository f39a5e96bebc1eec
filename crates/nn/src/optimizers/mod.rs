//! Optimizers: how gradients change the parameters. These are their descriptions; a step's work is done by the engine and,
//! element by element, in `densely_tensor`.
//!
//! Names, defaults and formulas are those of Keras 3; where a definition differs, its description says so. In RON an
//! optimizer names what differs from its defaults: `Adam()`, `Sgd(learning_rate: 0.1, momentum: 0.9)`,
//! `AdamW(learning_rate: CosineDecay(initial_learning_rate: 0.001, decay_steps: 5000), global_clipnorm: 1.0)`.
//!
//! All have the same further settings, which act in this order:
//!
//! 1. `gradient_accumulation_steps`: k batches make one update, with the mean of their gradients. A batch of n·k samples
//!    split into k of n gives the same update as the whole. What an update's number counts (bias corrections, EMA) are
//!    updates; a [schedule](crate::schedules) counts batches, as in Keras.
//! 2. One of three clippings: `clipnorm` scales a tensor's gradient g by `clipnorm/max(clipnorm, ‖g‖)`; `global_clipnorm`
//!    does the same with the norm of all gradients together; `clipvalue` limits each element.
//! 3. `weight_decay`: `w ← w − w·weight_decay·learning_rate` (I. Loshchilov and F. Hutter, *Decoupled weight decay
//!    regularization*, ICLR 2019), for all parameters, and with the rate that the schedule has then.
//! 4. The optimizer's own formula.
//! 5. [Constraints](crate::constraints).
//! 6. `use_ema`: the moving average `a ← ema_momentum·a + (1 − ema_momentum)·w` of the parameters after each update, which
//!    begins with those after the first one (B. Polyak and A. Juditsky, *Acceleration of stochastic approximation by
//!    averaging*, 1992). As in Keras, training and what is evaluated in between see w itself; when [`fit`](crate::Model::fit)
//!    ends, and every `ema_overwrite_frequency` updates, w becomes a. Where gradients are accumulated Keras averages after
//!    every batch; here the average waits for the update too.
//!
//! An optimizer that treats each parameter by itself, without clipping and accumulation, updates a kernel while its gradient
//! is being computed; any other setting has the gradient written to memory first. The bits are the same.

mod adadelta;
mod adafactor;
mod adagrad;
mod adam;
mod adamax;
pub(crate) mod describe;
mod ftrl;
mod lamb;
mod lion;
mod muon;
mod nadam;
mod rmsprop;
mod rprop;
mod schedule_free_adamw;
mod sgd;

pub use adadelta::Adadelta;
pub use adafactor::Adafactor;
pub use adagrad::Adagrad;
pub use adam::{Adam, AdamW};
pub use adamax::Adamax;
pub use ftrl::Ftrl;
pub use lamb::Lamb;
pub use lion::Lion;
pub use muon::Muon;
pub use nadam::Nadam;
pub use rmsprop::Rmsprop;
pub use rprop::Rprop;
pub use schedule_free_adamw::ScheduleFreeAdamW;
pub use sgd::Sgd;

use crate::error::{DescriptionError, Error};
use crate::schedules::LearningRate;
use crate::sequential::Sequential;
use describe::{Description, Options};
use serde::{Deserialize, Serialize};

/// How parameters follow their gradients. In RON: `Adam(learning_rate: 0.001)`, `Sgd(momentum: 0.9)`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Optimizer {
    /// Stochastic gradient descent.
    Sgd(Sgd),
    /// Divides by the root of the mean square.
    Rmsprop(Rmsprop),
    /// Divides by the root of the sum of squares.
    Adagrad(Adagrad),
    /// Steps as large as the last ones, whatever the gradient's unit.
    Adadelta(Adadelta),
    /// Adaptive moments.
    Adam(Adam),
    /// Adam with weight decay.
    AdamW(AdamW),
    /// Adam with an infinity norm.
    Adamax(Adamax),
    /// Adam with Nesterov's momentum.
    Nadam(Nadam),
    /// Follow the regularized leader.
    Ftrl(Ftrl),
    /// The sign of a mean gradient.
    Lion(Lion),
    /// Adam whose steps are as long as the tensor they change.
    Lamb(Lamb),
    /// Adam with one square for each row and column.
    Adafactor(Adafactor),
    /// Steps whose singular values are all alike.
    Muon(Muon),
    /// AdamW with an average in place of a schedule.
    ScheduleFreeAdamW(ScheduleFreeAdamW),
    /// A step size for each parameter, steered by signs; for small sets of data.
    Rprop(Rprop),
}

impl Default for Optimizer {
    fn default() -> Self {
        Self::Adam(Adam::default())
    }
}

/// The expression for the description inside, whichever it is.
macro_rules! for_each_optimizer {
    ($optimizer:expr, $inner:ident => $result:expr) => {
        match $optimizer {
            Optimizer::Sgd($inner) => $result,
            Optimizer::Rmsprop($inner) => $result,
            Optimizer::Adagrad($inner) => $result,
            Optimizer::Adadelta($inner) => $result,
            Optimizer::Adam($inner) => $result,
            Optimizer::AdamW($inner) => $result,
            Optimizer::Adamax($inner) => $result,
            Optimizer::Nadam($inner) => $result,
            Optimizer::Ftrl($inner) => $result,
            Optimizer::Lion($inner) => $result,
            Optimizer::Lamb($inner) => $result,
            Optimizer::Adafactor($inner) => $result,
            Optimizer::Muon($inner) => $result,
            Optimizer::ScheduleFreeAdamW($inner) => $result,
            Optimizer::Rprop($inner) => $result,
        }
    };
}

impl Optimizer {
    fn description(&self) -> &dyn Description {
        for_each_optimizer!(self, inner => inner)
    }

    pub(crate) fn options(&self) -> Options {
        self.description().options()
    }

    /// The name in RON.
    pub fn name(&self) -> &'static str {
        self.description().name()
    }

    /// The learning rate, a number or a schedule.
    pub fn learning_rate(&self) -> &LearningRate {
        self.description().learning_rate()
    }

    /// The learning rate at `step`: batches before it, over all epochs.
    pub fn learning_rate_at(&self, step: u64) -> f64 {
        self.learning_rate().at(step)
    }

    /// Sets the learning rate; a schedule is replaced.
    pub fn set_learning_rate(&mut self, learning_rate: impl Into<LearningRate>) {
        let inner: &mut dyn Description = for_each_optimizer!(self, inner => inner);
        *inner.learning_rate_mut() = learning_rate.into();
    }

    /// Checks every setting, and that the layers named in one are the network's, which is taken as
    /// [valid](Sequential::validate).
    ///
    /// # Errors
    ///
    /// As [`validate`](Self::validate); [`DescriptionError::ExcludedLayer`] for a name that no layer has.
    pub fn validate_for(&self, network: &Sequential) -> Result<(), Error> {
        self.validate()?;
        match self {
            Self::Muon(muon) => muon.refuse_unknown_layers(network),
            _ => Ok(()),
        }
    }

    /// Checks every setting.
    ///
    /// # Errors
    ///
    /// [`DescriptionError::OptimizerSetting`] or [`DescriptionError::ScheduleSetting`] names the first setting outside its range,
    /// [`DescriptionError::OptimizerConflict`] two that exclude each other.
    pub fn validate(&self) -> Result<(), Error> {
        self.description().validate()?;
        match self {
            Self::ScheduleFreeAdamW(inner) if inner.use_ema => Err(DescriptionError::OptimizerConflict {
                optimizer: self.name(),
                setting: "use_ema",
                other: "the optimizer's own average",
            }
            .into()),
            _ => Ok(()),
        }
    }
}
