//! Optimizer updates: against Keras, the same bits on every instruction set and however the slices are cut, and what
//! they promise of moments, padding and gradients that are not finite.

mod catalogue;
mod reference;

use catalogue::every_rule;
use densely_tensor::*;
use proptest::prelude::*;
use reference::Random;

/// Parameters and the moments that a rule needs; the others are empty.
#[derive(Clone, Debug, PartialEq)]
struct State<T> {
    parameters: Vec<T>,
    moments: [Vec<T>; MOST_MOMENTS],
}

impl<T: Scalar> State<T> {
    fn new(update: &Update<T>, parameters: Vec<T>) -> Self {
        let mut moments = update.initial_moments().map(|initial| vec![initial; parameters.len()]);
        moments[update.moments()..].iter_mut().for_each(Vec::clear);
        Self { parameters, moments }
    }

    fn apply(&mut self, isa: Isa, update: &Update<T>, gradient: &[T]) {
        update.apply(isa, &mut self.parameters, gradient, self.moments.each_mut().map(|m| &mut m[..]));
    }

    fn bits(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let all = self.parameters.iter().chain(self.moments.iter().flatten());
        all.for_each(|value| value.write_le(&mut bytes));
        bytes
    }
}

fn values<T: Scalar>(seed: u64, len: usize) -> Vec<T> {
    let mut random = Random(seed);
    // Zeros too: an input that is always 0 has gradients that are.
    (0..len).map(|i| if i % 5 == 3 { T::ZERO } else { T::from_f64(random.next_unit()) }).collect()
}

/// `gradient` of reference/optimizers.py.
fn reference_gradient(step: i64, index: i64) -> f64 {
    if index == 4 {
        return 0.0;
    }
    let scale = [1.0, 0.0625, 8.0, 0.5][index as usize];
    ((7 * step * step + 13 * index + 5 * step * index) % 41 - 12) as f64 / 16.0 * scale
}

/// The largest relative distance from Keras over all steps it is known at.
fn distance_from_keras<T: Scalar>(name: &str, update: impl Fn(u64) -> Update<T>) -> f64 {
    let mut state = State::new(&update(1), [1.0, -0.5, 2.0, -1.5, 0.75].map(T::from_f64).to_vec());
    let mut done = 0;
    let mut largest = 0.0;
    for line in include_str!("reference/optimizers.txt").lines() {
        let [case, step, expected] = line.splitn(3, " | ").collect::<Vec<_>>()[..] else { panic!("{line}") };
        if case != name {
            continue;
        }
        let step: u64 = step.parse().unwrap();
        while done < step {
            done += 1;
            let gradient: Vec<T> =
                (0..5).map(|index| T::from_f64(reference_gradient(done as i64, index))).collect();
            state.apply(Isa::detect(), &update(done), &gradient);
        }
        for (found, expected) in state.parameters.iter().zip(expected.split(' ')) {
            let (found, expected) = (found.to_f64(), expected.parse::<f64>().unwrap());
            if found != expected {
                largest = f64::max(largest, (found - expected).abs() / expected.abs());
            }
        }
    }
    assert_eq!(done, 20, "{name} is not among the references");
    largest
}

#[test]
#[cfg_attr(miri, ignore = "too long for an interpreter")]
fn twenty_steps_are_those_of_keras() {
    for (name, update) in every_rule::<f64>() {
        let distance = distance_from_keras(name, update);
        assert!(distance <= 1e-12, "{name} in double precision: {distance:e}");
    }
    for (name, update) in every_rule::<f32>() {
        let distance = distance_from_keras(name, update);
        assert!(distance <= 1e-5, "{name} in single precision: {distance:e}");
    }
}

#[test]
fn every_reference_has_a_case_and_a_wrong_rule_is_caught() {
    for line in include_str!("reference/optimizers.txt").lines() {
        let name = line.split(" | ").next().unwrap();
        assert!(every_rule::<f32>().iter().any(|(case, _)| *case == name), "{name}");
    }
    // PyTorch's epsilon; the momentum without the look ahead; a decay after the update.
    let epsilon = |t: u64| 1e-7 * (1.0 - 0.999_f64.powi(t as i32)).sqrt();
    let other = |t| Adam::<f64>::step(t, 0.001, 0.9, 0.999, epsilon(t)).into();
    assert!(distance_from_keras("adam", other) > 1e-12);
    let [_, (_, momentum), ..] = every_rule::<f64>()[..] else { unreachable!() };
    assert!(distance_from_keras("sgd nesterov", momentum) > 1e-3);
    let late = |t| Update { decay: 0.0, ..every_rule::<f64>()[17].1(t) };
    assert!(distance_from_keras("adamw", late) > 1e-6);
}

/// Every case, three steps, on slices of `len`; the last gradients are tiny, so that moments come to their end.
fn three_steps<T: Scalar>(update: fn(u64) -> Update<T>, isa: Isa, len: usize) -> State<T> {
    let mut state = State::new(&update(1), values(1, len));
    for t in 1..=3 {
        state.apply(isa, &update(t), &values(1 + t, len));
    }
    let tiny: Vec<T> = values(9, len).iter().map(|&x: &T| x * T::MIN_POSITIVE).collect();
    state.apply(isa, &update(4), &tiny);
    state
}

fn same_bits_everywhere<T: Scalar>() {
    for (name, update) in every_rule::<T>() {
        for len in [0, 1, 2, 3, 7, 15, 16, 17, 31, 33, 64, 65, 1000] {
            let expected = three_steps(update, Isa::PORTABLE, len).bits();
            for isa in Isa::available() {
                assert!(three_steps(update, isa, len).bits() == expected, "{name}, {len} elements, {isa}");
            }
        }
    }
}

#[test]
#[cfg_attr(miri, ignore = "too long for an interpreter")]
fn every_instruction_set_gives_the_same_bits() {
    same_bits_everywhere::<f32>();
    same_bits_everywhere::<f64>();
}

#[test]
#[cfg_attr(miri, ignore = "too long for an interpreter")]
fn every_number_of_threads_gives_the_same_bits() {
    for len in [0, 1, 8191, 8192, 20_000, 50_001] {
        for (name, update) in every_rule::<f32>() {
            let update = update(1);
            let gradient = values(2, len);
            let mut expected = State::new(&update, values(1, len));
            expected.apply(Isa::detect(), &update, &gradient);
            for threads in [1, 2, 3, 8] {
                let pool = Pool::new(threads).unwrap();
                let mut state = State::new(&update, values(1, len));
                let moments = state.moments.each_mut().map(|moment| &mut moment[..]);
                update.apply_in_parallel(&pool, &mut state.parameters, &gradient, moments);
                assert!(state == expected, "{name}, {len} elements, {threads} threads");
            }
        }
    }
}

proptest! {
    #[test]
    #[cfg_attr(miri, ignore = "too long for an interpreter")]
    fn cutting_the_slices_changes_no_bit(
        case in 0..29_usize,
        len in 0..300_usize,
        cuts in proptest::collection::vec(0..300_usize, 0..6),
    ) {
        let (_, update) = every_rule::<f32>()[case];
        let isa = Isa::detect();
        let whole = three_steps(update, isa, len);
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(len)).chain([0, len]).collect();
        cuts.sort_unstable();
        let mut parts = State::new(&update(1), values(1, len));
        for t in 1..=4 {
            let mut gradient: Vec<f32> = values(if t == 4 { 9 } else { 1 + t }, len);
            if t == 4 {
                gradient.iter_mut().for_each(|g| *g *= f32::MIN_POSITIVE);
            }
            for cut in cuts.windows(2) {
                let range = cut[0]..cut[1];
                let moments = parts.moments.each_mut().map(|moment| moment.get_mut(range.clone()).unwrap_or_default());
                update(t).apply(isa, &mut parts.parameters[range.clone()], &gradient[range.clone()], moments);
            }
        }
        prop_assert_eq!(parts.bits(), whole.bits());
    }
}

fn subnormal_moments_become_zero<T: Scalar>() {
    let half = T::from_f64(0.5);
    for isa in Isa::available() {
        for (name, update) in every_rule::<T>() {
            let update = update(1);
            for moment in [T::MIN_POSITIVE * half, -(T::MIN_POSITIVE * half), T::MIN_POSITIVE] {
                let mut state = State::new(&update, vec![T::ONE; 35]);
                state.moments.iter_mut().for_each(|kept| kept.fill(moment));
                state.apply(isa, &update, &[T::ZERO; 35]);
                for &kept in state.moments.iter().flatten() {
                    let zero = kept == T::ZERO && (T::ONE / kept).to_f64() > 0.0;
                    // A norm of negative numbers is NaN; no rule makes one.
                    let normal = kept.is_nan() || kept.abs() >= T::MIN_POSITIVE;
                    assert!(
                        zero || normal,
                        "{name} keeps {kept:e} of {moment:e}, {isa}",
                        kept = kept.to_f64(),
                        moment = moment.to_f64()
                    );
                }
            }
        }
    }
}

#[test]
fn moments_below_the_smallest_normal_number_become_positive_zero() {
    subnormal_moments_become_zero::<f32>();
    subnormal_moments_become_zero::<f64>();
    let adam = Adam { step_size: 0.1f32, first_rate: 0.9, second_rate: 0.9, epsilon: 1e-7 };
    let mut state = State { parameters: vec![1.0], moments: [vec![-2e-38], vec![2e-38], vec![]] };
    state.apply(Isa::detect(), &adam.into(), &[0.0]);
    assert_eq!(state.moments[..2].concat().iter().map(|m| m.to_bits()).collect::<Vec<_>>(), [0, 0]);
}

fn padding_stays<T: Scalar>() {
    for (name, update) in every_rule::<T>() {
        let mut state = State::new(&update(1), vec![T::ZERO; 48]);
        let before = state.bits();
        for t in 1..=50 {
            state.apply(Isa::detect(), &update(t), &[T::ZERO; 48]);
        }
        assert!(state.bits() == before, "{name}");
    }
}

#[test]
fn padding_stays_positive_zero() {
    padding_stays::<f32>();
    padding_stays::<f64>();
}

#[test]
fn without_epsilon_a_parameter_that_never_had_a_gradient_is_lost() {
    let rules: [Update<f32>; 4] = [
        Adam::step(1, 0.001, 0.9, 0.999, 0.0).into(),
        Adamax::step(1, 0.001, 0.9, 0.999, 0.0).into(),
        Nadam::step(1, 0.001, 0.9, 0.999, 0.0).into(),
        Rmsprop::new(0.001, 0.9, 0.0, 0.0, false).into(),
    ];
    for update in rules {
        let mut state = State::new(&update, vec![0.0]);
        state.apply(Isa::detect(), &update, &[0.0]);
        assert!(state.parameters[0].is_nan(), "{update:?}");
    }
    // Follow the regularized leader has no epsilon and needs none.
    let [.., (_, ftrl), _, _, _, _, _, _] = every_rule::<f32>()[..] else { unreachable!() };
    let Update { rule: Rule::Ftrl(ftrl), .. } = ftrl(1) else { unreachable!() };
    let update = Update::from(Ftrl { initial_accumulator_value: 0.0, ..ftrl });
    let mut state = State::new(&update, vec![0.0]);
    state.apply(Isa::detect(), &update, &[0.0]);
    assert_eq!(state.bits(), [0; 12]);
}

fn not_finite_shows<T: Scalar>() {
    for (name, update) in every_rule::<T>() {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY].map(T::from_f64) {
            let mut gradient: Vec<T> = values(2, 37);
            let mut finite = State::new(&update(1), values(1, 37));
            let mut state = finite.clone();
            finite.apply(Isa::detect(), &update(1), &gradient);
            for place in [0, 20, 36] {
                gradient[place] = bad;
            }
            state.apply(Isa::detect(), &update(1), &gradient);
            for (place, (found, expected)) in state.parameters.iter().zip(&finite.parameters).enumerate() {
                if [0, 20, 36].contains(&place) {
                    assert!(!found.is_finite(), "{name}: a gradient of {bad} gives {found}");
                } else {
                    assert!(found == expected, "{name}: a gradient of {bad} shows in another parameter");
                }
            }
        }
    }
}

#[test]
fn a_gradient_that_is_not_finite_shows_in_its_parameter_alone() {
    not_finite_shows::<f32>();
    not_finite_shows::<f64>();
}

#[test]
fn equal_gradients_do_not_break_the_centered_rule() {
    let update = Update::from(Rmsprop::<f32>::new(0.001, 0.9, 0.0, 1e-7, true));
    let mut state = State::new(&update, vec![0.0; 3]);
    for _ in 0..500 {
        state.apply(Isa::detect(), &update, &[1000.3, -777.7, 12345.6]);
    }
    assert!(state.parameters.iter().all(|w| w.is_finite()), "{:?}", state.parameters);
}

#[test]
fn slices_that_do_not_fit_are_refused() {
    let message = |parameters: usize, gradient: usize, moments: [usize; 3], parallel: bool| {
        let result = std::panic::catch_unwind(|| {
            let update = Update::from(Amsgrad(Adam::<f32>::step(1, 0.001, 0.9, 0.999, 1e-7)));
            let (mut parameters, gradient) = (vec![0.0; parameters], vec![0.0; gradient]);
            let mut moments = moments.map(|len| vec![0.0; len]);
            let moments = moments.each_mut().map(|moment| &mut moment[..]);
            if parallel {
                update.apply_in_parallel(&Pool::new(2).unwrap(), &mut parameters, &gradient, moments);
            } else {
                update.apply(Isa::detect(), &mut parameters, &gradient, moments);
            }
        });
        *result.unwrap_err().downcast::<String>().unwrap()
    };
    assert!(message(5, 4, [5; 3], false).contains("parameters and gradient"));
    assert_eq!(message(5, 5, [5, 6, 5], false), "moment 1 has 6 elements, there are 5 parameters");
    let long = 20_000;
    assert_eq!(
        message(long, long, [long, long, 0], true),
        "moment 2 has 0 elements, there are 20000 parameters"
    );
    assert!(message(long, 5, [long; 3], true).contains("20000"));
}
