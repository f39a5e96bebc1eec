//! No kernel reads or writes one byte outside its operands: they end where a page without access begins, and again begin
//! where one ends, on every instruction set.
//!
//! A new kernel of slices of one length is a line of [`kernels_of_slices`]; any other is a closure for
//! [`at_every_edge`] that makes its operands with [`Operands`]. A kernel that goes too far does not fail a comparison:
//! the process dies with SIGSEGV, after a line that says which call went too far.

#![cfg(all(unix, not(miri)))] // Miri knows no pages, and sees such an access by itself

mod catalogue;
mod guarded;
mod reference;

use catalogue::{every_function, every_rule};
use densely_tensor::*;
use guarded::{Edge, Guarded, LAYOUTS, Layout, Operands, at_every_edge};
use std::hint::black_box;

/// Zero, one, and around every vector and unrolled loop.
const LENGTHS: [usize; 22] =
    [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 47, 63, 64, 65, 127, 128, 1029];

/// Runs `kernel` with `N` slices of each length.
#[track_caller]
fn slices<T: Scalar, const N: usize>(kernel: impl Fn(Isa, [&mut [T]; N])) {
    at_every_edge(|operands| {
        for len in LENGTHS {
            let mut slices: [_; N] = std::array::from_fn(|_| operands.slice::<T>(len));
            kernel(operands.isa, slices.each_mut().map(|slice| &mut slice[..]));
        }
    });
}

fn kernels_of_slices<T: Scalar>() {
    let third = T::from_f64(1.0 / 3.0);
    for function in every_function() {
        slices::<T, 1>(|isa, [x]| function.apply(isa, x));
        slices::<T, 2>(|isa, [kept, gradient]| function.multiply_by_derivative(isa, kept, gradient));
    }
    for function in [exp, log, tanh, erf, softmax, log_softmax] {
        slices::<T, 1>(|isa, [x]| function(isa, x));
    }
    slices::<T, 2>(|isa, [y, gradient]| softmax_gradient(isa, y, gradient));
    slices::<T, 2>(|isa, [y, gradient]| log_softmax_gradient(isa, y, gradient));
    slices::<T, 1>(|isa, [z]| {
        if let Some(label) = z.len().checked_sub(1) {
            softmax_cross_entropy(isa, z, label, third);
        }
    });
    at_every_edge(|operands| {
        for (rows, columns) in [(1, 80), (10, 21), (10, 64), (17, 84)] {
            let mut z = operands.slice::<T>(rows * columns);
            softmax_columns(operands.isa, ColumnsMut::new(&mut z, rows, rows));
        }
    });
    slices::<T, 1>(|_, [x]| _ = black_box(arg_max(x)));
    slices::<T, 2>(|isa, [input, gradient]| mask_gradient(isa, input, third, gradient));
    for (_, step) in every_rule::<T>() {
        let update = step(3);
        slices::<T, 5>(|isa, [w, g, first, second, third]| {
            let moments = [first, second, third].map(|moment| {
                moment.iter_mut().for_each(|m| *m = m.abs()); // as the square roots want them
                moment
            });
            update.apply(isa, w, g, moments);
        });
    }
}

#[test]
fn kernels_of_slices_stay_inside() {
    kernels_of_slices::<f32>();
    kernels_of_slices::<f64>();
}

fn dropout_stays_inside_with<T: Scalar>() {
    at_every_edge(|operands| {
        for len in LENGTHS {
            let random: Vec<u8> = (0..2 * len).map(|i| (i * 37) as u8).collect();
            let (random, mut values) = (operands.copy_of(&random), operands.slice::<T>(len));
            dropout(operands.isa, DropoutRate::new(0.3), &random, &mut values);
        }
    });
}

#[test]
fn dropout_stays_inside() {
    dropout_stays_inside_with::<f32>();
    dropout_stays_inside_with::<f64>();
}

/// One product, with every operand at the edge. `case` chooses α, β and the epilogue.
fn product<T: Scalar>(
    operands: &Operands,
    pool: &Pool,
    (m, n, k): (usize, usize, usize),
    [a, b, c]: [Layout; 3],
    case: usize,
) {
    let (a, b) = (operands.matrix(m, k, a), operands.matrix(k, n, b));
    let (bias, matrix) = (operands.slice(m), operands.matrix(m, n, LAYOUTS[case % 4]));
    let mut c = operands.matrix(m, n, c);
    let tanh = ActivationFunction::Tanh;
    let epilogues = [
        Epilogue::None,
        Epilogue::Bias(&bias),
        Epilogue::BiasRelu(&bias),
        Epilogue::BiasActivation(&bias, tanh),
        Epilogue::Mask(matrix.as_ref().into()),
        Epilogue::Derivative(tanh, matrix.as_ref().into()),
    ];
    let (alpha, beta) = ([1.0, 0.75][case / 5 % 2], [0.0, 1.0, -0.5][case % 3]);
    let (alpha, beta) = (T::from_f64(alpha), T::from_f64(beta));
    gemm(pool, c.as_mut(), alpha, a.as_ref(), b.as_ref(), beta, epilogues[case / 3 % 6]);
}

#[test]
fn products_of_every_layout_stay_inside() {
    at_every_edge(|operands| {
        let pool = Pool::with_isa(1, operands.isa).expect("this thread");
        let mut case = 0;
        for m in [1, 2, 8, 15, 16, 17, 33, 64] {
            for n in [1, 2, 6, 7, 8, 9, 17] {
                for k in [0, 1, 7, 16, 33] {
                    // Each a and b of each shape; c and the rest take turns.
                    for a in LAYOUTS {
                        for b in LAYOUTS {
                            case += 1;
                            let layouts = [a, b, LAYOUTS[case / 16 % 4]];
                            match case % 4 {
                                0 => product::<f64>(operands, &pool, (m, n, k), layouts, case),
                                _ => product::<f32>(operands, &pool, (m, n, k), layouts, case),
                            }
                        }
                    }
                }
            }
        }
    });
}

fn tiled_products_stay_inside_with<T: Scalar>() {
    at_every_edge(|operands| {
        let pool = Pool::with_isa(1, operands.isa).expect("this thread");
        for (m, n, k) in
            [(1, 1, 1), (10, 5, 20), (16, 12, 64), (65, 13, 33), (130, 66, 65), (64, 0, 3), (3, 70, 0)]
        {
            let tiled = |rows, columns| operands.slice::<T>(tiled_len(rows, columns).expect("small"));
            let (a, b, b_t, mut c) = (tiled(m, k), tiled(k, n), tiled(n, k), tiled(m, n));
            let (plain_a, mut plain_c) =
                (operands.matrix(m, k, Layout::Columns), operands.matrix(m, n, Layout::Columns));
            let a = TiledRef::from_slice(&a, m, k);
            for b in [
                Operand::from(TiledRef::from_slice(&b, k, n)),
                Operand::from(TiledRef::from_slice(&b_t, n, k)).t(),
            ] {
                let (one, half) = (T::ONE, T::from_f64(0.5));
                gemm(&pool, TiledMut::from_slice(&mut c, m, n), one, a, b, one, Epilogue::None);
                gemm(&pool, plain_c.as_mut(), one, a, b, T::ZERO, Epilogue::None);
                let c = TiledMut::from_slice(&mut c, m, n);
                gemm(&pool, c, half, plain_a.as_ref(), b, T::ZERO, Epilogue::None);
            }
        }
    });
}

/// Products of tiled operands: every mixture with plain ones.
#[test]
fn tiled_products_stay_inside() {
    tiled_products_stay_inside_with::<f32>();
    tiled_products_stay_inside_with::<f64>();
}

/// The edges of the blocks, tall columns, products without elements, and what threads share.
#[test]
fn large_and_empty_products_stay_inside() {
    at_every_edge(|operands| {
        for threads in [1, 3] {
            let pool = Pool::with_isa(threads, operands.isa).expect("three threads can be had");
            let shapes = [
                (33, 9, 193),
                (40, 350, 385),
                (3, 700, 200),
                (300, 3, 800),
                (300, 1, 20),
                (20, 40, 1025),
                (0, 3, 4),
                (3, 0, 4),
                (0, 0, 0),
            ];
            for (index, shape) in shapes.into_iter().enumerate() {
                for (turn, layout) in LAYOUTS.into_iter().enumerate() {
                    // Five cases further α is the other one.
                    for case in [4 * index + turn, 4 * index + turn + 5] {
                        product::<f32>(operands, &pool, shape, [layout; 3], case);
                        product::<f64>(operands, &pool, shape, [layout; 3], case + 2);
                    }
                }
            }
        }
    });
}

fn tiles_stay_inside_with<T: Scalar>() {
    at_every_edge(|operands| {
        for rows in [0, 1, 10, 16, 17, 63, 64, 65, 130] {
            for columns in [0, 1, 3, 16] {
                for layout in LAYOUTS {
                    let source = operands.matrix::<T>(rows, columns, layout);
                    let mut target = operands.matrix::<T>(rows, columns, layout);
                    let len = tiled_len(rows, columns).expect("a small matrix");
                    let mut tiled = operands.slice::<T>(len);
                    TiledMut::from_slice(&mut tiled, rows, columns).copy_from(source.as_ref());
                    TiledRef::from_slice(&tiled, rows, columns).copy_to(target.as_mut());
                }
            }
        }
    });
}

#[test]
fn tiles_stay_inside() {
    tiles_stay_inside_with::<f32>();
    tiles_stay_inside_with::<f64>();
}

/// Sums of rows, shared out among two threads.
#[test]
fn row_sums_stay_inside() {
    at_every_edge(|operands| {
        let pool = Pool::with_isa(2, operands.isa).expect("two threads");
        for (units, samples) in [(1, 1), (10, 7), (65, 16), (64, 33), (3, 0)] {
            let delta = operands.matrix::<f32>(units, samples, Layout::Columns);
            row_sums(&pool, delta.as_ref(), &mut operands.slice(units));
            let delta = operands.matrix::<f64>(units, samples, Layout::Columns);
            row_sums(&pool, delta.as_ref(), &mut operands.slice(units));
        }
    });
}

fn batches_stay_inside_with<T: Scalar>() {
    at_every_edge(|operands| {
        for rows in [1_usize, 2, 3, 7, 10, 15, 16, 17, 33] {
            for columns in [0, 1, 2, 3, 4, 5, 9, 33] {
                for stride in [rows, rows + 1, rows.next_multiple_of(16)] {
                    let isa = operands.isa;
                    let mut z = operands.slice::<T>(stride * columns);
                    softmax_columns(isa, ColumnsMut::new(&mut z, rows, stride));
                    log_softmax_columns(isa, ColumnsMut::new(&mut z, rows, stride));
                    let labels: Vec<u32> = (0..columns).map(|column| (column % rows) as u32).collect();
                    let (labels, mut losses) = (operands.copy_of(&labels), operands.slice::<f64>(columns));
                    let z = ColumnsMut::new(&mut z, rows, stride);
                    softmax_cross_entropy_columns(isa, z, &labels, T::ONE, &mut losses);
                }
            }
        }
        for len in LENGTHS {
            let x = operands.slice::<T>(len);
            for k in [0, 1, 5, 40] {
                top_k(&x, &mut operands.copy_of(&vec![0; k.min(len)]));
            }
        }
    });
}

#[test]
fn batches_of_logits_stay_inside() {
    batches_stay_inside_with::<f32>();
    batches_stay_inside_with::<f64>();
}

/// Units, inputs and samples of layers: tiles of one vector, of less than 64 rows, whole ones, and more than one.
const LAYERS: [(usize, usize, usize); 9] = [
    (1, 1, 1),
    (10, 33, 7),
    (16, 64, 16),
    (33, 48, 5),
    (65, 17, 16),
    (64, 70, 33),
    (130, 65, 3),
    (200, 130, 40),
    (3, 40, 0),
];

/// Elements of a tiled matrix.
fn tiles<T: Scalar>(operands: &Operands, rows: usize, columns: usize) -> Guarded<T> {
    operands.slice(tiled_len(rows, columns).expect("a small matrix"))
}

/// Calls `work` with each layer's shape and the nonzeros of an input of each density, on two threads. What is filled with
/// zeros or ones is compressed from tiles, from columns and from bytes, all at the edge.
#[track_caller]
fn layers<T: Scalar>(work: impl Fn(&Operands, &Pool, (usize, usize, usize), TiledRef<'_, T>, &Nonzeros<T>)) {
    at_every_edge(|operands| {
        let pool = Pool::with_isa(2, operands.isa).expect("two threads");
        for (units, inputs, samples) in LAYERS {
            let mut nonzeros = Nonzeros::new(inputs, samples);
            for kept in [0, 3, 10] {
                // Of ten elements, so many stay.
                let is_kept = |index: usize| index * 7 % 10 < kept;
                let mut input = tiles::<T>(operands, inputs, samples);
                let zeros = input.iter_mut().enumerate().filter(|(index, _)| !is_kept(*index));
                zeros.for_each(|(_, x)| *x = T::ZERO);

                let bytes: Vec<u8> = (0..inputs * samples).map(|i| u8::from(is_kept(i))).collect();
                let order: Vec<u32> = (0..samples as u32).rev().collect();
                let (bytes, order) = (operands.copy_of(&bytes), operands.copy_of(&order));
                let values = operands.slice::<T>(256);
                let values: &[T; 256] = (&values[..]).try_into().expect("256 values");
                nonzeros.fill_from_bytes(&pool, inputs, &bytes, &order, values);
                for layout in [Layout::Columns, Layout::SubView] {
                    nonzeros.fill_from_columns(&pool, operands.matrix(inputs, samples, layout).as_ref());
                }
                let input = TiledRef::from_slice(&input, inputs, samples);
                nonzeros.fill_from_tiled(&pool, input);
                nonzeros.list_features(&pool);
                work(operands, &pool, (units, inputs, samples), input, &nonzeros);
            }
        }
    });
}

fn sparse_products_stay_inside_with<T: Scalar>() {
    layers::<T>(|operands, pool, (units, inputs, samples), _, x| {
        let (w, mut z) = (tiles(operands, units, inputs), tiles(operands, units, samples));
        let bias = operands.slice(units);
        for epilogue in [Epilogue::None, Epilogue::Bias(&bias), Epilogue::BiasRelu(&bias)] {
            let z = TiledMut::from_slice(&mut z, units, samples);
            sparse_gemm(pool, z, TiledRef::from_slice(&w, units, inputs), x, epilogue);
        }
    });
}

#[test]
fn sparse_products_stay_inside() {
    sparse_products_stay_inside_with::<f32>();
    sparse_products_stay_inside_with::<f64>();
}

/// The backward pass of a layer in tiles, by rules of every number of moments.
fn tiled_gradients_stay_inside_with<T: Scalar>() {
    let rules = every_rule::<T>();
    let rule_of = |moments| rules.iter().map(|(_, step)| step(3)).find(|update| update.moments() == moments);
    let updates: Vec<Update<T>> =
        (0..=MOST_MOMENTS).map(|moments| rule_of(moments).expect("a rule of so many moments")).collect();
    layers::<T>(|operands, pool, (units, inputs, samples), dense, nonzeros| {
        let delta = tiles(operands, units, samples);
        let delta = TiledRef::from_slice(&delta, units, samples);
        let both = [LayerInput::Dense(dense), LayerInput::Sparse(nonzeros)];
        let (mut kernel, mut gradient) = (tiles(operands, units, inputs), tiles(operands, units, inputs));
        for input in both {
            let gradient = TiledMut::from_slice(&mut gradient, units, inputs);
            weight_gradient(pool, delta, input, gradient);
        }
        let mut sums = operands.slice(units);
        bias_gradient(pool, delta, &mut sums);

        let mut gradient = tiles(operands, inputs, samples);
        let target = TiledMut::from_slice(&mut gradient, inputs, samples);
        input_gradient(pool, TiledRef::from_slice(&kernel, units, inputs), delta, target);
        let mut scratch = operands.slice(backward_scratch(samples) * pool.threads());
        let view = TiledRef::from_slice(&kernel, units, inputs);
        let target = MaskedGradient {
            gradient: TiledMut::from_slice(&mut gradient, inputs, samples),
            scale: T::ONE,
            scratch: &mut scratch,
        };
        sparse_input_gradient(pool, view, delta, nonzeros, target);

        for update in &updates {
            let mut moments: [_; MOST_MOMENTS] = std::array::from_fn(|moment| {
                if moment < update.moments() { tiles(operands, units, inputs) } else { operands.slice(0) }
            });
            for input in both {
                let kernel = TiledMut::from_slice(&mut kernel, units, inputs);
                update_kernel(pool, update, delta, input, kernel, moments.each_mut().map(|m| &mut m[..]));
            }
            let kernel = TiledMut::from_slice(&mut kernel, units, inputs);
            let moments = moments.each_mut().map(|m| &mut m[..]);
            let target = MaskedGradient {
                gradient: TiledMut::from_slice(&mut gradient, inputs, samples),
                scale: T::ONE,
                scratch: &mut scratch,
            };
            sparse_backward(pool, update, delta, nonzeros, kernel, moments, target);
        }
    });
}

#[test]
fn tiled_gradients_stay_inside() {
    tiled_gradients_stay_inside_with::<f32>();
    tiled_gradients_stay_inside_with::<f64>();
}

/// Runs `code`, which must not allocate, in a process of its own; returns the signal that ended it, if one did.
fn signal_of(code: impl FnOnce()) -> Option<i32> {
    // SAFETY: the child calls nothing that other threads could hold a lock of: it touches memory and ends.
    let child = unsafe { libc::fork() };
    assert!(child >= 0, "fork: {}", std::io::Error::last_os_error());
    if child == 0 {
        // SAFETY: both calls are allowed after a fork. The default action takes the place of the handlers of the
        // standard library and of sanitizers, which report and exit.
        unsafe {
            libc::signal(libc::SIGSEGV, libc::SIG_DFL);
            libc::signal(libc::SIGBUS, libc::SIG_DFL);
        }
        code();
        // SAFETY: as above.
        unsafe { libc::_exit(0) };
    }
    let mut status = 0;
    // SAFETY: `status` is ours to write, and the child is ours to wait for.
    let waited = unsafe { libc::waitpid(child, &mut status, 0) };
    assert_eq!(waited, child, "waitpid: {}", std::io::Error::last_os_error());
    libc::WIFSIGNALED(status).then(|| libc::WTERMSIG(status))
}

/// What a careless kernel does: sixteen elements at a time, `offset` elements from where they are.
fn read_in_sixteens(x: &[f32], offset: isize) {
    for start in (0..x.len()).step_by(16) {
        for lane in 0..16 {
            // SAFETY: none. It reads outside the slice, where the system must stop it.
            unsafe { x.as_ptr().wrapping_add(start + lane).wrapping_offset(offset).read_volatile() };
        }
    }
}

#[test]
fn one_element_too_far_ends_the_process() {
    let fault = |signal| matches!(signal, Some(libc::SIGSEGV | libc::SIGBUS));
    for len in [16, 31, 1024, 1025] {
        let at = |edge| Guarded::new(edge, &vec![1.0f32; len]);
        let (end, start) = (at(Edge::End), at(Edge::Start));
        let whole = len % 16 == 0;
        assert_eq!(fault(signal_of(|| read_in_sixteens(&end, 0))), !whole, "{len}, remainder");
        assert!(fault(signal_of(|| read_in_sixteens(&end, 1))), "{len}, beyond the end");
        assert!(fault(signal_of(|| read_in_sixteens(&start, -1))), "{len}, before the start");
        // SAFETY: none. They write outside the slices, where the system must stop them.
        let write = |place: *const f32| signal_of(|| unsafe { place.cast_mut().write_volatile(0.0) });
        assert!(fault(write(end.as_ptr().wrapping_add(len))), "{len}, a write beyond the end");
        assert!(fault(write(start.as_ptr().wrapping_sub(1))), "{len}, a write before the start");
    }
}

#[test]
#[should_panic(expected = "wrote beside its operand")]
fn a_write_where_no_page_ends_is_seen() {
    at_every_edge(|operands| {
        let mut x = operands.slice::<f32>(3);
        let beside = if operands.edge == Edge::End {
            x.as_mut_ptr().wrapping_sub(1)
        } else {
            x.as_mut_ptr().wrapping_add(3)
        };
        // SAFETY: outside the slice, but inside the page that it shares with nothing.
        unsafe { beside.write(0.0) };
    });
}
