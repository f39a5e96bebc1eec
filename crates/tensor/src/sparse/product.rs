//! The product of a dense and a sparse matrix, `Z ← epilogue(W·X)`: a dense layer's forward pass that skips zeros.
//!
//! ```text
//! loop 3: tiles of W and Z            as many as fill the registers: 64 or 128 units, half a tile where vectors are short
//! loop 2: features in blocks          the block of W's tiles stays in the first-level cache
//! loop 1: samples                     Z's column of the tiles in registers, from Z and back to it
//! loop 0: nonzeros of the sample      one value in all lanes, times one column of W's tiles: 256 bytes in a row or two
//! ```
//!
//! A column of eight registers takes one load and one fused multiply-add a register and nonzero, and one more load for
//! the value: the loads, two a cycle, leave 8/9 of the machine's peak. Eight independent chains are also what hides the
//! latency of four cycles. With 64 units, four chains of 512 bits, the same loop stops at half the peak.

use super::{BLOCK_FEATURES, BySample, Nonzeros};
use crate::arch::{LINE_BYTES, Vector};
use crate::gemm::Epilogue;
use crate::isa::Kernel;
use crate::pool::{Pool, Runs};
use crate::scalar::Scalar;
use crate::tiled::{TILE_ROWS, TiledMut, TiledRef};
use std::ops::Range;

/// Registers that hold a column of Z.
const MOST_SUMS: usize = 8;
/// Bytes of W that stay in the first-level cache of 32 KiB or more, when every column of the block is used.
const BLOCK_BYTES: usize = 32 * 1024;
/// Up to this density two blocks are taken together even where they do not fit: their columns are used by so few samples that
/// not all need to stay, and Z is loaded and stored half as often. Measured with AVX-512; the two cross between 0.25 and 0.3.
const LOW_DENSITY: f64 = 0.25;
/// So many samples use nearly all of W's columns, which are then worth fetching ahead.
const SAMPLES_TO_PREFETCH: usize = 32;
/// From this density the dense product can be faster, as [`prefers_sparse`] says.
const DENSE_DENSITY: f64 = 0.45;

/// Whether [`sparse_gemm`] is worth its while at this density of X: below 0.45.
///
/// Measured with the search for nonzeros (`cargo bench -p densely-tensor --bench sparse`; `docs/benchmarks.md` has the figures): the
/// forward products cross between 0.4 and 0.5, where the backward pass, which takes the same lists, still gains.
///
/// ```
/// assert!(densely_tensor::prefers_sparse(0.19)); // digits
/// assert!(!densely_tensor::prefers_sparse(0.5));
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
    let few = x.density() <= LOW_DENSITY;
    let multiply = |z: &mut [T], tiles: Range<usize>, samples: Range<usize>| {
        let w = w.tiles(tiles.clone());
        let bias = epilogue.bias().map(|bias| &bias[rows_of(&tiles)]);
        let rectify = epilogue.rectifies();
        let part = Product { z, w, height, x, samples: samples.clone(), bias, rectify, few };
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
    /// Whether nonzeros are so few that larger blocks pay.
    few: bool,
}

impl<T: Scalar> Kernel<T> for Product<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<Element = T>>(mut self) {
        let tiles = self.w.n_tiles();
        let mut done = 0;
        if 2 * TILE_ROWS == MOST_SUMS * V::LANES && self.height == TILE_ROWS {
            while done + 2 <= tiles {
                self.multiply_strip::<V, { MOST_SUMS / 2 }, 2>(done, 0);
                done += 2;
            }
        }
        for tile in done..tiles {
            let mut row = 0;
            while row < self.height {
                let vectors = match (self.height - row) / V::LANES {
                    1 => self.multiply_strip::<V, 1, 1>(tile, row),
                    2..=3 => self.multiply_strip::<V, 2, 1>(tile, row),
                    4..MOST_SUMS => self.multiply_strip::<V, 4, 1>(tile, row),
                    _ => self.multiply_strip::<V, MOST_SUMS, 1>(tile, row),
                };
                row += vectors * V::LANES;
            }
        }
        self.clear_padding();
    }
}

impl<T: Scalar> Product<'_, T> {
    /// Computes a strip of Z: of `TILES` tiles from number `tile`, `MV` vectors of rows from row `row`. Returns `MV`.
    #[inline(always)]
    #[allow(clippy::needless_range_loop)] // indices keep the sums in registers; iterators leave them in memory
    fn multiply_strip<V: Vector<Element = T>, const MV: usize, const TILES: usize>(
        &mut self,
        tile: usize,
        row: usize,
    ) -> usize {
        assert!(row + MV * V::LANES <= self.height, "rows of a strip");
        let (x, height, columns) = (self.x, self.height, self.samples.len());
        let bias = self.padded_bias::<TILES>(tile);
        let rectify = self.rectify;
        let (n_features, blocks) = (x.n_features, x.n_features.div_ceil(BLOCK_FEATURES));
        let x = BySample::new(&x.by_sample, &x.block_ends, blocks);
        let step = (BLOCK_BYTES / (TILES * MV * V::LANES * T::SIZE * BLOCK_FEATURES)).max(if self.few {
            2
        } else {
            1
        });
        // Elements of the next block, or the next tile's first, that are fetched from further caches with each sample.
        let ahead = if columns >= SAMPLES_TO_PREFETCH {
            (step * BLOCK_FEATURES * height).div_ceil(columns).next_multiple_of(LINE_BYTES / T::SIZE)
        } else {
            0
        };
        let w: [&[T]; TILES] = std::array::from_fn(|t| {
            let tile = self.w.tile(tile + t);
            &tile[row.min(tile.len())..] // without columns there are no rows to skip
        });
        let (z, z_len) = (self.z.as_mut_ptr(), self.z.len());

        let zero = V::splat(T::ZERO);
        let mut first_block = 0;
        // At least one round, so that a batch without features still gives epilogue(0).
        loop {
            let end_block = (first_block + step).min(blocks);
            let last = end_block == blocks;
            for column in 0..columns {
                let (indices, values) = x.nonzeros(self.samples.start + column, first_block..end_block);
                let start = (tile * columns + column) * height + row;
                let z: [*mut T; TILES] = std::array::from_fn(|t| {
                    let start = start + t * columns * height;
                    assert!(start + MV * V::LANES <= z_len, "elements of Z");
                    // SAFETY: `start` was checked to lie in `self.z`.
                    unsafe { z.add(start) }
                });
                let next = if last { TILES * n_features } else { end_block * BLOCK_FEATURES };
                for w in w {
                    V::prefetch_run(w.as_ptr().wrapping_add(next * height + column * ahead), ahead);
                }
                let mut sums = [[zero; MV]; TILES];
                if first_block > 0 {
                    for t in 0..TILES {
                        for i in 0..MV {
                            // SAFETY: z points at MV vectors of `self.z`, as was checked.
                            sums[t][i] = unsafe { V::load(z[t].add(i * V::LANES)) };
                        }
                    }
                }
                for (&feature, &value) in indices.iter().zip(values) {
                    let value = V::splat(value);
                    let start = feature as usize * height;
                    for t in 0..TILES {
                        for i in 0..MV {
                            // SAFETY: a list's features are less than X's, which are W's columns (checked by
                            // `multiply`); each has `height` elements in a tile, and the strip's rows are among
                            // them, as asserted above.
                            let column = unsafe { V::load(w[t].as_ptr().add(start + i * V::LANES)) };
                            sums[t][i] = column.mul_add(value, sums[t][i]);
                        }
                    }
                }
                if last {
                    for t in 0..TILES {
                        for i in 0..MV {
                            // SAFETY: the strip's rows are among the tile's, which `bias` has.
                            let bias = unsafe { V::load(bias[t].as_ptr().add(row + i * V::LANES)) };
                            let sum = sums[t][i].add(bias);
                            sums[t][i] = if rectify { sum.relu() } else { sum.add(zero) };
                        }
                    }
                }
                for t in 0..TILES {
                    for i in 0..MV {
                        // SAFETY: as for the load.
                        unsafe { sums[t][i].store(z[t].add(i * V::LANES)) };
                    }
                }
            }
            if last {
                return MV;
            }
            first_block = end_block;
        }
    }

    /// The bias of consecutive tiles; zeros without one, and in rows of padding.
    #[inline(always)]
    fn padded_bias<const TILES: usize>(&self, tile: usize) -> [[T; TILE_ROWS]; TILES] {
        let mut padded = [[T::ZERO; TILE_ROWS]; TILES];
        if let Some(bias) = self.bias {
            for (padded, bias) in padded.iter_mut().zip(bias[tile * self.height..].chunks(self.height)) {
                padded[..bias.len()].copy_from_slice(bias);
            }
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
