//! Finding the nonzeros of a batch: by sample first, from any source of values, then by feature from those lists.

use super::{BLOCK_FEATURES, Nonzeros, list_stride};
use crate::arch::{MOST_LANES, Vector};
use crate::isa::Kernel;
use crate::pool::{Pool, Runs};
use crate::scalar::Scalar;
use crate::tiled::TiledRef;
use crate::view::MatRef;

/// Where the values of a batch come from.
pub(super) trait Source<T>: Sync {
    /// The values of a block of a sample's features: [`BLOCK_FEATURES`], or fewer at the end. `space` is there to put
    /// them.
    fn block<'a>(&'a self, sample: usize, block: usize, space: &'a mut [T; BLOCK_FEATURES]) -> &'a [T];
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
    pub(super) n_features: usize,
    pub(super) bytes: &'a [u8],
    /// Which sample each column of the batch is.
    pub(super) order: &'a [u32],
    pub(super) values: &'a [T; 256],
}

impl<T: Scalar> Source<T> for Bytes<'_, T> {
    #[inline(always)]
    fn block<'a>(&'a self, sample: usize, block: usize, space: &'a mut [T; BLOCK_FEATURES]) -> &'a [T] {
        let bytes = &self.bytes[self.order[sample] as usize * self.n_features..][..self.n_features];
        let bytes = block_of(bytes, block);
        for (value, &byte) in space.iter_mut().zip(bytes) {
            *value = self.values[usize::from(byte)];
        }
        &space[..bytes.len()]
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
            let ends = block_ends.chunks_exact_mut(blocks);
            pool.isa().run(CompressSamples { source, first, stride, indices, values, starts, lengths, ends });
        });
    }

    /// The lists by feature, from those by sample. There is at least one feature and one sample.
    pub(super) fn fill_features(&mut self, pool: &Pool) {
        let (features, stride) = (self.n_features, list_stride(self.n_samples));
        let (samples, lists) = (&self.by_sample, &mut self.by_feature);
        let n_samples = self.n_samples;
        let parts = (
            Runs::new(&mut lists.indices[..features * stride], stride),
            Runs::new(&mut lists.values[..features * stride], stride),
            &mut lists.starts[..features],
            &mut lists.lengths[..features],
        );
        pool.for_each_part(MOST_LANES, parts, |range, (indices, values, starts, lengths)| {
            let (first, end) = (range.start as u32, range.end as u32);
            // Each sample's nonzeros among these features.
            let part_of = |sample: usize| {
                let (features, values) = samples.get(sample);
                let start = features.partition_point(|&feature| feature < first);
                let end = start + features[start..].partition_point(|&feature| feature < end);
                (&features[start..end], &values[start..end])
            };
            lengths.fill(0);
            for sample in 0..n_samples {
                for &feature in part_of(sample).0 {
                    lengths[(feature - first) as usize] += 1;
                }
            }
            let mut position = 0;
            for (start, &length) in starts.iter_mut().zip(&*lengths) {
                *start = position;
                position += length as usize;
            }
            for sample in 0..n_samples {
                let (features, from) = part_of(sample);
                for (&feature, &value) in features.iter().zip(from) {
                    let next = &mut starts[(feature - first) as usize];
                    indices[*next] = sample as u32;
                    values[*next] = value;
                    *next += 1;
                }
            }
            // Each start has moved to its list's end.
            for (start, &length) in starts.iter_mut().zip(&*lengths) {
                *start = *start - length as usize + range.start * stride;
            }
        });
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
            for (block, end) in ends.iter_mut().enumerate() {
                let chunk = self.source.block(self.first + i, block, &mut space);
                let indices = &mut self.indices[position..][..chunk.len()];
                let values = &mut self.values[position..][..chunk.len()];
                let mut count = 0;
                // Every element is written; the next overwrites it unless it counts.
                for (j, &value) in chunk.iter().enumerate() {
                    indices[count] = (block * BLOCK_FEATURES + j) as u32;
                    values[count] = value;
                    count += usize::from(value != T::ZERO);
                }
                position += count;
                *end = (position - start) as u32;
            }
            self.starts[i] = self.first * self.stride + start;
            self.lengths[i] = (position - start) as u32;
        }
    }
}
