//! The crates: gemm, matrixmultiply, nalgebra and faer.

use super::{Contender, Multiply, Operands, Product};
use faer::linalg::matmul::matmul;
use nalgebra::{DMatrix, DMatrixView, DMatrixViewMut, DVectorView, DVectorViewMut};

/// One contender a crate.
pub(crate) fn contenders<'a>(
    threads: usize,
    product: &'a Product,
    sets: &'a [Operands],
) -> impl Iterator<Item = Contender<'a>> {
    let contender = |name, multiply| Contender { name, packed: false, multiply };
    [
        contender("gemm", gemm_crate(threads, product, sets)),
        contender("matrixmultiply", matrixmultiply_crate(product, sets)),
        contender("nalgebra", nalgebra_crate(product, sets)),
        contender("faer", faer_crate(threads, product, sets)),
    ]
    .into_iter()
}

/// A pair of strides as pointer arithmetic takes them.
fn signed((row, column): (usize, usize)) -> (isize, isize) {
    (row as isize, column as isize)
}

fn gemm_crate<'a>(threads: usize, product: &Product, sets: &'a [Operands]) -> Multiply<'a> {
    let Product { m, k, n, .. } = *product;
    let (a_strides, b_strides) = (signed(product.a_strides()), signed(product.b_strides()));
    let parallelism = if threads == 1 { gemm::Parallelism::None } else { gemm::Parallelism::Rayon(threads) };
    Box::new(move |set, c| {
        assert_eq!(c.len(), m * n);
        let (a, b) = (sets[set].a.as_ptr(), sets[set].b.as_ptr());
        // SAFETY: the operands of a product have the elements that its strides reach, and C was just checked.
        unsafe {
            gemm::gemm(
                m,
                n,
                k,
                c.as_mut_ptr(),
                1,
                n as isize,
                false,
                a,
                a_strides.1,
                a_strides.0,
                b,
                b_strides.1,
                b_strides.0,
                0.0,
                1.0,
                false,
                false,
                false,
                parallelism,
            );
        }
    })
}

fn matrixmultiply_crate<'a>(product: &Product, sets: &'a [Operands]) -> Multiply<'a> {
    let Product { m, k, n, .. } = *product;
    let (a_strides, b_strides) = (signed(product.a_strides()), signed(product.b_strides()));
    Box::new(move |set, c| {
        assert_eq!(c.len(), m * n);
        let (a, b) = (sets[set].a.as_ptr(), sets[set].b.as_ptr());
        let c = c.as_mut_ptr();
        // SAFETY: the operands of a product have the elements that its strides reach, and C was just checked.
        unsafe {
            matrixmultiply::sgemm(
                m,
                k,
                n,
                1.0,
                a,
                a_strides.0,
                a_strides.1,
                b,
                b_strides.0,
                b_strides.1,
                0.0,
                c,
                n as isize,
                1,
            );
        }
    })
}

/// nalgebra's blocked product knows no transposed operand, so one that lies transposed is copied into order in each call;
/// its `gemm_tr`, a loop over dot products, is slower still.
fn nalgebra_crate<'a>(product: &Product, sets: &'a [Operands]) -> Multiply<'a> {
    let product = *product;
    let Product { m, k, n, .. } = product;
    let mut copy = DMatrix::<f32>::zeros(0, 0);
    if product.a_is_transposed() {
        copy = DMatrix::zeros(k, m);
    } else if product.b_is_transposed() {
        copy = DMatrix::zeros(n, k);
    }
    Box::new(move |set, c| {
        let Operands { a, b } = &sets[set];
        // Column-major: C n × m = B n × k · A k × m.
        if product.a_is_transposed() {
            DMatrixView::from_slice(a, m, k).transpose_to(&mut copy);
            DMatrixViewMut::from_slice(c, n, m).gemm(1.0, &DMatrixView::from_slice(b, n, k), &copy, 0.0);
        } else if product.b_is_transposed() {
            DMatrixView::from_slice(b, k, n).transpose_to(&mut copy);
            DMatrixViewMut::from_slice(c, n, m).gemm(1.0, &copy, &DMatrixView::from_slice(a, k, m), 0.0);
        } else if m == 1 {
            let (b, a) = (DMatrixView::from_slice(b, n, k), DVectorView::from_slice(a, k));
            DVectorViewMut::from_slice(c, n).gemv(1.0, &b, &a, 0.0);
        } else {
            let (b, a) = (DMatrixView::from_slice(b, n, k), DMatrixView::from_slice(a, k, m));
            DMatrixViewMut::from_slice(c, n, m).gemm(1.0, &b, &a, 0.0);
        }
    })
}

fn faer_crate<'a>(threads: usize, product: &Product, sets: &'a [Operands]) -> Multiply<'a> {
    let product = *product;
    let Product { m, k, n, .. } = product;
    let parallelism = if threads == 1 { faer::Par::Seq } else { faer::Par::rayon(threads) };
    Box::new(move |set, c| {
        let row_major = faer::MatRef::from_row_major_slice;
        let Operands { a, b } = &sets[set];
        let a = if product.a_is_transposed() { row_major(a, k, m).transpose() } else { row_major(a, m, k) };
        let b = if product.b_is_transposed() { row_major(b, n, k).transpose() } else { row_major(b, k, n) };
        let c = faer::MatMut::from_row_major_slice_mut(c, m, n);
        matmul(c, faer::Accum::Replace, a, b, 1.0, parallelism);
    })
}
