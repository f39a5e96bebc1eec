//! The gradient with respect to a layer's input, densely: `∇X = Wᵀ·Δ` in lane order.

use super::lanes::{Column, LANES, Leaves, fold, load_column, multiply};
use crate::arch::Vector;
use crate::elementwise::{Zip, zip};
use crate::isa::{Isa, Kernel};
use crate::pool::Pool;
use crate::scalar::Scalar;
use crate::tiled::{TiledMut, TiledRef};
use crate::view::MatMut;
use std::ops::Range;

/// `∇X ← Wᵀ·Δ` in *lane order*, all in tiles: the kernel W units × inputs, Δ units × samples, ∇X inputs × samples, as the
/// layer before wants its Δ.
///
/// Lane order: unit u goes to lane u mod 16. Within each block of 64 units a lane is a chain (a product, then fused
/// multiply-adds), the lanes are folded in the tree i + 8, i + 4, i + 2, i + 1, and the blocks' sums are added in order;
/// then `+ 0`. It is not the order of [`gemm`](crate::gemm), so the two differ in last bits, but the order of the forms
/// that skip zeros, which have the same bits wherever they compute anything.
///
/// # Panics
///
/// If a shape does not fit; the message names the operand.
///
/// # Examples
///
/// ```
/// use densely_tensor::{MatRef, Pool, Tiled, input_gradient};
///
/// let kernel = Tiled::from(MatRef::from_slice(&[1.0, 3.0, 2.0, 4.0], 2, 2)); // (1 2 / 3 4)
/// let delta = Tiled::from(MatRef::from_slice(&[10.0, 1.0], 2, 1));
/// let mut gradient = Tiled::zeros(2, 1);
/// input_gradient(&Pool::default(), kernel.as_ref(), delta.as_ref(), gradient.as_mut());
/// assert_eq!(gradient.as_ref().get(0, 0), 13.0);
/// assert_eq!(gradient.as_ref().get(1, 0), 24.0);
/// ```
#[track_caller]
pub fn input_gradient<T: Scalar>(
    pool: &Pool,
    kernel: TiledRef<'_, T>,
    delta: TiledRef<'_, T>,
    gradient: TiledMut<'_, T>,
) {
    T::input_gradient(pool, kernel, delta, gradient);
}

/// [`input_gradient`], to be compiled once for each scalar type.
#[track_caller]
pub(crate) fn store_input_gradient<T: Scalar>(
    pool: &Pool,
    kernel: TiledRef<'_, T>,
    delta: TiledRef<'_, T>,
    gradient: TiledMut<'_, T>,
) {
    check_shapes(&kernel, &delta, &gradient);
    let (height, samples) = (gradient.tile_rows(), gradient.n_columns());
    if height == 0 || samples == 0 {
        return;
    }
    let columns = gradient.n_tiles() * samples;
    let gradient = MatMut::from_slice(gradient.into_slice(), height, columns);
    pool.for_each_part(2, gradient, |columns, part| {
        let part = part.into_slice();
        if kernel.n_tiles() == 0 {
            return part.fill(T::ZERO);
        }
        for (tile, samples) in in_tiles(columns.clone(), samples) {
            let start = (tile * delta.n_columns() + samples.start - columns.start) * height;
            let gradient = &mut part[start..start + samples.len() * height];
            pool.isa().run(Lanes { kernel, delta, first_input: tile * height, height, samples, gradient });
        }
    });
}

/// Cuts a range of columns, counted through all tiles of `columns_of_tile` each, into the range of each tile.
pub(crate) fn in_tiles(
    range: Range<usize>,
    columns_of_tile: usize,
) -> impl Iterator<Item = (usize, Range<usize>)> {
    let tiles = range.start / columns_of_tile..range.end.div_ceil(columns_of_tile);
    tiles.map(move |tile| {
        let first = tile * columns_of_tile;
        (tile, range.start.max(first) - first..range.end.min(first + columns_of_tile) - first)
    })
}

#[track_caller]
fn check_shapes<T: Scalar>(kernel: &TiledRef<'_, T>, delta: &TiledRef<'_, T>, gradient: &TiledMut<'_, T>) {
    assert_eq!(delta.n_rows(), kernel.n_rows(), "units of delta and of the kernel");
    assert_eq!(delta.tile_rows(), kernel.tile_rows(), "rows of the tiles of delta and of the kernel");
    assert_eq!(gradient.n_rows(), kernel.n_columns(), "inputs of the gradient and of the kernel");
    assert_eq!(gradient.n_columns(), delta.n_columns(), "samples of the gradient and of delta");
}

/// Columns `samples` of one tile of ∇X.
struct Lanes<'a, T> {
    kernel: TiledRef<'a, T>,
    delta: TiledRef<'a, T>,
    first_input: usize,
    /// Rows of ∇X's tile.
    height: usize,
    samples: Range<usize>,
    gradient: &'a mut [T],
}

impl<T: Scalar> Kernel<T> for Lanes<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<Element = T>>(self) {
        match self.kernel.tile_rows() / LANES {
            1 => V::run_apart(LanesOfHeight::<T, 1>(self)),
            2 => V::run_apart(LanesOfHeight::<T, 2>(self)),
            3 => V::run_apart(LanesOfHeight::<T, 3>(self)),
            _ => V::run_apart(LanesOfHeight::<T, 4>(self)),
        }
    }
}

/// The same where tiles of W and Δ have `16 · TERMS` rows.
struct LanesOfHeight<'a, T, const TERMS: usize>(Lanes<'a, T>);

impl<T: Scalar, const TERMS: usize> Kernel<T> for LanesOfHeight<'_, T, TERMS> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<Element = T>>(self) {
        // Samples that share each load of a kernel's column: as many columns of delta as the registers hold.
        if V::REGISTERS >= 32 { self.0.multiply::<V, 2, TERMS>() } else { self.0.multiply::<V, 1, TERMS>() }
    }
}

impl<T: Scalar> Lanes<'_, T> {
    #[inline(always)]
    fn multiply<V: Vector<Element = T>, const SAMPLES: usize, const TERMS: usize>(self) {
        let (tiles, inputs) = (self.kernel.n_tiles(), self.kernel.n_columns());
        let zero = V::splat(T::ZERO);
        for tile in 0..tiles {
            let kernel = self.kernel.tile(tile);
            let delta = self.delta.tile(tile);
            for row in (0..self.height).step_by(V::LANES) {
                // Kernel columns of the inputs of these rows; fewer than V::LANES where the last tile is cut.
                let first = (self.first_input + row).min(inputs);
                let kernel = &kernel[first * TERMS * LANES..(first + V::LANES).min(inputs) * TERMS * LANES];
                let mut sample = self.samples.start;
                let mut target = self.gradient[row..].as_mut_ptr();
                while sample < self.samples.end {
                    // SAFETY: delta has every sample below `samples.end`, each column TERMS · LANES elements; the gradient has a
                    // column of `height` elements for each of them, and rows `row` to `row + V::LANES` lie in it.
                    unsafe {
                        let source = delta.as_ptr().add(sample * TERMS * LANES);
                        let sums = if sample + SAMPLES <= self.samples.end {
                            columns_sums::<V, TERMS, SAMPLES>(kernel, source)
                        } else {
                            let [sum] = columns_sums::<V, TERMS, 1>(kernel, source);
                            [sum; SAMPLES]
                        };
                        for &sum in &sums[..SAMPLES.min(self.samples.end - sample)] {
                            let sum = if tile == 0 { sum } else { V::load(target).add(sum) };
                            let sum = if tile + 1 == tiles { sum.add(zero) } else { sum };
                            sum.store(target);
                            target = target.wrapping_add(self.height);
                        }
                    }
                    sample += SAMPLES;
                }
            }
        }
    }
}

/// For `S` columns of delta: their product with each of up to V::LANES columns of the kernel; 0 for those not there.
///
/// # Safety
///
/// `delta` must be valid for reading `S` columns of `16 · TERMS` elements.
#[inline(always)]
unsafe fn columns_sums<V: Vector, const TERMS: usize, const S: usize>(
    kernel: &[V::Element],
    delta: *const V::Element,
) -> [V; S] {
    let mut columns = [[[V::splat(V::Element::ZERO); 4]; 4]; S];
    for (s, column) in columns.iter_mut().enumerate() {
        // SAFETY: the caller vouches for S columns.
        *column = unsafe { load_column::<V, TERMS>(delta.add(s * TERMS * LANES)) };
    }
    let delta = columns;
    if kernel.len() == V::LANES * TERMS * LANES {
        fold(&mut Products::<V, TERMS, S, false> { kernel, delta })
    } else {
        fold(&mut Products::<V, TERMS, S, true> { kernel, delta })
    }
}

/// Columns of the kernel, each times `S` columns of delta. If `CUT`, there may be fewer of the kernel than lanes.
struct Products<'a, V: Vector, const TERMS: usize, const S: usize, const CUT: bool> {
    kernel: &'a [V::Element],
    delta: [Column<V>; S],
}

impl<V: Vector, const TERMS: usize, const S: usize, const CUT: bool> Leaves<V, S>
    for Products<'_, V, TERMS, S, CUT>
{
    #[inline(always)]
    fn leaf(&mut self, lane: usize) -> [V; S] {
        let column = lane * TERMS * LANES;
        if CUT && column >= self.kernel.len() {
            return [V::splat(V::Element::ZERO); S];
        }
        // SAFETY: whole columns, of which this is one.
        let column = unsafe { load_column::<V, TERMS>(self.kernel.as_ptr().add(column)) };
        let mut products = [V::splat(V::Element::ZERO); S];
        for (product, delta) in products.iter_mut().zip(&self.delta) {
            *product = multiply::<V, TERMS>(&column, delta);
        }
        products
    }
}

/// `gradient ← gradient · scale` where the layer's input is not zero, and +0 where it is: the derivative of ReLU followed
/// by dropout, from the output of both (which is the next layer's input). `scale` is dropout's, 1 without.
///
/// # Panics
///
/// If the slices differ in length.
///
/// # Examples
///
/// ```
/// use densely_tensor::{Isa, mask_gradient};
///
/// let mut gradient = [1.0, 2.0, 3.0];
/// mask_gradient(Isa::detect(), &[0.5, 0.0, 0.1], 1.25, &mut gradient);
/// assert_eq!(gradient, [1.25, 0.0, 3.75]);
/// ```
#[track_caller]
pub fn mask_gradient<T: Scalar>(isa: Isa, input: &[T], scale: T, gradient: &mut [T]) {
    struct Mask<T>(T);
    impl<T: Scalar> Zip<T> for Mask<T> {
        #[inline(always)]
        fn zip(&self, input: T, gradient: T) -> T {
            if input == T::ZERO { T::ZERO } else { gradient * self.0 + T::ZERO }
        }
    }
    zip(isa, input, gradient, Mask(scale));
}
