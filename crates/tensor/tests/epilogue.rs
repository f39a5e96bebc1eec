//! Epilogues in the last store against the same functions on the whole matrix afterwards, bit for bit.

mod reference;

use densely_tensor::{
    ActivationFunction, Epilogue, Isa, MatMut, MatRef, Nonzeros, Operand, Pool, Tiled, gemm, sparse_gemm,
};
use reference::Random;

const FUNCTIONS: [ActivationFunction; 4] = [
    ActivationFunction::Relu,
    ActivationFunction::Tanh,
    ActivationFunction::Sigmoid,
    ActivationFunction::Gelu,
];

/// Column-major matrices of one product, and one of C's shape.
struct Matrices {
    m: usize,
    n: usize,
    k: usize,
    a: Vec<f32>,
    b: Vec<f32>,
    bias: Vec<f32>,
    other: Vec<f32>,
}

impl Matrices {
    fn new(m: usize, n: usize, k: usize) -> Self {
        let mut random = Random((m * 1009 + n * 31 + k) as u64);
        let mut values = |len: usize| (0..len).map(|_| random.next_unit() as f32).collect::<Vec<_>>();
        let (a, bias, other) = (values(m * k), values(m), values(m * n));
        let b = values(k * n).into_iter().map(|b| if b > 0.3 { b } else { 0.0 }).collect();
        Self { m, n, k, a, b, bias, other }
    }

    /// The product without an epilogue, then `f(row, column, c)`.
    fn afterwards(&self, bias: bool, f: impl Fn(usize, f32) -> f32) -> Vec<f32> {
        let mut c = vec![0.0; self.m * self.n];
        let (a, b) =
            (MatRef::from_slice(&self.a, self.m, self.k), MatRef::from_slice(&self.b, self.k, self.n));
        let epilogue = if bias { Epilogue::Bias(&self.bias[..]) } else { Epilogue::None };
        let pool = Pool::with_isa(1, Isa::PORTABLE).unwrap();
        gemm(&pool, MatMut::from_slice(&mut c, self.m, self.n), 1.0, a, b, 0.0, epilogue);
        c.iter().enumerate().map(|(place, &c)| f(place, c)).collect()
    }

    /// The product with an epilogue into C of every layout, densely and, in tiles, skipping zeros.
    fn check<'a>(
        &'a self,
        name: &str,
        expected: &[f32],
        others: &[Operand<'a, f32>],
        epilogue: impl Fn(Operand<'a, f32>) -> Epilogue<'a, f32>,
    ) {
        let (m, n, k) = (self.m, self.n, self.k);
        let (a, b) = (MatRef::from_slice(&self.a, m, k), MatRef::from_slice(&self.b, k, n));
        let (tiled_a, tiled_b) = (Tiled::from(a), Tiled::from(b));
        let mut pools: Vec<Pool> = Isa::available().map(|isa| Pool::with_isa(1, isa).unwrap()).collect();
        pools.extend([2, 3].map(|threads| Pool::new(threads).unwrap()));
        for pool in pools {
            let same = |what: &str, found: &[f32]| {
                let place = found.iter().zip(expected).position(|(x, y)| x.to_bits() != y.to_bits());
                assert_eq!(place, None, "{name}, {what}, {m} × {n} × {k}, {} {}", pool.isa(), pool.threads());
            };
            for &other in others {
                let epilogue = epilogue(other);
                let mut c = vec![f32::NAN; m * n];
                gemm(&pool, MatMut::from_slice(&mut c, m, n), 1.0, a, b, 0.0, epilogue);
                same("column-major", &c);

                let mut rows = vec![f32::NAN; m * n];
                gemm(&pool, MatMut::with_strides(&mut rows, m, n, n, 1), 1.0, &tiled_a, b, 0.0, epilogue);
                let column_major: Vec<f32> =
                    (0..m * n).map(|place| rows[place % m * n + place / m]).collect();
                same("row-major", &column_major);

                let mut tiled = Tiled::zeros(m, n);
                gemm(&pool, &mut tiled, 1.0, &tiled_a, &tiled_b, 0.0, epilogue);
                tiled.as_ref().copy_to(MatMut::from_slice(&mut c, m, n));
                same("in tiles", &c);

                let mut nonzeros = Nonzeros::new(k, n);
                nonzeros.fill_from_tiled(&pool, tiled_b.as_ref());
                let mut tiled = Tiled::zeros(m, n);
                sparse_gemm(&pool, tiled.as_mut(), tiled_a.as_ref(), &nonzeros, epilogue);
                tiled.as_ref().copy_to(MatMut::from_slice(&mut c, m, n));
                same("sparse", &c);
                let nonzero = |elements: &[f32]| elements.iter().filter(|&&x| x != 0.0).count();
                assert_eq!(
                    nonzero(tiled.as_ref().elements()),
                    nonzero(&c),
                    "{name}: padding rows hold zeros"
                );
            }
        }
    }
}

#[test]
#[cfg_attr(miri, ignore = "too long for an interpreter")]
fn epilogues_are_the_same_functions_afterwards() {
    for (m, n, k) in [(1, 1, 1), (10, 9, 70), (64, 12, 5), (100, 70, 40), (130, 33, 1100), (3, 200, 0)] {
        let matrices = Matrices::new(m, n, k);
        let (other, plain) = (&matrices.other, MatRef::from_slice(&matrices.other, m, n));
        let tiled = Tiled::from(plain);
        let others = [Operand::from(plain), Operand::from(&tiled)];
        for function in FUNCTIONS {
            let applied = matrices.afterwards(true, |_, c| {
                let mut x = [c];
                function.apply(Isa::PORTABLE, &mut x);
                x[0]
            });
            matrices.check(&format!("{function:?}"), &applied, &others[..1], |_| {
                Epilogue::BiasActivation(&matrices.bias, function)
            });
            let derived = matrices.afterwards(false, |place, c| {
                let mut gradient = [c];
                function.multiply_by_derivative(Isa::PORTABLE, &[other[place]], &mut gradient);
                gradient[0]
            });
            matrices.check(&format!("derivative of {function:?}"), &derived, &others, |kept| {
                Epilogue::Derivative(function, kept)
            });
        }
        let masked = matrices.afterwards(false, |place, c| c * other[place] + 0.0);
        matrices.check("mask", &masked, &others, Epilogue::Mask);
    }
}

#[test]
#[should_panic(expected = "gemm: the product is 2 × 1, the epilogue's matrix 1 × 2")]
fn a_matrix_of_another_shape_is_refused() {
    let (a, b, mut c) = ([1.0; 4], [1.0; 2], [0.0; 2]);
    let mask = Operand::from(MatRef::from_slice(&b, 1, 2));
    let (a, b) = (MatRef::from_slice(&a, 2, 2), MatRef::from_slice(&b, 2, 1));
    gemm(&Pool::default(), MatMut::from_slice(&mut c, 2, 1), 1.0, a, b, 0.0, Epilogue::Mask(mask));
}
