//! The input gradient where the input is not zero, alone or in one pass with the weight gradient and the update.
//!
//! For one input and one tile of units, the kernel's column stays in registers while the samples pass in which the input
//! is not zero. Each sample's column of Δ is read once and used twice: times the input's value it is a term of the weight
//! gradient, times the kernel's column, summed over the units in lane order, one tile's share of the input gradient. Then the
//! optimizer has all it needs for this column.
//!
//! The input gradient's sums over tiles wait in scratch space, as compressed as the input's lists; a thread goes through all
//! tiles for the 64 inputs of one tile of ∇X, then spreads their sums out. So threads share out inputs, never tiles.

use crate::arch::Vector;
use crate::arch::lines::take_lines_to_change;
use crate::gradient::lanes::{Column, LANES, Leaves, fold, lane_of_leaf, load_column, multiply};
use crate::gradient::weight::{Chunk, check_moments};
use crate::isa::{Isa, Kernel};
use crate::pool::{PerThread, Pool, TiledColumns};
use crate::scalar::Scalar;
use crate::sparse::Nonzeros;
use crate::sparse::gradient::weight::{SparseColumns, Store};
use crate::tiled::{TILE_ROWS, TiledMut, TiledRef};
use crate::update::{MOST_MOMENTS, Update};
use std::ops::Range;

/// Where an input gradient goes that is needed only where the input is not zero.
#[derive(Debug)]
pub struct MaskedGradient<'a, T> {
    /// ∇X, inputs × samples; zeros where the input is zero.
    pub gradient: TiledMut<'a, T>,
    /// A factor of all of it: dropout's scale, or 1.
    pub scale: T,
    /// [`backward_scratch`] elements for each of the pool's threads.
    pub scratch: &'a mut [T],
}

/// How many elements of scratch space each thread needs for a [`MaskedGradient`] of so many samples.
pub fn backward_scratch(samples: usize) -> usize {
    TILE_ROWS * sums_stride(samples)
}

/// Room for the sums of one input: whole vectors.
fn sums_stride(samples: usize) -> usize {
    samples.next_multiple_of(LANES)
}

/// `∇X ← scale · Wᵀ·Δ` where X is not zero, and +0 where it is; W is units × inputs, Δ units × samples.
///
/// The sums are in lane order; the bits are those of [`input_gradient`](crate::input_gradient) followed by
/// [`mask_gradient`](crate::mask_gradient).
///
/// # Panics
///
/// If a shape does not fit (the message names the operand), or the input's nonzeros are not
/// [listed by feature](Nonzeros::list_features).
///
/// # Examples
///
/// ```
/// use densely_tensor::{MaskedGradient, MatRef, Nonzeros, Pool, Tiled, backward_scratch, sparse_input_gradient};
///
/// let pool = Pool::new(1)?;
/// let kernel = Tiled::from(MatRef::from_slice(&[1.0, 3.0, 2.0, 4.0], 2, 2)); // (1 2 / 3 4)
/// let delta = Tiled::from(MatRef::from_slice(&[10.0, 1.0], 2, 1));
/// let mut input = Nonzeros::new(2, 1);
/// input.fill_from_columns(&pool, MatRef::from_slice(&[0.0, 7.0], 2, 1));
/// input.list_features(&pool);
/// let mut gradient = Tiled::zeros(2, 1);
/// let target = MaskedGradient {
///     gradient: gradient.as_mut(),
///     scale: 2.0,
///     scratch: &mut vec![0.0; backward_scratch(1)],
/// };
/// sparse_input_gradient(&pool, kernel.as_ref(), delta.as_ref(), &input, target);
/// assert_eq!(gradient.as_ref().get(0, 0), 0.0);
/// assert_eq!(gradient.as_ref().get(1, 0), 48.0);
/// # Ok::<(), densely_tensor::PoolError>(())
/// ```
#[track_caller]
pub fn sparse_input_gradient<T: Scalar>(
    pool: &Pool,
    kernel: TiledRef<'_, T>,
    delta: TiledRef<'_, T>,
    input: &Nonzeros<T>,
    target: MaskedGradient<'_, T>,
) {
    T::sparse_input_gradient(pool, kernel, delta, input, target);
}

/// [`sparse_input_gradient`], to be compiled once for each scalar type.
#[track_caller]
pub(crate) fn store_input_gradient<T: Scalar>(
    pool: &Pool,
    kernel: TiledRef<'_, T>,
    delta: TiledRef<'_, T>,
    input: &Nonzeros<T>,
    target: MaskedGradient<'_, T>,
) {
    let shape = (kernel.n_rows(), kernel.n_columns(), kernel.tile_rows());
    check_shapes(pool, &delta, input, shape, &target);
    let MaskedGradient { gradient, scale, scratch } = target;
    pool.for_each_part(1, (gradient, PerThread(scratch)), |tiles, (mut gradient, scratch)| {
        let mut block = Block::new(pool.isa(), delta, input, scale, scratch);
        for (i, tile) in tiles.enumerate() {
            let inputs = block.inputs_of(tile, gradient.tile_rows());
            for tile in 0..kernel.n_tiles() {
                let height = kernel.tile_rows();
                let kernel = &kernel.tile(tile)[inputs.start * height..inputs.end * height];
                block.pass::<false>(tile, inputs.clone(), kernel, &mut []);
            }
            block.spread(inputs, gradient.tile_mut(i));
        }
    });
}

/// One pass backwards: `∇X ← scale · Wᵀ·Δ` where X is not zero, with W as it was, and `W ← update(W, Δ·Xᵀ)`.
///
/// Each column of Δ that is needed is read once for both. W is units × inputs, Δ units × samples, each moment that the rule
/// needs in the layout of the kernel's elements, and others may be empty. The bits are those of
/// [`sparse_input_gradient`] followed by [`update_kernel`](crate::update_kernel).
///
/// # Panics
///
/// If a shape does not fit (the message names the operand), or the input's nonzeros are not
/// [listed by feature](Nonzeros::list_features).
///
/// # Examples
///
/// ```
/// use densely_tensor::{MaskedGradient, MatRef, Nonzeros, Pool, Sgd, Tiled, Update};
/// use densely_tensor::{backward_scratch, sparse_backward};
///
/// let pool = Pool::new(1)?;
/// let update = Update::from(Sgd { learning_rate: 0.5, momentum: 0.0, nesterov: false });
/// let mut kernel = Tiled::from(MatRef::from_slice(&[1.0, 3.0, 2.0, 4.0], 2, 2)); // (1 2 / 3 4)
/// let delta = Tiled::from(MatRef::from_slice(&[10.0, 1.0], 2, 1));
/// let mut input = Nonzeros::new(2, 1);
/// input.fill_from_columns(&pool, MatRef::from_slice(&[0.0, 7.0], 2, 1));
/// input.list_features(&pool);
/// let mut gradient = Tiled::zeros(2, 1);
/// let target = MaskedGradient {
///     gradient: gradient.as_mut(),
///     scale: 1.0,
///     scratch: &mut vec![0.0; backward_scratch(1)],
/// };
/// sparse_backward(&pool, &update, delta.as_ref(), &input, kernel.as_mut(), Default::default(), target);
/// assert_eq!(gradient.as_ref().get(1, 0), 24.0);
/// assert_eq!(kernel.as_ref().get(0, 1), -33.0); // 2 − 0.5 · 10 · 7
/// # Ok::<(), densely_tensor::PoolError>(())
/// ```
#[track_caller]
pub fn sparse_backward<T: Scalar>(
    pool: &Pool,
    update: &Update<T>,
    delta: TiledRef<'_, T>,
    input: &Nonzeros<T>,
    kernel: TiledMut<'_, T>,
    moments: [&mut [T]; MOST_MOMENTS],
    target: MaskedGradient<'_, T>,
) {
    T::sparse_backward(pool, update, delta, input, kernel, moments, target);
}

/// [`sparse_backward`], to be compiled once for each scalar type.
#[track_caller]
pub(crate) fn pass_backward<T: Scalar>(
    pool: &Pool,
    update: &Update<T>,
    delta: TiledRef<'_, T>,
    input: &Nonzeros<T>,
    kernel: TiledMut<'_, T>,
    moments: [&mut [T]; MOST_MOMENTS],
    target: MaskedGradient<'_, T>,
) {
    let (units, inputs) = (kernel.n_rows(), kernel.n_columns());
    check_shapes(pool, &delta, input, (units, inputs, kernel.tile_rows()), &target);
    let (height, n_tiles) = (kernel.tile_rows(), kernel.n_tiles());
    let kernel = kernel.into_slice();
    check_moments(update, kernel.len(), &moments);
    if inputs == 0 {
        return;
    }
    let MaskedGradient { gradient, scale, scratch } = target;
    let block = gradient.tile_rows();
    let kernel = TiledColumns::new(kernel, height, inputs, block);
    // A moment that the rule does not need has no rows.
    let [first, second, third] = moments.map(|moment| {
        let height = if moment.is_empty() { 0 } else { height };
        TiledColumns::new(moment, height, inputs, block)
    });
    let parts = (gradient, kernel, (first, second, third), PerThread(scratch));
    pool.for_each_part(1, parts, |tiles, (mut gradient, mut kernel, moments, scratch)| {
        let mut moments = <[_; MOST_MOMENTS]>::from(moments);
        let mut chunk = Chunk([T::ZERO; TILE_ROWS * TILE_ROWS]);
        let mut block = Block::new(pool.isa(), delta, input, scale, scratch);
        for (i, tile) in tiles.enumerate() {
            let inputs = block.inputs_of(tile, gradient.tile_rows());
            for tile in 0..n_tiles {
                let kernel = kernel.columns_mut(tile, inputs.clone());
                let moments = moments.each_mut().map(|moment| moment.columns_mut(tile, inputs.clone()));
                if pool.threads() > 1 {
                    take_lines_to_change(&mut *kernel); // threads divide a forward pass by tiles
                }
                let weights = &mut chunk.0[..kernel.len()];
                block.pass::<true>(tile, inputs.clone(), kernel, weights);
                update.apply(pool.isa(), kernel, weights, moments);
            }
            block.spread(inputs, gradient.tile_mut(i));
        }
    });
}

#[track_caller]
fn check_shapes<T: Scalar>(
    pool: &Pool,
    delta: &TiledRef<'_, T>,
    input: &Nonzeros<T>,
    (units, inputs, tile_rows): (usize, usize, usize),
    target: &MaskedGradient<'_, T>,
) {
    input.check_features_are_listed();
    let (gradient, scratch) = (&target.gradient, target.scratch.len());
    assert_eq!(delta.n_rows(), units, "units of delta and of the kernel");
    assert_eq!(delta.tile_rows(), tile_rows, "rows of the tiles of delta and of the kernel");
    assert_eq!(input.n_features(), inputs, "features of the input and columns of the kernel");
    assert_eq!(delta.n_columns(), input.n_samples(), "samples of delta and of the input");
    assert_eq!(gradient.n_rows(), inputs, "inputs of the gradient and columns of the kernel");
    assert_eq!(gradient.n_columns(), delta.n_columns(), "samples of the gradient and of delta");
    let needed = backward_scratch(delta.n_columns()) * pool.threads();
    assert!(scratch >= needed, "scratch of {scratch} elements, {needed} are needed");
}

/// What a thread needs for the inputs of one tile of ∇X.
struct Block<'a, T: Scalar> {
    isa: Isa,
    delta: TiledRef<'a, T>,
    input: &'a Nonzeros<T>,
    scale: T,
    /// Places of an input's sums.
    stride: usize,
    sums: &'a mut [T],
}

impl<'a, T: Scalar> Block<'a, T> {
    fn new(isa: Isa, delta: TiledRef<'a, T>, input: &'a Nonzeros<T>, scale: T, sums: &'a mut [T]) -> Self {
        Self { isa, delta, input, scale, stride: sums_stride(delta.n_columns()), sums }
    }

    fn inputs_of(&self, tile: usize, height: usize) -> Range<usize> {
        tile * height..self.input.n_features().min((tile + 1) * height)
    }

    /// Adds one tile's share to the sums of the block's `inputs`, and, if `WEIGHTS`, writes the weight gradient of this tile's
    /// columns.
    #[inline]
    fn pass<const WEIGHTS: bool>(
        &mut self,
        tile: usize,
        inputs: Range<usize>,
        kernel: &[T],
        weights: &mut [T],
    ) {
        let sums = &mut self.sums[..inputs.len() * self.stride];
        let delta = self.delta.tiles(tile..tile + 1);
        let overwrite = tile == 0;
        let (input, stride) = (self.input, self.stride);
        self.isa.run(Pass::<_, WEIGHTS> { delta, input, inputs, kernel, overwrite, stride, sums, weights });
    }

    /// Writes a tile of ∇X.
    fn spread(&mut self, inputs: Range<usize>, gradient: &mut [T]) {
        if self.delta.n_tiles() == 0 {
            return gradient.fill(T::ZERO);
        }
        let Self { isa, input, scale, stride, ref sums, .. } = *self;
        isa.run(Spread { input, inputs, scale, stride, sums, gradient });
    }
}

struct Pass<'a, T: Scalar, const WEIGHTS: bool> {
    /// One tile of Δ.
    delta: TiledRef<'a, T>,
    input: &'a Nonzeros<T>,
    inputs: Range<usize>,
    /// The inputs' columns of a tile of W.
    kernel: &'a [T],
    /// Whether this is the first tile.
    overwrite: bool,
    stride: usize,
    sums: &'a mut [T],
    weights: &'a mut [T],
}

impl<T: Scalar, const WEIGHTS: bool> Kernel<T> for Pass<'_, T, WEIGHTS> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<Element = T>>(self) {
        if WEIGHTS && V::REGISTERS < 32 {
            // Sixteen registers do not hold the kernel's column and the weight gradient's sums: one after the other.
            let columns = SparseColumns::new(self.delta, self.input, self.inputs.clone());
            Store { columns, gradient: &mut *self.weights }.run::<V>();
        }
        match self.delta.tile_rows() / LANES {
            1 => V::run_apart(PassOfHeight::<T, WEIGHTS, 1>(self)),
            2 => V::run_apart(PassOfHeight::<T, WEIGHTS, 2>(self)),
            3 => V::run_apart(PassOfHeight::<T, WEIGHTS, 3>(self)),
            _ => V::run_apart(PassOfHeight::<T, WEIGHTS, 4>(self)),
        }
    }
}

/// The same where tiles have `16 · TERMS` rows.
struct PassOfHeight<'a, T: Scalar, const WEIGHTS: bool, const TERMS: usize>(Pass<'a, T, WEIGHTS>);

impl<T: Scalar, const WEIGHTS: bool, const TERMS: usize> Kernel<T> for PassOfHeight<'_, T, WEIGHTS, TERMS> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<Element = T>>(self) {
        if WEIGHTS && V::REGISTERS >= 32 {
            self.0.inputs::<V, TERMS, true>();
        } else {
            self.0.inputs::<V, TERMS, false>();
        }
    }
}

impl<T: Scalar, const WEIGHTS: bool> Pass<'_, T, WEIGHTS> {
    /// The input gradient's sums, and `TOGETHER` with them the weight gradient.
    #[inline(always)]
    fn inputs<V: Vector<Element = T>, const TERMS: usize, const TOGETHER: bool>(self) {
        let height = TERMS * LANES;
        let zero = V::splat(T::ZERO);
        assert_eq!(self.delta.n_columns(), self.input.n_samples(), "samples of delta and of the input");
        for (i, input) in self.inputs.enumerate() {
            let (samples, values) = self.input.feature(input);
            let column = &self.kernel[i * height..(i + 1) * height];
            let mut nonzeros = Terms::<V, TERMS, TOGETHER> {
                delta: self.delta.tile(0),
                // SAFETY: a column of `height` elements.
                kernel: unsafe { load_column::<V, TERMS>(column.as_ptr()) },
                weights: [[zero; 4]; 4],
                samples: &[],
                values: &[],
                next: 0,
            };
            let sums = self.sums[i * self.stride..(i + 1) * self.stride].chunks_exact_mut(V::LANES);
            let lists = samples.chunks(V::LANES).zip(values.chunks(V::LANES));
            for ((samples, values), sums) in lists.zip(sums) {
                (nonzeros.samples, nonzeros.values, nonzeros.next) = (samples, values, 0);
                let [more] = if samples.len() == V::LANES {
                    fold(&mut Whole(&mut nonzeros))
                } else {
                    fold(&mut Cut(&mut nonzeros))
                };
                // SAFETY: chunks are as long as a vector.
                unsafe {
                    let before = if self.overwrite { zero } else { V::load(sums.as_ptr()) };
                    before.add(more).store(sums.as_mut_ptr());
                }
            }

            if TOGETHER {
                let target = &mut self.weights[i * height..(i + 1) * height];
                for (term, vectors) in nonzeros.weights.iter().enumerate().take(TERMS) {
                    for (j, vector) in vectors.iter().enumerate().take(LANES / V::LANES) {
                        let target = &mut target[term * LANES + j * V::LANES..][..V::LANES];
                        // SAFETY: as long as a vector.
                        unsafe { vector.add(zero).store(target.as_mut_ptr()) };
                    }
                }
            }
        }
    }
}

/// `sums ← column · x + sums`.
#[inline(always)]
fn add_scaled<V: Vector, const TERMS: usize>(sums: &mut Column<V>, column: &Column<V>, x: V) {
    for (sums, column) in sums.iter_mut().zip(column).take(TERMS) {
        for (sum, &row) in sums.iter_mut().zip(column).take(LANES / V::LANES) {
            *sum = row.mul_add(x, *sum);
        }
    }
}

/// Some of an input's nonzeros, no more than a vector has lanes, each a leaf. They follow in the order of the samples,
/// which the weight gradient needs, so their sums come out in the order of the tree's leaves.
struct Terms<'a, V: Vector, const TERMS: usize, const WEIGHTS: bool> {
    delta: &'a [V::Element],
    kernel: Column<V>,
    weights: Column<V>,
    samples: &'a [u32],
    values: &'a [V::Element],
    next: usize,
}

impl<V: Vector, const TERMS: usize, const WEIGHTS: bool> Terms<'_, V, TERMS, WEIGHTS> {
    #[inline(always)]
    fn next(&mut self) -> [V; 1] {
        let (sample, value) = (self.samples[self.next] as usize, self.values[self.next]);
        self.next += 1;
        // SAFETY: X's samples are below its `n_samples`, of which `Pass` found delta to have as many columns.
        let delta = unsafe { load_column::<V, TERMS>(self.delta.as_ptr().add(sample * TERMS * LANES)) };
        if WEIGHTS {
            add_scaled::<V, TERMS>(&mut self.weights, &delta, V::splat(value));
        }
        [multiply::<V, TERMS>(&delta, &self.kernel)]
    }
}

/// As many nonzeros as lanes.
struct Whole<'a, N>(&'a mut N);

impl<V: Vector, const TERMS: usize, const WEIGHTS: bool> Leaves<V, 1>
    for Whole<'_, Terms<'_, V, TERMS, WEIGHTS>>
{
    #[inline(always)]
    fn leaf(&mut self, _lane: usize) -> [V; 1] {
        self.0.next()
    }
}

/// Fewer, and zeros after them.
struct Cut<'a, N>(&'a mut N);

impl<V: Vector, const TERMS: usize, const WEIGHTS: bool> Leaves<V, 1>
    for Cut<'_, Terms<'_, V, TERMS, WEIGHTS>>
{
    #[inline(always)]
    fn leaf(&mut self, _lane: usize) -> [V; 1] {
        if self.0.next < self.0.samples.len() { self.0.next() } else { [V::splat(V::Element::ZERO)] }
    }
}

/// From the sums of a tile's inputs to the tile.
struct Spread<'a, T: Scalar> {
    input: &'a Nonzeros<T>,
    inputs: Range<usize>,
    scale: T,
    stride: usize,
    sums: &'a [T],
    gradient: &'a mut [T],
}

impl<T: Scalar> Kernel<T> for Spread<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<Element = T>>(self) {
        let places: [usize; LANES] = std::array::from_fn(|leaf| lane_of_leaf(leaf % V::LANES, V::LANES));
        let height = self.gradient.len().checked_div(self.input.n_samples()).unwrap_or(0);
        self.gradient.fill(T::ZERO);
        for (i, input) in self.inputs.enumerate() {
            let sums = &self.sums[i * self.stride..(i + 1) * self.stride];
            let samples = self.input.feature(input).0.chunks(V::LANES);
            for (samples, sums) in samples.zip(sums.chunks_exact(V::LANES)) {
                for (&sample, &place) in samples.iter().zip(&places) {
                    self.gradient[sample as usize * height + i] = sums[place] * self.scale + T::ZERO;
                }
            }
        }
    }
}
