//! The backward pass of dense layers against plain loops, and every form of it against the others, bit for bit, on every
//! instruction set and thread count.

mod reference;

use densely_tensor::{
    ActivationFunction, Adam, Amsgrad, Epilogue, Isa, LayerInput, MaskedGradient, MatMut, MatRef, Nonzeros,
    Pool, Scalar, Sgd, Tiled, Update, backward_scratch, bias_gradient, gemm, input_gradient, mask_gradient,
    softmax, sparse_backward, sparse_gemm, sparse_input_gradient, update_kernel, weight_gradient,
};
use proptest::prelude::*;
use reference::Random;

#[derive(Clone, Copy, Debug)]
struct Case {
    units: usize,
    inputs: usize,
    samples: usize,
    /// Share of the input that is not zero.
    density: f64,
    seed: u64,
}

/// A layer's operands, column-major.
struct Layer<T> {
    case: Case,
    kernel: Vec<T>,
    delta: Vec<T>,
    input: Vec<T>,
}

const SCALE: f64 = 1.25;

impl<T: Scalar> Layer<T> {
    fn new(case: Case) -> Self {
        let mut random = Random(case.seed);
        let Case { units, inputs, samples, density, .. } = case;
        let mut sparse = |len: usize, density: f64| -> Vec<T> {
            let mut value = || {
                let kept = random.next_unit().abs() < density;
                if kept { random.next_unit() } else { 0.0 }
            };
            (0..len).map(|_| T::from_f64(value())).collect()
        };
        Self {
            case,
            kernel: sparse(units * inputs, 1.0),
            delta: sparse(units * samples, 0.6),
            input: sparse(inputs * samples, density),
        }
    }

    /// `Δ·Xᵀ`, samples in order.
    fn weight_gradient(&self) -> Vec<T> {
        let Case { units, inputs, samples, .. } = self.case;
        let element = |unit: usize, input: usize| {
            let term =
                |sum: T, s: usize| self.delta[s * units + unit].mul_add(self.input[s * inputs + input], sum);
            (0..samples).fold(T::ZERO, term) + T::ZERO
        };
        (0..units * inputs).map(|i| element(i % units, i / units)).collect()
    }

    /// `Wᵀ·Δ` in lane order, as its documentation has it.
    fn input_gradient(&self) -> Vec<T> {
        let Case { units, inputs, samples, .. } = self.case;
        let element = |input: usize, sample: usize| {
            let mut sum = None;
            for block in (0..units).step_by(64) {
                let mut lanes = [None; 16];
                for unit in block..units.min(block + 64) {
                    let (w, d) = (self.kernel[input * units + unit], self.delta[sample * units + unit]);
                    let lane = &mut lanes[unit % 16];
                    *lane = Some(lane.map_or(w * d, |sum| w.mul_add(d, sum)));
                }
                let mut lanes = lanes.map(|lane| lane.unwrap_or(T::ZERO));
                for half in [8, 4, 2, 1] {
                    for lane in 0..half {
                        lanes[lane] += lanes[lane + half];
                    }
                }
                sum = Some(sum.map_or(lanes[0], |sum: T| sum + lanes[0]));
            }
            sum.unwrap_or(T::ZERO) + T::ZERO
        };
        (0..inputs * samples).map(|i| element(i % inputs, i / inputs)).collect()
    }
}

fn tiled<T: Scalar>(elements: &[T], rows: usize, columns: usize) -> Tiled<T> {
    Tiled::from(MatRef::from_slice(elements, rows, columns))
}

fn all<T: Scalar>(matrix: &mut Tiled<T>) -> Vec<u64> {
    bits(matrix.as_mut().into_slice())
}

fn bits<T: Scalar>(elements: &[T]) -> Vec<u64> {
    elements.iter().map(|&x| x.to_f64().to_bits()).collect()
}

fn updates<T: Scalar>() -> [Update<T>; 4] {
    let number = T::from_f64;
    let adam = Adam::step(3, 0.01, 0.9, 0.999, 1e-7);
    [
        Update::from(Sgd { learning_rate: number(0.1), momentum: T::ZERO, nesterov: false }),
        Update::from(Sgd { learning_rate: number(0.1), momentum: number(0.9), nesterov: true }),
        Update::from(adam),
        Update::from(Amsgrad(adam)).weight_decay(0.01, 0.1),
    ]
}

/// A kernel and its moments, before and after a step.
#[derive(Clone)]
struct State<T: Scalar> {
    kernel: Tiled<T>,
    moments: [Tiled<T>; 3],
}

impl<T: Scalar> State<T> {
    fn new(layer: &Layer<T>) -> Self {
        let Case { units, inputs, .. } = layer.case;
        let moment: Vec<T> = layer.kernel.iter().map(|&w| w * w).collect();
        let moment = tiled(&moment, units, inputs);
        Self {
            kernel: tiled(&layer.kernel, units, inputs),
            moments: [moment.clone(), moment.clone(), moment],
        }
    }

    fn moments(moments: &mut [Tiled<T>; 3], needed: usize) -> [&mut [T]; 3] {
        let mut index = 0;
        moments.each_mut().map(|moment| {
            index += 1;
            if index <= needed { moment.as_mut().into_slice() } else { &mut [] }
        })
    }

    fn bits(&mut self) -> Vec<u64> {
        let [first, second, third] = &mut self.moments;
        [&mut self.kernel, first, second, third].into_iter().flat_map(all).collect()
    }
}

/// Everything that the backward pass of one layer gives, on one pool, against the loops and against itself.
fn check_layer<T: Scalar>(layer: &Layer<T>, pool: &Pool) {
    let case = layer.case;
    let Case { units, inputs, samples, .. } = case;
    let place = format!("{case:?} {} on {} with {} threads", T::NAME, pool.isa(), pool.threads());
    let (delta, input) = (tiled(&layer.delta, units, samples), tiled(&layer.input, inputs, samples));
    let (delta, dense) = (delta.as_ref(), input.as_ref());
    let mut nonzeros = Nonzeros::new(inputs, samples);
    nonzeros.fill_from_tiled(pool, dense);
    nonzeros.list_features(pool);
    let both = [LayerInput::Dense(dense), LayerInput::Sparse(&nonzeros)];
    let before = State::new(layer);

    let mut expected = tiled(&layer.weight_gradient(), units, inputs);
    let mut product = vec![T::ZERO; units * inputs];
    let target = MatMut::from_slice(&mut product, units, inputs);
    let (d, x) =
        (MatRef::from_slice(&layer.delta, units, samples), MatRef::from_slice(&layer.input, inputs, samples));
    gemm(pool, target, T::ONE, d, x.t(), T::ZERO, Epilogue::None);
    assert_eq!(bits(&product), bits(&layer.weight_gradient()), "weight gradient by gemm, {place}");
    for input in both {
        let mut gradient = tiled(&vec![T::ONE; units * inputs], units, inputs);
        weight_gradient(pool, delta, input, gradient.as_mut());
        assert_eq!(all(&mut gradient), all(&mut expected), "weight gradient, {place}");
    }

    let mut dense_gradient = Tiled::zeros(inputs, samples);
    dense_gradient.as_mut().into_slice().fill(T::ONE);
    input_gradient(pool, before.kernel.as_ref(), delta, dense_gradient.as_mut());
    let mut expected_input = tiled(&layer.input_gradient(), inputs, samples);
    assert_eq!(all(&mut dense_gradient), all(&mut expected_input), "input gradient, {place}");

    let (mut masked, scale) = (dense_gradient, T::from_f64(SCALE));
    let mut whole_input = input.clone();
    mask_gradient(pool.isa(), whole_input.as_mut().into_slice(), scale, masked.as_mut().into_slice());
    let mut scratch = vec![T::ONE; backward_scratch(samples) * pool.threads()];
    let mut sparse_gradient = tiled(&vec![T::ONE; inputs * samples], inputs, samples);
    let target = MaskedGradient { gradient: sparse_gradient.as_mut(), scale, scratch: &mut scratch };
    sparse_input_gradient(pool, before.kernel.as_ref(), delta, &nonzeros, target);
    assert_eq!(all(&mut sparse_gradient), all(&mut masked), "masked input gradient, {place}");

    for update in updates() {
        let mut after = before.clone();
        let moments = State::moments(&mut after.moments, update.moments());
        let gradient = expected.as_mut().into_slice();
        update.apply(pool.isa(), after.kernel.as_mut().into_slice(), gradient, moments);
        let after = after.bits();
        for input in both {
            let mut fused = before.clone();
            let moments = State::moments(&mut fused.moments, update.moments());
            update_kernel(pool, &update, delta, input, fused.kernel.as_mut(), moments);
            assert_eq!(fused.bits(), after, "{update:?} fused, {place}");
        }
        let mut fused = before.clone();
        let moments = State::moments(&mut fused.moments, update.moments());
        let mut gradient = tiled(&vec![T::ONE; inputs * samples], inputs, samples);
        let target = MaskedGradient { gradient: gradient.as_mut(), scale, scratch: &mut scratch };
        sparse_backward(pool, &update, delta, &nonzeros, fused.kernel.as_mut(), moments, target);
        assert_eq!(all(&mut gradient), all(&mut masked), "input gradient of one pass, {place}");
        assert_eq!(fused.bits(), after, "{update:?} of one pass, {place}");
    }

    let mut sums = vec![T::ONE; units];
    bias_gradient(pool, delta, &mut sums);
    let expected = |unit: usize| (0..samples).fold(T::ZERO, |sum, s| sum + layer.delta[s * units + unit]);
    let expected: Vec<T> = (0..units).map(expected).collect();
    assert_eq!(bits(&sums), bits(&expected), "bias gradient, {place}");
}

/// One step of `softmax(W₂·relu(W₁·X))` with Adam, on operands in tiles, densely or skipping zeros; gives all parameters
/// and the bias gradients after it. Ten classes; sample s is of class s mod 10.
fn two_layer_step(pool: &Pool, sparse: bool, layer: &Layer<f32>) -> Vec<u64> {
    let Case { units, inputs, samples, .. } = layer.case;
    let classes = 10;
    let update = Update::from(Adam::step(1, 0.01, 0.9, 0.999, 1e-7));
    let mut first = State::new(layer);
    let mut second = State::new(layer);
    second.kernel = tiled(&layer.kernel[..classes * units], classes, units);
    second.moments = std::array::from_fn(|_| Tiled::zeros(classes, units));
    let input = tiled(&layer.input, inputs, samples);
    let mut nonzeros = Nonzeros::new(inputs.max(units), samples);
    let mut scratch = vec![0.0; backward_scratch(samples) * pool.threads()];

    // Forward, the same for both.
    let (mut hidden, mut logits) = (Tiled::zeros(units, samples), Tiled::zeros(classes, samples));
    nonzeros.fill_from_tiled(pool, input.as_ref());
    nonzeros.list_features(pool);
    sparse_gemm(pool, hidden.as_mut(), first.kernel.as_ref(), &nonzeros, Epilogue::None);
    ActivationFunction::Relu.apply(pool.isa(), hidden.as_mut().into_slice());
    nonzeros.fill_from_tiled(pool, hidden.as_ref());
    nonzeros.list_features(pool);
    sparse_gemm(pool, logits.as_mut(), second.kernel.as_ref(), &nonzeros, Epilogue::None);
    let mut probabilities = vec![0.0; classes * samples];
    logits.as_ref().copy_to(MatMut::from_slice(&mut probabilities, classes, samples));
    for (sample, column) in probabilities.chunks_mut(classes).enumerate() {
        softmax(pool.isa(), column);
        column[sample % classes] -= 1.0;
    }

    // Backward through the output layer; its input gradient, times the derivative of ReLU, is the hidden layer's delta.
    let delta = tiled(&probabilities, classes, samples);
    let mut hidden_delta = Tiled::zeros(units, samples);
    let moments = State::moments(&mut second.moments, update.moments());
    if sparse {
        let target = MaskedGradient { gradient: hidden_delta.as_mut(), scale: 1.0, scratch: &mut scratch };
        sparse_backward(pool, &update, delta.as_ref(), &nonzeros, second.kernel.as_mut(), moments, target);
    } else {
        input_gradient(pool, second.kernel.as_ref(), delta.as_ref(), hidden_delta.as_mut());
        ActivationFunction::Relu.multiply_by_derivative(
            pool.isa(),
            hidden.as_mut().into_slice(),
            hidden_delta.as_mut().into_slice(),
        );
        let input = LayerInput::Dense(hidden.as_ref());
        update_kernel(pool, &update, delta.as_ref(), input, second.kernel.as_mut(), moments);
    }

    // The hidden layer: nobody needs the pixels' gradient.
    nonzeros.fill_from_tiled(pool, input.as_ref());
    nonzeros.list_features(pool);
    let input = if sparse { LayerInput::Sparse(&nonzeros) } else { LayerInput::Dense(input.as_ref()) };
    let moments = State::moments(&mut first.moments, update.moments());
    update_kernel(pool, &update, hidden_delta.as_ref(), input, first.kernel.as_mut(), moments);
    let mut biases = vec![0.0; classes + units];
    bias_gradient(pool, delta.as_ref(), &mut biases[..classes]);
    bias_gradient(pool, hidden_delta.as_ref(), &mut biases[classes..]);
    [first.bits(), second.bits(), bits(&biases)].concat()
}

#[test]
#[cfg_attr(miri, ignore = "too long for an interpreter")]
fn a_step_of_two_layers_has_the_same_bits_dense_and_sparse() {
    let layer = Layer::new(Case { units: 130, inputs: 70, samples: 33, density: 0.3, seed: 9 });
    let pools = pools();
    let expected = two_layer_step(&pools[0], false, &layer);
    for pool in &pools {
        for sparse in [false, true] {
            let (isa, threads) = (pool.isa(), pool.threads());
            let step = two_layer_step(pool, sparse, &layer);
            assert_eq!(step, expected, "sparse: {sparse}, on {isa} with {threads} threads");
        }
    }
}

fn pools() -> Vec<Pool> {
    let pool = |threads, isa| Pool::with_isa(threads, isa).expect("threads");
    let portable = Isa::PORTABLE;
    let fast = Isa::available().filter(|&isa| isa != portable);
    fast.flat_map(|isa| (1..=8).map(move |threads| pool(threads, isa)))
        .chain([pool(1, portable), pool(3, portable)])
        .collect()
}

fn check<T: Scalar>(case: Case, pools: &[Pool]) {
    let layer = Layer::<T>::new(case);
    pools.iter().for_each(|pool| check_layer(&layer, pool));
}

#[test]
#[cfg_attr(miri, ignore = "too long for an interpreter")]
fn every_form_of_every_gradient_has_the_bits_of_its_loops() {
    let pools = pools();
    for (units, inputs, samples) in [
        (0, 3, 2),
        (3, 0, 2),
        (3, 2, 0),
        (70, 65, 0),
        (1, 1, 1),
        (10, 70, 5),
        (16, 6, 33),
        (17, 64, 16),
        (40, 13, 7),
        (63, 30, 31),
        (64, 64, 64),
        (65, 129, 20),
        (130, 67, 40),
        (200, 50, 128),
    ] {
        for (density, seed) in [(0.0, 1), (0.3, 2), (1.0, 3)] {
            let case = Case { units, inputs, samples, density, seed };
            check::<f32>(case, &pools);
            check::<f64>(case, &pools);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    #[cfg_attr(miri, ignore = "too long for an interpreter")]
    fn any_shape_and_density_has_the_same_bits(
        (units, inputs, samples) in (0_usize..150, 0_usize..150, 0_usize..70),
        density in 0.0..1.0,
        seed in any::<u64>(),
        threads in 1_usize..9,
    ) {
        let case = Case { units, inputs, samples, density, seed };
        let pools: Vec<Pool> = Isa::available()
            .filter(|&isa| isa != Isa::PORTABLE)
            .map(|isa| Pool::with_isa(threads, isa).expect("threads"))
            .collect();
        check::<f32>(case, &pools);
        check::<f64>(case, &pools);
    }
}

/// Six rows in tiles of 64, as a part of a larger matrix has them, beside six rows in a tile of 16.
#[test]
#[should_panic(expected = "rows of the tiles of delta and of the kernel")]
fn tiles_of_different_heights_are_refused() {
    let (kernel, delta) = (Tiled::<f32>::zeros(70, 3), Tiled::zeros(6, 2));
    let mut gradient = Tiled::zeros(3, 2);
    let last_tile = kernel.as_ref().tiles(1..2);
    input_gradient(&Pool::new(1).unwrap(), last_tile, delta.as_ref(), gradient.as_mut());
}
