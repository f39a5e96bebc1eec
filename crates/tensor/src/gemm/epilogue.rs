//! What happens to the elements of a product between the last term of their chains and the last time they are stored.

use super::Operand;
use crate::activation::ActivationFunction;
use crate::elementwise::{self, Zip};
use crate::isa::Isa;
use crate::scalar::Scalar;
use crate::tiled::TILE_ROWS;
use std::ops::Range;

/// What happens to an element of C after the last term of its chain.
///
/// Bias and ReLU are applied in registers; everything else to a panel of at most 64 rows while it is in the cache, with
/// the bits of the same function on the whole matrix afterwards.
#[derive(Clone, Copy, Debug)]
pub enum Epilogue<'a, T> {
    /// Nothing.
    None,
    /// Adds the row's element: `c + bias[row]`.
    Bias(&'a [T]),
    /// Adds the row's element and rectifies: `max(c + bias[row], 0)`; NaN stays NaN.
    BiasRelu(&'a [T]),
    /// Adds the row's element and applies a function: `f(c + bias[row])`.
    BiasActivation(&'a [T], ActivationFunction),
    /// Multiplies by the element of a matrix of C's shape: `c · mask[row, column]`, as dropout does with its scaled mask.
    Mask(Operand<'a, T>),
    /// Multiplies by the derivative of a function: `c · f′`, from what was kept of the forward pass, a matrix of C's shape:
    /// the function's input or output, as [`ActivationFunction::derivative_from`] says. This turns an input gradient
    /// `Wᵀ·Δ` into the gradient before the activation of the layer below.
    Derivative(ActivationFunction, Operand<'a, T>),
}

impl<'a, T: Scalar> Epilogue<'a, T> {
    /// What is added to each row.
    pub(crate) fn bias(&self) -> Option<&'a [T]> {
        match *self {
            Epilogue::None | Epilogue::Mask(_) | Epilogue::Derivative(..) => None,
            Epilogue::Bias(bias) | Epilogue::BiasRelu(bias) | Epilogue::BiasActivation(bias, _) => Some(bias),
        }
    }

    /// Whether the sum is rectified in registers.
    pub(crate) fn rectifies(&self) -> bool {
        matches!(self, Epilogue::BiasRelu(_))
    }

    /// The matrix of C's shape that it reads.
    fn matrix(&self) -> Option<&Operand<'a, T>> {
        match self {
            Epilogue::None | Epilogue::Bias(_) | Epilogue::BiasRelu(_) | Epilogue::BiasActivation(..) => None,
            Epilogue::Mask(matrix) | Epilogue::Derivative(_, matrix) => Some(matrix),
        }
    }

    /// Whether there is anything left to do after bias and ReLU.
    pub(crate) fn has_rest(&self) -> bool {
        matches!(self, Epilogue::BiasActivation(..)) || self.matrix().is_some()
    }

    /// The rest for Cᵀ; bias and ReLU are not its business.
    pub(super) fn t(self) -> Self {
        match self {
            Epilogue::Mask(matrix) => Epilogue::Mask(matrix.t()),
            Epilogue::Derivative(function, matrix) => Epilogue::Derivative(function, matrix.t()),
            other => other,
        }
    }

    /// Panics if an operand does not fit a product of m × n elements.
    #[track_caller]
    pub(crate) fn check(&self, name: &str, m: usize, n: usize) {
        if let Some(bias) = self.bias() {
            assert!(bias.len() == m, "{name}: the product has {m} rows, the bias {} elements", bias.len());
        }
        if let Some(matrix) = self.matrix() {
            let (rows, columns) = (matrix.n_rows(), matrix.n_columns());
            assert!(
                (rows, columns) == (m, n),
                "{name}: the product is {m} × {n}, the epilogue's matrix {rows} × {columns}"
            );
        }
    }

    /// Applies the rest to rows of one column, which lie within one block of 64.
    pub(crate) fn finish(&self, isa: Isa, rows: Range<usize>, column: usize, c: &mut [T]) {
        match self {
            Epilogue::None | Epilogue::Bias(_) | Epilogue::BiasRelu(_) => {}
            Epilogue::BiasActivation(_, function) => function.apply(isa, c),
            Epilogue::Mask(mask) => {
                let mut copy = [T::ZERO; TILE_ROWS];
                elementwise::zip(isa, mask.rows_of_column(rows, column, &mut copy), c, ByMask);
            }
            Epilogue::Derivative(function, kept) => {
                let mut copy = [T::ZERO; TILE_ROWS];
                function.multiply_by_derivative(isa, kept.rows_of_column(rows, column, &mut copy), c);
            }
        }
    }
}

/// `c · mask`, and +0 for −0.
struct ByMask;

impl<T: Scalar> Zip<T> for ByMask {
    #[inline(always)]
    fn zip(&self, mask: T, c: T) -> T {
        c * mask + T::ZERO
    }
}

impl<T: Scalar> Operand<'_, T> {
    /// Some rows of one block of 64 of a column, where they lie or in `copy`.
    fn rows_of_column<'b>(
        &'b self,
        rows: Range<usize>,
        column: usize,
        copy: &'b mut [T; TILE_ROWS],
    ) -> &'b [T] {
        assert!(
            rows.end <= self.n_rows() && column < self.n_columns() && rows.len() <= TILE_ROWS,
            "rows {rows:?} of column {column}"
        );
        let first = self.pointer.wrapping_add(self.layout.offset(rows.start, column));
        if self.layout.row_stride == 1 && rows.start % TILE_ROWS + rows.len() <= TILE_ROWS {
            // SAFETY: the rows were checked to be the operand's; within a block, stride 1 makes them one run.
            return unsafe { std::slice::from_raw_parts(first, rows.len()) };
        }
        for (row, element) in rows.clone().zip(copy.iter_mut()) {
            // SAFETY: the row and the column were checked to be the operand's.
            *element = unsafe { *self.pointer.add(self.layout.offset(row, column)) };
        }
        &copy[..rows.len()]
    }
}
