//! Our product: plain, with the weights tiled ahead, and with everything in tiles, as a training step has it.

use super::{Contender, Operands, Product};
use densely_tensor::{Epilogue, MatMut, MatRef, Operand, Pool, Target, Tiled, gemm};

/// Ours for all operand sets.
pub(crate) fn contenders<'a>(
    pool: &'a Pool,
    product: &'a Product,
    sets: &'a [Operands],
) -> Vec<Contender<'a>> {
    let views = move |set: usize| views(product, &sets[set]);
    let weights = |set| Tiled::from(views(set).0);

    let plain = Contender {
        name: "densely",
        packed: false,
        multiply: Box::new(move |set, c| multiply(pool, result(product, c), views(set).0, views(set).1)),
    };

    let tiled: Vec<Tiled<f32>> = (0..sets.len()).map(weights).collect();
    let packed = Contender {
        name: "densely, weights in tiles",
        packed: true,
        multiply: Box::new(move |set, c| multiply(pool, result(product, c), &tiled[set], views(set).1)),
    };

    // Where the input is read transposed, as in weight gradients, it is its rows that are tiled.
    let transposed = product.a_strides().1 != 1;
    let mut all: Vec<[Tiled<f32>; 3]> = (0..sets.len())
        .map(|set| {
            let input = if transposed { views(set).1.t() } else { views(set).1 };
            [weights(set), Tiled::from(input), Tiled::zeros(product.n, product.m)]
        })
        .collect();
    let mut copied = vec![false; sets.len()];
    let tiles = Contender {
        name: "densely, all in tiles",
        packed: true,
        multiply: Box::new(move |set, c| {
            let [weights, input, output] = &mut all[set];
            let input = Operand::from(&*input);
            multiply(pool, &mut *output, &*weights, if transposed { input.t() } else { input });
            // The first result of each set is checked.
            if !std::mem::replace(&mut copied[set], true) {
                output.as_ref().copy_to(result(product, c));
            }
        }),
    };
    vec![plain, packed, tiles]
}

/// Row-major C = A·B is column-major Cᵀ = Bᵀ·Aᵀ on the same memory; these are Bᵀ (n × k) and Aᵀ (k × m).
fn views<'a>(product: &Product, operands: &'a Operands) -> (MatRef<'a, f32>, MatRef<'a, f32>) {
    let (a, b) = (product.a_strides(), product.b_strides());
    (
        MatRef::with_strides(&operands.b, product.n, product.k, b.1, b.0),
        MatRef::with_strides(&operands.a, product.k, product.m, a.1, a.0),
    )
}

/// Cᵀ, to write.
fn result<'a>(product: &Product, c: &'a mut [f32]) -> MatMut<'a, f32> {
    MatMut::from_slice(c, product.n, product.m)
}

/// The one call of our product.
fn multiply<'a>(
    pool: &Pool,
    c: impl Into<Target<'a, f32>>,
    a: impl Into<Operand<'a, f32>>,
    b: impl Into<Operand<'a, f32>>,
) {
    gemm(pool, c, 1.0, a, b, 0.0, Epilogue::None);
}
