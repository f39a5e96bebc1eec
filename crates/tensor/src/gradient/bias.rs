//! The gradient with respect to a layer's bias: the sum of Δ over the samples, in tiles or in column-major order.

use crate::arch::Vector;
use crate::isa::Kernel;
use crate::pool::Pool;
use crate::scalar::Scalar;
use crate::tiled::TiledRef;
use crate::view::MatRef;

/// `∇b ← Σ Δ` over the samples, added one after the other from +0; Δ units × samples.
///
/// # Panics
///
/// If `gradient` does not have an element for each unit.
///
/// # Examples
///
/// ```
/// use densely_tensor::{MatRef, Pool, Tiled, bias_gradient};
///
/// let delta = Tiled::from(MatRef::from_slice(&[1.0, 2.0, 3.0, 4.0], 2, 2)); // (1 3 / 2 4)
/// let mut gradient = [0.0; 2];
/// bias_gradient(&Pool::default(), delta.as_ref(), &mut gradient);
/// assert_eq!(gradient, [4.0, 6.0]);
/// ```
#[track_caller]
pub fn bias_gradient<T: Scalar>(pool: &Pool, delta: TiledRef<'_, T>, gradient: &mut [T]) {
    assert_eq!(gradient.len(), delta.n_rows(), "elements of the bias gradient and units of delta");
    let height = delta.tile_rows();
    if height == 0 {
        return;
    }
    pool.for_each_part(height, gradient, |units, gradient| {
        for (tile, sums) in gradient.chunks_mut(height).enumerate() {
            let columns = delta.tile(units.start / height + tile).chunks_exact(height);
            pool.isa().run(Sums { columns, sums });
        }
    });
}

/// `sums[row] ← Σ matrix[row, column]`, the columns added one after the other.
///
/// # Panics
///
/// If `sums` is not as long as the matrix has rows, or if a column is not contiguous.
#[track_caller]
pub fn row_sums<T: Scalar>(pool: &Pool, matrix: MatRef<'_, T>, sums: &mut [T]) {
    assert_eq!(matrix.n_rows(), sums.len(), "rows and sums");
    pool.for_each_part(64, sums, |rows, sums| {
        let matrix = matrix.rows(rows);
        let columns = (0..matrix.n_columns()).map(|column| matrix.column(column));
        pool.isa().run(Sums { columns, sums });
    });
}

/// `sums ← Σ columns`, of each as many elements as there are sums.
struct Sums<'a, T, C> {
    columns: C,
    sums: &'a mut [T],
}

impl<'c, T: Scalar, C: Iterator<Item = &'c [T]>> Kernel<T> for Sums<'_, T, C> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<Element = T>>(self) {
        self.sums.fill(T::ZERO);
        for column in self.columns {
            for (sum, &x) in self.sums.iter_mut().zip(column) {
                *sum += x;
            }
        }
    }
}
