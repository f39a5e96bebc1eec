//! RMSprop (T. Tieleman and G. Hinton, *Neural networks for machine learning*, lecture 6.5, 2012), centered as in
//! A. Graves, *Generating sequences with recurrent neural networks*, 2013, equations 38 to 45.

use super::slices::{Gradient, Slices, Step};
use crate::scalar::Scalar;

/// One step of RMSprop as Keras has it:
///
/// ```text
/// v ← v + (1 − ρ)·(g² − v)
/// centered:          a ← a + (1 − ρ)·(g − a),   s = g / √(max(v − a², 0) + ε)
/// otherwise:                                    s = g / √(v + ε)
/// without momentum:  w ← w − learning_rate·s
/// with:              u ← momentum·u + learning_rate·s,   w ← w − u
/// ```
///
/// The moments are v, then u if there is momentum, then a if centered. The maximum with 0 is ours: where gradients hardly
/// change, rounding can make `v − a²` smaller than −ε, and Keras then takes the root of a negative number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rmsprop<T> {
    /// The learning rate.
    pub learning_rate: T,
    /// `1 − ρ`.
    pub rate: T,
    /// The share of the last step that is kept; 0 needs no memory.
    pub momentum: T,
    /// `ε`, above 0: without it a parameter whose gradient has always been 0 would be 0/0.
    pub epsilon: T,
    /// Whether the mean square is taken about the mean.
    pub centered: bool,
}

impl<T: Scalar> Rmsprop<T> {
    /// A step. Keras's defaults: `learning_rate` 0.001, `rho` 0.9, `momentum` 0, `epsilon` 1e-7, `centered` false.
    pub fn new(learning_rate: f64, rho: f64, momentum: f64, epsilon: f64, centered: bool) -> Self {
        Self {
            learning_rate: T::from_f64(learning_rate),
            rate: T::from_f64(1.0 - rho),
            momentum: T::from_f64(momentum),
            epsilon: T::from_f64(epsilon),
            centered,
        }
    }

    pub(super) fn has_momentum(self) -> bool {
        self.momentum != T::ZERO
    }

    #[track_caller]
    #[inline(always)]
    pub(super) fn apply(self, slices: Slices<'_, T, impl Gradient<T>>) {
        match (self.has_momentum(), self.centered) {
            (false, false) => slices.step(Plain(self)),
            (true, false) => slices.step(Momentum(self)),
            (false, true) => slices.step(Centered(self)),
            (true, true) => slices.step(CenteredMomentum(self)),
        }
    }

    #[inline(always)]
    fn mean_square(self, g: T, v: T) -> T {
        g.mul_add(g, -v).mul_add(self.rate, v)
    }

    #[inline(always)]
    fn mean(self, g: T, a: T) -> T {
        (g - a).mul_add(self.rate, a)
    }

    /// `learning_rate·s`, from `v` or `v − a²`.
    #[inline(always)]
    fn increment(self, g: T, square: T) -> T {
        self.learning_rate * g / (square + self.epsilon).sqrt()
    }
}

/// `max(v − a², 0)`; NaN stays.
#[inline(always)]
fn variance<T: Scalar>(v: T, a: T) -> T {
    let variance = (-a).mul_add(a, v);
    if variance < T::ZERO { T::ZERO } else { variance }
}

#[derive(Clone, Copy)]
struct Plain<T>(Rmsprop<T>);

impl<T: Scalar> Step<T, 1> for Plain<T> {
    #[inline(always)]
    fn step(self, w: T, g: T, [v]: [T; 1]) -> (T, [T; 1]) {
        let v = self.0.mean_square(g, v);
        (w - self.0.increment(g, v), [v])
    }
}

#[derive(Clone, Copy)]
struct Momentum<T>(Rmsprop<T>);

impl<T: Scalar> Step<T, 2> for Momentum<T> {
    #[inline(always)]
    fn step(self, w: T, g: T, [v, u]: [T; 2]) -> (T, [T; 2]) {
        let v = self.0.mean_square(g, v);
        let u = self.0.momentum.mul_add(u, self.0.increment(g, v));
        (w - u, [v, u])
    }
}

#[derive(Clone, Copy)]
struct Centered<T>(Rmsprop<T>);

impl<T: Scalar> Step<T, 2> for Centered<T> {
    #[inline(always)]
    fn step(self, w: T, g: T, [v, a]: [T; 2]) -> (T, [T; 2]) {
        let (v, a) = (self.0.mean_square(g, v), self.0.mean(g, a));
        (w - self.0.increment(g, variance(v, a)), [v, a])
    }
}

#[derive(Clone, Copy)]
struct CenteredMomentum<T>(Rmsprop<T>);

impl<T: Scalar> Step<T, 3> for CenteredMomentum<T> {
    #[inline(always)]
    fn step(self, w: T, g: T, [v, u, a]: [T; 3]) -> (T, [T; 3]) {
        let (v, a) = (self.0.mean_square(g, v), self.0.mean(g, a));
        let u = self.0.momentum.mul_add(u, self.0.increment(g, variance(v, a)));
        (w - u, [v, u, a])
    }
}
