//! OpenBLAS through its C interface.

use super::{Contender, Operands, Product};
use libloading::Library;
use std::ffi::c_int;
use std::sync::OnceLock;

type Sgemm = unsafe extern "C" fn(
    order: c_int,
    a_transposed: c_int,
    b_transposed: c_int,
    m: c_int,
    n: c_int,
    k: c_int,
    alpha: f32,
    a: *const f32,
    a_leading: c_int,
    b: *const f32,
    b_leading: c_int,
    beta: f32,
    c: *mut f32,
    c_leading: c_int,
);
type Sgemv = unsafe extern "C" fn(
    order: c_int,
    transposed: c_int,
    m: c_int,
    n: c_int,
    alpha: f32,
    a: *const f32,
    a_leading: c_int,
    x: *const f32,
    x_increment: c_int,
    beta: f32,
    y: *mut f32,
    y_increment: c_int,
);

/// `CBLAS_ORDER` and `CBLAS_TRANSPOSE` of cblas.h.
const ROW_MAJOR: c_int = 101;
const PLAIN: c_int = 111;
const TRANSPOSED: c_int = 112;

#[derive(Clone, Copy)]
struct OpenBlas {
    sgemm: Sgemm,
    sgemv: Sgemv,
    n_threads: unsafe extern "C" fn() -> c_int,
}

/// The library, opened once and never closed; `None` if it is not installed.
fn open() -> Option<OpenBlas> {
    static LIBRARY: OnceLock<Option<Library>> = OnceLock::new();
    let library = LIBRARY.get_or_init(|| {
        // SAFETY: OpenBLAS's initialisers start its threads and touch nothing of ours.
        ["libopenblas.so.0", "libopenblas.so", "libopenblas.dylib"]
            .iter()
            .find_map(|name| unsafe { Library::new(*name) }.ok())
    });
    let library = library.as_ref()?;
    // SAFETY: the three symbols have these types in cblas.h, and the library stays open.
    unsafe {
        Some(OpenBlas {
            sgemm: *library.get(b"cblas_sgemm").ok()?,
            sgemv: *library.get(b"cblas_sgemv").ok()?,
            n_threads: *library.get(b"openblas_get_num_threads").ok()?,
        })
    }
}

/// `sgemm`, and `sgemv` where one sample allows it.
pub(crate) fn contenders<'a>(threads: usize, product: &Product, sets: &'a [Operands]) -> Vec<Contender<'a>> {
    let Some(OpenBlas { sgemm, sgemv, n_threads }) = open() else { return Vec::new() };
    // SAFETY: a query without arguments.
    assert_eq!(unsafe { n_threads() }, threads as c_int, "threads of OpenBLAS");
    let Product { m, k, n, .. } = *product;
    let (rows, inner, columns) = (m as c_int, k as c_int, n as c_int);
    let (a_form, a_leading) = if product.a_is_transposed() { (TRANSPOSED, rows) } else { (PLAIN, inner) };
    let (b_form, b_leading) = if product.b_is_transposed() { (TRANSPOSED, inner) } else { (PLAIN, columns) };
    let mut contenders = vec![Contender {
        name: "OpenBLAS",
        packed: false,
        multiply: Box::new(move |set, c| {
            assert_eq!(c.len(), m * n);
            let (a, b, c) = (sets[set].a.as_ptr(), sets[set].b.as_ptr(), c.as_mut_ptr());
            // SAFETY: the operands have the elements that these sizes and leading dimensions reach.
            unsafe {
                sgemm(
                    ROW_MAJOR, a_form, b_form, rows, columns, inner, 1.0, a, a_leading, b, b_leading, 0.0, c,
                    columns,
                );
            }
        }),
    }];
    if m == 1 && !product.b_is_transposed() {
        contenders.push(Contender {
            name: "OpenBLAS sgemv",
            packed: false,
            multiply: Box::new(move |set, c| {
                assert_eq!(c.len(), n);
                let (a, b, c) = (sets[set].a.as_ptr(), sets[set].b.as_ptr(), c.as_mut_ptr());
                // SAFETY: B has k rows of n elements, A one row of k, C one of n.
                unsafe {
                    sgemv(ROW_MAJOR, TRANSPOSED, inner, columns, 1.0, b, columns, a, 1, 0.0, c, 1);
                }
            }),
        });
    }
    contenders
}
