//! Buffers whose first element stands on a cache line, so that no vector of an aligned column crosses two.

use crate::scalar::Scalar;
use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;

/// Bytes in a cache line, and in the widest vector register.
const ALIGNMENT: usize = 64;

/// A slice on the heap whose address is a multiple of 64 bytes unless it is empty; it never grows.
///
/// ```
/// let mut buffer = densely_tensor::AlignedBuffer::<f32>::zeros(3);
/// buffer[1] = 2.0;
/// assert_eq!(*buffer, [0.0, 2.0, 0.0]);
/// assert_eq!(buffer.as_ptr().addr() % 64, 0);
/// ```
pub struct AlignedBuffer<T: Scalar> {
    /// The first element; the allocation begins up to a cache line before it.
    pointer: NonNull<T>,
    len: usize,
    allocation: NonNull<u8>,
}

// SAFETY: the buffer owns its elements as a `Vec` does, and `T` is `Send`.
unsafe impl<T: Scalar> Send for AlignedBuffer<T> {}
// SAFETY: shared access gives shared slices only, and `T` is `Sync`.
unsafe impl<T: Scalar> Sync for AlignedBuffer<T> {}

impl<T: Scalar> AlignedBuffer<T> {
    /// `len` zeros.
    ///
    /// # Panics
    ///
    /// If the size in bytes is larger than `isize::MAX`. Aborts, as `Vec` does, when the memory is not to be had.
    pub fn zeros(len: usize) -> Self {
        Self::try_zeros(len).unwrap_or_else(|| match Self::layout(len) {
            Some(layout) => handle_alloc_error(layout),
            None => panic!("a buffer of {len} elements is larger than memory can be"),
        })
    }

    /// `len` zeros, or `None` when the memory is not to be had.
    pub fn try_zeros(len: usize) -> Option<Self> {
        if len == 0 {
            return Some(Self { pointer: NonNull::dangling(), len, allocation: NonNull::dangling() });
        }
        let layout = Self::layout(len)?;
        // SAFETY: the layout's size is not zero, as `len` and the size of a scalar are not.
        let allocation = NonNull::new(unsafe { alloc_zeroed(layout) })?;
        let address = allocation.addr().get();
        // SAFETY: less than a cache line is skipped, which the layout has beyond the elements.
        let pointer = unsafe { allocation.add(address.next_multiple_of(ALIGNMENT) - address) }.cast();
        Some(Self { pointer, len, allocation })
    }

    /// The elements and room to align them. An aligned allocation would be filled with zeros by hand, all of it; one of the
    /// usual alignment comes from the system in pages that take memory when they are first written.
    fn layout(len: usize) -> Option<Layout> {
        let size = len.checked_mul(T::SIZE)?.checked_add(ALIGNMENT)?;
        Layout::from_size_align(size, align_of::<f64>()).ok()
    }
}

impl<T: Scalar> Drop for AlignedBuffer<T> {
    fn drop(&mut self) {
        if self.len > 0
            && let Some(layout) = Self::layout(self.len)
        {
            // SAFETY: `try_zeros` allocated exactly this layout, and nothing else frees it.
            unsafe { dealloc(self.allocation.as_ptr(), layout) }
        }
    }
}

impl<T: Scalar> Deref for AlignedBuffer<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: `len` elements were allocated, and all-zero bytes are a valid float (dangling is valid for none).
        unsafe { std::slice::from_raw_parts(self.pointer.as_ptr(), self.len) }
    }
}

impl<T: Scalar> DerefMut for AlignedBuffer<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as in `deref`; the exclusive borrow of the buffer makes this the only access.
        unsafe { std::slice::from_raw_parts_mut(self.pointer.as_ptr(), self.len) }
    }
}

impl<T: Scalar> Clone for AlignedBuffer<T> {
    fn clone(&self) -> Self {
        let mut copy = Self::zeros(self.len);
        copy.copy_from_slice(self);
        copy
    }
}

impl<T: Scalar> std::fmt::Debug for AlignedBuffer<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        (**self).fmt(f)
    }
}
