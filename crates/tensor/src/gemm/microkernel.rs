//! The register tile: MR × NR elements of C, kept in registers while the inner index runs.
//!
//! MR is `MV` vectors. A's panel gives them for one inner index from consecutive addresses, B an element for each of the
//! NR columns, which is broadcast: MV + NR loads for MV · NR multiply-adds. Two vectors by twelve columns keep 24 chains
//! in flight, three times what two multiply-adds a cycle with a latency of four need, and take 0.58 loads each.

use crate::arch::Vector;
use crate::isa::Kernel;
use crate::scalar::Scalar;
use crate::tiled::TILE_ROWS;
use std::hint::black_box;
use std::ops::Range;

/// One panel of A by some columns of B: the operands of one call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Panel<'a, T> {
    /// Length of the inner index.
    pub(super) k: usize,
    /// A's first element.
    pub(super) a: *const T,
    pub(super) a_rows: RowsOfA,
    /// Where the first strip of columns leaves a copy of A, which the others read.
    pub(super) copy: Option<PackedA<T>>,
    /// B's first element.
    pub(super) b: *const T,
    pub(super) b_row_stride: usize,
    /// From one block of 64 inner indices to the next.
    pub(super) b_row_block: usize,
    pub(super) b_column_stride: usize,
    /// C's first element; rows are contiguous.
    pub(super) c: *mut T,
    pub(super) c_column_stride: usize,
    pub(super) rows: usize,
    pub(super) columns: usize,
    /// Factor of C at the start; 0 overwrites.
    pub(super) beta: T,
    /// What is added at the end.
    pub(super) bias: Bias<'a, T>,
    pub(super) relu: bool,
    /// Whether the chain ends here, so that bias, ReLU and `+ 0` are due.
    pub(super) last: bool,
}

/// Where the rows of a panel of A lie.
#[derive(Clone, Copy, Debug)]
pub(super) enum RowsOfA {
    /// All rows of a column together, and so many elements from column to column.
    Together(usize),
    /// Two vectors of rows for each inner index, these one after the other, then the next two vectors: packed so, what a tile
    /// reads takes as few lines as can be. Of higher columns it would take some lines in each row of them, which compete for
    /// the same places of a first-level cache: one of 32 KiB holds 128 pieces of 64 bytes that are 256 bytes apart.
    Pairs,
}

impl RowsOfA {
    /// How far the first element of `row` is from the panel's, and from column to column.
    #[inline(always)]
    fn offset_and_stride<V: Vector>(self, row: usize, k: usize) -> (usize, usize) {
        match self {
            RowsOfA::Together(stride) => (row, stride),
            RowsOfA::Pairs => (row * k, 2 * V::LANES),
        }
    }
}

/// Where a copy of a panel of A is left, times a factor.
#[derive(Clone, Copy, Debug)]
pub(super) struct PackedA<T> {
    pub(super) pointer: *mut T,
    pub(super) rows: RowsOfA,
    pub(super) factor: T,
}

/// What the next panel of A will read, fetched from beyond the second-level cache while this one is multiplied.
///
/// It is a square of 64 × 64 elements for each block of the inner index: 64 runs of 64 contiguous elements.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ahead<T> {
    pub(super) pointer: *const T,
    /// From one run to the next.
    pub(super) run_stride: usize,
    /// From one square to the next.
    pub(super) block_stride: usize,
    /// Runs that are asked for with each block of a tile's inner index.
    pub(super) runs_per_block: usize,
    /// The next run.
    pub(super) run: usize,
    /// Runs in all.
    pub(super) runs: usize,
}

impl<T: Scalar> Ahead<T> {
    #[inline(always)]
    fn prefetch<V: Vector<Element = T>>(&mut self) {
        let end = self.runs.min(self.run + self.runs_per_block);
        for run in self.run..end {
            let offset = run / TILE_ROWS * self.block_stride + run % TILE_ROWS * self.run_stride;
            V::prefetch_run(self.pointer.wrapping_add(offset), TILE_ROWS);
        }
        self.run = end;
    }
}

/// What is added to a chain at its end.
#[derive(Clone, Copy, Debug)]
pub(super) enum Bias<'a, T> {
    None,
    /// An element for each row.
    Rows(&'a [T]),
    /// An element for each column.
    Columns(&'a [T]),
}

impl<'a, T> Bias<'a, T> {
    /// That of a part of the product.
    #[inline(always)]
    pub(super) fn part(self, rows: Range<usize>, columns: Range<usize>) -> Self {
        match self {
            Bias::None => Bias::None,
            Bias::Rows(bias) => Bias::Rows(&bias[rows]),
            Bias::Columns(bias) => Bias::Columns(&bias[columns]),
        }
    }
}

/// Tiles beside each other: strips of `NR` columns of a panel, and `MV` vectors of rows, from `row`. If they are `CUT`, the last
/// vector has only as many lanes as the panel has rows, which may be all. `COPY` leaves the copy that the panel asks for.
pub(super) struct Tiles<'p, T, const MV: usize, const NR: usize, const CUT: bool, const COPY: bool> {
    panel: &'p Panel<'p, T>,
    ahead: &'p mut Ahead<T>,
    row: usize,
    columns: Range<usize>,
}

impl<T: Scalar, const MV: usize, const NR: usize, const CUT: bool, const COPY: bool>
    Tiles<'_, T, MV, NR, CUT, COPY>
{
    /// Computes the tiles.
    ///
    /// # Safety
    ///
    /// The panel's pointers must be valid for its shape and strides; it must have the columns, whole strips, and the rows, if
    /// `CUT` all but some of the last vector's; the copy must have room for whole vectors.
    #[inline(always)]
    pub(super) unsafe fn multiply<V: Vector<Element = T>>(
        panel: &Panel<'_, T>,
        ahead: &mut Ahead<T>,
        row: usize,
        columns: Range<usize>,
    ) {
        V::run_apart(Tiles::<T, MV, NR, CUT, COPY> { panel, ahead, row, columns });
    }
}

impl<T: Scalar, const MV: usize, const NR: usize, const CUT: bool, const COPY: bool> Kernel<T>
    for Tiles<'_, T, MV, NR, CUT, COPY>
{
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<Element = T>>(self) {
        let Self { panel, ahead, row, columns } = self;
        let mut column = columns.start;
        while column < columns.end {
            // SAFETY: `multiply`, which alone makes tiles, hands its contract on.
            unsafe { multiply_tile::<V, MV, NR, CUT, COPY>(panel, ahead, row, column) };
            column += NR;
        }
    }
}

/// Computes one of [`Tiles`].
///
/// # Safety
///
/// As [`Tiles::multiply`].
#[inline(always)]
unsafe fn multiply_tile<V: Vector, const MV: usize, const NR: usize, const CUT: bool, const COPY: bool>(
    panel: &Panel<'_, V::Element>,
    ahead: &mut Ahead<V::Element>,
    row: usize,
    column: usize,
) {
    let lanes = if CUT { panel.rows - row - (MV - 1) * V::LANES } else { V::LANES };
    let c_column_stride = panel.c_column_stride;
    let c = panel.c.wrapping_add(column * c_column_stride + row);
    let place = |i: usize, j: usize| c.wrapping_add(j * c_column_stride + i * V::LANES);

    let mut sums = [[V::splat(V::Element::ZERO); MV]; NR];
    // C comes from far where it is large: the tile below is asked for while this one is multiplied.
    if panel.k >= TILE_ROWS {
        for j in 0..NR {
            for i in MV..2 * MV {
                V::prefetch(place(i, j));
            }
        }
    }
    // SAFETY: the caller vouches for C, for A's rows and for NR columns of B. A lane beyond the last row is not touched.
    unsafe {
        if panel.beta != V::Element::ZERO {
            let beta = V::splat(panel.beta);
            for (j, sums) in sums.iter_mut().enumerate() {
                for (i, sum) in sums.iter_mut().enumerate() {
                    let cut = CUT && i == MV - 1;
                    let c = if cut { V::load_first(place(i, j), lanes) } else { V::load(place(i, j)) };
                    *sum = c.mul(beta);
                }
            }
        }
        sums = multiply_registers::<V, MV, NR, CUT, COPY>(panel, ahead, row, column, sums);
        if panel.last {
            sums = finish::<V, MV, NR>(panel, row, column, sums);
        }
        for (j, sums) in sums.iter().enumerate() {
            for (i, sum) in sums.iter().enumerate() {
                if CUT && i == MV - 1 {
                    sum.store_first(place(i, j), lanes);
                } else {
                    sum.store(place(i, j));
                }
            }
        }
    }
}

/// The chains themselves. The sums come and go by value, so that the compiler keeps them in registers.
///
/// # Safety
///
/// As [`Tiles::multiply`].
#[inline(always)]
unsafe fn multiply_registers<
    V: Vector,
    const MV: usize,
    const NR: usize,
    const CUT: bool,
    const COPY: bool,
>(
    panel: &Panel<'_, V::Element>,
    ahead: &mut Ahead<V::Element>,
    row: usize,
    column: usize,
    mut sums: [[V; MV]; NR],
) -> [[V; MV]; NR] {
    let lanes = if CUT { panel.rows - row - (MV - 1) * V::LANES } else { V::LANES };
    // Where rows lie in pairs, each tile has two vectors of them, or the last one.
    let (offset, a_stride) = panel.a_rows.offset_and_stride::<V>(row, panel.k);
    let mut a = panel.a.wrapping_add(offset);
    let (mut copy, copy_stride, factor) = match panel.copy {
        Some(packed) if COPY => {
            let (offset, stride) = packed.rows.offset_and_stride::<V>(row, panel.k);
            (packed.pointer.wrapping_add(offset), stride, V::splat(packed.factor))
        }
        _ => (std::ptr::null_mut(), 0, V::splat(V::Element::ONE)),
    };
    // A pointer for every third column, and two multiples of the stride behind it: addresses that an instruction can form.
    // The compiler must not see through it, or it chains all twelve by additions, one a cycle.
    let (stride, three) = (panel.b_column_stride, black_box(3 * panel.b_column_stride));
    let mut b_block = panel.b.wrapping_add(column * stride);
    let mut left = panel.k;
    while left > 0 {
        ahead.prefetch::<V>();
        let k = left.min(TILE_ROWS);
        let mut b = [0, 1, 2, 3].map(|third| b_block.wrapping_add(third * three));
        for _ in 0..k {
            // SAFETY: the caller vouches for k elements of each of A's rows and B's columns.
            unsafe {
                let mut x = [V::splat(V::Element::ZERO); MV];
                for (i, x) in x.iter_mut().enumerate() {
                    let a = a.add(i * V::LANES);
                    *x = if CUT && i == MV - 1 { V::load_first(a, lanes) } else { V::load(a) };
                    if COPY {
                        *x = x.mul(factor);
                        x.store(copy.add(i * V::LANES));
                    }
                }
                for (j, sums) in sums.iter_mut().enumerate() {
                    let y = V::splat(*b[j / 3].add(j % 3 * stride));
                    for (sum, x) in sums.iter_mut().zip(x) {
                        *sum = x.mul_add(y, *sum);
                    }
                }
            }
            a = a.wrapping_add(a_stride);
            copy = copy.wrapping_add(copy_stride);
            for b in &mut b {
                *b = b.wrapping_add(panel.b_row_stride);
            }
        }
        b_block = b_block.wrapping_add(panel.b_row_block);
        left -= k;
    }
    sums
}

/// Bias, ReLU and `+ 0`.
///
/// # Safety
///
/// As [`Tiles::multiply`].
#[inline(always)]
unsafe fn finish<V: Vector, const MV: usize, const NR: usize>(
    panel: &Panel<'_, V::Element>,
    row: usize,
    column: usize,
    mut sums: [[V; MV]; NR],
) -> [[V; MV]; NR] {
    let zero = V::splat(V::Element::ZERO);
    match panel.bias {
        Bias::None => {}
        Bias::Rows(bias) => {
            let bias: [V; MV] = std::array::from_fn(|i| {
                let there = &bias[(row + i * V::LANES).min(bias.len())..];
                // SAFETY: as many elements are there.
                unsafe { V::load_first(there.as_ptr(), there.len().min(V::LANES)) }
            });
            for sums in sums.iter_mut() {
                for (sum, bias) in sums.iter_mut().zip(bias) {
                    *sum = sum.add(bias);
                }
            }
        }
        Bias::Columns(bias) => {
            let bias: &[V::Element; NR] = bias[column..].first_chunk().expect("a bias for each column");
            for (sums, &bias) in sums.iter_mut().zip(bias) {
                for sum in sums {
                    *sum = sum.add(V::splat(bias));
                }
            }
        }
    }
    for sums in &mut sums {
        for sum in sums {
            *sum = if panel.relu { sum.relu() } else { sum.add(zero) };
        }
    }
    sums
}
