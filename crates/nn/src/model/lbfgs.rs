//! L-BFGS: training on all samples at once, for small sets of data.
//!
//! Where a gradient over all samples is cheap, curvature learned from the last few of them makes steps that no rate has to
//! be found for, and a few dozen go as far as thousands of an [optimizer](crate::optimizers)'s. Each needs at least one pass
//! over all data, and all of it as one batch in memory. scikit-learn calls this `solver="lbfgs"`; Keras has nothing alike.

use super::Model;
use crate::data::Dataset;
use crate::error::{DescriptionError, Error};
use crate::layers::Layer;
use densely_tensor::{Scalar, sum_of};
use std::collections::VecDeque;

/// Settings of [`Model::fit_lbfgs`].
#[derive(Clone, Debug, PartialEq)]
pub struct Lbfgs {
    /// The most steps that are made; at least 1. Default: 200.
    pub max_iterations: usize,
    /// How many earlier steps the curvature is learned from; at least 1. Default: 10.
    pub memory: usize,
    /// The largest element of the gradient at which the end is reached; at least 0. Default: 1e-5.
    pub gradient_tolerance: f64,
}

impl Default for Lbfgs {
    fn default() -> Self {
        Self { max_iterations: 200, memory: 10, gradient_tolerance: 1e-5 }
    }
}

/// What [`Model::fit_lbfgs`] did.
#[derive(Clone, Debug, PartialEq)]
pub struct LbfgsReport {
    /// The loss on all data, with penalties, before the first step and after each.
    pub losses: Vec<f64>,
    /// How often loss and gradient were computed.
    pub evaluations: usize,
    /// Whether the gradient came below the tolerance. If not, the steps ran out, or none went down any further, as happens
    /// where rounding errors are larger than what is left to gain.
    pub converged: bool,
}

impl<T: Scalar> Model<T> {
    /// Trains the model on all samples at once with L-BFGS (J. Nocedal and S. Wright, *Numerical optimization*, 2nd edition,
    /// algorithms 7.4 and 7.5, with the strong Wolfe line search of algorithms 3.5 and 3.6: c₁ = 1e-4, c₂ = 0.9). The
    /// model's optimizer is not used, and remembers nothing of it. Dropout and layers of noise draw the same numbers for every
    /// evaluation, those of a first epoch, and [`after_step`](crate::layers::LayerPass::after_step) of layers of other crates
    /// is not called. Steps are computed in double precision.
    ///
    /// ```
    /// use densely::{Activation, Compile, Dataset, Dense, Lbfgs, Sequential};
    ///
    /// // Exclusive or, which no network without a hidden layer can learn.
    /// let data = Dataset::from_floats(2, vec![0., 0., 0., 1., 1., 0., 1., 1.], vec![0, 1, 1, 0], 2)?;
    /// let mut model = Sequential::new(2)
    ///     .add(Dense::new(8).activation(Activation::Tanh))
    ///     .add(Dense::new(2).activation(Activation::Softmax))
    ///     .compile::<f64>(Compile::default())?;
    /// let report = model.fit_lbfgs(&data, &Lbfgs::default())?;
    /// assert!(report.converged && report.losses.len() < 100);
    /// assert!(model.evaluate(&data)?.loss < 1e-3);
    /// # Ok::<(), densely::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the data do not fit the network, a setting is out of its range, the network has a constraint (a step along a line
    /// cannot keep it) or a trainable [`BatchNormalization`](crate::layers::BatchNormalization) (whose moving statistics
    /// follow steps of batches, and would stay as they are), there is not enough memory, or the loss at the beginning is not finite.
    pub fn fit_lbfgs(&mut self, data: &Dataset, settings: &Lbfgs) -> Result<LbfgsReport, Error> {
        self.check_data(data)?;
        settings.validate()?;
        if let Some(tensor) = self.parameters.tensors().iter().find(|tensor| tensor.constraint.is_some()) {
            return Err(DescriptionError::ConstrainedLbfgs { tensor: tensor.name.clone() }.into());
        }
        let moves = |layer: &Layer| matches!(layer, Layer::BatchNormalization(layer) if layer.trainable);
        if let Some(placed) = self.network.walk().into_iter().find(|placed| moves(placed.layer)) {
            return Err(DescriptionError::BatchNormalizationLbfgs { layer: placed.name }.into());
        }
        let mut x: Vec<f64> = self.parameters.values().iter().map(|value| value.to_f64()).collect();
        let evaluate = |x: &[f64], gradient: &mut [f64]| {
            put(self.parameters.values_mut(), x);
            let (loss, found) = self.gradient_of(data, 1)?;
            gradient.iter_mut().zip(found.values()).for_each(|(to, from)| *to = from.to_f64());
            Ok(loss)
        };
        let report = minimize(evaluate, &mut x, settings);
        // After an error too, x is the best so far.
        put(self.parameters.values_mut(), &x);
        self.optimizer_state.starts_anew = true;
        report
    }
}

impl Lbfgs {
    fn validate(&self) -> Result<(), Error> {
        let refuse = |setting, found, expected| {
            Err(DescriptionError::OptimizerSetting { optimizer: "Lbfgs", setting, found, expected }.into())
        };
        for (setting, found) in [("max_iterations", self.max_iterations), ("memory", self.memory)] {
            if found == 0 {
                return refuse(setting, 0.0, "at least 1");
            }
        }
        if self.gradient_tolerance >= 0.0 {
            return Ok(());
        }
        refuse("gradient_tolerance", self.gradient_tolerance, "0 or a number above 0")
    }
}

fn put<T: Scalar>(values: &mut [T], x: &[f64]) {
    values.iter_mut().zip(x).for_each(|(to, &from)| *to = T::from_f64(from));
}

/// Sufficient decrease: the share of the slope's promise that a step has to keep.
const ARMIJO: f64 = 1e-4;
/// Curvature: the share of the slope that may be left after a step.
const CURVATURE: f64 = 0.9;
/// As often as the step is doubled, and as often as the bracket is cut, before a line search gives up.
const MOST_TRIALS: usize = 40;

/// A step and its change of the gradient.
struct Pair {
    step: Vec<f64>,
    change: Vec<f64>,
    /// 1/(step·change)
    inverse: f64,
}

/// Minimizes a function of its value and gradient from `x` on, and leaves the best point there.
fn minimize(
    evaluate: impl FnMut(&[f64], &mut [f64]) -> Result<f64, Error>,
    x: &mut [f64],
    settings: &Lbfgs,
) -> Result<LbfgsReport, Error> {
    let mut gradient = vec![0.0; x.len()];
    let mut line = Line { evaluate, point: x.to_vec(), gradient: vec![0.0; x.len()], evaluations: 1 };
    let mut value = (line.evaluate)(x, &mut gradient)?;
    if !value.is_finite() {
        return Err(Error::NonFiniteEvaluation { loss: value });
    }
    let mut direction = vec![0.0; x.len()];
    let mut pairs: VecDeque<Pair> = VecDeque::new();
    let mut losses = vec![value];
    let converged = loop {
        if gradient.iter().all(|g| g.abs() <= settings.gradient_tolerance) {
            break true;
        }
        if losses.len() > settings.max_iterations {
            break false;
        }
        newton_like_direction(&pairs, &gradient, &mut direction);
        let mut slope = dot(&direction, &gradient);
        if slope >= 0.0 || !slope.is_finite() {
            pairs.clear();
            newton_like_direction(&pairs, &gradient, &mut direction);
            slope = dot(&direction, &gradient);
        }
        let first = if pairs.is_empty() { 1.0 / slope.abs().sqrt().max(1.0) } else { 1.0 };
        let start = Trial { step: 0.0, value, slope };
        match line.search(x, &direction, start, first)? {
            Some(found) => {
                remember(&mut pairs, settings.memory, (x, &line.point), (&gradient, &line.gradient));
                x.copy_from_slice(&line.point);
                gradient.copy_from_slice(&line.gradient);
                value = found.value;
                losses.push(value);
            }
            // From a wrong curvature one can start again, down the gradient itself.
            None if !pairs.is_empty() => pairs.clear(),
            None => break false,
        }
    };
    Ok(LbfgsReport { losses, evaluations: line.evaluations, converged })
}

/// The two-loop recursion, algorithm 7.4: minus the gradient times the inverse Hessian that the pairs tell of.
fn newton_like_direction(pairs: &VecDeque<Pair>, gradient: &[f64], direction: &mut [f64]) {
    direction.iter_mut().zip(gradient).for_each(|(d, g)| *d = -g);
    let mut shares = vec![0.0; pairs.len()];
    for (pair, share) in pairs.iter().zip(&mut shares).rev() {
        *share = pair.inverse * dot(&pair.step, direction);
        add_scaled(direction, -*share, &pair.change);
    }
    if let Some(last) = pairs.back() {
        let scale = 1.0 / (last.inverse * dot(&last.change, &last.change));
        direction.iter_mut().for_each(|d| *d *= scale);
    }
    for (pair, share) in pairs.iter().zip(&shares) {
        let back = pair.inverse * dot(&pair.change, direction);
        add_scaled(direction, share - back, &pair.step);
    }
}

/// Keeps a step and its change of the gradient, in the place of the oldest if there are enough, unless they show no
/// curvature.
fn remember(pairs: &mut VecDeque<Pair>, memory: usize, x: (&[f64], &[f64]), gradient: (&[f64], &[f64])) {
    let len = x.0.len();
    let mut pair = if pairs.len() < memory {
        Pair { step: vec![0.0; len], change: vec![0.0; len], inverse: 0.0 }
    } else {
        pairs.pop_front().expect("the memory is at least 1")
    };
    for index in 0..len {
        pair.step[index] = x.1[index] - x.0[index];
        pair.change[index] = gradient.1[index] - gradient.0[index];
    }
    let curvature = dot(&pair.step, &pair.change);
    if curvature > f64::EPSILON * dot(&pair.change, &pair.change) {
        pair.inverse = 1.0 / curvature;
        pairs.push_back(pair);
    }
}

/// A point on the line: how far, the value there, and the slope along the line.
#[derive(Clone, Copy)]
struct Trial {
    step: f64,
    value: f64,
    slope: f64,
}

/// The function along a line, with the last point that it was computed at.
struct Line<F> {
    evaluate: F,
    point: Vec<f64>,
    gradient: Vec<f64>,
    evaluations: usize,
}

impl<F: FnMut(&[f64], &mut [f64]) -> Result<f64, Error>> Line<F> {
    fn at(&mut self, x: &[f64], direction: &[f64], step: f64) -> Result<Trial, Error> {
        for ((point, x), direction) in self.point.iter_mut().zip(x).zip(direction) {
            *point = x + step * direction;
        }
        self.evaluations += 1;
        let value = (self.evaluate)(&self.point, &mut self.gradient)?;
        Ok(Trial { step, value, slope: dot(&self.gradient, direction) })
    }

    /// Algorithm 3.5: a step that keeps the strong Wolfe conditions, point and gradient left in place.
    fn search(
        &mut self,
        x: &[f64],
        direction: &[f64],
        start: Trial,
        first: f64,
    ) -> Result<Option<Trial>, Error> {
        let (mut before, mut step) = (start, first);
        for trial in 0..MOST_TRIALS {
            let here = self.at(x, direction, step)?;
            let too_far = !start.promises(here) || (trial > 0 && here.value >= before.value);
            if too_far {
                return self.zoom(x, direction, start, before, here);
            }
            if here.slope.abs() <= -CURVATURE * start.slope {
                return Ok(Some(here));
            }
            if here.slope >= 0.0 {
                return self.zoom(x, direction, start, here, before);
            }
            before = here;
            step *= 2.0;
        }
        Ok(None)
    }

    /// Algorithm 3.6: the same between the best step so far and one that is too far.
    fn zoom(
        &mut self,
        x: &[f64],
        direction: &[f64],
        start: Trial,
        mut low: Trial,
        mut high: Trial,
    ) -> Result<Option<Trial>, Error> {
        for _ in 0..MOST_TRIALS {
            let here = self.at(x, direction, between(low, high))?;
            if !start.promises(here) || here.value >= low.value {
                high = here;
                continue;
            }
            if here.slope.abs() <= -CURVATURE * start.slope {
                return Ok(Some(here));
            }
            if here.slope * (high.step - low.step) >= 0.0 {
                high = low;
            }
            low = here;
        }
        // Down is down, if not as far as hoped.
        if low.step > 0.0 { self.at(x, direction, low.step).map(Some) } else { Ok(None) }
    }
}

impl Trial {
    /// Whether another point is as far down as this one's slope promises. One whose value is not finite is not.
    fn promises(self, other: Self) -> bool {
        other.value <= self.value + ARMIJO * other.step * self.slope
    }
}

/// The minimum of the parabola through both values and the slope at the lower, kept away from both ends.
fn between(low: Trial, high: Trial) -> f64 {
    let width = high.step - low.step;
    let rise = high.value - low.value - low.slope * width;
    let share = -0.5 * low.slope * width / rise;
    low.step + width * if share.is_finite() { share.clamp(0.1, 0.9) } else { 0.5 }
}

fn dot(x: &[f64], y: &[f64]) -> f64 {
    sum_of(x.len(), |index| x[index] * y[index])
}

fn add_scaled(y: &mut [f64], scale: f64, x: &[f64]) {
    y.iter_mut().zip(x).for_each(|(y, x)| *y += scale * x);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// H. Rosenbrock's valley, in as many dimensions as `x` has: a minimum of 0 where all are 1.
    fn rosenbrock(x: &[f64], gradient: &mut [f64]) -> Result<f64, Error> {
        gradient.fill(0.0);
        let mut value = 0.0;
        for i in 0..x.len() - 1 {
            let (valley, floor) = (x[i + 1] - x[i] * x[i], 1.0 - x[i]);
            value += 100.0 * valley * valley + floor * floor;
            gradient[i] += -400.0 * valley * x[i] - 2.0 * floor;
            gradient[i + 1] += 200.0 * valley;
        }
        Ok(value)
    }

    #[test]
    fn the_bottom_of_a_bent_valley_is_found() {
        for (dimensions, most) in [(2, 60), (10, 120)] {
            let mut x: Vec<f64> = (0..dimensions).map(|i| if i % 2 == 0 { -1.2 } else { 1.0 }).collect();
            let settings = Lbfgs { gradient_tolerance: 1e-9, ..Lbfgs::default() };
            let report = minimize(rosenbrock, &mut x, &settings).expect("a finite function");
            assert!(report.converged && report.losses.len() <= most, "{report:?}");
            assert!(x.iter().all(|x| (x - 1.0).abs() < 1e-8), "{x:?}");
            assert!(report.losses.windows(2).all(|pair| pair[1] < pair[0]), "{report:?}");
        }
    }

    #[test]
    fn a_function_that_ends_in_a_wall_is_not_left() {
        let wall = |x: &[f64], gradient: &mut [f64]| {
            gradient[0] = -1.0 / x[0] + 1.0;
            Ok(if x[0] > 0.0 { x[0] - x[0].ln() } else { f64::NAN })
        };
        let mut x = [1e-3];
        let report = minimize(wall, &mut x, &Lbfgs::default()).expect("finite at the start");
        assert!(report.converged && (x[0] - 1.0).abs() < 1e-4, "{x:?} {report:?}");
    }

    #[test]
    fn steps_run_out_and_say_so() {
        let mut x = [-1.2, 1.0];
        let settings = Lbfgs { max_iterations: 3, ..Lbfgs::default() };
        let report = minimize(rosenbrock, &mut x, &settings).expect("a finite function");
        assert!(!report.converged && report.losses.len() == 4, "{report:?}");
    }
}
