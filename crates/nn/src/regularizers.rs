//! Regularizers: penalties on large or similar weights that are added to the loss.

use crate::settings::{OutOfRange, SettingsOf};
use densely_tensor::{Scalar, sum_of};
use serde::{Deserialize, Serialize};

/// A penalty that is added to the loss. Names, formulas and defaults are Keras's.
///
/// In RON `kernel_regularizer: L2(l2: 0.0001)`; in Rust:
///
/// ```
/// # use densely::{Dense, Regularizer, regularizers::L2, text::from_ron};
/// let layer = Dense::new(10).kernel_regularizer(L2 { l2: 0.0001 });
/// assert_eq!(layer, from_ron("(units: 10, kernel_regularizer: L2(l2: 0.0001))")?);
///
/// let (weights, mut gradient) = ([3.0, -4.0], [0.0; 2]);
/// let regularizer = Regularizer::from(L2 { l2: 0.5 });
/// regularizer.add_gradient(&weights, 1, 2, &mut gradient);
/// assert_eq!((regularizer.penalty(&weights, 1, 2), gradient), (12.5, [3.0, -4.0]));
/// # Ok::<(), densely::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Regularizer {
    /// `l1·Σ|w|`
    L1(L1),
    /// `l2·Σw²`
    L2(L2),
    /// `l1·Σ|w| + l2·Σw²`
    L1L2(L1L2),
    /// The mean absolute cosine between any two rows or columns of a kernel.
    Orthogonal(Orthogonal),
}

/// `l1·Σ|w|`; its gradient is `l1·sign(w)`, 0 at 0 (R. Tibshirani, "Regression shrinkage and selection via the lasso", JRSS B 58,
/// 1996).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct L1 {
    /// The factor; 0 or more. Default: 0.01.
    pub l1: f64,
}

impl Default for L1 {
    fn default() -> Self {
        Self { l1: 0.01 }
    }
}

/// `l2·Σw²`; its gradient is `2·l2·w` (A. E. Hoerl and R. W. Kennard, "Ridge regression: biased estimation for nonorthogonal
/// problems", Technometrics 12, 1970). As in Keras, there is no factor ½ in it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct L2 {
    /// The factor; 0 or more. Default: 0.01.
    pub l2: f64,
}

impl Default for L2 {
    fn default() -> Self {
        Self { l2: 0.01 }
    }
}

/// `l1·Σ|w| + l2·Σw²` (H. Zou and T. Hastie, "Regularization and variable selection via the elastic net", JRSS B 67, 2005).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct L1L2 {
    /// The factor of the absolute values; 0 or more. Default: 0.
    pub l1: f64,
    /// The factor of the squares; 0 or more. Default: 0.
    pub l2: f64,
}

/// `factor·mean |cos(x, y)|` over all pairs of different rows, or columns, x and y of a kernel; it draws them towards right
/// angles: Keras's `OrthogonalRegularizer`. Only for kernels. A kernel with a single vector has no penalty, where Keras's is NaN; nor has a vector of zeros.
///
/// It compares every pair in every step, so it is for small kernels: 512 units on 784 inputs take 0.7 seconds by rows, 1.3 by
/// columns. At most 2²⁴ weights in 4,096 vectors are taken.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Orthogonal {
    /// The factor; 0 or more. Default: 0.01.
    pub factor: f64,
    /// What is compared. Default: [`OrthogonalMode::Rows`].
    pub mode: OrthogonalMode,
}

impl Default for Orthogonal {
    fn default() -> Self {
        Self { factor: 0.01, mode: OrthogonalMode::default() }
    }
}

/// What [`Orthogonal`] compares, in the words of Keras, whose kernels are inputs × units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum OrthogonalMode {
    /// The outgoing weights of one input with those of another.
    #[default]
    Rows,
    /// The incoming weights of one unit with those of another.
    Columns,
}

/// The most vectors that [`Orthogonal`] compares.
pub(crate) const MAX_COMPARED: usize = 4096;

impl Regularizer {
    /// The penalty on a kernel of `rows` units × `columns` inputs, column-major; a bias is 1 × units. Sums are in double
    /// precision and in a fixed order.
    ///
    /// # Panics
    ///
    /// If there are not so many weights.
    #[track_caller]
    pub fn penalty<T: Scalar>(self, weights: &[T], rows: usize, columns: usize) -> f64 {
        check_shape(weights, rows, columns);
        let absolute = || sum_of(weights.len(), |i| weights[i].to_f64().abs());
        let squared = || sum_of(weights.len(), |i| weights[i].to_f64() * weights[i].to_f64());
        match self {
            Self::L1(L1 { l1 }) => l1 * absolute(),
            Self::L2(L2 { l2 }) => l2 * squared(),
            Self::L1L2(L1L2 { l1, l2 }) => l1 * absolute() + l2 * squared(),
            Self::Orthogonal(orthogonal) => {
                let mut sum = 0.0;
                orthogonal.for_each_pair(weights, rows, columns, |pair| sum += pair.cosine.abs());
                orthogonal.factor_of_a_pair(rows, columns) * sum
            }
        }
    }

    /// Adds the gradient of the [penalty](Self::penalty) to that of the loss.
    ///
    /// # Panics
    ///
    /// If there are not so many weights, or another number of gradients.
    #[track_caller]
    pub fn add_gradient<T: Scalar>(self, weights: &[T], rows: usize, columns: usize, gradient: &mut [T]) {
        check_shape(weights, rows, columns);
        assert_eq!(weights.len(), gradient.len(), "weights, and their gradient");
        match self {
            Self::L1(L1 { l1 }) => add_slopes(weights, gradient, l1, 0.0),
            Self::L2(L2 { l2 }) => add_slopes(weights, gradient, 0.0, l2),
            Self::L1L2(L1L2 { l1, l2 }) => add_slopes(weights, gradient, l1, l2),
            Self::Orthogonal(orthogonal) => orthogonal.add_gradient(weights, rows, columns, gradient),
        }
    }

    /// The penalty times `scale`.
    pub(crate) fn scaled(self, scale: f64) -> Self {
        match self {
            Self::L1(L1 { l1 }) => L1 { l1: l1 * scale }.into(),
            Self::L2(L2 { l2 }) => L2 { l2: l2 * scale }.into(),
            Self::L1L2(L1L2 { l1, l2 }) => L1L2 { l1: l1 * scale, l2: l2 * scale }.into(),
            Self::Orthogonal(Orthogonal { factor, mode }) => {
                Orthogonal { factor: factor * scale, mode }.into()
            }
        }
    }

    /// Whether it compares rows or columns, which a bias has not.
    pub(crate) fn is_for_kernels_only(self) -> bool {
        matches!(self, Self::Orthogonal(_))
    }

    /// How many vectors of a kernel it compares with each other; `None` if it takes each weight alone.
    pub(crate) fn compared(self, units: usize, inputs: usize) -> Option<usize> {
        match self {
            Self::Orthogonal(orthogonal) => Some(orthogonal.vectors(units, inputs).count),
            _ => None,
        }
    }

    /// Checks every setting.
    pub(crate) fn check_settings(self) -> Result<(), OutOfRange> {
        match self {
            Self::L1(L1 { l1 }) => SettingsOf("L1").not_negative("l1", l1),
            Self::L2(L2 { l2 }) => SettingsOf("L2").not_negative("l2", l2),
            Self::L1L2(L1L2 { l1, l2 }) => {
                SettingsOf("L1L2").not_negative("l1", l1)?;
                SettingsOf("L1L2").not_negative("l2", l2)
            }
            Self::Orthogonal(Orthogonal { factor, .. }) => {
                SettingsOf("Orthogonal").not_negative("factor", factor)
            }
        }
    }
}

// A kind becomes a regularizer.
macro_rules! from_kind {
    ($($kind:ident),*) => {
        $(impl From<$kind> for Regularizer {
            fn from(kind: $kind) -> Self {
                Self::$kind(kind)
            }
        })*
    };
}
from_kind!(L1, L2, L1L2, Orthogonal);

#[track_caller]
fn check_shape<T>(weights: &[T], rows: usize, columns: usize) {
    let expected = rows.checked_mul(columns);
    assert!(expected == Some(weights.len()), "{} weights are not {rows} × {columns}", weights.len());
}

/// `gradient ← gradient + l1·sign(w) + 2·l2·w`
fn add_slopes<T: Scalar>(weights: &[T], gradient: &mut [T], l1: f64, l2: f64) {
    let (l1, l2) = (T::from_f64(l1), T::from_f64(2.0 * l2));
    for (&weight, gradient) in weights.iter().zip(gradient) {
        let sign = if weight > T::ZERO {
            l1
        } else if weight < T::ZERO {
            -l1
        } else {
            T::ZERO
        };
        *gradient += sign + l2 * weight;
    }
}

/// Where the vectors are that are compared: element e of vector v is at `v·step + e·stride`.
struct Vectors {
    count: usize,
    length: usize,
    step: usize,
    stride: usize,
}

impl Vectors {
    fn dot<T: Scalar>(&self, weights: &[T], one: usize, other: usize) -> f64 {
        let at = |vector: usize, element: usize| weights[vector * self.step + element * self.stride].to_f64();
        sum_of(self.length, |element| at(one, element) * at(other, element))
    }
}

/// Two vectors, neither of them 0.
struct Pair {
    one: usize,
    other: usize,
    one_norm: f64,
    other_norm: f64,
    cosine: f64,
}

impl Orthogonal {
    fn vectors(self, rows: usize, columns: usize) -> Vectors {
        match self.mode {
            OrthogonalMode::Rows => Vectors { count: columns, length: rows, step: rows, stride: 1 },
            OrthogonalMode::Columns => Vectors { count: rows, length: columns, step: 1, stride: rows },
        }
    }

    /// What the absolute cosine of a pair counts.
    fn factor_of_a_pair(self, rows: usize, columns: usize) -> f64 {
        let count = self.vectors(rows, columns).count as f64;
        if count < 2.0 { 0.0 } else { self.factor / (count * (count - 1.0) / 2.0) }
    }

    fn for_each_pair<T: Scalar>(
        self,
        weights: &[T],
        rows: usize,
        columns: usize,
        mut visit: impl FnMut(Pair),
    ) {
        let vectors = self.vectors(rows, columns);
        let norm = |vector| vectors.dot(weights, vector, vector).sqrt();
        for one in 0..vectors.count {
            let one_norm = norm(one);
            for other in one + 1..vectors.count {
                let other_norm = norm(other);
                let product = one_norm * other_norm;
                if product > 0.0 {
                    let cosine = vectors.dot(weights, one, other) / product;
                    visit(Pair { one, other, one_norm, other_norm, cosine });
                }
            }
        }
    }

    /// The gradient of |cos(x, y)| with respect to x is `sign(cos)·(y/(|x|·|y|) − cos·x/|x|²)`.
    fn add_gradient<T: Scalar>(self, weights: &[T], rows: usize, columns: usize, gradient: &mut [T]) {
        let Vectors { length, step, stride, .. } = self.vectors(rows, columns);
        let factor = self.factor_of_a_pair(rows, columns);
        self.for_each_pair(weights, rows, columns, |pair| {
            if pair.cosine == 0.0 {
                return;
            }
            let signed = factor * pair.cosine.signum();
            let between = signed / (pair.one_norm * pair.other_norm);
            let [of_one, of_other] =
                [pair.one_norm, pair.other_norm].map(|norm| signed * pair.cosine / (norm * norm));
            for element in 0..length {
                let places = [pair.one, pair.other].map(|vector| vector * step + element * stride);
                let [one, other] = places.map(|place| weights[place].to_f64());
                gradient[places[0]] += T::from_f64(between * other - of_one * one);
                gradient[places[1]] += T::from_f64(between * one - of_other * other);
            }
        });
    }
}
