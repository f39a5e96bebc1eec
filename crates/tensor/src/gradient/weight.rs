//! The gradient with respect to a layer's kernel, `∇W = Δ·Xᵀ`, stored or handed to the optimizer.
//!
//! In tiles, one input's column of one tile is 64 contiguous elements of W, of each moment and of the gradient. A column
//! or a few of gradient are accumulated in registers while the samples pass, over a tile of Δ that stays in the first-level
//! cache (32 KiB for 128 samples), and the optimizer takes them from there: a step reads and writes weights and moments
//! once, and the gradient never.

use super::input::in_tiles;
use crate::arch::Vector;
use crate::isa::{Isa, Kernel};
use crate::pool::Pool;
use crate::scalar::Scalar;
use crate::sparse::{Nonzeros, SparseColumns};
use crate::tiled::{TILE_ROWS, TiledMut, TiledRef};
use crate::update::{self, MOST_MOMENTS, Update, take_front};
use crate::view::MatMut;
use std::ops::Range;

/// What a layer got as input, inputs × samples.
#[derive(Clone, Copy, Debug)]
pub enum LayerInput<'a, T: Scalar> {
    /// All of it.
    Dense(TiledRef<'a, T>),
    /// What of it is not zero.
    Sparse(&'a Nonzeros<T>),
}

/// `∇W ← Δ·Xᵀ` with Δ units × samples, X inputs × samples and ∇W units × inputs, all in tiles.
///
/// Each element is one chain of fused multiply-adds over the samples in order, then `+ 0`: the bits of the product
/// [`gemm`](crate::gemm), and, for finite operands, the same whether zeros of X are skipped or multiplied.
///
/// # Panics
///
/// If a shape does not fit (the message names the operand), or a sparse input's nonzeros are not
/// [listed by feature](Nonzeros::list_features).
///
/// # Examples
///
/// ```
/// use densely_tensor::{LayerInput, MatRef, Pool, Tiled, weight_gradient};
///
/// let delta = Tiled::from(MatRef::from_slice(&[1.0, 2.0, 3.0, 4.0], 2, 2)); // (1 3 / 2 4)
/// let input = Tiled::from(MatRef::from_slice(&[10.0, 1.0], 1, 2));
/// let mut gradient = Tiled::zeros(2, 1);
/// let input = LayerInput::Dense(input.as_ref());
/// weight_gradient(&Pool::default(), delta.as_ref(), input, gradient.as_mut());
/// assert_eq!(gradient.as_ref().get(0, 0), 13.0);
/// assert_eq!(gradient.as_ref().get(1, 0), 24.0);
/// ```
#[track_caller]
pub fn weight_gradient<T: Scalar>(
    pool: &Pool,
    delta: TiledRef<'_, T>,
    input: LayerInput<'_, T>,
    gradient: TiledMut<'_, T>,
) {
    T::weight_gradient(pool, delta, input, gradient);
}

/// [`weight_gradient`], to be compiled once for each scalar type.
#[track_caller]
pub(crate) fn store_weight_gradient<T: Scalar>(
    pool: &Pool,
    delta: TiledRef<'_, T>,
    input: LayerInput<'_, T>,
    gradient: TiledMut<'_, T>,
) {
    check_shapes(&delta, &input, &gradient);
    let (height, inputs) = (gradient.tile_rows(), gradient.n_columns());
    if height == 0 || inputs == 0 {
        return;
    }
    let columns = gradient.n_tiles() * inputs;
    let gradient = MatMut::from_slice(gradient.into_slice(), height, columns);
    pool.for_each_part(GRANULARITY, gradient, |columns, part| {
        let mut rest = part.into_slice();
        for (tile, inputs) in in_tiles(columns, inputs) {
            let gradient = take_front(&mut rest, inputs.len() * height);
            input.gradient_columns(pool.isa(), delta.tiles(tile..tile + 1), inputs, gradient);
        }
    });
}

/// `W ← update(W, Δ·Xᵀ)` without the gradient ever being in memory, let alone whole; the bits are those of
/// [`weight_gradient`] followed by [`Update::apply`].
///
/// Δ is units × samples, X inputs × samples, the kernel W units × inputs, all in tiles; each moment that the rule needs is
/// in the layout of the kernel's elements, and others may be empty.
///
/// # Panics
///
/// If a shape does not fit (the message names the operand), or a sparse input's nonzeros are not
/// [listed by feature](Nonzeros::list_features).
///
/// # Examples
///
/// ```
/// use densely_tensor::{LayerInput, MatRef, Pool, Sgd, Tiled, Update, update_kernel};
///
/// let delta = Tiled::from(MatRef::from_slice(&[1.0, 2.0, 3.0, 4.0], 2, 2)); // (1 3 / 2 4)
/// let input = Tiled::from(MatRef::from_slice(&[10.0, 1.0], 1, 2));
/// let mut kernel = Tiled::zeros(2, 1);
/// let update = Update::from(Sgd { learning_rate: 0.5, momentum: 0.0, nesterov: false });
/// let input = LayerInput::Dense(input.as_ref());
/// update_kernel(&Pool::default(), &update, delta.as_ref(), input, kernel.as_mut(), Default::default());
/// assert_eq!(kernel.as_ref().get(1, 0), -12.0);
/// ```
#[track_caller]
pub fn update_kernel<T: Scalar>(
    pool: &Pool,
    update: &Update<T>,
    delta: TiledRef<'_, T>,
    input: LayerInput<'_, T>,
    kernel: TiledMut<'_, T>,
    moments: [&mut [T]; MOST_MOMENTS],
) {
    T::update_kernel(pool, update, delta, input, kernel, moments);
}

/// [`update_kernel`], to be compiled once for each scalar type.
#[track_caller]
pub(crate) fn apply_weight_gradient<T: Scalar>(
    pool: &Pool,
    update: &Update<T>,
    delta: TiledRef<'_, T>,
    input: LayerInput<'_, T>,
    kernel: TiledMut<'_, T>,
    moments: [&mut [T]; MOST_MOMENTS],
) {
    check_shapes(&delta, &input, &kernel);
    let (height, inputs) = (kernel.tile_rows(), kernel.n_columns());
    let columns = kernel.n_tiles() * inputs;
    check_moments(update, height * columns, &moments);
    if height == 0 || inputs == 0 {
        return;
    }
    let kernel = MatMut::from_slice(kernel.into_slice(), height, columns);
    // A moment that the rule does not need has no rows.
    let [first, second, third] = moments.map(|moment| {
        let rows = if moment.is_empty() { 0 } else { height };
        MatMut::from_slice(moment, rows, columns)
    });
    let parts = (kernel, first, second, third);
    pool.for_each_part(GRANULARITY, parts, |columns, (kernel, first, second, third)| {
        let mut chunk = Chunk([T::ZERO; TILE_ROWS * CHUNK_COLUMNS]);
        let mut rest = [kernel, first, second, third].map(MatMut::into_slice);
        for (tile, inputs) in in_tiles(columns, inputs) {
            let (isa, delta) = (pool.isa(), delta.tiles(tile..tile + 1));
            let mut next =
                |columns: &Range<usize>| rest.each_mut().map(|rest| take_front(rest, columns.len() * height));
            match input {
                LayerInput::Sparse(input) => {
                    let [kernel, moments @ ..] = next(&inputs);
                    update::step(update, isa, kernel, SparseColumns::new(delta, input, inputs), moments);
                }
                LayerInput::Dense(_) => {
                    for start in inputs.clone().step_by(CHUNK_COLUMNS) {
                        let columns = start..inputs.end.min(start + CHUNK_COLUMNS);
                        let gradient = &mut chunk.0[..columns.len() * height];
                        let [kernel, moments @ ..] = next(&columns);
                        input.gradient_columns(isa, delta, columns, gradient);
                        update.apply(isa, kernel, gradient, moments);
                    }
                }
            }
        }
    });
}

/// Threads share columns out in multiples of this.
const GRANULARITY: usize = 4;

/// Columns whose gradient waits for the optimizer at a time: two register tiles of the dense product. Fewer lose more by
/// the change between the two kernels than they gain by the CPU working on both at once.
const CHUNK_COLUMNS: usize = 2 * COLUMNS;

/// Gradient columns on the way to the optimizer, on the stack.
#[repr(align(64))]
pub(crate) struct Chunk<T, const LEN: usize>(pub(crate) [T; LEN]);

#[track_caller]
fn check_shapes<T: Scalar>(delta: &TiledRef<'_, T>, input: &LayerInput<'_, T>, kernel: &TiledMut<'_, T>) {
    let (input_rows, samples) = input.shape();
    if let LayerInput::Sparse(nonzeros) = input {
        nonzeros.check_features_are_listed();
    }
    assert_eq!(delta.n_rows(), kernel.n_rows(), "units of delta and of the kernel");
    assert_eq!(delta.tile_rows(), kernel.tile_rows(), "rows of the tiles of delta and of the kernel");
    assert_eq!(input_rows, kernel.n_columns(), "rows of the input and columns of the kernel");
    assert_eq!(delta.n_columns(), samples, "samples of delta and of the input");
}

#[track_caller]
pub(crate) fn check_moments<T: Scalar>(update: &Update<T>, len: usize, moments: &[&mut [T]]) {
    let needed = update.moments();
    for (index, moment) in moments.iter().enumerate() {
        let fits = moment.len() == len || (moment.is_empty() && index >= needed);
        assert!(fits, "moment {index} has {} elements, the kernel {len}", moment.len());
    }
}

impl<T: Scalar> LayerInput<'_, T> {
    /// Inputs and samples.
    fn shape(&self) -> (usize, usize) {
        match self {
            LayerInput::Dense(input) => (input.n_rows(), input.n_columns()),
            LayerInput::Sparse(input) => (input.n_features(), input.n_samples()),
        }
    }

    /// Columns `inputs` of `Δ·Xᵀ` from one tile of Δ.
    #[inline]
    fn gradient_columns(&self, isa: Isa, delta: TiledRef<'_, T>, inputs: Range<usize>, gradient: &mut [T]) {
        match *self {
            LayerInput::Dense(input) => {
                let (delta, height) = (delta.tile(0), delta.tile_rows());
                isa.run(DenseColumns { delta, height, input, inputs, gradient });
            }
            LayerInput::Sparse(input) => SparseColumns::new(delta, input, inputs).store(isa, gradient),
        }
    }
}

struct DenseColumns<'a, T> {
    delta: &'a [T],
    height: usize,
    input: TiledRef<'a, T>,
    inputs: Range<usize>,
    gradient: &'a mut [T],
}

impl<T: Scalar> Kernel<T> for DenseColumns<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<Element = T>>(mut self) {
        // A register tile of four vectors by six columns, or, of sixteen registers, two by six.
        let most = if V::REGISTERS >= 32 { 4 } else { 2 };
        let mut row = 0;
        while row < self.height {
            let vectors = ((self.height - row) / V::LANES).min(most);
            match vectors {
                4 if V::REGISTERS >= 32 => self.rows::<V, 4>(row),
                3 if V::REGISTERS >= 32 => self.rows::<V, 3>(row),
                1 => self.rows::<V, 1>(row),
                _ => self.rows::<V, 2>(row),
            }
            row += vectors * V::LANES;
        }
    }
}

impl<T: Scalar> DenseColumns<'_, T> {
    /// `MV` vectors of rows of all columns.
    #[inline(always)]
    fn rows<V: Vector<Element = T>, const MV: usize>(&mut self, row: usize) {
        let input_height = self.input.tile_rows();
        let samples = self.input.n_columns();
        let mut column = 0;
        while column < self.inputs.len() {
            let input = self.inputs.start + column;
            let (tile, input_row) = (input / input_height, input % input_height);
            let columns = (self.inputs.len() - column).min(input_height - input_row).min(COLUMNS);
            let operands = Operands {
                samples,
                delta: self.delta.as_ptr().wrapping_add(row), // without samples there is no such row
                delta_stride: self.height,
                input: self.input.tile(tile).as_ptr().wrapping_add(input_row),
                input_stride: input_height,
            };
            let gradient = &mut self.gradient[column * self.height..(column + columns) * self.height];
            let gradient = gradient[row..].as_mut_ptr();
            // SAFETY: delta's tile has `samples` columns of `height` elements, of which rows `row` to `row + MV · LANES` are read;
            // the input's tile as many of `input_height`, and `columns` rows from `input_row` on; the gradient's `columns` columns of
            // `height` elements are there, as the slices above show.
            unsafe {
                match columns {
                    1 => operands.multiply::<V, MV, 1>(gradient),
                    2 => operands.multiply::<V, MV, 2>(gradient),
                    3 => operands.multiply::<V, MV, 3>(gradient),
                    4 => operands.multiply::<V, MV, 4>(gradient),
                    5 => operands.multiply::<V, MV, 5>(gradient),
                    _ => operands.multiply::<V, MV, COLUMNS>(gradient),
                }
            }
            column += columns;
        }
    }
}

/// Columns of gradient that share each load of Δ: with two or four vectors of rows they fill the registers.
const COLUMNS: usize = 6;

/// What a register tile reads.
struct Operands<T> {
    samples: usize,
    delta: *const T,
    /// Elements from one sample's delta to the next's, which is also the distance of the gradient's columns.
    delta_stride: usize,
    input: *const T,
    input_stride: usize,
}

impl<T: Scalar> Operands<T> {
    /// The chains of `MV` vectors of rows by `NC` columns.
    ///
    /// # Safety
    ///
    /// `delta` must be valid for reading `samples` runs of `MV` vectors, `input` as many runs of `NC` elements, and
    /// `gradient` for writing `NC` runs of `MV` vectors, at their strides.
    #[inline(always)]
    unsafe fn multiply<V: Vector<Element = T>, const MV: usize, const NC: usize>(&self, gradient: *mut T) {
        let zero = V::splat(T::ZERO);
        let mut sums = [[zero; MV]; NC];
        let (mut delta, mut input) = (self.delta, self.input);
        // SAFETY: the caller vouches for every run.
        unsafe {
            for _ in 0..self.samples {
                let mut rows = [zero; MV];
                for (i, row) in rows.iter_mut().enumerate() {
                    *row = V::load(delta.add(i * V::LANES));
                }
                for (j, sums) in sums.iter_mut().enumerate() {
                    let x = V::splat(*input.add(j));
                    for (sum, row) in sums.iter_mut().zip(rows) {
                        *sum = row.mul_add(x, *sum);
                    }
                }
                delta = delta.wrapping_add(self.delta_stride);
                input = input.wrapping_add(self.input_stride);
            }
            for (j, sums) in sums.iter().enumerate() {
                for (i, sum) in sums.iter().enumerate() {
                    sum.add(zero).store(gradient.add(j * self.delta_stride + i * V::LANES));
                }
            }
        }
    }
}
