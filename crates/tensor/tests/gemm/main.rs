//! The product against sums without rounding, and against itself on every instruction set and thread count, bit for bit.
//!
//! Some 32,000 products, each compared with its bound: 21,504 that pair every mixture of layouts with edges of every shape
//! and cut, and more at the edges of blocks, of what threads share out, of subnormal numbers and of exact ones.

mod bound;
mod case;
mod examples;
#[path = "../reference/mod.rs"]
mod reference;

use bound::{bits, mistake, mistake_of_class};
use case::{Case, LAYOUTS, MIXTURES, Operands, Values};
use densely_tensor::{Isa, Pool, Scalar};
use reference::Random;

/// Multiply-adds from which a product is shared out among threads: no fewer than the product's own limit.
const SHARED_WORK: usize = 1 << 17;

/// What a product is computed on.
struct Pools {
    /// One thread of each instruction set, best first.
    alone: Vec<Pool>,
    /// From two to eight threads, of each instruction set that is fast.
    teams: Vec<Pool>,
}

impl Pools {
    fn new() -> Self {
        let pool = |threads, isa| Pool::with_isa(threads, isa).expect("eight threads are to be had");
        let best = Isa::detect();
        let fast = Isa::available().filter(|&isa| isa != Isa::PORTABLE || isa == best);
        Self {
            alone: Isa::available().map(|isa| pool(1, isa)).collect(),
            teams: fast.flat_map(|isa| (2..=8).map(move |threads| pool(threads, isa))).collect(),
        }
    }

    /// Those that are to give what the first gives, on a product of so many multiply-adds.
    fn others(&self, work: usize) -> impl Iterator<Item = &Pool> {
        let teams = if work >= SHARED_WORK { &self.teams[..] } else { &[] };
        self.alone[1..].iter().chain(teams)
    }
}

/// Where two results first differ in a bit.
fn difference<T: Scalar>(expected: &[T], found: &[T]) -> Option<usize> {
    expected.iter().zip(found).position(|(&x, &y)| bits(x) != bits(y))
}

/// The bound on one pool, and the same bits on every other.
#[track_caller]
fn check<T: Scalar>(case: &Case, pools: &Pools) {
    let operands = Operands::<T>::new(case);
    let expected = operands.product(case, &pools.alone[0]);
    let mistake = match case.values {
        Values::Special => mistake_of_class(case, &operands, &expected),
        _ => mistake(case, &operands, &expected),
    };
    assert!(mistake.is_none(), "{} in {} of {case:?}", mistake.unwrap_or_default(), T::NAME);
    for pool in pools.others(case.work()) {
        let place = difference(&expected, &operands.product(case, pool));
        let (isa, threads) = (pool.isa(), pool.threads());
        assert!(place.is_none(), "{isa} on {threads} threads differs at {place:?} in {case:?}");
    }
}

/// Sizes up to one register tile of the narrowest vectors, and around the others.
const SMALL: [usize; 14] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 13, 15, 17];
const LARGE: [usize; 18] = [16, 19, 23, 31, 32, 33, 37, 47, 48, 49, 63, 64, 65, 97, 113, 127, 128, 129];

/// Small and large sizes by turns, and among them, and for α, β and epilogue, whatever the seed says.
fn case(mixture: usize, round: usize, values: Values) -> Case {
    let seed = (round * MIXTURES + mixture) as u64;
    let mut random = Random(seed);
    random.next_unit(); // the first is close to the seed's
    let mut one_of = |choices: usize| ((random.next_unit() + 1.0) / 2.0 * choices as f64) as usize;
    let size = |large: bool, one_of: &mut dyn FnMut(usize) -> usize| match large {
        true => LARGE[one_of(LARGE.len())],
        false => SMALL[one_of(SMALL.len())],
    };
    let [m, n, k] = [1, 2, 4].map(|bit| size(round & bit != 0, &mut one_of));
    let (alphas, betas) = match values {
        Values::Integers => ([1.0, 0.0, -1.0, 2.0], [0.0, 1.0, -1.0, 3.0]),
        Values::Tiny => ([1.0, 0.0, -1.0, 0.7], [0.0, 1.0, -1.0, 0.0]),
        _ => ([1.0, 0.0, -1.0, 0.7], [0.0, 1.0, -0.5, 0.7]),
    };
    // Half of all with the factor 1, for which operands are read where they lie.
    let alpha = alphas[one_of(8).saturating_sub(4)];
    let (beta, epilogue) = (betas[one_of(betas.len())], one_of(3));
    Case { alpha, beta, epilogue, values, seed, ..Case::new((m, n, k), mixture) }
}

/// Every mixture of layouts in each round; returns how many products were compared.
#[track_caller]
fn check_mixtures<T: Scalar>(rounds: impl IntoIterator<Item = usize>, values: Values) -> usize {
    let pools = Pools::new();
    let mut compared = 0;
    for round in rounds {
        for mixture in 0..MIXTURES {
            check::<T>(&case(mixture, round, values), &pools);
            compared += 1;
        }
    }
    compared
}

/// Rounds in which each two of the three sizes are large.
const LARGE_PAIRS: [usize; 3] = [3, 5, 6];

#[test]
#[cfg_attr(miri, ignore = "too long for an interpreter")]
fn every_mixture_of_layouts_keeps_the_bound_in_single_precision() {
    assert!(check_mixtures::<f32>(0..24, Values::Units) >= 10_000);
}

#[test]
#[cfg_attr(miri, ignore = "too long for an interpreter")]
fn every_mixture_of_layouts_keeps_the_bound_in_double_precision() {
    assert!(check_mixtures::<f64>(0..24, Values::Units) >= 10_000);
}

#[test]
#[cfg_attr(miri, ignore = "too long for an interpreter")]
fn integer_matrices_are_exact() {
    check_mixtures::<f32>(LARGE_PAIRS, Values::Integers);
    check_mixtures::<f64>(LARGE_PAIRS, Values::Integers);
}

#[test]
#[cfg_attr(miri, ignore = "too long for an interpreter")]
fn subnormal_numbers_keep_the_bound() {
    check_mixtures::<f32>(LARGE_PAIRS, Values::Tiny);
    check_mixtures::<f64>(LARGE_PAIRS, Values::Tiny);
}

#[test]
#[cfg_attr(miri, ignore = "too long for an interpreter")]
fn infinity_and_nan_propagate_as_the_standard_says() {
    check_mixtures::<f32>(LARGE_PAIRS, Values::Special);
    check_mixtures::<f64>(LARGE_PAIRS, Values::Special);
}

/// Few of everything, so that an interpreter can follow.
#[test]
fn every_layout_of_each_operand_keeps_the_bound() {
    let pools = Pools::new();
    let values = [Values::Units, Values::Special, Values::Integers, Values::Tiny];
    for (index, shape) in [(3, 5, 7), (17, 2, 3), (1, 18, 4), (2, 3, 0)].into_iter().enumerate() {
        for turn in 0..LAYOUTS.len() {
            // A's layout by turns, and B's and C's with other steps.
            let mixture = turn + 8 * (3 * turn % 8) + 64 * (5 * turn % 7);
            let case = Case { epilogue: turn % 3, values: values[index], ..Case::new(shape, mixture) };
            check::<f32>(&case, &pools);
            check::<f64>(&Case { beta: 1.0, ..case }, &pools);
        }
    }
}

/// A block has at most 1,024 inner indices and 512 columns, or rows where C is row-major, with AVX-512; else 512 and 1,024. In double
/// precision it has half as many inner indices.
#[test]
#[cfg_attr(miri, ignore = "too long for an interpreter")]
fn every_edge_of_the_blocks_keeps_the_bound() {
    let pools = Pools::new();
    let inner = [257, 511, 512, 513, 1023, 1024, 1025, 2049]
        .map(|k| [(67, 5, k), (3, 70, k), (20, 66, k), (65, 1, k), (1, 65, k)]);
    let wide = [511, 512, 513, 1025].map(|n| [(66, n, 3), (n, 66, 3), (5, n, 130), (n, 5, 130)]);
    let both = [(66, 513, 257), (513, 66, 257), (3, 513, 1025), (130, 66, 1100)];
    let shapes = inner.as_flattened().iter().chain(wide.as_flattened()).chain(&both);
    for (index, &shape) in shapes.enumerate() {
        // 13 and the number of mixtures have no common divisor: the layouts of a shape are far apart.
        for turn in 0..16 {
            let index = 16 * index + turn;
            let (beta, epilogue) = ([0.0, 1.0, -0.5][index % 3], index / 3 % 3);
            let alpha = if turn % 4 == 3 { 0.7 } else { 1.0 };
            let case = Case { alpha, beta, epilogue, ..Case::new(shape, 13 * index) };
            check::<f32>(&case, &pools);
            check::<f64>(&case, &pools);
        }
    }
}

/// Beside 256 columns and more, tiles of A are copied where a register tile reads a quarter of their height.
#[test]
#[cfg_attr(miri, ignore = "too long for an interpreter")]
fn tiles_beside_many_columns_keep_the_bound() {
    let pools = Pools::new();
    for shape in [(66, 256, 65), (40, 262, 129)] {
        // The last two layouts of A are tiles and their transpose; every seventh of their mixtures has each B and each C.
        for mixture in (0..MIXTURES).filter(|mixture| mixture % LAYOUTS.len() >= 6).step_by(7) {
            let beta = [0.0, 1.0, -0.5][mixture % 3];
            let case = Case { beta, epilogue: mixture / 2 % 2, ..Case::new(shape, mixture) };
            check::<f32>(&case, &pools);
            check::<f64>(&case, &pools);
        }
    }
}

/// Rows in tiles and in less, columns one by one and in whole blocks; C row-major, a vector, and without inner index.
#[test]
#[cfg_attr(miri, ignore = "too long for an interpreter")]
fn every_number_of_threads_gives_the_same_bits() {
    let pools = Pools::new();
    let shapes = [
        (530, 17, 40),
        (17, 530, 40),
        (200, 90, 33),
        (90, 200, 33),
        (130, 131, 20),
        (1, 1030, 300),
        (1030, 1, 300),
        (2, 1000, 130),
        (700, 300, 1),
        (300, 700, 0),
    ];
    for (index, shape) in shapes.into_iter().enumerate() {
        for turn in 0..MIXTURES / 7 {
            let mixture = 7 * turn + index % 7;
            let case = Case { beta: -0.5, epilogue: turn % 3, ..Case::new(shape, mixture) };
            match turn % 3 {
                0 => check::<f64>(&case, &pools),
                _ => check::<f32>(&Case { beta: 0.0, ..case }, &pools),
            }
        }
    }
}

/// What the checks are worth: each mistake that a kernel could make is one to them.
#[test]
fn a_wrong_product_is_caught() {
    let pool = Pool::new(1).expect("one thread");
    for (mixture, epilogue) in (0..MIXTURES).step_by(37).zip([0, 1].into_iter().cycle()) {
        let case = Case { beta: 0.7, epilogue, ..Case::new((19, 6, 11), mixture) };
        let operands = Operands::<f32>::new(&case);
        let right = operands.product(&case, &pool);
        assert_eq!(mistake(&case, &operands, &right), None);

        // One element, by a little more than the bound allows it: γ(14) times a magnitude of less than 12.
        let place = case.c.place((19, 6), 18, 4);
        let mut wrong = right.clone();
        wrong[place] += 1e-5;
        assert!(
            mistake(&case, &operands, &wrong).is_some_and(|text| text.starts_with("(18, 4)")),
            "{case:?}"
        );
        wrong[place] = right[place].next_up();
        assert_eq!(difference(&right, &wrong), Some(place), "the last bit counts between paths");
        wrong[place] = f32::NAN;
        assert!(mistake(&case, &operands, &wrong).is_some());
        assert!(mistake_of_class(&case, &operands, &wrong).is_some());

        // A term left out; β·C left out; the wrong sign; a bias too many, or none.
        let mut without_term = Operands::<f32>::new(&case);
        without_term.a[case.a.place((19, 11), 18, 10)] = 0.0;
        let results = [
            without_term.product(&case, &pool),
            operands.product(&Case { beta: 0.0, ..case }, &pool),
            operands.product(&Case { alpha: -1.0, ..case }, &pool),
            operands.product(&Case { epilogue: 1 - epilogue, ..case }, &pool),
        ];
        for (index, wrong) in results.iter().enumerate() {
            assert!(mistake(&case, &operands, wrong).is_some(), "{index}: {case:?}");
        }

        // A write between two columns.
        let mut wrong = right.clone();
        if let Some(beside) = (0..wrong.len()).find(|&p| wrong[p].is_nan()) {
            wrong[beside] = 0.0;
            assert!(
                mistake(&case, &operands, &wrong).is_some_and(|text| text.contains("beside")),
                "{case:?}"
            );
        }
    }
}
