//! Finding the nonzeros of a batch: by sample first, from any source of values, then by feature from those lists.

use super::{BLOCK_FEATURES, BySample, Nonzeros, list_stride};
use crate::arch::lines::take_lines_to_fill;
use crate::arch::{MOST_LANES, Vector};
use crate::isa::Kernel;
use crate::pool::{Pool, Runs};
use crate::scalar::Scalar;
use crate::tiled::TiledRef;
use crate::view::MatRef;

/// Where the values of a batch come from.
pub(super) trait Source<T: Scalar>: Sync {
    /// Has a sample that comes later brought nearer, if it does not lie behind the one before; there need not be one.
    #[inline(always)]
    fn fetch<V: Vector<Element = T>>(&self, _sample: usize) {}

    /// The values of a block of a sample's features: [`BLOCK_FEATURES`], or fewer at the end. `space` is there to put
    /// them.
    fn block<'a>(&'a self, sample: usize, block: usize, space: &'a mut [T; BLOCK_FEATURES]) -> &'a [T];

    /// Last changes to a sample's nonzeros: a source may give stand-ins for what is costly to compute.
    #[inline(always)]
    fn finish(&self, _sample: usize, _indices: &[u32], _values: &mut [T]) {}
}

/// A batch in tiles. A tile's height is a block of features, or there is one tile.
pub(super) struct Tiles<'a, T>(pub(super) TiledRef<'a, T>);

impl<T: Scalar> Source<T> for Tiles<'_, T> {
    #[inline(always)]
    fn block<'a>(&'a self, sample: usize, block: usize, _space: &'a mut [T; BLOCK_FEATURES]) -> &'a [T] {
        let rows = (self.0.n_rows() - block * BLOCK_FEATURES).min(BLOCK_FEATURES);
        &self.0.tile(block)[sample * self.0.tile_rows()..][..rows]
    }
}

/// A batch with contiguous columns.
pub(super) struct Columns<'a, T>(pub(super) MatRef<'a, T>);

impl<T: Scalar> Source<T> for Columns<'_, T> {
    #[inline(always)]
    fn block<'a>(&'a self, sample: usize, block: usize, _space: &'a mut [T; BLOCK_FEATURES]) -> &'a [T] {
        block_of(self.0.column(sample), block)
    }
}

/// Samples of bytes that stand for values.
pub(super) struct Bytes<'a, T> {
    n_features: usize,
    bytes: &'a [u8],
    /// Which sample each column of the batch is.
    order: &'a [u32],
    values: &'a [T; 256],
    /// Whether byte 0 stands for 0 and no other does: then only the nonzeros have to be looked up.
    zero_is_zero: bool,
}

impl<'a, T: Scalar> Bytes<'a, T> {
    pub(super) fn new(n_features: usize, bytes: &'a [u8], order: &'a [u32], values: &'a [T; 256]) -> Self {
        let zero_is_zero = values.iter().enumerate().all(|(byte, &value)| (byte == 0) == (value == T::ZERO));
        Self { n_features, bytes, order, values, zero_is_zero }
    }

    #[inline(always)]
    fn sample(&self, sample: usize) -> &[u8] {
        &self.bytes[self.order[sample] as usize * self.n_features..][..self.n_features]
    }
}

impl<T: Scalar> Source<T> for Bytes<'_, T> {
    #[inline(always)]
    fn fetch<V: Vector<Element = T>>(&self, sample: usize) {
        if sample < self.order.len() {
            let bytes = self.sample(sample);
            V::prefetch_run(bytes.as_ptr().cast(), bytes.len() / T::SIZE);
        }
    }

    #[inline(always)]
    fn block<'a>(&'a self, sample: usize, block: usize, space: &'a mut [T; BLOCK_FEATURES]) -> &'a [T] {
        let bytes = block_of(self.sample(sample), block);
        let places = space.iter_mut().zip(bytes);
        if self.zero_is_zero {
            places.for_each(|(value, &byte)| *value = T::from(byte));
        } else {
            places.for_each(|(value, &byte)| *value = self.values[usize::from(byte)]);
        }
        &space[..bytes.len()]
    }

    #[inline(always)]
    fn finish(&self, sample: usize, indices: &[u32], values: &mut [T]) {
        if self.zero_is_zero {
            let bytes = self.sample(sample);
            for (value, &index) in values.iter_mut().zip(indices) {
                *value = self.values[usize::from(bytes[index as usize])];
            }
        }
    }
}

fn block_of<T>(sample: &[T], block: usize) -> &[T] {
    let rest = &sample[block * BLOCK_FEATURES..];
    &rest[..rest.len().min(BLOCK_FEATURES)]
}

impl<T: Scalar> Nonzeros<T> {
    /// The lists by sample. There is at least one feature and one sample.
    pub(super) fn fill_samples(&mut self, pool: &Pool, source: &impl Source<T>) {
        let (samples, stride) = (self.n_samples, list_stride(self.n_features));
        let blocks = self.n_features.div_ceil(BLOCK_FEATURES);
        let lists = &mut self.by_sample;
        let parts = (
            Runs::new(&mut lists.indices[..samples * stride], stride),
            Runs::new(&mut lists.values[..samples * stride], stride),
            &mut lists.starts[..samples],
            &mut lists.lengths[..samples],
            Runs::new(&mut self.block_ends[..samples * blocks], blocks),
        );
        pool.for_each_part(1, parts, |range, (indices, values, starts, lengths, block_ends)| {
            let first = range.start;
            take_lines_of_lists(pool, first * stride, starts, lengths, indices, values);
            let ends = block_ends.chunks_exact_mut(blocks);
            pool.isa().run(CompressSamples { source, first, stride, indices, values, starts, lengths, ends });
        });
    }

    /// The lists by feature, from those by sample. There is at least one feature and one sample.
    pub(super) fn fill_features(&mut self, pool: &Pool) {
        let (features, samples, stride) = (self.n_features, self.n_samples, list_stride(self.n_samples));
        let blocks = features.div_ceil(BLOCK_FEATURES);
        let (by_sample, lists) =
            (BySample::new(&self.by_sample, &self.block_ends, blocks), &mut self.by_feature);
        let parts = (
            Runs::new(&mut lists.indices[..features * stride], stride),
            Runs::new(&mut lists.values[..features * stride], stride),
            &mut lists.starts[..features],
            &mut lists.lengths[..features],
        );
        pool.for_each_part(BLOCK_FEATURES, parts, |range, (indices, values, starts, lengths)| {
            let first = range.start;
            take_lines_of_lists(pool, first * stride, starts, lengths, indices, values);
            pool.isa().run(ListFeatures {
                by_sample,
                samples,
                first,
                stride,
                indices,
                values,
                starts,
                lengths,
            });
        });
    }
}

/// Writes what of whole vectors is not zero to the front of `values`, and where it stands, counted from `first`, to `indices`;
/// returns how many there are. What lies behind them, as far as there are vectors, may be overwritten with anything.
///
/// # Panics
///
/// If there are not as many places as elements.
#[inline(always)]
fn store_nonzeros<V: Vector>(
    vectors: &[V::Element],
    first: u32,
    indices: &mut [u32],
    values: &mut [V::Element],
) -> usize {
    assert!(indices.len() >= vectors.len() && values.len() >= vectors.len(), "places for all elements");
    let mut count = 0;
    for (k, vector) in vectors.chunks_exact(V::LANES).enumerate() {
        let first = first + (k * V::LANES) as u32;
        // SAFETY: the vector has LANES elements. At most k · LANES nonzeros were counted, so as many places as lanes are left.
        count += unsafe {
            let (indices, values) = (indices.as_mut_ptr().add(count), values.as_mut_ptr().add(count));
            V::load(vector.as_ptr()).store_nonzeros(first, indices, values)
        };
    }
    count
}

/// Nonzeros whose lines are taken: more would leave the second-level cache before they are written.
const MOST_TAKEN: usize = 16 * 1024;

/// Takes the cache lines of the places that lists were in, which other threads have read. `base` is where the first of the lists
/// would start if all were full.
fn take_lines_of_lists<T: Scalar>(
    pool: &Pool,
    base: usize,
    starts: &[usize],
    lengths: &[u32],
    indices: &mut [u32],
    values: &mut [T],
) {
    if pool.threads() == 1 {
        return;
    }
    let mut taken = 0;
    for (&start, &length) in starts.iter().zip(lengths) {
        // The lists of a batch of another shape may have been elsewhere.
        let start = start.wrapping_sub(base);
        let range = start..start.wrapping_add(length as usize);
        if let (Some(indices), Some(values)) = (indices.get_mut(range.clone()), values.get_mut(range)) {
            take_lines_to_fill(indices);
            take_lines_to_fill(values);
        }
        taken += length as usize;
        if taken > MOST_TAKEN {
            break;
        }
    }
}

/// How many samples ahead one is fetched: samples in random order come from main memory.
const SAMPLES_AHEAD: usize = 2;

/// Samples that are turned from lists by sample into lists by feature at a time.
const CHUNK_SAMPLES: usize = 128;
/// Places of a feature in [`Rows`]: one cache line more than a chunk, so that the features of a sample are not all in the same
/// sets of the cache.
const ROW: usize = CHUNK_SAMPLES + MOST_LANES;

/// A block of features as rows of a chunk's samples, in between: a list's next place need not be known to put a value there.
#[repr(align(64))]
struct Rows<T>([[T; ROW]; BLOCK_FEATURES]);

/// The lists of consecutive features, of which the first begins a block.
struct ListFeatures<'a, T: Scalar> {
    by_sample: BySample<'a, T>,
    samples: usize,
    /// Number of the first feature.
    first: usize,
    /// Places of a full list.
    stride: usize,
    indices: &'a mut [u32],
    values: &'a mut [T],
    starts: &'a mut [usize],
    lengths: &'a mut [u32],
}

impl<T: Scalar> Kernel<T> for ListFeatures<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<Element = T>>(self) {
        let mut rows = Rows([[T::ZERO; ROW]; BLOCK_FEATURES]);
        // Lists of several chunks grow at the same time, each in its own place; those of one follow without gaps.
        let grow = self.samples > CHUNK_SAMPLES;
        let mut position = 0;
        self.lengths.fill(0);
        let blocks = self.starts.chunks_mut(BLOCK_FEATURES).zip(self.lengths.chunks_mut(BLOCK_FEATURES));
        for (i, (starts, lengths)) in blocks.enumerate() {
            let first = self.first + i * BLOCK_FEATURES;
            let block = first / BLOCK_FEATURES;
            for chunk in (0..self.samples).step_by(CHUNK_SAMPLES) {
                let samples = chunk..self.samples.min(chunk + CHUNK_SAMPLES);
                for sample in samples.clone() {
                    let (features, values) = self.by_sample.nonzeros(sample, block..block + 1);
                    for (&feature, &value) in features.iter().zip(values) {
                        rows.0[feature as usize % BLOCK_FEATURES][sample - chunk] = value;
                    }
                }
                let features = rows.0.iter_mut().zip(starts.iter_mut().zip(lengths.iter_mut()));
                for (j, (row, (start, length))) in features.enumerate() {
                    if grow {
                        position = (i * BLOCK_FEATURES + j) * self.stride + *length as usize;
                    }
                    let row = &mut row[..samples.len().next_multiple_of(V::LANES)];
                    let indices = &mut self.indices[position..][..row.len()];
                    let values = &mut self.values[position..][..row.len()];
                    let count = store_nonzeros::<V>(row, chunk as u32, indices, values);
                    row.fill(T::ZERO);
                    if chunk == 0 {
                        *start = self.first * self.stride + position;
                    }
                    *length += count as u32;
                    position += count;
                }
            }
        }
    }
}

/// The lists of consecutive samples.
struct CompressSamples<'a, T, S> {
    source: &'a S,
    /// Number of the first sample.
    first: usize,
    /// Places of a full list.
    stride: usize,
    indices: &'a mut [u32],
    values: &'a mut [T],
    starts: &'a mut [usize],
    lengths: &'a mut [u32],
    /// The samples' `block_ends`.
    ends: std::slice::ChunksExactMut<'a, u32>,
}

impl<T: Scalar, S: Source<T>> Kernel<T> for CompressSamples<'_, T, S> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<Element = T>>(self) {
        let mut space = [T::ZERO; BLOCK_FEATURES];
        let mut position = 0;
        for (i, ends) in self.ends.enumerate() {
            let start = position;
            self.source.fetch::<V>(self.first + i + SAMPLES_AHEAD);
            for (block, end) in ends.iter_mut().enumerate() {
                let chunk = self.source.block(self.first + i, block, &mut space);
                // No list so far is longer than its features so far: there is room for all of this block.
                let indices = &mut self.indices[position..][..chunk.len()];
                let values = &mut self.values[position..][..chunk.len()];
                let feature = (block * BLOCK_FEATURES) as u32;
                let (vectors, rest) = chunk.split_at(chunk.len() / V::LANES * V::LANES);
                let mut count = store_nonzeros::<V>(vectors, feature, indices, values);
                for (j, &value) in (chunk.len() - rest.len()..).zip(rest) {
                    indices[count] = feature + j as u32;
                    values[count] = value;
                    count += usize::from(value != T::ZERO);
                }
                position += count;
                *end = (position - start) as u32;
            }
            self.source.finish(
                self.first + i,
                &self.indices[start..position],
                &mut self.values[start..position],
            );
            self.starts[i] = self.first * self.stride + start;
            self.lengths[i] = (position - start) as u32;
        }
    }
}
