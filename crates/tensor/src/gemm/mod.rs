//! The matrix product `C ← α·A·B + β·C`.
//!
//! Each element of C is one chain of fused multiply-adds: it starts from `β·C` (from +0 when β is 0, whatever C held),
//! then the terms `(α·a)·b` follow in the order of the inner index. Then the epilogue, then `+ 0`, so that −0 never
//! leaves a product. How the loops are cut, how wide the vectors are and how many threads share the rows is free: no
//! cut divides a chain's order, so none can change a bit.
//!
//! [`mod@loops`] has the numbered loops, [`pack`] the copy of A that they read, [`microkernel`] the register tile.

mod loops;
mod microkernel;
mod pack;

use crate::isa::Kernel;
use crate::pool::Pool;
use crate::scalar::Scalar;
use crate::view::{MatMut, MatRef};
use crate::{arch::Vector, isa::Isa};

/// What happens to an element of C after the last term of its chain, before it is stored.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Epilogue<'a, T> {
    /// Nothing.
    None,
    /// Adds the row's element: `c + bias[row]`.
    Bias(&'a [T]),
    /// Adds the row's element and rectifies: `max(c + bias[row], 0)`; NaN stays NaN.
    BiasRelu(&'a [T]),
}

/// `C ← epilogue(α·A·B + β·C)` with A m × k, B k × n, C m × n, on all threads of `pool`.
///
/// Any strides will do; fastest where C and B are column-major (their columns contiguous). With β = 0, C is
/// overwritten, also where it was NaN. NaN and infinity propagate as IEEE 754 says.
///
/// # Panics
///
/// If the shapes do not fit together; the message names the operands.
///
/// # Examples
///
/// ```
/// use densely_tensor::{Epilogue, MatMut, MatRef, Pool, gemm};
///
/// let a = MatRef::from_slice(&[1.0, 3.0, 2.0, 4.0], 2, 2); // (1 2 / 3 4)
/// let b = MatRef::from_slice(&[5.0, 6.0], 2, 1);
/// let mut c = [0.0; 2];
/// gemm(&Pool::default(), MatMut::from_slice(&mut c, 2, 1), 1.0, a, b, 0.0, Epilogue::Bias(&[0.5, 0.0]));
/// assert_eq!(c, [17.5, 39.0]);
/// ```
#[track_caller]
pub fn gemm<T: Scalar>(
    pool: &Pool,
    c: MatMut<'_, T>,
    alpha: T,
    a: MatRef<'_, T>,
    b: MatRef<'_, T>,
    beta: T,
    epilogue: Epilogue<'_, T>,
) {
    check_shapes(&c, &a, &b, &epilogue);
    // Rows are shared out where each thread gets a few panels of them, or where there are too few columns; else columns.
    let threads = pool.threads();
    if c.n_rows() >= ROWS_PER_THREAD * threads || c.n_columns() < COLUMN_GRANULARITY * threads {
        pool.for_each_part(ROW_GRANULARITY, c.t(), |rows, part| {
            let epilogue = epilogue.rows(rows.clone());
            gemm_on_one_thread(pool.isa(), part.t(), alpha, a.rows(rows), b, beta, epilogue);
        });
    } else {
        pool.for_each_part(COLUMN_GRANULARITY, c, |columns, part| {
            gemm_on_one_thread(pool.isa(), part, alpha, a, b.columns(columns), beta, epilogue);
        });
    }
}

/// Rows are divided at multiples of every register tile's height.
const ROW_GRANULARITY: usize = 32;
/// Columns are divided at multiples of this; it spares most tiles from being cut.
const COLUMN_GRANULARITY: usize = 8;
/// From so many rows a thread, rows are shared out: A is then packed once, not once a thread.
const ROWS_PER_THREAD: usize = 64;

/// [`gemm`] on the calling thread alone, for callers that share out the work themselves.
///
/// # Panics
///
/// If the shapes do not fit together; the message names the operands.
#[track_caller]
pub fn gemm_on_one_thread<T: Scalar>(
    isa: Isa,
    c: MatMut<'_, T>,
    alpha: T,
    a: MatRef<'_, T>,
    b: MatRef<'_, T>,
    beta: T,
    epilogue: Epilogue<'_, T>,
) {
    check_shapes(&c, &a, &b, &epilogue);
    if c.n_rows() > 0 && c.n_columns() > 0 {
        isa.run(Product { c, alpha, a, b, beta, epilogue });
    }
}

#[track_caller]
fn check_shapes<T: Scalar>(
    c: &MatMut<'_, T>,
    a: &MatRef<'_, T>,
    b: &MatRef<'_, T>,
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
    if let Some(bias) = epilogue.bias() {
        assert!(bias.len() == m, "gemm: C has {m} rows, the bias {} elements", bias.len());
    }
}

impl<'a, T> Epilogue<'a, T> {
    pub(crate) fn bias(&self) -> Option<&'a [T]> {
        match *self {
            Epilogue::None => None,
            Epilogue::Bias(bias) | Epilogue::BiasRelu(bias) => Some(bias),
        }
    }

    /// The epilogue of some of the rows.
    pub(crate) fn rows(self, rows: std::ops::Range<usize>) -> Self {
        match self {
            Epilogue::None => Epilogue::None,
            Epilogue::Bias(bias) => Epilogue::Bias(&bias[rows]),
            Epilogue::BiasRelu(bias) => Epilogue::BiasRelu(&bias[rows]),
        }
    }
}

/// The operands of one call, with shapes that fit and at least one element of C.
pub(crate) struct Product<'a, T> {
    c: MatMut<'a, T>,
    alpha: T,
    a: MatRef<'a, T>,
    b: MatRef<'a, T>,
    beta: T,
    epilogue: Epilogue<'a, T>,
}

impl<T: Scalar> Kernel<T> for Product<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<Element = T>>(self) {
        // The tile fills the registers but for those that hold A's column and B's element.
        if V::REGISTERS >= 32 {
            loops::multiply::<V, 2, 8>(self);
        } else {
            loops::multiply::<V, 2, 6>(self);
        }
    }
}
