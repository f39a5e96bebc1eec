//! What can be cut into one part for each thread: slices by elements, matrices by columns, several of them together.

use crate::scalar::Scalar;
use crate::tiled::{TiledMut, TiledRef, rows_of_tiles};
use crate::view::{MatMut, MatRef};
use std::marker::PhantomData;
use std::ops::Range;

/// Data that [`Pool::for_each_part`](super::Pool::for_each_part) can divide: slices (an item is an element), matrices
/// (an item is a column), tiled matrices (an item is a tile, or with [`TiledColumns`](super::TiledColumns) some columns of all
/// tiles), ranges, [`Runs`] of elements, and tuples of those.
///
/// Sealed: what is here covers what a network divides.
///
/// # Safety
///
/// Parts of disjoint ranges, taken by different threads, must not share anything that either can write, and
/// [`part`](Self::part) must be good for every range below [`items`](Self::items).
pub unsafe trait Parts: sealed::Sealed {
    /// What a thread gets.
    type Part;
    /// The whole, as all threads can see it.
    type Shared: Sync;

    /// How many items there are to divide; `None` goes with any number.
    fn items(&self) -> Option<usize>;

    /// Gives up the access of one owner for that of many.
    fn into_shared(self) -> Self::Shared;

    /// The part with the items of `range`, for thread number `thread` of `threads`.
    ///
    /// # Safety
    ///
    /// `range` must lie within the items and `thread` be less than `threads`; parts that are in use at the same time
    /// must have disjoint ranges and different threads.
    unsafe fn part(shared: &Self::Shared, range: Range<usize>, thread: usize, threads: usize) -> Self::Part;
}

pub(super) mod sealed {
    pub trait Sealed {}
}

/// A mutable slice that several threads may take disjoint parts of.
pub struct SharedSlice<'a, T> {
    pointer: *mut T,
    len: usize,
    lifetime: PhantomData<&'a mut [T]>,
}

// SAFETY: the slice is reached only through `part`, whose callers keep parts disjoint; `T: Send` lets others write.
unsafe impl<T: Send> Sync for SharedSlice<'_, T> {}

impl<'a, T> SharedSlice<'a, T> {
    fn new(slice: &'a mut [T]) -> Self {
        Self { pointer: slice.as_mut_ptr(), len: slice.len(), lifetime: PhantomData }
    }

    /// # Safety
    ///
    /// Parts in use at the same time must be disjoint.
    unsafe fn part(&self, range: Range<usize>) -> &'a mut [T] {
        assert!(range.start <= range.end && range.end <= self.len, "part {range:?} of {}", self.len);
        // SAFETY: the range was checked to lie in the slice borrowed for 'a; the caller keeps parts disjoint.
        unsafe { std::slice::from_raw_parts_mut(self.pointer.add(range.start), range.len()) }
    }
}

impl sealed::Sealed for Range<usize> {}
// SAFETY: a part of a range is a range; it owns nothing.
unsafe impl Parts for Range<usize> {
    type Part = Range<usize>;
    type Shared = usize;

    fn items(&self) -> Option<usize> {
        Some(self.len())
    }

    fn into_shared(self) -> usize {
        self.start
    }

    unsafe fn part(start: &usize, range: Range<usize>, _thread: usize, _threads: usize) -> Self {
        start + range.start..start + range.end
    }
}

impl<T> sealed::Sealed for &[T] {}
// SAFETY: shared slices are only read.
unsafe impl<'a, T: Sync> Parts for &'a [T] {
    type Part = &'a [T];
    type Shared = &'a [T];

    fn items(&self) -> Option<usize> {
        Some(self.len())
    }

    fn into_shared(self) -> &'a [T] {
        self
    }

    unsafe fn part(shared: &&'a [T], range: Range<usize>, _thread: usize, _threads: usize) -> &'a [T] {
        &shared[range]
    }
}

impl<T> sealed::Sealed for &mut [T] {}
// SAFETY: disjoint ranges of a slice share no element.
unsafe impl<'a, T: Send> Parts for &'a mut [T] {
    type Part = &'a mut [T];
    type Shared = SharedSlice<'a, T>;

    fn items(&self) -> Option<usize> {
        Some(self.len())
    }

    fn into_shared(self) -> SharedSlice<'a, T> {
        SharedSlice::new(self)
    }

    unsafe fn part(
        shared: &Self::Shared,
        range: Range<usize>,
        _thread: usize,
        _threads: usize,
    ) -> &'a mut [T] {
        // SAFETY: the caller keeps ranges disjoint.
        unsafe { shared.part(range) }
    }
}

impl<T: Scalar> sealed::Sealed for MatRef<'_, T> {}
// SAFETY: a `MatRef` is only read.
unsafe impl<'a, T: Scalar> Parts for MatRef<'a, T> {
    type Part = MatRef<'a, T>;
    type Shared = MatRef<'a, T>;

    fn items(&self) -> Option<usize> {
        Some(self.n_columns())
    }

    fn into_shared(self) -> Self {
        self
    }

    unsafe fn part(shared: &Self, range: Range<usize>, _thread: usize, _threads: usize) -> Self {
        shared.columns(range)
    }
}

impl<T: Scalar> sealed::Sealed for MatMut<'_, T> {}
// SAFETY: no two elements of a `MatMut` share a place, so disjoint ranges of columns share nothing.
unsafe impl<'a, T: Scalar> Parts for MatMut<'a, T> {
    type Part = MatMut<'a, T>;
    type Shared = MatMut<'a, T>;

    fn items(&self) -> Option<usize> {
        Some(self.n_columns())
    }

    fn into_shared(self) -> Self {
        self
    }

    unsafe fn part(shared: &Self, range: Range<usize>, _thread: usize, _threads: usize) -> Self {
        // SAFETY: the caller keeps ranges disjoint, so the copy gives access to columns that no other part has.
        unsafe { shared.duplicate() }.columns(range)
    }
}

impl<T: Scalar> sealed::Sealed for TiledRef<'_, T> {}
// SAFETY: a `TiledRef` is only read.
unsafe impl<'a, T: Scalar> Parts for TiledRef<'a, T> {
    type Part = TiledRef<'a, T>;
    type Shared = TiledRef<'a, T>;

    fn items(&self) -> Option<usize> {
        Some(self.n_tiles())
    }

    fn into_shared(self) -> Self {
        self
    }

    unsafe fn part(shared: &Self, range: Range<usize>, _thread: usize, _threads: usize) -> Self {
        shared.tiles(range)
    }
}

impl<T: Scalar> sealed::Sealed for TiledMut<'_, T> {}
// SAFETY: tiles are consecutive runs of the elements, so disjoint ranges of tiles share nothing.
unsafe impl<'a, T: Scalar> Parts for TiledMut<'a, T> {
    type Part = TiledMut<'a, T>;
    /// The elements, rows, columns and rows of a tile.
    type Shared = (SharedSlice<'a, T>, usize, usize, usize);

    fn items(&self) -> Option<usize> {
        Some(self.n_tiles())
    }

    fn into_shared(self) -> Self::Shared {
        let (rows, columns, tile_rows) = (self.n_rows(), self.n_columns(), self.tile_rows());
        (SharedSlice::new(self.into_slice()), rows, columns, tile_rows)
    }

    unsafe fn part(
        shared: &Self::Shared,
        range: Range<usize>,
        _thread: usize,
        _threads: usize,
    ) -> TiledMut<'a, T> {
        let &(ref elements, rows, columns, tile_rows) = shared;
        let tile = tile_rows * columns;
        // SAFETY: the caller keeps ranges of tiles disjoint, and with them the elements.
        let elements = unsafe { elements.part(range.start * tile..range.end * tile) };
        TiledMut::of_tiles(elements, rows_of_tiles(&range, tile_rows, rows), columns, tile_rows)
    }
}

/// A slice whose items are runs of `length` elements, as the columns of a matrix are.
pub struct Runs<'a, T> {
    slice: &'a mut [T],
    length: usize,
}

impl<'a, T> Runs<'a, T> {
    /// Runs of `length` elements.
    ///
    /// # Panics
    ///
    /// If `length` is 0, or the slice does not end with a whole run.
    #[track_caller]
    pub fn new(slice: &'a mut [T], length: usize) -> Self {
        assert!(
            length > 0 && slice.len().is_multiple_of(length),
            "runs of {length} in {} elements",
            slice.len()
        );
        Self { slice, length }
    }
}

impl<T> sealed::Sealed for Runs<'_, T> {}
// SAFETY: disjoint ranges of runs share no element.
unsafe impl<'a, T: Send> Parts for Runs<'a, T> {
    type Part = &'a mut [T];
    type Shared = (SharedSlice<'a, T>, usize);

    fn items(&self) -> Option<usize> {
        Some(self.slice.len() / self.length)
    }

    fn into_shared(self) -> Self::Shared {
        (SharedSlice::new(self.slice), self.length)
    }

    unsafe fn part(
        shared: &Self::Shared,
        range: Range<usize>,
        _thread: usize,
        _threads: usize,
    ) -> &'a mut [T] {
        let (slice, length) = shared;
        // SAFETY: the caller keeps ranges of runs disjoint, and with them the elements.
        unsafe { slice.part(range.start * length..range.end * length) }
    }
}

/// Scratch space: each thread gets an equal share of the slice, whatever its items are.
///
/// Not public: a thread gets the same share again with its next part, so work must not keep it beyond the part.
pub(crate) struct PerThread<'a, T>(pub(crate) &'a mut [T]);

impl<T> sealed::Sealed for PerThread<'_, T> {}
// SAFETY: shares of different threads are disjoint.
unsafe impl<'a, T: Send> Parts for PerThread<'a, T> {
    type Part = &'a mut [T];
    type Shared = SharedSlice<'a, T>;

    fn items(&self) -> Option<usize> {
        None
    }

    fn into_shared(self) -> SharedSlice<'a, T> {
        SharedSlice::new(self.0)
    }

    unsafe fn part(
        shared: &Self::Shared,
        _range: Range<usize>,
        thread: usize,
        threads: usize,
    ) -> &'a mut [T] {
        let share = shared.len / threads;
        // SAFETY: the caller uses each thread's number once at a time, and shares of different numbers are disjoint.
        unsafe { shared.part(thread * share..(thread + 1) * share) }
    }
}

/// Several things with the same number of items are divided alike.
macro_rules! tuple_of_parts {
    ($($name:ident $index:tt),+) => {
        impl<$($name: Parts),+> sealed::Sealed for ($($name,)+) {}
        // SAFETY: each member keeps the promise for itself.
        unsafe impl<$($name: Parts),+> Parts for ($($name,)+) {
            type Part = ($($name::Part,)+);
            type Shared = ($($name::Shared,)+);

            #[track_caller]
            fn items(&self) -> Option<usize> {
                let mut items = None;
                $(if let Some(more) = self.$index.items() {
                    assert!(items.is_none_or(|items| items == more), "parts of {items:?} and {more} items");
                    items = Some(more);
                })+
                items
            }

            fn into_shared(self) -> Self::Shared {
                ($(self.$index.into_shared(),)+)
            }

            unsafe fn part(shared: &Self::Shared, range: Range<usize>, thread: usize, threads: usize) -> Self::Part {
                // SAFETY: the caller's promise is handed on to each member.
                ($(unsafe { $name::part(&shared.$index, range.clone(), thread, threads) },)+)
            }
        }
    };
}
tuple_of_parts!(A 0, B 1);
tuple_of_parts!(A 0, B 1, C 2);
tuple_of_parts!(A 0, B 1, C 2, D 3);
tuple_of_parts!(A 0, B 1, C 2, D 3, E 4);

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::pool::Pool;

    #[test]
    fn a_thread_has_its_scratch_space_to_itself() {
        for threads in [1, 2, 7] {
            let pool = Pool::new(threads).expect("threads are to be had");
            for _ in 0..100 {
                let mut scratch = vec![0usize; 2 * threads];
                pool.for_each_part(1, (&[(); 1000][..], PerThread(&mut scratch)), |range, (_, scratch)| {
                    assert_eq!(scratch.len(), 2);
                    scratch[0] += range.len();
                    scratch[1] += range.sum::<usize>();
                });
                let total = |place: usize| scratch.iter().skip(place).step_by(2).sum::<usize>();
                assert_eq!((total(0), total(1)), (1000, 999 * 1000 / 2));
            }
        }
    }
}
