//! Values as other crates have them: nalgebra's matrices, ndarray's arrays, rayon's iterators. Nothing is copied, but
//! by [`Idx::from`] an array whose values do not lie row by row.

use crate::{Element, Idx};

#[cfg(feature = "nalgebra")]
mod matrices {
    use nalgebra::{DMatrixView, DVectorView, Dyn, Scalar};

    use super::{Element, Idx};

    /// Views as matrices, with the feature `nalgebra`.
    impl Idx {
        /// All values as a matrix whose columns are the items: [`item_len`](Self::item_len) × [`n_items`](Self::n_items). `None` if
        /// they are not of type `T`, or are not as many as the shape says.
        ///
        /// ```
        /// use idx_dataset::{Idx, Values};
        ///
        /// let idx = Idx { shape: vec![2, 3], values: Values::U8(vec![1, 2, 3, 4, 5, 6]) };
        /// let matrix = idx.matrix::<u8>().ok_or("not bytes")?;
        /// assert_eq!(matrix.shape(), (3, 2));
        /// assert_eq!(matrix.column(1).as_slice(), [4, 5, 6]);
        /// # Ok::<(), &str>(())
        /// ```
        pub fn matrix<T: Element + Scalar>(&self) -> Option<DMatrixView<'_, T>> {
            let values = self.values.as_slice().filter(|values| self.is_whole(values.len()))?;
            Some(DMatrixView::from_slice(values, self.item_len(), self.n_items()))
        }

        /// Item `n` as a matrix, if items have two dimensions: `rows × columns`, as an image is looked at. `None` as for
        /// [`item`](Self::item), too.
        ///
        /// ```
        /// use idx_dataset::{Idx, Values};
        ///
        /// let idx = Idx { shape: vec![1, 2, 3], values: Values::U8(vec![1, 2, 3, 4, 5, 6]) };
        /// let image = idx.item_matrix::<u8>(0).ok_or("no such image")?;
        /// assert_eq!((image.shape(), image[(0, 2)], image[(1, 0)]), ((2, 3), 3, 4));
        /// # Ok::<(), &str>(())
        /// ```
        pub fn item_matrix<T: Element + Scalar>(&self, n: usize) -> Option<DMatrixView<'_, T, Dyn, Dyn>> {
            let [_, rows, columns] = self.shape[..] else { return None };
            let item = self.item(n)?;
            Some(DMatrixView::from_slice_with_strides(item, rows, columns, columns, 1))
        }

        /// Item `n` as a column. `None` as for [`item`](Self::item).
        pub fn item_vector<T: Element + Scalar>(&self, n: usize) -> Option<DVectorView<'_, T>> {
            let item = self.item(n)?;
            Some(DVectorView::from_slice(item, item.len()))
        }
    }
}

#[cfg(feature = "ndarray")]
mod arrays {
    use alloc::vec::Vec;

    use ndarray::{Array, ArrayD, ArrayViewD, Dimension, IxDyn};

    use super::{Element, Idx};

    /// Arrays, with the feature `ndarray`.
    impl Idx {
        /// All values as an array of the same shape. `None` if they are not of type `T`, or are not as many as the shape says.
        ///
        /// ```
        /// use idx_dataset::{Idx, Values};
        ///
        /// let idx = Idx { shape: vec![2, 3], values: Values::U8(vec![1, 2, 3, 4, 5, 6]) };
        /// let array = idx.array::<u8>().ok_or("not bytes")?;
        /// assert_eq!(array[[1, 0]], 4);
        /// assert_eq!(Idx::from(array.to_owned()), idx);
        /// # Ok::<(), &str>(())
        /// ```
        pub fn array<T: Element>(&self) -> Option<ArrayViewD<'_, T>> {
            ArrayViewD::from_shape(IxDyn(&self.shape), self.values.as_slice()?).ok()
        }

        /// The same, taken without a copy.
        pub fn into_array<T: Element>(self) -> Option<ArrayD<T>> {
            ArrayD::from_shape_vec(IxDyn(&self.shape), self.values.into_vec().ok()?).ok()
        }
    }

    /// The array's shape, and its values row by row, which are not copied if they lie so already.
    impl<T: Element, D: Dimension> From<Array<T, D>> for Idx {
        fn from(array: Array<T, D>) -> Self {
            let shape = array.shape().to_vec();
            let array =
                if array.is_standard_layout() { array } else { array.as_standard_layout().into_owned() };
            let len = array.len();
            let (mut values, offset): (Vec<T>, _) = array.into_raw_vec_and_offset();
            values.drain(..offset.unwrap_or(0));
            values.truncate(len);
            Self { shape, values: values.into() }
        }
    }
}

#[cfg(feature = "rayon")]
mod parallel {
    use rayon::iter::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator};

    use super::{Element, Idx};

    /// Parallel iterators, with the feature `rayon`.
    impl Idx {
        /// As [`iter_items`](Self::iter_items), on all threads of rayon's pool.
        ///
        /// ```
        /// use idx_dataset::{Idx, Values};
        /// use rayon::prelude::*;
        ///
        /// let idx = Idx { shape: vec![2, 3], values: Values::U8(vec![1, 2, 3, 4, 5, 6]) };
        /// let items = idx.par_items::<u8>().ok_or("not bytes")?;
        /// assert_eq!(items.map(|item| item.iter().sum()).collect::<Vec<u8>>(), [6, 15]);
        /// assert!(idx.par_items::<f32>().is_none());
        /// # Ok::<(), &str>(())
        /// ```
        pub fn par_items<T: Element>(&self) -> Option<impl IndexedParallelIterator<Item = &[T]>> {
            let values = self.values.as_slice::<T>().filter(|values| self.is_whole(values.len()))?;
            let len = self.item_len();
            Some((0..self.n_items()).into_par_iter().map(move |n| &values[n * len..][..len]))
        }
    }
}
