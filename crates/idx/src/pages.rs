//! Large pages for large vectors. Memory that is touched for the first time costs a page fault for each 4 KiB, and faults are
//! most of what loading a file from the page cache takes: 47 MB by `std::fs::read`, which gives no such advice, took 2.7
//! times as long as by `read`. NumPy gives the same advice. Where the system does not know it, nothing is lost.

use core::mem::MaybeUninit;

/// Says that memory will be used from end to end. Nothing is done for less than a large page.
#[cfg(all(target_os = "linux", target_pointer_width = "64", not(miri)))]
#[allow(unsafe_code)]
pub(crate) fn advise<T>(spare: &mut [MaybeUninit<T>]) {
    use core::ffi::{c_int, c_void};

    const LARGE_PAGE: usize = 2 << 20;
    const MADV_HUGEPAGE: c_int = 14;
    unsafe extern "C" {
        fn madvise(start: *mut c_void, len: usize, advice: c_int) -> c_int; // of the C library that `std` is linked with
    }
    let start = spare.as_mut_ptr().cast::<u8>();
    let before = start.align_offset(LARGE_PAGE);
    let whole = size_of_val(spare).saturating_sub(before) / LARGE_PAGE * LARGE_PAGE;
    if whole > 0 {
        // SAFETY: the pages lie within the slice, which is borrowed for writing, and the advice changes no byte of them. It may be
        // refused.
        unsafe { madvise(start.wrapping_add(before).cast(), whole, MADV_HUGEPAGE) };
    }
}

/// Other systems know no such advice, or need none.
#[cfg(not(all(target_os = "linux", target_pointer_width = "64", not(miri))))]
pub(crate) fn advise<T>(_spare: &mut [MaybeUninit<T>]) {}
