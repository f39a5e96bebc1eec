//! Slices with a page without access at one end, so that one byte too far ends the process.

use densely_tensor::{Isa, MatMut, MatRef, Scalar};
use std::cell::Cell;
use std::io::Write;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::ptr::{self, NonNull};
use std::sync::Once;

use crate::reference::Random;

/// At which end the pages without access begin.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Edge {
    /// The last element's last byte is the last one before the page: reading or writing beyond the end faults.
    End,
    /// The first element's first byte is the first one after the page: reading or writing before the start faults.
    Start,
}

/// What the bytes between a slice and the far page hold; a write that does not fault changes them.
const CANARY: u8 = 0xa5;

/// A slice at the edge of its mapping. Panics when it is dropped after something wrote beside it.
pub(crate) struct Guarded<T> {
    elements: NonNull<T>,
    len: usize,
    mapping: Mapping,
}

impl<T: Copy> Guarded<T> {
    /// A copy of `values`.
    pub(crate) fn new(edge: Edge, values: &[T]) -> Self {
        let bytes = size_of_val(values);
        let mapping = Mapping::new(bytes);
        let offset = match edge {
            Edge::End => mapping.len - bytes,
            Edge::Start => 0,
        };
        // SAFETY: the mapping has `len` writable bytes; the offset is at most that.
        let elements = unsafe {
            mapping.start.write_bytes(CANARY, mapping.len);
            mapping.start.add(offset).cast::<T>()
        };
        assert!(elements.is_aligned(), "a page is a multiple of an element");
        // SAFETY: from `elements` on, the mapping has room for all values, and nothing else refers to it.
        unsafe { ptr::copy_nonoverlapping(values.as_ptr(), elements.as_ptr(), values.len()) };
        Self { elements, len: values.len(), mapping }
    }
}

impl<T> Drop for Guarded<T> {
    fn drop(&mut self) {
        // SAFETY: `new` wrote all bytes of the mapping, and nothing else uses it any more.
        let bytes = unsafe { std::slice::from_raw_parts(self.mapping.start.as_ptr(), self.mapping.len) };
        let start = self.elements.addr().get() - self.mapping.start.addr().get();
        let (before, rest) = bytes.split_at(start);
        let after = &rest[self.len * size_of::<T>()..];
        let intact = before.iter().chain(after).all(|&byte| byte == CANARY);
        assert!(intact || std::thread::panicking(), "a kernel wrote beside its operand");
    }
}

impl<T> Deref for Guarded<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: `new` wrote `len` elements there, and they live as long as the mapping.
        unsafe { std::slice::from_raw_parts(self.elements.as_ptr(), self.len) }
    }
}

impl<T> DerefMut for Guarded<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as in `deref`, and the borrow is exclusive.
        unsafe { std::slice::from_raw_parts_mut(self.elements.as_ptr(), self.len) }
    }
}

/// Readable and writable pages between two without access.
struct Mapping {
    start: NonNull<u8>,
    len: usize,
    page: usize,
}

impl Mapping {
    /// At least `bytes` bytes: one page if it is none.
    fn new(bytes: usize) -> Self {
        // SAFETY: the call asks for a constant of the system.
        let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
        let page = usize::try_from(page).expect("the system knows the size of its pages");
        let len = bytes.next_multiple_of(page).max(page);
        let flags = libc::MAP_PRIVATE | libc::MAP_ANON;
        // SAFETY: new pages, wherever the system puts them, are nobody else's.
        let whole = unsafe { libc::mmap(ptr::null_mut(), len + 2 * page, libc::PROT_NONE, flags, -1, 0) };
        assert!(whole != libc::MAP_FAILED, "mmap: {}", std::io::Error::last_os_error());
        // SAFETY: the middle of what was just mapped.
        let start = unsafe { whole.cast::<u8>().add(page) };
        // SAFETY: as above; nothing refers to those pages yet.
        let result = unsafe { libc::mprotect(start.cast(), len, libc::PROT_READ | libc::PROT_WRITE) };
        assert!(result == 0, "mprotect: {}", std::io::Error::last_os_error());
        Self { start: NonNull::new(start).expect("a page follows the first one"), len, page }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: `new` mapped exactly these pages, and no slice outlives the mapping.
        unsafe { libc::munmap(self.start.as_ptr().sub(self.page).cast(), self.len + 2 * self.page) };
    }
}

/// Makes the operands of one run of a kernel, all at the same edge and with numbers in −1..1.
pub(crate) struct Operands {
    pub(crate) isa: Isa,
    pub(crate) edge: Edge,
    seed: Cell<u64>,
}

impl Operands {
    /// `len` numbers.
    pub(crate) fn slice<T: Scalar>(&self, len: usize) -> Guarded<T> {
        let seed = self.seed.replace(self.seed.get() + 1);
        let mut random = Random(seed);
        let values: Vec<T> = (0..len).map(|_| T::from_f64(random.next_unit())).collect();
        self.copy_of(&values)
    }

    /// Given elements, of any type.
    pub(crate) fn copy_of<T: Copy>(&self, values: &[T]) -> Guarded<T> {
        Guarded::new(self.edge, values)
    }

    /// A matrix whose last element is the last of its slice, whatever the layout.
    pub(crate) fn matrix<T: Scalar>(&self, rows: usize, columns: usize, layout: Layout) -> Matrix<T> {
        let (row_stride, column_stride) = match layout {
            Layout::Columns => (1, rows),
            Layout::Rows => (columns, 1),
            Layout::SubView => (1, rows + 5),
            Layout::Scattered => (3, 3 * rows + 2),
        };
        let last = rows.saturating_sub(1) * row_stride + columns.saturating_sub(1) * column_stride;
        let elements = self.slice(if rows * columns == 0 { 0 } else { last + 1 });
        Matrix { elements, rows, columns, row_stride, column_stride }
    }
}

/// How a matrix lies in memory.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Layout {
    Columns,
    Rows,
    /// A part of a larger column-major matrix.
    SubView,
    /// Neither stride is 1.
    Scattered,
}

pub(crate) const LAYOUTS: [Layout; 4] = [Layout::Columns, Layout::Rows, Layout::SubView, Layout::Scattered];

/// A guarded matrix.
pub(crate) struct Matrix<T> {
    elements: Guarded<T>,
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<T: Scalar> Matrix<T> {
    pub(crate) fn as_ref(&self) -> MatRef<'_, T> {
        MatRef::with_strides(&self.elements, self.rows, self.columns, self.row_stride, self.column_stride)
    }

    pub(crate) fn as_mut(&mut self) -> MatMut<'_, T> {
        MatMut::with_strides(&mut self.elements, self.rows, self.columns, self.row_stride, self.column_stride)
    }
}

/// Runs `kernel` at both edges on every instruction set. Where a page without access ends the process, the place of this
/// call is printed first.
#[track_caller]
pub(crate) fn at_every_edge(kernel: impl Fn(&Operands)) {
    let caller = Location::caller();
    name_faults();
    for isa in Isa::available() {
        for edge in [Edge::End, Edge::Start] {
            RUNNING.set(Some(Running { caller, isa, edge }));
            kernel(&Operands { isa, edge, seed: Cell::new(1) });
        }
    }
}

/// What a thread works on.
#[derive(Clone, Copy)]
struct Running {
    caller: &'static Location<'static>,
    isa: Isa,
    edge: Edge,
}

thread_local! {
    static RUNNING: Cell<Option<Running>> = const { Cell::new(None) };
}

/// The harness keeps what a test prints until it ends, and a fault ends the whole process: so the handler writes.
fn name_faults() {
    extern "C" fn name_fault(_signal: libc::c_int) {
        let mut line = [0u8; 256];
        let mut rest = &mut line[..];
        // A thread of a pool knows no more than that it faulted. A line too long is cut.
        let _ = match RUNNING.get() {
            Some(Running { caller, isa, edge }) => {
                writeln!(rest, "outside an operand on {isa}, guard at its {edge:?}: {caller}")
            }
            None => writeln!(rest, "outside an operand, in a thread of a pool"),
        };
        let left = rest.len();
        // SAFETY: `write` is allowed in a handler, and the line has that many bytes.
        unsafe { libc::write(2, line.as_ptr().cast(), line.len() - left) };
    }

    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        for signal in [libc::SIGSEGV, libc::SIGBUS] {
            // SAFETY: all-zero bytes are a valid `sigaction`; the handler only formats on its stack and writes, and
            // SA_RESETHAND makes the fault end the process when it returns.
            unsafe {
                let mut action: libc::sigaction = std::mem::zeroed();
                action.sa_sigaction = name_fault as extern "C" fn(libc::c_int) as libc::sighandler_t;
                action.sa_flags = libc::SA_RESETHAND | libc::SA_ONSTACK;
                libc::sigaction(signal, &action, ptr::null_mut());
            }
        }
    });
}
