//! oneDNN through its C interface: `dnnl_sgemm`, and the matmul primitive of version 2 with B plain and with B in the layout
//! that the primitive asks for ("any" format), packed ahead.

use super::{Contender, Multiply, Operands, Product};
use libloading::Library;
use std::ffi::{c_char, c_int, c_uint, c_void};
use std::ptr::{null, null_mut};
use std::sync::OnceLock;

/// Declares a table of functions that return a status, and how it is loaded: `name(types);` becomes a field
/// `name: unsafe extern "C" fn(types) -> c_int`.
macro_rules! functions {
    ($table:ident: $($name:ident($($argument:ty),*);)*) => {
        #[derive(Clone, Copy)]
        struct $table {
            $($name: unsafe extern "C" fn($($argument),*) -> c_int,)*
        }

        impl $table {
            /// `None` if the library lacks one of them.
            fn load(library: &Library) -> Option<Self> {
                // SAFETY: the types are those of dnnl.h, version 2, and the library is never closed.
                unsafe { Some(Self { $($name: *library.get(stringify!($name).as_bytes()).ok()?,)* }) }
            }
        }
    };
}

functions! { Sgemm:
    dnnl_sgemm(
        c_char, c_char, i64, i64, i64, f32, *const f32, i64, *const f32, i64, f32, *mut f32, i64
    );
}
functions! { Primitives:
    dnnl_engine_create(*mut *mut c_void, c_int, usize);
    dnnl_engine_destroy(*mut c_void);
    dnnl_stream_create(*mut *mut c_void, *mut c_void, c_uint);
    dnnl_stream_wait(*mut c_void);
    dnnl_stream_destroy(*mut c_void);
    dnnl_memory_desc_init_by_strides(*mut Descriptor, c_int, *const i64, c_int, *const i64);
    dnnl_memory_desc_init_by_tag(*mut Descriptor, c_int, *const i64, c_int, c_int);
    dnnl_memory_create(*mut *mut c_void, *const Descriptor, *mut c_void, *mut c_void);
    dnnl_memory_set_data_handle(*mut c_void, *mut c_void);
    dnnl_memory_destroy(*mut c_void);
    dnnl_matmul_desc_init(
        *mut Descriptor, *const Descriptor, *const Descriptor, *const Descriptor, *const Descriptor
    );
    dnnl_primitive_desc_create(*mut *mut c_void, *const Descriptor, *const c_void, *mut c_void, *const c_void);
    dnnl_primitive_desc_destroy(*mut c_void);
    dnnl_reorder_primitive_desc_create(
        *mut *mut c_void, *const Descriptor, *mut c_void, *const Descriptor, *mut c_void, *const c_void
    );
    dnnl_primitive_create(*mut *mut c_void, *mut c_void);
    dnnl_primitive_execute(*mut c_void, *mut c_void, c_int, *const Argument);
    dnnl_primitive_destroy(*mut c_void);
}
type QueryDescriptor = unsafe extern "C" fn(*mut c_void, c_int, c_int) -> *const Descriptor;

/// Room for `dnnl_memory_desc_t` (696 bytes) or an operation's descriptor (2800 for matmul), which are only passed on.
#[repr(C, align(8))]
struct Descriptor([u8; 4096]);

/// `dnnl_exec_arg_t`.
#[repr(C)]
struct Argument {
    number: c_int,
    memory: *mut c_void,
}

/// Values of dnnl_types.h.
const CPU: c_int = 1;
const IN_ORDER: c_uint = 1;
const F32: c_int = 3;
const ANY_FORMAT: c_int = 1;
const QUERY_WEIGHTS: c_int = 131;
const SOURCE: c_int = 1;
const TARGET: c_int = 17;
const WEIGHTS: c_int = 33;
/// `DNNL_MEMORY_ALLOCATE` and `DNNL_MEMORY_NONE`.
const ALLOCATE: *mut c_void = usize::MAX as *mut c_void;
const NO_MEMORY: *mut c_void = null_mut();

/// The library, opened once and never closed; `None` if it is not installed.
fn open() -> Option<&'static Library> {
    static LIBRARY: OnceLock<Option<Library>> = OnceLock::new();
    LIBRARY
        .get_or_init(|| {
            // SAFETY: oneDNN's and OpenMP's initialisers touch nothing of ours.
            ["libdnnl.so.2", "libdnnl.so.3", "libdnnl.so", "libdnnl.dylib"]
                .iter()
                .find_map(|name| unsafe { Library::new(*name) }.ok())
        })
        .as_ref()
}

/// `dnnl_sgemm`, and with version 2 the matmul primitive, plain and packed.
pub(crate) fn contenders<'a>(threads: usize, product: &Product, sets: &'a [Operands]) -> Vec<Contender<'a>> {
    let Some(library) = open() else { return Vec::new() };
    // SAFETY: a query of OpenMP, on which oneDNN may have been built, without arguments.
    let most_threads = unsafe { library.get::<unsafe extern "C" fn() -> c_int>(b"omp_get_max_threads") };
    if let Ok(most_threads) = most_threads {
        // SAFETY: as above.
        assert_eq!(unsafe { most_threads() }, threads as c_int, "threads of OpenMP");
    }
    let mut contenders = Vec::from_iter(Sgemm::load(library).map(|sgemm| Contender {
        name: "oneDNN sgemm",
        packed: false,
        multiply: multiply_by_sgemm(sgemm, product, sets),
    }));
    // SAFETY: the type is that of dnnl.h, version 2; version 3 lacks other functions of the table.
    let query = unsafe { library.get::<QueryDescriptor>(b"dnnl_primitive_desc_query_md") };
    if let (Some(primitives), Ok(query)) = (Primitives::load(library), query) {
        for (name, packed) in [("oneDNN matmul", false), ("oneDNN matmul", true)] {
            let mut matmul = Matmul::new(primitives, *query, product, sets, packed);
            let multiply = Box::new(move |set: usize, c: &mut [f32]| matmul.multiply(set, &sets[set], c));
            contenders.push(Contender { name, packed, multiply });
        }
    }
    contenders
}

fn multiply_by_sgemm<'a>(sgemm: Sgemm, product: &Product, sets: &'a [Operands]) -> Multiply<'a> {
    let form = |transposed| if transposed { b'T' as c_char } else { b'N' as c_char };
    let (a_form, b_form) = (form(product.a_is_transposed()), form(product.b_is_transposed()));
    let [m, k, n] = [product.m, product.k, product.n].map(|size| size as i64);
    let a_leading = if product.a_is_transposed() { m } else { k };
    let b_leading = if product.b_is_transposed() { k } else { n };
    Box::new(move |set, c| {
        assert_eq!(c.len() as i64, m * n);
        let (a, b, c) = (sets[set].a.as_ptr(), sets[set].b.as_ptr(), c.as_mut_ptr());
        // SAFETY: the operands have the elements that these sizes and leading dimensions reach.
        check(unsafe {
            (sgemm.dnnl_sgemm)(a_form, b_form, m, n, k, 1.0, a, a_leading, b, b_leading, 0.0, c, n)
        });
    })
}

#[track_caller]
fn check(status: c_int) {
    assert_eq!(status, 0, "status of oneDNN");
}

/// Something of oneDNN's that is destroyed with its owner.
struct Object {
    pointer: *mut c_void,
    destroy: unsafe extern "C" fn(*mut c_void) -> c_int,
}

impl Object {
    /// What `create` stores through the pointer that it gets.
    #[track_caller]
    fn new(
        destroy: unsafe extern "C" fn(*mut c_void) -> c_int,
        create: impl FnOnce(*mut *mut c_void) -> c_int,
    ) -> Self {
        let mut pointer = null_mut();
        check(create(&mut pointer));
        Self { pointer, destroy }
    }
}

impl Drop for Object {
    fn drop(&mut self) {
        // SAFETY: `new` got the object from the function that belongs to `destroy`, and nobody destroys it twice.
        unsafe { (self.destroy)(self.pointer) };
    }
}

/// The matmul primitive for one product. Fields are destroyed in order, the engine last.
struct Matmul {
    primitive: Object,
    a: Object,
    /// One for each set if they are packed, else one that is pointed at a set's B in each call.
    b: Vec<Object>,
    c: Object,
    packed: bool,
    stream: Object,
    primitives: Primitives,
    _engine: Object,
}

impl Matmul {
    fn new(
        primitives: Primitives,
        query: QueryDescriptor,
        product: &Product,
        sets: &[Operands],
        packed: bool,
    ) -> Self {
        let p = primitives;
        let [m, k, n] = [product.m, product.k, product.n];
        let with_strides = |rows: usize, columns: usize, (row, column): (usize, usize)| {
            let mut descriptor = Descriptor([0; 4096]);
            let (sizes, strides) = ([rows as i64, columns as i64], [row as i64, column as i64]);
            // SAFETY: two sizes and two strides are there to be read, and the descriptor has room for a memory's.
            check(unsafe {
                (p.dnnl_memory_desc_init_by_strides)(
                    &mut descriptor,
                    2,
                    sizes.as_ptr(),
                    F32,
                    strides.as_ptr(),
                )
            });
            descriptor
        };
        let a_descriptor = with_strides(m, k, product.a_strides());
        let plain = with_strides(k, n, product.b_strides());
        let c_descriptor = with_strides(m, n, (n, 1));
        let mut wanted = with_strides(k, n, product.b_strides());
        if packed {
            let sizes = [k as i64, n as i64];
            // SAFETY: as above.
            check(unsafe {
                (p.dnnl_memory_desc_init_by_tag)(&mut wanted, 2, sizes.as_ptr(), F32, ANY_FORMAT)
            });
        }
        let mut operation = Descriptor([0; 4096]);
        // SAFETY: the operands' descriptors are complete, no bias is allowed, and the descriptor has room for a matmul's.
        check(unsafe {
            (p.dnnl_matmul_desc_init)(&mut operation, &a_descriptor, &wanted, null(), &c_descriptor)
        });

        let engine = Object::new(p.dnnl_engine_destroy, |out| {
            // SAFETY: `out` is where an engine may be stored.
            unsafe { (p.dnnl_engine_create)(out, CPU, 0) }
        });
        let on = engine.pointer;
        let stream = Object::new(p.dnnl_stream_destroy, |out| {
            // SAFETY: as above, and the engine lives as long as this `Matmul`.
            unsafe { (p.dnnl_stream_create)(out, on, IN_ORDER) }
        });
        let chosen = Object::new(p.dnnl_primitive_desc_destroy, |out| {
            // SAFETY: as above; the operation is described, and attributes and hints may be null.
            unsafe { (p.dnnl_primitive_desc_create)(out, &operation, null(), on, null()) }
        });
        let create = |description: &Object| {
            Object::new(p.dnnl_primitive_destroy, |out| {
                // SAFETY: all callers pass a primitive's description.
                unsafe { (p.dnnl_primitive_create)(out, description.pointer) }
            })
        };
        let memory = |descriptor: *const Descriptor, data: *mut c_void| {
            Object::new(p.dnnl_memory_destroy, |out| {
                // SAFETY: the descriptor is complete; the data fit it, or are to be allocated or set later.
                unsafe { (p.dnnl_memory_create)(out, descriptor, on, data) }
            })
        };
        let primitive = create(&chosen);
        let b = if packed {
            // SAFETY: the answer belongs to `chosen`, which lives until the end of this function.
            let layout = unsafe { query(chosen.pointer, QUERY_WEIGHTS, 0) };
            let reorder = create(&Object::new(p.dnnl_primitive_desc_destroy, |out| {
                // SAFETY: both layouts and the engine are valid, and attributes may be null.
                unsafe { (p.dnnl_reorder_primitive_desc_create)(out, &plain, on, layout, on, null()) }
            }));
            let pack = |operands: &Operands| {
                let source = memory(&plain, operands.b.as_ptr().cast_mut().cast());
                let target = memory(layout, ALLOCATE);
                execute(&p, &reorder, &stream, &[(SOURCE, &source), (TARGET, &target)]);
                target
            };
            sets.iter().map(pack).collect()
        } else {
            vec![memory(&plain, NO_MEMORY)]
        };
        let (a, c) = (memory(&a_descriptor, NO_MEMORY), memory(&c_descriptor, NO_MEMORY));
        Self { primitive, a, b, c, packed, stream, primitives, _engine: engine }
    }

    fn multiply(&mut self, set: usize, operands: &Operands, c: &mut [f32]) {
        self.point(&self.a, operands.a.as_ptr());
        let b = if self.packed {
            &self.b[set]
        } else {
            self.point(&self.b[0], operands.b.as_ptr());
            &self.b[0]
        };
        self.point(&self.c, c.as_mut_ptr());
        let arguments = [(SOURCE, &self.a), (WEIGHTS, b), (TARGET, &self.c)];
        execute(&self.primitives, &self.primitive, &self.stream, &arguments);
    }

    fn point(&self, memory: &Object, data: *const f32) {
        // SAFETY: the data have the shape of the memory's descriptor, and what is only read is never written.
        check(unsafe {
            (self.primitives.dnnl_memory_set_data_handle)(memory.pointer, data.cast_mut().cast())
        });
    }
}

/// Runs a primitive to its end.
fn execute<const N: usize>(
    primitives: &Primitives,
    primitive: &Object,
    stream: &Object,
    arguments: &[(c_int, &Object); N],
) {
    let arguments = arguments.map(|(number, memory)| Argument { number, memory: memory.pointer });
    // SAFETY: the arguments are those of the primitive, and their data are valid until the stream has been waited for.
    unsafe {
        check((primitives.dnnl_primitive_execute)(
            primitive.pointer,
            stream.pointer,
            N as c_int,
            arguments.as_ptr(),
        ));
        check((primitives.dnnl_stream_wait)(stream.pointer));
    }
}
