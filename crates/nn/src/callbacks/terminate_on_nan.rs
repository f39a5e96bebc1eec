//! Ending training quietly when numbers run out.

use super::Callback;
use super::training::Training;
use crate::error::Error;

/// Makes a loss or a parameter that is not finite the end of training, with the history so far, instead of an error. Such
/// a step is never taken, with this callback or without. The reason, with the step and the layer, is in
/// [`History::stop`](crate::History::stop).
///
/// ```
/// # use densely::{Activation, Compile, Dataset, Dense, Fit, Sequential, Sgd};
/// use densely::callbacks::TerminateOnNan;
/// # let data = Dataset::from_floats(1, vec![1.0, 2.0, 3.0, 4.0], vec![0, 1, 0, 1], 2)?;
/// # let network = Sequential::new(1).add(Dense::new(2).activation(Activation::Softmax));
///
/// let mut model = network.compile::<f32>(Compile { optimizer: Sgd::new(1e38).into(), ..Compile::default() })?;
/// let mut terminate = TerminateOnNan;
/// let fit = Fit { epochs: 9, batch_size: 1, callbacks: vec![&mut terminate], ..Fit::default() };
/// let history = model.fit(&data, fit)?;
/// assert!(history.stop.unwrap().reason.starts_with("TerminateOnNan: the loss is "));
/// # Ok::<(), densely::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TerminateOnNan;

impl Callback for TerminateOnNan {
    fn on_non_finite(&mut self, training: &mut Training<'_>, problem: &Error) -> Result<(), Error> {
        training.stop(format!("TerminateOnNan: {problem}"));
        Ok(())
    }
}
