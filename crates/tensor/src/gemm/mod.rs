//! The matrix product `C ← α·A·B + β·C`.
//!
//! Each element of C is one chain of fused multiply-adds: it starts from `β·C` (from +0 when β is 0, whatever C held),
//! then the terms `(α·a)·b` follow in the order of the inner index. Then bias and ReLU, then `+ 0`, so that −0 never
//! leaves a product, then what else the epilogue says. How the loops are cut, how wide the vectors are and how many threads share the outputs is free: no
//! cut divides a chain's order, so none can change a bit.
//!
//! In reading order: [`operand`] says where elements lie, [`loops`] has the numbered loops, [`pack`] the copies that they
//! make, [`panel`] cuts a panel into register tiles, [`microkernel`] is one.

mod buffer;
mod epilogue;
mod loops;
mod microkernel;
mod operand;
mod pack;
mod panel;

pub use epilogue::Epilogue;
pub use operand::{Operand, Target};

use crate::arch::MOST_LANES;
use crate::isa::Isa;
use crate::pool::Pool;
use crate::scalar::Scalar;
use crate::tiled::TILE_ROWS;
use microkernel::Bias;
use std::ops::Range;

/// `C ← epilogue(α·A·B + β·C)` with A m × k, B k × n, C m × n, on all threads of `pool`.
///
/// Any strides will do. Plain operands are packed on the way where that pays; [`Tiled`](crate::Tiled) ones are read and
/// written where they lie (but for a transposed A and what α other than 1 multiplies), which is what weights that are used
/// many times want to be. With β = 0, C is overwritten, also
/// where it was NaN. NaN and infinity propagate as IEEE 754 says.
///
/// # Panics
///
/// If the shapes do not fit together; the message names the operands.
///
/// # Examples
///
/// ```
/// use densely_tensor::{Epilogue, MatMut, MatRef, Pool, Tiled, gemm};
///
/// let a = MatRef::from_slice(&[1.0, 3.0, 2.0, 4.0], 2, 2); // (1 2 / 3 4)
/// let b = MatRef::from_slice(&[5.0, 6.0], 2, 1);
/// let mut c = [0.0; 2];
/// gemm(&Pool::default(), MatMut::from_slice(&mut c, 2, 1), 1.0, a, b, 0.0, Epilogue::Bias(&[0.5, 0.0]));
/// assert_eq!(c, [17.5, 39.0]);
///
/// let packed_once = Tiled::from(a);
/// gemm(&Pool::default(), MatMut::from_slice(&mut c, 2, 1), 1.0, &packed_once, b, 0.0, Epilogue::None);
/// assert_eq!(c, [17.0, 39.0]);
/// ```
#[track_caller]
pub fn gemm<'a, T: Scalar>(
    pool: &Pool,
    c: impl Into<Target<'a, T>>,
    alpha: T,
    a: impl Into<Operand<'a, T>>,
    b: impl Into<Operand<'a, T>>,
    beta: T,
    epilogue: Epilogue<'_, T>,
) {
    let product = Product::new(c.into(), alpha, a.into(), b.into(), beta, epilogue);
    let (m, n, k) = (product.c.n_rows(), product.c.n_columns(), product.a.n_columns());
    let work = m.saturating_mul(n).saturating_mul(k.max(1));
    // Whole tiles of rows where there are enough of them, else vectors of rows or columns, whichever there are more of.
    let threads = pool.threads();
    if threads == 1 || work < WORK_OF_TWO_THREADS {
        // SAFETY: the operands are borrowed until the end of this function.
        unsafe { product.multiply(pool.isa(), 0..m, 0..n) };
    } else if m >= TILE_ROWS * threads || m >= n {
        let mut granularity = if m >= TILE_ROWS * threads { TILE_ROWS } else { ROW_GRANULARITY };
        if !product.has_cheap_rows() {
            // One part a thread: what a part packs, others pack again.
            granularity = m.div_ceil(threads).next_multiple_of(granularity);
        }
        pool.for_each_part(granularity, 0..m, |rows, _| {
            // SAFETY: as above, and parts have disjoint rows.
            unsafe { product.multiply(pool.isa(), rows, 0..n) };
        });
    } else {
        let granularity = if product.has_free_columns() { COLUMN_GRANULARITY } else { TILE_ROWS };
        pool.for_each_part(n.div_ceil(threads).next_multiple_of(granularity), 0..n, |columns, _| {
            // SAFETY: as above, and parts have disjoint columns.
            unsafe { product.multiply(pool.isa(), 0..m, columns) };
        });
    }
}

/// Rows are divided at multiples of this where there are few: two of the widest vectors.
const ROW_GRANULARITY: usize = 32;
/// Columns are divided at multiples of this; it spares most register tiles from being cut.
const COLUMN_GRANULARITY: usize = 8;
/// Multiply-adds from which handing a part to a second thread, about a microsecond, pays.
const WORK_OF_TWO_THREADS: usize = 1 << 17;

/// Rows and columns of a product that are to be computed.
pub struct Part<'a, T> {
    product: &'a Product<'a, T>,
    rows: Range<usize>,
    columns: Range<usize>,
}

/// Computes a part on this thread; to be compiled once for each scalar type.
pub(crate) fn multiply_part<T: Scalar>(part: Part<'_, T>, isa: Isa) {
    // SAFETY: a part is made by `Product::multiply` alone, whose caller vouches for the operands' memory and the ranges.
    unsafe { loops::multiply(isa, part.product, part.rows, part.columns) }
}

/// The operands of one call, with shapes that fit.
struct Product<'a, T> {
    c: Target<'a, T>,
    a: Operand<'a, T>,
    /// What A's elements are multiplied by first.
    a_factor: T,
    b: Operand<'a, T>,
    /// What B's elements are multiplied by first; one of the two factors is α, the other 1.
    b_factor: T,
    beta: T,
    bias: Bias<'a, T>,
    relu: bool,
    /// What is left of the epilogue after bias and ReLU.
    rest: Epilogue<'a, T>,
}

impl<'a, T: Scalar> Product<'a, T> {
    /// Checks shapes, and exchanges the operands where that is faster: `Cᵀ ← α·Bᵀ·Aᵀ + β·Cᵀ`, so that rows of C that are
    /// contiguous, or a single one, become columns.
    #[track_caller]
    fn new(
        c: Target<'a, T>,
        alpha: T,
        a: Operand<'a, T>,
        b: Operand<'a, T>,
        beta: T,
        epilogue: Epilogue<'a, T>,
    ) -> Self {
        check_shapes(&c, &a, &b, &epilogue);
        let (bias, relu) = (epilogue.bias(), epilogue.rectifies());
        let one_row = c.n_rows() == 1 && c.n_columns() > 1;
        // Few rows leave lanes empty; where B's rows are contiguous, its many columns can fill them.
        let few_rows = c.n_rows() <= MOST_LANES && c.n_columns() >= TILE_ROWS && b.has_contiguous_rows();
        if one_row || few_rows || c.layout.row_stride != 1 && c.layout.column_stride == 1 {
            let bias = bias.map_or(Bias::None, Bias::Columns);
            let (c, a, b) = (c.t(), b.t(), a.t());
            let rest = epilogue.t();
            Self { c, a, a_factor: T::ONE, b, b_factor: alpha, beta, bias, relu, rest }
        } else {
            let bias = bias.map_or(Bias::None, Bias::Rows);
            Self { c, a, a_factor: alpha, b, b_factor: T::ONE, beta, bias, relu, rest: epilogue }
        }
    }

    /// Whether columns may be divided anywhere: not if some operand's columns are not evenly spaced, or packed as tiles.
    fn has_free_columns(&self) -> bool {
        self.b.layout.column_stride != 1 && self.b.layout.is_even() && self.c.layout.is_even()
    }

    /// Computes the rows and columns of C in the ranges.
    ///
    /// # Safety
    ///
    /// The operands' memory must still be there, and nothing else may use C's elements in the ranges.
    unsafe fn multiply(&self, isa: Isa, rows: Range<usize>, columns: Range<usize>) {
        if !rows.is_empty() && !columns.is_empty() {
            T::gemm_part(Part { product: self, rows, columns }, isa);
        }
    }
}

#[track_caller]
fn check_shapes<T: Scalar>(
    c: &Target<'_, T>,
    a: &Operand<'_, T>,
    b: &Operand<'_, T>,
    epilogue: &Epilogue<'_, T>,
) {
    let (m, n, k) = (c.n_rows(), c.n_columns(), a.n_columns());
    assert!(
        a.n_rows() == m && b.n_rows() == k && b.n_columns() == n,
        "gemm: C is {m} × {n}, A {} × {k}, B {} × {}; expected {m} × {n}, {m} × {k}, {k} × {n}",
        a.n_rows(),
        b.n_rows(),
        b.n_columns(),
    );
    epilogue.check("gemm", m, n);
}
