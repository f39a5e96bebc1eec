//! The one loop that all rules share: each array is read and written once.
//!
//! The gradient may be there, or be computed on the way: the loop is compiled together with what computes it, so that
//! the CPU works on a run's roots and quotients and on the next run's gradient at once.

use super::MOST_MOMENTS;
use crate::arch::Vector;
use crate::isa::{Isa, Kernel};
use crate::scalar::Scalar;
use crate::tiled::TILE_ROWS;

/// A rule's formula for one parameter. Implementations are marked `#[inline(always)]`, so that the loop is vectorised.
pub(super) trait Step<T, const MOMENTS: usize>: Copy {
    /// The parameter and its moments after the step, from parameter, gradient and moments before it.
    fn step(self, parameter: T, gradient: T, moments: [T; MOMENTS]) -> (T, [T; MOMENTS]);
}

/// A gradient, as long as the parameters it belongs to.
pub(crate) trait Gradient<T: Scalar> {
    /// Its elements.
    fn len(&self) -> usize;

    /// Its next run, which may be left in `space`, at least one element where any is left. What takes time to compute fetches as many
    /// elements ahead as it has finished. Mark it `#[inline(always)]`.
    fn next_run<'a, V: Vector<Element = T>, const MOMENTS: usize>(
        &'a mut self,
        space: &'a mut Run<T>,
        ahead: Ahead<T, MOMENTS>,
    ) -> &'a [T];
}

/// Space for a run of a gradient that is computed on the way: a column of a tile.
#[repr(align(64))]
pub(crate) struct Run<T>(pub(crate) [T; TILE_ROWS]);

/// Parameters and moments that will be needed some columns later.
#[derive(Clone, Copy)]
pub(crate) struct Ahead<T, const MOMENTS: usize> {
    parameters: *const T,
    moments: [*const T; MOMENTS],
}

impl<T: Scalar, const MOMENTS: usize> Ahead<T, MOMENTS> {
    /// Has `len` elements of each brought nearer.
    #[inline(always)]
    pub(crate) fn fetch<V: Vector<Element = T>>(self, len: usize) {
        V::prefetch_run(self.parameters, len);
        for moment in self.moments {
            V::prefetch_run(moment, len);
        }
    }
}

/// A gradient that is there is one run.
impl<T: Scalar> Gradient<T> for &[T] {
    fn len(&self) -> usize {
        <[T]>::len(self)
    }

    #[inline(always)]
    fn next_run<'a, V: Vector<Element = T>, const MOMENTS: usize>(
        &'a mut self,
        _space: &'a mut Run<T>,
        _ahead: Ahead<T, MOMENTS>,
    ) -> &'a [T] {
        self
    }
}

/// How far ahead of a run parameters and moments are fetched, in elements.
const AHEAD: usize = 12 * TILE_ROWS;

/// What a step works on.
pub(super) struct Slices<'a, T, G> {
    pub(super) isa: Isa,
    pub(super) decay: T,
    pub(super) parameters: &'a mut [T],
    pub(super) gradient: G,
    pub(super) moments: [&'a mut [T]; MOST_MOMENTS],
}

impl<T: Scalar, G: Gradient<T>> Slices<'_, T, G> {
    /// Applies a rule that needs the first `MOMENTS` moments.
    ///
    /// # Panics
    ///
    /// If one of them or the gradient is not as long as the parameters.
    #[track_caller]
    #[inline(always)] // short runs would feel the moves of a struct
    pub(super) fn step<const MOMENTS: usize>(self, rule: impl Step<T, MOMENTS>) {
        let Self { isa, decay, parameters, gradient, moments } = self;
        assert_eq!(parameters.len(), gradient.len(), "parameters and gradient");
        for (index, moment) in moments.iter().enumerate().take(MOMENTS) {
            assert_length(index, moment.len(), parameters.len());
        }
        let mut moments = moments.into_iter();
        let moments = std::array::from_fn(|_| moments.next().unwrap_or_default());
        isa.run(Loop { rule, decay, parameters, gradient, moments });
    }
}

#[track_caller]
pub(super) fn assert_length(index: usize, found: usize, expected: usize) {
    assert!(found == expected, "moment {index} has {found} elements, there are {expected} parameters");
}

struct Loop<'a, T, G, R, const MOMENTS: usize> {
    rule: R,
    decay: T,
    parameters: &'a mut [T],
    gradient: G,
    moments: [&'a mut [T]; MOMENTS],
}

impl<T: Scalar, G: Gradient<T>, R: Step<T, MOMENTS>, const MOMENTS: usize> Kernel<T>
    for Loop<'_, T, G, R, MOMENTS>
{
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<Element = T>>(self) {
        let Self { rule, decay, mut parameters, mut gradient, mut moments } = self;
        let mut space = Run([T::ZERO; TILE_ROWS]);
        while !parameters.is_empty() {
            let ahead = Ahead {
                parameters: parameters.as_ptr().wrapping_add(AHEAD),
                moments: moments.each_ref().map(|moment| moment.as_ptr().wrapping_add(AHEAD)),
            };
            let run = gradient.next_run::<V, MOMENTS>(&mut space, ahead);
            let parameters = take_front(&mut parameters, run.len());
            let moments = moments.each_mut().map(|moment| take_front(moment, run.len()));
            if run.len() == TILE_ROWS {
                // The usual length of a run that is computed: without a loop the CPU gets to the next run's sums sooner.
                let moments = moments.map(|moment| &mut moment[..TILE_ROWS]);
                step_all(rule, decay, &mut parameters[..TILE_ROWS], &run[..TILE_ROWS], moments);
            } else {
                step_all(rule, decay, parameters, run, moments);
            }
        }
    }
}

/// Splits the first `len` elements off, or what there is.
#[inline(always)]
pub(crate) fn take_front<'a, T>(rest: &mut &'a mut [T], len: usize) -> &'a mut [T] {
    let all = std::mem::take(rest);
    let (front, back) = all.split_at_mut(len.min(all.len()));
    *rest = back;
    front
}

/// The loop. A function of its own, because of a function's arguments the compiler knows that they do not overlap, and of
/// references in a struct it does not: comparing all pairs costs a short run as much as some of its vectors.
#[inline(always)]
fn step_all<T: Scalar, const MOMENTS: usize>(
    rule: impl Step<T, MOMENTS>,
    decay: T,
    parameters: &mut [T],
    gradient: &[T],
    moments: [&mut [T]; MOMENTS],
) {
    let len = parameters.len();
    // The same length for all, known to the compiler, leaves no bounds to check in the loop.
    let gradient = &gradient[..len];
    let mut moments = moments.map(|moment| &mut moment[..len]);
    for place in 0..len {
        let before = std::array::from_fn(|index| moments[index][place]);
        // A decay of 0 changes no finite parameter (but −0, to +0), and costs nothing beside the loads and stores.
        let parameter = (-decay).mul_add(parameters[place], parameters[place]);
        let (parameter, after) = rule.step(parameter, gradient[place], before);
        parameters[place] = parameter;
        for (moment, after) in moments.iter_mut().zip(after) {
            moment[place] = without_subnormals(after);
        }
    }
}

/// A moment as it is kept: +0 instead of a subnormal number.
#[inline(always)]
fn without_subnormals<T: Scalar>(moment: T) -> T {
    if moment.abs() < T::MIN_POSITIVE { T::ZERO } else { moment }
}
