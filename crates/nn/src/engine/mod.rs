//! What runs a network: a plan made from its description, buffers made once, and the passes over them.
//!
//! * [`plan`]: the description's layers as stages, each with the buffer it writes, and the loss at the end;
//! * [`layout`]: how a batch lies in memory, and [`parameters`], how what is learned does;
//! * [`phases`]: the plan as a table, with what each phase costs;
//! * [`buffers`]: everything that a pass writes, allocated before the first;
//! * [`forward`]: a batch through the stages;
//! * [`loss`]: from the last outputs and the targets to the loss and its gradient, or to a prediction;
//! * [`meters`]: the metrics, fed with predictions;
//! * [`backward`]: the loss's gradient back through them, and the optimizer's step;
//! * [`penalties`]: what regularizers add to the loss and its gradient, and constraints after the step;
//! * [`non_finite`]: where the first value appeared that is no number;
//! * [`update`]: the numbers of that step, and all of it where it needs the gradient as a whole.
//!
//! A batch is `features × samples`, in columns or in tiles. Every phase divides its *outputs* among the threads of the pool,
//! so their number changes no bit.

pub(crate) mod backward;
pub(crate) mod buffers;
pub(crate) mod forward;
pub(crate) mod layout;
pub(crate) mod loss;
pub(crate) mod meters;
pub(crate) mod non_finite;
pub(crate) mod parameters;
pub(crate) mod penalties;
pub(crate) mod phases;
pub(crate) mod plan;
pub(crate) mod update;
