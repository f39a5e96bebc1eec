//! Optimizer updates: what a step does to a run of parameters, given their gradient.
//!
//! A rule holds the numbers of one step (learning rate, bias corrections); where a network keeps its parameters and how
//! it schedules the rate is not known here. Here are the rules that treat each parameter by itself. A rule that looks at a
//! whole tensor (Lamb, Adafactor, Muon) is none of these: it would scale the gradient or the step before or after one.
//!
//! Definitions and names of arguments are those of Keras 3, where a definition differs its rule says so. All element-wise
//! work is done by one loop (`slices.rs`) on a formula for one parameter.

mod adadelta;
mod adagrad;
mod adam;
mod adamax;
mod amsgrad;
mod ftrl;
mod lion;
mod nadam;
mod rmsprop;
mod sgd;
mod slices;

pub use adadelta::Adadelta;
pub use adagrad::Adagrad;
pub use adam::Adam;
pub use adamax::Adamax;
pub use amsgrad::Amsgrad;
pub use ftrl::Ftrl;
pub use lion::Lion;
pub use nadam::Nadam;
pub use rmsprop::Rmsprop;
pub use sgd::Sgd;

use crate::isa::Isa;
use crate::pool::Pool;
use crate::scalar::Scalar;
use crate::view::MatMut;
use slices::Slices;
pub(crate) use slices::{Ahead, Gradient, Run, take_front};

/// As many numbers as any rule remembers of a parameter.
pub const MOST_MOMENTS: usize = 3;

/// What a pool's thread takes at least: below some thousand parameters, waking it costs more than it saves.
const PARALLEL_RUN: usize = 4096;

/// How an optimizer moves a parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rule<T> {
    /// Gradient descent, with or without momentum.
    Sgd(Sgd<T>),
    /// RMSprop, with or without momentum, centered or not.
    Rmsprop(Rmsprop<T>),
    /// Adagrad.
    Adagrad(Adagrad<T>),
    /// Adadelta.
    Adadelta(Adadelta<T>),
    /// Adam.
    Adam(Adam<T>),
    /// Adam whose second moment never falls.
    Amsgrad(Amsgrad<T>),
    /// Adam with the largest gradient in place of the mean square.
    Adamax(Adamax<T>),
    /// Adam with Nesterov's momentum.
    Nadam(Nadam<T>),
    /// Follow the regularized leader.
    Ftrl(Ftrl<T>),
    /// Signs of an averaged gradient.
    Lion(Lion<T>),
}

/// One step of an optimizer: weight decay, then a [`Rule`].
///
/// ```
/// use densely_tensor::{Adam, Isa, Update};
///
/// // The first step of AdamW with its defaults: w ← w − w·0.004·0.001, then about the learning rate against the gradient.
/// let adam = Adam::<f64>::step(1, 0.001, 0.9, 0.999, 1e-7);
/// let update = Update::from(adam).weight_decay(0.001, 0.004);
/// assert_eq!(update.moments(), 2);
/// let (mut kernel, mut first, mut second) = ([1.0, 1.0], [0.0; 2], [0.0; 2]);
/// update.apply(Isa::detect(), &mut kernel, &[0.5, -2.0], [&mut first, &mut second, &mut []]);
/// assert!((kernel[0] - 0.998_996).abs() < 1e-8);
/// assert!((kernel[1] - 1.000_996).abs() < 1e-8);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Update<T> {
    /// What follows the decay.
    pub rule: Rule<T>,
    /// The share of each parameter that is taken away first: learning rate times weight decay, or 0.
    pub decay: T,
}

impl<T: Scalar> Update<T> {
    /// The same with decoupled weight decay (I. Loshchilov and F. Hutter, *Decoupled weight decay regularization*, ICLR
    /// 2019), as Keras has it for every optimizer: `w ← w − w·weight_decay·learning_rate` before the rule.
    ///
    /// With the rule [`Adam`] this is AdamW.
    #[must_use]
    pub fn weight_decay(self, learning_rate: f64, weight_decay: f64) -> Self {
        Self { decay: T::from_f64(learning_rate * weight_decay), ..self }
    }

    /// How many numbers the rule remembers of each parameter: at most [`MOST_MOMENTS`].
    pub fn moments(&self) -> usize {
        match self.rule {
            Rule::Sgd(rule) => usize::from(rule.has_momentum()),
            Rule::Rmsprop(rule) => 1 + usize::from(rule.has_momentum()) + usize::from(rule.centered),
            Rule::Adagrad(_) | Rule::Lion(_) => 1,
            Rule::Adadelta(_) | Rule::Adam(_) | Rule::Adamax(_) | Rule::Nadam(_) | Rule::Ftrl(_) => 2,
            Rule::Amsgrad(_) => 3,
        }
    }

    /// What each moment holds before the first step; 0 for those that the rule does not need.
    pub fn initial_moments(&self) -> [T; MOST_MOMENTS] {
        match self.rule {
            Rule::Adagrad(rule) => [rule.initial_accumulator_value, T::ZERO, T::ZERO],
            Rule::Ftrl(rule) => [rule.initial_accumulator_value, T::ZERO, T::ZERO],
            _ => [T::ZERO; MOST_MOMENTS],
        }
    }

    /// Changes `parameters` by their `gradient`; `moments` are the rule's memory of earlier steps, which begin as
    /// [`initial_moments`](Self::initial_moments) says. A rule that needs fewer than three leaves the last ones alone, and
    /// they may be empty.
    ///
    /// A moment below the smallest normal number becomes +0: it would otherwise stay subnormal for ever once a gradient is
    /// zero, and subnormal arithmetic is slow on many CPUs. A parameter that is +0, whose gradient is 0 and whose moments
    /// are the initial ones stays +0, as the padding of a tiled matrix has to. A gradient that is infinite or NaN makes
    /// its parameter infinite or NaN in this step, whichever the rule; the other parameters do not notice.
    ///
    /// # Panics
    ///
    /// If a slice that the rule needs is not as long as `parameters`.
    #[track_caller]
    pub fn apply(&self, isa: Isa, parameters: &mut [T], gradient: &[T], moments: [&mut [T]; MOST_MOMENTS]) {
        T::update(self, isa, parameters, gradient, moments);
    }

    /// [`apply`](Self::apply) on all threads of a pool; the bits are the same.
    ///
    /// # Panics
    ///
    /// As [`apply`](Self::apply).
    #[track_caller]
    pub fn apply_in_parallel(
        &self,
        pool: &Pool,
        parameters: &mut [T],
        gradient: &[T],
        moments: [&mut [T]; MOST_MOMENTS],
    ) {
        let len = parameters.len();
        if pool.threads() == 1 || len < 2 * PARALLEL_RUN {
            return self.apply(pool.isa(), parameters, gradient, moments);
        }
        let needed = self.moments();
        for (index, moment) in moments.iter().enumerate().take(needed) {
            slices::assert_length(index, moment.len(), len);
        }
        let mut index = 0;
        // A moment that the rule does not need has no rows.
        let [first, second, third] = moments.map(|moment| {
            let rows = usize::from(index < needed);
            index += 1;
            MatMut::from_slice(if rows == 0 { &mut [] } else { moment }, rows, len)
        });
        pool.for_each_part(
            PARALLEL_RUN,
            (parameters, gradient, first, second, third),
            |_, (parameters, gradient, first, second, third)| {
                let moments = [first.into_slice(), second.into_slice(), third.into_slice()];
                self.apply(pool.isa(), parameters, gradient, moments);
            },
        );
    }
}

/// [`Update::apply`], to be compiled once for each scalar type and kind of gradient.
#[track_caller]
pub(crate) fn step<T: Scalar>(
    update: &Update<T>,
    isa: Isa,
    parameters: &mut [T],
    gradient: impl Gradient<T>,
    moments: [&mut [T]; MOST_MOMENTS],
) {
    let slices = Slices { isa, decay: update.decay, parameters, gradient, moments };
    match update.rule {
        Rule::Sgd(rule) => rule.apply(slices),
        Rule::Rmsprop(rule) => rule.apply(slices),
        Rule::Adagrad(rule) => slices.step(rule),
        Rule::Adadelta(rule) => slices.step(rule),
        Rule::Adam(rule) => slices.step(rule),
        Rule::Amsgrad(rule) => slices.step(rule),
        Rule::Adamax(rule) => slices.step(rule),
        Rule::Nadam(rule) => slices.step(rule),
        Rule::Ftrl(rule) => rule.apply(slices),
        Rule::Lion(rule) => slices.step(rule),
    }
}

// A rule without weight decay is an update.
macro_rules! update_from_rule {
    ($($rule:ident),+) => {$(
        impl<T: Scalar> From<$rule<T>> for Update<T> {
            fn from(rule: $rule<T>) -> Self {
                Self { rule: Rule::$rule(rule), decay: T::ZERO }
            }
        }
    )+};
}
update_from_rule!(Sgd, Rmsprop, Adagrad, Adadelta, Adam, Amsgrad, Adamax, Nadam, Ftrl, Lion);
