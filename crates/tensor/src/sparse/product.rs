//! The product of a dense and a sparse matrix, `Z ← epilogue(W·X)`: a dense layer's forward pass that skips zeros.
//!
//! ```text
//! loop 3: tiles of W and Z            a strip of rows, up to eight registers: 64 units, or 32 where vectors have four lanes
//! loop 2: features in blocks          the strip of W's block stays in the first-level cache, or near it
//! loop 1: samples, one or two         Z's columns of the strip in registers, from Z and back to it
//! loop 0: nonzeros of the samples     one value in all lanes, times one column of the strip of W, contiguous
//! ```
//!
//! A nonzero takes one load and one fused multiply-add a register, and a load each for the value and for its number. Eight
//! independent chains hide the latency of four cycles at two multiply-adds a cycle: where a column is four registers (512
//! bits) or fewer, two samples pass side by side.

use super::{BLOCK_FEATURES, BySample, Nonzeros};
use crate::arch::{LINE_BYTES, Vector};
use crate::gemm::Epilogue;
use crate::isa::Kernel;
use crate::pool::{Pool, Runs};
use crate::scalar::Scalar;
use crate::tiled::{TILE_ROWS, TiledMut, TiledRef};
use std::ops::Range;

/// Registers that hold columns of Z.
const MOST_SUMS: usize = 8;
/// Bytes of W in a block, at most. More than a first-level cache of 32 KiB: what a sample costs beside its nonzeros is paid once a
/// block, and columns that come from the second level cost less than that up to here.
const BLOCK_BYTES: usize = 48 * 1024;
/// So many samples use nearly all of W's columns, which are then worth fetching ahead.
const SAMPLES_TO_PREFETCH: usize = 32;
/// From this density the dense product can be faster, as [`prefers_sparse`] says.
const DENSE_DENSITY: f64 = 0.55;

/// Whether [`sparse_gemm`] is worth its while at this density of X: below 0.55.
///
/// Measured with the search for nonzeros (`cargo bench -p densely-tensor --bench sparse`; `docs/benchmarks.md` has the figures): the
/// forward products cross between 0.5 and 0.6, where the backward pass, which takes the same lists, still gains a third.
///
/// ```
/// assert!(densely_tensor::prefers_sparse(0.19)); // digits
/// assert!(!densely_tensor::prefers_sparse(0.6));
/// ```
pub fn prefers_sparse(density: f64) -> bool {
    density < DENSE_DENSITY
}

/// `Z ← epilogue(W·X)` with W units × inputs in tiles, X inputs × samples sparse, Z units × samples in tiles, on all
/// threads of `pool`.
///
/// For finite operands the bits are those of the dense product ([`gemm`](crate::gemm()) with α = 1 and β = 0). Where X
/// has a zero, W is not read: zero times infinity or NaN, NaN in the dense product, adds nothing here. All else
/// propagates as IEEE 754 says: a NaN or an infinity of X (they are nonzeros), and one of W where X is not zero. What is
/// skipped depends on X alone, never on the machine. Padding rows of Z become zeros in any case.
///
/// # Panics
///
/// If the shapes do not fit together; the message names the operands.
///
/// # Examples
///
/// ```
/// use densely_tensor::{Epilogue, MatRef, Nonzeros, Pool, Tiled, sparse_gemm};
///
/// let pool = Pool::default();
/// let w = Tiled::from(MatRef::from_slice(&[1.0, 3.0, 2.0, 4.0], 2, 2)); // (1 2 / 3 4)
/// let mut x = Nonzeros::new(2, 1);
/// x.fill_from_columns(&pool, MatRef::from_slice(&[0.0, 6.0], 2, 1));
/// let mut z = Tiled::zeros(2, 1);
/// sparse_gemm(&pool, z.as_mut(), w.as_ref(), &x, Epilogue::Bias(&[0.5, 0.0]));
/// assert_eq!([z.as_ref().get(0, 0), z.as_ref().get(1, 0)], [12.5, 24.0]);
/// ```
#[track_caller]
pub fn sparse_gemm<T: Scalar>(
    pool: &Pool,
    z: TiledMut<'_, T>,
    w: TiledRef<'_, T>,
    x: &Nonzeros<T>,
    epilogue: Epilogue<'_, T>,
) {
    T::sparse_gemm(pool, z, w, x, epilogue);
}

/// [`sparse_gemm`], to be compiled once for each scalar type.
#[track_caller]
pub(crate) fn multiply<T: Scalar>(
    pool: &Pool,
    mut z: TiledMut<'_, T>,
    w: TiledRef<'_, T>,
    x: &Nonzeros<T>,
    epilogue: Epilogue<'_, T>,
) {
    let (units, samples, inputs) = (z.n_rows(), z.n_columns(), w.n_columns());
    assert!(
        w.n_rows() == units && x.n_features() == inputs && x.n_samples() == samples,
        "sparse_gemm: Z is {units} × {samples}, W {} × {inputs}, X {} × {}; expected {units} × {samples}, \
         {units} × {inputs}, {inputs} × {samples}",
        w.n_rows(),
        x.n_features(),
        x.n_samples(),
    );
    assert!(
        w.tile_rows() == z.tile_rows(),
        "sparse_gemm: tiles of Z have {} rows, those of W {}",
        z.tile_rows(),
        w.tile_rows()
    );
    epilogue.check("sparse_gemm", units, samples);
    if units == 0 || samples == 0 {
        return;
    }
    let (tiles, height, threads) = (z.n_tiles(), z.tile_rows(), pool.threads());
    let rows_of = |tiles: &Range<usize>| tiles.start * height..units.min(tiles.end * height);
    let multiply = |z: &mut [T], tiles: Range<usize>, samples: Range<usize>| {
        let w = w.tiles(tiles.clone());
        let bias = epilogue.bias().map(|bias| &bias[rows_of(&tiles)]);
        let rectify = epilogue.rectifies();
        let part = Product { z, w, height, x, samples: samples.clone(), bias, rectify };
        pool.isa().run(part);
        if epilogue.has_rest() {
            let columns = tiles.flat_map(|tile| samples.clone().map(move |sample| (tile, sample)));
            for ((tile, sample), z) in columns.zip(z.chunks_exact_mut(height)) {
                let rows = rows_of(&(tile..tile + 1));
                let there = &mut z[..rows.len()];
                epilogue.finish(pool.isa(), rows, sample, there);
            }
        }
    };
    // Whole tiles for each thread where they come out nearly even; else each thread takes some samples of every tile.
    if tiles.is_multiple_of(threads) || tiles >= 4 * threads {
        pool.for_each_part(1, z, |range, part| multiply(part.into_slice(), range, 0..samples));
    } else {
        for tile in 0..tiles {
            pool.for_each_part(1, Runs::new(z.tile_mut(tile), height), |samples, z| {
                multiply(z, tile..tile + 1, samples);
            });
        }
    }
}

/// One thread's part, with at least one tile and one sample.
struct Product<'a, T: Scalar> {
    /// The samples' columns of some tiles, tile after tile.
    z: &'a mut [T],
    /// The same tiles, of as many columns as X has features.
    w: TiledRef<'a, T>,
    /// Rows of a tile.
    height: usize,
    x: &'a Nonzeros<T>,
    samples: Range<usize>,
    bias: Option<&'a [T]>,
    rectify: bool,
}

impl<T: Scalar> Kernel<T> for Product<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<Element = T>>(mut self) {
        for tile in 0..self.w.n_tiles() {
            let mut row = 0;
            while row < self.height {
                let vectors = match (self.height - row) / V::LANES {
                    1 => self.multiply_strip::<V, 1, 2>(tile, row),
                    2..=3 => self.multiply_strip::<V, 2, 2>(tile, row),
                    4..MOST_SUMS => self.multiply_strip::<V, 4, 2>(tile, row),
                    _ => self.multiply_strip::<V, MOST_SUMS, 1>(tile, row),
                };
                row += vectors * V::LANES;
            }
        }
        self.clear_padding();
    }
}

impl<T: Scalar> Product<'_, T> {
    /// Computes a strip of Z, `MV` vectors of rows of a tile from row `row` on, `TOGETHER` samples at a time. Returns `MV`.
    #[inline(always)]
    fn multiply_strip<V: Vector<Element = T>, const MV: usize, const TOGETHER: usize>(
        &mut self,
        tile: usize,
        row: usize,
    ) -> usize {
        assert!(row + MV * V::LANES <= self.height, "rows of a strip");
        let (x, height, samples) = (self.x, self.height, self.samples.len());
        assert!(self.samples.end <= x.n_samples, "samples of X");
        assert!(self.w.n_columns() == x.n_features && self.w.tile_rows() == height, "columns of W's tiles");
        let blocks = x.n_features.div_ceil(BLOCK_FEATURES);
        let step = (BLOCK_BYTES / (MV * V::LANES * T::SIZE * BLOCK_FEATURES)).max(1);
        // Elements of the tile's next block, or the next tile's first, that are fetched from further caches with each sample.
        let ahead = if samples >= SAMPLES_TO_PREFETCH {
            (step * BLOCK_FEATURES * height).div_ceil(samples).next_multiple_of(LINE_BYTES / T::SIZE)
        } else {
            0
        };
        let bias = self.padded_bias(tile);
        let w = self.w.tile(tile);
        let z = &mut self.z[tile * samples * height..(tile + 1) * samples * height];
        let mut first_block = 0;
        // At least one round, so that a batch without features still gives epilogue(0).
        loop {
            let end_block = (first_block + step).min(blocks);
            let is_last = end_block == blocks;
            let next = if is_last { w.len() } else { end_block * BLOCK_FEATURES * height };
            let strip = Strip::<V> {
                w: &w[row.min(w.len())..], // without features there are no rows to skip
                height,
                x: BySample::new(&x.by_sample, &x.block_ends, blocks),
                blocks: first_block..end_block,
                bias: is_last.then_some(&bias[row..]),
                rectify: self.rectify,
                next: w.as_ptr().wrapping_add(next),
                ahead,
            };
            let mut groups = z.chunks_exact_mut(TOGETHER * height);
            let mut sample = self.samples.start;
            for group in &mut groups {
                strip.add_blocks::<MV, TOGETHER>(sample, row, group);
                strip.fetch::<TOGETHER>(sample - self.samples.start);
                sample += TOGETHER;
            }
            if TOGETHER > 1 {
                for group in groups.into_remainder().chunks_exact_mut(height) {
                    strip.add_blocks::<MV, 1>(sample, row, group);
                    strip.fetch::<1>(sample - self.samples.start);
                    sample += 1;
                }
            }
            if is_last {
                return MV;
            }
            first_block = end_block;
        }
    }

    /// The bias of a tile; zeros without one, and in rows of padding.
    #[inline(always)]
    fn padded_bias(&self, tile: usize) -> [T; TILE_ROWS] {
        let mut padded = [T::ZERO; TILE_ROWS];
        if let Some(bias) = self.bias {
            let bias = &bias[tile * self.height..];
            let bias = &bias[..bias.len().min(self.height)];
            padded[..bias.len()].copy_from_slice(bias);
        }
        padded
    }

    /// Rows of padding hold zeros, also where a zero of W's padding met an infinite X.
    #[inline(always)]
    fn clear_padding(&mut self) {
        let padding = self.w.n_tiles() * self.height - self.w.n_rows();
        if padding > 0 {
            let last_tile = self.z.len() - self.samples.len() * self.height;
            for column in self.z[last_tile..].chunks_exact_mut(self.height) {
                column[self.height - padding..].fill(T::ZERO);
            }
        }
    }
}

/// Some vectors of rows of a tile, and some blocks of features.
struct Strip<'a, V: Vector> {
    /// The tile of W, from the first of the rows on.
    w: &'a [V::Element],
    /// Rows of a tile.
    height: usize,
    x: BySample<'a, V::Element>,
    blocks: Range<usize>,
    /// The rows' bias, if these blocks are the last.
    bias: Option<&'a [V::Element]>,
    rectify: bool,
    /// The block of W, or the tile, that follows, of which each sample has `ahead` elements fetched.
    next: *const V::Element,
    ahead: usize,
}

impl<V: Vector> Strip<'_, V> {
    /// Has what comes next brought nearer, the part of the samples from number `sample` of the strip on.
    #[inline(always)]
    fn fetch<const SAMPLES: usize>(&self, sample: usize) {
        V::prefetch_run(self.next.wrapping_add(sample * self.ahead), SAMPLES * self.ahead);
    }

    /// Adds the blocks' terms to `MV` vectors of rows, from row `row` on, of the `SAMPLES` columns of Z from sample `sample`
    /// on.
    #[inline(always)]
    #[allow(clippy::needless_range_loop)] // indices keep the sums in registers; iterators leave them in memory
    fn add_blocks<const MV: usize, const SAMPLES: usize>(
        &self,
        sample: usize,
        row: usize,
        z: &mut [V::Element],
    ) {
        // The usual height is known to the compiler.
        let height = if MV * V::LANES == TILE_ROWS { TILE_ROWS } else { self.height };
        assert!(row + MV * V::LANES <= height && z.len() == SAMPLES * height, "elements of Z");
        let z = z[row..].as_mut_ptr();
        let zero = V::splat(V::Element::ZERO);
        let mut lists = [(&[][..], &[][..]); SAMPLES];
        let mut shortest = usize::MAX;
        for n in 0..SAMPLES {
            lists[n] = self.x.nonzeros(sample + n, self.blocks.clone());
            shortest = shortest.min(lists[n].0.len()).min(lists[n].1.len());
        }
        let mut sums = [[zero; MV]; SAMPLES];
        if self.blocks.start > 0 {
            for n in 0..SAMPLES {
                for i in 0..MV {
                    // SAFETY: Z has SAMPLES columns of `height` rows, MV vectors of which from `row` on, as asserted.
                    sums[n][i] = unsafe { V::load(z.add(n * height + i * V::LANES)) };
                }
            }
        }
        for k in 0..shortest {
            for n in 0..SAMPLES {
                // SAFETY: no list is shorter than this.
                let (&feature, &value) =
                    unsafe { (lists[n].0.get_unchecked(k), lists[n].1.get_unchecked(k)) };
                // SAFETY: features as in `add_term`.
                unsafe { self.add_term(&mut sums[n], feature as usize * height, value) };
            }
        }
        for n in 0..SAMPLES {
            for (&feature, &value) in lists[n].0[shortest..].iter().zip(&lists[n].1[shortest..]) {
                // SAFETY: features as in `add_term`.
                unsafe { self.add_term(&mut sums[n], feature as usize * height, value) };
            }
        }
        if let Some(bias) = self.bias {
            assert!(bias.len() >= MV * V::LANES, "rows of the bias");
            for n in 0..SAMPLES {
                for i in 0..MV {
                    // SAFETY: `bias` has MV vectors.
                    let bias = unsafe { V::load(bias.as_ptr().add(i * V::LANES)) };
                    let sum = sums[n][i].add(bias);
                    sums[n][i] = if self.rectify { sum.relu() } else { sum.add(zero) };
                }
            }
        }
        for n in 0..SAMPLES {
            for i in 0..MV {
                // SAFETY: as for the load.
                unsafe { sums[n][i].store(z.add(n * height + i * V::LANES)) };
            }
        }
    }

    /// `sums ← sums + w·x` with a column of W that begins at element `start`.
    ///
    /// # Safety
    ///
    /// `start` must be a multiple of the tile's height that a feature of one of X's samples gives: X's features are W's columns,
    /// each of which has the strip's rows, as `multiply_strip` asserts.
    #[inline(always)]
    unsafe fn add_term<const MV: usize>(&self, sums: &mut [V; MV], start: usize, x: V::Element) {
        let x = V::splat(x);
        for (i, sum) in sums.iter_mut().enumerate() {
            // SAFETY: the caller vouches for the column.
            let w = unsafe { V::load(self.w.as_ptr().add(start + i * V::LANES)) };
            *sum = w.mul_add(x, *sum);
        }
    }
}
