//! Sums over the units of a tile in lane order: unit u goes to lane u mod 16, and the lanes are folded in a fixed tree.
//!
//! Within a tile of 64 units each lane is a chain of up to four terms, the first a product and the others fused
//! multiply-adds; then lane i + 8 is added to lane i, then i + 4, i + 2, i + 1, as in every sum of this crate
//! ([`reduce`](crate::reduce)). Unlike a chain over all units, this has sixteen independent parts, so one output is computed
//! with whole vectors of one column of each operand, and outputs that nobody needs are left out.
//!
//! Folding one vector alone wastes most of it. [`fold`] folds as many as a vector has lanes together: interleaving two
//! vectors and adding the halves does one level of both trees at once, so L vectors take L − 1 additions.

use crate::arch::{MOST_LANES, Vector};
pub(crate) use crate::reduce::LANES;
use crate::scalar::Scalar;

/// The most vectors that sixteen lanes take.
const MOST_VECTORS: usize = 4;

/// A column of a tile in registers: `terms[r][j]` has the j-th vector of rows 16·r to 16·r + 15.
pub(crate) type Column<V> = [[V; MOST_VECTORS]; 4];

/// Reads a column of `16 · TERMS` rows.
///
/// # Safety
///
/// `source` must be valid for reading so many elements.
#[inline(always)]
pub(crate) unsafe fn load_column<V: Vector, const TERMS: usize>(source: *const V::Element) -> Column<V> {
    let mut column = [[V::splat(V::Element::ZERO); MOST_VECTORS]; 4];
    for (term, vectors) in column.iter_mut().enumerate().take(TERMS) {
        for (j, vector) in vectors.iter_mut().enumerate().take(LANES / V::LANES) {
            // SAFETY: below 16 · TERMS, which the caller vouches for.
            *vector = unsafe { V::load(source.add(term * LANES + j * V::LANES)) };
        }
    }
    column
}

/// The lanes of `Σ a·b` over two columns of `16 · TERMS` rows, folded as far as whole vectors go: to
/// [`Vector::LANES`] lanes.
#[inline(always)]
pub(crate) fn multiply<V: Vector, const TERMS: usize>(a: &Column<V>, b: &Column<V>) -> V {
    let mut sums = [V::splat(V::Element::ZERO); MOST_VECTORS];
    for (j, sum) in sums.iter_mut().enumerate().take(LANES / V::LANES) {
        *sum = a[0][j].mul(b[0][j]);
        for term in 1..TERMS {
            *sum = a[term][j].mul_add(b[term][j], *sum);
        }
    }
    match LANES / V::LANES {
        1 => sums[0],
        2 => sums[0].add(sums[1]),
        _ => sums[0].add(sums[2]).add(sums[1].add(sums[3])),
    }
}

/// What [`fold`] folds: `S` vectors for each lane of its results. A trait, as closures, and what
/// calls them (`array::from_fn`), are not sure to be inlined, and outside of the kernel they lose its instruction set.
pub(crate) trait Leaves<V, const S: usize> {
    /// The vectors whose lanes sum up to lane `lane` of the `S` results. Mark it `#[inline(always)]`.
    fn leaf(&mut self, lane: usize) -> [V; S];
}

/// Folds the lanes of L vectors, L = [`Vector::LANES`]: lane k of the result is the sum of the lanes of leaf k; `S` results
/// at once.
///
/// Leaves are asked for in the tree's order, depth first, so that few partial results wait: leaf number c is that of lane
/// [`lane_of_leaf`]`(c, L)`.
#[inline(always)]
pub(crate) fn fold<V: Vector, const S: usize>(leaves: &mut impl Leaves<V, S>) -> [V; S] {
    // A loop over groups of four, and not the whole tree written out, is a quarter of the code, and compiles much faster.
    let mut groups = [[V::splat(V::Element::ZERO); S]; MOST_LANES / 4];
    for (group, sums) in groups.iter_mut().enumerate().take(V::LANES / 4) {
        *sums = fold_4(leaves, lane_of_leaf(group, V::LANES / 4));
    }
    let [a, b, c, d] = groups;
    match V::LANES {
        4 => a,
        8 => pairs(a, b),
        _ => pairs(pairs(a, b), pairs(c, d)),
    }
}

/// Which lane's leaf [`fold`] asks for as number `leaf` of `lanes`: the bits of the number read backwards.
#[inline(always)]
pub(crate) fn lane_of_leaf(leaf: usize, lanes: usize) -> usize {
    if lanes == 1 { 0 } else { leaf.reverse_bits() >> (usize::BITS - lanes.ilog2()) }
}

#[inline(always)]
fn fold_4<V: Vector, const S: usize>(leaves: &mut impl Leaves<V, S>, first: usize) -> [V; S] {
    let (half, quarter) = (V::LANES / 2, V::LANES / 4);
    let a = leaves.leaf(first);
    let even = pairs(a, leaves.leaf(first + half));
    let b = leaves.leaf(first + quarter);
    pairs(even, pairs(b, leaves.leaf(first + quarter + half)))
}

/// One level of two trees: lanes i + L/2 added to lanes i, those of `a` and of `b` alternating.
#[inline(always)]
fn pairs<V: Vector, const S: usize>(mut a: [V; S], b: [V; S]) -> [V; S] {
    for (a, b) in a.iter_mut().zip(b) {
        let (low, high) = a.zip(b);
        *a = low.add(high);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::isa::{Isa, Kernel};

    /// `16 · TERMS` rows a column, sixteen columns each.
    struct Products<'a, T> {
        a: &'a [T],
        b: &'a [T],
        sums: &'a mut [T; LANES],
    }

    impl<T: Scalar> Kernel<T> for Products<'_, T> {
        type Output = ();

        #[inline(always)]
        fn run<V: Vector<Element = T>>(self) {
            for start in (0..LANES).step_by(V::LANES) {
                let mut asked = 0;
                let [sums] = fold::<V, 1>(&mut ColumnProducts { operands: &self, start, asked: &mut asked });
                assert_eq!(asked, V::LANES);
                // SAFETY: the vector ends with lane 15.
                unsafe { sums.store(self.sums[start..start + V::LANES].as_mut_ptr()) };
            }
        }
    }

    struct ColumnProducts<'a, 'b, T> {
        operands: &'a Products<'b, T>,
        start: usize,
        asked: &'a mut usize,
    }

    impl<V: Vector> Leaves<V, 1> for ColumnProducts<'_, '_, V::Element> {
        #[inline(always)]
        fn leaf(&mut self, lane: usize) -> [V; 1] {
            assert_eq!(lane, lane_of_leaf(*self.asked, V::LANES), "number {} of the leaves", self.asked);
            *self.asked += 1;
            let column = (self.start + lane) * 64..(self.start + lane + 1) * 64;
            let (a, b) = (&self.operands.a[column.clone()], &self.operands.b[column]);
            // SAFETY: columns of 64 elements.
            let (a, b) = unsafe { (load_column::<V, 4>(a.as_ptr()), load_column::<V, 4>(b.as_ptr())) };
            [multiply::<V, 4>(&a, &b)]
        }
    }

    #[test]
    fn folding_many_vectors_together_follows_the_tree_of_each() {
        let numbers = |seed: usize| (0..16 * 64).map(move |i| ((i * 37 + seed) % 101) as f32 * 0.37 - 18.0);
        let (a, b): (Vec<f32>, Vec<f32>) = (numbers(3).collect(), numbers(29).collect());
        for isa in Isa::available() {
            let mut sums = [0.0; LANES];
            isa.run(Products { a: &a, b: &b, sums: &mut sums });
            for (column, sum) in sums.iter().enumerate() {
                let term = |row: usize| (a[column * 64 + row], b[column * 64 + row]);
                let lane = |lane: usize| {
                    let (first, factor) = term(lane);
                    (1..4).fold(first * factor, |sum, r| {
                        let (a, b) = term(16 * r + lane);
                        a.mul_add(b, sum)
                    })
                };
                let eight: [f32; 8] = std::array::from_fn(|i| lane(i) + lane(i + 8));
                let four: [f32; 4] = std::array::from_fn(|i| eight[i] + eight[i + 4]);
                let expected = (four[0] + four[2]) + (four[1] + four[3]);
                assert_eq!(sum.to_bits(), expected.to_bits(), "column {column} on {isa}");
            }
        }
    }
}
