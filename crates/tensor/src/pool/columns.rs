//! A matrix in tiles that is divided by columns: what a thread gets of it is not one run of memory but one in each tile.

use super::parts::{Parts, sealed};
use std::marker::PhantomData;
use std::ops::Range;

/// Tiles of `height · n_columns` elements; an item is a block of `block` columns, in all tiles. A matrix with contiguous
/// columns is one tile.
///
/// A height of 0 stands for a matrix that is not there: its columns are empty.
///
/// ```
/// use densely_tensor::{Pool, TiledColumns};
///
/// let mut batch = [0; 12]; // three samples in two tiles of height 2
/// let columns = TiledColumns::new(&mut batch, 2, 3, 1);
/// Pool::default().for_each_part(1, columns, |samples, mut columns| {
///     for sample in samples {
///         columns.columns_mut(1, sample..sample + 1).fill(sample);
///     }
/// });
/// assert_eq!(batch, [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 2]);
/// ```
#[derive(Debug)]
pub struct TiledColumns<'a, T> {
    elements: &'a mut [T],
    height: usize,
    n_columns: usize,
    block: usize,
}

impl<'a, T> TiledColumns<'a, T> {
    /// The elements of whole tiles.
    ///
    /// # Panics
    ///
    /// If `block` is 0 or the elements are not whole tiles.
    #[track_caller]
    pub fn new(elements: &'a mut [T], height: usize, n_columns: usize, block: usize) -> Self {
        let tile = height.checked_mul(n_columns).expect("a tile of no more elements than there are numbers");
        assert!(block > 0 && elements.len().is_multiple_of(tile.max(1)), "whole tiles");
        Self { elements, height, n_columns, block }
    }

    /// Elements of a column in one tile.
    pub fn height(&self) -> usize {
        self.height
    }
}

/// Some columns of all tiles.
pub struct ColumnsPart<'a, T> {
    pointer: *mut T,
    len: usize,
    height: usize,
    n_columns: usize,
    columns: Range<usize>,
    lifetime: PhantomData<&'a mut [T]>,
}

// SAFETY: a part is reached by one thread at a time, through `columns_mut`; `T: Send` lets others than the owner write.
unsafe impl<T: Send> Sync for ColumnsPart<'_, T> {}

impl<T> ColumnsPart<'_, T> {
    /// Columns of one tile, one after the other.
    ///
    /// # Panics
    ///
    /// If they do not belong to this part, or there are not so many tiles.
    #[track_caller]
    pub fn columns_mut(&mut self, tile: usize, columns: Range<usize>) -> &mut [T] {
        if self.height == 0 {
            return &mut [];
        }
        let own = &self.columns;
        assert!(own.start <= columns.start && columns.start <= columns.end && columns.end <= own.end);
        let tiles = self.len / (self.height * self.n_columns).max(1);
        assert!(tile < tiles, "tile {tile} of {tiles}");
        let start = (tile * self.n_columns + columns.start) * self.height;
        let len = columns.len() * self.height;
        // SAFETY: columns of a tile that was checked to lie in the slice borrowed for 'a, and to belong to this part, which
        // shares no column with others; `new` has seen that a tile's size does not overflow; the borrow of `self` makes it the
        // only one in use.
        unsafe { std::slice::from_raw_parts_mut(self.pointer.add(start), len) }
    }
}

impl<T> sealed::Sealed for TiledColumns<'_, T> {}
// SAFETY: disjoint ranges of columns share no element.
unsafe impl<'a, T: Send> Parts for TiledColumns<'a, T> {
    type Part = ColumnsPart<'a, T>;
    /// All columns, and the block.
    type Shared = (ColumnsPart<'a, T>, usize);

    fn items(&self) -> Option<usize> {
        Some(self.n_columns.div_ceil(self.block))
    }

    fn into_shared(self) -> Self::Shared {
        let all = ColumnsPart {
            pointer: self.elements.as_mut_ptr(),
            len: self.elements.len(),
            height: self.height,
            n_columns: self.n_columns,
            columns: 0..self.n_columns,
            lifetime: PhantomData,
        };
        (all, self.block)
    }

    unsafe fn part(
        shared: &Self::Shared,
        range: Range<usize>,
        _thread: usize,
        _threads: usize,
    ) -> Self::Part {
        let (all, block) = shared;
        let columns = range.start * block..(range.end * block).min(all.n_columns);
        ColumnsPart { columns, ..*all }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::pool::Pool;

    #[test]
    #[should_panic(expected = "no more elements than there are numbers")]
    fn tiles_that_overflow_are_refused() {
        let _ = TiledColumns::new(&mut [0; 4], 1 << (usize::BITS - 1), 2, 1);
    }

    #[test]
    #[should_panic(expected = "of 2")]
    fn a_tile_that_is_not_there_is_refused() {
        let pool = Pool::new(1).expect("the calling thread");
        // Three times this is 1 more than the largest number.
        let tile = usize::MAX / 3 + 1;
        pool.for_each_part(1, TiledColumns::new(&mut [0; 6], 1, 3, 1), |columns, mut part| {
            part.columns_mut(tile, columns);
        });
    }
}
