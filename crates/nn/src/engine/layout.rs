//! How a batch of values lies in memory: columns for layers that look at samples, tiles for products.

use densely_tensor::{MatRef, Pool, Runs, Scalar, TiledRef, tile_rows, tiled_len};
use std::fmt;
use std::ops::Range;

/// The layout of a batch, units × samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// A sample's values side by side, sample after sample.
    Columns,
    /// [`densely_tensor::Tiled`]: 64 of each sample's values side by side.
    Tiles,
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Columns => "columns",
            Self::Tiles => "tiles",
        })
    }
}

/// Values of one sample that lie side by side.
pub(crate) struct Run {
    pub(crate) sample: usize,
    /// Which of the sample's values.
    pub(crate) units: Range<usize>,
    /// Where the first of them stands in the batch.
    start: usize,
}

impl Run {
    /// The same values in another batch of the same shape and layout.
    pub(crate) fn of<'a, T>(&self, batch: &'a [T]) -> &'a [T] {
        &batch[self.start..][..self.units.len()]
    }
}

impl Layout {
    /// Elements of a batch with padding, or `None` when that overflows.
    pub(crate) fn len(self, units: usize, samples: usize) -> Option<usize> {
        match self {
            Self::Columns => units.checked_mul(samples),
            Self::Tiles => tiled_len(units, samples),
        }
    }

    /// Elements of a batch for which there is room.
    pub(crate) fn len_of(self, units: usize, samples: usize) -> usize {
        self.len(units, samples).expect("there is a buffer of so many elements")
    }

    /// Values of a sample that lie side by side, with padding.
    pub(crate) fn run_length(self, units: usize) -> usize {
        match self {
            Self::Columns => units,
            Self::Tiles => tile_rows(units),
        }
    }

    /// Has the threads of `pool` change the runs of a batch. Padding becomes 0.
    pub(crate) fn for_each_run<T: Scalar>(
        self,
        pool: &Pool,
        units: usize,
        samples: usize,
        batch: &mut [T],
        change: impl Fn(Run, &mut [T]) + Sync,
    ) {
        let length = self.run_length(units);
        pool.for_each_part(1, Runs::new(batch, length), |runs, part| {
            for (run, values) in runs.zip(part.chunks_exact_mut(length)) {
                let first = run / samples * length;
                let units = first..units.min(first + length);
                let (inside, padding) = values.split_at_mut(units.len());
                padding.fill(T::ZERO);
                change(Run { sample: run % samples, units, start: run * length }, inside);
            }
        });
    }

    /// Makes the padding of a batch 0.
    pub(crate) fn clear_padding<T: Scalar>(self, units: usize, samples: usize, batch: &mut [T]) {
        let height = tile_rows(units);
        let there = units % height.max(1);
        if self == Self::Tiles && there > 0 {
            let last = batch.len() - height * samples;
            batch[last..].chunks_exact_mut(height).for_each(|values| values[there..].fill(T::ZERO));
        }
    }

    /// Copies a batch in this layout into one in the other.
    pub(crate) fn convert<T: Scalar>(
        self,
        pool: &Pool,
        units: usize,
        samples: usize,
        from: &[T],
        to: &mut [T],
    ) {
        match self {
            Self::Columns => {
                let from = MatRef::from_slice(from, units, samples);
                Self::Tiles.for_each_run(pool, units, samples, to, |run, to| {
                    to.copy_from_slice(&from.column(run.sample)[run.units]);
                });
            }
            Self::Tiles => {
                let from = TiledRef::from_slice(from, units, samples);
                let height = from.tile_rows();
                Self::Columns.for_each_run(pool, units, samples, to, |run, to| {
                    for (tile, to) in to.chunks_mut(height).enumerate() {
                        to.copy_from_slice(&from.tile(tile)[run.sample * height..][..to.len()]);
                    }
                });
            }
        }
    }
}
