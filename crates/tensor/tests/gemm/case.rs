//! One product: its shape, factors, and how its operands lie in memory.

use crate::bound::scale;
use crate::reference::Random;
use densely_tensor::{Epilogue, MatMut, MatRef, Operand, Pool, Scalar, Target, TiledMut, TiledRef, gemm};

/// How a matrix is stored, before it is transposed.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Storage {
    ColumnMajor,
    /// Part of a larger column-major matrix, not at its start.
    SubView,
    /// Neither stride is 1.
    Scattered,
    Tiled,
}

/// A matrix as a caller may have it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Layout {
    storage: Storage,
    /// Whether what is stored is the transpose: of column-major, that is row-major.
    transposed: bool,
}

/// Every layout; the first [`TARGETS`] are those of a matrix that is written.
pub(crate) const LAYOUTS: [Layout; 8] = [
    Layout { storage: Storage::ColumnMajor, transposed: false },
    Layout { storage: Storage::ColumnMajor, transposed: true },
    Layout { storage: Storage::SubView, transposed: false },
    Layout { storage: Storage::SubView, transposed: true },
    Layout { storage: Storage::Scattered, transposed: false },
    Layout { storage: Storage::Scattered, transposed: true },
    Layout { storage: Storage::Tiled, transposed: false },
    Layout { storage: Storage::Tiled, transposed: true },
];
pub(crate) const TARGETS: usize = 7;

/// Every A with every B with every C.
pub(crate) const MIXTURES: usize = LAYOUTS.len() * LAYOUTS.len() * TARGETS;

/// Elements before a sub-view's first.
const OFFSET: usize = 3;

impl Layout {
    /// Where the first element lies and both strides, in what is stored with so many rows; none if it is tiled.
    fn strides(self, stored_rows: usize) -> Option<(usize, usize, usize)> {
        match self.storage {
            Storage::ColumnMajor => Some((0, 1, stored_rows)),
            Storage::SubView => Some((OFFSET, 1, stored_rows + 5)),
            Storage::Scattered => Some((0, 3, 3 * stored_rows + 2)),
            Storage::Tiled => None,
        }
    }

    fn stored<S>(self, (rows, columns): (S, S)) -> (S, S) {
        if self.transposed { (columns, rows) } else { (rows, columns) }
    }

    /// Where an element of a matrix of that shape lies.
    pub(crate) fn place(self, shape: (usize, usize), row: usize, column: usize) -> usize {
        let ((rows, columns), (i, j)) = (self.stored(shape), self.stored((row, column)));
        match self.strides(rows) {
            Some((first, row_stride, column_stride)) => first + i * row_stride + j * column_stride,
            None => {
                let height = if rows < 64 { rows.next_multiple_of(16) } else { 64 };
                i / height * height * columns + j * height + i % height
            }
        }
    }

    /// Elements of memory for a matrix of that shape.
    fn len(self, shape: (usize, usize)) -> usize {
        let (rows, columns) = self.stored(shape);
        match self.strides(rows) {
            Some((first, _, column_stride)) => first + column_stride * columns,
            None => rows.next_multiple_of(if rows < 64 { 16 } else { 64 }) * columns,
        }
    }

    fn operand<T: Scalar>(self, elements: &[T], shape: (usize, usize)) -> Operand<'_, T> {
        let (rows, columns) = self.stored(shape);
        let stored = match self.strides(rows) {
            Some((first, row_stride, column_stride)) => {
                MatRef::with_strides(&elements[first..], rows, columns, row_stride, column_stride).into()
            }
            None => Operand::from(TiledRef::from_slice(elements, rows, columns)),
        };
        if self.transposed { stored.t() } else { stored }
    }

    fn target<T: Scalar>(self, elements: &mut [T], shape: (usize, usize)) -> Target<'_, T> {
        let (rows, columns) = self.stored(shape);
        match self.strides(rows) {
            Some((first, row_stride, column_stride)) => {
                let elements = &mut elements[first..];
                let stored = MatMut::with_strides(elements, rows, columns, row_stride, column_stride);
                if self.transposed { stored.t().into() } else { stored.into() }
            }
            None => TiledMut::from_slice(elements, rows, columns).into(),
        }
    }
}

/// What the matrices hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Values {
    /// Numbers in −1..1.
    Units,
    /// From −8 to 8: no sum is rounded.
    Integers,
    /// Such that products and sums are subnormal.
    Tiny,
    /// Numbers in −1..1 and, now and then, an infinity, NaN or zero.
    Special,
}

impl Values {
    /// The power of two that A, C and the bias are made smaller or larger by.
    pub(crate) fn exponent<T: Scalar>(self) -> i32 {
        match self {
            Values::Tiny if T::SIZE == 4 => -130,
            Values::Tiny => -1030,
            _ => 0,
        }
    }

    fn next(self, random: &mut Random) -> f64 {
        let unit = random.next_unit();
        match self {
            Values::Units | Values::Tiny => unit,
            Values::Integers => (8.0 * unit).round(),
            Values::Special => match ((random.next_unit() + 1.0) * 64.0) as usize {
                0 => f64::INFINITY,
                1 => f64::NEG_INFINITY,
                2 => f64::NAN,
                3..20 => 0.0,
                _ => unit,
            },
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Case {
    pub(crate) m: usize,
    pub(crate) n: usize,
    pub(crate) k: usize,
    pub(crate) a: Layout,
    pub(crate) b: Layout,
    pub(crate) c: Layout,
    pub(crate) alpha: f64,
    pub(crate) beta: f64,
    /// 0: none, 1: bias, 2: bias and ReLU.
    pub(crate) epilogue: usize,
    pub(crate) values: Values,
    pub(crate) seed: u64,
}

impl Case {
    /// A plain product of that shape, its layouts the mixture of that number (modulo [`MIXTURES`]).
    pub(crate) fn new((m, n, k): (usize, usize, usize), mixture: usize) -> Self {
        let a = LAYOUTS[mixture % 8];
        let b = LAYOUTS[mixture / 8 % 8];
        let c = LAYOUTS[mixture / 64 % TARGETS];
        let (values, seed) = (Values::Units, mixture as u64);
        Self { m, n, k, a, b, c, alpha: 1.0, beta: 0.0, epilogue: 0, values, seed }
    }

    /// α, as the product gets it.
    pub(crate) fn alpha<T: Scalar>(&self) -> f64 {
        T::from_f64(self.alpha).to_f64()
    }

    /// β, as the product gets it.
    pub(crate) fn beta<T: Scalar>(&self) -> f64 {
        T::from_f64(self.beta).to_f64()
    }

    /// Multiply-adds; one an element where there are none, to store it.
    pub(crate) fn work(&self) -> usize {
        self.m * self.n * self.k.max(1)
    }
}

/// The memory of a case's operands.
pub(crate) struct Operands<T> {
    pub(crate) a: Vec<T>,
    pub(crate) b: Vec<T>,
    /// What C holds before the product: NaN where it is to be overwritten.
    pub(crate) c: Vec<T>,
    pub(crate) bias: Vec<T>,
}

impl<T: Scalar> Operands<T> {
    pub(crate) fn new(case: &Case) -> Self {
        let Case { m, n, k, values, .. } = *case;
        let mut random = Random(case.seed);
        let mut matrix = |layout: Layout, (rows, columns): (usize, usize), exponent: i32| {
            // Padding has to be zero; what lies between the elements of other layouts is nobody's.
            let beside = if layout.storage == Storage::Tiled { T::ZERO } else { T::from_f64(f64::NAN) };
            let mut elements = vec![beside; layout.len((rows, columns))];
            for column in 0..columns {
                for row in 0..rows {
                    let value = scale(values.next(&mut random), exponent);
                    elements[layout.place((rows, columns), row, column)] = T::from_f64(value);
                }
            }
            elements
        };
        let exponent = values.exponent::<T>();
        let (a, b) = (matrix(case.a, (m, k), exponent), matrix(case.b, (k, n), 0));
        let bias = matrix(LAYOUTS[0], (m, 1), exponent);
        let mut c = matrix(case.c, (m, n), exponent);
        if case.beta == 0.0 {
            for (row, column) in (0..m).flat_map(|row| (0..n).map(move |column| (row, column))) {
                c[case.c.place((m, n), row, column)] = T::from_f64(f64::NAN);
            }
        }
        Self { a, b, c, bias }
    }

    /// C's memory after the product.
    pub(crate) fn product(&self, case: &Case, pool: &Pool) -> Vec<T> {
        let Case { m, n, k, .. } = *case;
        let mut result = self.c.clone();
        let epilogue =
            [Epilogue::None, Epilogue::Bias(&self.bias), Epilogue::BiasRelu(&self.bias)][case.epilogue];
        let (a, b) = (case.a.operand(&self.a, (m, k)), case.b.operand(&self.b, (k, n)));
        let c = case.c.target(&mut result, (m, n));
        gemm(pool, c, T::from_f64(case.alpha), a, b, T::from_f64(case.beta), epilogue);
        result
    }
}
