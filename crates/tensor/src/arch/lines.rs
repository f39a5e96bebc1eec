//! Taking cache lines that other cores have copies of, before they are written.
//!
//! A store to such a line waits until the others have given up their copies: longer where cores share no cache
//! (docs/performance.md has figures). Stores that span two lines, or have other work between them, wait one after the
//! other; a burst of plain stores waits once for many.

use super::LINE_BYTES;

/// Takes the lines of a run whose values are of no more use: one in each 64 bytes from its start becomes 0, which leaves out the last
/// line of a run that does not begin one.
#[inline(always)]
pub(crate) fn take_lines_to_fill<E: Copy + Default>(run: &mut [E]) {
    run.iter_mut().step_by(LINE_BYTES / size_of::<E>()).for_each(|element| *element = E::default());
}

/// The same for a run whose values stay.
#[inline(always)]
pub(crate) fn take_lines_to_change<E: Copy>(run: &mut [E]) {
    for element in run.iter_mut().step_by(LINE_BYTES / size_of::<E>()) {
        let element: *mut E = element;
        // Volatile, for a compiler leaves out a store of what is there.
        // SAFETY: the pointer comes from a unique reference to an element, which is valid, aligned and initialized.
        unsafe { element.write_volatile(element.read_volatile()) };
    }
}
