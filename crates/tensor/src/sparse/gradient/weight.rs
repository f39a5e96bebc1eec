//! The weight gradient's chains over the nonzeros of the input.

use crate::arch::Vector;
use crate::isa::{Isa, Kernel};
use crate::scalar::Scalar;
use crate::sparse::Nonzeros;
use crate::tiled::TiledRef;
use crate::update::{Ahead, Gradient, Run};
use std::ops::Range;

/// Columns `inputs` of one tile of `Δ·Xᵀ`: for each, a chain over the samples in which the input is not zero.
pub(crate) struct SparseColumns<'a, T: Scalar> {
    /// One tile of Δ, as many columns as X has samples.
    delta: TiledRef<'a, T>,
    input: &'a Nonzeros<T>,
    /// Those that are left to be computed.
    inputs: Range<usize>,
}

impl<'a, T: Scalar> SparseColumns<'a, T> {
    pub(crate) fn new(delta: TiledRef<'a, T>, input: &'a Nonzeros<T>, inputs: Range<usize>) -> Self {
        assert_eq!(delta.n_columns(), input.n_samples(), "samples of delta and of the input");
        Self { delta, input, inputs }
    }

    /// Writes all columns to `gradient`.
    pub(crate) fn store(self, isa: Isa, gradient: &mut [T]) {
        isa.run(Store { columns: self, gradient });
    }

    /// Writes the next two columns, or one, to the front of `gradient`; returns how many elements.
    ///
    /// # Panics
    ///
    /// If there is no room for them.
    #[inline(always)]
    fn write_next<V: Vector<Element = T>>(&mut self, gradient: &mut [T]) -> usize {
        let (delta, height) = (self.delta.tile(0).as_ptr(), self.delta.tile_rows());
        let Some(input) = self.inputs.next() else { return 0 };
        let list = self.input.feature(input);
        // One column's four sums of the widest vectors would wait for each other.
        let two = V::REGISTERS >= 32 && height == 4 * V::LANES;
        if two && let Some(input) = self.inputs.next() {
            let (first, second) = gradient[..2 * height].split_at_mut(height);
            let lists = [list, self.input.feature(input)];
            // SAFETY: X's samples are below `n_samples`, the number of delta's columns (checked by `new`), each of four
            // vectors, as are those of the gradient.
            unsafe { two_columns::<V, 4>(delta, lists, [first.as_mut_ptr(), second.as_mut_ptr()]) };
            return 2 * height;
        }
        let column = &mut gradient[..height];
        let mut row = 0;
        while row < height {
            let (delta, target) = (delta.wrapping_add(row), column[row..].as_mut_ptr());
            // SAFETY: as above, but of the vectors that are left from `row` on.
            row += V::LANES
                * unsafe {
                    match (height - row) / V::LANES {
                        8.. => chains::<V, 8>(delta, height, list, target),
                        4.. => chains::<V, 4>(delta, height, list, target),
                        2.. => chains::<V, 2>(delta, height, list, target),
                        _ => chains::<V, 1>(delta, height, list, target),
                    }
                };
        }
        height
    }
}

/// An optimizer takes the columns from the first-level cache, some at a time.
impl<T: Scalar> Gradient<T> for SparseColumns<'_, T> {
    fn len(&self) -> usize {
        self.inputs.len() * self.delta.tile_rows()
    }

    #[inline(always)]
    fn next_run<'a, V: Vector<Element = T>, const MOMENTS: usize>(
        &'a mut self,
        space: &'a mut Run<T>,
        mut ahead: Ahead<T, MOMENTS>,
    ) -> &'a [T] {
        let pair = 2 * self.delta.tile_rows();
        let mut len = 0;
        while len + pair <= space.0.len() && !self.inputs.is_empty() {
            let more = self.write_next::<V>(&mut space.0[len..]);
            ahead.fetch::<V>(more);
            len += more;
        }
        &space.0[..len]
    }
}

pub(super) struct Store<'a, T: Scalar> {
    pub(super) columns: SparseColumns<'a, T>,
    pub(super) gradient: &'a mut [T],
}

impl<T: Scalar> Kernel<T> for Store<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<Element = T>>(mut self) {
        assert_eq!(self.gradient.len(), self.columns.len(), "columns of the gradient");
        let mut written = 0;
        while written < self.gradient.len() {
            written += self.columns.write_next::<V>(&mut self.gradient[written..]);
        }
    }
}

/// The chains of `MV` vectors of rows of one column; gives back `MV`.
///
/// # Safety
///
/// `delta` must be valid for reading `MV` vectors at `height` times each sample, `target` for writing them.
#[inline(always)]
unsafe fn chains<V: Vector, const MV: usize>(
    delta: *const V::Element,
    height: usize,
    (samples, values): (&[u32], &[V::Element]),
    target: *mut V::Element,
) -> usize {
    let mut sums = [V::splat(V::Element::ZERO); MV];
    for (&sample, &value) in samples.iter().zip(values) {
        // SAFETY: the caller vouches for each sample's rows and for the target.
        unsafe { add_term(&mut sums, delta.add(sample as usize * height), value) };
    }
    // SAFETY: as above.
    unsafe { store(&sums, target) };
    MV
}

/// The chains of two columns of `MV` vectors, side by side.
///
/// # Safety
///
/// `delta` must be valid for reading `MV` vectors at their length times each sample, `targets` for writing them.
#[inline(always)]
unsafe fn two_columns<V: Vector, const MV: usize>(
    delta: *const V::Element,
    [first, second]: [(&[u32], &[V::Element]); 2],
    targets: [*mut V::Element; 2],
) {
    let height = MV * V::LANES;
    let mut sums = [[V::splat(V::Element::ZERO); MV]; 2];
    let pairs = first.0.iter().zip(first.1).zip(second.0.iter().zip(second.1));
    for ((&sample_0, &value_0), (&sample_1, &value_1)) in pairs {
        // SAFETY: the caller vouches for each sample's rows.
        unsafe {
            add_term(&mut sums[0], delta.add(sample_0 as usize * height), value_0);
            add_term(&mut sums[1], delta.add(sample_1 as usize * height), value_1);
        }
    }
    let both = first.0.len().min(second.0.len());
    for (sums, ((samples, values), target)) in sums.iter_mut().zip([first, second].into_iter().zip(targets)) {
        for (&sample, &value) in samples[both..].iter().zip(&values[both..]) {
            // SAFETY: as above.
            unsafe { add_term(sums, delta.add(sample as usize * height), value) };
        }
        // SAFETY: the caller vouches for both targets.
        unsafe { store(sums, target) };
    }
}

/// `sums ← sums + δ·x` for one sample's rows δ.
///
/// # Safety
///
/// `rows` must be valid for reading `MV` vectors.
#[inline(always)]
unsafe fn add_term<V: Vector, const MV: usize>(sums: &mut [V; MV], rows: *const V::Element, x: V::Element) {
    let x = V::splat(x);
    for (i, sum) in sums.iter_mut().enumerate() {
        // SAFETY: the caller vouches for MV vectors.
        *sum = unsafe { V::load(rows.add(i * V::LANES)) }.mul_add(x, *sum);
    }
}

/// Writes finished sums; −0 becomes +0.
///
/// # Safety
///
/// `target` must be valid for writing `MV` vectors.
#[inline(always)]
unsafe fn store<V: Vector, const MV: usize>(sums: &[V; MV], target: *mut V::Element) {
    for (i, sum) in sums.iter().enumerate() {
        // SAFETY: the caller vouches for MV vectors.
        unsafe { sum.add(V::splat(V::Element::ZERO)).store(target.add(i * V::LANES)) };
    }
}
