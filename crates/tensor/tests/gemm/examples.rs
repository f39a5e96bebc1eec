//! Single products, written out.

use crate::reference::Random;
use densely_tensor::{Epilogue, Isa, MatMut, MatRef, Operand, Pool, Tiled, gemm};
use nalgebra::DMatrix;

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
fn tiled_matrices_and_their_transposes_are_operands() {
    let (a, b) = ([1.0, 3.0, 2.0, 4.0], [5.0, 7.0, 6.0, 8.0]); // (1 2 / 3 4) and (5 6 / 7 8)
    let [a, b] = [a, b].map(|elements| Tiled::from(MatRef::from_slice(&elements, 2, 2)));
    let mut c = Tiled::zeros(2, 2);
    for (transposed, expected) in [(false, [19.0, 43.0, 22.0, 50.0]), (true, [17.0, 39.0, 23.0, 53.0])] {
        let b = if transposed { Operand::from(&b).t() } else { Operand::from(&b) };
        gemm(&Pool::default(), &mut c, 1.0, &a, b, 0.0, Epilogue::None);
        let mut found = [0.0; 4];
        c.as_ref().copy_to(MatMut::from_slice(&mut found, 2, 2));
        assert_eq!(found, expected, "transposed: {transposed}");
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

/// A stride that leads nowhere, that of a single column, may be any number.
#[test]
fn a_single_column_has_any_stride() {
    for rows in [1, 7, 100] {
        for stride in [rows, usize::MAX / 9, usize::MAX / 2, usize::MAX] {
            let (a, x) = (vec![2.0; rows * 70], vec![3.0; 70]);
            let mut y = vec![f64::NAN; rows];
            let x = MatRef::with_strides(&x, 70, 1, 1, stride);
            let target = MatMut::with_strides(&mut y, rows, 1, 1, stride);
            gemm(
                &Pool::new(1).unwrap(),
                target,
                1.0,
                MatRef::from_slice(&a, rows, 70),
                x,
                0.0,
                Epilogue::None,
            );
            assert!(y.iter().all(|&y| y == 420.0), "{rows} rows, stride {stride}: {y:?}");

            let b = vec![3.0; 20];
            let mut c = vec![f64::NAN; rows * 20];
            let a = MatRef::with_strides(&a[..rows], rows, 1, 1, stride);
            let c_view = MatMut::from_slice(&mut c, rows, 20);
            gemm(&Pool::new(1).unwrap(), c_view, 1.0, a, MatRef::from_slice(&b, 1, 20), 0.0, Epilogue::None);
            assert!(c.iter().all(|&c| c == 6.0), "{rows} × 20, stride {stride}");
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

/// Some tiles of a matrix are a matrix: whole ones, and a last one with fewer rows than a tile has places.
#[test]
fn some_tiles_of_a_matrix_are_an_operand() {
    let pool = Pool::new(1).expect("this thread");
    let mut random = Random(11);
    let mut matrix = |len: usize| (0..len).map(|_| random.next_unit()).collect::<Vec<f64>>();
    let (a, b) = (matrix(130 * 5), matrix(5 * 3));
    let (a, b) = (MatRef::from_slice(&a, 130, 5), MatRef::from_slice(&b, 5, 3));
    let mut whole = vec![0.0; 130 * 3];
    gemm(&pool, MatMut::from_slice(&mut whole, 130, 3), 1.0, a, b, 0.0, Epilogue::None);
    let tiles = Tiled::from(a);
    for range in [0..1, 1..2, 2..3, 1..3, 0..3, 1..1] {
        let part = tiles.as_ref().tiles(range.clone());
        let rows = range.start * 64..130.min(range.end * 64);
        assert_eq!(part.n_rows(), rows.len(), "tiles {range:?}");
        let mut found = vec![0.0; rows.len() * 3];
        gemm(&pool, MatMut::from_slice(&mut found, rows.len(), 3), 1.0, part, b, 0.0, Epilogue::None);
        let expected: Vec<f64> =
            (0..3).flat_map(|column| whole[column * 130..][rows.clone()].to_vec()).collect();
        assert_eq!(found, expected, "tiles {range:?}");
    }
}
