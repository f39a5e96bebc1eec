//! The register tile: MR × NR elements of C, kept in registers while the inner index runs.

use super::Epilogue;
use crate::arch::{MOST_LANES, Vector};
use crate::scalar::Scalar;

/// One tile's operands.
pub(super) struct Tile<'a, T> {
    /// Length of the inner index.
    pub(super) k: usize,
    /// A's panel: MR elements for each inner index.
    pub(super) a: *const T,
    /// B's first element.
    pub(super) b: *const T,
    pub(super) b_row_stride: usize,
    pub(super) b_column_stride: usize,
    /// C's first element.
    pub(super) c: *mut T,
    pub(super) c_row_stride: usize,
    pub(super) c_column_stride: usize,
    /// Rows of C that are there, at most MR.
    pub(super) rows: usize,
    /// Factor of C at the start; 0 overwrites.
    pub(super) beta: T,
    pub(super) epilogue: Epilogue<'a, T>,
    /// Whether the chain ends here, so that the epilogue and `+ 0` are due.
    pub(super) last: bool,
}

/// Computes `columns` columns of a tile: 1 to `NR`, which is 6 or 8.
///
/// # Safety
///
/// The tile's pointers must be valid for its shape and strides, and `a` for `k · MR` elements.
#[inline(always)]
pub(super) unsafe fn multiply_tile<V: Vector, const MV: usize, const NR: usize>(
    tile: &Tile<'_, V::Element>,
    columns: usize,
) {
    // SAFETY: handed on.
    unsafe {
        match columns {
            1 => multiply_columns::<V, MV, 1>(tile),
            2 => multiply_columns::<V, MV, 2>(tile),
            3 => multiply_columns::<V, MV, 3>(tile),
            4 => multiply_columns::<V, MV, 4>(tile),
            5 => multiply_columns::<V, MV, 5>(tile),
            // The guards spare narrower tiles these two, which would not fit their registers.
            7 if NR > 6 => multiply_columns::<V, MV, 7>(tile),
            8 if NR > 6 => multiply_columns::<V, MV, 8>(tile),
            _ => multiply_columns::<V, MV, 6>(tile),
        }
    }
}

/// The most elements that a tile has: two of the widest vectors by eight columns.
const MOST_ELEMENTS: usize = 2 * MOST_LANES * 8;

/// Computes a tile of exactly `NR` columns.
///
/// # Safety
///
/// As [`multiply_tile`].
#[inline(always)]
unsafe fn multiply_columns<V: Vector, const MV: usize, const NR: usize>(tile: &Tile<'_, V::Element>) {
    let mr = MV * V::LANES;
    if tile.rows == mr && tile.c_row_stride == 1 {
        // SAFETY: whole columns of C are contiguous.
        unsafe { multiply_registers::<V, MV, NR>(tile, tile.c, tile.c_column_stride) };
        return;
    }
    // Cut or scattered tiles pass through a whole one beside: the chains are the same, the extra rows are dropped.
    let mut whole = [V::Element::ZERO; MOST_ELEMENTS];
    // SAFETY: rows < MR and columns < NR of C are valid; MR · NR is at most MOST_ELEMENTS.
    unsafe {
        if tile.beta != V::Element::ZERO {
            for j in 0..NR {
                for i in 0..tile.rows {
                    whole[j * mr + i] = *tile.c.add(i * tile.c_row_stride + j * tile.c_column_stride);
                }
            }
        }
        multiply_registers::<V, MV, NR>(tile, whole.as_mut_ptr(), mr);
        for j in 0..NR {
            for i in 0..tile.rows {
                tile.c.add(i * tile.c_row_stride + j * tile.c_column_stride).write(whole[j * mr + i]);
            }
        }
    }
}

/// The chains themselves, from `c` and back to it.
///
/// # Safety
///
/// As [`multiply_tile`], but with `c` valid for `NR` runs of MR elements, `c_stride` apart.
#[inline(always)]
unsafe fn multiply_registers<V: Vector, const MV: usize, const NR: usize>(
    tile: &Tile<'_, V::Element>,
    c: *mut V::Element,
    c_stride: usize,
) {
    let zero = V::splat(V::Element::ZERO);
    let mut sums = [[zero; MV]; NR];
    // SAFETY: the caller vouches for C, for k · MR elements of A and for the k × NR elements of B.
    unsafe {
        if tile.beta == V::Element::ONE {
            for (j, column) in sums.iter_mut().enumerate() {
                for (i, sum) in column.iter_mut().enumerate() {
                    *sum = V::load(c.add(j * c_stride + i * V::LANES));
                }
            }
        } else if tile.beta != V::Element::ZERO {
            let beta = V::splat(tile.beta);
            for (j, column) in sums.iter_mut().enumerate() {
                for (i, sum) in column.iter_mut().enumerate() {
                    *sum = V::load(c.add(j * c_stride + i * V::LANES)).mul(beta);
                }
            }
        }

        let (mut a, mut b) = (tile.a, tile.b);
        for _ in 0..tile.k {
            let x: [V; MV] = std::array::from_fn(|i| V::load(a.add(i * V::LANES)));
            for (j, column) in sums.iter_mut().enumerate() {
                let y = V::splat(*b.add(j * tile.b_column_stride));
                for (sum, x) in column.iter_mut().zip(x) {
                    *sum = x.mul_add(y, *sum);
                }
            }
            a = a.add(MV * V::LANES);
            b = b.wrapping_add(tile.b_row_stride);
        }

        if tile.last {
            finish::<V, MV, NR>(&mut sums, tile.epilogue);
        }
        for (j, column) in sums.iter().enumerate() {
            for (i, sum) in column.iter().enumerate() {
                sum.store(c.add(j * c_stride + i * V::LANES));
            }
        }
    }
}

/// Epilogue and `+ 0`.
#[inline(always)]
fn finish<V: Vector, const MV: usize, const NR: usize>(
    sums: &mut [[V; MV]; NR],
    epilogue: Epilogue<'_, V::Element>,
) {
    let zero = V::splat(V::Element::ZERO);
    let mut bias = [zero; MV];
    if let Some(elements) = epilogue.bias() {
        for (i, vector) in bias.iter_mut().enumerate() {
            *vector = load_padded(elements, i * V::LANES);
        }
    }
    let rectify = matches!(epilogue, Epilogue::BiasRelu(_));
    for column in sums {
        for (sum, bias) in column.iter_mut().zip(bias) {
            *sum = sum.add(bias);
            *sum = if rectify { sum.relu() } else { sum.add(zero) };
        }
    }
}

/// The vector at `start` of a slice, with zeros beyond its end.
#[inline(always)]
fn load_padded<V: Vector>(elements: &[V::Element], start: usize) -> V {
    let there = &elements[start.min(elements.len())..];
    if there.len() >= V::LANES {
        // SAFETY: as many elements as lanes are there.
        return unsafe { V::load(there.as_ptr()) };
    }
    let mut padded = [V::Element::ZERO; MOST_LANES];
    padded[..there.len()].copy_from_slice(there);
    // SAFETY: no vector has more than MOST_LANES lanes.
    unsafe { V::load(padded.as_ptr()) }
}
