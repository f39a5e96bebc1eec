//! Our product, plain and with one operand packed ahead.

use super::{Contender, Operands, Product};
use densely_tensor::{Epilogue, MatMut, MatRef, Pool, gemm};

/// Ours for all operand sets.
pub(crate) fn contenders<'a>(
    pool: &'a Pool,
    product: &'a Product,
    sets: &'a [Operands],
) -> Vec<Contender<'a>> {
    let plain = Contender {
        name: "densely",
        packed: false,
        multiply: Box::new(|set, c| {
            let (b, a) = views(product, &sets[set]);
            multiply(pool, MatMut::from_slice(c, product.n, product.m), b, a);
        }),
    };
    // PREPACKED: a second contender, `packed: true`, whose left operand (the first of `views`) was tiled once a set.
    vec![plain]
}

/// Row-major C = A·B is column-major Cᵀ = Bᵀ·Aᵀ on the same memory; these are Bᵀ (n × k) and Aᵀ (k × m).
fn views<'a>(product: &Product, operands: &'a Operands) -> (MatRef<'a, f32>, MatRef<'a, f32>) {
    let (a, b) = (product.a_strides(), product.b_strides());
    (
        MatRef::with_strides(&operands.b, product.n, product.k, b.1, b.0),
        MatRef::with_strides(&operands.a, product.k, product.m, a.1, a.0),
    )
}

/// The one call of our product.
fn multiply(pool: &Pool, c: MatMut<'_, f32>, a: MatRef<'_, f32>, b: MatRef<'_, f32>) {
    gemm(pool, c, 1.0, a, b, 0.0, Epilogue::None);
}
