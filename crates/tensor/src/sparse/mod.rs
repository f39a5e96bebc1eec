//! Sparse operands: the nonzeros of a batch, and products that skip its zeros.
//!
//! Four of five pixels of a digit are zero, and so is half or more of what ReLU leaves. A term with a zero factor adds
//! exactly nothing to a chain of fused multiply-adds (of finite operands), so a product may skip it and keep every bit.
//! [`Nonzeros`] finds the terms that are left once a batch; [`compress`] fills it.

mod compress;
mod gradient;
mod product;

pub use gradient::{MaskedGradient, backward_scratch, sparse_backward, sparse_input_gradient};
pub(crate) use gradient::{SparseColumns, pass_backward, store_input_gradient};
pub(crate) use product::multiply;
pub use product::{prefers_sparse, sparse_gemm};

use crate::aligned::AlignedBuffer;
use crate::arch::MOST_LANES;
use crate::pool::Pool;
use crate::scalar::Scalar;
use crate::tiled::TiledRef;
use crate::view::MatRef;
use compress::{Bytes, Columns, Source, Tiles};
use std::ops::Range;

/// Features of a block, a few of which the products keep near while all samples pass.
pub(crate) const BLOCK_FEATURES: usize = crate::tiled::TILE_ROWS;

/// The nonzeros of a batch of features × samples: by sample, with ascending features, as the forward product takes them, and
/// on request by feature, with ascending samples, as the backward pass does.
///
/// The buffers are allocated once, for the largest batch, and refilled for each: the `fill` functions and
/// [`list_features`](Self::list_features) allocate nothing. They are reserved for a batch without zeros, 2 · (4 + size of
/// `T`) bytes an element, of which what the lists do not fill is not touched. Lists stand close together, but for those by
/// feature of more than 128 samples, each of which has its place.
///
/// NaN is a nonzero and is kept; −0 is a zero and is not.
///
/// ```
/// use densely_tensor::{MatRef, Nonzeros, Pool};
///
/// let batch = [0.0, 5.0, 0.0, 1.0, 7.0, 0.0]; // two samples of three features
/// let mut nonzeros = Nonzeros::new(3, 2);
/// nonzeros.fill_from_columns(&Pool::default(), MatRef::from_slice(&batch, 3, 2));
/// assert_eq!(nonzeros.sample(1), (&[0, 1][..], &[1.0, 7.0][..]));
/// assert_eq!(nonzeros.density(), 0.5);
/// nonzeros.list_features(&Pool::default());
/// assert_eq!(nonzeros.feature(1), (&[0, 1][..], &[5.0, 7.0][..]));
/// ```
#[derive(Clone, Debug)]
pub struct Nonzeros<T: Scalar> {
    max_features: usize,
    max_samples: usize,
    n_features: usize,
    n_samples: usize,
    by_sample: Lists<T>,
    /// For each sample and each block of features, how many of the sample's nonzeros lie before the block's end.
    block_ends: Vec<u32>,
    by_feature: Lists<T>,
    /// Whether `by_feature` is of the present batch.
    features_are_listed: bool,
}

/// Lists of (index, value), each a run of two long buffers.
///
/// A thread that fills some of the lists writes them without gaps from where the first of them would start if all lists
/// were full, or each list where it would start then; so threads need not know of each other's counts. The length of a full
/// list is rounded up to whole vectors: a vector stored at the end of a list may reach beyond it, never into another thread's lists.
#[derive(Clone, Debug)]
struct Lists<T: Scalar> {
    starts: Vec<usize>,
    lengths: Vec<u32>,
    indices: Vec<u32>,
    values: AlignedBuffer<T>,
}

/// Zeros whose memory is not touched before they are; `None` where it is not to be had.
fn zeros<N: Clone + Default>(len: usize) -> Option<Vec<N>> {
    Vec::<N>::new().try_reserve_exact(len).ok()?; // `vec!` would abort
    Some(vec![N::default(); len])
}

/// Places that a list of at most `len` nonzeros takes.
fn list_stride(len: usize) -> usize {
    len.next_multiple_of(MOST_LANES)
}

impl<T: Scalar> Lists<T> {
    /// `None` where the size overflows or the memory is not to be had.
    fn try_new(lists: usize, longest: usize) -> Option<Self> {
        let len = longest.checked_next_multiple_of(MOST_LANES)?.checked_mul(lists)?;
        let values = AlignedBuffer::try_zeros(len)?;
        Some(Self { starts: zeros(lists)?, lengths: zeros(lists)?, indices: zeros(len)?, values })
    }

    #[inline(always)]
    fn get(&self, list: usize) -> (&[u32], &[T]) {
        let range = self.starts[list]..self.starts[list] + self.lengths[list] as usize;
        (&self.indices[range.clone()], &self.values[range])
    }
}

/// The lists by sample, with access to those of some blocks of features.
#[derive(Clone, Copy)]
struct BySample<'a, T: Scalar> {
    lists: &'a Lists<T>,
    block_ends: &'a [u32],
    /// Blocks of features.
    blocks: usize,
}

impl<'a, T: Scalar> BySample<'a, T> {
    fn new(lists: &'a Lists<T>, block_ends: &'a [u32], blocks: usize) -> Self {
        Self { lists, block_ends, blocks }
    }

    /// A sample's nonzeros in a range of blocks of features.
    #[inline(always)]
    fn nonzeros(&self, sample: usize, blocks: Range<usize>) -> (&'a [u32], &'a [T]) {
        let ends = &self.block_ends[sample * self.blocks..][..self.blocks];
        let end_of = |blocks: usize| if blocks == 0 { 0 } else { ends[blocks - 1] as usize };
        let start = self.lists.starts[sample];
        let range = start + end_of(blocks.start)..start + end_of(blocks.end);
        (&self.lists.indices[range.clone()], &self.lists.values[range])
    }
}

impl<T: Scalar> Nonzeros<T> {
    /// Room for the nonzeros of any batch of at most so many features and samples; an empty batch for now.
    ///
    /// # Panics
    ///
    /// If there are more than `u32::MAX` features or samples, the size overflows, or the memory is not to be had.
    #[track_caller]
    pub fn new(max_features: usize, max_samples: usize) -> Self {
        for (what, number) in [("features", max_features), ("samples", max_samples)] {
            assert!(
                u32::try_from(number).is_ok(),
                "nonzeros of {number} {what}, more than 32 bits can count"
            );
        }
        Self::try_new(max_features, max_samples).unwrap_or_else(|| {
            panic!("no memory for the nonzeros of {max_features} features × {max_samples} samples")
        })
    }

    /// The same, or `None` where there are more than `u32::MAX` features or samples, the size overflows, or the memory is
    /// not to be had.
    pub fn try_new(max_features: usize, max_samples: usize) -> Option<Self> {
        let counted = |number: usize| u32::try_from(number).is_ok();
        if !counted(max_features) || !counted(max_samples) {
            return None;
        }
        Some(Self {
            max_features,
            max_samples,
            n_features: 0,
            n_samples: 0,
            by_sample: Lists::try_new(max_samples, max_features)?,
            block_ends: zeros(max_features.div_ceil(BLOCK_FEATURES).checked_mul(max_samples)?)?,
            by_feature: Lists::try_new(max_features, max_samples)?,
            features_are_listed: false,
        })
    }

    /// Finds the nonzeros of a batch in tiles, features × samples, on all threads of `pool`.
    ///
    /// # Panics
    ///
    /// If the batch has more features or samples than there is room for.
    #[track_caller]
    pub fn fill_from_tiled(&mut self, pool: &Pool, batch: TiledRef<'_, T>) {
        self.fill(pool, batch.n_rows(), batch.n_columns(), &Tiles(batch));
    }

    /// Finds the nonzeros of a batch, features × samples, on all threads of `pool`.
    ///
    /// # Panics
    ///
    /// If the batch has more features or samples than there is room for, or if its columns are not contiguous.
    #[track_caller]
    pub fn fill_from_columns(&mut self, pool: &Pool, batch: MatRef<'_, T>) {
        let contiguous = batch.row_stride == 1 || batch.n_rows() <= 1 || batch.n_columns() == 0;
        assert!(contiguous, "columns with row stride {}", batch.row_stride);
        self.fill(pool, batch.n_rows(), batch.n_columns(), &Columns(batch));
    }

    /// Gathers samples of bytes and finds their nonzeros, on all threads of `pool`.
    ///
    /// `bytes` holds samples of `n_features` bytes, one after the other; column s of the batch is sample `order[s]`, and
    /// byte b stands for `values[b]`. With `values[b]` = b/255 that is what gathering the pixels densely gives, bit for
    /// bit, without the dense batch.
    ///
    /// ```
    /// use densely_tensor::{Nonzeros, Pool};
    ///
    /// let images = [0, 255, 51, 0]; // two images of two pixels
    /// let values = std::array::from_fn(|byte| byte as f64 / 255.0);
    /// let mut nonzeros = Nonzeros::new(2, 3);
    /// nonzeros.fill_from_bytes(&Pool::default(), 2, &images, &[1, 0, 1], &values);
    /// assert_eq!(nonzeros.sample(0), (&[0][..], &[0.2][..]));
    /// assert_eq!(nonzeros.sample(1), (&[1][..], &[1.0][..]));
    /// ```
    ///
    /// # Panics
    ///
    /// If there is not room for so many features or for `order.len()` samples, or a sample of `order` lies beyond the
    /// end of `bytes`.
    #[track_caller]
    pub fn fill_from_bytes(
        &mut self,
        pool: &Pool,
        n_features: usize,
        bytes: &[u8],
        order: &[u32],
        values: &[T; 256],
    ) {
        let there = bytes.len().checked_div(n_features).unwrap_or(usize::MAX);
        if let Some(sample) = order.iter().find(|&&sample| sample as usize >= there) {
            panic!("sample {sample} of {there} samples of {n_features} bytes");
        }
        self.fill(pool, n_features, order.len(), &Bytes::new(n_features, bytes, order, values));
    }

    #[track_caller]
    fn fill(&mut self, pool: &Pool, n_features: usize, n_samples: usize, source: &impl Source<T>) {
        let (max_features, max_samples) = (self.max_features, self.max_samples);
        assert!(
            n_features <= max_features && n_samples <= max_samples,
            "a batch of {n_features} features × {n_samples} samples, with room for {max_features} × {max_samples}"
        );
        (self.n_features, self.n_samples) = (n_features, n_samples);
        self.features_are_listed = false;
        if n_features == 0 || n_samples == 0 {
            self.by_sample.lengths[..n_samples].fill(0);
        } else {
            self.fill_samples(pool, source);
        }
    }

    /// Lists the nonzeros by feature too, on all threads of `pool`. A backward pass needs that, a forward pass does not.
    pub fn list_features(&mut self, pool: &Pool) {
        if self.features_are_listed {
            return;
        }
        if self.n_features == 0 || self.n_samples == 0 {
            self.by_feature.lengths[..self.n_features].fill(0);
        } else {
            self.fill_features(pool);
        }
        self.features_are_listed = true;
    }

    #[track_caller]
    pub(crate) fn check_features_are_listed(&self) {
        assert!(self.features_are_listed, "nonzeros by feature are used before list_features");
    }

    /// Number of features, zero or not.
    pub fn n_features(&self) -> usize {
        self.n_features
    }

    /// Number of samples.
    pub fn n_samples(&self) -> usize {
        self.n_samples
    }

    /// Number of nonzeros.
    pub fn count(&self) -> usize {
        self.by_sample.lengths[..self.n_samples].iter().map(|&length| length as usize).sum()
    }

    /// The share of elements that are not zero; 0 in a batch without elements.
    pub fn density(&self) -> f64 {
        let elements = self.n_features as f64 * self.n_samples as f64;
        if elements == 0.0 { 0.0 } else { self.count() as f64 / elements }
    }

    /// The nonzeros of one sample: which features, ascending, and their values.
    ///
    /// # Panics
    ///
    /// If there are not so many samples.
    #[track_caller]
    pub fn sample(&self, sample: usize) -> (&[u32], &[T]) {
        assert!(sample < self.n_samples, "sample {sample} of {}", self.n_samples);
        self.by_sample.get(sample)
    }

    /// The nonzeros of one feature: in which samples, ascending, and their values.
    ///
    /// # Panics
    ///
    /// If there are not so many features, or [`list_features`](Self::list_features) was not called for this batch.
    #[track_caller]
    #[inline(always)] // in the loops over features a call would cost some percent
    pub fn feature(&self, feature: usize) -> (&[u32], &[T]) {
        self.check_features_are_listed();
        assert!(feature < self.n_features, "feature {feature} of {}", self.n_features);
        self.by_feature.get(feature)
    }
}
