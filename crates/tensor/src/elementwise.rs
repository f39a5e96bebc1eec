//! Loops over elements, compiled for each instruction set: the functions that change them stand in the modules that
//! name them. An element depends on its own inputs only, so how they are vectorised or shared out changes no bit.

use crate::arch::Vector;
use crate::isa::{Isa, Kernel};
use crate::scalar::Scalar;

/// `x ← f(x)`. Implementations are marked `#[inline(always)]`.
pub(crate) trait Map<T> {
    fn map(&self, x: T) -> T;
}

/// `y ← f(x, y)`. Implementations are marked `#[inline(always)]`.
pub(crate) trait Zip<T> {
    fn zip(&self, x: T, y: T) -> T;
}

/// Applies `f` to each element.
pub(crate) fn map<T: Scalar>(isa: Isa, elements: &mut [T], f: impl Map<T>) {
    struct Loop<'a, T, F>(&'a mut [T], F);

    impl<T: Scalar, F: Map<T>> Kernel<T> for Loop<'_, T, F> {
        type Output = ();

        #[inline(always)]
        fn run<V: Vector<Element = T>>(self) {
            for x in self.0 {
                *x = self.1.map(*x);
            }
        }
    }

    isa.run(Loop(elements, f));
}

/// Applies `f` to each pair of elements.
///
/// # Panics
///
/// If the slices differ in length.
#[track_caller]
pub(crate) fn zip<T: Scalar>(isa: Isa, xs: &[T], ys: &mut [T], f: impl Zip<T>) {
    struct Loop<'a, T, F>(&'a [T], &'a mut [T], F);

    impl<T: Scalar, F: Zip<T>> Kernel<T> for Loop<'_, T, F> {
        type Output = ();

        #[inline(always)]
        fn run<V: Vector<Element = T>>(self) {
            for (x, y) in self.0.iter().zip(self.1) {
                *y = self.2.zip(*x, *y);
            }
        }
    }

    assert_eq!(xs.len(), ys.len(), "two slices of different lengths");
    isa.run(Loop(xs, ys, f));
}
