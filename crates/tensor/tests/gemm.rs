//! The product against three loops in double precision, and against itself on every instruction set and thread count.

mod reference;

use densely_tensor::{Epilogue, Isa, MatMut, MatRef, Pool, Scalar, gemm};
use nalgebra::DMatrix;
use proptest::prelude::*;
use reference::Random;

/// A stored matrix with strides, the way a caller may have it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Layout {
    ColumnMajor,
    RowMajor,
    /// Part of a larger column-major matrix.
    SubView,
    /// Neither stride is 1.
    Scattered,
}

const LAYOUTS: [Layout; 4] = [Layout::ColumnMajor, Layout::RowMajor, Layout::SubView, Layout::Scattered];

impl Layout {
    /// Row stride, column stride and elements of a rows × columns matrix.
    fn strides(self, rows: usize, columns: usize) -> (usize, usize, usize) {
        match self {
            Layout::ColumnMajor => (1, rows, rows * columns),
            Layout::RowMajor => (columns, 1, rows * columns),
            Layout::SubView => (1, rows + 5, (rows + 5) * columns),
            Layout::Scattered => (3, 3 * rows + 2, (3 * rows + 2) * columns),
        }
    }
}

#[derive(Clone, Debug)]
struct Case {
    m: usize,
    n: usize,
    k: usize,
    alpha: f64,
    beta: f64,
    layouts: [Layout; 3],
    /// 0: none, 1: bias, 2: bias and ReLU.
    epilogue: usize,
    seed: u64,
}

/// What a case needs, and what the product makes of it on one pool.
struct Operands<T> {
    a: Vec<T>,
    b: Vec<T>,
    c: Vec<T>,
    bias: Vec<T>,
}

impl<T: Scalar> Operands<T> {
    fn new(case: &Case) -> Self {
        let mut random = Random(case.seed);
        let mut values = |len: usize| (0..len).map(|_| T::from_f64(random.next_unit())).collect::<Vec<T>>();
        let [a, b, c] = case.layouts;
        Self {
            a: values(a.strides(case.m, case.k).2),
            b: values(b.strides(case.k, case.n).2),
            c: values(c.strides(case.m, case.n).2),
            bias: values(case.m),
        }
    }

    fn product(&self, case: &Case, pool: &Pool) -> Vec<T> {
        let (m, n, k) = (case.m, case.n, case.k);
        let [a, b, c] =
            [case.layouts[0].strides(m, k), case.layouts[1].strides(k, n), case.layouts[2].strides(m, n)];
        let mut result = self.c.clone();
        let epilogue = match case.epilogue {
            0 => Epilogue::None,
            1 => Epilogue::Bias(&self.bias[..]),
            _ => Epilogue::BiasRelu(&self.bias[..]),
        };
        gemm(
            pool,
            MatMut::with_strides(&mut result, m, n, c.0, c.1),
            T::from_f64(case.alpha),
            MatRef::with_strides(&self.a, m, k, a.0, a.1),
            MatRef::with_strides(&self.b, k, n, b.0, b.1),
            T::from_f64(case.beta),
            epilogue,
        );
        result
    }

    /// Each element within the proven bound `γ(k+4)·(|α||A||B| + |β||C| + |bias|)` of the sum in double precision, and
    /// everything that is no element of C as it was.
    #[track_caller]
    fn check_bound(&self, case: &Case, result: &[T], unit_roundoff: f64) {
        let (m, n, k) = (case.m, case.n, case.k);
        let [a, b, c] =
            [case.layouts[0].strides(m, k), case.layouts[1].strides(k, n), case.layouts[2].strides(m, n)];
        let ku = (k + 4) as f64 * unit_roundoff;
        let gamma = ku / (1.0 - ku);
        let mut is_element = vec![false; result.len()];
        for i in 0..m {
            for j in 0..n {
                let place = i * c.0 + j * c.1;
                is_element[place] = true;
                let terms = (0..k).map(|p| {
                    case.alpha * self.a[i * a.0 + p * a.1].to_f64() * self.b[p * b.0 + j * b.1].to_f64()
                });
                let start = if case.beta == 0.0 { 0.0 } else { case.beta * self.c[place].to_f64() };
                let bias = if case.epilogue == 0 { 0.0 } else { self.bias[i].to_f64() };
                let (mut expected, mut magnitude) = (start + bias, start.abs() + bias.abs());
                for term in terms {
                    expected += term;
                    magnitude += term.abs();
                }
                if case.epilogue == 2 {
                    expected = expected.max(0.0);
                }
                let error = (result[place].to_f64() - expected).abs();
                // The reference has a rounding error of its own, which counts where T is double precision.
                let bound = gamma * magnitude + k as f64 * f64::EPSILON * magnitude + f64::MIN_POSITIVE;
                assert!(error <= bound, "({i}, {j}): error {error:e}, bound {bound:e} in {case:?}");
            }
        }
        for (place, value) in result.iter().enumerate() {
            assert!(is_element[place] || *value == self.c[place], "place {place} was written in {case:?}");
        }
    }
}

/// The bound on one pool, and the same bits on every other.
#[track_caller]
fn check<T: Scalar>(case: &Case, pools: &[Pool], unit_roundoff: f64) {
    let operands = Operands::<T>::new(case);
    let expected = operands.product(case, &pools[0]);
    operands.check_bound(case, &expected, unit_roundoff);
    for pool in &pools[1..] {
        let result = operands.product(case, pool);
        let same = expected.iter().zip(&result).all(|(x, y)| x.to_f64().to_bits() == y.to_f64().to_bits());
        assert!(same, "{} on {} threads differs in {case:?}", pool.isa(), pool.threads());
    }
}

/// Every instruction set on one thread, then the best on several.
fn pools() -> Vec<Pool> {
    let pool = |threads, isa| Pool::with_isa(threads, isa).expect("threads are to be had");
    let mut pools: Vec<Pool> = Isa::available().map(|isa| pool(1, isa)).collect();
    pools.extend([2, 3, 4, 8].map(|threads| pool(threads, Isa::detect())));
    pools
}

fn check_both(case: &Case, pools: &[Pool]) {
    check::<f32>(case, pools, f64::from(f32::EPSILON) / 2.0);
    check::<f64>(case, pools, f64::EPSILON / 2.0);
}

#[test]
fn every_edge_of_the_register_tile() {
    let pools = pools();
    let mut seed = 0;
    for m in [0, 1, 2, 15, 16, 17, 31, 32, 33, 65] {
        for n in [0, 1, 2, 5, 6, 7, 8, 9, 17] {
            for k in [0, 1, 7, 16, 33] {
                seed += 1;
                if cfg!(miri) && seed % 89 != 0 {
                    continue; // all would take an interpreter hours
                }
                let layouts = [LAYOUTS[seed % 4], LAYOUTS[seed / 4 % 4], LAYOUTS[seed / 16 % 4]];
                let beta = [0.0, 1.0, -0.5][seed % 3];
                let case = Case { m, n, k, alpha: 1.0, beta, layouts, epilogue: seed % 3, seed: seed as u64 };
                check_both(&case, &pools);
            }
        }
    }
}

#[test]
#[cfg_attr(miri, ignore = "too long for an interpreter")]
fn every_edge_of_the_blocks() {
    let pools = pools();
    let layouts = [Layout::ColumnMajor, Layout::RowMajor, Layout::ColumnMajor];
    for (m, n, k) in
        [(33, 9, 192), (32, 8, 193), (40, 350, 385), (130, 345, 769), (3, 700, 200), (300, 3, 1600)]
    {
        let case = Case { m, n, k, alpha: 1.0, beta: 0.0, layouts, epilogue: 2, seed: (m + n + k) as u64 };
        check_both(&case, &pools);
    }
}

#[test]
#[cfg_attr(miri, ignore = "too long for an interpreter")]
fn rows_shared_out_among_threads() {
    let pools = pools();
    for (m, n, k) in [(1030, 9, 33), (1030, 3, 0), (520, 40, 7), (100, 1, 64)] {
        for layouts in [[Layout::ColumnMajor; 3], [Layout::RowMajor; 3], [Layout::Scattered; 3]] {
            let case = Case { m, n, k, alpha: 0.5, beta: -0.5, layouts, epilogue: 1, seed: (m + k) as u64 };
            check_both(&case, &pools);
        }
    }
}

#[test]
fn views_of_nalgebra_matrices_are_operands() {
    let value = |i: usize, j: usize| (i * 5 + j * 3) as f64 % 7.0 - 3.0;
    let (a, b) = (DMatrix::from_fn(20, 30, value), DMatrix::from_fn(30, 20, |i, j| value(j, i + 1)));
    let mut c = DMatrix::from_element(25, 25, 9.0);
    let (a_part, b_part) = (a.view((3, 4), (7, 11)), b.view((2, 5), (11, 6)));
    let mut c_part = c.view_mut((1, 2), (7, 6));
    let pool = Pool::default();
    gemm(&pool, &mut c_part, 1.0, &a_part, &b_part, 0.0, Epilogue::None);
    for i in 0..25 {
        for j in 0..25 {
            let inside = (1..8).contains(&i) && (2..8).contains(&j);
            let sum = || (0..11).map(|p| a[(i + 2, p + 4)] * b[(p + 2, j + 3)]).sum();
            assert_eq!(c[(i, j)], if inside { sum() } else { 9.0 }, "({i}, {j})");
        }
    }
}

#[test]
fn matrices_without_elements_have_no_place_in_memory() {
    let empty = MatRef::<f64>::with_strides(&[], 0, 2, 1, usize::MAX / 2);
    assert!(empty.column(1).is_empty());
    assert_eq!(empty.columns(1..2).n_columns(), 1);
    let mut c = [7.0; 300];
    let (a, b) = (MatRef::with_strides(&[], 300, 0, usize::MAX / 2, 1), MatRef::from_slice(&[], 0, 1));
    gemm(&Pool::new(2).unwrap(), MatMut::from_slice(&mut c, 300, 1), 1.0, a, b, 0.0, Epilogue::None);
    assert_eq!(c, [0.0; 300]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    #[cfg_attr(miri, ignore = "too long for an interpreter")]
    fn any_shape_strides_and_factors(
        (m, n, k) in (0usize..70, 0usize..40, 0usize..70),
        alpha in prop_oneof![Just(0.0), Just(1.0), Just(-1.0), Just(0.75)],
        beta in prop_oneof![Just(0.0), Just(1.0), Just(-1.0), Just(1.25)],
        layouts in prop::array::uniform3(prop::sample::select(LAYOUTS.to_vec())),
        epilogue in 0usize..3,
        seed in any::<u64>(),
    ) {
        thread_local! {
            static POOLS: Vec<Pool> = pools();
        }
        POOLS.with(|pools| check_both(&Case { m, n, k, alpha, beta, layouts, epilogue, seed }, pools));
    }
}

#[test]
#[cfg_attr(miri, ignore = "too long for an interpreter")]
fn integer_matrices_are_exact() {
    let (m, n, k) = (37, 29, 211);
    let value = |i: usize| ((i * 7919) % 19) as f32 - 9.0;
    let a: Vec<f32> = (0..m * k).map(value).collect();
    let b: Vec<f32> = (0..k * n).map(|i| value(i + 5)).collect();
    let mut c = vec![0.0f32; m * n];
    let pool = Pool::default();
    let (a_view, b_view) = (MatRef::from_slice(&a, m, k), MatRef::from_slice(&b, k, n));
    gemm(&pool, MatMut::from_slice(&mut c, m, n), 2.0, a_view, b_view, 0.0, Epilogue::None);
    for i in 0..m {
        for j in 0..n {
            let sum: f32 = (0..k).map(|p| a[i + p * m] * b[p + j * k]).sum();
            assert_eq!(c[i + j * m], 2.0 * sum);
        }
    }
}

#[test]
fn beta_zero_overwrites_nan_and_other_nan_propagates() {
    let pool = Pool::default();
    let mut c = [f32::NAN; 4];
    let one = MatRef::from_slice(&[1.0, 0.0, 0.0, 1.0], 2, 2);
    gemm(&pool, MatMut::from_slice(&mut c, 2, 2), 1.0, one, one, 0.0, Epilogue::None);
    assert_eq!(c, [1.0, 0.0, 0.0, 1.0]);

    let infinite = [f32::INFINITY, 0.0, 0.0, 1.0];
    let infinite = MatRef::from_slice(&infinite, 2, 2);
    gemm(&pool, MatMut::from_slice(&mut c, 2, 2), 1.0, infinite, one, 0.0, Epilogue::BiasRelu(&[0.0, 0.0]));
    assert_eq!(c[0], f32::INFINITY);
    assert!(c[2].is_nan(), "∞·0 is NaN, and ReLU keeps it");
    assert_eq!((c[1], c[3]), (0.0, 1.0));
}

#[test]
fn negative_zero_never_leaves_a_product() {
    for isa in Isa::available() {
        let pool = Pool::with_isa(1, isa).unwrap();
        for epilogue in [Epilogue::None, Epilogue::Bias(&[-0.0; 33]), Epilogue::BiasRelu(&[-0.0; 33])] {
            let (a, b) = ([-1.0f32; 33], [0.0f32]);
            let mut c = [-0.0f32; 33];
            let (a, b) = (MatRef::from_slice(&a, 33, 1), MatRef::from_slice(&b, 1, 1));
            gemm(&pool, MatMut::from_slice(&mut c, 33, 1), 1.0, a, b, 1.0, epilogue);
            assert!(c.iter().all(|c| c.to_bits() == 0), "{isa} {epilogue:?}");
        }
    }
}

#[test]
#[should_panic(expected = "gemm: C is 2 × 2, A 2 × 3, B 2 × 2; expected 2 × 2, 2 × 3, 3 × 2")]
fn shapes_that_do_not_fit_are_named() {
    let (a, b, mut c) = ([0.0; 6], [0.0; 4], [0.0; 4]);
    let (a, b) = (MatRef::from_slice(&a, 2, 3), MatRef::from_slice(&b, 2, 2));
    gemm(&Pool::default(), MatMut::from_slice(&mut c, 2, 2), 1.0, a, b, 0.0, Epilogue::None);
}

#[test]
#[should_panic(expected = "overlap")]
fn overlapping_elements_cannot_be_written() {
    MatMut::with_strides(&mut [0.0; 10], 3, 3, 1, 2);
}
